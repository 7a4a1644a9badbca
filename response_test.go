package aimbrain_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

func TestResponse_InvalidIsErrorAndNoScore(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"missing":                    `{"liveliness":0.9}`,
		"null":                       `{"score":null,"liveliness":0.9}`,
		"a string":                   `{"score":"0.9","liveliness":0.9}`,
		"true":                       `{"score":true,"liveliness":0.9}`,
		"an array":                   `{"score":[0.9],"liveliness":0.9}`,
		"NaN":                        `{"score":NaN,"liveliness":0.9}`,
		"infinite":                   `{"score":1e999,"liveliness":0.9}`,
		"negative":                   `{"score":-0.1,"liveliness":0.9}`,
		"above 1":                    `{"score":1.1,"liveliness":0.9}`,
		"a percentage":               `{"score":97,"liveliness":0.9}`,
		"twice":                      `{"score":0.1,"score":0.9,"liveliness":0.9}`,
		"twice, one escaped":         `{"score":0.1,"sc\u006fre":0.9,"liveliness":0.9}`,
		"in another case only":       `{"SCORE":0.9,"liveliness":0.9}`,
		"spelled as English has it":  `{"score":0.9,"liveness":0.9}`,
		"liveliness null":            `{"score":0.9,"liveliness":null}`,
		"liveliness above 1":         `{"score":0.9,"liveliness":1.5}`,
		"a name twice further down":  `{"score":0.9,"liveliness":0.9,"a":{"b":1,"b":2}}`,
		"data after it":              `{"score":0.9,"liveliness":0.9}{"score":0.1}`,
		"byte order mark":            "\ufeff" + `{"score":0.9,"liveliness":0.9}`,
		"bad UTF-8":                  "{\"score\":0.9,\"liveliness\":0.9,\"a\":\"\xff\"}",
		"lone surrogate":             `{"score":0.9,"liveliness":0.9,"a":"\ud800"}`,
		"too deep":                   `{"score":0.9,"liveliness":0.9,"a":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`,
		"HTML":                       `<html><body>Welcome to the hotel's Wi-Fi</body></html>`,
		"an array of responses":      `[{"score":0.9,"liveliness":0.9}]`,
		"nothing":                    ``,
		"white space":                "  \n",
		"cut off":                    `{"score":0.9,"liveliness":0.9`,
		"a comment":                  `{"score":0.9,/* */"liveliness":0.9}`,
		"a leading zero":             `{"score":00.9,"liveliness":0.9}`,
		"a plus":                     `{"score":+0.9,"liveliness":0.9}`,
		"a control character":        "{\"score\":0.9,\"liveliness\":0.9,\"a\":\"\x01\"}",
		"NUL after it":               "{\"score\":0.9,\"liveliness\":0.9}\x00",
		"an error beside it":         `{"score":0.9,"liveliness":0.9,"error":"no face"}`,
		"an Error beside it":         `{"score":0.9,"liveliness":0.9,"Error":"no face"}`,
		"an error that is an object": `{"score":0.9,"liveliness":0.9,"error":{"code":1}}`,
		"an error that is a number":  `{"score":0.9,"liveliness":0.9,"error":1}`,
		"errors beside it":           `{"errors":[{"code":1}],"score":0.9,"liveliness":0.9}`,
		"errors of another shape":    `{"errors":{"code":1},"score":0.9,"liveliness":0.9}`,
		"errors that are a text":     `{"errors":"no face","score":0.9,"liveliness":0.9}`,
		"the score in another place": `{"result":{"score":0.9,"liveliness":0.9}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, transport := responding(t, 200, body)
			result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
			var decode *aimbrain.DecodeError
			require.ErrorAs(t, err, &decode)
			assert.Equal(t, 200, decode.StatusCode)
			assert.Equal(t, aimbrain.EndpointFaceAuth, decode.Endpoint)
			if utf8.ValidString(body) {
				assert.Equal(t, body[:min(len(body), 64<<10)], string(decode.Body))
			} else {
				assert.Equal(t, "[redacted]", string(decode.Body), "bytes that are not text may be media")
			}
			assert.Contains(t, err.Error(), "200 OK")
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
			assert.Equal(t, aimbrain.FaceAuthResult{}, result, "no partial result")
			assert.False(t, result.Matches(aimbrain.RecommendedThreshold))
			assert.Equal(t, 1, transport.GetTotalCallCount(), "an invalid response must not cause a retry")
		})
	}
}

func TestResponse_NamesAreCaseSensitive(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 200, `{"score":0.1,"SCORE":0.9,"liveliness":0,"Liveliness":1}`)
	result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.NoError(t, err)
	assert.InDelta(t, 0.1, result.Score, 0)
	assert.False(t, result.Matches(aimbrain.RecommendedThreshold))
	assert.InDelta(t, 0, result.Liveliness, 0)
}

func TestResponse_RequiredMembers(t *testing.T) {
	t.Parallel()
	for _, c := range calls.All() {
		for _, broken := range c.Broken {
			client, _ := responding(t, 200, broken)
			result, err := c.DoRecorded(t.Context(), client)
			require.Error(t, err, "%s: %s", c.Path, broken)
			assert.True(t, is[*aimbrain.DecodeError](err), "%s: %s: %v", c.Path, broken, err)
			assert.True(t, calls.IsZero(result), "%s: a partial result", c.Path)
		}
	}
}

// TestResponse_RequiredMemberIsNull tests the reason, as null is not a valid value
// of any member: the readers of numbers, strings and arrays refuse it too.
func TestResponse_RequiredMemberIsNull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ endpoint, body, reason string }{
		"score":  {endpoint: aimbrain.EndpointFaceAuth, body: `{"score":null,"liveliness":0.9}`, reason: `"score" is null`},
		"count":  {endpoint: aimbrain.EndpointFaceEnroll, body: `{"imagesCount":null}`, reason: `"imagesCount" is null`},
		"text":   {endpoint: aimbrain.EndpointFaceToken, body: `{"token":null}`, reason: `"token" is null`},
		"status": {endpoint: aimbrain.EndpointSessions, body: `{"session":"s","face":1,"voice":null,"behaviour":1}`, reason: `"voice" is null`},
		"array":  {endpoint: aimbrain.EndpointScore, body: `{"session":"4f1c2a9e-session","scores":null}`, reason: `"scores" is null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := responding(t, 200, c.body)
			result, err := calls.To(c.endpoint).DoRecorded(t.Context(), client)
			var decode *aimbrain.DecodeError
			require.ErrorAs(t, err, &decode)
			assert.Equal(t, c.reason, decode.Reason)
			assert.True(t, calls.IsZero(result), "a partial result: %v", result)
		})
	}
}

