package aimbrain

import (
	"net/http"
	"sync"

	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
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
//     get the body again, such as a request that a wrapper made anew
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

// A carrier is what carries the requests of one call.
type carrier struct {
	roundtrip.Carrier

	client *http.Client // a copy of the caller's, nil without one
	spare  *sync.Pool   // of carriers with a copy
}

// alwaysBy returns the same carrier for each call.
func alwaysBy(transport http.RoundTripper) func() *carrier {
	_, own := transport.(*Transport)
	fixed := &carrier{Carrier: roundtrip.Carrier{Send: transport.RoundTrip, Own: own}}
	return func() *carrier { return fixed }
}

// byClient returns a carrier for one call by the caller's client as it is then.
// The client itself is never changed.
func byClient(callers *http.Client, own *Transport) func() *carrier {
	spare := new(sync.Pool)
	return func() *carrier {
		c, ok := spare.Get().(*carrier)
		if !ok {
			c = &carrier{client: new(http.Client), spare: spare}
			c.Send = c.client.Do
		}
		*c.client = *callers
		c.client.Transport = transportOf(callers, own)
		// Custom headers and bodies follow a redirect to any host: net/http holds back
		// the standard ones alone.
		c.client.CheckRedirect = useLastResponse
		_, c.Own = c.client.Transport.(*Transport)
		return c
	}
}

func useLastResponse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transportOf returns what carries the requests of the caller's client. Without
// a transport it means http.DefaultTransport. As long as that is net/http's own,
// the library's does the same and more; a mock or a tracer that has taken its
// place must not be passed over.
func transportOf(callers *http.Client, own *Transport) http.RoundTripper {
	if callers.Transport != nil {
		return callers.Transport
	}
	if _, plain := http.DefaultTransport.(*http.Transport); plain || http.DefaultTransport == nil {
		return own
	}
	return http.DefaultTransport
}

// release ends the use of the carrier for a call.
func (c *carrier) release() {
	if c.spare != nil {
		*c.client = http.Client{}
		c.spare.Put(c)
	}
}

const errNoTransport ErrorKind = "aimbrain: the transport was not made by NewTransport"
