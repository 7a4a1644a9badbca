package aimbraintest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file is an element of an array of media.
type file struct {
	text string // sent as it is
	data []byte // sent in base64, in place of text
}

func (f file) json() string {
	if f.data != nil {
		return `"` + base64.StdEncoding.EncodeToString(f.data) + `"`
	}
	return `"` + f.text + `"`
}

func cut(data []byte) []byte { return data[:len(data)*2/3] }

func swap(data []byte, from, to string) []byte {
	return bytes.ReplaceAll(data, []byte(from), []byte(to))
}

// sample returns a file that another program wrote.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "internal", "mediainfo", "testdata", name))
	require.NoError(t, err)
	return data
}

// patched returns a copy of data with other bytes at an offset.
func patched(data []byte, at int, with ...byte) []byte {
	data = bytes.Clone(data)
	copy(data[at:], with)
	return data
}

// withSound returns the video with a sound track of 8 kHz and ms milliseconds.
// Its one sample is the start of the file.
func withSound(video []byte, ms uint32) []byte {
	box := func(kind string, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
	}
	words := func(ws ...uint32) (b []byte) {
		for _, w := range ws {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	track := box("trak", box("mdia",
		box("mdhd", words(0, 0, 0, 1000, ms, 0)),
		box("hdlr", words(0, 0), []byte("soun"), words(0, 0, 0)),
		box("minf", box("stbl",
			box("stsd", words(0, 1), box("mp4a", words(0, 1, 0, 0, 1<<16|16, 0, 8000<<16))),
			box("stts", words(0, 1, 1, ms)),
			box("stsc", words(0, 1, 1, 1, 1)),
			box("stsz", words(0, 8, 1)),
			box("stco", words(0, 1, 0))))))
	// The box of the movie header moves to the end, and a free box takes its place.
	// The offsets of the media do not change then.
	at := bytes.Index(video, []byte("moov")) - 4
	size := int(binary.BigEndian.Uint32(video[at:]))
	moved := box("moov", video[at+8:at+size], track)
	return append(patched(video, at+4, []byte("free")...), moved...)
}

func TestFake_ChecksPhotosAndVideos(t *testing.T) {
	t.Parallel()
	size := aimbraintest.Size
	photo, video := aimbraintest.FacePhoto("ada"), aimbraintest.FaceVideo("ada")
	rows := []struct {
		name         string
		faces        []file
		status, code int
		want         string
	}{
		{"photo", []file{{data: photo}}, 200, 0, `"imagesCount":1`},
		{"progressive photo", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.Progressive())}}, 200, 0, ""},
		{"photo with EXIF", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.WithEXIF())}}, 200, 0, ""},
		{"bytes behind a photo", []file{{data: append(bytes.Clone(photo), "camera notes"...)}}, 200, 0, ""},
		{"five photos", []file{{data: photo}, {data: photo}, {data: photo}, {data: photo}, {data: photo}}, 200, 0, `"imagesCount":5`},
		{"video", []file{{data: video}}, 200, 0, `"imagesCount":1`},
		{"photo of the limit", []file{{data: aimbraintest.FacePhoto("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"photo beyond the limit", []file{{data: aimbraintest.FacePhoto("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, `faces[0]\" is 500001 bytes`},
		{"video of the limit", []file{{data: aimbraintest.FaceVideo("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"video beyond the limit", []file{{data: aimbraintest.FaceVideo("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, ""},
		{"beyond the guidance", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.Resolution(800, 600))}}, 200, 0, ""},
		{"empty", []file{{}}, 422, 2, "no data"},
		{"second empty", []file{{data: photo}, {}}, 422, 2, `faces[1]`},
		{"not base64", []file{{text: "not base64!"}}, 400, 105, "not standard base64"},
		{"no padding", []file{{text: "AAA"}}, 400, 105, "padding"},
		{"URL-safe", []file{{text: "__-_"}}, 400, 105, ""},
		{"line breaks", []file{{text: `AAAA\nAAAA`}}, 400, 105, "line breaks"},
		{"data URL", []file{{text: "data:image/jpeg;base64,/9j/"}}, 400, 105, "data URL"},
		{"base64 twice", []file{{data: []byte(base64.StdEncoding.EncodeToString(photo))}}, 422, 180, "twice"},
		{"PNG", []file{{data: []byte("\x89PNG\r\n\x1a\n0000")}}, 422, 20, "not PNG"},
		{"GIF", []file{{data: []byte("GIF89a000000")}}, 422, 20, "not GIF"},
		{"HEIC", []file{{data: []byte("\x00\x00\x00\x18ftypheic0000")}}, 422, 20, "not HEIC"},
		{"QuickTime movie", []file{{data: swap(video, "isom", "qt  ")}}, 200, 0, `"imagesCount":1`},
		{"VP8 in a WebM", []file{{data: sample(t, "vp8.webm")}}, 200, 0, `"imagesCount":1`},
		{"VP9 in a WebM of a recorder", []file{{data: sample(t, "vp9-pipe.webm")}}, 200, 0, `"imagesCount":1`},
		{"WebM with sound", []file{{data: sample(t, "live.webm")}}, 200, 0, ""},
		{"WebM of sound alone", []file{{data: sample(t, "sound.webm")}}, 422, 18, "only sound"},
		{"another codec in a WebM", []file{{data: swap(sample(t, "vp8.webm"), "V_VP8", "V_AV1")}}, 422, 20, "AV1 in a WebM, which has VP8 or VP9"},
		{"WebM cut short", []file{{data: cut(sample(t, "vp8.webm"))}}, 422, 17, "damaged"},
		{"WebM and an MP4", []file{{data: sample(t, "vp8.webm")}, {data: video}}, 422, 181, "WebM and MP4"},
		{"video in fragments", []file{{data: sample(t, "fragmented.mp4")}}, 200, 0, ""},
		{"rotated video", []file{{data: sample(t, "rotated.mp4")}}, 200, 0, ""},
		{"photo on its side", []file{{data: sample(t, "orientation6.jpg")}}, 200, 0, ""},
		{"photo with arithmetic coding", []file{{data: sample(t, "arithmetic.jpg")}}, 422, 20, "JPEG with arithmetic coding is not"},
		{"sound half a second longer than the picture", []file{{data: withSound(video, 2500)}}, 200, 0, ""},
		{"sound longer than the picture", []file{{data: withSound(video, 2501)}}, 422, 16, "the sound of 2.501 s is longer than the picture of 2 s"},
		{"video without a decoder configuration", []file{{data: swap(video, "avcC", "free")}}, 422, 17, "avcC"},
		{"video without a resolution", []file{{data: swap(video, "\x00\x40\x00\x30\x00\x48", "\x00\x00\x00\x00\x00\x48")}}, 422, 17, "empty picture"},
		{"recording", []file{{data: aimbraintest.VoiceWAV("ada")}}, 422, 180, "not WAV"},
		{"unknown format", []file{{data: []byte("anything at all")}}, 422, 180, "neither"},
		{"photo cut short", []file{{data: cut(photo)}}, 422, 13, "damaged"},
		{"video cut short", []file{{data: cut(video)}}, 422, 17, "damaged"},
		{"video without video", []file{{data: swap(video, "vide", "soun")}}, 422, 18, "only sound"},
		{"H.265", []file{{data: swap(video, "avc1", "hvc1")}}, 422, 20, "not H.264"},
		{"photo and a video", []file{{data: photo}, {data: video}}, 422, 181, "JPEG and MP4"},
	}
	fake := aimbraintest.New(t)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			user := fmt.Sprint("user-", i)
			id := newSession(t, fake.Client(), user).ID
			var faces []string
			for _, f := range row.faces {
				faces = append(faces, f.json())
			}
			array := "[" + strings.Join(faces, ",") + "]"
			response := post(t, fake, "/v1/face/enroll", fmt.Sprintf(`{"session":%q,"faces":%s}`, id, array))
			assert.Equal(t, row.status, response.status, response.body)
			assert.Contains(t, response.body, row.want)
			face, _, _ := fake.Status(user)
			if row.status == http.StatusOK {
				assert.Equal(t, aimbrain.Enrolled, face)
				return
			}
			assert.Equal(t, row.code, response.code(t))
			assert.Equal(t, aimbrain.NotEnrolled, face, "nothing of a refused request is stored")

			fake.Enroll(user, "ada")
			response = post(t, fake, "/v1/face/auth", fmt.Sprintf(`{"session":%q,"faces":%s}`, id, array))
			assert.Equal(t, row.code, response.code(t), "authentication has the same rules")
			response = post(t, fake, "/v1/face/compare", fmt.Sprintf(`{"faces1":[%s],"faces2":%s}`, file{data: photo}.json(), array))
			assert.Equal(t, row.code, response.code(t), "comparison has the same rules")
		})
	}
}

