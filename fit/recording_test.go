package fit

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/media"
)

// wave describes a WAV of a test.
type wave struct {
	order           binary.AppendByteOrder // little-endian if nil
	codec           uint16                 // PCM if 0
	rate, channels  int                    // 16 kHz and 1 if 0
	width           int                    // bytes of a sample, 2 if 0
	block           int                    // bytes of a frame, computed if 0
	size            int64                  // in the header of the samples, computed if 0
	head            string                 // RIFF if ""
	before, samples []byte
}

func (w wave) bytes() []byte {
	order := w.order
	if order == nil {
		order = binary.LittleEndian
	}
	codec, rate, channels, width := max(w.codec, 1), w.rate, max(w.channels, 1), w.width
	if rate == 0 {
		rate = 16_000
	}
	if width == 0 {
		width = 2
	}
	block := w.block
	if block == 0 {
		block = channels * width
	}
	size := uint32(w.size)
	if w.size == 0 {
		size = uint32(len(w.samples))
	}
	head := w.head
	if head == "" {
		head = "RIFF"
	}
	b := order.AppendUint32([]byte(head), uint32(36+len(w.before)+len(w.samples)))
	b = append(b, "WAVE"...)
	b = append(b, w.before...)
	b = order.AppendUint32(append(b, "fmt "...), 16)
	b = order.AppendUint16(b, codec)
	b = order.AppendUint16(b, uint16(channels))
	b = order.AppendUint32(b, uint32(rate))
	b = order.AppendUint32(b, uint32(rate*block))
	b = order.AppendUint16(b, uint16(block))
	b = order.AppendUint16(b, uint16(8*width))
	b = order.AppendUint32(append(b, "data"...), size)
	return append(b, w.samples...)
}

