package mediainfo_test

import (
	"encoding/binary"
	"math"
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

// rareMP4 uses rare features: 64-bit times, sizes and offsets, samples of one
// size, and a last box without a size.
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
	stbl := mp4Box("stbl",
		mp4Box("stsd", words(0, 1), mp4VideoEntry()),
		mp4Box("stts", words(0, 1, r.timed, 40)),
		mp4Box("stsc", words(0, 1, 1, 2, 1)),
		mp4Box("stsz", words(0, r.size, r.samples)),
		mp4Box("co64", words(0, 1), binary.BigEndian.AppendUint64(nil, r.offset)))
	moov := mp4Box("moov", mp4Box("mvhd", time64, make([]byte, 76)), r.extra, mp4Box("trak", mp4Box("mdia",
		mp4Box("mdhd", time64), mp4Box("hdlr", words(0, 0), []byte("vide"), make([]byte, 13)), mp4Box("minf", stbl))))
	data := append(mp4Box("ftyp", []byte("isom\x00\x00\x02\x00")), moov...)
	return append(append(data, r.lastSize...), "12345678"...)
}

func TestInspect_RareMP4(t *testing.T) {
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
			Duration: 80 * time.Millisecond, VideoDuration: 80 * time.Millisecond, FrameRate: 25,
		}, info)
	}
}

func TestInspect_FragmentedMP4Duration(t *testing.T) {
	t.Parallel()
	for _, mehd := range [][]byte{words(0, 2500), words(1<<24, 0, 2500)} {
		r := rareMP4{units: 1<<64 - 1, extra: mp4Box("mvex", mp4Box("mehd", mehd)), lastSize: []byte("\x00\x00\x00\x00mdat")}
		info, err := mediainfo.Inspect(r.file())
		assert.NoError(t, err)
		assert.Equal(t, 2500*time.Millisecond, info.Duration)
	}
}

