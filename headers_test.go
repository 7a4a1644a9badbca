package aimbrain_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestWithHeader_IsSentWithAllAttempts(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client(aimbrain.WithHeader("x-gateway-key", "gw-1"), aimbrain.WithHeader("X-Gateway-Key", "gw-2"), aimbrain.WithHeader("Authorization", "Bearer b"),
		aimbrain.WithUserAgent("login-service/2.1"))
	fake.Queue(aimbraintest.Status(http.StatusTooManyRequests))
	_, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u", Device: "d", System: "s"})
	require.NoError(t, err)
	requests := fake.Requests()
	require.Len(t, requests, 2)
	for _, r := range requests {
		assert.Equal(t, []string{"gw-1", "gw-2"}, r.Header["X-Gateway-Key"])
		assert.Equal(t, []string{"Bearer b"}, r.Header["Authorization"])
		assert.Equal(t, []string{"login-service/2.1 aimbrain-go/" + aimbrain.Version}, r.Header["User-Agent"])
	}
}

func TestWithHeader_RefusesReservedHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		opt   aimbrain.Option
		valid bool
	}{
		{name: "a gateway's", opt: aimbrain.WithHeader("X-Tenant", "bank"), valid: true},
		{name: "an empty name", opt: aimbrain.WithHeader("", "v")},
		{name: "a name with a space", opt: aimbrain.WithHeader("X Tenant", "v")},
		{name: "a name with a line break", opt: aimbrain.WithHeader("X-A\r\nX-B", "v")},
		{name: "an empty value", opt: aimbrain.WithHeader("X-A", "")},
		{name: "a value with a line break", opt: aimbrain.WithHeader("X-A", "v\r\nX-B: 1")},
		{name: "a value with white space around it", opt: aimbrain.WithHeader("X-A", " v")},
		{name: "a value beyond ASCII", opt: aimbrain.WithHeader("X-A", "é")},
		{name: "the key", opt: aimbrain.WithHeader("x-aimbrain-APIKEY", "v")},
		{name: "the signature", opt: aimbrain.WithHeader("X-Aimbrain-Signature", "v")},
		{name: "the key with underscores", opt: aimbrain.WithHeader("X_Aimbrain_Apikey", "v")},
		{name: "the length", opt: aimbrain.WithHeader("Content-Length", "3")},
		{name: "the host", opt: aimbrain.WithHeader("host", "other")},
		{name: "a retry by net/http", opt: aimbrain.WithHeader("Idempotency-Key", "1")},
		{name: "another retry by net/http", opt: aimbrain.WithHeader("x-idempotency-key", "1")},
		{name: "compression", opt: aimbrain.WithHeader("Accept-Encoding", "gzip")},
		{name: "the connection", opt: aimbrain.WithHeader("Connection", "close")},
		{name: "a user agent", opt: aimbrain.WithHeader("User-Agent", "x")},
		{name: "WithUserAgent", opt: aimbrain.WithUserAgent("x/1 (y)"), valid: true},
		{name: "WithUserAgent, empty", opt: aimbrain.WithUserAgent("")},
		{name: "WithUserAgent, too long", opt: aimbrain.WithUserAgent(strings.Repeat("x", 257))},
		{name: "WithUserAgent, a line break", opt: aimbrain.WithUserAgent("x\ny")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.Development), tt.opt)
			if tt.valid {
				require.NoError(t, err)
				return
			}
			assert.True(t, is[*aimbrain.ConfigError](err), "%v", err)
		})
	}
}

func TestWithHeader_ValueIsNotInErrorsLogsOrDumps(t *testing.T) {
	t.Parallel()
	const value = "canary-gateway-credential"
	tests := []struct {
		name   string
		status int
		body   string
		header http.Header
	}{
		{name: "an error's text", status: 400, body: `{"error":"bad header canary-gateway-credential"}`},
		{name: "a gateway's page", status: 502, body: `<p>X-Gateway-Key: canary-gateway-credential</p>`},
		{name: "an error's header", status: 400, body: `{"error":"x"}`, header: http.Header{"X-Echo": {value}}},
		{name: "a result's header", status: 200, body: `{"session":"4f1c2a9e-session","scores":[]}`, header: http.Header{"X-Echo": {"a " + value}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client, _ := mocked(t, httpmock.NewStringResponder(tt.status, tt.body).HeaderSet(tt.header), noRetries(), aimbrain.WithHeader("X-Gateway-Key", value),
				aimbrain.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			result, err := client.Score.Get(t.Context(), sessionID)
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), value)
			assert.NotContains(t, fmt.Sprintf("%+v", result), value)
			assert.NotContains(t, fmt.Sprintf("%+v %#v", client, client), value)
			assert.NotContains(t, log.String(), value)
		})
	}
}

func TestWithHeader_PartOfAValueIsInNoError(t *testing.T) {
	t.Parallel()
	const token = "canary-token-93e0"
	basic := base64.StdEncoding.EncodeToString([]byte("gateway:" + token))
	tests := []struct{ name, header, value, echo string }{
		{name: "a bearer token", header: "Authorization", value: "Bearer " + token, echo: token},
		{name: "a basic password", header: "Authorization", value: "Basic " + basic, echo: token},
		{name: "a basic pair", header: "Authorization", value: "Basic " + basic, echo: "gateway:" + token},
		{name: "a basic pair as it is sent", header: "Authorization", value: "Basic " + basic, echo: basic},
		{name: "a cookie", header: "Cookie", value: "gwsession=" + token + "; route=a", echo: token},
		{name: "a cookie with its name", header: "Cookie", value: "gwsession=" + token + "; route=a", echo: "gwsession=" + token},
		{name: "a parameter in quotes", header: "X-Auth", value: `key="` + token + `", v=1`, echo: token},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{400, 200} {
				body := `{"error":"token ` + tt.echo + ` has expired"}`
				if status == 200 {
					body = `{"session":"` + sessionID + `","scores":[]}`
				}
				client, _ := mocked(t, httpmock.NewStringResponder(status, body).HeaderSet(http.Header{"X-Echo": {tt.echo}}), noRetries(), aimbrain.WithHeader(tt.header, tt.value))
				result, err := client.Score.Get(t.Context(), sessionID)
				all := fmt.Sprintf("%v %+v", err, result)
				var api *aimbrain.APIError
				if errors.As(err, &api) {
					all += fmt.Sprintf("%s %v %s", api.Body, api.Header, api.Message)
				}
				assert.NotContains(t, all, tt.echo)
				assert.NotContains(t, all, token)
			}
		})
	}
}
