package aimbraintest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loopback returns a client that reaches the fake over a port.
func loopback(t *testing.T, fake *aimbraintest.Fake) *aimbrain.Client {
	t.Helper()
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestFake_ServesAllCallsOverEachMount(t *testing.T) {
	t.Parallel()
	mounts := map[string]func(*testing.T, *aimbraintest.Fake) *aimbrain.Client{
		"Client": func(_ *testing.T, fake *aimbraintest.Fake) *aimbrain.Client { return fake.Client() },
		"a region": func(_ *testing.T, fake *aimbraintest.Fake) *aimbrain.Client {
			return fake.Client(aimbrain.WithRegion(aimbrain.EUWest1))
		},
		"plain HTTP": func(_ *testing.T, fake *aimbraintest.Fake) *aimbrain.Client {
			return fake.Client(aimbrain.WithBaseURL("http://on-premises.example:8080/"), aimbrain.WithInsecureHTTP())
		},
		"URL": loopback,
		"a mux": func(t *testing.T, fake *aimbraintest.Fake) *aimbrain.Client {
			mux := http.NewServeMux()
			mux.Handle("/bio/", http.StripPrefix("/bio", fake))
			server := httptest.NewTLSServer(mux)
			t.Cleanup(server.Close)
			client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(server.URL+"/bio"), aimbrain.WithHTTPClient(server.Client()))
			require.NoError(t, err)
			return client
		},
	}
	for name, mount := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			callEverything(t, fake, mount(t, fake))
		})
	}
}

func callEverything(t *testing.T, fake *aimbraintest.Fake, client *aimbrain.Client) {
	t.Helper()
	ctx := t.Context()
	ada, bob := aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.Photos(aimbraintest.FacePhoto("bob"))
	s := newSession(t, client, "u")
	assert.Equal(t, aimbrain.NotEnrolled, s.Face)

	enrolled, err := client.Face.Enroll(ctx, s.ID, ada)
	require.NoError(t, err)
	assert.Equal(t, 1, enrolled.ImagesCount)
	face, err := client.Face.Auth(ctx, s.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Variant(1))))
	require.NoError(t, err)
	assert.True(t, face.Matches(aimbrain.RecommendedThreshold))
	assert.Zero(t, face.Liveliness)
	assert.Equal(t, "simulated", face.Response.Header.Get("X-Aimbraintest-Score"))
	face, err = client.Face.Auth(ctx, s.ID, bob)
	require.NoError(t, err)
	assert.False(t, face.Matches(aimbrain.RecommendedThreshold))
	both, err := client.Face.Compare(ctx, ada, bob)
	require.NoError(t, err)
	assert.False(t, both.Matches(aimbrain.RecommendedThreshold))

	token, err := client.Voice.Token(ctx, s.ID, aimbrain.TokenAuth)
	require.NoError(t, err)
	recording := aimbrain.Recordings(aimbraintest.VoiceWAV("ada", aimbraintest.Saying(token.Text)))
	voices, err := client.Voice.Enroll(ctx, s.ID, recording.Append(recording))
	require.NoError(t, err)
	assert.Equal(t, 2, voices.VoiceSamples)
	voice, err := client.Voice.Auth(ctx, s.ID, recording)
	require.NoError(t, err)
	assert.True(t, voice.Matches(aimbrain.RecommendedThreshold))
	assert.True(t, voice.IsLive(0.8))
	lips, err := client.Face.Token(ctx, s.ID, aimbrain.TokenEnroll1)
	require.NoError(t, err)
	assert.Equal(t, "6-6-7", lips.Text)

	_, err = client.Behaviour.Submit(ctx, s.ID, aimbraintest.Behaviour("ada", 20))
	require.NoError(t, err)
	behaviour, err := client.Behaviour.Auth(ctx, s.ID, aimbraintest.Behaviour("ada", 20))
	require.NoError(t, err)
	assert.Equal(t, aimbrain.NotEnrolled, behaviour.Status)
	scores, err := client.Score.Get(ctx, s.ID)
	require.NoError(t, err)
	assert.Len(t, scores.Scores, 3)
	for _, endpoint := range aimbrain.Endpoints() {
		assert.Positive(t, fake.Processed(endpoint), endpoint)
	}
}