func TestResponse_OtherStatusThan200(t *testing.T) {
	t.Parallel()
	good := `{"score":0.9,"liveliness":0.9}`
	for _, status := range []int{201, 202, 203, 204, 206, 299} {
		client, _ := responding(t, status, good)
		_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		var decode *aimbrain.DecodeError
		require.ErrorAs(t, err, &decode, "%d", status)
		assert.Equal(t, status, decode.StatusCode)
	}
	client, _ := responding(t, 204, "")
	_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.Error(t, err)
	_, err = client.Behaviour.Submit(t.Context(), sessionID, touches())
	require.NoError(t, err, "a submission has no result")
}

func touches() aimbrain.Events { return aimbrain.Events{Touches: []aimbrain.Touch{{ID: 1}}} }

func TestResponse_MetadataOfOtherShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ member, want string }{
		"bytes":       {`,"metadata":"aGVsbG8="`, "hello"},
		"none":        {``, ""},
		"null":        {`,"metadata":null`, ""},
		"an object":   {`,"metadata":{"a":1}`, ""},
		"an array":    {`,"metadata":[]`, ""},
		"a number":    {`,"metadata":7`, ""},
		"not base64":  {`,"metadata":"hello!"`, ""},
		"empty bytes": {`,"metadata":""`, ""},
	} {
		client, _ := responding(t, 200, `{"score":0.9,"liveliness":0.1`+c.member+`}`)
		result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.NoError(t, err, name)
		assert.Equal(t, c.want, string(result.Response.Metadata), name)
	}
	client, _ := responding(t, 200, `{"session":"4f1c2a9e-session","scores":[],"metadata":{"a":[1]}}`)
	result, err := client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
	assert.Nil(t, result.Metadata)
	client, _ = responding(t, 200, `{"session":"4f1c2a9e-session","scores":[],"metadata":[7,{"value":1},{"name":"n","value":{"a":1}}]}`)
	result, err = client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
	assert.Equal(t, []aimbrain.ScoreMetadata{{Name: "n", Value: `{"a":1}`}}, result.Metadata)
}

func TestResponse_OtherContentType(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, httpmock.NewStringResponder(200, `{"score":0.9,"liveliness":0.1}`).HeaderSet(http.Header{"Content-Type": {"text/plain"}}))
	_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.NoError(t, err)
}

