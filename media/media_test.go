package media_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

func rules(r media.Report) (list []media.Rule) {
	for _, p := range r.Problems {
		list = append(list, p.Rule)
	}
	return list
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../internal/mediainfo/testdata/" + name)
	require.NoError(t, err)
	return data
}

func TestInspect_AllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	photo, video, voice := aimbraintest.FacePhoto("ada"), aimbraintest.FaceVideo("ada"), aimbraintest.VoiceWAV("ada")
	encoded := base64.StdEncoding.EncodeToString(photo)
	large := aimbraintest.FacePhoto("ada", aimbraintest.Resolution(1024, 768))
	for _, tt := range []struct {
		name    string
		data    []byte
		purpose media.Purpose
		kind    media.Kind
		want    []media.Rule
		fix     string // a part of the first problem's
	}{
		{name: "photo", data: photo, kind: media.KindPhoto},
		{name: "video", data: video, kind: media.KindVideo},
		{name: "recording", data: voice, kind: media.KindRecording},
		{name: "nothing", want: []media.Rule{media.RuleReadable}, fix: "wrote nothing"},
		{name: "large photo", data: large, kind: media.KindPhoto, want: []media.Rule{media.RulePictureSize}, fix: "Scale the photo"},
		{name: "photo as a voice", data: photo, purpose: media.Voice, kind: media.KindPhoto, want: []media.Rule{media.RuleVoiceFormat}, fix: "this is a picture"},
		{name: "recording as a face", data: voice, purpose: media.Face, kind: media.KindRecording, want: []media.Rule{media.RuleFaceFormat}, fix: "this is sound"},
		{name: "over 500 kB", data: aimbraintest.FacePhoto("ada", aimbraintest.Size(500_001)), kind: media.KindPhoto, want: []media.Rule{media.RuleSize}, fix: "Scale the photo"},
		{name: "too large for a request", data: aimbraintest.FacePhoto("ada", aimbraintest.Size(1_500_000)), kind: media.KindPhoto, want: []media.Rule{media.RuleRequestSize}, fix: "Scale the photo"},
		{name: "just small enough for a request", data: aimbraintest.FacePhoto("ada", aimbraintest.Size(1_499_997)), kind: media.KindPhoto, want: []media.Rule{media.RuleSize}},
		{name: "photo on its side", data: sample(t, "orientation6.jpg"), kind: media.KindPhoto, want: []media.Rule{media.RuleOrientation}, fix: "Turn the picture itself"},
		{name: "arithmetic coding", data: sample(t, "arithmetic.jpg"), kind: media.KindPhoto, want: []media.Rule{media.RuleFaceCodec}, fix: "baseline JPEG"},
		{name: "WebM", data: sample(t, "vp8.webm"), kind: media.KindVideo, want: []media.Rule{media.RuleFaceEncoding}, fix: "H.264, in an MP4"},
		{name: "QuickTime", data: sample(t, "clip.mov"), kind: media.KindVideo, want: []media.Rule{media.RuleFaceEncoding}, fix: "without encoding"},
		{name: "live WebM", data: sample(t, "live.webm"), kind: media.KindVideo, want: []media.Rule{media.RuleFaceEncoding, media.RuleVideoLength}},
		{name: "floats", data: sample(t, "float.wav"), kind: media.KindRecording, want: []media.Rule{media.RuleVoiceEncoding, media.RuleSampleRate}, fix: "linear PCM"},
		{name: "mu-law", data: sample(t, "mulaw.wav"), kind: media.KindRecording, want: []media.Rule{media.RuleVoiceCodec, media.RuleVoiceLength, media.RuleSampleRate}, fix: "linear PCM"},
		{name: "photo, cut behind its headers", data: photo[:len(photo)-50], kind: media.KindPhoto, want: []media.Rule{media.RuleReadable}, fix: "Send the whole file"},
		{name: "recording, cut", data: voice[:len(voice)/2], kind: media.KindRecording, want: []media.Rule{media.RuleReadable}, fix: "Send the whole file"},
		{name: "base64", data: []byte(encoded), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "pass it to aimbrain.Base64"},
		{name: "base64 in lines", data: []byte(encoded[:76] + "\n" + encoded[76:]), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "without its line breaks"},
		{name: "base64 for URLs", data: []byte(base64.RawURLEncoding.EncodeToString(video)), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "Write + for -"},
		{name: "base64 as a voice", data: []byte(base64.StdEncoding.EncodeToString(voice)), purpose: media.Voice, kind: media.KindText, want: []media.Rule{media.RuleVoiceFormat}, fix: "Decode it first"},
		{name: "data URL", data: []byte("data:image/jpeg;base64," + encoded), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "follows its comma"},
		{name: "HTML", data: []byte("\n<html><head>"), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "an error of a server"},
		{name: "JSON", data: []byte(`{"faces":["` + encoded + `"]}`), kind: media.KindText, want: []media.Rule{media.RuleFaceFormat}, fix: "Take the media out"},
		{name: "noise", data: bytes.Repeat([]byte("\x00\x93\x07"), 1000), kind: media.KindUnknown, want: []media.Rule{media.RuleFaceFormat}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := media.Inspect(tt.data).As(tt.purpose)
			assert.Equal(t, tt.kind, r.Kind)
			assert.Equal(t, tt.want, rules(r))
			if tt.fix != "" {
				require.NotEmpty(t, r.Problems)
				assert.Contains(t, r.Problems[0].Fix, tt.fix)
			}
			checkReport(t, tt.data)
		})
	}
}

