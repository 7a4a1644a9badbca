package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A ProxyError is the HTTP status of a proxy that refuses a connection.
type ProxyError int

// Error returns the status and what to check.
func (e ProxyError) Error() string {
	text := "the proxy responded with HTTP " + strconv.Itoa(int(e))
	if e == http.StatusProxyAuthRequired {
		text += ": it requires a user and a password (HTTPS_PROXY)"
	}
	return text
}

// permanent reports whether the proxy would respond in the same way again. It
// would not when it is overloaded, restarts, or cannot reach the host at the
// moment.
func (e ProxyError) permanent() bool { return e < 500 && e != http.StatusTooManyRequests }

func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return ProxyError(response.StatusCode)
}

// IsPermanent reports whether a failure to connect would repeat itself: a name
// that does not exist, a proxy that refuses, a peer that is not trusted or does
// not speak TLS.
func IsPermanent(err error) bool {
	var (
		dns     *net.DNSError
		op      *net.OpError
		proxy   ProxyError
		cert    *tls.CertificateVerificationError
		alert   tls.AlertError
		record  tls.RecordHeaderError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &dns):
		return dns.IsNotFound
	case errors.As(err, &proxy):
		return proxy.permanent()
	case errors.As(err, &cert), errors.As(err, &alert),
		errors.As(err, &record), errors.As(err, &host), errors.As(err, &unknown):
		return true
	case errors.As(err, &op):
		return op.Op == "remote error" || op.Op == "local error"
	}
	// net/http gives these no type.
	switch text := err.Error(); text {
	case "http: server gave HTTP response to HTTPS client",
		"tls: no supported versions satisfy MinVersion and MaxVersion":
		return true
	default:
		return isProxyRefusal(text)
	}
}

// isProxyRefusal reports whether a text is a status from 400 to 499 other than
// 429. net/http reports with it that a proxy refused, through a transport without
// OnProxyConnectResponse.
func isProxyRefusal(text string) bool {
	for status := 400; status < 500; status++ {
		if standard := http.StatusText(status); standard != "" && text == standard {
			return status != http.StatusTooManyRequests
		}
	}
	return false
}

// IsTurnedAway reports whether net/http's own transport says that an HTTP/2 server
// did not read the request: REFUSED_STREAM, or a GOAWAY that excludes the request.
// net/http gives it no type when it cannot repeat the request.
func IsTurnedAway(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "http2: Transport: cannot retry err [") &&
		(strings.Contains(text, "; REFUSED_STREAM;") || strings.Contains(text, "graceful shutdown GOAWAY"))
}

// A streamError has the fields of net/http's own error, which converts itself into
// such a type for errors.As.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error. It is never called.
func (e streamError) Error() string { return "HTTP/2 stream error " + strconv.Itoa(int(e.Code)) }

// isRefusedStream reports whether an HTTP/2 server refused the stream unprocessed
// (RFC 9113, 8.7).
func isRefusedStream(err error) bool {
	const refusedStream = 0x7
	var stream streamError
	return errors.As(err, &stream) && stream.Code == refusedStream
}

// isUnprocessed reports whether a GOAWAY excluded the request, or the request was
// not written because the connection was closed already. net/http gives these no
// type.
func isUnprocessed(err error) bool {
	switch err.Error() {
	case "http2: Transport received Server's graceful shutdown GOAWAY",
		"http2: client conn not usable":
		return true
	}
	return false
}
