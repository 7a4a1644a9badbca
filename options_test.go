package aimbrain_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// place returns the URL that a client with these options calls.
func place(t *testing.T, opts ...aimbrain.Option) string {
	t.Helper()
	var address string
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		address = r.URL.String()
		return httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","scores":[]}`), nil
	}, opts...)
	_, err := client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
	return address
}

func TestWithRegion_CallsItsHost(t *testing.T) {
	t.Parallel()
	for _, region := range aimbrain.Regions() {
		host := "api." + region.String() + ".aimbrain.com"
		if region == aimbrain.Development {
			host = "api.aimbrain.com"
		}
		assert.Equal(t, "https://"+host+"/v1/score", place(t, aimbrain.WithRegion(region)))
		assert.Equal(t, "https://"+host+"/", region.BaseURL())
		assert.NotEqual(t, region.String(), region.Name(), "every region has a name for people")
		parsed, err := aimbrain.ParseRegion(region.String())
		require.NoError(t, err)
		assert.Equal(t, region, parsed)
	}
	assert.Len(t, aimbrain.Regions(), 12)
	assert.Equal(t, "EU (Ireland)", aimbrain.EUWest1.Name())
	assert.Equal(t, "mars-1", aimbrain.Region("mars-1").Name())
}

func TestWithBaseURL_AcceptedURLs(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://bio.bank.example":            "https://bio.bank.example/v1/score",
		"https://bio.bank.example/":           "https://bio.bank.example/v1/score",
		"https://bio.bank.example:8443/":      "https://bio.bank.example:8443/v1/score",
		"https://gw.bank.example/bio":         "https://gw.bank.example/bio/v1/score",
		"https://gw.bank.example/bio/":        "https://gw.bank.example/bio/v1/score",
		"https://gw.bank.example/a%2Fb/":      "https://gw.bank.example/a%2Fb/v1/score",
		"http://localhost:8080":               "http://localhost:8080/v1/score",
		"http://127.0.0.1:8080":               "http://127.0.0.1:8080/v1/score",
		"http://[::1]:8080":                   "http://[::1]:8080/v1/score",
		"http://LocalHost:8080":               "http://localhost:8080/v1/score",
		"HTTPS://bio.bank.example/MixedCase/": "https://bio.bank.example/MixedCase/v1/score",
	} {
		assert.Equal(t, want, place(t, aimbrain.WithBaseURL(base)))
	}
	assert.Equal(t, "http://10.0.0.7:8080/v1/score", place(t, aimbrain.WithBaseURL("http://10.0.0.7:8080"), aimbrain.WithInsecureHTTP()))
	assert.Equal(t, "http://10.0.0.7:8080/v1/score", place(t, aimbrain.WithInsecureHTTP(), aimbrain.WithBaseURL("http://10.0.0.7:8080")), "the order of options makes no difference")
}

func TestWithBaseURL_PathPrefixIsNotSigned(t *testing.T) {
	t.Parallel()
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.Equal(t, "/bio/v1/score", r.URL.Path)
		assert.NoError(t, signer.Verify("POST", "/v1/score", body, r.Header.Get(aimbrain.HeaderSignature)))
		return httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","scores":[]}`), nil
	}, aimbrain.WithBaseURL("https://gw.bank.example/bio"))
	_, err = client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
}

func TestWithBaseURL_RefusesWithoutShowingURL(t *testing.T) {
	t.Parallel()
	for name, base := range badBaseURLs {
		_, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(base))
		var config *aimbrain.ConfigError
		require.ErrorAs(t, err, &config, name)
		assert.NotContains(t, err.Error(), "pa55word", name)
		assert.NotContains(t, err.Error(), "bank.example", name)
	}
}

