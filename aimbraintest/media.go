package aimbraintest

import (
	"fmt"
	"slices"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/synth"
)

// MaxMediaBytes is the largest size in bytes of a photo, a video or a voice sample
// that the API accepts. FacePhoto("ada", Size(MaxMediaBytes+1)) is one byte too
// large.
const MaxMediaBytes = aimbrain.MaxMediaBytes

// MediaOption changes what [FacePhoto], [FaceVideo], [VoiceWAV] or [VoiceCAF]
// make. They panic for an option that does not apply, such as [SampleRate] for a
// photo.
type MediaOption struct {
	name  string
	apply func(*synth.Spec)
}

// Variant makes another picture or recording of the same subject: another
// angle and light, or another intonation. Every n, also a negative one, is a
// variant of its own; the default is 0. The option applies to all makers.
func Variant(n int) MediaOption {
	return MediaOption{"Variant", func(s *synth.Spec) { s.Variant = n }}
}

// Resolution sets the width and height in pixels. For a photo they are 1 to 8192
// each and 32 megapixels at most; the default is 320x240. For a video they are even
// numbers from 16 to 4096 and 9 megapixels at most; the default is 64x48. The maker
// panics outside these ranges.
func Resolution(width, height int) MediaOption {
	return MediaOption{"Resolution", func(s *synth.Spec) {
		mediaMust(width > 0 && height > 0, "Resolution(%d, %d): pass a width and height above 0", width, height)
		s.Width, s.Height = width, height
	}}
}

// Duration sets how long a video or a voice sample is, above 0 and 10 minutes
// at most; the default is 2 s. It is exact to a microsecond for video and to
// a sample for voice, rounded up, so that a duration over a limit stays over it.
// The maker panics outside the range.
func Duration(d time.Duration) MediaOption {
	return MediaOption{"Duration", func(s *synth.Spec) {
		mediaMust(d > 0 && d <= mediaMaxDuration, "Duration(%v): pass a duration above 0 and %v at most", d, mediaMaxDuration)
		s.Duration = d
	}}
}

const mediaMaxDuration = 10 * time.Minute

// SampleRate sets a voice sample's rate in Hz, 1000 to 192000; the default is
// 16000. The maker panics outside the range.
func SampleRate(hz int) MediaOption {
	return MediaOption{"SampleRate", func(s *synth.Spec) {
		mediaMust(hz >= 1000 && hz <= 192_000, "SampleRate(%d): pass 1000 to 192000 Hz", hz)
		s.Rate = hz
	}}
}

// Size makes the file exactly this many bytes, 1 GiB at most, by padding it with
// parts that readers skip. The maker panics if the media itself is larger, with a
// text that has the size. The option applies to all makers.
func Size(bytes int) MediaOption {
	return MediaOption{"Size", func(s *synth.Spec) {
		mediaMust(bytes > 0 && bytes <= 1<<30, "Size(%d): pass a number of bytes from 1 to 1 GiB", bytes)
		s.Size = bytes
	}}
}

// Saying sets the token that is spoken in a video or a voice sample, 1000 bytes at
// most. By default no token is spoken. The maker panics for a longer one.
func Saying(token string) MediaOption {
	return MediaOption{"Saying", func(s *synth.Spec) {
		mediaMust(len(token) <= mediaMaxText, "Saying: pass a token of %d bytes at most, not %d", mediaMaxText, len(token))
		s.Token = token
	}}
}

// Progressive makes a photo a progressive JPEG, as many phones and web tools write.
func Progressive() MediaOption {
	return MediaOption{"Progressive", func(s *synth.Spec) { s.Progressive = true }}
}

// WithEXIF adds the header of a camera to a photo: an orientation (as stored, 1)
// and a thumbnail.
func WithEXIF() MediaOption {
	return MediaOption{"WithEXIF", func(s *synth.Spec) { s.EXIF = true }}
}

