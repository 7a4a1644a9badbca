package fit

import (
	"cmp"

	"github.com/aimbrain/aimbrain-go/media"
)

// An Error is the reason why a file cannot be fitted. Its text quotes nothing of
// the file.
type Error struct {
	// Reason says what this package does not do with the file, such as "a HEIF
	// file is not decoded here".
	Reason string
	// Problem is the problem of the report that explains the error, with the
	// sentence and the command that mend the file. If only the attempt to decode
	// shows what is wrong, it is a problem with that message.
	Problem media.Problem
	// Report is the report about the whole file.
	Report media.Report
}

// Error returns the reason, the problem and what mends it.
func (e *Error) Error() string {
	text := "fit: " + e.Reason
	if e.Problem.Message != "" && e.Problem.Message != e.Reason {
		text += ": " + e.Problem.Message
	}
	if e.Problem.Fix != "" {
		text += ". " + e.Problem.Fix
	}
	return text
}

// refuse returns the error for a file. The problem is that of the rule in the report,
// or the most severe one if rule is "". If there is none, because the headers do not
// show it, the problem has the reason and the fix.
func refuse(data []byte, purpose media.Purpose, reason string, rule media.Rule, fix string) *Error {
	e := &Error{Reason: reason, Report: media.Inspect(data).As(purpose)}
	for _, p := range e.Report.Problems {
		if p.Rule == rule || rule == "" {
			e.Problem = p
			return e
		}
	}
	e.Problem = media.Problem{
		Rule: cmp.Or(rule, media.RuleReadable), Severity: media.Refused,
		Message: reason, Fix: fix, Source: media.SourceUnknown,
	}
	return e
}

// The fixes for what only this package finds.
const (
	fixFile   = "Capture it again, or export it from the original."
	fixStrip  = "Take the photo again, and do not crop it to a strip."
	fixPixels = "Scale the photo down first, or allow more pixels with WithMaxPixels."
	fixBytes  = "Allow more bytes with WithMaxBytes."
	fixLength = "Record it again in 5 s, or use WithTrim."
)
