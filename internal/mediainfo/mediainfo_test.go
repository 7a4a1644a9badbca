package mediainfo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

// wantError checks that err is an [*mediainfo.Error] with this text, and that
// Incomplete is right.
func wantError(t *testing.T, err error, text string, incomplete bool) {
	t.Helper()
	var e *mediainfo.Error
	require.ErrorAs(t, err, &e)
	assert.EqualError(t, err, text)
	assert.Equal(t, incomplete, e.Incomplete, "Incomplete")
}

func TestSniff_FirstBytesGiveFormat(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]mediainfo.Format{
		"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01": mediainfo.JPEG,
		"\x00\x00\x00\x18ftypisom":             mediainfo.MP4,
		"\x00\x00\x00\x18ftypmp42":             mediainfo.MP4,
		"\x00\x00\x00\x14ftypqt  ":             mediainfo.QuickTime,
		"\x00\x00\x00\x20moov\x00\x00\x00\x00": mediainfo.QuickTime,
		"\x00\x00\x00\x18ftypM4A ":             mediainfo.M4A,
		"\x00\x00\x00\x18ftypheic":             mediainfo.HEIC,
		"\x00\x00\x00\x18ftypavif":             mediainfo.AVIF,
		"RIFF\x24\x00\x00\x00WAVE":             mediainfo.WAV,
		"RIFF\x24\x00\x00\x00WEBP":             mediainfo.WebP,
		"RIFF\x24\x00\x00\x00AVI ":             mediainfo.AVI,
		"caff\x00\x01\x00\x00desc":             mediainfo.CAF,
		"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d":    mediainfo.PNG,
		"GIF89a\x01\x00\x01\x00\x00\x00":       mediainfo.GIF,
		"BM\x46\x00\x00\x00\x00\x00\x00\x00":   mediainfo.BMP,
		"II*\x00\x08\x00\x00\x00\x00\x00\x00":  mediainfo.TIFF,
		"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01": mediainfo.WebM,
		"ID3\x04\x00\x00\x00\x00\x00\x00\x00":  mediainfo.MP3,
		"\xff\xfb\x90\x64\x00\x00\x00\x00":     mediainfo.MP3,
		"\xff\xf1\x50\x80\x00\x1f\xfc\x00":     mediainfo.AAC,
		"OggS\x00\x02\x00\x00\x00\x00\x00\x00": mediainfo.Ogg,
		"fLaC\x00\x00\x00\x22\x10\x00\x10\x00": mediainfo.FLAC,
		"FORM\x00\x00\x00\x24AIFF":             mediainfo.AIFF,
		"#!AMR\n\x3c\x00\x00\x00\x00\x00":      mediainfo.AMR,
		"data:image/jpeg;base64,/9j/":          mediainfo.Base64,
		"BMW is a car":                         mediainfo.Unknown,
		"<html><body>":                         mediainfo.Unknown,
		"":                                     mediainfo.Unknown,
		"\xff":                                 mediainfo.Unknown,
	} {
		assert.Equal(t, want, mediainfo.Sniff([]byte(start)), "%q", start)
	}
}

func TestSniff_Base64Text(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gray.jpg", "phone.mp4", "pipe.wav", "pipe.caf"} {
		text := base64.StdEncoding.EncodeToString(file(t, name))
		assert.Equal(t, mediainfo.Base64, mediainfo.Sniff([]byte(text)), name)
	}
}

func TestFormat_String(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "JPEG", mediainfo.JPEG.String())
	assert.Equal(t, "Base64 text", mediainfo.Base64.String())
	assert.Equal(t, "unknown", mediainfo.Format(-1).String())
	assert.Equal(t, "unknown", mediainfo.Format(1000).String())
}

