package fit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/media"
)

// checkFitted checks what Photo promises of every result, and returns the picture.
func checkFitted(t testing.TB, fitted []byte, maxBytes int) image.Image {
	t.Helper()
	require.LessOrEqual(t, len(fitted), maxBytes)
	m, err := jpeg.Decode(bytes.NewReader(fitted))
	require.NoError(t, err)
	size := m.Bounds().Size()
	assert.LessOrEqual(t, max(size.X, size.Y), 640)
	assert.LessOrEqual(t, min(size.X, size.Y), 480)
	assert.NotContains(t, string(fitted), "Exif")
	again, err := Photo(fitted, WithMaxBytes(maxBytes))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(fitted, again), "a fitted photo is fitted")
	for _, p := range media.Inspect(fitted).As(media.Face).Problems {
		assert.Equal(t, media.Advice, p.Severity, "%v", p)
	}
	return m
}

func TestPhoto_AppliesOrientation(t *testing.T) {
	t.Parallel()
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, row := range []struct {
			orientation int
			want        [4]int // the stored corners, in the order of reading as displayed
		}{
			{orientation: 1, want: [4]int{0, 1, 2, 3}},
			{orientation: 2, want: [4]int{1, 0, 3, 2}},
			{orientation: 3, want: [4]int{3, 2, 1, 0}},
			{orientation: 4, want: [4]int{2, 3, 0, 1}},
			{orientation: 5, want: [4]int{0, 2, 1, 3}},
			{orientation: 6, want: [4]int{2, 0, 3, 1}},
			{orientation: 7, want: [4]int{3, 1, 2, 0}},
			{orientation: 8, want: [4]int{1, 3, 0, 2}},
			{orientation: 0, want: [4]int{0, 1, 2, 3}}, // invalid
			{orientation: 9, want: [4]int{0, 1, 2, 3}},
		} {
			for _, size := range []image.Point{{X: 801, Y: 601}, {X: 320, Y: 240}} { // reduced, and of a size that fits
				t.Run(fmt.Sprintf("%v, orientation %d, %v", order, row.orientation, size), func(t *testing.T) {
					t.Parallel()
					fitted, err := Photo(withEXIF(jpegOf(t, drawing(size.X, size.Y), 95), order, row.orientation))
					require.NoError(t, err)
					m := checkFitted(t, fitted, media.MaxFileBytes)
					assert.Equal(t, row.want, cornersOf(m))
					assert.Equal(t, row.orientation > 4 && row.orientation < 9, m.Bounds().Dy() > m.Bounds().Dx())
				})
			}
		}
	}
}

func TestPhoto_OrientationOfEveryColourModel(t *testing.T) {
	t.Parallel()
	gray := image.NewGray(image.Rect(0, 0, 900, 700))
	for i := range gray.Pix {
		gray.Pix[i] = byte(255 * (i % 900) / 900) // brighter to the right
	}
	rgb := drawing(900, 700)
	for _, row := range []struct {
		name  string
		photo []byte
	}{
		{name: "gray JPEG", photo: withEXIF(jpegOf(t, gray, 90), binary.BigEndian, 6)},
		{name: "gray PNG", photo: withChunk(pngOf(t, gray), "eXIf", tiff(binary.BigEndian, 6))},
		{name: "RGB PNG", photo: withChunk(pngOf(t, rgb), "eXIf", tiff(binary.LittleEndian, 6))},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Photo(row.photo)
			require.NoError(t, err)
			m := checkFitted(t, fitted, media.MaxFileBytes)
			require.Equal(t, image.Pt(480, 617), m.Bounds().Size())
			if strings.HasPrefix(row.name, "gray") {
				assert.IsType(t, &image.Gray{}, m)
				top, bottom := m.At(240, 30).(color.Gray).Y, m.At(240, 590).(color.Gray).Y //nolint:forcetypeassert // checked above
				assert.Less(t, top, byte(30))
				assert.Greater(t, bottom, byte(225))
				return
			}
			assert.Equal(t, [4]int{2, 0, 3, 1}, cornersOf(m))
		})
	}
}

