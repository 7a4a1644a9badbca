package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

func TestTransport_ReusesConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secure, http2 bool
		handler       http.HandlerFunc
		configure     func(*http.Transport)
		conns         int
	}{
		"HTTP/1.1":                              {false, false, echo, nil, 1},
		"HTTP/1.1 over TLS":                     {true, false, echo, nil, 1},
		"HTTP/2":                                {true, true, echo, nil, 1},
		"without a body":                        {false, false, func(http.ResponseWriter, *http.Request) {}, nil, 1},
		"after a 404":                           {false, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, nil, 1},
		"after a 500":                           {false, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil, 3},
		"after a 408":                           {false, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestTimeout) }, nil, 3},
		"after a 500, HTTP/2":                   {true, true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil, 1},
		"keep-alives off":                       {false, false, echo, func(inner *http.Transport) { inner.DisableKeepAlives = true }, 3},
		"no idle connection":                    {false, false, echo, func(inner *http.Transport) { inner.MaxIdleConnsPerHost = -1 }, 3},
		"net/http's number of idle connections": {false, false, echo, func(inner *http.Transport) { inner.MaxIdleConnsPerHost = 0 }, 1},
		"the server says close": {false, false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			echo(w, r)
		}, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			configure := c.configure
			if configure == nil {
				configure = func(*http.Transport) {}
			}
			address, carrier, conns := serve(t, c.secure, c.http2, c.handler, configure)
			for range 3 {
				_, _, err := send(carrier, post(t, address, "body"))
				require.NoError(t, err)
			}
			assert.Equal(t, c.conns, conns.count())
		})
	}
}

func TestTransport_BodyIsClosedEarly(t *testing.T) {
	t.Parallel()
	address, carrier, conns := serve(t, false, false, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	for range 2 {
		response, err := carrier.RoundTrip(post(t, address, "body"))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.NoError(t, response.Body.Close(), "a second Close succeeds")
	}
	assert.Equal(t, 2, conns.count(), "the rest of a body is not taken for another response")
}

func TestTransport_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	carrier := transport.New()
	for name, target := range map[string]*url.URL{
		"no URL":         nil,
		"no host":        {Scheme: "https"},
		"another scheme": {Scheme: "ftp", Host: "api.example"},
	} {
		closed := &closeNoter{Reader: strings.NewReader("body")}
		request := post(t, "https://api.example", "")
		request.URL, request.Body = target, closed
		_, err := carrier.RoundTrip(request)
		require.Error(t, err, name)
		assert.True(t, closed.closed, "%s: the body must be closed", name)
	}
}

type closeNoter struct {
	io.Reader
	closed bool
}

func (c *closeNoter) Close() error { c.closed = true; return nil }

func TestTransport_ReportsSentRequests(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	refuse := func(inner *http.Transport) {
		inner.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		ctx           context.Context //nolint:containedctx // a row of a table
		secure, http2 bool
		handler       http.HandlerFunc
		configure     func(*http.Transport)
		sent          bool
		fails         bool
	}{
		"a response":             {t.Context(), false, false, echo, nil, true, false},
		"a response over HTTP/2": {t.Context(), true, true, echo, nil, true, false},
		"no connection":          {t.Context(), false, false, echo, refuse, false, true},
		"cancelled before":       {cancelled, false, false, echo, nil, false, true},
		"closed after it":        {t.Context(), false, false, reset, nil, true, true},
		"reset over HTTP/2":      {t.Context(), true, true, reset, nil, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			configure := c.configure
			if configure == nil {
				configure = func(*http.Transport) {}
			}
			address, carrier, _ := serve(t, c.secure, c.http2, c.handler, configure)
			var report transport.Report
			require.False(t, report.Sent(), "no transport has received the request")
			_, _, err := send(carrier, postIn(transport.WithReport(c.ctx, &report), t, address, "body"))
			assert.Equal(t, c.fails, err != nil, "%v", err)
			assert.Equal(t, c.sent, report.Sent())
			var notSent *transport.NotSentError
			assert.Equal(t, c.fails && !c.sent, errors.As(err, &notSent))
		})
	}
}