func TestInspect_ReadsHeaders(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	photo := mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72}
	video := mediainfo.Info{
		Format: mediainfo.MP4, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1",
		Duration: 400 * ms, VideoDuration: 400 * ms, FrameRate: 25,
	}
	voice := mediainfo.Info{
		Format: mediainfo.WAV, HasAudio: true, AudioCodec: "pcm", SampleRate: 8000, Channels: 1,
		BitsPerSample: 16, Duration: 100 * ms, AudioDuration: 100 * ms,
	}
	for name, want := range map[string]mediainfo.Info{
		"gray.jpg": photo, "restart.jpg": photo, "rgb.jpg": photo,
		"progressive.jpg": with(photo, func(i *mediainfo.Info) { i.Progressive = true }),
		"arithmetic.jpg":  with(photo, func(i *mediainfo.Info) { i.PictureCodec = "arithmetic" }),
		"faststart.mp4":   video,
		"clip.mov":        with(video, func(i *mediainfo.Info) { i.Format = mediainfo.QuickTime }),
		"phone.mp4": with(video, func(i *mediainfo.Info) {
			i.HasAudio, i.AudioCodec, i.SampleRate, i.Channels, i.BitsPerSample = true, "mp4a", 16000, 1, 16
			i.AudioDuration = 100 * ms
		}),
		"pipe.wav": voice,
		"float.wav": with(voice, func(i *mediainfo.Info) {
			i.AudioCodec, i.BitsPerSample = "float", 32
		}),
		"extensible.wav": with(voice, func(i *mediainfo.Info) { i.Channels, i.BitsPerSample = 2, 24 }),
		"mulaw.wav": with(voice, func(i *mediainfo.Info) {
			i.AudioCodec, i.BitsPerSample, i.Duration, i.AudioDuration = "mulaw", 8, 0, 0
			i.DurationUnknown = true
		}),
		"pipe.caf":      with(voice, func(i *mediainfo.Info) { i.Format = mediainfo.CAF }),
		"bigendian.caf": with(voice, func(i *mediainfo.Info) { i.Format = mediainfo.CAF }),
	} {
		got, err := mediainfo.Inspect(file(t, name))
		assert.NoError(t, err, name)
		// AAC comes in blocks of 1024 samples, so its track may be longer.
		if got.AudioCodec == "mp4a" {
			assert.InDelta(t, want.AudioDuration, got.AudioDuration, float64(100*ms), name)
			got.AudioDuration = want.AudioDuration
		}
		assert.Equal(t, want, got, name)
	}
}

func with(i mediainfo.Info, change func(*mediainfo.Info)) mediainfo.Info {
	change(&i)
	return i
}

func TestInspect_StartOfFile(t *testing.T) {
	t.Parallel()
	for name, enough := range map[string]int{
		"gray.jpg": 120, "progressive.jpg": 180, "faststart.mp4": 900, "bigendian.caf": 110, "float.wav": 100,
	} {
		data := file(t, name)
		whole, err := mediainfo.Inspect(data)
		require.NoError(t, err, name)
		start, err := mediainfo.Inspect(data[:enough])
		assert.NoError(t, err, name)
		assert.Equal(t, whole, start, name)
	}
}

func TestInspect_Incomplete(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gray.jpg", "phone.mp4", "faststart.mp4", "bigendian.caf", "float.wav"} {
		data := file(t, name)
		info, err := mediainfo.Inspect(data[:20])
		var e *mediainfo.Error
		require.ErrorAs(t, err, &e, name)
		assert.True(t, e.Incomplete, "%s: %v", name, err)
		assert.Equal(t, mediainfo.Sniff(data), info.Format, name)
	}
}

