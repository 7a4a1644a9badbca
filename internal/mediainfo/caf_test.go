package mediainfo_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// cafHeader returns the header of a chunk.
func cafHeader(id string, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(id), size)
}

// cafSamples returns a data chunk with n bytes of samples behind its edit count.
func cafSamples(n int) []byte {
	return append(cafHeader("data", uint64(n)+4), make([]byte, n+4)...)
}

// cafDescription is a description chunk: 16 kHz, mono, 16 bits unless a test
// changes it.
type cafDescription struct {
	rate                             float64
	format                           string
	flags, packetBytes, packetFrames uint32
	channels, depth                  uint32
}

func cafDesc(changes ...func(*cafDescription)) []byte {
	d := cafDescription{rate: 16_000, format: "lpcm", packetBytes: 2, packetFrames: 1, channels: 1, depth: 16}
	for _, change := range changes {
		change(&d)
	}
	c := binary.BigEndian.AppendUint64(cafHeader("desc", 32), math.Float64bits(d.rate))
	c = append(c, d.format...)
	return append(c, words(d.flags, d.packetBytes, d.packetFrames, d.channels, d.depth)...)
}

func cafOf(chunks ...[]byte) []byte {
	data := []byte("caff\x00\x01\x00\x00")
	for _, c := range chunks {
		data = append(data, c...)
	}
	return data
}

func cafInfo(d time.Duration) mediainfo.Info {
	info := voiceInfo(d)
	info.Format = mediainfo.CAF
	return info
}

func TestInspect_CAFEndsAfterHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		data       []byte
		want       mediainfo.Info
		problem    string
		incomplete bool
	}{
		{
			name: "behind the data chunk's header", data: cafOf(cafDesc(), cafHeader("data", 32_004)),
			want: cafInfo(time.Second),
		},
		{
			name: "inside the data chunk's header", data: cafOf(cafDesc(), cafHeader("data", 32_004)[:11]),
			want: cafInfo(0), problem: "CAF: no data chunk", incomplete: true,
		},
		{
			name: "behind the description chunk", data: cafOf(cafDesc()),
			want: cafInfo(0), problem: "CAF: no data chunk", incomplete: true,
		},
		{
			name: "inside the description chunk", data: cafOf(cafDesc()[:43]),
			want: mediainfo.Info{Format: mediainfo.CAF}, problem: "CAF: ends inside the description chunk", incomplete: true,
		},
		{
			name: "behind the file header", data: cafOf(),
			want: mediainfo.Info{Format: mediainfo.CAF}, problem: "CAF: no description chunk", incomplete: true,
		},
		{
			name: "inside the file header", data: cafOf()[:7],
			want: mediainfo.Info{Format: mediainfo.CAF}, problem: "CAF: ends inside the file header", incomplete: true,
		},
		{
			name: "behind the file header of another version", data: []byte("caff\x00\x02\x00\x00"),
			want: mediainfo.Info{Format: mediainfo.CAF}, problem: "CAF: the file version is not 1",
		},
		{
			name: "behind another chunk", data: cafOf(cafDesc(), cafHeader("info", 4), []byte("text")),
			want: cafInfo(0), problem: "CAF: no data chunk", incomplete: true,
		},
		{
			name: "inside another chunk", data: cafOf(cafDesc(), cafHeader("info", 4), []byte("tex")),
			want: cafInfo(0), problem: "CAF: ends inside a chunk, in front of the samples", incomplete: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(tt.data)
			if tt.problem == "" {
				assert.NoError(t, err)
			} else {
				wantError(t, err, tt.problem, tt.incomplete)
			}
			assert.Equal(t, tt.want, info)
		})
	}
}

func TestInspect_CAFDuration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		desc func(*cafDescription)
		size uint64 // of the samples, as the data chunk's header gives it
		want time.Duration
		open bool
	}{
		{name: "no samples", desc: func(*cafDescription) {}, size: 0},
		{name: "half a second", desc: func(*cafDescription) {}, size: 16_000, want: 500 * time.Millisecond},
		{name: "incomplete last packet", desc: func(*cafDescription) {}, size: 16_001, want: 500 * time.Millisecond},
		{
			name: "several frames in a packet", size: 100 * 34, want: 400 * time.Millisecond,
			desc: func(d *cafDescription) { d.format, d.packetBytes, d.packetFrames = "ima4", 34, 64 },
		},
		{
			name: "packets of varying size", size: 1000, open: true,
			desc: func(d *cafDescription) { d.format, d.packetBytes, d.packetFrames = "alac", 0, 4096 },
		},
		{
			name: "packets of a varying number of frames", size: 1000, open: true,
			desc: func(d *cafDescription) { d.packetFrames = 0 },
		},
		{
			name: "more frames than 64 bits count", size: 1 << 62, want: 1000 * time.Hour,
			desc: func(d *cafDescription) { d.packetBytes, d.packetFrames = 1, 4 },
		},
		{
			// 2e10 s are more nanoseconds than 64 bits can count, by less than
			// twice.
			name: "more nanoseconds than 64 bits count", size: 20_000_000_000, want: 1000 * time.Hour,
			desc: func(d *cafDescription) { d.rate, d.packetBytes = 1, 1 },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(cafOf(cafDesc(tt.desc), cafHeader("data", tt.size+4)))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration)
			assert.Equal(t, tt.want, info.AudioDuration)
			assert.Equal(t, tt.open, info.DurationUnknown, "DurationUnknown")
		})
	}
}

