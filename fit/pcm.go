package fit

import (
	"encoding/binary"
	"math"
	"strconv"
)

// encoding is how the number of a sample is stored.
type encoding int

const (
	signed encoding = iota
	unsigned
	float
)

// pcm is a recording of samples that are not compressed.
type pcm struct {
	rate     int // in Hz
	channels int
	width    int // of a sample, in bytes
	encoding encoding
	order    binary.ByteOrder
	data     []byte // the samples, channel by channel
}

// frames returns the number of samples of each channel.
func (p *pcm) frames() int { return len(p.data) / (p.channels * p.width) }

// mono returns the first n samples, each the mean of its channels, from -1 to 1.
func (p *pcm) mono(n int) []float32 {
	out := make([]float32, n)
	data, shift := p.data, 64-8*p.width
	big := p.order == binary.BigEndian
	for i := range out {
		sum := 0.0
		for range p.channels {
			sample := data[:p.width]
			data = data[p.width:]
			bits := uint64(0)
			for j := range sample {
				if big {
					bits = bits<<8 | uint64(sample[j])
				} else {
					bits = bits<<8 | uint64(sample[len(sample)-1-j])
				}
			}
			switch {
			case p.encoding == float && p.width == 4:
				sum += clip(float64(math.Float32frombits(uint32(bits))))
			case p.encoding == float:
				sum += clip(math.Float64frombits(bits))
			case p.encoding == unsigned:
				sum += float64(int64(bits<<shift^1<<63)) / (1 << 63)
			default:
				sum += float64(int64(bits<<shift)) / (1 << 63)
			}
		}
		out[i] = float32(sum / float64(p.channels))
	}
	return out
}

// clip returns a sample within the range, and 0 for what is not a number: the filter
// would spread it.
func clip(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return max(-1, min(v, 1))
}

// maxRate is above the sample rate of any recorder, in Hz.
const maxRate = 768_000

// pcmError is the reason why no samples of a file can be read.
type pcmError struct {
	reason  string // "" for a format that is not known here
	damaged bool   // false for a compressed recording, and for another format
}

func damagedSound(reason string) *pcmError { return &pcmError{reason: reason, damaged: true} }
func compressed(reason string) *pcmError   { return &pcmError{reason: reason} }

// parsePCM reads the headers of a recording. Its data shares the memory of the
// argument.
func parsePCM(data []byte) (pcm, *pcmError) {
	var p pcm
	var err *pcmError
	tag := func(at int) string {
		if len(data) < at+4 {
			return ""
		}
		return string(data[at : at+4])
	}
	switch head := tag(0); {
	case (head == "RIFF" || head == "RF64" || head == "BW64") && tag(8) == "WAVE":
		p, err = parseWAV(data, binary.LittleEndian)
	case head == "RIFX" && tag(8) == "WAVE":
		p, err = parseWAV(data, binary.BigEndian)
	case head == "riff" && len(data) >= 40 && string(data[:16]) == w64GUID("riff") && string(data[24:40]) == w64GUID("wave"):
		p, err = parseW64(data)
	case head == "caff":
		p, err = parseCAF(data)
	case head == "FORM" && (tag(8) == "AIFF" || tag(8) == "AIFC"):
		p, err = parseAIFF(data)
	case head == ".snd":
		p, err = parseAU(data, binary.BigEndian)
	case head == "\x00ds.":
		p, err = parseAU(data, binary.LittleEndian)
	default:
		return p, compressed("")
	}
	if err == nil {
		err = p.check()
	}
	return p, err
}

func (p *pcm) check() *pcmError {
	switch {
	case p.rate < 1 || p.rate > maxRate:
		return damagedSound("the sample rate of " + strconv.Itoa(p.rate) + " Hz is impossible")
	case p.channels < 1 || p.width < 1 || p.width > 8 || p.encoding == float && p.width != 4 && p.width != 8:
		return damagedSound("the headers contradict each other about the samples")
	case p.frames() == 0:
		return damagedSound("the recording has no samples")
	}
	return nil
}

// chunk is the part of a file that a name and a size precede.
type chunk struct {
	name string
	body []byte // what the file has of it
	size uint64 // according to its header
}

// cut reports whether the end of the chunk is missing.
func (c *chunk) cut() bool { return c.size > uint64(len(c.body)) }

// reader32 reads chunks with sizes of 32 bits, aligned to 2 bytes.
type reader32 struct {
	data  []byte
	order binary.ByteOrder
}

func (r *reader32) next() (chunk, bool) {
	if len(r.data) < 8 {
		return chunk{}, false
	}
	c := chunk{name: string(r.data[:4]), size: uint64(r.order.Uint32(r.data[4:]))}
	rest := r.data[8:]
	n := min(c.size, uint64(len(rest)))
	c.body = rest[:n]
	r.data = rest[min(n+n&1, uint64(len(rest))):]
	return c, true
}

// Codec tags of a WAV.
const (
	wavPCM        = 1
	wavFloat      = 3
	wavExtensible = 0xfffe
)

