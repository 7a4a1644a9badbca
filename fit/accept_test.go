package fit_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/fit"
	"github.com/aimbrain/aimbrain-go/media"
)

// TestFitted_IsAccepted sends what does not fit, and then what fits, to a fake that
// accepts only what the vendor documents.
func TestFitted_IsAccepted(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithGuidanceEnforced())
	client := fake.Client()
	session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "user", Device: "device", System: "system"})
	require.NoError(t, err)

	photo, recording := largePhoto(t), longRecording()
	_, err = client.Face.Enroll(t.Context(), session.ID, aimbrain.Photos(photo))
	require.ErrorIs(t, err, aimbrain.ErrMediaRejected)
	_, err = client.Voice.Enroll(t.Context(), session.ID, aimbrain.Recordings(recording))
	require.ErrorIs(t, err, aimbrain.ErrMediaRejected)

	photo, err = fit.Photo(photo)
	require.NoError(t, err)
	recording, err = fit.Recording(recording, fit.WithTrim(media.MaxVoiceDuration))
	require.NoError(t, err)
	_, err = client.Face.Enroll(t.Context(), session.ID, aimbrain.Photos(photo))
	require.NoError(t, err)
	_, err = client.Voice.Enroll(t.Context(), session.ID, aimbrain.Recordings(recording))
	require.NoError(t, err)
	require.Empty(t, media.Inspect(photo).As(media.Face).Problems)
	require.Empty(t, media.Inspect(recording).As(media.Voice).Problems)
}

// largePhoto returns a JPEG of 1600x1200 pixels.
func largePhoto(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 1600, 1200))
	for y := range 1200 {
		for x := range 1600 {
			m.SetRGBA(x, y, color.RGBA{R: byte(x / 8), G: byte(y / 8), B: byte((x + y) / 16), A: 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, nil))
	return b.Bytes()
}

// longRecording returns an AU of 7 s, with 44.1 kHz and two channels.
func longRecording() []byte {
	b := []byte(".snd\x00\x00\x00\x18\xff\xff\xff\xff\x00\x00\x00\x03\x00\x00\xac\x44\x00\x00\x00\x02")
	for i := range 7 * 44_100 {
		v := int16(8000 * math.Sin(2*math.Pi*440*float64(i)/44_100))
		b = append(b, byte(v>>8), byte(v), byte(v>>8), byte(v))
	}
	return b
}
