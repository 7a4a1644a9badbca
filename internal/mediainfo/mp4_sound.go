package mediainfo

import "errors"

// soundConfig reads the number of channels from the configuration of the decoder,
// because writers set the field of the sample description to 2, whatever the sound
// has. Faults there are no faults of the file.
func (m *mp4File) soundConfig(t *mp4Track, version int) error {
	name := string(t.name[:])
	if name != "mp4a" && name != "ac-3" {
		return nil
	}
	p, err := m.src.at(t.stsd.start+8, 4)
	if err != nil || len(p) < 4 {
		return err
	}
	skip := uint64(audioEntry)
	if version == 1 && m.format == QuickTime {
		skip += 16
	}
	size := uint64(be32(p))
	if size < skip || size > t.stsd.end-t.stsd.start-8 {
		return nil
	}
	b := boxes{src: m.src, pos: t.stsd.start + 8 + skip, end: t.stsd.start + 8 + size, format: m.format}
	for range 16 { // more boxes than an entry has
		c, ok, err := b.next()
		if err != nil || !ok {
			return onlyBeyond(err)
		}
		switch c.kind {
		case "wave": // QuickTime's box around the others
			b = boxes{src: m.src, pos: c.start, end: c.end, format: m.format}
		case "esds":
			p, err := c.read(m.src, 64)
			if err != nil {
				return err
			}
			t.descriptors(p[min(4, len(p)):])
			return nil
		case "dac3":
			p, err := c.read(m.src, 3)
			if err == nil && len(p) == 3 {
				acmod, lfe := p[1]>>3&7, p[1]>>2&1
				t.channels = [...]int{2, 1, 2, 3, 3, 4, 4, 5}[acmod] + int(lfe)
			}
			return err
		}
	}
	return nil
}

// descriptors reads the nested descriptors of MPEG-4: of a stream, its decoder, and
// the configuration of the decoder.
func (t *mp4Track) descriptors(p []byte) {
	for len(p) >= 2 {
		tag := p[0]
		p = p[1:]
		for len(p) > 0 && p[0]&0x80 != 0 { // a size of up to 4 bytes
			p = p[1:]
		}
		if len(p) == 0 {
			return
		}
		size := int(p[0])
		p = p[1:]
		switch {
		case tag == 3 && len(p) >= 3: // its id, and flags for optional fields
			flags := p[2]
			p = p[3:]
			if flags&0x80 != 0 {
				p = p[min(2, len(p)):]
			}
			if flags&0x40 != 0 && len(p) > 0 {
				p = p[min(1+int(p[0]), len(p)):]
			}
			if flags&0x20 != 0 {
				p = p[min(2, len(p)):]
			}
		case tag == 4 && len(p) >= 13:
			if p[0] == 0x69 || p[0] == 0x6b {
				copy(t.name[:], ".mp3")
			}
			p = p[13:]
		case tag == 5:
			t.audioConfig(p[:min(size, len(p))])
			return
		default:
			return
		}
	}
}

// audioConfig reads the number of channels of AAC.
func (t *mp4Track) audioConfig(p []byte) {
	if len(p) < 2 {
		return
	}
	v := uint64(0)
	for i := range 8 {
		v <<= 8
		if i < len(p) {
			v |= uint64(p[i])
		}
	}
	at := 5 // the type of the object
	if v>>59 == 31 {
		at += 6
	}
	if v>>(60-at)&15 == 15 { // a rate of its own
		at += 24
	}
	at += 4
	switch channels := int(v >> (60 - at) & 15); channels {
	case 1, 2, 3, 4, 5, 6:
		t.channels = channels
	case 7:
		t.channels = 8
	}
}

// onlyBeyond drops an error about the file, unless more of it must not be read.
func onlyBeyond(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && !e.Beyond {
		return nil
	}
	return err
}
