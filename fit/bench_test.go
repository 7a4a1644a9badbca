package fit

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	xdraw "golang.org/x/image/draw"
)

// plainPhoto is the usual code for the same: without the choice of a quality, the
// orientation and the removal of what another program would see.
func plainPhoto(t testing.TB, data []byte) []byte {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	small := image.NewRGBA(image.Rect(0, 0, 640, 480))
	xdraw.ApproxBiLinear.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, small, &jpeg.Options{Quality: quality}))
	return out.Bytes()
}

// BenchmarkPhoto_12MP reports the time of Photo and of the usual code in one run, in
// turn, and their ratio.
func BenchmarkPhoto_12MP(b *testing.B) {
	for _, row := range []struct {
		name  string
		noise int
	}{{name: "smooth", noise: 3}, {name: "noisy", noise: 40}} {
		b.Run(row.name, func(b *testing.B) {
			data := jpegOf(b, synthetic(4032, 3024, row.noise), 90)
			b.ReportAllocs()
			var ours, plain time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := Photo(data)
				require.NoError(b, err)
				middle := time.Now()
				plainPhoto(b, data)
				ours, plain = ours+middle.Sub(start), plain+time.Since(middle)
			}
			b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ours-ms")
			b.ReportMetric(float64(plain.Milliseconds())/float64(b.N), "plain-ms")
			b.ReportMetric(float64(ours)/float64(plain), "ours/plain")
		})
	}
}
