package aimbrain

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aimbrain/aimbrain-go/internal/retry"
)

// An APIError is an error response of the API, or of a gateway in front of it:
// any HTTP status from 400 on.
//
// errors.Is finds its [ErrorKind], each [Code] and its [HTTPStatus];
// [APIError.Action] is the value to switch on. Where the response repeated the
// key, the secret, the signature or media, "[redacted]" stands in their place in
// every field.
type APIError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Message is the API's own text, or the beginning of a response that is not
	// JSON, such as a load balancer's HTML page: 256 bytes at most.
	Message string
	// Details are the codes with their descriptions in the API's order: 64 at
	// most. Empty when the API gave none.
	Details []ErrorDetail
	// Gateway says that the response does not have the API's form, see
	// [ErrorKind]: something in front of the API sent it, such as a firewall or a
	// load balancer.
	Gateway bool
	// Endpoint is the endpoint that was called, such as "/v1/face/auth".
	Endpoint string
	// Header is the header of the response. It and the body stay out of JSON, and
	// so out of logs that dump the error.
	Header http.Header `json:"-"`
	// Body is the body of the response as it came, 64 KiB of it at most.
	Body []byte `json:"-"`
	// Attempts says how many times the request was sent, this response being the
	// last one's.
	Attempts int

	retryAfter retry.After
	unknown    bool // the outcome of an earlier attempt is
}

// An ErrorDetail is one reason in an [APIError].
type ErrorDetail struct {
	Code        Code   // AimBrain's number
	Description string // AimBrain's text, 256 bytes at most
}

// Error returns what happened, where, why, and what to do about it, in one line.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("aimbrain: " + e.Endpoint + ": " + HTTPStatus(e.StatusCode).Error())
	if e.Gateway {
		b.WriteString(" from a gateway")
	}
	if strings.HasPrefix(e.Message, "<") {
		b.WriteString(": a page of HTML")
	} else if e.Message != "" && !strings.EqualFold(e.Message, http.StatusText(e.StatusCode)) {
		b.WriteString(": " + printable(e.Message))
	}
	for i, d := range e.Details {
		if i == 4 {
			b.WriteString(" (and more)")
			break
		}
		text := d.Code.Description()
		if text == "" {
			text = printable(d.Description)
		}
		b.WriteString(" (" + strings.TrimSpace("code "+strconv.Itoa(int(d.Code))+" "+text) + ")")
	}
	if advice := e.Remedy(); advice != "" && e.Action() != ActionConfirm { // see outcomeText
		b.WriteString(": " + advice)
	}
	if e.retryAfter.Given {
		b.WriteString("; retry after " + e.retryAfter.Wait.String())
	}
	b.WriteString(outcomeText(e.outcome(), e.Endpoint, e.Attempts))
	return b.String()
}

// Is makes errors.Is hold for the [ErrorKind] of the response, for each [Code] in
// it and for its [HTTPStatus].
func (e *APIError) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		for _, d := range e.Details {
			if d.Code == t {
				return true
			}
		}
	case HTTPStatus:
		return int(t) == e.StatusCode
	case ErrorKind:
		return t != "" && t == kindOf(e.StatusCode, e.Gateway)
	}
	return false
}

// Action returns what kind of step helps: that of the first code that is
// documented, else that of the HTTP status. It is [ActionConfirm] before all if the
// request may have been processed and must not be repeated, as with a 500 for an
// enrolment.
func (e *APIError) Action() Action {
	action := ActionUnknown
	for _, d := range e.Details {
		if action = d.Code.Action(); action != ActionUnknown {
			break
		}
	}
	if action == ActionUnknown {
		action = actionOf(e.StatusCode, e.Gateway)
	}
	if e.outcome() == OutcomeUnknown && repeating(e.Endpoint) == ActionConfirm {
		return ActionConfirm
	}
	return action
}

