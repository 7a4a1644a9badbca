package faults

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// The key pair of all clients and servers of this package. It is not in use
// anywhere else.
const (
	Key    = "faults-canary-key-5d1c"
	Secret = "faults-canary-secret-93ab" // made up, and known only to the servers here
)

// The protocols that cells run over.
const (
	HTTP1 = "HTTP/1.1"
	HTTP2 = "HTTP/2"
)

// A Setup says how a server listens.
type Setup struct {
	Protocol string // HTTP1 is plain text, HTTP2 is over TLS
	Virtual  bool   // without a network, for virtual time
	Early    bool   // the script runs before the body is read
	Own      bool   // clients have the library's own transport, over TLS too
	Streams  int    // how many streams an HTTP/2 connection may have; 0 is enough for many callers

	TLS *tls.Config // replaces that of a faultless server
}

// A Script is the reaction of a server to a request. It decides when the request
// counts as executed: faults after the execution call [Exchange.Execute] first,
// and faults before it do not.
type Script func(*Exchange)

// A Server is net/http's server with a script in place of an API. It checks every
// signature and keeps a [Ledger].
type Server struct {
	*Ledger
	URL string

	authority *Authority
	setup     Setup
	script    Script
	signer    *aimbrain.Signer
	http      *http.Server
	pipe      *pipe
	conns     atomic.Int64
	numbers   atomic.Int64
	done      chan struct{}

	mu         sync.Mutex
	closing    bool
	running    sync.WaitGroup
	transports []*aimbrain.Transport
}

type connKey struct{}

// Serve starts a server on a free port of this machine.
func (a *Authority) Serve(setup Setup, script Script) (*Server, error) {
	signer, err := aimbrain.NewSigner(Key, Secret)
	if err != nil {
		return nil, fmt.Errorf("signer of the server: %w", err)
	}
	s := &Server{Ledger: newLedger(), authority: a, setup: setup, script: script, signer: signer, done: make(chan struct{})}
	listener, err := s.listen()
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Hour, // a server with long time limits is the worse one
		ErrorLog:          log.New(io.Discard, "", 0),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: cmp.Or(setup.Streams, 20_000)}, // many callers need one connection
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			s.conns.Add(1)
			return context.WithValue(ctx, connKey{}, conn)
		},
	}
	s.running.Go(func() {
		if setup.Protocol == HTTP2 {
			s.http.TLSConfig = a.Config("h2")
			if setup.TLS != nil {
				s.http.TLSConfig = setup.TLS
				s.http.Protocols = protocolsOf(setup.TLS)
			}
			_ = s.http.ServeTLS(listener, "", "") // it ends by Close
			return
		}
		_ = s.http.Serve(listener) // it ends by Close
	})
	return s, nil
}

// protocolsOf omits HTTP/2 without TLS 1.2, which it needs.
func protocolsOf(config *tls.Config) *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(config.MaxVersion == 0 || config.MaxVersion >= tls.VersionTLS12)
	return protocols
}

func (s *Server) listen() (net.Listener, error) {
	scheme := "http://"
	if s.setup.Protocol == HTTP2 {
		scheme = "https://"
	}
	if s.setup.Virtual {
		s.pipe, s.URL = newPipe(), scheme+VirtualHost
		return s.pipe, nil
	}
	listener, err := loopback()
	if err != nil {
		return nil, err
	}
	s.URL = scheme + listener.Addr().String()
	return listener, nil
}

func loopback() (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no port to listen on: %w", err)
	}
	return listener, nil
}

// Close ends the server, its connections, its scripts, and the connections of the
// clients that it made.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.done)
	}
	transports := s.transports
	s.mu.Unlock()
	_ = s.http.Close() // there is nothing to report
	for _, transport := range transports {
		transport.CloseIdleConnections()
	}
	s.running.Wait()
	if s.setup.Virtual {
		<-time.After(time.Second) // net/http's connections remain for half of that, and must end before their bubble
	}
}

// Conns returns how many connections were accepted.
func (s *Server) Conns() int { return int(s.conns.Load()) }

// NewClient returns a client of the server. Over plain HTTP on a real socket it
// has the library's own transport. Over TLS it has one that trusts another
// certificate authority, and in virtual time one that dials without a network.
func (s *Server) NewClient(opts ...aimbrain.Option) (*aimbrain.Client, error) {
	opts = append([]aimbrain.Option{aimbrain.WithBaseURL(s.URL), aimbrain.WithInsecureHTTP()}, opts...)
	if s.setup.Virtual || s.setup.Protocol == HTTP2 && !s.setup.Own {
		opts = append([]aimbrain.Option{aimbrain.WithTransport(s.Transport())}, opts...)
	}
	return aimbrain.New(Key, Secret, opts...)
}

