package aimbraintest_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// foreign returns a photo without a marker.
func foreign(name string) []byte {
	return bytes.ReplaceAll(aimbraintest.FacePhoto(name), []byte("aimbraintest"), []byte("another tool"))
}

func TestFake_ScoresSamePersonHighAndOthersLow(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	auth := func(faces ...[]byte) aimbrain.FaceAuthResult {
		result, err := client.Face.Auth(t.Context(), id, aimbrain.Photos(faces...))
		require.NoError(t, err)
		return result
	}
	distinct := map[float64]bool{}
	for i := range 40 {
		own := auth(aimbraintest.FacePhoto("ada", aimbraintest.Variant(i), aimbraintest.Resolution(32, 24))).Score
		other := auth(aimbraintest.FacePhoto(fmt.Sprint("other", i), aimbraintest.Resolution(32, 24))).Score
		assert.True(t, own >= 0.80 && own <= 0.99, own)
		assert.True(t, other >= 0.01 && other <= 0.20, other)
		distinct[own], distinct[other] = true, true
	}
	assert.Greater(t, len(distinct), 60)
	ada, bob := aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("bob")
	a, b, both := auth(ada), auth(bob), auth(ada, bob)
	assert.Equal(t, a.Score, auth(ada).Score, "the same on every run")
	assert.InDelta(t, (a.Score+b.Score)/2, both.Score, 1e-4, "several files give the mean")
}

func TestFakeAssignSubject_DecidesWhoseForeignMediaIs(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	straight, left, stranger := foreign("1"), foreign("2"), foreign("3")
	id := newSession(t, client, "u").ID
	auth := func(photo []byte) bool {
		result, err := client.Face.Auth(t.Context(), id, aimbrain.Photos(photo))
		require.NoError(t, err)
		return result.Matches(aimbrain.RecommendedThreshold)
	}
	_, err := client.Face.Enroll(t.Context(), id, aimbrain.Photos(straight, left))
	require.NoError(t, err)
	assert.True(t, auth(straight), "without a label a file matches itself")
	assert.True(t, auth(left), "each enrolled file matches")
	assert.False(t, auth(stranger))

	fake.AssignSubject("eve", straight, left)
	fake.AssignSubject("mallory", stranger)
	fake.Enroll("u", "eve")
	assert.True(t, auth(left))
	assert.False(t, auth(stranger))
	result, err := client.Face.Compare(t.Context(), aimbrain.Photos(straight), aimbrain.Photos(left))
	require.NoError(t, err)
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold))

	ada := aimbraintest.FacePhoto("ada")
	assert.False(t, auth(ada))
	fake.AssignSubject("eve", ada)
	assert.True(t, auth(ada), "a label takes precedence over the marker")
}

func TestFake_EnrolsTheFirstKnownSubject(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	id := newSession(t, client, "u").ID
	ada, bob := aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("bob")
	_, err := client.Face.Enroll(t.Context(), id, aimbrain.Photos(ada, bob))
	require.NoError(t, err)
	for face, want := range map[*[]byte]bool{&ada: true, &bob: false} {
		result, err := client.Face.Auth(t.Context(), id, aimbrain.Photos(*face))
		require.NoError(t, err)
		assert.Equal(t, want, result.Matches(aimbrain.RecommendedThreshold))
	}
}