func TestResponse_SizeLimit(t *testing.T) {
	t.Parallel()
	start := `{"score":0.9,"liveliness":0.1,"pad":"`
	fill := func(size int) string { return start + strings.Repeat("x", size-len(start)-2) + `"}` }
	client, _ := responding(t, 200, fill(aimbrain.MaxResponseBytes))
	result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.NoError(t, err)
	assert.Len(t, result.Response.Body, aimbrain.MaxResponseBytes)

	client, _ = responding(t, 200, fill(aimbrain.MaxResponseBytes+1))
	_, err = client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	var large *aimbrain.TooLargeError
	require.ErrorAs(t, err, &large)
	assert.Equal(t, 200, large.StatusCode)
	assert.True(t, large.Response)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
}

// endless is a body without an end.
type endless struct{ read *int }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	*e.read += len(p)
	return len(p), nil
}

func TestResponse_EndlessIsReadToLimit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 422, 500} {
		var read int
		client, _ := mocked(t, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, ProtoMajor: 1, ContentLength: -1, TransferEncoding: []string{"chunked"}, Body: io.NopCloser(endless{&read})}, nil
		})
		_, err := client.Voice.Auth(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
		require.Error(t, err)
		assert.LessOrEqual(t, read, aimbrain.MaxResponseBytes+1)
		if status != 200 {
			require.ErrorIs(t, err, aimbrain.HTTPStatus(status), "the status is kept")
		}
	}
}

