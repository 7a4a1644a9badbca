package relay

import (
	"context"
	"math/rand/v2"
	"time"
)

// The limits of the store's use.
const (
	maxSwaps     = 64 // of one decision that meets others
	storeTime    = 5 * time.Second
	settleTries  = 3
	contendWait  = 2 * time.Millisecond // the first wait; it grows with each swap that was lost
	contendLimit = 50 * time.Millisecond
)

// errStore means that the store has failed. Whether the record was written is unknown.
const errStore constantError = "the store has failed"

// decide loads a user's record, lets f decide, and writes the record that f returns,
// unless it is not to be written. If another replica was faster, f decides again.
func (h *Handler) decide(ctx context.Context, user hash, f func(record, time.Time) (_ record, write bool)) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	key := userKey(user)
	for try := range maxSwaps {
		loaded, err := h.store.Load(ctx, key)
		if err != nil {
			h.storeFailed(ctx, err)
			return errStore
		}
		old, err := readRecord(loaded.Value)
		if err != nil {
			h.storeFailed(ctx, err)
			return errStore
		}
		decided, write := f(old, loaded.Now)
		if !write {
			return nil
		}
		value, ttl, err := decided.write(loaded.Now)
		if err != nil {
			h.storeFailed(ctx, err)
			return errStore
		}
		swapped, err := h.store.Swap(ctx, key, loaded.Version, value, ttl)
		if err != nil {
			h.storeFailed(ctx, err)
			return errStore
		}
		if swapped {
			return nil
		}
		if wait(ctx, time.Duration(rand.Int64N(int64(min(contendLimit, contendWait*time.Duration(try+1)))))) != nil { //nolint:gosec // the wait is no secret
			return errStore
		}
	}
	return errStore
}

// userKey returns the store's key of a user.
func userKey(user hash) string {
	text, _ := user.MarshalText() // it never fails
	return string(text)
}

// wait waits for a time, or until the context ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
