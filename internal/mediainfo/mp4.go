package mediainfo

import (
	"math"
	"time"
)

// box is one ISO BMFF box.
type box struct {
	kind string // one of the names in boxKinds, "" for any other
	body []byte
	cut  bool // the body goes on behind the data
}

// boxes steps through the boxes in data. Each step takes 8 bytes at least, and
// nesting is followed along fixed paths only, so that a walk is linear.
type boxes struct {
	data []byte
	pos  int
	// top marks the file's own level, where a size of 0 means "up to the end
	// of the file" and bytes behind the last box are no fault.
	top    bool
	format Format
}

// boxKind returns a constant for the names that matter here, so that no string
// is made of what the data says.
func boxKind(b []byte) string {
	for _, k := range [...]string{
		"ftyp", "moov", "mdat", "moof", "mvhd", "mvex", "mehd", "trak", "mdia",
		"mdhd", "hdlr", "minf", "stbl", "stsd", "stts", "stsc", "stsz", "stz2", "stco", "co64",
	} {
		if string(b) == k {
			return k
		}
	}
	return ""
}

// next returns the next box, ok false at the end.
func (s *boxes) next() (b box, ok bool, err error) {
	rest := s.data[s.pos:]
	if len(rest) < 8 {
		return box{}, false, nil
	}
	size, header := uint64(be32(rest)), uint64(8)
	b.kind = boxKind(rest[4:8])
	if size == 1 {
		if len(rest) < 16 {
			return box{}, false, s.tooLong()
		}
		size, header = be64(rest[8:]), 16
	} else if size == 0 && s.top {
		size = uint64(len(rest))
	}
	if size < header {
		if s.top && s.pos > 0 && b.kind == "" { // what is behind the last box
			return box{}, false, nil
		}
		return box{}, false, bad(s.format, "a box has an impossible size")
	}
	if size > uint64(len(rest)) {
		if !s.top {
			return box{}, false, s.tooLong()
		}
		b.cut, size = true, uint64(len(rest))
	}
	b.body = rest[header:size]
	s.pos += int(size)
	return b, true, nil
}

func (s *boxes) tooLong() error {
	if s.top {
		return short(s.format, "ends inside a box")
	}
	return bad(s.format, "a box is larger than the box that it is in")
}

// find returns the first box of a kind inside body, nil where there is none.
func find(f Format, body []byte, kind string) ([]byte, error) {
	s := boxes{data: body, format: f}
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return nil, err
		}
		if b.kind == kind {
			return b.body, nil
		}
	}
}

// mp4File is what the top-level boxes of an MP4 give.
type mp4File struct {
	format     Format
	size       uint64
	moov       []byte
	mdat, moof bool
	cut        bool // the last box goes on behind the data
}

func parseMP4(data []byte, f Format) (mp4File, error) {
	m := mp4File{format: f, size: uint64(len(data))}
	s := boxes{data: data, top: true, format: f}
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return m, err
		}
		switch b.kind {
		case "moov":
			if b.cut {
				return m, short(f, "ends inside the movie header (moov)")
			}
			if m.moov != nil {
				return m, bad(f, "more than one movie header (moov)")
			}
			m.moov = b.body
		case "mdat":
			m.mdat = true
		case "moof":
			m.moof = true
		}
		m.cut = b.cut
	}
}

// mp4Track is one track's header and its sample tables.
type mp4Track struct {
	video, audio bool
	scale        uint64
	duration     time.Duration
	open         bool // the media header leaves the duration open
	stbl         []byte
	entry        []byte // the first sample description, from its own header on
}

func inspectMP4(data []byte, info *Info) error {
	m, err := parseMP4(data, info.Format)
	if err != nil && m.moov == nil {
		return err
	}
	if m.moov == nil {
		return short(m.format, "no movie header (moov)")
	}
	_, err = m.tracks(info, nil)
	return err
}

// tracks reads the movie header into info and calls check for each track.
func (m *mp4File) tracks(info *Info, check func(mp4Track) error) (fragmented bool, err error) {
	s := boxes{data: m.moov, format: m.format}
	var found, open bool
	var movie, extends, scale uint64
	for {
		b, ok, err := s.next()
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		switch b.kind {
		case "mvhd":
			header, err := timeHeader(m.format, b.body)
			if err != nil {
				return false, err
			}
			movie, scale, open = header.units, header.scale, open || header.open
		case "mvex":
			fragmented = true
			if mehd, _ := find(m.format, b.body, "mehd"); mehd != nil {
				extends = fragmentDuration(mehd)
			}
		case "trak":
			found = true
			t, err := m.track(b.body)
			if err != nil {
				return false, err
			}
			t.describe(info)
			open = open || t.open
			if check != nil && (t.video || t.audio) {
				if err := check(t); err != nil {
					return false, err
				}
			}
		}
	}
	if !found {
		return false, bad(m.format, "no track")
	}
	info.Duration = span(max(movie, extends), scale)
	if info.Duration == 0 {
		info.Duration = max(info.VideoDuration, info.AudioDuration)
	}
	// In a fragmented file the headers cover what is in front of the fragments,
	// often nothing.
	info.DurationUnknown = info.Duration == 0 && (fragmented || open)
	return fragmented, nil
}

