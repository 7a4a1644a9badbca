package mediainfo

import "bytes"

// The API takes no picture but a JPEG. The readers here find the size of others, so
// that a report can name it, and what they say about a person.

// picture sets the size, if it is possible.
func (i *Info) picture(width, height uint32) {
	const most = 1 << 30
	if width > 0 && height > 0 && width <= most && height <= most {
		i.Width, i.Height = int(width), int(height)
	}
}

// exact returns n bytes from off on. The error says that the file ends before.
func (s *source) exact(off uint64, n int) ([]byte, error) {
	p, err := s.at(off, n)
	if err == nil && len(p) < n {
		err = short(s.format, "ends inside its headers")
	}
	return p, err
}

func (s *source) png(i *Info) error {
	p, err := s.exact(8, 16)
	if err != nil {
		return err
	}
	i.picture(be32(p[8:]), be32(p[12:]))
	last, err := s.at(s.size-min(s.size, 12), 12)
	if err != nil {
		return err
	}
	if bytes.Equal(last, []byte("\x00\x00\x00\x00IEND\xaeB`\x82")) {
		s.more.cut = CutNo
	}
	for pos := uint64(8); ; {
		p, err := s.at(pos, 8)
		if err != nil {
			return err
		}
		size := uint64(0)
		if len(p) == 8 {
			size = uint64(be32(p))
		}
		if len(p) < 8 || size+12 > s.size-pos {
			if s.more.cut == CutNo { // a chunk that lies about its size
				return nil
			}
			return short(PNG, "ends inside a chunk")
		}
		switch string(p[4:]) {
		case "IDAT":
			if s.more.cut == CutNo {
				return nil // metadata behind the picture is left out
			}
		case "IEND":
			s.more.cut = CutNo
			return nil
		case "eXIf":
			orientation, err := readEXIF(s, pos+8, size)
			if err != nil {
				return err
			}
			i.Orientation = orientation
		case "iTXt":
			p, err := s.at(pos+8, int(min(size, 18)))
			if err != nil {
				return err
			}
			if string(p) == "XML:com.adobe.xmp\x00" {
				s.more.metadata = true
				if err := s.xmpLocation(segment{start: pos + 8, size: int(min(size, maxXMP))}); err != nil {
					return err
				}
			}
		}
		pos += size + 12
	}
}

// maxXMP is how much of XMP data is searched.
const maxXMP = 32 << 10

func (s *source) gif(i *Info) error {
	p, err := s.exact(6, 4)
	if err != nil {
		return err
	}
	i.picture(uint32(le16(p)), uint32(le16(p[2:])))
	last, err := s.at(s.size-1, 1)
	if err != nil {
		return err
	}
	if last[0] == 0x3b { // the trailer
		s.more.cut = CutNo
	}
	return nil
}

func (s *source) bmp(i *Info) error {
	p, err := s.exact(2, 24)
	if err != nil {
		return err
	}
	if size := uint64(le32(p)); size > 0 {
		s.more.cut = cutIf(size > s.size)
	}
	if le32(p[12:]) == 12 { // the header of OS/2
		i.picture(uint32(le16(p[16:])), uint32(le16(p[18:])))
		return nil
	}
	height := int32(le32(p[20:])) // negative for rows from the top
	i.picture(le32(p[16:]), uint32(max(height, -height)))
	return nil
}

func (s *source) webp(i *Info) error {
	p, err := s.exact(4, 26)
	if err != nil {
		return err
	}
	size := uint64(le32(p)) + 8
	s.more.cut = cutIf(size > s.size)
	switch b := p[16:]; string(p[8:12]) {
	case "VP8 ": // a frame tag, a start code, and the size with a scale in 2 bits
		if string(b[3:6]) != "\x9d\x01\x2a" {
			return bad(WebP, "no start of a picture")
		}
		i.picture(uint32(le16(b[6:])&0x3fff), uint32(le16(b[8:])&0x3fff))
	case "VP8L":
		if b[0] != 0x2f {
			return bad(WebP, "no start of a picture")
		}
		v := le32(b[1:])
		i.picture(v&0x3fff+1, v>>14&0x3fff+1)
	case "VP8X":
		i.picture(le24(b[4:])+1, le24(b[7:])+1)
		const hasEXIF, hasXMP = 8, 4
		s.more.metadata = b[0]&hasXMP != 0
		if b[0]&(hasEXIF|hasXMP) != 0 {
			return s.webpMetadata(i, min(size, s.size))
		}
	}
	return nil
}

