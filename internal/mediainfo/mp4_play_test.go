package mediainfo_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

const ms = time.Millisecond

func TestInspect_MP4OfOtherWriters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                   string
		video, audio, duration time.Duration
		rate                   int
		rotation               int
	}{
		{name: "edit.mp4", video: 500 * ms, duration: 500 * ms},
		{name: "fragmented.mp4", video: 400 * ms, duration: 400 * ms},
		{name: "frag-moov.mp4", video: 400 * ms, duration: 400 * ms},
		{name: "sidx.mp4", video: 400 * ms, duration: 400 * ms},
		{name: "rotated.mp4", video: 400 * ms, duration: 400 * ms, rotation: 270},
		{name: "rate96.m4a", audio: 100 * ms, duration: 100 * ms, rate: 96_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := file(t, tt.name)
			info, err := inspectBoth(t, data)
			assert.NoError(t, err)
			assert.Equal(t, tt.video, info.VideoDuration, "VideoDuration")
			assert.Equal(t, tt.audio, info.AudioDuration, "AudioDuration")
			assert.Equal(t, tt.duration, info.Duration, "Duration")
			assert.False(t, info.DurationUnknown, "DurationUnknown")
			assert.Equal(t, tt.rate, info.SampleRate, "SampleRate")
			assert.Equal(t, tt.rotation, info.Rotation, "Rotation")
			if info.HasVideo {
				assert.InDelta(t, 25, info.FrameRate, 1e-9, "FrameRate")
			}
			assert.NoError(t, mediainfo.CheckStructure(data))
		})
	}
}

// mp4Edit is an edit list of entries of three numbers each.
func mp4Edit(entries ...uint32) []byte {
	return mp4Box("edts", mp4Box("elst", words(0, uint32(len(entries)/3)), words(entries...)))
}

func TestInspect_MP4EditList(t *testing.T) {
	t.Parallel()
	const empty, once = 1<<32 - 1, 1 << 16
	for _, tt := range []struct {
		name   string
		edts   []byte
		movie  uint32 // the duration in the movie header, in ms
		change func(*mp4Parts)
		want   time.Duration
		video  time.Duration
	}{
		{name: "none", movie: 80, want: 80 * ms, video: 80 * ms},
		{name: "the end alone", edts: mp4Edit(30, 50, once), movie: 80, want: 30 * ms, video: 30 * ms},
		{name: "two parts", edts: mp4Edit(30, 50, once, 20, 0, once), movie: 80, want: 50 * ms, video: 50 * ms},
		{name: "empty time in front", edts: mp4Edit(1000, empty, once, 80, 0, once), movie: 80, want: 1080 * ms, video: 1080 * ms},
		{name: "up to the end", edts: mp4Edit(0, 50, once), movie: 30, want: 30 * ms, video: 30 * ms},
		{name: "up to the end, in a longer movie", edts: mp4Edit(0, 50, once), movie: 80, want: 80 * ms, video: 30 * ms},
		{name: "from behind the end", edts: mp4Edit(0, 81, once), movie: 40, want: 40 * ms},
		{name: "less than nothing", edts: mp4Edit(1<<32-1000, 20, once), movie: 60, want: 60 * ms, video: 60 * ms},
		{
			name: "64 bits", movie: 80, want: 30 * ms, video: 30 * ms,
			edts: mp4Box("edts", mp4Box("elst", words(1<<24, 2, 0, 10, 1<<32-1, 1<<32-1, once, 0, 20, 0, 50, once))),
		},
		{name: "fewer entries than it counts", edts: mp4Box("edts", mp4Box("elst", words(0, 2, 30, 50, once))), movie: 80, want: 30 * ms, video: 30 * ms},
		{name: "more entries than it counts", edts: mp4Box("edts", mp4Box("elst", words(0, 1, 30, 50, once, 20, 0, once))), movie: 80, want: 30 * ms, video: 30 * ms},
		{name: "without its count", edts: mp4Box("edts", mp4Box("elst", words(0))), movie: 80, want: 80 * ms, video: 80 * ms},
		{name: "empty", edts: mp4Box("edts"), movie: 80, want: 80 * ms, video: 80 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, mp4File(func(p *mp4Parts) {
				p.mvhd, p.edts = mp4Box("mvhd", mp4Time(tt.movie, 1000)), tt.edts
			}))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration, "Duration")
			assert.Equal(t, tt.video, info.VideoDuration, "VideoDuration")
			assert.Equal(t, 25.0, info.FrameRate, "FrameRate is the media's")
		})
	}
}

