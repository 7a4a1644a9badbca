package aimbrain_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

// warnings are the problems that the media check logged.
type warnings []struct{ Level, Msg, Endpoint, File, Rule, Problem string }

// of returns the rules that were reported for a file, sorted.
func (w warnings) of(file string) []string {
	var rules []string
	for _, warning := range w {
		if warning.File == file {
			rules = append(rules, warning.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// checked is the result of a call in each mode.
type checked struct {
	logged  warnings               // with MediaCheckWarn and a logger
	refused *aimbrain.RequestError // with MediaCheckStrict, nil if the request was sent
}

// check makes a call in each mode. Only MediaCheckStrict may refuse it.
func check(t *testing.T, do func(*aimbrain.Client) error) checked {
	t.Helper()
	const body = `{"imagesCount":1,"voiceSamples":1,"score":0.5,"liveliness":0,"liveliness1":0,"liveliness2":0}`
	var result checked
	var log bytes.Buffer
	at := func(level slog.Level) aimbrain.Option {
		return aimbrain.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: level})))
	}
	for _, mode := range []struct {
		name string
		opts []aimbrain.Option
	}{
		{name: "by default without a logger"},
		{name: "warn without a logger", opts: []aimbrain.Option{aimbrain.WithMediaCheck(aimbrain.MediaCheckWarn)}},
		{name: "a logger of errors", opts: []aimbrain.Option{at(slog.LevelError)}},
		{name: "off", opts: []aimbrain.Option{at(slog.LevelWarn), aimbrain.WithMediaCheck(aimbrain.MediaCheckOff)}},
	} {
		client, transport := responding(t, 200, body, mode.opts...)
		require.NoError(t, do(client), mode.name)
		assert.Equal(t, 1, transport.GetTotalCallCount(), mode.name)
		assert.Empty(t, log.String(), mode.name)
	}

	client, transport := responding(t, 200, body, at(slog.LevelWarn))
	require.NoError(t, do(client))
	assert.Equal(t, 1, transport.GetTotalCallCount(), "it is sent nevertheless")
	for line := range strings.Lines(log.String()) {
		require.NoError(t, json.Unmarshal([]byte(line), addTo(&result.logged)))
	}

	log.Reset()
	client, transport = responding(t, 200, body, at(slog.LevelWarn), aimbrain.WithMediaCheck(aimbrain.MediaCheckStrict))
	err := do(client)
	assert.Empty(t, log.String(), "the error holds the problem")
	if err == nil {
		assert.Equal(t, 1, transport.GetTotalCallCount())
		assert.Empty(t, result.logged)
		return result
	}
	require.ErrorAs(t, err, &result.refused)
	assert.Zero(t, transport.GetTotalCallCount())
	assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
	require.NotEmpty(t, result.logged)
	assert.Equal(t, result.logged[0].File, result.refused.Argument)
	for _, warning := range result.logged {
		assert.Equal(t, "WARN", warning.Level)
		assert.Equal(t, result.refused.Endpoint, warning.Endpoint)
		assert.Contains(t, err.Error(), warning.File)
		assert.Contains(t, err.Error(), warning.Problem, "all problems are named")
		assert.NotEmpty(t, warning.Problem)
	}
	return result
}

// addTo appends an element to a slice and returns a pointer to it.
func addTo[S ~[]E, E any](s *S) *E {
	*s = append(*s, *new(E))
	return &(*s)[len(*s)-1]
}

// wholePNG is a small picture.
func wholePNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 48))))
	return b.Bytes()
}

// wholeWebP is a picture of one pixel.
func wholeWebP(t *testing.T) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	require.NoError(t, err)
	return data
}

// withMetadata inserts 60 kB of metadata before a JPEG's frame header.
func withMetadata(photo []byte) []byte {
	segment := append([]byte{0xff, 0xe2, 30_000 >> 8, 30_000 & 0xff}, make([]byte, 30_000-2)...)
	return slices.Concat(photo[:2], segment, segment, photo[2:])
}

// withMoovLast moves the headers of an MP4 behind 60 kB of other data.
func withMoovLast(t *testing.T, video []byte) []byte {
	t.Helper()
	var first, moov []byte
	for rest := video; len(rest) > 0; {
		size := binary.BigEndian.Uint32(rest)
		require.LessOrEqual(t, int(size), len(rest))
		if string(rest[4:8]) == "moov" {
			moov = rest[:size]
		} else {
			first = append(first, rest[:size]...)
		}
		rest = rest[size:]
	}
	require.NotEmpty(t, moov)
	free := binary.BigEndian.AppendUint32(nil, 60_000)
	free = append(append(free, "free"...), make([]byte, 60_000-8)...)
	return slices.Concat(first, free, moov)
}

