package media_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

// required reports whether a test that cannot run must fail, as in CI.
func required() bool { return os.Getenv("CI_REQUIRE_MEDIA_TOOLS") == "1" }

// tools skips a test without the programs that make the files, and know them.
func tools(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"sh", "ffmpeg", "ffprobe", "sox", "soxi", "convert", "identify", "exiftool"} {
		if _, err := exec.LookPath(tool); err != nil {
			if required() {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
}

// output runs a program in a directory.
func output(t *testing.T, dir string, name string, args ...string) ([]byte, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.Stdin = nil
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		text := stderr.String()
		err = fmt.Errorf("%s: %w: %s", name, err, text[max(0, len(text)-400):])
	}
	return stdout, err
}

// shell runs a line with the file to write in $OUT.
func shell(t *testing.T, dir, line, out string) error {
	t.Helper()
	_, err := output(t, dir, "sh", "-c", "OUT='"+out+"'\n"+line)
	return err
}

// sources makes the files that the variants are made from, and returns their
// directory.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	write("face.jpg", aimbraintest.FacePhoto("ada", aimbraintest.Resolution(600, 400)))
	write("voice.wav", aimbraintest.VoiceWAV("ada", aimbraintest.Duration(7*time.Second), aimbraintest.SampleRate(48_000)))
	for _, line := range []string{
		// A photo with noise, and a short and a long video with sound.
		`convert -size 4000x3000 -seed 1 gradient:tan-blue -attenuate 0.8 +noise Gaussian -quality 90 camera.jpg`,
		`convert -size 1000x800 -seed 1 gradient:tan-blue -attenuate 0.8 +noise Gaussian -quality 95 noise.jpg`,
		`convert -size 600x400 -seed 1 plasma:tan-blue -alpha set -channel A -evaluate set 60% +channel alpha.png`,
		`ffmpeg -v error -f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -f lavfi -i sine=frequency=300:sample_rate=44100:duration=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac short.mp4`,
		`sox voice.wav -c 2 stereo.wav`,
	} {
		if err := shell(t, dir, line, ""); err != nil {
			if required() {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	return dir
}

// variant is one file, and what a report must say of it. What the report says is
// compared with what the other programs say; claims are the fields that it must say.
type variant struct {
	file   string // whose extension a program may need
	make   string // the command line
	format media.Format
	codec  media.Codec
	sound  media.Codec
	// open are the fields that the report leaves open, of those that it has for the
	// kind: "size", "duration", "rate", "channels", "depth", "frames".
	open string
	cut  media.Truncation // Truncated for a file that is cut; NotTruncated if the report must know that it is whole
	// check has what no program says.
	check func(t *testing.T, r media.Report)
	// seconds is the duration of a file for which ffprobe only estimates it.
	seconds float64
	// Which program knows the file: ffprobe for sound and video, identify for
	// pictures, soxi, or none.
	by string
}

func TestInspect_AgreesWithOtherPrograms(t *testing.T) {
	t.Parallel()
	tools(t)
	dir := sources(t)
	variants := append(append(photos(), videos()...), recordings()...)
	require.GreaterOrEqual(t, len(variants), 80)
	made := makeAll(t, dir, variants)
	var pictures []string
	for _, v := range made {
		if v.by == "identify" {
			pictures = append(pictures, v.file)
		}
	}
	known := byIdentify(t, dir, pictures)
	for _, v := range made {
		t.Run(v.file, func(t *testing.T) {
			t.Parallel()
			want, ok := known[v.file]
			if !ok {
				want = truthOf(t, dir, v)
			}
			v.test(t, inspectFile(t, filepath.Join(dir, v.file)), want)
		})
	}
}

// makeAll makes the files, two at a time, and returns the variants that could be made.
func makeAll(t *testing.T, dir string, variants []variant) []variant {
	t.Helper()
	failed := make([]error, len(variants))
	var group sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, v := range variants {
		group.Go(func() {
			slots <- struct{}{}
			failed[i] = shell(t, dir, v.make, v.file)
			<-slots
		})
	}
	group.Wait()
	var made []variant
	for i, v := range variants {
		switch err := failed[i]; {
		case err == nil:
			made = append(made, v)
		case required():
			t.Errorf("%s: %v", v.file, err)
		default:
			t.Run(v.file, func(t *testing.T) { t.Skip(err) })
		}
	}
	return made
}

func (v variant) test(t *testing.T, r media.Report, want truth) {
	t.Helper()
	assert.Equal(t, v.format, r.Format, "Format")
	assert.Equal(t, v.codec, r.Codec, "Codec")
	assert.Equal(t, v.sound, r.AudioCodec, "AudioCodec")
	switch v.cut {
	case media.TruncationUnknown:
		assert.NotEqual(t, media.Truncated, r.Truncation, "Truncation")
	default:
		assert.Equal(t, v.cut, r.Truncation, "Truncation")
	}
	if r.Kind == media.KindVideo || r.Kind == media.KindRecording {
		assert.Equal(t, r.DurationKnown, r.Duration > 0, "Duration %v", r.Duration)
		assert.Equal(t, !r.DurationKnown, has(v.open, "duration"), "DurationKnown")
	}
	v.compare(t, r, want)
	if v.check != nil {
		v.check(t, r)
	}
}

func has(list, name string) bool { return strings.Contains(" "+list+" ", " "+name+" ") }

// inspectFile returns the report for a file, which is the same for its bytes.
func inspectFile(t *testing.T, path string) media.Report {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { assert.NoError(t, file.Close()) }()
	r := media.InspectReaderAt(file, int64(len(data)))
	assert.Equal(t, media.Inspect(data), r)
	assert.Equal(t, int64(len(data)), r.Size)
	return r
}

// truth is what the other programs say. A negative number is one that they do not
// say.
type truth struct {
	width, height   int
	duration        float64 // seconds
	frameRate       float64
	rate, channels  int
	depth           int
	rotation        int
	orientation     int
	location, extra bool // EXIF's GPS data; EXIF, XMP or IPTC data
	hasEXIF         bool // exiftool was asked
}

func (v variant) compare(t *testing.T, r media.Report, want truth) {
	t.Helper()
	number := func(field string, want, got int) {
		t.Helper()
		switch {
		case has(v.open, field):
			assert.Zero(t, got, "%s is said to be open", field)
		case want >= 0:
			assert.Equal(t, want, got, field)
		}
	}
	number("size", want.width, r.Width)
	number("size", want.height, r.Height)
	number("rate", want.rate, r.SampleRate)
	number("channels", want.channels, r.Channels)
	number("depth", want.depth, r.BitsPerSample)
	if want.rotation >= 0 {
		assert.Equal(t, want.rotation, r.Rotation, "Rotation")
	}
	if want.orientation >= 0 {
		assert.Equal(t, want.orientation, r.Orientation, "Orientation")
	}
	if v.seconds > 0 {
		want.duration = v.seconds
	}
	if want.duration >= 0 && r.DurationKnown {
		assert.InDelta(t, want.duration, r.Duration.Seconds(), 0.06, "Duration")
	}
	if want.frameRate > 0 && !has(v.open, "frames") {
		assert.InEpsilon(t, want.frameRate, r.FrameRate, 0.02, "FrameRate")
	}
	if want.hasEXIF {
		assert.Equal(t, want.location, r.Location, "Location")
		assert.Equal(t, want.extra || want.location, r.Metadata, "Metadata")
	}
}

func unknownTruth() truth {
	return truth{width: -1, height: -1, duration: -1, frameRate: -1, rate: -1, channels: -1, depth: -1, rotation: -1, orientation: -1}
}

func truthOf(t *testing.T, dir string, v variant) truth {
	t.Helper()
	switch v.by {
	case "none":
		return unknownTruth()
	case "soxi":
		return bySOX(t, dir, v.file)
	}
	return byFFprobe(t, dir, v.file)
}

func byFFprobe(t *testing.T, dir, name string) truth {
	t.Helper()
	out, err := output(t, dir, "ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", name)
	require.NoError(t, err)
	var probe struct {
		Streams []struct {
			CodecType     string `json:"codec_type"`
			CodecName     string `json:"codec_name"`
			Width, Height int
			AvgFrameRate  string `json:"avg_frame_rate"`
			SampleRate    string `json:"sample_rate"`
			Channels      int
			Bits          int                      `json:"bits_per_sample"`
			RawBits       string                   `json:"bits_per_raw_sample"`
			SideData      []struct{ Rotation int } `json:"side_data_list"`
		}
		Format struct{ Duration string }
	}
	require.NoError(t, json.Unmarshal(out, &probe))
	want := unknownTruth()
	if d, err := strconv.ParseFloat(probe.Format.Duration, 64); err == nil {
		want.duration = d
	}
	video, audio := false, false
	for _, s := range probe.Streams {
		switch {
		case s.CodecType == "video" && !video:
			video = true
			want.width, want.height, want.rotation = s.Width, s.Height, 0
			for _, side := range s.SideData {
				if side.Rotation != 0 {
					want.rotation = ((-side.Rotation)%360 + 360) % 360
				}
			}
			if want.rotation%180 != 0 {
				want.width, want.height = want.height, want.width
			}
			var num, den float64
			if n, _ := fmt.Sscanf(s.AvgFrameRate, "%f/%f", &num, &den); n == 2 && den > 0 {
				want.frameRate = num / den
			}
		case s.CodecType == "audio" && !audio:
			audio = true
			want.rate, err = strconv.Atoi(s.SampleRate)
			require.NoError(t, err)
			want.channels = s.Channels
			if raw, err := strconv.Atoi(s.RawBits); err == nil {
				want.depth = raw
			}
			if strings.HasPrefix(s.CodecName, "pcm_") {
				want.depth = s.Bits
			}
		}
	}
	return want
}

func bySOX(t *testing.T, dir, name string) truth {
	t.Helper()
	want := unknownTruth()
	for flag, set := range map[string]func(float64){
		"-r": func(v float64) { want.rate = int(v) },
		"-c": func(v float64) { want.channels = int(v) },
		"-D": func(v float64) { want.duration = v },
		"-b": func(v float64) { want.depth = int(v) },
	} {
		out, err := output(t, dir, "soxi", flag, name)
		require.NoError(t, err)
		v, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		require.NoError(t, err)
		set(v)
	}
	return want
}

// byIdentify asks ImageMagick for the sizes, and exiftool for everything else.
func byIdentify(t *testing.T, dir string, names []string) map[string]truth {
	t.Helper()
	args := []string{"-quiet", "-ping", "-format", "%f %w %h\n"}
	for _, name := range names {
		args = append(args, name+"[0]")
	}
	out, err := output(t, dir, "identify", args...)
	sizes := map[string][2]int{}
	for line := range strings.Lines(string(out)) { // a cut file is an error, and has a line
		var name string
		var width, height int
		_, err := fmt.Sscanf(line, "%s %d %d", &name, &width, &height)
		require.NoError(t, err, line)
		sizes[name] = [2]int{width, height}
	}
	known := byExiftool(t, dir, names)
	for _, name := range names {
		want := known[name]
		require.Contains(t, sizes, name, "%v", err)
		want.width, want.height = sizes[name][0], sizes[name][1]
		if want.orientation > 4 {
			want.width, want.height = want.height, want.width
		}
		if ext := filepath.Ext(name); ext == ".heic" || ext == ".avif" {
			want.orientation = -1 // the rotation of the file itself counts there
		}
		known[name] = want
	}
	return known
}

func byExiftool(t *testing.T, dir string, names []string) map[string]truth {
	t.Helper()
	out, err := output(t, dir, "exiftool", append([]string{"-json", "-n", "-G1", "-all"}, names...)...)
	if _, failed := errors.AsType[*exec.ExitError](err); failed && len(out) > 0 {
		err = nil // a file that it only knows by name gives a status
	}
	require.NoError(t, err)
	var files []map[string]any
	require.NoError(t, json.Unmarshal(out, &files))
	require.Len(t, files, len(names))
	known := map[string]truth{}
	for i, file := range files {
		require.Equal(t, names[i], file["SourceFile"])
		want := unknownTruth()
		want.hasEXIF, want.orientation = true, 0
		for key, value := range file {
			group, tag, _ := strings.Cut(key, ":")
			switch {
			case group == "IFD0" && tag == "Orientation":
				number, ok := value.(float64)
				require.True(t, ok)
				want.orientation = int(number)
			case tag == "GPSLatitude" && (group == "GPS" || strings.HasPrefix(group, "XMP")):
				want.location = true
			case group == "ExifIFD" && tag != "ExifVersion" && tag != "ComponentsConfiguration" && tag != "FlashpixVersion" && tag != "ColorSpace",
				group == "IFD0" && (tag == "Make" || tag == "Model" || tag == "Software" || tag == "ModifyDate" || tag == "ImageDescription") && filepath.Ext(names[i]) != ".tif",
				group == "IFD1", group == "IPTC", strings.HasPrefix(group, "XMP-"):
				want.extra = true
			}
		}
		known[names[i]] = want
	}
	return known
}
