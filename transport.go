package aimbrain

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxHeaderBytes bounds what the header of an answer may cost, a proxy's included.
const maxHeaderBytes = 64 << 10

// maxIdle is how many idle connections are kept. There is one host; the default
// of 2 would dial anew under load.
const maxIdle = 512

// newHTTPClient returns the client that calls go through, and the transport
// when it is the library's own.
func newHTTPClient(own *http.Client) (*http.Client, *http.Transport) {
	client := own
	if client == nil {
		client = &http.Client{}
	}
	// Custom headers and bodies follow a redirect to any host: net/http only
	// holds back the standard ones.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.Transport != nil {
		return client, nil
	}
	transport := NewTransport()
	client.Transport = transport
	return client, transport
}

// NewTransport returns a transport like the one that a client makes for itself,
// to change before it goes into [WithHTTPClient]: another certificate authority,
// a client certificate, another proxy.
//
//	transport := aimbrain.NewTransport()
//	transport.TLSClientConfig.RootCAs = pool
//	client, err := aimbrain.New(key, secret, aimbrain.WithHTTPClient(&http.Client{Transport: transport}))
//
// It wants TLS 1.2 at least, offers HTTP/2 and pings silent connections, bounds
// dialling, handshakes and headers, takes nothing compressed, keeps 512 idle
// connections for 60 s, honours HTTPS_PROXY, and does not use an HTTP/1.1
// connection again after a 5xx or a 408. Its idle connections are the caller's to close.
func NewTransport() *http.Transport {
	chunks := newSendChunks()
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkProxy,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newGuardedConn(conn, chunks), nil
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: 5 * time.Second, // a connection that went silent is found out by a ping,
			PingTimeout:     5 * time.Second, // and given up before the attempt is
		},
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // answers are small, and a bomb is not
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        60 * time.Second,
	}
}

// What a connection says that was given up: errAbandoned to a request of which
// nothing was sent, so that it can go out on another one, and errMixedUp to any
// other.
const (
	errAbandoned ErrorKind = "aimbrain: the connection was given up"
	errMixedUp   ErrorKind = "aimbrain: the connection was given up, for its answers may be another request's"
	errEarly     ErrorKind = "aimbrain: the answer was there before the request, so it is another's"
	errSwitched  ErrorKind = "aimbrain: the answer switches to another protocol, which was not asked for"
)

// maxAbandoned is how often a request is sent anew for connections that were
// given up: there are as many idle ones at most, each is met once.
const maxAbandoned = 2 * maxIdle

// isAbandoned does not look into errors that were joined: somebody's transport
// may have sent the request since.
func isAbandoned(err error) bool {
	for err != nil {
		if err == errAbandoned { //nolint:errorlint // the chain is walked here
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

// handOnTime is how long a request waits for the one before it on the same
// connection. It is a moment, unless somebody's transport holds an answer back.
const handOnTime = 50 * time.Millisecond

// A guardedConn can be given up while net/http believes it to be idle. Closing
// it would not do: net/http notices later, and a call in between would fail
// without knowing whether it was sent.
//
// Over HTTP/1 it is lent to one request after the other. net/http lends it to
// the next one when the last byte of an answer is read, or even before; that
// one waits here until the call before has looked at its answer.
type guardedConn struct {
	net.Conn
	chunks chan *sendChunk
	turn   chan struct{} // full while it is lent

	mu      sync.Mutex
	begun   bool // something was ever written
	shared  bool // by requests at the same time, as HTTP/2 does
	wrote   bool // something was written since it was lent
	heard   bool // something was read since it was lent
	givenUp bool
}

func newGuardedConn(conn net.Conn, chunks chan *sendChunk) *guardedConn {
	return &guardedConn{Conn: conn, chunks: chunks, turn: make(chan struct{}, 1)}
}

// guardOf returns the library's own connection under net/http's, and nil when
// there is none or HTTP/2 uses it.
func guardOf(conn net.Conn) *guardedConn {
	secure, ok := conn.(*tls.Conn)
	if ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
		return nil
	}
	for ; ok; secure, ok = conn.(*tls.Conn) { // two of them through a proxy by https
		conn = secure.NetConn()
	}
	guarded, ok := conn.(*guardedConn)
	if !ok || guarded.isShared() {
		return nil
	}
	return guarded
}

func (c *guardedConn) isShared() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shared
}

// lend begins the use of the connection by a request, when the one before it
// is done. If that takes too long the connection is given up, so that the
// request goes out on another one, and lend returns false. It does at once when
// who has the connection has not used it yet: that is a call which somebody's
// transport makes with the context of another.
func (c *guardedConn) lend(ctx context.Context) bool {
	select {
	case c.turn <- struct{}{}:
		c.begin()
		return true
	default:
	}
	if c.unused() {
		return false
	}
	timer := time.NewTimer(handOnTime)
	defer timer.Stop()
	select {
	case c.turn <- struct{}{}:
		c.begin()
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote, c.givenUp = false, true
	return false
}

// begin is where a request begins.
func (c *guardedConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote, c.heard = false, false
}

func (c *guardedConn) unused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.wrote && !c.givenUp
}

// handOn ends the use of the connection by a request.
func (c *guardedConn) handOn() { <-c.turn }

// giveUp has the connection refuse all that comes.
func (c *guardedConn) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.givenUp = true
}

