package aimbraintest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFake_AllowsRequestsOfBrowsers(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	r := request(t, fake, "/v1/face/auth", "")
	r.Method = http.MethodOptions
	response := do(t, fake, r)
	assert.Equal(t, http.StatusNoContent, response.status)
	assert.Equal(t, "POST", response.header.Get("Access-Control-Allow-Methods"))
	assert.Equal(t, "content-type, x-aimbrain-apikey, x-aimbrain-signature", response.header.Get("Access-Control-Allow-Headers"))
	assert.NotEmpty(t, response.header.Get("Access-Control-Max-Age"))
	fake.AssertNoRequests(t)

	fake.Queue(aimbraintest.Raw(200, "", "").On(aimbrain.EndpointScore), aimbraintest.Status(500).On(aimbrain.EndpointFaceCompare))
	for _, endpoint := range append(aimbrain.Endpoints(), "/elsewhere") {
		assert.Equal(t, "*", post(t, fake, endpoint, sessionBody).header.Get("Access-Control-Allow-Origin"), endpoint)
	}
	assert.Equal(t, "*", response.header.Get("Access-Control-Allow-Origin"))
}
