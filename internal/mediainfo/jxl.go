package mediainfo

// bitReader reads numbers of some bits, the lowest bit first.
type bitReader struct {
	data []byte
	pos  int
}

func (b *bitReader) read(n int) (v uint32) {
	for i := range n {
		if at := b.pos + i; at/8 < len(b.data) {
			v |= uint32(b.data[at/8]>>(at%8)&1) << i
		}
	}
	b.pos += n
	return v
}

// jpegXL reads the size in the codestream, and the orientation behind it.
func (s *source) jpegXL(i *Info) error {
	p, err := s.at(0, 2)
	if err != nil {
		return err
	}
	code := uint64(0)
	if string(p) != "\xff\x0a" {
		if code, err = s.jpegXLCode(); err != nil {
			return err
		}
	}
	if p, err = s.at(code, 24); err != nil {
		return err
	}
	if len(p) < 12 || string(p[:2]) != "\xff\x0a" {
		return bad(JPEGXL, "no codestream")
	}
	b := bitReader{data: p[2:]}
	width, height := b.jpegXLSize()
	i.picture(width, height)
	if b.read(1) == 0 && b.read(1) == 1 { // not all defaults, and extra fields
		i.Orientation = int(b.read(3)) + 1
	}
	return nil
}

// jpegXLCode returns the position of the codestream in a file of boxes. The walk
// goes to the end of the file, as the boxes give its length.
func (s *source) jpegXLCode() (code uint64, err error) {
	b := boxes{src: s, end: s.size, top: true, format: JPEGXL}
	for {
		c, ok, err := b.next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return code, nil
		}
		if !c.open && (!c.cut || c.kind != "") {
			s.more.cut = cutIf(c.cut)
		}
		switch {
		case c.kind == "Exif":
			err = s.jpegXLExif(c)
		case code != 0:
		case c.kind == "jxlc":
			code = c.start
		case c.kind == "jxlp":
			code = c.start + 4 // behind the number of the part
		}
		if err != nil {
			return 0, err
		}
	}
}

// jpegXLExif reads a box of EXIF data. Its orientation does not count: that of the
// codestream does.
func (s *source) jpegXLExif(c box) error {
	p, err := c.read(s, 4)
	if err != nil || len(p) < 4 {
		return err
	}
	skip := 4 + uint64(be32(p))
	if skip > c.end-c.start {
		return nil
	}
	_, err = readEXIF(s, c.start+skip, c.end-c.start-skip)
	return err
}

func (b *bitReader) jpegXLSize() (width, height uint32) {
	small := b.read(1) == 1
	dimension := func() uint32 {
		if small {
			return (b.read(5) + 1) * 8
		}
		return b.read([...]int{9, 13, 18, 30}[b.read(2)]) + 1
	}
	height = dimension()
	ratio := b.read(3)
	if ratio == 0 {
		return dimension(), height
	}
	r := [...][2]uint64{{1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}[ratio-1]
	return uint32(uint64(height) * r[0] / r[1]), height
}
