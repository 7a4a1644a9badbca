package aimbraintest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo/readable"
	"github.com/aimbrain/aimbrain-go/internal/synth"
)

type mediaMaker func(subject string, opts ...MediaOption) []byte

// with returns a maker that applies these options first.
func (m mediaMaker) with(first ...MediaOption) mediaMaker {
	return func(subject string, opts ...MediaOption) []byte {
		return m(subject, append(first[:len(first):len(first)], opts...)...)
	}
}

// mediaMakers returns the makers, with options that keep the tests short.
var mediaMakers = map[string]mediaMaker{
	"FacePhoto":             mediaMaker(FacePhoto).with(Resolution(64, 48)),
	"FacePhoto progressive": mediaMaker(FacePhoto).with(Resolution(64, 48), Progressive()),
	"FacePhoto with EXIF":   mediaMaker(FacePhoto).with(Resolution(64, 48), WithEXIF()),
	"FaceVideo":             mediaMaker(FaceVideo).with(Duration(200 * time.Millisecond)),
	"VoiceWAV":              mediaMaker(VoiceWAV).with(Duration(200 * time.Millisecond)),
	"VoiceCAF":              mediaMaker(VoiceCAF).with(Duration(200 * time.Millisecond)),
}

func mediaInspect(t *testing.T, data []byte) mediainfo.Info {
	t.Helper()
	require.NoError(t, readable.Check(data))
	info, err := mediainfo.Inspect(data)
	require.NoError(t, err)
	return info
}

func TestSyntheticMedia_HasTheDocumentedFormats(t *testing.T) {
	t.Parallel()
	for _, make := range []mediaMaker{FacePhoto, FaceVideo, VoiceWAV, VoiceCAF} {
		assert.Less(t, len(make("ada")), MaxMediaBytes)
	}
	assert.Equal(t, mediainfo.Info{Format: mediainfo.JPEG, Width: 320, Height: 240}, mediaInspect(t, FacePhoto("ada")))
	assert.Equal(t, mediainfo.Info{
		Format: mediainfo.MP4, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1", FrameRate: 25,
		Duration: 2 * time.Second, VideoDuration: 2 * time.Second,
	}, mediaInspect(t, FaceVideo("ada")))
	voice := mediainfo.Info{
		Format: mediainfo.WAV, HasAudio: true, AudioCodec: "pcm", SampleRate: 16_000, Channels: 1,
		BitsPerSample: 16, Duration: 2 * time.Second, AudioDuration: 2 * time.Second,
	}
	assert.Equal(t, voice, mediaInspect(t, VoiceWAV("ada")))
	voice.Format = mediainfo.CAF
	assert.Equal(t, voice, mediaInspect(t, VoiceCAF("ada")))
}

func TestSize_IsExact(t *testing.T) {
	t.Parallel()
	for name, make := range mediaMakers {
		own := len(make("ada"))
		sizes := []int{MaxMediaBytes - 1, MaxMediaBytes, MaxMediaBytes + 1}
		for _, more := range []int{0, 1, 2, 3, 4, 7, 8, 9, 12} { // includes sizes below that of a segment, box or chunk
			sizes = append(sizes, own+more)
		}
		for _, size := range sizes {
			data := make("ada", Size(size))
			assert.Len(t, data, size, name)
			assert.NoError(t, readable.Check(data), "%s of %d bytes", name, size)
			subject, _, ok := synth.Subject(data)
			assert.True(t, ok && subject == "ada", "%s of %d bytes", name, size)
		}
	}
}

func TestDuration_IsExact(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{
		time.Millisecond, 39 * time.Millisecond, 40 * time.Millisecond, 41 * time.Millisecond, 2500 * time.Millisecond,
		3 * time.Second, 3*time.Second + time.Millisecond, 5 * time.Second, 5*time.Second + time.Millisecond,
	} {
		video := mediaInspect(t, FaceVideo("ada", Duration(d)))
		assert.Equal(t, [2]time.Duration{d, d}, [2]time.Duration{video.Duration, video.VideoDuration})
		for _, make := range []mediaMaker{VoiceWAV, VoiceCAF} {
			assert.Equal(t, d, mediaInspect(t, make("ada", SampleRate(8000), Duration(d))).Duration)
		}
	}
}

func TestDuration_RoundsUp(t *testing.T) {
	t.Parallel()
	over := 500*time.Millisecond + 1
	for _, make := range []mediaMaker{FaceVideo, VoiceWAV, VoiceCAF} {
		got := mediaInspect(t, make("ada", Duration(over))).Duration
		assert.Greater(t, got, 500*time.Millisecond)
		assert.Less(t, got, 500*time.Millisecond+100*time.Microsecond)
	}
}