func TestFake_ChecksRecordings(t *testing.T) {
	t.Parallel()
	size := aimbraintest.Size
	wav, caf := aimbraintest.VoiceWAV("ada"), aimbraintest.VoiceCAF("ada")
	type row struct {
		name         string
		voices       []file
		status, code int
		want         string
	}
	rows := []row{
		{"WAV", []file{{data: wav}}, 200, 0, `"voiceSamples":1`},
		{"CAF", []file{{data: caf}, {data: caf}}, 200, 0, `"voiceSamples":2`},
		{"rate of the vendor's example", []file{{data: aimbraintest.VoiceCAF("ada", aimbraintest.SampleRate(22_050), aimbraintest.Duration(5*time.Second))}}, 200, 0, ""},
		{"recording of the limit", []file{{data: aimbraintest.VoiceWAV("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"recording beyond the limit", []file{{data: aimbraintest.VoiceWAV("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, ""},
		{"empty", []file{{}}, 422, 15, "no data"},
		{"not base64", []file{{text: "?"}}, 400, 105, ""},
		{"base64 twice", []file{{data: []byte(base64.StdEncoding.EncodeToString(wav))}}, 422, 180, "twice"},
		{"MP3", []file{{data: []byte("ID3\x03\x00000000")}}, 422, 180, "not MP3"},
		{"M4A", []file{{data: []byte("\x00\x00\x00\x18ftypM4A 0000")}}, 422, 180, "not M4A"},
		{"photo", []file{{data: aimbraintest.FacePhoto("ada")}}, 422, 180, "not JPEG"},
		{"unknown format", []file{{data: []byte("anything at all")}}, 422, 15, "neither"},
		{"WAV cut short", []file{{data: cut(wav)}}, 422, 15, "damaged"},
		{"CAF cut short", []file{{data: cut(caf)}}, 422, 15, "damaged"},
		{"both", []file{{data: wav}, {data: caf}}, 422, 181, "WAV and CAF"},
		{"WAV of floats", []file{{data: sample(t, "float.wav")}}, 200, 0, ""},
		{"CAF of floats", []file{{data: sample(t, "float.caf")}}, 200, 0, ""},
		{"RF64", []file{{data: sample(t, "rf64.wav")}}, 200, 0, ""},
		{"WAV of a pipe", []file{{data: sample(t, "pipe.wav")}}, 200, 0, ""},
		{"CAF of a pipe", []file{{data: sample(t, "pipe.caf")}}, 200, 0, ""},
		{"WAV whose rate in bytes is twice too large", []file{{data: patched(wav, 28, 0, 0xfa, 0, 0)}}, 200, 0, ""},
		{"mu-law", []file{{data: sample(t, "mulaw.wav")}}, 422, 15, "the recording is mu-law, and not linear PCM"},
		{"ADPCM", []file{{data: patched(wav, 20, 2)}}, 422, 15, "ADPCM, and not linear PCM"},
		{"ALAC", []file{{data: sample(t, "alac.caf")}}, 422, 15, "ALAC, and not linear PCM"},
		{"big-endian WAV", []file{{data: sample(t, "rifx.wav")}}, 422, 180, "not big-endian WAV"},
		{"AAC in an M4A", []file{{data: sample(t, "voice.m4a")}}, 422, 180, "not M4A"},
		{"WebM", []file{{data: sample(t, "sound.webm")}}, 422, 180, "not WebM"},
	}
	fake := aimbraintest.New(t)
	for _, size := range []uint32{0, 0xffffffff, 0x7ffff000, 0x7fffffff, 0x80000000} {
		open := bytes.Clone(sample(t, "pipe.wav"))
		binary.LittleEndian.PutUint32(open[40:], size)
		rows = append(rows, row{fmt.Sprintf("WAV with a size of %#x", size), []file{{data: open}}, 200, 0, ""})
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			user := fmt.Sprint("user-", i)
			id := newSession(t, fake.Client(), user).ID
			var voices []string
			for _, f := range row.voices {
				voices = append(voices, f.json())
			}
			response := post(t, fake, "/v1/voice/enroll", fmt.Sprintf(`{"session":%q,"voices":[%s]}`, id, strings.Join(voices, ",")))
			assert.Equal(t, row.status, response.status, response.body)
			assert.Equal(t, strings.HasSuffix(row.name, "cut short"), strings.Contains(response.body, "damaged"), response.body)
			assert.Contains(t, response.body, row.want)
			_, voice, _ := fake.Status(user)
			assert.Equal(t, row.status == http.StatusOK, voice == aimbrain.Enrolled)
			if row.status != http.StatusOK {
				assert.Equal(t, row.code, response.code(t))
			}
		})
	}
}

func TestWithGuidanceEnforced_RefusesMediaBeyondTheGuidance(t *testing.T) {
	t.Parallel()
	resolution, duration := aimbraintest.Resolution, aimbraintest.Duration
	rows := []struct {
		name     string
		endpoint string
		data     []byte
		code     int // -1 for accepted
		want     string
	}{
		{"640x480", "/v1/face/enroll", aimbraintest.FacePhoto("ada", resolution(640, 480)), -1, ""},
		{"480x640", "/v1/face/enroll", aimbraintest.FacePhoto("ada", resolution(480, 640)), -1, ""},
		{"641x480", "/v1/face/enroll", aimbraintest.FacePhoto("ada", resolution(641, 480)), 0, "641x480"},
		{"640x481", "/v1/face/enroll", aimbraintest.FacePhoto("ada", resolution(640, 481)), 0, "640x481"},
		{"3 s", "/v1/face/enroll", aimbraintest.FaceVideo("ada", duration(3*time.Second)), -1, ""},
		{"over 3 s", "/v1/face/enroll", aimbraintest.FaceVideo("ada", duration(3*time.Second+time.Millisecond)), 12, "longer than 3 s"},
		{"5 s", "/v1/voice/enroll", aimbraintest.VoiceWAV("ada", duration(5*time.Second)), -1, ""},
		{"over 5 s", "/v1/voice/enroll", aimbraintest.VoiceCAF("ada", duration(5*time.Second+time.Millisecond)), 0, "longer than 5 s"},
		{"44.1 kHz", "/v1/voice/enroll", aimbraintest.VoiceWAV("ada", aimbraintest.SampleRate(44_100)), 0, "44100 Hz"},
		{"several problems", "/v1/voice/enroll", aimbraintest.VoiceWAV("ada", aimbraintest.SampleRate(44_100), duration(5100*time.Millisecond)), 0, "longer than 5 s; a recording of 44100 Hz"},
		{"WAV of floats", "/v1/voice/enroll", sample(t, "float.wav"), 0, "float samples; linear PCM is documented"},
		{"CAF of floats", "/v1/voice/enroll", sample(t, "float.caf"), 0, "float samples; linear PCM is documented"},
		{"WebM without a length", "/v1/face/enroll", sample(t, "vp9-pipe.webm"), 0, "VP9 in a WebM; H.264 in an MP4 is documented; the length of the video is not in its headers"},
		{"WebM", "/v1/face/enroll", sample(t, "vp8.webm"), 0, "VP8 in a WebM; H.264 in an MP4 is documented"},
		{"QuickTime", "/v1/face/enroll", sample(t, "clip.mov"), 0, "H.264 in a QuickTime file; H.264 in an MP4 is documented"},
		{"MP4 in fragments", "/v1/face/enroll", sample(t, "fragmented.mp4"), -1, ""},
		{"MP4 played from its middle on", "/v1/face/enroll", sample(t, "edit.mp4"), -1, ""},
		{"photo on its side", "/v1/face/enroll", sample(t, "orientation6.jpg"), 0, "EXIF orientation 6"},
	}
	strict, usual := aimbraintest.New(t, aimbraintest.WithGuidanceEnforced()), aimbraintest.New(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			member := "faces"
			if strings.Contains(row.endpoint, "voice") {
				member = "voices"
			}
			id := newSession(t, usual.Client(), "u").ID
			assert.Equal(t, http.StatusOK, post(t, usual, row.endpoint, withMedia(id, member, row.data)).status)
			id = newSession(t, strict.Client(), "u").ID
			response := post(t, strict, row.endpoint, withMedia(id, member, row.data))
			if row.code < 0 {
				assert.Equal(t, http.StatusOK, response.status, response.body)
				return
			}
			assert.Equal(t, http.StatusUnprocessableEntity, response.status)
			assert.Equal(t, row.code, response.code(t))
			assert.Contains(t, response.body, row.want)
			assert.Contains(t, response.body, "WithGuidanceEnforced")
		})
	}
}

func TestFake_CompareNeedsNoSessionAndStoresNothing(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	photo, video := aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.Videos(aimbraintest.FaceVideo("ada"))
	same, err := client.Face.Compare(t.Context(), photo, video)
	require.NoError(t, err)
	assert.True(t, same.Matches(0.8))
	assert.Zero(t, same.Liveliness1)
	assert.GreaterOrEqual(t, same.Liveliness2, 0.85)
	face, _, _ := fake.Status("")
	assert.Equal(t, aimbrain.NotEnrolled, face)
}
