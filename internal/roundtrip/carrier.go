package roundtrip

import (
	"net/http"
	"sync"
)

// A Carrier sends the requests of one call. It is released when the call ends.
type Carrier struct {
	Send func(*http.Request) (*http.Response, error)
	// Own reports that Send is that of the library's transport, unwrapped.
	Own bool

	client *http.Client // a copy of the caller's, or nil
	spare  *sync.Pool   // of carriers with a copy
}

// Always returns the same carrier for each call.
func Always(send func(*http.Request) (*http.Response, error), own bool) func() *Carrier {
	fixed := &Carrier{Send: send, Own: own}
	return func() *Carrier { return fixed }
}

// ByClient returns a carrier for one call that uses the caller's client in its
// current state. The client itself is never changed. If it has no transport, own
// sends the requests, see [transportOf].
func ByClient(callers *http.Client, own http.RoundTripper, isOwn func(http.RoundTripper) bool) func() *Carrier {
	spare := new(sync.Pool)
	return func() *Carrier {
		c, ok := spare.Get().(*Carrier)
		if !ok {
			c = &Carrier{client: new(http.Client), spare: spare}
			c.Send = c.client.Do
		}
		*c.client = *callers
		c.client.Transport = transportOf(callers, own)
		// Custom headers and bodies follow a redirect to any host: net/http
		// removes only the standard ones.
		c.client.CheckRedirect = useLastResponse
		c.Own = isOwn(c.client.Transport)
		return c
	}
}

func useLastResponse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transportOf returns the transport of the caller's client. Without a transport a
// client means http.DefaultTransport. As long as that is net/http's own, the
// library's transport replaces it. A mock or a tracer that was set there must be
// used.
func transportOf(callers *http.Client, own http.RoundTripper) http.RoundTripper {
	if callers.Transport != nil {
		return callers.Transport
	}
	if _, plain := http.DefaultTransport.(*http.Transport); plain || http.DefaultTransport == nil {
		return own
	}
	return http.DefaultTransport
}

// Release ends the use of the carrier for a call.
func (c *Carrier) Release() {
	if c.spare != nil {
		*c.client = http.Client{}
		c.spare.Put(c)
	}
}