func TestInspect_MP4Fragments(t *testing.T) {
	t.Parallel()
	const moov = 40 * ms * 2 // the duration before the fragments in mp4File
	media := mp4Box("mdat", make([]byte, 8))
	mehd := func(units uint32) func(*mp4Parts) {
		return func(p *mp4Parts) {
			p.mvex = mp4Box("mvex", mp4Box("mehd", words(0, units)), mp4Box("trex", words(0, 1, 1, 40, 0, 0)))
		}
	}
	traf := func(parts ...[]byte) []byte { return mp4Box("moof", mp4Box("traf", parts...)) }
	tfhd, trun := mp4Box("tfhd", words(0, 1)), mp4Box("trun", words(0, 5))
	for _, tt := range []struct {
		name   string
		keep   bool // keep the samples of the movie header
		change func(*mp4Parts)
		behind []byte
		want   time.Duration
		open   bool
	}{
		{name: "none", open: true},
		{name: "one", behind: mp4Fragment(1, 0, 5), want: 200 * ms},
		{name: "two", behind: append(mp4Fragment(1, 0, 5), mp4Fragment(1, 200, 5)...), want: 400 * ms},
		{name: "without times", behind: bytes.Repeat(traf(tfhd, trun), 3), want: 600 * ms},
		{
			name: "duration in the media header without a sample there", behind: bytes.Repeat(traf(tfhd, trun), 3), want: 600 * ms,
			change: func(p *mp4Parts) { p.mdhd = mp4Box("mdhd", mp4Time(700, 1000)) },
		},
		{name: "several runs", behind: traf(tfhd, trun, trun), want: 400 * ms},
		{name: "gap", behind: append(mp4Fragment(1, 0, 5), mp4Fragment(1, 800, 5)...), want: 1000 * ms},
		{name: "recording that begins late", behind: append(mp4Fragment(1, 90_000, 5), mp4Fragment(1, 90_200, 5)...), want: 400 * ms},
		{name: "64-bit time", behind: append(mp4Fragment(1, 0, 5), traf(tfhd, mp4Box("tfdt", words(1<<24, 0, 300)), trun)...), want: 500 * ms},
		{
			name: "own duration of the samples", want: 500 * ms,
			behind: traf(mp4Box("tfhd", words(8, 1, 100)), trun),
		},
		{
			name: "own duration behind all other fields", want: 500 * ms,
			behind: traf(mp4Box("tfhd", words(1|2|8, 1, 0, 0, 1, 100)), trun),
		},
		{
			name: "listed durations", want: 70 * ms,
			behind: traf(tfhd, mp4Box("trun", words(0x100, 2, 30, 40))),
		},
		{
			name: "listed durations among all other fields", want: 70 * ms,
			behind: traf(tfhd, mp4Box("trun", words(0xf05, 2, 1, 1, 30, 7, 7, 7, 40, 7, 7, 7))),
		},
		{name: "listed sizes", behind: traf(tfhd, mp4Box("trun", words(0x200, 2, 30, 40))), want: 80 * ms},
		{name: "another track", behind: mp4Fragment(2, 0, 5), open: true},
		{name: "run in front of the header", behind: traf(trun, tfhd), open: true},
		{name: "behind the samples of the movie header", keep: true, behind: traf(tfhd, trun), want: moov + 200*ms},
		{name: "behind the samples of the movie header, with a time", keep: true, behind: mp4Fragment(1, 80, 5), want: moov + 200*ms},
		{name: "stops behind the movie header", keep: true, want: moov},
		{name: "fewer than announced", change: mehd(2500), behind: mp4Fragment(1, 0, 5), want: 2500 * ms},
		{name: "more than announced", change: mehd(100), behind: mp4Fragment(1, 0, 5), want: 200 * ms},
		{
			name: "start that is not played", behind: mp4Fragment(1, 0, 5), want: 150 * ms,
			change: func(p *mp4Parts) { p.edts = mp4Edit(0, 50, 1<<16) },
		},
		{
			name: "list that gives the movie header's duration", behind: mp4Fragment(1, 0, 5), want: 1200 * ms,
			change: func(p *mp4Parts) { p.edts = mp4Edit(1000, 1<<32-1, 1<<16, 80, 0, 1<<16) },
		},
		{
			// The movie header covers the first samples only.
			name: "cut behind the first", open: true, keep: true,
			behind: append(mp4Fragment(1, 80, 5), "\x00\x00\x01\x00moof"...),
		},
		{name: "cut media", open: true, behind: append(mp4Fragment(1, 0, 5), "\x00\x00\x01\x00mdat"...)},
		{name: "more than are read", open: true, keep: true, behind: bytes.Repeat(append(mp4Fragment(1, 80, 5), mp4Box("mdat", make([]byte, 2000))...), 80)},
		{
			name: "more than are read, announced", want: 2500 * ms, change: mehd(2500),
			behind: bytes.Repeat(append(mp4Fragment(1, 80, 5), mp4Box("mdat", make([]byte, 2000))...), 80),
		},
		{name: "header without its last byte", open: true, behind: traf(mp4Box("tfhd", words(0), []byte{0, 0, 1}), trun)},
		{name: "header without the duration that it has", open: true, behind: traf(mp4Box("tfhd", words(8, 1), []byte{0, 0, 1}), trun)},
		{name: "time without its last byte", open: true, behind: traf(tfhd, mp4Box("tfdt", words(0), []byte{0, 0, 1}), trun)},
		{name: "64-bit time without its last byte", open: true, behind: traf(tfhd, mp4Box("tfdt", words(1<<24, 0), []byte{0, 0, 1}), trun)},
		{name: "run without its last byte", open: true, behind: traf(tfhd, mp4Box("trun", words(0), []byte{0, 0, 1}))},
		{name: "run without its last entry", open: true, behind: traf(tfhd, mp4Box("trun", words(0x100, 2, 40)))},
		{name: "run without the place of its data", open: true, behind: traf(tfhd, mp4Box("trun", words(1, 1)))},
		{name: "largest run", behind: traf(tfhd, mp4Box("trun", words(0, 1<<32-1))), want: 1000 * time.Hour},
		{name: "sum above 64 bits", behind: bytes.Repeat(traf(mp4Box("tfhd", words(8, 1, 1<<32-1)), mp4Box("trun", words(0, 1<<32-1))), 3), want: 1000 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := mp4File(func(p *mp4Parts) {
				if tt.keep {
					p.tkhd, p.mvex = mp4TrackHeader(1), mp4Box("mvex", mp4Box("trex", words(0, 1, 1, 40, 0, 0)))
				} else {
					mp4Fragmented(p)
				}
				if tt.change != nil {
					tt.change(p)
				}
				p.behind = append(bytes.Clone(media), tt.behind...)
			})
			info, err := inspectBoth(t, data)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration, "Duration")
			assert.Equal(t, tt.open, info.DurationUnknown, "DurationUnknown")
			if tt.open {
				assert.Zero(t, info.VideoDuration, "VideoDuration")
				assert.Zero(t, info.FrameRate, "FrameRate")
			}
		})
	}
}