// hasHeard reports whether anything was read since the connection was lent. If
// not, what is taken for an answer was left over in net/http's buffer.
func (c *guardedConn) hasHeard() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

func (c *guardedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.givenUp {
		return 0, c.refusal()
	}
	c.heard = c.heard || n > 0
	return n, err
}

func (c *guardedConn) Write(p []byte) (int, error) {
	if err := c.beforeWrite(p); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *guardedConn) beforeWrite(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.givenUp {
		return c.refusal()
	}
	if !c.begun { // the handshake tells it over TLS
		c.begun, c.shared = true, bytes.HasPrefix(p, []byte("PRI * HTTP/2"))
	}
	c.wrote = true
	return nil
}

func (c *guardedConn) refusal() error {
	if c.wrote {
		return errMixedUp
	}
	return errAbandoned
}

// A sendChunk is how much of a body goes to the kernel at a time over plain
// HTTP. net/http makes 32 KiB anew for every body, and sends in pieces of that.
// Few calls send at the same moment, so that few chunks are kept.
type sendChunk [256 << 10]byte

const sendChunks = 8

func newSendChunks() chan *sendChunk {
	chunks := make(chan *sendChunk, sendChunks)
	for range sendChunks {
		chunks <- nil // made when it is needed
	}
	return chunks
}

// ReadFrom sends a body. Over TLS it is not used: there net/http sees a tls.Conn.
func (c *guardedConn) ReadFrom(r io.Reader) (sent int64, err error) {
	var chunk *sendChunk
	select {
	case chunk = <-c.chunks:
	default:
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	if chunk == nil {
		chunk = new(sendChunk)
	}
	defer func() { c.chunks <- chunk }()
	for {
		n, err := io.ReadFull(r, chunk[:])
		if n > 0 {
			written, err := c.Write(chunk[:n])
			if sent += int64(written); err != nil {
				return sent, err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return sent, nil
		case err != nil:
			return sent, err
		}
	}
}

// A proxyError is a proxy that does not let the call through.
type proxyError int

func (e proxyError) Error() string {
	text := "the proxy answered HTTP " + strconv.Itoa(int(e))
	if e == http.StatusProxyAuthRequired {
		text += ": it wants a user and a password (HTTPS_PROXY)"
	}
	return text
}

func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return proxyError(response.StatusCode)
}

// isPermanent reports whether a failure to connect would only repeat itself:
// a name that does not exist, a proxy that refuses, a peer that cannot be
// trusted or does not speak TLS.
func isPermanent(err error) bool {
	var (
		dns     *net.DNSError
		op      *net.OpError
		proxy   proxyError
		cert    *tls.CertificateVerificationError
		alert   tls.AlertError
		record  tls.RecordHeaderError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &dns):
		return dns.IsNotFound
	case errors.As(err, &proxy), errors.As(err, &cert), errors.As(err, &alert),
		errors.As(err, &record), errors.As(err, &host), errors.As(err, &unknown):
		return true
	case errors.As(err, &op):
		return op.Op == "proxyconnect" || op.Op == "remote error" || op.Op == "local error"
	}
	// net/http gives these no type.
	switch err.Error() {
	case "http: server gave HTTP response to HTTPS client",
		"tls: no supported versions satisfy MinVersion and MaxVersion",
		"Forbidden", "Proxy Authentication Required": // of a proxy, through a caller's transport
		return true
	}
	return false
}

// turnedAway reports whether an HTTP/2 server has said that it did not look at
// the request: REFUSED_STREAM, or a GOAWAY that leaves the request out.
// net/http gives it no type when it cannot send the request anew by itself.
func turnedAway(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "http2: Transport: cannot retry err [") &&
		(strings.Contains(text, "; REFUSED_STREAM;") || strings.Contains(text, "graceful shutdown GOAWAY"))
}