// Prompt returns a sentence in English for the person in front of the camera or
// the microphone when capturing again helps ([ActionRetake]), else "". Of several
// codes the first that has one counts, see [Code.Prompt].
func (e *APIError) Prompt() string {
	if e.Action() != ActionRetake {
		return ""
	}
	for _, d := range e.Details {
		if prompt := d.Code.Prompt(); prompt != "" {
			return prompt
		}
	}
	if strings.HasPrefix(e.Endpoint, "/v1/voice/") {
		return "Please record your voice again."
	}
	return "Please take the picture or video again."
}

// Remedy returns the same step in a few words for a developer or an operator, or
// "" when nothing is known.
func (e *APIError) Remedy() string {
	if e.Action() == ActionConfirm {
		return "confirm whether it was processed before you repeat the call"
	}
	for _, d := range e.Details {
		if advice := d.Code.Remedy(); advice != "" {
			return advice
		}
	}
	return remedyOf(e.StatusCode, e.Gateway)
}

// RetryAfter returns how long the response asks to wait before the next attempt,
// and whether it asked at all. A date is counted from the response's own Date
// header, or from the local clock without one; of two values the longer counts.
// The library does not wait for longer than [RetryPolicy.MaxWait] allows, but
// fails at once: the wait can be read here. It is what the server wrote, up to 292
// years: bound it before it is passed on.
func (e *APIError) RetryAfter() (time.Duration, bool) { return e.retryAfter.Wait, e.retryAfter.Given }

// outcome is unknown for 5xx and 408, where the API or a gateway may have failed
// after the work was done, and when that of an earlier attempt is.
func (e *APIError) outcome() Outcome {
	if e.unknown || HTTPStatus(e.StatusCode).leavesOutcomeUnknown() {
		return OutcomeUnknown
	}
	return OutcomeRefused
}

// A NetworkError is a call without a response: no connection, a broken one, no
// response in time, a context that ended, or a client that was closed. errors.Is
// finds the cause in it, such as [context.Canceled], [ErrAttemptTimeout],
// [ErrClosed] or [syscall.ECONNREFUSED].
type NetworkError struct {
	Endpoint string // the endpoint that was called
	Attempts int    // how many attempts were made, 0 when the context had ended before the first
	Err      error  // what the last attempt met

	result Outcome // not sent, or unknown
}

