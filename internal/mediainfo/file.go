package mediainfo

import (
	"errors"
	"io"
)

// File is what [Examine] finds in a file.
type File struct {
	Info
	// Size is the size of the file in bytes, negative if unknown.
	Size    int64
	Variant Variant
	Cut     Cut
	// Color is the colour model of a JPEG.
	Color Color
	// Location is true for a file that says where it was captured. Metadata is true
	// for a photo or video with other data about the capture, beyond an orientation.
	Location, Metadata bool
	// Text says which text a file without a binary format is. Inner is the file
	// inside a Base64 text or a data URL, and InnerText which text that is.
	Text, InnerText Text
	Inner           Format
	// URLSafe and LineBreaks say how a Base64 text differs from the standard form.
	URLSafe, LineBreaks bool

	// Err is a fault of the file, or an error of its reader, see [File.ReadErr].
	Err error
}

// ReadErr returns the error of the reader, nil if there was none.
func (f *File) ReadErr() error {
	if _, ok := errors.AsType[*Error](f.Err); ok {
		return nil
	}
	return f.Err
}

// Variant is a kind of a format that has its own name.
type Variant int

// The variants.
const (
	RF64     Variant = iota + 1 // of WAV
	ThreeGP                     // of MP4
	Matroska                    // of WebM
)

// Cut says whether the end of a file is missing.
type Cut int

// The values.
const (
	CutUnknown Cut = iota
	CutNo
	CutYes
)

func cutIf(cut bool) Cut {
	if cut {
		return CutYes
	}
	return CutNo
}

// Color is the colour model of a JPEG.
type Color int

// The colour models.
const (
	Gray Color = iota + 1
	YCbCr
	RGB
	CMYK
)

// more is what the readers of headers find besides [Info].
type more struct {
	variant            Variant
	cut                Cut
	color              Color
	location, metadata bool
	pictures           bool    // of a JPEG: there are more behind the first
	scan               uint64  // of a JPEG: the position behind its first scan header
	xmp                segment // of a JPEG
	behind             uint64  // of an MP4: the position behind the movie header
	whole              bool    // of an MP4: it has no fragments
	userData, meta     box     // of an MP4
}

// Examine reads the headers of every format that has a reader here, and the end of
// the file where it says whether the file is whole. It has the bounds of [InspectAt].
func Examine(data []byte) File {
	s := source{data: data, size: uint64(len(data)), reads: maxReads, steps: maxSteps}
	return s.examine()
}

// ExamineAt is [Examine] for the file of size bytes in r.
func ExamineAt(r io.ReaderAt, size int64) File {
	size = max(size, 0)
	s := source{r: r, size: uint64(size), reads: maxReads, steps: maxSteps}
	s.buf = make([]byte, min(size, windowSize))
	return s.examine()
}

func (s *source) examine() File {
	f := File{Size: int64(s.size)}
	f.Info, f.Err = s.inspect()
	e, ok := errors.AsType[*Error](f.Err)
	switch {
	case f.Err == nil:
		f.Err = s.finish(f.Format)
	case ok && e.Unsupported || f.Format == Unknown && s.size > 0:
		f.Err = s.other(&f)
	}
	if e, ok := errors.AsType[*Error](f.Err); ok && e.Incomplete {
		s.more.cut = CutYes
	}
	if s.size == 0 {
		s.more.cut = CutUnknown
	}
	f.Variant, f.Cut, f.Color = s.more.variant, s.more.cut, s.more.color
	f.Location, f.Metadata = s.more.location, s.more.metadata || s.more.location
	return f
}

// finish reads what is not in the headers of a format that [Inspect] reads. What it
// cannot find stays unknown: it returns only errors of the reader.
func (s *source) finish(f Format) (err error) {
	switch f {
	case JPEG:
		if s.more.cut, err = s.jpegEnd(); err == nil {
			err = s.xmpLocation(s.more.xmp)
		}
	case MP4, QuickTime, M4A:
		if err = s.mp4End(); err == nil {
			err = s.mp4Metadata()
		}
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return nil
	}
	return err
}

// other reads the formats that only [Examine] knows. They are not accepted anyway,
// so a fault of theirs is no problem of its own, but a missing end is known.
func (s *source) other(f *File) error {
	err := s.readOther(f)
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Incomplete {
			s.more.cut = CutYes
		}
		return f.Err
	}
	if err != nil {
		return err
	}
	return f.Err
}

func (s *source) readOther(f *File) error {
	i := &f.Info
	switch f.Format {
	case PNG:
		return s.png(i)
	case GIF:
		return s.gif(i)
	case BMP:
		return s.bmp(i)
	case WebP:
		return s.webp(i)
	case TIFF:
		return s.tiff(i)
	case HEIC, AVIF:
		return s.heif(i)
	case JPEG2000:
		return s.jpeg2000(i)
	case JPEGXL:
		return s.jpegXL(i)
	case AVI:
		return s.avi(i)
	case FLV:
		return s.flv(i)
	case MPEGTS:
		return s.mpegTS(i)
	case AIFF:
		return s.aiff(i)
	case AU:
		return s.au(i)
	case W64:
		return s.w64(i)
	case FLAC:
		return s.flac(i)
	case MP3:
		return s.mp3(i)
	case AAC:
		return s.adts(i)
	case Ogg:
		return s.ogg(i)
	case AMR:
		return s.amr(i)
	case Unknown, Base64, SVG:
		return s.text(f)
	}
	return nil
}
