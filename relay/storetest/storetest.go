// Package storetest checks that an implementation of [relay.Store] keeps the rules of
// the interface. It imports only the standard library.
//
//	func TestStore_Conformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) relay.Store { return newStore(t) })
//	}
//
// It cannot check what happens when the server of a store is killed or restored from
// a copy: a store that has a server needs tests of its own for that.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go/relay"
)

const (
	contenders = 16
	// shortest is the time of a record that is to expire. It is long enough for a few
	// calls on a busy machine, or the check begins again with twice the time.
	shortest = 100 * time.Millisecond
	longest  = 10 * time.Second
)

// Run checks each rule in a subtest of its own. The function open returns a store,
// which may be the same each time and may hold other records: the keys that Run uses
// are random. What open acquires, it releases with t.Cleanup.
//
// The subtests are parallel, and Run returns when all have ended. Some wait until a
// record expires, which takes less than a second unless the machine is busy.
func Run(t *testing.T, open func(t *testing.T) relay.Store) {
	t.Helper()
	t.Run("rules", func(t *testing.T) {
		for _, c := range checks() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if err := c.run(t.Context(), open(t)); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// A check is one rule of the interface.
type check struct {
	name string
	run  func(context.Context, relay.Store) error
}

func checks() []check {
	return []check{
		{"NoRecord", noRecord},
		{"CreateLoadReplaceRemove", lifecycle},
		{"OtherVersionChangesNothing", otherVersion},
		{"VersionsNeverRepeat", versionsNeverRepeat},
		{"ValuesAreKeptExactly", values},
		{"KeysAreDistinct", keys},
		{"ValuesAreNotShared", aliasing},
		{"RecordExpires", expiry},
		{"RecordIsKeptUntilItsTime", keptUntilItsTime},
		{"SwapRenewsTheTime", renewal},
		{"TimeDoesNotGoBack", clock},
		{"OneOfManyCreates", oneCreates},
		{"EveryIncrementCounts", increments},
		{"EndedContext", endedContext},
	}
}

// newKey returns a key that no other check uses.
func newKey() string { return rand.Text() }

// put writes a record, and returns it as Load does.
func put(ctx context.Context, s relay.Store, key string, version uint64, value string, ttl time.Duration) (relay.Record, error) {
	swapped, err := s.Swap(ctx, key, version, []byte(value), ttl)
	if err != nil {
		return relay.Record{}, fmt.Errorf("Swap: %w", err)
	}
	if !swapped {
		return relay.Record{}, fmt.Errorf("Swap of version %d returned false, want true", version)
	}
	return get(ctx, s, key, value)
}

// get loads a record that must have a value; "" is for no record.
func get(ctx context.Context, s relay.Store, key, value string) (relay.Record, error) {
	r, err := s.Load(ctx, key)
	if err != nil {
		return r, fmt.Errorf("Load: %w", err)
	}
	switch {
	case r.Now.IsZero():
		return r, errors.New("Load returned no time")
	case value == "" && (r.Value != nil || r.Version != 0):
		return r, fmt.Errorf("Load returned %s of version %d, want no record", excerpt(r.Value), r.Version)
	case value != "" && string(r.Value) != value:
		return r, fmt.Errorf("Load returned %s, want %s", excerpt(r.Value), excerpt([]byte(value)))
	case value != "" && r.Version == 0:
		return r, errors.New("Load returned version 0 for a record that exists")
	}
	return r, nil
}

// refused calls Swap, which must return false.
func refused(ctx context.Context, s relay.Store, key string, version uint64, value string) error {
	swapped, err := s.Swap(ctx, key, version, []byte(value), 0)
	if err != nil {
		return fmt.Errorf("Swap: %w", err)
	}
	if swapped {
		return fmt.Errorf("Swap of version %d returned true, but another version is there", version)
	}
	return nil
}

// excerpt describes a value in a line.
func excerpt(value []byte) string {
	if len(value) > 40 {
		return fmt.Sprintf("%d bytes (%q...)", len(value), value[:40])
	}
	return fmt.Sprintf("%q", value)
}

// until calls f every few milliseconds until it returns true.
func until(ctx context.Context, limit time.Duration, f func() (bool, error)) error {
	end := time.NewTimer(limit)
	defer end.Stop()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-end.C:
			return fmt.Errorf("not within %v", limit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func noRecord(ctx context.Context, s relay.Store) error {
	key := newKey()
	if _, err := get(ctx, s, key, ""); err != nil {
		return err
	}
	if err := refused(ctx, s, key, 1, "a"); err != nil {
		return err
	}
	// A removal of nothing succeeds or fails, and creates nothing.
	if _, err := s.Swap(ctx, key, 0, nil, time.Hour); err != nil {
		return fmt.Errorf("Swap of no record for none: %w", err)
	}
	_, err := get(ctx, s, key, "")
	return err
}

func lifecycle(ctx context.Context, s relay.Store) error {
	key := newKey()
	created, err := put(ctx, s, key, 0, "first", time.Hour)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	again, err := get(ctx, s, key, "first")
	if err != nil {
		return err
	}
	if again.Version != created.Version {
		return errors.New("two Loads without a Swap returned two versions")
	}
	replaced, err := put(ctx, s, key, created.Version, "second", time.Hour)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	for _, empty := range [][]byte{nil, {}} {
		swapped, err := s.Swap(ctx, key, replaced.Version, empty, time.Hour)
		if err != nil || !swapped {
			return fmt.Errorf("Swap that removes the record returned %t, %w", swapped, orNone(err))
		}
		if _, err := get(ctx, s, key, ""); err != nil {
			return fmt.Errorf("after the removal: %w", err)
		}
		if replaced, err = put(ctx, s, key, 0, "third", 0); err != nil {
			return fmt.Errorf("create after a removal: %w", err)
		}
	}
	return nil
}

func orNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func otherVersion(ctx context.Context, s relay.Store) error {
	key := newKey()
	first, err := put(ctx, s, key, 0, "first", time.Hour)
	if err != nil {
		return err
	}
	second, err := put(ctx, s, key, first.Version, "second", time.Hour)
	if err != nil {
		return err
	}
	for _, version := range []uint64{0, first.Version, second.Version ^ 1, second.Version ^ 1<<63, second.Version ^ 1<<31} {
		for _, value := range []string{"other", ""} { // a write and a removal
			if err := refused(ctx, s, key, version, value); err != nil {
				return err
			}
			after, err := get(ctx, s, key, "second")
			if err != nil {
				return fmt.Errorf("after a Swap that returned false: %w", err)
			}
			if after.Version != second.Version {
				return errors.New("a Swap that returned false changed the version")
			}
		}
	}
	return nil
}

func versionsNeverRepeat(ctx context.Context, s relay.Store) error {
	key, seen := newKey(), map[uint64]bool{}
	var version uint64
	note := func(r relay.Record, err error) error {
		if err != nil {
			return err
		}
		if seen[r.Version] {
			return fmt.Errorf("version %d was used twice", r.Version)
		}
		seen[r.Version], version = true, r.Version
		return nil
	}
	for round := range 4 {
		if err := note(put(ctx, s, key, 0, "same", time.Hour)); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		for range 4 {
			if err := note(put(ctx, s, key, version, "same", time.Hour)); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		// The record goes by removal in one round, by its time in the next.
		gone, ttl := "", time.Hour
		if round%2 == 1 {
			gone, ttl = "same", time.Millisecond
		}
		if swapped, err := s.Swap(ctx, key, version, []byte(gone), ttl); err != nil || !swapped {
			return fmt.Errorf("Swap returned %t, %w", swapped, orNone(err))
		}
		if err := until(ctx, longest, func() (bool, error) {
			r, err := s.Load(ctx, key)
			return r.Version == 0, err
		}); err != nil {
			return fmt.Errorf("the record is still there: %w", err)
		}
		if err := refused(ctx, s, key, version, "late"); err != nil {
			return fmt.Errorf("after the record has gone: %w", err)
		}
	}
	return nil
}

func values(ctx context.Context, s relay.Store) error {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	large := make([]byte, 1<<20)
	_, _ = rand.Read(large) // it never fails
	for _, value := range [][]byte{
		{0},
		[]byte("\r\n"),
		[]byte("$-1\r\n*3\r\n$3\r\nSET\r\n"),
		[]byte("-ERR\r\n"),
		[]byte("0"), []byte("nil"), []byte("null"), []byte("1e999"),
		[]byte("]]; return 1 --"), []byte("'; DROP TABLE records; --"),
		[]byte("\xff\xfe\xc0\x80"),
		[]byte(strings.Repeat("\x00", 64)),
		[]byte("%s%n %!v"),
		everyByte,
		large,
	} {
		key := newKey()
		r, err := put(ctx, s, key, 0, string(value), time.Hour)
		if err != nil {
			return err
		}
		if _, err := put(ctx, s, key, r.Version, string(value), time.Hour); err != nil {
			return err
		}
	}
	return nil
}

func keys(ctx context.Context, s relay.Store) error {
	base := newKey()
	names := []string{
		base, base + " ", " " + base, strings.ToLower(base), base + "\x00", base + "\r\n", base + "{", base + "}",
		"{" + base + "}", "}" + base, "{}" + base, base + "*", base + "/", base + "/../" + base, base + "é", base + "e\u0301",
		base + "\xff", base + ":", ":" + base, base + strings.Repeat("a", 500),
	}
	if slices.Contains(names[1:], base) {
		return errors.New("the keys of this check are not distinct")
	}
	for i, key := range names {
		if _, err := put(ctx, s, key, 0, fmt.Sprint("value ", i), time.Hour); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	for i, key := range names {
		if _, err := get(ctx, s, key, fmt.Sprint("value ", i)); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	return nil
}

func aliasing(ctx context.Context, s relay.Store) error {
	key, value := newKey(), []byte("value")
	swapped, err := s.Swap(ctx, key, 0, value, time.Hour)
	if err != nil || !swapped {
		return fmt.Errorf("Swap returned %t, %w", swapped, orNone(err))
	}
	copy(value, "VALUE")
	loaded, err := get(ctx, s, key, "value")
	if err != nil {
		return fmt.Errorf("after a change of the slice that was passed to Swap: %w", err)
	}
	copy(loaded.Value, "OTHER")
	_ = append(loaded.Value, "more"...)
	if _, err := get(ctx, s, key, "value"); err != nil {
		return fmt.Errorf("after a change of the slice that Load returned: %w", err)
	}
	return nil
}

// timed calls f with a time to live that grows until f has not taken longer itself.
func timed(ctx context.Context, s relay.Store, f func(ttl time.Duration) error) error {
	for ttl := shortest; ; ttl *= 2 {
		before, err := s.Load(ctx, newKey())
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		err = f(ttl)
		after, loadErr := s.Load(ctx, newKey())
		if loadErr != nil {
			return fmt.Errorf("Load: %w", loadErr)
		}
		if err == nil || ttl > longest || after.Now.Sub(before.Now) < ttl {
			return err
		}
	}
}

func expiry(ctx context.Context, s relay.Store) error {
	return timed(ctx, s, func(ttl time.Duration) error {
		key := newKey()
		if _, err := put(ctx, s, key, 0, "short", ttl); err != nil {
			return err
		}
		if err := until(ctx, longest+2*ttl, func() (bool, error) {
			r, err := s.Load(ctx, key)
			return r.Version == 0 && r.Value == nil, err
		}); err != nil {
			return fmt.Errorf("a record of %v was still there: %w", ttl, err)
		}
		if _, err := get(ctx, s, key, ""); err != nil {
			return fmt.Errorf("after the record's time: %w", err)
		}
		created, err := put(ctx, s, key, 0, "new", 0)
		if err != nil {
			return fmt.Errorf("create after the record's time: %w", err)
		}
		_, err = s.Swap(ctx, key, created.Version, nil, 0)
		return err
	})
}

func keptUntilItsTime(ctx context.Context, s relay.Store) error {
	key := newKey()
	before, err := s.Load(ctx, key)
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	const ttl = 2 * shortest
	if swapped, err := s.Swap(ctx, key, 0, []byte("short"), ttl); err != nil || !swapped {
		return fmt.Errorf("Swap returned %t, %w", swapped, orNone(err))
	}
	// The time began after the first Load, so that the record is there at least until
	// then. A few milliseconds are for the units of the store's clock.
	kept := before.Now.Add(ttl - 5*time.Millisecond)
	loads := 0
	err = until(ctx, longest, func() (bool, error) {
		r, err := s.Load(ctx, key)
		if err != nil {
			return false, fmt.Errorf("Load: %w", err)
		}
		if !r.Now.Before(kept) {
			return true, nil
		}
		loads++
		if string(r.Value) != "short" {
			return false, fmt.Errorf("a record of %v was gone after %v", ttl, r.Now.Sub(before.Now))
		}
		return false, nil
	})
	if err == nil && loads == 0 {
		// The machine was too slow to see the record. That is no fault of the store.
		return nil
	}
	return err
}

func renewal(ctx context.Context, s relay.Store) error {
	for _, ttl := range []time.Duration{0, time.Hour} {
		if err := timed(ctx, s, func(short time.Duration) error {
			key := newKey()
			first, err := put(ctx, s, key, 0, "first", short)
			if err != nil {
				return err
			}
			second, err := put(ctx, s, key, first.Version, "second", ttl)
			if err != nil {
				return err
			}
			if err := until(ctx, longest+2*short, func() (bool, error) {
				r, err := s.Load(ctx, key)
				return r.Now.Sub(first.Now) > short+short/4, err
			}); err != nil {
				return fmt.Errorf("the store's clock: %w", err)
			}
			if _, err := get(ctx, s, key, "second"); err != nil {
				return fmt.Errorf("a Swap with the time %v kept the time before: %w", ttl, err)
			}
			_, err = s.Swap(ctx, key, second.Version, nil, 0)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func clock(ctx context.Context, s relay.Store) error {
	first, err := s.Load(ctx, newKey())
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	last := first
	return until(ctx, longest, func() (bool, error) {
		r, err := s.Load(ctx, newKey())
		if err != nil {
			return false, fmt.Errorf("Load: %w", err)
		}
		if r.Now.Before(last.Now) {
			return false, fmt.Errorf("the time went back by %v", last.Now.Sub(r.Now))
		}
		last = r
		return last.Now.Sub(first.Now) >= 20*time.Millisecond, nil
	})
}

// together calls f in many goroutines, and returns the first error.
func together(f func(i int) error) error {
	var group sync.WaitGroup
	failed := make([]error, contenders)
	for i := range contenders {
		group.Go(func() { failed[i] = f(i) })
	}
	group.Wait()
	return errors.Join(failed...)
}

func oneCreates(ctx context.Context, s relay.Store) error {
	for range 20 {
		key := newKey()
		won := make([]bool, contenders)
		if err := together(func(i int) error {
			var err error
			won[i], err = s.Swap(ctx, key, 0, fmt.Append(nil, "value ", i), time.Hour)
			return err
		}); err != nil {
			return fmt.Errorf("Swap: %w", err)
		}
		winner := slices.Index(won, true)
		if winner < 0 || slices.Contains(won[winner+1:], true) {
			return fmt.Errorf("of %d Swaps of version 0 at once, these returned true: %v", contenders, won)
		}
		if _, err := get(ctx, s, key, fmt.Sprint("value ", winner)); err != nil {
			return fmt.Errorf("after Swap number %d returned true: %w", winner, err)
		}
	}
	return nil
}

func increments(ctx context.Context, s relay.Store) error {
	const each = 4
	key := newKey()
	if err := together(func(int) error {
		for range each {
			if err := increment(ctx, s, key); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := get(ctx, s, key, string(count(contenders*each)))
	if err != nil {
		return fmt.Errorf("after %d increments: %w", contenders*each, err)
	}
	return nil
}

func increment(ctx context.Context, s relay.Store, key string) error {
	for range 10_000 {
		r, err := s.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		n := uint64(0)
		if r.Value != nil {
			n = binary.BigEndian.Uint64(r.Value)
		}
		swapped, err := s.Swap(ctx, key, r.Version, count(n+1), time.Hour)
		if err != nil {
			return fmt.Errorf("Swap: %w", err)
		}
		if swapped {
			return nil
		}
	}
	return errors.New("10,000 Swaps of the loaded version returned false")
}

func count(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func endedContext(ctx context.Context, s relay.Store) error {
	key := newKey()
	first, err := put(ctx, s, key, 0, "first", time.Hour)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Load(ended, key); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Load with an ended context returned the error %w, want context.Canceled", orNone(err))
	}
	swapped, err := s.Swap(ended, key, first.Version, []byte("second"), time.Hour)
	if swapped || !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Swap with an ended context returned %t and the error %w, want context.Canceled", swapped, orNone(err))
	}
	after, err := get(ctx, s, key, "first")
	if err != nil {
		return fmt.Errorf("after a Swap with an ended context: %w", err)
	}
	if !bytes.Equal(after.Value, first.Value) || after.Version != first.Version {
		return errors.New("a Swap with an ended context wrote the record")
	}
	return nil
}
