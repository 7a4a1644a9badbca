package mediainfo

import (
	"bytes"
	"errors"
)

// JPEG marker codes, the byte behind 0xff.
const (
	mTEM  = 0x01
	mSOF  = 0xc0
	mDHT  = 0xc4
	mJPG  = 0xc8
	mDAC  = 0xcc
	mRST  = 0xd0
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mAPP1 = 0xe1
	mAPP2 = 0xe2
	mIPTC = 0xed
	mAPPE = 0xee
)

// Frame is the content of a JPEG's frame header.
type Frame struct {
	Width, Height int
	Components    int
	Precision     int // bits a sample
	Progressive   bool
	// Exotic means a coding that few decoders support: lossless, hierarchical
	// or arithmetic.
	Exotic bool
	Scans  int
}

// jpegCodec returns the name of a coding that few decoders support.
func jpegCodec(marker byte, precision int) string {
	switch {
	case marker > mJPG:
		return "arithmetic"
	case marker > mDHT:
		return "hierarchical"
	case marker == mSOF+3:
		return "lossless"
	case precision > 8:
		return "12-bit"
	}
	return ""
}

// jpegSegments steps through a JPEG's markers.
type jpegSegments struct {
	src *source
	pos uint64
}

// segment is a marker and the position of its payload, which is inside the file.
type segment struct {
	marker byte
	start  uint64
	size   int
}

// next returns the next marker. Like decoders, it skips stray bytes between
// segments and entropy-coded data.
func (s *jpegSegments) next() (segment, error) {
	for {
		marker, err := s.marker()
		if err != nil {
			return segment{}, err
		}
		switch {
		case marker == 0 || marker == mTEM || marker&^7 == mRST:
			continue // a stuffed 0xff or a restart marker in a scan
		case marker == mSOI || marker == mEOI:
			return segment{marker: marker}, nil
		}
		p, err := s.src.at(s.pos, 2)
		if err != nil {
			return segment{}, err
		}
		if len(p) < 2 {
			return segment{}, short(JPEG, "ends inside a segment")
		}
		n := be16(p)
		if n < 2 {
			return segment{}, bad(JPEG, "a segment has an impossible length")
		}
		if uint64(n) > s.src.size-s.pos {
			return segment{}, short(JPEG, "ends inside a segment")
		}
		seg := segment{marker, s.pos + 2, n - 2}
		s.pos += uint64(n)
		return seg, nil
	}
}

// marker looks for the next 0xff and returns the byte behind it and its fill
// bytes.
func (s *jpegSegments) marker() (byte, error) {
	inside := false
	for {
		p, err := s.src.rest(s.pos)
		if err != nil {
			return 0, err
		}
		if len(p) == 0 {
			return 0, short(JPEG, "ends before its end marker")
		}
		if !inside {
			i := bytes.IndexByte(p, 0xff)
			if i < 0 {
				s.pos += uint64(len(p))
				continue
			}
			s.pos += uint64(i)
			p, inside = p[i:], true
		}
		for i, b := range p {
			if b != 0xff {
				s.pos += uint64(i) + 1
				return b, nil
			}
		}
		s.pos += uint64(len(p))
	}
}

func isSOF(marker byte) bool {
	return marker&0xf0 == mSOF && marker != mDHT && marker != mJPG && marker != mDAC
}

func (s *jpegSegments) frame(seg segment) (Frame, error) {
	p, err := s.src.at(seg.start, min(seg.size, 6))
	if err != nil {
		return Frame{}, err
	}
	if len(p) < 6 || seg.size != 6+3*int(p[5]) {
		return Frame{}, bad(JPEG, "the frame header has the wrong length")
	}
	f := Frame{
		Precision:   int(p[0]),
		Height:      be16(p[1:]),
		Width:       be16(p[3:]),
		Components:  int(p[5]),
		Progressive: seg.marker == mSOF+2,
		Exotic:      seg.marker > mSOF+2,
	}
	if f.Width == 0 || f.Height == 0 || f.Components == 0 {
		return Frame{}, bad(JPEG, "the frame header gives an empty picture")
	}
	return f, nil
}

func inspectJPEG(src *source, info *Info) error {
	segs := jpegSegments{src: src, pos: 2}
	adobe := -1 // the colour transform of Adobe's segment
	for {
		seg, err := segs.next()
		if err != nil {
			return err
		}
		switch {
		case seg.marker == mAPP1:
			err = appSegment(src, seg, info)
		case seg.marker == mAPP2 || seg.marker == mIPTC || seg.marker == mAPPE:
			var p []byte
			p, err = src.at(seg.start, min(seg.size, 14))
			switch name := p; {
			case seg.marker == mAPP2:
				src.more.pictures = src.more.pictures || bytes.HasPrefix(name, []byte("MPF\x00"))
			case seg.marker == mIPTC:
				src.more.metadata = src.more.metadata || bytes.HasPrefix(name, []byte("Photoshop 3.0\x00"))
			case len(p) >= 12 && bytes.HasPrefix(name, []byte("Adobe")):
				adobe = int(p[11])
			}
		case isSOF(seg.marker):
			f, err := segs.frame(seg)
			if err != nil {
				return err
			}
			info.Width, info.Height = f.Width, f.Height
			info.Progressive, info.PictureCodec = f.Progressive, jpegCodec(seg.marker, f.Precision)
			src.more.scan = segs.pos
			src.more.color, err = segs.color(seg, f.Components, adobe)
			return err
		case seg.marker == mSOS || seg.marker == mEOI:
			return bad(JPEG, "no frame header in front of the picture data")
		}
		if err != nil {
			return err
		}
	}
}

