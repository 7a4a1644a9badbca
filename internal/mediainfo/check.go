package mediainfo

import (
	"errors"
	"strconv"
	"time"
)

// Check returns all problems of a file that is sent as kind, or nil: first the
// broken rules, then the guidance. info is the result of [Inspect] or [InspectAt],
// also if they returned an error, which [Unreadable] turns into a problem. size is
// the file's in bytes, negative if unknown. A duration, resolution or rate that is
// missing from the headers is a problem too.
func Check(info Info, size int64, kind Kind) []Problem {
	c := checker{info: info}
	switch {
	case size == 0:
		c.add(RuleSize, "a file of 0 bytes is empty")
		return c.problems
	case size > MaxFileBytes:
		c.add(RuleSize, "a file of "+strconv.FormatInt(size, 10)+" bytes is larger than 500,000 bytes")
	}
	switch kind {
	case Face:
		c.face()
	case Voice:
		c.voice()
	}
	return c.problems
}

// Unreadable returns the problem for an error of [Inspect], [InspectAt] or
// [CheckStructure]. ok is false if there is none: for nil, for an error of the
// reader, for headers that were not all read, and for an unsupported format or
// encoding, which [Check] finds.
func Unreadable(err error) (p Problem, ok bool) {
	var e *Error
	if !errors.As(err, &e) || e.Unsupported || e.Beyond {
		return Problem{}, false
	}
	return Problem{rule(RuleReadable), e.Error()}, true
}

func rule(id RuleID) Rule {
	for _, r := range ruleTable() {
		if r.ID == id {
			return r
		}
	}
	return Rule{}
}

type checker struct {
	info     Info
	problems []Problem
}

func (c *checker) add(id RuleID, text string) {
	c.problems = append(c.problems, Problem{rule(id), text})
}

func (c *checker) face() {
	i := &c.info
	switch i.Format {
	case JPEG:
		if i.PictureCodec != "" {
			c.add(RuleFaceFormat, "a "+encodingName(i.PictureCodec)+" is not supported: use a baseline or progressive JPEG")
		}
		c.picture("photo")
		if i.Orientation > 1 {
			c.add(RuleOrientation, "EXIF orientation "+strconv.Itoa(i.Orientation)+" is not upright: turn the picture itself")
		}
	case MP4, M4A, QuickTime, WebM:
		c.video()
	default:
		c.other(RuleFaceFormat, "a face must be a JPEG photo or a video, H.264 in MP4 or QuickTime, VP8 or VP9 in WebM",
			"this is neither a JPEG photo nor a video")
	}
}

func (c *checker) video() {
	i := &c.info
	if !i.HasVideo {
		if i.HasAudio {
			c.add(RuleFaceFormat, "there is no video in the file, only sound")
		} else {
			c.add(RuleFaceFormat, "no video was found in the headers of the file")
		}
		return
	}
	observed := "" // used by the vendor's own clients and absent from its documentation
	h264 := i.VideoCodec == "avc1" || i.VideoCodec == "avc3"
	switch {
	case i.Format == WebM && (i.VideoCodec == "vp08" || i.VideoCodec == "vp09"):
		observed = encodingName(i.VideoCodec) + " in a WebM"
	case i.Format == WebM:
		c.add(RuleFaceFormat, "the video is "+encodingName(i.VideoCodec)+" in a WebM, which is not supported: use VP8 or VP9 there, or H.264 in an MP4")
	case !h264:
		c.add(RuleFaceFormat, "the video is not H.264 but "+encodingName(i.VideoCodec)+", which is not supported: encode it as H.264")
	case i.Format == QuickTime:
		observed = "H.264 in a QuickTime file"
	}
	if i.SoundLonger() {
		c.add(RuleSoundLength, "the sound of "+seconds(i.AudioDuration)+" is longer than the picture of "+seconds(i.VideoDuration))
	}
	c.picture("video")
	c.length(RuleVideoLength, "video", MaxVideo)
	if observed != "" {
		c.add(RuleFaceEncoding, observed+"; H.264 in an MP4 is documented")
	}
}

// SoundLonger reports whether a video's sound is longer than its picture by more
// than [MaxSoundLonger]. It is false if one of them is unknown.
func (i Info) SoundLonger() bool {
	return i.VideoDuration > 0 && i.AudioDuration-i.VideoDuration > MaxSoundLonger
}

func (c *checker) voice() {
	i := &c.info
	if i.Format != WAV && i.Format != CAF {
		c.other(RuleVoiceFormat, "a recording must be WAV or CAF", "this is neither a WAV nor a CAF recording")
		if !i.HasAudio {
			return
		}
	}
	if i.AudioCodec != "" && i.AudioCodec != "pcm" && i.AudioCodec != "float" {
		c.add(RuleVoiceFormat, "the recording is "+encodingName(i.AudioCodec)+", which is not supported: use linear PCM")
	}
	c.length(RuleVoiceLength, "recording", MaxVoice)
	switch {
	case i.SampleRate <= 0:
		c.add(RuleSampleRate, "the sample rate of the recording is not in its headers")
	case i.SampleRate != VoiceSampleRate:
		c.add(RuleSampleRate, "a recording of "+strconv.Itoa(i.SampleRate)+" Hz is not of 16,000 Hz")
	}
	if i.AudioCodec == "float" {
		c.add(RuleVoiceEncoding, "float samples; linear PCM is documented")
	}
}

// other names a format that is not accepted.
func (c *checker) other(id RuleID, must, neither string) {
	switch c.info.Format {
	case Base64:
		c.add(id, "the data is Base64 text, where raw bytes belong: it would be encoded twice")
	case Unknown:
		c.add(id, neither)
	default:
		c.add(id, must+", not "+c.info.Format.String())
	}
}

func (c *checker) picture(what string) {
	w, h := c.info.Width, c.info.Height
	switch {
	case w <= 0 || h <= 0:
		c.add(RulePictureSize, "the resolution of the "+what+" is not in its headers")
	case max(w, h) > MaxPictureLong || min(w, h) > MaxPictureShort:
		c.add(RulePictureSize, strconv.Itoa(w)+"x"+strconv.Itoa(h)+" is larger than 640x480")
	}
}

func (c *checker) length(id RuleID, what string, limit time.Duration) {
	switch d := c.info.Duration; {
	case d <= 0:
		c.add(id, "the length of the "+what+" is not in its headers")
	case d > limit:
		c.add(id, "a "+what+" of "+seconds(d)+" is longer than "+seconds(limit))
	}
}

// seconds returns a duration rounded up to a millisecond, so that a value above a
// limit never reads as the limit.
func seconds(d time.Duration) string {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64) + " s"
}
