package aimbrain_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	fixtures "github.com/aimbrain/aimbrain-go/internal/fixture"
)

const sessionID = "4f1c2a9e-session"

// fixture reads a body of a fixture in testdata, byte for byte: of the request for
// "face-auth.request.json", and otherwise of the response. The files are written by
// hand, so that nothing in them is a placeholder.
func fixture(tb testing.TB, dir, name string) string {
	tb.Helper()
	stem, part, _ := strings.Cut(name, ".")
	exchange, err := fixtures.ReadFile(filepath.Join("testdata", dir, stem+".json"))
	require.NoError(tb, err)
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

// A call is one call of the client, its request on the wire, and its result from
// the recorded response.
type call struct {
	fixture  string
	endpoint string
	do       func(context.Context, *aimbrain.Client, ...aimbrain.CallOption) (any, error)
	want     any // the result without its Response
	metadata string
}

func calls() []call {
	face, voice := []byte("\xff\xd8a face"), []byte("caff a voice")
	android := 0
	touch := aimbrain.Touch{ID: 7, GroupID: &android, Phase: aimbrain.TouchMoved, Time: 1480, RX: 12.5, RY: 8, Radius: 21.5, Force: 0.25, Elements: []string{"login", "form"}}
	type C = *aimbrain.Client
	type O = []aimbrain.CallOption
	return []call{
		{"sessions", aimbrain.EndpointSessions, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1", ScreenHeight: 568, ScreenWidth: 320}, o...)
		}, aimbrain.Session{ID: sessionID, Face: aimbrain.NotEnrolled, Voice: aimbrain.Building, Behaviour: aimbrain.Enrolled}, ""},
		{"behavioural-submit", aimbrain.EndpointBehaviourSubmit, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Behaviour.Submit(ctx, sessionID, aimbrain.Events{
				Touches:       []aimbrain.Touch{touch},
				Accelerations: []aimbrain.Acceleration{{Time: 1490, X: 0.01, Y: -0.5, Z: 9.81}},
				TextEvents:    []aimbrain.TextEvent{{Time: 1500, Text: `a"b`}},
			}, o...)
		}, aimbrain.BehaviourSubmitResult{}, ""},
		{"behavioural", aimbrain.EndpointBehaviour, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Behaviour.Auth(ctx, sessionID, aimbrain.Events{
				MouseEvents: []aimbrain.MouseEvent{
					{Time: 1, DocumentX: 10, DocumentY: 20, ElementX: 1, ElementY: 2, Type: aimbrain.MouseDown, Elements: []string{"pay"}},
					{Time: 2, DocumentX: 11, DocumentY: 21, ElementX: 2, ElementY: 3, Type: aimbrain.MouseMove},
				},
				KeyEvents: []aimbrain.KeyEvent{{Time: 3, Key: "a", Direction: aimbrain.KeyDown, Elements: []string{"amount"}}},
				Other:     map[string]any{"scrollEvents": json.RawMessage(`[{"t":4,"dy":-3}]`)},
			}, o...)
		}, aimbrain.BehaviourAuthResult{Score: 0.8123, Status: aimbrain.Enrolled}, ""},
		{"score", aimbrain.EndpointScore, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Score.Get(ctx, sessionID, o...)
		}, aimbrain.ScoreResult{
			Session:  sessionID,
			Scores:   []aimbrain.ScoreEntry{{Type: "anomaly", Version: "3", Value: 0.125}, {Type: "face", Version: "2.1", Value: 1}},
			Metadata: []aimbrain.ScoreMetadata{{Name: "model", Value: "b-12"}, {Name: "samples", Value: "42"}},
		}, ""},
		{"face-token", aimbrain.EndpointFaceToken, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Face.Token(ctx, sessionID, aimbrain.TokenAuth, o...)
		}, aimbrain.Token{Text: "6-6-7"}, ""},
		{"face-enroll", aimbrain.EndpointFaceEnroll, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("\xff\xd8first face"), []byte("\xff\xd8second")), o...)
		}, aimbrain.FaceEnrollResult{ImagesCount: 2}, ""},
		{"face-auth", aimbrain.EndpointFaceAuth, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Face.Auth(ctx, sessionID, aimbrain.Photos(face), append(O{aimbrain.WithMetadata([]byte("branch 7"))}, o...)...)
		}, aimbrain.FaceAuthResult{Score: 0.9731, Liveliness: 0.25}, "trace-42"},
		{"face-compare", aimbrain.EndpointFaceCompare, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Face.Compare(ctx, aimbrain.Photos(face), aimbrain.Photos([]byte("\xff\xd8another")), o...)
		}, aimbrain.FaceCompareResult{Score: 0.31, Liveliness1: 0, Liveliness2: 1}, ""},
		{"voice-token", aimbrain.EndpointVoiceToken, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Voice.Token(ctx, sessionID, aimbrain.TokenEnroll3, o...)
		}, aimbrain.Token{Text: "My voice opens the door"}, ""},
		{"voice-enroll", aimbrain.EndpointVoiceEnroll, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Voice.Enroll(ctx, sessionID, aimbrain.Recordings([]byte("RIFF a voice")), o...)
		}, aimbrain.VoiceEnrollResult{VoiceSamples: 1}, ""},
		{"voice-auth", aimbrain.EndpointVoiceAuth, func(ctx context.Context, c C, o ...aimbrain.CallOption) (any, error) {
			return c.Voice.Auth(ctx, sessionID, aimbrain.Recordings(voice), o...)
		}, aimbrain.VoiceAuthResult{Score: 0.5, Liveliness: 0}, ""},
	}
}