func TestCheckStructure_MP4TablesContradictFile(t *testing.T) {
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

// mp4Parts is a video of two samples of 3 bytes, with the movie header at the
// front. Each part is a whole box, so that a test can replace it. nil omits it.
type mp4Parts struct {
	front                              []byte // behind the ftyp box
	mvhd, mvex, tkhd, edts, mdia       []byte // mdia replaces all that is in it
	mdhd, hdlr, minf                   []byte // minf replaces everything in it
	stsd, stts, stsc, stsz, stco, last []byte // last is the sample table's last box
	fromEnd                            []uint32
	moovEnd, behind                    []byte
	noMoov                             bool
}

func mp4File(changes ...func(*mp4Parts)) []byte {
	p := mp4Parts{
		mvhd:    mp4Box("mvhd", mp4Time(80, 1000)),
		mdhd:    mp4Box("mdhd", mp4Time(80, 1000)),
		hdlr:    mp4Box("hdlr", words(0, 0), []byte("vide")),
		stsd:    mp4Box("stsd", words(0, 1), mp4VideoEntry()),
		stts:    mp4Box("stts", words(0, 1, 2, 40)),
		stsc:    mp4Box("stsc", words(0, 1, 1, 2, 1)),
		stsz:    mp4Box("stsz", words(0, 3, 2)),
		fromEnd: []uint32{6},
		behind:  mp4Box("mdat", []byte("abcdef")),
	}
	for _, change := range changes {
		change(&p)
	}
	// The offsets of the chunks follow from the size of the file, which does
	// not depend on them.
	data := p.build(make([]uint32, len(p.fromEnd)))
	places := make([]uint32, len(p.fromEnd))
	for i, n := range p.fromEnd {
		places[i] = uint32(len(data)) - n
	}
	return p.build(places)
}

func (p *mp4Parts) build(places []uint32) []byte {
	data := append(mp4Box("ftyp", []byte("isom\x00\x00\x02\x00")), p.front...)
	stco, minf, mdia := p.stco, p.minf, p.mdia
	if stco == nil {
		stco = mp4Box("stco", words(0, uint32(len(places))), words(places...))
	}
	if minf == nil {
		minf = mp4Box("minf", mp4Box("stbl", p.stsd, p.stts, p.stsc, p.stsz, stco, p.last))
	}
	if mdia == nil {
		mdia = mp4Box("mdia", p.mdhd, p.hdlr, minf)
	}
	if !p.noMoov {
		data = append(data, mp4Box("moov", p.mvhd, p.mvex, mp4Box("trak", p.tkhd, p.edts, mdia), p.moovEnd)...)
	}
	return append(data, p.behind...)
}

// mp4Time is the part of a time header that is read.
func mp4Time(units, scale uint32) []byte { return words(0, 0, 0, scale, units) }

// mp4Time64 is the same in 64 bits.
func mp4Time64(units uint64, scale uint32) []byte {
	return words(1<<24, 0, 0, 0, 0, scale, uint32(units>>32), uint32(units))
}

func mp4VideoEntry() []byte {
	return mp4VideoEntryOf("avc1", 64, 48, mp4Box("avcC", []byte{1, 77, 0, 10, 0xff, 0xe1, 0}))
}

func mp4VideoEntryOf(name string, width, height uint32, boxes ...[]byte) []byte {
	parts := [][]byte{make([]byte, 24), words(width<<16 | height), make([]byte, 50)}
	return mp4Box(name, append(parts, boxes...)...)
}

// mp4AudioEntry is an entry for mono in 16 bits.
func mp4AudioEntry(rate uint16) []byte {
	entry := append(words(36), "mp4a"...)
	return append(append(entry, make([]byte, 16)...), words(1<<16|16, 0, uint32(rate)<<16)...)
}

// mp4TrackHeader has an upright picture if there is no matrix.
func mp4TrackHeader(id uint32, matrix ...uint32) []byte {
	if matrix == nil {
		matrix = []uint32{1 << 16, 0, 0, 0, 1 << 16}
	}
	return mp4Box("tkhd", words(0, 0, 0, id, 0, 0, 0, 0, 0, 0), words(matrix...), words(0, 0, 0, 1<<30, 0, 0))
}

// mp4Fragment has n samples with the track's default duration.
func mp4Fragment(id, time, n uint32) []byte {
	return mp4Box("moof", mp4Box("traf",
		mp4Box("tfhd", words(0, id)), mp4Box("tfdt", words(0, time)), mp4Box("trun", words(0, n))))
}

// mp4Fragmented puts all samples into fragments of track 1, where they last 40 ms.
func mp4Fragmented(p *mp4Parts) {
	mp4Empty(p)
	p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(0, 1000)), mp4Box("mdhd", mp4Time(0, 1000))
	p.tkhd, p.mvex = mp4TrackHeader(1), mp4Box("mvex", mp4Box("trex", words(0, 1, 1, 40, 0, 0)))
}

// mp4Voice makes the track an audio track.
func mp4Voice(p *mp4Parts) {
	p.hdlr = mp4Box("hdlr", words(0, 0), []byte("soun"))
	p.stsd = mp4Box("stsd", words(0, 1), mp4AudioEntry(16_000))
}

