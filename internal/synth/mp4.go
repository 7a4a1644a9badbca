package synth

import (
	"encoding/binary"
	"time"
)

// A video's time is counted in microseconds, so that any duration is exact to
// one. A frame takes 40 ms, and the last frame takes the rest.
const (
	mp4Scale = 1_000_000
	mp4Frame = 40_000
)

// MP4 returns a maker of the video with a number of padding bytes.
func MP4(s Spec) func(padding int) []byte {
	pic := mp4NewPicture(newFace(s))
	length := int((s.Duration + time.Microsecond - 1) / time.Microsecond)
	m := &mp4Movie{spec: s, length: length}
	m.sps, m.pps = pic.parameterSets()
	for n := range (length + mp4Frame - 1) / mp4Frame {
		nal := pic.repeat(n)
		if n == 0 {
			nal = pic.intra()
		}
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(nal)))
		m.sizes = append(m.sizes, len(nal)+4)
		m.media = append(append(m.media, frame...), nal...)
	}
	return m.file
}

type mp4Movie struct {
	spec     Spec
	length   int // µs
	sps, pps []byte
	sizes    []int // of the frames, in bytes
	media    []byte
}

func (m *mp4Movie) file(padding int) []byte {
	head := mp4Box("ftyp", []byte("isom\x00\x00\x02\x00isomiso2avc1mp41"))
	// The header has the offset of the media, which follows the header.
	start := len(head) + len(m.header(0)) + 8
	head = append(head, m.header(start)...)
	head = append(head, mp4Box("mdat", m.media)...)
	return append(head, mp4Box("uuid", []byte(boxUUID), Marker(m.spec), make([]byte, padding))...)
}

func mp4FindMarker(data []byte) []byte {
	for pos := 0; len(data)-pos >= 8; {
		n := uint64(binary.BigEndian.Uint32(data[pos:]))
		if n < 8 || n > uint64(len(data)-pos) {
			return nil
		}
		if body := data[pos+8 : pos+int(n)]; string(data[pos+4:pos+8]) == "uuid" &&
			len(body) > 16 && string(body[:16]) == boxUUID {
			return body[16:]
		}
		pos += int(n)
	}
	return nil
}

// header returns the movie box.
func (m *mp4Movie) header(start int) []byte {
	w, h, length := uint32(m.spec.Width), uint32(m.spec.Height), uint32(m.length)
	matrix := mp4Words(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30)
	return mp4Box("moov",
		mp4Box("mvhd", mp4Words(0, 0, 0, mp4Scale, length, 1<<16, 1<<24, 0, 0), matrix,
			mp4Words(0, 0, 0, 0, 0, 0, 2)), // the next track's ID
		mp4Box("trak",
			mp4Box("tkhd", mp4Words(3, 0, 0, 1, 0, length, 0, 0, 0, 0), matrix, mp4Words(w<<16, h<<16)),
			mp4Box("mdia",
				mp4Box("mdhd", mp4Words(0, 0, 0, mp4Scale, length, 0x55c4<<16)), // no language
				mp4Box("hdlr", mp4Words(0, 0), []byte("vide"), mp4Words(0, 0, 0), []byte("video\x00")),
				mp4Box("minf",
					mp4Box("vmhd", mp4Words(1, 0, 0)),
					mp4Box("dinf", mp4Box("dref", mp4Words(0, 1), mp4Box("url ", mp4Words(1)))),
					mp4Box("stbl", mp4Box("stsd", mp4Words(0, 1), m.description()), m.tables(start))))))
}

// description returns the sample entry, avc1.
func (m *mp4Movie) description() []byte {
	config := append([]byte{1}, m.sps[1:4]...) // profile and level
	config = append(config, 0xff, 0xe1)        // lengths of 4 bytes; one set
	config = append(binary.BigEndian.AppendUint16(config, uint16(len(m.sps))), m.sps...)
	config = append(binary.BigEndian.AppendUint16(append(config, 1), uint16(len(m.pps))), m.pps...)
	size := uint32(m.spec.Width)<<16 | uint32(m.spec.Height)
	return mp4Box("avc1",
		mp4Words(0, 1, 0, 0, 0, 0, size, 72<<16, 72<<16, 0), // 72 dots an inch
		[]byte{0, 1}, make([]byte, 32), []byte{0, 24, 0xff, 0xff}, // 24 bits, no palette
		mp4Box("avcC", config))
}

// tables returns the sample tables. All frames are in one chunk, and the first is
// the only key frame.
func (m *mp4Movie) tables(start int) []byte {
	n := uint32(len(m.sizes))
	last := uint32(m.length) - (n-1)*mp4Frame
	sizes := mp4Words(0, 0, n)
	for _, size := range m.sizes {
		sizes = binary.BigEndian.AppendUint32(sizes, uint32(size))
	}
	times := mp4Words(0, 1, n, mp4Frame)
	if last != mp4Frame && n > 1 {
		times = mp4Words(0, 2, n-1, mp4Frame, 1, last)
	} else if last != mp4Frame {
		times = mp4Words(0, 1, 1, last)
	}
	t := mp4Box("stts", times)
	t = append(t, mp4Box("stss", mp4Words(0, 1, 1))...)
	t = append(t, mp4Box("stsc", mp4Words(0, 1, 1, n, 1))...)
	t = append(t, mp4Box("stsz", sizes)...)
	return append(t, mp4Box("stco", mp4Words(0, 1, uint32(start)))...)
}

func mp4Box(kind string, parts ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// mp4Words returns 32-bit numbers, of which most boxes consist. In most boxes the
// first is the version and the flags.
func mp4Words(words ...uint32) (b []byte) {
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}
