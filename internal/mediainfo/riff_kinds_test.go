package mediainfo_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func TestInspect_WAVOfOtherWriters(t *testing.T) {
	t.Parallel()
	want := mediainfo.Info{
		Format: mediainfo.WAV, HasAudio: true, AudioCodec: "pcm", SampleRate: 8000, Channels: 1, BitsPerSample: 16,
		Duration: 100 * ms, AudioDuration: 100 * ms,
	}
	for name, change := range map[string]func(*mediainfo.Info){
		"rf64.wav":       func(*mediainfo.Info) {},
		"rifx.wav":       func(i *mediainfo.Info) { i.Format = mediainfo.RIFX },
		"rifx-float.wav": func(i *mediainfo.Info) { i.Format, i.AudioCodec, i.BitsPerSample = mediainfo.RIFX, "float", 32 },
		"float.caf":      func(i *mediainfo.Info) { i.Format, i.AudioCodec, i.BitsPerSample = mediainfo.CAF, "float", 32 },
	} {
		info, err := inspectBoth(t, file(t, name))
		assert.NoError(t, err, name)
		assert.Equal(t, with(want, change), info, name)
		assert.NoError(t, mediainfo.CheckStructure(file(t, name)), name)
	}
}

// rifx returns a big-endian WAV with a format chunk of these fields and half a
// second of samples of 2 bytes.
func rifx(fields ...uint16) []byte {
	format := make([]byte, 0, 40)
	for _, f := range fields {
		format = binary.BigEndian.AppendUint16(format, f)
	}
	data := append([]byte("RIFX\x00\x00\x00\x00WAVEfmt "), words(uint32(len(format)))...)
	data = append(append(data, format...), "data"...)
	return append(append(data, words(16_000)...), make([]byte, 16_000)...)
}

func TestInspect_RIFX(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		fields []uint16
		want   string
	}{
		{name: "integers", fields: []uint16{1, 1, 0, 16_000, 0, 32_000, 2, 16}, want: "pcm"},
		{name: "floating point", fields: []uint16{3, 1, 0, 16_000, 0, 32_000, 2, 16}, want: "float"},
		{name: "extensible", fields: []uint16{0xfffe, 1, 0, 16_000, 0, 32_000, 2, 16, 22, 16, 0, 4, 0, 1, 0, 16, 0, 0, 0, 0}, want: "pcm"},
		{name: "extensible, in halves", fields: []uint16{0xfffe, 1, 0, 16_000, 0, 32_000, 2, 16, 22, 16, 0, 4, 3, 0, 0, 16, 0, 0, 0, 0}, want: "float"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, rifx(tt.fields...))
			assert.NoError(t, err)
			assert.Equal(t, with(voiceInfo(500*ms), func(i *mediainfo.Info) {
				i.Format, i.AudioCodec = mediainfo.RIFX, tt.want
			}), info)
		})
	}
}

func TestInspect_IncompleteRIFX(t *testing.T) {
	t.Parallel()
	whole := rifx(1, 1, 0, 16_000, 0, 32_000, 2, 16)
	for n, problem := range map[int]string{
		12: "no format chunk", 30: "ends inside the format chunk", 36: "no data chunk",
	} {
		_, err := inspectBoth(t, whole[:n])
		wantError(t, err, "big-endian WAV (RIFX): "+problem, true)
	}
	assert.NoError(t, mediainfo.CheckStructure(whole))
	wantError(t, mediainfo.CheckStructure(whole[:len(whole)-1]), "big-endian WAV (RIFX): ends inside the samples", true)
}

