package aimbraintest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestCode_AppliesToARequestThatCanBeRefusedWithIt(t *testing.T) {
	t.Parallel()
	for code, endpoint := range map[aimbrain.Code]string{
		aimbrain.CodePoorBrightness:   aimbrain.EndpointFaceEnroll,
		aimbrain.CodeFileTooBig:       aimbrain.EndpointFaceEnroll,
		aimbrain.CodeEnrollmentFailed: aimbrain.EndpointFaceEnroll,
		aimbrain.CodeNoFaces:          aimbrain.EndpointFaceEnroll,
		aimbrain.CodeUserNotFound:     aimbrain.EndpointFaceAuth,
		aimbrain.CodeNoToken:          aimbrain.EndpointFaceAuth,
		aimbrain.CodeUnreadableVoice:  aimbrain.EndpointVoiceEnroll,
		aimbrain.CodeAPIError:         aimbrain.EndpointSessions,
	} {
		fake := aimbraintest.New(t)
		fake.Enroll("u-1", "ada")
		fake.Queue(aimbraintest.Code(code))
		client, ctx := fake.Client(), t.Context()
		session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
		if err != nil {
			session, _ = client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
		}
		_, _ = client.Face.Enroll(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		_, _ = client.Face.Auth(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		_, _ = client.Voice.Enroll(ctx, session.ID, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
		refused := ""
		for _, request := range fake.Requests() {
			if request.Status >= 400 {
				refused += request.Endpoint
			}
		}
		assert.Equal(t, endpoint, refused, "%v", code)
		require.Empty(t, fake.Pending())
	}
}
