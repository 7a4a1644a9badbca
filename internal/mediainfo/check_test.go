package mediainfo_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// texts returns the problems as "rule: text".
func texts(problems []mediainfo.Problem) (list []string) {
	for _, p := range problems {
		list = append(list, string(p.Rule.ID)+": "+p.Text)
	}
	return list
}

func TestRules_AreConsistent(t *testing.T) {
	t.Parallel()
	seen := map[mediainfo.RuleID]bool{}
	last := mediainfo.Refused
	for _, r := range mediainfo.Rules() {
		assert.NotEmpty(t, r.ID)
		assert.NotEmpty(t, r.Limit, r.ID)
		assert.Contains(t, []mediainfo.Source{mediainfo.Documented, mediainfo.Observed, mediainfo.SourceUnknown}, r.Source, r.ID)
		assert.False(t, seen[r.ID], r.ID)
		assert.LessOrEqual(t, r.Severity, last, "%s: the most severe come first", r.ID)
		seen[r.ID], last = true, r.Severity
	}
	assert.Len(t, seen, 18)
	assert.Equal(t, mediainfo.Advice, last)
	rules := mediainfo.Rules()
	rules[0].Limit = "changed"
	assert.NotEqual(t, rules, mediainfo.Rules(), "a caller receives a copy")
}

