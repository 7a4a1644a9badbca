package aimbraintest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file is what stands in an array of media.
type file struct {
	text string // base64, or what is not
	data []byte // else raw bytes
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

func TestWhichFacesAreTaken(t *testing.T) {
	t.Parallel()
	size := aimbraintest.Size
	photo, video := aimbraintest.FacePhoto("ada"), aimbraintest.FaceVideo("ada")
	rows := []struct {
		name         string
		faces        []file
		status, code int
		want         string
	}{
		{"a photo", []file{{data: photo}}, 200, 0, `"imagesCount":1`},
		{"a progressive photo", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.Progressive())}}, 200, 0, ""},
		{"a photo with EXIF", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.WithEXIF())}}, 200, 0, ""},
		{"bytes behind a photo", []file{{data: append(bytes.Clone(photo), "camera notes"...)}}, 200, 0, ""},
		{"five photos", []file{{data: photo}, {data: photo}, {data: photo}, {data: photo}, {data: photo}}, 200, 0, `"imagesCount":5`},
		{"a video", []file{{data: video}}, 200, 0, `"imagesCount":1`},
		{"a photo just small enough", []file{{data: aimbraintest.FacePhoto("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"a photo just too large", []file{{data: aimbraintest.FacePhoto("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, `faces[0]\" is 500001 bytes`},
		{"a video just small enough", []file{{data: aimbraintest.FaceVideo("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"a video just too large", []file{{data: aimbraintest.FaceVideo("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, ""},
		{"beyond the guidance", []file{{data: aimbraintest.FacePhoto("ada", aimbraintest.Resolution(800, 600))}}, 200, 0, ""},
		{"empty", []file{{}}, 422, 2, "no data"},
		{"the second empty", []file{{data: photo}, {}}, 422, 2, `faces[1]`},
		{"not base64", []file{{text: "not base64!"}}, 400, 105, "not standard base64"},
		{"no padding", []file{{text: "AAA"}}, 400, 105, "padding"},
		{"URL-safe", []file{{text: "__-_"}}, 400, 105, ""},
		{"line breaks", []file{{text: `AAAA\nAAAA`}}, 400, 105, "line breaks"},
		{"a data URL", []file{{text: "data:image/jpeg;base64,/9j/"}}, 400, 105, "data URL"},
		{"base64 twice", []file{{data: []byte(base64.StdEncoding.EncodeToString(photo))}}, 422, 180, "twice"},
		{"PNG", []file{{data: []byte("\x89PNG\r\n\x1a\n0000")}}, 422, 20, "not PNG"},
		{"GIF", []file{{data: []byte("GIF89a000000")}}, 422, 20, "not GIF"},
		{"HEIC", []file{{data: []byte("\x00\x00\x00\x18ftypheic0000")}}, 422, 20, "not HEIC"},
		{"a QuickTime movie", []file{{data: swap(video, "isom", "qt  ")}}, 422, 180, "not QuickTime"},
		{"a recording", []file{{data: aimbraintest.VoiceWAV("ada")}}, 422, 180, "not WAV"},
		{"anything", []file{{data: []byte("anything at all")}}, 422, 180, "neither"},
		{"a photo cut short", []file{{data: cut(photo)}}, 422, 13, "damaged"},
		{"a video cut short", []file{{data: cut(video)}}, 422, 17, "damaged"},
		{"a video without video", []file{{data: swap(video, "vide", "soun")}}, 422, 18, "only sound"},
		{"H.265", []file{{data: swap(video, "avc1", "hvc1")}}, 422, 20, "not H.264"},
		{"a photo and a video", []file{{data: photo}, {data: video}}, 422, 181, "JPEG and MP4"},
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
			answer := post(t, fake, "/v1/face/enroll", fmt.Sprintf(`{"session":%q,"faces":%s}`, id, array))
			assert.Equal(t, row.status, answer.status, answer.body)
			assert.Contains(t, answer.body, row.want)
			face, _, _ := fake.Status(user)
			if row.status == http.StatusOK {
				assert.Equal(t, aimbrain.Enrolled, face)
				return
			}
			assert.Equal(t, row.code, answer.code(t))
			assert.Equal(t, aimbrain.NotEnrolled, face, "nothing of a refused request is stored")

			fake.Enroll(user, "ada")
			answer = post(t, fake, "/v1/face/auth", fmt.Sprintf(`{"session":%q,"faces":%s}`, id, array))
			assert.Equal(t, row.code, answer.code(t), "authentication has the same rules")
			answer = post(t, fake, "/v1/face/compare", fmt.Sprintf(`{"faces1":[%s],"faces2":%s}`, file{data: photo}.json(), array))
			assert.Equal(t, row.code, answer.code(t), "and so has comparison")
		})
	}
}

func TestWhichVoicesAreTaken(t *testing.T) {
	t.Parallel()
	size := aimbraintest.Size
	wav, caf := aimbraintest.VoiceWAV("ada"), aimbraintest.VoiceCAF("ada")
	rows := []struct {
		name         string
		voices       []file
		status, code int
		want         string
	}{
		{"WAV", []file{{data: wav}}, 200, 0, `"voiceSamples":1`},
		{"CAF", []file{{data: caf}, {data: caf}}, 200, 0, `"voiceSamples":2`},
		{"the vendor's own example's rate", []file{{data: aimbraintest.VoiceCAF("ada", aimbraintest.SampleRate(22_050), aimbraintest.Duration(5*time.Second))}}, 200, 0, ""},
		{"just small enough", []file{{data: aimbraintest.VoiceWAV("ada", size(aimbraintest.MaxMediaBytes))}}, 200, 0, ""},
		{"just too large", []file{{data: aimbraintest.VoiceWAV("ada", size(aimbraintest.MaxMediaBytes+1))}}, 422, 14, ""},
		{"empty", []file{{}}, 422, 15, "no data"},
		{"not base64", []file{{text: "?"}}, 400, 105, ""},
		{"base64 twice", []file{{data: []byte(base64.StdEncoding.EncodeToString(wav))}}, 422, 180, "twice"},
		{"MP3", []file{{data: []byte("ID3\x03\x00000000")}}, 422, 180, "not MP3"},
		{"M4A", []file{{data: []byte("\x00\x00\x00\x18ftypM4A 0000")}}, 422, 180, "not M4A"},
		{"a photo", []file{{data: aimbraintest.FacePhoto("ada")}}, 422, 180, "not JPEG"},
		{"anything", []file{{data: []byte("anything at all")}}, 422, 15, "neither"},
		{"WAV cut short", []file{{data: cut(wav)}}, 422, 15, "damaged"},
		{"CAF cut short", []file{{data: cut(caf)}}, 422, 15, "damaged"},
		{"both", []file{{data: wav}, {data: caf}}, 422, 181, "WAV and CAF"},
	}
	fake := aimbraintest.New(t)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			user := fmt.Sprint("user-", i)
			id := newSession(t, fake.Client(), user).ID
			var voices []string
			for _, f := range row.voices {
				voices = append(voices, f.json())
			}
			answer := post(t, fake, "/v1/voice/enroll", fmt.Sprintf(`{"session":%q,"voices":[%s]}`, id, strings.Join(voices, ",")))
			assert.Equal(t, row.status, answer.status, answer.body)
			assert.Contains(t, answer.body, row.want)
			_, voice, _ := fake.Status(user)
			assert.Equal(t, row.status == http.StatusOK, voice == aimbrain.Enrolled)
			if row.status != http.StatusOK {
				assert.Equal(t, row.code, answer.code(t))
			}
		})
	}
}

func TestGuidanceIsEnforcedOnlyWhenAskedFor(t *testing.T) {
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
			answer := post(t, strict, row.endpoint, withMedia(id, member, row.data))
			if row.code < 0 {
				assert.Equal(t, http.StatusOK, answer.status, answer.body)
				return
			}
			assert.Equal(t, http.StatusUnprocessableEntity, answer.status)
			assert.Equal(t, row.code, answer.code(t))
			assert.Contains(t, answer.body, row.want)
			assert.Contains(t, answer.body, "WithGuidanceEnforced")
		})
	}
}

func TestComparisonNeedsNoSessionAndStoresNothing(t *testing.T) {
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
