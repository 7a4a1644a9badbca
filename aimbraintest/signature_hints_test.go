package aimbraintest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func raw(secret, text string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func TestFake_ExplainsAWrongSignature(t *testing.T) {
	t.Parallel()
	const (
		key    = "aimbraintest-key"
		secret = "c2VjcmV0LXdpdGgtYS1zaGE/Pz8+" // valid base64, for the row that decodes it
		front  = "POST\n/v1/sessions\n"
		right  = front + sessionBody
	)
	hash256 := sha256.Sum256([]byte(secret))
	hash1 := sha1.Sum([]byte(secret))
	hash5 := md5.Sum([]byte(secret))
	decoded, err := base64.StdEncoding.DecodeString(secret)
	require.NoError(t, err)
	urlSafe := func(text string) string { // the secret makes it differ from the standard form
		return base64.URLEncoding.EncodeToString(raw(secret, text))
	}
	type row struct {
		name      string
		url       string // "" for the usual one
		body      string // "" for sessionBody
		signature string
		want      string
	}
	rows := []row{
		{name: "newline signed, not sent", signature: sign(secret, right+"\n"), want: "a newline at the body's end was signed, but not sent"},
		{name: "CR LF signed, not sent", signature: sign(secret, right+"\r\n"), want: "was signed, but not sent"},
		{name: "newline sent, not signed", body: sessionBody + "\n", signature: sign(secret, right), want: "was sent, but not signed"},
		{name: "white space around stripped", body: "  " + sessionBody + " \n", signature: sign(secret, right), want: "white space around the body was stripped"},
		{name: "newlines stripped", body: "{\n\"userId\": \"user\",\n \"device\":\"device\", \"system\":\"system\"}", signature: sign(secret, right), want: "newlines were stripped"},
		{name: "white space stripped", signature: sign(secret, front+strings.ReplaceAll(sessionBody, " ", "")), want: "white space was stripped"},
		{name: "marshalled compact", body: `{"userId": "a b", "device":"device", "system":"system"}`, signature: sign(secret, front+`{"userId":"a b","device":"device","system":"system"}`), want: "marshalled again"},
		{name: "marshalled indented", signature: sign(secret, front+"{\n  \"userId\": \"user\",\n  \"device\": \"device\",\n  \"system\": \"system\"\n}"), want: "marshalled again"},
		{name: "marshalled with tabs", signature: sign(secret, front+"{\n\t\"userId\": \"user\",\n\t\"device\": \"device\",\n\t\"system\": \"system\"\n}\n"), want: "marshalled again"},
		{name: "marshalled with sorted keys", signature: sign(secret, front+`{"device":"device","system":"system","userId":"user"}`), want: "marshalled again"},
		{name: "marshalled as Python does", signature: sign(secret, front+`{"userId": "user", "device": "device", "system": "system"}`), want: "marshalled again"},
		{name: "marshalled by Go with HTML escapes", body: `{"userId":"a<b","device":"device","system":"system"}`, signature: sign(secret, front+`{"device":"device","system":"system","userId":"a\u003cb"}`), want: "marshalled again"},
		{name: "empty body signed", signature: sign(secret, front), want: "an empty body was signed"},
		{name: "null signed", signature: sign(secret, front+"null"), want: "null or {}"},
		{name: "another body signed", signature: sign(secret, front+"x"), want: "none of the common mistakes"},
		{name: "another secret", signature: sign("another", right), want: "none of the common mistakes"},
		{name: "mixed case", url: "https://api.aimbrain.com/v1/Sessions", signature: sign(secret, "POST\n/v1/Sessions\n"+sessionBody), want: "mixed case"},
		{name: "query", url: "https://api.aimbrain.com/v1/sessions?a=b", signature: sign(secret, "POST\n/v1/sessions?a=b\n"+sessionBody), want: "the query was signed"},
		{name: "prefix", url: "https://gw.example/bio/v1/sessions", signature: sign(secret, "POST\n/bio/v1/sessions\n"+sessionBody), want: "the whole path of the URL was signed"},
		{name: "host and path", signature: sign(secret, "POST\napi.aimbrain.com/v1/sessions\n"+sessionBody), want: "the host was signed"},
		{name: "whole URL", signature: sign(secret, "POST\nhttps://api.aimbrain.com/v1/sessions\n"+sessionBody), want: "the host was signed"},
		{name: "no first slash", signature: sign(secret, "POST\nv1/sessions\n"+sessionBody), want: "without its first slash"},
		{name: "slash at the end", signature: sign(secret, "POST\n/v1/sessions/\n"+sessionBody), want: "a slash at its end"},
		{name: "secret with newline", signature: sign(secret+"\n", right), want: "white space around"},
		{name: "secret with CR LF", signature: sign(secret+"\r\n", right), want: "white space around"},
		{name: "secret with blank behind", signature: sign(secret+" ", right), want: "white space around"},
		{name: "secret with blank in front", signature: sign(" "+secret, right), want: "white space around"},
		{name: "secret in SHA-256, raw", signature: sign(string(hash256[:]), right), want: "hashed by SHA-256"},
		{name: "secret in SHA-256, hex", signature: sign(hex.EncodeToString(hash256[:]), right), want: "hashed by SHA-256"},
		{name: "secret in SHA-1, raw", signature: sign(string(hash1[:]), right), want: "hashed by SHA-1"},
		{name: "secret in SHA-1, hex", signature: sign(hex.EncodeToString(hash1[:]), right), want: "hashed by SHA-1"},
		{name: "secret in MD5, raw", signature: sign(string(hash5[:]), right), want: "hashed by MD5"},
		{name: "secret in MD5, upper hex", signature: sign(strings.ToUpper(hex.EncodeToString(hash5[:])), right), want: "hashed by MD5"},
		{name: "secret base64-decoded", signature: sign(string(decoded), right), want: "base64-decoded first"},
		{name: "secret base64-encoded", signature: sign(base64.StdEncoding.EncodeToString([]byte(secret)), right), want: "base64-encoded first"},
		{name: "hex", signature: hex.EncodeToString(raw(secret, right)), want: "in hex"},
		{name: "base64 of hex", signature: base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(raw(secret, right)))), want: "hex digits were put in base64"},
		{name: "URL-safe base64", signature: urlSafe(right), want: "URL-safe base64"},
		{name: "no padding", signature: strings.TrimRight(sign(secret, right), "="), want: "padding"},
		{name: "URL-safe without padding", signature: strings.TrimRight(urlSafe(right), "="), want: "URL-safe base64 without padding"},
		{name: "in quotes", signature: `"` + sign(secret, right) + `"`, want: "in quotes"},
		{name: "method in lower case", signature: sign(secret, "post\n/v1/sessions\n"+sessionBody), want: "upper case"},
		{name: "GET signed", signature: sign(secret, "GET\n/v1/sessions\n"+sessionBody), want: "another HTTP method was signed, GET"},
		{name: "PUT signed", signature: sign(secret, "PUT\n/v1/sessions\n"+sessionBody), want: "another HTTP method was signed, PUT"},
		{name: "OPTIONS signed, in lower case", signature: sign(secret, "options\n/v1/sessions\n"+sessionBody), want: "another HTTP method was signed, OPTIONS"},
		{name: "GET signed with a newline at the end", signature: sign(secret, "GET\n/v1/sessions\n"+sessionBody+"\n"), want: "another HTTP method was signed, GET"},
		{name: "curl --data of a file with a last newline", signature: sign(secret, right+"\n"), want: "--data-binary"},
		{name: "curl --data of an indented file", body: dropped(indentedFile), signature: sign(secret, front+indentedFile), want: "--data-binary"},
		{name: "curl --data of an indented file without a last newline", body: dropped(indentedFile), signature: sign(secret, front+strings.TrimSuffix(indentedFile, "\n")), want: "--data-binary"},
		{name: "curl --data of an indented file with CR LF", body: dropped(indentedFile), signature: sign(secret, front+strings.ReplaceAll(indentedFile, "\n", "\r\n")), want: "--data-binary"},
		{name: "curl --data of a file with tabs", body: dropped(tabbedFile), signature: sign(secret, front+tabbedFile), want: "--data-binary"},
		{name: "curl --data of a file with a short array in one line", body: dropped(mixedFile), signature: sign(secret, front+mixedFile), want: "--data-binary"},
		{name: "curl --data of a file with everything in one line but its members", body: dropped(flatFile), signature: sign(secret, front+flatFile), want: "--data-binary"},
		{name: "curl --data of a file without indentation", body: dropped(bareFile), signature: sign(secret, front+bareFile), want: "--data-binary"},
		{name: "text signed as Latin-1", body: latinBody, signature: sign(secret, front+latin1(latinBody)), want: "one byte a character"},
		{name: "text beyond Latin-1 signed by low bytes", body: wideBody, signature: sign(secret, front+lowBytes(wideBody)), want: "one byte a character"},
		{name: "text beyond Latin-1 signed by question marks", body: wideBody, signature: sign(secret, front+marks(wideBody, "??")), want: "one byte a character"},
		{name: "text beyond Latin-1 signed by a question mark a character", body: wideBody, signature: sign(secret, front+marks(wideBody, "?")), want: "one byte a character"},
		{name: "text signed as Latin-1 with a newline at the end", body: latinBody, signature: sign(secret, front+latin1(latinBody)+"\n"), want: "one byte a character"},
		{name: "text sent as Latin-1", body: latin1(latinBody), signature: sign(secret, front+latinBody), want: "sent as Latin-1"},
		{name: "no newlines", signature: sign(secret, "POST/v1/sessions"+sessionBody), want: "newlines between method, endpoint and body are missing"},
		{name: "no second newline", signature: sign(secret, "POST\n/v1/sessions"+sessionBody), want: "between endpoint and body"},
		{name: "no first newline", signature: sign(secret, "POST/v1/sessions\n"+sessionBody), want: "between method and endpoint"},
		{name: "CR LF between", signature: sign(secret, "POST\r\n/v1/sessions\r\n"+sessionBody), want: "CR LF"},
		{name: "backslash n between", signature: sign(secret, `POST\n/v1/sessions\n`+sessionBody), want: "a backslash and an n"},
		{name: "blanks between", signature: sign(secret, "POST /v1/sessions "+sessionBody), want: "these were blanks"},
		{name: "no method", signature: sign(secret, "/v1/sessions\n"+sessionBody), want: "the method was not signed"},
		{name: "body alone", signature: sign(secret, sessionBody), want: "the body alone was signed"},
		{name: "key as the secret", signature: sign(key, right), want: "the API key was used as the secret"},
		{name: "secret as the signature", signature: secret, want: "the secret itself was sent"},
		{name: "of the documentation", signature: "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI=", want: "the example signature of the documentation"},
		{name: "no signature at all", signature: "Bearer 17", want: "is not base64 of 32 bytes"},
		{name: "two mistakes", signature: hex.EncodeToString(raw(secret+"\n", right+"\n")), want: "in hex: send it in base64; and the secret was used with white space around it: a file's last newline, or a copied blank; and a newline"},
		{name: "two others", url: "https://gw.example/bio/v1/sessions", signature: sign(secret, "POST\n/bio/v1/sessions\n"+sessionBody+"\n"), want: "the whole path of the URL was signed"},
	}
	fake := aimbraintest.New(t, aimbraintest.WithCredentials(key, secret))
	behind := aimbraintest.New(t, aimbraintest.WithCredentials(key, secret), aimbraintest.WithPathPrefix("/bio"))
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			body := row.body
			if body == "" {
				body = sessionBody
			}
			to := fake
			if strings.Contains(row.url, "/bio/") {
				to = behind
			}
			r := request(t, to, "/v1/sessions", body)
			good := r.Header.Get("X-aimbrain-signature")
			if row.url != "" {
				other, err := http.NewRequestWithContext(t.Context(), http.MethodPost, row.url, strings.NewReader(body))
				require.NoError(t, err)
				other.Header = r.Header
				r = other
			}
			r.Header.Set("X-aimbrain-signature", row.signature)
			response := do(t, to, r)
			assert.Equal(t, http.StatusUnauthorized, response.status)
			assert.Zero(t, response.code(t))
			assert.Contains(t, response.body, row.want)
			assert.NotContains(t, response.body, good, "the text must not hold the right signature")
			assert.NotContains(t, response.body, secret)
		})
	}
}