// TestTransport_RepeatsUnwrittenRequest has the server close an idle connection,
// which net/http does not notice: the connection's first write fails.
func TestTransport_RepeatsUnwrittenRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		repeatable bool
		dials      int
		written    bool
	}{
		"its body can be read again": {true, 2, false},
		"its body cannot be":         {false, 1, false},
		"a byte was written":         {true, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dead atomic.Bool
			var dials atomic.Int64
			address, carrier, _ := serve(t, false, false, echo, func(inner *http.Transport) {
				dial := inner.DialContext
				inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					if dials.Add(1) == 1 {
						conn = &dyingConn{Conn: conn, dead: &dead, wrote: c.written}
					}
					return conn, err
				}
			})
			_, _, err := send(carrier, post(t, address, "first"))
			require.NoError(t, err)
			dead.Store(true)
			request := post(t, address, "second")
			if !c.repeatable {
				request.GetBody = nil
			}
			var report transport.Report
			_, body, err := send(carrier, request.WithContext(transport.WithReport(request.Context(), &report)))
			sent := report.Sent()
			if c.written || !c.repeatable {
				require.Error(t, err)
				assert.True(t, sent, "the write may have succeeded")
			} else if err == nil {
				assert.Equal(t, "second", body)
			}
			assert.LessOrEqual(t, dials.Load(), int64(2))
		})
	}
}

// A dyingConn fails to write once it is dead.
type dyingConn struct {
	net.Conn
	dead  *atomic.Bool
	wrote bool
}

func (c *dyingConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		_ = c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p) //nolint:wrapcheck // a connection's own error
}

func TestTransport_ProxyFunctionReceivesWholeURL(t *testing.T) {
	t.Parallel()
	var seen []string
	carrier := transport.New(func(inner *http.Transport) {
		inner.Proxy = func(r *http.Request) (*url.URL, error) {
			seen = append(seen, r.URL.String())
			return nil, errors.New("asked")
		}
	})
	for _, address := range []string{"https://api.example:8443/v1/score", "http://[::1]/v1/score"} {
		_, _, err := send(carrier, post(t, address, "body"))
		require.ErrorContains(t, err, "asked")
	}
	assert.Equal(t, []string{"https://api.example:8443/v1/score", "http://[::1]/v1/score"}, seen)
}

func TestTransport_CallsTraceHooks(t *testing.T) {
	t.Parallel()
	address, carrier, _ := serve(t, false, false, echo)
	var asked, reused []any
	trace := &httptrace.ClientTrace{
		GetConn: func(hostPort string) { asked = append(asked, "http://"+hostPort) },
		GotConn: func(info httptrace.GotConnInfo) { reused = append(reused, info.Reused) },
	}
	for range 2 {
		_, _, err := send(carrier, postIn(httptrace.WithClientTrace(t.Context(), trace), t, address, "body"))
		require.NoError(t, err)
	}
	assert.Equal(t, []any{address, address}, asked)
	assert.Equal(t, []any{false, true}, reused)
}

func TestTransport_ClosesIdleConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open sync.WaitGroup
		var dials int
		carrier := transport.New(func(inner *http.Transport) {
			inner.Proxy = nil
			inner.DialContext = func(context.Context, string, string) (net.Conn, error) {
				dials++
				here, there := net.Pipe()
				open.Go(func() { respondToAll(there) })
				return here, nil
			}
		})
		for _, idle := range []time.Duration{0, 44 * time.Second, 46 * time.Second} {
			<-time.After(idle)
			_, body, err := send(carrier, post(t, "http://api.example", "body"))
			require.NoError(t, err)
			assert.Equal(t, "ok", body)
		}
		assert.Equal(t, 2, dials)
		<-time.After(46 * time.Second)
		open.Wait() // all are closed, although no body was
	})
}

// respondToAll responds to each request of a connection with "ok".
func respondToAll(conn net.Conn) {
	defer func() { _ = conn.Close() }() // the other end notices
	buffer := make([]byte, 4096)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

func TestTransport_CompletesDialForLaterCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		idle  bool // CloseIdleConnections is called in the meantime
		dials int
	}{
		"the dial takes longer than the call waits": {3 * time.Second, false, 1},
		"the dial never ends":                       {time.Hour, false, 2},
		"the client is closed":                      {3 * time.Second, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var dials atomic.Int64
				carrier := transport.New(func(inner *http.Transport) {
					inner.Proxy = nil
					inner.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
						if dials.Add(1) == 1 {
							timer := time.NewTimer(c.takes)
							defer timer.Stop()
							select {
							case <-timer.C:
							case <-ctx.Done():
								return nil, ctx.Err()
							}
						}
						here, there := net.Pipe()
						go respondToAll(there)
						return here, nil
					}
				})
				defer carrier.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, _, err := send(carrier, postIn(ctx, t, "http://api.example", "body"))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				if c.idle {
					carrier.CloseIdleConnections()
				}
				<-time.After(5 * time.Second)
				_, _, err = send(carrier, post(t, "http://api.example", "body"))
				require.NoError(t, err)
				assert.Equal(t, int64(c.dials), dials.Load())
			})
		})
	}
}

