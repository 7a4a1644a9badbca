package aimbrain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// canaryFace is media that must not appear anywhere.
func canaryFace() []byte { return append([]byte("\xff\xd8CANARY-FACE"), noise(300)...) }

// sinks formats a value in every way that Go offers.
func sinks(v any) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%T", "%p", "%t", "%o", "%b", "%c", "%U", "%e"} {
		out = append(out, fmt.Sprintf(verb, v))
	}
	out = append(out, fmt.Sprint(v), fmt.Sprintln(v))
	hidden := struct{ v any }{v} // unexported fields: fmt reads them without calling methods
	out = append(out, fmt.Sprintf("%v %+v %#v %d %x %s", hidden, hidden, hidden, hidden, hidden, hidden))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
	out = append(out, log.String())
	if encoded, err := json.Marshal(v); err == nil {
		out = append(out, string(encoded))
	} else {
		out = append(out, err.Error())
	}
	var blob bytes.Buffer
	if err := gob.NewEncoder(&blob).Encode(v); err != nil {
		out = append(out, err.Error())
	}
	out = append(out, blob.String())
	if encoded, err := xml.Marshal(v); err == nil {
		out = append(out, string(encoded))
	}
	if err, ok := v.(error); ok {
		for _, inner := range unwrapped(err) {
			out = append(out, inner.Error(), fmt.Sprintf("%+v %#v", inner, inner))
		}
	}
	return out
}

func unwrapped(err error) []error {
	all := []error{err}
	switch e := err.(type) { //nolint:errorlint // the chain itself is tested
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = append(all, unwrapped(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, unwrapped(inner)...)
		}
	}
	return all
}

// disguises returns the forms that bytes take in the sinks.
func disguises(canary []byte) []string {
	decimal := strings.Trim(fmt.Sprint(canary), "[]")
	return []string{
		string(canary), hex.EncodeToString(canary), strings.ToUpper(hex.EncodeToString(canary)),
		base64.StdEncoding.EncodeToString(canary), strings.TrimRight(base64.StdEncoding.EncodeToString(canary[:len(canary)/3*3]), "="),
		decimal, strings.Trim(strconv.Quote(string(canary)), `"`), html.EscapeString(string(canary)),
		escapeAll(string(canary)), strings.ReplaceAll(string(canary), "/", `\/`), inHTML(string(canary)), url.QueryEscape(string(canary)), strings.TrimRight(string(canary), "="),
	}
}

func assertNoCanary(t *testing.T, what string, v any, canaries map[string][]string) {
	t.Helper()
	for _, out := range sinks(v) {
		for name, canary := range canaries {
			for _, disguise := range canary {
				if strings.Contains(out, disguise) {
					t.Errorf("%s: the %s is in %.200q", what, name, out)
				}
			}
		}
	}
}

