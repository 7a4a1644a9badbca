package mediainfo

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// Check returns the problems that [File.Problems] finds in the headers alone. info is
// the result of [Inspect] or [InspectAt], also if they returned an error, which
// [Unreadable] turns into a problem. size is the file's in bytes, negative if
// unknown.
func Check(info Info, size int64, kind Kind) []Problem {
	f := File{Info: info, Size: size}
	return f.Problems(kind)
}

// Problems returns all problems of a file that is sent as kind, the most severe first,
// or nil. A duration, resolution or rate that is missing from the headers is a
// problem too, unless it follows from damage.
func (f *File) Problems(kind Kind) []Problem {
	c := checker{file: *f, kind: f.purpose(kind)}
	damage, damaged := Unreadable(f.Err)
	switch {
	case f.Size == 0:
		c.add(RuleReadable, "a file of 0 bytes is empty")
		return c.problems
	case f.ReadErr() != nil:
		c.add(RuleReadError, "the file could not be read")
		damaged = true
	case damaged:
		c.add(RuleReadable, damage.Text)
	case f.Cut == CutYes:
		c.add(RuleReadable, f.Format.String()+": the end of the file is missing")
	}
	switch {
	case f.Size > 0 && (f.Size+2)/3*4 >= MaxRequest:
		c.add(RuleRequestSize, "a file of "+strconv.FormatInt(f.Size, 10)+" bytes does not fit in a request, which is smaller than 2 MB in base64")
	case f.Size > MaxFileBytes:
		c.add(RuleSize, "a file of "+strconv.FormatInt(f.Size, 10)+" bytes is larger than 500,000 bytes")
	}
	if c.kind == Voice {
		c.voice()
	} else {
		c.face()
	}
	if f.Location {
		c.add(RuleLocation, "the file says where it was captured")
	}
	if damaged { // a number that is missing from the headers follows from the damage
		c.problems = slices.DeleteFunc(c.problems, func(p Problem) bool { return p.Rule.Guidance })
	}
	if c.problems == nil {
		return nil
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return int(b.Rule.Severity - a.Rule.Severity) })
	return c.problems
}

// purpose returns what a file is sent as, by its content for 0.
func (f *File) purpose(kind Kind) Kind {
	switch {
	case kind != 0:
		return kind
	case f.HasVideo:
		return Face
	case f.HasAudio:
		return Voice
	}
	switch f.Format {
	case WAV, RIFX, CAF, M4A, MP3, AAC, Ogg, FLAC, AIFF, AMR, AU, W64:
		return Voice
	}
	return Face
}

// Unreadable returns the problem for an error of [Inspect], [InspectAt] or
// [CheckStructure]. ok is false if there is none: for nil, for an error of the
// reader, for headers that were not all read, and for an unsupported format or
// encoding, which [Check] finds.
func Unreadable(err error) (p Problem, ok bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Unsupported || e.Beyond {
		return Problem{}, false
	}
	return Problem{Rule: rule(RuleReadable), Text: e.Error(), Fix: fixWhole}, true
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
	file     File
	kind     Kind
	problems []Problem
}

// mostProblems is more than a usual capture has.
const mostProblems = 8

func (c *checker) add(id RuleID, text string) {
	if c.problems == nil {
		c.problems = make([]Problem, 0, mostProblems)
	}
	c.problems = append(c.problems, Problem{rule(id), text, c.file.fix(id, c.kind)})
}

func (c *checker) face() {
	i := &c.file.Info
	switch i.Format {
	case JPEG:
		if i.PictureCodec != "" {
			c.add(RuleFaceCodec, "a "+encodingName(i.PictureCodec)+" is not a baseline or progressive JPEG")
		}
		if c.file.Color == CMYK {
			c.add(RuleFaceCodec, "a JPEG in CMYK is for print, and not for a screen")
		}
		c.picture("photo")
		c.orientation()
	case MP4, M4A, QuickTime, WebM:
		c.video()
	default:
		c.other(RuleFaceFormat, "a face must be a JPEG photo or a video, H.264 in MP4 or QuickTime, VP8 or VP9 in WebM",
			"this is neither a JPEG photo nor a video")
		c.otherFace()
	}
}

