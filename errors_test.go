package aimbrain_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

func TestAPIError_RecordedErrors(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]struct {
		message string
		codes   []aimbrain.Code
		action  aimbrain.Action
		advice  string
	}{
		"400-missing-parameter.json":   {message: "Missing parameter: session", action: aimbrain.ActionFixRequest, advice: "look at the message and fix the request"},
		"400-old-deployment.json":      {message: "Bad request", action: aimbrain.ActionFixRequest, advice: "look at the message and fix the request"},
		"400-capital.json":             {message: "Bad request", action: aimbrain.ActionFixRequest, advice: "look at the message and fix the request"},
		"401-signature.json":           {message: "Unauthorized", codes: []aimbrain.Code{106}, action: aimbrain.ActionFixRequest, advice: "check that the request is not malformed"},
		"403-session.json":             {message: "Session not found", action: aimbrain.ActionNewSession, advice: "create a session and repeat the call with it"},
		"422-brightness-and-blur.json": {message: "Face not accepted", codes: []aimbrain.Code{10, 11}, action: aimbrain.ActionRetake, advice: "retake in better light"},
		"424-user.json":                {message: "Not enrolled", codes: []aimbrain.Code{107}, action: aimbrain.ActionEnroll, advice: "enrol the user first"},
		"460-token.json":               {message: "Token needed", codes: []aimbrain.Code{152}, action: aimbrain.ActionRequestToken, advice: "call the token endpoint first"},
		"500-unknown.json":             {message: "Server error", codes: []aimbrain.Code{999}, action: aimbrain.ActionConfirm, advice: "confirm whether it was processed before you repeat the call"},
		"422-code-not-documented.json": {message: "Something new", codes: []aimbrain.Code{4711}, action: aimbrain.ActionRetake, advice: "capture new media"},
		"422-half-broken-details.json": {message: "Odd", codes: []aimbrain.Code{7}, action: aimbrain.ActionRetake, advice: "retake closer"},
		"422-duplicate-errors.json":    {message: `{"error": "Two responses", "errors": [{"code": 107}], "errors": [{"code": 10}]}`, action: aimbrain.ActionCheckGateway, advice: "check the base URL, the proxy and the firewall: a gateway responded, not the API"},
		"502-load-balancer.json":       {message: fixture(t, "errors", "502-load-balancer.json")[:256], action: aimbrain.ActionConfirm, advice: "confirm whether it was processed before you repeat the call"},
		"503-no-body.json":             {action: aimbrain.ActionConfirm, advice: "confirm whether it was processed before you repeat the call"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			status, err := strconv.Atoi(file[:3])
			require.NoError(t, err)
			body := fixture(t, "errors", file)
			client, _ := responding(t, status, body)
			_, err = client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
			err = fmt.Errorf("handling a payment: %w", err)

			var api *aimbrain.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, status, api.StatusCode)
			assert.Equal(t, want.message, api.Message)
			assert.Equal(t, body, string(api.Body))
			assert.Equal(t, aimbrain.EndpointVoiceEnroll, api.Endpoint)
			assert.Equal(t, 1, api.Attempts)
			assert.Equal(t, want.action, api.Action())
			assert.Equal(t, want.advice, api.Remedy())
			var codes []aimbrain.Code
			for _, detail := range api.Details {
				codes = append(codes, detail.Code)
			}
			assert.Equal(t, want.codes, codes)
			require.ErrorIs(t, err, aimbrain.HTTPStatus(status))
			for _, code := range want.codes {
				require.ErrorIs(t, err, code)
			}
			require.NotErrorIs(t, err, aimbrain.CodeNoFace)
			require.NotErrorIs(t, err, aimbrain.HTTPStatus(418))
			assert.Equal(t, status >= 500, aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown)

			text := err.Error()
			assert.Contains(t, text, ": "+aimbrain.HTTPStatus(status).Error())
			assert.Contains(t, text, aimbrain.EndpointVoiceEnroll)
			if want.action == aimbrain.ActionConfirm {
				assert.Contains(t, text, "may have been processed, confirm it before you repeat the call")
			} else {
				assert.Contains(t, text, want.advice)
			}
			assert.NotContains(t, text, "\n")
			assert.LessOrEqual(t, len(text), 700)
		})
	}
}