// withChunk returns a PNG with a chunk behind its header.
func withChunk(data []byte, name string, body []byte) []byte {
	const header = 8 + 25
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, name...), body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(append([]byte(nil), data[:header]...), chunk...), data[header:]...)
}

func TestPhoto_KeepsAPictureThatFits(t *testing.T) {
	t.Parallel()
	plain := jpegOf(t, synthetic(640, 480, 20), 97)
	original, err := jpeg.Decode(bytes.NewReader(plain))
	require.NoError(t, err)
	photo := withEXIF(plain, binary.BigEndian, 1)
	photo = withSegment(photo, 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<place>"))
	photo = withSegment(photo, 0xe2, []byte("ICC_PROFILE\x00\x01\x01"))
	photo = withSegment(photo, 0xed, []byte("Photoshop 3.0\x00"))
	photo = withSegment(photo, 0xfe, []byte("a comment"))
	photo = append(photo, "\x00\x00ftypmp42 a video behind the picture"...)
	before := bytes.Clone(photo)
	fitted, err := Photo(photo)
	require.NoError(t, err)
	assert.Equal(t, before, photo, "the argument is not changed")
	assert.InDelta(t, 1, ssim(t, original, checkFitted(t, fitted, media.MaxFileBytes)), 0)
	for _, trace := range []string{"Exif", "adobe", "place", "ICC", "Photoshop", "comment", "video"} {
		assert.NotContains(t, string(fitted), trace)
	}
}

func TestPhoto_FitsTheSize(t *testing.T) {
	t.Parallel()
	noise := synthetic(1280, 960, 120)
	photo := jpegOf(t, noise, 90)
	img, err := jpeg.Decode(bytes.NewReader(photo))
	require.NoError(t, err)
	encoded := func(quality int) []byte {
		return append([]byte(jfifHeader), jpegOf(t, scale(img, 640, 480), quality)[2:]...)
	}
	full := len(encoded(quality))
	for _, row := range []struct {
		name     string
		maxBytes int
		want     bool
	}{
		{name: "the size of the first attempt", maxBytes: full, want: true},
		{name: "one byte less", maxBytes: full - 1, want: true},
		{name: "half", maxBytes: full / 2, want: true},
		{name: "too small for any acceptable quality", maxBytes: full / 20},
		{name: "one byte", maxBytes: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Photo(photo, WithMaxBytes(row.maxBytes))
			if !row.want {
				var refused *Error
				require.ErrorAs(t, err, &refused)
				assert.ErrorContains(t, err, "does not fit into")
				assert.ErrorContains(t, err, "WithMaxBytes")
				assert.Equal(t, media.RuleSize, refused.Problem.Rule)
				assert.Empty(t, fitted)
				return
			}
			require.NoError(t, err)
			checkFitted(t, fitted, row.maxBytes)
			// The highest quality that fits: the one above is too large.
			steps := 0
			for ; len(encoded(quality-steps)) > row.maxBytes; steps++ {
			}
			assert.True(t, bytes.Equal(encoded(quality-steps), fitted))
		})
	}
}

func TestPhoto_TransparentBecomesWhite(t *testing.T) {
	t.Parallel()
	invisible := image.NewNRGBA(image.Rect(0, 0, 1000, 1000)) // black, and invisible
	half := image.NewNRGBA64(image.Rect(0, 0, 100, 100))
	for y := range 100 {
		for x := range 100 {
			half.SetNRGBA64(x, y, color.NRGBA64{A: 0x8000})
		}
	}
	index := image.NewPaletted(image.Rect(0, 0, 700, 700), color.Palette{color.NRGBA{}, color.White})
	for _, row := range []struct {
		name  string
		image image.Image
		want  int
	}{
		{name: "8 bit", image: invisible, want: 255},
		{name: "16 bit, half transparent", image: half, want: 127},
		{name: "palette", image: index, want: 255},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Photo(pngOf(t, row.image))
			require.NoError(t, err)
			m := checkFitted(t, fitted, media.MaxFileBytes)
			r, g, b, _ := m.At(50, 50).RGBA()
			for _, v := range []uint32{r, g, b} {
				assert.InDelta(t, row.want, v>>8, 2)
			}
		})
	}
}

