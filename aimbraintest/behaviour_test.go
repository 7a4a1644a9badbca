package aimbraintest_test

import (
	"net/http"
	"testing"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