func TestFakeTransport_ReusesConnections(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	var got, reused, wrote int
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			got++
			if info.Reused {
				reused++
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { wrote++ },
	}
	for range 3 {
		r := request(t, fake, "/v1/sessions", sessionBody)
		assert.Equal(t, http.StatusOK, do(t, fake, r.WithContext(httptrace.WithClientTrace(r.Context(), trace))).status)
	}
	assert.Equal(t, []int{3, 2, 3}, []int{got, reused, wrote})
}

func TestFakeClient_AppliesOptions(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	var seen []string
	client := fake.Client(aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { seen = append(seen, a.Host) }))
	newSession(t, client, "u")
	assert.Equal(t, []string{"api.aimbrain.com"}, seen)

	failures := (&recorderTB{TB: t}).run(func(t *recorderTB) {
		aimbraintest.New(t).Client(aimbrain.WithTimeout(-1))
	})
	require.Len(t, failures, 1)
	assert.Contains(t, failures[0], "WithTimeout")

	program, err := aimbraintest.Start()
	require.NoError(t, err)
	defer program.Close()
	assert.Panics(t, func() { program.Client(nil) })
}

func TestFake_RefusesInvalidSettings(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]aimbraintest.Option{
		"an option is nil":   nil,
		"WithClock":          aimbraintest.WithClock(nil),
		"WithTemplateDelay":  aimbraintest.WithTemplateDelay(-1),
		"WithBehaviourCalls": aimbraintest.WithBehaviourCalls(0),
		"API key is empty":   aimbraintest.WithCredentials("", "secret"),
		"line break":         aimbraintest.WithCredentials("key", "secret\n"),
	} {
		_, err := aimbraintest.Start(option)
		require.ErrorContains(t, err, want)
		failures := (&recorderTB{TB: t}).run(func(t *recorderTB) { aimbraintest.New(t, option) })
		require.Len(t, failures, 1)
		assert.Contains(t, failures[0], want)
	}
	for want, call := range map[string]func(*aimbraintest.Fake){
		"Advance":       func(f *aimbraintest.Fake) { f.Advance(-1) },
		"AssignSubject": func(f *aimbraintest.Fake) { f.AssignSubject("") },
		"Enroll":        func(f *aimbraintest.Fake) { f.Enroll("", "ada") },
		"subject":       func(f *aimbraintest.Fake) { f.Enroll("u", "") },
		"is empty":      func(f *aimbraintest.Fake) { f.AddCredentials("key", "") },
		"closed":        func(f *aimbraintest.Fake) { f.Close(); f.URL() },
	} {
		failures := (&recorderTB{TB: t}).run(func(t *recorderTB) { call(aimbraintest.New(t)) })
		require.Len(t, failures, 1)
		assert.Contains(t, failures[0], want)
	}
}

func TestFakeClose_EndsRequestsAndGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails when a goroutine is left in the bubble
		fake, err := aimbraintest.Start()
		require.NoError(t, err)
		client := fake.Client()
		newSession(t, client, "u")
		fake.Queue(aimbraintest.Delay(time.Hour))
		ended := make(chan error)
		slow := request(t, fake, "/v1/sessions", sessionBody)
		go func() {
			_, err := fake.Transport().RoundTrip(slow)
			ended <- err
		}()
		_, err = fake.WaitForRequests(t.Context(), 2)
		require.NoError(t, err)
		started := time.Now()
		fake.Close()
		fake.Close()
		require.Error(t, <-ended)
		assert.Zero(t, time.Since(started), "Close does not wait for a delay")

		_, err = client.Sessions.Create(t.Context(), sessionRequest("u"))
		require.ErrorIs(t, err, aimbrain.ErrClosed)
		_, err = fake.Transport().RoundTrip(request(t, fake, "/v1/sessions", sessionBody))
		require.ErrorContains(t, err, "closed")
		_, err = fake.WaitForRequests(t.Context(), 9)
		require.ErrorContains(t, err, "closed")
	})
}