func TestFake_Liveliness(t *testing.T) {
	t.Parallel()
	unmarked := func(data []byte) []byte {
		return bytes.ReplaceAll(data, []byte("aimbraintest"), []byte("another tool"))
	}
	saying := aimbraintest.Saying
	rows := []struct {
		name      string
		voice     bool
		ask       bool // request a token
		late      bool // let the token expire
		media     func(token string) []byte
		low, high float64
	}{
		{"photo", false, false, false, func(string) []byte { return aimbraintest.FacePhoto("ada") }, 0, 0},
		{"photo and token", false, true, false, func(string) []byte { return aimbraintest.FacePhoto("ada") }, 0, 0},
		{"blinking", false, false, false, func(string) []byte { return aimbraintest.FaceVideo("ada") }, 0.85, 0.99},
		{"LipSync", false, true, false, func(token string) []byte { return aimbraintest.FaceVideo("ada", saying(token)) }, 0.85, 0.99},
		{"nothing said", false, true, false, func(string) []byte { return aimbraintest.FaceVideo("ada") }, 0.05, 0.20},
		{"something else said", false, true, false, func(string) []byte { return aimbraintest.FaceVideo("ada", saying("1-2-3")) }, 0.05, 0.20},
		{"expired", false, true, true, func(string) []byte { return aimbraintest.FaceVideo("ada") }, 0.85, 0.99},
		{"foreign video", false, true, false, func(string) []byte { return unmarked(aimbraintest.FaceVideo("ada")) }, 0.85, 0.99},
		{"token read", true, true, false, func(token string) []byte { return aimbraintest.VoiceWAV("ada", saying(token)) }, 0.85, 0.99},
		{"another read", true, true, false, func(string) []byte { return aimbraintest.VoiceCAF("ada", saying("no")) }, 0.05, 0.20},
		{"nothing read", true, true, false, func(string) []byte { return aimbraintest.VoiceCAF("ada") }, 0.05, 0.20},
		{"foreign recording", true, true, false, func(string) []byte { return unmarked(aimbraintest.VoiceWAV("ada")) }, 0.85, 0.99},
		{"tokenless", true, false, false, func(string) []byte { return aimbraintest.VoiceWAV("ada") }, 0, 0},
		{"expired tokenless", true, true, true, func(token string) []byte { return aimbraintest.VoiceWAV("ada", saying(token)) }, 0, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t, aimbraintest.WithTokenlessVoice())
			fake.Enroll("u", "ada")
			client := fake.Client()
			id := newSession(t, client, "u").ID
			ask := client.Face.Token
			if row.voice {
				ask = client.Voice.Token
			}
			var token aimbrain.Token
			if row.ask {
				var err error
				token, err = ask(t.Context(), id, aimbrain.TokenAuth)
				require.NoError(t, err)
			}
			if row.late {
				fake.Advance(6 * time.Minute)
			}
			var live float64
			if row.voice {
				result, err := client.Voice.Auth(t.Context(), id, aimbrain.Recordings(row.media(token.Text)))
				require.NoError(t, err)
				live = result.Liveliness
			} else {
				result, err := client.Face.Auth(t.Context(), id, aimbrain.Photos(row.media(token.Text)))
				require.NoError(t, err)
				live = result.Liveliness
			}
			assert.GreaterOrEqual(t, live, row.low)
			assert.LessOrEqual(t, live, row.high)
		})
	}
}