func TestSinks_ShowNoCredentialsOrMedia(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	face := canaryFace()
	body := `{"session":"4f1c2a9e-session","faces":["` + base64.StdEncoding.EncodeToString(face) + `"]}`
	signature := signer.Sign("POST", aimbrain.EndpointFaceAuth, []byte(body))
	canaries := map[string][]string{
		"key": disguises([]byte(testKey)), "secret": disguises([]byte(testSecret)), "signature": disguises([]byte(signature)),
		"face": disguises(face[3:42]), // whole groups of base64
	}

	// The ways in which a response may repeat the request, and other failures.
	echoes := map[string]string{
		"as it is":     testKey + " " + testSecret + " " + signature + " " + body,
		"in JSON":      `{"error":` + strconv.Quote("no: "+testSecret+testKey+signature) + `,"errors":[{"code":1,"description":` + strconv.Quote(testSecret) + `}]}`,
		"JSON escapes": `{"error":"` + escapeAll(testSecret+" "+testKey+" "+signature) + `"}`,
		"slashes":      `{"error":"` + strings.ReplaceAll(signature+testSecret+base64.StdEncoding.EncodeToString(face), "/", `\/`) + `"}`,
		"HTML escapes": "<p>" + inHTML(testSecret+" "+testKey+" "+signature) + "</p>",
		"unpadded":     strings.TrimRight(signature, "=") + "\n" + strings.NewReplacer("+", "-", "/", "_").Replace(signature),
		"for URLs":     `{"error":"` + url.QueryEscape(signature+" "+testSecret+" "+testKey) + `"}`,
		"HTML in JSON": `{"error":` + strconv.Quote(inHTML(signature+" "+testSecret+" "+testKey)) + `}`,
		"JSON in JSON": `{"error":` + strconv.Quote(strings.ReplaceAll(signature+testSecret, "/", `\/`)) + `}`,
		"twice":        `{"error":"` + url.QueryEscape(url.QueryEscape(signature+" "+testSecret)) + `"}`,
		"in lines":     `{"error":` + strconv.Quote(inLines(base64.StdEncoding.EncodeToString(face))) + `}`,
		"in lines 2":   inLines(base64.StdEncoding.EncodeToString(face)),
		"a face, HTML": "<p>" + inHTML(base64.StdEncoding.EncodeToString(face)) + "</p>",
		"a face, URL":  url.QueryEscape(base64.StdEncoding.EncodeToString(face)),
		"as numbers":   fmt.Sprint(face),
		"raw":          string(face),
		"far behind":   strings.Repeat("x ", 32<<9) + testSecret + testKey + signature,
		"at the cut":   strings.Repeat(" ", 64<<10-5) + testSecret,
		"at the cut 2": strings.Repeat("y ", 125) + testSecret,
	}
	var faults []httpmock.Responder
	for _, echo := range echoes {
		for _, status := range []int{200, 302, 401, 502} {
			faults = append(faults, httpmock.NewStringResponder(status, echo).HeaderSet(http.Header{
				"X-Echo":   {testKey, testSecret, signature, url.QueryEscape(signature), inHTML(signature), base64.StdEncoding.EncodeToString(face)},
				testKey:    {"as a name"},
				"Location": {"https://" + testKey + ".example/" + testSecret},
			}))
		}
	}
	dump := func(r *http.Request) error {
		content, _ := io.ReadAll(r.Body)
		return fmt.Errorf("cannot send %v %s", r.Header, content)
	}
	faults = append(faults,
		func(r *http.Request) (*http.Response, error) { return nil, dump(r) },
		func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("deep: %w", dump(r)) },
		func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{dump(r)}))}, nil
		},
		httpmock.NewStringResponder(200, `{"score":0.5,"liveliness":0.5}`),
		httpmock.NewStringResponder(200, strings.Repeat(testSecret, 100_000)),
	)
	for i, fault := range faults {
		var log bytes.Buffer
		var attempts []aimbrain.Attempt
		client, _ := mocked(t, fault,
			aimbrain.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
			aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { attempts = append(attempts, a) }),
			quickRetries())
		media := aimbrain.Photos(face)
		result, err := client.Face.Auth(t.Context(), sessionID, media)
		what := "fault " + strconv.Itoa(i)
		require.NotEmpty(t, attempts)
		assertNoCanary(t, what+": log", log.String(), canaries)
		for _, v := range []any{err, attempts, client, *client.Face, client.Face, media, &media, []aimbrain.Media{media}, result, &result, result.Response, signer, *signer, testOptions()} {
			if v != nil {
				assertNoCanary(t, what, v, canaries)
			}
		}
		var api *aimbrain.APIError
		if errors.As(err, &api) {
			assertNoCanary(t, what+": fields", *api, canaries)
			assertNoCanary(t, what+": body", string(api.Body), canaries)
			assertNoCanary(t, what+": header", api.Header, canaries)
		}
		var decode *aimbrain.DecodeError
		if errors.As(err, &decode) {
			assertNoCanary(t, what+": body", string(decode.Body), canaries)
		}
	}
}

func testOptions() []aimbrain.Option {
	return []aimbrain.Option{aimbrain.WithRegion(aimbrain.EUWest1)}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// inLines breaks base64 into lines as MIME does.
func inLines(s string) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(s), 76) {
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.String()
}

func inHTML(s string) string {
	return strings.NewReplacer("+", "&#43;", "/", "&#x2F;", "-", "&#45;", "=", "&#61;").Replace(s)
}

