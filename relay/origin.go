package relay

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// preflightTime is how long a browser may keep the response to a preflight.
const preflightTime = time.Hour

// isOrigin reports whether a text is an origin as in the Origin header: a scheme, a host
// and perhaps a port.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && u.User == nil && text == u.Scheme+"://"+u.Host && text == strings.ToLower(text)
}

// An origins decides which web pages may send requests.
type origins struct {
	trusted    []string
	protection http.CrossOriginProtection
}

// A source is where a request comes from.
type source int

const (
	ownOrigin     source = iota + 1 // the same origin, or no browser
	trustedOrigin                   // a page of another origin that is trusted
	foreignOrigin
)

// source returns where a request comes from. Two Origin headers are foreign.
func (o *origins) source(r *http.Request) source {
	switch values := r.Header.Values("Origin"); {
	case len(values) > 1:
		return foreignOrigin
	case len(values) == 1 && slices.Contains(o.trusted, values[0]):
		return trustedOrigin
	case o.protection.Check(r) != nil:
		return foreignOrigin
	}
	return ownOrigin
}

// preflight responds to the preflight of a trusted origin, and reports whether it was
// one.
func (o *origins) preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") != http.MethodPost || o.source(r) != trustedOrigin {
		return false
	}
	header := w.Header()
	allow(header, r)
	header.Set("Access-Control-Allow-Methods", http.MethodPost)
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" && len(headers) < 1024 {
		header.Set("Access-Control-Allow-Headers", headers)
	}
	header.Set("Access-Control-Max-Age", strconv.Itoa(int(preflightTime.Seconds())))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allow lets the page read the response. Credentials are not allowed.
func allow(header http.Header, r *http.Request) {
	header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	header.Add("Vary", "Origin")
}
