package mediainfo

// heifFile is what the boxes of a HEIF or AVIF say about its main picture.
type heifFile struct {
	primary uint64 // the id of the main picture
	exif    uint64 // the ids of items with metadata, 0 for none
	xmp     uint64
	hevc    bool // there is a picture of this codec
	av1     bool
	shared  box // the properties (ipco)
	links   box // the properties of each item (ipma)
	places  box // the places of the items (iloc)
}

// heif reads the size, the rotation and the codec of the main picture. The EXIF
// orientation does not count: the rotation does.
func (s *source) heif(i *Info) error {
	b := boxes{src: s, end: s.size, top: true, format: i.Format}
	var meta box
	for {
		c, ok, err := b.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if !c.open && (!c.cut || c.kind != "") {
			s.more.cut = cutIf(c.cut)
		}
		if c.kind == "meta" && meta.end == 0 {
			meta = c
		}
	}
	if meta.end == 0 {
		return bad(i.Format, "no meta box")
	}
	h, err := s.heifMeta(meta)
	if err != nil {
		return err
	}
	switch {
	case h.av1:
		i.Format, i.VideoCodec = AVIF, "av01"
	case h.hevc:
		i.VideoCodec = "hvc1"
	}
	if err := s.heifProperties(i, h); err != nil {
		return err
	}
	s.more.metadata = s.more.metadata || h.xmp != 0
	return s.heifExif(h)
}

func (s *source) heifMeta(meta box) (h heifFile, err error) {
	b := boxes{src: s, pos: meta.start + 4, end: meta.end}
	if b.pos > b.end {
		return h, nil
	}
	for {
		c, ok, err := b.next()
		if err != nil || !ok {
			return h, err
		}
		switch c.kind {
		case "pitm":
			p, err := c.read(s, 8)
			if err != nil {
				return h, err
			}
			h.primary, _ = heifID(p, 4, len(p) > 0 && p[0] > 0)
		case "iinf":
			err = s.heifItems(&h, c)
		case "iloc":
			h.places = c
		case "iprp":
			in := boxes{src: s, pos: c.start, end: c.end}
			for {
				d, ok, err := in.next()
				if err != nil {
					return h, err
				}
				if !ok {
					break
				}
				switch d.kind {
				case "ipco":
					h.shared = d
				case "ipma":
					h.links = d
				}
			}
		}
		if err != nil {
			return h, err
		}
	}
}

// heifID returns a number of 2 or 4 bytes, and the offset behind it.
func heifID(p []byte, at int, wide bool) (id uint64, next int) {
	switch {
	case wide && len(p) >= at+4:
		return uint64(be32(p[at:])), at + 4
	case !wide && len(p) >= at+2:
		return uint64(be16(p[at:])), at + 2
	}
	return 0, len(p)
}

// heifItems looks for the items with metadata.
func (s *source) heifItems(h *heifFile, c box) error {
	p, err := c.read(s, 4)
	if err != nil || len(p) < 4 {
		return err
	}
	skip := uint64(6)
	if p[0] > 0 {
		skip = 8
	}
	b := boxes{src: s, pos: c.start + min(skip, c.end-c.start), end: c.end}
	for {
		d, ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		if d.kind != "infe" {
			continue
		}
		p, err := d.read(s, 14)
		if err != nil {
			return err
		}
		if len(p) < 12 || p[0] < 2 {
			continue
		}
		id, next := heifID(p, 4, p[0] > 2)
		next += 2 // the index of a protection
		if len(p) < next+4 {
			continue
		}
		switch string(p[next : next+4]) {
		case "Exif":
			h.exif = id
		case "mime":
			h.xmp = id
		}
	}
}

// heifProperties applies the properties of the main picture.
func (s *source) heifProperties(i *Info, h heifFile) error {
	var mine [4]uint64 // a bit for each property of the main picture, by its index
	if err := s.heifLinks(h, &mine); err != nil {
		return err
	}
	b := boxes{src: s, pos: h.shared.start, end: h.shared.end}
	for n := 1; n < 64*len(mine); n++ {
		c, ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		switch c.kind {
		case "hvcC":
			i.VideoCodec = "hvc1"
		case "av1C":
			i.Format, i.VideoCodec = AVIF, "av01"
		}
		if mine[n/64]>>(n%64)&1 == 0 {
			continue
		}
		p, err := c.read(s, 12)
		if err != nil {
			return err
		}
		switch {
		case c.kind == "ispe" && len(p) == 12:
			i.picture(be32(p[4:]), be32(p[8:]))
		case c.kind == "irot" && len(p) >= 1:
			i.Rotation = (360 - 90*int(p[0]&3)) % 360 // the box turns anticlockwise
		}
	}
	return nil
}

