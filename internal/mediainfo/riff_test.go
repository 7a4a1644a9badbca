package mediainfo_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// riffChunk returns a chunk, with padding if its size is odd.
func riffChunk(id string, body []byte) []byte {
	c := append(riffHeader(id, uint32(len(body))), body...)
	return append(c, make([]byte, len(body)%2)...)
}

// riffHeader returns the header of a chunk.
func riffHeader(id string, size uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte(id), size)
}

// wavFormat is a format chunk: 16 kHz, mono, 16 bits unless a test changes it.
type wavFormat struct {
	codec, channels   uint16
	rate              uint32
	blockAlign, depth uint16
	extension         []byte
}

func voiceFormat(changes ...func(*wavFormat)) []byte {
	f := wavFormat{codec: 1, channels: 1, rate: 16_000, blockAlign: 2, depth: 16}
	for _, change := range changes {
		change(&f)
	}
	b := binary.LittleEndian.AppendUint16(nil, f.codec)
	b = binary.LittleEndian.AppendUint16(b, f.channels)
	b = binary.LittleEndian.AppendUint32(b, f.rate)
	b = binary.LittleEndian.AppendUint32(b, f.rate*uint32(f.blockAlign))
	b = binary.LittleEndian.AppendUint16(b, f.blockAlign)
	b = binary.LittleEndian.AppendUint16(b, f.depth)
	return riffChunk("fmt ", append(b, f.extension...))
}

func wavOf(chunks ...[]byte) []byte {
	data := []byte("RIFF\x00\x00\x00\x00WAVE")
	for _, c := range chunks {
		data = append(data, c...)
	}
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	return data
}

func voiceInfo(d time.Duration) mediainfo.Info {
	return mediainfo.Info{
		Format: mediainfo.WAV, HasAudio: true, AudioCodec: "pcm", SampleRate: 16_000, Channels: 1,
		BitsPerSample: 16, Duration: d, AudioDuration: d,
	}
}

func TestInspect_WAVEndsAfterHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		data    []byte
		want    mediainfo.Info
		problem string
	}{
		{
			name: "behind the data chunk's header", data: wavOf(voiceFormat(), riffHeader("data", 32_000)),
			want: voiceInfo(time.Second),
		},
		{
			name: "inside the data chunk's header", data: wavOf(voiceFormat(), []byte("data\x00\x7d\x00")),
			want: voiceInfo(0), problem: "WAV: no data chunk",
		},
		{
			name: "behind the format chunk", data: wavOf(voiceFormat()),
			want: voiceInfo(0), problem: "WAV: no data chunk",
		},
		{
			name: "inside the format chunk", data: wavOf(voiceFormat()[:23]),
			want: mediainfo.Info{Format: mediainfo.WAV}, problem: "WAV: ends inside the format chunk",
		},
		{
			name: "behind the file header", data: wavOf(),
			want: mediainfo.Info{Format: mediainfo.WAV}, problem: "WAV: no format chunk",
		},
		{
			name: "behind another chunk", data: wavOf(riffChunk("LIST", []byte("INFO"))),
			want: mediainfo.Info{Format: mediainfo.WAV}, problem: "WAV: no format chunk",
		},
		{
			name: "inside another chunk", data: wavOf(voiceFormat(), riffChunk("LIST", []byte("INFO"))[:11]),
			want: voiceInfo(0), problem: "WAV: ends inside a chunk, in front of the samples",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(tt.data)
			if tt.problem == "" {
				assert.NoError(t, err)
			} else {
				wantError(t, err, tt.problem, true)
			}
			assert.Equal(t, tt.want, info)
		})
	}
}

