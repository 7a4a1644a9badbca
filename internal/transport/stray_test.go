package transport_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// TestTransport_DiscardsUnsolicitedResponse has the beginning of an unsolicited
// response arrive when net/http expects the response to the second request, of
// which no byte is written yet. The rest follows the request.
func TestTransport_DiscardsUnsolicitedResponse(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]int{"one byte": 1, "in the status line": 10, "in a field": 30, "in the body": 60, "the whole of it": 1 << 10} {
		for _, secure := range []bool{false, true} {
			t.Run(name+", secure "+strconv.FormatBool(secure), func(t *testing.T) {
				t.Parallel()
				early, begun := make(chan struct{}), make(chan struct{})
				address, carrier := strayServer(t, secure, cut, early)
				_, body, err := send(carrier, post(t, address, "first"))
				require.NoError(t, err)
				assert.Equal(t, "own", body)

				var once sync.Once
				trace := &httptrace.ClientTrace{
					// net/http expects the response at this time, and has only
					// written to its buffer.
					WroteHeaderField: func(string, []string) {
						once.Do(func() {
							close(early) // the stray response begins,
							<-begun      // and net/http takes it for that to this request
						})
					},
					GotFirstResponseByte: func() { close(begun) },
				}
				var report transport.Report
				request := postIn(transport.WithReport(httptrace.WithClientTrace(t.Context(), trace), &report), t, address, "second")
				_, body, err = send(carrier, request)
				require.Error(t, err, "%q is the response of another", body)
				sent := report.Sent()
				assert.True(t, sent, "the server may have read the request")
				_, body, err = send(carrier, post(t, address, "third"))
				require.NoError(t, err, "the connection is discarded")
				assert.Equal(t, "own", body)
			})
		}
	}
}

// strayServer responds to requests with "own". On its first connection it sends
// the beginning of another response on a signal, and the rest with the response to
// the next request.
func strayServer(t *testing.T, secure bool, cut int, early <-chan struct{}) (string, *transport.Transport) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	scheme := "http://"
	certificates := httptest.NewUnstartedServer(nil)
	certificates.StartTLS()
	certificates.Close()
	if secure {
		scheme = "https://"
		listener = tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates.TLS.Certificates})
	}
	go func() {
		for first := true; ; first = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveStray(conn, first, cut, early)
		}
	}()
	carrier := transport.New(func(inner *http.Transport) {
		inner.Proxy = nil
		inner.TLSClientConfig.InsecureSkipVerify = true
	})
	t.Cleanup(carrier.CloseIdleConnections)
	return scheme + listener.Addr().String(), carrier
}

func serveStray(conn net.Conn, strays bool, cut int, early <-chan struct{}) {
	const own = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown"
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n\"the score of another user\""
	defer func() { _ = conn.Close() }() // the other end sees it
	buffer := make([]byte, 4096)
	for n := 0; ; n++ {
		if strays && n == 1 {
			<-early
			_, _ = io.WriteString(conn, stray[:min(cut, len(stray))])
		}
		if _, err := conn.Read(buffer); err != nil {
			return
		}
		if strays && n == 1 {
			_, _ = io.WriteString(conn, stray[min(cut, len(stray)):])
		}
		_, _ = io.WriteString(conn, own)
	}
}
