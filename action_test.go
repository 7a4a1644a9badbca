package aimbrain_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// failure returns the error of a call to an endpoint with a responder.
func failure(t *testing.T, endpoint string, responder httpmock.Responder, opts ...aimbrain.Option) error {
	t.Helper()
	client, _ := mocked(t, responder, append([]aimbrain.Option{noRetries()}, opts...)...)
	_, err := client.Forward(t.Context(), endpoint, []byte(`{}`))
	require.Error(t, err)
	return err
}

func TestActionOf_AllErrors(t *testing.T) {
	t.Parallel()
	const auth, enroll = aimbrain.EndpointFaceAuth, aimbrain.EndpointFaceEnroll
	status := func(endpoint string, status int, body string) error {
		return failure(t, endpoint, httpmock.NewStringResponder(status, body))
	}
	broken := func(endpoint string, cause error, read bool) error {
		return failure(t, endpoint, func(r *http.Request) (*http.Response, error) {
			if read {
				_, _ = r.Body.Read(make([]byte, 1))
			}
			return nil, cause
		})
	}
	closed, _ := responding(t, 200, `{}`)
	require.NoError(t, closed.Close())
	_, errClosed := closed.Score.Get(t.Context(), sessionID)
	client, _ := responding(t, 200, `{}`)
	_, errArgument := client.Score.Get(t.Context(), "")
	_, errMedia := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos(nil))
	_, errTooLarge := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos(bytes.Repeat([]byte("x"), 2_000_000)))
	_, errConfig := aimbrain.New(testKey, "")
	_, errZero := aimbrain.Decode[aimbrain.FaceAuthResult](aimbrain.Response{})
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

	tests := []struct {
		name     string
		err      error
		want     aimbrain.Action
		audience aimbrain.Audience
		outcome  aimbrain.Outcome
	}{
		{name: "nil", outcome: aimbrain.OutcomeSucceeded},
		{name: "another package's", err: errors.New("disk full")},
		{name: "a code", err: status(auth, 422, `{"error":"x","errors":[{"code":10,"description":"dark"}]}`), want: aimbrain.ActionRetake, audience: aimbrain.AudiencePerson, outcome: aimbrain.OutcomeRefused},
		{name: "a status", err: status(auth, 403, `{"error":"x"}`), want: aimbrain.ActionNewSession, audience: aimbrain.AudienceProgram, outcome: aimbrain.OutcomeRefused},
		{name: "not enrolled", err: status(auth, 424, `{"error":"x"}`), want: aimbrain.ActionEnroll, audience: aimbrain.AudienceProgram, outcome: aimbrain.OutcomeRefused},
		{name: "a gateway's status", err: status(auth, 403, `<html>`), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeRefused},
		{name: "credentials", err: status(auth, 401, `{"error":"x"}`), want: aimbrain.ActionCheckCredentials, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeRefused},
		{name: "rate limited", err: status(enroll, 429, `{"error":"x"}`), want: aimbrain.ActionRetryLater, audience: aimbrain.AudienceProgram, outcome: aimbrain.OutcomeRefused},
		{name: "an authentication that failed", err: status(auth, 500, `{"error":"x"}`), want: aimbrain.ActionRetryLater, audience: aimbrain.AudienceProgram},
		{name: "an enrolment that failed", err: status(enroll, 500, `{"error":"x"}`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "an enrolment that failed with a code to retry", err: status(enroll, 500, `{"error":"x","errors":[{"code":170}]}`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "an enrolment that failed with a code of another action", err: status(enroll, 500, `{"error":"x","errors":[{"code":153}]}`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "an enrolment that failed with a code to retake", err: status(enroll, 500, `{"error":"x","errors":[{"code":1}]}`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "an enrolment with a 303", err: status(enroll, 303, ``), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "behaviour that failed", err: status(aimbrain.EndpointBehaviour, 503, `<html>`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "not sent", err: broken(enroll, refused, false), want: aimbrain.ActionRetryLater, audience: aimbrain.AudienceProgram, outcome: aimbrain.OutcomeNotSent},
		{name: "not sent, permanent", err: broken(enroll, x509.UnknownAuthorityError{}, false), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeNotSent},
		{name: "no such host", err: broken(auth, &net.DNSError{IsNotFound: true}, false), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeNotSent},
		{name: "an authentication that was lost", err: broken(auth, syscall.ECONNRESET, true), want: aimbrain.ActionRetryLater, audience: aimbrain.AudienceProgram},
		{name: "an enrolment that was lost", err: broken(enroll, syscall.ECONNRESET, true), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "a closed client", err: errClosed, want: aimbrain.ActionRetryLater, audience: aimbrain.AudienceProgram, outcome: aimbrain.OutcomeNotSent},
		{name: "no JSON", err: status(auth, 200, `<html>`), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator},
		{name: "an empty body", err: status(auth, 200, ``), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator},
		{name: "no score", err: status(auth, 200, `{"liveliness":1}`), want: aimbrain.ActionContactVendor, audience: aimbrain.AudienceOperator},
		{name: "an enrolment without its count", err: status(enroll, 200, `{}`), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "an endless response", err: status(auth, 200, strings.Repeat(" ", 600_000)), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator},
		{name: "an endless response to an enrolment", err: status(enroll, 200, strings.Repeat(" ", 600_000)), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
		{name: "a redirect", err: status(auth, 302, ``), want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeRefused},
		{name: "an argument", err: errArgument, want: aimbrain.ActionFixRequest, outcome: aimbrain.OutcomeNotSent},
		{name: "media", err: errMedia, want: aimbrain.ActionFixMedia, outcome: aimbrain.OutcomeNotSent},
		{name: "too large", err: errTooLarge, want: aimbrain.ActionFixMedia, outcome: aimbrain.OutcomeNotSent},
		{name: "a setting", err: errConfig, want: aimbrain.ActionFixConfig, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeNotSent},
		{name: "the zero Response", err: errZero, want: aimbrain.ActionCheckGateway, audience: aimbrain.AudienceOperator},
		{name: "of several the first", err: errors.Join(errors.New("x"), errConfig, errArgument), want: aimbrain.ActionFixConfig, audience: aimbrain.AudienceOperator, outcome: aimbrain.OutcomeNotSent},
		{name: "of several confirm", err: errors.Join(errConfig, fmt.Errorf("x: %w", status(enroll, 500, ``)), errArgument), want: aimbrain.ActionConfirm, audience: aimbrain.AudienceProgram},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.err
			if err != nil {
				err = fmt.Errorf("a payment: %w", err)
			}
			assert.Equal(t, tt.want.String(), aimbrain.ActionOf(err).String(), "%v", err)
			assert.Equal(t, tt.audience.String(), aimbrain.ActionOf(err).Audience().String())
			assert.Equal(t, tt.outcome.String(), aimbrain.OutcomeOf(err).String())
			if err != nil {
				assert.False(t, tt.want == aimbrain.ActionConfirm && !strings.Contains(err.Error(), "confirm it before you repeat the call"), "%v", err)
				assert.False(t, tt.want == aimbrain.ActionConfirm && strings.Contains(err.Error(), "retry later"), "%v", err)
			}
		})
	}
}

func TestPrompt_IsForPersonOnly(t *testing.T) {
	t.Parallel()
	for _, code := range aimbrain.Codes() {
		assert.Equal(t, code.Action() == aimbrain.ActionRetake, code.Prompt() != "", "%v", code)
		assert.Equal(t, code.Action() == aimbrain.ActionRetake, code.Action().Audience() == aimbrain.AudiencePerson, "%v", code)
	}
	assert.Empty(t, aimbrain.PromptOf(nil))
	assert.Empty(t, aimbrain.PromptOf(errors.New("disk full")))
	tests := []struct {
		name   string
		err    aimbrain.APIError
		prompt string
	}{
		{name: "a code", err: aimbrain.APIError{StatusCode: 422, Details: []aimbrain.ErrorDetail{{Code: aimbrain.CodePoorBrightness}}}, prompt: "Please try again in better light."},
		{name: "the first that has one", err: aimbrain.APIError{StatusCode: 422, Details: []aimbrain.ErrorDetail{{Code: 4711}, {Code: aimbrain.CodeFaceTooFar}}}, prompt: "Please move closer to the camera and try again."},
		{name: "no code, a face", err: aimbrain.APIError{StatusCode: 422, Endpoint: aimbrain.EndpointFaceAuth}, prompt: "Please take the picture or video again."},
		{name: "no code, a voice", err: aimbrain.APIError{StatusCode: 422, Endpoint: aimbrain.EndpointVoiceAuth}, prompt: "Please record your voice again."},
		{name: "a damaged file", err: aimbrain.APIError{StatusCode: 422, Details: []aimbrain.ErrorDetail{{Code: aimbrain.CodeMalformedImage}, {Code: aimbrain.CodeFaceTooFar}}}},
		{name: "a gateway's 422", err: aimbrain.APIError{StatusCode: 422, Gateway: true}},
		{name: "a server error", err: aimbrain.APIError{StatusCode: 500}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.prompt, tt.err.Prompt())
			assert.Equal(t, tt.prompt, aimbrain.PromptOf(errors.Join(errors.New("x"), fmt.Errorf("a payment: %w", &tt.err))))
		})
	}
}

func TestErrorText_HasNoRepetition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{
			name: "the status as a message", err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(404, `Not Found`)),
			want: "aimbrain: /v1/score: 404 Not Found from a gateway: check the base URL and its path prefix: there is no such endpoint",
		},
		{
			name: "a page of HTML", err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(502, `<html><title>502 Bad Gateway</title></html>`)),
			want: "aimbrain: /v1/score: 502 Bad Gateway from a gateway: a page of HTML: retry later; outcome unknown: the request may have been processed",
		},
		{
			name: "a package inside", err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(200, `{"a":1,"a":2}`)),
			want: "aimbrain: /v1/score: 200 OK: invalid response: it is not a strict JSON object: duplicate name at byte 7; outcome unknown: the request may have been processed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.EqualError(t, tt.err, tt.want)
		})
	}
}

