package transport

import (
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxHeaderBytes bounds the size of a response's header, also of a proxy's.
	maxHeaderBytes = 64 << 10
	// maxIdle is how many idle connections are kept. There is one host, and the
	// default of 2 would cause a dial for each call under load.
	maxIdle = 512
	// idleTimeout is below the 60 s after which load balancers usually close an
	// idle connection, so that they do not close it during a request.
	idleTimeout = 45 * time.Second
	// The bounds of the wait before a refused HTTP/2 stream is requested again.
	minRefusedWait, maxRefusedWait = 100 * time.Millisecond, time.Second
)

// A Transport is an [http.RoundTripper] for requests that must not be sent twice.
// [New] returns it. It is safe for concurrent use.
type Transport struct {
	inner    *http.Transport
	maxConns int // to a host over HTTP/1.1, 0 for any number

	mu    sync.Mutex
	pools map[poolKey]*pool
}

type poolKey struct{ scheme, address string }

// New returns a transport. The functions change the settings of net/http's
// transport that dials for it. They are called once, in order, before New returns.
func New(configure ...func(*http.Transport)) *Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	inner := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkProxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: 5 * time.Second, // a silent connection is detected by a ping,
			PingTimeout:     5 * time.Second, // and discarded before the attempt ends
		},
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // responses are small, and a decompression bomb is not
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
	}
	for _, change := range configure {
		change(inner)
	}
	guardConnections(inner)
	t := &Transport{inner: inner, maxConns: inner.MaxConnsPerHost, pools: map[poolKey]*pool{}}
	inner.MaxConnsPerHost = 0 // net/http does not count a ClientConn when it is made, and panics when one is closed
	return t
}

// guardConnections puts a guard around each connection that is dialled. It also
// passes the URL of the request to the proxy function, which receives only the
// host from net/http's ClientConn.
func guardConnections(inner *http.Transport) {
	dialContext, chunks := inner.DialContext, newSendChunks()
	if old := inner.Dial; dialContext == nil && old != nil { //nolint:staticcheck // net/http still uses it
		dialContext = func(_ context.Context, network, address string) (net.Conn, error) { return old(network, address) }
	}
	if dialContext == nil {
		dialContext = (&net.Dialer{}).DialContext
	}
	inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return guarded(ctx, conn, chunks), nil
	}
	if secure := inner.DialTLSContext; secure != nil {
		inner.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := secure(ctx, network, address)
			if _, standard := conn.(*tls.Conn); err != nil || standard { // net/http must see it to speak HTTP/2
				return conn, err
			}
			return guarded(ctx, conn, chunks), nil
		}
	}
	if proxy := inner.Proxy; proxy != nil {
		inner.Proxy = func(request *http.Request) (*url.URL, error) {
			if d, ok := request.Context().Value(dialKey{}).(*dial); ok {
				request = request.WithContext(request.Context())
				request.URL = d.target
			}
			return proxy(request)
		}
	}
}

func guarded(ctx context.Context, conn net.Conn, chunks chan *sendChunk) *guardedConn {
	guard := &guardedConn{Conn: conn, chunks: chunks}
	if d, ok := ctx.Value(dialKey{}).(*dial); ok {
		d.guard = guard
	}
	return guard
}

// A Report records whether the requests whose context carries it were sent, see
// [WithReport].
type Report struct {
	underWay atomic.Int64
	sent     atomic.Bool
	entered  atomic.Bool
	headers  atomic.Int64
}

// Entered reports whether the transport received a request with this report at all.
func (r *Report) Entered() bool { return r.entered.Load() }

// Headers returns how many times the transport wrote the headers of such a request.
// A trace in the request's context that counted more saw another transport.
func (r *Report) Headers() int64 { return r.headers.Load() }

// Sent reports whether a byte of a request was written that the server may have
// read, or may still be written: a wrapper may return before the transport does.
func (r *Report) Sent() bool { return r.underWay.Load() > 0 || r.sent.Load() }

// A NotSentError is the failure of a request of which no byte was written, or
// which the server said that it did not read.
type NotSentError struct{ Err error }

// Error returns the text of the failure.
func (e *NotSentError) Error() string { return e.Err.Error() }

// Unwrap returns the failure.
func (e *NotSentError) Unwrap() error { return e.Err }

type reportKey struct{}