// tone returns the samples of a sine wave with half of the full amplitude.
func tone(rate int, hz, seconds float64) []float32 {
	out := make([]float32, int(float64(rate)*seconds))
	for i := range out {
		out[i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return out
}

func int16s(samples []float32) []byte { return writeWAV(samples)[wavHeaderBytes:] }

// samplesOf returns the samples of a result of Recording, and checks its header.
func samplesOf(t testing.TB, fitted []byte) []int {
	t.Helper()
	require.LessOrEqual(t, len(fitted), media.MaxFileBytes)
	require.Equal(t, writeWAV(make([]float32, (len(fitted)-wavHeaderBytes)/2))[:wavHeaderBytes], fitted[:wavHeaderBytes])
	out := make([]int, (len(fitted)-wavHeaderBytes)/2)
	for i := range out {
		out[i] = int(int16(binary.LittleEndian.Uint16(fitted[wavHeaderBytes+2*i:])))
	}
	for _, p := range media.Inspect(fitted).As(media.Voice).Problems {
		assert.Equal(t, media.Advice, p.Severity, "%v", p)
	}
	return out
}

// decibels returns the level of the middle of the samples, 0 for a tone as loud as
// that of tone.
func decibels(samples []int) float64 {
	edge := len(samples) / 8
	sum := 0.0
	for _, v := range samples[edge : len(samples)-edge] {
		f := float64(v) / (1 << 15)
		sum += f * f
	}
	return 10 * math.Log10(sum/float64(len(samples)-2*edge)/0.125)
}

func TestRecording_Resamples(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rate    int
		kept    []float64 // in Hz
		removed []float64
	}{
		{rate: 44_100, kept: []float64{100, 440, 1000, 3000, 5000, 6500, 7000}, removed: []float64{8100, 8500, 9000, 9500, 12_000, 15_000, 17_000, 20_000, 22_000}},
		{rate: 48_000, kept: []float64{100, 1000, 7000}, removed: []float64{8100, 9000, 15_000, 16_000, 23_900}},
		{rate: 96_000, kept: []float64{100, 1000, 7000}, removed: []float64{9000, 16_500, 31_000, 33_000, 47_000}},
		{rate: 22_050, kept: []float64{100, 1000, 7000}, removed: []float64{9000, 11_000}},
		{rate: 32_000, kept: []float64{100, 1000, 7000}, removed: []float64{9000, 15_500}},
		{rate: 44_101, kept: []float64{100, 1000, 7000}, removed: []float64{9000, 20_000}}, // 16,000 phases
		{rate: 768_000, kept: []float64{100, 1000, 7000}, removed: []float64{9000, 300_000}},
		{rate: 16_000, kept: []float64{100, 1000, 7000, 7900}},
		{rate: 8000, kept: []float64{100, 1000, 3500}},
		{rate: 11_025, kept: []float64{100, 1000, 4800}},
	} {
		for _, hz := range append(append([]float64(nil), row.kept...), row.removed...) {
			t.Run(fmt.Sprintf("%d Hz, tone of %g Hz", row.rate, hz), func(t *testing.T) {
				t.Parallel()
				fitted, err := Recording(wave{rate: row.rate, samples: int16s(tone(row.rate, hz, 0.5))}.bytes())
				require.NoError(t, err)
				samples := samplesOf(t, fitted)
				assert.InDelta(t, 8000, len(samples), 1)
				level := decibels(samples)
				if len(row.removed) > 0 && hz >= row.removed[0] {
					assert.Less(t, level, -60.0)
					return
				}
				assert.InDelta(t, 0, level, 0.1)
			})
		}
	}
}

// TestRecording_KeepsTheTime compares the phase: a delay or a wrong rate moves it.
func TestRecording_KeepsTheTime(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{8000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000} {
		t.Run(strconv.Itoa(rate), func(t *testing.T) {
			t.Parallel()
			fitted, err := Recording(wave{rate: rate, samples: int16s(tone(rate, 440, 2))}.bytes())
			require.NoError(t, err)
			got := samplesOf(t, fitted)
			want := tone(16_000, 440, 2)
			for i := 1000; i < len(got)-1000; i++ {
				require.InDelta(t, want[i]*(1<<15), got[i], 12, "sample %d", i)
			}
		})
	}
}

func TestRecording_ReadsEverySample(t *testing.T) {
	t.Parallel()
	nan, inf := math.Float32bits(float32(math.NaN())), math.Float32bits(float32(math.Inf(-1)))
	for _, row := range []struct {
		name string
		wave wave
		want []int
	}{
		{name: "8 bit", wave: wave{width: 1, samples: []byte{0, 64, 128, 255}}, want: []int{-32768, -16384, 0, 32512}},
		{name: "16 bit", wave: wave{samples: []byte{0, 0x80, 0xff, 0xff, 1, 0, 0xff, 0x7f}}, want: []int{-32768, -1, 1, 32767}},
		{name: "24 bit", wave: wave{width: 3, samples: []byte{0, 0, 0x80, 0xff, 0xff, 0x7f, 0, 1, 0}}, want: []int{-32768, 32767, 1}},
		{name: "32 bit", wave: wave{width: 4, samples: []byte{0, 0, 0, 0x80, 0, 0, 1, 0}}, want: []int{-32768, 1}},
		{name: "64 bit", wave: wave{width: 8, samples: []byte{0, 0, 0, 0, 0, 0, 0, 0x80}}, want: []int{-32768}},
		{name: "float, clipped, and no number", wave: wave{codec: wavFloat, width: 4, samples: uint32s(math.Float32bits(0.5), math.Float32bits(-1), math.Float32bits(1), math.Float32bits(7), nan, inf)}, want: []int{16384, -32768, 32767, 32767, 0, -32768}},
		{name: "double", wave: wave{codec: wavFloat, width: 8, samples: binary.LittleEndian.AppendUint64(nil, math.Float64bits(-0.25))}, want: []int{-8192}},
		{name: "big-endian", wave: wave{order: binary.BigEndian, head: "RIFX", samples: []byte{0x80, 0, 0, 1}}, want: []int{-32768, 1}},
		{name: "stereo", wave: wave{channels: 2, samples: []byte{10, 0, 20, 0, 0, 0x80, 0xff, 0x7f}}, want: []int{15, -1}},
		{name: "three channels", wave: wave{channels: 3, samples: []byte{10, 0, 20, 0, 30, 0}}, want: []int{20}},
		{name: "part of a frame at the end", wave: wave{channels: 2, samples: []byte{10, 0, 20, 0, 9, 9, 9}}, want: []int{15}},
		{name: "another chunk in front, of odd size", wave: wave{before: []byte("LIST\x03\x00\x00\x00abc\x00"), samples: []byte{1, 0}}, want: []int{1}},
		{name: "size unknown: FFmpeg", wave: wave{size: 0xffffffff, samples: []byte{1, 0}}, want: []int{1}},
		{name: "size unknown: SoX", wave: wave{size: 0x7ffff000, samples: []byte{1, 0}}, want: []int{1}},
		{name: "size unknown: LAME", wave: wave{size: 0x7fffffff, samples: []byte{1, 0}}, want: []int{1}},
		{name: "size unknown: arecord", wave: wave{size: 0x80000000, samples: []byte{1, 0}}, want: []int{1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Recording(row.wave.bytes())
			require.NoError(t, err)
			got := samplesOf(t, fitted)
			require.Len(t, got, len(row.want))
			for i, want := range row.want {
				assert.InDelta(t, want, got[i], 1, "sample %d", i)
			}
		})
	}
}

// TestRecording_IgnoresWhatIsNoNumber has one sample that is no number, or that no
// recorder makes: the filter must not spread it.
func TestRecording_IgnoresWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat32, -math.MaxFloat32} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			t.Parallel()
			var bits []uint32
			for _, v := range tone(44_100, 440, 0.5) {
				bits = append(bits, math.Float32bits(v))
			}
			want, err := Recording(wave{rate: 44_100, codec: wavFloat, width: 4, samples: uint32s(bits...)}.bytes())
			require.NoError(t, err)
			bits[10_000] = math.Float32bits(float32(v))
			got, err := Recording(wave{rate: 44_100, codec: wavFloat, width: 4, samples: uint32s(bits...)}.bytes())
			require.NoError(t, err)
			a, b := samplesOf(t, want), samplesOf(t, got)
			const at, reach = 10_000 * 160 / 441, 120 // of the filter, in samples of the result
			assert.Equal(t, a[:at-reach], b[:at-reach])
			assert.Equal(t, a[at+reach:], b[at+reach:])
			loud := 0
			for i := at - reach; i < at+reach; i++ {
				if b[i] >= math.MaxInt16-1 || b[i] <= math.MinInt16+1 {
					loud++
				}
			}
			assert.LessOrEqual(t, loud, 6)
			for i := at - reach; math.IsNaN(v) && i < at+reach; i++ {
				assert.InDelta(t, a[i], b[i], 9000)
			}
		})
	}
}

