package aimbrain_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// TestTransport_LateResponseIsNotTakenForNextCall simulates a gateway that stops
// waiting for the API and later forwards the API's response nevertheless.
func TestTransport_LateResponseIsNotTakenForNextCall(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	require.NoError(t, err)
	var gateway sync.WaitGroup
	defer gateway.Wait()
	defer func() { _ = listener.Close() }()
	gateway.Go(func() {
		for first := true; ; first = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			gateway.Go(func() { serveLate(conn, first) })
		}
	})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL("http://"+listener.Addr().String()))
	require.NoError(t, err)
	defer client.Close()

	_, err = client.Face.Auth(t.Context(), "adas-session", aimbrain.Photos([]byte("ada")))
	require.ErrorIs(t, err, aimbrain.HTTPStatus(504))
	for range 20 {
		result, err := client.Face.Auth(t.Context(), "mallorys-session", aimbrain.Photos([]byte("mallory")))
		require.NoError(t, err)
		assert.InDelta(t, 0.01, result.Score, 0, "it is not ada's score")
	}
}

// serveLate responds on one connection. On the first connection it responds to the
// first request twice: with 504, and with the late score.
func serveLate(conn net.Conn, late bool) {
	defer func() { _ = conn.Close() }()
	const score = "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n"
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if late {
			late = false
			_, _ = fmt.Fprint(conn, "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
			// The late response arrives with the next request, when it can be
			// taken for that request's response.
			if _, err := reader.Peek(1); err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, score+`{"score":0.99,"liveliness":0.99}`)
			continue
		}
		_, _ = fmt.Fprint(conn, score+`{"score":0.01,"liveliness":0.01}`)
	}
}

// TestTransport_DiscardedConnectionFailsNoCall has many concurrent calls receive
// 503, over TLS and without retries. The calls after the outage must all succeed,
// whatever state the connections are in.
func TestTransport_DiscardedConnectionFailsNoCall(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		var down atomic.Bool
		down.Store(true)
		together := make(chan struct{})
		var waiting atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if down.Load() {
				if waiting.Add(1) == 20 {
					close(together)
				}
				<-together // each on its own connection
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, `{"imagesCount":1}`)
		}))
		client := overOwnTransport(t, server, secure)
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos(noise(9000)))
				assert.ErrorIs(t, err, aimbrain.HTTPStatus(503))
			})
		}
		calls.Wait()
		down.Store(false)
		for range 40 {
			_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos(noise(9000)))
			require.NoError(t, err, "secure: %t", secure)
		}
	}
}

// overOwnTransport returns a client that uses the library's own transport, which
// trusts the server's certificate.
func overOwnTransport(t *testing.T, server *httptest.Server, secure bool) *aimbrain.Client {
	t.Helper()
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	transport := aimbrain.NewTransport(func(inner *http.Transport) {
		if secure {
			inner.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			inner.ForceAttemptHTTP2 = false
			inner.TLSClientConfig.NextProtos = []string{"http/1.1"}
		}
	})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(server.URL), noRetries(), aimbrain.WithTransport(transport))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = client.Close()
		transport.CloseIdleConnections()
	})
	return client
}