func TestCheckStructure_MP4WithUnusualParts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*mp4Parts)
	}{
		{name: "nothing unusual", change: func(*mp4Parts) {}},
		{name: "sound", change: mp4Voice},
		{name: "bytes behind the last box", change: func(p *mp4Parts) { p.behind = append(p.behind, "\x00\x00\x00\x02made"...) }},
		{name: "fewer bytes than a box header behind the last box", change: func(p *mp4Parts) { p.behind = append(p.behind, "made it"...) }},
		{
			name:   "empty box with a 64-bit size at the end of the movie header",
			change: func(p *mp4Parts) { p.moovEnd = append(words(1), "free\x00\x00\x00\x00\x00\x00\x00\x10"...) },
		},
		{name: "empty box at the end of the movie header", change: func(p *mp4Parts) { p.moovEnd = mp4Box("free") }},
		{
			name: "empty media data at the end of the file",
			change: func(p *mp4Parts) {
				p.stsz, p.fromEnd, p.behind = mp4Box("stsz", words(0, 0, 2, 0, 0)), []uint32{0}, mp4Box("mdat")
			},
		},
		{name: "64-bit times", change: func(p *mp4Parts) {
			p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time64(80, 1000)), mp4Box("mdhd", mp4Time64(80, 1000))
		}},
		{name: "listed sizes", change: func(p *mp4Parts) { p.stsz = mp4Box("stsz", words(0, 0, 2, 1, 5)) }},
		{
			name: "empty samples at the end of the file",
			change: func(p *mp4Parts) {
				p.stsz, p.fromEnd = mp4Box("stsz", words(0, 0, 2, 0, 0)), []uint32{0}
			},
		},
		{
			// The chunks end at the end of the file, so that one more sample in
			// any of them is outside.
			name: "chunks of one sample and then of two",
			change: func(p *mp4Parts) {
				p.stts, p.stsz = mp4Box("stts", words(0, 1, 6, 40)), mp4Box("stsz", words(0, 3, 6))
				p.stsc, p.fromEnd = mp4Box("stsc", words(0, 2, 1, 1, 1, 3, 2, 1)), []uint32{3, 3, 6, 6}
			},
		},
		{
			name: "last chunk with fewer samples than its run gives",
			change: func(p *mp4Parts) {
				p.stsz = mp4Box("stsz", words(0, 0, 2, 3, 3))
				p.stsc, p.fromEnd = mp4Box("stsc", words(0, 2, 1, 1, 1, 2, 100, 1)), []uint32{3, 3}
			},
		},
		{
			name:   "chunk outside the file that no sample is in",
			change: func(p *mp4Parts) { p.fromEnd = []uint32{6, 1<<32 - 1} },
		},
		{
			name: "compact sizes of 4 bits",
			change: func(p *mp4Parts) {
				p.stts, p.stsc = mp4Box("stts", words(0, 1, 3, 40)), mp4Box("stsc", words(0, 1, 1, 3, 1))
				p.stsz = mp4Box("stz2", words(0, 4, 3), []byte{0x22, 0x20})
			},
		},
		{name: "compact sizes of 8 bits", change: func(p *mp4Parts) { p.stsz = mp4Box("stz2", words(0, 8, 2), []byte{3, 3}) }},
		{name: "compact sizes of 16 bits", change: func(p *mp4Parts) { p.stsz = mp4Box("stz2", words(0, 16, 2), []byte{0, 3, 0, 3}) }},
		{
			name: "samples in fragments",
			change: func(p *mp4Parts) {
				p.stts, p.stsc = mp4Box("stts", words(0, 0)), mp4Box("stsc", words(0, 0))
				p.stsz, p.fromEnd = mp4Box("stsz", words(0, 0, 0)), nil
				p.mvex = mp4Box("mvex", mp4Box("trex", words(0, 1, 1, 40, 0, 0)))
				p.tkhd, p.behind = mp4TrackHeader(1), append(mp4Fragment(1, 0, 2), p.behind...)
			},
		},
		{name: "times in several entries", change: func(p *mp4Parts) { p.stts = mp4Box("stts", words(0, 2, 1, 40, 1, 80)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.NoError(t, mediainfo.CheckStructure(mp4File(tt.change)))
		})
	}
}

