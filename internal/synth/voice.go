package synth

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// harmonics is the number of overtones of a voice.
const harmonics = 14

// voice returns the samples: a hum like a sawtooth, with syllables of a quarter
// of a second. Its overtones are weighted by two resonances, as in vowels. Like the
// faces it is made of integers.
func voice(s Spec) []int16 {
	n := samples(s.Duration, s.Rate)
	out := make([]int16, n)
	who := Seed("voice", s.Subject)
	pitch, tract := who.Between(85, 240), who.Between(85, 120)
	how := Seed("recording", s.Subject, strconv.Itoa(s.Variant), s.Token)
	syllable := max(1, s.Rate/4)
	phase := uint32(how.Between(0, math.MaxInt32))
	for start := 0; start < n; start += syllable {
		// The pitch varies by up to a tenth.
		tone := pitch * how.Between(900, 1100) / 1000
		weights := vowel(how, tone, tract, s.Rate)
		loud := how.Between(60, 100)
		step := uint32((int64(tone) << 32) / int64(s.Rate))
		for i := range min(syllable, n-start) {
			sum := 0
			for h, w := range weights {
				sum += w * sine(phase*uint32(h+1))
			}
			t := i * 1000 / syllable // fades in and out
			envelope := 4 * t * (1000 - t) / 1000
			out[start+i] = int16(sum / 1000 * envelope / 1000 * loud / 100)
			phase += step
		}
	}
	return out
}

// samples returns the number of samples of a duration, rounded up.
func samples(d time.Duration, rate int) int {
	return int((int64(d)*int64(rate) + int64(time.Second) - 1) / int64(time.Second))
}

// vowel returns the weights of the overtones, 800 in all, for a random vowel.
// The length of the vocal tract is in percent of the usual length.
func vowel(how *Rand, tone, tract, rate int) (weights [harmonics]int) {
	open := how.Between(280, 800) * 100 / tract
	front := how.Between(900, 2300) * 100 / tract
	near := func(hz, center, width int) int {
		off := (hz - center) * 10 / width
		return 100_000 / (100 + off*off)
	}
	total := 0
	for h := range weights {
		if hz := tone * (h + 1); hz < rate/2 {
			weights[h] = (near(hz, open, 120) + near(hz, front, 200)/2) / (h/4 + 1)
			total += weights[h]
		}
	}
	for h := range weights {
		weights[h] = weights[h] * 800 / max(1, total)
	}
	return weights
}

// sine returns an approximate sine, from -32767 to 32767, of an angle in
// 2³²ths of a turn. It uses a parabola for each half.
func sine(phase uint32) int {
	half := int(phase>>16) & 0x7fff
	y := min(32767, half*(32768-half)>>13)
	if phase >= 1<<31 {
		return -y
	}
	return y
}

// WAV returns a maker of the voice sample with a number of padding bytes.
func WAV(s Spec) func(padding int) []byte {
	samples := voice(s)
	le := binary.LittleEndian
	return func(padding int) []byte {
		// The length of a chunk is even, so an odd byte follows the last chunk.
		marker := append(Marker(s), make([]byte, padding&^1)...)
		audio := 2 * len(samples)
		d := le.AppendUint32([]byte("RIFF"), uint32(4+8+16+8+audio+8+len(marker)))
		d = le.AppendUint32(append(d, "WAVEfmt "...), 16)
		d = le.AppendUint16(le.AppendUint16(d, 1), 1) // PCM, mono
		d = le.AppendUint32(le.AppendUint32(d, uint32(s.Rate)), uint32(2*s.Rate))
		d = le.AppendUint16(le.AppendUint16(d, 2), 16)
		d = le.AppendUint32(append(d, "data"...), uint32(audio))
		d = appendSamples(d, samples)
		d = le.AppendUint32(append(d, wavChunk...), uint32(len(marker)))
		return append(append(d, marker...), make([]byte, padding&1)...)
	}
}

func wavFindMarker(data []byte) []byte {
	for pos := 12; len(data)-pos >= 8; {
		n := uint64(binary.LittleEndian.Uint32(data[pos+4:]))
		if rest := uint64(len(data) - pos - 8); n > rest {
			return nil
		}
		if body := data[pos+8 : pos+8+int(n)]; string(data[pos:pos+4]) == wavChunk {
			return body
		}
		pos += 8 + int(n+n&1)
	}
	return nil
}

// CAF returns a maker of the voice sample with a number of padding bytes.
func CAF(s Spec) func(padding int) []byte {
	samples := voice(s)
	be := binary.BigEndian
	return func(padding int) []byte {
		d := []byte("caff\x00\x01\x00\x00desc")
		d = be.AppendUint64(be.AppendUint64(d, 32), math.Float64bits(float64(s.Rate)))
		d = be.AppendUint32(append(d, "lpcm"...), 2) // little-endian integers
		for _, v := range [...]uint32{2, 1, 1, 16} { // bytes and frames a packet, channels, bits
			d = be.AppendUint32(d, v)
		}
		// The marker is before the samples: some readers count all that follows as
		// samples when they estimate the duration.
		marker := Marker(s)
		d = be.AppendUint64(append(d, "uuid"...), uint64(len(boxUUID)+len(marker)+padding))
		d = append(append(append(d, boxUUID...), marker...), make([]byte, padding)...)
		d = be.AppendUint64(append(d, "data"...), uint64(4+2*len(samples)))
		return appendSamples(be.AppendUint32(d, 0), samples) // the edit count comes first
	}
}

func cafFindMarker(data []byte) []byte {
	for pos := 8; len(data)-pos >= 12; {
		n := binary.BigEndian.Uint64(data[pos+4:])
		if n > uint64(len(data)-pos-12) {
			return nil
		}
		body := data[pos+12 : pos+12+int(n)]
		if string(data[pos:pos+4]) == "uuid" && len(body) > 16 && string(body[:16]) == boxUUID {
			return body[16:]
		}
		pos += 12 + int(n)
	}
	return nil
}

func appendSamples(dst []byte, samples []int16) []byte {
	for _, v := range samples {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
	}
	return dst
}
