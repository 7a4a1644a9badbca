package aimbrain_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

func TestCalls_SendSignedRequestAndReadResponse(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	for _, c := range calls.All() {
		t.Run(c.Fixture(), func(t *testing.T) {
			t.Parallel()
			request, recorded := fixture(t, "calls", c.Fixture()+".request.json"), fixture(t, "calls", c.Fixture()+".response.json")
			client, transport := mocked(t, func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				assert.Equal(t, "POST", r.Method)
				assert.Equal(t, "https://api.eu-west-1.aimbrain.com"+c.Path, r.URL.String())
				assert.Equal(t, request, string(body), "the request of testdata/calls, byte for byte")
				assert.EqualValues(t, len(body), r.ContentLength)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
				assert.Equal(t, testKey, r.Header.Get(aimbrain.HeaderAPIKey))
				assert.NoError(t, signer.Verify("POST", c.Path, body, r.Header.Get(aimbrain.HeaderSignature)))
				assert.Empty(t, r.Header.Get("Idempotency-Key"), "net/http would repeat the request")
				return httpmock.NewStringResponse(200, recorded), nil
			}, aimbrain.WithRegion(aimbrain.EUWest1))

			got, err := c.DoRecorded(t.Context(), client)
			require.NoError(t, err)
			result, response := calls.Bare(got)
			assert.Equal(t, c.Recorded, result, "the recorded result in internal/calls/table.go")
			assert.Equal(t, recorded, string(response.Body))
			assert.Equal(t, 200, response.StatusCode)
			assert.Equal(t, c.Metadata, string(response.Metadata))
			assert.Equal(t, 1, transport.GetTotalCallCount())
		})
	}
}
