package aimbraintest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"slices"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
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
	apply func(*mediaSpec)
}

// mediaSpec describes a file. A zero field has the default of the maker.
type mediaSpec struct {
	subject, token    string
	variant           int
	width, height     int
	duration          time.Duration
	rate, size        int
	progressive, exif bool
}

// Variant makes another picture or recording of the same subject: another
// angle and light, or another intonation. Every n, also a negative one, is a
// variant of its own; the default is 0. The option applies to all makers.
func Variant(n int) MediaOption {
	return MediaOption{"Variant", func(s *mediaSpec) { s.variant = n }}
}

// Resolution sets the width and height in pixels. For a photo they are 1 to 8192
// each and 32 megapixels at most; the default is 320x240. For a video they are even
// numbers from 16 to 4096 and 9 megapixels at most; the default is 64x48. The maker
// panics outside these ranges.
func Resolution(width, height int) MediaOption {
	return MediaOption{"Resolution", func(s *mediaSpec) {
		mediaMust(width > 0 && height > 0, "Resolution(%d, %d): pass a width and height above 0", width, height)
		s.width, s.height = width, height
	}}
}

// Duration sets how long a video or a voice sample is, above 0 and 10 minutes
// at most; the default is 2 s. It is exact to a microsecond for video and to
// a sample for voice, rounded up, so that a duration over a limit stays over it.
// The maker panics outside the range.
func Duration(d time.Duration) MediaOption {
	return MediaOption{"Duration", func(s *mediaSpec) {
		mediaMust(d > 0 && d <= mediaMaxDuration, "Duration(%v): pass a duration above 0 and %v at most", d, mediaMaxDuration)
		s.duration = d
	}}
}

const mediaMaxDuration = 10 * time.Minute

// SampleRate sets a voice sample's rate in Hz, 1000 to 192000; the default is
// 16000. The maker panics outside the range.
func SampleRate(hz int) MediaOption {
	return MediaOption{"SampleRate", func(s *mediaSpec) {
		mediaMust(hz >= 1000 && hz <= 192_000, "SampleRate(%d): pass 1000 to 192000 Hz", hz)
		s.rate = hz
	}}
}

// Size makes the file exactly this many bytes, 1 GiB at most, by padding it with
// parts that readers skip. The maker panics if the media itself is larger, with a
// text that has the size. The option applies to all makers.
func Size(bytes int) MediaOption {
	return MediaOption{"Size", func(s *mediaSpec) {
		mediaMust(bytes > 0 && bytes <= 1<<30, "Size(%d): pass a number of bytes from 1 to 1 GiB", bytes)
		s.size = bytes
	}}
}

// Saying sets the token that is spoken in a video or a voice sample, 1000 bytes at
// most. By default no token is spoken. The maker panics for a longer one.
func Saying(token string) MediaOption {
	return MediaOption{"Saying", func(s *mediaSpec) {
		mediaMust(len(token) <= mediaMaxText, "Saying: pass a token of %d bytes at most, not %d", mediaMaxText, len(token))
		s.token = token
	}}
}

// Progressive makes a photo a progressive JPEG, as many phones and web tools write.
func Progressive() MediaOption {
	return MediaOption{"Progressive", func(s *mediaSpec) { s.progressive = true }}
}

// WithEXIF adds the header of a camera to a photo: an orientation (as stored, 1)
// and a thumbnail.
func WithEXIF() MediaOption {
	return MediaOption{"WithEXIF", func(s *mediaSpec) { s.exif = true }}
}

// FacePhoto makes a JPEG of an invented person: a drawn face that depends on the
// subject's name. The same subject always has the same face, and the bytes are the
// same on every run and platform. The options are [Variant], [Resolution], [Size],
// [Progressive] and [WithEXIF]. FacePhoto panics for an empty subject, one of more
// than 1000 bytes, and options that do not fit.
func FacePhoto(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("FacePhoto", subject, opts, "Variant", "Resolution", "Size", "Progressive", "WithEXIF")
	if s.width == 0 {
		s.width, s.height = 320, 240
	}
	mediaMust(s.width <= 8192 && s.height <= 8192 && s.width*s.height <= 32_000_000,
		"FacePhoto: Resolution(%d, %d): pass 8192 each and 32 megapixels at most", s.width, s.height)
	return mediaPad("FacePhoto", s, jpegFile(s))
}

// FaceVideo makes an MP4 with an H.264 video, 25 frames a second and without
// sound, of the person that [FacePhoto] draws. The options are [Variant],
// [Resolution], [Duration], [Size] and [Saying]. It panics as FacePhoto does.
func FaceVideo(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("FaceVideo", subject, opts, "Variant", "Resolution", "Duration", "Size", "Saying")
	if s.width == 0 {
		s.width, s.height = 64, 48
	}
	mediaMust(s.width >= 16 && s.height >= 16 && s.width <= 4096 && s.height <= 4096 &&
		s.width%2 == 0 && s.height%2 == 0 && s.width*s.height <= 9_000_000,
		"FaceVideo: Resolution(%d, %d): pass even numbers from 16 to 4096 and 9 megapixels at most", s.width, s.height)
	return mediaPad("FaceVideo", s, mp4File(s))
}