func (s *source) heifLinks(h heifFile, mine *[4]uint64) error {
	p, err := h.links.read(s, 8)
	if err != nil || len(p) < 8 {
		return err
	}
	wideID, wideIndex := p[0] > 0, p[3]&1 != 0
	pos := h.links.start + 8
	for n := be32(p[4:]); n > 0 && pos < h.links.end; n-- {
		if p, err = s.at(pos, int(min(h.links.end-pos, 5))); err != nil {
			return err
		}
		id, next := heifID(p, 0, wideID)
		if next >= len(p) {
			return nil
		}
		count := int(p[next])
		pos += uint64(next) + 1
		width := 1
		if wideIndex {
			width = 2
		}
		if id != h.primary {
			pos += uint64(count * width)
			continue
		}
		if p, err = s.at(pos, int(min(h.links.end-pos, uint64(count*width)))); err != nil {
			return err
		}
		for ; len(p) >= width; p = p[width:] {
			index := int(p[0] & 0x7f)
			if wideIndex {
				index = be16(p) & 0x7fff
			}
			if index < 64*len(mine) {
				mine[index/64] |= 1 << (index % 64)
			}
		}
		return nil
	}
	return nil
}

// heifExif looks for a location in the EXIF data.
func (s *source) heifExif(h heifFile) error {
	if h.exif == 0 {
		return nil
	}
	start, size, err := s.heifPlace(h)
	if err != nil || size < 4 || start > s.size || size > s.size-start {
		return err
	}
	p, err := s.at(start, 4) // the offset of the TIFF data
	if err != nil || len(p) < 4 {
		return err
	}
	skip := 4 + uint64(be32(p))
	if skip > size {
		return nil
	}
	_, err = readEXIF(s, start+skip, size-skip)
	return err
}

// heifPlace returns where the EXIF data is, size 0 if it is not in one piece of the
// file.
func (s *source) heifPlace(h heifFile) (start, size uint64, err error) {
	p, err := h.places.read(s, 8)
	if err != nil || len(p) < 8 {
		return 0, 0, err
	}
	version := p[0]
	offsetSize, lengthSize, baseSize, indexSize := int(p[4]>>4), int(p[4]&15), int(p[5]>>4), int(p[5]&15)
	wide := version >= 2
	if version == 0 {
		indexSize = 0
	}
	n, next := heifID(p, 6, wide)
	pos := h.places.start + uint64(next)
	if wide {
		if p, err = h.places.read(s, 10); err != nil || len(p) < 10 {
			return 0, 0, err
		}
		n, pos = uint64(be32(p[6:])), h.places.start+10
	}
	for ; n > 0 && pos < h.places.end; n-- {
		if p, err = s.at(pos, int(min(h.places.end-pos, 40))); err != nil {
			return 0, 0, err
		}
		id, at := heifID(p, 0, wide)
		method := uint64(0)
		if version > 0 {
			method, at = heifID(p, at, false)
		}
		at += 2 // the index of another file
		base, at := heifNumber(p, at, baseSize)
		extents, at := heifID(p, at, false)
		if at >= len(p) && id != h.exif {
			return 0, 0, nil
		}
		if id == h.exif {
			_, at = heifNumber(p, at, indexSize)
			offset, at := heifNumber(p, at, offsetSize)
			length, _ := heifNumber(p, at, lengthSize)
			if method&15 != 0 || extents != 1 {
				return 0, 0, nil
			}
			return add(base, offset), length, nil
		}
		pos += uint64(at) + extents*uint64(indexSize+offsetSize+lengthSize)
	}
	return 0, 0, nil
}

// heifNumber returns a number of 0, 4 or 8 bytes, and the offset behind it.
func heifNumber(p []byte, at, size int) (v uint64, next int) {
	if at < 0 || at+size > len(p) {
		return 0, len(p)
	}
	for _, b := range p[at : at+size] {
		v = v<<8 | uint64(b)
	}
	return v, at + size
}
