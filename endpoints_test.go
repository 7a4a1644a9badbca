package aimbrain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

func TestEndpoints_EachRowOfTheTableIsComplete(t *testing.T) {
	t.Parallel()
	constants := []string{
		aimbrain.EndpointSessions, aimbrain.EndpointBehaviour, aimbrain.EndpointBehaviourSubmit, aimbrain.EndpointScore,
		aimbrain.EndpointFaceToken, aimbrain.EndpointFaceEnroll, aimbrain.EndpointFaceAuth, aimbrain.EndpointFaceCompare,
		aimbrain.EndpointVoiceToken, aimbrain.EndpointVoiceEnroll, aimbrain.EndpointVoiceAuth,
	}
	assert.ElementsMatch(t, constants, aimbrain.Endpoints(), "each row needs a constant in endpoints.go, and its name here")
	typed := map[string]bool{}
	for _, c := range calls() {
		typed[c.endpoint] = true
	}
	for _, row := range endpoints.All() {
		assert.True(t, typed[row.Path], "%s has no typed call in the tests: add one to calls in calls_test.go, with its fixtures", row.Path)
		client, _ := answering(t, 200, `{}`)
		_, err := client.Forward(t.Context(), row.Path, []byte(`{}`))
		if row.Empty {
			require.NoError(t, err, "%s", row.Path)
			continue
		}
		assert.True(t, is[*aimbrain.DecodeError](err), "%s takes a response without its members: add it to read in endpoints.go", row.Path)
	}
	_, known := endpoints.Find("/v1/iris/auth")
	assert.False(t, known)
}