func TestFakeClose_LeavesNoGoroutineOnLoopback(t *testing.T) { //nolint:paralleltest // it counts goroutines
	before := runtime.NumGoroutine()
	for range 5 {
		fake, err := aimbraintest.Start()
		require.NoError(t, err)
		client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()))
		require.NoError(t, err)
		newSession(t, client, "u")
		newSession(t, fake.Client(), "u")
		require.NoError(t, client.Close())
		fake.Close()
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		runtime.Gosched() // the goroutines of net/http end a moment later
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestFake_ServesAThousandCallersAtOnce(t *testing.T) {
	t.Parallel()
	const callers = 1000
	fake := aimbraintest.New(t)
	client := fake.Client(aimbrain.WithTimeout(time.Hour), aimbrain.WithAttemptTimeout(time.Hour)) // the machine may be slow
	photo := aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Resolution(32, 24)))
	fake.Enroll("u", "ada")
	fake.Queue(aimbraintest.Score(0.25).Times(callers / 2))
	var group sync.WaitGroup
	var mu sync.Mutex
	impostors := 0
	for range callers {
		group.Go(func() {
			session, err := client.Sessions.Create(t.Context(), sessionRequest("u"))
			if !assert.NoError(t, err) {
				return
			}
			result, err := client.Face.Auth(t.Context(), session.ID, photo)
			if !assert.NoError(t, err) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if result.Score == 0.25 {
				impostors++
			}
		})
	}
	group.Wait()
	assert.Equal(t, callers/2, impostors)
	fake.AssertCount(t, aimbrain.EndpointFaceAuth, callers)
	assert.Equal(t, callers, fake.Processed(aimbrain.EndpointFaceAuth))
}

func TestFake_AllowsRequestsOfBrowsers(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	r := request(t, fake, "/v1/face/auth", "")
	r.Method = http.MethodOptions
	response := do(t, fake, r)
	assert.Equal(t, http.StatusNoContent, response.status)
	assert.Equal(t, "POST", response.header.Get("Access-Control-Allow-Methods"))
	assert.Equal(t, "content-type, x-aimbrain-apikey, x-aimbrain-signature", response.header.Get("Access-Control-Allow-Headers"))
	assert.NotEmpty(t, response.header.Get("Access-Control-Max-Age"))
	fake.AssertNoRequests(t)

	fake.Queue(aimbraintest.Raw(200, "", "").On(aimbrain.EndpointScore), aimbraintest.Status(500).On(aimbrain.EndpointFaceCompare))
	for _, endpoint := range append(aimbrain.Endpoints(), "/elsewhere") {
		assert.Equal(t, "*", post(t, fake, endpoint, sessionBody).header.Get("Access-Control-Allow-Origin"), endpoint)
	}
	assert.Equal(t, "*", response.header.Get("Access-Control-Allow-Origin"))
}

func TestFake_RefusesOtherMethodsAndPaths(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		r := request(t, fake, "/v1/sessions", sessionBody)
		r.Method = method
		response := do(t, fake, r)
		assert.Equal(t, http.StatusMethodNotAllowed, response.status)
		assert.Equal(t, "POST, OPTIONS", response.header.Get("Allow"))
		assert.Zero(t, response.code(t))
	}
	for _, path := range []string{"/", "/v1/", "/v1/sessions/", "/v2/sessions", "/v1/face", "/v1/sessionsx"} {
		response := post(t, fake, path, sessionBody)
		assert.Equal(t, http.StatusNotFound, response.status, path)
		assert.Contains(t, response.body, "/v1/face/auth", "the text lists the endpoints")
	}
}

func TestFake_RefusesARequestOf2MB(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	body := func(n int) string {
		start, end := `{"userId":"u","device":"d","system":"`, `"}`
		return start + strings.Repeat("s", n-len(start)-len(end)) + end
	}
	assert.Equal(t, http.StatusOK, post(t, fake, "/v1/sessions", body(1_999_999)).status)
	for _, n := range []int{2_000_000, 2_000_001, 5_000_000} {
		response := post(t, fake, "/v1/sessions", body(n))
		assert.Equal(t, http.StatusUnprocessableEntity, response.status)
		assert.Equal(t, int(aimbrain.CodeFileTooBig), response.code(t))
	}
	assert.Len(t, fake.Requests()[3].Body, 2_000_000, "a body is kept up to the limit")
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
