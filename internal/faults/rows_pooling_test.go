package faults_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// fewStreams makes many calls to an HTTP/2 server that allows few streams.
func fewStreams() []cell {
	some := calls.Where(func(c calls.Call) bool {
		return c.Path == aimbrain.EndpointFaceEnroll || c.Path == aimbrain.EndpointScore
	})
	var cells []cell
	for _, warm := range []bool{false, true} {
		name := map[bool]string{false: "cold", true: "warm"}[warm]
		cells = append(cells, each("4 streams, "+name, "virtual HTTP/2", crowded(4, warm))...)
		for _, streams := range []int{1, 32, 64, 100} {
			cells = append(cells, these(some, strconv.Itoa(streams)+" streams, "+name, "virtual HTTP/2", crowded(streams, warm))...)
		}
	}
	cells = append(cells, each("limit lowered before the requests are written", "virtual HTTP/2", loweredLimit)...)
	return append(cells, each("refused until the attempt ends", "virtual HTTP/2", refusedForGood)...)
}

func crowded(streams int, warm bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			const callers, work = 300, 20 * time.Millisecond
			server, err := l.authority.Serve(faults.Setup{Protocol: faults.HTTP2, Virtual: true, Streams: streams}, func(x *faults.Exchange) {
				x.Wait(work)
				x.Good()
			})
			require.NoError(t, err)
			defer server.Close()
			client, err := server.NewClient(patient())
			require.NoError(t, err)
			defer client.Close()
			if warm {
				_, err := c.call.Do(t.Context(), client, callers)
				require.NoError(t, err)
			}
			before, started := server.Executed(), time.Now()
			inParallel(callers, func(n int) {
				result, err := c.call.Do(t.Context(), client, n)
				if assert.NoError(t, err) {
					assert.NoError(t, c.call.Check(n, result))
				}
			})
			assert.Equal(t, callers, server.Executed()-before, "executions")
			assert.Equal(t, callers, server.Received()-before, "requests")
			assert.LessOrEqual(t, server.Conns(), 8, "connections")
			assert.LessOrEqual(t, time.Since(started), max(2*callers*work/time.Duration(streams), 5*work), "time")
		})
	}
}

// loweredLimit makes ten calls that hold a stream each, of which nothing is
// written, when the server lowers its limit to one stream.
func loweredLimit(t *testing.T, l *lab, c cell) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := l.authority.ServeFrames(c.call.Path, true, func(s *faults.Stream) {
			if s.Number == 2 {
				s.MaxStreams(1)
			}
			s.Good()
		})
		require.NoError(t, err)
		defer server.Close()
		var held atomic.Bool
		gate := make(chan struct{})
		own := server.Transport()
		holding := roundTripper(func(r *http.Request) (*http.Response, error) {
			if held.Load() {
				r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { <-gate }}))
			}
			return own.RoundTrip(r)
		})
		client, err := through(holding, server.URL)()
		require.NoError(t, err)
		free, err := through(own, server.URL)()
		require.NoError(t, err)
		_, err = c.call.Do(t.Context(), free, 0)
		require.NoError(t, err)
		held.Store(true)
		started := time.Now()
		var all sync.WaitGroup
		for n := range 10 {
			all.Go(func() {
				result, err := c.call.Do(t.Context(), client, n)
				if assert.NoError(t, err) {
					assert.NoError(t, c.call.Check(n, result))
				}
			})
		}
		synctest.Wait()
		_, err = c.call.Do(t.Context(), free, 11) // the server lowers its limit
		require.NoError(t, err)
		close(gate)
		all.Wait()
		assert.Equal(t, 12, server.Executed())
		assert.LessOrEqual(t, time.Since(started), time.Second, "no reservation blocks another")
	})
}

// refusedForGood has a server that refuses every stream: a refusal uses up neither
// attempts nor the retry budget, and nothing was sent.
func refusedForGood(t *testing.T, l *lab, c cell) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var streams atomic.Int64
		server, err := l.authority.ServeFrames(c.call.Path, true, func(s *faults.Stream) {
			streams.Add(1)
			s.Reset(faults.CodeRefusedStream)
		})
		require.NoError(t, err)
		defer server.Close()
		policy := aimbrain.DefaultRetryPolicy()
		policy.MaxAttempts = 1
		s := open(t, c, server.NewClient, patient(), aimbrain.WithRetry(policy))
		defer s.client.Close()
		s.do(t.Context())
		require.Error(t, s.err)
		assert.ErrorIs(t, s.err, aimbrain.ErrAttemptTimeout)
		assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(s.err))
		assert.Len(t, s.attempts, 1)
		assert.Equal(t, aimbrain.DefaultAttemptTimeout, s.elapsed)
		assert.GreaterOrEqual(t, streams.Load(), int64(15), "one a second at least")
		assert.LessOrEqual(t, streams.Load(), int64(150), "ten a second at most")
		assert.Zero(t, server.Executed())
	})
}

