package aimbraintest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// targets returns the errors that a program may look for by errors.Is.
func targets() []error {
	all := []error{
		aimbrain.ErrBadRequest, aimbrain.ErrUnauthorized, aimbrain.ErrSessionNotFound, aimbrain.ErrMediaRejected,
		aimbrain.ErrNotEnrolled, aimbrain.ErrTokenRequired, aimbrain.ErrRateLimited, aimbrain.ErrServerError,
		aimbrain.ErrAttemptTimeout, aimbrain.ErrTotalTimeout, aimbrain.ErrClosed,
		syscall.ECONNREFUSED, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded,
	}
	for code := range aimbrain.Code(1000) {
		all = append(all, code)
	}
	for status := 200; status < 600; status++ {
		all = append(all, aimbrain.HTTPStatus(status))
	}
	return all
}

// traits returns what a program can read of an error.
func traits(t *testing.T, err error) map[string]any {
	t.Helper()
	seen := map[string]any{"type": fmt.Sprintf("%T", err), "outcome": aimbrain.OutcomeOf(err).String()}
	var is []string
	for _, target := range targets() {
		if errors.Is(err, target) {
			is = append(is, target.Error())
		}
	}
	seen["is"] = is
	var api *aimbrain.APIError
	var network *aimbrain.NetworkError
	switch {
	case errors.As(err, &api):
		wait, asked := api.RetryAfter()
		seen["action"], seen["remedy"], seen["wait"], seen["asked"] = api.Action(), api.Remedy(), wait, asked
		seen["body"], seen["attempts"] = string(api.Body), api.Attempts
		seen["content type"] = api.Header.Get("Content-Type")
	case errors.As(err, &network):
		seen["timeout"], seen["attempts"], seen["endpoint"] = network.Timeout(), network.Attempts, network.Endpoint
		return seen
	}
	seen["text"] = err.Error()
	encoded, failure := json.Marshal(err)
	require.NoError(t, failure)
	seen["json"] = string(encoded)
	return seen
}

func TestNewError_EqualsTheErrorOfAClientOfTheFake(t *testing.T) {
	t.Parallel()
	const enroll, score, auth = aimbrain.EndpointFaceEnroll, aimbrain.EndpointScore, aimbrain.EndpointFaceAuth
	for _, row := range []struct {
		name     string
		endpoint string
		stubs    []aimbraintest.Stub
		times    int // attempts, 0 for one a stub
	}{
		{name: "code", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Code(aimbrain.CodePoorBrightness)}},
		{name: "two codes", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Code(aimbrain.CodePoorBrightness, aimbrain.CodeBlurry)}},
		{name: "unknown code with a status and a text", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Code(777).WithStatus(422).WithMessage("odd")}},
		{name: "no session", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Status(403)}},
		{name: "no token", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Status(460)}},
		{name: "too many requests, with a wait", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Status(429).WithRetryAfter(90 * time.Second)}},
		{name: "unavailable, with a wait of 0", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Status(503).WithRetryAfter(0)}},
		{name: "unavailable, with a date", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Status(503).WithHeader("Retry-After", "Wed, 25 Nov 2026 10:00:30 GMT").WithHeader("Date", "Wed, 25 Nov 2026 10:00:00 GMT")}},
		{name: "gateway's page", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Raw(502, "text/html", "<html>bad gateway</html>")}},
		{name: "gateway's page without a type", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Raw(502, "", "")}},
		{name: "redirect", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Raw(302, "", "").WithHeader("Location", "https://elsewhere.example/")}},
		{name: "redirect by 303", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Raw(303, "", "").WithHeader("Location", "https://elsewhere.example/")}},
		{name: "score out of range", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Raw(200, "application/json", `{"score":1.5,"liveliness":0}`)}},
		{name: "no JSON", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Raw(200, "application/json", `<html>`)}},
		{name: "empty response", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Raw(200, "application/json", "")}},
		{name: "large response", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Raw(200, "application/json", strings.Repeat(" ", aimbrain.MaxResponseBytes+1))}},
		{name: "not sent", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.NotSent()}},
		{name: "not sent, three times", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.NotSent().Times(3)}, times: 3},
		{name: "reset", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Reset()}},
		{name: "lost response", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.LostResponse()}},
		{name: "stalled", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.Stall()}},
		{name: "cut off", endpoint: score, stubs: []aimbraintest.Stub{aimbraintest.CutOff()}},
		{name: "not sent, then refused", endpoint: enroll, stubs: []aimbraintest.Stub{aimbraintest.NotSent(), aimbraintest.Status(401)}},
		{name: "reset, then refused", endpoint: score, stubs: []aimbraintest.Stub{aimbraintest.Reset(), aimbraintest.Status(401)}},
		{name: "reset, then refused, opted in", endpoint: auth, stubs: []aimbraintest.Stub{aimbraintest.Reset(), aimbraintest.Status(403)}},
		{name: "reset, then not sent", endpoint: score, stubs: []aimbraintest.Stub{aimbraintest.Reset(), aimbraintest.NotSent()}},
		{name: "unavailable, then a wait", endpoint: score, stubs: []aimbraintest.Stub{aimbraintest.Status(503), aimbraintest.Status(429).WithRetryAfter(time.Minute)}},
		{name: "reset, then a redirect", endpoint: score, stubs: []aimbraintest.Stub{aimbraintest.Reset(), aimbraintest.Raw(301, "", "")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t)
				fake.Enroll("u", "ada")
				id := newSession(t, fake.Client(), "u").ID
				fake.Queue(row.stubs...)
				policy := aimbrain.DefaultRetryPolicy()
				policy.RetryUnknownOutcome = []string{auth}
				policy.MaxAttempts = max(len(row.stubs), row.times)
				client := fake.Client(aimbrain.WithRetry(policy))
				_, want := client.Forward(t.Context(), row.endpoint, []byte(`{"session":"`+id+`"}`))
				require.Error(t, want)
				require.Empty(t, fake.Pending())
				assert.Equal(t, traits(t, want), traits(t, aimbraintest.NewError(row.endpoint, row.stubs...)))
			})
		})
	}
}

