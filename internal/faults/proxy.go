package faults

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
)

// Answers of proxies to CONNECT.
const (
	ProxyForbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
	ProxyPassword  = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
	ProxyBroken    = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
)

// NewProxy starts a proxy that answers CONNECT with a text of its own.
func NewProxy(answer string) (*Listener, error) {
	return Listen(func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, answer)
	})
}

// NewEndlessProxy starts a proxy whose answer to CONNECT is headers without
// end. It tells how many bytes of them were taken.
func NewEndlessProxy(taken func(int)) (*Listener, error) {
	line := "X-Endless: " + strings.Repeat("x", 1<<10) + "\r\n"
	return Listen(func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		for text := "HTTP/1.1 200 OK\r\n"; ; text = line {
			n, err := io.WriteString(conn, text)
			taken(n)
			if err != nil {
				return
			}
		}
	})
}

// NewTunnel starts a proxy that does its work, to one address whatever it is
// asked for.
func NewTunnel(to string) (*Listener, error) {
	return Listen(func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		request, err := http.ReadRequest(reader)
		if err != nil || request.Method != http.MethodConnect {
			return
		}
		var dialer net.Dialer
		there, err := dialer.DialContext(request.Context(), "tcp", to)
		if err != nil {
			_, _ = io.WriteString(conn, ProxyBroken)
			return
		}
		defer func() { _ = there.Close() }() // its bytes have been copied
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(there, reader)
			_ = there.Close()
		}()
		_, _ = io.Copy(conn, there)
		_ = conn.Close()
		<-done
	})
}
