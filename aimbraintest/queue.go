package aimbraintest

import (
	"slices"
	"strings"
	"testing"
)

// A queued outcome waits for its requests.
type queued struct {
	Stub

	number int // its place in the queue, for one that is put back
	left   int
}

// Queue queues stubs. A request takes the first one in the queue that can
// happen to it, and one only: a [Score] can happen where the endpoint answers
// with scores, a [Liveliness] where it answers with liveliness, a [Code] where
// it is to be expected, all others to any request at all: that is often the
// creation of a session. [Stub.On] says which. When the request that took
// a Score or Liveliness turns out not to be in order, is not signed or has no
// session for instance, it is refused as usual, and the outcome is back in its
// place for the next.
func (f *Fake) Queue(stubs ...Stub) {
	for _, o := range stubs {
		o.mustBeMade("Queue")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range stubs {
		f.queuedSoFar++
		f.queue = append(f.queue, &queued{Stub: o, number: f.queuedSoFar, left: o.times})
	}
}

// Pending returns the outcomes that are queued still, each with the number of
// times that are left.
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

// take returns the outcome for a request, nil for none. One that turns out not
// to apply is put back.
func (f *Fake) take(endpoint string) *queued {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, q := range f.queue {
		if !q.fits(endpoint) {
			continue
		}
		if q.left--; q.left == 0 {
			f.queue = slices.Delete(f.queue, i, i+1)
		}
		return q
	}
	return nil
}

// putBack undoes a take.
func (f *Fake) putBack(q *queued) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.left++; q.left > 1 {
		return
	}
	at, _ := slices.BinarySearchFunc(f.queue, q.number, func(other *queued, number int) int { return other.number - number })
	f.queue = slices.Insert(f.queue, at, q)
}

// reportUnused fails a test whose outcomes did not all happen.
func (f *Fake) reportUnused(t testing.TB) {
	t.Helper()
	pending := f.Pending()
	if len(pending) == 0 {
		return
	}
	var texts []string
	for _, o := range pending {
		texts = append(texts, o.String())
	}
	t.Errorf("aimbraintest: queued outcomes were never used: %s\nrequests that came: %s", strings.Join(texts, ", "), f.summary())
}
