package aimbraintest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aimbrain/aimbrain-go"
)

// errClosed is the error of a request after Close.
const errClosed = text("aimbraintest: the fake is closed")

// text is a constant error.
type text string

func (t text) Error() string { return string(t) }

// Transport returns a round tripper that reaches the fake without a listener, for
// every host and scheme. It is an [aimbrain.Transport]. Its connections are pipes
// inside the process, with HTTP/1.1 and without TLS. It handles connections, time
// limits and broken responses as it does over a network.
func (f *Fake) Transport() http.RoundTripper { return f.transport }

// URL returns the address of the fake on the loopback interface, such as
// "http://127.0.0.1:41233", for programs that need an address. The first call opens
// a free port. Inside a testing/synctest bubble use [Fake.Transport]: the time of a
// bubble does not advance while the network is waited for.
func (f *Fake) URL() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.url != "" {
		return f.url
	}
	if f.closed {
		f.fatal("aimbraintest: URL: " + string(errClosed))
		return ""
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		var v6 error
		if listener, v6 = config.Listen(context.Background(), "tcp", "[::1]:0"); v6 != nil {
			f.fatal(fmt.Sprintf("aimbraintest: URL: no port on loopback: %v", err))
			return ""
		}
	}
	f.url = "http://" + listener.Addr().String()
	f.serve(listener)
	return f.url
}

// maxHeaderBytes is the largest header of a request, its path included.
const maxHeaderBytes = 64 << 10

// startServer starts the server of the pipes and the port.
func (f *Fake) startServer() {
	f.server = &http.Server{
		Handler:     f,
		ConnState:   f.track,
		ReadTimeout: time.Minute, // to read a request, as gateways have it
		IdleTimeout: -1,          // none
		// A larger header is refused with status 431, as gateways do.
		MaxHeaderBytes: maxHeaderBytes - 4096, // net/http adds as much
	}
	f.transport = aimbrain.NewTransport(func(t *http.Transport) {
		t.Proxy = func(r *http.Request) (*url.URL, error) { // net/http calls it before each dial, with the request's URL
			if f.refuse(r) {
				return nil, errRefused()
			}
			return nil, nil
		}
		t.DialContext, t.DialTLSContext = f.listener.dial, f.listener.dial
		t.MaxIdleConnsPerHost = 1024
		if f.config.untrusted {
			t.DialTLSContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
			}
		}
	})
	f.serve(f.listener)
}

func (f *Fake) serve(listener net.Listener) {
	f.serving.Go(func() {
		_ = f.server.Serve(listener) // always http.ErrServerClosed
	})
}

// track counts connections, so that Close can wait for them.
func (f *Fake) track(conn net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch state {
	case http.StateNew:
		if f.closed { // the server closed the others before
			_ = conn.Close()
			return
		}
		f.conns[conn] = struct{}{}
		f.serving.Add(1)
	case http.StateClosed, http.StateHijacked:
		if _, ok := f.conns[conn]; ok {
			delete(f.conns, conn)
			f.serving.Done()
		}
	case http.StateActive, http.StateIdle:
	}
}

// stopServer closes all connections and waits for their requests.
func (f *Fake) stopServer() {
	_ = f.server.Close() // the error of a listener that closes is of no use
	_ = f.listener.Close()
	f.transport.CloseIdleConnections()
	ended := make(chan struct{})
	go func() {
		f.serving.Wait()
		close(ended)
	}()
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
	}
}

// A pipeListener is a listener for connections inside the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case <-l.closed:
		return nil, errClosed
	default:
	}
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection that was dialled.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns an address without meaning.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "aimbraintest" }

// breakConnection ends a request without a response, or after half of one.
func breakConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// HTTP/2, or a response that has begun: net/http recovers this panic and
		// ends the stream or the connection.
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // sends a reset
	}
	_ = conn.Close()
}

// untilGone waits until the request is cancelled or the fake is closed.
func (f *Fake) untilGone(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-f.stop.Done():
	}
}

// wait waits for a duration. It returns false if the request or the fake ended
// before.
func (f *Fake) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-f.stop.Done():
	}
	return false
}