// TestInspect_TruncatedPhoto cuts a small and a large photo everywhere behind their
// headers.
func TestInspect_TruncatedPhoto(t *testing.T) {
	t.Parallel()
	var large bytes.Buffer
	require.NoError(t, jpeg.Encode(&large, noisePhoto(), &jpeg.Options{Quality: 70}))
	for name, photo := range map[string][]byte{
		"small": aimbraintest.FacePhoto("ada"), "large": large.Bytes(), "progressive": sample(t, "progressive.jpg"), "with restart markers": sample(t, "restart.jpg"),
	} {
		assert.Equal(t, media.NotTruncated, media.Inspect(photo).Truncation, name)
		assert.Equal(t, media.NotTruncated, media.Inspect(append(bytes.Clone(photo), 0, 0)).Truncation, "%s and zeros", name)
		for n := len(photo) / 2; n < len(photo); n += 1 + len(photo)/200 {
			assert.Equal(t, media.Truncated, media.Inspect(photo[:n]).Truncation, "%s: %d bytes of %d", name, n, len(photo))
		}
	}
	behind := append(bytes.Clone(large.Bytes()), noise(40_000)...)
	assert.Equal(t, media.TruncationUnknown, media.Inspect(behind).Truncation, "bytes behind a photo")
	smooth := image.NewGray(image.Rect(0, 0, 2000, 2000))
	var flat bytes.Buffer
	require.NoError(t, jpeg.Encode(&flat, smooth, nil))
	assert.Equal(t, media.NotTruncated, media.Inspect(flat.Bytes()).Truncation)
}

func TestInspectReaderAt_ErrorIsAProblem(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	video := aimbraintest.FaceVideo("ada")
	for _, tt := range []struct {
		name string
		r    io.ReaderAt
		size int64
		want error
	}{
		{name: "at once", r: failing{err: broken}, size: 5000, want: broken},
		{name: "behind the headers", r: failing{data: video[:1024], err: broken}, size: int64(len(video)), want: broken},
		{name: "shorter than its size", r: bytes.NewReader(video[:100]), size: int64(len(video)), want: io.ErrUnexpectedEOF},
		{name: "no reader", size: 10, want: io.ErrUnexpectedEOF},
		{name: "an error that cannot be compared", r: failing{err: list{broken}}, size: 5000, want: broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := media.InspectReaderAt(tt.r, tt.size)
			assert.ErrorIs(t, r.Err, tt.want)
			assert.Contains(t, rules(r), media.RuleReadError)
			assert.Contains(t, rules(r.As(media.Voice)), media.RuleReadError)
			assert.NotContains(t, r.String(), "disk", "an error's text is the caller's to show")
		})
	}
	assert.Equal(t, []media.Rule{media.RuleReadable}, rules(media.InspectReaderAt(bytes.NewReader(video), -1)))
}

type list []error

func (l list) Error() string   { return "list" }
func (l list) Unwrap() []error { return l }

// failing returns the start of a file, and then an error.
type failing struct {
	data []byte
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(f.data)) {
		n = copy(p, f.data[off:])
	}
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

func TestReport_UnknownDurationNeverPasses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]media.Rule{"vp9-pipe.webm": media.RuleVideoLength, "mulaw.wav": media.RuleVoiceLength, "alac.caf": media.RuleVoiceLength} {
		r := media.Inspect(sample(t, name))
		assert.False(t, r.DurationKnown, name)
		assert.Zero(t, r.Duration, name)
		assert.Contains(t, rules(r), want, name)
		assert.Contains(t, r.String(), "duration unknown")
	}
	r := media.Inspect(aimbraintest.VoiceWAV("ada", aimbraintest.Duration(1500*time.Millisecond)))
	assert.True(t, r.DurationKnown)
	assert.Equal(t, 1500*time.Millisecond, r.Duration)
}

