package mediainfo

import "bytes"

// ogg reads the first page, which names the codec, and the last one, which has the
// position at the end.
func (s *source) ogg(i *Info) error {
	p, err := s.exact(0, 28)
	if err != nil {
		return err
	}
	body := 27 + uint64(p[26])
	stream := be32(p[14:])
	if p, err = s.at(body, 64); err != nil {
		return err
	}
	var rate, skip uint64 // of the positions, and the samples in front of the sound
	switch {
	case len(p) >= 19 && string(p[:8]) == "OpusHead":
		i.sound("Opus", 48_000, int(p[9]), 0)
		rate, skip = 48_000, uint64(le16(p[10:]))
	case len(p) >= 16 && string(p[:7]) == "\x01vorbis":
		i.sound("vorbis", int(min(le32(p[12:]), maxRate+1)), int(p[11]), 0)
		rate = uint64(i.SampleRate)
	case len(p) >= 9+4+38 && string(p[:5]) == "\x7fFLAC":
		v := be64(p[27:])
		i.sound("fLaC", int(v>>44), int(v>>41&7)+1, int(v>>36&31)+1)
		rate = uint64(i.SampleRate)
	case len(p) >= 52 && string(p[:8]) == "Speex   ":
		i.sound("other", int(min(le32(p[36:]), maxRate+1)), int(min(le32(p[48:]), 255)), 0)
		rate = uint64(i.SampleRate)
	default: // a video, or several streams
		return nil
	}
	if rate == 0 {
		return nil
	}
	end, err := s.oggEnd(stream)
	if err != nil || end == 0 {
		return err
	}
	i.lasts(span(end-min(end, skip), rate))
	return nil
}

// maxOggPage is the size of a page at most.
const maxOggPage = 27 + 255 + 255*255

// oggEnd returns the position of the last page, 0 if it was not found. It looks for
// it from the end of the file backwards.
func (s *source) oggEnd(stream uint32) (uint64, error) {
	const overlap = 26 // a page's header may lie across two windows
	floor := s.size - min(s.size, maxOggPage+windowSize)
	for end := s.size; end > floor; {
		start := end - min(end, windowSize)
		p, err := s.at(start, int(end-start))
		if err != nil {
			return 0, err
		}
		at := -1
		for from := 0; ; {
			n := bytes.Index(p[from:], []byte("OggS"))
			if n < 0 || len(p)-from-n < overlap {
				break
			}
			at, from = from+n, from+n+4
		}
		if at >= 0 && be32(p[at+14:]) == stream {
			position, last := le64(p[at+6:]), p[at+5]&4 != 0
			return s.oggPage(start+uint64(at), position, last)
		}
		if start == 0 {
			break
		}
		end = start + overlap
	}
	return 0, nil
}

// oggPage reads whether the last page is whole.
func (s *source) oggPage(start, position uint64, last bool) (uint64, error) {
	p, err := s.at(start, 27+255)
	if err != nil {
		return 0, err
	}
	if len(p) < 27 || len(p) < 27+int(p[26]) {
		s.more.cut = CutYes
		return 0, nil
	}
	size := 27 + uint64(p[26])
	for _, n := range p[27:size] {
		size += uint64(n)
	}
	switch {
	case size > s.size-start:
		s.more.cut = CutYes
		return 0, nil // the position is that behind the missing part
	case last:
		s.more.cut = CutNo
	}
	if position == 1<<64-1 { // no packet ends on this page
		return 0, nil
	}
	return position, nil
}
