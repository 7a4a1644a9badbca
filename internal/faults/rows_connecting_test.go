package faults_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// failing dials with an error.
func failing(err func() error) func(string) dial {
	return func(string) dial {
		return func(context.Context, int64, string, string) (net.Conn, error) { return nil, err() }
	}
}

// failingOnce dials with an error the first time.
func failingOnce(err func() error) func(string) dial {
	return func(server string) dial {
		return func(ctx context.Context, n int64, network, _ string) (net.Conn, error) {
			if n == 1 {
				return nil, err()
			}
			return (&net.Dialer{}).DialContext(ctx, network, server)
		}
	}
}

var secondTime = want{kind: success, outcome: aimbrain.OutcomeSucceeded, received: 1, executed: 1, attempts: 2}

func noSuchHost() []cell {
	return each("no such host", "", dialled(permanent, failing(faults.NoSuchHost)))
}

func temporaryDNS() []cell {
	return join(
		each("permanent", "", dialled(notSent, failing(faults.TemporaryDNS))),
		each("once", "", dialled(secondTime, failingOnce(faults.TemporaryDNS))),
	)
}

func connectionRefused() []cell {
	return each("", "", func(t *testing.T, l *lab, c cell) {
		t.Helper()
		s := open(t, c, at("http://"+l.refuser.Addr), quick()...)
		defer s.client.Close()
		s.do(t.Context())
		s.verify(t, notSent.and(func(t *testing.T, s *seen) {
			t.Helper()
			var op *net.OpError
			assert.ErrorAs(t, s.err, &op)
		}), nil)
	})
}

// bubble is a play in virtual time of a caller's client that dials in its own way.
func bubble(w want, url string, dial dial, opts ...aimbrain.Option) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			transport := l.authority.Transport((&faults.Dialer{Func: dial}).Dial)
			defer transport.CloseIdleConnections()
			s := open(t, c, through(transport, url), opts...)
			s.do(t.Context())
			s.verify(t, w, nil)
		})
	}
}

func hang(ctx context.Context, _ int64, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func timedOut(t *testing.T, s *seen) {
	t.Helper()
	assert.ErrorIs(t, s.err, aimbrain.ErrAttemptTimeout)
	assert.NotErrorIs(t, s.err, aimbrain.ErrTotalTimeout)
	for _, attempt := range s.attempts {
		assert.Equal(t, aimbrain.DefaultAttemptTimeout, attempt.Duration)
	}
}

func dialHangs() []cell {
	return each("", "virtual", bubble(notSent.and(timedOut), "http://"+faults.VirtualHost, hang, patient()))
}

func proxyRefuses() []cell {
	return join(
		each("400", "", proxied("400", permanent)),
		each("403", "", proxied("403", permanent)),
		each("407", "", proxied("407", permanent)),
		each("works", faults.HTTP2, proxied("fine", fine)),
		each("from NewTransport, 404", "", callersProxy(404, permanent, false)),
		each("from NewTransport, 407", "", callersProxy(407, permanent, false)),
		each("from NewTransport, 408", "", callersProxy(408, permanent, false)),
		each("from NewTransport, 451", "", callersProxy(451, permanent, false)),
		each("caller's own, 407", "", callersProxy(407, permanent, true)),
		each("caller's own, 403", "", callersProxy(403, permanent, true)),
	)
}

// proxyFails is for temporary failures of a proxy or of the network behind it. The
// request is not sent by then, so that every call is retried.
func proxyFails() []cell {
	cells := join(
		each("refuses the connection", "", proxied("refused", notSent)),
		each("from NewTransport, refuses the connection", "", refusingProxy(false)),
		each("caller's own, refuses the connection", "", refusingProxy(true)),
		each("restarts: refuses the connection once", faults.HTTP2, restartingProxy(func(t *testing.T, l *lab) string {
			t.Helper()
			return l.refuser.Addr
		})),
		each("restarts: 503 once", faults.HTTP2, restartingProxy(func(t *testing.T, _ *lab) string {
			t.Helper()
			return newProxy(t, http.StatusServiceUnavailable).Addr
		})),
	)
	for _, status := range []int{429, 502, 503, 504} {
		text := strconv.Itoa(status)
		cells = append(cells, join(
			each(text, "", proxied(text, notSent)),
			each("from NewTransport, "+text, "", callersProxy(status, notSent, false)),
			each("caller's own, "+text, "", callersProxy(status, notSent, true)),
		)...)
	}
	return cells
}

// newProxy starts a proxy that responds with a status until the test ends.
func newProxy(t *testing.T, status int) *faults.Listener {
	t.Helper()
	proxy, err := faults.NewProxy(status)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy
}

// proxyTransport returns the library's transport, or a foreign one, with a proxy.
func (l *lab) proxyTransport(address string, foreign bool) http.RoundTripper {
	if foreign {
		own := &http.Transport{}
		viaProxy(address)(own)
		return own
	}
	return l.authority.Transport(nil, viaProxy(address))
}

// viaProxy makes a transport use a proxy that requires a password.
func viaProxy(address string) func(*http.Transport) {
	return func(t *http.Transport) {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("somebody", proxyPassword)})
	}
}