func TestResponse_CompressedIsRefused(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"score":0.9,"liveliness":0.1}`))
	_ = w.Close()
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		response := httpmock.NewBytesResponse(200, packed.Bytes())
		response.Header.Set("Content-Encoding", "gzip")
		return response, nil
	})
	_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	var decode *aimbrain.DecodeError
	require.ErrorAs(t, err, &decode)
	assert.Contains(t, err.Error(), "compressed")
}

func TestMatches_FailsClosed(t *testing.T) {
	t.Parallel()
	result := aimbrain.FaceAuthResult{Score: 0.5, Liveliness: 0.5}
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold), "the threshold itself is reached")
	assert.True(t, result.IsLive(0.5))
	assert.False(t, result.Matches(0.500001))
	nan := 0.0
	nan /= nan
	for _, threshold := range []float64{0, -1, nan, 1.1, 50} {
		assert.False(t, aimbrain.FaceAuthResult{Score: 1}.Matches(threshold), "a threshold of %v is invalid, and matches nobody", threshold)
	}
	for _, tiny := range []float64{0.000001, 0.5, 1} {
		assert.False(t, aimbrain.FaceAuthResult{}.Matches(tiny))
		assert.False(t, aimbrain.FaceAuthResult{}.IsLive(tiny))
		assert.False(t, aimbrain.FaceCompareResult{}.Matches(tiny))
		assert.False(t, aimbrain.VoiceAuthResult{}.Matches(tiny))
		assert.False(t, aimbrain.VoiceAuthResult{}.IsLive(tiny))
		assert.False(t, aimbrain.BehaviourAuthResult{Score: 1}.Matches(tiny), "a score is valid only for an enrolled user")
		assert.False(t, aimbrain.BehaviourAuthResult{Score: 1, Status: 7}.Matches(tiny))
		assert.True(t, aimbrain.BehaviourAuthResult{Score: 1, Status: aimbrain.Enrolled}.Matches(tiny))
	}
}

func TestByType_RefusesAmbiguousType(t *testing.T) {
	t.Parallel()
	result := aimbrain.ScoreResult{Scores: []aimbrain.ScoreEntry{{Type: "a", Value: 0.1}, {Type: "b"}, {Type: "b", Value: 1}}}
	entry, ok := result.ByType("a")
	assert.True(t, ok)
	assert.InDelta(t, 0.1, entry.Value, 0)
	_, ok = result.ByType("b")
	assert.False(t, ok)
	_, ok = result.ByType("c")
	assert.False(t, ok)
}

func TestModuleStatus_String(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "not enrolled", aimbrain.NotEnrolled.String())
	assert.Equal(t, "enrolled", aimbrain.Enrolled.String())
	assert.Equal(t, "building", aimbrain.Building.String())
	assert.Equal(t, "ModuleStatus(9)", aimbrain.ModuleStatus(9).String())
}

func TestResponse_EmptyErrorIsAccepted(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{`"error":null`, `"error":""`, `"error":false`, `"Error":""`, `"errors":[]`, `"errors":[ ]`, `"errors":null`, `"errors":{}`} {
		client, _ := responding(t, 200, `{"score":0.9,"liveliness":0.9,`+empty+`}`)
		result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.NoError(t, err, empty)
		assert.InDelta(t, 0.9, result.Score, 0, empty)
	}
}

// TestForward_RefusesSuccessStatusWithError covers all endpoints and one unknown
// endpoint. None of the responses is read by a typed call here.
func TestForward_RefusesSuccessStatusWithError(t *testing.T) {
	t.Parallel()
	const body = `{"score":0.9,"liveliness":0.9,"errors":[{"code":1,"description":"no face"}]}`
	for _, endpoint := range append(aimbrain.Endpoints(), "/v1/unknown") {
		client, _ := responding(t, 200, body)
		_, err := client.Forward(t.Context(), endpoint, []byte(`{"session":"s"}`))
		var decode *aimbrain.DecodeError
		assert.ErrorAs(t, err, &decode, endpoint)
	}
	_, err := aimbrain.Decode[aimbrain.FaceAuthResult](aimbrain.Response{StatusCode: 200, Body: []byte(body)})
	var decode *aimbrain.DecodeError
	assert.ErrorAs(t, err, &decode)
}

// TestScore_ReachesThresholdOnlyIfTextDoes covers texts whose nearest float64 is
// another number.
func TestScore_ReachesThresholdOnlyIfTextDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text      string
		threshold float64
		matches   bool
	}{
		{text: "0.5", threshold: 0.5, matches: true},
		{text: "5e-1", threshold: 0.5, matches: true},
		{text: "0.49999999999999999", threshold: 0.5, matches: false},
		{text: "0.499999999999999999999999999999999999", threshold: 0.5, matches: false},
		{text: "0.50000000000000001", threshold: 0.5, matches: true},
		{text: "0.9", threshold: 0.9, matches: true},
		{text: "0.89999999999999999", threshold: 0.9, matches: false},
		{text: "0.30000000000000004", threshold: 0.30000000000000004, matches: true},
		{text: "0.3", threshold: 0.30000000000000004, matches: false},
		{text: "0.99999999999999999", threshold: 1, matches: false},
		{text: "1", threshold: 1, matches: true},
		{text: "1e-999", threshold: 5e-324, matches: false},
	} {
		client, _ := responding(t, 200, `{"score":`+c.text+`,"liveliness":`+c.text+`}`)
		result, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.NoError(t, err, c.text)
		assert.Equal(t, c.matches, result.Matches(c.threshold), "%s against %v", c.text, c.threshold)
		assert.Equal(t, c.matches, result.IsLive(c.threshold), "%s against %v", c.text, c.threshold)
	}
	for _, text := range []string{"1.00000000000000001", "1.1", "-1e-400", "-0.1", "1e999"} {
		client, _ := responding(t, 200, `{"score":`+text+`,"liveliness":0.5}`)
		_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		var decode *aimbrain.DecodeError
		require.ErrorAs(t, err, &decode, text)
		assert.Contains(t, decode.Reason, "not in 0..1")
	}
}

// FuzzResponse compares the readers of all endpoints with encoding/json: accepted
// input must be JSON that both understand in the same way.
func FuzzResponse(f *testing.F) {
	all := calls.All()
	for i, call := range all {
		f.Add(i, []byte(fixture(f, "calls", call.Fixture()+".response.json")))
		for _, other := range all {
			f.Add(i, []byte(other.Response(1)))
		}
		for _, broken := range call.Broken {
			f.Add(i, []byte(broken))
		}
		f.Add(i, []byte(`{"score":0.1,"SCORE":0.9,"liveliness":0}`))
		f.Add(i, []byte(`{"score":0.49999999999999999,"liveliness":1}`))
	}
	var received []byte // inputs come one after the other
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(received)), ContentLength: int64(len(received))}, nil
	})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithTransport(transport), noRetries())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		received = body
		call := all[uint(which)%uint(len(all))]
		response, err := client.Forward(t.Context(), call.Path, []byte(`{}`))
		if err != nil {
			require.NotContains(t, err.Error(), "%!")
			return
		}
		result, err := call.Decode(response)
		require.NoError(t, err, "Forward accepts what Decode refuses")
		if len(body) == 0 && call.Empty {
			return
		}
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &members), "accepted what encoding/json does not")
		for _, score := range calls.Scores(result) {
			require.True(t, score.Value >= 0 && score.Value <= 1, "%s: %s is %v", call.Path, score.Name, score.Value)
			if score.Inner {
				continue
			}
			var want *float64
			require.NoError(t, json.Unmarshal(members[score.Name], &want))
			require.NotNil(t, want, "%s: %s is null", call.Path, score.Name)
			if score.Value != math.Nextafter(*want, 0) { // which it is for a text just below *want
				require.Equal(t, *want, score.Value, "%s: %s", call.Path, score.Name)
			}
		}
	})
}