func le24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// webpMetadata reads the chunks behind the picture.
func (s *source) webpMetadata(i *Info, end uint64) error {
	for pos := uint64(12); end-pos >= 8; {
		p, err := s.exact(pos, 8)
		if err != nil {
			return err
		}
		size := uint64(le32(p[4:]))
		kind := string(p[:4])
		if size > end-pos-8 {
			return nil
		}
		switch kind {
		case "EXIF":
			err = s.webpEXIF(i, pos+8, size)
		case "XMP ":
			err = s.xmpLocation(segment{start: pos + 8, size: int(min(size, maxXMP))})
		}
		if err != nil {
			return err
		}
		if pos += 8 + size + size&1; pos > end {
			return nil
		}
	}
	return nil
}

// webpEXIF reads EXIF data. Some writers put the name of JPEG's segment in front.
func (s *source) webpEXIF(i *Info, pos, size uint64) error {
	p, err := s.at(pos, int(min(size, 6)))
	if err != nil {
		return err
	}
	if string(p) == "Exif\x00\x00" {
		pos, size = pos+6, size-6
	}
	i.Orientation, err = readEXIF(s, pos, size)
	return err
}

func (s *source) tiff(i *Info) error {
	d, ok, err := openTIFF(s, 0, s.size)
	if err != nil {
		return err
	}
	if !ok {
		p, err := s.at(0, 8)
		if err == nil && len(p) == 8 && (string(p[:4]) == "II*\x00" || string(p[:4]) == "MM\x00*") {
			err = short(TIFF, "its directory is missing")
		}
		return err
	}
	var width, height uint32
	var gps tag
	for n := range d.entries {
		t, err := d.entry(n)
		if err != nil {
			return err
		}
		switch t.id {
		case tagWidth:
			width, _ = t.number()
		case tagHeight:
			height, _ = t.number()
		case tagOrientation:
			if v, ok := t.number(); ok && v <= 8 {
				i.Orientation = int(v)
			}
		case tagGPS:
			gps = t
		case tagEXIF, tagXMP, tagIPTC:
			s.more.metadata = true
		}
	}
	i.picture(width, height)
	return readGPS(s, d, gps)
}

func (s *source) jpeg2000(i *Info) error {
	const start, end = "\xff\x4f\xff\x51", "\xff\xd9"
	p, err := s.at(0, 4)
	if err != nil {
		return err
	}
	code, whole := uint64(0), true // the codestream
	if string(p) != start {
		code, whole = s.size, false
		b := boxes{src: s, end: s.size, top: true, format: JPEG2000}
		for {
			c, ok, err := b.next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if c.cut && c.kind != "" {
				s.more.cut = CutYes
			}
			if c.kind == "jp2c" {
				code, whole = c.start, !c.cut && (c.open || c.end == s.size)
				if !c.cut && !c.open {
					s.more.cut = CutNo
				}
				break
			}
		}
	}
	if p, err = s.exact(code, 24); err != nil {
		return err
	}
	if string(p[:4]) != start {
		return bad(JPEG2000, "no codestream")
	}
	// Behind a length and capabilities: the size and the offset of the picture.
	i.picture(be32(p[8:])-be32(p[16:]), be32(p[12:])-be32(p[20:]))
	if !whole || s.more.cut != CutUnknown {
		return nil
	}
	if p, err = s.at(s.size-2, 2); err == nil {
		s.more.cut = cutIf(string(p) != end)
	}
	return err
}