func parseWAV(data []byte, order binary.ByteOrder) (pcm, *pcmError) {
	var p pcm
	hasFormat, wide := false, uint64(0)
	for r := (reader32{data[12:], order}); ; {
		c, ok := r.next()
		if !ok {
			return p, damagedSound("the WAV is cut off in front of its samples")
		}
		switch c.name {
		case "fmt ":
			if err := p.parseWAVFormat(c.body, order); err != nil {
				return p, err
			}
			hasFormat = true
		case "ds64": // of RF64, in front of all others
			if len(c.body) >= 16 {
				wide = order.Uint64(c.body[8:])
			}
		case "data":
			if !hasFormat {
				return p, damagedSound("the WAV has no format in front of its samples")
			}
			p.data = c.body
			if c.size == math.MaxUint32 && wide != 0 && wide != math.MaxUint64 {
				c.size = wide
				p.data = c.body[:min(wide, uint64(len(c.body)))]
			}
			if c.size == 0 { // the recorder did not go back to write the size
				p.data = r.data
			}
			if c.cut() && !streamed(c.size, p.channels*p.width) {
				return p, damagedSound("the WAV is cut off in its samples")
			}
			return p, nil
		}
	}
}

// streamed reports whether a size of samples is one that writers to a pipe use,
// because they do not know it: SoX writes 0x7ffff000, also in whole blocks, LAME
// 0x7fffffff, arecord 0x80000000 and FFmpeg 0xffffffff.
func streamed(size uint64, block int) bool {
	const sox = 0x7ffff000
	switch size {
	case math.MaxUint32, sox, sox - sox%uint64(max(block, 1)), 0x7fffffff, 0x80000000:
		return true
	}
	return false
}

// parseWAVFormat reads the format chunk of a WAV or a Wave64.
func (p *pcm) parseWAVFormat(b []byte, order binary.ByteOrder) *pcmError {
	if len(b) < 16 {
		return damagedSound("the WAV is cut off in its format")
	}
	codec := uint32(order.Uint16(b))
	p.order, p.channels = order, int(order.Uint16(b[2:]))
	p.rate = int(min(order.Uint32(b[4:]), maxRate+1))
	block, bits := int(order.Uint16(b[12:])), int(order.Uint16(b[14:]))
	if codec == wavExtensible {
		if len(b) < 40 {
			return damagedSound("the WAV is cut off in its format")
		}
		codec = order.Uint32(b[24:]) // the start of the sub-format's GUID
		if order == binary.BigEndian && codec&0xffff == 0 {
			codec >>= 16 // SoX writes it as two numbers of 16 bits
		}
	}
	p.width = (bits + 7) / 8
	switch codec {
	case wavPCM:
		if p.width == 1 {
			p.encoding = unsigned
		}
	case wavFloat:
		p.encoding = float
	default:
		return compressed("the WAV is compressed")
	}
	if block != p.channels*p.width {
		return damagedSound("the headers contradict each other about the samples")
	}
	return nil
}

// w64GUID returns the name of a chunk of a Wave64.
func w64GUID(name string) string {
	if name == "riff" {
		return "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
	}
	return name + "\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
}

func parseW64(data []byte) (pcm, *pcmError) {
	var p pcm
	order := binary.LittleEndian
	hasFormat := false
	for rest := data[40:]; len(rest) >= 24; {
		name, size := string(rest[:16]), order.Uint64(rest[16:])
		rest = rest[24:]
		size -= 24                     // of the header, which it includes
		if size > 1<<62 || size == 0 { // left open by a writer to a pipe
			size = uint64(len(rest))
		}
		body := rest[:min(size, uint64(len(rest)))]
		switch name {
		case w64GUID("fmt "):
			if err := p.parseWAVFormat(body, order); err != nil {
				return p, err
			}
			hasFormat = true
		case w64GUID("data"):
			if !hasFormat {
				return p, damagedSound("the Wave64 has no format in front of its samples")
			}
			if size > uint64(len(rest)) {
				return p, damagedSound("the Wave64 is cut off in its samples")
			}
			p.data = body
			return p, nil
		}
		if size > uint64(len(rest)) {
			break
		}
		rest = rest[min((size+7)&^7, uint64(len(rest))):]
	}
	return p, damagedSound("the Wave64 is cut off in front of its samples")
}

func parseCAF(data []byte) (pcm, *pcmError) {
	var p pcm
	order := binary.BigEndian
	hasFormat := false
	for rest := data[min(8, len(data)):]; len(rest) >= 12; {
		name, size := string(rest[:4]), order.Uint64(rest[4:])
		rest = rest[12:]
		if size == math.MaxUint64 { // up to the end of the file
			size = uint64(len(rest))
		}
		body := rest[:min(size, uint64(len(rest)))]
		switch name {
		case "desc":
			if err := p.parseCAFFormat(body); err != nil {
				return p, err
			}
			hasFormat = true
		case "data":
			switch {
			case !hasFormat:
				return p, damagedSound("the CAF has no description in front of its samples")
			case size > uint64(len(rest)) || len(body) < 4:
				return p, damagedSound("the CAF is cut off in its samples")
			}
			p.data = body[4:] // behind the edit count
			return p, nil
		}
		rest = rest[len(body):]
	}
	return p, damagedSound("the CAF is cut off in front of its samples")
}