// mp4Index is an index of segments of these sizes, each of 300 ms.
func mp4Index(id, first uint32, sizes ...uint32) []byte {
	p := words(0, id, 1000, 0, first, uint32(len(sizes)))
	for _, size := range sizes {
		p = append(p, words(size, 300, 1<<31)...)
	}
	return mp4Box("sidx", p)
}

func TestInspect_MP4Index(t *testing.T) {
	t.Parallel()
	// There are more fragments than are read, in two halves.
	half := bytes.Repeat(append(mp4Fragment(1, 0, 5), mp4Box("mdat", make([]byte, 2000))...), 40)
	n := uint32(len(half))
	both := append(bytes.Clone(half), half...)
	wide := func(tail ...byte) []byte {
		p := words(1<<24, 1, 1000, 0, 0, 0, 0, 2)
		return mp4Box("sidx", append(p, append(words(n, 300, 0, n, 300), tail...)...))
	}
	for _, tt := range []struct {
		name   string
		behind [][]byte
		want   time.Duration // 0 means open
	}{
		{name: "of all segments", behind: [][]byte{mp4Index(1, 0, n, n), both}, want: 600 * ms},
		{name: "in 64 bits", behind: [][]byte{wide(0, 0, 0, 0), both}, want: 600 * ms},
		{name: "in 64 bits without its last entry", behind: [][]byte{wide(), both}},
		{name: "of all in one segment", behind: [][]byte{mp4Index(1, 0, 2*n), both}, want: 300 * ms},
		{name: "of all segments, behind another index", behind: [][]byte{mp4Index(1, 56, n, n), mp4Index(2, 0, n, n), both}, want: 600 * ms},
		{name: "with a random access box behind the segments", behind: [][]byte{mp4Index(1, 0, n, n), both, mp4Box("mfra", make([]byte, 8))}, want: 600 * ms},
		{name: "of one half", behind: [][]byte{mp4Index(1, 0, n), both}},
		{name: "of a quarter in two segments", behind: [][]byte{mp4Index(1, 0, n/40, n/40), both}},
		{name: "beyond the end", behind: [][]byte{mp4Index(1, 0, n, n+1), both}},
		{name: "of another track", behind: [][]byte{mp4Index(2, 0, n, n), both}},
		{name: "of nothing", behind: [][]byte{mp4Index(1, 2*n), both}},
		{name: "without its count", behind: [][]byte{mp4Box("sidx", words(0, 1, 1000, 0, 0), []byte{0, 0, 0}), both}},
		{name: "time scale of 0", behind: [][]byte{mp4Box("sidx", words(0, 1, 0, 0, 0, 2, n, 300, 0, n, 300, 0)), both}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, mp4File(mp4Fragmented, func(p *mp4Parts) { p.behind = bytes.Join(tt.behind, nil) }))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration, "Duration")
			assert.Equal(t, tt.want, info.VideoDuration, "VideoDuration")
			assert.Equal(t, tt.want == 0, info.DurationUnknown, "DurationUnknown")
		})
	}
}

