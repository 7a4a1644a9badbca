package aimbraintest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFake_RefusesMissingAndInvalidMembers(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	id := newSession(t, fake.Client(), "u").ID
	rows := []struct {
		endpoint, body string
		status, code   int
		want           string
	}{
		{"/v1/sessions", ``, 400, 106, "not a strict JSON object"},
		{"/v1/sessions", `{`, 400, 106, "byte 1"},
		{"/v1/sessions", `[]`, 400, 106, "not an object"},
		{"/v1/sessions", `{"userId":"a","userId":"b","device":"d","system":"s"}`, 400, 106, "duplicate"},
		{"/v1/sessions", `{"userId":"a","user\u0049d":"b","device":"d","system":"s"}`, 400, 106, "duplicate"},
		{"/v1/sessions", `{"device":"d","system":"s"}`, 400, 0, `\"userId\" is missing`},
		{"/v1/sessions", `{"userid":"u","device":"d","system":"s"}`, 400, 0, "with this case"},
		{"/v1/sessions", `{"userId":null,"device":"d","system":"s"}`, 400, 0, `\"userId\" is null`},
		{"/v1/sessions", `{"userId":"","device":"d","system":"s"}`, 400, 0, `\"userId\" is empty`},
		{"/v1/sessions", `{"userId":7,"device":"d","system":"s"}`, 400, 0, `\"userId\" is not a string`},
		{"/v1/sessions", `{"userId":"u","system":"s"}`, 400, 0, `\"device\" is missing`},
		{"/v1/sessions", `{"userId":"u","device":"d"}`, 400, 0, `\"system\" is missing`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenWidth":"320"}`, 400, 0, `\"screenWidth\" is not a number`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenHeight":-1}`, 400, 0, `\"screenHeight\" is not a number`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenHeight":null,"more":[{}]}`, 200, 0, `"session"`},
		{"/v1/score", `{}`, 400, 0, `\"session\" is missing`},
		{"/v1/score", `{"session":"x"}`, 403, 0, "no such session"},
		{"/v1/face/token", `{"session":"ID"}`, 400, 0, `\"tokentype\" is missing`},
		{"/v1/face/token", `{"session":"ID","tokentype":"enroll-7"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/face/token", `{"session":"ID","tokentype":"enroll-06"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/voice/token", `{"session":"ID","tokentype":"Auth"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/voice/token", `{"session":"ID","tokentype":"enroll-6"}`, 200, 0, `"token"`},
		{"/v1/face/enroll", `{"session":"ID"}`, 400, 150, `\"faces\" is missing`},
		{"/v1/face/enroll", `{"session":"ID","faces":null}`, 400, 150, `\"faces\" is missing`},
		{"/v1/face/enroll", `{"session":"ID","faces":[]}`, 400, 150, `\"faces\" is empty`},
		{"/v1/face/enroll", `{"session":"ID","faces":"x"}`, 400, 0, `\"faces\" is not an array`},
		{"/v1/face/enroll", `{"session":"ID","faces":[7]}`, 400, 0, `\"faces[0]\" is not a string`},
		{"/v1/face/auth", `{"session":"ID","faces":[]}`, 400, 150, `\"faces\" is empty`},
		{"/v1/voice/enroll", `{"session":"ID","voices":[]}`, 400, 151, `\"voices\" is empty`},
		{"/v1/voice/auth", `{"session":"ID"}`, 400, 151, `\"voices\" is missing`},
		{"/v1/face/compare", `{}`, 400, 150, `\"faces1\" is missing`},
		{"/v1/face/enroll", `{"faces":[]}`, 400, 0, `\"session\" is missing`},
		{"/v1/behavioural", `{"session":"ID"}`, 400, 0, "no events"},
		{"/v1/behavioural", `{"session":"ID","touches":{}}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural", `{"session":"ID","touches":[null]}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural/submit", `{"session":"ID","touches":[{"t":"x"}]}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural/submit", `{"session":"ID","metadata":[]}`, 400, 0, "no events"},
		{"/v1/behavioural/submit", `{"session":"ID","gyroscope":[]}`, 200, 0, "{}"},
	}
	for _, row := range rows {
		t.Run(row.endpoint+" "+row.body, func(t *testing.T) {
			t.Parallel()
			response := post(t, fake, row.endpoint, strings.ReplaceAll(row.body, "ID", id))
			assert.Equal(t, row.status, response.status, response.body)
			assert.Contains(t, response.body, row.want)
			if row.status != http.StatusOK {
				assert.Equal(t, row.code, response.code(t))
			}
		})
	}
}

func TestFake_ReturnsMetadata(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	events := aimbraintest.Behaviour("ada", 3)
	with := aimbrain.WithMetadata([]byte("ticket 17"))
	s, err := client.Sessions.Create(t.Context(), sessionRequest("u"), with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(s.Response.Metadata))
	behaviour, err := client.Behaviour.Auth(t.Context(), id, events, with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(behaviour.Response.Metadata))
	submitted, err := client.Behaviour.Submit(t.Context(), id, events, with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(submitted.Response.Metadata))
	scores, err := client.Score.Get(t.Context(), id, with)
	require.NoError(t, err)
	assert.Nil(t, scores.Response.Metadata)
	assert.Equal(t, []aimbrain.ScoreMetadata{{Name: "simulated", Value: "true"}}, scores.Metadata)

	for _, other := range []string{`"not base64"`, `7`, `null`, `["eA=="]`} {
		body := fmt.Sprintf(`{"userId":"u","device":"d","system":"s","metadata":%s}`, other)
		response := post(t, fake, "/v1/sessions", body)
		assert.Equal(t, http.StatusOK, response.status)
		assert.NotContains(t, response.body, "metadata")
	}
}

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
