package fit

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFitSize_Limits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name               string
		w, h, wantW, wantH int
	}{
		{name: "12 MP landscape", w: 4032, h: 3024, wantW: 640, wantH: 480},
		{name: "12 MP portrait", w: 3024, h: 4032, wantW: 480, wantH: 640},
		{name: "screenshot", w: 1170, h: 2532, wantW: 296, wantH: 640},
		{name: "16:9", w: 1920, h: 1080, wantW: 640, wantH: 360},
		{name: "square", w: 3000, h: 3000, wantW: 480, wantH: 480},
		{name: "at the limit", w: 640, h: 480, wantW: 640, wantH: 480},
		{name: "at the limit, upright", w: 480, h: 640, wantW: 480, wantH: 640},
		{name: "one pixel above", w: 641, h: 480, wantW: 640, wantH: 479},
		{name: "small", w: 3, h: 2, wantW: 3, wantH: 2},
		{name: "square, above the shorter limit alone", w: 500, h: 500, wantW: 480, wantH: 480},
		{name: "line", w: 100_000, h: 1, wantW: 640, wantH: 1},
		{name: "product of more than 32 bits", w: 40_000_000, h: 30_000_000, wantW: 640, wantH: 480},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, h := fitSize(row.w, row.h)
			assert.Equal(t, []int{row.wantW, row.wantH}, []int{w, h})
		})
	}
}

// TestScale_ResemblesImageMagick compares the picture before its encoding with that
// of another program.
func TestScale_ResemblesImageMagick(t *testing.T) {
	t.Parallel()
	needTools(t, "convert")
	for _, row := range []struct {
		name        string
		w, h, noise int
	}{
		{name: "12 MP, noisy", w: 4032, h: 3024, noise: 60},
		{name: "12 MP, smooth", w: 4032, h: 3024, noise: 0},
		{name: "3 MP, noisy, odd size", w: 1511, h: 2017, noise: 60},
		{name: "1.4 times the size, noisy", w: 903, h: 677, noise: 60},
		{name: "2.9 times the size, noisy", w: 1879, h: 1409, noise: 60},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := jpegOf(t, synthetic(row.w, row.h, row.noise), 90)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "in.jpg"), data, 0o600))
			img, err := jpeg.Decode(bytes.NewReader(data))
			require.NoError(t, err)
			w, h := fitSize(row.w, row.h)
			run(t, "convert", filepath.Join(dir, "in.jpg"), "-resize", fmt.Sprintf("%dx%d!", w, h), filepath.Join(dir, "out.png"))
			similarity := ssim(t, open(t, filepath.Join(dir, "out.png")), scale(img, w, h))
			t.Logf("SSIM %.4f", similarity)
			assert.GreaterOrEqual(t, similarity, 0.98)
		})
	}
}