func TestReport_As(t *testing.T) {
	t.Parallel()
	r := media.Inspect(aimbraintest.VoiceWAV("ada"))
	assert.Equal(t, media.AnyPurpose, r.Purpose)
	assert.Nil(t, r.Problems)
	face := r.As(media.Face)
	assert.Equal(t, media.Face, face.Purpose)
	assert.Equal(t, media.Refused, face.Severity())
	assert.Nil(t, face.Command(), "no command makes a face of sound")
	assert.Nil(t, r.Problems, "the report itself does not change")
	assert.Equal(t, r, face.As(media.AnyPurpose))
	assert.Equal(t, r, r.As(media.Purpose(7)))
	assert.Equal(t, media.Report{Purpose: media.Voice}, media.Report{}.As(media.Voice), "a report that is not of this package has no problems")
	assert.Zero(t, media.Report{}.Severity())
}

func TestReport_HoldsNothingOfTheFile(t *testing.T) {
	t.Parallel()
	const secret = "canary-4711"
	for _, data := range [][]byte{
		[]byte(secret), []byte("<html>" + secret), []byte("data:image/" + secret + ";base64,AAAA"),
		append([]byte("\x00\x00\x00\x18ftyp"), secret...), append([]byte("\xff\xd8\xff\xe1\x00\x40Exif\x00\x00"), secret...),
	} {
		assert.NotContains(t, media.Inspect(data).String(), "canary")
	}
}

func TestCommand_For(t *testing.T) {
	t.Parallel()
	command := media.Inspect(sample(t, "vp8.webm")).Command()
	require.NotEmpty(t, command)
	for _, tt := range []struct{ in, out, wantIn, wantOut string }{
		{in: "a.webm", out: "b.mp4", wantIn: "a.webm", wantOut: "b.mp4"},
		{in: "-a.webm", out: "-y", wantIn: "./-a.webm", wantOut: "./-y"},
		{in: "http://h/a", out: "pipe:1", wantIn: "./http://h/a", wantOut: "./pipe:1"},
		{in: "/tmp/a:b", out: "/tmp/c", wantIn: "/tmp/a:b", wantOut: "/tmp/c"},
	} {
		run := command.For(tt.in, tt.out)
		assert.Equal(t, tt.wantIn, run[2])
		assert.Equal(t, tt.wantOut, run[len(run)-1])
		assert.Len(t, run, len(command))
	}
	assert.Equal(t, media.CommandInput, command[2], "the command itself does not change")
	assert.Nil(t, media.Command(nil).For("a", "b"))
	assert.Equal(t, `convert 'it'\''s' -resize '480x640>' ''`, media.Command{"convert", "it's", "-resize", "480x640>", ""}.String())
}

func TestLimits_MatchTheConstants(t *testing.T) {
	t.Parallel()
	limits := media.Limits()
	require.Len(t, limits, 18)
	last := media.Refused
	for _, l := range limits {
		assert.NotEmpty(t, l.Accepted, l.Rule)
		assert.Contains(t, []media.Source{media.Documented, media.Observed, media.SourceUnknown}, l.Source)
		assert.LessOrEqual(t, l.Severity, last)
		last = l.Severity
	}
	limits[0].Accepted = "changed"
	assert.NotEqual(t, limits, media.Limits(), "the slice is the caller's")
	assert.Equal(t, 3*time.Second, media.MaxVideoDuration)
	assert.Equal(t, 5*time.Second, media.MaxVoiceDuration)
}

func TestNames_OfValues(t *testing.T) {
	t.Parallel()
	names := func(values ...interface{ String() string }) string {
		var list []string
		for _, v := range values {
			list = append(list, v.String())
		}
		return strings.Join(list, " ")
	}
	assert.Equal(t, "unknown photo video recording text", names(media.KindUnknown, media.KindPhoto, media.KindVideo, media.KindRecording, media.KindText))
	assert.Equal(t, "any face voice", names(media.AnyPurpose, media.Face, media.Voice))
	assert.Equal(t, "unknown no yes", names(media.TruncationUnknown, media.NotTruncated, media.Truncated))
	assert.Equal(t, "unknown gray YCbCr RGB CMYK", names(media.ColourUnknown, media.Gray, media.YCbCr, media.RGB, media.CMYK))
	assert.Equal(t, "advice may be refused refused unknown", names(media.Advice, media.MayBeRefused, media.Refused, media.Severity(0)))
}