// VoiceWAV makes a WAV, linear PCM of 16 bit and one channel, of an invented
// voice: a hum in syllables whose pitch and timbre come from the subject's
// name. The options are [Variant], [Duration], [SampleRate], [Size] and [Saying]. It
// panics as [FacePhoto] does.
func VoiceWAV(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("VoiceWAV", subject, opts, "Variant", "Duration", "SampleRate", "Size", "Saying")
	return mediaPad("VoiceWAV", s, wavFile(s))
}

// VoiceCAF makes the same recording as [VoiceWAV] in a Core Audio file, as
// iPhones record.
func VoiceCAF(subject string, opts ...MediaOption) []byte {
	s := mediaNewSpec("VoiceCAF", subject, opts, "Variant", "Duration", "SampleRate", "Size", "Saying")
	return mediaPad("VoiceCAF", s, cafFile(s))
}

const mediaMaxText = 1000

func mediaMust(ok bool, format string, args ...any) {
	if !ok {
		panic("aimbraintest: " + fmt.Sprintf(format, args...))
	}
}

func mediaNewSpec(maker, subject string, opts []MediaOption, allowed ...string) mediaSpec {
	mediaMust(subject != "", "%s: pass a name for the subject, not an empty string", maker)
	mediaMust(len(subject) <= mediaMaxText, "%s: pass a subject of %d bytes at most, not %d", maker, mediaMaxText, len(subject))
	s := mediaSpec{subject: subject, duration: 2 * time.Second, rate: 16_000}
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
func mediaPad(maker string, s mediaSpec, file func(padding int) []byte) []byte {
	data := file(0)
	if s.size == 0 || s.size == len(data) {
		return data
	}
	mediaMust(s.size > len(data), "%s: Size(%d) is less than the media itself; pass %d or more, or make it smaller or shorter",
		maker, s.size, len(data))
	return file(s.size - len(data))
}

// mediaRand is a small generator (splitmix64). Its numbers are the same in all Go
// versions; those of math/rand may change.
type mediaRand uint64

func mediaSeed(parts ...string) *mediaRand {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	r := mediaRand(h.Sum64())
	return &r
}

// between returns a number from lo to hi, both included.
func (r *mediaRand) between(lo, hi int) int {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int(int64(lo) + int64(z%uint64(int64(hi)-int64(lo)+1))) // an int of 32 bits does not hold every hi-lo+1
}

// mediaMagic begins the marker, which only synthetic media has.
const mediaMagic = "aimbraintest synthetic media 1\x00"

// mediaUUID is the type of the box or chunk that holds the marker.
const mediaUUID = "\x6f\x1d\x0a\x6b\x3e\x52\x4c\x1f\x9b\x0e\xa1\x4d\xb2\x71\x7e\x35"

// mediaWAVChunk is the name of that chunk in a WAV.
const mediaWAVChunk = "aimb"

// mediaMarker returns the subject and the token with their lengths and a checksum,
// an even number of bytes in all.
func mediaMarker(s mediaSpec) []byte {
	m := []byte(mediaMagic)
	m = binary.BigEndian.AppendUint16(m, uint16(len(s.subject)))
	m = binary.BigEndian.AppendUint16(m, uint16(len(s.token)))
	m = append(m, s.subject...)
	m = append(m, s.token...)
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	return append(m, make([]byte, len(m)%2)...)
}

// mediaReadMarker is the inverse of mediaMarker. Other bytes may follow the marker
// in p.
func mediaReadMarker(p []byte) (subject, token string, ok bool) {
	head := len(mediaMagic) + 4
	if len(p) < head || string(p[:len(mediaMagic)]) != mediaMagic {
		return "", "", false
	}
	n := int(binary.BigEndian.Uint16(p[head-4:]))
	end := head + n + int(binary.BigEndian.Uint16(p[head-2:]))
	if len(p) < end+4 || crc32.ChecksumIEEE(p[:end]) != binary.BigEndian.Uint32(p[end:]) {
		return "", "", false
	}
	return string(p[head : head+n]), string(p[head+n : end]), true
}

// mediaSubject returns the subject and the token of media that this package made,
// with any options. ok is false for other media and for a file that was cut.
func mediaSubject(data []byte) (subject, token string, ok bool) {
	var marker []byte
	switch mediainfo.Sniff(data) {
	case mediainfo.JPEG:
		marker = jpegFindMarker(data)
	case mediainfo.MP4, mediainfo.QuickTime:
		marker = mp4FindMarker(data)
	case mediainfo.WAV:
		marker = wavFindMarker(data)
	case mediainfo.CAF:
		marker = cafFindMarker(data)
	}
	if subject, token, ok = mediaReadMarker(marker); !ok || mediainfo.CheckStructure(data) != nil {
		return "", "", false
	}
	return subject, token, true
}
