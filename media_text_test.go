package aimbrain_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// wrapped breaks base64 into lines.
func wrapped(s, end string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + end)
		s = s[76:]
	}
	return b.String() + s + end
}

// refusal returns the error of an enrolment that must not be sent.
func refusal(t *testing.T, media aimbrain.Media) *aimbrain.RequestError {
	t.Helper()
	client, transport := responding(t, 200, `{"imagesCount":1}`, aimbrain.WithMediaCheck(aimbrain.MediaCheckOff))
	_, err := client.Face.Enroll(t.Context(), sessionID, media)
	var request *aimbrain.RequestError
	require.ErrorAs(t, err, &request)
	assert.Zero(t, transport.GetTotalCallCount())
	return request
}

func TestBase64_OtherForms(t *testing.T) {
	t.Parallel()
	photo := aimbraintest.FacePhoto("ada")
	for len(photo)%3 != 1 {
		photo = append(photo, 0)
	}
	std, forURLs := base64.StdEncoding.EncodeToString(photo), base64.URLEncoding.EncodeToString(photo)
	require.NotEqual(t, std, forURLs)
	for _, c := range []struct {
		name string
		text string
		says []string
		not  []string
	}{
		{name: "lines as Android writes them", text: wrapped(std, "\n"), says: []string{"line breaks", "Base64.NO_WRAP"}, not: []string{"padding", "URL"}},
		{name: "lines as MIME has them", text: wrapped(std, "\r\n"), says: []string{"line breaks"}, not: []string{"padding"}},
		{name: "a line break at the end", text: std + "\n", says: []string{"line breaks"}, not: []string{"padding"}},
		{name: "for URLs", text: forURLs, says: []string{"URL-safe", "+ for -"}, not: []string{"padding", "line"}},
		{name: "for URLs, unpadded", text: strings.TrimRight(forURLs, "="), says: []string{"URL-safe", "append =="}, not: []string{"line"}},
		{name: "unpadded", text: strings.TrimRight(std, "="), says: []string{"padding is missing: append =="}, not: []string{"URL", "line"}},
		{name: "half its padding", text: strings.TrimSuffix(std, "="), says: []string{"padding is wrong"}},
		{name: "one = missing", text: "QUI", says: []string{"append =", "padding is missing"}, not: []string{"=="}},
		{name: "too much padding", text: "QUI==", says: []string{"padding is wrong"}},
		{name: "cut", text: std[:41], says: []string{"cut"}, not: []string{"append"}},
		{name: "lines, for URLs, unpadded", text: wrapped(strings.TrimRight(forURLs, "="), "\n"), says: []string{"line breaks", "URL-safe", "padding is missing"}},
		{name: "from a form", text: strings.ReplaceAll(std, "+", " "), says: []string{"spaces, which a decoder of forms writes for +"}, not: []string{"append"}},
		{name: "a data URL", text: "data:image/jpeg;base64," + std, says: []string{"data URL", "comma"}},
		{name: "a data URL in capitals", text: "DATA:image/jpeg;base64," + std, says: []string{"data URL", "comma"}},
		{name: "raw bytes", text: string(photo), says: []string{"not standard base64"}, not: []string{"padding", "URL", "line"}},
		{name: "padding in the middle", text: "QQ==QUJD", says: []string{"not standard base64"}, not: []string{"padding is"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := refusal(t, aimbrain.Base64(std).Append(aimbrain.Base64(c.text)))
			assert.Equal(t, "faces[1]", request.Argument)
			for _, says := range c.says {
				assert.Contains(t, request.Reason, says)
			}
			for _, not := range c.not {
				assert.NotContains(t, request.Reason, not)
			}
			assert.NotContains(t, request.Error(), c.text[:min(len(c.text), 24)])
		})
	}
}

// beginnings are the first bytes of formats, valid and invalid ones, with enough
// bytes after them for the format to be recognised.
func beginnings() map[string][]byte {
	rest := noise(2000)
	with := func(head string) []byte { return append([]byte(head), rest...) }
	return map[string][]byte{
		"JPEG":      aimbraintest.FacePhoto("ada"),
		"MP4":       aimbraintest.FaceVideo("ada"),
		"WAV":       aimbraintest.VoiceWAV("ada"),
		"CAF":       aimbraintest.VoiceCAF("ada"),
		"WebM":      with("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01"),
		"QuickTime": with("\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00"),
		"moov":      with("\x00\x00\x02\x14moov\x00\x00\x00\x6cmvhd"),
		"PNG":       with("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"),
		"HEIC":      with("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"),
		"WebP":      with("RIFF\x24\x08\x00\x00WEBPVP8 "),
		"GIF":       with("GIF89a\x10\x00\x10\x00"),
		"MP3":       with("ID3\x04\x00\x00\x00\x00\x00\x23"),
		"Ogg":       with("OggS\x00\x02\x00\x00\x00\x00\x00\x00"),
		"FLAC":      with("fLaC\x00\x00\x00\x22\x10\x00\x10\x00"),
		"AMR":       with("#!AMR\n\x3c\x91\x17\x16\xbe\x66"),
		"AIFF":      with("FORM\x00\x00\x08\x24AIFFCOMM"),
	}
}

