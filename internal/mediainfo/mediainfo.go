// Package mediainfo tells what a piece of media is from bytes that nobody
// vouches for: its format, and the resolution, rate and duration that its
// headers give. It reads headers only and decodes nothing, so it costs next to
// nothing on an upload's path; the check that also decodes a photo is package
// readable, which this package does not import, so that its importers do not
// link image/jpeg.
package mediainfo

import (
	"errors"
	"io"
	"math/bits"
	"time"
)

// Info is what the headers say. A field that the format does not have, or that
// the headers leave open, is zero.
type Info struct {
	Format Format

	// Width and Height are in pixels, as stored: an EXIF orientation or a
	// video's rotation is not applied.
	Width, Height int

	// Duration is the whole file's. For a WAV or CAF whose header leaves the
	// length open it counts the samples that are in the data given.
	Duration      time.Duration
	VideoDuration time.Duration // the longest video track's
	AudioDuration time.Duration // the longest audio track's
	// DurationUnknown is true for sound or video whose headers leave the
	// duration open: Duration is 0 then, and the media is not empty for that.
	DurationUnknown bool

	SampleRate int // in Hz
	// Channels and BitsPerSample are as the header has them. MP4 writers mostly
	// put 2 and 16 there, whatever the coded sound has.
	Channels      int
	BitsPerSample int

	HasVideo, HasAudio bool

	// VideoCodec is the MP4 sample entry's name, "avc1" for H.264, or "other"
	// for one that this package does not know.
	VideoCodec string
	// AudioCodec is "pcm" for linear PCM in integers, "float", the MP4 sample
	// entry's name such as "mp4a", or "other".
	AudioCodec string
}

// Error says what is wrong with a piece of media. Its text names the format
// and the part; it never quotes the data.
type Error struct {
	Format  Format
	Problem string
	// Incomplete is true where the data just ends too early: more of the file
	// would do for [Inspect], and for [CheckStructure] the file was cut.
	Incomplete bool
}

// Error is the format and the problem.
func (e *Error) Error() string {
	if e.Format == Unknown {
		return e.Problem
	}
	return e.Format.String() + ": " + e.Problem
}

func bad(f Format, problem string) error { return &Error{Format: f, Problem: problem} }
func short(f Format, problem string) error {
	return &Error{Format: f, Problem: problem, Incomplete: true}
}

// Inspect reads the headers. data may be only the start of a file as long as
// the headers are in it; an [*Error] with Incomplete says that they are not.
// Info.Format is set also where an error is returned, so that a caller can
// name what was sent. Inspect does not say that the rest of the file is sound.
func Inspect(data []byte) (Info, error) {
	info := Info{Format: Sniff(data)}
	var err error
	switch info.Format {
	case JPEG:
		err = inspectJPEG(data, &info)
	case MP4, QuickTime, M4A:
		err = inspectMP4(data, &info)
	case WAV:
		err = inspectWAV(data, &info)
	case CAF:
		err = inspectCAF(data, &info)
	default:
		err = unsupported(info.Format, data)
	}
	return info, err
}

// InspectAt reads the headers of the file of size bytes that r gives, as
// [Inspect] does with the whole of it in memory. It reads 64 KiB at most, in 64
// reads at most, whatever the sizes in the file claim. The error is an [*Error],
// or that of r.
func InspectAt(r io.ReaderAt, size int64) (Info, error) {
	data := make([]byte, max(0, min(size, 64<<10)))
	if _, err := r.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return Info{}, err
	}
	return Inspect(data)
}

// CheckStructure goes through the whole file without decoding it: every part
// has to be inside the file, the parts that a reader needs have to be there,
// and none may contradict another. Bytes behind a JPEG's end marker, or behind
// the samples of a WAV or CAF, are no fault: cameras and recorders add them.
func CheckStructure(data []byte) error {
	switch f := Sniff(data); f {
	case JPEG:
		return checkJPEG(data)
	case MP4, QuickTime, M4A:
		return checkMP4(data, f)
	case WAV:
		return checkWAV(data)
	case CAF:
		return checkCAF(data)
	default:
		return unsupported(f, data)
	}
}

func unsupported(f Format, data []byte) error {
	switch {
	case len(data) == 0:
		return short(Unknown, "empty: no data at all")
	case f != Unknown:
		return bad(f, "not a format that is read here; JPEG, MP4, WAV and CAF are")
	case len(data) < 12:
		return short(Unknown, "too short to tell the format")
	}
	return bad(Unknown, "unknown format; it is none of JPEG, MP4, WAV and CAF")
}

func be16(b []byte) int { return int(b[0])<<8 | int(b[1]) }
func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
func be64(b []byte) uint64 { return uint64(be32(b))<<32 | uint64(be32(b[4:])) }
func le16(b []byte) int    { return int(b[0]) | int(b[1])<<8 }
func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// maxDuration caps what a header can claim; no media of any use comes near.
const maxDuration = 1000 * time.Hour

// span is units/perSecond seconds, at most maxDuration, 0 for perSecond 0.
func span(units, perSecond uint64) time.Duration {
	if perSecond == 0 {
		return 0
	}
	hi, lo := bits.Mul64(units, uint64(time.Second))
	if hi >= perSecond { // the quotient would not fit
		return maxDuration
	}
	q, _ := bits.Div64(hi, lo, perSecond)
	return time.Duration(min(q, uint64(maxDuration)))
}