func TestCalls_SendSignedRequestAndReadResponse(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, c := range calls() {
		seen[c.endpoint] = true
		t.Run(c.fixture, func(t *testing.T) {
			t.Parallel()
			recorded := fixture(t, "calls", c.fixture+".response.json")
			client, transport := mocked(t, func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				assert.Equal(t, "POST", r.Method)
				assert.Equal(t, "https://api.eu-west-1.aimbrain.com"+c.endpoint, r.URL.String())
				assert.Equal(t, fixture(t, "calls", c.fixture+".request.json"), string(body))
				assert.EqualValues(t, len(body), r.ContentLength)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
				assert.Equal(t, testKey, r.Header.Get(aimbrain.HeaderAPIKey))
				assert.NoError(t, signer.Verify("POST", c.endpoint, body, r.Header.Get(aimbrain.HeaderSignature)))
				assert.Empty(t, r.Header.Get("Idempotency-Key"), "net/http would repeat the request")
				return httpmock.NewStringResponse(200, recorded), nil
			}, aimbrain.WithRegion(aimbrain.EUWest1))

			got, err := c.do(t.Context(), client)
			require.NoError(t, err)
			result, response := withoutResponse(got)
			assert.Equal(t, c.want, result)
			assert.Equal(t, recorded, string(response.Body))
			assert.Equal(t, 200, response.StatusCode)
			assert.Equal(t, c.metadata, string(response.Metadata))
			assert.Equal(t, 1, transport.GetTotalCallCount())
		})
	}
	for _, endpoint := range aimbrain.Endpoints() {
		assert.True(t, seen[endpoint], "no fixture for %s", endpoint)
	}
}

// withoutResponse separates a result from its Response.
func withoutResponse(result any) (any, aimbrain.Response) {
	bare := reflect.New(reflect.TypeOf(result)).Elem()
	bare.Set(reflect.ValueOf(result))
	field := bare.FieldByName("Response")
	response, _ := field.Interface().(aimbrain.Response)
	field.SetZero()
	return bare.Interface(), response
}

func TestForward_SendsBytesUnchanged(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	odd := "{ \"faces\" : [\"AAAA\"],\r\n\t\"session\":\"x\",\"z\":1e2 }\n"
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.Equal(t, odd, string(body))
		assert.NoError(t, signer.Verify("POST", r.URL.Path, body, r.Header.Get(aimbrain.HeaderSignature)))
		return httpmock.NewStringResponse(200, `{"score":0.75,"liveliness":0.5,"extra":[]}`), nil
	})
	response, err := client.Forward(t.Context(), aimbrain.EndpointFaceAuth, []byte(odd))
	require.NoError(t, err)
	assert.Equal(t, `{"score":0.75,"liveliness":0.5,"extra":[]}`, string(response.Body))

	result, err := aimbrain.Decode[aimbrain.FaceAuthResult](response)
	require.NoError(t, err)
	assert.InDelta(t, 0.75, result.Score, 0)
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold))
	_, err = aimbrain.Decode[aimbrain.FaceCompareResult](response)
	var decode *aimbrain.DecodeError
	require.ErrorAs(t, err, &decode)
}

