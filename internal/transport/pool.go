package transport

import (
	"container/list"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxDials is how many connections to a host are being established at a time.
	maxDials = 8
	// maxShared is how many HTTP/2 connections to a host there are.
	maxShared = 8
	// dialTime bounds the steps that net/http's own limits do not cover: a
	// caller's dialler, a proxy.
	dialTime = 30 * time.Second
	// orphanTime is the age up to which a dial without a waiter is continued
	// for later calls.
	orphanTime = 5 * time.Second
	// slowDial is how long the only dial may take before another one is begun
	// beside it: one of several addresses may be unreachable.
	slowDial = 500 * time.Millisecond
)

// A pool holds the connections to one host.
type pool struct {
	inner    *http.Transport
	key      poolKey
	maxConns int          // over HTTP/1.1, 0 for any number
	waiting  atomic.Int64 // len of waiters, which is read without the lock

	mu      sync.Mutex
	waiters list.List      // of *waiter, in their order of arrival
	dials   map[*dial]bool // in progress
	idle    []*conn        // HTTP/1.1, the last used one is last
	shared  []*conn        // HTTP/2
	alone   int            // HTTP/1.1 connections, idle ones included
	serial  bool           // the last connection was HTTP/1.1
	sweeper *time.Timer    // closes connections that are idle for too long; nil while none is idle
	check   *time.Timer    // checks the waiters later
	toClose []*conn        // to be closed after the lock is released
}

// A waiter is a call that waits for a connection.
type waiter struct {
	ready chan grant // receives one without blocking
	place *list.Element
	dial  *dial // the dial that is begun for it, or nil
	since time.Time
	ctx   context.Context //nolint:containedctx // the dial that is begun for it has its values
	url   *url.URL
}

// waiterAt returns the waiter of an element of the queue.
func waiterAt(place *list.Element) *waiter {
	w, _ := place.Value.(*waiter)
	return w
}

// A grant ends the wait.
type grant struct {
	conn *conn
	err  error
}

// A dial is a connection that is being established.
type dial struct {
	owner   *waiter // for whom it was begun, or nil if that one no longer waits
	target  *url.URL
	started time.Time
	cancel  context.CancelFunc
	guard   *guardedConn // set by the dialler
	http2   bool         // set after the handshake
}

type dialKey struct{}

func newPool(t *Transport, key poolKey) *pool {
	return &pool{inner: t.inner, key: key, maxConns: t.maxConns, dials: map[*dial]bool{}}
}

// acquire returns a connection that is leased to the caller: a whole one over
// HTTP/1.1, a stream of one over HTTP/2. It returns early when the context ends.
func (p *pool) acquire(ctx context.Context, target *url.URL) (*conn, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.waiters.Len() == 0 {
		if c := p.lease(); c != nil {
			p.unlock()
			return c, nil
		}
	}
	w := &waiter{ready: make(chan grant, 1), since: time.Now(), ctx: ctx, url: target}
	w.place = p.waiters.PushBack(w)
	p.waiting.Add(1)
	p.serve()
	p.unlock()
	select {
	case g := <-w.ready:
		return g.conn, g.err
	case <-ctx.Done():
	}
	p.leave(w)
	return nil, context.Cause(ctx)
}

// leave ends the wait of a caller whose context has ended. A connection that was
// granted in the meantime goes to another caller.
func (p *pool) leave(w *waiter) {
	p.mu.Lock()
	defer p.unlock()
	if w.place != nil {
		p.remove(w)
		p.serve() // for the waiters behind it
		return
	}
	switch g := <-w.ready; {
	case g.conn == nil:
		return
	case g.conn.shared:
		g.conn.starting.Add(-1)
	default:
		g.conn.client.Release()
		p.putIdle(g.conn)
	}
	p.serve()
}

// remove removes a waiter from the queue. Its dial continues for a time, for
// others.
func (p *pool) remove(w *waiter) {
	p.waiters.Remove(w.place)
	w.place = nil
	p.waiting.Add(-1)
	d := w.dial
	if d == nil {
		return
	}
	w.dial, d.owner = nil, nil
	if left := orphanTime - time.Since(d.started); left > 0 {
		time.AfterFunc(left, d.cancel)
	} else {
		d.cancel()
	}
}

func (p *pool) grant(w *waiter, g grant) {
	p.remove(w)
	w.ready <- g
}

