package aimbrain

import (
	"crypto/fips140"
	"crypto/hmac"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/sign"
)

// The two headers that carry a signed request.
const (
	// HeaderAPIKey carries the API key.
	HeaderAPIKey = "X-aimbrain-apikey"
	// HeaderSignature carries the signature of the request, see [Signer.Sign].
	HeaderSignature = "X-aimbrain-signature"
)

// A Signer signs requests to the AimBrain API, and verifies such signatures.
// It is pure: no clock, no network, no state that a call leaves behind. It is
// safe for concurrent use.
//
// A signature covers the method, the endpoint and the body, and nothing else:
// no host and no time. Whoever captures a signed request can replay it for as
// long as the key pair lives, so a signature deserves the care of a password.
type Signer struct {
	pair sign.Pair
}

// NewSigner returns a signer for one key pair. The secret is used as the bytes
// it consists of: it is never trimmed, hashed or decoded first. A [*ConfigError]
// says which of the two is invalid, and never holds the value.
//
// A secret below 14 bytes is refused where FIPS 140-3 mode is enforced
// (GODEBUG=fips140=only), in which HMAC takes no shorter key.
func NewSigner(apiKey, apiSecret string) (*Signer, error) {
	if err := checkCredentials(apiKey, apiSecret); err != nil {
		return nil, err
	}
	return &Signer{pair: sign.NewPair(apiKey, apiSecret)}, nil
}

// Sign returns the value of the X-aimbrain-signature header:
// base64(HMAC-SHA256(secret, METHOD "\n" endpoint "\n" body)). The method is
// signed in upper case and the endpoint ("/v1/face/auth": no host, no query)
// in lower case, whatever the case they come in. The body must be the very
// bytes that are sent: a final newline or another order of the members makes
// another signature.
//
// It panics for a signer that [NewSigner] did not make. An empty string instead
// could be compared with the signature of a request that has none.
func (s *Signer) Sign(method, endpoint string, body []byte) string {
	if !s.made() {
		panic("aimbrain: Signer.Sign: the signer was not made by NewSigner")
	}
	signature := s.pair.Begin(method, endpoint)
	defer s.pair.End(signature)
	signature.Write(body)
	return signature.Sum()
}

// Verify reports whether signature is that of the request, and compares in
// constant time. The error is [ErrSignature] and never says what would have
// been right. For a signer that [NewSigner] did not make it is a [*ConfigError].
func (s *Signer) Verify(method, endpoint string, body []byte, signature string) error {
	if !s.made() {
		return &ConfigError{Parameter: "the signer", Reason: "was not made by NewSigner"}
	}
	if hmac.Equal([]byte(s.Sign(method, endpoint, body)), []byte(signature)) {
		return nil
	}
	return ErrSignature
}

// made reports whether the signer was made by NewSigner: a nil one and the zero
// value were not.
func (s *Signer) made() bool { return s != nil && s.pair.Credentials != nil }

// minFIPSSecret is the shortest key of an HMAC that FIPS 140-3 mode takes where it
// is enforced, in bytes: 112 bits. The standard library panics for a shorter one.
const minFIPSSecret = 14

const apiKeyParameter = "API key"

// checkCredentials refuses what cannot be a key pair. The errors never hold
// the values: they end up in start-up logs.
func checkCredentials(apiKey, apiSecret string) error {
	switch {
	case apiKey == "":
		return &ConfigError{Parameter: apiKeyParameter, Reason: "is empty"}
	case apiSecret == "":
		return &ConfigError{Parameter: "API secret", Reason: "is empty"}
	case strings.ContainsFunc(apiKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &ConfigError{Parameter: apiKeyParameter, Reason: "holds white space, a control character or a character outside ASCII: was it pasted with something around it?"}
	case strings.ContainsAny(apiSecret, "\r\n\x00"):
		return &ConfigError{Parameter: "API secret", Reason: "holds a line break or a NUL: was it read from a file with its newline?"}
	case len(apiSecret) < minFIPSSecret && fips140.Enforced():
		return &ConfigError{Parameter: "API secret", Reason: "is shorter than 14 bytes, which HMAC does not take in FIPS 140-3 mode (GODEBUG=fips140=only)"}
	}
	return nil
}
