package media_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

// TestCommand_MendsWhatPhonesAndBrowsersMake runs the command of each report. The
// result must be upright and have no problem, and the fake must accept it with the
// vendor's guidance enforced.
func TestCommand_MendsWhatPhonesAndBrowsersMake(t *testing.T) {
	t.Parallel()
	tools(t)
	dir := sources(t)
	const x264 = `-c:v libx264 -preset ultrafast -pix_fmt yuv420p`
	file := func(name, line string) variant { return variant{file: name, make: line} }
	rows := []struct {
		name    string
		purpose media.Purpose
		files   []variant
		rules   []media.Rule // that the report must name
		command []string     // the beginning of the command
	}{
		{name: "iPhone photo", purpose: media.Face, files: []variant{
			file("iphone.heic", `convert noise.jpg -quality 60 "$OUT"`),
		}, rules: []media.Rule{media.RuleFaceFormat, media.RulePictureSize}, command: []string{"convert", media.CommandInput, "-auto-orient"}},
		{name: "12 MP photo on its side", purpose: media.Face, files: []variant{
			file("camera.6.jpg", `exiftool -q -n -Orientation=6 -Make=A -GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W -o "$OUT" camera.jpg`),
		}, rules: []media.Rule{media.RuleRequestSize, media.RulePictureSize, media.RuleOrientation, media.RuleLocation}, command: []string{"convert", media.CommandInput, "-auto-orient"}},
		{name: "Android portrait video", purpose: media.Face, files: []variant{
			file("android.mp4", `ffmpeg -v error -f lavfi -i testsrc2=size=1920x1080:rate=10:duration=6 -c:v libx264 -preset ultrafast -b:v 3M -pix_fmt yuv420p a.mp4 && ffmpeg -v error -i a.mp4 -c copy -metadata:s:v rotate=90 "$OUT"`),
		}, rules: []media.Rule{media.RulePictureSize, media.RuleVideoLength}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "3"}},
		{name: "iPhone video", purpose: media.Face, files: []variant{
			file("iphone.hevc.mov", `ffmpeg -v error -f lavfi -i testsrc2=size=1280x720:rate=10:duration=4 -c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 "$OUT"`),
		}, rules: []media.Rule{media.RuleFaceCodec, media.RulePictureSize, media.RuleVideoLength}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "3"}},
		{name: "video of the vendor's iOS client", purpose: media.Face, files: []variant{
			file("ios.mov", `ffmpeg -v error -f lavfi -i testsrc2=size=352x288:rate=24:duration=2 `+x264+` "$OUT"`),
		}, rules: []media.Rule{media.RuleFaceEncoding}, command: []string{"ffmpeg", "-i", media.CommandInput, "-map_metadata", "-1", "-c", "copy"}},
		{name: "browser WebM", purpose: media.Face, files: []variant{
			file("browser8.webm", `ffmpeg -v error -i short.mp4 -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1 -f webm - | cat >"$OUT"`),
			file("browser9.webm", `ffmpeg -v error -i short.mp4 -an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 "$OUT"`),
		}, rules: []media.Rule{media.RuleFaceEncoding}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "3"}},
		{name: "browser MP4", purpose: media.Face, files: []variant{
			file("browser.mp4", `ffmpeg -v error -stream_loop 2 -i short.mp4 -c copy -movflags frag_keyframe+empty_moov "$OUT"`),
		}, rules: []media.Rule{media.RuleVideoLength}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "3"}},
		{name: "voice memo", purpose: media.Voice, files: []variant{
			file("memo.48.m4a", `ffmpeg -v error -i voice.wav -c:a aac "$OUT"`),
		}, rules: []media.Rule{media.RuleVoiceFormat, media.RuleVoiceCodec, media.RuleVoiceLength, media.RuleSampleRate}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "5"}},
		{name: "stereo WAV", purpose: media.Voice, files: []variant{
			file("stereo.48.wav", `cp stereo.wav "$OUT"`),
		}, rules: []media.Rule{media.RuleSize, media.RuleVoiceLength, media.RuleSampleRate, media.RuleChannels}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "5"}},
		{name: "Opus and AMR", purpose: media.Voice, files: []variant{
			file("opus.webm", `ffmpeg -v error -i voice.wav -c:a libopus "$OUT"`),
			file("opus.ogg", `ffmpeg -v error -i voice.wav -c:a libopus "$OUT"`),
			file("voice.amr", amr(`#!AMR\n`, `\074`, 32, 100)),
		}, rules: []media.Rule{media.RuleVoiceFormat, media.RuleVoiceCodec, media.RuleSampleRate}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "5"}},
		{name: "Web Audio WAV", purpose: media.Voice, files: []variant{
			file("web.wav", `ffmpeg -v error -i voice.wav -t 5 -ar 44100 -c:a pcm_f32le "$OUT"`),
		}, rules: []media.Rule{media.RuleSize, media.RuleSampleRate, media.RuleVoiceEncoding}, command: []string{"ffmpeg", "-i", media.CommandInput, "-t", "5"}},
		{name: "screenshot", purpose: media.Face, files: []variant{
			file("screen.png", `convert -size 1170x2532 gradient:white-tan -alpha set -channel A -evaluate set 80% +channel "$OUT"`),
			file("screen.webp", `convert face.jpg -resize '1200x1600!' "$OUT"`),
		}, rules: []media.Rule{media.RuleFaceFormat, media.RulePictureSize}, command: []string{"convert", media.CommandInput, "-background", "white", "-flatten"}},
	}
	require.Len(t, rows, 12)
	fake := aimbraintest.New(t, aimbraintest.WithGuidanceEnforced())
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range row.files {
				if err := shell(t, dir, v.make, v.file); err != nil {
					if required() {
						t.Fatal(err)
					}
					t.Skip(err)
				}
				report := inspectFile(t, filepath.Join(dir, v.file)).As(row.purpose)
				var rules []media.Rule
				for _, p := range report.Problems {
					rules = append(rules, p.Rule)
				}
				assert.Subset(t, rules, row.rules, v.file)
				command := report.Command()
				require.GreaterOrEqual(t, len(command), len(row.command), v.file)
				assert.Equal(t, media.Command(row.command), command[:len(row.command)])

				out := v.file + ".mended" + filepath.Ext(command[len(command)-1])
				run := command.For(v.file, out)
				if _, err := output(t, dir, run[0], run[1:]...); err != nil {
					t.Fatal(err)
				}
				mended := inspectFile(t, filepath.Join(dir, out)).As(row.purpose)
				assert.Empty(t, mended.Problems, mended.String())
				assert.Equal(t, report.Width < report.Height, mended.Width < mended.Height, "%s lies on its side", out)
				assert.False(t, mended.Location || mended.Metadata, "%s: metadata is left", out)
				assert.Equal(t, media.NotTruncated, mended.Truncation)
				accepts(t, fake, row.purpose, filepath.Join(dir, out))
			}
		})
	}
}

// accepts enrols a file.
func accepts(t *testing.T, fake *aimbraintest.Fake, purpose media.Purpose, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	client := fake.Client()
	session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: t.Name(), Device: "d", System: "s"})
	require.NoError(t, err)
	if purpose == media.Voice {
		_, err = client.Voice.Enroll(t.Context(), session.ID, aimbrain.Recordings(data))
	} else {
		_, err = client.Face.Enroll(t.Context(), session.ID, aimbrain.Photos(data))
	}
	assert.NoError(t, err, path)
}