func TestNewError_NetworkErrorHasTheTextOfTheClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, stub := range []aimbraintest.Stub{aimbraintest.NotSent(), aimbraintest.Stall()} {
			fake := aimbraintest.New(t)
			fake.Queue(stub)
			_, want := fake.Client(once()).Sessions.Create(t.Context(), sessionRequest("u"))
			got := aimbraintest.NewError(aimbrain.EndpointSessions, stub)
			assert.Equal(t, want.Error(), got.Error())
		}
	})
}

func TestNewError_ResetHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	err := aimbraintest.NewError(aimbrain.EndpointFaceEnroll, aimbraintest.Reset())
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	assert.Contains(t, err.Error(), "outcome unknown")
}

func TestNewAPIError_HasStatusCodesAndOutcome(t *testing.T) {
	t.Parallel()
	err := aimbraintest.NewAPIError(aimbrain.EndpointFaceAuth, 422, aimbrain.CodePoorBrightness, aimbrain.CodeBlurry)
	require.ErrorIs(t, err, aimbrain.ErrMediaRejected)
	require.ErrorIs(t, err, aimbrain.CodePoorBrightness)
	require.ErrorIs(t, err, aimbrain.CodeBlurry)
	require.ErrorIs(t, err, aimbrain.HTTPStatus(422))
	assert.Equal(t, aimbrain.ActionRetake, err.Action())
	assert.Equal(t, aimbrain.OutcomeRefused, aimbrain.OutcomeOf(err))
	assert.Equal(t, 1, err.Attempts)
	assert.Equal(t, aimbrain.EndpointFaceAuth, err.Endpoint)
	assert.False(t, err.Gateway)

	for status, want := range map[int]error{
		400: aimbrain.ErrBadRequest, 401: aimbrain.ErrUnauthorized, 403: aimbrain.ErrSessionNotFound, 424: aimbrain.ErrNotEnrolled,
		429: aimbrain.ErrRateLimited, 460: aimbrain.ErrTokenRequired, 500: aimbrain.ErrServerError,
	} {
		err := aimbraintest.NewAPIError(aimbrain.EndpointVoiceAuth, status)
		require.ErrorIs(t, err, want)
		assert.Empty(t, err.Details)
		wantOutcome := aimbrain.OutcomeRefused
		if status == 500 {
			wantOutcome = aimbrain.OutcomeUnknown
		}
		assert.Equal(t, wantOutcome, aimbrain.OutcomeOf(err), "HTTP %d", status)
	}
}

