package aimbraintest_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
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