// ways returns all ways to pass a file to an enrolment, as the second of two.
func ways(t *testing.T, file []byte) map[string]func(*aimbrain.Client) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "media")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	text := base64.StdEncoding.EncodeToString(file)
	fine := aimbraintest.FacePhoto("ada")
	enrol := func(media func() aimbrain.Media) func(*aimbrain.Client) error {
		return func(client *aimbrain.Client) error {
			return errOf(client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos(fine).Append(media())))
		}
	}
	forward := func(inJSON string) func(*aimbrain.Client) error {
		body := fmt.Sprintf(`{"x":{"faces":["AAAA"]},"faces": [ %q,`, base64.StdEncoding.EncodeToString(fine)) + "\r\n" + `"` + inJSON + `" ],"session":"` + sessionID + `"}`
		return func(client *aimbrain.Client) error {
			return errOf(client.Forward(t.Context(), aimbrain.EndpointFaceEnroll, []byte(body)))
		}
	}
	return map[string]func(*aimbrain.Client) error{
		"Photos":          enrol(func() aimbrain.Media { return aimbrain.Photos(file) }),
		"Videos":          enrol(func() aimbrain.Media { return aimbrain.Videos(file) }),
		"Files":           enrol(func() aimbrain.Media { return aimbrain.Files(path) }),
		"Readers":         enrol(func() aimbrain.Media { return aimbrain.Readers(bytes.NewReader(file)) }),
		"Readers, aside":  enrol(func() aimbrain.Media { return aimbrain.Readers(iotest.HalfReader(bytes.NewReader(file))) }),
		"Base64":          enrol(func() aimbrain.Media { return aimbrain.Base64(text) }),
		"Forward":         forward(text),
		"Forward of iOS":  forward(strings.ReplaceAll(text, "/", `\/`)),
		"Forward of Gson": forward(strings.NewReplacer("=", `\u003d`, "+", `\u002B`).Replace(text)),
	}
}

func TestMediaCheck_AllFormsOfMedia(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{name: "a valid photo", file: aimbraintest.FacePhoto("ada")},
		{name: "a valid video", file: aimbraintest.FaceVideo("ada")},
		{name: "a valid video whose headers are at its end", file: withMoovLast(t, aimbraintest.FaceVideo("ada"))},
		{name: "a large picture", file: aimbraintest.FacePhoto("ada", aimbraintest.Resolution(490, 696)), want: []string{"picture-size"}},
		{name: "upright", file: aimbraintest.FacePhoto("ada", aimbraintest.Resolution(480, 640))},
		{name: "a large picture behind metadata", file: withMetadata(aimbraintest.FacePhoto("ada", aimbraintest.Resolution(800, 600))), want: []string{"picture-size"}},
		{name: "a long video", file: aimbraintest.FaceVideo("ada", aimbraintest.Duration(4*time.Second)), want: []string{"video-length"}},
		{name: "a long video whose headers are at its end", file: withMoovLast(t, aimbraintest.FaceVideo("ada", aimbraintest.Duration(4*time.Second))), want: []string{"video-length"}},
		{name: "just small enough", file: aimbraintest.FacePhoto("ada", aimbraintest.Size(aimbrain.MaxMediaBytes))},
		{name: "just too large", file: aimbraintest.FacePhoto("ada", aimbraintest.Size(aimbrain.MaxMediaBytes+1)), want: []string{"size"}},
		{name: "too large in all", file: aimbraintest.FacePhoto("ada", aimbraintest.Resolution(640, 481), aimbraintest.Size(aimbrain.MaxMediaBytes+1)), want: []string{"picture-size", "size"}},
		{name: "a PNG", file: wholePNG(t), want: []string{"face-format"}},
		{name: "a HEIC", file: beginnings()["HEIC"], want: []string{"face-format"}},
		{name: "a WebP", file: wholeWebP(t), want: []string{"face-format"}},
		{name: "a sound", file: beginnings()["MP3"], want: []string{"face-format"}},
		{name: "a recording of a voice", file: aimbraintest.VoiceWAV("ada"), want: []string{"face-format"}},
		{name: "nothing that is known", file: []byte("something else altogether"), want: []string{"face-format"}},
		{name: "cut within its headers", file: aimbraintest.FacePhoto("ada")[:30], want: []string{"readable"}},
	} {
		for way, do := range ways(t, c.file) {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				t.Parallel()
				result := check(t, do)
				assert.Equal(t, c.want, result.logged.of("faces[1]"), "%v", result.logged)
				assert.Empty(t, result.logged.of("faces[0]"))
				assert.Equal(t, len(c.want) > 0, result.refused != nil)
			})
		}
	}
}