func TestCheckStructure_UnreadableMP4(t *testing.T) {
	t.Parallel()
	const (
		tooShort = "MP4: a sample table is too short"
		tooMany  = "MP4: a sample table counts more entries than it has"
		tooLarge = "MP4: a box is larger than the box that it is in"
		outside  = "MP4: a sample lies outside the file"
		stsd     = "MP4: a track's sample description (stsd) is too short"
		times    = "MP4: a time header (mvhd or mdhd) is too short or of an unknown version"
	)
	oversized := []byte("\x00\x00\x00\x09free")
	for _, tt := range []struct {
		name       string
		change     func(*mp4Parts)
		drop       int // bytes to cut off the end
		problem    string
		incomplete bool
	}{
		{name: "cut behind the header of the media data", drop: 6, problem: "MP4: ends inside a box", incomplete: true},
		{
			name: "cut inside a box without a movie header", drop: 1, problem: "MP4: ends inside a box, and has no movie header (moov)",
			change: func(p *mp4Parts) { p.noMoov = true }, incomplete: true,
		},
		{name: "no movie header", problem: "MP4: no movie header (moov)", change: func(p *mp4Parts) { p.noMoov = true }},
		{
			name: "cut inside the movie header", drop: 15, problem: "MP4: ends inside the movie header (moov)", incomplete: true,
		},
		{
			name: "cut inside a 64-bit size", drop: 1, problem: "MP4: ends inside a box", incomplete: true,
			change: func(p *mp4Parts) {
				p.behind = append(p.behind, "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x18"...)
			},
		},
		{
			name: "64-bit size without room for it", problem: tooLarge,
			change: func(p *mp4Parts) { p.moovEnd = append(words(1), "free\x00\x00\x00\x00\x00\x00\x00"...) },
		},
		{
			name: "64-bit size smaller than its header", problem: "MP4: a box has an impossible size",
			change: func(p *mp4Parts) { p.moovEnd = append(words(1), "free\x00\x00\x00\x00\x00\x00\x00\x0f"...) },
		},
		{name: "no media data", problem: "MP4: no media data (mdat)", change: func(p *mp4Parts) { p.behind = mp4Box("free", []byte("abcdef")) }},
		{
			name: "movie header of an unknown version", problem: times,
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", words(2<<24, 0, 0, 1000, 80, 0, 0, 0)) },
		},
		{
			name: "movie header without its last byte", problem: times,
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time(80, 1000)[:19]) },
		},
		{
			name: "64-bit media header without its last byte", problem: times,
			change: func(p *mp4Parts) { p.mdhd = mp4Box("mdhd", mp4Time64(80, 1000)[:31]) },
		},
		{
			name: "time scale of 0", problem: "MP4: a time header (mvhd or mdhd) gives a time scale of 0",
			change: func(p *mp4Parts) { p.mdhd = mp4Box("mdhd", mp4Time(80, 0)) },
		},
		{name: "no media box", problem: "MP4: a track has no media box (mdia)", change: func(p *mp4Parts) { p.mdia = mp4Box("free") }},
		{name: "oversized box in a track", problem: tooLarge, change: func(p *mp4Parts) { p.mdia = oversized }},
		{
			name: "handler without its last byte", problem: "MP4: a track's handler (hdlr) is too short",
			change: func(p *mp4Parts) { p.hdlr = mp4Box("hdlr", words(0, 0), []byte("vid")) },
		},
		{
			name: "no media information", problem: "MP4: a track has no media information (minf)",
			change: func(p *mp4Parts) { p.minf = mp4Box("free") },
		},
		{
			name: "no sample description", problem: "MP4: a track has no sample description (stsd)",
			change: func(p *mp4Parts) { p.stsd = nil },
		},
		{
			name: "sample description of video without its last byte", problem: stsd,
			change: func(p *mp4Parts) { p.stsd = mp4Box("stsd", words(0, 1), mp4VideoEntry()[:85]) },
		},
		{
			name: "sample description of sound without its last byte", problem: stsd,
			change: func(p *mp4Parts) { mp4Voice(p); p.stsd = mp4Box("stsd", words(0, 1), mp4AudioEntry(16_000)[:35]) },
		},
		{name: "empty sample description", problem: stsd, change: func(p *mp4Parts) { p.stsd = mp4Box("stsd") }},
		{
			name: "no sample description in its table", problem: stsd,
			change: func(p *mp4Parts) { p.stsd = mp4Box("stsd", words(0, 0), mp4VideoEntry()) },
		},
		{name: "oversized box behind the sample tables", problem: tooLarge, change: func(p *mp4Parts) { p.last = oversized }},
		{name: "last sample beyond the end of the file", problem: outside, change: func(p *mp4Parts) { p.fromEnd = []uint32{5} }},
		{
			name: "last of listed samples beyond the end of the file", problem: outside,
			change: func(p *mp4Parts) { p.stsz, p.fromEnd = mp4Box("stsz", words(0, 0, 2, 1, 5)), []uint32{5} },
		},
		{
			name: "empty samples beyond the end of the file", problem: outside,
			change: func(p *mp4Parts) { p.stsz, p.fromEnd = mp4Box("stsz", words(0, 0, 2, 0, 0)), []uint32{1<<32 - 1} },
		},
		{
			name: "no runs of chunks", problem: "MP4: the sample-to-chunk table (stsc) is empty",
			change: func(p *mp4Parts) { p.stsc = mp4Box("stsc", words(0, 0)) },
		},
		{
			name: "fewer chunks than the samples need", problem: "MP4: the chunk tables leave samples without a place",
			change: func(p *mp4Parts) { p.stsc = mp4Box("stsc", words(0, 1, 1, 1, 1)) },
		},
		{name: "chunk table without its count", problem: tooShort, change: func(p *mp4Parts) { p.stco = mp4Box("stco", words(0), []byte{0, 0, 0}) }},
		{name: "chunk table without its last entry", problem: tooMany, change: func(p *mp4Parts) { p.stco = mp4Box("stco", words(0, 2, 24)) }},
		{name: "time table without its last entry", problem: tooMany, change: func(p *mp4Parts) { p.stts = mp4Box("stts", words(0, 1, 2)) }},
		{name: "size table without its count", problem: tooShort, change: func(p *mp4Parts) { p.stsz = mp4Box("stsz", words(0, 3), []byte{0, 0, 0}) }},
		{name: "size table without its last entry", problem: tooMany, change: func(p *mp4Parts) { p.stsz = mp4Box("stsz", words(0, 0, 2, 3)) }},
		{
			name: "compact size table without its last byte", problem: tooMany,
			change: func(p *mp4Parts) { p.stsz = mp4Box("stz2", words(0, 4, 3), []byte{0x22}) },
		},
		{
			name: "compact sizes of no bits", problem: "MP4: a compact size table (stz2) has an impossible width",
			change: func(p *mp4Parts) { p.stsz = mp4Box("stz2", words(0, 0, 2)) },
		},
		{
			name: "compact sizes of 32 bits", problem: "MP4: a compact size table (stz2) has an impossible width",
			change: func(p *mp4Parts) { p.stsz = mp4Box("stz2", words(0, 32, 2, 3, 3)) },
		},
		{
			name: "fewer times than samples", problem: "MP4: the time table (stts) and the size table (stsz) differ in the number of samples",
			change: func(p *mp4Parts) { p.stts = mp4Box("stts", words(0, 1, 1, 40)) },
		},
		{name: "no samples and no fragments", problem: "MP4: no samples", change: mp4Empty},
		{name: "no samples though fragments are announced", problem: "MP4: no samples", change: func(p *mp4Parts) { mp4Empty(p); p.mvex = mp4Box("mvex") }},
		{name: "no samples though there is a fragment", problem: "MP4: no samples", change: func(p *mp4Parts) { mp4Empty(p); p.front = mp4Box("moof") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*mp4Parts)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			data := mp4File(changes...)
			wantError(t, mediainfo.CheckStructure(data[:len(data)-tt.drop]), tt.problem, tt.incomplete)
		})
	}
}

