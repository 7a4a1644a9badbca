package login_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	login "github.com/aimbrain/aimbrain-go/examples/unittest"
)

func TestWithFace_ResultOfEachResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		next aimbraintest.Stub
		want error
	}{
		"same person":  {aimbraintest.Score(0.93), nil},
		"score of 0.5": {aimbraintest.Score(0.50), nil},
		"impostor":     {aimbraintest.Score(0.31), login.ErrRefused},
		"too dark":     {aimbraintest.Code(aimbrain.CodePoorBrightness).On(aimbrain.EndpointFaceAuth), login.ErrRetake},
		"key revoked":  {aimbraintest.Status(401).On(aimbrain.EndpointFaceAuth), aimbrain.ErrUnauthorized},
		"no session":   {aimbraintest.Status(403).On(aimbrain.EndpointFaceAuth), aimbrain.ErrSessionNotFound},
		"server error": {aimbraintest.Status(500).On(aimbrain.EndpointFaceAuth), aimbrain.ErrServerError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			fake.Enroll("u-81f3", "ada")
			fake.Queue(c.next)
			err := login.WithFace(t.Context(), fake.Client(), "u-81f3", aimbraintest.FacePhoto("ada"))
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestWithFace_RefusesAUserWhoIsNotEnrolled(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	err := login.WithFace(t.Context(), fake.Client(), "u-new", aimbraintest.FacePhoto("ada"))
	require.ErrorIs(t, err, login.ErrUnknown)
	fake.AssertCount(t, aimbrain.EndpointFaceAuth, 0)
}

func TestWithFace_ReportsATemplateThatIsBeingBuilt(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithTemplateDelay(time.Minute))
	session, err := fake.Client().Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
	require.NoError(t, err)
	_, err = fake.Client().Face.Enroll(t.Context(), session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	require.NoError(t, err)
	selfie := aimbraintest.FacePhoto("ada", aimbraintest.Variant(1))
	require.ErrorIs(t, login.WithFace(t.Context(), fake.Client(), "u-1", selfie), login.ErrSoon)
	fake.Advance(time.Minute)
	require.NoError(t, login.WithFace(t.Context(), fake.Client(), "u-1", selfie))
}

func TestWithFace_LostResponseIsNoLogIn(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u-81f3", "ada")
	fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceAuth))
	err := login.WithFace(t.Context(), fake.Client(), "u-81f3", aimbraintest.FacePhoto("ada"))
	require.Error(t, err)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	fake.AssertCount(t, aimbrain.EndpointFaceAuth, 1)
}

func TestWithFace_TimesOutInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Delay(time.Hour))
		began := time.Now()
		err := login.WithFace(t.Context(), fake.Client(), "u-81f3", nil)
		require.ErrorIs(t, err, aimbrain.ErrAttemptTimeout)
		assert.Equal(t, aimbrain.DefaultAttemptTimeout, time.Since(began))
	})
}

// TestWithFace_Recorded replays responses in testdata. With AIMBRAIN_RECORD=1 and
// credentials it records them again, from an account where the user is enrolled.
func TestWithFace_Recorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dir  string
		want error
	}{
		{dir: "testdata/login", want: nil},
		{dir: "testdata/impostor", want: login.ErrRefused},
		{dir: "testdata/dark", want: login.ErrRetake},
	} {
		t.Run(tt.dir, func(t *testing.T) {
			t.Parallel()
			fixtures := aimbraintest.Record(t, tt.dir)
			err := login.WithFace(t.Context(), fixtures.Client(), "u-81f3", aimbraintest.FacePhoto("ada"))
			require.ErrorIs(t, err, tt.want)
		})
	}
}
