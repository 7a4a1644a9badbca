package mediainfo

// checkMP4 checks a whole file.
func checkMP4(src *source) error {
	m := mp4File{src: src, format: src.format}
	s := boxes{src: src, end: src.size, top: true, format: m.format}
	var moov box
	var behind boxes // the movie header
	var mdat, cut bool
	for {
		b, ok, err := s.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch b.kind {
		case "moov":
			if b.cut {
				return short(m.format, "ends inside the movie header (moov)")
			}
			if moov.end != 0 {
				return bad(m.format, "more than one movie header (moov)")
			}
			moov, behind = b, s
		case "mdat":
			mdat = true
		}
		cut = b.cut
	}
	switch {
	case moov.end == 0 && cut:
		return short(m.format, "ends inside a box, and has no movie header (moov)")
	case moov.end == 0:
		return bad(m.format, "no movie header (moov)")
	case cut:
		return short(m.format, "ends inside a box")
	case !mdat:
		return bad(m.format, "no media data (mdat)")
	}
	if err := m.movie(moov); err != nil {
		return err
	}
	if m.fragmented {
		if err := m.readFragments(behind); err != nil {
			return err
		}
	}
	return m.checkTracks()
}

// checkTracks checks that there is something to decode.
func (m *mp4File) checkTracks() error {
	var pictures, sounds uint64
	video := false
	for i := range m.tracks[:m.count] {
		t := &m.tracks[i]
		n, err := m.checkSamples(t.stbl)
		if err != nil {
			return err
		}
		n = add(n, t.more)
		if !t.video {
			sounds = add(sounds, n)
			continue
		}
		if err := m.checkVideo(t); err != nil {
			return err
		}
		pictures = add(pictures, n)
		video = true
	}
	switch {
	case m.count == 0:
		return bad(m.format, "no video or audio track")
	case pictures == 0 && sounds == 0:
		return bad(m.format, "no samples")
	case pictures == 0 && video:
		return bad(m.format, "no samples of video")
	}
	return nil
}

// checkVideo checks that a decoder of H.264 receives its configuration.
func (m *mp4File) checkVideo(t *mp4Track) error {
	if t.width == 0 || t.height == 0 {
		return bad(m.format, "the sample description gives an empty picture")
	}
	codec := string(t.name[:])
	if codec != "avc1" && codec != "avc3" {
		return nil
	}
	in := box{start: t.stsd.start + 8, end: t.stsd.end}
	s := boxes{src: m.src, pos: in.start, end: in.end, format: m.format}
	entry, _, err := s.next()
	if err != nil {
		return err
	}
	if entry.end < in.start+videoEntry {
		return bad(m.format, "a track's sample description (stsd) is too short")
	}
	parts, err := m.parts(box{start: in.start + videoEntry, end: entry.end}, "avcC")
	if err != nil {
		return err
	}
	p, err := parts[0].read(m.src, 7)
	switch {
	case err != nil:
		return err
	case parts[0].end == 0:
		return bad(m.format, "no decoder configuration (avcC) for the H.264 video")
	case len(p) < 7 || p[0] != 1 || codec == "avc1" && p[5]&31 == 0:
		return bad(m.format, "the decoder configuration (avcC) has no parameter set")
	}
	return nil
}

// sampleTables are the tables of one track that locate its samples.
type sampleTables struct {
	sizeAll uint32 // every sample's size, 0 where sizes lists them
	sizes   []byte // stsz entries of 4 bytes
	count   uint64
	chunks  []byte // stco or co64 entries
	wide    bool   // co64
	toChunk []byte // stsc entries of 12 bytes
	timed   uint64 // samples in stts
	compact bool   // stz2, whose sizes are not read
}

