package mediainfo

// WAV codec tags.
const (
	wavPCM        = 1
	wavFloat      = 3
	wavExtensible = 0xfffe
)

// wavNoSize is what SoX writes for an unknown size, as it is or reduced to whole
// blocks. LAME writes 0x7fffffff there and arecord 0x80000000.
const wavNoSize = 0x7ffff000

// wavFile is what the chunks of a WAV contain.
type wavFile struct {
	format               Format
	big                  bool   // RIFX: numbers are big-endian
	wide                 uint64 // the samples' size in a ds64 chunk
	codec                uint32 // from an extensible header if there is one
	channels, rate, bits int
	blockAlign           int
	hasFormat            bool
	dataSize             uint64
	cut                  bool // the samples end behind the data
}

// parseWAV reads the chunks up to the samples, inclusive. A reader of samples
// reads no further.
func parseWAV(src *source) (w wavFile, err error) {
	w.format, w.big = src.format, src.format == RIFX
	if h, err := src.at(0, 4); err != nil {
		return w, err
	} else if string(h) == "RF64" || string(h) == "BW64" {
		src.more.variant = RF64
	}
	for pos := uint64(12); ; {
		h, err := src.at(pos, 8)
		if err != nil {
			return w, err
		}
		if len(h) < 8 {
			break
		}
		pos += 8
		size, rest := uint64(num32(w.big, h[4:])), src.size-pos
		switch string(h[:4]) {
		case "fmt ":
			if size > rest {
				return w, short(w.format, "ends inside the format chunk")
			}
			p, err := src.at(pos, int(min(size, 40)))
			if err != nil {
				return w, err
			}
			if err := w.parseFormat(p); err != nil {
				return w, err
			}
		case "ds64": // of RF64, before all others
			p, err := src.at(pos, int(min(size, 16)))
			if err != nil {
				return w, err
			}
			if len(p) == 16 {
				w.wide = le64(p[8:])
			}
		case "data":
			if !w.hasFormat {
				return w, bad(w.format, "no format chunk in front of the samples")
			}
			src.more.cut = w.setData(size, rest)
			return w, nil
		}
		if size += size & 1; size > rest {
			return w, short(w.format, "ends inside a chunk, in front of the samples")
		}
		pos += size
	}
	if !w.hasFormat {
		return w, short(w.format, "no format chunk")
	}
	return w, short(w.format, "no data chunk")
}

// setData sets the size of the samples, and returns whether the file is cut.
func (w *wavFile) setData(size, rest uint64) Cut {
	if size == 0xffffffff && w.wide != 0 && w.wide != 1<<64-1 {
		w.dataSize, w.cut = w.wide, w.wide > rest
		return cutIf(w.cut)
	}
	// A writer to a pipe cannot go back to set the size.
	switch size {
	case 0, 0xffffffff:
		w.dataSize = rest
		return CutUnknown
	case wavNoSize - wavNoSize%uint64(w.blockAlign), wavNoSize, 0x7fffffff, 0x80000000:
		w.dataSize = min(size, rest) // there may also be samples of 2 GiB
		return CutUnknown
	}
	w.dataSize, w.cut = size, size > rest
	return cutIf(w.cut)
}

// parseFormat reads a format chunk. It ignores the rate in bytes, which follows
// from the other fields and is wrong in many files.
func (w *wavFile) parseFormat(p []byte) error {
	if len(p) < 16 {
		return bad(w.format, "the format chunk is too short")
	}
	w.codec = uint32(num16(w.big, p))
	w.channels = num16(w.big, p[2:])
	rate := num32(w.big, p[4:])
	w.blockAlign = num16(w.big, p[12:])
	w.bits = num16(w.big, p[14:])
	if w.codec == wavExtensible {
		if len(p) < 40 {
			return bad(w.format, "the extensible format chunk is too short")
		}
		w.codec = num32(w.big, p[24:]) // the start of the sub-format's GUID
		if w.big && w.codec&0xffff == 0 {
			w.codec >>= 16 // SoX writes it as two numbers of 16 bits
		}
	}
	if w.channels == 0 || rate == 0 || rate > maxRate || w.blockAlign == 0 {
		return bad(w.format, "the format chunk gives an impossible rate, channel count or sample size")
	}
	w.rate, w.hasFormat = int(rate), true
	return nil
}

// maxRate is above any audio's sample rate, in Hz.
const maxRate = 10_000_000

func (w *wavFile) codecName() string {
	switch w.codec {
	case wavPCM:
		return "pcm"
	case wavFloat:
		return "float"
	case 2, 0x11, 0x14, 0x20, 0x40, 0x45, 0x64, 0x65:
		return "adpcm"
	case 6:
		return "alaw"
	case 7:
		return "mulaw"
	case 0x31:
		return "gsm"
	case 0x50, 0x55:
		return "mp3"
	case 0xff, 0x1600, 0x1610:
		return "mp4a"
	}
	return "other"
}

func inspectWAV(src *source, info *Info) error {
	w, err := parseWAV(src)
	if w.hasFormat {
		info.HasAudio = true
		info.SampleRate, info.Channels, info.BitsPerSample = w.rate, w.channels, w.bits
		info.AudioCodec = w.codecName()
	}
	if err != nil {
		return err
	}
	// A block of a compressed codec holds more than one sample, and their
	// number is stored elsewhere: the duration is left open.
	info.DurationUnknown = w.codec != wavPCM && w.codec != wavFloat
	if !info.DurationUnknown {
		info.Duration = span(w.dataSize/uint64(w.blockAlign), uint64(w.rate))
		info.AudioDuration = info.Duration
	}
	return nil
}

func checkWAV(src *source) error {
	w, err := parseWAV(src)
	switch {
	case err != nil:
		return err
	case w.codec != wavPCM && w.codec != wavFloat:
		return codecError(w.format, encodingName(w.codecName()), "linear PCM")
	case w.bits == 0 || w.bits > 64 || w.blockAlign != w.channels*((w.bits+7)/8),
		w.codec == wavFloat && w.bits != 32 && w.bits != 64:
		return bad(w.format, "the format chunk contradicts itself about the sample size")
	case w.cut:
		return short(w.format, "ends inside the samples")
	case w.dataSize < uint64(w.blockAlign):
		return bad(w.format, "no samples")
	}
	return nil
}
