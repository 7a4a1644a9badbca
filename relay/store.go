package relay

import (
	"context"
	"time"
)

// A Store holds what the replicas of a relay share: one record for each user, with
// the count of failures, the uploads that were executed, the grants that were
// redeemed. A record is sealed or a keyed hash where it says anything about a
// person, so that a store needs no protection but against loss and change.
//
// A relay reads a record, decides, and writes it only if nobody wrote it meanwhile.
// A store must keep these rules:
//
//   - Swap is atomic, and what it has written is what every later Load returns, on
//     each replica. A store that may lose a write that it has confirmed may let a
//     grant be redeemed twice.
//   - Nothing is removed before its time. A store that is full returns an error.
//   - The time is that of one clock for all replicas, and does not go back.
type Store interface {
	// Load returns the record of a key. The zero Record with the time is returned
	// for one that does not exist or whose time has passed.
	Load(ctx context.Context, key string) (Record, error)
	// Swap writes a record in place of the one of that version, 0 for none, and
	// reports whether it did: false means that another version is there. An empty
	// value removes the record. The record is kept for ttl from now, for ever if ttl
	// is 0. After an error it may have been written or not.
	Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error)
}

// A Record is what a [Store] holds for a key.
type Record struct {
	Value   []byte    // nil for none
	Version uint64    // another one after each Swap, never 0 for a record that exists
	Now     time.Time // the store's clock
}