func TestMediaCheck_Recordings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{name: "a valid WAV", file: aimbraintest.VoiceWAV("ada")},
		{name: "a valid CAF", file: aimbraintest.VoiceCAF("ada")},
		{name: "5 s", file: wavHeader(16_000, 5)},
		{name: "another rate", file: wavHeader(22_050, 2), want: []string{"sample-rate"}},
		{name: "too long", file: wavHeader(16_000, 6), want: []string{"voice-length"}},
		{name: "all of it", file: wavHeader(48_000, 6), want: []string{"sample-rate", "size", "voice-length"}},
		{name: "an MP3", file: beginnings()["MP3"], want: []string{"sample-rate", "voice-codec", "voice-format", "voice-length"}},
		{name: "an Ogg", file: beginnings()["Ogg"], want: []string{"voice-format"}},
		{name: "a photo", file: aimbraintest.FacePhoto("ada"), want: []string{"voice-format"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := base64.StdEncoding.EncodeToString(c.file)
			for way, do := range map[string]func(*aimbrain.Client) error{
				"Recordings": func(client *aimbrain.Client) error {
					return errOf(client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings(c.file)))
				},
				"Readers": func(client *aimbrain.Client) error {
					return errOf(client.Voice.Auth(t.Context(), sessionID, aimbrain.Readers(bytes.NewReader(c.file))))
				},
				"Forward": func(client *aimbrain.Client) error {
					return errOf(client.Forward(t.Context(), aimbrain.EndpointVoiceAuth, []byte(`{"voices":["`+text+`"]}`)))
				},
			} {
				result := check(t, do)
				assert.Equal(t, c.want, result.logged.of("voices[0]"), "%s: %v", way, result.logged)
				assert.Equal(t, len(c.want) > 0, result.refused != nil, way)
			}
		})
	}
}

func TestMediaCheck_SeveralFiles(t *testing.T) {
	t.Parallel()
	fine, large := aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("ada", aimbraintest.Resolution(800, 600))
	long := aimbraintest.FaceVideo("ada", aimbraintest.Duration(4*time.Second))
	result := check(t, func(client *aimbrain.Client) error {
		return errOf(client.Face.Compare(t.Context(), aimbrain.Photos(fine, large), aimbrain.Photos(fine, fine).Append(aimbrain.Videos(long))))
	})
	assert.Equal(t, []string{"picture-size"}, result.logged.of("faces1[1]"))
	assert.Equal(t, []string{"video-length"}, result.logged.of("faces2[2]"))
	assert.Len(t, result.logged, 2)
	require.NotNil(t, result.refused)
	assert.Equal(t, "faces1[1]", result.refused.Argument)
	assert.Contains(t, result.refused.Reason, "; faces2[2]: ")
	assert.NotContains(t, result.refused.Reason, "faces1[1]", "the argument names the file")
}

func TestMediaCheck_RulesAndGuidance(t *testing.T) {
	t.Parallel()
	result := check(t, func(client *aimbrain.Client) error {
		return errOf(client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos(
			wholePNG(t), aimbraintest.FacePhoto("ada", aimbraintest.Resolution(800, 600)))))
	})
	require.Len(t, result.logged, 2)
	assert.Contains(t, result.logged[0].Msg, "rule")
	assert.Contains(t, result.logged[1].Msg, "guidance")
}