// Error returns what happened, and whether the request may have been processed.
func (e *NetworkError) Error() string {
	cause := "unknown cause"
	if e.Err != nil {
		cause = printable(strings.TrimPrefix(e.Err.Error(), "aimbrain: "))
	}
	return "aimbrain: " + e.Endpoint + ": no response: " + cause + outcomeText(e.result, e.Endpoint, e.Attempts)
}

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// Timeout reports whether a time limit was the cause.
func (e *NetworkError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

func (e *NetworkError) outcome() Outcome { return e.result }

// A DecodeError is a response with a good status that cannot be relied on: not
// JSON, a member missing, null, twice or of the wrong type, a score out of
// 0..1. No part of such a response is returned as a result.
type DecodeError struct {
	Endpoint   string // the endpoint that was called
	StatusCode int    // the HTTP status, 200 as a rule
	Reason     string // what is wrong with it, without its content
	Body       []byte `json:"-"` // the body as it came, 64 KiB at most, credentials redacted
	Attempts   int    // how many attempts were made
	Err        error  // the reader's error, where there is one
}

// Error returns what is wrong with the response.
func (e *DecodeError) Error() string {
	text := "aimbrain: "
	if e.Endpoint != "" {
		text += e.Endpoint + ": "
	}
	if e.StatusCode != 0 {
		text += HTTPStatus(e.StatusCode).Error() + ": "
	}
	text += "invalid response: " + e.Reason
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + outcomeText(OutcomeUnknown, e.Endpoint, e.Attempts)
}

// Unwrap returns the reader's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// outcome is unknown: the API responded that it did, in a way that cannot be read.
func (e *DecodeError) outcome() Outcome { return OutcomeUnknown }

// A TooLargeError is a request, or a response, beyond the size limit.
type TooLargeError struct {
	Endpoint   string // the endpoint that was called
	Response   bool   // the response was too large, not the request
	Limit      int    // the limit in bytes: a request must stay below it, a response may reach it
	StatusCode int    // the HTTP status of the response, 0 for a request
	Attempts   int    // how many attempts were made, 0 for a request: nothing was sent
}

// Error returns what was too large and what to do about it.
func (e *TooLargeError) Error() string {
	if !e.Response {
		return "aimbrain: " + e.Endpoint + ": not sent: the request would reach the API's limit of " + strconv.Itoa(e.Limit) + " bytes: send fewer or smaller files (base64 adds a third)"
	}
	return "aimbrain: " + e.Endpoint + ": " + HTTPStatus(e.StatusCode).Error() + ": the response is larger than " + strconv.Itoa(e.Limit) + " bytes" + outcomeText(e.outcome(), e.Endpoint, e.Attempts)
}

func (e *TooLargeError) outcome() Outcome {
	if e.Response {
		return OutcomeUnknown
	}
	return OutcomeNotSent
}

// A RedirectError is a response that points elsewhere. It is never followed:
// the API does not redirect, and the place it points to would be handed the
// key, a signature that never expires, and a person's face.
type RedirectError struct {
	Endpoint   string // the endpoint that was called
	StatusCode int    // 301, 302, 303, 307 or 308 as a rule
	Host       string // the host that it points to, "" for the same or for none
	Attempts   int    // how many attempts were made

	unknown bool // the request may have been processed all the same
}

// Error returns where it points to and what to check.
func (e *RedirectError) Error() string {
	text := "aimbrain: " + e.Endpoint + ": " + HTTPStatus(e.StatusCode).Error() + ": redirect"
	if e.Host != "" {
		text += " to " + strconv.Quote(e.Host)
	}
	text += " not followed: check the base URL and the proxies in front of the API"
	if e.unknown {
		text += outcomeText(OutcomeUnknown, e.Endpoint, e.Attempts)
	}
	return text
}

// outcome is refused as a rule: what redirects has not processed the request. It
// is unknown after an earlier attempt of which it is, for 303, by which a server
// points to the result of what it did, and when a caller's own transport
// followed the redirect.
func (e *RedirectError) outcome() Outcome {
	if e.unknown {
		return OutcomeUnknown
	}
	return OutcomeRefused
}

// A ConfigError is an invalid setting of a client or a signer. It
// never holds the value of a credential or of a URL.
type ConfigError struct {
	Parameter string // what is set, such as "API secret" or "WithBaseURL"
	Reason    string // what is wrong with it, and what to do
}

// Error returns the setting and what is wrong with it.
func (e *ConfigError) Error() string { return "aimbrain: " + e.Parameter + " " + e.Reason }

func (e *ConfigError) outcome() Outcome { return OutcomeNotSent }

// A RequestError is a call with an invalid argument. Nothing was sent.
type RequestError struct {
	Endpoint string // the endpoint that was called, "" outside a call
	Argument string // which argument
	Reason   string // what is wrong with it, without its content
	Err      error  // the cause, such as a file that cannot be read
	// Problems are the problems of media for which [WithMediaCheck] refused the
	// request, with what mends each of them. Reason has their messages.
	Problems []MediaProblem
}

// Error returns the argument and what is wrong with it.
func (e *RequestError) Error() string {
	text := "aimbrain: "
	if e.Endpoint != "" {
		text += e.Endpoint + ": "
	}
	text += "not sent: " + e.Argument + " " + e.Reason
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

func (e *RequestError) outcome() Outcome { return OutcomeNotSent }

// outcomeText ends an error's text with what the caller cannot see: whether the
// request may have been processed, and how many attempts were made.
func outcomeText(outcome Outcome, endpoint string, attempts int) string {
	text := ""
	if outcome == OutcomeUnknown {
		text = "; outcome unknown: the request may have been processed"
		if repeating(endpoint) == ActionConfirm {
			text += ", confirm it before you repeat the call"
		}
	}
	if attempts > 1 {
		text += "; " + strconv.Itoa(attempts) + " attempts"
	}
	return text
}

// maxText is how much of a server's text an error holds, in bytes.
const maxText = 256

// printable makes a server's text fit for one line of a log: no control
// characters, no line breaks, 256 bytes at most.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, truncate(s))
}

// truncate cuts a text to 256 bytes, never through a character.
func truncate(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
