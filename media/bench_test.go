package media_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

const halfMB = 500_000

func noise(n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(b)
	return b
}

// fill appends bytes to a file until it has 500 kB.
func fill(data []byte, pattern string) []byte {
	return append(data, bytes.Repeat([]byte(pattern), halfMB/len(pattern)+1)...)[:halfMB]
}

func noisePhoto() *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, 1000, 900))
	copy(picture.Pix, noise(len(picture.Pix)))
	return picture
}

// files returns 500 kB of each format: usual files, cut ones, and files that are made
// to cost time.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	encoded := func(encode func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		require.NoError(t, encode(&b))
		require.Greater(t, b.Len(), halfMB)
		return b.Bytes()
	}
	photo := encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, noisePhoto(), &jpeg.Options{Quality: 100}) })
	list := map[string][]byte{
		"photo":           photo,
		"photo, cut":      photo[:halfMB],
		"photo, behind":   fill(photo[:0:0], "x"),
		"video":           aimbraintest.FaceVideo("ada", aimbraintest.Size(halfMB)),
		"recording":       aimbraintest.VoiceWAV("ada", aimbraintest.Size(halfMB)),
		"CAF":             aimbraintest.VoiceCAF("ada", aimbraintest.Size(halfMB)),
		"PNG":             encoded(func(b *bytes.Buffer) error { return png.Encode(b, noisePhoto()) }),
		"GIF":             encoded(func(b *bytes.Buffer) error { return gif.Encode(b, noisePhoto(), nil) }),
		"noise":           noise(halfMB),
		"JPEG markers":    fill(photo[:1000:1000], "\xff\x00"),
		"JPEG fill bytes": fill([]byte("\xff\xd8\xff\xe0\x00\x02"), "\xff"),
		"JPEG segments":   fill([]byte("\xff\xd8\xff\xe0\x00\x02"), "\xff\xe2\x00\x02"),
		"empty boxes":     fill([]byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp42"), "\x00\x00\x00\x08free"),
		"empty elements":  fill([]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"), "\xec\x80"),
		"empty chunks":    fill([]byte("RIFF\x00\x00\x00\x00WAVE"), "LIST\x00\x00\x00\x00"),
		"PNG chunks":      fill([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x00\x00\x00\x00....")[:33], "\x00\x00\x00\x00teSt...."),
		"AMR frames":      fill([]byte("#!AMR\n"), "\x7c"),
		"Ogg pages":       fill([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00....\x01\x13OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"), "OggS"),
		"FLV tags":        fill([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"), "\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b"),
		"AVI chunks":      fill([]byte("RIFF\x18\xa1\x07\x00AVI LIST\xff\xff\xff\x7fhdrl"), "JUNK\x00\x00\x00\x00"),
		"TS packets":      fill(nil, "G\x1f\xff\x10"+string(make([]byte, 184))),
		"HEIC items":      fill([]byte("\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1\x7f\xff\xff\xffmeta\x00\x00\x00\x00"), "\x00\x00\x00\x08infe"),
		"TIFF tags":       fill([]byte("II*\x00\x08\x00\x00\x00\xff\xff"), "\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"),
		"MP3 padding":     fill([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), "\x00"),
	}
	list["photo, behind"] = fill(append([]byte(nil), photo[:4000]...), "x")
	samples, err := filepath.Glob("../internal/mediainfo/testdata/*.*")
	require.NoError(t, err)
	for _, path := range samples {
		if filepath.Ext(path) == ".md" {
			continue
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		list[filepath.Base(path)] = fill(data, "\x00\x00\x01\x00free....")
	}
	fragments := binary.BigEndian.AppendUint32(nil, 1<<20)
	list["many samples"] = append(list["fragmented.mp4"][:2000:2000], fill(append(fragments, "moof"...), "\x00\x00\x00\x08traf")...)
	return list
}

// BenchmarkInspect compares the time of a report with that of the SHA-256 of the same
// bytes, which a call takes anyway. The ratio of the medians is the figure: it should be
// 0.1 at most.
func BenchmarkInspect(b *testing.B) {
	for name, data := range files(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var ours, hash []time.Duration
			for b.Loop() {
				start := time.Now()
				_ = media.Inspect(data)
				middle := time.Now()
				_ = sha256.Sum256(data)
				ours, hash = append(ours, middle.Sub(start)), append(hash, time.Since(middle))
			}
			slices.Sort(ours)
			slices.Sort(hash)
			b.ReportMetric(float64(ours[len(ours)/2])/float64(hash[len(hash)/2]), "ratio")
			b.ReportMetric(float64(ours[len(ours)/2].Nanoseconds()), "inspect-ns")
		})
	}
}

// TestInspect_AllocatesLittle bounds the memory of a report, also for a file that is
// made to cost more.
func TestInspect_AllocatesLittle(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	const runs = 20
	for name, data := range files(t) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_ = media.Inspect(data)
		}
		runtime.ReadMemStats(&after)
		assert.LessOrEqual(t, (after.TotalAlloc-before.TotalAlloc)/runs, uint64(4096), name)
	}
}

// counter counts the reads and the bytes of a file.
type counter struct {
	data         []byte
	reads, bytes int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	return bytes.NewReader(c.data).ReadAt(p, off)
}

func TestInspectReaderAt_ReadsLittle(t *testing.T) {
	t.Parallel()
	for name, data := range files(t) {
		c := &counter{data: data}
		r := media.InspectReaderAt(c, int64(len(data)))
		assert.LessOrEqual(t, c.reads, 64, name)
		assert.LessOrEqual(t, c.bytes, 64<<10, name)
		assert.Equal(t, media.Inspect(data), r, name)
		assert.NoError(t, r.Err, name)
	}
}