func TestFake_ScoreReturnsTheScoresOfTheSession(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	ctx := t.Context()
	id := newSession(t, client, "u").ID
	get := func() aimbrain.ScoreResult {
		result, err := client.Score.Get(ctx, id)
		require.NoError(t, err)
		return result
	}
	assert.Empty(t, get().Scores, "nothing was seen yet")
	_, err := client.Behaviour.Submit(ctx, id, aimbraintest.Behaviour("ada", 10))
	require.NoError(t, err)
	first, ok := get().ByType("anomaly")
	require.True(t, ok)
	assert.Equal(t, first.Value, get().Scores[0].Value)
	_, err = client.Behaviour.Submit(ctx, id, aimbraintest.Behaviour("ada", 10))
	require.NoError(t, err)
	second, _ := get().ByType("anomaly")
	assert.NotEqual(t, first.Value, second.Value, "more was seen")

	face, err := client.Face.Auth(ctx, id, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	require.NoError(t, err)
	behaviour, err := client.Behaviour.Auth(ctx, id, aimbraintest.Behaviour("ada", 10))
	require.NoError(t, err)
	_, err = client.Voice.Token(ctx, id, aimbrain.TokenAuth)
	require.NoError(t, err)
	voice, err := client.Voice.Auth(ctx, id, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	require.NoError(t, err)
	for name, want := range map[string]float64{"face": face.Score, "behaviour": behaviour.Score, "voice": voice.Score} {
		entry, ok := get().ByType(name)
		require.True(t, ok, name)
		assert.Equal(t, want, entry.Value)
		assert.Equal(t, "1.0", entry.Version)
	}
}

func TestFake_LearnsBehaviourAndRecognisesIt(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithBehaviourCalls(2))
	client := fake.Client()
	id := newSession(t, client, "u").ID
	auth := func(subject string, n int) aimbrain.BehaviourAuthResult {
		result, err := client.Behaviour.Auth(t.Context(), id, aimbraintest.Behaviour(subject, n))
		require.NoError(t, err)
		return result
	}
	for range 2 {
		result := auth("ada", 40)
		assert.Zero(t, result.Score)
		assert.Equal(t, aimbrain.NotEnrolled, result.Status)
	}
	assert.Equal(t, aimbrain.Enrolled, newSession(t, client, "u").Behaviour)
	for _, n := range []int{1, 2, 3, 9, 40, 150} {
		own := auth("ada", n)
		assert.Greater(t, own.Score, 0.5, n)
		assert.Equal(t, aimbrain.Enrolled, own.Status)
		for i := range 30 {
			other := auth(fmt.Sprint("other", i), n)
			assert.Less(t, other.Score, 0.5, "other%d with %d events", i, n)
		}
	}
	assert.Greater(t, auth("ada", 40).Score, 0.9, "the fake does not learn from an impostor")

	web := aimbrain.Events{KeyEvents: []aimbrain.KeyEvent{{Time: 1, Key: "a"}, {Time: 90, Key: "b"}}}
	result, err := client.Behaviour.Auth(t.Context(), id, web)
	require.NoError(t, err)
	assert.Zero(t, result.Score, "there is nothing to compare")
}

func TestBehaviour_IsPlausibleAndReproducible(t *testing.T) {
	t.Parallel()
	events := aimbraintest.Behaviour("ada", 30)
	assert.Equal(t, events, aimbraintest.Behaviour("ada", 30))
	assert.NotEqual(t, events, aimbraintest.Behaviour("bob", 30))
	assert.Len(t, events.Touches, 30)
	assert.Len(t, events.Accelerations, 30)
	assert.NotEmpty(t, events.TextEvents)
	last := int64(0)
	for _, touch := range events.Touches {
		assert.Greater(t, touch.Time, last)
		last = touch.Time
		assert.True(t, touch.X >= 0 && touch.X <= 320 && touch.Y >= 0 && touch.Y <= 568, "%v,%v is off the screen", touch.X, touch.Y)
		assert.True(t, touch.Force > 0 && touch.Force <= 1)
		assert.Positive(t, touch.Radius)
	}
	assert.Equal(t, aimbrain.TouchBegan, events.Touches[0].Phase)
	assert.Equal(t, aimbrain.TouchEnded, events.Touches[29].Phase)
	assert.Panics(t, func() { aimbraintest.Behaviour("", 3) })
	assert.Panics(t, func() { aimbraintest.Behaviour("ada", 0) })
}

func TestFake_HandlesNumbersThatOverflow(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithBehaviourCalls(1))
	id := newSession(t, fake.Client(), "u").ID
	body := fmt.Sprintf(`{"session":%q,"touches":[{"t":1,"r":1e308},{"t":-1e308,"r":1e308},{"t":1e308,"r":9}]}`, id)
	assert.Contains(t, post(t, fake, "/v1/behavioural", body).body, `"status":0`)
	assert.JSONEq(t, `{"score":0,"status":1}`, post(t, fake, "/v1/behavioural", body).body)
	body = fmt.Sprintf(`{"session":%q,"touches":[{"t":1e999}]}`, id)
	assert.Equal(t, 400, post(t, fake, "/v1/behavioural", body).status)
}