func TestInspect_UnsupportedFormat(t *testing.T) {
	t.Parallel()
	info, err := mediainfo.Inspect([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"))
	assert.Equal(t, mediainfo.PNG, info.Format)
	assert.EqualError(t, err, "PNG: not a format that is read here; JPEG, MP4, QuickTime, WebM, WAV and CAF are")
	_, err = mediainfo.Inspect(nil)
	assert.EqualError(t, err, "empty: no data at all")
	_, err = mediainfo.Inspect([]byte("\xff\xd8"))
	assert.EqualError(t, err, "too short to recognise the format")
	_, err = mediainfo.Inspect(make([]byte, 12)) // the longest of all signatures
	assert.NotEqual(t, "too short to recognise the format", err.Error())
	_, err = mediainfo.Inspect([]byte("<html>secret</html>"))
	assert.EqualError(t, err, "unknown format; it is none of JPEG, MP4, QuickTime, WebM, WAV and CAF")
}

func TestInspect_AllocatesNothingForPhotosAndVoices(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for _, name := range []string{"gray.jpg", "progressive.jpg", "float.wav", "extensible.wav", "pipe.caf"} {
		data := file(t, name)
		var info mediainfo.Info
		var err error
		n := testing.AllocsPerRun(100, func() { info, err = mediainfo.Inspect(data) })
		require.NoError(t, err)
		require.NotZero(t, info)
		assert.Zero(t, n, name)
	}
}

func TestCheckStructure_FilesOfOtherWriters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"gray.jpg", "restart.jpg", "progressive.jpg", "rgb.jpg", "arithmetic.jpg", "phone.mp4", "faststart.mp4",
		"fragmented.mp4", "clip.mov", "voice.m4a", "extensible.wav", "float.wav", "pipe.wav", "bigendian.caf", "pipe.caf",
	} {
		assert.NoError(t, mediainfo.CheckStructure(file(t, name)), name)
	}
}

func TestCheckStructure_BytesBehindPicture(t *testing.T) {
	t.Parallel()
	data := file(t, "restart.jpg")
	for _, tail := range []string{"\x00", "\x00\x00\x00\x00SEFT", "\xff\xd8\xff\xe0 another picture"} {
		assert.NoError(t, mediainfo.CheckStructure(append(bytes.Clone(data), tail...)))
	}
}

func TestCheckStructure_CutFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"gray.jpg", "restart.jpg", "progressive.jpg", "phone.mp4", "faststart.mp4", "voice.m4a", "extensible.wav", "bigendian.caf",
	} {
		data := file(t, name)
		for n := range data {
			err := mediainfo.CheckStructure(data[:n])
			var e *mediainfo.Error
			require.ErrorAs(t, err, &e, "%s cut to %d", name, n)
			assert.NotContains(t, err.Error(), "\x00")
		}
	}
}

func TestCheckStructure_RefusesOtherThanLinearPCM(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]string{
		"mulaw.wav": "WAV: mu-law is not supported; linear PCM is",
		"alac.caf":  "CAF: ALAC is not supported; linear PCM is",
	} {
		err := mediainfo.CheckStructure(file(t, name))
		wantError(t, err, problem, false)
		var e *mediainfo.Error
		assert.ErrorAs(t, err, &e)
		assert.True(t, e.Unsupported, name)
	}
}

// patch returns a file with a part replaced by one of the same length.
func patch(t *testing.T, name, old, replacement string) []byte {
	t.Helper()
	data := file(t, name)
	require.Len(t, replacement, len(old))
	require.Contains(t, string(data), old)
	return bytes.Replace(data, []byte(old), []byte(replacement), 1)
}

