package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// A MemoryStore is a [Store] in the memory of a process, for one replica. It is
// bounded: when it is full, records whose time has passed are removed, and if there
// are none, Swap returns an error. It loses everything with the process: sessions and
// grants end, and the counts of failures begin at 0.
type MemoryStore struct {
	mu      sync.Mutex
	limit   int
	size    int
	version uint64 // never used twice, also not after a record was removed
	records map[string]stored
	swept   time.Time
}

type stored struct {
	value   []byte
	version uint64
	expires time.Time // zero for never
}

const (
	storedOverhead = 200         // bytes of a record in the map, about
	sweepInterval  = time.Second // a sweep visits every record
)

// NewMemoryStore returns a store of at most this many bytes.
func NewMemoryStore(bytes int) *MemoryStore {
	return &MemoryStore{limit: bytes, records: map[string]stored{}}
}

// Load implements [Store].
func (m *MemoryStore) Load(ctx context.Context, key string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s := m.find(key, now)
	return Record{Value: slices.Clone(s.value), Version: s.version, Now: now}, ctx.Err()
}

// Swap implements [Store].
func (m *MemoryStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old := m.find(key, now)
	if old.version != version {
		return false, nil
	}
	if len(value) == 0 {
		m.remove(key)
		return true, nil
	}
	more := len(key) + len(value) + storedOverhead
	if old.version != 0 {
		more -= len(key) + len(old.value) + storedOverhead
	}
	if m.size+more > m.limit {
		m.sweep(now)
	}
	if m.size+more > m.limit {
		return false, errors.New("relay: the memory store is full")
	}
	m.version++
	s := stored{value: slices.Clone(value), version: m.version}
	if ttl > 0 {
		s.expires = now.Add(ttl)
	}
	m.records[key] = s
	m.size += more
	return true, nil
}

// find returns a record whose time has not passed.
func (m *MemoryStore) find(key string, now time.Time) stored {
	s, ok := m.records[key]
	if ok && s.expired(now) {
		m.remove(key)
		return stored{}
	}
	return s
}

func (s stored) expired(now time.Time) bool { return !s.expires.IsZero() && !now.Before(s.expires) }

func (m *MemoryStore) remove(key string) {
	if s, ok := m.records[key]; ok {
		m.size -= len(key) + len(s.value) + storedOverhead
		delete(m.records, key)
	}
}

// sweep removes the records whose time has passed, once a second at most.
func (m *MemoryStore) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepInterval {
		return
	}
	m.swept = now
	for key, s := range m.records {
		if s.expired(now) {
			m.remove(key)
		}
	}
}