var badBaseURLs = map[string]string{
	"empty":                 "",
	"no scheme":             "bank.example",
	"another scheme":        "ftp://bank.example",
	"a file":                "file:///etc/passwd",
	"plain HTTP":            "http://bank.example",
	"plain HTTP, private":   "http://10.0.0.7:8080",
	"not quite localhost":   "http://localhost.bank.example",
	"not quite loopback":    "http://127.0.0.1.bank.example",
	"user and password":     "https://user:pa55word@bank.example",
	"user":                  "https://pa55word@bank.example",
	"password, bad escape":  "https://user:pa55word%zz@bank.example",
	"query":                 "https://bank.example/?key=pa55word",
	"empty query":           "https://bank.example/?",
	"fragment":              "https://bank.example/#pa55word",
	"empty fragment":        "https://bank.example/#",
	"no host":               "https:///v1",
	"only a port":           "https://:443",
	"colon without a port":  "https://bank.example:",
	"port that is no port":  "https://bank.example:pa55word",
	"dots":                  "https://bank.example/a/../b",
	"escaped dots":          "https://bank.example/%2e%2e/b",
	"line break":            "https://bank.example/\r\nHost: pa55word",
	"space":                 " https://bank.example",
	"opaque":                "https:bank.example",
	"an escaped slash":      "https://bank.example/a%2F",
	"a zone":                "https://[fe80::1%25eth0]/",
	"a look-alike":          "https://bаnk.example/", // with a Cyrillic а
	"backslash in the host": `https://bank.example\@evil.example`,
}

func TestOptions_InvalidCombinations(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]aimbrain.Option{
		"region and base URL":           {aimbrain.WithRegion(aimbrain.EUWest1), aimbrain.WithBaseURL("https://a.example")},
		"base URL and region":           {aimbrain.WithBaseURL("https://a.example"), aimbrain.WithRegion(aimbrain.EUWest1)},
		"unknown region":                {aimbrain.WithRegion("eu-west-9")},
		"empty region":                  {aimbrain.WithRegion("")},
		"nil option":                    {nil},
		"nil HTTP client":               {aimbrain.WithHTTPClient(nil)},
		"nil logger":                    {aimbrain.WithLogger(nil)},
		"nil observer":                  {aimbrain.WithObserver(nil)},
		"no timeout":                    {aimbrain.WithTimeout(0)},
		"negative timeout":              {aimbrain.WithTimeout(-time.Second)},
		"no attempt timeout":            {aimbrain.WithAttemptTimeout(0)},
		"negative attempts":             {retrying(func(p *aimbrain.RetryPolicy) { p.MaxAttempts = -1 })},
		"negative delay":                {retrying(func(p *aimbrain.RetryPolicy) { p.BaseDelay = -1 })},
		"enrolments repeated":           {retrying(func(p *aimbrain.RetryPolicy) { p.RetryUnknownOutcome = []string{aimbrain.EndpointFaceEnroll} })},
		"behaviour repeated":            {retrying(func(p *aimbrain.RetryPolicy) { p.RetryUnknownOutcome = []string{aimbrain.EndpointBehaviour} })},
		"submission repeated":           {retrying(func(p *aimbrain.RetryPolicy) { p.RetryUnknownOutcome = []string{aimbrain.EndpointBehaviourSubmit} })},
		"unknown endpoint repeated":     {retrying(func(p *aimbrain.RetryPolicy) { p.RetryUnknownOutcome = []string{"/v1/iris/auth"} })},
		"plain HTTP after the override": {aimbrain.WithInsecureHTTP(), aimbrain.WithBaseURL("gopher://a.example")},
	} {
		client, err := aimbrain.New(testKey, testSecret, opts...)
		var config *aimbrain.ConfigError
		require.ErrorAs(t, err, &config, name)
		assert.Nil(t, client, name)
	}
	all := []aimbrain.Option{
		aimbrain.WithRegion(aimbrain.SAEast1), aimbrain.WithHTTPClient(&http.Client{}), aimbrain.WithTimeout(time.Minute),
		aimbrain.WithAttemptTimeout(time.Second), aimbrain.WithLogger(slog.New(slog.DiscardHandler)), aimbrain.WithInsecureHTTP(),
		aimbrain.WithObserver(func(context.Context, aimbrain.Attempt) {}), aimbrain.WithRetry(aimbrain.DefaultRetryPolicy()),
	}
	for range 2 {
		client, err := aimbrain.New(testKey, testSecret, append(all, all...)...)
		require.NoError(t, err)
		require.NoError(t, client.Close())
	}
}