func TestFake_UsesASecretWithWhiteSpaceUnchanged(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithCredentials("key", " padded "))
	assert.Equal(t, http.StatusOK, post(t, fake, "/v1/sessions", sessionBody).status)
	r := request(t, fake, "/v1/sessions", sessionBody)
	r.Header.Set("X-aimbrain-signature", sign("padded", "POST\n/v1/sessions\n"+sessionBody))
	assert.Contains(t, do(t, fake, r).body, "white space that belongs to the secret was stripped")

	fake = aimbraintest.New(t, aimbraintest.WithCredentials("key", "00ff17ab"))
	r = request(t, fake, "/v1/sessions", sessionBody)
	r.Header.Set("X-aimbrain-signature", sign("\x00\xff\x17\xab", "POST\n/v1/sessions\n"+sessionBody))
	assert.Contains(t, do(t, fake, r).body, "hex-decoded first")
}

func TestFake_ExplainsASecretUsedAsLatin1(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithCredentials("key", "a-sécret-of-14-bytes"))
	r := request(t, fake, "/v1/sessions", sessionBody)
	r.Header.Set("X-aimbrain-signature", sign("a-s\xe9cret-of-14-bytes", "POST\n/v1/sessions\n"+sessionBody))
	assert.Contains(t, do(t, fake, r).body, "the secret was used as Latin-1")
}