// mp4Time is what an mvhd or mdhd gives: a duration and its time scale.
type mp4Time struct {
	units, scale uint64
	open         bool // all ones stand for an unknown duration; units is 0 then
}

func timeHeader(f Format, p []byte) (t mp4Time, err error) {
	unknown := uint64(math.MaxUint32)
	switch {
	case len(p) >= 32 && p[0] == 1:
		t.units, t.scale = be64(p[24:]), uint64(be32(p[20:]))
		unknown = math.MaxUint64
	case len(p) >= 20 && p[0] == 0:
		t.units, t.scale = uint64(be32(p[16:])), uint64(be32(p[12:]))
	default:
		return t, bad(f, "a time header (mvhd or mdhd) is too short or of an unknown version")
	}
	if t.scale == 0 {
		return t, bad(f, "a time header (mvhd or mdhd) gives a time scale of 0")
	}
	if t.units == unknown {
		t.units, t.open = 0, true
	}
	return t, nil
}

func fragmentDuration(mehd []byte) uint64 {
	switch {
	case len(mehd) >= 12 && mehd[0] == 1:
		return be64(mehd[4:])
	case len(mehd) >= 8 && mehd[0] == 0:
		return uint64(be32(mehd[4:]))
	}
	return 0
}

func (m *mp4File) track(trak []byte) (t mp4Track, err error) {
	mdia, err := m.need(trak, "mdia", "a track has no media box (mdia)")
	if err != nil {
		return t, err
	}
	mdhd, err := m.need(mdia, "mdhd", "a track has no media header (mdhd)")
	if err != nil {
		return t, err
	}
	header, err := timeHeader(m.format, mdhd)
	if err != nil {
		return t, err
	}
	t.scale, t.duration, t.open = header.scale, span(header.units, header.scale), header.open
	hdlr, err := m.need(mdia, "hdlr", "a track has no handler (hdlr)")
	if err != nil {
		return t, err
	}
	if len(hdlr) < 12 {
		return t, bad(m.format, "a track's handler (hdlr) is too short")
	}
	t.video, t.audio = string(hdlr[8:12]) == "vide", string(hdlr[8:12]) == "soun"
	if !t.video && !t.audio { // subtitles, hints, a phone's sensor data
		return t, nil
	}
	minf, err := m.need(mdia, "minf", "a track has no media information (minf)")
	if err != nil {
		return t, err
	}
	if t.stbl, err = m.need(minf, "stbl", "a track has no sample table (stbl)"); err != nil {
		return t, err
	}
	stsd, err := m.need(t.stbl, "stsd", "a track has no sample description (stsd)")
	if err != nil {
		return t, err
	}
	return t, t.setEntry(m.format, stsd)
}

func (m *mp4File) need(body []byte, kind, problem string) ([]byte, error) {
	b, err := find(m.format, body, kind)
	if err == nil && b == nil {
		err = bad(m.format, problem)
	}
	return b, err
}

// setEntry takes the first sample description, whose fixed part has to be
// there.
func (t *mp4Track) setEntry(f Format, stsd []byte) error {
	fixed := 36 // with its header, an AudioSampleEntry
	if t.video {
		fixed = 86
	}
	if len(stsd) < 8+fixed || be32(stsd[4:]) == 0 {
		return bad(f, "a track's sample description (stsd) is too short")
	}
	t.entry = stsd[8:]
	return nil
}

// describe adds the track to info. The first video and the first audio track
// set the resolution and the rate.
func (t *mp4Track) describe(info *Info) {
	switch {
	case t.video:
		if !info.HasVideo {
			info.Width, info.Height = be16(t.entry[32:]), be16(t.entry[34:])
			info.VideoCodec = codecName(t.entry[4:8])
		}
		info.HasVideo = true
		info.VideoDuration = max(info.VideoDuration, t.duration)
	case t.audio:
		if !info.HasAudio {
			info.SampleRate, info.Channels, info.BitsPerSample = t.sound()
			info.AudioCodec = codecName(t.entry[4:8])
		}
		info.HasAudio = true
		info.AudioDuration = max(info.AudioDuration, t.duration)
	}
}