func TestNewFromEnv_Variables(t *testing.T) {
	_, err := aimbrain.NewFromEnv()
	require.ErrorContains(t, err, aimbrain.EnvAPIKey)
	t.Setenv(aimbrain.EnvAPIKey, testKey)
	_, err = aimbrain.NewFromEnv()
	require.ErrorContains(t, err, aimbrain.EnvAPISecret)
	t.Setenv(aimbrain.EnvAPISecret, testSecret)

	where := func(opts ...aimbrain.Option) (string, error) {
		var address string
		transport := httpmock.NewMockTransport()
		transport.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			address = r.URL.Host
			assert.Equal(t, testKey, r.Header.Get(aimbrain.HeaderAPIKey))
			return httpmock.NewStringResponse(500, ""), nil
		})
		client, err := aimbrain.NewFromEnv(append(opts, aimbrain.WithHTTPClient(&http.Client{Transport: transport}))...)
		if err != nil {
			return "", err
		}
		_, err = client.Behaviour.Submit(t.Context(), sessionID, touches())
		require.ErrorIs(t, err, aimbrain.ErrServerError)
		return address, client.Close()
	}
	_, err = where()
	require.ErrorContains(t, err, aimbrain.EnvRegion+" is not set: set it to one of us-east-1, ")
	require.ErrorContains(t, err, "development")
	require.ErrorContains(t, err, aimbrain.EnvBaseURL)
	t.Setenv(aimbrain.EnvRegion, "development")
	host, err := where()
	require.NoError(t, err)
	assert.Equal(t, "api.aimbrain.com", host)

	t.Setenv(aimbrain.EnvRegion, "eu-west-1")
	host, err = where()
	require.NoError(t, err)
	assert.Equal(t, "api.eu-west-1.aimbrain.com", host)
	host, err = where(aimbrain.WithRegion(aimbrain.USEast1))
	require.NoError(t, err)
	assert.Equal(t, "api.us-east-1.aimbrain.com", host, "an option has precedence")
	host, err = where(aimbrain.WithBaseURL("https://bio.bank.example"))
	require.NoError(t, err)
	assert.Equal(t, "bio.bank.example", host, "an option has precedence")

	t.Setenv(aimbrain.EnvBaseURL, "https://bio.bank.example")
	_, err = where()
	require.ErrorContains(t, err, "choose one")
	t.Setenv(aimbrain.EnvRegion, "")
	host, err = where()
	require.NoError(t, err)
	assert.Equal(t, "bio.bank.example", host)

	t.Setenv(aimbrain.EnvBaseURL, "https://user:pa55word@bank.example")
	_, err = where()
	require.ErrorContains(t, err, aimbrain.EnvBaseURL)
	assert.NotContains(t, err.Error(), "pa55word")
	t.Setenv(aimbrain.EnvBaseURL, "")
	t.Setenv(aimbrain.EnvRegion, "eu-west-9")
	_, err = where()
	require.ErrorContains(t, err, aimbrain.EnvRegion)
	assert.Contains(t, err.Error(), `"eu-west-9"`)
	assert.Contains(t, err.Error(), "eu-west-1", "the valid names")

	for _, setting := range []struct{ name, variable, value, parameter, remedy string }{
		{name: "plain HTTP", variable: aimbrain.EnvBaseURL, value: "http://10.0.0.7:8080", parameter: aimbrain.EnvBaseURL, remedy: aimbrain.EnvInsecureHTTP + "=1"},
		{name: "both", variable: aimbrain.EnvBaseURL, value: "https://bio.bank.example", parameter: aimbrain.EnvBaseURL, remedy: aimbrain.EnvRegion},
		{name: "a secret with a newline", variable: aimbrain.EnvAPISecret, value: "secret\n", parameter: aimbrain.EnvAPISecret, remedy: "newline"},
		{name: "a key with a blank", variable: aimbrain.EnvAPIKey, value: "key ", parameter: aimbrain.EnvAPIKey, remedy: "white space"},
	} {
		t.Run(setting.name, func(t *testing.T) {
			region := ""
			if setting.name == "both" {
				region = "eu-west-1"
			}
			t.Setenv(aimbrain.EnvRegion, region)
			t.Setenv(setting.variable, setting.value)
			_, err := aimbrain.NewFromEnv()
			var config *aimbrain.ConfigError
			require.ErrorAs(t, err, &config)
			assert.Equal(t, setting.parameter, config.Parameter)
			assert.Contains(t, err.Error(), setting.remedy)
			assert.NotContains(t, err.Error(), "With", "the operator sets variables and no options")
		})
	}

	t.Setenv(aimbrain.EnvRegion, testSecret) // set in the wrong place
	_, err = where()
	require.ErrorContains(t, err, aimbrain.EnvRegion)
	assert.NotContains(t, err.Error(), testSecret)
}

