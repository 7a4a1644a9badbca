package aimbraintest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFake_RefusesInvalidCredentials(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	headers := []struct {
		name           string
		key, signature string
		status         int
		want           string
	}{
		{"no key", "", "x", 400, "X-aimbrain-apikey"},
		{"no signature", fake.APIKey(), "", 400, "X-aimbrain-signature"},
		{"unknown key", "another", "x", 401, "not known"},
		{"swapped", fake.APISecret(), sign(fake.APIKey(), "POST\n/v1/sessions\n"+sessionBody), 401, "are swapped"},
		{"secret as the key", fake.APISecret(), "x", 401, "in place of the API key"},
	}
	for _, row := range headers {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := request(t, fake, "/v1/sessions", sessionBody)
			r.Header.Set("X-aimbrain-apikey", row.key)
			r.Header.Set("X-aimbrain-signature", row.signature)
			if row.key == "" {
				r.Header.Del("X-aimbrain-apikey")
			}
			if row.signature == "" {
				r.Header.Del("X-aimbrain-signature")
			}
			response := do(t, fake, r)
			assert.Equal(t, row.status, response.status)
			assert.Contains(t, response.body, row.want)
			assert.NotContains(t, response.body, fake.APISecret())
		})
	}
}

func TestFake_AcceptsTheDocumentedSignature(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithCredentials("test", "secret"))
	r := request(t, fake, "/v1/sessions", sessionBody)
	r.Header.Set("X-aimbrain-signature", "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI=")
	assert.Equal(t, http.StatusOK, do(t, fake, r).status)
}