// escapeAll writes all characters as JSON escapes.
func escapeAll(s string) string {
	var b strings.Builder
	for _, c := range s {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

func TestPanic_OfTransportShowsNoSecret(t *testing.T) {
	t.Parallel()
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(*http.Request) (*http.Response, error) { panic("transport is broken") }),
	}))
	require.NoError(t, err)
	recovered := func() (v any) {
		defer func() { v = recover() }()
		_, _ = client.Score.Get(t.Context(), sessionID)
		return nil
	}()
	require.NotNil(t, recovered)
	assertNoCanary(t, "panic", recovered, map[string][]string{"key": disguises([]byte(testKey)), "secret": disguises([]byte(testSecret))})
	_, err = client.Sessions.Create(t.Context(), aimbrain.SessionRequest{})
	require.ErrorContains(t, err, "UserID", "the client is usable after it")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedaction_KeepsIdentityOfError(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("%v: %w", r.Header, io.ErrUnexpectedEOF)
	})
	_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NotContains(t, err.Error(), testSecret)
	assert.Contains(t, err.Error(), "[redacted]")
}

// TestWithLogger_OmitsServerText tests that the log does not hold the texts of a
// server, which may contain a user's data that the library cannot recognise. The
// error holds them.
func TestWithLogger_OmitsServerText(t *testing.T) {
	t.Parallel()
	const canary = "account-12345678"
	body := func(head, body string) string {
		return "HTTP/1.1 " + head + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	for name, c := range map[string]struct{ response, logged string }{
		"a gateway's page":  {body("502 Bad Gateway", "<html>"+canary+"</html>"), "502 Bad Gateway"},
		"the API's text":    {body("400 Bad Request", `{"error":"`+canary+`","errors":[{"code":10,"description":"`+canary+`"}]}`), "(code 10 "},
		"a code not known":  {body("400 Bad Request", `{"errors":[{"code":4711,"description":"`+canary+`"}]}`), "(code 4711)"},
		"no JSON":           {body("200 OK", canary), "200 OK: invalid response"},
		"a member's name":   {body("200 OK", `{"`+canary+`":1,"`+canary+`":2}`), "200 OK: invalid response"},
		"a redirect":        {body("307 Temporary Redirect\r\nLocation: https://"+canary+"/", ""), ": redirect"},
		"a broken status":   {"HTTP/1.1 " + canary + "\r\n\r\n", "no response: the connection broke"},
		"an invalid header": {"HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n", "no response: the connection broke"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(saying(t, c.response)), noRetries(),
				aimbrain.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			require.NoError(t, err)
			defer client.Close()
			_, err = client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
			require.Error(t, err)
			assert.Contains(t, log.String(), c.logged)
			assert.NotContains(t, log.String(), canary)
			assert.NotContains(t, log.String(), base64.StdEncoding.EncodeToString([]byte(canary)))
		})
	}
}

// saying starts a server that responds to every request with the same bytes.
func saying(t *testing.T, response string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, response)
			_ = conn.Close()
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestAttempt_DumpShowsNoBody tests attempts as observers pass them to a logger.
func TestAttempt_DumpShowsNoBody(t *testing.T) {
	t.Parallel()
	const canary = "account-12345678"
	for status, body := range map[int]string{502: `{"error":"no","note":"` + canary + `"}`, 200: `{"note":"` + canary + `"}`} {
		var out bytes.Buffer
		client, _ := responding(t, status, body, aimbrain.WithObserver(func(_ context.Context, attempt aimbrain.Attempt) {
			slog.New(slog.NewJSONHandler(&out, nil)).Info("done", "attempt", attempt)
			slog.New(slog.NewTextHandler(&out, nil)).Info("done", "attempt", attempt)
			_ = json.NewEncoder(&out).Encode(attempt)
			fmt.Fprintf(&out, "%v %+v", attempt, attempt)
		}))
		_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.Error(t, err)
		assert.NotContains(t, out.String(), canary)
		assert.NotContains(t, out.String(), base64.StdEncoding.EncodeToString([]byte(body))[:20])
		assert.Contains(t, out.String(), aimbrain.EndpointFaceAuth)
	}
}