func TestNewFromEnv_PlainHTTPOnPremises(t *testing.T) {
	tests := []struct {
		name     string
		insecure string
		opts     []aimbrain.Option
		wantErr  string
	}{
		{name: "not allowed", wantErr: "plain HTTP"},
		{name: "not allowed by 0", insecure: "0", wantErr: "plain HTTP"},
		{name: "allowed", insecure: "1"},
		{name: "allowed by true", insecure: "true"},
		{name: "invalid", insecure: "yes", wantErr: `AIMBRAIN_INSECURE_HTTP "yes" is neither 1 nor 0`},
		{name: "0 does not override an option", insecure: "0", opts: []aimbrain.Option{aimbrain.WithInsecureHTTP()}},
	}
	t.Setenv(aimbrain.EnvAPIKey, testKey)
	t.Setenv(aimbrain.EnvAPISecret, testSecret)
	t.Setenv(aimbrain.EnvRegion, "")
	t.Setenv(aimbrain.EnvBaseURL, "http://10.0.0.7:8080")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(aimbrain.EnvInsecureHTTP, tt.insecure)
			client, err := aimbrain.NewFromEnv(tt.opts...)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "http://10.0.0.7:8080", client.BaseURL())
			assert.Empty(t, client.Region())
			require.NoError(t, client.Close())
		})
	}
}

func TestNew_NeedsRegionOrBaseURL(t *testing.T) {
	t.Parallel()
	client, err := aimbrain.New(testKey, testSecret)
	var config *aimbrain.ConfigError
	require.ErrorAs(t, err, &config)
	assert.Nil(t, client)
	assert.Equal(t, "region", config.Parameter)
	for _, choice := range []string{"WithRegion", "WithBaseURL", "eu-west-1", "development"} {
		assert.Contains(t, err.Error(), choice)
	}
}

func TestClient_ReportsBaseURLAndRegion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		opt     aimbrain.Option
		region  aimbrain.Region
		baseURL string
	}{
		{name: "production", opt: aimbrain.WithRegion(aimbrain.EUWest1), region: aimbrain.EUWest1, baseURL: "https://api.eu-west-1.aimbrain.com"},
		{name: "development", opt: aimbrain.WithRegion(aimbrain.Development), region: aimbrain.Development, baseURL: "https://api.aimbrain.com"},
		{name: "base URL", opt: aimbrain.WithBaseURL("https://gw.bank.example/bio/"), baseURL: "https://gw.bank.example/bio"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, err := aimbrain.New(testKey, testSecret, tt.opt)
			require.NoError(t, err)
			assert.Equal(t, tt.region, client.Region())
			assert.Equal(t, tt.baseURL, client.BaseURL())
			require.NoError(t, client.Close())
		})
	}
	var none *aimbrain.Client
	assert.Empty(t, none.BaseURL())
	assert.Empty(t, none.Region())
}

