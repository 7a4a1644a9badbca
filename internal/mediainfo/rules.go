package mediainfo

import "time"

// Kind is the purpose for which media is sent.
type Kind int

// The kinds of media that the API accepts. The zero value takes sound alone as a
// voice, and everything else as a face.
const (
	Face  Kind = iota + 1 // a photo or a video of a face
	Voice                 // a recording of a voice
)

// The limits of [Check]. A value equal to a limit is within it.
const (
	MaxFileBytes    = 500_000
	MaxRequest      = 2_000_000 // bytes; a request is smaller, base64 included
	MaxPictureLong  = 640       // pixels of the longer side
	MaxPictureShort = 480       // pixels of the shorter side

	MaxVideo = 3 * time.Second
	MaxVoice = 5 * time.Second
	// MaxSoundLonger is how much longer than its picture a video's sound may
	// be.
	MaxSoundLonger = 500 * time.Millisecond

	VoiceSampleRate = 16_000 // in Hz
)

// RuleID names a [Rule].
type RuleID string

// The rules, in the order of [Rules].
const (
	RuleReadable      RuleID = "readable"
	RuleRequestSize   RuleID = "request-size"
	RuleFaceFormat    RuleID = "face-format"
	RuleVoiceFormat   RuleID = "voice-format"
	RuleReadError     RuleID = "read-error"
	RuleSize          RuleID = "size"
	RuleFaceCodec     RuleID = "face-codec"
	RuleVoiceCodec    RuleID = "voice-codec"
	RuleSoundLength   RuleID = "sound-length"
	RuleOrientation   RuleID = "orientation"
	RuleFaceEncoding  RuleID = "face-encoding"
	RuleVoiceEncoding RuleID = "voice-encoding"
	RulePictureSize   RuleID = "picture-size"
	RuleVideoLength   RuleID = "video-length"
	RuleVoiceLength   RuleID = "voice-length"
	RuleSampleRate    RuleID = "sample-rate"
	RuleChannels      RuleID = "channels"
	RuleLocation      RuleID = "location"
)

// Severity is how likely the API refuses media for a problem.
type Severity int

// The severities, from the lowest.
const (
	// Advice is for media that the API accepts.
	Advice Severity = iota + 1
	// MayBeRefused is for media that is not documented, and that the API is not
	// known to refuse.
	MayBeRefused
	// Refused is for media that the API cannot use.
	Refused
)

// Source is the origin of a limit.
type Source string

// The sources.
const (
	Documented    Source = "documented" // by the vendor
	Observed      Source = "observed"   // in the requests of the vendor's own clients
	SourceUnknown Source = "unknown"    // chosen by this library
)

// Rule is a limit for media.
type Rule struct {
	ID       RuleID
	Kind     Kind   // 0 means both kinds
	Limit    string // the accepted values, such as "3 s at most"
	Severity Severity
	Source   Source
	// Guidance is true for a limit that aimbraintest enforces only on request.
	Guidance bool
}

// Rules returns all rules, the most severe first.
func Rules() []Rule {
	table := ruleTable()
	return table[:]
}

func ruleTable() [18]Rule {
	return [...]Rule{
		{RuleReadable, 0, "whole, not damaged, and not empty", Refused, Documented, false},
		{RuleRequestSize, 0, "base64 of less than 2,000,000 bytes, as for the whole request", Refused, Documented, false},
		{RuleFaceFormat, Face, "a JPEG, or a video in MP4, QuickTime or WebM", Refused, Observed, false},
		{RuleVoiceFormat, Voice, "a WAV or CAF", Refused, Observed, false},
		{RuleReadError, 0, "headers that can be read", MayBeRefused, SourceUnknown, false},
		{RuleSize, 0, "500,000 bytes a file at most", MayBeRefused, Documented, false},
		{RuleFaceCodec, Face, "a baseline or progressive JPEG that is not CMYK, H.264, or VP8 or VP9 in WebM", MayBeRefused, Observed, false},
		{RuleVoiceCodec, Voice, "linear PCM, in integers or floating point", MayBeRefused, Observed, false},
		{RuleSoundLength, Face, "sound that is 0.5 s longer than the picture at most", MayBeRefused, SourceUnknown, false},
		{RuleOrientation, Face, "stored upright: EXIF orientation 1, or none", MayBeRefused, SourceUnknown, true},
		{RuleFaceEncoding, Face, "a JPEG, or H.264 in an MP4", MayBeRefused, Documented, true},
		{RuleVoiceEncoding, Voice, "linear PCM in integers", MayBeRefused, Documented, true},
		{RulePictureSize, Face, "640x480 or 480x640 pixels at most", Advice, Documented, true},
		{RuleVideoLength, Face, "3 s at most", Advice, Documented, true},
		{RuleVoiceLength, Voice, "5 s at most", Advice, Documented, true},
		{RuleSampleRate, Voice, "16,000 Hz", Advice, Documented, true},
		{RuleChannels, Voice, "mono", Advice, Observed, false},
		{RuleLocation, 0, "no location of the capture", Advice, SourceUnknown, false},
	}
}

// Problem is one rule that media does not follow.
type Problem struct {
	Rule Rule
	// Text describes the problem with its numbers, such as "a video of 6 s is
	// longer than 3 s". It quotes nothing of the media.
	Text string
	// Fix is a sentence for a person that says what mends the problem.
	Fix string
}
