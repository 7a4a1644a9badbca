package aimbrain_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

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

func TestSetMember_CopiesHalfSurrogatePairInOtherMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{name: "high half", body: `{"textEvents":[{"tx":"pay \ud83d","t":1}],"session":"a"}`, want: `{"textEvents":[{"tx":"pay \ud83d","t":1}],"session":"s-1"}`},
		{name: "low half", body: `{"session":"a","textEvents":[{"tx":"\ude00 rent"}]}`, want: `{"session":"s-1","textEvents":[{"tx":"\ude00 rent"}]}`},
		{name: "high half before a pair", body: `{"session":"a","tx":"\ud83d\ud83d\ude00"}`, want: `{"session":"s-1","tx":"\ud83d\ud83d\ude00"}`},
		{name: "high half before an escaped quote", body: `{"session":"a","tx":"\ud83d\""}`, want: `{"session":"s-1","tx":"\ud83d\""}`},
		{name: "high half before another escape", body: `{"session":"a","tx":"\ud83d\u0022,\u0022"}`, want: `{"session":"s-1","tx":"\ud83d\u0022,\u0022"}`},
		{name: "two low halves", body: `{"session":"a","tx":"\uDE00\uDE00"}`, want: `{"session":"s-1","tx":"\uDE00\uDE00"}`},
		{name: "in the value that is replaced", body: `{"session":"\ud83d"}`, want: `{"session":"s-1"}`},
		{name: "without the member", body: `{"tx":"\ud83d"}`, want: `{"session":"s-1","tx":"\ud83d"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := aimbrain.SetMember([]byte(c.body), "session", "s-1")
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

func TestSetMember_RefusesHalfSurrogatePairInNamesAndValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body string }{
		{name: "in a name", body: `{"a\ud83d":1}`},
		{name: "in a name that is hidden by an escape", body: `{"\ud83dsession":1}`},
		{name: "in names that are one with U+FFFD", body: `{"a\ud83d":1,"a\ud83e":2}`},
		{name: "in a name beside the same with U+FFFD", body: `{"a\ud83d":1,"a\ufffd":2}`},
		{name: "in a name within", body: `{"textEvents":[{"tx\ude00":1}]}`},
		{name: "in the user id", body: `{"session":"a","userId":"u\ud83d"}`},
		{name: "in the user id, whose name is escaped", body: `{"session":"a","user\u0049d":"\ude00"}`},
		{name: "not hexadecimal", body: `{"session":"a","tx":"\ud83g"}`},
		{name: "before an escape that is none", body: `{"session":"a","tx":"\ud83d\q"}`},
		{name: "before half an escape", body: `{"session":"a","tx":"\ud83d\u00"}`},
		{name: "as bytes", body: "{\"session\":\"a\",\"tx\":\"\xed\xa0\xbd\"}"},
		{name: "the name twice behind it", body: `{"tx":"\ud83d","session":"a","sess\u0069on":"b"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := aimbrain.SetMember([]byte(c.body), "session", "s-1")
			var refused *aimbrain.RequestError
			require.ErrorAs(t, err, &refused)
		})
	}
	_, err := aimbrain.SetMember([]byte(`{"userId":"a","session":"\ud83d"}`), "userId", "u-1")
	require.ErrorContains(t, err, `"session"`)
}

func TestSetMember_ByteOrderMark(t *testing.T) {
	t.Parallel()
	_, err := aimbrain.SetMember([]byte("\ufeff{}"), "userId", "u-1")
	var refused *aimbrain.RequestError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Reason, "byte order mark (the bytes EF BB BF)")
	assert.Contains(t, refused.Reason, "without it")
}

func TestSetMember_RefusesBodyOfLimitUnread(t *testing.T) {
	t.Parallel()
	const limit = aimbrain.MaxRequestBytes
	filled := func(n int, session string) []byte {
		start, end := `{"session":"`+session+`","tx":"`, `"}`
		return []byte(start + strings.Repeat("x", n-len(start)-len(end)) + end)
	}
	for _, c := range []struct {
		name string
		body []byte
		ok   bool
	}{
		{name: "below it", body: filled(limit-4, "old"), ok: true},
		{name: "at it by the change", body: filled(limit-3, "old")},
		{name: "at it before the change", body: filled(limit, strings.Repeat("o", 99))},
		{name: "beyond it and no JSON", body: []byte(strings.Repeat("[", 6_000_000))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := aimbrain.SetMember(c.body, "session", "s-1234")
			if c.ok {
				require.NoError(t, err)
				assert.Len(t, got, limit-1)
				return
			}
			var large *aimbrain.TooLargeError
			require.ErrorAs(t, err, &large)
			assert.Equal(t, limit, large.Limit)
			assert.False(t, large.Response)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.NotContains(t, err.Error(), ": :")
		})
	}
}

// An object of many names needs a map, so that a second pass would be visible.
func TestSetMember_ReadsBodyOnce(t *testing.T) { //nolint:paralleltest // it counts allocations
	var b strings.Builder
	b.WriteString(`{"session":"old","touches":[`)
	for i := range 200 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j := range 40 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"name%d":%d`, j, i)
		}
		b.WriteByte('}')
	}
	b.WriteString(`]}`)
	body := []byte(b.String())
	space := make([]strictjson.Member, 0, 16)
	once := testing.AllocsPerRun(5, func() { _, _ = strictjson.Object(space, body) })
	require.Greater(t, once, 200.0)
	ours := testing.AllocsPerRun(5, func() { _, _ = aimbrain.SetMember(body, "session", "s-1") })
	assert.LessOrEqual(t, ours, once+8)

	large := make([]byte, 6_000_000)
	assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { _, _ = aimbrain.SetMember(large, "session", "s-1") }), 1.0)
}

// FuzzSetMember tests that SetMember changes one member of a request and nothing
// else.
func FuzzSetMember(f *testing.F) {
	for _, call := range calls.All() {
		f.Add([]byte(fixture(f, "calls", call.Fixture()+".request.json")), "u-1")
	}
	f.Add([]byte(`{"user\u0049d":"a"}`), "\u2028\"")
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		changed, err := aimbrain.SetMember(body, "userId", value)
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(body, &before) != nil || json.Unmarshal(changed, &after) != nil {
			t.Fatal("accepted what encoding/json does not")
		}
		var got string
		if err := json.Unmarshal(after["userId"], &got); err != nil || got != value {
			t.Fatalf("userId is %q: %v", got, err)
		}
		delete(before, "userId")
		delete(after, "userId")
		if len(before) != len(after) {
			t.Fatal("another member came or went")
		}
		for name, value := range before {
			if string(after[name]) != string(value) {
				t.Fatalf("%q changed", name)
			}
		}
	})
}
