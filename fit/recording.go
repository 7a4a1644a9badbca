package fit

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/aimbrain/aimbrain-go/media"
)

const (
	wavHeaderBytes = 44
	// maxSamples is the number of samples of 16 bits in the largest file: 15.62 s
	// at 16 kHz.
	maxSamples = (media.MaxFileBytes - wavHeaderBytes) / 2
)

// Recording returns a recording as a WAV that the API accepts by its format: linear
// PCM of 16 bits at 16 kHz, in one channel, without metadata. The recording may have
// linear PCM in integers or floating point, of any sample rate up to 768 kHz and with
// any number of channels, in a WAV (with RIFX, RF64, Wave64, and those that were
// written to a pipe), CAF, AIFF, AIFF-C or AU. The channels are mixed with equal
// weights. Values beyond the range are clipped.
//
// A recording of more than 15.6 s would be larger than 500,000 bytes. It is refused
// unless [WithTrim] shortens it. The vendor advises 5 s.
//
// The error is an [*Error] if the recording cannot be fitted, or that of an option.
// Recording does not look for a voice. data is not changed, and the result shares no
// memory with it.
func Recording(data []byte, options ...RecordingOption) ([]byte, error) {
	c, err := newRecordingConfig(options)
	if err != nil {
		return nil, err
	}
	p, failed := parsePCM(data)
	if failed != nil {
		return nil, refuseSound(data, failed)
	}
	frames := p.frames()
	if c.trim > 0 {
		frames = min(frames, framesOf(c.trim, p.rate))
	}
	if int64(frames)*media.VoiceSampleRate > maxSamples*int64(p.rate) {
		return nil, refuse(data, media.Voice, "a recording of more than 15.6 s is larger than 500,000 bytes, and is shortened only with WithTrim", media.RuleVoiceLength, fixLength)
	}
	return writeWAV(resample(p.mono(frames), p.rate, media.VoiceSampleRate)), nil
}

// framesOf returns the number of samples in a duration, at least 1.
func framesOf(d time.Duration, rate int) int {
	if d > time.Hour { // longer than any result
		d = time.Hour
	}
	return max(1, int(int64(d)*int64(rate)/int64(time.Second)))
}

func refuseSound(data []byte, failed *pcmError) *Error {
	switch {
	case failed.damaged:
		return refuse(data, media.Voice, failed.reason, media.RuleReadable, fixFile)
	case failed.reason != "":
		return refuse(data, media.Voice, failed.reason+", and only linear PCM is read here", "", fixFile)
	}
	return refuse(data, media.Voice, notDecoded(media.Inspect(data), "only linear PCM in a WAV, CAF, AIFF or AU is"), "", fixFile)
}

// writeWAV returns a WAV with the samples, from -1 to 1.
func writeWAV(samples []float32) []byte {
	const width = 2
	size := width * len(samples)
	out := make([]byte, 0, wavHeaderBytes+size)
	order := binary.LittleEndian
	out = append(out, "RIFF"...)
	out = order.AppendUint32(out, uint32(wavHeaderBytes-8+size))
	out = append(out, "WAVEfmt "...)
	out = order.AppendUint32(out, 16)
	out = order.AppendUint16(out, wavPCM)
	out = order.AppendUint16(out, 1)
	out = order.AppendUint32(out, media.VoiceSampleRate)
	out = order.AppendUint32(out, media.VoiceSampleRate*width)
	out = order.AppendUint16(out, width)
	out = order.AppendUint16(out, 8*width)
	out = append(out, "data"...)
	out = order.AppendUint32(out, uint32(size))
	for _, v := range samples {
		value := math.Round(float64(v) * (1 << 15))
		out = order.AppendUint16(out, uint16(int16(max(math.MinInt16, min(value, math.MaxInt16)))))
	}
	return out
}
