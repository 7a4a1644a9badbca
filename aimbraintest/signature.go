package aimbraintest

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/aimbrain/aimbrain-go"
)

// checkSignature refuses a request that is not signed by a known key pair. It does
// not use the client's signer, so that it finds a defect of that signer.
func (c *call) checkSignature() error {
	key := c.request.Header.Get(aimbrain.HeaderAPIKey)
	given := c.request.Header.Get(aimbrain.HeaderSignature)
	switch {
	case key == "":
		return refuse(http.StatusBadRequest, "the header "+aimbrain.HeaderAPIKey+" is missing: send the API key in it")
	case given == "":
		return refuse(http.StatusBadRequest, "the header "+aimbrain.HeaderSignature+" is missing: send the request's signature in it")
	}
	c.fake.mu.Lock()
	secret, known := c.fake.credentials[key]
	c.fake.mu.Unlock()
	if !known {
		return refuse(http.StatusUnauthorized, explain(func() string { return c.unknownKey(key, given) }))
	}
	right := mac([]byte(secret), []byte(c.request.Method), []byte("\n"), []byte(c.endpoint.Path), []byte("\n"), c.body)
	if hmac.Equal([]byte(base64.StdEncoding.EncodeToString(right)), []byte(given)) {
		return nil
	}
	return refuse(http.StatusUnauthorized, explain(func() string { return c.mistake(key, secret, given) }))
}

// explain calls a function that uses what FIPS 140-3 mode forbids: MD5, SHA-1 and
// short keys.
func explain(mistake func() string) (text string) {
	fips140.WithoutEnforcement(func() { text = mistake() })
	return text
}

func mac(secret []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
