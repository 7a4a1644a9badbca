package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/relay"
)

// mapStore is a correct store, and one with the defect that is set.
type mapStore struct {
	mu      sync.Mutex
	records map[string]entry
	version uint64
	loads   int
	defect  defect
}

type entry struct {
	value   []byte
	version uint64
	expires time.Time
}

type defect string

const (
	ignoresVersion   defect = "ignores the version"
	ignoresZero      defect = "takes version 0 for any"
	notAtomic        defect = "is not atomic"
	countsFromOne    defect = "counts versions from 1 for each record"
	versionStays     defect = "does not change the version"
	smallVersion     defect = "compares 32 bits of a version"
	neverExpires     defect = "never expires"
	expiresEarly     defect = "expires early"
	expiryLoadsZero  defect = "keeps the version of an expired record"
	keepsExpiry      defect = "keeps the time of the record before"
	zeroExpires      defect = "takes a time of 0 for the present"
	emptyIsValue     defect = "keeps an empty value"
	nilOnlyRemoves   defect = "keeps an empty value that is not nil"
	sharesStored     defect = "keeps the slice of Swap"
	sharesLoaded     defect = "returns its own slice"
	cutsAtNUL        defect = "cuts values at a NUL"
	limitsValues     defect = "cuts values at 64 kB"
	foldsKeys        defect = "takes keys in any case for one"
	trimsKeys        defect = "trims keys"
	noTime           defect = "returns no time"
	timeOfRecordOnly defect = "returns no time without a record"
	clockGoesBack    defect = "has a clock that goes back"
	ignoresContext   defect = "ignores the context"
	falseWrites      defect = "writes although it returns false"
	saysTrue         defect = "returns true although it does not write"
)

func newMapStore(d defect) *mapStore { return &mapStore{records: map[string]entry{}, defect: d} }

func (m *mapStore) key(key string) string {
	switch m.defect {
	case foldsKeys:
		return strings.ToLower(key)
	case trimsKeys:
		return strings.TrimSpace(key)
	}
	return key
}

func (m *mapStore) find(key string, now time.Time) entry {
	e := m.records[key]
	if e.expires.IsZero() || now.Before(e.expires) || m.defect == neverExpires {
		return e
	}
	if m.defect == expiryLoadsZero {
		return entry{version: e.version}
	}
	return entry{}
}

func (m *mapStore) Load(ctx context.Context, key string) (relay.Record, error) {
	if err := ctx.Err(); err != nil && m.defect != ignoresContext {
		return relay.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	e := m.find(m.key(key), now)
	r := relay.Record{Value: slices.Clone(e.value), Version: e.version, Now: now}
	m.loads++
	switch {
	case m.defect == sharesLoaded:
		r.Value = e.value
	case m.defect == noTime, m.defect == timeOfRecordOnly && e.version == 0:
		r.Now = time.Time{}
	case m.defect == clockGoesBack && m.loads%3 == 0:
		r.Now = now.Add(-time.Minute)
	}
	return r, nil
}

func (m *mapStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil && m.defect != ignoresContext {
		return false, err
	}
	key = m.key(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old := m.find(key, now)
	if m.defect == notAtomic {
		m.mu.Unlock()
		time.Sleep(time.Millisecond) //nolint:forbidigo // virtual time, which lets others in between
		m.mu.Lock()
	}
	same := old.version == version
	switch m.defect {
	case ignoresVersion:
		same = true
	case ignoresZero:
		same = same || version == 0
	case smallVersion:
		same = uint32(old.version) == uint32(version)
	}
	if !same && m.defect != falseWrites {
		return m.defect == saysTrue, nil
	}
	if len(value) == 0 && m.defect != emptyIsValue && (value == nil || m.defect != nilOnlyRemoves) {
		delete(m.records, key)
		return same, nil
	}
	m.version++
	e := entry{value: slices.Clone(value), version: m.version}
	if ttl > 0 {
		e.expires = now.Add(ttl)
	}
	switch m.defect {
	case countsFromOne:
		e.version = old.version + 1
	case versionStays:
		e.version = max(old.version, 1)
	case expiresEarly:
		e.expires = now.Add(ttl / 2)
	case keepsExpiry:
		if old.version != 0 {
			e.expires = old.expires
		}
	case zeroExpires:
		e.expires = now.Add(ttl)
	case sharesStored:
		e.value = value
	case cutsAtNUL:
		if before, _, found := strings.Cut(string(value), "\x00"); found {
			e.value = []byte(before + " ")
		}
	case limitsValues:
		e.value = e.value[:min(len(e.value), 64_000)]
	}
	m.records[key] = e
	return same, nil
}

func TestRun_CorrectStore(t *testing.T) { //nolint:tparallel // Run is a function of this package, whose subtests are parallel
	t.Parallel()
	open := func(*testing.T) relay.Store { return newMapStore("") }
	Run(t, open)
}

func TestRun_VirtualTime(t *testing.T) {
	t.Parallel()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { assert.NoError(t, c.run(t.Context(), newMapStore(""))) })
		})
	}
}