func TestSampleRate_IsThatOfTheFile(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1000, 8000, 16_000, 22_050, 44_100, 192_000} {
		for _, make := range []mediaMaker{VoiceWAV, VoiceCAF} {
			info := mediaInspect(t, make("ada", SampleRate(rate), Duration(200*time.Millisecond)))
			assert.Equal(t, rate, info.SampleRate)
			assert.Equal(t, 200*time.Millisecond, info.Duration)
		}
	}
}

func TestResolution_IsThatOfTheFile(t *testing.T) {
	t.Parallel()
	for _, want := range [][2]int{{1, 1}, {7, 9}, {16, 16}, {17, 33}, {641, 481}, {8, 2000}} {
		for _, opts := range [][]MediaOption{nil, {Progressive()}, {WithEXIF()}, {Progressive(), WithEXIF()}} {
			data := FacePhoto("ada", append(opts, Resolution(want[0], want[1]))...)
			info := mediaInspect(t, data)
			assert.Equal(t, want, [2]int{info.Width, info.Height})
		}
	}
	for _, want := range [][2]int{{16, 16}, {18, 34}, {480, 640}, {642, 482}} {
		data := FaceVideo("ada", Resolution(want[0], want[1]))
		info := mediaInspect(t, data)
		assert.Equal(t, want, [2]int{info.Width, info.Height})
		assert.Less(t, len(data), MaxMediaBytes)
	}
}

func TestSyntheticMedia_SameBytesForTheSameCall(t *testing.T) {
	t.Parallel()
	for name, make := range mediaMakers {
		assert.True(t, bytes.Equal(make("ada"), make("ada")), name)
		assert.True(t, bytes.Equal(make("ada", Variant(2)), make("ada", Variant(2))), name)
	}
}

// mediaBody returns media without its marker, which differs by subject.
func mediaBody(t *testing.T, data []byte) string {
	t.Helper()
	subject, token, ok := synth.Subject(data)
	require.True(t, ok)
	return strings.Replace(string(data), string(synth.Marker(synth.Spec{Subject: subject, Token: token})), "", 1)
}

func TestSyntheticMedia_DiffersBySubjectAndVariant(t *testing.T) {
	t.Parallel()
	for name, make := range mediaMakers {
		seen := map[string]bool{}
		for _, subject := range []string{"ada", "bob", "cyd", "dan"} {
			for variant := -1; variant < 3; variant++ {
				seen[mediaBody(t, make(subject, Variant(variant)))] = true
			}
		}
		assert.Len(t, seen, 16, name)
	}
	assert.NotEqual(t, mediaBody(t, VoiceWAV("ada")), mediaBody(t, VoiceWAV("ada", Saying("1234"))), "a token changes the samples")
}

func TestMediaSubject_ReturnsSubjectAndToken(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"ada", "Zoë Ångström", "\x00\xff\xd9", strings.Repeat("x", 1000)} {
		for name, make := range mediaMakers {
			subject, token, ok := synth.Subject(make(want, Variant(3), Size(MaxMediaBytes+1)))
			assert.True(t, ok, name)
			assert.Equal(t, want, subject, name)
			assert.Empty(t, token, name)
		}
		for _, make := range []mediaMaker{FaceVideo, VoiceWAV, VoiceCAF} {
			subject, token, ok := synth.Subject(make("ada", Saying(want)))
			assert.True(t, ok)
			assert.Equal(t, [2]string{"ada", want}, [2]string{subject, token})
		}
	}
}

func TestMediaSubject_RefusesForeignMedia(t *testing.T) {
	t.Parallel()
	var photo bytes.Buffer
	require.NoError(t, jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil))
	for _, data := range [][]byte{
		nil, {0xff, 0xd8, 0xff}, photo.Bytes(), []byte("aimbraintest synthetic media 1\x00"), []byte("RIFF\x04\x00\x00\x00WAVE"),
		[]byte("caff\x00\x01\x00\x00desc"), []byte("\x00\x00\x00\x0cftypisom\xff\xff\xff\xffuuid\x6f\x1d\x0a\x6b\x3e\x52\x4c\x1f\x9b\x0e\xa1\x4d\xb2\x71\x7e\x35"),
		append(photo.Bytes(), FacePhoto("ada")...),
	} {
		_, _, ok := synth.Subject(data)
		assert.False(t, ok, "%.40q", data)
	}
}

func TestMediaSubject_RefusesACutFile(t *testing.T) {
	t.Parallel()
	for name, make := range mediaMakers {
		data := make("ada")
		for n := 0; n < len(data); n += 1 + len(data)/500 {
			if _, _, ok := synth.Subject(data[:n]); ok {
				// The marker may be the last part, and end with a filling byte.
				assert.GreaterOrEqual(t, n, len(data)-1, name)
			}
		}
	}
}

