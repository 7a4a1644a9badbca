package mediainfo

// WAV codec tags.
const (
	wavPCM        = 1
	wavFloat      = 3
	wavExtensible = 0xfffe
)

// wavNoSize is what SoX writes for a size that it does not know, as it is or
// cut to whole blocks. LAME writes 0x7fffffff there and arecord 0x80000000.
const wavNoSize = 0x7ffff000

// wavFile is what the chunks of a WAV say.
type wavFile struct {
	codec                int // after looking into an extensible header
	channels, rate, bits int
	blockAlign           int
	hasFormat            bool
	dataSize             uint64
	cut                  bool // the samples go on behind the data
}

// parseWAV reads the chunks up to and with the samples, which is as far as a
// reader of samples looks.
func parseWAV(data []byte) (wavFile, error) {
	var w wavFile
	pos := 12
	for len(data)-pos >= 8 {
		id, size := data[pos:pos+4], uint64(le32(data[pos+4:]))
		body := data[pos+8:]
		switch string(id) {
		case "fmt ":
			if size > uint64(len(body)) {
				return w, short(WAV, "ends inside the format chunk")
			}
			if err := w.parseFormat(body[:size]); err != nil {
				return w, err
			}
		case "data":
			if !w.hasFormat {
				return w, bad(WAV, "no format chunk in front of the samples")
			}
			w.setData(size, uint64(len(body)))
			return w, nil
		}
		if size += size & 1; size > uint64(len(body)) {
			return w, short(WAV, "ends inside a chunk, in front of the samples")
		}
		pos += 8 + int(size)
	}
	if !w.hasFormat {
		return w, short(WAV, "no format chunk")
	}
	return w, short(WAV, "no data chunk")
}

func (w *wavFile) setData(size, rest uint64) {
	// A writer to a pipe cannot come back to fill the size in.
	switch size {
	case 0, 0xffffffff:
		size = rest
	case wavNoSize - wavNoSize%uint64(w.blockAlign), wavNoSize, 0x7fffffff, 0x80000000:
		size = min(size, rest) // samples of 2 GiB may also be there
	}
	w.dataSize, w.cut = size, size > rest
}

func (w *wavFile) parseFormat(p []byte) error {
	if len(p) < 16 {
		return bad(WAV, "the format chunk is too short")
	}
	w.codec = le16(p)
	w.channels = le16(p[2:])
	rate := le32(p[4:])
	w.blockAlign = le16(p[12:])
	w.bits = le16(p[14:])
	if w.codec == wavExtensible {
		if len(p) < 40 {
			return bad(WAV, "the extensible format chunk is too short")
		}
		w.codec = le16(p[24:]) // the start of the sub-format's GUID
	}
	if w.channels == 0 || rate == 0 || rate > maxRate || w.blockAlign == 0 {
		return bad(WAV, "the format chunk gives an impossible rate, channel count or sample size")
	}
	w.rate, w.hasFormat = int(rate), true
	return nil
}

// maxRate is beyond any audio's sample rate, in Hz.
const maxRate = 10_000_000

func inspectWAV(data []byte, info *Info) error {
	w, err := parseWAV(data)
	if w.hasFormat {
		info.HasAudio = true
		info.SampleRate, info.Channels, info.BitsPerSample = w.rate, w.channels, w.bits
		switch w.codec {
		case wavPCM:
			info.AudioCodec = "pcm"
		case wavFloat:
			info.AudioCodec = "float"
		default:
			info.AudioCodec = "other"
		}
	}
	if err != nil {
		return err
	}
	// With a compressed codec a block is more than one sample, and how many is
	// said elsewhere: leave the duration open.
	info.DurationUnknown = w.codec != wavPCM && w.codec != wavFloat
	if !info.DurationUnknown {
		info.Duration = span(w.dataSize/uint64(w.blockAlign), uint64(w.rate))
		info.AudioDuration = info.Duration
	}
	return nil
}

func checkWAV(data []byte) error {
	w, err := parseWAV(data)
	switch {
	case err != nil:
		return err
	case w.codec != wavPCM:
		return bad(WAV, "the samples are not linear PCM in integers")
	case w.bits == 0 || w.bits > 64 || w.blockAlign != w.channels*((w.bits+7)/8):
		return bad(WAV, "the format chunk contradicts itself about the sample size")
	case w.cut:
		return short(WAV, "ends inside the samples")
	case w.dataSize < uint64(w.blockAlign):
		return bad(WAV, "no samples")
	}
	return nil
}
