package mediainfo

import "bytes"

// maxTags is more than cameras write in one directory.
const maxTags = 100

// The tags of a TIFF directory that are read.
const (
	tagWidth       = 0x0100
	tagHeight      = 0x0101
	tagOrientation = 0x0112
	tagXRes        = 0x011a
	tagYRes        = 0x011b
	tagResUnit     = 0x0128
	tagYCbCr       = 0x0213
	tagXMP         = 0x02bc
	tagIPTC        = 0x83bb
	tagEXIF        = 0x8769
	tagGPS         = 0x8825

	gpsLatitude  = 2 // of the directory of tagGPS
	gpsLongitude = 4
)

// directory is one image file directory of TIFF data.
type directory struct {
	src         *source
	start, size uint64 // of the TIFF data; offsets count from its start
	big         bool
	at          uint64 // the first entry's offset
	entries     uint64
}

// tag is one entry of a directory.
type tag struct {
	id, kind int
	count    uint32
	value    [4]byte
	big      bool
}

// number returns a value of 16 or 32 bits, and false for any other.
func (t tag) number() (v uint32, ok bool) {
	switch {
	case t.count != 1:
		return 0, false
	case t.kind == 3:
		return uint32(num16(t.big, t.value[:])), true
	case t.kind == 4: // as some writers use
		return num32(t.big, t.value[:]), true
	}
	return 0, false
}

// openTIFF finds the first directory. ok is false if there is none.
func openTIFF(src *source, start, size uint64) (d directory, ok bool, err error) {
	p, err := src.at(start, int(min(size, 8)))
	if err != nil || len(p) < 8 {
		return d, false, err
	}
	switch string(p[:4]) {
	case "II*\x00":
	case "MM\x00*":
		d.big = true
	default:
		return d, false, nil
	}
	d.src, d.start, d.size = src, start, size
	return d.open(num32(d.big, p[4:]))
}

// open returns the directory at an offset.
func (d directory) open(offset uint32) (directory, bool, error) {
	d.at = uint64(offset)
	if d.at+2 > d.size {
		return d, false, nil
	}
	p, err := d.src.at(d.start+d.at, 2)
	if err != nil || len(p) < 2 {
		return d, false, err
	}
	d.entries = min(uint64(num16(d.big, p)), (d.size-d.at-2)/12, maxTags)
	d.at += 2
	return d, true, nil
}

// entry returns an entry by its index.
func (d directory) entry(i uint64) (t tag, err error) {
	p, err := d.src.at(d.start+d.at+12*i, 12)
	if err != nil || len(p) < 12 {
		return t, err
	}
	t = tag{id: num16(d.big, p), kind: num16(d.big, p[2:]), count: num32(d.big, p[4:]), big: d.big}
	copy(t.value[:], p[8:])
	return t, nil
}

// readEXIF returns the orientation, 0 if there is none, and notes what else there is.
// Faults in EXIF data are no faults of the picture.
func readEXIF(src *source, start, size uint64) (orientation int, err error) {
	d, ok, err := openTIFF(src, start, size)
	if err != nil || !ok {
		return 0, err
	}
	var gps tag
	first := true
	for i := range d.entries {
		t, err := d.entry(i)
		if err != nil {
			return orientation, err
		}
		switch t.id {
		case tagOrientation:
			if v, ok := t.number(); ok && v <= 8 && first {
				orientation = int(v)
			}
			first = false
		case tagGPS:
			gps = t
		case tagXRes, tagYRes, tagResUnit, tagYCbCr:
		default:
			src.more.metadata = true
		}
	}
	return orientation, readGPS(src, d, gps)
}

// readGPS notes a location in the directory that a tag leads to.
func readGPS(src *source, d directory, gps tag) error {
	offset, ok := gps.number()
	if !ok {
		return nil
	}
	d, ok, err := d.open(offset)
	if err != nil || !ok {
		return err
	}
	for i := range d.entries {
		t, err := d.entry(i)
		if err != nil {
			return err
		}
		if t.id == gpsLatitude || t.id == gpsLongitude {
			src.more.location = true
			return nil
		}
	}
	return nil
}

// xmpLocation looks for a location in XMP data.
func (s *source) xmpLocation(seg segment) error {
	const name = "GPSLatitude"
	for pos, end := seg.start, seg.start+uint64(seg.size); pos < end && !s.more.location; {
		p, err := s.at(pos, int(min(end-pos, windowSize)))
		if err != nil {
			return err
		}
		s.more.location = bytes.Contains(p, []byte(name))
		if len(p) <= len(name) {
			break
		}
		pos += uint64(len(p) - len(name) + 1) // it may lie across two windows
	}
	return nil
}

func num16(big bool, b []byte) int {
	if big {
		return be16(b)
	}
	return le16(b)
}

func num32(big bool, b []byte) uint32 {
	if big {
		return be32(b)
	}
	return le32(b)
}
