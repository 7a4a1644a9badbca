package mediainfo

import "time"

// mp4Track is a track of video or sound.
type mp4Track struct {
	id           uint32
	video, audio bool
	rotation     int
	scale, units uint64 // the media header's time scale and duration
	edits        mp4Edits
	samples      uint64 // in the movie header's tables
	stbl, stsd   box

	name                 [4]byte // the sample entry's
	width, height        int
	rate, channels, bits int

	mp4Fragments
}

// mp4Edits is the played part of an edit list: empty time first, then the media.
type mp4Edits struct {
	played  uint64 // the whole, in units of the movie, 0 means "up to the end"
	empty   uint64 // the empty part, in units of the movie
	skipped uint64 // the skipped beginning of the media, in its own units
	found   bool   // an edit plays some of the media
}

// track reads a track, and keeps it if it is a video or audio track.
func (m *mp4File) track(trak box) error {
	parts, err := m.parts(trak, "tkhd", "edts", "mdia")
	if err != nil {
		return err
	}
	tkhd, edts, mdia := parts[0], parts[1], parts[2]
	var t mp4Track
	if err := m.trackHeader(&t, tkhd); err != nil {
		return err
	}
	if err := m.edits(&t.edits, edts); err != nil {
		return err
	}
	if mdia.end == 0 {
		return bad(m.format, "a track has no media box (mdia)")
	}
	parts, err = m.parts(mdia, "mdhd", "hdlr", "minf")
	if err != nil {
		return err
	}
	mdhd, hdlr, minf := parts[0], parts[1], parts[2]
	if mdhd.end == 0 {
		return bad(m.format, "a track has no media header (mdhd)")
	}
	header, _, err := m.timeHeader(mdhd)
	if err != nil {
		return err
	}
	t.scale, t.units, m.open = header.scale, header.units, m.open || header.open
	if hdlr.end == 0 {
		return bad(m.format, "a track has no handler (hdlr)")
	}
	p, err := hdlr.read(m.src, 12)
	if err != nil {
		return err
	}
	if len(p) < 12 {
		return bad(m.format, "a track's handler (hdlr) is too short")
	}
	t.video, t.audio = string(p[8:]) == "vide", string(p[8:]) == "soun"
	if !t.video && !t.audio { // subtitles, hints, a phone's sensor data
		return nil
	}
	if m.count == maxTracks {
		return bad(m.format, "more tracks of video and sound than any player has use for")
	}
	if err := m.media(&t, minf); err != nil {
		return err
	}
	m.tracks[m.count] = t
	m.count++
	return nil
}

func (m *mp4File) trackHeader(t *mp4Track, tkhd box) error {
	if tkhd.end == 0 {
		return nil
	}
	p, err := tkhd.read(m.src, 24)
	if err != nil || len(p) < 24 {
		return err
	}
	id, matrix := 12, 40
	if p[0] == 1 {
		id, matrix = 20, 52
	}
	t.id = be32(p[id:])
	t.rotation, err = m.matrix(tkhd, matrix)
	return err
}

func (m *mp4File) edits(e *mp4Edits, edts box) error {
	if edts.end == 0 {
		return nil
	}
	parts, err := m.parts(edts, "elst")
	if err != nil {
		return err
	}
	elst := parts[0]
	p, err := elst.read(m.src, 8)
	if err != nil || len(p) < 8 {
		return err
	}
	wide, width := p[0] == 1, uint64(12)
	if wide {
		width = 20
	}
	for n, pos := be32(p[4:]), elst.start+8; n > 0 && width <= elst.end-pos; n, pos = n-1, pos+width {
		if p, err = m.src.at(pos, int(width)); err != nil {
			return err
		}
		signed, from := int64(int32(be32(p))), int64(int32(be32(p[4:])))
		if wide {
			signed, from = int64(be64(p)), int64(be64(p[8:]))
		}
		length := uint64(max(signed, 0)) // some writers reach less than 0
		e.played = add(e.played, length)
		switch {
		case from < 0:
			e.empty = add(e.empty, length)
		case !e.found:
			e.found, e.skipped = true, uint64(from)
		}
	}
	return nil
}