func TestTransport_DialsBesideSlowDial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		carrier := transport.New(func(inner *http.Transport) {
			inner.Proxy = nil
			inner.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				if dials.Add(1) == 1 { // an unreachable address
					<-ctx.Done()
					return nil, ctx.Err()
				}
				here, there := net.Pipe()
				go respondToAll(there)
				return here, nil
			}
		})
		defer carrier.CloseIdleConnections()
		started := time.Now()
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				_, _, err := send(carrier, postIn(ctx, t, "http://api.example", "body"))
				assert.NoError(t, err)
			})
		}
		calls.Wait()
		assert.Less(t, time.Since(started), time.Second, "all use another connection")
	})
}

func TestTransport_DialFailureReachesWaiters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		most  time.Duration // the longest wait of 100 callers
	}{
		"fails at once":       {0, 0},
		"fails after a while": {5 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				carrier := transport.New(func(inner *http.Transport) {
					inner.Proxy = nil
					inner.DialContext = func(context.Context, string, string) (net.Conn, error) {
						<-time.After(c.takes)
						return nil, errors.New("no route")
					}
				})
				started := time.Now()
				var calls sync.WaitGroup
				for range 100 {
					calls.Go(func() {
						_, _, err := send(carrier, post(t, "http://api.example", "body"))
						assert.ErrorContains(t, err, "no route")
						assert.LessOrEqual(t, time.Since(started), c.most)
					})
				}
				calls.Wait()
			})
		})
	}
}

func TestTransport_HonoursConnectionLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int64
		carrier := transport.New(func(inner *http.Transport) {
			inner.Proxy = nil
			inner.MaxConnsPerHost = 3
			inner.DialContext = func(context.Context, string, string) (net.Conn, error) {
				most.Store(max(most.Load(), underWay.Add(1)))
				here, there := net.Pipe()
				go func() { respondToAll(there); underWay.Add(-1) }()
				return here, nil
			}
		})
		defer carrier.CloseIdleConnections()
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				_, _, err := send(carrier, post(t, "http://api.example", "body"))
				assert.NoError(t, err)
			})
		}
		calls.Wait()
		assert.LessOrEqual(t, most.Load(), int64(3))
	})
}

func TestTransport_KeepsGrantedConnectionOfCancelledCall(t *testing.T) {
	t.Parallel()
	address, carrier, conns := serve(t, true, true, echo)
	var calls sync.WaitGroup
	for i := range 400 {
		calls.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				go cancel()
			}
			defer cancel()
			_, _, _ = send(carrier, postIn(ctx, t, address, "body"))
		})
	}
	calls.Wait()
	for range 300 { // more than the streams of a connection, if any were lost
		_, _, err := send(carrier, post(t, address, "body"))
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, conns.count(), 8)
}

func TestTransport_BodiesAreNotClosed(t *testing.T) {
	t.Parallel()
	address, carrier, _ := serve(t, false, false, echo, func(inner *http.Transport) { inner.MaxConnsPerHost = 2 })
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := carrier.RoundTrip(postIn(ctx, t, address, "body"))
		require.NoError(t, err)
		cancel()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, body, err := send(carrier, postIn(ctx, t, address, "body"))
	require.NoError(t, err)
	assert.Equal(t, "body", body)
}

func TestTransport_KeepsConnectionAfterInvalidRequest(t *testing.T) {
	t.Parallel()
	address, carrier, conns := serve(t, false, false, echo)
	_, _, err := send(carrier, post(t, address, "body"))
	require.NoError(t, err)
	request := post(t, address, "body")
	closed := &closeNoter{Reader: strings.NewReader("body")}
	request.Body = closed
	request.Header.Set("X-Broken", "two\nlines")
	_, _, err = send(carrier, request)
	var notSent *transport.NotSentError
	require.ErrorAs(t, err, &notSent)
	assert.True(t, closed.closed)
	_, _, err = send(carrier, post(t, address, "body"))
	require.NoError(t, err)
	assert.Equal(t, 1, conns.count())
}

func TestTransport_UsesCallersDialFunctions(t *testing.T) {
	t.Parallel()
	carrier := transport.New(func(inner *http.Transport) {
		inner.Proxy, inner.DialContext = nil, nil
		inner.Dial = func(string, string) (net.Conn, error) { return nil, errors.New("the caller's dialler") } //nolint:staticcheck // net/http still uses it
	})
	_, _, err := send(carrier, post(t, "http://api.example", "body"))
	require.ErrorContains(t, err, "the caller's dialler")
}
