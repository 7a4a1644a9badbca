package aimbraintest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/aimbrain/aimbrain-go"
)

// checkSignature refuses a request that is not signed by a known key pair. It
// does not use the client's signer, so that a mistake there is found here.
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
		return refuse(http.StatusUnauthorized, c.unknownKey(key, given))
	}
	right := mac([]byte(secret), []byte(c.request.Method), []byte("\n"), []byte(c.endpoint), []byte("\n"), c.body)
	if hmac.Equal([]byte(base64.StdEncoding.EncodeToString(right)), []byte(given)) {
		return nil
	}
	return refuse(http.StatusUnauthorized, c.mistake(key, secret, given))
}

func mac(secret []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
