package aimbraintest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

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
	for _, row := range endpoints.All() { // also those without a typed call here
		require.Contains(t, aimbraintest.HandlerPaths(), row.Path, "%s has no handler: %s", row.Path, addHandler)
		before := fake.Processed(row.Path)
		_, err := client.Forward(ctx, row.Path, bodyOf(t, membersOf(t, row, s.ID)))
		require.NoError(t, err, "%s: %s", row.Path, addMembers)
		assert.Equal(t, before+1, fake.Processed(row.Path), row.Path)
	}
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

func TestFakeAddCredentials_AllowsKeyRotation(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	fake.Enroll("u", "ada")
	fake.AddCredentials("new-key", "new-secret")
	newSession(t, client, "u")
	require.NoError(t, client.Rotate("new-key", "new-secret"))
	fake.RemoveCredentials(fake.APIKey())
	assert.Equal(t, aimbrain.Enrolled, newSession(t, client, "u").Face, "both keys see the same users")
	require.NoError(t, client.Rotate(fake.APIKey(), fake.APISecret()))
	_, err := client.Sessions.Create(t.Context(), sessionRequest("u"))
	require.ErrorIs(t, err, aimbrain.ErrUnauthorized)
}