func TestWithHTTPClient_RedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var strangers atomic.Int64
		stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
		defer stranger.Close()
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Location", stranger.URL+"/v1/face/auth?secret=1")
			w.WriteHeader(status)
		}))
		defer api.Close()
		own := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
		for name, opts := range map[string][]aimbrain.Option{
			"own transport":    nil,
			"a caller's":       {aimbrain.WithHTTPClient(own)},
			"the default's":    {aimbrain.WithHTTPClient(http.DefaultClient)},
			"a fresh client's": {aimbrain.WithHTTPClient(&http.Client{Transport: &http.Transport{}})},
		} {
			client, err := aimbrain.New(testKey, testSecret, append(opts, aimbrain.WithBaseURL(api.URL))...)
			require.NoError(t, err)
			_, err = client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
			var redirect *aimbrain.RedirectError
			require.ErrorAs(t, err, &redirect, "%d %s", status, name)
			assert.Equal(t, status, redirect.StatusCode)
			assert.Equal(t, strings.TrimPrefix(stranger.URL, "http://"), redirect.Host)
			assert.NotContains(t, err.Error(), "secret=1")
			assert.Equal(t, status == http.StatusSeeOther, aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown)
			require.NoError(t, client.Close())
		}
		assert.Zero(t, strangers.Load(), "%d", status)
		assert.NoError(t, own.CheckRedirect(nil, nil), "the caller's client is not changed")
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
	assert.Nil(t, http.DefaultClient.CheckRedirect)
	assert.Nil(t, http.DefaultClient.Transport)
}

func TestWithHTTPClient_DetectsTransportThatFollowsRedirects(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		elsewhere, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "https://evil.example/", nil)
		require.NoError(t, err)
		response := httpmock.NewStringResponse(200, `{"score":1,"liveliness":1}`)
		response.Request = elsewhere
		return response, nil
	})
	_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	var redirect *aimbrain.RedirectError
	require.ErrorAs(t, err, &redirect)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
}

func TestRequest_TwoMegabytesIsNotSent(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"imagesCount":1,"score":0.5,"liveliness":0}`)
	// {"session":"x","faces":["…"]} takes 28 bytes more than the base64.
	exactly := func(size int) aimbrain.Media { return aimbrain.Base64(strings.Repeat("AAAA", (size-28)/4)) }
	for name, c := range map[string]struct {
		media aimbrain.Media
		sent  bool
	}{
		"just under":       {exactly(aimbrain.MaxRequestBytes - 4), true},
		"the limit":        {exactly(aimbrain.MaxRequestBytes), false},
		"one large photo":  {aimbrain.Photos(make([]byte, 1_500_000)), false},
		"many photos":      {aimbrain.Photos(make([]byte, 500_000), make([]byte, 500_000), make([]byte, 500_000)), false},
		"three that fit":   {aimbrain.Photos(make([]byte, 499_000), make([]byte, 499_000), make([]byte, 499_000)), true},
		"an endless file":  {aimbrain.Readers(endless{new(int)}), false},
		"a gigantic photo": {aimbrain.Photos(make([]byte, 50_000_000)), false},
	} {
		before := transport.GetTotalCallCount()
		_, err := client.Face.Enroll(t.Context(), "x", c.media)
		if c.sent {
			require.NoError(t, err, name)
			assert.Equal(t, before+1, transport.GetTotalCallCount(), name)
			continue
		}
		var large *aimbrain.TooLargeError
		require.ErrorAs(t, err, &large, name)
		assert.False(t, large.Response)
		assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
		assert.Equal(t, before, transport.GetTotalCallCount(), name)
	}
	_, err := client.Forward(t.Context(), aimbrain.EndpointFaceAuth, make([]byte, aimbrain.MaxRequestBytes))
	require.True(t, is[*aimbrain.TooLargeError](err))
}

func TestRotate_SignsNextCall(t *testing.T) {
	t.Parallel()
	var key, signature, body string
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		content, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		key, signature, body = r.Header.Get(aimbrain.HeaderAPIKey), r.Header.Get(aimbrain.HeaderSignature), string(content)
		return httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","scores":[]}`), nil
	})
	signedBy := func(apiKey, apiSecret string) {
		t.Helper()
		_, err := client.Score.Get(t.Context(), sessionID)
		require.NoError(t, err)
		signer, err := aimbrain.NewSigner(apiKey, apiSecret)
		require.NoError(t, err)
		assert.Equal(t, apiKey, key)
		assert.NoError(t, signer.Verify("POST", aimbrain.EndpointScore, []byte(body), signature))
	}
	signedBy(testKey, testSecret)
	require.NoError(t, client.Rotate("new-key", "new-secret"))
	signedBy("new-key", "new-secret")
	require.Error(t, client.Rotate("", "x"))
	signedBy("new-key", "new-secret")
}

