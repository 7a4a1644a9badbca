// Package synth makes synthetic media: photos, videos and recordings of invented
// people. The same description makes the same bytes on every run and platform. A
// marker in the file has the subject and the token, so that the fake recognises them.
package synth

import (
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// A Spec describes a file. Every field is set but Size, which is 0 for any size.
type Spec struct {
	Subject, Token    string
	Variant           int
	Width, Height     int           // in pixels, of a picture or video
	Duration          time.Duration // of a video or recording
	Rate              int           // in Hz, of a recording
	Size              int           // of the file in bytes
	Progressive, EXIF bool          // of a photo
}

// A Rand is a small generator (splitmix64). Its numbers are the same in all Go
// versions; those of math/rand may change.
type Rand uint64

// Seed returns a generator that depends on the parts alone.
func Seed(parts ...string) *Rand {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	r := Rand(h.Sum64())
	return &r
}

// Between returns a number from lo to hi, both included.
func (r *Rand) Between(lo, hi int) int {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int(int64(lo) + int64(z%uint64(int64(hi)-int64(lo)+1))) // an int of 32 bits does not hold every hi-lo+1
}

// magic begins the marker, which only synthetic media has.
const magic = "aimbraintest synthetic media 1\x00"

// boxUUID is the type of the box or chunk that holds the marker.
const boxUUID = "\x6f\x1d\x0a\x6b\x3e\x52\x4c\x1f\x9b\x0e\xa1\x4d\xb2\x71\x7e\x35"

// wavChunk is the name of that chunk in a WAV.
const wavChunk = "aimb"

// Marker returns the subject and the token with their lengths and a checksum,
// an even number of bytes in all.
func Marker(s Spec) []byte {
	m := []byte(magic)
	m = binary.BigEndian.AppendUint16(m, uint16(len(s.Subject)))
	m = binary.BigEndian.AppendUint16(m, uint16(len(s.Token)))
	m = append(m, s.Subject...)
	m = append(m, s.Token...)
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	return append(m, make([]byte, len(m)%2)...)
}

// readMarker is the inverse of Marker. Other bytes may follow the marker
// in p.
func readMarker(p []byte) (subject, token string, ok bool) {
	head := len(magic) + 4
	if len(p) < head || string(p[:len(magic)]) != magic {
		return "", "", false
	}
	n := int(binary.BigEndian.Uint16(p[head-4:]))
	end := head + n + int(binary.BigEndian.Uint16(p[head-2:]))
	if len(p) < end+4 || crc32.ChecksumIEEE(p[:end]) != binary.BigEndian.Uint32(p[end:]) {
		return "", "", false
	}
	return string(p[head : head+n]), string(p[head+n : end]), true
}

// Subject returns the subject and the token of media that this package made,
// with any options. ok is false for other media and for a file that was cut.
func Subject(data []byte) (subject, token string, ok bool) {
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
	if subject, token, ok = readMarker(marker); !ok || mediainfo.CheckStructure(data) != nil {
		return "", "", false
	}
	return subject, token, true
}