func (m *mp4File) media(t *mp4Track, minf box) error {
	if minf.end == 0 {
		return bad(m.format, "a track has no media information (minf)")
	}
	parts, err := m.parts(minf, "stbl")
	if err != nil {
		return err
	}
	if t.stbl = parts[0]; t.stbl.end == 0 {
		return bad(m.format, "a track has no sample table (stbl)")
	}
	if parts, err = m.parts(t.stbl, "stsd", "stsz", "stz2"); err != nil {
		return err
	}
	if t.stsd = parts[0]; t.stsd.end == 0 {
		return bad(m.format, "a track has no sample description (stsd)")
	}
	if err := m.entry(t); err != nil {
		return err
	}
	sizes := parts[1]
	if sizes.end == 0 {
		sizes = parts[2]
	}
	p, err := sizes.read(m.src, 12)
	if len(p) == 12 {
		t.samples = uint64(be32(p[8:]))
	}
	return err
}

// The fixed parts of a sample description, with its header.
const (
	videoEntry = 86
	audioEntry = 36
)

// entry reads the first sample description. Its fixed part must be present.
func (m *mp4File) entry(t *mp4Track) error {
	fixed := audioEntry
	if t.video {
		fixed = videoEntry
	}
	p, err := t.stsd.read(m.src, 8+videoEntry)
	if err != nil {
		return err
	}
	if len(p) < 8+fixed || be32(p[4:]) == 0 {
		return bad(m.format, "a track's sample description (stsd) is too short")
	}
	e := p[8:]
	copy(t.name[:], e[4:8])
	if t.video {
		t.width, t.height = be16(e[32:]), be16(e[34:])
		return nil
	}
	t.channels, t.bits = be16(e[24:]), be16(e[26:])
	if be16(e[16:]) == 2 { // QuickTime's, with constants in the other versions' fields
		t.rate, t.channels, t.bits = 0, 0, 0
		if len(e) >= 60 {
			t.rate, t.channels, t.bits, _ = soundNumbers(be64(e[40:]), be32(e[48:]), be32(e[56:]))
		}
		if len(e) >= 64 && string(t.name[:]) == "lpcm" && be32(e[60:])&1 != 0 {
			t.name = [4]byte{'f', 'l', '3', '2'}
		}
		return nil
	}
	t.rate = be16(e[32:]) // 16.16 fixed point
	switch t.scale {
	case 88_200, 96_000, 176_400, 192_000, 352_800, 384_000:
		// A rate beyond 16 bits is omitted or loses its upper bits. The time
		// scale has it then.
		if t.rate == 0 || t.rate == int(t.scale&0xffff) {
			t.rate = int(t.scale)
		}
	}
	return m.samplingRate(t, p[0] == 1)
}

// samplingRate reads the rate from its own box. A description of ISO's version 1
// has this box for a rate beyond 16 bits.
func (m *mp4File) samplingRate(t *mp4Track, version1 bool) error {
	p, err := t.stsd.read(m.src, 12)
	if err != nil || !version1 {
		return err
	}
	size := uint64(be32(p[8:]))
	if size < audioEntry || size > t.stsd.end-t.stsd.start-8 {
		return nil
	}
	parts, err := m.parts(box{start: t.stsd.start + 8 + audioEntry, end: t.stsd.start + 8 + size}, "srat")
	if err != nil {
		return err
	}
	if p, err = parts[0].read(m.src, 8); len(p) == 8 {
		if rate := be32(p[4:]); rate > 0 && rate <= maxRate {
			t.rate = int(rate)
		}
	}
	return err
}

// played returns the duration of a track of a file without fragments.
func (t *mp4Track) played(movie uint64) time.Duration {
	if t.edits.played > 0 {
		return span(t.edits.played, movie)
	}
	return span(t.units-min(t.edits.skipped, t.units), t.scale)
}

// frameRate returns the average, 0 if unknown.
func (t *mp4Track) frameRate(fragmented, complete bool) float64 {
	samples, units := t.samples, t.units
	if fragmented {
		if !complete {
			return 0
		}
		samples, units = add(samples, t.more), t.fragmentsUnits()
	}
	if units == 0 {
		return 0
	}
	return float64(samples) * float64(t.scale) / float64(units)
}