// bombPNG returns the header of a PNG of w×h pixels, and nothing else.
func bombPNG(w, h uint32, depth, colour, interlace byte) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, depth, colour, 0, 0, interlace)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

// withSize returns a JPEG with another size in its frame header.
func withSize(t testing.TB, data []byte, marker byte, w, h int) []byte {
	t.Helper()
	at := bytes.Index(data, []byte{0xff, marker, 0})
	require.Positive(t, at)
	out := bytes.Clone(data)
	binary.BigEndian.PutUint16(out[at+5:], uint16(h))
	binary.BigEndian.PutUint16(out[at+7:], uint16(w))
	return out
}

func bombVP8L(w, h int) []byte {
	bits := uint32(w-1) | uint32(h-1)<<14
	b := []byte("RIFF\x14\x00\x00\x00WEBPVP8L\x08\x00\x00\x00\x2f")
	return append(binary.LittleEndian.AppendUint32(b, bits), 0x88, 0x88, 0x08)
}

//nolint:paralleltest // it measures what is allocated, by the whole program
func TestPhoto_RefusesPixelBombs(t *testing.T) {
	baseline := jpegOf(t, drawing(640, 480), 90)
	progressive := bytes.Replace(withSize(t, baseline, 0xc0, 8000, 6000), []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1)
	for _, row := range []struct {
		name    string
		photo   []byte
		options []PhotoOption
		want    string
	}{
		{name: "JPEG", photo: withSize(t, baseline, 0xc0, 65535, 65535), want: "65535×65535 is more than the limit of 50000000 pixels"},
		{name: "JPEG above the limit of an option", photo: jpegOf(t, drawing(64, 48), 90), options: []PhotoOption{WithMaxPixels(64*48 - 1)}, want: "64×48 is more than the limit of 3071 pixels"},
		{name: "progressive JPEG", photo: progressive, options: []PhotoOption{WithMaxPixels(40_000_000)}, want: "8000×6000 is more"},
		{name: "PNG", photo: bombPNG(60_000, 60_000, 8, 6, 0), want: "60000×60000 is more than the limit"},
		{name: "PNG of 16 bits, interlaced", photo: bombPNG(7000, 7000, 16, 6, 1), want: "7000×7000 in this encoding need more memory"},
		{name: "PNG line", photo: bombPNG(40_000_000, 1, 8, 6, 0), want: "40000000×1 is too narrow"},
		{name: "lossless WebP", photo: bombVP8L(16384, 16384), want: "16384×16384 is more than the limit"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Photo(row.photo, row.options...)
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.ErrorContains(t, err, row.want)
			assert.Equal(t, media.RulePictureSize, refused.Problem.Rule)
			assert.NotEmpty(t, refused.Problem.Fix)
		})
	}
}

// TestJPEGFile_DecoderBytes holds the estimate for the kinds whose decoder needs the
// most memory.
func TestJPEGFile_DecoderBytes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		file jpegFile
		want int64
	}{
		{name: "4:2:0", file: jpegFile{width: 4000, height: 3000, components: 3, samples: 6, pixels: 4}, want: 18_000_000},
		{name: "4:4:4", file: jpegFile{width: 4000, height: 3000, components: 3, samples: 3, pixels: 1}, want: 36_000_000},
		{name: "gray", file: jpegFile{width: 4000, height: 3000, components: 1, samples: 1, pixels: 1}, want: 12_000_000},
		{name: "progressive 4:2:0", file: jpegFile{width: 4000, height: 3000, components: 3, samples: 6, pixels: 4, progressive: true}, want: 90_000_000},
		{name: "progressive 4:4:4", file: jpegFile{width: 4000, height: 3000, components: 3, samples: 3, pixels: 1, progressive: true}, want: 180_000_000},
		{name: "CMYK", file: jpegFile{width: 4000, height: 3000, components: 4, samples: 4, pixels: 1}, want: 96_000_000},
		{name: "more than 32 bits", file: jpegFile{width: 65535, height: 65535, components: 4, samples: 4, pixels: 1, progressive: true}, want: 24 * 65535 * 65535},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, row.file.decoderBytes())
		})
	}
}