// mp4Empty keeps the tables without samples.
func mp4Empty(p *mp4Parts) {
	p.stts, p.stsc = mp4Box("stts", words(0, 0)), mp4Box("stsc", words(0, 0))
	p.stsz, p.fromEnd = mp4Box("stsz", words(0, 0, 0)), nil
}

func TestCheckStructure_FirstBoxOfImpossibleSize(t *testing.T) {
	t.Parallel()
	data := append([]byte("\x00\x00\x00\x03wide"), mp4File()...)
	wantError(t, mediainfo.CheckStructure(data), "QuickTime: a box has an impossible size", false)
}

func TestInspect_MP4FaultOutsideMovieHeader(t *testing.T) {
	t.Parallel()
	want := mediainfo.Info{
		Format: mediainfo.MP4, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1",
		Duration: 80 * time.Millisecond, VideoDuration: 80 * time.Millisecond, FrameRate: 25,
	}
	for _, tt := range []struct {
		name   string
		behind []byte
	}{
		{name: "stops behind the movie header"},
		{name: "impossible size behind the movie header", behind: []byte("\x00\x00\x00\x07mdat")},
		{name: "stops inside a 64-bit size behind the movie header", behind: []byte("\x00\x00\x00\x01mdat\x00")},
		{name: "second movie header", behind: mp4Box("moov")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(mp4File(func(p *mp4Parts) { p.behind = tt.behind }))
			assert.NoError(t, err)
			assert.Equal(t, want, info)
		})
	}
}