func (c *checker) orientation() {
	if o := c.file.Orientation; o > 1 {
		c.add(RuleOrientation, "EXIF orientation "+strconv.Itoa(o)+" is not upright")
	}
}

// otherFace names what a format that is not accepted has besides. A number that is
// missing is no problem there.
func (c *checker) otherFace() {
	i := &c.file.Info
	what := "photo"
	if i.HasVideo {
		what = "video"
	}
	if i.Width > 0 && i.Height > 0 {
		c.picture(what)
	}
	if i.HasVideo && i.Duration > 0 {
		c.length(RuleVideoLength, what, MaxVideo)
	}
	c.orientation()
}

func (c *checker) video() {
	i := &c.file.Info
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
		c.add(RuleFaceCodec, "the video is "+encodingName(i.VideoCodec)+" in a WebM, which has VP8 or VP9")
	case !h264:
		c.add(RuleFaceCodec, "the video is not H.264 but "+encodingName(i.VideoCodec))
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
	i := &c.file.Info
	if i.Format != WAV && i.Format != CAF {
		c.other(RuleVoiceFormat, "a recording must be WAV or CAF", "this is neither a WAV nor a CAF recording")
		if !i.HasAudio {
			return
		}
	}
	if i.AudioCodec != "" && i.AudioCodec != "pcm" && i.AudioCodec != "float" {
		c.add(RuleVoiceCodec, "the recording is "+encodingName(i.AudioCodec)+", and not linear PCM")
	}
	c.length(RuleVoiceLength, "recording", MaxVoice)
	switch {
	case i.SampleRate <= 0:
		c.add(RuleSampleRate, "the sample rate of the recording is not in its headers")
	case i.SampleRate != VoiceSampleRate:
		c.add(RuleSampleRate, "a recording of "+strconv.Itoa(i.SampleRate)+" Hz is not of 16,000 Hz")
	}
	if i.Channels > 1 {
		c.add(RuleChannels, "a recording of "+strconv.Itoa(i.Channels)+" channels is not mono")
	}
	if i.AudioCodec == "float" {
		c.add(RuleVoiceEncoding, "float samples; linear PCM is documented")
	}
}

// other names a format that is not accepted.
func (c *checker) other(id RuleID, must, neither string) {
	f := &c.file
	switch {
	case f.Text == Base64Text || f.Format == Base64 && f.Text == NoText:
		of := ""
		if name := f.innerName(); name != "" {
			of = " of " + name
		}
		c.add(id, "the data is base64 text"+of+", where raw bytes belong: it would be encoded twice")
	case f.Text == DataURL:
		c.add(id, "the data is a data URL, where raw bytes belong: it would be encoded twice")
	case f.Text != NoText:
		c.add(id, "the data is "+f.Text.String()+": "+neither)
	case f.Format == Unknown:
		c.add(id, neither)
	default:
		c.add(id, must+", not "+f.Format.String())
	}
}

// innerName names the file inside a text, "" if it is not known.
func (f *File) innerName() string {
	if f.Inner != Unknown {
		return f.Inner.String()
	}
	return f.InnerText.String()
}

func (c *checker) picture(what string) {
	w, h := c.file.Width, c.file.Height
	switch {
	case w <= 0 || h <= 0:
		c.add(RulePictureSize, "the resolution of the "+what+" is not in its headers")
	case max(w, h) > MaxPictureLong || min(w, h) > MaxPictureShort:
		c.add(RulePictureSize, strconv.Itoa(w)+"x"+strconv.Itoa(h)+" is larger than 640x480")
	}
}

func (c *checker) length(id RuleID, what string, limit time.Duration) {
	switch d := c.file.Duration; {
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