func TestInspect_MP4Rotation(t *testing.T) {
	t.Parallel()
	const one, minus = 1 << 16, 1<<32 - 1<<16
	quarter := []uint32{0, one, 0, minus, 0}
	movie := func(matrix ...uint32) []byte {
		return mp4Box("mvhd", mp4Time(80, 1000), make([]byte, 16), words(matrix...), make([]byte, 40))
	}
	for _, tt := range []struct {
		name string
		tkhd []byte
		mvhd []byte
		want int
	}{
		{name: "upright", tkhd: mp4TrackHeader(1)},
		{name: "quarter turn clockwise", tkhd: mp4TrackHeader(1, quarter...), want: 90},
		{name: "half turn", tkhd: mp4TrackHeader(1, minus, 0, 0, 0, minus), want: 180},
		{name: "quarter turn anticlockwise", tkhd: mp4TrackHeader(1, 0, minus, 0, one, 0), want: 270},
		{name: "mirrored", tkhd: mp4TrackHeader(1, minus, 0, 0, 0, one)},
		{name: "mirrored at a diagonal", tkhd: mp4TrackHeader(1, 0, one, 0, one, 0)},
		{name: "64-bit header", tkhd: mp4Box("tkhd", words(1<<24, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0), words(quarter...), words(0)), want: 90},
		{name: "of the movie", tkhd: mp4TrackHeader(1), mvhd: movie(quarter...), want: 90},
		{name: "of the movie and of the track", tkhd: mp4TrackHeader(1, 0, minus, 0, one, 0), mvhd: movie(minus, 0, 0, 0, minus), want: 90},
		{name: "header without a matrix", tkhd: mp4Box("tkhd", words(0, 0, 0, 1, 0, 0))},
		{name: "header without its number", tkhd: mp4Box("tkhd", words(0, 0, 0))},
		{name: "no header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, mp4File(func(p *mp4Parts) {
				p.tkhd = tt.tkhd
				if tt.mvhd != nil {
					p.mvhd = tt.mvhd
				}
			}))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Rotation)
			assert.Equal(t, 64, info.Width, "as stored")
		})
	}
}

