package transport

import (
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// A conn is a connection of a pool. The pool's lock guards the fields below it.
type conn struct {
	pool   *pool
	client *http.ClientConn
	guard  *guardedConn // nil if a caller's DialTLSContext made the connection
	shared bool         // HTTP/2: it carries several requests at a time
	made   time.Time
	used   atomic.Bool // it has carried a request already

	lastUsed time.Time    // HTTP/1.1
	limit    int          // HTTP/2: how many streams the server allows, 0 if unknown
	starting atomic.Int64 // HTTP/2: leased streams that net/http does not count yet
	dropped  bool         // it is closed, and no longer in the pool
	retired  bool         // HTTP/2: it takes no more requests
	closing  atomic.Bool  // HTTP/2: it is closed when it carries no request
}

// initialStreams is how many streams net/http assumes that an HTTP/2 server
// allows, until its settings arrive.
const initialStreams = 100

// settleTime is how long a new HTTP/2 connection may have net/http's initial
// number of streams before that is taken for the server's own. A server sends its
// settings first.
const settleTime = 100 * time.Millisecond

// A streamCount is net/http's count of the streams of an HTTP/2 connection.
type streamCount interface {
	InFlight() int
	Available() int
}

// streams returns how many streams a connection carries and how many more it
// takes. The two are read one after the other: exact reports that no stream began
// or ended in between, so that they may be compared. The caller holds the pool's
// lock. Without a leased stream that has yet to start, streams only end.
func streams(from streamCount, starting int) (inFlight, available int, exact bool) {
	inFlight = from.InFlight()
	for {
		available = from.Available()
		again := from.InFlight()
		if again >= inFlight {
			return inFlight, available, starting == 0
		}
		inFlight = again
	}
}

// settled reports whether the server's settings have arrived. Until then a
// connection carries one request: net/http never sends the requests that it has
// accepted beyond the number that the server then sets.
func (c *conn) settled() bool {
	inFlight, available, exact := streams(c.client, int(c.starting.Load()))
	return c.settledWith(inFlight, available, exact)
}

func (c *conn) settledWith(inFlight, available int, exact bool) bool {
	return exact && available+inFlight != initialStreams || c.used.Load() || time.Since(c.made) >= settleTime
}

// leaseStream acquires a stream of an HTTP/2 connection. It returns false when
// there is none at the moment. It retires a connection that the server has begun
// to close. The caller holds the pool's lock.
//
// Streams are counted here and not by ClientConn.Reserve: when the server lowers
// its limit below the number of reservations, net/http waits for ever, as each
// reservation blocks the others.
func (c *conn) leaseStream() bool {
	if c.retired {
		return false
	}
	starting := int(c.starting.Load())
	inFlight, available, exact := streams(c.client, starting)
	settled := c.settledWith(inFlight, available, exact)
	switch {
	case c.client.Err() != nil, exact && available == 0 && (inFlight < c.limit || inFlight == 0):
		c.retired = true
		return false
	case available <= starting, !settled && inFlight+starting > 0:
		return false
	case settled && exact:
		c.limit = available + inFlight
	}
	c.starting.Add(1)
	c.closing.Store(false)
	return true
}

// endStart ends the time in which net/http does not count a leased stream.
func (c *conn) endStart() {
	c.starting.Add(-1)
	c.pool.changed(c)
}

// unused reports whether an HTTP/2 connection carries no request.
func (c *conn) unused() bool { return c.starting.Load() == 0 && c.client.InFlight() == 0 }

// exchangeShared sends a request on a leased HTTP/2 stream.
func (c *conn) exchangeShared(request *http.Request, report *Report) (*http.Response, failure, error) {
	var wrote atomic.Bool
	started := sync.OnceFunc(c.endStart)
	trace := &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true); report.headers.Add(1); started() }}
	response, err := c.client.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	started()
	if err == nil {
		c.used.Store(true) // the server's settings arrived before the response
		report.sent.Store(true)
		return response, final, nil
	}
	switch {
	case isRefusedStream(err):
		return nil, refused, err
	case isUnprocessed(err):
		return nil, closed, err
	case wrote.Load(), request.Context().Err() != nil: // the headers may still be in progress
		report.sent.Store(true)
	}
	return nil, final, err
}

// exchangeAlone sends a request on a leased HTTP/1.1 connection.
func (c *conn) exchangeAlone(request *http.Request, report *Report) (*http.Response, failure, error) {
	var early atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { report.headers.Add(1) }}
	if c.guard != nil {
		c.guard.begin()
		// At this time net/http has read no further than the first byte.
		trace.GotFirstResponseByte = func() { early.Store(early.Load() || !c.guard.hasRead()) }
	}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	response, err := c.client.RoundTrip(request)
	// net/http has stopped writing only after an error.
	wrote := err == nil || c.guard == nil || c.guard.hasWritten()
	if wrote {
		report.sent.Store(true)
	}
	switch {
	case err == nil && early.Load():
		err = errEarly
	case err == nil && response.StatusCode == http.StatusSwitchingProtocols: // its body is the connection, and does not end with the context
		err = errSwitched
	}
	if err != nil && !wrote && c.client.Err() == nil && request.Context().Err() == nil {
		closeBody(request)
		c.pool.release(c) // the request is invalid, for example a header
		return nil, final, err
	}
	if err != nil {
		c.pool.discard(c)
		if !wrote && c.used.Load() && request.Context().Err() == nil {
			return nil, closed, err
		}
		return nil, final, err
	}
	response.Body = &leasedBody{ReadCloser: response.Body, conn: c, reuse: c.guard != nil && reusable(response.StatusCode)}
	return response, final, nil
}
