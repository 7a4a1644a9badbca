package aimbrain_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	fixtures "github.com/aimbrain/aimbrain-go/internal/fixture"
)

// sessionID is the session of the recorded requests.
const sessionID = calls.SessionID

// fixture reads a body of a fixture in testdata, byte for byte: of the request for
// "face-auth.request.json", and otherwise of the response. The files are written by
// hand, so that nothing in them is a placeholder.
func fixture(tb testing.TB, dir, name string) string {
	tb.Helper()
	stem, part, _ := strings.Cut(name, ".")
	exchange, err := fixtures.ReadFile(filepath.Join("testdata", dir, stem+".json"))
	require.NoError(tb, err, "add the recorded file")
	body := exchange.Response.Body
	if part == "request.json" {
		body = *exchange.Request.Body
	}
	literal, err := body.Literal()
	require.NoError(tb, err)
	return string(literal)
}

// mocked returns a client whose requests go to responder.
func mocked(tb testing.TB, responder httpmock.Responder, opts ...aimbrain.Option) (*aimbrain.Client, *httpmock.MockTransport) {
	tb.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(responder)
	opts = append([]aimbrain.Option{aimbrain.WithHTTPClient(&http.Client{Transport: transport})}, opts...)
	client, err := aimbrain.New(testKey, testSecret, opts...)
	if isRegionMissing(err) {
		client, err = aimbrain.New(testKey, testSecret, append(opts, aimbrain.WithRegion(aimbrain.Development))...)
	}
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	return client, transport
}

func isRegionMissing(err error) bool {
	var config *aimbrain.ConfigError
	return errors.As(err, &config) && config.Parameter == "region"
}

// responding returns a client that receives the same response to every request.
func responding(tb testing.TB, status int, body string, opts ...aimbrain.Option) (*aimbrain.Client, *httpmock.MockTransport) {
	tb.Helper()
	return mocked(tb, httpmock.NewStringResponder(status, body), opts...)
}

// noRetries makes every call one attempt.
func noRetries() aimbrain.Option {
	return retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts = 1 })
}

// quickRetries makes retries follow without a wait.
func quickRetries() aimbrain.Option {
	return retrying(func(policy *aimbrain.RetryPolicy) { policy.BaseDelay = 0 })
}

// retrying changes the default policy.
func retrying(change func(*aimbrain.RetryPolicy)) aimbrain.Option {
	policy := aimbrain.DefaultRetryPolicy()
	change(&policy)
	return aimbrain.WithRetry(policy)
}
