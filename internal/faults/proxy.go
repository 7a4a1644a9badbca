package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// proxyResponse is a proxy's response to CONNECT with an error status.
func proxyResponse(status int) string {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\n", status, http.StatusText(status))
	if status == http.StatusProxyAuthRequired {
		text += "Proxy-Authenticate: Basic realm=\"x\"\r\n"
	}
	return text + "\r\n"
}

// NewProxy starts a proxy that responds to CONNECT with an error status.
func NewProxy(status int) (*Listener, error) {
	return Listen(func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, proxyResponse(status))
	})
}

// NewEndlessProxy starts a proxy whose response to CONNECT is headers without end.
// It counts the bytes of them that were read.
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

// NewTunnel starts a working proxy that connects to one address, whatever the
// requested one.
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
			_, _ = io.WriteString(conn, proxyResponse(http.StatusBadGateway))
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