func TestCheck_Problems(t *testing.T) {
	t.Parallel()
	photo := mediainfo.Info{Format: mediainfo.JPEG, Width: 640, Height: 480}
	video := mediainfo.Info{
		Format: mediainfo.MP4, Width: 640, Height: 480, HasVideo: true, VideoCodec: "avc1",
		Duration: 3 * time.Second, VideoDuration: 3 * time.Second,
	}
	voice := mediainfo.Info{
		Format: mediainfo.WAV, HasAudio: true, AudioCodec: "pcm", SampleRate: 16_000, Channels: 1, BitsPerSample: 16,
		Duration: 5 * time.Second, AudioDuration: 5 * time.Second,
	}
	type change = func(*mediainfo.Info)
	webm := func(i *mediainfo.Info) { i.Format, i.VideoCodec = mediainfo.WebM, "vp09" }
	sound := func(d time.Duration) change {
		return func(i *mediainfo.Info) { i.HasAudio, i.AudioDuration, i.AudioCodec = true, d, "mp4a" }
	}
	for _, tt := range []struct {
		name   string
		kind   mediainfo.Kind
		info   mediainfo.Info
		change change
		size   int64 // 0 means one within the limit, -2 means none
		want   []string
	}{
		{name: "photo", kind: mediainfo.Face, info: photo},
		{name: "upright photo", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Orientation = 1 }},
		{name: "portrait", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Width, i.Height = 480, 640 }},
		{name: "video", kind: mediainfo.Face, info: video},
		{name: "video with its parameter sets among the pictures", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.VideoCodec = "avc3" }},
		{name: "recording", kind: mediainfo.Voice, info: voice},
		{name: "CAF", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.Format = mediainfo.CAF }},

		{name: "size not known", kind: mediainfo.Face, info: photo, size: -1},
		{name: "largest", kind: mediainfo.Face, info: photo, size: 500_000},
		{name: "too large", kind: mediainfo.Voice, info: voice, size: 500_001, want: []string{"size: a file of 500001 bytes is larger than 500,000 bytes"}},
		{name: "empty", kind: mediainfo.Face, size: -2, want: []string{"readable: a file of 0 bytes is empty"}},

		{name: "wide", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Width = 641 }, want: []string{"picture-size: 641x480 is larger than 640x480"}},
		{name: "high", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Height = 481 }, want: []string{"picture-size: 640x481 is larger than 640x480"}},
		{name: "high portrait", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Width, i.Height = 480, 641 }, want: []string{"picture-size: 480x641 is larger than 640x480"}},
		{name: "wide video", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Width = 641 }, want: []string{"picture-size: 641x480 is larger than 640x480"}},
		{name: "no width", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Width = 0 }, want: []string{"picture-size: the resolution of the photo is not in its headers"}},
		{name: "no height", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Height = 0 }, want: []string{"picture-size: the resolution of the video is not in its headers"}},
		{name: "photo on its side", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.Orientation = 2 }, want: []string{"orientation: EXIF orientation 2 is not upright"}},
		{name: "rotated video", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Rotation = 90 }},
		{
			name: "photo with arithmetic coding", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.PictureCodec = "arithmetic" },
			want: []string{"face-codec: a JPEG with arithmetic coding is not a baseline or progressive JPEG"},
		},
		{
			name: "lossless photo", kind: mediainfo.Face, info: photo, change: func(i *mediainfo.Info) { i.PictureCodec = "lossless" },
			want: []string{"face-codec: a lossless JPEG is not a baseline or progressive JPEG"},
		},

		{name: "just over 3 s", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Duration++ }, want: []string{"video-length: a video of 3.001 s is longer than 3 s"}},
		{name: "6 s", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Duration *= 2 }, want: []string{"video-length: a video of 6 s is longer than 3 s"}},
		{
			name: "video of unknown length", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Duration, i.VideoDuration, i.DurationUnknown = 0, 0, true },
			want: []string{"video-length: the length of the video is not in its headers"},
		},
		{
			name: "empty video", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Duration, i.VideoDuration = 0, 0 },
			want: []string{"video-length: the length of the video is not in its headers"},
		},
		{name: "sound half a second longer", kind: mediainfo.Face, info: video, change: sound(3500 * ms)},
		{name: "sound of a video without a length", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { sound(3 * time.Second)(i); i.VideoDuration = 0 }},
		{
			name: "sound more than half a second longer", kind: mediainfo.Face, info: video, change: sound(3500*ms + 1),
			want: []string{"sound-length: the sound of 3.501 s is longer than the picture of 3 s"},
		},
		{name: "WebM", kind: mediainfo.Face, info: video, change: webm, want: []string{"face-encoding: VP9 in a WebM; H.264 in an MP4 is documented"}},
		{name: "VP8", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { webm(i); i.VideoCodec = "vp08" }, want: []string{"face-encoding: VP8 in a WebM; H.264 in an MP4 is documented"}},
		{
			name: "Matroska", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Format = mediainfo.WebM },
			want: []string{"face-codec: the video is H.264 in a WebM, which has VP8 or VP9"},
		},
		{name: "VP9 in an MP4", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.VideoCodec = "vp09" }, want: []string{"face-codec: the video is not H.264 but VP9"}},
		{name: "QuickTime", kind: mediainfo.Face, info: video, change: func(i *mediainfo.Info) { i.Format = mediainfo.QuickTime }, want: []string{"face-encoding: H.264 in a QuickTime file; H.264 in an MP4 is documented"}},
		{
			name: "all that an iPhone's video can have", kind: mediainfo.Face, info: video, size: 2_000_000,
			change: func(i *mediainfo.Info) {
				i.Format, i.VideoCodec, i.Width, i.Height, i.Duration = mediainfo.QuickTime, "hvc1", 1280, 720, 7250*ms
				sound(7250 * ms)(i)
			},
			want: []string{
				"request-size: a file of 2000000 bytes does not fit in a request, which is smaller than 2 MB in base64",
				"face-codec: the video is not H.264 but H.265 (HEVC)",
				"sound-length: the sound of 7.25 s is longer than the picture of 3 s",
				"picture-size: 1280x720 is larger than 640x480",
				"video-length: a video of 7.25 s is longer than 3 s",
			},
		},
		{name: "sound as a face", kind: mediainfo.Face, info: voice, change: func(i *mediainfo.Info) { i.Format = mediainfo.M4A }, want: []string{"face-format: there is no video in the file, only sound"}},
		{name: "sound in a WebM as a face", kind: mediainfo.Face, info: voice, change: func(i *mediainfo.Info) { i.Format = mediainfo.WebM }, want: []string{"face-format: there is no video in the file, only sound"}},
		{name: "video without readable headers", kind: mediainfo.Face, info: mediainfo.Info{Format: mediainfo.MP4}, want: []string{"face-format: no video was found in the headers of the file"}},
		{name: "recording as a face", kind: mediainfo.Face, info: voice, want: []string{"face-format: a face must be a JPEG photo or a video, H.264 in MP4 or QuickTime, VP8 or VP9 in WebM, not WAV"}},
		{name: "PNG", kind: mediainfo.Face, info: mediainfo.Info{Format: mediainfo.PNG}, want: []string{"face-format: a face must be a JPEG photo or a video, H.264 in MP4 or QuickTime, VP8 or VP9 in WebM, not PNG"}},
		{name: "no known format", kind: mediainfo.Face, want: []string{"face-format: this is neither a JPEG photo nor a video"}},
		{name: "Base64 text", kind: mediainfo.Face, info: mediainfo.Info{Format: mediainfo.Base64}, want: []string{"face-format: the data is base64 text, where raw bytes belong: it would be encoded twice"}},

		{name: "just over 5 s", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.Duration++ }, want: []string{"voice-length: a recording of 5.001 s is longer than 5 s"}},
		{
			name: "recording of unknown length", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.Duration, i.DurationUnknown = 0, true },
			want: []string{"voice-length: the length of the recording is not in its headers"},
		},
		{name: "15,999 Hz", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.SampleRate-- }, want: []string{"sample-rate: a recording of 15999 Hz is not of 16,000 Hz"}},
		{name: "48 kHz", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.SampleRate = 48_000 }, want: []string{"sample-rate: a recording of 48000 Hz is not of 16,000 Hz"}},
		{name: "no rate", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.SampleRate = 0 }, want: []string{"sample-rate: the sample rate of the recording is not in its headers"}},
		{name: "float", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.AudioCodec = "float" }, want: []string{"voice-encoding: float samples; linear PCM is documented"}},
		{name: "mu-law", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.AudioCodec = "mulaw" }, want: []string{"voice-codec: the recording is mu-law, and not linear PCM"}},
		{name: "big-endian WAV", kind: mediainfo.Voice, info: voice, change: func(i *mediainfo.Info) { i.Format = mediainfo.RIFX }, want: []string{"voice-format: a recording must be WAV or CAF, not big-endian WAV (RIFX)"}},
		{
			name: "all that a voice memo can have", kind: mediainfo.Voice, info: voice,
			change: func(i *mediainfo.Info) {
				i.Format, i.AudioCodec, i.SampleRate, i.Duration = mediainfo.M4A, "mp4a", 48_000, 7*time.Second
			},
			want: []string{
				"voice-format: a recording must be WAV or CAF, not M4A",
				"voice-codec: the recording is AAC, and not linear PCM",
				"voice-length: a recording of 7 s is longer than 5 s",
				"sample-rate: a recording of 48000 Hz is not of 16,000 Hz",
			},
		},
		{name: "Ogg", kind: mediainfo.Voice, info: mediainfo.Info{Format: mediainfo.Ogg}, want: []string{"voice-format: a recording must be WAV or CAF, not Ogg"}},
		{name: "photo as a voice", kind: mediainfo.Voice, info: photo, want: []string{"voice-format: a recording must be WAV or CAF, not JPEG"}},
		{name: "voice of no known format", kind: mediainfo.Voice, want: []string{"voice-format: this is neither a WAV nor a CAF recording"}},
		{name: "Base64 text of a voice", kind: mediainfo.Voice, info: mediainfo.Info{Format: mediainfo.Base64}, want: []string{"voice-format: the data is base64 text, where raw bytes belong: it would be encoded twice"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.change != nil {
				tt.change(&tt.info)
			}
			size := tt.size
			switch size {
			case 0:
				size = 1000
			case -2:
				size = 0
			}
			problems := mediainfo.Check(tt.info, size, tt.kind)
			assert.Equal(t, tt.want, texts(problems))
			for _, p := range problems {
				assert.Contains(t, mediainfo.Rules(), p.Rule)
				assert.Contains(t, []mediainfo.Kind{0, tt.kind}, p.Rule.Kind)
				assert.Regexp(t, `^[A-Z].*\.$`, p.Fix, "a sentence")
			}
		})
	}
}