func TestErrClosed_IsNotInvalidArgument(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{}`)
	require.NoError(t, client.Close())
	_, err := client.Score.Get(t.Context(), sessionID)
	require.ErrorIs(t, err, aimbrain.ErrClosed)
	assert.True(t, is[*aimbrain.NetworkError](err))
	assert.False(t, is[*aimbrain.RequestError](err))
	assert.EqualError(t, err, "aimbrain: /v1/score: no response: the client is closed")
	assert.Zero(t, transport.GetTotalCallCount())
}

func TestDecode_ZeroResponse(t *testing.T) {
	t.Parallel()
	_, err := aimbrain.Decode[aimbrain.FaceAuthResult](aimbrain.Response{})
	require.True(t, is[*aimbrain.DecodeError](err))
	assert.ErrorContains(t, err, "aimbrain: invalid response: it is the zero Response: check the error of Forward first")
}

func TestWithCallTimeout_ReplacesClientTimeout(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		client  []aimbrain.Option
		call    []aimbrain.CallOption
		took    time.Duration
		want    error
		limit   string
		invalid bool
	}{
		{name: "the default attempt", took: 15 * time.Second, want: aimbrain.ErrAttemptTimeout, limit: "the attempt timed out after 15s"},
		{name: "longer", call: []aimbrain.CallOption{aimbrain.WithCallTimeout(2*time.Minute, time.Minute)}, took: time.Minute, want: aimbrain.ErrAttemptTimeout, limit: "after 1m0s"},
		{name: "shorter", call: []aimbrain.CallOption{aimbrain.WithCallTimeout(time.Second, time.Minute)}, took: time.Second, want: aimbrain.ErrTotalTimeout, limit: "the call timed out after 1s"},
		{name: "the client's total", client: []aimbrain.Option{aimbrain.WithTimeout(3 * time.Second)}, took: 3 * time.Second, want: aimbrain.ErrTotalTimeout, limit: "after 3s"},
		{name: "no total", call: []aimbrain.CallOption{aimbrain.WithCallTimeout(0, time.Second)}, invalid: true},
		{name: "negative attempt", call: []aimbrain.CallOption{aimbrain.WithCallTimeout(time.Second, -1)}, invalid: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t)
				client := fake.Client(append(tt.client, noRetries())...)
				if !tt.invalid {
					fake.Queue(aimbraintest.Stall())
				}
				started := time.Now()
				_, err := client.Score.Get(t.Context(), "s", tt.call...)
				assert.Equal(t, tt.took, time.Since(started))
				if tt.invalid {
					assert.True(t, is[*aimbrain.RequestError](err), "%v", err)
					fake.AssertNoRequests(t)
					return
				}
				require.ErrorIs(t, err, tt.want)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, tt.limit)
			})
		})
	}
}

func TestErrors_LogValueOmitsServerText(t *testing.T) {
	t.Parallel()
	const canary = "canary"
	tests := []struct {
		name   string
		err    error
		status int
		want   []string // in addition to those of all errors
	}{
		{
			name: "APIError", status: 429, want: []string{"status", "codes", "retry_after"},
			err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(429, `{"error":"canary","errors":[{"code":999,"description":"canary"}]}`).HeaderSet(http.Header{"Retry-After": {"60"}})),
		},
		{
			name: "gateway", status: 502, want: []string{"status", "codes", "gateway"},
			err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(502, `canary`)),
		},
		{
			name: "DecodeError", status: 200, want: []string{"status"},
			err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(200, `{"canary":1,"canary":2}`)),
		},
		{
			name: "RedirectError", status: 302, want: []string{"status"},
			err: failure(t, aimbrain.EndpointScore, httpmock.NewStringResponder(302, ``).HeaderSet(http.Header{"Location": {"https://canary.example"}})),
		},
		{
			name: "NetworkError",
			err:  failure(t, aimbrain.EndpointScore, func(*http.Request) (*http.Response, error) { return nil, errors.New("malformed response canary") }),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Error("payment", "err", tt.err)
			assert.NotContains(t, log.String(), canary)
			var line struct {
				Err map[string]any `json:"err"`
			}
			require.NoError(t, json.Unmarshal(log.Bytes(), &line), log.String())
			names := []string{"endpoint", "action", "outcome", "attempts", "error"}
			for _, name := range append(names, tt.want...) {
				assert.Contains(t, line.Err, name)
			}
			assert.Len(t, line.Err, len(names)+len(tt.want))
			if tt.status != 0 {
				assert.InDelta(t, tt.status, line.Err["status"], 0)
			}
		})
	}
}

func TestLogValue_IsTheNameInJSONToo(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "action", aimbrain.ActionRetryLater, "who", aimbrain.ActionRetryLater.Audience(), "outcome", aimbrain.OutcomeNotSent, "face", aimbrain.Building)
	for _, want := range []string{`"action":"retry later"`, `"who":"program"`, `"outcome":"not sent"`, `"face":"building"`} {
		assert.Contains(t, log.String(), want)
	}
}

func TestErrors_LogShowsTheSystemsCause(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "err", aimbraintest.NewNetworkError(aimbrain.EndpointFaceAuth, syscall.ECONNREFUSED, aimbrain.OutcomeNotSent))
	assert.Contains(t, log.String(), syscall.ECONNREFUSED.Error())
}