func TestInspect_MP4UnreadableMovieHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		change     func(*mp4Parts)
		problem    string
		incomplete bool
	}{
		{
			name: "impossible size in front of the movie header", problem: "MP4: a box has an impossible size",
			change: func(p *mp4Parts) { p.front = []byte("\x00\x00\x00\x07mdat") },
		},
		{
			name: "no movie header", problem: "MP4: no movie header (moov)", incomplete: true,
			change: func(p *mp4Parts) { p.noMoov = true },
		},
		{
			name: "movie header of an unknown version", problem: "MP4: a time header (mvhd or mdhd) is too short or of an unknown version",
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", words(2<<24, 0, 0, 1000, 80)) },
		},
		{name: "no track", problem: "MP4: no track", change: func(p *mp4Parts) { p.front, p.noMoov = mp4Box("moov"), true }},
		{
			name: "no movie header box", problem: "MP4: no movie header box (mvhd), which has the time scale",
			change: func(p *mp4Parts) { p.mvhd = nil },
		},
		{
			name: "time scale of 0", problem: "MP4: a time header (mvhd or mdhd) gives a time scale of 0",
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time(80, 0)) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := mediainfo.Inspect(mp4File(tt.change))
			wantError(t, err, tt.problem, tt.incomplete)
		})
	}
}

func TestInspect_MP4Duration(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	mehd := func(body []byte) func(*mp4Parts) {
		return func(p *mp4Parts) {
			p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(0, 1000)), mp4Box("mdhd", mp4Time(30, 1000))
			p.mvex = mp4Box("mvex", mp4Box("mehd", body))
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*mp4Parts)
		want   time.Duration
		open   bool
	}{
		{name: "of the movie header", want: 90 * ms, change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time(90, 1000)) }},
		{name: "of the track where the movie header leaves it open", want: 80 * ms, change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time(1<<32-1, 1000)) }},
		{
			name: "of the track where a 64-bit movie header leaves it open", want: 80 * ms,
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time64(1<<64-1, 1000)) },
		},
		{
			name: "one less than what stands for an open one", want: 4_294_967_294 * time.Microsecond,
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time(1<<32-2, 1_000_000)) },
		},
		{
			// 2e10 s are more nanoseconds than 64 bits can count, by less than
			// twice.
			name: "more nanoseconds than 64 bits count", want: 1000 * time.Hour,
			change: func(p *mp4Parts) { p.mvhd = mp4Box("mvhd", mp4Time64(20_000_000_000, 1)) },
		},
		{name: "of the fragments", want: 2500 * ms, change: mehd(words(0, 2500))},
		{name: "of the fragments in 64 bits", want: 2500 * ms, change: mehd(words(1<<24, 0, 2500))},
		{name: "of the track where that of the fragments is cut", want: 30 * ms, change: mehd([]byte{0, 0, 0, 0, 0, 0, 1})},
		{
			name: "of the track where that of the fragments in 64 bits is cut", want: 30 * ms,
			change: mehd(append(words(1<<24, 1), 0, 0, 0)),
		},
		{
			name: "of the fragments where they come in front of the movie header box", want: 2500 * ms,
			change: func(p *mp4Parts) {
				p.mvhd, p.mvex = mp4Box("mvex", mp4Box("mehd", words(0, 2500))), mp4Box("mvhd", mp4Time(0, 1000))
			},
		},
		{
			name: "of a fragmented file whose headers give none", open: true,
			change: func(p *mp4Parts) {
				p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(0, 1000)), mp4Box("mdhd", mp4Time(0, 1000))
				p.mvex = mp4Box("mvex")
			},
		},
		{
			name: "of a file that all headers leave open", open: true,
			change: func(p *mp4Parts) {
				p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(1<<32-1, 1000)), mp4Box("mdhd", mp4Time(1<<32-1, 1000))
			},
		},
		{
			name: "of a file whose movie header leaves it open in 64 bits", open: true,
			change: func(p *mp4Parts) {
				p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time64(1<<64-1, 1000)), mp4Box("mdhd", mp4Time(0, 1000))
			},
		},
		{
			name: "of a file whose track leaves it open", open: true,
			change: func(p *mp4Parts) {
				p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(0, 1000)), mp4Box("mdhd", mp4Time64(1<<64-1, 1000))
			},
		},
		{
			name: "of a file whose headers say that it is empty",
			change: func(p *mp4Parts) {
				p.mvhd, p.mdhd = mp4Box("mvhd", mp4Time(0, 1000)), mp4Box("mdhd", mp4Time(0, 1000))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(mp4File(tt.change))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration)
			assert.Equal(t, tt.open, info.DurationUnknown, "DurationUnknown")
		})
	}
}

