package relay

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// The limits of the rules.
const (
	freeFailures   = 5                // consecutive failures without a delay
	maxFailures    = 10               // consecutive failures that block a user
	firstDelay     = 30 * time.Second // after freeFailures; it doubles with each further one
	maxDelay       = time.Hour
	unknownTime    = 24 * time.Hour   // after which authentications of unknown outcome no longer count
	maxRetakes     = 10               // in retakeTime
	retakeTime     = 15 * time.Minute //
	tokenTime      = 5 * time.Minute  // in which a token that was passed on can serve
	stepTime       = 2 * time.Minute  // in which a step-up can be completed
	enrolTime      = 15 * time.Minute // in which an enrolment is open
	maxSamples     = 5                // of an enrolment
	resultTime     = 15 * time.Minute // in which the retry of an authentication gets its result
	enrolmentKept  = 24 * time.Hour   // the same for an enrolment
	captureTime    = 24 * time.Hour   // in which an accepted capture is not accepted again
	upstreamTime   = 2 * time.Minute  // of a request to the API, with its retries
	skew           = time.Minute      // between the clocks of two replicas
	maxGrantTime   = 5 * time.Minute
	redeemedKept   = maxGrantTime + skew
	recordVersion  = 1
	maxUploads     = 64  // of a user that are kept
	maxCaptures    = 128 // the same
	maxOtherInList = 64  // the same, of any other kind
)

// A record is what the store holds of a user. Times are in milliseconds since 1970, by
// the store's clock.
type record struct {
	Version  int   `json:"v"`
	Birth    hash  `json:"b"`           // random: a record that was lost has another one
	Until    int64 `json:"t,omitempty"` // the end of the last sealed session
	Failures int   `json:"f,omitempty"` // consecutive
	Unknown  int   `json:"u,omitempty"` // authentications of unknown outcome since
	Counted  int64 `json:"c,omitempty"` // the last of both
	Warned   bool  `json:"w,omitempty"` // the callback before a block was called
	Blocked  bool  `json:"x,omitempty"`

	Retakes  []int64        `json:"r,omitempty"`
	Tokens   []passedToken  `json:"k,omitempty"`
	Enrols   []openEnrol    `json:"e,omitempty"`
	Steps    []step         `json:"s,omitempty"`
	Uploads  []upload       `json:"p,omitempty"`
	Captures []usedCapture  `json:"m,omitempty"`
	Redeemed []redeemedMark `json:"g,omitempty"`
}

// A passedToken is a token that the app was given to show.
type passedToken struct {
	Session hash            `json:"s"`
	Module  aimbrain.Module `json:"m"`
	At      int64           `json:"t"`
}

// An openEnrol is an enrolment that was permitted.
type openEnrol struct {
	Module   aimbrain.Module `json:"m"`
	Kind     Enrolment       `json:"k"`
	At       int64           `json:"t"`
	Samples  int             `json:"n"`
	Notified bool            `json:"c,omitempty"`
}

// A step is a module that has passed, and waits for the other one.
type step struct {
	Of     hash            `json:"o"` // session, action and binding
	Module aimbrain.Module `json:"m"`
	At     int64           `json:"t"`
}

// An uploadState says what has become of an upload.
type uploadState int

const (
	started  uploadState = iota + 1 // written before the first byte was sent to the API
	finished                        // it has a result
	unknown                         // it may have been processed
)

// An upload is an enrolment or authentication that was sent to the API, or is about to
// be.
type upload struct {
	Key   hash            `json:"k"`
	State uploadState     `json:"s"`
	Auth  bool            `json:"a,omitempty"` // counts as a failure until it is known not to be one
	Mod   aimbrain.Module `json:"m"`
	At    int64           `json:"t"`
	Of    hash            `json:"o"` // session, action and binding
	// The result.
	Result  result `json:"r,omitempty"`
	Grant   string `json:"g,omitempty"` // sealed
	Samples int    `json:"n,omitempty"` // of an enrolment: those sent, later those accepted
	Nth     int    `json:"i,omitempty"` // samples of the enrolment before it
}

// A usedCapture is the hash of a photo, video or recording that has passed.
type usedCapture struct {
	Of  hash  `json:"o"`
	Key hash  `json:"k"` // of the upload
	At  int64 `json:"t"`
}

// A redeemedMark is a grant that was redeemed.
type redeemedMark struct {
	ID hash  `json:"i"`
	At int64 `json:"t"`
}

// A result is what the app is given.
type result string

const (
	accepted result = "accepted"
	rejected result = "rejected"
	stepUp   result = "step_up"
	retake   result = "retake"
	enrolled result = "enrolled"
)

// modules is a set of modules.
type modules byte

func setOf(m ...aimbrain.Module) modules {
	var set modules
	for _, module := range m {
		set |= 1 << module
	}
	return set
}