func TestDecode_RefusesResponseOfOtherEndpoint(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 200, `{"score":0.75,"liveliness":0.5}`)
	for _, endpoint := range []string{aimbrain.EndpointVoiceAuth, "/v1/iris/auth"} {
		response, err := client.Forward(t.Context(), endpoint, []byte(`{}`))
		require.NoError(t, err)
		_, err = aimbrain.Decode[aimbrain.FaceAuthResult](response)
		require.True(t, is[*aimbrain.DecodeError](err), "a response about a voice is not one about a face")
	}
}

func TestForward_UnknownEndpoint(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "/v1/iris/auth", r.URL.Path, "in lower case, as it is signed")
		return httpmock.NewStringResponse(200, ""), nil
	})
	_, err := client.Forward(t.Context(), "/v1/Iris/auth", []byte(`{}`))
	require.NoError(t, err)
}

func TestForward_IsAsStrictAsTypedCall(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 200, `{"score":0.1,"SCORE":0.9}`)
	_, err := client.Forward(t.Context(), aimbrain.EndpointFaceAuth, []byte(`{}`))
	var decode *aimbrain.DecodeError
	require.ErrorAs(t, err, &decode)

	client, _ = responding(t, 424, fixture(t, "errors", "424-user.json"))
	_, err = client.Forward(t.Context(), aimbrain.EndpointFaceAuth, []byte(`{}`))
	require.ErrorIs(t, err, aimbrain.CodeUserNotFound)
}

func TestForward_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{}`)
	for name, endpoint := range map[string]string{
		"empty":         "",
		"no slash":      "v1/score",
		"another host":  "//evil.example/v1/score",
		"whole URL":     "https://evil.example/v1/score",
		"query":         "/v1/score?a=b",
		"fragment":      "/v1/score#a",
		"dots":          "/v1/../admin",
		"dots at end":   "/v1/..",
		"escape":        "/v1/%2e%2e/admin",
		"space":         "/v1/score ",
		"line break":    "/v1/score\r\nHost: evil",
		"not ASCII":     "/v1/scöre",
		"empty segment": "/v1//score",
	} {
		_, err := client.Forward(t.Context(), endpoint, []byte(`{}`))
		var request *aimbrain.RequestError
		require.ErrorAs(t, err, &request, name)
		assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	}
	_, err := client.Forward(t.Context(), aimbrain.EndpointScore, nil)
	require.Error(t, err)
	_, err = client.Forward(t.Context(), aimbrain.EndpointScore, []byte(`{}`), aimbrain.WithMetadata([]byte("x")))
	require.Error(t, err)
	assert.Zero(t, transport.GetTotalCallCount())
}

func TestSetMember_ReplacesValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"replaced":          {`{"userId":"mallory","device":"d"}`, `{"userId":"u-\"1\"","device":"d"}`},
		"replaced, escaped": {`{"user\u0049d":"mallory"}`, `{"user\u0049d":"u-\"1\""}`},
		"inserted":          {`{ "device":"d"}`, `{"userId":"u-\"1\"", "device":"d"}`},
		"inserted, empty":   {`{}`, `{"userId":"u-\"1\""}`},
		"another type":      {`{"userId":{"a":1}}`, `{"userId":"u-\"1\""}`},
	} {
		got, err := aimbrain.SetMember([]byte(c.body), "userId", `u-"1"`)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, string(got), name)
	}
	for name, body := range map[string]string{
		"twice":           `{"userId":"a","userId":"b"}`,
		"twice, escaped":  `{"userId":"a","user\u0049d":"b"}`,
		"in other cases":  `{"userId":"a","userid":"b"}`,
		"in another case": `{"USERID":"b"}`,
		"escaped case":    `{"userId":"a","\u0055serId":"b"}`,
		"a long s":        `{"uſerId":"b"}`,
		"not an object":   `["userId"]`,
		"not JSON":        `userId=mallory`,
		"data after it":   `{"userId":"a"}{}`,
		"nothing":         ``,
		"trailing comma":  `{"userId":"a",}`,
		"bad UTF-8":       "{\"userId\":\"\xff\"}",
		"byte order mark": "\ufeff{}",
	} {
		_, err := aimbrain.SetMember([]byte(body), "userId", "u-1")
		var request *aimbrain.RequestError
		require.ErrorAs(t, err, &request, name)
	}
	_, err := aimbrain.SetMember([]byte(`{}`), "userId", "\xff")
	require.Error(t, err)
	assert.NotContains(t, strings.ToLower(err.Error()), ": :")
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