// manyFirstCalls makes a thousand concurrent calls without an existing connection.
func manyFirstCalls() []cell {
	return both(each, "virtual", func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			const callers = 1000
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, (*faults.Exchange).Good)
			require.NoError(t, err)
			defer server.Close()
			var underWay, most, made atomic.Int64
			ended := func() { underWay.Add(-1) }
			transport := server.Transport(func(inner *http.Transport) {
				dial := inner.DialContext
				inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					made.Add(1)
					now := underWay.Add(1)
					for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
					}
					<-time.After(10 * time.Millisecond)
					if c.protocol == faults.HTTP1 {
						defer ended()
					}
					return dial(ctx, network, address)
				}
				inner.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { ended(); return nil }
			})
			client, err := server.NewClient(aimbrain.WithTransport(transport), patient())
			require.NoError(t, err)
			defer client.Close()
			inParallel(callers, func(n int) {
				result, err := c.call.Do(t.Context(), client, n)
				if assert.NoError(t, err) {
					assert.NoError(t, c.call.Check(n, result))
				}
			})
			assert.Equal(t, callers, server.Executed())
			assert.LessOrEqual(t, most.Load(), int64(8), "handshakes under way")
			if c.protocol == faults.HTTP2 {
				assert.Equal(t, int64(1), made.Load(), "one connection serves all")
			}
		})
	})
}

// splitStray sends the first bytes of an unsolicited response with the response
// before it, and the rest after the next request.
func splitStray() []cell {
	auth := calls.Where(func(c calls.Call) bool { return len(c.ScoreNames()) > 0 })
	var cells []cell
	for name, cut := range map[string]int{"in the status line": 10, "in a field": 30} {
		cells = append(cells, these(auth, name, "TCP", strayed(false, cut))...)
		cells = append(cells, these(auth, name, "TLS", strayed(true, cut))...)
	}
	return cells
}

func strayed(secure bool, cut int) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		var meetings atomic.Int64
		listener, err := faults.Listen(func(conn net.Conn) {
			if secure {
				conn = tls.Server(conn, l.authority.Config("http/1.1"))
			}
			serveStray(conn, c.call.Path, cut, &meetings)
		})
		require.NoError(t, err)
		defer listener.Close()
		scheme := map[bool]string{false: "http://", true: "https://"}[secure]
		transport := l.authority.Transport(nil)
		defer transport.CloseIdleConnections()
		client, err := through(transport, scheme+listener.Addr)(quick()...)
		require.NoError(t, err)
		defer client.Close()
		inParallel(crowd, func(n int) {
			for i := range 12 {
				user := n*100 + i
				result, err := c.call.Do(t.Context(), client, user)
				if err == nil {
					assert.NoError(t, c.call.Check(user, result))
					continue
				}
				assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "%v", err)
			}
		})
		t.Logf("%d requests met a stray response", meetings.Load())
	}
}

// serveStray sends a valid response to each request, followed by the beginning of
// another user's response, whose rest follows the next request.
func serveStray(conn net.Conn, endpoint string, cut int, meetings *atomic.Int64) {
	reader := faults.NewRequestReader(conn)
	stray := calls.To(endpoint).Response(999_999)
	stray = raw200("Content-Length: "+strconv.Itoa(len(stray))+"\r\n") + stray
	for first := true; ; first = false {
		body, err := reader.Next()
		if err != nil {
			return
		}
		own := calls.To(endpoint).Response(calls.UserOf(body))
		own = raw200("Content-Length: "+strconv.Itoa(len(own))+"\r\n") + own
		if first {
			_, _ = io.WriteString(conn, own+stray[:cut])
			continue
		}
		meetings.Add(1)
		_, _ = io.WriteString(conn, stray[cut:]+own)
	}
}

// rebuiltRequest has a wrapper that makes a new request from each request, like
// logging and recording wrappers: net/http can then read the body again.
func rebuiltRequest() []cell {
	rebuild := func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			rebuilt, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
			if err != nil {
				return nil, err
			}
			rebuilt.Header = r.Header.Clone()
			rebuilt.Header.Set("Idempotency-Key", "a wrapper's")
			return own.RoundTrip(rebuilt)
		}
	}
	executedThen := func(code uint32) run {
		return func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.ServeFrames(c.call.Path, false, func(s *faults.Stream) {
				s.Execute()
				s.Reset(code)
			})
			require.NoError(t, err)
			defer server.Close()
			transport := l.authority.Transport(nil)
			defer transport.CloseIdleConnections()
			s := open(t, c, through(rebuild(transport), server.URL), quick()...)
			defer s.client.Close()
			s.do(t.Context())
			s.verify(t, unknown, server.Ledger)
		}
	}
	return join(
		each("PROTOCOL_ERROR", faults.HTTP2, executedThen(faults.CodeProtocol)),
		each("INTERNAL_ERROR", faults.HTTP2, executedThen(faults.CodeInternal)),
		each("closed after the execution", faults.HTTP1, func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, warmFirst(func(x *faults.Exchange) { x.Execute(); x.Hangup() }))
			require.NoError(t, err)
			defer server.Close()
			s := open(t, c, through(rebuild(server.Transport()), server.URL), quick()...)
			defer s.client.Close()
			_, err = c.call.Do(t.Context(), s.client, 0)
			require.NoError(t, err)
			s.mark(server.Ledger)
			s.do(t.Context())
			s.verify(t, unknown, server.Ledger)
		}),
		each("refused stream", faults.HTTP2, func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.ServeFrames(c.call.Path, false, thenGood(func(s *faults.Stream) { s.Reset(faults.CodeRefusedStream) }))
			require.NoError(t, err)
			defer server.Close()
			transport := l.authority.Transport(nil)
			defer transport.CloseIdleConnections()
			s := open(t, c, through(rebuild(transport), server.URL), quick()...)
			defer s.client.Close()
			s.do(t.Context())
			require.NoError(t, s.err)
			require.NoError(t, c.call.Check(user, s.result))
			assert.Equal(t, 1, server.Executed())
		}),
	)
}
