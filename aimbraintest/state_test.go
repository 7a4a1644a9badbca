package aimbraintest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFake_SessionExpires2HoursAfterItsLastUse(t *testing.T) {
	t.Parallel()
	clocks := map[string]func(t *testing.T, test func(t *testing.T, fake *aimbraintest.Fake, pass func(time.Duration))){
		"Advance": func(t *testing.T, test func(*testing.T, *aimbraintest.Fake, func(time.Duration))) {
			fake := aimbraintest.New(t)
			test(t, fake, fake.Advance)
		},
		"WithClock": func(t *testing.T, test func(*testing.T, *aimbraintest.Fake, func(time.Duration))) {
			now := time.Unix(1_700_000_000, 0)
			fake := aimbraintest.New(t, aimbraintest.WithClock(func() time.Time { return now }))
			test(t, fake, func(d time.Duration) { now = now.Add(d) })
		},
		"synctest": func(t *testing.T, test func(*testing.T, *aimbraintest.Fake, func(time.Duration))) {
			synctest.Test(t, func(t *testing.T) {
				test(t, aimbraintest.New(t), func(d time.Duration) { <-time.After(d) })
			})
		},
	}
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock(t, func(t *testing.T, fake *aimbraintest.Fake, pass func(time.Duration)) {
				client := fake.Client()
				id := newSession(t, client, "u").ID
				for range 3 { // each use renews the session
					pass(2*time.Hour - time.Second)
					_, err := client.Score.Get(t.Context(), id)
					require.NoError(t, err)
				}
				pass(2 * time.Hour)
				_, err := client.Score.Get(t.Context(), id)
				require.ErrorIs(t, err, aimbrain.ErrSessionNotFound)
				require.ErrorContains(t, err, "expired")
			})
		})
	}
}

func TestFake_RemovesExpiredSessions(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	old := newSession(t, client, "u").ID
	fake.Advance(90 * time.Minute)
	young := newSession(t, client, "u").ID
	fake.Advance(time.Hour)
	for range 1200 {
		newSession(t, client, "u")
	}
	_, err := client.Score.Get(t.Context(), old)
	require.ErrorIs(t, err, aimbrain.ErrSessionNotFound)
	_, err = client.Score.Get(t.Context(), young)
	require.NoError(t, err)
}

func TestWithTemplateDelay_ReportsBuilding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t, aimbraintest.WithTemplateDelay(30*time.Second))
		client := fake.Client(once())
		photo := aimbrain.Photos(aimbraintest.FacePhoto("ada"))
		id := newSession(t, client, "u").ID
		_, err := client.Face.Auth(t.Context(), id, photo)
		require.ErrorIs(t, err, aimbrain.ErrNotEnrolled)
		require.ErrorIs(t, err, aimbrain.CodeUserNotFound)
		_, err = client.Face.Enroll(t.Context(), id, photo)
		require.NoError(t, err)

		<-time.After(30*time.Second - 1)
		assert.Equal(t, aimbrain.Building, newSession(t, client, "u").Face)
		_, err = client.Face.Auth(t.Context(), id, photo)
		require.ErrorIs(t, err, aimbrain.ErrServerError)
		require.ErrorIs(t, err, aimbrain.CodeNoUserEncodings)

		<-time.After(1)
		s := newSession(t, client, "u")
		assert.Equal(t, aimbrain.Enrolled, s.Face)
		assert.Equal(t, aimbrain.NotEnrolled, s.Voice)
		_, err = client.Face.Auth(t.Context(), id, photo)
		require.NoError(t, err)
	})
}

