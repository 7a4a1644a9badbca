package mediainfo

import "bytes"

// JPEG marker codes, the byte behind 0xff.
const (
	mTEM = 0x01
	mSOF = 0xc0
	mDHT = 0xc4
	mJPG = 0xc8
	mDAC = 0xcc
	mRST = 0xd0
	mSOI = 0xd8
	mEOI = 0xd9
	mSOS = 0xda
)

// Frame is what a JPEG's frame header says.
type Frame struct {
	Width, Height int
	Components    int
	Precision     int // bits a sample
	Progressive   bool
	// Exotic is a coding that hardly anything decodes: lossless, hierarchical
	// or arithmetic.
	Exotic bool
	Scans  int
}

// jpegSegments steps through a JPEG's markers.
type jpegSegments struct {
	data []byte
	pos  int
}

// next returns the next marker and its payload, nil for a marker without one.
// It skips stray bytes between segments and entropy-coded data, as decoders do.
func (s *jpegSegments) next() (marker byte, payload []byte, err error) {
	for {
		i := bytes.IndexByte(s.data[s.pos:], 0xff)
		if i < 0 {
			return 0, nil, short(JPEG, "ends before its end marker")
		}
		s.pos += i
		for s.pos < len(s.data) && s.data[s.pos] == 0xff { // fill bytes
			s.pos++
		}
		if s.pos == len(s.data) {
			return 0, nil, short(JPEG, "ends before its end marker")
		}
		marker = s.data[s.pos]
		s.pos++
		if marker == 0 || marker == mTEM || marker&^7 == mRST {
			continue // a stuffed 0xff or a restart inside a scan
		}
		break
	}
	if marker == mSOI || marker == mEOI {
		return marker, nil, nil
	}
	rest := s.data[s.pos:]
	if len(rest) < 2 {
		return 0, nil, short(JPEG, "ends inside a segment")
	}
	n := be16(rest)
	if n < 2 {
		return 0, nil, bad(JPEG, "a segment has an impossible length")
	}
	if n > len(rest) {
		return 0, nil, short(JPEG, "ends inside a segment")
	}
	s.pos += n
	return marker, rest[2:n], nil
}

func isSOF(marker byte) bool {
	return marker&0xf0 == mSOF && marker != mDHT && marker != mJPG && marker != mDAC
}

func parseSOF(marker byte, p []byte) (Frame, error) {
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return Frame{}, bad(JPEG, "the frame header has the wrong length")
	}
	f := Frame{
		Precision:   int(p[0]),
		Height:      be16(p[1:]),
		Width:       be16(p[3:]),
		Components:  int(p[5]),
		Progressive: marker == mSOF+2,
		Exotic:      marker > mSOF+2,
	}
	if f.Width == 0 || f.Height == 0 || f.Components == 0 {
		return Frame{}, bad(JPEG, "the frame header gives an empty picture")
	}
	return f, nil
}

func inspectJPEG(data []byte, info *Info) error {
	segs := jpegSegments{data: data, pos: 2}
	for {
		marker, payload, err := segs.next()
		switch {
		case err != nil:
			return err
		case isSOF(marker):
			f, err := parseSOF(marker, payload)
			if err != nil {
				return err
			}
			info.Width, info.Height = f.Width, f.Height
			return nil
		case marker == mSOS || marker == mEOI:
			return bad(JPEG, "no frame header in front of the picture data")
		}
	}
}

// JPEGFrame goes through a whole JPEG, from SOI to EOI, and returns its frame
// header. It does not decode the picture.
func JPEGFrame(data []byte) (Frame, error) {
	if Sniff(data) != JPEG {
		return Frame{}, bad(JPEG, "no start marker")
	}
	var frame Frame
	segs := jpegSegments{data: data, pos: 2}
	for {
		marker, payload, err := segs.next()
		switch {
		case err != nil:
			return Frame{}, err
		case isSOF(marker):
			if frame.Width != 0 {
				return Frame{}, bad(JPEG, "more than one frame header")
			}
			if frame, err = parseSOF(marker, payload); err != nil {
				return Frame{}, err
			}
		case marker == mSOS:
			if frame.Width == 0 {
				return Frame{}, bad(JPEG, "no frame header in front of the picture data")
			}
			if len(payload) < 6 || len(payload) != 4+2*int(payload[0]) { // 6: one component
				return Frame{}, bad(JPEG, "a scan header has the wrong length")
			}
			frame.Scans++
		case marker == mSOI:
			return Frame{}, bad(JPEG, "a second picture starts inside the first")
		case marker == mEOI:
			if frame.Scans == 0 {
				return Frame{}, bad(JPEG, "no picture data")
			}
			return frame, nil
		}
	}
}

func checkJPEG(data []byte) error {
	_, err := JPEGFrame(data)
	return err
}
