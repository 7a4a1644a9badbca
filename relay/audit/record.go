package audit

import "time"

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

// PseudonymOf returns the pseudonym of a user: an HMAC of the user's identifier. The
// key has 32 bytes or more and is not the key of the log: it does not change with
// it, so that the records of a user are found after a change. PseudonymOf panics for a
// shorter key.
func PseudonymOf(key []byte, user string) Pseudonym { return "" }

// A Fingerprint identifies the bytes of a request for who has the key of the log. It
// is made by [Log.Fingerprint].
type Fingerprint string
