package relay

import (
	"context"
	"sync"
	"time"
)

// A budget bounds the bytes of all bodies that are in memory, of each user and of each
// client address. It is safe for concurrent use.
type budget struct {
	mu       sync.Mutex
	freed    chan struct{} // closed, and replaced, when bytes are released
	all      int64
	allLimit int64
	users    map[hash]int64
	clients  map[string]int64
}

const (
	defaultBudget = 256 << 20
	userBudget    = 8 << 20
	clientShare   = 16
	roomWait      = time.Second
)

// errBusy means that there was no room in time.
const errBusy constantError = "no room for the body"

type constantError string

func (e constantError) Error() string { return string(e) }

func newBudget(limit int64) *budget {
	return &budget{freed: make(chan struct{}), allLimit: limit, users: map[hash]int64{}, clients: map[string]int64{}}
}

// A reservation is what one request has of a budget.
type reservation struct {
	budget *budget
	user   hash
	client string

	n      int64
	closed bool
}

// take adds n bytes to a reservation. It waits for room, one second at most.
func (r *reservation) take(ctx context.Context, n int) error {
	ok, freed := r.try(int64(n))
	if ok {
		return nil
	}
	timer := time.NewTimer(roomWait)
	defer timer.Stop()
	for {
		select {
		case <-freed:
		case <-timer.C:
			return errBusy
		case <-ctx.Done():
			return ctx.Err()
		}
		if ok, freed = r.try(int64(n)); ok {
			return nil
		}
	}
}

// try adds n bytes if there is room, and otherwise returns what is closed when there
// may be.
func (r *reservation) try(n int64) (bool, <-chan struct{}) {
	b := r.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.closed { // a read that ended after its request: it holds nothing
		return true, nil
	}
	if b.all+n > b.allLimit || b.users[r.user]+n > userBudget || b.clients[r.client]+n > b.allLimit/clientShare {
		return false, b.freed
	}
	b.all += n
	b.users[r.user] += n
	b.clients[r.client] += n
	r.n += n
	return true, nil
}

// release gives everything back.
func (r *reservation) release() {
	b := r.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	if r.n == 0 {
		return
	}
	b.all -= r.n
	if b.users[r.user] -= r.n; b.users[r.user] == 0 {
		delete(b.users, r.user)
	}
	if b.clients[r.client] -= r.n; b.clients[r.client] == 0 {
		delete(b.clients, r.client)
	}
	close(b.freed)
	b.freed = make(chan struct{})
}