func TestPhotos_RefusesText(t *testing.T) {
	t.Parallel()
	for format, file := range beginnings() {
		std, forURLs := base64.StdEncoding.EncodeToString(file), base64.URLEncoding.EncodeToString(file)
		for _, c := range []struct {
			name string
			text string
			says string
		}{
			{name: "base64", text: std, says: "pass it as aimbrain.Base64"},
			{name: "base64 and a line break", text: std + "\n", says: "pass it as aimbrain.Base64"},
			{name: "behind white space", text: "\r\n " + std, says: "pass it as aimbrain.Base64"},
			{name: "behind a byte order mark", text: "\ufeff" + std, says: "pass it as aimbrain.Base64"},
			{name: "in lines", text: wrapped(std, "\n"), says: "remove its line breaks"},
			{name: "in lines of MIME", text: wrapped(std, "\r\n"), says: "remove its line breaks"},
			{name: "for URLs", text: forURLs, says: "pass it as aimbrain.Base64"},
			{name: "unpadded", text: strings.TrimRight(std, "="), says: "pass it as aimbrain.Base64"},
			{name: "its beginning alone", text: std[:16], says: "pass it as aimbrain.Base64"},
			{name: "a data URL", text: "data:image/jpeg;base64," + std, says: "what follows its comma as aimbrain.Base64"},
			{name: "a data URL with parameters", text: "Data:video/webm;codecs=vp9;base64," + std, says: "what follows its comma as aimbrain.Base64"},
		} {
			t.Run(format+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "media")
				require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
				for way, media := range map[string]aimbrain.Media{
					"Photos":  aimbrain.Photos([]byte(c.text)),
					"Videos":  aimbrain.Videos([]byte(c.text)),
					"Files":   aimbrain.Files(path),
					"Readers": aimbrain.Readers(strings.NewReader(c.text)),
				} {
					request := refusal(t, media)
					assert.Equal(t, "faces[0]", request.Argument, way)
					assert.Contains(t, request.Reason, c.says, way)
				}
			})
		}
	}
}

// TestPhotos_BinaryIsNotTakenForText tests that sound files are accepted: a file
// that is refused by mistake cannot be sent at all.
func TestPhotos_BinaryIsNotTakenForText(t *testing.T) {
	t.Parallel()
	files := beginnings()
	for format, file := range beginnings() {
		files[format+", its first 12 bytes"] = file[:12]
	}
	// The rest begins like base64 and is not base64.
	encoded := []byte(base64.StdEncoding.EncodeToString(aimbraintest.FacePhoto("ada")))
	files["base64 and a byte that is none"] = append(bytes.Clone(encoded[:900]), 0)
	files["base64 and 8 bit text"] = append(bytes.Clone(encoded[:900]), 0xe9)
	files["a JPEG's base64 prefix and noise"] = append([]byte("/9j/"), noise(300)...)
	files["data: and no comma"] = append([]byte("data:"), bytes.Repeat([]byte("x"), 2000)...)
	files["data: and noise"] = append([]byte("data:\x00\x01,"), noise(300)...)
	files["letters"] = bytes.Repeat([]byte("face"), 500)
	files["letters, digits and lines"] = bytes.Repeat([]byte("face 42\n"), 500)
	files["padding alone"] = []byte("====")
	files["white space"] = []byte(" \n\n ")
	files["one letter"] = []byte("a")
	files["UTF-16"] = utf16Text("/9j/4AAQSkZJRgABAQAAAQABAAD/")
	random := rand.NewChaCha8([32]byte{1})
	for i := range 500 {
		file := make([]byte, 1+i*7)
		_, err := random.Read(file)
		require.NoError(t, err)
		files["random "+string(rune('a'+i%26))+strings.Repeat("'", i/26)] = file
	}
	client, _ := responding(t, 200, `{"imagesCount":1}`, aimbrain.WithMediaCheck(aimbrain.MediaCheckOff))
	for name, file := range files {
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos(file))
		require.NoError(t, err, name)
	}
}

func utf16Text(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return b
}
