package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRun_RequestsMoreFactorsForLargerAmounts(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	text := out.String()
	assert.Regexp(t, `ada pays 10\n  behaviour: (0\.[5-9]\d|1\.00), enrolled\n  paid: true`, text)
	assert.Regexp(t, `ada pays 500\n  face: 0\.\d\d\n  paid: true`, text)
	assert.Regexp(t, `ada pays 5000\n  face: 0\.\d\d\n  voice: 0\.\d\d, liveliness 0\.\d\d\n  paid: true`, text)
	assert.Regexp(t, `mallory pays 10 .*\n  behaviour: 0\.[0-4]\d, enrolled\n  face: 0\.[0-4]\d\n  paid: false`, text)
	assert.Regexp(t, `mallory pays 5000 .*\n  face: 0\.[0-4]\d\n  paid: false`, text)
}

func TestEnter_RefusesAVoiceThatIsNotLive(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	ada := personsDevice("ada")
	session, err := enrolled(t.Context(), fake, fake.Client(), ada)
	require.NoError(t, err)
	fake.Queue(aimbraintest.Score(0.99).WithLiveliness(0.1).On(aimbrain.EndpointVoiceAuth))
	in, err := (&door{client: fake.Client(), out: &bytes.Buffer{}}).enter(t.Context(), session.ID, ada, 5000)
	require.NoError(t, err)
	assert.False(t, in)
}