func TestMediaCheck_ForwardedBodies(t *testing.T) {
	t.Parallel()
	png := base64.StdEncoding.EncodeToString(wholePNG(t))
	fine := base64.StdEncoding.EncodeToString(aimbraintest.FacePhoto("ada"))
	for _, c := range []struct {
		name string
		body string
		want map[string]string // from place to rule
	}{
		{name: "compare", body: `{"faces1":["` + fine + `"],"faces2":["` + png + `"]}`, want: map[string]string{"faces2[0]": "face-format"}},
		{name: "a name with an escape", body: `{"\u0066aces":["` + png + `"]}`, want: map[string]string{"faces[0]": "face-format"}},
		{name: "an empty string", body: `{"faces":[""]}`, want: map[string]string{"faces[0]": "readable"}},
		{name: "line breaks", body: `{"faces":["` + fine + `","` + strings.ReplaceAll(wrapped(fine, "\n"), "\n", `\n`) + `"]}`, want: map[string]string{"faces[1]": "base64"}},
		{name: "a data URL", body: `{"faces":["data:image/jpeg;base64,` + fine + `"]}`, want: map[string]string{"faces[0]": "base64"}},
		{name: "no base64", body: `{"faces":["é"]}`, want: map[string]string{"faces[0]": "base64"}},

		{name: "no media", body: `{"session":"x","metadata":"` + png + `","touches":[]}`},
		{name: "in another case", body: `{"Faces":["` + png + `"]}`},
		{name: "deeper", body: `{"a":{"faces":["` + png + `"]}}`},
		{name: "a string", body: `{"faces":"` + png + `"}`, want: map[string]string{"faces": "json"}},
		{name: "null", body: `{"faces":null}`, want: map[string]string{"faces": "json"}},
		{name: "no strings", body: `{"faces":[1,null,{},["` + png + `"],true]}`, want: map[string]string{"faces[0]": "json", "faces[1]": "json", "faces[2]": "json", "faces[3]": "json", "faces[4]": "json"}},
		{name: "half a surrogate pair elsewhere", body: `{"faces":["` + png + `"],"textEvents":[{"tx":"\ud83d"}]}`, want: map[string]string{"faces[0]": "face-format"}},
		{name: "half a surrogate pair in the media", body: `{"faces":["` + png + `\ud83d"]}`, want: map[string]string{"faces": "json"}},
		{name: "an empty array", body: `{"faces":[]}`},
		{name: "no JSON", body: `faces=` + png, want: map[string]string{"the body": "json"}},
		{name: "an array", body: `["` + png + `"]`, want: map[string]string{"the body": "json"}},
		{name: "a name that occurs twice", body: `{"faces":["` + png + `"],"faces":["` + png + `"]}`, want: map[string]string{"the body": "json"}},
		{name: "invalid UTF-8", body: "{\"faces\":[\"" + png + "\"],\"x\":\"\xff\"}", want: map[string]string{"the body": "json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result := check(t, func(client *aimbrain.Client) error {
				return errOf(client.Forward(t.Context(), aimbrain.EndpointFaceEnroll, []byte(c.body)))
			})
			found := map[string]string{}
			for _, warning := range result.logged {
				found[warning.File] += warning.Rule
			}
			assert.Len(t, found, len(c.want), "%v", result.logged)
			for place, rule := range c.want {
				assert.Equal(t, rule, found[place])
			}
		})
	}
}

// TestMediaCheck_LogOmitsContent also tests that errors do not show the content.
func TestMediaCheck_LogOmitsContent(t *testing.T) {
	t.Parallel()
	for _, file := range [][]byte{canaryFace(), append([]byte("ID3\x04\x00\x00\x00\x00\x00\x23"), canaryFace()...), append(wavHeader(16_000, 1)[:36], canaryFace()...)} {
		for _, call := range ways(t, file) {
			result := check(t, call)
			require.NotNil(t, result.refused)
			canaries := map[string][]string{"face": disguises(file[3:12])}
			assertNoCanary(t, "log", fmt.Sprint(result.logged), canaries)
			assertNoCanary(t, "error", result.refused, canaries)
		}
	}
}

func TestWithMediaCheck_Invalid(t *testing.T) {
	t.Parallel()
	for _, mode := range []aimbrain.MediaCheck{-1, aimbrain.MediaCheckStrict + 1} {
		_, err := aimbrain.New(testKey, testSecret, aimbrain.WithMediaCheck(mode))
		var config *aimbrain.ConfigError
		require.ErrorAs(t, err, &config)
		assert.Equal(t, "WithMediaCheck", config.Parameter)
		assert.Equal(t, "invalid", mode.String())
	}
	assert.Equal(t, "warn off refuse strict", fmt.Sprint(aimbrain.MediaCheckWarn, aimbrain.MediaCheckOff, aimbrain.MediaCheckRefuse, aimbrain.MediaCheckStrict))
	assert.Equal(t, aimbrain.MaxMediaBytes, aimbraintest.MaxMediaBytes)
}

