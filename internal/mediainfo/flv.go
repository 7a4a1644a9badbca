package mediainfo

import (
	"math"
	"time"
)

// flvTags is how many tags are read: the metadata and the first of each stream.
const flvTags = 16

// flv reads the metadata of the file, and the first tags for the codecs.
func (s *source) flv(i *Info) error {
	p, err := s.exact(5, 4)
	if err != nil {
		return err
	}
	if err := s.flvEnd(); err != nil {
		return err
	}
	pos := uint64(be32(p)) + 4
	for range flvTags {
		if p, err = s.at(pos, 13); err != nil || len(p) < 13 {
			return err
		}
		kind, size := p[0]&31, uint64(be32(p[:4])&0xffffff)
		body := pos + 11
		pos = body + size + 4
		switch {
		case kind == 18:
			err = s.flvMetadata(i, body, min(size, windowSize))
		case kind == 9 && !i.HasVideo && size > 0:
			i.HasVideo, i.VideoCodec = true, flvVideo(p[11]&15)
		case kind == 8 && !i.HasAudio && size > 0:
			flvAudio(i, p[11])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flvEnd looks for the end of the last tag, which repeats its size.
func (s *source) flvEnd() error {
	p, err := s.at(s.size-4, 4)
	if err != nil {
		return err
	}
	size := uint64(be32(p))
	if size < 11 || size+4 > s.size {
		return nil
	}
	if p, err = s.at(s.size-4-size, 4); err == nil && len(p) == 4 && uint64(be32(p)&0xffffff) == size-11 {
		s.more.cut = CutNo
	}
	return err
}

func flvVideo(id byte) string {
	switch id {
	case 7:
		return "avc1"
	case 12:
		return "hvc1"
	case 2:
		return "s263"
	case 9:
		return "mp4v"
	}
	return "other"
}

func flvAudio(i *Info, flags byte) {
	rate := [...]int{5512, 11_025, 22_050, 44_100}[flags>>2&3]
	channels, depth := int(flags&1)+1, 0
	codec := "other"
	switch flags >> 4 {
	case 0, 3:
		codec, depth = "pcm", 8<<(flags>>1&1)
	case 1:
		codec = "adpcm"
	case 2, 14:
		codec = "mp3"
	case 7:
		codec, rate = "alaw", 8000
	case 8:
		codec, rate = "mulaw", 8000
	case 10: // its rate and channels are in its own headers
		codec, rate, channels = "mp4a", i.SampleRate, i.Channels
	}
	unknown := i.DurationUnknown
	i.sound(codec, rate, channels, depth)
	i.DurationUnknown = unknown
}

// flvMetadata reads the numbers of the script "onMetaData".
func (s *source) flvMetadata(i *Info, pos, size uint64) error {
	p, err := s.at(pos, int(size))
	const name = "\x02\x00\x0aonMetaData\x08"
	if err != nil || len(p) < len(name)+4 || string(p[:len(name)]) != name {
		return err
	}
	i.DurationUnknown = true
	width, height := 0.0, 0.0
	for p = p[len(name)+4:]; len(p) >= 3; {
		n := 2 + be16(p)
		if len(p) < n+1 {
			break
		}
		key, kind := p[2:n], p[n]
		p = p[n+1:]
		switch kind {
		case 0: // a number
			if len(p) < 8 {
				return nil
			}
			v := math.Float64frombits(be64(p))
			p = p[8:]
			switch string(key) {
			case "width":
				width = v
			case "height":
				height = v
			case "framerate":
				if v > 0 && v < 1e6 {
					i.FrameRate = v
				}
			case "audiosamplerate":
				if v >= 1 && v <= maxRate {
					i.SampleRate = int(v)
				}
			case "duration":
				if v > 0 && v <= maxDuration.Seconds() {
					i.lasts(time.Duration(v * float64(time.Second)))
				}
			}
		case 1: // a truth value
			if len(p) >= 2 && string(key) == "stereo" {
				i.Channels = int(p[0]&1) + 1
			}
			p = p[min(1, len(p)):]
		case 2: // a string
			if len(p) < 2 {
				return nil
			}
			p = p[min(2+be16(p), len(p)):]
		default:
			return nil
		}
	}
	if width >= 1 && height >= 1 && width < 1<<16 && height < 1<<16 {
		i.Width, i.Height = int(width), int(height)
	}
	return nil
}