// FacePhoto makes a JPEG of an invented person: a drawn face that depends on the
// subject's name. The same subject always has the same face, and the bytes are the
// same on every run and platform. The options are [Variant], [Resolution], [Size],
// [Progressive] and [WithEXIF]. FacePhoto panics for an empty subject, one of more
// than 1000 bytes, and options that do not fit.
func FacePhoto(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("FacePhoto", subject, opts, "Variant", "Resolution", "Size", "Progressive", "WithEXIF")
	if s.Width == 0 {
		s.Width, s.Height = 320, 240
	}
	mediaMust(s.Width <= 8192 && s.Height <= 8192 && s.Width*s.Height <= 32_000_000,
		"FacePhoto: Resolution(%d, %d): pass 8192 each and 32 megapixels at most", s.Width, s.Height)
	return mediaPad("FacePhoto", s, synth.JPEG(s))
}

// FaceVideo makes an MP4 with an H.264 video, 25 frames a second and without
// sound, of the person that [FacePhoto] draws. The options are [Variant],
// [Resolution], [Duration], [Size] and [Saying]. It panics as FacePhoto does.
func FaceVideo(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("FaceVideo", subject, opts, "Variant", "Resolution", "Duration", "Size", "Saying")
	if s.Width == 0 {
		s.Width, s.Height = 64, 48
	}
	mediaMust(s.Width >= 16 && s.Height >= 16 && s.Width <= 4096 && s.Height <= 4096 &&
		s.Width%2 == 0 && s.Height%2 == 0 && s.Width*s.Height <= 9_000_000,
		"FaceVideo: Resolution(%d, %d): pass even numbers from 16 to 4096 and 9 megapixels at most", s.Width, s.Height)
	return mediaPad("FaceVideo", s, synth.MP4(s))
}

// VoiceWAV makes a WAV, linear PCM of 16 bit and one channel, of an invented
// voice: a hum in syllables whose pitch and timbre come from the subject's
// name. The options are [Variant], [Duration], [SampleRate], [Size] and [Saying]. It
// panics as [FacePhoto] does.
func VoiceWAV(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("VoiceWAV", subject, opts, "Variant", "Duration", "SampleRate", "Size", "Saying")
	return mediaPad("VoiceWAV", s, synth.WAV(s))
}

// VoiceCAF makes the same recording as [VoiceWAV] in a Core Audio file, as
// iPhones record.
func VoiceCAF(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("VoiceCAF", subject, opts, "Variant", "Duration", "SampleRate", "Size", "Saying")
	return mediaPad("VoiceCAF", s, synth.CAF(s))
}

const mediaMaxText = 1000

func mediaMust(ok bool, format string, args ...any) {
	if !ok {
		panic("aimbraintest: " + fmt.Sprintf(format, args...))
	}
}

func mediaNewSpec(maker, subject string, opts []MediaOption, allowed ...string) synth.Spec {
	mediaMust(subject != "", "%s: pass a name for the subject, not an empty string", maker)
	mediaMust(len(subject) <= mediaMaxText, "%s: pass a subject of %d bytes at most, not %d", maker, mediaMaxText, len(subject))
	s := synth.Spec{Subject: subject, Duration: 2 * time.Second, Rate: 16_000}
	for _, o := range opts {
		if o.apply == nil { // the zero MediaOption
			continue
		}
		mediaMust(slices.Contains(allowed, o.name), "%s: %s does not apply; pass any of %v", maker, o.name, allowed)
		o.apply(&s)
	}
	return s
}

// mediaPad returns the file with the requested size. It makes the file without
// padding to find its size, and then with the padding that is missing.
func mediaPad(maker string, s synth.Spec, file func(padding int) []byte) []byte {
	data := file(0)
	if s.Size == 0 || s.Size == len(data) {
		return data
	}
	mediaMust(s.Size > len(data), "%s: Size(%d) is less than the media itself; pass %d or more, or make it smaller or shorter",
		maker, s.Size, len(data))
	return file(s.Size - len(data))
}
