package mediainfo

import "time"

// Kind is the purpose for which media is sent.
type Kind int

// The kinds of media that the API accepts.
const (
	Face  Kind = iota + 1 // a photo or a video of a face
	Voice                 // a recording of a voice
)

// The limits of [Check]. A value equal to a limit is within it.
const (
	MaxFileBytes    = 500_000
	MaxPictureLong  = 640 // pixels of the longer side
	MaxPictureShort = 480 // pixels of the shorter side

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
	RuleSize          RuleID = "size"
	RuleReadable      RuleID = "readable"
	RuleFaceFormat    RuleID = "face-format"
	RuleVoiceFormat   RuleID = "voice-format"
	RuleSoundLength   RuleID = "sound-length"
	RulePictureSize   RuleID = "picture-size"
	RuleOrientation   RuleID = "orientation"
	RuleVideoLength   RuleID = "video-length"
	RuleVoiceLength   RuleID = "voice-length"
	RuleSampleRate    RuleID = "sample-rate"
	RuleFaceEncoding  RuleID = "face-encoding"
	RuleVoiceEncoding RuleID = "voice-encoding"
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
	ID     RuleID
	Kind   Kind   // 0 means both kinds
	Limit  string // the accepted values, such as "3 s at most"
	Source Source
	// Guidance is true for a limit that the API is not known to enforce: media
	// beyond it causes a warning. Media that breaks any other rule is refused.
	Guidance bool
}

// Rules returns all rules, followed by the guidance.
func Rules() []Rule {
	table := ruleTable()
	return table[:]
}

func ruleTable() [12]Rule {
	return [...]Rule{
		{RuleSize, 0, "1 to 500,000 bytes a file", Documented, false},
		{RuleReadable, 0, "whole, and not damaged", Documented, false},
		{RuleFaceFormat, Face, "a JPEG, or a video: H.264 in MP4 or QuickTime, VP8 or VP9 in WebM", Observed, false},
		{RuleVoiceFormat, Voice, "a WAV or CAF with linear PCM, in integers or floating point", Observed, false},
		{RuleSoundLength, Face, "sound that is 0.5 s longer than the picture at most", SourceUnknown, false},
		{RulePictureSize, Face, "640x480 or 480x640 pixels at most", Documented, true},
		{RuleOrientation, Face, "stored upright: EXIF orientation 1, or none", SourceUnknown, true},
		{RuleVideoLength, Face, "3 s at most", Documented, true},
		{RuleVoiceLength, Voice, "5 s at most", Documented, true},
		{RuleSampleRate, Voice, "16,000 Hz", Documented, true},
		{RuleFaceEncoding, Face, "a JPEG, or H.264 in an MP4", Documented, true},
		{RuleVoiceEncoding, Voice, "linear PCM in integers", Documented, true},
	}
}

// Problem is one rule or guidance that media does not follow.
type Problem struct {
	Rule Rule
	// Text describes the problem with its numbers, such as "a video of 6 s is
	// longer than 3 s". It quotes nothing of the media.
	Text string
}
