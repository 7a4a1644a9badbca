package mediainfo

import "bytes"

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
	for {
		seg, err := segs.next()
		switch {
		case err != nil:
			return err
		case seg.marker == mAPP1 && info.Orientation == 0:
			if info.Orientation, err = orientation(src, seg); err != nil {
				return err
			}
		case isSOF(seg.marker):
			f, err := segs.frame(seg)
			if err != nil {
				return err
			}
			info.Width, info.Height = f.Width, f.Height
			info.Progressive, info.PictureCodec = f.Progressive, jpegCodec(seg.marker, f.Precision)
			return nil
		case seg.marker == mSOS || seg.marker == mEOI:
			return bad(JPEG, "no frame header in front of the picture data")
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