// lease returns a free connection, or nil.
func (p *pool) lease() *conn {
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		// The wall clock counts: a suspended machine has no other.
		if p.expired(c) || c.client.Reserve() != nil {
			p.drop(c)
			continue
		}
		return c
	}
	for _, c := range slices.Clone(p.shared) {
		if c.leaseStream() {
			return c
		}
		if c.client.Err() != nil || c.retired && c.unused() {
			p.drop(c)
		}
	}
	return nil
}

func (p *pool) expired(c *conn) bool {
	limit := p.inner.IdleConnTimeout
	return limit > 0 && time.Since(c.lastUsed.Round(0)) > limit
}

// serve grants the free connections to the waiters, in their order, and begins
// dials for the others. The caller holds the lock.
func (p *pool) serve() {
	for p.waiters.Len() > 0 {
		c := p.lease()
		if c == nil {
			break
		}
		p.grant(waiterAt(p.waiters.Front()), grant{conn: c})
	}
	p.beginDials()
}

// beginDials begins as many dials as may run at a time. That is one until the
// server is known to speak HTTP/1.1, as an HTTP/2 connection serves many.
func (p *pool) beginDials() {
	if p.waiters.Len() == 0 {
		return
	}
	limit := maxDials
	if !p.serial {
		live := 0
		for _, c := range p.shared {
			switch {
			case c.retired:
			case !c.settled():
				p.checkIn(time.Millisecond)
				return
			default:
				live++
			}
		}
		newest := slowDial
		for d := range p.dials {
			newest = min(newest, time.Since(d.started))
		}
		limit = min(maxShared-live, maxDials)
		if newest < slowDial {
			p.checkIn(slowDial - newest)
			return
		}
		limit = min(limit, len(p.dials)+1)
	}
	if p.maxConns > 0 {
		limit = min(limit, p.maxConns-p.alone)
	}
	for e := p.waiters.Front(); e != nil && len(p.dials) < limit; e = e.Next() {
		if w := waiterAt(e); w.dial == nil {
			p.begin(w)
		}
	}
	p.checkIn(slowDial) // no waiter waits for ever if net/http does not report a change
}

// checkIn schedules a check of the waiters. It replaces a check that was due, as
// each is set from the current state.
func (p *pool) checkIn(d time.Duration) {
	if p.check != nil {
		p.check.Stop()
	}
	p.check = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.unlock()
		p.serve()
	})
}

// begin begins a dial for a waiter.
func (p *pool) begin(w *waiter) {
	d := &dial{owner: w, target: w.url, started: time.Now()}
	ctx := context.WithValue(context.WithoutCancel(w.ctx), dialKey{}, d)
	// An https proxy makes two handshakes, and the last one counts.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, _ error) {
		d.http2 = state.NegotiatedProtocol == "h2"
	}})
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	d.cancel = cancel
	w.dial = d
	p.dials[d] = true
	go p.dial(ctx, d)
}

// dial establishes a connection. If that fails, the waiter for whom it was begun
// receives the error, and so do all that have waited as long as a slow dial took:
// another dial would fail for them as well.
func (p *pool) dial(ctx context.Context, d *dial) {
	client, err := p.inner.NewClientConn(ctx, p.key.scheme, p.key.address)
	defer d.cancel()
	p.mu.Lock()
	defer p.unlock()
	delete(p.dials, d)
	owner := d.owner
	if owner != nil {
		owner.dial, d.owner = nil, nil
	}
	if err != nil {
		slow := time.Since(d.started) >= time.Second
		for e := p.waiters.Front(); e != nil; {
			w := waiterAt(e)
			e = e.Next()
			if w == owner || slow && w.dial == nil && !w.since.After(d.started) {
				p.grant(w, grant{err: err})
			}
		}
		p.serve()
		return
	}
	c := &conn{pool: p, client: client, guard: d.guard, made: time.Now()}
	c.shared = d.http2 || p.key.scheme == "http" && p.plainHTTP2()
	p.serial = !c.shared
	client.SetStateHook(func(*http.ClientConn) { p.changed(c) })
	if c.shared {
		p.shared = append(p.shared, c)
	} else {
		p.alone++
		p.putIdle(c)
	}
	p.serve()
}

// plainHTTP2 reports whether connections without TLS speak HTTP/2, as net/http
// decides it.
func (p *pool) plainHTTP2() bool {
	protocols := p.inner.Protocols
	return protocols != nil && protocols.UnencryptedHTTP2() && !protocols.HTTP1()
}
