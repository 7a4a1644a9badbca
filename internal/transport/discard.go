package transport

// This file holds the end of a connection's use: it is released for another request, or
// discarded. After a failed exchange or an early response conn.go calls discard.

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// reusable reports whether an HTTP/1.1 connection may carry another request after
// a response with this status. A gateway that stopped waiting for the API may
// forward the API's own response when it arrives. The next call on the connection
// would take it for its own response: the score of another user.
func reusable(status int) bool {
	return status < 500 && status != http.StatusRequestTimeout
}

// A leasedBody is the body of a response over HTTP/1.1. Its end releases the
// connection.
type leasedBody struct {
	io.ReadCloser
	conn  *conn
	reuse bool
	once  sync.Once
}

// Read implements [io.Reader].
func (b *leasedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close implements [io.Closer].
func (b *leasedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end(true) // net/http closes the connection if the body was not read to its end
	return err
}

func (b *leasedBody) end(whole bool) {
	b.once.Do(func() {
		if whole && b.reuse {
			b.conn.pool.release(b.conn)
			return
		}
		b.conn.pool.discard(b.conn)
	})
}

// changed is called when a stream became free or the connection was closed,
// possibly by a goroutine that holds the lock.
func (p *pool) changed(c *conn) {
	if p.waiting.Load() == 0 && !c.closing.Load() && c.client.Err() == nil {
		return
	}
	go func() {
		p.mu.Lock()
		defer p.unlock()
		if c.client.Err() != nil || c.shared && (c.retired || c.closing.Load()) && c.unused() {
			p.drop(c) // over HTTP/1.1 also if the body of the response is never closed
		}
		p.serve()
	}()
}

// release releases an HTTP/1.1 connection after a whole response.
func (p *pool) release(c *conn) {
	p.mu.Lock()
	defer p.unlock()
	c.used.Store(true)
	p.putIdle(c)
	p.serve()
}

// putIdle puts an HTTP/1.1 connection on the idle list, or closes it if it must not
// be reused.
func (p *pool) putIdle(c *conn) {
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

// sweep closes the connections that were idle for too long or were closed by the
// server.
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

// drop closes a connection and removes it from the pool.
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
	p.toClose = append(p.toClose, c)
}

// unlock releases the lock and then closes the dropped connections: over TLS
// closing writes, which may block.
func (p *pool) unlock() {
	toClose := p.toClose
	p.toClose = nil
	p.mu.Unlock()
	for _, c := range toClose {
		_ = c.client.Close() // it never fails
	}
}

// closeIdle closes the connections that carry no request, and the others once they
// carry none. It ends the dials without a waiter.
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
