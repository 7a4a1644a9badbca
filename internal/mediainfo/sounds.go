package mediainfo

import (
	"bytes"
	"math"
	"time"
)

// The API takes no recording but WAV and CAF. The readers here find the codec, the
// rate and the duration of others, where their headers have them.

// sound sets the description of a recording, if it is possible.
func (i *Info) sound(codec string, rate, channels, depth int) {
	i.HasAudio, i.AudioCodec = true, codec
	if rate > 0 && rate <= maxRate {
		i.SampleRate = rate
	}
	if channels > 0 && channels <= math.MaxUint16 {
		i.Channels = channels
	}
	if depth > 0 && depth <= 64 {
		i.BitsPerSample = depth
	}
	i.DurationUnknown = true
}

// lasts sets the duration.
func (i *Info) lasts(d time.Duration) {
	i.Duration, i.DurationUnknown = d, false
	if !i.HasVideo {
		i.AudioDuration = d
	}
}

func (s *source) aiff(i *Info) error {
	p, err := s.exact(4, 8)
	if err != nil {
		return err
	}
	if size := uint64(be32(p)) + 8; be32(p) != 0 && be32(p) != math.MaxUint32 {
		s.more.cut = cutIf(size > s.size)
	}
	compressed := string(p[4:]) == "AIFC"
	for pos := uint64(12); ; {
		if p, err = s.exact(pos, 8); err != nil {
			return err
		}
		pos += 8
		size := uint64(be32(p[4:]))
		if string(p[:4]) != "COMM" {
			pos += size + size&1
			continue
		}
		if p, err = s.exact(pos, 18); err != nil {
			return err
		}
		channels, frames, depth, rate := be16(p), be32(p[2:]), be16(p[6:]), extended(p[8:])
		codec := "pcm"
		if compressed {
			if p, err = s.exact(pos, 22); err != nil {
				return err
			}
			codec = aifcCodec(p[18:])
		}
		i.sound(codec, rate, channels, depth)
		if frames > 0 && frames != math.MaxUint32 && i.SampleRate > 0 && (codec == "pcm" || codec == "float" || codec == "mulaw" || codec == "alaw") {
			i.lasts(span(uint64(frames), uint64(i.SampleRate)))
		}
		return nil
	}
}

func aifcCodec(name []byte) string {
	switch string(bytes.ToLower(name)) {
	case "none", "sowt", "twos", "in24", "in32", "raw ":
		return "pcm"
	case "fl32", "fl64":
		return "float"
	case "ulaw":
		return "mulaw"
	case "alaw":
		return "alaw"
	case "ima4":
		return "adpcm"
	}
	return "other"
}

// extended reads a rate in floating point of 80 bits, 0 for an impossible one.
func extended(p []byte) int {
	exponent := be16(p) - 16383 // negative for a sign and for rates below 1
	if exponent < 0 || exponent > 23 {
		return 0
	}
	return int((be64(p[2:])>>(62-exponent) + 1) >> 1) // rounded
}

func (s *source) au(i *Info) error {
	p, err := s.exact(4, 20)
	if err != nil {
		return err
	}
	start, size, rate, channels := uint64(be32(p)), uint64(be32(p[4:])), int(min(be32(p[12:]), maxRate+1)), int(min(be32(p[16:]), 1<<16))
	codec, depth := "other", 0
	switch be32(p[8:]) {
	case 1:
		codec, depth = "mulaw", 8
	case 2, 3, 4, 5:
		codec, depth = "pcm", 8*int(be32(p[8:])-1)
	case 6:
		codec, depth = "float", 32
	case 7:
		codec, depth = "float", 64
	case 27:
		codec, depth = "alaw", 8
	case 23, 24, 25, 26:
		codec = "adpcm"
	}
	i.sound(codec, rate, channels, depth)
	if start > s.size {
		return short(AU, "ends inside its headers")
	}
	if size == math.MaxUint32 {
		size = s.size - start
	} else {
		s.more.cut = cutIf(size > s.size-start)
	}
	if depth > 0 && i.SampleRate > 0 && i.Channels > 0 {
		i.lasts(span(size/uint64(i.Channels*depth/8), uint64(i.SampleRate)))
	}
	return nil
}

// w64 reads a WAV with GUIDs for names and sizes of 64 bits that include the header.
func (s *source) w64(i *Info) error {
	p, err := s.exact(16, 24)
	if err != nil {
		return err
	}
	s.more.cut = cutIf(le64(p) > s.size)
	w := wavFile{format: W64}
	for pos := uint64(40); ; {
		if p, err = s.exact(pos, 24); err != nil {
			return err
		}
		size := le64(p[16:])
		if size < 24 || size > 1<<62 {
			return bad(W64, "a chunk has an impossible size")
		}
		switch string(p[:4]) {
		case "fmt ":
			if p, err = s.exact(pos+24, int(min(size-24, 40))); err != nil {
				return err
			}
			if err := w.parseFormat(p); err != nil {
				return err
			}
			i.sound(w.codecName(), w.rate, w.channels, w.bits)
		case "data":
			if w.hasFormat && (w.codec == wavPCM || w.codec == wavFloat) {
				i.lasts(span((size-24)/uint64(w.blockAlign), uint64(w.rate)))
			}
			return nil
		}
		pos += (size + 7) &^ 7
	}
}