func TestNewNetworkError_HasCauseAndOutcome(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.ECONNREFUSED, aimbrain.ErrAttemptTimeout, context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, errors.New("no route")} {
		for _, outcome := range []aimbrain.Outcome{aimbrain.OutcomeNotSent, aimbrain.OutcomeUnknown} {
			err := aimbraintest.NewNetworkError(aimbrain.EndpointFaceEnroll, cause, outcome)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, outcome, aimbrain.OutcomeOf(err))
			assert.Equal(t, outcome, aimbrain.OutcomeOf(fmt.Errorf("wrapped: %w", err)))
			assert.Equal(t, 1, err.Attempts)
			assert.Equal(t, aimbrain.EndpointFaceEnroll, err.Endpoint)
			assert.Contains(t, err.Error(), strings.TrimPrefix(cause.Error(), "aimbrain: "))
			assert.Equal(t, outcome == aimbrain.OutcomeUnknown, strings.Contains(err.Error(), "outcome unknown"))
		}
	}
	assert.True(t, aimbraintest.NewNetworkError(aimbrain.EndpointScore, context.DeadlineExceeded, aimbrain.OutcomeUnknown).Timeout())
}

func TestNewError_RetriesByTheRowOfTheEndpoint(t *testing.T) {
	t.Parallel()
	eachEndpoint(t, anyRow, func(t *testing.T, row endpoints.Endpoint) {
		twice := func() error { return aimbraintest.NewError(row.Path, aimbraintest.Reset().Times(2)) }
		if row.Repeat == endpoints.Never {
			assert.Panics(t, func() { _ = twice() }, "%s must not be retried: %s", row.Path, fromRow)
			return
		}
		var err error
		require.NotPanics(t, func() { err = twice() }, "%s may be retried: %s", row.Path, fromRow)
		var failed *aimbrain.NetworkError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, 2, failed.Attempts, "%s may be retried: %s", row.Path, fromRow)
	})
}

func TestNewError_PanicsForInvalidArguments(t *testing.T) {
	t.Parallel()
	const enroll = aimbrain.EndpointFaceEnroll
	for _, row := range []struct {
		name string
		do   func()
		want string
	}{
		{"no attempt", func() { _ = aimbraintest.NewError(enroll) }, "there is no attempt"},
		{"no stub", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Stub{}) }, "of the zero Stub"},
		{"score", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Score(1)) }, "Score(1) is no failure"},
		{"delay", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Delay(1)) }, "is no failure"},
		{"function", func() {
			_ = aimbraintest.NewError(enroll, aimbraintest.RespondWith(func(http.ResponseWriter, *http.Request) {}))
		}, "is no failure"},
		{"for ever", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Reset().Always()) }, "set the number of attempts by Times"},
		{"good response", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Raw(200, "", `{"imagesCount":1}`)) }, "the last response is a success"},
		{"enrolment sent twice", func() { _ = aimbraintest.NewError(enroll, aimbraintest.Reset(), aimbraintest.Status(500)) }, "does not retry a call to /v1/face/enroll after attempt 1 of these 2"},
		{"after a refusal", func() {
			_ = aimbraintest.NewError(aimbrain.EndpointScore, aimbraintest.Status(401), aimbraintest.Reset())
		}, "after attempt 1 of these 2"},
		{"after a wait", func() {
			_ = aimbraintest.NewError(aimbrain.EndpointScore, aimbraintest.Status(429).WithRetryAfter(time.Second), aimbraintest.Reset())
		}, "after attempt 1 of these 2"},
		{"no endpoint", func() { _ = aimbraintest.NewError("face", aimbraintest.Reset()) }, "must begin with one slash"},
		{"good status", func() { _ = aimbraintest.NewAPIError(enroll, 200) }, "must be an error"},
		{"no cause", func() { _ = aimbraintest.NewNetworkError(enroll, nil, aimbrain.OutcomeNotSent) }, "the cause is nil"},
		{"refused", func() { _ = aimbraintest.NewNetworkError(enroll, io.EOF, aimbrain.OutcomeRefused) }, "not refused"},
		{"half a second", func() { aimbraintest.Status(503).WithRetryAfter(time.Second / 2) }, "whole seconds"},
		{"negative wait", func() { aimbraintest.Status(503).WithRetryAfter(-time.Second) }, "whole seconds"},
		{"wait without a response", func() { aimbraintest.NotSent().WithRetryAfter(time.Second) }, "WithHeader does not go with NotSent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			defer func() { assert.Contains(t, fmt.Sprint(recover()), row.want) }()
			row.do()
		})
	}
}
