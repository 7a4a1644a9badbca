package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

const harFile = `{"log": {"entries": [
{"request": {"method": "GET", "url": "https://bank.example/"}, "response": {"status": 200}},
{"request": {"method": "POST", "url": "https://api.aimbrain.com/v1/score", "headers": [{"name": "content-type", "value": "application/json"}], "postData": {"text": "{\"session\":\"s-81f3\"}"}},
 "response": {"status": 200, "content": {"text": "{\"session\":\"s-81f3\",\"scores\":[{\"type\":\"face\",\"value\":0.75}]}"}}}
]}}`

func TestRun_WritesFixturesThatReplay(t *testing.T) {
	t.Parallel()
	input, dir := filepath.Join(t.TempDir(), "score.har"), filepath.Join(t.TempDir(), "score")
	require.NoError(t, os.WriteFile(input, []byte(harFile), 0o600))
	var out strings.Builder
	require.NoError(t, run([]string{input, dir}, &out))
	assert.Contains(t, out.String(), "1 calls of the API were written, and 1 other requests left out")

	scores, err := aimbraintest.Record(t, dir).Client().Score.Get(t.Context(), "s-0000")
	require.NoError(t, err)
	assert.Equal(t, []aimbrain.ScoreEntry{{Type: "face", Value: 0.75}}, scores.Scores)
}

func TestRun_Refuses(t *testing.T) {
	t.Parallel()
	input, full := filepath.Join(t.TempDir(), "score.har"), t.TempDir()
	require.NoError(t, os.WriteFile(input, []byte(harFile), 0o600))
	require.NoError(t, run([]string{input, full}, new(strings.Builder)))
	other := filepath.Join(t.TempDir(), "other.har")
	require.NoError(t, os.WriteFile(other, []byte(`{"log":{"entries":[]}}`), 0o600))
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{name: "no directory", args: []string{input}, want: "usage"},
		{name: "no file", args: []string{input + "x", t.TempDir()}, want: "score.harx"},
		{name: "no calls", args: []string{other, t.TempDir()}, want: "none of its 0 requests is a call of the API"},
		{name: "fixtures are there", args: []string{input, full}, want: "has fixtures"},
	} {
		require.ErrorContains(t, run(tt.args, new(strings.Builder)), tt.want, tt.name)
	}
}