func (s *source) flac(i *Info) error {
	p, err := s.exact(8, 18)
	if err != nil {
		return err
	}
	v := be64(p[10:])
	i.sound("fLaC", int(v>>44), int(v>>41&7)+1, int(v>>36&31)+1)
	if samples := v & (1<<36 - 1); samples > 0 && i.SampleRate > 0 {
		i.lasts(span(samples, uint64(i.SampleRate)))
	}
	return nil
}

// mp3 reads the first frame, and the number of frames in it if an encoder wrote one.
func (s *source) mp3(i *Info) error {
	p, err := s.exact(0, 10)
	if err != nil {
		return err
	}
	pos := uint64(0)
	if string(p[:3]) == "ID3" {
		pos = 10 + (uint64(p[6]&127)<<21 | uint64(p[7]&127)<<14 | uint64(p[8]&127)<<7 | uint64(p[9]&127))
		if p[5]&0x10 != 0 { // a footer
			pos += 10
		}
	}
	i.sound("mp3", 0, 0, 0)
	// The tag may be padded with zeros.
	window, err := s.rest(pos)
	if err != nil {
		return err
	}
	for len(window) > 0 && window[0] == 0 {
		window, pos = window[1:], pos+1
	}
	if p, err = s.exact(pos, 4); err != nil {
		return err
	}
	if sniffFrames(p) != MP3 {
		return bad(MP3, "no frame behind its tag")
	}
	version, mono := p[1]>>3&3, p[3]>>6 == 3
	rate := [...]int{44_100, 48_000, 32_000}[p[2]>>2&3]
	samples, side := uint64(1152), uint64(32)
	if mono {
		side = 17
	}
	if version != 3 { // MPEG 2 and 2.5 have lower rates and shorter frames
		rate /= 2
		samples, side = 576, 17
		if mono {
			side = 9
		}
	}
	if version == 0 {
		rate /= 2
	}
	channels := 2
	if mono {
		channels = 1
	}
	if p[1]>>1&3 != 1 { // layers I and II
		i.sound("other", rate, channels, 0)
		return nil
	}
	i.sound("mp3", rate, channels, 0)
	return s.mp3Frames(i, pos+4+side, samples)
}

// mp3Frames reads an encoder's first frame, which has the number of all frames, and
// the samples that were added at both ends.
func (s *source) mp3Frames(i *Info, pos, samples uint64) error {
	p, err := s.at(pos, 144)
	if err != nil || len(p) < 12 || string(p[:4]) != "Xing" && string(p[:4]) != "Info" || be32(p[4:])&1 == 0 {
		return err
	}
	total, flags, next := uint64(be32(p[8:]))*samples, be32(p[4:]), 12
	if flags&2 != 0 && len(p) >= 16 {
		if size := uint64(be32(p[12:])); size > s.size {
			s.more.cut = CutYes
		} else if size > 0 {
			s.more.cut = CutNo
		}
	}
	for _, part := range [...]struct {
		flag uint32
		size int
	}{{2, 4}, {4, 100}, {8, 4}} {
		if flags&part.flag != 0 {
			next += part.size
		}
	}
	if len(p) >= next+24 && (string(p[next:next+4]) == "LAME" || string(p[next:next+4]) == "Lavf" || string(p[next:next+4]) == "Lavc") {
		padding := uint64(p[next+21])<<16 | uint64(p[next+22])<<8 | uint64(p[next+23])
		total -= min(total, padding>>12+padding&0xfff)
	}
	i.lasts(span(total, uint64(i.SampleRate)))
	return nil
}

// adts reads the first header of an AAC stream. Its length is nowhere.
func (s *source) adts(i *Info) error {
	p, err := s.exact(0, 7)
	if err != nil {
		return err
	}
	rates := [...]int{96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350}
	rate := 0
	if n := int(p[2] >> 2 & 15); n < len(rates) {
		rate = rates[n]
	}
	channels := int(p[2]&1)<<2 | int(p[3]>>6)
	if channels == 7 {
		channels = 8
	}
	i.sound("mp4a", rate, channels, 0)
	return nil
}

// amr counts the frames, of 20 ms each. A long recording is not read to its end, and
// has an unknown duration.
func (s *source) amr(i *Info) error {
	p, err := s.exact(0, 9)
	if err != nil {
		return err
	}
	sizes := [16]uint64{12, 13, 15, 17, 19, 20, 26, 31, 5, 5, 5, 5}
	pos := uint64(6)
	switch {
	case string(p) == "#!AMR-WB\n":
		sizes, pos = [16]uint64{17, 23, 32, 36, 40, 46, 50, 58, 60, 5}, 9
		i.sound("sawb", 16_000, 1, 0)
	case string(p[:6]) == "#!AMR\n":
		i.sound("samr", 8000, 1, 0)
	default:
		i.sound("samr", 0, 0, 0)
		return nil
	}
	for frames := 0; ; frames++ {
		if pos == s.size {
			s.more.cut = CutNo
			i.lasts(time.Duration(frames) * 20 * time.Millisecond)
			return nil
		}
		p, err := s.at(pos, 1)
		if err != nil {
			return err
		}
		if len(p) == 0 {
			s.more.cut = CutYes
			i.lasts(time.Duration(frames-1) * 20 * time.Millisecond)
			return nil
		}
		pos += 1 + sizes[p[0]>>3&15]
	}
}