func TestPhoto_RefusesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	photo := jpegOf(t, synthetic(700, 500, 10), 90)
	picture := pngOf(t, drawing(700, 500))
	scan := bytes.Index(photo, []byte{0xff, 0xda})
	manyScans := append([]byte(nil), photo[:len(photo)-2]...)
	for range maxScans {
		manyScans = append(manyScans, photo[scan:len(photo)-2]...)
	}
	manyScans = append(manyScans, 0xff, 0xd9)
	for _, row := range []struct {
		name  string
		photo []byte
	}{
		{name: "JPEG without its end", photo: photo[:len(photo)/2]},
		{name: "JPEG without its end marker", photo: photo[:len(photo)-2]},
		{name: "JPEG header", photo: photo[:30]},
		{name: "JPEG marker", photo: photo[:3]},
		{name: "JPEG with many scans", photo: manyScans},
		{name: "JPEG of no height", photo: withSize(t, photo, 0xc0, 700, 0)},
		{name: "JPEG of another size", photo: withSize(t, photo, 0xc0, 700, 5000)},
		{name: "PNG without its end", photo: picture[:len(picture)/2]},
		{name: "PNG header", photo: picture[:20]},
		{name: "WebP without its end", photo: []byte("RIFF\xff\x00\x00\x00WEBPVP8L\x08\x00\x00\x00\x2f")},
		{name: "WebP with a chunk that is too long", photo: []byte("RIFF\x14\x00\x00\x00WEBPVP8 \xff\xff\xff\x7f\x2f\x00\x00\x00\x00\x00\x00\x00")},
		{name: "WebP without a picture", photo: []byte("RIFF\x04\x00\x00\x00WEBP")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Photo(row.photo)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Empty(t, fitted)
			assert.NotEmpty(t, refused.Problem.Fix)
			assert.Equal(t, media.Refused, refused.Problem.Severity)
		})
	}
}

func TestPhoto_RefusesOtherFiles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		file []byte
		want string
	}{
		{name: "nothing", file: nil, want: "this format is not decoded here"},
		{name: "HEIC", file: []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), want: "HEIF is not decoded here"},
		{name: "video", file: []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2avc1mp41"), want: "MP4 is not decoded here"},
		{name: "GIF", file: []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), want: "GIF is not decoded here"},
		{name: "recording", file: []byte("RIFF\x24\x00\x00\x00WAVEfmt "), want: "WAV is not decoded here"},
		{name: "base64", file: []byte("/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAAICAgICAgMCAgMFAwMDBQYFBQUFBggGBgYGBgg="), want: "base64 is not decoded here"},
		{name: "HTML", file: []byte("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"), want: "HTML is not decoded here"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Photo(row.file)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Empty(t, fitted)
			assert.ErrorContains(t, err, row.want)
			assert.ErrorContains(t, err, refused.Problem.Fix)
			assert.NotEmpty(t, refused.Problem.Message)
			assert.NotEmpty(t, refused.Problem.Fix)
		})
	}
}

func TestOptions_RefuseInvalidArguments(t *testing.T) {
	t.Parallel()
	photo, recording := jpegOf(t, drawing(4, 4), 90), writeWAV([]float32{0, 0})
	for _, n := range []int{0, -1, math.MinInt} {
		_, err := Photo(photo, WithMaxPixels(n))
		require.ErrorContains(t, err, "WithMaxPixels")
		_, err = Photo(photo, WithMaxBytes(n))
		require.ErrorContains(t, err, "WithMaxBytes")
	}
	_, err := Recording(recording, WithTrim(0))
	require.ErrorContains(t, err, "WithTrim")
	_, err = Recording(recording, WithTrim(-1))
	require.ErrorContains(t, err, "WithTrim")
}
