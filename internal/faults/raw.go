package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// A Listener passes every connection to a function, and counts connections and
// bytes. A connection is closed when the function returns.
type Listener struct {
	Addr string

	listener net.Listener
	conns    atomic.Int64
	bytes    atomic.Int64
	mu       sync.Mutex
	open     map[net.Conn]bool
	closing  bool
	running  sync.WaitGroup
}

// Listen starts a listener on a free port of this machine.
func Listen(handle func(net.Conn)) (*Listener, error) {
	listener, err := loopback()
	if err != nil {
		return nil, err
	}
	return listenOn(listener, handle), nil
}

func listenOn(listener net.Listener, handle func(net.Conn)) *Listener {
	l := &Listener{Addr: listener.Addr().String(), listener: listener, open: map[net.Conn]bool{}}
	l.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.conns.Add(1)
			if l.hold(conn) {
				l.running.Go(func() {
					defer l.drop(conn)
					handle(&countedConn{Conn: conn, bytes: &l.bytes})
				})
			}
		}
	})
	return l
}

func (l *Listener) hold(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		_ = conn.Close()
		return false
	}
	l.open[conn] = true
	return true
}

func (l *Listener) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
	_ = conn.Close()
}

// Conns returns how many connections were accepted.
func (l *Listener) Conns() int { return int(l.conns.Load()) }

// Bytes returns how many bytes were read from all connections.
func (l *Listener) Bytes() int64 { return l.bytes.Load() }

// Close ends the listener, its connections and its functions.
func (l *Listener) Close() {
	l.mu.Lock()
	l.closing = true
	_ = l.listener.Close()
	for conn := range l.open {
		_ = conn.Close()
	}
	l.mu.Unlock()
	l.running.Wait()
}

type countedConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// Reset ends a connection with a reset.
func Reset(conn net.Conn) {
	if counted, ok := conn.(*countedConn); ok {
		conn = counted.Conn
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // otherwise it would be an ordinary end
	}
	_ = conn.Close()
}

// A RequestReader reads the requests of an HTTP/1.1 connection.
type RequestReader struct{ reader *bufio.Reader }

// NewRequestReader returns a reader of the requests of a connection.
func NewRequestReader(conn net.Conn) RequestReader { return RequestReader{bufio.NewReader(conn)} }

// Next returns the body of the next request.
func (r RequestReader) Next() ([]byte, error) {
	request, err := http.ReadRequest(r.reader)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, fmt.Errorf("body of a request: %w", err)
	}
	return body, nil
}

// A Refuser is an address where connections are refused. It is the local end of a
// connection, bound to its port: nobody listens there, and nobody else can.
type Refuser struct {
	Addr string
	conn net.Conn
	far  *Listener
}

// NewRefuser returns such an address.
func NewRefuser() (*Refuser, error) {
	far, err := Listen(func(conn net.Conn) {
		var one [1]byte
		_, _ = conn.Read(one[:]) // until the local end is closed
	})
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	conn, err := dialer.DialContext(context.Background(), "tcp", far.Addr)
	if err != nil {
		far.Close()
		return nil, errors.Join(errors.New("no address that refuses"), err)
	}
	return &Refuser{Addr: conn.LocalAddr().String(), conn: conn, far: far}, nil
}

// Close frees the address.
func (r *Refuser) Close() { _ = r.conn.Close(); r.far.Close() }

// A Dialer is for http.Transport.DialContext. It counts the dials and calls its
// function.
type Dialer struct {
	Dials atomic.Int64
	Func  func(ctx context.Context, n int64, network, address string) (net.Conn, error)
}

// Dial calls the function with the number of the dial, 1 for the first.
func (d *Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.Func(ctx, d.Dials.Add(1), network, address)
}

// NoSuchHost is the error of the net package for a name that does not exist.
func NoSuchHost() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: VirtualHost, Server: "127.0.0.53:53", IsNotFound: true}}
}

// TemporaryDNS is the error of the net package for a resolver that fails
// temporarily.
func TemporaryDNS() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: VirtualHost, Server: "127.0.0.53:53", IsTemporary: true}}
}
