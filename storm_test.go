package aimbrain

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// TestBodiesAreNeverMixedUp: the bytes of a request are used again for another
// as soon as its call returns, while net/http may be reading them still: after
// an answer that came early, a reset, a cancel. The server holds each request
// that it gets whole against its signature, and the race detector looks on.
func TestBodiesAreNeverMixedUp(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	t.Cleanup(func() {
		assert.Positive(t, late.Load(), "nothing was read late: this proves nothing")
		t.Logf("%d late reads", late.Load())
	})
	for name, c := range map[string]struct{ secure, http2 bool }{
		"HTTP/1.1":          {false, false},
		"HTTP/1.1 over TLS": {true, false},
		"HTTP/2":            {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const callers, calls = 8, 40
			server := newStormServer(t)
			client := server.client(t, c.secure, c.http2, &late)
			var failed atomic.Int64
			var all sync.WaitGroup
			for caller := range callers {
				all.Go(func() {
					for i := range calls {
						if stormy(t.Context(), client, caller*calls+i) != nil {
							failed.Add(1)
						}
					}
				})
			}
			all.Wait()
			assert.Zero(t, server.forged.Load(), "requests that came whole, with another's bytes")
			assert.Positive(t, server.right.Load())
			assert.Positive(t, failed.Load())
			t.Logf("%d came whole, %d calls failed", server.right.Load(), failed.Load())
		})
	}
}

// A stormServer answers most requests before it has read
// them, and knows whether those that it reads are what was signed.
type stormServer struct {
	signer        *Signer
	right, forged atomic.Int64
}

func newStormServer(t *testing.T) *stormServer {
	t.Helper()
	signer, err := NewSigner("storm-key", "storm-secret")
	require.NoError(t, err)
	return &stormServer{signer: signer}
}

// client starts the server and returns a client of it, whose connections are
// slow: the kernel would take a whole request at once, and nothing would be
// read late.
func (s *stormServer) client(t *testing.T, secure, http2 bool, late *atomic.Int64) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = http2
	roots := x509.NewCertPool()
	if secure {
		server.StartTLS()
		roots.AddCert(server.Certificate())
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	transport := NewTransport(func(inner *http.Transport) {
		inner.TLSClientConfig.RootCAs = roots
		inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return slowConn{conn}, nil
		}
	})
	t.Cleanup(transport.CloseIdleConnections)
	retries := DefaultRetryPolicy()
	retries.BaseDelay = 0
	client, err := New("storm-key", "storm-secret", WithBaseURL(server.URL), WithInsecureHTTP(), WithTransport(lateReads{transport, late}),
		WithRetry(retries), WithTimeout(2*time.Minute), WithAttemptTimeout(time.Minute))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (s *stormServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	part := rand.Int64N(300_000)
	switch rand.IntN(10) {
	case 0, 1, 2, 3:
		s.refuseAndReadOn(w, r)
	case 4:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case 5:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		panic(http.ErrAbortHandler) // a reset: of the stream, over HTTP/2
	case 6:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		<-time.After(20 * time.Millisecond) // in which an impatient caller cancels
		w.WriteHeader(http.StatusUnauthorized)
	default:
		s.read(w, r)
	}
}

// refuseAndReadOn answers at once and reads the request after that. Over HTTP/2
// it only answers: net/http's client sends no more then.
func (s *stormServer) refuseAndReadOn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "2")
	if r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).EnableFullDuplex() // or the server reads first
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, "{}")
	if r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func (s *stormServer) read(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if s.signer.Verify(r.Method, r.URL.Path, body, r.Header.Get(HeaderSignature)) != nil {
		s.forged.Add(1)
	}
	s.right.Add(1)
	_, _ = io.WriteString(w, `{"score":0.5,"liveliness":0.5,"imagesCount":1}`)
}

// A slowConn sends some 30 MB a second, and takes its time to close, during
// which it is written to still: net/http goes on reading what it writes.
type slowConn struct{ net.Conn }

func (c slowConn) Write(p []byte) (sent int, err error) {
	for piece := range slices.Chunk(p, 32<<10) {
		<-time.After(time.Millisecond)
		n, err := c.Conn.Write(piece)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (c slowConn) Close() error {
	time.AfterFunc(20*time.Millisecond, func() { _ = c.Conn.Close() })
	return nil
}

// A lateReads counts how often a transport is told, as it reads a body, that the
// call has ended.
type lateReads struct {
	http.RoundTripper
	late *atomic.Int64
}

func (l lateReads) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Body = &watchedBody{r.Body, l.late}
	return l.RoundTripper.RoundTrip(r)
}

type watchedBody struct {
	io.ReadCloser
	late *atomic.Int64
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, payload.ErrReleased) {
		b.late.Add(1)
	}
	return n, err
}

// stormy makes a call with media of some bytes up to 1.3 MB. Half of the
// callers lose their patience.
func stormy(ctx context.Context, client *Client, user int) error {
	if user%2 == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(60))*time.Millisecond)
		defer cancel()
	}
	photos := Photos(bytes.Repeat([]byte{byte(user)}, []int{100, 30_000, 1_300_000}[user/2%3]))
	var err error
	switch user % 5 {
	case 0:
		_, err = client.Face.Token(ctx, strconv.Itoa(user), TokenAuth, WithRetryUnknownOutcome())
	case 1, 2:
		_, err = client.Face.Enroll(ctx, strconv.Itoa(user), photos)
	default:
		_, err = client.Face.Auth(ctx, strconv.Itoa(user), photos, WithRetryUnknownOutcome())
	}
	return err
}