// Bodies for TestFake_ExplainsAWrongSignature. The files have line breaks, which
// curl --data @file does not send.
const (
	indentedFile = "{\n  \"userId\": \"a, {b}\",\n  \"device\": \"d\",\n  \"system\": \"s\",\n  \"more\": [\n    {\n      \"t\": 1\n    },\n    [],\n    {}\n  ]\n}\n"
	tabbedFile   = "{\n\t\"userId\": \"u\",\n\t\"device\": \"d\",\n\t\"system\": \"s\",\n\t\"more\": {\n\t\t\"t\": 1\n\t}\n}\n"
	mixedFile    = "{\n    \"userId\": \"u\",\n    \"device\": \"d\",\n    \"system\": \"s\",\n    \"more\": [1, 2, {\"t\": 1}]\n}\n"
	flatFile     = "{\n\"userId\": \"u\",\n\"device\": \"d\",\n\"system\": \"s\",\n\"more\": [1, 2, {\"t\": 1}]\n}\n"
	bareFile     = "{\n\"userId\":\"u\",\n\"device\":\"d\",\n\"system\":\"s\",\n\"more\":[\n1,\n2\n]\n}\n"
	latinBody    = `{"userId":"u","device":"Müller","system":"s"}`
	wideBody     = `{"userId":"u","device":"Müller 世 😀","system":"s"}`
)