// refusingProxy is a play of a proxy whose port refuses connections.
func refusingProxy(foreign bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		s := open(t, c, through(l.proxyTransport(l.refuser.Addr, foreign), "https://"+faults.VirtualHost), quick()...)
		s.do(t.Context())
		s.verify(t, notSent, nil)
		assert.NotContains(t, s.err.Error(), proxyPassword)
	}
}

// restartingProxy is a play of a proxy whose first connection goes to a faulty
// address, and which works from then on.
func restartingProxy(failing func(t *testing.T, l *lab) string) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		tunnel, err := faults.NewTunnel(strings.TrimPrefix(server.URL, "https://"))
		require.NoError(t, err)
		defer tunnel.Close()
		first := failing(t, l)
		dialer := &faults.Dialer{Func: func(ctx context.Context, n int64, network, address string) (net.Conn, error) {
			if n == 1 {
				address = first
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
		transport := l.authority.Transport(dialer.Dial, viaProxy(tunnel.Addr))
		defer transport.CloseIdleConnections()
		s := open(t, c, through(transport, "https://"+faults.VirtualHost), quick()...)
		s.do(t.Context())
		s.verify(t, secondTime, nil)
		assert.Equal(t, 1, server.Received(), "requests at the server")
		assert.Equal(t, 1, server.Executed(), "executions at the server")
	}
}

// callersProxy is a play of a proxy that responds with a status, through the
// library's transport or a foreign one.
func callersProxy(status int, w want, foreign bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		proxy := newProxy(t, status)
		s := open(t, c, through(l.proxyTransport(proxy.Addr, foreign), "https://"+faults.VirtualHost), quick()...)
		s.do(t.Context())
		s.verify(t, w, nil)
		assert.NotContains(t, s.err.Error(), proxyPassword)
		assert.Equal(t, s.wantAttempts(w), proxy.Conns())
	}
}

func handshakeEnds() []cell {
	stalls := func(_ context.Context, _ int64, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		return here, nil
	}
	return join(
		each("ends", "TLS", secured(notSent, func(conn net.Conn) { readSome(conn) })),
		each("is reset", "TLS", secured(notSent, func(conn net.Conn) { readSome(conn); faults.Reset(conn) })),
		each("stalls", "virtual TLS", bubble(notSent, "https://"+faults.VirtualHost, stalls, patient())),
	)
}

// readSome reads the first bytes, so that the fault comes after them.
func readSome(conn net.Conn) {
	var some [4096]byte
	_, _ = conn.Read(some[:])
}

// badlySecured is a play of a server with faulty TLS. Its client has the library's
// own transport, or trusts the authority.
func badlySecured(own bool, config func(t *testing.T, l *lab) *tls.Config) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		setup := faults.Setup{Protocol: faults.HTTP2, Own: own, TLS: config(t, l)}
		server, err := l.authority.Serve(setup, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		s := open(t, c, server.NewClient, quick()...)
		defer s.client.Close()
		s.do(t.Context())
		s.verify(t, permanent, server.Ledger)
		assert.Equal(t, 1, server.Conns(), "connections")
	}
}

func badCertificate() []cell {
	leaf := func(host string, until time.Time) func(*testing.T, *lab) *tls.Config {
		return func(t *testing.T, l *lab) *tls.Config {
			t.Helper()
			certificate, err := l.authority.Issue(host, until)
			require.NoError(t, err)
			return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}}
		}
	}
	return join(
		each("unknown CA", "TLS", badlySecured(true, leaf("", time.Time{}))),
		each("expired", "TLS", badlySecured(false, leaf("", time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)))),
		each("another host", "TLS", badlySecured(false, leaf("elsewhere.test", time.Time{}))),
	)
}

// oldTLS has a client that trusts the certificate, and a server that responds
// correctly on a connection: only the version is at fault.
func oldTLS() []cell {
	upTo := func(version uint16) run {
		return badlySecured(false, func(t *testing.T, l *lab) *tls.Config {
			t.Helper()
			certificate, err := l.authority.Issue("", time.Time{})
			require.NoError(t, err)
			return &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version, Certificates: []tls.Certificate{certificate}}
		})
	}
	return join(
		each("", "TLS 1.0", upTo(tls.VersionTLS10)),
		each("", "TLS 1.1", upTo(tls.VersionTLS11)),
	)
}

func plainOnTLS() []cell {
	return each("", "", secured(permanent, func(conn net.Conn) {
		readSome(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	}))
}

func endlessProxy() []cell {
	return join(
		each("own transport", "", proxied("endless", notSent)),
		each("caller's own", "", func(t *testing.T, l *lab, c cell) {
			t.Helper()
			var taken atomic.Int64
			proxy, err := faults.NewEndlessProxy(func(n int) { taken.Add(int64(n)) })
			require.NoError(t, err)
			defer proxy.Close()
			transport := l.authority.Transport(nil, func(t *http.Transport) {
				t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.Addr})
			})
			s := open(t, c, through(transport, "https://"+faults.VirtualHost), quick()...)
			s.do(t.Context())
			s.verify(t, notSent, nil)
			assert.Less(t, taken.Load()/3, int64(16<<20), "bytes a connection, with the sockets' buffers")
		}),
	)
}
