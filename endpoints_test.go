package aimbrain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

func TestEndpoints_RowsAreComplete(t *testing.T) {
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
		client, _ := responding(t, 200, `{}`)
		_, err := client.Forward(t.Context(), row.Path, []byte(`{}`))
		if row.Empty {
			require.NoError(t, err, "%s", row.Path)
			continue
		}
		assert.True(t, is[*aimbrain.DecodeError](err), "%s takes a response without its members: add it to read in endpoints.go", row.Path)
	}
	decoded := map[string]bool{}
	decodes[aimbrain.Session](t, decoded, `{"session":"s","face":0,"voice":0,"behaviour":0}`)
	decodes[aimbrain.Token](t, decoded, `{"token":"6-6-7"}`)
	decodes[aimbrain.FaceEnrollResult](t, decoded, `{"imagesCount":1}`)
	decodes[aimbrain.FaceAuthResult](t, decoded, `{"score":0.5,"liveliness":0.5}`)
	decodes[aimbrain.FaceCompareResult](t, decoded, `{"score":0.5,"liveliness1":0.5,"liveliness2":0.5}`)
	decodes[aimbrain.VoiceEnrollResult](t, decoded, `{"voiceSamples":1}`)
	decodes[aimbrain.VoiceAuthResult](t, decoded, `{"score":0.5,"liveliness":0.5}`)
	decodes[aimbrain.BehaviourSubmitResult](t, decoded, `{}`)
	decodes[aimbrain.BehaviourAuthResult](t, decoded, `{"score":0.5,"status":1}`)
	decodes[aimbrain.ScoreResult](t, decoded, `{"session":"s","scores":[]}`)
	for _, row := range endpoints.All() {
		assert.True(t, decoded[row.Path], "%s is decoded as no result: add it to endpointsOf in endpoints.go, and its result here", row.Path)
	}
	_, known := endpoints.Find("/v1/iris/auth")
	assert.False(t, known)
}

// decodes records the endpoints whose responses decode as T.
func decodes[T aimbrain.Result](t *testing.T, decoded map[string]bool, body string) {
	t.Helper()
	var none T
	for _, row := range endpoints.All() {
		client, _ := responding(t, 200, body)
		response, err := client.Forward(t.Context(), row.Path, []byte(`{}`))
		if err != nil {
			continue // the body is not that endpoint's
		}
		if result, err := aimbrain.Decode[T](response); err == nil {
			decoded[row.Path] = true
			assert.NotEqual(t, none, result, "%s as %T", row.Path, none)
		} else {
			assert.ErrorContains(t, err, "is not decoded as", "%s as %T", row.Path, none)
		}
	}
	result, err := aimbrain.Decode[T](aimbrain.Response{StatusCode: 200, Body: []byte(body)})
	require.NoError(t, err, "%T", none)
	assert.NotEqual(t, none, result, "%T", none)
}