func uint32s(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func TestRecording_KeepsWhatFits(t *testing.T) {
	t.Parallel()
	recording := wave{samples: int16s(tone(16_000, 440, 3))}.bytes()
	fitted, err := Recording(recording)
	require.NoError(t, err)
	assert.Equal(t, recording, fitted)
	fitted, err = Recording(append(recording, "LIST\x04\x00\x00\x00name"...))
	require.NoError(t, err)
	assert.Equal(t, recording, fitted, "without what follows the samples")
}

func TestRecording_Duration(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		rate    int
		seconds float64
		options []RecordingOption
		want    float64 // in s, 0 if it is refused
	}{
		{name: "15.6 s", rate: 16_000, seconds: 15.6, want: 15.6},
		{name: "15.62 s, just below 500,000 bytes", rate: 16_000, seconds: 15.62, want: 15.62},
		{name: "15.63 s", rate: 16_000, seconds: 15.63},
		{name: "15.6 s, reduced", rate: 48_000, seconds: 15.6, want: 15.6},
		{name: "20 s, reduced", rate: 48_000, seconds: 20},
		{name: "20 s, trimmed", rate: 48_000, seconds: 20, options: []RecordingOption{WithTrim(media.MaxVoiceDuration)}, want: 5},
		{name: "20 s, trimmed to 16 s", rate: 16_000, seconds: 20, options: []RecordingOption{WithTrim(16 * time.Second)}},
		{name: "20 s, trimmed to the longest time of all", rate: 16_000, seconds: 20, options: []RecordingOption{WithTrim(math.MaxInt64)}},
		{name: "3 s, longer than trimmed", rate: 44_100, seconds: 3, options: []RecordingOption{WithTrim(5 * time.Second)}, want: 3},
		{name: "trimmed to one sample", rate: 16_000, seconds: 1, options: []RecordingOption{WithTrim(1)}, want: 1.0 / 16_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Recording(wave{rate: row.rate, samples: int16s(tone(row.rate, 440, row.seconds))}.bytes(), row.options...)
			if row.want == 0 {
				var refused *Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, media.RuleVoiceLength, refused.Problem.Rule)
				assert.Contains(t, refused.Problem.Message, "longer than 5 s")
				assert.NotEmpty(t, refused.Problem.Fix)
				assert.ErrorContains(t, err, "WithTrim")
				assert.Empty(t, fitted)
				return
			}
			require.NoError(t, err)
			assert.InDelta(t, row.want*16_000, len(samplesOf(t, fitted)), 1)
		})
	}
}

