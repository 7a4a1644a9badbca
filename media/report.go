package media

import (
	"time"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// A Report is what the headers of a file say about it, and the problems that follow
// from them. A field that the format does not have, or that the headers leave open,
// is zero. A report holds no bytes of the file and no text from it.
type Report struct {
	// Kind is what the file is, by its tracks: an MP4 without a picture is a
	// recording.
	Kind Kind
	// Format is the container, FormatUnknown if it is not recognised.
	Format Format
	// Inner is the format of the file inside a text that is base64 or a data
	// URL, FormatUnknown for every other file.
	Inner Format
	// Purpose is what the problems are about, see [Report.As].
	Purpose Purpose
	// Size is the size of the file in bytes.
	Size int64

	// Codec is the encoding of the picture or of the video, AudioCodec that of the
	// sound: see [Codec].
	Codec, AudioCodec Codec
	// Color is the colour model of a JPEG, ColorUnknown for all other formats.
	Color Color

	// Width and Height are in pixels as displayed: with the EXIF orientation or
	// the rotation of a video applied.
	Width, Height int
	// Orientation is the EXIF orientation of a photo, 1 to 8, and 0 if the file
	// has none. 1 is upright; 6 is displayed after a quarter turn clockwise.
	Orientation int
	// Rotation is the clockwise rotation in degrees with which a video is
	// displayed: 0, 90, 180 or 270.
	Rotation int
	// FrameRate is the average number of frames per second of a video.
	FrameRate float64

	// SampleRate is in Hz. BitsPerSample is the depth of samples that are stored
	// uncompressed or without loss, and 0 for every other encoding.
	SampleRate, Channels, BitsPerSample int

	// Duration is how long a video or a recording plays. It is known only if
	// DurationKnown is true: a duration that the headers leave open is 0 and not
	// known, and is a problem.
	Duration      time.Duration
	DurationKnown bool

	// Truncation says whether the end of the file is missing.
	Truncation Truncation

	// Location is true if the file says where it was captured. Metadata is true
	// if it has EXIF or XMP data, or the like, beyond an orientation: the device, the
	// time, a thumbnail. Both are false if the headers that were read do not show
	// any.
	Location, Metadata bool

	// Problems are all problems of the file, the most severe first. Files without
	// any have nil.
	Problems []Problem

	// Err is the error of the reader that [InspectReaderAt] was given, nil if there
	// was none. The report then covers what was read before it.
	Err error

	file      mediainfo.File
	inspected bool
}

// A Kind is what a file captures.
type Kind int

// The kinds.
const (
	KindUnknown   Kind = iota
	KindPhoto          // a picture
	KindVideo          // moving pictures, with or without sound
	KindRecording      // sound alone
	KindText           // text where a binary file belongs
)

// String returns "unknown", "photo", "video", "recording" or "text".
func (k Kind) String() string {
	switch k {
	case KindPhoto:
		return "photo"
	case KindVideo:
		return "video"
	case KindRecording:
		return "recording"
	case KindText:
		return "text"
	}
	return "unknown"
}

// A Purpose is what a file is sent as.
type Purpose int

// The purposes.
const (
	// AnyPurpose takes sound alone as a voice, and everything else as a face.
	AnyPurpose Purpose = iota
	Face               // a photo or a video of a face
	Voice              // a recording of a voice
)

// String returns "any", "face" or "voice".
func (p Purpose) String() string {
	switch p {
	case Face:
		return "face"
	case Voice:
		return "voice"
	}
	return "any"
}

// Truncation is whether the end of a file is missing.
type Truncation int

// The values.
const (
	TruncationUnknown Truncation = iota // the format does not show it, or more would have to be read
	NotTruncated                        // the file has the length that its headers give, or its end marker
	Truncated                           // the file is shorter than its headers say, or ends in the middle of a part
)

// String returns "unknown", "no" or "yes".
func (t Truncation) String() string {
	switch t {
	case NotTruncated:
		return "no"
	case Truncated:
		return "yes"
	}
	return "unknown"
}

// A Color is the colour model of a JPEG.
type Color int

// The colour models.
const (
	ColorUnknown Color = iota
	Gray               // one component
	YCbCr              // three components, the usual model
	RGB                // three components that are not converted
	CMYK               // four components, for print
)

// String returns "unknown", "gray", "YCbCr", "RGB" or "CMYK".
func (c Color) String() string {
	switch c {
	case Gray:
		return "gray"
	case YCbCr:
		return "YCbCr"
	case RGB:
		return "RGB"
	case CMYK:
		return "CMYK"
	}
	return "unknown"
}
