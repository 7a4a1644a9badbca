package synth

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJPEG_DecodesToTheDrawing(t *testing.T) {
	t.Parallel()
	spec := Spec{Subject: "ada", Width: 200, Height: 150}
	drawing := newFace(spec)
	progressive, camera := spec, spec
	progressive.Progressive, camera.EXIF = true, true
	for _, s := range []Spec{spec, progressive, camera} {
		img, err := jpeg.Decode(bytes.NewReader(JPEG(s)(0)))
		require.NoError(t, err)
		picture, ok := img.(*image.YCbCr)
		require.True(t, ok)
		var off float64
		for y := range 150 {
			for x := range 200 {
				off += math.Abs(float64(picture.Y[picture.YOffset(x, y)]) - float64(drawing.luma(x, y)))
			}
		}
		assert.Less(t, off/(200*150), 2.0, "mean difference in brightness")
	}
}

func TestVoice_HasAudibleSamples(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"ada", "bob", "cyd"} {
		var peak, sum float64
		samples := voice(Spec{Subject: subject, Duration: time.Second, Rate: 16_000})
		for _, v := range samples {
			peak, sum = max(peak, math.Abs(float64(v))), sum+float64(v)
		}
		assert.Greater(t, peak, 5_000.0)
		assert.Less(t, math.Abs(sum/float64(len(samples))), 200.0, "no offset")
	}
}

func TestComments_HaveTheExactPadding(t *testing.T) {
	t.Parallel()
	const first, full = 65_533 - 50, 65_537 // the bytes of the first comment, and of each other
	for _, near := range []int{8, first, first + full, first + 2*full} {
		for padding := near - 8; padding < near+8; padding++ {
			got := comments(nil, make([]byte, 50), padding)
			assert.Len(t, got, 54+padding)
		}
	}
}
