package mediainfo

// avi reads the main header and the streams' headers.
func (s *source) avi(i *Info) error {
	p, err := s.exact(4, 4)
	if err != nil {
		return err
	}
	if size := uint64(le32(p)) + 8; le32(p) != 0 && le32(p) < 1<<32-16 {
		s.more.cut = cutIf(size > s.size)
	}
	if p, err = s.exact(12, 12); err != nil {
		return err
	}
	if string(p[:4]) != "LIST" || string(p[8:]) != "hdrl" {
		return bad(AVI, "no list of headers")
	}
	end := min(s.size, 20+uint64(le32(p[4:])))
	var micros, frames uint64
	var stream aviStream
	for pos := uint64(24); pos+8 <= end; {
		if p, err = s.exact(pos, 8); err != nil {
			return err
		}
		size := uint64(le32(p[4:]))
		body := pos + 8
		pos = body + size + size&1
		switch string(p[:4]) {
		case "LIST": // its content follows as if it were not in it
			pos = body + 4
			stream = aviStream{}
		case "avih":
			if p, err = s.exact(body, 40); err != nil {
				return err
			}
			micros, frames = uint64(le32(p)), uint64(le32(p[16:]))
			i.picture(le32(p[32:]), le32(p[36:]))
		case "strh":
			if p, err = s.exact(body, 36); err != nil {
				return err
			}
			stream = aviStream{
				video: string(p[:4]) == "vids", audio: string(p[:4]) == "auds",
				scale: uint64(le32(p[20:])), rate: uint64(le32(p[24:])), length: uint64(le32(p[32:])),
			}
		case "strf":
			if p, err = s.at(body, int(min(size, 40))); err != nil {
				return err
			}
			stream.format(i, p)
		}
	}
	i.VideoDuration = min(i.VideoDuration, maxDuration)
	if i.VideoDuration == 0 {
		i.VideoDuration = span(micros*frames, 1_000_000)
	}
	i.Duration = max(i.VideoDuration, i.AudioDuration)
	i.DurationUnknown = i.Duration == 0
	return nil
}

// aviStream is a stream's header.
type aviStream struct {
	video, audio        bool
	scale, rate, length uint64 // length/(rate/scale) is in seconds
}

// format applies the format of a stream, of which the first of each kind counts.
func (t aviStream) format(i *Info, p []byte) {
	d := span(t.length*t.scale, t.rate)
	switch {
	case t.video && !i.HasVideo && len(p) >= 20:
		i.HasVideo, i.VideoCodec, i.VideoDuration = true, aviCodec(p[16:20]), d
		if t.scale > 0 {
			i.FrameRate = float64(t.rate) / float64(t.scale)
		}
	case t.audio && !i.HasAudio && len(p) >= 16:
		w := wavFile{format: AVI}
		if w.parseFormat(p) == nil {
			i.sound(w.codecName(), w.rate, w.channels, w.bits)
			if name := w.codecName(); name != "pcm" && name != "float" {
				i.BitsPerSample = 0
			}
			i.AudioDuration = d
		}
	}
}

func aviCodec(name []byte) string {
	switch string(name) {
	case "H264", "h264", "X264", "x264", "avc1", "AVC1":
		return "avc1"
	case "HEVC", "hevc", "H265", "hvc1", "hev1":
		return "hvc1"
	case "XVID", "xvid", "DIVX", "divx", "DX50", "FMP4", "MP4V", "mp4v":
		return "mp4v"
	case "MJPG", "mjpg":
		return "jpeg"
	case "VP80":
		return "vp08"
	case "VP90":
		return "vp09"
	case "AV01", "av01":
		return "av01"
	case "H263", "h263":
		return "s263"
	}
	return "other"
}