func TestRecording_RefusesOtherFiles(t *testing.T) {
	t.Parallel()
	whole := wave{samples: int16s(tone(16_000, 440, 0.1))}.bytes()
	for _, row := range []struct {
		name string
		file []byte
		want string
	}{
		{name: "nothing", want: "this format is not decoded here"},
		{name: "photo", file: jpegOf(t, drawing(4, 4), 90), want: "JPEG is not decoded here"},
		{name: "MP3", file: []byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64\x00\x00\x00\x00"), want: "MP3 is not decoded here"},
		{name: "M4A", file: []byte("\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom"), want: "M4A is not decoded here"},
		{name: "FLAC", file: []byte("fLaC\x00\x00\x00\x22"), want: "FLAC is not decoded here"},
		{name: "Ogg", file: []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00"), want: "Ogg is not decoded here"},
		{name: "mu-law in a WAV", file: wave{codec: 7, width: 1, rate: 8000, samples: make([]byte, 800)}.bytes(), want: "the WAV is compressed"},
		{name: "mu-law in an AU", file: []byte(".snd\x00\x00\x00\x18\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x1f\x40\x00\x00\x00\x01\xff\xff\xff\xff"), want: "the AU is compressed"},
		{name: "cut off", file: whole[:len(whole)-10], want: "cut off in its samples"},
		{name: "cut off in its header", file: whole[:40], want: "cut off in front of its samples"},
		{name: "no samples", file: wave{}.bytes(), want: "has no samples"},
		{name: "sizes that contradict each other", file: wave{block: 4, samples: make([]byte, 8)}.bytes(), want: "contradict each other"},
		{name: "float of 16 bits", file: wave{codec: wavFloat, samples: make([]byte, 8)}.bytes(), want: "contradict each other"},
		{name: "an impossible rate", file: wave{rate: 4_000_000, samples: make([]byte, 8)}.bytes(), want: "impossible"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fitted, err := Recording(row.file)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			assert.Empty(t, fitted)
			assert.ErrorContains(t, err, row.want)
			assert.NotEmpty(t, refused.Problem.Message)
			assert.NotEmpty(t, refused.Problem.Fix)
			assert.ErrorContains(t, err, refused.Problem.Fix)
		})
	}
}

// TestRecording_ReadsWhatOtherProgramsWrite has the same samples in every format, and
// compares what is read.
func TestRecording_ReadsWhatOtherProgramsWrite(t *testing.T) {
	t.Parallel()
	needTools(t, "sox", "ffmpeg")
	var source []float32
	for i, v := range tone(16_000, 440, 0.5) {
		source = append(source, v*float32(i%1000)/1000)
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.wav")
	require.NoError(t, os.WriteFile(in, wave{samples: int16s(source)}.bytes(), 0o600))
	for _, row := range []struct {
		name   string
		sox    string // arguments in front of the name of the file
		ffmpeg string
		file   string
		pipe   bool
		delta  float64 // 1 if it is 0; negative for another loudness
	}{
		{name: "WAV 8 bit", sox: "-b 8", file: "wav", delta: 260},
		{name: "WAV 16 bit", sox: "-b 16", file: "wav"},
		{name: "WAV 24 bit, extensible", sox: "-b 24", file: "wav"},
		{name: "WAV 32 bit", sox: "-b 32", file: "wav"},
		{name: "WAV float", sox: "-e floating-point -b 32", file: "wav"},
		{name: "WAV double", sox: "-e floating-point -b 64", file: "wav"},
		{name: "WAV to a pipe", sox: "-t wav", pipe: true},
		{name: "RIFX 16 bit", sox: "-B -b 16", file: "wav"},
		{name: "RIFX 24 bit", sox: "-B -b 24", file: "wav"},
		{name: "RIFX float", sox: "-B -e floating-point -b 32", file: "wav"},
		{name: "AIFF 8 bit", sox: "-b 8", file: "aiff", delta: 260},
		{name: "AIFF 16 bit", sox: "-b 16", file: "aiff"},
		{name: "AIFF 24 bit", sox: "-b 24", file: "aiff"},
		{name: "AIFF 32 bit", sox: "-b 32", file: "aiff"},
		{name: "AIFF to a pipe", sox: "-t aiff", pipe: true},
		{name: "AIFF-C 16 bit", sox: "-b 16", file: "aifc"},
		{name: "AU 8 bit", sox: "-e signed -b 8", file: "au", delta: 260},
		{name: "AU 16 bit", sox: "-e signed -b 16", file: "au"},
		{name: "AU 24 bit", sox: "-e signed -b 24", file: "au"},
		{name: "AU 32 bit", sox: "-e signed -b 32", file: "au"},
		{name: "AU float", sox: "-e floating-point -b 32", file: "au"},
		{name: "AU double", sox: "-e floating-point -b 64", file: "au"},
		{name: "AU little-endian", sox: "-L -e signed -b 16", file: "au"},
		{name: "AU to a pipe", sox: "-t au -e signed -b 16", pipe: true},
		{name: "stereo", sox: "-c 2 -b 16", file: "wav"},
		{name: "six channels, extensible", sox: "-c 6 -b 16", file: "wav", delta: -1},
		{name: "FFmpeg, WAV 24 bit", ffmpeg: "-c:a pcm_s24le", file: "wav"},
		{name: "FFmpeg, WAV double", ffmpeg: "-c:a pcm_f64le", file: "wav"},
		{name: "FFmpeg, WAV 64 bit", ffmpeg: "-c:a pcm_s64le", file: "wav"},
		{name: "FFmpeg, WAV stereo float", ffmpeg: "-ac 2 -c:a pcm_f32le", file: "wav", delta: -1},
		{name: "FFmpeg, RF64", ffmpeg: "-rf64 always", file: "wav"},
		{name: "FFmpeg, WAV to a pipe", ffmpeg: "-f wav", pipe: true},
		{name: "FFmpeg, Wave64", ffmpeg: "-c:a pcm_s16le", file: "w64"},
		{name: "FFmpeg, Wave64 float", ffmpeg: "-c:a pcm_f32le", file: "w64"},
		{name: "FFmpeg, Wave64 to a pipe", ffmpeg: "-f w64", pipe: true},
		{name: "FFmpeg, CAF little-endian", ffmpeg: "-c:a pcm_s16le", file: "caf"},
		{name: "FFmpeg, CAF big-endian", ffmpeg: "-c:a pcm_s16be", file: "caf"},
		{name: "FFmpeg, CAF 8 bit", ffmpeg: "-c:a pcm_s8", file: "caf", delta: 260},
		{name: "FFmpeg, CAF 24 bit", ffmpeg: "-c:a pcm_s24be", file: "caf"},
		{name: "FFmpeg, CAF 32 bit", ffmpeg: "-c:a pcm_s32le", file: "caf"},
		{name: "FFmpeg, CAF float", ffmpeg: "-c:a pcm_f32be", file: "caf"},
		{name: "FFmpeg, CAF float, little-endian", ffmpeg: "-c:a pcm_f32le", file: "caf"},
		{name: "FFmpeg, CAF double", ffmpeg: "-c:a pcm_f64be", file: "caf"},
		{name: "FFmpeg, CAF stereo", ffmpeg: "-ac 2 -c:a pcm_s16le", file: "caf", delta: -1},
		{name: "FFmpeg, AIFF-C sowt", ffmpeg: "-c:a pcm_s16le", file: "aiff"},
		{name: "FFmpeg, AIFF-C fl32", ffmpeg: "-c:a pcm_f32be", file: "aiff"},
		{name: "FFmpeg, AIFF-C fl64", ffmpeg: "-c:a pcm_f64be", file: "aiff"},
		{name: "FFmpeg, AIFF 24 bit", ffmpeg: "-c:a pcm_s24be", file: "aiff"},
		{name: "FFmpeg, AU float", ffmpeg: "-c:a pcm_f32be", file: "au"},
		{name: "FFmpeg, AIFF to a pipe", ffmpeg: "-f aiff", pipe: true},
		{name: "FFmpeg, CAF to a pipe", ffmpeg: "-f caf", pipe: true},
		{name: "FFmpeg, AU to a pipe", ffmpeg: "-f au -c:a pcm_s16be", pipe: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out."+row.file)
			program, args := "sox", append([]string{"-D", in}, strings.Fields(row.sox)...)
			if row.ffmpeg != "" {
				program, args = "ffmpeg", append([]string{"-v", "error", "-i", in}, strings.Fields(row.ffmpeg)...)
			}
			var data []byte
			if row.pipe {
				data = []byte(run(t, program, append(args, "-")...))
			} else {
				run(t, program, append(args, out)...)
				var err error
				data, err = os.ReadFile(out)
				require.NoError(t, err)
			}
			fitted, err := Recording(data)
			require.NoError(t, err)
			got := samplesOf(t, fitted)
			require.Len(t, got, len(source))
			factor, delta := float32(1), max(row.delta, 1.01)
			if row.delta < 0 { // some channels are silent, or each is quieter
				factor, delta = float32(got[955])/(1<<15)/source[955], 3
			}
			for i, v := range source {
				require.InDelta(t, factor*v*(1<<15), got[i], delta, "sample %d", i)
			}
		})
	}
}

// TestRecording_ResemblesSoX compares the result for another rate with that of
// another program.
func TestRecording_ResemblesSoX(t *testing.T) {
	t.Parallel()
	needTools(t, "sox")
	for _, row := range []struct {
		rate, frames int
	}{
		{rate: 44_100, frames: 100_000},
		{rate: 44_100, frames: 99_999},
		{rate: 48_000, frames: 100_001},
		{rate: 22_050, frames: 44_444},
		{rate: 11_025, frames: 30_001},
		{rate: 8000, frames: 20_001},
		{rate: 96_000, frames: 100_001},
		{rate: 44_101, frames: 55_555},
	} {
		t.Run(fmt.Sprintf("%d Hz, %d samples", row.rate, row.frames), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.wav")
			samples := make([]float32, row.frames)
			for i := range samples {
				at := float64(i) / float64(row.rate) // a rising tone
				samples[i] = float32(0.6 * math.Sin(2*math.Pi*(100+600*at)*at))
			}
			recording := wave{rate: row.rate, samples: int16s(samples)}.bytes()
			require.NoError(t, os.WriteFile(in, recording, 0o600))
			run(t, "sox", "-D", in, "-r", "16000", out)
			data, err := os.ReadFile(out)
			require.NoError(t, err)
			fitted, err := Recording(recording)
			require.NoError(t, err)
			want, got := samplesOf(t, data), samplesOf(t, fitted)
			assert.InDelta(t, len(want), len(got), 1)
			for i := 500; i < min(len(want), len(got))-500; i++ {
				require.InDelta(t, want[i], got[i], 16, "sample %d", i)
			}
		})
	}
}
