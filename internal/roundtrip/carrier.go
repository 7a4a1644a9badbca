package roundtrip

import (
	"net/http"
	"sync"
)

// A Carrier is what carries the requests of one call. It is released when the call
// ends.
type Carrier struct {
	Send func(*http.Request) (*http.Response, error)
	// Own says that Send is that of the library's transport, with nothing around it.
	Own bool

	client *http.Client // a copy of the caller's, nil without one
	spare  *sync.Pool   // of carriers with a copy
}

// Always returns the same carrier for each call.
func Always(send func(*http.Request) (*http.Response, error), own bool) func() *Carrier {
	fixed := &Carrier{Send: send, Own: own}
	return func() *Carrier { return fixed }
}

// ByClient returns a carrier for one call by the caller's client as it is then. The
// client itself is never changed. Where it has no transport own carries the requests,
// see [transportOf].
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
		// Custom headers and bodies follow a redirect to any host: net/http holds back
		// the standard ones alone.
		c.client.CheckRedirect = useLastResponse
		c.Own = isOwn(c.client.Transport)
		return c
	}
}

func useLastResponse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transportOf returns what carries the requests of the caller's client. Without
// a transport it means http.DefaultTransport. As long as that is net/http's own,
// the library's does the same and more; a mock or a tracer that has taken its
// place must not be passed over.
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