func TestInspect_CAFCodec(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		desc func(*cafDescription)
		want string
	}{
		{name: "integers", desc: func(d *cafDescription) { d.flags = 2 }, want: "pcm"},
		{name: "floating point", desc: func(d *cafDescription) { d.flags = 3 }, want: "float"},
		{name: "compressed", desc: func(d *cafDescription) { d.format = "alac" }, want: "alac"},
		{name: "compressed, with the flag of floating point", desc: func(d *cafDescription) { d.format, d.flags = "alac", 1 }, want: "alac"},
		{name: "AAC", desc: func(d *cafDescription) { d.format = "aac " }, want: "mp4a"},
		{name: "mu-law", desc: func(d *cafDescription) { d.format = "ulaw" }, want: "mulaw"},
		{name: "A-law", desc: func(d *cafDescription) { d.format = "alaw" }, want: "alaw"},
		{name: "ADPCM", desc: func(d *cafDescription) { d.format = "ima4" }, want: "adpcm"},
		{name: "MP3", desc: func(d *cafDescription) { d.format = ".mp3" }, want: "mp3"},
		{name: "Opus", desc: func(d *cafDescription) { d.format = "opus" }, want: "Opus"},
		{name: "FLAC", desc: func(d *cafDescription) { d.format = "flac" }, want: "fLaC"},
		{name: "anything", desc: func(d *cafDescription) { d.format = "\x1b[2J" }, want: "other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(cafOf(cafDesc(tt.desc), cafSamples(2)))
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.AudioCodec)
		})
	}
}

func TestCheckStructure_CAF(t *testing.T) {
	t.Parallel()
	const (
		impossible = "CAF: the description gives an impossible rate, channel count or sample size"
		contradict = "CAF: the description contradicts itself about the sample size"
	)
	second := cafSamples(32_000)
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{name: "whole", data: cafOf(cafDesc(), second)},
		{name: "chunk in front of the samples", data: cafOf(cafDesc(), cafHeader("info", 4), []byte("text"), second)},
		{name: "chunk behind the samples", data: cafOf(cafDesc(), second, cafHeader("info", 1000))},
		{name: "one sample", data: cafOf(cafDesc(), cafSamples(2))},
		{name: "less than one sample", data: cafOf(cafDesc(), cafSamples(1)), problem: "CAF: no samples"},
		{name: "no samples", data: cafOf(cafDesc(), cafSamples(0)), problem: "CAF: no samples"},
		{
			name: "without the last byte of the samples", data: cafOf(cafDesc(), second[:len(second)-1]),
			problem: "CAF: ends inside the samples", incomplete: true,
		},
		{
			name: "samples in front of the description", data: cafOf(second, cafDesc()),
			problem: "CAF: no description chunk in front of the samples",
		},
		{
			name: "description without its last byte", data: cafOf(cafHeader("desc", 31), cafDesc()[12:43], second),
			problem: "CAF: the description chunk is too short",
		},
		{name: "compressed", data: cafOf(cafDesc(func(d *cafDescription) { d.format = "alac" }), second), problem: "CAF: ALAC is not supported; linear PCM is"},
		{name: "lowest rate", data: cafOf(cafDesc(func(d *cafDescription) { d.rate = 1 }), second)},
		{name: "rate below the lowest", data: cafOf(cafDesc(func(d *cafDescription) { d.rate = 0.9 }), second), problem: impossible},
		{name: "highest rate", data: cafOf(cafDesc(func(d *cafDescription) { d.rate = 10_000_000 }), second)},
		{name: "rate above the highest", data: cafOf(cafDesc(func(d *cafDescription) { d.rate = 10_000_001 }), second), problem: impossible},
		{name: "no channel", data: cafOf(cafDesc(func(d *cafDescription) { d.channels = 0 }), second), problem: impossible},
		{
			name: "most channels",
			data: cafOf(cafDesc(func(d *cafDescription) { d.channels, d.packetBytes = 65_535, 131_070 }), cafSamples(131_070)),
		},
		{
			name:    "channels above the most",
			data:    cafOf(cafDesc(func(d *cafDescription) { d.channels, d.packetBytes = 65_536, 131_072 }), cafSamples(131_072)),
			problem: impossible,
		},
		{
			name: "most bits in a sample",
			data: cafOf(cafDesc(func(d *cafDescription) { d.depth, d.packetBytes = 65_535, 8192 }), second),
		},
		{
			name:    "bits above the most",
			data:    cafOf(cafDesc(func(d *cafDescription) { d.depth, d.packetBytes = 65_536, 8192 }), second),
			problem: impossible,
		},
		{name: "no bits in a sample", data: cafOf(cafDesc(func(d *cafDescription) { d.depth = 0 }), second), problem: contradict},
		{name: "several frames in a packet", data: cafOf(cafDesc(func(d *cafDescription) { d.packetFrames = 2 }), second), problem: contradict},
		{
			name: "stereo of 20 bits in 3 bytes",
			data: cafOf(cafDesc(func(d *cafDescription) { d.channels, d.packetBytes, d.depth = 2, 6, 20 }), second),
		},
		{
			name:    "stereo of 20 bits in 2 bytes and a half",
			data:    cafOf(cafDesc(func(d *cafDescription) { d.channels, d.packetBytes, d.depth = 2, 5, 20 }), second),
			problem: contradict,
		},
		{
			name: "16 bits in the low half of 4 bytes",
			data: cafOf(cafDesc(func(d *cafDescription) { d.packetBytes = 4 }), second),
		},
		{
			name:    "stereo in the bytes of one channel",
			data:    cafOf(cafDesc(func(d *cafDescription) { d.channels = 2 }), second),
			problem: contradict,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := mediainfo.CheckStructure(tt.data)
			if tt.problem == "" {
				assert.NoError(t, err)
				return
			}
			wantError(t, err, tt.problem, tt.incomplete)
		})
	}
}
