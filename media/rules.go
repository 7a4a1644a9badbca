package media

import (
	"time"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// The limits of the rules. A value equal to a limit is within it.
const (
	MaxFileBytes       = mediainfo.MaxFileBytes    // documented, and not known to be enforced
	MaxPictureLong     = mediainfo.MaxPictureLong  // pixels of the longer side
	MaxPictureShort    = mediainfo.MaxPictureShort // pixels of the shorter side
	MaxVideoDuration   = 3 * time.Second
	MaxVoiceDuration   = 5 * time.Second
	VoiceSampleRate    = mediainfo.VoiceSampleRate // in Hz
	MaxSoundDifference = 500 * time.Millisecond    // how much longer than its picture a video's sound may be
)

// A Rule names a rule.
type Rule string

// A Source is where a rule comes from.
type Source string

// The sources.
const (
	Documented    Source = "documented" // by the vendor
	Observed      Source = "observed"   // in the requests of the vendor's own clients
	SourceUnknown Source = "unknown"    // chosen by this library
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
func Limits() []Limit { return nil }
