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
	// dialTime bounds what takes longer than net/http's own limits: a caller's
	// dialler, a proxy.
	dialTime = 30 * time.Second
	// orphanTime is how old a dial may get that nobody waits for: it is completed
	// for the calls to come.
	orphanTime = 5 * time.Second
	// slowDial is how long the only dial may take before another is begun beside
	// it: one of several addresses may be dead.
	slowDial = 500 * time.Millisecond
)

// A pool holds the connections to one host.
type pool struct {
	inner    *http.Transport
	key      poolKey
	maxConns int          // over HTTP/1.1, 0 for any number
	waiting  atomic.Int64 // len of waiters, to be read without the lock

	mu      sync.Mutex
	waiters list.List      // of *waiter, in the order in which they came
	dials   map[*dial]bool // under way
	idle    []*conn        // HTTP/1.1, the last used one last
	shared  []*conn        // HTTP/2
	alone   int            // HTTP/1.1 connections, idle ones included
	serial  bool           // the last connection was HTTP/1.1
	sweeper *time.Timer    // closes what was idle for too long; nil while nothing is idle
	check   *time.Timer    // looks after the waiters in a while
	doomed  []*conn        // to be closed once the lock is free
}

// A waiter is a call that waits for a connection.
type waiter struct {
	ready chan grant // takes one without blocking
	place *list.Element
	dial  *dial // begun for it, nil for none
	since time.Time
	ctx   context.Context //nolint:containedctx // the dial that is begun for it has its values
	url   *url.URL
}

// waiterAt returns the waiter at a place of the queue, which holds nothing else.
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
	owner   *waiter // for whom it was begun, nil when that one waits no longer
	target  *url.URL
	started time.Time
	cancel  context.CancelFunc
	guard   *guardedConn // set by the dialler
	http2   bool         // set when the handshake has said so
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

// leave ends the wait of a caller whose context has ended. A connection that it
// was granted meanwhile goes to another.
func (p *pool) leave(w *waiter) {
	p.mu.Lock()
	defer p.unlock()
	if w.place != nil {
		p.remove(w)
		p.serve() // for those behind it
		return
	}
	switch g := <-w.ready; {
	case g.conn == nil:
		return
	case g.conn.shared:
		g.conn.starting.Add(-1)
	default:
		g.conn.client.Release()
		p.shelve(g.conn)
	}
	p.serve()
}

// remove takes a waiter off the queue. Its dial goes on for a while, for others.
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

// lease returns a connection that is free, nil when there is none.
func (p *pool) lease() *conn {
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		// The wall clock counts: a machine that was suspended has none other.
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

// serve gives the connections that are free to those who wait, in their order,
// and begins dials for the rest. The caller holds the lock.
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

// beginDials begins as many dials as may run at a time. Until it is known that
// the server speaks HTTP/1.1 that is one, since an HTTP/2 connection serves many.
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
	p.checkIn(slowDial) // nobody waits for ever, whatever net/http leaves out to tell
}

// checkIn looks after the waiters in a while, in place of a check that was due:
// each is set from the state as it is.
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
	// Through a proxy by https there are two handshakes, and the last one counts.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, _ error) {
		d.http2 = state.NegotiatedProtocol == "h2"
	}})
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	d.cancel = cancel
	w.dial = d
	p.dials[d] = true
	go p.dial(ctx, d)
}

// dial establishes a connection. When that fails, the one for whom it was begun
// is told, and all who have waited as long as a slow one took: they would not
// fare better.
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
		p.shelve(c)
	}
	p.serve()
}

// plainHTTP2 reports whether connections without TLS speak HTTP/2, as net/http
// decides it.
func (p *pool) plainHTTP2() bool {
	protocols := p.inner.Protocols
	return protocols != nil && protocols.UnencryptedHTTP2() && !protocols.HTTP1()
}

// changed is called when a stream became free or the connection was closed,
// perhaps by a goroutine that holds the lock.
func (p *pool) changed(c *conn) {
	if p.waiting.Load() == 0 && !c.closing.Load() && c.client.Err() == nil {
		return
	}
	go func() {
		p.mu.Lock()
		defer p.unlock()
		if c.client.Err() != nil || c.shared && (c.retired || c.closing.Load()) && c.unused() {
			p.drop(c) // over HTTP/1.1 also when nobody closes the body of the response
		}
		p.serve()
	}()
}

// giveBack ends the lease of an HTTP/1.1 connection after a whole response.
func (p *pool) giveBack(c *conn) {
	p.mu.Lock()
	defer p.unlock()
	c.used.Store(true)
	p.shelve(c)
	p.serve()
}

// shelve puts an HTTP/1.1 connection on the idle list, or closes one that is not
// to be used again.
func (p *pool) shelve(c *conn) {
	if c.client.Available() == 0 || p.waiters.Len() == 0 && len(p.idle) >= p.maxIdle() {
		p.drop(c)
		return
	}
	c.lastUsed = time.Now()
	p.idle = append(p.idle, c)
	if p.sweeper == nil && p.inner.IdleConnTimeout > 0 {
		p.sweeper = time.AfterFunc(p.inner.IdleConnTimeout, p.sweep)
	}
}

func (p *pool) maxIdle() int {
	if n := p.inner.MaxIdleConnsPerHost; n != 0 {
		return n
	}
	return http.DefaultMaxIdleConnsPerHost
}

// sweep closes the connections that were idle for too long or were closed by
// the server.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.unlock()
	p.sweeper = nil
	kept := p.idle[:0]
	for _, c := range p.idle {
		if c.client.Err() != nil || time.Since(c.lastUsed) >= p.inner.IdleConnTimeout {
			p.drop(c)
			continue
		}
		kept = append(kept, c)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	if len(kept) > 0 {
		p.sweeper = time.AfterFunc(p.inner.IdleConnTimeout-time.Since(kept[0].lastUsed), p.sweep)
	}
}

// discard ends the lease of an HTTP/1.1 connection and closes it.
func (p *pool) discard(c *conn) {
	p.mu.Lock()
	defer p.unlock()
	p.drop(c)
	p.serve()
}

// drop closes a connection and forgets it.
func (p *pool) drop(c *conn) {
	if c.dropped {
		return
	}
	c.dropped = true
	if c.shared {
		if i := slices.Index(p.shared, c); i >= 0 {
			p.shared = slices.Delete(p.shared, i, i+1)
		}
	} else {
		p.alone--
	}
	p.doomed = append(p.doomed, c)
}

// unlock frees the lock and then closes what was dropped: over TLS that writes,
// which may take its time.
func (p *pool) unlock() {
	doomed := p.doomed
	p.doomed = nil
	p.mu.Unlock()
	for _, c := range doomed {
		_ = c.client.Close() // it never fails
	}
}

// closeIdle closes the connections that carry no request, those that do once
// they do not, and ends the dials that nobody waits for.
func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.unlock()
	for _, c := range p.idle {
		p.drop(c)
	}
	clear(p.idle)
	p.idle = p.idle[:0]
	if p.sweeper != nil {
		p.sweeper.Stop()
		p.sweeper = nil
	}
	for _, c := range slices.Clone(p.shared) {
		c.closing.Store(true)
		if c.unused() {
			p.drop(c)
		}
	}
	for d := range p.dials {
		if d.owner == nil {
			d.cancel()
		}
	}
}