// color returns the colour model. It follows from the number of components, and for
// three of them from Adobe's segment or from their names.
func (s *jpegSegments) color(frame segment, components, adobe int) (Color, error) {
	switch components {
	case 1:
		return Gray, nil
	case 3:
		p, err := s.src.at(frame.start+6, 9)
		if err != nil || len(p) < 9 {
			return 0, err
		}
		if adobe == 0 || adobe < 0 && p[0] == 'R' && p[3] == 'G' && p[6] == 'B' {
			return RGB, nil
		}
		return YCbCr, nil
	case 4:
		return CMYK, nil
	}
	return 0, nil
}

// appSegment reads EXIF data, or keeps the place of XMP data.
func appSegment(src *source, seg segment, info *Info) error {
	const exifName, xmpName = "Exif\x00\x00", "http://ns.adobe.com/xap/1.0/\x00"
	p, err := src.at(seg.start, min(seg.size, len(xmpName)))
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(p, []byte(exifName)):
		skip := len(exifName)
		found, err := readEXIF(src, seg.start+uint64(skip), uint64(seg.size-skip))
		if info.Orientation == 0 {
			info.Orientation = found
		}
		return err
	case string(p) == xmpName:
		src.more.metadata = true
		src.more.xmp = segment{mAPP1, seg.start + uint64(len(xmpName)), seg.size - len(xmpName)}
	}
	return nil
}

// The pieces of a JPEG's end that are read when the picture is too large to be read
// to its end marker.
const (
	endWindows = 8
	endMarkers = 12
)

// jpegEnd reports whether the end of a JPEG is missing. Its headers were read. A
// small picture is read to its end marker. Of a larger one the end is read: a file
// that ends with the end marker is whole, and one that ends with the data of a scan
// is not, because nothing else has a zero or a restart marker behind every 0xff.
// Bytes behind a picture, such as those of a phone, leave it unknown.
func (s *source) jpegEnd() (Cut, error) {
	start := s.more.scan
	last, err := s.rest(max(start, s.size-min(s.size, windowSize)))
	if err != nil {
		return CutUnknown, err
	}
	if bytes.HasSuffix(bytes.TrimRight(last, "\x00"), []byte{0xff, mEOI}) {
		return CutNo, nil
	}
	if s.size-start <= uint64(max(s.reads-endWindows-1, 0))*windowSize {
		return s.jpegWalk(start)
	}
	if s.more.pictures {
		return CutUnknown, nil // the cut may be in another picture
	}
	found := 0
	for pos := s.size - endWindows*windowSize; pos < s.size; {
		p, err := s.rest(pos)
		if err != nil {
			return CutUnknown, err
		}
		pos += uint64(len(p))
		for {
			i := bytes.IndexByte(p, 0xff)
			if i < 0 || i+1 == len(p) { // one at the end of a window is left out
				break
			}
			if c := p[i+1]; c != 0 && c&^7 != mRST && c != mDHT && c != mSOS {
				return CutUnknown, nil
			}
			found++
			p = p[i+2:]
		}
	}
	if found < endMarkers {
		return CutUnknown, nil
	}
	return CutYes, nil
}

// jpegWalk reads a picture up to its end marker.
func (s *source) jpegWalk(pos uint64) (Cut, error) {
	segs := jpegSegments{src: s, pos: pos}
	for {
		seg, err := segs.next()
		switch e, ok := errors.AsType[*Error](err); {
		case ok && e.Incomplete:
			return CutYes, nil
		case ok:
			return CutUnknown, nil
		case err != nil:
			return CutUnknown, err
		case seg.marker == mEOI:
			return CutNo, nil
		}
	}
}

// JPEGFrame reads a whole JPEG, from SOI to EOI, and returns its frame header. It
// does not decode the picture.
func JPEGFrame(data []byte) (Frame, error) {
	if Sniff(data) != JPEG {
		return Frame{}, bad(JPEG, "no start marker")
	}
	src := whole(data, JPEG)
	return jpegFrame(&src)
}

func jpegFrame(src *source) (frame Frame, err error) {
	segs := jpegSegments{src: src, pos: 2}
	for {
		seg, err := segs.next()
		switch {
		case err != nil:
			return Frame{}, err
		case isSOF(seg.marker):
			if frame.Width != 0 {
				return Frame{}, bad(JPEG, "more than one frame header")
			}
			if frame, err = segs.frame(seg); err != nil {
				return Frame{}, err
			}
		case seg.marker == mSOS:
			if frame.Width == 0 {
				return Frame{}, bad(JPEG, "no frame header in front of the picture data")
			}
			p, _ := src.at(seg.start, 1)                   // a whole source returns no error
			if seg.size < 6 || seg.size != 4+2*int(p[0]) { // 6: one component
				return Frame{}, bad(JPEG, "a scan header has the wrong length")
			}
			frame.Scans++
		case seg.marker == mSOI:
			return Frame{}, bad(JPEG, "a second picture starts inside the first")
		case seg.marker == mEOI:
			if frame.Scans == 0 {
				return Frame{}, bad(JPEG, "no picture data")
			}
			return frame, nil
		}
	}
}
