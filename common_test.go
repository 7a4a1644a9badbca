package aimbrain_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// sessionID is the session of the recorded requests.
const sessionID = calls.SessionID

// fixture reads a file of testdata.
func fixture(tb testing.TB, path ...string) string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	require.NoError(tb, err, "add the recorded file")
	return string(content)
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
