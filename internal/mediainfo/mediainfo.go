// Package mediainfo recognises untrusted media: its format, and the resolution,
// rate and duration in its headers. It reads headers only and decodes nothing, so
// that its cost on an upload is negligible. The check that also decodes a photo is
// package readable, which this package does not import, so that its importers do
// not link image/jpeg.
package mediainfo

import (
	"io"
	"math/bits"
	"time"
)

// Info is the content of the headers. A field that the format does not have, or
// that the headers leave open, is zero.
type Info struct {
	Format Format

	// Width and Height are in pixels, as stored. DisplaySize returns the size
	// as displayed.
	Width, Height int
	// Orientation is a JPEG's EXIF orientation, 1 to 8: 1 is upright, 6 is
	// displayed after a quarter turn clockwise. It is 0 if the file has none.
	Orientation int
	// Rotation is the clockwise rotation in degrees with which a video is
	// displayed: 0, 90, 180 or 270.
	Rotation int
	// FrameRate is a video's average rate in frames per second, 0 if unknown.
	FrameRate float64
	// Progressive is true for a progressive JPEG.
	Progressive bool

	// Duration is the duration of the whole file as played. For a WAV or CAF
	// whose header leaves the length open it covers the samples in the data.
	Duration      time.Duration
	VideoDuration time.Duration // the longest video track's
	AudioDuration time.Duration // the longest audio track's
	// DurationUnknown is true for sound or video whose headers leave the
	// duration open. Duration is 0 then, although the media is not empty.
	DurationUnknown bool

	SampleRate int // in Hz
	// Channels and BitsPerSample are the values of the header. MP4 writers
	// mostly set them to 2 and 16, whatever the coded sound has.
	Channels      int
	BitsPerSample int

	HasVideo, HasAudio bool

	// PictureCodec is "lossless", "arithmetic", "hierarchical" or "12-bit" for
	// a JPEG that few decoders support, "" for any other.
	PictureCodec string
	// VideoCodec is the name of an MP4 sample entry, "avc1" for H.264 and
	// "vp09" for VP9, in a WebM as well, or "other" for one that this package
	// does not know.
	VideoCodec string
	// AudioCodec is "pcm" for linear PCM in integers, "float", "mulaw", "alaw",
	// "adpcm", "mp3", "vorbis", an MP4 sample entry's name such as "mp4a", or
	// "other".
	AudioCodec string
}

// DisplaySize returns the width and height in pixels with the EXIF orientation
// or the video's rotation applied.
func (i Info) DisplaySize() (width, height int) {
	if i.Rotation%180 != 0 || i.Orientation > 4 {
		return i.Height, i.Width
	}
	return i.Width, i.Height
}

// Error describes a fault of a piece of media. Its text names the format and the
// part. It never quotes the data.
type Error struct {
	Format  Format
	Problem string
	// Incomplete is true if the data ends too early: with more of the file
	// [Inspect] may succeed, and for [CheckStructure] the file was cut.
	Incomplete bool
	// Unsupported is true for a format or an encoding that is not accepted. The
	// media may be sound.
	Unsupported bool
	// Beyond is true if [Inspect] would have to read more of the file than it
	// may.
	Beyond bool
}

// Error returns the format and the problem.
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

// Inspect reads the headers. data may be the start of a file that contains the
// headers. An [*Error] with Incomplete means that it does not contain them.
// Info.Format is also set with an error, so that a caller can name what was sent.
// Inspect does not say that the rest of the file is sound. It reads no more of
// data than [InspectAt], so that an error with Beyond means that the headers are
// larger than that.
func Inspect(data []byte) (Info, error) {
	s := source{data: data, size: uint64(len(data)), reads: maxReads, steps: maxSteps}
	return s.inspect()
}

// InspectAt reads the headers of the file of size bytes in r, with the same result
// as [Inspect] of the whole file. It reads 64 KiB at most, in 64 reads at most,
// whatever sizes the file contains. The error is an [*Error] or that of r. It is
// [io.ErrUnexpectedEOF] if r ends before size.
func InspectAt(r io.ReaderAt, size int64) (Info, error) {
	size = max(size, 0)
	s := source{r: r, size: uint64(size), buf: make([]byte, min(size, windowSize)), reads: maxReads, steps: maxSteps}
	return s.inspect()
}

func (s *source) inspect() (info Info, err error) {
	start, err := s.rest(0)
	if err != nil {
		return info, err
	}
	info.Format = Sniff(start)
	s.format = info.Format
	switch info.Format {
	case JPEG:
		err = inspectJPEG(s, &info)
	case MP4, QuickTime, M4A:
		err = inspectMP4(s, &info)
	case WebM:
		err = inspectWebM(s, &info)
	case WAV, RIFX:
		err = inspectWAV(s, &info)
	case CAF:
		err = inspectCAF(s, &info)
	default:
		err = unsupported(info.Format, start)
	}
	return info, err
}

// CheckStructure reads the whole file without decoding it. Every part must be
// inside the file, the parts that a reader needs must be there, and none may
// contradict another. Bytes behind a JPEG's end marker, or behind the samples of a
// WAV or CAF, are no fault: cameras and recorders add them. An [*Error] with
// Unsupported is about a file that may be sound.
func CheckStructure(data []byte) error {
	f := Sniff(data)
	s := whole(data, f)
	switch f {
	case JPEG:
		_, err := jpegFrame(&s)
		return err
	case MP4, QuickTime, M4A:
		return checkMP4(&s)
	case WebM:
		return checkWebM(&s)
	case WAV, RIFX:
		return checkWAV(&s)
	case CAF:
		return checkCAF(&s)
	}
	return unsupported(f, data)
}

func unsupported(f Format, data []byte) error {
	switch {
	case len(data) == 0:
		return short(Unknown, "empty: no data at all")
	case f != Unknown:
		return &Error{Format: f, Problem: "not a format that is read here; " + readFormats + " are", Unsupported: true}
	case len(data) < 12:
		return short(Unknown, "too short to recognise the format")
	}
	return &Error{Problem: "unknown format; it is none of " + readFormats, Unsupported: true}
}

const readFormats = "JPEG, MP4, QuickTime, WebM, WAV and CAF"

// codecError is the error for samples or pictures that may be sound.
func codecError(f Format, encoding, use string) error {
	return &Error{Format: f, Problem: encoding + " is not supported; " + use + " is", Unsupported: true}
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
func le64(b []byte) uint64 { return uint64(le32(b)) | uint64(le32(b[4:]))<<32 }

// maxDuration bounds the duration in a header. No useful media is that long.
const maxDuration = 1000 * time.Hour

// span returns units/perSecond seconds, at most maxDuration, and 0 for perSecond
// 0.
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