func (p *pcm) parseCAFFormat(b []byte) *pcmError {
	if len(b) < 32 {
		return damagedSound("the CAF is cut off in its description")
	}
	order := binary.BigEndian
	if string(b[8:12]) != "lpcm" {
		return compressed("the CAF is compressed")
	}
	flags := order.Uint32(b[12:])
	bytesPerPacket, framesPerPacket := order.Uint32(b[16:]), order.Uint32(b[20:])
	channels, bits := order.Uint32(b[24:]), order.Uint32(b[28:])
	if framesPerPacket != 1 || channels > math.MaxUint16 || bits > 64 || bytesPerPacket != channels*((bits+7)/8) {
		return damagedSound("the headers contradict each other about the samples")
	}
	p.rate = wholeRate(math.Float64frombits(order.Uint64(b)))
	p.channels, p.width = int(channels), int(bits+7)/8
	if flags&1 != 0 {
		p.encoding = float
	}
	p.order = order
	if flags&2 != 0 {
		p.order = binary.LittleEndian
	}
	return nil
}

// wholeRate returns a rate in whole Hz, 0 for an impossible one.
func wholeRate(hz float64) int {
	if !(hz >= 1 && hz <= maxRate) { // NaN as well
		return 0
	}
	return int(math.Round(hz))
}

func parseAIFF(data []byte) (pcm, *pcmError) {
	var p pcm
	hasFormat := false
	var samples *chunk
	for r := (reader32{data[12:], binary.BigEndian}); !hasFormat || samples == nil; {
		c, ok := r.next()
		if !ok {
			break
		}
		switch c.name {
		case "COMM":
			if err := p.parseAIFFFormat(c.body, string(data[8:12]) == "AIFC"); err != nil {
				return p, err
			}
			hasFormat = true
		case "SSND":
			if c.size == 0 { // the recorder did not go back to write the size
				c.body = r.data
				c.size = uint64(len(c.body))
			}
			samples = &c
		}
	}
	switch {
	case !hasFormat || samples == nil:
		return p, damagedSound("the AIFF is cut off in front of its samples")
	// SoX writes at least 0x7f000000 to a pipe.
	case samples.cut() && samples.size < 0x7f000000:
		return p, damagedSound("the AIFF is cut off in its samples")
	case len(samples.body) < 8:
		return p, damagedSound("the AIFF has no samples")
	}
	skip := uint64(binary.BigEndian.Uint32(samples.body)) + 8
	p.data = samples.body[min(skip, uint64(len(samples.body))):]
	return p, nil
}

func (p *pcm) parseAIFFFormat(b []byte, compression bool) *pcmError {
	order := binary.BigEndian
	if len(b) < 18 || compression && len(b) < 22 {
		return damagedSound("the AIFF is cut off in its description")
	}
	p.order, p.channels, p.width = order, int(order.Uint16(b)), int(order.Uint16(b[6:])+7)/8
	// The rate has 80 bits: an exponent and a mantissa without a hidden bit.
	exponent := int(order.Uint16(b[8:])) - 16383 - 63
	p.rate = wholeRate(math.Ldexp(float64(order.Uint64(b[10:])), exponent))
	if !compression {
		return nil
	}
	switch string(b[18:22]) {
	case "NONE", "twos", "in24", "in32":
	case "sowt":
		p.order = binary.LittleEndian
	case "raw ":
		p.encoding = unsigned
	case "fl32", "FL32":
		p.encoding, p.width = float, 4
	case "fl64", "FL64":
		p.encoding, p.width = float, 8
	default:
		return compressed("the AIFF is compressed")
	}
	return nil
}

func parseAU(data []byte, order binary.ByteOrder) (pcm, *pcmError) {
	if len(data) < 24 {
		return pcm{}, damagedSound("the AU is cut off in its header")
	}
	start, size := uint64(order.Uint32(data[4:])), uint64(order.Uint32(data[8:]))
	p := pcm{order: order, rate: int(min(order.Uint32(data[16:]), maxRate+1)), channels: int(min(order.Uint32(data[20:]), math.MaxUint16))}
	switch order.Uint32(data[12:]) {
	case 2, 3, 4, 5:
		p.width = int(order.Uint32(data[12:])) - 1
	case 6:
		p.encoding, p.width = float, 4
	case 7:
		p.encoding, p.width = float, 8
	default:
		return p, compressed("the AU is compressed")
	}
	if start < 24 || start > uint64(len(data)) {
		return p, damagedSound("the AU is cut off in front of its samples")
	}
	p.data = data[start:]
	if size == 0 || streamed(size, p.channels*p.width) {
		return p, nil
	}
	if size > uint64(len(p.data)) {
		return p, damagedSound("the AU is cut off in its samples")
	}
	p.data = p.data[:size]
	return p, nil
}