func (s modules) list() []aimbrain.Module {
	var list []aimbrain.Module
	for _, m := range []aimbrain.Module{aimbrain.ModuleFace, aimbrain.ModuleVoice} {
		if s&setOf(m) != 0 {
			list = append(list, m)
		}
	}
	return list
}

// readRecord reads a record, a new one for nil. An error means that the record is not
// one of this version: nothing can be decided then.
func readRecord(value []byte) (record, error) {
	if value == nil {
		return record{Version: recordVersion}, nil
	}
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return record{}, errors.New("the record of a user is damaged")
	}
	if r.Version != recordVersion || r.Birth == (hash{}) || r.Failures < 0 || r.Unknown < 0 ||
		slices.ContainsFunc(r.Enrols, func(e openEnrol) bool { return e.Samples < 0 }) {
		return record{}, errors.New("the record of a user is damaged or of another version")
	}
	return r, nil
}

// write returns the record's bytes and how long they are kept, 0 for ever.
func (r record) write(now time.Time) ([]byte, time.Duration, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return nil, 0, err
	}
	if r.Blocked || r.Failures > 0 || len(r.Steps) > 0 { // a step that is not completed becomes a failure
		return value, 0, nil
	}
	last := max(r.Until, ms(now.Add(time.Minute)))
	until := func(at int64, d time.Duration) { last = max(last, at+d.Milliseconds()) }
	if r.Unknown > 0 {
		until(r.Counted, unknownTime)
	}
	for _, at := range r.Retakes {
		until(at, retakeTime)
	}
	for _, t := range r.Tokens {
		until(t.At, tokenTime)
	}
	for _, e := range r.Enrols {
		until(e.At, enrolTime)
	}
	for _, u := range r.Uploads {
		until(u.At, u.kept()+unknownTime) // one that never ends counts as unknown
	}
	for _, c := range r.Captures {
		until(c.At, captureTime)
	}
	for _, g := range r.Redeemed {
		until(g.At, redeemedKept)
	}
	return value, time.UnixMilli(last).Sub(now), nil
}

// kept returns how long an upload is kept.
func (u upload) kept() time.Duration {
	if u.Auth {
		return resultTime
	}
	return enrolmentKept
}

// ms returns a time as the record has it.
func ms(t time.Time) int64 { return t.UnixMilli() }

// within reports whether less than d has passed since at.
func within(at int64, d time.Duration, now time.Time) bool { return ms(now) < at+d.Milliseconds() }

// tidy removes what has expired, and counts what has become a failure by that.
func (r record) tidy(now time.Time) record {
	r.Retakes = keep(r.Retakes, func(at int64) bool { return within(at, retakeTime, now) })
	r.Tokens = keep(r.Tokens, func(t passedToken) bool { return within(t.At, tokenTime, now) })
	r.Enrols = keep(r.Enrols, func(e openEnrol) bool { return within(e.At, enrolTime, now) })
	r.Captures = keep(r.Captures, func(c usedCapture) bool { return within(c.At, captureTime, now) })
	r.Redeemed = keep(r.Redeemed, func(g redeemedMark) bool { return within(g.At, redeemedKept, now) })
	uploads := slices.Clone(r.Uploads)
	for i := range uploads {
		if u := &uploads[i]; u.State == started && !within(u.At, upstreamTime+skew, now) {
			u.State = unknown // its replica has ended
			if u.Auth {
				r.Unknown++
				r.Counted = max(r.Counted, u.At)
			}
		}
	}
	r.Uploads = keep(uploads, func(u upload) bool { return within(u.At, u.kept(), now) })
	steps := r.Steps
	r.Steps = keep(steps, func(s step) bool { return within(s.At, stepTime, now) })
	for _, s := range steps[:len(steps):len(steps)] {
		if !within(s.At, stepTime, now) {
			r = r.fail(s.At + stepTime.Milliseconds())
		}
	}
	if r.Unknown > 0 && !within(r.Counted, unknownTime, now) {
		r.Unknown = 0
	}
	return r
}

// keep returns the elements for which f holds, in a list of its own.
func keep[T any](list []T, f func(T) bool) []T {
	var kept []T
	for _, e := range list {
		if f(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// fail counts a failure. The last one before a block is counted only when the warning
// was given, so that no count leads past it.
func (r record) fail(at int64) record {
	r.Failures++
	r.Counted = max(r.Counted, at)
	if r.Failures >= maxFailures && !r.Warned {
		r.Failures = maxFailures - 1
	}
	if r.Failures >= maxFailures && !r.Blocked {
		r = r.block()
	}
	return r
}

// block blocks the user. The new birth ends all sessions and grants.
func (r record) block() record {
	r.Blocked, r.Birth, r.Steps, r.Tokens = true, newHash(), nil, nil
	return r
}