// dropped returns what curl --data @file sends of a file.
func dropped(file string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(file) }

// latin1 returns a text in Latin-1. The text must have no other characters.
func latin1(text string) string {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

// lowBytes returns the low byte of each UTF-16 unit, as JavaScript code does by
// charCodeAt.
func lowBytes(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, byte(unit))
	}
	return string(b)
}

// marks returns a text in Latin-1 with a question mark for each other character,
// and with pair for a character of two UTF-16 units.
func marks(text, pair string) string {
	var b []byte
	for _, r := range text {
		switch {
		case r < 0x100:
			b = append(b, byte(r))
		case r < 0x10000:
			b = append(b, '?')
		default:
			b = append(b, pair...)
		}
	}
	return string(b)
}

// TestSignature_DeepNestingTakesBoundedWork: indented, a body that nests deeply takes
// the square of its size.
//
//nolint:paralleltest // it measures what the process allocates
func TestSignature_DeepNestingTakesBoundedWork(t *testing.T) {
	fake := aimbraintest.New(t)
	const depth = 3000
	body := `{"session":"s","faces":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, aimbrain.EndpointFaceAuth, bytes.NewReader([]byte(body)))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(aimbrain.HeaderAPIKey, fake.APIKey())
	request.Header.Set(aimbrain.HeaderSignature, "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSJ=")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, request)
	runtime.ReadMemStats(&after)
	assert.Equal(t, http.StatusUnauthorized, w.Code, w.Body.String())
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20))
}