func TestCheck_OtherFormatsAreProblems(t *testing.T) {
	t.Parallel()
	faces := map[mediainfo.Format]bool{mediainfo.JPEG: true, mediainfo.MP4: true, mediainfo.M4A: true, mediainfo.QuickTime: true, mediainfo.WebM: true}
	voices := map[mediainfo.Format]bool{mediainfo.WAV: true, mediainfo.CAF: true}
	for f := mediainfo.Unknown; f <= mediainfo.H264; f++ {
		info := mediainfo.Info{Format: f, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1", HasAudio: true, AudioCodec: "pcm", Duration: 1, SampleRate: 16_000}
		if f == mediainfo.WebM {
			info.VideoCodec = "vp08"
		}
		assert.Equal(t, !faces[f], strings.Contains(strings.Join(texts(mediainfo.Check(info, 1, mediainfo.Face)), ";"), "face-format"), f)
		assert.Equal(t, !voices[f], strings.Contains(strings.Join(texts(mediainfo.Check(info, 1, mediainfo.Voice)), ";"), "voice-format"), f)
	}
}

func TestCheck_AllocatesNothingWithoutProblems(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	info := mediainfo.Info{Format: mediainfo.JPEG, Width: 640, Height: 480}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if mediainfo.Check(info, 1000, mediainfo.Face) != nil {
			t.Error("a problem")
		}
	}))
}

func TestUnreadable_Errors(t *testing.T) {
	t.Parallel()
	_, cut := mediainfo.Inspect(file(t, "gray.jpg")[:40])
	p, ok := mediainfo.Unreadable(cut)
	require.True(t, ok)
	assert.Equal(t, []string{"readable: JPEG: ends inside a segment"}, texts([]mediainfo.Problem{p}))
	assert.False(t, p.Rule.Guidance)

	_, png := mediainfo.Inspect([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"))
	_, unknown := mediainfo.Inspect([]byte("<html><body>"))
	for _, err := range []error{
		nil, png, unknown, errors.New("broken disk"), mediainfo.CheckStructure(file(t, "mulaw.wav")), &mediainfo.Error{Beyond: true},
	} {
		_, ok := mediainfo.Unreadable(err)
		assert.False(t, ok, "%v", err)
	}
}