// checkSamples returns how many samples a table lists, after checking that all of
// them are inside the file.
func (m *mp4File) checkSamples(stbl box) (uint64, error) {
	t, err := m.sampleTables(stbl)
	if err != nil {
		return 0, err
	}
	entry := 4
	if t.wide {
		entry = 8
	}
	chunks := uint64(len(t.chunks) / entry)
	var sample uint64
	run, runs := 0, len(t.toChunk)/12
	for c := uint64(0); c < chunks && sample < t.count; c++ {
		for run+1 < runs && uint64(be32(t.toChunk[12*(run+1):])) <= c+1 {
			run++
		}
		if runs == 0 {
			return 0, bad(m.format, "the sample-to-chunk table (stsc) is empty")
		}
		n := min(uint64(be32(t.toChunk[12*run+4:])), t.count-sample)
		var offset uint64
		if t.wide {
			offset = be64(t.chunks[8*c:])
		} else {
			offset = uint64(be32(t.chunks[4*c:]))
		}
		size := t.bytes(sample, n)
		if offset > m.src.size || size > m.src.size-offset {
			return 0, bad(m.format, "a sample lies outside the file")
		}
		sample += n
	}
	switch {
	case sample < t.count:
		return 0, bad(m.format, "the chunk tables leave samples without a place")
	case t.timed != t.count:
		return 0, bad(m.format, "the time table (stts) and the size table (stsz) differ in the number of samples")
	}
	return t.count, nil
}

// bytes returns the size of n samples from sample first on. n is at most the
// number of remaining samples. A product cannot overflow: both factors have 32
// bits.
func (t *sampleTables) bytes(first, n uint64) uint64 {
	if t.compact {
		return 0
	}
	if t.sizeAll != 0 {
		return uint64(t.sizeAll) * n
	}
	var sum uint64
	for i := first; i < first+n; i++ {
		sum += uint64(be32(t.sizes[4*i:]))
	}
	return sum
}

func (m *mp4File) sampleTables(stbl box) (t sampleTables, err error) {
	s := boxes{src: m.src, pos: stbl.start, end: stbl.end, format: m.format}
	var seen int
	for {
		b, ok, err := s.next()
		if err != nil {
			return t, err
		}
		if !ok {
			break
		}
		body := m.src.data[b.start:b.end] // the file is in memory
		switch b.kind {
		case "stsz", "stz2":
			seen |= 1
			err = t.setSizes(m.format, body, b.kind == "stz2")
		case "stco", "co64":
			seen |= 2
			t.wide = b.kind == "co64"
			width := 4
			if t.wide {
				width = 8
			}
			t.chunks, err = entries(m.format, body, width)
		case "stsc":
			seen |= 4
			t.toChunk, err = entries(m.format, body, 12)
		case "stts":
			seen |= 8
			err = t.setTimes(m.format, body)
		}
		if err != nil {
			return t, err
		}
	}
	if seen != 15 {
		return t, bad(m.format, "a track lacks one of its sample tables (stsz, stco, stsc, stts)")
	}
	return t, nil
}

// entries returns a table's entries after checking that they are complete.
func entries(f Format, p []byte, width int) ([]byte, error) {
	if len(p) < 8 {
		return nil, bad(f, "a sample table is too short")
	}
	n := uint64(be32(p[4:])) * uint64(width)
	if n > uint64(len(p)-8) {
		return nil, bad(f, "a sample table counts more entries than it has")
	}
	return p[8 : 8+n], nil
}

func (t *sampleTables) setSizes(f Format, p []byte, compact bool) error {
	if len(p) < 12 {
		return bad(f, "a sample table is too short")
	}
	t.count = uint64(be32(p[8:]))
	if compact {
		t.compact = true
		width := uint64(p[7])
		if width != 4 && width != 8 && width != 16 {
			return bad(f, "a compact size table (stz2) has an impossible width")
		}
		if (t.count*width+7)/8 > uint64(len(p)-12) {
			return bad(f, "a sample table counts more entries than it has")
		}
		return nil
	}
	t.sizeAll = be32(p[4:])
	if t.sizeAll == 0 {
		if t.count*4 > uint64(len(p)-12) {
			return bad(f, "a sample table counts more entries than it has")
		}
		t.sizes = p[12:]
	}
	return nil
}

func (t *sampleTables) setTimes(f Format, p []byte) error {
	e, err := entries(f, p, 8)
	if err != nil {
		return err
	}
	t.timed = 0
	for ; len(e) > 0; e = e[8:] { // counts of 32 bits: only a table of 32 GiB would overflow
		t.timed += uint64(be32(e))
	}
	return nil
}