func TestInspect_RF64(t *testing.T) {
	t.Parallel()
	sizes := func(size uint64) []byte {
		p := binary.LittleEndian.AppendUint64(make([]byte, 8), size)
		return riffChunk("ds64", append(p, make([]byte, 12)...))
	}
	for _, tt := range []struct {
		name   string
		magic  string
		ds64   []byte
		size   uint32
		bytes  int
		want   time.Duration
		broken bool
	}{
		{name: "size in its own chunk", magic: "RF64", ds64: sizes(16_000), size: 1<<32 - 1, bytes: 20_000, want: 500 * ms},
		{name: "BW64", magic: "BW64", ds64: sizes(16_000), size: 1<<32 - 1, bytes: 20_000, want: 500 * ms},
		{name: "size of the data chunk", magic: "RF64", ds64: sizes(16_000), size: 8000, bytes: 20_000, want: 250 * ms},
		{name: "beyond 32 bits", magic: "RF64", ds64: sizes(16_000 << 20), size: 1<<32 - 1, bytes: 20_000, want: 500 * ms << 20, broken: true},
		{name: "cut", magic: "RF64", ds64: sizes(16_000), size: 1<<32 - 1, bytes: 15_999, want: 500 * ms, broken: true},
		{name: "left open", magic: "RF64", ds64: sizes(0), size: 1<<32 - 1, bytes: 16_000, want: 500 * ms},
		{name: "left open with all ones", magic: "RF64", ds64: sizes(1<<64 - 1), size: 1<<32 - 1, bytes: 16_000, want: 500 * ms},
		{name: "cut chunk", magic: "RF64", ds64: riffChunk("ds64", sizes(8000)[8:22]), size: 1<<32 - 1, bytes: 16_000, want: 500 * ms},
		{name: "no chunk", magic: "RF64", size: 1<<32 - 1, bytes: 16_000, want: 500 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := wavOf(tt.ds64, voiceFormat(), riffHeader("data", tt.size), make([]byte, tt.bytes))
			copy(data, tt.magic)
			info, err := inspectBoth(t, data)
			assert.NoError(t, err)
			assert.Equal(t, voiceInfo(tt.want), info)
			assert.Equal(t, tt.broken, mediainfo.CheckStructure(data) != nil)
		})
	}
}

func TestInspect_WAVCodec(t *testing.T) {
	t.Parallel()
	for codec, want := range map[uint16]string{
		1: "pcm", 2: "adpcm", 3: "float", 6: "alaw", 7: "mulaw", 0x11: "adpcm", 0x31: "gsm", 0x50: "mp3", 0x55: "mp3", 0xff: "mp4a", 9: "other",
	} {
		info, err := mediainfo.Inspect(wavOf(voiceFormat(func(f *wavFormat) { f.codec = codec }), riffChunk("data", make([]byte, 8))))
		assert.NoError(t, err)
		assert.Equal(t, want, info.AudioCodec, "%#x", codec)
		assert.Equal(t, want != "pcm" && want != "float", info.DurationUnknown, "%#x", codec)
	}
}

func TestCheckStructure_UnsupportedEncoding(t *testing.T) {
	t.Parallel()
	for codec, want := range map[uint16]string{2: "ADPCM", 6: "A-law", 7: "mu-law", 0x31: "GSM", 0x55: "MP3", 0xff: "AAC", 9: "an unknown encoding"} {
		err := mediainfo.CheckStructure(wavOf(voiceFormat(func(f *wavFormat) { f.codec = codec }), riffChunk("data", make([]byte, 8))))
		wantError(t, err, "WAV: "+want+" is not supported; linear PCM is", false)
	}
}

func TestCheckStructure_FloatingPoint(t *testing.T) {
	t.Parallel()
	for bits, sound := range map[int]bool{16: false, 24: false, 32: true, 64: true} {
		n := bits / 8
		wav := wavOf(voiceFormat(func(f *wavFormat) { f.codec, f.blockAlign, f.depth = 3, uint16(n), uint16(bits) }), riffChunk("data", make([]byte, 64)))
		caf := cafOf(cafDesc(func(d *cafDescription) { d.flags, d.packetBytes, d.depth = 1, uint32(n), uint32(bits) }), cafSamples(64))
		for _, data := range [][]byte{wav, caf} {
			err := mediainfo.CheckStructure(data)
			if sound {
				assert.NoError(t, err, bits)
			} else {
				assert.ErrorContains(t, err, "contradicts itself about the sample size", bits)
			}
		}
	}
}

func TestInspect_WAVRateInBytesIsIgnored(t *testing.T) {
	t.Parallel()
	data := wavOf(voiceFormat(), riffChunk("data", make([]byte, 32_000)))
	binary.LittleEndian.PutUint32(data[28:], 64_000) // twice as much
	info, err := inspectBoth(t, data)
	assert.NoError(t, err)
	assert.Equal(t, voiceInfo(time.Second), info)
	assert.NoError(t, mediainfo.CheckStructure(data))
}
