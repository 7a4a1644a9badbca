package transport_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// post returns a request with a GetBody.
func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	return postIn(t.Context(), t, url, body)
}

func postIn(ctx context.Context, t *testing.T, url, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	return request
}

// send returns the status and the body of the response, or the error.
func send(carrier http.RoundTripper, request *http.Request) (status int, body string, err error) {
	response, err := carrier.RoundTrip(request)
	if err != nil {
		return 0, "", err //nolint:wrapcheck // the tests check it
	}
	defer func() { _ = response.Body.Close() }() // the body was read
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err //nolint:wrapcheck // the tests check it
}

// A counter counts the connections that a server accepts.
type counter struct {
	mu    sync.Mutex
	conns int
}

func (c *counter) state(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew {
		c.conns++
	}
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conns
}

// serve starts a server and returns a transport that trusts it.
func serve(t *testing.T, secure, http2 bool, handler http.HandlerFunc, configure ...func(*http.Transport)) (string, *transport.Transport, *counter) {
	t.Helper()
	conns := new(counter)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = conns.state
	server.EnableHTTP2 = http2
	roots := x509.NewCertPool()
	if secure {
		server.StartTLS()
		roots.AddCert(server.Certificate())
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	settings := func(inner *http.Transport) {
		inner.Proxy = nil
		inner.TLSClientConfig.RootCAs = roots
	}
	carrier := transport.New(append([]func(*http.Transport){settings}, configure...)...)
	t.Cleanup(carrier.CloseIdleConnections)
	return server.URL, carrier, conns
}

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }
