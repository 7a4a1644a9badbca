package aimbraintest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// on creates a session of a user on a device.
func on(t *testing.T, client *aimbrain.Client, userID, device string) aimbrain.Session {
	t.Helper()
	session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: userID, Device: device, System: "s"})
	require.NoError(t, err)
	return session
}

func TestFake_BehaviourBelongsToAUserAndADevice(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	old := on(t, client, "u", "old phone")
	for range 3 {
		_, err := client.Behaviour.Auth(t.Context(), old.ID, aimbraintest.Behaviour("ada", 20))
		require.NoError(t, err)
	}
	known, err := client.Behaviour.Auth(t.Context(), old.ID, aimbraintest.Behaviour("ada", 20))
	require.NoError(t, err)
	assert.True(t, known.Matches(aimbrain.RecommendedThreshold))
	assert.Equal(t, aimbrain.Enrolled, on(t, client, "u", "old phone").Behaviour)

	other := on(t, client, "u", "new phone")
	assert.Equal(t, aimbrain.NotEnrolled, other.Behaviour)
	unknown, err := client.Behaviour.Auth(t.Context(), other.ID, aimbraintest.Behaviour("ada", 20))
	require.NoError(t, err)
	assert.Equal(t, aimbrain.NotEnrolled, unknown.Status)
	assert.False(t, unknown.Matches(aimbrain.RecommendedThreshold))
	known, err = client.Behaviour.Auth(t.Context(), old.ID, aimbraintest.Behaviour("bob", 20))
	require.NoError(t, err)
	assert.Equal(t, aimbrain.Enrolled, known.Status, "the device of the session counts, not the last device")
	assert.False(t, known.Matches(aimbrain.RecommendedThreshold))
}

func TestFakeEnroll_EnrolsBehaviourOnTheUsersDevices(t *testing.T) {
	t.Parallel()
	const no, yes = aimbrain.NotEnrolled, aimbrain.Enrolled
	for _, row := range []struct {
		name string
		do   func(fake *aimbraintest.Fake, session func(device string))
		want map[string]aimbrain.ModuleStatus // of the next sessions, by device
		last aimbrain.ModuleStatus            // Status, before them
	}{
		{
			name: "first device that a session names",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				fake.Enroll("u", "ada")
				session("a")
			},
			want: map[string]aimbrain.ModuleStatus{"a": yes, "b": no}, last: yes,
		},
		{
			name: "no session so far",
			do:   func(fake *aimbraintest.Fake, _ func(string)) { fake.Enroll("u", "ada") },
			want: map[string]aimbrain.ModuleStatus{"a": yes}, last: yes,
		},
		{
			name: "devices of the sessions so far",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				session("a")
				session("b")
				fake.Enroll("u", "ada")
			},
			want: map[string]aimbrain.ModuleStatus{"a": yes, "b": yes, "c": no}, last: yes,
		},
		{
			name: "new phone after it",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				session("a")
				fake.Enroll("u", "ada")
				session("b")
			},
			want: map[string]aimbrain.ModuleStatus{"a": yes, "b": no}, last: no,
		},
		{
			name: "one device alone",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				session("a")
				fake.EnrollBehaviour("u", "b", "ada")
			},
			want: map[string]aimbrain.ModuleStatus{"a": no, "b": yes}, last: no,
		},
		{
			name: "one device alone, before any session",
			do:   func(fake *aimbraintest.Fake, _ func(string)) { fake.EnrollBehaviour("u", "b", "ada") },
			want: map[string]aimbrain.ModuleStatus{"a": no, "b": yes}, last: no,
		},
		{
			name: "forgotten",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				session("a")
				fake.Enroll("u", "ada")
				fake.EnrollBehaviour("u", "b", "ada")
				fake.Forget("u")
			},
			want: map[string]aimbrain.ModuleStatus{"a": no, "b": no}, last: no,
		},
		{
			name: "forgotten before any session",
			do: func(fake *aimbraintest.Fake, _ func(string)) {
				fake.Enroll("u", "ada")
				fake.Forget("u")
			},
			want: map[string]aimbrain.ModuleStatus{"a": no}, last: no,
		},
		{
			name: "enrolled again",
			do: func(fake *aimbraintest.Fake, session func(string)) {
				session("a")
				fake.EnrollBehaviour("u", "b", "bob")
				fake.Enroll("u", "ada")
			},
			want: map[string]aimbrain.ModuleStatus{"a": yes, "b": no}, last: yes,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			client := fake.Client()
			row.do(fake, func(device string) { on(t, client, "u", device) })
			_, _, last := fake.Status("u")
			assert.Equal(t, row.last, last, "Status")
			for _, device := range []string{"a", "b", "c"} {
				want, ok := row.want[device]
				if !ok {
					continue
				}
				_, _, known := fake.StatusOn("u", device)
				assert.Equal(t, want, known, "StatusOn(%q)", device)
				assert.Equal(t, want, on(t, client, "u", device).Behaviour, "session on %q", device)
			}
		})
	}
}

func TestFakeEnrollBehaviour_TakesPrecedenceOverEnroll(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	fake.Enroll("u", "ada")
	fake.EnrollBehaviour("u", "tablet", "bob")
	session := on(t, client, "u", "tablet")
	result, err := client.Behaviour.Auth(t.Context(), session.ID, aimbraintest.Behaviour("bob", 20))
	require.NoError(t, err)
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold))
	assert.Equal(t, aimbrain.Enrolled, session.Face)
}

func TestFakeEnrollBehaviour_RefusesEmptyNames(t *testing.T) {
	t.Parallel()
	for _, names := range [][3]string{{"", "d", "ada"}, {"u", "", "ada"}, {"u", "d", ""}} {
		failures := (&recorderTB{TB: t}).run(func(t *recorderTB) {
			aimbraintest.New(t).EnrollBehaviour(names[0], names[1], names[2])
		})
		require.Len(t, failures, 1)
		assert.Contains(t, failures[0], "must not be empty")
	}
}

func TestFake_DoesNotLearnBehaviourFromRequestsWithoutFeatures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, body string }{
		{"empty arrays of the web client", `{"session":"ID","mouseEvents":[],"keyUpDownEvents":[ ]}`},
		{"empty arrays of a phone", `{"touches":[],"accelerations":[],"textEvents":[],"session":"ID"}`},
		{"array of another name", `{"session":"ID","gyroscope":[{"x":1}]}`},
		{"single event without features", `{"session":"ID","keyUpDownEvents":[{"t":1,"key":"a","dir":1,"ids":[]}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			client := fake.Client()
			id := on(t, client, "u", "d").ID
			for range 5 {
				response, err := client.Forward(t.Context(), aimbrain.EndpointBehaviour, []byte(session(row.body, id)))
				require.NoError(t, err)
				result, err := aimbrain.Decode[aimbrain.BehaviourAuthResult](response)
				require.NoError(t, err)
				assert.Equal(t, aimbrain.NotEnrolled, result.Status)
				assert.Zero(t, result.Score)
			}
			_, _, known := fake.Status("u")
			assert.Equal(t, aimbrain.NotEnrolled, known)
		})
	}
}

func TestFake_DoesNotCompareBehaviourWithoutEvents(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := on(t, client, "u", "d").ID
	send := func(body string) aimbrain.BehaviourAuthResult {
		response, err := client.Forward(t.Context(), aimbrain.EndpointBehaviour, []byte(session(body, id)))
		require.NoError(t, err)
		result, err := aimbrain.Decode[aimbrain.BehaviourAuthResult](response)
		require.NoError(t, err)
		return result
	}
	const nothing = `{"session":"ID","mouseEvents":[],"keyUpDownEvents":[]}`
	first := send(nothing)
	assert.Equal(t, aimbrain.Enrolled, first.Status)
	assert.Zero(t, first.Score)
	scores, err := client.Score.Get(t.Context(), id)
	require.NoError(t, err)
	assert.Empty(t, scores.Scores, "nothing was compared")

	known, err := client.Behaviour.Auth(t.Context(), id, aimbraintest.Behaviour("ada", 20))
	require.NoError(t, err)
	fake.Queue(aimbraintest.Score(0.01))
	again := send(nothing)
	assert.Equal(t, known.Score, again.Score, "the last score")
	assert.Equal(t, aimbrain.Enrolled, again.Status)
	assert.Len(t, fake.Pending(), 1, "a queued score waits for a comparison")
	assert.Equal(t, 0.01, send(`{"session":"ID","keyUpDownEvents":[{"t":1,"key":"a","dir":1,"ids":[]}]}`).Score)

	before, err := client.Score.Get(t.Context(), id)
	require.NoError(t, err)
	_, err = client.Forward(t.Context(), aimbrain.EndpointBehaviourSubmit, []byte(session(nothing, id)))
	require.NoError(t, err)
	after, err := client.Score.Get(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, before.Scores, after.Scores, "nothing was submitted")
}

func TestWithEmptySubmitResponse_LeavesTheBodyOut(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		opts []aimbraintest.Option
		want string
	}{
		{name: "by default", want: "{}"},
		{name: "WithEmptySubmitResponse", opts: []aimbraintest.Option{aimbraintest.WithEmptySubmitResponse()}, want: ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t, row.opts...)
			client := fake.Client()
			id := on(t, client, "u", "d").ID
			for _, events := range []aimbrain.Events{aimbraintest.Behaviour("ada", 3), {Touches: []aimbrain.Touch{}, Other: map[string]any{"gyroscope": []int{}}}} {
				result, err := client.Behaviour.Submit(t.Context(), id, events)
				require.NoError(t, err)
				assert.Equal(t, row.want, string(result.Response.Body))
				assert.Equal(t, http.StatusOK, result.Response.StatusCode)
			}
			response, err := client.Forward(t.Context(), aimbrain.EndpointBehaviourSubmit, []byte(session(`{"session":"ID","touches":[{"t":1}]}`, id)))
			require.NoError(t, err)
			assert.Equal(t, row.want, string(response.Body))
			_, err = aimbrain.Decode[aimbrain.BehaviourSubmitResult](response)
			require.NoError(t, err)
			result, err := client.Behaviour.Submit(t.Context(), id, aimbraintest.Behaviour("ada", 3), aimbrain.WithMetadata([]byte("x")))
			require.NoError(t, err)
			assert.JSONEq(t, `{"metadata":"eA=="}`, string(result.Response.Body))
		})
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
