package fit

import "github.com/aimbrain/aimbrain-go/media"

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

// refuse returns the error for a file. The problem is that of the rule, which may
// be "", or else the most severe one.
func refuse(data []byte, purpose media.Purpose, reason string, rule media.Rule) *Error {
	e := &Error{Reason: reason, Report: media.Inspect(data).As(purpose)}
	for _, p := range e.Report.Problems {
		if p.Rule == rule {
			e.Problem = p
			return e
		}
	}
	if rule == "" && len(e.Report.Problems) > 0 {
		e.Problem = e.Report.Problems[0]
		return e
	}
	// The report covers what the headers show.
	e.Problem = media.Problem{Rule: rule, Severity: media.Refused, Message: reason, Source: media.SourceUnknown}
	if rule == media.RuleReadable || rule == "" {
		e.Problem.Rule = media.RuleReadable
		e.Problem.Fix = "Capture it again, or export it from the original."
	}
	return e
}
