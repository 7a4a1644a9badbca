package mediainfo_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func mp4Box(kind string, parts ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func words(ws ...uint32) (b []byte) {
	for _, w := range ws {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// rareMP4 uses what few writers do: 64-bit times, sizes and offsets, samples
// of one size, and a last box without a size.
type rareMP4 struct {
	units    uint64 // of a millisecond
	extra    []byte // in the movie box
	size     uint32 // of each sample
	samples  uint32
	timed    uint32
	offset   uint64
	lastSize []byte
}

func (r rareMP4) file() []byte {
	time64 := append(words(1<<24, 0, 0, 0, 0, 1000), binary.BigEndian.AppendUint64(nil, r.units)...)
	entry := append(words(86), "avc1"...)
	entry = append(append(entry, make([]byte, 24)...), words(64<<16|48)...)
	entry = append(entry, make([]byte, 50)...)
	stbl := mp4Box("stbl",
		mp4Box("stsd", words(0, 1), entry),
		mp4Box("stts", words(0, 1, r.timed, 40)),
		mp4Box("stsc", words(0, 1, 1, 2, 1)),
		mp4Box("stsz", words(0, r.size, r.samples)),
		mp4Box("co64", words(0, 1), binary.BigEndian.AppendUint64(nil, r.offset)))
	moov := mp4Box("moov", mp4Box("mvhd", time64, make([]byte, 76)), r.extra, mp4Box("trak", mp4Box("mdia",
		mp4Box("mdhd", time64), mp4Box("hdlr", words(0, 0), []byte("vide"), make([]byte, 13)), mp4Box("minf", stbl))))
	data := append(mp4Box("ftyp", []byte("isom\x00\x00\x02\x00")), moov...)
	return append(append(data, r.lastSize...), "12345678"...)
}

func TestRareButValidMP4sAreRead(t *testing.T) {
	t.Parallel()
	good := rareMP4{units: 80, size: 3, samples: 2, timed: 2, offset: 100, lastSize: []byte("\x00\x00\x00\x00mdat")}
	wide := good
	wide.lastSize = []byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x18")
	for _, r := range []rareMP4{good, wide} {
		data := r.file()
		assert.NoError(t, mediainfo.CheckStructure(data))
		info, err := mediainfo.Inspect(data)
		assert.NoError(t, err)
		assert.Equal(t, mediainfo.Info{
			Format: mediainfo.MP4, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1",
			Duration: 80 * time.Millisecond, VideoDuration: 80 * time.Millisecond,
		}, info)
	}
}

func TestAFragmentedMP4sDurationComesFromItsExtension(t *testing.T) {
	t.Parallel()
	for _, mehd := range [][]byte{words(0, 2500), words(1<<24, 0, 2500)} {
		r := rareMP4{units: 1<<64 - 1, extra: mp4Box("mvex", mp4Box("mehd", mehd)), lastSize: []byte("\x00\x00\x00\x00mdat")}
		info, err := mediainfo.Inspect(r.file())
		assert.NoError(t, err)
		assert.Equal(t, 2500*time.Millisecond, info.Duration)
	}
}

func TestMP4TablesThatContradictTheFileAreRefused(t *testing.T) {
	t.Parallel()
	good := rareMP4{units: 80, size: 3, samples: 2, timed: 2, offset: 100, lastSize: []byte("\x00\x00\x00\x00mdat")}
	for problem, change := range map[string]func(*rareMP4){
		"MP4: a sample lies outside the file":                 func(r *rareMP4) { r.size = 1<<32 - 1 },
		"MP4: the chunk tables leave samples without a place": func(r *rareMP4) { r.samples = 1<<32 - 1 },
		"MP4: no samples":                                     func(r *rareMP4) { r.samples, r.timed = 0, 0 },
		"MP4: ends inside a box":                              func(r *rareMP4) { r.lastSize = []byte("\x00\x00\x00\x40mdat") },
		"MP4: a box has an impossible size":                   func(r *rareMP4) { r.lastSize = []byte("\x00\x00\x00\x07mdat") },
		"MP4: a box is larger than the box that it is in":     func(r *rareMP4) { r.extra = []byte("\x7f\x00\x00\x00free") },
		"MP4: a sample table counts more entries than it has": func(r *rareMP4) { r.size = 0 },
		"MP4: more than one movie header (moov)":              func(r *rareMP4) { r.lastSize = []byte("\x00\x00\x00\x08moov\x00\x00\x00\x00mdat") },
		"MP4: the time table (stts) and the size table (stsz) differ in the number of samples": func(r *rareMP4) { r.timed = 3 },
	} {
		r := good
		change(&r)
		assert.EqualError(t, mediainfo.CheckStructure(r.file()), problem)
	}
	far := good
	far.offset = 1<<64 - 1
	assert.EqualError(t, mediainfo.CheckStructure(far.file()), "MP4: a sample lies outside the file")
}