func TestMediaCheckRefuse_RefusesOnlyWhatTheAPICannotUse(t *testing.T) {
	t.Parallel()
	photo, large := aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("ada", aimbraintest.Resolution(1024, 768))
	big := aimbraintest.FacePhoto("ada", aimbraintest.Resolution(640, 480), aimbraintest.Size(400_000))
	video := aimbraintest.FaceVideo("ada")
	tests := []struct {
		name    string
		media   aimbrain.Media
		refused string // a part of the error's text, "" for none
		warned  string // a part of the log, "" for nothing
	}{
		{name: "within all", media: aimbrain.Photos(photo)},
		{name: "beyond the guidance", media: aimbrain.Photos(large), warned: "1024x768 is larger than 640x480"},
		{name: "over 500 kB", media: aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Size(500_001))), warned: "500001 bytes is larger than 500,000 bytes"},
		{name: "HEVC", media: aimbrain.Videos(bytes.ReplaceAll(video, []byte("avc1"), []byte("hvc1"))), warned: "not H.264 but H.265 (HEVC)"},
		{name: "another format", media: aimbrain.Photos(wholePNG(t)), refused: "not PNG"},
		{name: "both", media: aimbrain.Photos(large, wholePNG(t)), refused: "not PNG"},
		{name: "a JPEG that is cut behind its headers", media: aimbrain.Photos(photo[:len(photo)-100]), refused: "JPEG: the end of the file is missing"},
		{name: "a large JPEG that is cut behind its headers", media: aimbrain.Photos(noisyJPEG(t, 200_000)), refused: "JPEG: the end of the file is missing"},
		{name: "a JPEG with a phone's bytes behind it", media: aimbrain.Photos(append(bytes.Clone(big), noise(20_000)...))},
		{name: "an MP4 that is cut behind its headers", media: aimbrain.Videos(video[:len(video)-100]), refused: "MP4: the end of the file is missing"},
		{name: "a page of HTML", media: aimbrain.Photos([]byte("<!DOCTYPE html><html><body>502</body></html>")), refused: "the data is HTML"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client, transport := responding(t, 200, `{"imagesCount":1}`, aimbrain.WithMediaCheck(aimbrain.MediaCheckRefuse), logTo(&log))
			_, err := client.Face.Enroll(t.Context(), sessionID, tt.media)
			if tt.refused != "" {
				var refused *aimbrain.RequestError
				require.ErrorAs(t, err, &refused)
				require.ErrorContains(t, err, tt.refused)
				assert.NotContains(t, err.Error(), "640x480", "the guidance refuses nothing")
				assert.Zero(t, transport.GetTotalCallCount())
				require.NotEmpty(t, refused.Problems)
				assert.Equal(t, refused.Argument, refused.Problems[0].File)
				for _, p := range refused.Problems {
					assert.Equal(t, media.Refused, p.Severity)
					assert.Contains(t, refused.Reason, p.Message)
					assert.NotEmpty(t, p.Fix)
				}
				return
			}
			require.NoError(t, err)
			assert.Contains(t, log.String(), tt.warned)
			assert.Equal(t, tt.warned == "", log.Len() == 0, log.String())
		})
	}
}

// noisyJPEG returns the first bytes of a photo of noise.
func noisyJPEG(t *testing.T, size int) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 640, 480))
	copy(picture.Pix, noise(len(picture.Pix)))
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, picture, &jpeg.Options{Quality: 100}))
	require.Greater(t, b.Len(), size)
	return b.Bytes()[:size]
}

// TestMediaCheck_SameProblemsAsPackageMedia compares the error of a client with the
// report for the same file.
func TestMediaCheck_SameProblemsAsPackageMedia(t *testing.T) {
	t.Parallel()
	video := bytes.ReplaceAll(aimbraintest.FaceVideo("ada", aimbraintest.Duration(4*time.Second)), []byte("avc1"), []byte("hvc1"))
	client, _ := responding(t, 200, `{"imagesCount":1}`, aimbrain.WithMediaCheck(aimbrain.MediaCheckStrict))
	_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Videos(video))
	var refused *aimbrain.RequestError
	require.ErrorAs(t, err, &refused)
	var problems []media.Problem
	for _, p := range refused.Problems {
		problems = append(problems, p.Problem)
	}
	require.Len(t, problems, 2)
	assert.Equal(t, media.Inspect(video).Problems, problems)
	assert.NotEmpty(t, problems[0].Command)
}
