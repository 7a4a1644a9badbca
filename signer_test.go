package aimbrain_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

const (
	testKey    = "canary-api-key-71c2"
	testSecret = "canary+secret/93e0=="
)

func TestSigner_MatchesVendorVector(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner("test", "secret")
	require.NoError(t, err)
	body := []byte(`{"userId": "user", "device":"device", "system":"system"}`)
	const published = "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI="
	assert.Equal(t, published, signer.Sign("POST", "/v1/sessions", body))
	assert.NoError(t, signer.Verify("POST", "/v1/sessions", body, published))
}

// golden is a line of testdata/signatures/golden.tsv, made with openssl.
type golden struct {
	name, secret, method, endpoint, body, signature string
}

func goldens(tb testing.TB) []golden {
	tb.Helper()
	file, err := os.ReadFile("testdata/signatures/golden.tsv")
	require.NoError(tb, err)
	var all []golden
	for line := range strings.Lines(string(file)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(tb, columns, 6)
		for i := range 4 {
			raw, err := hex.DecodeString(columns[1+i])
			require.NoError(tb, err)
			columns[1+i] = string(raw)
		}
		all = append(all, golden{columns[0], columns[1], columns[2], columns[3], columns[4], columns[5]})
	}
	require.NotEmpty(tb, all)
	return all
}

func TestSigner_MatchesOpenSSL(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			signer, err := aimbrain.NewSigner(testKey, g.secret)
			require.NoError(t, err)
			assert.Equal(t, g.signature, signer.Sign(g.method, g.endpoint, []byte(g.body)))
			assert.NoError(t, signer.Verify(g.method, g.endpoint, []byte(g.body), g.signature))
		})
	}
}

func TestVerify_RefusesWithoutShowingSignature(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	body := []byte(`{"session":"abc"}`)
	right := signer.Sign("POST", "/v1/score", body)
	raw, err := base64.StdEncoding.DecodeString(right)
	require.NoError(t, err)
	for name, wrong := range map[string]struct{ method, endpoint, body, signature string }{
		"no signature":     {method: "POST", endpoint: "/v1/score", body: string(body)},
		"other body":       {method: "POST", endpoint: "/v1/score", body: string(body) + "\n", signature: right},
		"other endpoint":   {method: "POST", endpoint: "/v1/face/auth", body: string(body), signature: right},
		"other method":     {method: "PUT", endpoint: "/v1/score", body: string(body), signature: right},
		"with a query":     {method: "POST", endpoint: "/v1/score?a=b", body: string(body), signature: right},
		"hex, not base64":  {method: "POST", endpoint: "/v1/score", body: string(body), signature: hex.EncodeToString(raw)},
		"base64 for URLs":  {method: "POST", endpoint: "/v1/score", body: string(body), signature: base64.URLEncoding.EncodeToString(raw) + "_"},
		"without padding":  {method: "POST", endpoint: "/v1/score", body: string(body), signature: strings.TrimRight(right, "=")},
		"with a space":     {method: "POST", endpoint: "/v1/score", body: string(body), signature: right + " "},
		"only a beginning": {method: "POST", endpoint: "/v1/score", body: string(body), signature: right[:20]},
		"another key's":    {method: "POST", endpoint: "/v1/score", body: string(body), signature: "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI="},
		"case inverted":    {method: "POST", endpoint: "/v1/score", body: string(body), signature: strings.ToLower(right)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := signer.Verify(wrong.method, wrong.endpoint, []byte(wrong.body), wrong.signature)
			require.ErrorIs(t, err, aimbrain.ErrSignature)
			assert.NotContains(t, err.Error(), right)
			assert.NotContains(t, err.Error(), testSecret)
		})
	}
}

func TestNewSigner_RefusesInvalidCredentialsWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]string{
		"empty key":         {"", testSecret},
		"empty secret":      {testKey, ""},
		"newline in key":    {testKey + "\n", testSecret},
		"CR in key":         {testKey + "\r", testSecret},
		"NUL in key":        {testKey + "\x00", testSecret},
		"space in key":      {" " + testKey, testSecret},
		"non-ASCII in key":  {testKey + "ü", testSecret},
		"bad UTF-8 in key":  {testKey + "\xff", testSecret},
		"newline in secret": {testKey, testSecret + "\n"},
		"CR in secret":      {testKey, testSecret + "\r\n"},
		"NUL in secret":     {testKey, testSecret + "\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := aimbrain.NewSigner(pair[0], pair[1])
			var config *aimbrain.ConfigError
			require.ErrorAs(t, err, &config)
			assert.NotContains(t, err.Error(), testKey)
			assert.NotContains(t, err.Error(), testSecret)
			_, err = aimbrain.New(pair[0], pair[1])
			require.ErrorAs(t, err, &config)
		})
	}
}

func FuzzSign(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.secret, g.method, g.endpoint, []byte(g.body))
	}
	f.Fuzz(func(t *testing.T, secret, method, endpoint string, body []byte) {
		signer, err := aimbrain.NewSigner("key", secret)
		if err != nil {
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(strings.ToUpper(method) + "\n" + strings.ToLower(endpoint) + "\n" + string(body)))
		want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for range 2 { // the second time with a hash that was used before
			if got := signer.Sign(method, endpoint, body); got != want {
				t.Fatalf("Sign = %q, the reference says %q", got, want)
			}
		}
		if err := signer.Verify(method, endpoint, body, want); err != nil {
			t.Fatal(err)
		}
	})
}
