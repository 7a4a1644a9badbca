package mediainfo

import (
	"math"
	"time"
)

// The names of the EBML elements that are read, including their length markers.
const (
	ebmlHeader  = 0x1a45dfa3
	ebmlDocType = 0x4282

	webmSegment = 0x18538067
	webmInfo    = 0x1549a966
	webmTracks  = 0x1654ae6b
	webmCluster = 0x1f43b675

	webmScale    = 0x2ad7b1 // of Info
	webmDuration = 0x4489

	webmEntry     = 0xae // of Tracks
	webmNumber    = 0xd7
	webmType      = 0x83
	webmCodec     = 0x86
	webmFrameTime = 0x23e383
	webmVideo     = 0xe0
	webmWidth     = 0xb0
	webmHeight    = 0xba
	webmAudio     = 0xe1
	webmRate      = 0xb5
	webmChannels  = 0x9f
	webmDepth     = 0x6264

	webmGroup       = 0xa0 // of a cluster
	webmBlock       = 0xa1
	webmSimpleBlock = 0xa3
)

// webmFile is the content of the headers of a WebM.
type webmFile struct {
	scale        uint64 // nanoseconds in a unit of the duration
	duration     float64
	video, audio webmTrack // the first of each; kind is 0 for none
	info, listed bool      // Info and Tracks are there
	cut          bool      // the segment ends behind the data
}

// webmTrack is an entry of Tracks.
type webmTrack struct {
	number, kind    uint64
	codec           string
	frameTime       uint64 // nanoseconds
	width, height   uint64
	rate            float64
	channels, depth uint64
}

// The kinds of tracks.
const (
	webmKindVideo = 1
	webmKindAudio = 2
)

// parseWebM reads the headers. rest is the segment behind them.
func parseWebM(src *source) (w webmFile, rest elements, err error) {
	w.scale = 1_000_000
	top := elements{src: src, end: src.size}
	head, _, err := top.next() // it exists, as the format was recognised by it
	switch {
	case err != nil:
		return w, rest, err
	case head.cut || head.open:
		return w, rest, short(WebM, "ends inside the file header")
	}
	if err := checkDocType(src, head); err != nil {
		return w, rest, err
	}
	segment, ok, err := top.next()
	switch {
	case err != nil:
		return w, rest, err
	case !ok:
		return w, rest, short(WebM, "no segment")
	case segment.id != webmSegment:
		return w, rest, bad(WebM, "no segment behind the file header")
	}
	if !segment.open {
		src.more.cut = cutIf(segment.cut)
	}
	w.cut, rest = segment.cut, elements{src: src, pos: segment.start, end: segment.end}
	for !w.info || !w.listed {
		before := rest
		e, ok, err := rest.next()
		switch {
		case err != nil:
			return w, rest, err
		case !ok && !w.listed:
			return w, rest, short(WebM, "no tracks")
		case e.id == webmCluster && !w.listed:
			return w, rest, bad(WebM, "no tracks in front of the media")
		case !ok || e.id == webmCluster:
			return w, before, nil
		case e.cut || e.open:
			return w, rest, short(WebM, "ends inside an element")
		case e.id == webmInfo:
			err = w.readInfo(src, e)
		case e.id == webmTracks:
			err = w.readTracks(src, e)
		}
		if err != nil {
			return w, rest, err
		}
	}
	return w, rest, nil
}

func checkDocType(src *source, head element) error {
	for s := head.inside(src); ; {
		e, ok, err := s.next()
		if err != nil {
			return err
		}
		if !ok {
			return bad(WebM, "the file header does not say that this is WebM or Matroska")
		}
		if e.id == ebmlDocType {
			p, err := e.read(src, 9)
			if string(p) == "matroska" {
				src.more.variant = Matroska
			}
			if err == nil && string(p) != "webm" && string(p) != "matroska" {
				err = bad(WebM, "the file header says that this is neither WebM nor Matroska")
			}
			return err
		}
	}
}

func (w *webmFile) readInfo(src *source, in element) error {
	w.info = true
	for s := in.inside(src); ; {
		e, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		switch e.id {
		case webmScale:
			w.scale, err = e.number(src)
		case webmDuration:
			w.duration, err = e.float(src)
		}
		if err != nil {
			return err
		}
	}
}

