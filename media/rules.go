package media

import "github.com/aimbrain/aimbrain-go/internal/mediainfo"

// The limits of the rules. A value equal to a limit is within it.
const (
	MaxFileBytes       = mediainfo.MaxFileBytes    // documented, and not known to be enforced
	MaxPictureLong     = mediainfo.MaxPictureLong  // pixels of the longer side
	MaxPictureShort    = mediainfo.MaxPictureShort // pixels of the shorter side
	MaxVideoDuration   = mediainfo.MaxVideo
	MaxVoiceDuration   = mediainfo.MaxVoice
	VoiceSampleRate    = mediainfo.VoiceSampleRate // in Hz
	MaxSoundDifference = mediainfo.MaxSoundLonger  // how much longer than its picture a video's sound may be
)

// A Rule names a rule.
type Rule string

// The rules. [Limits] has what each accepts. The problems of a forwarded body in an
// error of package aimbrain can have two more: "json" and "base64".
const (
	RuleReadable      = Rule(mediainfo.RuleReadable)      // damaged, certainly cut, or empty
	RuleRequestSize   = Rule(mediainfo.RuleRequestSize)   // too large for a request of less than 2 MB
	RuleFaceFormat    = Rule(mediainfo.RuleFaceFormat)    // a container in which the API takes no face
	RuleVoiceFormat   = Rule(mediainfo.RuleVoiceFormat)   // a container in which the API takes no voice
	RuleReadError     = Rule(mediainfo.RuleReadError)     // the reader failed
	RuleSize          = Rule(mediainfo.RuleSize)          // over 500 kB
	RuleFaceCodec     = Rule(mediainfo.RuleFaceCodec)     // a codec that none of the vendor's clients sends
	RuleVoiceCodec    = Rule(mediainfo.RuleVoiceCodec)    // the same for a voice
	RuleSoundLength   = Rule(mediainfo.RuleSoundLength)   // sound that is longer than its picture
	RuleOrientation   = Rule(mediainfo.RuleOrientation)   // a photo that is not stored upright
	RuleFaceEncoding  = Rule(mediainfo.RuleFaceEncoding)  // WebM or QuickTime, which the vendor's clients send and its documentation does not name
	RuleVoiceEncoding = Rule(mediainfo.RuleVoiceEncoding) // samples in floating point
	RulePictureSize   = Rule(mediainfo.RulePictureSize)   // over 640x480, or unknown
	RuleVideoLength   = Rule(mediainfo.RuleVideoLength)   // over 3 s, or unknown
	RuleVoiceLength   = Rule(mediainfo.RuleVoiceLength)   // over 5 s, or unknown
	RuleSampleRate    = Rule(mediainfo.RuleSampleRate)    // other than 16 kHz, or unknown
	RuleChannels      = Rule(mediainfo.RuleChannels)      // more than one
	RuleLocation      = Rule(mediainfo.RuleLocation)      // the place of the capture is in the file
)

// A Source is where a rule comes from.
type Source string

// The sources.
const (
	Documented    = Source(mediainfo.Documented)    // "documented": by the vendor
	Observed      = Source(mediainfo.Observed)      // "observed": in the requests of the vendor's own clients
	SourceUnknown = Source(mediainfo.SourceUnknown) // "unknown": chosen by this library
)

// A Limit is one rule for media.
type Limit struct {
	Rule     Rule
	Purpose  Purpose // AnyPurpose means both purposes
	Severity Severity
	Accepted string // the accepted values, such as "3 s at most"
	Source   Source
}

// Limits returns all rules, the most severe first. The slice is the caller's.
func Limits() []Limit {
	rules := mediainfo.Rules()
	limits := make([]Limit, len(rules))
	for i, r := range rules {
		limits[i] = Limit{Rule: Rule(r.ID), Purpose: Purpose(r.Kind), Severity: Severity(r.Severity), Accepted: r.Limit, Source: Source(r.Source)}
	}
	return limits
}