// TestRun_FindsDefects proves that each check can fail.
func TestRun_FindsDefects(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	var mu sync.Mutex
	t.Run("defects", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			defect defect
			check  string // one of those that must find it
		}{
			{defect: ignoresVersion, check: "OtherVersionChangesNothing"},
			{defect: ignoresZero, check: "OtherVersionChangesNothing"},
			{defect: ignoresVersion, check: "OneOfManyCreates"},
			{defect: notAtomic, check: "EveryIncrementCounts"},
			{defect: countsFromOne, check: "VersionsNeverRepeat"},
			{defect: versionStays, check: "VersionsNeverRepeat"},
			{defect: smallVersion, check: "OtherVersionChangesNothing"},
			{defect: neverExpires, check: "RecordExpires"},
			{defect: expiresEarly, check: "RecordIsKeptUntilItsTime"},
			{defect: expiryLoadsZero, check: "RecordExpires"},
			{defect: keepsExpiry, check: "SwapRenewsTheTime"},
			{defect: zeroExpires, check: "SwapRenewsTheTime"},
			{defect: emptyIsValue, check: "CreateLoadReplaceRemove"},
			{defect: nilOnlyRemoves, check: "CreateLoadReplaceRemove"},
			{defect: emptyIsValue, check: "NoRecord"},
			{defect: sharesStored, check: "ValuesAreNotShared"},
			{defect: sharesLoaded, check: "ValuesAreNotShared"},
			{defect: cutsAtNUL, check: "ValuesAreKeptExactly"},
			{defect: limitsValues, check: "ValuesAreKeptExactly"},
			{defect: foldsKeys, check: "KeysAreDistinct"},
			{defect: trimsKeys, check: "KeysAreDistinct"},
			{defect: noTime, check: "NoRecord"},
			{defect: timeOfRecordOnly, check: "NoRecord"},
			{defect: clockGoesBack, check: "TimeDoesNotGoBack"},
			{defect: ignoresContext, check: "EndedContext"},
			{defect: falseWrites, check: "OtherVersionChangesNothing"},
			{defect: saysTrue, check: "OtherVersionChangesNothing"},
		} {
			t.Run(string(tt.defect)+" "+tt.check, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					i := slices.IndexFunc(checks(), func(c check) bool { return c.name == tt.check })
					require.GreaterOrEqual(t, i, 0)
					assert.Error(t, checks()[i].run(t.Context(), newMapStore(tt.defect)))
				})
				mu.Lock()
				defer mu.Unlock()
				found[tt.check] = true
			})
		}
	})
	t.Cleanup(func() {
		for _, c := range checks() {
			assert.True(t, found[c.name], "no defect shows that %s can fail", c.name)
		}
	})
}
