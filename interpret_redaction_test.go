package aimbrain_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// failingWith returns the error of a call whose transport fails with a text.
func failingWith(t *testing.T, key, secret, text string) string {
	t.Helper()
	client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.EUWest1), noRetries(), aimbrain.WithTransport(
		roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(text) })))
	require.NoError(t, err)
	_, err = client.Score.Get(t.Context(), sessionID)
	var network *aimbrain.NetworkError
	require.ErrorAs(t, err, &network)
	return network.Err.Error()
}

// TestRedaction_ShortCredentials tests that a credential of one byte does not make
// texts useless: it occurs in most words.
func TestRedaction_ShortCredentials(t *testing.T) {
	t.Parallel()
	const gone = "[redacted]"
	for _, c := range []struct {
		name        string
		key, secret string
		text, want  string
	}{
		{name: "part of words", key: "k", secret: "s", text: "dial tcp: connection refused: ask again", want: "dial tcp: connection refused: ask again"},
		{name: "alone", key: "k", secret: "s", text: "key k, secret s", want: "key " + gone + ", secret " + gone},
		{name: "at the ends", key: "k", secret: "s", text: "k or s", want: gone + " or " + gone},
		{name: "the whole text", key: "k", secret: "s", text: "s", want: gone},
		{name: "in a row", key: "k", secret: "s", text: "k k,k/s", want: gone + " " + gone + "," + gone + "/" + gone},
		{name: "in quotes", key: "k", secret: "s", text: `["k"] 's' <k>`, want: `["` + gone + `"] '` + gone + `' <` + gone + `>`},
		{name: "beside an underscore", key: "k", secret: "s", text: "_k_", want: "_" + gone + "_"},
		{name: "beside a letter that is not ASCII", key: "k", secret: "s", text: "éké", want: "é" + gone + "é"},
		{name: "in words and alone", key: "k", secret: "s", text: "kk k kk", want: "kk " + gone + " kk"},
		{name: "7 bytes within a word", key: "abcdefg", secret: "s", text: "xabcdefg abcdefgx 1abcdefg", want: "xabcdefg abcdefgx 1abcdefg"},
		{name: "7 bytes alone", key: "abcdefg", secret: "s", text: "(abcdefg)", want: "(" + gone + ")"},
		{name: "8 bytes within a word", key: "abcdefgh", secret: "s", text: "xabcdefghx", want: "x" + gone + "x"},
		{name: "with a hyphen at its end", key: "k-", secret: "s", text: "k- -k- k-a", want: gone + " -" + gone + " k-a"},
		{name: "one within the other", key: "abcd-efgh-ijkl", secret: "abcd", text: "with abcd-efgh-ijkl and abcd", want: "with " + gone + " and " + gone},
		{name: "beside another", key: "abcdefghij", secret: "s", text: "sabcdefghijs", want: gone + gone + gone},

		{name: "JSON escapes of it", key: "k", secret: "s", text: `no key \u006b`, want: gone},
		{name: "JSON escapes beside it", key: "k", secret: "s", text: `no key:\u0020k`, want: gone},
		{name: "a line break in JSON beside it", key: "k", secret: "s", text: `no key:\nk`, want: gone},
		{name: "a tab in JSON beside it", key: "k", secret: "s", text: `no key:\tk\t`, want: gone},
		{name: "HTML escapes of it", key: "k", secret: "s", text: "no key &#107;", want: gone},
		{name: "percent escapes of it", key: "k", secret: "s", text: "no%20key%20%6B", want: gone},
		{name: "percent escapes beside it", key: "k", secret: "s", text: "no%20key%20k", want: gone},
		{name: "escaped twice", key: "k", secret: "s", text: "key%2520k", want: gone},
		{name: "escapes that move its bounds", key: "k", secret: "s", text: `k\u0061 and \u0020k`, want: gone},
		{name: "escapes that hold none", key: "k", secret: "s", text: `refused:\u0020ask%20again`, want: `refused:\u0020ask%20again`},
		{name: "escapes in a word", key: "k", secret: "s", text: `refu\u0073ed`, want: `refu\u0073ed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, failingWith(t, c.key, c.secret, c.text))
			assert.Equal(t, c.want, failingWith(t, c.secret, c.key, c.text), "key and secret exchanged")
		})
	}
}

func TestRedaction_ShortCredentialsInResponse(t *testing.T) {
	t.Parallel()
	const key, secret = "k", "s"
	respond := func(status int, body string) (*aimbrain.APIError, aimbrain.Response) {
		responder := httpmock.NewStringResponder(status, body).HeaderSet(http.Header{
			"X-Note": {"ask the desk"}, "X-Key": {"k"}, "X-Both": {"key=k; secret=s"},
		})
		transport := httpmock.NewMockTransport()
		transport.RegisterNoResponder(responder)
		client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.EUWest1), noRetries(), aimbrain.WithTransport(transport))
		require.NoError(t, err)
		token, err := client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
		var api *aimbrain.APIError
		if !errors.As(err, &api) {
			require.NoError(t, err)
		}
		return api, token.Response
	}
	checkHeader := func(header http.Header) {
		t.Helper()
		assert.Equal(t, "ask the desk", header.Get("X-Note"))
		assert.Equal(t, "[redacted]", header.Get("X-Key"))
		assert.Equal(t, "key=[redacted]; secret=[redacted]", header.Get("X-Both"))
	}

	_, response := respond(200, `{"token":"6-6-7"}`)
	checkHeader(response.Header)

	api, _ := respond(400, `{"error":"the task is unknown to k","errors":[{"code":1,"description":"ask for s"}]}`)
	checkHeader(api.Header)
	assert.Equal(t, `{"error":"the task is unknown to [redacted]","errors":[{"code":1,"description":"ask for [redacted]"}]}`, string(api.Body))
	assert.Contains(t, api.Error(), "the task is unknown to [redacted]")

	for _, hidden := range []string{`{"error":"key:\nk"}`, `{"error":"` + escapeAll("s k") + `"}`, "<p>" + html.EscapeString(`"`) + "&#107;</p>", url.QueryEscape("secret s")} {
		api, _ = respond(400, hidden)
		assert.NotContains(t, string(api.Body), hidden)
	}

	// A credential at the place where a long body is cut is at the end of the
	// text.
	api, _ = respond(400, strings.Repeat(" .", 32<<10-1)+" k")
	assert.NotContains(t, string(api.Body), "k")
	api, _ = respond(400, strings.Repeat(" .", 32<<10-1)+" kk and more")
	assert.NotContains(t, string(api.Body), " k")
}
