package mediainfo

import (
	"math"
	"math/bits"
)

// cafFile is what the chunks of a CAF contain.
type cafFile struct {
	codec           string
	hasDesc         bool
	rate            int
	bytesPerPacket  uint64
	framesPerPacket uint64
	channels, bits  int
	dataSize        uint64 // of the samples
	cut             bool   // the samples end behind the data
}

// parseCAF reads the chunks up to the samples, inclusive.
func parseCAF(src *source) (c cafFile, err error) {
	h, err := src.at(4, 4)
	if err != nil {
		return c, err
	}
	if len(h) < 4 {
		return c, short(CAF, "ends inside the file header")
	}
	if be16(h) != 1 {
		return c, bad(CAF, "the file version is not 1")
	}
	for pos := uint64(8); ; {
		h, err := src.at(pos, 12)
		if err != nil {
			return c, err
		}
		if len(h) < 12 {
			break
		}
		pos += 12
		size, rest := be64(h[4:]), src.size-pos
		switch string(h[:4]) {
		case "desc":
			if size > rest {
				return c, short(CAF, "ends inside the description chunk")
			}
			p, err := src.at(pos, int(min(size, 32)))
			if err != nil {
				return c, err
			}
			if err := c.parseDesc(p); err != nil {
				return c, err
			}
		case "data":
			if !c.hasDesc {
				return c, bad(CAF, "no description chunk in front of the samples")
			}
			return c, c.setData(src, size, rest)
		}
		if size > rest {
			return c, short(CAF, "ends inside a chunk, in front of the samples")
		}
		pos += size
	}
	if !c.hasDesc {
		return c, short(CAF, "no description chunk")
	}
	return c, short(CAF, "no data chunk")
}

// setData sets the size of the data chunk. The samples follow 4 bytes of edit
// count.
func (c *cafFile) setData(src *source, size, rest uint64) error {
	open := size == math.MaxUint64 // -1 means up to the end of the file
	if open {
		size = rest
	}
	if size < 4 {
		return bad(CAF, "the data chunk is too short")
	}
	c.dataSize, c.cut = size-4, size > rest
	if !open {
		src.more.cut = cutIf(c.cut)
	}
	return nil
}

func (c *cafFile) parseDesc(p []byte) error {
	if len(p) < 32 {
		return bad(CAF, "the description chunk is too short")
	}
	rate, channels, bits, ok := soundNumbers(be64(p), be32(p[24:]), be32(p[28:]))
	if !ok {
		return bad(CAF, "the description gives an impossible rate, channel count or sample size")
	}
	c.hasDesc = true
	c.codec = cafCodec(p[8:12], be32(p[12:]))
	c.bytesPerPacket, c.framesPerPacket = uint64(be32(p[16:])), uint64(be32(p[20:]))
	c.rate, c.channels, c.bits = rate, channels, bits
	return nil
}

// soundNumbers reads a rate in floating point, a number of channels and the bits
// per sample. ok is false if one of them is impossible.
func soundNumbers(rate64 uint64, channels32, bits32 uint32) (rate, channels, bits int, ok bool) {
	hz := math.Float64frombits(rate64)
	// The negation also refuses NaN.
	if !(hz >= 1 && hz <= maxRate) || channels32 == 0 || channels32 > math.MaxUint16 || bits32 > math.MaxUint16 {
		return 0, 0, 0, false
	}
	return int(math.Round(hz)), int(channels32), int(bits32), true
}

func cafCodec(format []byte, flags uint32) string {
	switch string(format) {
	case "lpcm":
		if flags&1 != 0 {
			return "float"
		}
		return "pcm"
	case "ulaw":
		return "mulaw"
	case "ima4":
		return "adpcm"
	case "aac ", "aach", "aacl", "aace", "aacp":
		return "mp4a"
	case ".mp3":
		return "mp3"
	case "opus":
		return "Opus"
	case "flac":
		return "fLaC"
	}
	return codecName(format) // alac and alaw are also its names
}

func inspectCAF(src *source, info *Info) error {
	c, err := parseCAF(src)
	if c.hasDesc {
		info.HasAudio = true
		info.SampleRate, info.Channels, info.BitsPerSample = c.rate, c.channels, c.bits
		info.AudioCodec = c.codec
	}
	if err != nil {
		return err
	}
	// Packets of varying size, or of a varying number of frames, have 0 here
	// and a table elsewhere.
	info.DurationUnknown = c.bytesPerPacket == 0 || c.framesPerPacket == 0
	if !info.DurationUnknown {
		over, frames := bits.Mul64(c.dataSize/c.bytesPerPacket, c.framesPerPacket)
		if over != 0 {
			frames = math.MaxUint64
		}
		info.Duration = span(frames, uint64(c.rate))
		info.AudioDuration = info.Duration
	}
	return nil
}

func checkCAF(src *source) error {
	c, err := parseCAF(src)
	switch {
	case err != nil:
		return err
	case c.codec != "pcm" && c.codec != "float":
		return codecError(CAF, encodingName(c.codec), "linear PCM")
	case c.bits == 0 || c.framesPerPacket != 1 || c.bytesPerPacket < uint64(c.channels)*uint64((c.bits+7)/8),
		c.codec == "float" && c.bits != 32 && c.bits != 64:
		return bad(CAF, "the description contradicts itself about the sample size")
	case c.cut:
		return short(CAF, "ends inside the samples")
	case c.dataSize < c.bytesPerPacket:
		return bad(CAF, "no samples")
	}
	return nil
}