func TestInspect_MP4Tracks(t *testing.T) {
	t.Parallel()
	track := func(kind string, units uint32, entry []byte) []byte {
		return mp4Box("trak", mp4Box("mdia", mp4Box("mdhd", mp4Time(units, 1000)), mp4Box("hdlr", words(0, 0), []byte(kind)),
			mp4Box("minf", mp4Box("stbl", mp4Box("stsd", words(0, 1), entry)))))
	}
	sound := track("soun", 700, mp4AudioEntry(16_000))
	info, err := inspectBoth(t, mp4File(func(p *mp4Parts) {
		p.moovEnd = bytes.Join([][]byte{track("text", 9000, nil), track("vide", 90, mp4VideoEntry()), sound}, nil)
	}))
	assert.NoError(t, err)
	assert.Equal(t, 90*ms, info.VideoDuration)
	assert.Equal(t, 700*ms, info.AudioDuration)
	assert.Equal(t, 700*ms, info.Duration)
	_, err = inspectBoth(t, mp4File(func(p *mp4Parts) { p.moovEnd = bytes.Repeat(sound, 7) }))
	assert.NoError(t, err)
	_, err = inspectBoth(t, mp4File(func(p *mp4Parts) { p.moovEnd = bytes.Repeat(sound, 8) }))
	wantError(t, err, "MP4: more tracks of video and sound than any player has use for", false)
}

