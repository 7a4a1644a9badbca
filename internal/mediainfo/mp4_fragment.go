package mediainfo

import (
	"errors"
	"math/bits"
	"time"
)

// mp4Fragments is what the fragments contain of a track. Times are in units of its
// media header.
type mp4Fragments struct {
	sampleTime       uint32 // of a sample without its own
	more             uint64 // samples
	first, now, last uint64 // the start, the current position and the end of the fragments
	started          bool
	indexed          time.Duration // the duration by an index of all fragments
}

// fragmentsUnits returns the length of the media, including the samples of the
// movie header.
func (t *mp4Track) fragmentsUnits() uint64 {
	if !t.started {
		return t.units
	}
	return t.last - min(t.first, t.last)
}

// fragmentsPlayed returns the duration of a track whose fragments were all read.
// The lengths in an edit list may cover only the part before the first fragment,
// so that only its beginning counts.
func (t *mp4Track) fragmentsPlayed(movie uint64) time.Duration {
	units := t.fragmentsUnits()
	return min(maxDuration, span(units-min(t.edits.skipped, units), t.scale)+span(t.edits.empty, movie))
}

// fragments reads the part behind the movie header. It leaves complete false if
// not all can be read. It returns only errors of the reader.
func (m *mp4File) fragments(s boxes) error {
	err := m.readFragments(s)
	if err == nil {
		m.complete = true
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if e.Incomplete {
			m.src.more.cut = CutYes
		}
		return nil
	}
	return err
}

func (m *mp4File) readFragments(s boxes) error {
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		if b.cut {
			return short(m.format, "ends inside a box")
		}
		switch b.kind {
		case "sidx":
			err = m.index(b)
		case "moof":
			err = m.fragment(b)
		case "mfra": // the index of all fragments, at the end of the file
			m.src.more.cut = CutNo
		}
		if err != nil {
			return err
		}
	}
}

// index reads a segment index. It counts if nothing follows the segments that it
// lists: files with one index for each segment are usual as well.
func (m *mp4File) index(sidx box) error {
	p, err := sidx.read(m.src, 32)
	if err != nil || len(p) < 24 {
		return err
	}
	t, scale := m.byID(be32(p[4:])), uint64(be32(p[8:]))
	n, pos, covered := uint64(be16(p[22:])), sidx.start+24, uint64(be32(p[16:]))
	if p[0] != 0 {
		if len(p) < 32 {
			return nil
		}
		n, pos, covered = uint64(be16(p[30:])), sidx.start+32, be64(p[20:])
	}
	if t == nil || n*12 > sidx.end-pos {
		return nil
	}
	covered = add(covered, sidx.end)
	listed := n
	var units uint64
	for ; n > 0; n, pos = n-1, pos+12 {
		if p, err = m.src.at(pos, 12); err != nil {
			return err
		}
		covered = add(covered, uint64(be32(p)&(1<<31-1)))
		units += uint64(be32(p[4:]))
	}
	if covered > m.src.size || listed == 1 && covered < m.src.size {
		return nil
	}
	s := boxes{src: m.src, pos: covered, end: m.src.size, top: true, format: m.format}
	if b, ok, err := s.next(); err != nil || ok && b.kind != "mfra" {
		return err
	}
	t.indexed = max(t.indexed, span(units, scale))
	return nil
}

// fragment reads a movie fragment.
func (m *mp4File) fragment(moof box) error {
	s := boxes{src: m.src, pos: moof.start, end: moof.end, format: m.format}
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		if b.kind == "traf" {
			if err := m.trackFragment(b); err != nil {
				return err
			}
		}
	}
}

func (m *mp4File) trackFragment(traf box) error {
	s := boxes{src: m.src, pos: traf.start, end: traf.end, format: m.format}
	var t *mp4Track
	var sampleTime uint32
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		switch {
		case b.kind == "tfhd":
			t, sampleTime, err = m.fragmentHeader(b)
		case t == nil: // a track that is not read, or no header before it
		case b.kind == "tfdt":
			err = m.decodeTime(t, b)
		case b.kind == "trun":
			err = m.run(t, sampleTime, b)
		}
		if err != nil {
			return err
		}
	}
}

func (m *mp4File) fragmentHeader(tfhd box) (*mp4Track, uint32, error) {
	p, err := tfhd.read(m.src, 24)
	if err != nil {
		return nil, 0, err
	}
	if len(p) < 8 {
		return nil, 0, bad(m.format, "a fragment's header (tfhd) is too short")
	}
	t := m.byID(be32(p[4:]))
	if t == nil {
		return nil, 0, nil
	}
	if !t.started {
		t.started = true
		if t.samples > 0 {
			t.now, t.last = t.units, t.units
		}
	}
	flags, pos := be32(p), 8
	if flags&1 != 0 { // the offset of the data
		pos += 8
	}
	if flags&2 != 0 { // the index of the sample description
		pos += 4
	}
	if flags&8 == 0 {
		return t, t.sampleTime, nil
	}
	if len(p) < pos+4 {
		return nil, 0, bad(m.format, "a fragment's header (tfhd) is too short")
	}
	return t, be32(p[pos:]), nil
}

// decodeTime reads when a fragment begins. A recording may begin at any time.
func (m *mp4File) decodeTime(t *mp4Track, tfdt box) error {
	p, err := tfdt.read(m.src, 12)
	if err != nil {
		return err
	}
	var at uint64
	switch {
	case len(p) >= 12 && p[0] == 1:
		at = be64(p[4:])
	case len(p) >= 8 && p[0] == 0:
		at = uint64(be32(p[4:]))
	default:
		return bad(m.format, "a fragment's time (tfdt) is too short")
	}
	if t.samples == 0 && t.more == 0 {
		t.first = at
	}
	t.now = at
	return nil
}

// run adds the samples of a run.
func (m *mp4File) run(t *mp4Track, sampleTime uint32, trun box) error {
	p, err := trun.read(m.src, 8)
	if err != nil {
		return err
	}
	if len(p) < 8 {
		return bad(m.format, "a run of samples (trun) is too short")
	}
	flags, n := be32(p), uint64(be32(p[4:]))
	pos := trun.start + 8
	for _, flag := range [...]uint32{1, 4} { // the offset of the data, the flags of the first sample
		if flags&flag != 0 {
			pos += 4
		}
	}
	width := 4 * uint64(bits.OnesCount32(flags&0xf00))
	if pos > trun.end || n*width > trun.end-pos {
		return bad(m.format, "a run of samples (trun) counts more than it has")
	}
	t.more += n
	if flags&0x100 == 0 {
		t.now = add(t.now, n*uint64(sampleTime))
	} else {
		for n > 0 {
			if _, err = m.src.at(pos, 4); err != nil { // one entry, and with it the rest of the window
				return err
			}
			if p, err = m.src.rest(pos); err != nil {
				return err
			}
			for ; n > 0 && len(p) >= 4; n, pos = n-1, pos+width {
				t.now = add(t.now, uint64(be32(p)))
				p = p[min(width, uint64(len(p))):]
			}
		}
	}
	t.last = max(t.last, t.now)
	return nil
}