func FuzzMediaSubject(f *testing.F) {
	for _, make := range []mediaMaker{FaceVideo, VoiceWAV, VoiceCAF} {
		f.Add(make("ada", Duration(time.Millisecond), Saying("1234")))
	}
	f.Add(FacePhoto("ada", Resolution(16, 16)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, ok := synth.Subject(data); ok && mediainfo.CheckStructure(data) != nil {
			t.Fatal("a subject in a broken file")
		}
	})
}

func TestProgressive_HasProgressiveScans(t *testing.T) {
	t.Parallel()
	for progressive, data := range map[bool][]byte{false: FacePhoto("ada"), true: FacePhoto("ada", Progressive())} {
		frame, err := mediainfo.JPEGFrame(data)
		require.NoError(t, err)
		assert.Equal(t, progressive, frame.Progressive)
	}
	// Both codings hold the same picture.
	a, err := jpeg.Decode(bytes.NewReader(FacePhoto("ada", Resolution(321, 243))))
	require.NoError(t, err)
	b, err := jpeg.Decode(bytes.NewReader(FacePhoto("ada", Resolution(321, 243), Progressive())))
	require.NoError(t, err)
	for y := range 243 {
		for x := range 321 {
			if a.At(x, y) != b.At(x, y) {
				t.Fatalf("they differ at %d, %d", x, y)
			}
		}
	}
}

func TestWithEXIF_ThumbnailIsASmallerPhoto(t *testing.T) {
	t.Parallel()
	data := FacePhoto("ada", WithEXIF(), Resolution(480, 640))
	require.Equal(t, "\xff\xd8\xff\xe1", string(data[:4]))
	n := int(binary.BigEndian.Uint16(data[4:]))
	exif := data[6 : 4+n]
	require.True(t, bytes.HasPrefix(exif, []byte("Exif\x00\x00II*\x00")))
	thumb := exif[bytes.Index(exif, []byte("\xff\xd8")):]
	img, err := jpeg.Decode(bytes.NewReader(thumb))
	require.NoError(t, err)
	assert.Equal(t, image.Rect(0, 0, 80, 80), img.Bounds())
}

func TestSyntheticMedia_PanicsForInvalidOptions(t *testing.T) {
	t.Parallel()
	for want, call := range map[string]func(){
		"aimbraintest: FacePhoto: pass a name for the subject, not an empty string":                                          func() { FacePhoto("") },
		"aimbraintest: VoiceWAV: pass a subject of 1000 bytes at most, not 1001":                                             func() { VoiceWAV(strings.Repeat("x", 1001)) },
		"aimbraintest: Saying: pass a token of 1000 bytes at most, not 1001":                                                 func() { VoiceWAV("ada", Saying(strings.Repeat("x", 1001))) },
		"aimbraintest: Resolution(0, 5): pass a width and height above 0":                                                    func() { FacePhoto("ada", Resolution(0, 5)) },
		"aimbraintest: FacePhoto: Resolution(9000, 5): pass 8192 each and 32 megapixels at most":                             func() { FacePhoto("ada", Resolution(9000, 5)) },
		"aimbraintest: FaceVideo: Resolution(641, 480): pass even numbers from 16 to 4096 and 9 megapixels at most":          func() { FaceVideo("ada", Resolution(641, 480)) },
		"aimbraintest: Duration(-1s): pass a duration above 0 and 10m0s at most":                                             func() { FaceVideo("ada", Duration(-time.Second)) },
		"aimbraintest: SampleRate(0): pass 1000 to 192000 Hz":                                                                func() { VoiceCAF("ada", SampleRate(0)) },
		"aimbraintest: Size(0): pass a number of bytes from 1 to 1 GiB":                                                      func() { FacePhoto("ada", Size(0)) },
		"aimbraintest: FacePhoto: Duration does not apply; pass any of [Variant Resolution Size Progressive WithEXIF]":       func() { FacePhoto("ada", Duration(time.Second)) },
		"aimbraintest: VoiceWAV: Size(100) is less than the media itself; pass 64094 or more, or make it smaller or shorter": func() { VoiceWAV("ada", Size(100)) },
	} {
		assert.PanicsWithValue(t, want, call)
	}
	assert.NotPanics(t, func() { FacePhoto("ada", MediaOption{}) })
}

func ExampleFacePhoto() {
	photo := FacePhoto("ada", Variant(1), Size(MaxMediaBytes+1)) // one byte over the limit
	_ = photo
}
