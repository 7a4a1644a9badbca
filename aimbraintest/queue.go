package aimbraintest

import (
	"slices"
	"strings"
	"testing"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// A queued outcome is a stub in the queue.
type queued struct {
	Stub

	number int // its place in the queue, to put it back
	left   int // how many times are left; unused with always
	taken  int
}

// Queue adds stubs to the end of the queue. Each request takes at most one stub: the
// first in the queue that fits the request. All other stubs keep their places.
//
// A stub fits
//
//   - with [Stub.On]: a request to that endpoint only
//   - [Score]: a request whose response has a score
//   - [Liveliness]: a request whose response has a liveliness
//   - [Code]: a request that can be refused for that reason
//   - any other: every request, often the first one, which creates a session
//
// A request takes its stub when it has arrived, before it is checked, and a
// [NotSent] before it is sent. If the request is then refused, for example because
// of a wrong signature or an unknown session, a Score or Liveliness returns to its
// place; any other stub is used up. Every attempt of a call is a request: a stub
// applies to one attempt, and the client may retry, see [Stub.Times].
func (f *Fake) Queue(stubs ...Stub) {
	for _, o := range stubs {
		o.mustBeMade("Queue")
	}
	f.mu.Lock()
	for _, o := range stubs {
		f.queuedSoFar++
		f.queue = append(f.queue, &queued{Stub: o, number: f.queuedSoFar, left: o.times})
	}
	refusing := f.refusing()
	f.mu.Unlock()
	if refusing { // a request must need a new connection to be refused
		f.transport.CloseIdleConnections()
	}
}

// ClearQueue removes all stubs from the queue, also those with [Stub.Always]. They
// are not reported as unused.
func (f *Fake) ClearQueue() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue, f.cleared = nil, f.queuedSoFar
}

// Pending returns the stubs in the queue, each with the number of times that are
// left.
func (f *Fake) Pending() []Stub {
	f.mu.Lock()
	defer f.mu.Unlock()
	pending := make([]Stub, 0, len(f.queue))
	for _, q := range f.queue {
		pending = append(pending, q.Stub)
		pending[len(pending)-1].times = q.left
	}
	return pending
}

// take returns the outcome for a request that has arrived, nil for none. The caller
// puts it back if it does not apply.
func (f *Fake) take(endpoint endpoints.Endpoint) *queued {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, q := range f.queue {
		if q.kind != kindNotSent && q.fits(endpoint) {
			f.use(i)
			return q
		}
	}
	return nil
}

// use counts one use of the outcome at an index of the queue. The caller holds the
// lock.
func (f *Fake) use(i int) {
	q := f.queue[i]
	q.taken++
	if q.always {
		return
	}
	if q.left--; q.left == 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
	}
}

// putBack undoes a take.
func (f *Fake) putBack(q *queued) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q.taken--
	if q.always || q.number <= f.cleared {
		return
	}
	if q.left++; q.left > 1 {
		return
	}
	at, _ := slices.BinarySearchFunc(f.queue, q.number, func(other *queued, number int) int { return other.number - number })
	f.queue = slices.Insert(f.queue, at, q)
}

// reportUnused fails a test if an outcome was not used.
func (f *Fake) reportUnused(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	unused := slices.DeleteFunc(slices.Clone(f.queue), func(q *queued) bool { return q.always && q.taken > 0 })
	f.mu.Unlock()
	if len(unused) == 0 {
		return
	}
	var texts []string
	for _, q := range unused {
		o := q.Stub
		o.times = q.left
		texts = append(texts, o.String())
	}
	t.Errorf("aimbraintest: queued stubs were never used: %s\nrequests that arrived: %s", strings.Join(texts, ", "), f.summary())
}
