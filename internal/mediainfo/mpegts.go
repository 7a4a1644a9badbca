package mediainfo

// mpegTS reads the tables at the start of a transport stream, which name the codecs.
// The resolution and the duration are in the streams, and stay unknown.
func (s *source) mpegTS(i *Info) error {
	const packet, packets = 188, 40
	if s.size%packet != 0 {
		s.more.cut = CutYes
	}
	program := -1 // the stream with the table of the program
	for n := range uint64(packets) {
		p, err := s.at(n*packet, packet)
		if err != nil || len(p) < packet || p[0] != 'G' {
			return err
		}
		pid := be16(p[1:]) & 0x1fff
		body := p[4:]
		if p[3]&0x20 != 0 { // a field of its own length in front
			body = body[min(1+int(body[0]), len(body)):]
		}
		if p[1]&0x40 == 0 || p[3]&0x10 == 0 || len(body) < 1 || pid != 0 && pid != program {
			continue
		}
		body = body[min(1+int(body[0]), len(body)):]
		if pid == 0 {
			if len(body) >= 12 {
				program = be16(body[10:]) & 0x1fff
			}
			continue
		}
		i.mpegTSProgram(body)
		return nil
	}
	return nil
}

func (i *Info) mpegTSProgram(p []byte) {
	if len(p) < 12 {
		return
	}
	end := min(3+be16(p[1:])&0xfff-4, len(p)) // without the checksum
	for pos := 12 + be16(p[10:])&0xfff; pos+5 <= end; pos += 5 + be16(p[pos+3:])&0xfff {
		codec, video := "", true
		switch p[pos] {
		case 1, 2:
			codec = "other"
		case 0x10:
			codec = "mp4v"
		case 0x1b:
			codec = "avc1"
		case 0x24:
			codec = "hvc1"
		case 3, 4:
			codec, video = "mp3", false
		case 0x0f, 0x11:
			codec, video = "mp4a", false
		case 0x81:
			codec, video = "ac-3", false
		}
		switch {
		case codec == "":
		case video && !i.HasVideo:
			i.HasVideo, i.VideoCodec = true, codec
		case !video && !i.HasAudio:
			i.HasAudio, i.AudioCodec = true, codec
		}
	}
	i.DurationUnknown = true
}
