package readable_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo/readable"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name))
	require.NoError(t, err)
	return data
}

func TestWhateverACameraOrPhoneMakesIsReadable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"gray.jpg", "restart.jpg", "progressive.jpg", "rgb.jpg",
		"arithmetic.jpg", // image/jpeg cannot, others can
		"phone.mp4", "faststart.mp4", "fragmented.mp4", "clip.mov", "voice.m4a",
		"extensible.wav", "pipe.wav", "bigendian.caf", "pipe.caf",
	} {
		assert.NoError(t, readable.Check(file(t, name)), name)
	}
	assert.NoError(t, readable.Check(append(file(t, "restart.jpg"), "trailer"...)))
}

func TestAPhotoWithDamagedPictureDataIsRefused(t *testing.T) {
	t.Parallel()
	data := file(t, "gray.jpg")
	// The end marker is there, half of the picture is not.
	half := append(bytes.Clone(data[:len(data)*3/4]), 0xff, 0xd9)
	require.NoError(t, mediainfo.CheckStructure(half))
	assert.ErrorContains(t, readable.Check(half), "JPEG: damaged")
}

func TestACutPhotoIsRefusedAsIncomplete(t *testing.T) {
	t.Parallel()
	data := file(t, "progressive.jpg")
	for _, n := range []int{3, 100, len(data) / 2, len(data) - 1} {
		var e *mediainfo.Error
		require.ErrorAs(t, readable.Check(data[:n]), &e)
		assert.True(t, e.Incomplete, "%d bytes: %v", n, e)
	}
}

// resize puts another resolution into the frame header of a 96x72 photo.
func resize(t *testing.T, name string, width, height int) []byte {
	t.Helper()
	data := file(t, name)
	i := bytes.Index(data, []byte("\x08\x00\x48\x00\x60"))
	require.Positive(t, i)
	copy(data[i+1:], []byte{byte(height >> 8), byte(height), byte(width >> 8), byte(width)})
	return data
}

func TestAHostileResolutionTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for _, size := range [][2]int{{65_000, 65_000}, {9_000, 9_000}, {1_000, 1_000}} {
		for _, name := range []string{"gray.jpg", "progressive.jpg"} {
			data := resize(t, name, size[0], size[1])
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := readable.Check(data)
			runtime.ReadMemStats(&after)
			assert.Error(t, err, "%s %v", name, size)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "%s %v", name, size)
		}
	}
}

func TestAPhotoOfScansWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	data := file(t, "progressive.jpg")
	scan := data[bytes.LastIndex(data, []byte("\xff\xda")) : len(data)-2]
	bomb := append(bytes.Clone(data[:len(data)-2]), bytes.Repeat(scan, 1000)...)
	assert.ErrorContains(t, readable.Check(append(bomb, 0xff, 0xd9)), "more scans")
}

func TestALargeEvenPhotoIsReadable(t *testing.T) {
	t.Parallel()
	img := image.NewYCbCr(image.Rect(0, 0, 2000, 1500), image.YCbCrSubsampleRatio420)
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, nil))
	assert.NoError(t, readable.Check(buf.Bytes()))
	gray := image.NewGray(image.Rect(0, 0, 2000, 1500))
	gray.Set(1, 1, color.White)
	buf.Reset()
	require.NoError(t, jpeg.Encode(&buf, gray, nil))
	assert.NoError(t, readable.Check(buf.Bytes()))
}

func TestOtherFormatsAreNamed(t *testing.T) {
	t.Parallel()
	assert.ErrorContains(t, readable.Check([]byte("GIF89a\x01\x00\x01\x00\x00\x00")), "GIF")
	assert.Error(t, readable.Check(nil))
}

// FuzzReadable looks for a panic, and for a photo that passes without being
// one.
func FuzzReadable(f *testing.F) {
	names, err := filepath.Glob("../testdata/*.*")
	require.NoError(f, err)
	for _, name := range names {
		f.Add(file(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := readable.Check(data)
		if structure := mediainfo.CheckStructure(data); structure != nil && err == nil {
			t.Fatalf("readable in spite of: %v", structure)
		}
		if _, inspect := mediainfo.Inspect(data); err == nil && inspect != nil {
			t.Fatalf("readable, but not to be inspected: %v", inspect)
		}
	})
}
