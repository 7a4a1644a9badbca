package aimbrain

import (
	"log/slog"
	"strconv"
)

// An Outcome is what is known of a request after a call: whether the API may
// have processed it. See [OutcomeOf] and [Attempt].
type Outcome int

// The outcomes. The zero value is the one that promises nothing.
const (
	// OutcomeUnknown means that the request may have been processed: it was
	// sent, or part of it was, and no reliable response came back. Only a call
	// that is safe to repeat is retried.
	OutcomeUnknown Outcome = iota
	// OutcomeNotSent means that the request was provably never written, or was
	// turned away unread. Sending it again is safe for every call.
	OutcomeNotSent
	// OutcomeRefused means that the API, or a gateway in front of it, responded
	// with an error that says that the request was not processed.
	OutcomeRefused
	// OutcomeSucceeded means that the request was processed and its response is
	// the result.
	OutcomeSucceeded
)

// String returns "unknown", "not sent", "refused" or "succeeded".
func (o Outcome) String() string {
	switch o {
	case OutcomeUnknown:
		return "unknown"
	case OutcomeNotSent:
		return "not sent"
	case OutcomeRefused:
		return "refused"
	case OutcomeSucceeded:
		return "succeeded"
	}
	return "Outcome(" + strconv.Itoa(int(o)) + ")"
}

// LogValue implements [slog.LogValuer] by the name, also in JSON.
func (o Outcome) LogValue() slog.Value { return slog.StringValue(o.String()) }

// OutcomeOf returns the outcome of the call that returned err, over all its
// attempts: one attempt with an unknown outcome makes that of the call unknown.
// It is [OutcomeSucceeded] for nil.
//
// Wrapped and joined errors are searched. Of several the first of unknown,
// refused and not sent counts. An error in which no error of this package is
// found is [OutcomeUnknown], since nothing is known of it.
//
// After the first enrolment of a user the outcome decides between sending again
// and finding out first, see [FaceService.EnrollAndConfirm].
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeSucceeded
	}
	found := OutcomeSucceeded
	search(err, func(own interface{ outcome() Outcome }) {
		if o := own.outcome(); found == OutcomeSucceeded || o == OutcomeUnknown || o == OutcomeRefused && found == OutcomeNotSent {
			found = o
		}
	})
	if found == OutcomeSucceeded {
		return OutcomeUnknown
	}
	return found
}

// search calls visit for each error in the tree of err that has the methods of T.
// It does not look inside those: what they say covers what they wrap.
func search[T any](err error, visit func(T)) {
	if own, ok := err.(T); ok {
		visit(own)
		return
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			search(inner, visit)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				search(inner, visit)
			}
		}
	}
}