func TestClose_LaterCallsAreNotSent(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{}`)
	require.NoError(t, client.Close())
	require.NoError(t, client.Close())
	_, err := client.Score.Get(t.Context(), sessionID)
	require.ErrorIs(t, err, aimbrain.ErrClosed)
	assert.Zero(t, transport.GetTotalCallCount())
}

func TestWithObserver_ReceivesAllAttempts(t *testing.T) {
	t.Parallel()
	var seen []aimbrain.Attempt
	responses := []*http.Response{
		httpmock.NewStringResponse(503, "<html>"),
		httpmock.NewStringResponse(500, `{"error":"e","errors":[{"code":120,"description":"d"}]}`),
		httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","scores":[]}`),
	}
	client, _ := mocked(t, func(*http.Request) (*http.Response, error) {
		next := responses[0]
		responses = responses[1:]
		return next, nil
	}, aimbrain.WithRegion(aimbrain.APSouth1), quickRetries(),
		aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { seen = append(seen, a) }))
	result, err := client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
	assert.Equal(t, 3, result.Response.Attempts)
	require.Len(t, seen, 3)
	for i, a := range seen {
		assert.Equal(t, aimbrain.EndpointScore, a.Endpoint)
		assert.Equal(t, aimbrain.APSouth1, a.Region)
		assert.Equal(t, "api.ap-south-1.aimbrain.com", a.Host)
		assert.Equal(t, i+1, a.Number)
		assert.Equal(t, len(`{"session":"4f1c2a9e-session"}`), a.RequestBytes)
		assert.Positive(t, a.Duration)
		assert.False(t, a.Started.IsZero())
		assert.Equal(t, i < 2, a.Retry)
		assert.Equal(t, i < 2, a.Err != nil)
	}
	assert.Equal(t, []int{503, 500, 200}, []int{seen[0].Status, seen[1].Status, seen[2].Status})
	assert.Equal(t, 6, seen[0].ResponseBytes)
	assert.Equal(t, []aimbrain.Code{aimbrain.CodeAPIError}, seen[1].Codes)
}

// TestWithHTTPClient_JarAndTimeoutApplyWithoutTransport tests a client without a
// transport. It uses the library's transport, and its cookie jar and timeout
// apply.
func TestWithHTTPClient_JarAndTimeoutApplyWithoutTransport(t *testing.T) {
	t.Parallel()
	var cookies atomic.Pointer[string]
	ended := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Cookie")
		if cookies.Swap(&sent) == nil {
			http.SetCookie(w, &http.Cookie{Name: "route", Value: "7"})
			_, _ = io.WriteString(w, `{"token":"6-6-7"}`)
			return
		}
		<-ended // too late
	}))
	defer api.Close()
	defer close(ended)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(api.URL),
		aimbrain.WithHTTPClient(&http.Client{Jar: jar, Timeout: 500 * time.Millisecond}), noRetries(),
		aimbrain.WithAttemptTimeout(time.Minute), aimbrain.WithTimeout(time.Minute))
	require.NoError(t, err)
	defer client.Close()
	_, err = client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
	require.NoError(t, err)
	_, err = client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
	var network *aimbrain.NetworkError
	require.ErrorAs(t, err, &network)
	assert.NotErrorIs(t, err, aimbrain.ErrAttemptTimeout)
	assert.Equal(t, "route=7", *cookies.Load())
}