func TestFake_TokenExpiresAfter5Minutes(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	recording := aimbrain.Recordings(aimbraintest.VoiceWAV("ada"))
	auth := func() error {
		_, err := client.Voice.Auth(t.Context(), id, recording)
		return err
	}
	require.ErrorIs(t, auth(), aimbrain.ErrTokenRequired)
	require.ErrorIs(t, auth(), aimbrain.CodeNoToken)
	_, err := client.Voice.Auth(t.Context(), id, aimbrain.Recordings([]byte("noise")))
	require.ErrorIs(t, err, aimbrain.ErrTokenRequired, "the token is checked before the recording")
	_, err = client.Voice.Token(t.Context(), id, aimbrain.TokenEnroll1)
	require.NoError(t, err)
	require.ErrorIs(t, auth(), aimbrain.ErrTokenRequired, "a token of another type does not count")
	_, err = client.Face.Token(t.Context(), id, aimbrain.TokenAuth)
	require.NoError(t, err)
	require.ErrorIs(t, auth(), aimbrain.ErrTokenRequired, "a face token does not count")
	_, err = client.Voice.Token(t.Context(), id, aimbrain.TokenAuth)
	require.NoError(t, err)
	require.NoError(t, auth())
	fake.Advance(5*time.Minute - time.Second)
	require.NoError(t, auth(), "the first use does not consume it")
	fake.Advance(time.Second)
	require.ErrorIs(t, auth(), aimbrain.ErrTokenRequired)
	require.ErrorContains(t, auth(), "expired after 5 minutes")
}

func TestWithTokensConsumed_AcceptsATokenOnce(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithTokensConsumed())
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	_, err := client.Voice.Token(t.Context(), id, aimbrain.TokenAuth)
	require.NoError(t, err)
	_, err = client.Voice.Auth(t.Context(), id, aimbrain.Base64("AAAA"))
	require.ErrorIs(t, err, aimbrain.ErrMediaRejected, "a refused authentication consumes no token")
	_, err = client.Voice.Auth(t.Context(), id, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	require.NoError(t, err)
	_, err = client.Voice.Auth(t.Context(), id, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	require.ErrorIs(t, err, aimbrain.ErrTokenRequired)
}

func TestFake_TokensAreReproducibleAndDistinct(t *testing.T) {
	t.Parallel()
	texts := func() (lips, voices []string) {
		fake := aimbraintest.New(t)
		client := fake.Client()
		id := newSession(t, client, "u").ID
		for range 5 {
			lip, err := client.Face.Token(t.Context(), id, aimbrain.TokenAuth)
			require.NoError(t, err)
			voice, err := client.Voice.Token(t.Context(), id, aimbrain.TokenAuth)
			require.NoError(t, err)
			assert.Regexp(t, `^\d-\d-\d$`, lip.Text)
			assert.Regexp(t, `^\w+( \w+){4,}$`, voice.Text)
			lips, voices = append(lips, lip.Text), append(voices, voice.Text)
		}
		return lips, voices
	}
	lips, voices := texts()
	again, spoken := texts()
	assert.Equal(t, lips, again)
	assert.Equal(t, voices, spoken)
	distinct := map[string]bool{}
	for _, text := range append(lips, voices...) {
		distinct[text] = true
	}
	assert.Len(t, distinct, 10)
}

func TestFakeEnroll_SetsTheStateThatForgetRemoves(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	s := newSession(t, client, "u")
	fake.Enroll("u", "ada")
	face, voice, behaviour := fake.Status("u")
	assert.Equal(t, []aimbrain.ModuleStatus{1, 1, 1}, []aimbrain.ModuleStatus{face, voice, behaviour})
	now := newSession(t, client, "u")
	assert.Equal(t, []aimbrain.ModuleStatus{1, 1, 1}, []aimbrain.ModuleStatus{now.Face, now.Voice, now.Behaviour})
	result, err := client.Behaviour.Auth(t.Context(), s.ID, aimbraintest.Behaviour("ada", 9))
	require.NoError(t, err)
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold))
	fake.Forget("u")
	face, voice, behaviour = fake.Status("u")
	assert.Equal(t, []aimbrain.ModuleStatus{0, 0, 0}, []aimbrain.ModuleStatus{face, voice, behaviour})
	_, err = client.Face.Auth(t.Context(), s.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	require.ErrorIs(t, err, aimbrain.ErrNotEnrolled)
}