func TestCheckStructure_DamagedStructure(t *testing.T) {
	t.Parallel()
	for problem, data := range map[string][]byte{
		"JPEG: the frame header gives an empty picture":                                patch(t, "gray.jpg", "\x08\x00\x48\x00\x60", "\x08\x00\x48\x00\x00"),
		"JPEG: the frame header has the wrong length":                                  patch(t, "gray.jpg", "\x00\x48\x00\x60\x01", "\x00\x48\x00\x60\x03"),
		"JPEG: no frame header in front of the picture data":                           patch(t, "gray.jpg", "\xff\xc0", "\xff\xfe"),
		"JPEG: a segment has an impossible length":                                     patch(t, "gray.jpg", "\xff\xdb\x00\x43", "\xff\xdb\x00\x01"),
		"JPEG: no picture data":                                                        []byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x48\x00\x60\x01\x01\x11\x00\xff\xd9"),
		"WAV: ends inside the samples":                                                 append(file(t, "extensible.wav")[:2000:2000], 0),
		"WAV: no data chunk":                                                           patch(t, "pipe.wav", "data\xff\xff\xff\xff", "LIST\x00\x00\x00\x00")[:44],
		"WAV: no format chunk in front of the samples":                                 patch(t, "pipe.wav", "fmt ", "fm2 "),
		"WAV: the format chunk contradicts itself about the sample size":               patch(t, "pipe.wav", "\x02\x00\x10\x00data", "\x03\x00\x10\x00data"),
		"WAV: the format chunk gives an impossible rate, channel count or sample size": patch(t, "pipe.wav", "\x40\x1f\x00\x00", "\xff\xff\xff\xff"),
		"CAF: the file version is not 1":                                               patch(t, "pipe.caf", "caff\x00\x01", "caff\x00\x02"),
		"CAF: the data chunk is too short":                                             patch(t, "pipe.caf", "data\xff\xff\xff\xff\xff\xff\xff\xff", "data\x00\x00\x00\x00\x00\x00\x00\x03"),
		"CAF: the description contradicts itself about the sample size":                patch(t, "pipe.caf", "\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01", "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01"),
		"CAF: the description gives an impossible rate, channel count or sample size":  patch(t, "pipe.caf", "\x40\xbf\x40\x00\x00\x00\x00\x00", "\x7f\xf8\x00\x00\x00\x00\x00\x01"),
		"MP4: no movie header (moov)":                                                  patch(t, "phone.mp4", "moov", "free"),
		"MP4: no media data (mdat)":                                                    patch(t, "phone.mp4", "mdat", "free"),
		"MP4: no track":                                                                patch(t, "faststart.mp4", "trak", "free"),
		"MP4: no video or audio track":                                                 patch(t, "faststart.mp4", "vide", "text"),
		"MP4: a track has no media header (mdhd)":                                      patch(t, "faststart.mp4", "mdhd", "free"),
		"MP4: a track has no handler (hdlr)":                                           patch(t, "faststart.mp4", "hdlr", "free"),
		"MP4: a track has no sample table (stbl)":                                      patch(t, "faststart.mp4", "stbl", "free"),
		"MP4: a track lacks one of its sample tables (stsz, stco, stsc, stts)":         patch(t, "faststart.mp4", "stco", "free"),
		"MP4: a sample table counts more entries than it has":                          patch(t, "faststart.mp4", "stsz\x00\x00\x00\x00\x00\x00\x00\x00\x00", "stsz\x00\x00\x00\x00\x00\x00\x00\x00\x7f"),
		"MP4: a sample lies outside the file":                                          patch(t, "faststart.mp4", "stco\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00", "stco\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"),
	} {
		assert.EqualError(t, mediainfo.CheckStructure(data), problem)
	}
}

func TestInspect_ImpossibleDurationIsCapped(t *testing.T) {
	t.Parallel()
	caf := []byte("caff\x00\x01\x00\x00desc")
	caf = binary.BigEndian.AppendUint64(caf, 32)
	caf = binary.BigEndian.AppendUint64(caf, math.Float64bits(1))
	caf = append(caf, "lpcm\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x08data"...)
	caf = binary.BigEndian.AppendUint64(caf, math.MaxInt64)
	caf = append(caf, 0, 0, 0, 0, 1, 2)
	info, err := mediainfo.Inspect(caf)
	assert.NoError(t, err)
	assert.Equal(t, 1000*time.Hour, info.Duration)
}

func TestError_DoesNotQuoteData(t *testing.T) {
	t.Parallel()
	data := patch(t, "faststart.mp4", "avc1\x00\x00\x00\x00", "\x1b[2J\x00\x00\x00\x00")
	data = bytes.Replace(data, []byte("avc1"), []byte("mp41"), 1)
	info, _ := mediainfo.Inspect(data)
	assert.NotContains(t, info.VideoCodec, "\x1b")
	assert.Less(t, len(info.VideoCodec), 6)
	assert.False(t, strings.ContainsRune(info.VideoCodec, 0))
}