// quickTimeSound is a version 2 sound description of floating-point samples.
func quickTimeSound(rate float64, channels, depth uint32) []byte {
	entry := append(words(72), "lpcm"...)
	entry = append(append(entry, make([]byte, 8)...), words(2<<16, 0, 3<<16|16, 0xfffe<<16, 1<<16, 72)...)
	entry = binary.BigEndian.AppendUint64(entry, math.Float64bits(rate))
	return append(entry, words(channels, 0x7f000000, depth, 1, 4*channels, 1)...)
}

func TestInspect_MP4SampleRate(t *testing.T) {
	t.Parallel()
	sound := func(scale uint32, entry []byte) func(*mp4Parts) {
		return func(p *mp4Parts) {
			mp4Voice(p)
			p.mdhd, p.stsd = mp4Box("mdhd", mp4Time(0, scale)), mp4Box("stsd", words(0, 1), entry)
		}
	}
	for _, tt := range []struct {
		name                  string
		change                func(*mp4Parts)
		rate, channels, depth int
	}{
		{name: "16 kHz", change: sound(16_000, mp4AudioEntry(16_000)), rate: 16_000, channels: 1, depth: 16},
		{name: "highest of 16 bits", change: sound(65_535, mp4AudioEntry(65_535)), rate: 65_535, channels: 1, depth: 16},
		{name: "16 kHz on another time scale", change: sound(96_000, mp4AudioEntry(16_000)), rate: 16_000, channels: 1, depth: 16},
		{name: "88.2 kHz, left out", change: sound(88_200, mp4AudioEntry(0)), rate: 88_200, channels: 1, depth: 16},
		{name: "96 kHz, left out", change: sound(96_000, mp4AudioEntry(0)), rate: 96_000, channels: 1, depth: 16},
		{name: "96 kHz, its upper bits lost", change: sound(96_000, mp4AudioEntry(96_000-65_536)), rate: 96_000, channels: 1, depth: 16},
		{name: "192 kHz, its upper bits lost", change: sound(192_000, mp4AudioEntry(192_000-2*65_536)), rate: 192_000, channels: 1, depth: 16},
		{name: "left out on a time scale that is no rate", change: sound(90_000, mp4AudioEntry(0)), channels: 1, depth: 16},
		{name: "96 kHz in a version 2 description", change: sound(1000, quickTimeSound(96_000, 2, 32)), rate: 96_000, channels: 2, depth: 32},
		{name: "44.1 kHz in a version 2 description", change: sound(1000, quickTimeSound(44_100, 6, 24)), rate: 44_100, channels: 6, depth: 24},
		{name: "lowest", change: sound(1000, quickTimeSound(1, 1, 16)), rate: 1, channels: 1, depth: 16},
		{name: "highest", change: sound(1000, quickTimeSound(10_000_000, 1, 16)), rate: 10_000_000, channels: 1, depth: 16},
		{name: "above the highest", change: sound(1000, quickTimeSound(10_000_001, 1, 16))},
		{name: "not a number", change: sound(1000, quickTimeSound(math.NaN(), 1, 16))},
		{name: "version 2 without its last byte that matters", change: sound(1000, quickTimeSound(96_000, 2, 32)[:59])},
		{name: "version 2 up to its last byte that matters", change: sound(1000, quickTimeSound(96_000, 2, 32)[:60]), rate: 96_000, channels: 2, depth: 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(mp4File(tt.change))
			assert.NoError(t, err)
			assert.Equal(t, tt.rate, info.SampleRate, "SampleRate")
			assert.Equal(t, tt.channels, info.Channels, "Channels")
			assert.Equal(t, tt.depth, info.BitsPerSample, "BitsPerSample")
		})
	}
}
