package aimbrain

import (
	"net/textproto"
	"slices"
	"strings"
)

// WithHeader sends a header with every request, such as one by which a gateway in
// front of the API knows its callers. It may be given several times; the same name
// twice sends both values. The signature does not cover it. Its value is treated
// as a credential: it is in no log, and is taken out of errors.
//
// For a header that differs from call to call wrap a [Transport], see
// [WithTransport]. A name that is not a token, one that the library or net/http
// sets, and a value with control characters or beyond ASCII are a [*ConfigError].
func WithHeader(name, value string) Option {
	return func(c *config) error {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			return &ConfigError{Parameter: "WithHeader", Reason: "has a name that is not one of a header"}
		case isReservedHeader(canonical):
			return &ConfigError{Parameter: "WithHeader", Reason: "has the name " + canonical + ", which the library or net/http sets"}
		case value == "" || strings.TrimSpace(value) != value || !isPrintableASCII(value):
			return &ConfigError{Parameter: "WithHeader", Reason: "has an invalid value for " + canonical + ": it must be printable ASCII, without white space around it"}
		}
		before := c.headers
		c.headers = func(add func(name, value string)) {
			if before != nil {
				before(add)
			}
			add(canonical, value)
		}
		return nil
	}
}

// WithUserAgent puts the name of the calling program in front of the library's own
// in the User-Agent header: "login-service/2.1 aimbrain-go/0.1.0". It must be
// printable ASCII of 256 bytes at most, or it is a [*ConfigError].
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if product == "" || len(product) > 256 || strings.TrimSpace(product) != product || !isPrintableASCII(product) {
			return &ConfigError{Parameter: "WithUserAgent", Reason: "must be printable ASCII of 1 to 256 bytes, without white space around it"}
		}
		c.userAgent = product + " " + userAgent
		return nil
	}
}

const userAgent = "aimbrain-go/" + Version

// headerValues returns the values that [WithHeader] sends.
func (c *config) headerValues() []string {
	if c.headers == nil {
		return nil
	}
	var values []string
	c.headers(func(_, value string) { values = append(values, value) })
	return values
}

// isReservedHeader reports whether a header is not the caller's to set: those of the
// request itself, those of the connection, and those at which net/http sends a
// request again.
func isReservedHeader(canonical string) bool {
	for _, prefix := range []string{"X-Aimbrain-", "Content-", "Proxy-", "Sec-", "If-"} {
		if strings.HasPrefix(canonical, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"Accept", "Accept-Encoding", "Connection", "Date", "Expect", "Host", "Http2-Settings", "Idempotency-Key",
		"Keep-Alive", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Idempotency-Key",
	}, canonical)
}

// isToken reports whether a text is a token of RFC 9110, as a header's name must be.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isPrintableASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