func TestCheckStructure_WAV(t *testing.T) {
	t.Parallel()
	const (
		impossible = "WAV: the format chunk gives an impossible rate, channel count or sample size"
		contradict = "WAV: the format chunk contradicts itself about the sample size"
	)
	second := riffChunk("data", make([]byte, 32_000))
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{name: "whole", data: wavOf(voiceFormat(), second)},
		{name: "odd chunk in front of the samples", data: wavOf(voiceFormat(), riffChunk("LIST", []byte("INFOx")), second)},
		{name: "chunk behind the samples", data: wavOf(voiceFormat(), second, riffHeader("LIST", 1000))},
		{name: "one sample", data: wavOf(voiceFormat(), riffChunk("data", make([]byte, 2)))},
		{
			name: "less than one sample", data: wavOf(voiceFormat(), riffChunk("data", make([]byte, 1))),
			problem: "WAV: no samples",
		},
		{
			name: "without the last byte of the samples", data: wavOf(voiceFormat(), second[:len(second)-1]),
			problem: "WAV: ends inside the samples", incomplete: true,
		},
		{
			name: "highest rate", data: wavOf(voiceFormat(func(f *wavFormat) { f.rate = 10_000_000 }), second),
		},
		{
			name: "rate above the highest", data: wavOf(voiceFormat(func(f *wavFormat) { f.rate = 10_000_001 }), second),
			problem: impossible,
		},
		{name: "rate of 0", data: wavOf(voiceFormat(func(f *wavFormat) { f.rate = 0 }), second), problem: impossible},
		{name: "no channel", data: wavOf(voiceFormat(func(f *wavFormat) { f.channels = 0 }), second), problem: impossible},
		{name: "no bytes in a sample", data: wavOf(voiceFormat(func(f *wavFormat) { f.blockAlign = 0 }), second), problem: impossible},
		{name: "no bits in a sample", data: wavOf(voiceFormat(func(f *wavFormat) { f.depth = 0 }), second), problem: contradict},
		{
			name: "stereo of 20 bits in 3 bytes",
			data: wavOf(voiceFormat(func(f *wavFormat) { f.channels, f.blockAlign, f.depth = 2, 6, 20 }), second),
		},
		{
			name:    "stereo in the bytes of one channel",
			data:    wavOf(voiceFormat(func(f *wavFormat) { f.channels = 2 }), second),
			problem: contradict,
		},
		{
			name: "samples of 64 bits",
			data: wavOf(voiceFormat(func(f *wavFormat) { f.blockAlign, f.depth = 8, 64 }), second),
		},
		{
			name:    "samples of more than 64 bits",
			data:    wavOf(voiceFormat(func(f *wavFormat) { f.blockAlign, f.depth = 9, 65 }), second),
			problem: contradict,
		},
		{
			name: "format chunk without its last field", data: wavOf(riffChunk("fmt ", make([]byte, 14)), second),
			problem: "WAV: the format chunk is too short",
		},
		{
			name: "extensible format with its whole extension",
			data: wavOf(voiceFormat(func(f *wavFormat) {
				f.codec, f.extension = 0xfffe, append([]byte{22, 0, 16, 0, 4, 0, 0, 0, 1}, make([]byte, 15)...)
			}), second),
		},
		{
			name: "extensible format without the end of its extension",
			data: wavOf(voiceFormat(func(f *wavFormat) {
				f.codec, f.extension = 0xfffe, append([]byte{22, 0, 16, 0, 4, 0, 0, 0, 1}, make([]byte, 14)...)
			}), second),
			problem: "WAV: the extensible format chunk is too short",
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

func TestInspect_WAVOpenSize(t *testing.T) {
	t.Parallel()
	stereo24 := func(f *wavFormat) { f.channels, f.blockAlign, f.depth = 2, 6, 24 }
	for _, tt := range []struct {
		name   string
		format func(*wavFormat)
		size   uint32 // the size in the data chunk's header
		bytes  int    // of the samples
		want   time.Duration
	}{
		{name: "0", size: 0, bytes: 16_000, want: 500 * time.Millisecond},
		{name: "all ones", size: 0xffffffff, bytes: 16_000, want: 500 * time.Millisecond},
		{name: "2 GiB", size: 0x80000000, bytes: 16_000, want: 500 * time.Millisecond},
		{name: "2 GiB less a byte", size: 0x7fffffff, bytes: 16_000, want: 500 * time.Millisecond},
		{name: "2 GiB less a page", size: 0x7ffff000, bytes: 16_000, want: 500 * time.Millisecond},
		{
			name: "2 GiB less a page, in whole samples of 6 bytes", format: stereo24,
			size: 0x7ffff000 / 6 * 6, bytes: 48_000, want: 500 * time.Millisecond,
		},
		{
			name: "2 GiB less a page, with samples of 6 bytes", format: stereo24,
			size: 0x7ffff000, bytes: 48_000, want: 500 * time.Millisecond,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.format == nil {
				tt.format = func(*wavFormat) {}
			}
			data := wavOf(voiceFormat(tt.format), riffHeader("data", tt.size), make([]byte, tt.bytes))
			info, err := inspectBoth(t, data)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info.Duration)
			assert.NoError(t, mediainfo.CheckStructure(data))
		})
	}
}

func TestInspect_CutWAVWithSizeNearOpenSize(t *testing.T) {
	t.Parallel()
	for _, size := range []uint32{
		0x7ffff000 - 2, 0x7ffff000 + 1, 0x7ffffffe, 0x80000001, 0xfffffffe,
	} {
		data := wavOf(voiceFormat(), riffHeader("data", size), make([]byte, 16_000))
		info, err := inspectBoth(t, data)
		assert.NoError(t, err)
		assert.Greater(t, info.Duration, 10*time.Hour, "%#x", size)
		wantError(t, mediainfo.CheckStructure(data), "WAV: ends inside the samples", true)
	}
}
