package aimbraintest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFakeServeHTTP_ServesExactPathsOnly(t *testing.T) {
	t.Parallel()
	const bare, behind = "the fake needs the option WithPathPrefix", "with WithPathPrefix the endpoints are behind /bio only: /v1/sessions, "
	for _, row := range []struct {
		name, prefix, target string
		status               int
		text                 string // of a 404
	}{
		{name: "endpoint", target: "/v1/sessions", status: 200},
		{name: "mixed case", target: "/V1/Sessions", status: 200},
		{name: "query", target: "/v1/sessions?trace=1", status: 200},
		{name: "prefix without the option", target: "/bio/v1/sessions", status: 404, text: bare},
		{name: "v1 twice", target: "/v1/v1/sessions", status: 404, text: bare},
		{name: "two slashes", target: "//v1/sessions", status: 404, text: bare},
		{name: "slash at the end", target: "/v1/sessions/", status: 404, text: bare},
		{name: "escaped slash", target: "/v1%2Fsessions", status: 404, text: bare},
		{name: "escaped letter", target: "/v1/%73essions", status: 404, text: bare},
		{name: "dots", target: "/bio/../v1/sessions", status: 404, text: bare},
		{name: "unknown endpoint", target: "/v1/else", status: 404, text: "/v1/behavioural/submit"},
		{name: "root", target: "/", status: 404, text: bare},

		{name: "prefix", prefix: "/bio", target: "/bio/v1/sessions", status: 200},
		{name: "prefix, endpoint in mixed case", prefix: "/bio", target: "/bio/V1/Sessions", status: 200},
		{name: "prefix with a slash at its end", prefix: "/bio/", target: "/bio/v1/sessions", status: 200},
		{name: "prefix of two segments", prefix: "/gw/v2", target: "/gw/v2/v1/sessions", status: 200},
		{name: "prefix in mixed case", prefix: "/Bio", target: "/Bio/v1/sessions", status: 200},
		{name: "prefix with an escaped slash", prefix: "/a%2Fb", target: "/a%2Fb/v1/sessions", status: 200},
		{name: "no prefix where one is named", prefix: "/bio", target: "/v1/sessions", status: 404, text: behind},
		{name: "another prefix", prefix: "/bio", target: "/metrics/v1/sessions", status: 404, text: behind},
		{name: "prefix in another case", prefix: "/bio", target: "/BIO/v1/sessions", status: 404, text: behind},
		{name: "prefix twice", prefix: "/bio", target: "/bio/bio/v1/sessions", status: 404, text: behind},
		{name: "prefix and v1 twice", prefix: "/bio", target: "/bio/v1/v1/sessions", status: 404, text: behind},
		{name: "more than the prefix", prefix: "/bio", target: "/biometrics/v1/sessions", status: 404, text: behind},
		{name: "escaped slash that was not escaped", prefix: "/a%2Fb", target: "/a/b/v1/sessions", status: 404, text: "/a%2Fb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var opts []aimbraintest.Option
			if row.prefix != "" {
				opts = append(opts, aimbraintest.WithPathPrefix(row.prefix))
			}
			fake := aimbraintest.New(t, opts...)
			r := request(t, fake, "/v1/sessions", sessionBody)
			u, err := url.Parse("https://gw.example" + row.target)
			require.NoError(t, err)
			r.URL, r.Host = u, u.Host
			response := do(t, fake, r)
			assert.Equal(t, row.status, response.status, response.body)
			assert.Contains(t, response.body, row.text)
		})
	}
}

func TestWithPathPrefix_ServesClientsBehindThePrefix(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithPathPrefix("/gw/a%2Fb"))
	newSession(t, fake.Client(), "u")
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()+"/gw/a%2Fb/"))
	require.NoError(t, err)
	defer client.Close()
	newSession(t, client, "u")
	for _, r := range fake.Requests() {
		assert.Equal(t, "/gw/a/b/v1/sessions", r.Path)
		assert.Equal(t, aimbrain.EndpointSessions, r.Endpoint)
	}

	other, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()))
	require.NoError(t, err)
	defer other.Close()
	_, err = other.Sessions.Create(t.Context(), sessionRequest("u"))
	require.ErrorIs(t, err, aimbrain.HTTPStatus(404))
	require.ErrorContains(t, err, "WithPathPrefix")
}