// WithReport returns a context for a request. The transport fills the report.
func WithReport(ctx context.Context, r *Report) context.Context {
	return context.WithValue(ctx, reportKey{}, r)
}

// CloseIdleConnections closes the connections that carry no request, and the
// others once they carry none. Connections that are being established without a
// waiter are not completed.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	pools := make([]*pool, 0, len(t.pools))
	for _, p := range t.pools {
		pools = append(pools, p)
	}
	t.mu.Unlock()
	for _, p := range pools {
		p.closeIdle()
	}
}

// pool returns the connections to the host of a URL.
func (t *Transport) pool(target *url.URL) (*pool, error) {
	if target == nil || target.Host == "" {
		return nil, errNoHost
	}
	port := target.Port()
	switch {
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, errScheme
	case port == "" && target.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	key := poolKey{target.Scheme, net.JoinHostPort(target.Hostname(), port)}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pools[key]
	if p == nil {
		p = newPool(t, key)
		t.pools[key] = p
	}
	return p, nil
}

// RoundTrip implements [http.RoundTripper]. It repeats a request only if the
// server has provably not read it, and only if its GetBody returns the body again.
// It repeats at once when the connection was closed before, and after a wait when
// an HTTP/2 server refused the stream, until the context ends.
//
// The error is a [*NotSentError] if no byte was written.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	report, ok := request.Context().Value(reportKey{}).(*Report)
	if !ok {
		report = new(Report)
	}
	report.entered.Store(true)
	report.underWay.Add(1)
	defer report.underWay.Add(-1)
	var own Report
	response, err := t.roundTrip(request, &own)
	switch {
	case own.sent.Load():
		report.sent.Store(true)
	case err != nil:
		err = &NotSentError{err}
	}
	return response, err
}

func (t *Transport) roundTrip(request *http.Request, report *Report) (*http.Response, error) {
	p, err := t.pool(request.URL)
	if err != nil {
		closeBody(request)
		return nil, err
	}
	body := request.Body
	for tries := 1; ; tries++ {
		response, failure, err := p.exchange(withoutRepeats(request, body), report)
		if err == nil {
			response.Request = request
			return response, nil
		}
		switch {
		case failure == final, failure == closed && tries == maxTries, request.GetBody == nil:
			return nil, err
		case (failure == refused || failure == closed && tries > atOnce) && !sleep(request.Context(), minRefusedWait+rand.N(maxRefusedWait-minRefusedWait)): //nolint:gosec // it spreads callers, and need not be secret
			return nil, err
		}
		if body, err = request.GetBody(); err != nil {
			return nil, err
		}
	}
}

// atOnce is how often a request that met a closed connection is repeated without a
// wait. A server that is shutting down closes each new one.
const atOnce = 8

// maxTries bounds how often a request meets a connection that was closed before
// it: each idle one is met once at most.
const maxTries = 2 * maxIdle

// withoutRepeats returns a copy of the request that net/http cannot repeat.
func withoutRepeats(request *http.Request, body io.ReadCloser) *http.Request {
	inner := request.WithContext(request.Context())
	inner.Body, inner.GetBody = body, nil
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, set := inner.Header[name]; set {
			inner.Header = inner.Header.Clone()
			inner.Header.Del(name)
		}
	}
	return inner
}

// A failure is what follows from a failed exchange.
type failure int

const (
	final   failure = iota // the request may have been read, or another exchange would not help
	closed                 // the connection was closed before a byte was written
	refused                // an HTTP/2 server refused the stream unread
)

// exchange sends the request once, on a connection from the pool.
func (p *pool) exchange(request *http.Request, report *Report) (*http.Response, failure, error) {
	trace := httptrace.ContextClientTrace(request.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(p.key.address)
	}
	c, err := p.acquire(request.Context(), request.URL)
	if err != nil {
		closeBody(request)
		return nil, final, err
	}
	if trace != nil && trace.GotConn != nil {
		info := httptrace.GotConnInfo{Reused: c.used.Load()}
		if c.guard != nil {
			info.Conn = c.guard
		}
		trace.GotConn(info)
	}
	if c.shared {
		return c.exchangeShared(request, report)
	}
	return c.exchangeAlone(request, report)
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		_ = request.Body.Close() // nothing was read from it
	}
}

// sleep reports whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
