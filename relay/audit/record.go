package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// A Kind is what a [Record] is about.
type Kind string

// The kinds of records. [Open] writes KindStart and [Log.Close] writes KindStop: they
// are invalid in Append and Add.
const (
	KindStart   Kind = "start"   // a process begins a chain
	KindStop    Kind = "stop"    // the chain was closed in order
	KindIntent  Kind = "intent"  // a request is about to be sent to the API
	KindRequest Kind = "request" // a request of a user, with its decision
	KindRefused Kind = "refused" // requests refused before a user was known: Count of them for one Reason
	KindScore   Kind = "score"   // a score was requested
	KindRedeem  Kind = "redeem"  // a grant was presented
	KindBlock   Kind = "block"   // a user was blocked
	KindLift    Kind = "lift"    // the block of a user was lifted
	KindKeys    Kind = "keys"    // the keys of the relay were changed
	KindPolicy  Kind = "policy"  // the thresholds that apply from now on
)

// A Record is an event. It has no field for media, credentials or sessions, and its
// texts are short: a longer one is cut at its bound and then ends with "…". The
// bounds are 64 bytes for the texts of a fixed set of words, 256 for RequestID, User
// and Fingerprint, and 1024 for Action. A zero field is left out of the line.
//
// The lines of a file can be decoded into a Record with encoding/json.
type Record struct {
	// Time is when the event happened. The zero time is replaced by the present. It
	// is written in UTC with nanoseconds, as RFC 3339 defines.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`

	RequestID string    `json:"request_id,omitempty"`
	User      Pseudonym `json:"user,omitempty"`
	Endpoint  string    `json:"endpoint,omitempty"` // the path of the API, such as /v1/face/auth
	// Action is what the bank's records say that the user does, in the bank's own
	// encoding, and never what an app says.
	Action      string      `json:"action,omitempty"`
	Fingerprint Fingerprint `json:"fingerprint,omitempty"`
	Size        int64       `json:"size,omitempty"` // bytes of the body

	// Status is the API's HTTP status, 0 without a response. Codes are its error
	// codes, 16 at most.
	Status int   `json:"status,omitempty"`
	Codes  []int `json:"codes,omitempty"`

	// Scores are what the API measured and Thresholds what the policy required, 16
	// at most. A score of 0 is an element whose value is 0; a score that is unknown
	// has no element.
	Scores     []Measure `json:"scores,omitempty"`
	Thresholds []Measure `json:"thresholds,omitempty"`

	Decision string `json:"decision,omitempty"` // such as accepted, rejected, step_up
	Outcome  string `json:"outcome,omitempty"`  // whether the API processed the request: succeeded, refused, not sent, unknown
	Reason   string `json:"reason,omitempty"`   // why, as a word of a fixed set and not an upstream text
	Count    int64  `json:"count,omitempty"`    // how many events this record stands for, 0 for one
}

// A Measure is a value with the name of what it measures.
type Measure struct {
	Name  string  `json:"name"`  // such as face, voice, liveliness
	Value float64 `json:"value"` // a score is between 0 and 1; NaN and infinities are invalid
}

// A Pseudonym stands for a user. It is made by [PseudonymOf], or it is one that the
// bank can erase, such as a random number in a table.
type Pseudonym string

// A Fingerprint identifies the bytes of a request for who has the key of the log. It
// is made by [Log.Fingerprint].
type Fingerprint string

const (
	maxWord   = 64
	maxID     = 256
	maxAction = 1024
	maxList   = 16
	// maxLine is more than any line has: an escape of a byte has 6, and there are
	// 6 words, 3 identifiers, an action and 32 measures.
	maxLine = 64 << 10
)

const timeFormat = "2006-01-02T15:04:05.000000000Z"

// appendBody appends the members of a record to dst, without the braces.
func (r Record) appendBody(dst []byte) ([]byte, error) {
	at := r.Time.UTC()
	switch year := at.Year(); {
	case r.Kind == "":
		return nil, invalid("it has no Kind")
	case year < 1 || year > 9999:
		return nil, invalid("its Time has no year of four digits")
	case len(r.Codes) > maxList || len(r.Scores) > maxList || len(r.Thresholds) > maxList:
		return nil, invalid("a list has more than 16 elements")
	}
	for _, list := range [][]Measure{r.Scores, r.Thresholds} {
		for _, m := range list {
			if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
				return nil, invalid("a Measure is not a finite number")
			}
		}
	}
	dst = append(dst, `"time":"`...)
	dst = at.AppendFormat(dst, timeFormat)
	dst = append(dst, '"')
	dst = appendText(dst, "kind", string(r.Kind), maxWord)
	dst = appendText(dst, "request_id", r.RequestID, maxID)
	dst = appendText(dst, "user", string(r.User), maxID)
	dst = appendText(dst, "endpoint", r.Endpoint, maxWord)
	dst = appendText(dst, "action", r.Action, maxAction)
	dst = appendText(dst, "fingerprint", string(r.Fingerprint), maxID)
	dst = appendNumber(dst, "size", r.Size)
	dst = appendNumber(dst, "status", int64(r.Status))
	if len(r.Codes) > 0 {
		dst = append(dst, `,"codes":`...)
		for i, code := range r.Codes {
			dst = strconv.AppendInt(append(dst, opening(i)), int64(code), 10)
		}
		dst = append(dst, ']')
	}
	dst = appendMeasures(dst, "scores", r.Scores)
	dst = appendMeasures(dst, "thresholds", r.Thresholds)
	dst = appendText(dst, "decision", r.Decision, maxWord)
	dst = appendText(dst, "outcome", r.Outcome, maxWord)
	dst = appendText(dst, "reason", r.Reason, maxWord)
	return appendNumber(dst, "count", r.Count), nil
}

func invalid(reason string) error { return fmt.Errorf("audit: %w: %s", ErrInvalidRecord, reason) }

// opening returns what stands before the element of an array.
func opening(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}

func appendText(dst []byte, name, text string, limit int) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return appendString(dst, text, limit)
}

func appendNumber(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return strconv.AppendInt(dst, n, 10)
}

func appendMeasures(dst []byte, name string, list []Measure) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	for i, m := range list {
		dst = append(dst, opening(i))
		dst = append(dst, `{"name":`...)
		dst = appendString(dst, m.Name, maxWord)
		dst = append(dst, `,"value":`...)
		dst = strconv.AppendFloat(dst, m.Value, 'g', -1, 64)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendString appends a JSON string of ASCII. A reader who shows a line in a terminal or
// a web page is not at the mercy of what an app has sent: control characters,
// characters that change the direction of text, and markup are escaped.
func appendString(dst []byte, text string, limit int) []byte {
	cut := len(text) > limit
	if cut {
		text = text[:limit]
		for len(text) > limit-utf8.UTFMax { // a character that the bound has divided
			if last, size := utf8.DecodeLastRuneInString(text); last != utf8.RuneError || size != 1 {
				break
			}
			text = text[:len(text)-1]
		}
	}
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c >= ' ' && c < 0x7f && c != '<' && c != '>' && c != '&':
			dst = append(dst, byte(c))
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			dst = appendEscape(appendEscape(dst, high), low)
		default:
			dst = appendEscape(dst, c)
		}
	}
	if cut {
		dst = appendEscape(dst, '…')
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, c rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[c>>12&15], digits[c>>8&15], digits[c>>4&15], digits[c&15])
}