func TestErrorKind_NeedsFormOfAPI(t *testing.T) {
	t.Parallel()
	inForm := map[string]string{
		"error":  `{"error":"no"}`,
		"Error":  `{"Error":"no"}`,
		"errors": `{"errors":[]}`,
	}
	notInForm := map[string]string{
		"HTML":               "<html><body>Forbidden</body></html>",
		"empty body":         "",
		"another object":     `{"message":"Forbidden"}`,
		"error not a string": `{"error":{"code":403}}`,
		"error null":         `{"error":null}`,
		"errors an object":   `{"errors":{"code":107}}`,
		"an array":           `["error"]`,
		"a name twice":       `{"error":"no","error":"yes"}`,
	}
	for status, kind := range map[int]aimbrain.ErrorKind{
		400: aimbrain.ErrBadRequest, 401: aimbrain.ErrUnauthorized, 403: aimbrain.ErrSessionNotFound,
		422: aimbrain.ErrMediaRejected, 424: aimbrain.ErrNotEnrolled, 460: aimbrain.ErrTokenRequired,
		429: aimbrain.ErrRateLimited, 500: aimbrain.ErrServerError, 502: aimbrain.ErrServerError,
		503: aimbrain.ErrServerError, 504: aimbrain.ErrServerError, 599: aimbrain.ErrServerError,
	} {
		eitherForm := status == 429 || status >= 500
		for name, body := range inForm {
			err := errorOf(t, status, body)
			assert.ErrorIs(t, err, kind, "%d %s", status, name)
			assert.ErrorIs(t, err, aimbrain.HTTPStatus(status), "%d %s", status, name)
			assert.False(t, err.Gateway, "%d %s", status, name)
			assert.NotEqual(t, aimbrain.ActionCheckGateway, err.Action(), "%d %s", status, name)
		}
		for name, body := range notInForm {
			err := errorOf(t, status, body)
			assert.Equal(t, eitherForm, errors.Is(err, kind), "%d %s", status, name)
			assert.ErrorIs(t, err, aimbrain.HTTPStatus(status), "%d %s", status, name)
			assert.True(t, err.Gateway, "%d %s", status, name)
			if !eitherForm {
				assert.Equal(t, aimbrain.ActionCheckGateway, err.Action(), "%d %s", status, name)
			}
			assert.NotEmpty(t, err.Remedy(), "%d %s", status, name)
			assert.Contains(t, err.Error(), "from a gateway", "%d %s", status, name)
		}
		for other := range map[aimbrain.ErrorKind]bool{aimbrain.ErrClosed: true, aimbrain.ErrSignature: true, "": true} {
			assert.NotErrorIs(t, errorOf(t, status, inForm["error"]), other)
		}
	}
}

// errorOf returns the error of a call that receives this response.
func errorOf(t *testing.T, status int, body string) *aimbrain.APIError {
	t.Helper()
	client, _ := responding(t, status, body, noRetries())
	_, err := client.Score.Get(t.Context(), sessionID)
	var api *aimbrain.APIError
	require.ErrorAs(t, err, &api)
	return api
}

func TestAPIError_GatewayStatusHasRemedy(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		action aimbrain.Action
		remedy string
	}{
		401: {aimbrain.ActionCheckGateway, "gateway"},
		403: {aimbrain.ActionCheckGateway, "firewall"},
		404: {aimbrain.ActionCheckGateway, "base URL"},
		407: {aimbrain.ActionCheckGateway, "HTTPS_PROXY"},
		413: {aimbrain.ActionFixMedia, "500 kB"},
		424: {aimbrain.ActionCheckGateway, "gateway"},
		511: {aimbrain.ActionRetryLater, "captive portal"},
	} {
		err := errorOf(t, status, "<html>")
		assert.Equal(t, want.action, err.Action(), status)
		assert.Contains(t, err.Remedy(), want.remedy, status)
	}
}