// sound reads an audio track's sample description, 0 for what it leaves open.
func (t *mp4Track) sound() (rate, channels, bits int) {
	e := t.entry
	if be16(e[16:]) == 2 { // QuickTime's, with constants in the fields of the others
		if len(e) >= 60 {
			rate, channels, bits, _ = soundNumbers(be64(e[40:]), be32(e[48:]), be32(e[56:]))
		}
		return rate, channels, bits
	}
	rate = be16(e[32:]) // 16.16 fixed point
	switch t.scale {
	case 88_200, 96_000, 176_400, 192_000, 352_800, 384_000:
		// A rate beyond 16 bits is left out or loses its upper bits, and then
		// the time scale has it.
		if rate == 0 || rate == int(t.scale&0xffff) {
			rate = int(t.scale)
		}
	}
	return rate, be16(e[24:]), be16(e[26:])
}

// codecName returns a sample entry's name where it is a known one; the rest is
// "other", so that no text from the data gets into logs.
func codecName(b []byte) string {
	for _, k := range [...]string{
		"avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "mp4v", "s263", "vp08", "vp09", "av01", "jpeg",
		"encv", "enca", "mp4a", "alac", "ac-3", "ec-3", "samr", "sawb", "Opus", "fLaC", "lpcm", "sowt", "twos",
	} {
		if string(b) == k {
			return k
		}
	}
	return "other"
}

func checkMP4(data []byte, f Format) error {
	m, err := parseMP4(data, f)
	switch {
	case err != nil:
		return err
	case m.moov == nil && m.cut:
		return short(f, "ends inside a box, and has no movie header (moov)")
	case m.moov == nil:
		return bad(f, "no movie header (moov)")
	case m.cut:
		return short(f, "ends inside a box")
	case !m.mdat:
		return bad(f, "no media data (mdat)")
	}
	var info Info
	samples := uint64(0)
	fragmented, err := m.tracks(&info, func(t mp4Track) error {
		n, err := m.checkSamples(t.stbl)
		samples += n
		return err
	})
	switch {
	case err != nil:
		return err
	case !info.HasVideo && !info.HasAudio:
		return bad(f, "no video or audio track")
	case samples == 0 && !(fragmented && m.moof):
		return bad(f, "no samples")
	}
	return nil
}

// sampleTables are one track's tables of where its samples are.
type sampleTables struct {
	sizeAll uint32 // every sample's size, 0 where sizes lists them
	sizes   []byte // stsz entries of 4 bytes
	count   uint64
	chunks  []byte // stco or co64 entries
	wide    bool   // co64
	toChunk []byte // stsc entries of 12 bytes
	timed   uint64 // samples that stts times
	compact bool   // stz2, whose sizes are not looked at
}

// checkSamples returns how many samples a table lists, after seeing that all
// of them are inside the file.
func (m *mp4File) checkSamples(stbl []byte) (uint64, error) {
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
		if offset > m.size || size > m.size-offset {
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

// bytes is the size of n samples from sample first on. n is at most the number
// of samples left. A product cannot overflow: both factors have 32 bits.
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

func (m *mp4File) sampleTables(stbl []byte) (t sampleTables, err error) {
	s := boxes{data: stbl, format: m.format}
	var seen int
	for {
		b, ok, err := s.next()
		if err != nil {
			return t, err
		}
		if !ok {
			break
		}
		switch b.kind {
		case "stsz", "stz2":
			seen |= 1
			err = t.setSizes(m.format, b)
		case "stco", "co64":
			seen |= 2
			t.wide = b.kind == "co64"
			width := 4
			if t.wide {
				width = 8
			}
			t.chunks, err = entries(m.format, b.body, width)
		case "stsc":
			seen |= 4
			t.toChunk, err = entries(m.format, b.body, 12)
		case "stts":
			seen |= 8
			err = t.setTimes(m.format, b.body)
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

// entries returns a table's entries after seeing that all that it counts are
// in it.
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

func (t *sampleTables) setSizes(f Format, b box) error {
	p := b.body
	if len(p) < 12 {
		return bad(f, "a sample table is too short")
	}
	t.count = uint64(be32(p[8:]))
	if b.kind == "stz2" {
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
	for ; len(e) > 0; e = e[8:] { // counts of 32 bits: a table of 32 GiB would have to be there to overflow
		t.timed += uint64(be32(e))
	}
	return nil
}