func (w *webmFile) readTracks(src *source, in element) error {
	w.listed = true
	for s := in.inside(src); ; {
		e, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		if e.id != webmEntry {
			continue
		}
		t := webmTrack{rate: 8000, channels: 1} // the defaults of a track
		if err := t.read(src, e, false); err != nil {
			return err
		}
		switch {
		case t.kind == webmKindVideo && w.video.kind == 0:
			w.video = t
		case t.kind == webmKindAudio && w.audio.kind == 0:
			w.audio = t
		}
	}
}

// read reads an entry. An element inside it holds the fields of video or sound.
func (t *webmTrack) read(src *source, in element, inner bool) error {
	for s := in.inside(src); ; {
		e, ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		switch {
		case inner:
			err = t.readInner(src, e)
		case e.id == webmNumber:
			t.number, err = e.number(src)
		case e.id == webmType:
			t.kind, err = e.number(src)
		case e.id == webmFrameTime:
			t.frameTime, err = e.number(src)
		case e.id == webmCodec:
			var p []byte
			p, err = e.read(src, 32)
			t.codec = webmCodecName(p)
		case e.id == webmVideo || e.id == webmAudio:
			err = t.read(src, e, true)
		}
		if err != nil {
			return err
		}
	}
}

func (t *webmTrack) readInner(src *source, e element) (err error) {
	switch e.id {
	case webmWidth:
		t.width, err = e.number(src)
	case webmHeight:
		t.height, err = e.number(src)
	case webmRate:
		t.rate, err = e.float(src)
	case webmChannels:
		t.channels, err = e.number(src)
	case webmDepth:
		t.depth, err = e.number(src)
	}
	return err
}

// webmCodecName returns the name in [Info] of a codec.
func webmCodecName(b []byte) string {
	switch string(b) {
	case "V_VP8":
		return "vp08"
	case "V_VP9":
		return "vp09"
	case "V_AV1":
		return "av01"
	case "V_MPEG4/ISO/AVC":
		return "avc1"
	case "V_MPEG4/ISO/ASP", "V_MPEG4/ISO/SP", "V_MPEG4/ISO/AP":
		return "mp4v"
	case "V_MPEGH/ISO/HEVC":
		return "hvc1"
	case "V_MJPEG":
		return "jpeg"
	case "A_OPUS":
		return "Opus"
	case "A_VORBIS":
		return "vorbis"
	case "A_PCM/INT/LIT", "A_PCM/INT/BIG":
		return "pcm"
	case "A_PCM/FLOAT/IEEE":
		return "float"
	case "A_AAC":
		return "mp4a"
	case "A_MPEG/L3":
		return "mp3"
	case "A_AC3":
		return "ac-3"
	case "A_ALAC":
		return "alac"
	case "A_FLAC":
		return "fLaC"
	}
	return "other"
}

func inspectWebM(src *source, info *Info) error {
	w, _, err := parseWebM(src)
	if v := &w.video; v.kind != 0 {
		info.HasVideo, info.VideoCodec = true, v.codec
		info.Width, info.Height = int(min(v.width, math.MaxUint16)), int(min(v.height, math.MaxUint16))
		if v.frameTime > 0 {
			info.FrameRate = float64(time.Second) / float64(v.frameTime)
		}
	}
	if a := &w.audio; a.kind != 0 {
		info.HasAudio, info.AudioCodec = true, a.codec
		if a.rate >= 1 && a.rate <= maxRate {
			info.SampleRate = int(math.Round(a.rate))
		}
		info.Channels, info.BitsPerSample = int(min(a.channels, math.MaxUint16)), int(min(a.depth, math.MaxUint16))
	}
	if err != nil {
		return err
	}
	info.Duration = w.length()
	info.DurationUnknown = info.Duration == 0
	switch { // the duration of the file is that of the longer one
	case !info.HasAudio:
		info.VideoDuration = info.Duration
	case !info.HasVideo:
		info.AudioDuration = info.Duration
	}
	return nil
}

func (w *webmFile) length() time.Duration {
	d := w.duration * float64(w.scale)
	switch {
	case !(d >= 1): // also NaN
		return 0
	case d > float64(maxDuration):
		return maxDuration
	}
	return time.Duration(math.Round(d))
}