func TestCheckStructure_UndecodableMP4(t *testing.T) {
	t.Parallel()
	avcC := mp4Box("avcC", []byte{1, 77, 0, 10, 0xff, 0xe1, 0})
	entry := func(e []byte) func(*mp4Parts) {
		return func(p *mp4Parts) { p.stsd = mp4Box("stsd", words(0, 1), e) }
	}
	const none, noSet = "MP4: no decoder configuration (avcC) for the H.264 video", "MP4: the decoder configuration (avcC) has no parameter set"
	for _, tt := range []struct {
		name    string
		change  func(*mp4Parts)
		problem string
	}{
		{name: "H.264", change: entry(mp4VideoEntryOf("avc1", 64, 48, avcC))},
		{name: "configuration behind another box", change: entry(mp4VideoEntryOf("avc1", 64, 48, mp4Box("pasp", words(1, 1)), avcC))},
		{name: "no configuration", change: entry(mp4VideoEntryOf("avc1", 64, 48)), problem: none},
		{name: "no configuration with parameter sets among the pictures", change: entry(mp4VideoEntryOf("avc3", 64, 48)), problem: none},
		{name: "other codec", change: entry(mp4VideoEntryOf("mp4v", 64, 48))},
		{name: "cut configuration", change: entry(mp4VideoEntryOf("avc1", 64, 48, mp4Box("avcC", []byte{1, 77, 0, 10, 0xff, 0xe1}))), problem: noSet},
		{name: "configuration of another version", change: entry(mp4VideoEntryOf("avc1", 64, 48, mp4Box("avcC", []byte{2, 77, 0, 10, 0xff, 0xe1, 0}))), problem: noSet},
		{name: "configuration without a parameter set", change: entry(mp4VideoEntryOf("avc1", 64, 48, mp4Box("avcC", []byte{1, 77, 0, 10, 0xff, 0xe0, 0}))), problem: noSet},
		{name: "parameter sets among the pictures", change: entry(mp4VideoEntryOf("avc3", 64, 48, mp4Box("avcC", []byte{1, 77, 0, 10, 0xff, 0xe0, 0})))},
		{name: "no width", change: entry(mp4VideoEntryOf("avc1", 0, 48, avcC)), problem: "MP4: the sample description gives an empty picture"},
		{name: "no height", change: entry(mp4VideoEntryOf("avc1", 64, 0, avcC)), problem: "MP4: the sample description gives an empty picture"},
		{
			name: "sound alone has samples", problem: "MP4: no samples of video",
			change: func(p *mp4Parts) {
				sound := *p
				mp4Voice(&sound)
				tables := mp4Box("stco", words(0, 1, 24))
				p.moovEnd = mp4Box("trak", mp4Box("mdia", sound.mdhd, sound.hdlr,
					mp4Box("minf", mp4Box("stbl", sound.stsd, sound.stts, sound.stsc, sound.stsz, tables))))
				mp4Empty(p)
			},
		},
		{
			name: "description smaller than its fixed part", problem: "MP4: a track's sample description (stsd) is too short",
			change: func(p *mp4Parts) {
				e := mp4VideoEntry()
				e[3] = 85
				p.stsd = mp4Box("stsd", words(0, 1), e)
			},
		},
		{
			name: "empty fragments", problem: "MP4: no samples",
			change: func(p *mp4Parts) { mp4Fragmented(p); p.behind = append(mp4Box("moof"), p.behind...) },
		},
		{
			name: "fragment of another track", problem: "MP4: no samples",
			change: func(p *mp4Parts) { mp4Fragmented(p); p.behind = append(mp4Fragment(2, 0, 2), p.behind...) },
		},
		{
			name: "damaged fragment", problem: "MP4: a run of samples (trun) counts more than it has",
			change: func(p *mp4Parts) {
				mp4Fragmented(p)
				p.behind = append(mp4Box("moof", mp4Box("traf", mp4Box("tfhd", words(0, 1)), mp4Box("trun", words(0x100, 1)))), p.behind...)
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := mediainfo.CheckStructure(mp4File(tt.change))
			if tt.problem == "" {
				assert.NoError(t, err)
				return
			}
			wantError(t, err, tt.problem, false)
		})
	}
}

func TestInspect_MP4SamplingRateBox(t *testing.T) {
	t.Parallel()
	entry := func(version uint32, boxes ...[]byte) func(*mp4Parts) {
		return func(p *mp4Parts) {
			mp4Voice(p)
			parts := append([][]byte{make([]byte, 16), words(1<<16|16, 0, 48_000<<16)}, boxes...)
			p.stsd = mp4Box("stsd", words(version<<24, 1), mp4Box("mp4a", parts...))
		}
	}
	srat := mp4Box("srat", words(0, 96_000))
	for _, tt := range []struct {
		name   string
		change func(*mp4Parts)
		want   int
	}{
		{name: "none", change: entry(1), want: 48_000},
		{name: "96 kHz", change: entry(1, srat), want: 96_000},
		{name: "behind another box", change: entry(1, mp4Box("esds"), srat), want: 96_000},
		{name: "in a table of version 0", change: entry(0, srat), want: 48_000},
		{name: "of 0", change: entry(1, mp4Box("srat", words(0, 0))), want: 48_000},
		{name: "highest", change: entry(1, mp4Box("srat", words(0, 10_000_000))), want: 10_000_000},
		{name: "above the highest", change: entry(1, mp4Box("srat", words(0, 10_000_001))), want: 48_000},
		{name: "without its last byte", change: entry(1, mp4Box("srat", words(0), []byte{0, 0, 1})), want: 48_000},
		{name: "QuickTime's version 1", want: 48_000, change: func(p *mp4Parts) {
			mp4Voice(p)
			p.stsd = mp4Box("stsd", words(0, 1), mp4Box("sowt", make([]byte, 8), words(1<<16, 0, 1<<16|16, 0, 48_000<<16, 1, 2, 2, 2)))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, mp4File(tt.change))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.SampleRate)
		})
	}
}