func TestOutcomeOf_UnknownForForeignErrorsOnly(t *testing.T) {
	t.Parallel()
	refused := errorOf(t, 422, `{"error":"no"}`)
	notSent := &aimbrain.RequestError{Argument: "faces", Reason: "is empty"}
	unknown := &aimbrain.NetworkError{}
	for name, c := range map[string]struct {
		err  error
		want aimbrain.Outcome
	}{
		"nil":                     {nil, aimbrain.OutcomeSucceeded},
		"foreign":                 {io.EOF, aimbrain.OutcomeUnknown},
		"foreign, wrapped":        {fmt.Errorf("outer: %w", io.EOF), aimbrain.OutcomeUnknown},
		"refused":                 {refused, aimbrain.OutcomeRefused},
		"not sent":                {notSent, aimbrain.OutcomeNotSent},
		"configuration":           {&aimbrain.ConfigError{}, aimbrain.OutcomeNotSent},
		"made by hand":            {unknown, aimbrain.OutcomeUnknown},
		"wrapped":                 {fmt.Errorf("outer: %w", refused), aimbrain.OutcomeRefused},
		"joined with a foreign":   {errors.Join(io.EOF, refused), aimbrain.OutcomeRefused},
		"not sent and refused":    {errors.Join(notSent, refused), aimbrain.OutcomeRefused},
		"refused and not sent":    {errors.Join(refused, notSent), aimbrain.OutcomeRefused},
		"not sent twice":          {errors.Join(notSent, notSent), aimbrain.OutcomeNotSent},
		"refused and unknown":     {errors.Join(refused, unknown), aimbrain.OutcomeUnknown},
		"unknown, then not sent":  {fmt.Errorf("%w, %w", unknown, notSent), aimbrain.OutcomeUnknown},
		"a response by hand, 422": {&aimbrain.APIError{StatusCode: 422}, aimbrain.OutcomeRefused},
		"a response by hand, 503": {&aimbrain.APIError{StatusCode: 503}, aimbrain.OutcomeUnknown},
	} {
		assert.Equal(t, c.want, aimbrain.OutcomeOf(c.err), name)
	}
	assert.Equal(t, "unknown, not sent, refused, succeeded, Outcome(9)",
		fmt.Sprintf("%v, %v, %v, %v, %v", aimbrain.OutcomeUnknown, aimbrain.OutcomeNotSent, aimbrain.OutcomeRefused, aimbrain.OutcomeSucceeded, aimbrain.Outcome(9)))
}

func TestCodes_HaveDescriptionActionAndRemedy(t *testing.T) {
	t.Parallel()
	codes := aimbrain.Codes()
	assert.Len(t, codes, 35)
	seen := map[aimbrain.Code]bool{}
	for _, code := range codes {
		assert.False(t, seen[code], "%d twice", code)
		seen[code] = true
		assert.NotEmpty(t, code.Description(), "%d", code)
		assert.NotEmpty(t, code.Remedy(), "%d", code)
		assert.NotEqual(t, aimbrain.ActionUnknown, code.Action(), "%d", code)
		assert.Contains(t, code.Error(), strconv.Itoa(int(code)))
		assert.NotContains(t, code.Action().String(), "Action(")
	}
	assert.False(t, seen[4], "code 4 is not assigned")
	assert.Equal(t, "code 4", aimbrain.Code(4).Error())
	assert.Equal(t, aimbrain.ActionUnknown, aimbrain.Code(4).Action())
	assert.Equal(t, "Action(99)", aimbrain.Action(99).String())
	assert.Equal(t, "unknown", aimbrain.ActionUnknown.String())
}

