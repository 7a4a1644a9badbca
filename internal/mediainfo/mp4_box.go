package mediainfo

// box is one ISO BMFF box.
type box struct {
	kind       string // one of the names in boxKind, "" for any other
	start, end uint64 // of the body
	cut        bool   // the body ends behind the data
	open       bool   // the body ends where the file does, by its size
}

// read returns the first n bytes of the body, or all of a shorter one.
func (b box) read(src *source, n int) ([]byte, error) {
	return src.at(b.start, int(min(uint64(n), b.end-b.start)))
}

// boxes steps through the boxes from pos to end. Each step takes 8 bytes at
// least, and nesting is followed along fixed paths only, so that a walk is
// linear.
type boxes struct {
	src      *source
	pos, end uint64
	// top means the file's own level, where a size of 0 means "up to the end of
	// the file" and bytes behind the last box are no fault.
	top    bool
	format Format
}

// boxKind returns a constant for the relevant names, so that no string is made
// from the data.
func boxKind(b []byte) string {
	switch string(b) {
	case "ftyp":
		return "ftyp"
	case "moov":
		return "moov"
	case "mdat":
		return "mdat"
	case "moof":
		return "moof"
	case "mfra":
		return "mfra"
	case "sidx":
		return "sidx"
	case "mvhd":
		return "mvhd"
	case "mvex":
		return "mvex"
	case "mehd":
		return "mehd"
	case "trex":
		return "trex"
	case "trak":
		return "trak"
	case "tkhd":
		return "tkhd"
	case "edts":
		return "edts"
	case "elst":
		return "elst"
	case "mdia":
		return "mdia"
	case "mdhd":
		return "mdhd"
	case "hdlr":
		return "hdlr"
	case "minf":
		return "minf"
	case "stbl":
		return "stbl"
	case "stsd":
		return "stsd"
	case "stts":
		return "stts"
	case "stsc":
		return "stsc"
	case "stsz":
		return "stsz"
	case "stz2":
		return "stz2"
	case "stco":
		return "stco"
	case "co64":
		return "co64"
	case "avcC":
		return "avcC"
	case "srat":
		return "srat"
	case "traf":
		return "traf"
	case "tfhd":
		return "tfhd"
	case "tfdt":
		return "tfdt"
	case "trun":
		return "trun"
	case "udta":
		return "udta"
	case "meta":
		return "meta"
	case "keys":
		return "keys"
	case "loci":
		return "loci"
	case "pitm":
		return "pitm"
	case "iinf":
		return "iinf"
	case "infe":
		return "infe"
	case "iloc":
		return "iloc"
	case "iprp":
		return "iprp"
	case "ipco":
		return "ipco"
	case "ipma":
		return "ipma"
	case "ispe":
		return "ispe"
	case "irot":
		return "irot"
	case "hvcC":
		return "hvcC"
	case "av1C":
		return "av1C"
	case "jp2h":
		return "jp2h"
	case "ihdr":
		return "ihdr"
	case "jp2c":
		return "jp2c"
	case "jxlc":
		return "jxlc"
	case "jxlp":
		return "jxlp"
	case "Exif":
		return "Exif"
	case "\xa9xyz":
		return "\xa9xyz"
	case "\xa9mak":
		return "\xa9mak"
	case "\xa9mod":
		return "\xa9mod"
	case "xml ":
		return "xml "
	}
	return ""
}

// next returns the next box. ok is false at the end.
func (s *boxes) next() (b box, ok bool, err error) {
	left := s.end - s.pos
	if left < 8 {
		return box{}, false, nil
	}
	h, err := s.src.at(s.pos, int(min(left, 16)))
	if err != nil {
		return box{}, false, err
	}
	size, header := uint64(be32(h)), uint64(8)
	b.kind = boxKind(h[4:8])
	if size == 1 {
		if left < 16 {
			return box{}, false, s.tooLong()
		}
		size, header = be64(h[8:]), 16
	} else if size == 0 && s.top {
		size, b.open = left, true
	}
	if size < header {
		if s.top && s.pos > 0 && b.kind == "" { // the bytes behind the last box
			return box{}, false, nil
		}
		return box{}, false, bad(s.format, "a box has an impossible size")
	}
	if size > left {
		if !s.top {
			return box{}, false, s.tooLong()
		}
		b.cut, size = true, left
	}
	b.start, b.end = s.pos+header, s.pos+size
	s.pos = b.end
	return b, true, nil
}

func (s *boxes) tooLong() error {
	if s.top {
		return short(s.format, "ends inside a box")
	}
	return bad(s.format, "a box is larger than the box that it is in")
}

// parts returns the first box of each kind inside b, in one pass that ends when
// all are found. A missing box ends at 0.
func (m *mp4File) parts(b box, kinds ...string) (found [3]box, err error) {
	s := boxes{src: m.src, pos: b.start, end: b.end, format: m.format}
	for missing := len(kinds); missing > 0; {
		b, ok, err := s.next()
		if err != nil || !ok {
			return found, err
		}
		for i, k := range kinds {
			if b.kind == k && found[i].end == 0 {
				found[i] = b
				missing--
			}
		}
	}
	return found, nil
}