func TestFakeServeHTTP_ServesUnderStripPrefix(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	mux := http.NewServeMux()
	mux.Handle("/bio/", http.StripPrefix("/bio", fake))
	server := httptest.NewServer(mux)
	defer server.Close()
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(server.URL+"/bio"))
	require.NoError(t, err)
	defer client.Close()
	newSession(t, client, "u")

	// The fake knows the whole path, although StripPrefix removed the prefix.
	r := request(t, fake, "/v1/sessions", sessionBody)
	u, err := url.Parse(server.URL + "/bio/v1/sessions")
	require.NoError(t, err)
	r.URL, r.Host = u, u.Host
	r.Header.Set(aimbrain.HeaderSignature, sign(fake.APISecret(), "POST\n/bio/v1/sessions\n"+sessionBody))
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "the whole path of the URL was signed")
}

func TestWithPathPrefix_RefusesInvalidPrefixes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/", "bio", ".evil.example", "@evil.example", ":8080", "/v1", "/gw/v1/", "/a b", "/a?b", "/a#b", "/../a", "/ä", "/a%2F", "/%zz"} {
		_, err := aimbraintest.Start(aimbraintest.WithPathPrefix(prefix))
		assert.ErrorContains(t, err, "WithPathPrefix(", prefix)
	}
}

func TestFake_RecordsARequestThatBreaksOff(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	reader, writer := io.Pipe()
	r := request(t, fake, "/v1/sessions", sessionBody)
	r.Body, r.ContentLength = reader, 100
	go func() {
		_, _ = writer.Write([]byte(`{"userId":`))
		_ = writer.CloseWithError(errors.New("gone"))
	}()
	_, err := fake.Transport().RoundTrip(r)
	require.Error(t, err)
	requests, err := fake.WaitForRequests(t.Context(), 1)
	require.NoError(t, err)
	assert.Zero(t, requests[0].Status)
	assert.JSONEq(t, `"{\"userId\":"`, `"`+strings.ReplaceAll(string(requests[0].Body), `"`, `\"`)+`"`)
	assert.Zero(t, fake.Processed(aimbrain.EndpointSessions))
}

// heap returns the bytes of the heap that are in use.
func heap() int {
	runtime.GC()
	runtime.GC() // the second one frees what pools hold
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// A slowBody returns one byte, reports the next Read to asked, and waits.
type slowBody struct {
	given bool
	asked *sync.WaitGroup
	end   <-chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if !b.given {
		b.given = true
		p[0] = '{'
		return 1, nil
	}
	b.asked.Done()
	<-b.end
	return 0, io.ErrUnexpectedEOF
}

func (b *slowBody) Close() error { return nil }

func TestFake_AllocatesNothingForADeclaredLength(t *testing.T) { //nolint:paralleltest // it measures the heap
	fake := aimbraintest.New(t)
	const callers = 200
	var asked, ended sync.WaitGroup
	end := make(chan struct{})
	before := heap()
	for range callers {
		r := request(t, fake, "/v1/sessions", "")
		asked.Add(1)
		r.Body, r.ContentLength = &slowBody{asked: &asked, end: end}, aimbrain.MaxRequestBytes-1
		ended.Go(func() {
			defer func() { _ = recover() }() // there is no connection to break
			fake.ServeHTTP(nullWriter{}, r)
		})
	}
	asked.Wait()
	taken := heap() - before
	close(end)
	ended.Wait()
	t.Logf("%d callers that declare 2 MB and send one byte take %d kB", callers, taken>>10)
	assert.Less(t, taken, 16<<20)
}
