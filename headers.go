package aimbrain

import (
	"encoding/base64"
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
	var values []string
	c.headers(func(_, value string) { values = append(values, credentialParts(value)...) })
	return values
}

// credentialParts returns what may be a credential in a header's value: the whole of
// it, its parts of 8 bytes or more without the scheme of an Authorization or the name
// of a cookie, and what a Basic one stands for. Servers echo the parts alone.
func credentialParts(value string) []string {
	const least = 8 // a shorter part is a word, see package redact
	parts := []string{value}
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(` ,;"'`, r) })
	for _, word := range words {
		for _, part := range []string{word, word[strings.IndexByte(word, '=')+1:]} {
			if len(part) >= least && part != value {
				parts = append(parts, part)
			}
		}
	}
	if len(words) == 2 && strings.EqualFold(words[0], "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(words[1]); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			parts = append(parts, string(plain))
			if len(password) >= least {
				parts = append(parts, password)
			}
		}
	}
	return parts
}

// isReservedHeader reports whether a header is not the caller's to set: those of the
// request itself, those of the connection, and those at which net/http sends a
// request again.
func isReservedHeader(canonical string) bool {
	canonical = textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(canonical, "_", "-")) // which some gateways do
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
