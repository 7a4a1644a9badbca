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

// TestBodies_AreNeverMixedUp tests the reuse of buffers. The buffer of a request
// is reused when its call returns, while net/http may still read it: after an
// early response, a reset or a cancellation. The server checks the signature of
// each request that arrives whole, and the race detector is on.
func TestBodies_AreNeverMixedUp(t *testing.T) {
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
			server := newEarlyServer(t)
			client := server.client(t, c.secure, c.http2, &late)
			var failed atomic.Int64
			var all sync.WaitGroup
			for caller := range callers {
				all.Go(func() {
					for i := range calls {
						if callWithMedia(t.Context(), client, caller*calls+i) != nil {
							failed.Add(1)
						}
					}
				})
			}
			all.Wait()
			assert.Zero(t, server.forged.Load(), "whole requests with another request's bytes")
			assert.Positive(t, server.right.Load())
			assert.Positive(t, failed.Load())
			t.Logf("%d came whole, %d calls failed", server.right.Load(), failed.Load())
		})
	}
}

// An earlyServer responds to most requests before it has read them. It checks the
// signatures of those that it reads.
type earlyServer struct {
	signer        *Signer
	right, forged atomic.Int64
}

func newEarlyServer(t *testing.T) *earlyServer {
	t.Helper()
	signer, err := NewSigner("storm-key", "storm-secret")
	require.NoError(t, err)
	return &earlyServer{signer: signer}
}

// client starts the server and returns a client of it, whose connections are slow.
// Otherwise the kernel would accept a whole request at once, and nothing would be
// read late.
func (s *earlyServer) client(t *testing.T, secure, http2 bool, late *atomic.Int64) *Client {
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

func (s *earlyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	part := rand.Int64N(300_000)
	switch rand.IntN(10) {
	case 0, 1, 2, 3:
		s.refuseAndReadOn(w, r)
	case 4:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case 5:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		panic(http.ErrAbortHandler) // resets the stream over HTTP/2
	case 6:
		_, _ = io.CopyN(io.Discard, r.Body, part)
		<-time.After(20 * time.Millisecond) // an impatient caller cancels meanwhile
		w.WriteHeader(http.StatusUnauthorized)
	default:
		s.read(w, r)
	}
}

// refuseAndReadOn responds at once and then reads the request. Over HTTP/2 it
// responds only: net/http's client sends no more then.
func (s *earlyServer) refuseAndReadOn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "2")
	if r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).EnableFullDuplex() // otherwise the server reads first
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, "{}")
	if r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func (s *earlyServer) read(w http.ResponseWriter, r *http.Request) {
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

// A slowConn sends about 30 MB per second. Its Close takes some time, in which
// net/http still reads the body that it writes.
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

// A lateReads counts the reads of a body that fail because the call has ended.
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

// callWithMedia makes a call with media of up to 1.3 MB. Half of the callers
// cancel their call.
func callWithMedia(ctx context.Context, client *Client, user int) error {
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