// Transport returns the library's own transport, which trusts the server. The
// functions change it further.
func (s *Server) Transport(configure ...func(*http.Transport)) *aimbrain.Transport {
	var dial func(context.Context, string, string) (net.Conn, error)
	if s.pipe != nil {
		dial = s.pipe.dial
	}
	transport := s.authority.Transport(dial, configure...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transports = append(s.transports, transport)
	return transport
}

// Transport returns the library's own transport. It trusts the authority, uses no
// proxy, and dials with the function unless that is nil. The functions change it
// further.
func (a *Authority) Transport(dial func(context.Context, string, string) (net.Conn, error), configure ...func(*http.Transport)) *aimbrain.Transport {
	settings := func(transport *http.Transport) {
		transport.Proxy = nil
		transport.TLSClientConfig.RootCAs = a.pool()
		if dial != nil {
			transport.DialContext = dial
		}
	}
	return aimbrain.NewTransport(append([]func(*http.Transport){settings}, configure...)...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	x := &Exchange{Endpoint: r.URL.Path, server: s, writer: w, request: r}
	x.conn, _ = r.Context().Value(connKey{}).(net.Conn)
	defer x.end()
	if !s.setup.Early && x.ReadBody() != nil {
		s.receive(x.Endpoint, nil, "")
		return
	}
	if s.setup.Early {
		s.receive(x.Endpoint, nil, "")
	}
	x.Number = int(s.numbers.Add(1))
	s.script(x)
}

// An Exchange is one request and its response.
type Exchange struct {
	Endpoint string
	Body     []byte
	User     int
	Number   int // 1 for the server's first request

	server   *Server
	writer   http.ResponseWriter
	request  *http.Request
	conn     net.Conn
	hijacked bool
	signed   bool
}

// ReadBody reads the request to its end and checks its signature.
func (x *Exchange) ReadBody() error {
	body, err := io.ReadAll(io.LimitReader(x.request.Body, aimbrain.MaxRequestBytes))
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	x.Body, x.User = body, calls.UserOf(body)
	signature := x.request.Header.Get(aimbrain.HeaderSignature)
	x.signed = x.request.Header.Get(aimbrain.HeaderAPIKey) == Key &&
		x.server.signer.Verify(x.request.Method, x.Endpoint, body, signature) == nil
	if !x.server.setup.Early {
		x.server.receive(x.Endpoint, body, signature)
	}
	return nil
}

// ReadSome reads a part of the body only.
func (x *Exchange) ReadSome(n int64) {
	_, _ = io.CopyN(io.Discard, x.request.Body, n) // the body may end before
}

// Execute counts the request as executed.
func (x *Exchange) Execute() { x.server.execute(x.Endpoint, x.Body, x.signed) }

// Good executes the request and responds as the API would.
func (x *Exchange) Good() {
	x.Execute()
	x.Reply(http.StatusOK, calls.To(x.Endpoint).Response(x.User))
}

// Reply responds with a status, a body, and names and values of headers.
func (x *Exchange) Reply(status int, body string, header ...string) {
	x.Begin(status, header...)
	_, _ = io.WriteString(x.writer, body)
}

// Begin begins a response with a status, and names and values of headers. Write
// continues it.
func (x *Exchange) Begin(status int, header ...string) {
	x.writer.Header().Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Content-Type" {
			x.writer.Header().Set(header[i], header[i+1])
			continue
		}
		x.writer.Header().Add(header[i], header[i+1])
	}
	x.writer.WriteHeader(status)
}

// Write sends a piece of the response at once, and reports whether it was sent.
func (x *Exchange) Write(piece string) bool {
	if _, err := io.WriteString(x.writer, piece); err != nil {
		return false
	}
	return http.NewResponseController(x.writer).Flush() == nil
}

// Informational sends a 1xx.
func (x *Exchange) Informational(status int) { x.writer.WriteHeader(status) }

// Raw writes to the connection itself, past net/http, and reports whether that
// succeeded. It is for HTTP/1.1 only.
func (x *Exchange) Raw(text string) bool {
	if !x.hijacked {
		if _, _, err := http.NewResponseController(x.writer).Hijack(); err != nil {
			panic(errors.New("faults: raw bytes are for HTTP/1.1"))
		}
		x.hijacked = true
	}
	_, err := io.WriteString(x.conn, text)
	return err == nil
}

// Reset ends the connection with a reset, including all streams on it.
func (x *Exchange) Reset() {
	under := x.conn
	if secure, ok := under.(*tls.Conn); ok {
		under = secure.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // otherwise it would be an ordinary end
	}
	_ = under.Close()
	x.Abort()
}

// Hangup closes the connection without a reset.
func (x *Exchange) Hangup() {
	_ = x.conn.Close()
	x.Abort()
}

// Abort ends the request: over HTTP/1.1 with its connection, over HTTP/2 with a
// reset of the stream with INTERNAL_ERROR.
func (x *Exchange) Abort() {
	if !x.hijacked {
		panic(http.ErrAbortHandler)
	}
}

// Stall waits until the client has disconnected or the server is closed.
func (x *Exchange) Stall() {
	select {
	case <-x.request.Context().Done():
	case <-x.server.done:
	}
}

// Wait waits for a time, or until the client has disconnected or the server is
// closed. It reports whether the time has passed.
func (x *Exchange) Wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.request.Context().Done():
	case <-x.server.done:
	}
	return false
}

// end closes what the script left open.
func (x *Exchange) end() {
	if x.hijacked {
		_ = x.conn.Close()
	}
}
