package readable_test

import (
	"bytes"
	"encoding/binary"
	"errors"
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

func TestCheck_FilesOfCamerasAndPhones(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"gray.jpg", "restart.jpg", "progressive.jpg", "rgb.jpg",
		"arithmetic.jpg", // image/jpeg cannot decode it, others can
		"phone.mp4", "faststart.mp4", "fragmented.mp4", "clip.mov", "voice.m4a",
		"extensible.wav", "pipe.wav", "bigendian.caf", "pipe.caf",
	} {
		assert.NoError(t, readable.Check(file(t, name)), name)
	}
	assert.NoError(t, readable.Check(append(file(t, "restart.jpg"), "trailer"...)))
}

func TestCheck_DamagedPictureData(t *testing.T) {
	t.Parallel()
	data := file(t, "gray.jpg")
	// The end marker is present, half of the picture is missing.
	half := append(bytes.Clone(data[:len(data)*3/4]), 0xff, 0xd9)
	require.NoError(t, mediainfo.CheckStructure(half))
	assert.ErrorContains(t, readable.Check(half), "JPEG: damaged")
}

func TestCheck_CutPhotoIsIncomplete(t *testing.T) {
	t.Parallel()
	data := file(t, "progressive.jpg")
	for _, n := range []int{3, 100, len(data) / 2, len(data) - 1} {
		var e *mediainfo.Error
		require.ErrorAs(t, readable.Check(data[:n]), &e)
		assert.True(t, e.Incomplete, "%d bytes: %v", n, e)
	}
}

// resize sets another resolution in the frame header of a 96x72 photo.
func resize(t *testing.T, name string, width, height int) []byte {
	t.Helper()
	data := file(t, name)
	i := bytes.Index(data, []byte("\x08\x00\x48\x00\x60"))
	require.Positive(t, i)
	copy(data[i+1:], []byte{byte(height >> 8), byte(height), byte(width >> 8), byte(width)})
	return data
}

func TestCheck_HostileResolutionTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
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

func TestCheck_EndlessScans(t *testing.T) {
	t.Parallel()
	data := file(t, "progressive.jpg")
	scan := data[bytes.LastIndex(data, []byte("\xff\xda")) : len(data)-2]
	bomb := append(bytes.Clone(data[:len(data)-2]), bytes.Repeat(scan, 1000)...)
	assert.ErrorContains(t, readable.Check(append(bomb, 0xff, 0xd9)), "more scans")
}

func TestCheck_LargeEvenPhoto(t *testing.T) {
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

func TestCheck_NamesOtherFormats(t *testing.T) {
	t.Parallel()
	assert.ErrorContains(t, readable.Check([]byte("GIF89a\x01\x00\x01\x00\x00\x00")), "GIF")
	assert.Error(t, readable.Check(nil))
}

// jpegSegment is a marker with a payload.
func jpegSegment(marker byte, payload ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(payload))), payload...)
}

// undecodable is a photo of one component that has all its parts, with an invalid
// quantisation table before its scans: only an attempt to decode it fails. Bytes
// behind its end marker extend it to size.
func undecodable(frameMarker byte, width, height, scans, size int) []byte {
	data := append([]byte("\xff\xd8"), jpegSegment(frameMarker, 8,
		byte(height>>8), byte(height), byte(width>>8), byte(width), 1, 1, 0x11, 0)...)
	data = append(data, jpegSegment(0xdb, 0xff)...)
	data = append(data, bytes.Repeat(jpegSegment(0xda, 1, 1, 0, 0, 63, 0), scans)...)
	data = append(data, 0xff, 0xd9)
	return append(data, make([]byte, max(0, size-len(data)))...)
}

func TestCheck_FrameHeaderDecidesWhetherToDecode(t *testing.T) {
	t.Parallel()
	const (
		baseline, progressive, arithmetic = 0xc0, 0xc2, 0xc9

		tooLarge = "JPEG: more than 100 megapixels"
		tooFew   = "JPEG: too few bytes for the resolution in its header"
		tooMany  = "JPEG: more scans than any picture needs"
		decoded  = "JPEG: damaged: " // followed by the decoder's text about the table
	)
	for _, tt := range []struct {
		name                       string
		marker                     byte
		width, height, scans, size int
		problem                    string // "" for a photo that passes undecoded
		incomplete                 bool
	}{
		{name: "coding that image/jpeg lacks", marker: arithmetic, width: 96, height: 72, scans: 1},
		{name: "100 megapixels", marker: arithmetic, width: 10_000, height: 10_000, scans: 1},
		{name: "above 100 megapixels", marker: arithmetic, width: 10_001, height: 10_000, scans: 1, problem: tooLarge},
		{name: "100 scans", marker: arithmetic, width: 96, height: 72, scans: 100},
		{name: "above 100 scans", marker: arithmetic, width: 96, height: 72, scans: 101, problem: tooMany},
		{name: "512 pixels a byte", marker: baseline, width: 512, height: 1000, scans: 1, size: 1000, problem: decoded},
		{
			name: "above 512 pixels a byte", marker: baseline, width: 512, height: 1001, scans: 1, size: 1000,
			problem: tooFew, incomplete: true,
		},
		{
			// 5 bytes a pixel are exactly 400 MiB.
			name: "all the memory that a decoder may take", marker: progressive, width: 8192, height: 10_240, scans: 1, size: 200_000,
			problem: decoded,
		},
		{
			name: "more memory than a decoder may take", marker: progressive, width: 8192, height: 10_241, scans: 1, size: 200_000,
		},
		{
			name: "as many pixels in a baseline photo", marker: baseline, width: 8192, height: 10_241, scans: 1, size: 200_000,
			problem: decoded,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := readable.Check(undecodable(tt.marker, tt.width, tt.height, tt.scans, tt.size))
			if tt.problem == "" {
				assert.NoError(t, err)
				return
			}
			var e *mediainfo.Error
			require.ErrorAs(t, err, &e)
			assert.ErrorContains(t, err, tt.problem)
			assert.Equal(t, tt.incomplete, e.Incomplete, "Incomplete")
		})
	}
}

// FuzzReadable looks for a panic, and for input that passes and is no photo.
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
		_, inspect := mediainfo.Inspect(data)
		var beyond *mediainfo.Error
		if err == nil && inspect != nil && !(errors.As(inspect, &beyond) && beyond.Beyond) {
			t.Fatalf("readable, but not to be inspected: %v", inspect)
		}
	})
}