func TestAPIError_UndocumentedStatus(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 418, `{"error":"short and stout"}`)
	_, err := client.Score.Get(t.Context(), sessionID)
	var api *aimbrain.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, 418, api.StatusCode)
	assert.Equal(t, "short and stout", api.Message)
	assert.Equal(t, aimbrain.ActionUnknown, api.Action())
}

func TestAPIError_DetailsAreBounded(t *testing.T) {
	t.Parallel()
	body := `{"error":"many","errors":[` + strings.Repeat(`{"code":1},`, 1_000_000) + `{"code":1}]}`
	client, _ := responding(t, 422, body)
	_, err := client.Score.Get(t.Context(), sessionID)
	var api *aimbrain.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, 422, api.StatusCode)
	assert.LessOrEqual(t, len(api.Body), 64<<10)

	body = `{"error":"many","errors":[` + strings.Repeat(`{"code":1},`, 1000) + `{"code":1}]}`
	client, _ = responding(t, 422, body)
	_, err = client.Score.Get(t.Context(), sessionID)
	require.ErrorAs(t, err, &api)
	assert.Len(t, api.Details, 64)
	assert.Contains(t, err.Error(), "and more")
}

func TestAPIError_TextCannotForgeLogLines(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 400, `{"error":"bad\nlevel=INFO msg=\"access granted\"\u001b[2J\u2028"}`)
	_, err := client.Score.Get(t.Context(), sessionID)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\u2028")
}

func TestAPIError_LongTextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 400, `{"error":"`+strings.Repeat("é", 200)+`x"}`)
	_, err := client.Score.Get(t.Context(), sessionID)
	var api *aimbrain.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, strings.Repeat("é", 128), api.Message)
}

func TestErrors_KindsAreDistinct(t *testing.T) {
	t.Parallel()
	fail := func(body string, status int) error {
		client, _ := responding(t, status, body)
		_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
		return err
	}
	network := func() error {
		client, _ := mocked(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("cable cut") })
		_, err := client.Score.Get(t.Context(), sessionID)
		return err
	}
	request := func() error {
		client, _ := responding(t, 200, "{}")
		_, err := client.Score.Get(t.Context(), "")
		return err
	}
	config := func() error {
		_, err := aimbrain.New("", "")
		return err
	}
	redirect := func() error {
		client, _ := mocked(t, httpmock.NewStringResponder(302, "").HeaderSet(http.Header{"Location": {"https://evil.example/x"}}))
		_, err := client.Score.Get(t.Context(), sessionID)
		return err
	}
	kinds := map[string]struct {
		err  error
		kind func(error) bool
	}{
		"API":       {fail("{}", 422), is[*aimbrain.APIError]},
		"decode":    {fail("{}", 200), is[*aimbrain.DecodeError]},
		"too large": {fail(strings.Repeat(" ", aimbrain.MaxResponseBytes+1), 200), is[*aimbrain.TooLargeError]},
		"network":   {network(), is[*aimbrain.NetworkError]},
		"request":   {request(), is[*aimbrain.RequestError]},
		"config":    {config(), is[*aimbrain.ConfigError]},
		"redirect":  {redirect(), is[*aimbrain.RedirectError]},
	}
	for name, one := range kinds {
		require.Error(t, one.err, name)
		assert.True(t, strings.HasPrefix(one.err.Error(), "aimbrain: "), one.err.Error())
		for other, another := range kinds {
			assert.Equal(t, name == other, another.kind(fmt.Errorf("wrapped: %w", one.err)), "%s as %s", name, other)
		}
	}
}

func TestOutcomeOf_JoinedErrors(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, lost(syscall.ECONNRESET))
	_, sent := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
	_, refused := client.Face.Enroll(t.Context(), sessionID, aimbrain.Media{})
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(errors.Join(refused, sent)))
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(fmt.Errorf("both: %w, %w", sent, refused)))
	assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(errors.Join(refused, refused)))
	assert.NotEmpty(t, (&aimbrain.NetworkError{}).Error())
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
