package mediainfo

import (
	"math"
	"math/bits"
	"time"
)

// maxTracks is how many tracks of video and sound are read. Cameras write only a
// few.
const maxTracks = 8

// mp4File is the read content of an MP4.
type mp4File struct {
	src          *source
	format       Format
	scale, units uint64 // the movie header's time scale and duration
	open         bool   // a header leaves its duration open
	rotation     int
	fragmented   bool
	extends      uint64              // the duration with the fragments, 0 if unknown
	tracks       [maxTracks]mp4Track // of video and sound
	count        int                 // of tracks
	complete     bool                // all fragments were read
	seen         bool                // there is a track of any kind
}

func inspectMP4(src *source, info *Info) error {
	m := mp4File{src: src, format: info.Format}
	s := boxes{src: src, end: src.size, top: true, format: info.Format}
	for {
		b, ok, err := s.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return short(m.format, "no movie header (moov)")
		case b.kind != "moov":
			continue
		case b.cut:
			return short(m.format, "ends inside the movie header (moov)")
		}
		err = m.movie(b)
		m.describe(info)
		if err != nil {
			return err
		}
		if m.fragmented {
			if err := m.fragments(s); err != nil {
				return err
			}
		}
		m.times(info)
		src.more.behind, src.more.whole = s.pos, !m.fragmented
		return nil
	}
}

// movie reads the movie header, which is inside the file.
func (m *mp4File) movie(moov box) error {
	s := boxes{src: m.src, pos: moov.start, end: moov.end, format: m.format}
	var extends box
	for {
		b, ok, err := s.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch b.kind {
		case "mvhd":
			err = m.header(b)
		case "udta":
			m.src.more.userData = b
		case "meta":
			m.src.more.meta = b
		case "mvex":
			m.fragmented, extends = true, b
		case "trak":
			m.seen = true
			err = m.track(b)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !m.seen:
		return bad(m.format, "no track")
	case m.scale == 0:
		return bad(m.format, "no movie header box (mvhd), which has the time scale")
	case m.fragmented:
		return m.defaults(extends)
	}
	return nil
}

func (m *mp4File) header(b box) error {
	t, matrix, err := m.timeHeader(b)
	if err != nil {
		return err
	}
	m.scale, m.units, m.open = t.scale, t.units, m.open || t.open
	m.rotation, err = m.matrix(b, matrix+16) // after a rate, a volume, and reserved bytes
	return err
}

// mp4Time is the content of an mvhd or mdhd: a duration and its time scale.
type mp4Time struct {
	units, scale uint64
	open         bool // all ones mean an unknown duration; units is 0 then
}

// timeHeader also returns the offset behind the time.
func (m *mp4File) timeHeader(b box) (t mp4Time, next int, err error) {
	p, err := b.read(m.src, 32)
	if err != nil {
		return t, 0, err
	}
	unknown := uint64(math.MaxUint32)
	switch {
	case len(p) >= 32 && p[0] == 1:
		t.units, t.scale, next = be64(p[24:]), uint64(be32(p[20:])), 32
		unknown = math.MaxUint64
	case len(p) >= 20 && p[0] == 0:
		t.units, t.scale, next = uint64(be32(p[16:])), uint64(be32(p[12:])), 20
	default:
		return t, 0, bad(m.format, "a time header (mvhd or mdhd) is too short or of an unknown version")
	}
	if t.scale == 0 {
		return t, 0, bad(m.format, "a time header (mvhd or mdhd) gives a time scale of 0")
	}
	if t.units == unknown {
		t.units, t.open = 0, true
	}
	return t, next, nil
}

// matrix returns the clockwise rotation of a display matrix, in degrees. A
// mirrored or slanted picture counts as not rotated.
func (m *mp4File) matrix(b box, off int) (int, error) {
	p, err := b.read(m.src, off+20)
	if err != nil || len(p) < off+20 {
		return 0, err
	}
	const one, minus = 1 << 16, 1<<32 - 1<<16
	p = p[off:]
	switch [4]uint32{be32(p), be32(p[4:]), be32(p[12:]), be32(p[16:])} {
	case [4]uint32{0, one, minus, 0}:
		return 90, nil
	case [4]uint32{minus, 0, 0, minus}:
		return 180, nil
	case [4]uint32{0, minus, one, 0}:
		return 270, nil
	}
	return 0, nil
}

// defaults reads the part of the movie header about the fragments.
func (m *mp4File) defaults(mvex box) error {
	s := boxes{src: m.src, pos: mvex.start, end: mvex.end, format: m.format}
	for {
		b, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		switch b.kind {
		case "mehd":
			p, err := b.read(m.src, 12)
			if err != nil {
				return err
			}
			switch {
			case len(p) >= 12 && p[0] == 1:
				m.extends = be64(p[4:])
			case len(p) >= 8 && p[0] == 0:
				m.extends = uint64(be32(p[4:]))
			}
		case "trex":
			p, err := b.read(m.src, 16)
			if err != nil {
				return err
			}
			if len(p) == 16 {
				if t := m.byID(be32(p[4:])); t != nil {
					t.sampleTime = be32(p[12:])
				}
			}
		}
	}
}

func (m *mp4File) byID(id uint32) *mp4Track {
	for i := range m.tracks[:m.count] {
		if m.tracks[i].id == id {
			return &m.tracks[i]
		}
	}
	return nil
}

// describe sets all fields but the durations. The first video track and the first
// audio track set the resolution and the rate.
func (m *mp4File) describe(info *Info) {
	for i := range m.tracks[:m.count] {
		t := &m.tracks[i]
		switch {
		case t.video && !info.HasVideo:
			info.HasVideo, info.VideoCodec = true, codecName(t.name[:])
			info.Width, info.Height = t.width, t.height
			info.Rotation = (m.rotation + t.rotation) % 360
		case t.audio && !info.HasAudio:
			info.HasAudio, info.AudioCodec = true, codecName(t.name[:])
			info.SampleRate, info.Channels, info.BitsPerSample = t.rate, t.channels, t.bits
		}
	}
}

// times sets the durations and the frame rate. The tracks' durations are those of
// the played part, by the edit lists.
func (m *mp4File) times(info *Info) {
	rated, edited := false, false
	for i := range m.tracks[:m.count] {
		t := &m.tracks[i]
		var d time.Duration
		if m.fragmented {
			d = t.indexed
			if m.complete {
				d = t.fragmentsPlayed(m.scale)
			}
		} else {
			d = t.played(m.scale)
			edited = edited || t.edits.played > 0
		}
		if t.video {
			info.VideoDuration = max(info.VideoDuration, d)
			if !rated {
				info.FrameRate = t.frameRate(m.fragmented, m.complete)
			}
			rated = true
		} else {
			info.AudioDuration = max(info.AudioDuration, d)
		}
	}
	info.Duration = max(info.VideoDuration, info.AudioDuration)
	switch {
	case m.fragmented:
		// The movie header covers the part before the fragments, which is often
		// empty.
		info.Duration = max(info.Duration, span(m.extends, m.scale))
	case !edited:
		info.Duration = max(info.Duration, span(m.units, m.scale))
	}
	info.DurationUnknown = info.Duration == 0 && (m.fragmented || m.open)
}

// add returns a sum, or the largest number if it would overflow.
func add(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	if over != 0 {
		return math.MaxUint64
	}
	return sum
}
