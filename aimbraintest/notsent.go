package aimbraintest

import (
	"net"
	"net/http"
	"slices"
)

// endConnection makes the response the last one of its connection while connections
// are to be refused, so that the next request needs a new connection. It does so for
// connections of the fake's transport only.
func (f *Fake) endConnection(w http.ResponseWriter, r *http.Request) {
	address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || address.Network() != "pipe" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusing() {
		w.Header().Set("Connection", "close")
	}
}

// refusing reports whether connections are to be refused. The caller holds the
// lock.
func (f *Fake) refusing() bool {
	return slices.ContainsFunc(f.queue, func(q *queued) bool { return q.kind == kindNotSent })
}

// refuse reports whether the connection for a request is to be refused, and uses the
// outcome.
func (f *Fake) refuse(r *http.Request) bool {
	endpoint, _ := findEndpoint(f.config.prefix, r.URL)
	f.mu.Lock()
	i := slices.IndexFunc(f.queue, func(q *queued) bool { return q.fits(endpoint) })
	if i < 0 || f.queue[i].kind != kindNotSent {
		f.mu.Unlock()
		return false
	}
	q := f.queue[i]
	f.use(i)
	f.mu.Unlock()
	if q.after > 0 {
		f.wait(r.Context(), q.after)
	}
	return true
}
