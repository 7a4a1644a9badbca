package mediainfo

import "bytes"

// mp4End reports whether the end of a file without fragments is missing, by the boxes
// behind the movie header.
func (s *source) mp4End() error {
	if !s.more.whole {
		return nil
	}
	b := boxes{src: s, pos: s.more.behind, end: s.size, top: true, format: s.format}
	for {
		c, ok, err := b.next()
		switch {
		case err != nil:
			return err
		case !ok:
			if b.pos == s.size {
				s.more.cut = CutNo
			}
			return nil
		case c.open || c.cut && c.kind == "": // bytes behind the file, which are no box
			return nil
		case c.cut:
			s.more.cut = CutYes
			return nil
		}
	}
}

// mp4Metadata looks for a location, and for the names of devices.
func (s *source) mp4Metadata() error {
	if p, err := s.at(4, 8); err != nil {
		return err
	} else if len(p) == 8 && string(p[:4]) == "ftyp" && string(p[4:6]) == "3g" {
		s.more.variant = ThreeGP
	}
	if err := s.mp4Keys(s.more.meta); err != nil {
		return err
	}
	b := boxes{src: s, pos: s.more.userData.start, end: s.more.userData.end}
	for {
		c, ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		switch c.kind {
		case "loci", "\xa9xyz":
			s.more.location = true
		case "\xa9mak", "\xa9mod":
			s.more.metadata = true
		case "meta":
			err = s.mp4Keys(c)
		}
		if err != nil {
			return err
		}
	}
}

// mp4Keys looks for the names of Apple's and Android's metadata.
func (s *source) mp4Keys(meta box) error {
	if meta.end == 0 {
		return nil
	}
	p, err := meta.read(s, 8)
	if err != nil || len(p) < 8 {
		return err
	}
	b := boxes{src: s, pos: meta.start, end: meta.end}
	if string(p[4:8]) != "hdlr" { // the box of ISO has a version, that of QuickTime has none
		b.pos += 4
	}
	for {
		c, ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		if c.kind != "keys" {
			continue
		}
		p, err := c.read(s, windowSize)
		if err != nil {
			return err
		}
		if bytes.Contains(p, []byte("com.apple.quicktime.location")) {
			s.more.location = true
		}
		for _, name := range [...]string{"com.apple.quicktime.make", "com.apple.quicktime.model", "com.apple.quicktime.creationdate", "com.android."} {
			s.more.metadata = s.more.metadata || bytes.Contains(p, []byte(name))
		}
	}
}
