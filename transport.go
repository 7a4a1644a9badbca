package aimbrain

import (
	"net/http"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// A Transport is the [http.RoundTripper] that carries a client's requests. A
// client makes one for itself; [NewTransport] makes one with other settings, for
// [WithTransport] or to be wrapped. It is safe for concurrent use, and meant to
// live as long as the program.
//
// It wants TLS 1.2 at least, offers HTTP/2 and pings silent connections, limits
// dialling, handshakes and headers, takes nothing compressed, keeps 512 idle
// connections for 45 s, and honours HTTPS_PROXY. Beyond what net/http's own
// transport does,
//
//   - it sends no request again of which a byte was written, unless an HTTP/2
//     server says that it did not read it: net/http repeats one for which it can
//     get the body again, such as a request that a wrapper made from another
//   - it ignores the Idempotency-Key header, at which net/http repeats a request
//   - HTTP/2 requests wait for a free stream, on 8 connections at most, and a
//     refused stream is requested again until the attempt's time ends
//   - it establishes 8 connections to a host at a time
//   - it discards a response that began before its request, and does not use an
//     HTTP/1.1 connection again after a 5xx or a 408
type Transport struct{ inner *transport.Transport }

// NewTransport returns a transport. The functions change the settings of the
// [http.Transport] inside, once, before NewTransport returns: another certificate
// authority, a client certificate, another proxy.
//
//	transport := aimbrain.NewTransport(func(t *http.Transport) {
//		t.TLSClientConfig.RootCAs = pool
//	})
//	client, err := aimbrain.New(key, secret, aimbrain.WithTransport(transport))
//
// Connections that a DialTLSContext makes are used for one request each over
// HTTP/1.1.
func NewTransport(configure ...func(*http.Transport)) *Transport {
	return &Transport{inner: transport.New(configure...)}
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t == nil || t.inner == nil {
		return nil, errNoTransport
	}
	return t.inner.RoundTrip(request)
}

// CloseIdleConnections closes the connections that carry no request. Those that
// carry one are closed when it ends, unless another request takes them before.
func (t *Transport) CloseIdleConnections() {
	if t != nil && t.inner != nil {
		t.inner.CloseIdleConnections()
	}
}

// isOwn reports whether a transport is the library's, with nothing around it.
func isOwn(transport http.RoundTripper) bool {
	_, own := transport.(*Transport)
	return own
}

const errNoTransport ErrorKind = "aimbrain: the transport was not made by NewTransport"
