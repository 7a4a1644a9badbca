package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRun_EnrolsAVoiceInFiveSteps(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "step 5 of 5")
	assert.Contains(t, out.String(), "matches: true, live: true")
}

func TestAuthenticate_OldRecordingIsNotLive(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u-81f3", "ada")
	session, err := fake.Client().Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "d", System: "s"})
	require.NoError(t, err)
	old := func(string) []byte { return aimbraintest.VoiceWAV("ada", aimbraintest.Saying("something else")) }
	result, err := authenticate(t.Context(), fake.Client(), session.ID, old, &bytes.Buffer{})
	require.NoError(t, err)
	assert.False(t, result.IsLive(0.5))
}
