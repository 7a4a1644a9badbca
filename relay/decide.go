package relay

import (
	"slices"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// This file holds the decisions. Each is a function of a record and the store's clock,
// and returns the record to write and a verdict.

// A verdict is what was decided about a request.
type verdict int

const (
	proceed         verdict = iota + 1 // the record says that it is sent
	replayed                           // it has a result
	running                            // it was sent and has no result yet
	lost                               // it was sent and will have no result
	locked                             // too many failures: wait
	blocked                            // until the bank lifts it
	noToken                            // the token that the policy requires was not passed on
	tooManyRetakes                     // wait
	captureUsed                        // a copy of a capture that has passed before: a failure
	needsPermission                    // an enrolment that is not open
	enrolmentFull                      // five samples were sent
	sessionLost                        // the session is from before the record
	listFull                           // nothing live is removed: no room
)

// An attempt is an enrolment or an authentication that the store is asked about.
type attempt struct {
	key      hash // of the upload
	module   aimbrain.Module
	auth     bool
	birth    hash // that of the session
	session  hash
	of       hash // session, action and binding
	captures []hash
	samples  int // how many captures are in it
	rule     Rule
	both     bool      // the policy needs face and voice
	permit   Enrolment // what the bank has permitted, 0 if it was not asked
}

// A start is the decision about an attempt.
type start struct {
	verdict verdict
	wait    time.Duration // for locked and tooManyRetakes
	upload  upload        // for replayed, running and lost
	token   int64         // when the token that was taken had been passed on, 0 for none
	warn    bool
}

// begin decides whether an attempt is sent. It is counted as a failure from here on.
func (r record) begin(now time.Time, a attempt) (record, start) {
	r = r.tidy(now)
	switch i := r.find(a.key); {
	case r.Blocked:
		return r, start{verdict: blocked}
	case r.Birth != a.birth:
		return r, start{verdict: sessionLost}
	case i >= 0 && r.Uploads[i].State == finished:
		return r, start{verdict: replayed, upload: r.Uploads[i]}
	case i >= 0 && r.Uploads[i].State == started:
		return r, start{verdict: running, upload: r.Uploads[i]}
	case i >= 0:
		return r, start{verdict: lost, upload: r.Uploads[i]}
	case len(r.Retakes) >= maxRetakes:
		return r, start{verdict: tooManyRetakes, wait: time.UnixMilli(slices.Min(r.Retakes)).Add(retakeTime).Sub(now)}
	case len(r.Uploads) >= maxUploads || len(r.Captures)+len(a.captures) > maxCaptures:
		return r, start{verdict: listFull}
	case a.auth:
		return r.beginAuth(now, a)
	}
	return r.beginEnrol(now, a)
}

// beginAuth is begin for an authentication.
func (r record) beginAuth(now time.Time, a attempt) (record, start) {
	if wait := r.delay(now, a); wait > 0 {
		return r, start{verdict: locked, wait: wait}
	}
	if slices.ContainsFunc(r.Captures, func(c usedCapture) bool { return slices.Contains(a.captures, c.Of) }) {
		r = r.fail(ms(now))
		r.Uploads = append(slices.Clone(r.Uploads), upload{Key: a.key, State: finished, Auth: true, Mod: a.module, At: ms(now), Of: a.of, Result: rejected})
		r, warn := r.warning()
		return r, start{verdict: captureUsed, warn: warn}
	}
	s := start{verdict: proceed}
	token := func(t passedToken) bool { return t.Session == a.session && t.Module == a.module }
	if i := slices.IndexFunc(r.Tokens, token); i >= 0 {
		s.token = r.Tokens[i].At
		r.Tokens = keep(r.Tokens, func(t passedToken) bool { return !token(t) })
	} else if a.rule.Token == Required {
		return r, start{verdict: noToken}
	}
	r.Uploads = append(slices.Clone(r.Uploads), upload{Key: a.key, State: started, Auth: true, Mod: a.module, At: ms(now), Of: a.of})
	return r, s
}

// delay returns how long the user must wait before an attempt, 0 for none. Requests
// under way and open step-ups count as failures, but for the step-up that the attempt
// can complete.
func (r record) delay(now time.Time, a attempt) time.Duration {
	last, open := r.Counted, 0
	for _, u := range r.Uploads {
		if u.Auth && u.State == started {
			open++
			last = max(last, u.At)
		}
	}
	for _, s := range r.Steps {
		if s.Of != a.of || s.Module == a.module {
			open++
			last = max(last, s.At)
		}
	}
	count := r.Failures + r.Unknown + open
	if count < freeFailures {
		return 0
	}
	delay := maxDelay
	if doublings := count - freeFailures; doublings < 7 {
		delay = min(delay, firstDelay<<doublings)
	}
	wait := time.UnixMilli(last).Add(delay).Sub(now)
	if r.Failures+open >= maxFailures { // one of those under way may be the last before the block
		wait = max(wait, firstDelay)
	}
	return wait
}

// beginEnrol is begin for an enrolment.
func (r record) beginEnrol(now time.Time, a attempt) (record, start) {
	i := slices.IndexFunc(r.Enrols, func(e openEnrol) bool { return e.Module == a.module })
	switch {
	case i < 0 && a.permit == 0:
		return r, start{verdict: needsPermission}
	case i < 0:
		i = len(r.Enrols)
		r.Enrols = append(slices.Clone(r.Enrols), openEnrol{Module: a.module, Kind: a.permit, At: ms(now)})
	default:
		r.Enrols = slices.Clone(r.Enrols)
	}
	e := &r.Enrols[i]
	if e.Samples+a.samples > maxSamples {
		return r, start{verdict: enrolmentFull}
	}
	r.Uploads = append(slices.Clone(r.Uploads), upload{Key: a.key, State: started, Mod: a.module, At: ms(now), Samples: a.samples, Nth: e.Samples})
	e.Samples += a.samples
	return r, start{verdict: proceed}
}

// find returns the index of an upload, -1 for none.
func (r record) find(key hash) int {
	return slices.IndexFunc(r.Uploads, func(u upload) bool { return u.Key == key })
}

// An outcome is what the API made of an attempt.
type outcome int

const (
	judged    outcome = iota + 1 // passed, or not
	processed                    // an enrolment
	notSent                      // it was provably not sent
	refused                      // it was sent and not judged
	again                        // the same, as the capture could not be processed
	unclear                      // it may have been judged or processed
)

// A finding is what is known of an attempt afterwards.
type finding struct {
	outcome outcome
	passed  bool
	samples int   // accepted in an enrolment
	token   int64 // of start
	grant   func(birth hash, set modules, at time.Time) (string, error)
}

// A settlement is what follows of a finding.
type settlement struct {
	lost   bool // the store has lost the attempt: nothing is granted
	result result
	grant  string
	warn   bool
	notify Enrolment // the callback after an enrolment is due
	err    error     // of the grant
}

// settle records what is known of an attempt, and decides about it.
func (r record) settle(now time.Time, a attempt, f finding) (record, settlement) {
	r = r.tidy(now)
	i := r.find(a.key)
	if i < 0 {
		return r, settlement{lost: true}
	}
	u := r.Uploads[i]
	if u.State == finished { // an earlier write of this one whose reply was lost
		return r, settlement{result: u.Result, grant: u.Grant}
	}
	if u.State == unknown && u.Auth {
		r.Unknown = max(0, r.Unknown-1)
	}
	r.Uploads = slices.Clone(r.Uploads)
	var s settlement
	switch f.outcome {
	case judged:
		r, u, s = r.judge(now, a, u, f)
	case processed, unclear:
		r, u, s = r.processed(now, a, u, f)
	case again, refused, notSent:
		r, s = r.giveBack(now, a, f)
		r.Uploads = slices.Delete(r.Uploads, i, i+1)
		return r, s
	}
	r.Uploads[i] = u
	var warn bool
	r, warn = r.warning()
	s.warn = s.warn || warn
	return r, s
}

// judge decides about an authentication that the API has judged.
func (r record) judge(now time.Time, a attempt, u upload, f finding) (record, upload, settlement) {
	u.State, u.Result = finished, rejected
	other := func(s step) bool { return s.Of == a.of && s.Module != a.module }
	waiting := slices.IndexFunc(r.Steps, other)
	set := setOf(a.module)
	if waiting >= 0 {
		set |= setOf(r.Steps[waiting].Module)
		r.Steps = keep(r.Steps, func(s step) bool { return !other(s) }) // it serves once
	}
	if !f.passed || r.Blocked {
		if !r.Blocked {
			r = r.fail(ms(now))
		}
		return r, u, settlement{result: rejected}
	}
	for _, c := range a.captures {
		r.Captures = append(slices.Clone(r.Captures), usedCapture{Of: c, Key: a.key, At: ms(now)})
	}
	if a.both && waiting < 0 {
		for _, s := range r.Steps {
			if s.Of == a.of && s.Module == a.module { // it was not completed, and is replaced
				r = r.fail(ms(now))
			}
		}
		if r.Blocked {
			return r, u, settlement{result: rejected}
		}
		r.Steps = append(keep(r.Steps, func(s step) bool { return s.Of != a.of }), step{Of: a.of, Module: a.module, At: ms(now)})
		u.Result = stepUp
		return r, u, settlement{result: stepUp}
	}
	grant, err := f.grant(r.Birth, set, now)
	if err != nil {
		return r, u, settlement{result: rejected, err: err}
	}
	r.Failures, r.Unknown, r.Warned = 0, 0, false
	u.Result, u.Grant = accepted, grant
	return r, u, settlement{result: accepted, grant: grant}
}

// processed records an enrolment that was processed, or a request that may have been.
func (r record) processed(now time.Time, a attempt, u upload, f finding) (record, upload, settlement) {
	var s settlement
	if f.outcome == processed {
		u.State, u.Result, u.Samples, s.result = finished, enrolled, f.samples, enrolled
	} else if u.State = unknown; a.auth {
		r.Unknown++
		r.Counted = max(r.Counted, ms(now))
	}
	if i := slices.IndexFunc(r.Enrols, func(e openEnrol) bool { return !a.auth && e.Module == a.module && !e.Notified }); i >= 0 {
		r.Enrols = slices.Clone(r.Enrols)
		r.Enrols[i].Notified = true
		s.notify = r.Enrols[i].Kind
	}
	return r, u, s
}

// giveBack gives back what an attempt has taken that was not judged.
func (r record) giveBack(now time.Time, a attempt, f finding) (record, settlement) {
	var s settlement
	if f.outcome == again {
		r.Retakes = append(slices.Clone(r.Retakes), ms(now))
		s.result = retake
	}
	if f.outcome == notSent && f.token != 0 {
		r.Tokens = append(slices.Clone(r.Tokens), passedToken{Session: a.session, Module: a.module, At: f.token})
	}
	if i := slices.IndexFunc(r.Enrols, func(e openEnrol) bool { return !a.auth && e.Module == a.module }); i >= 0 {
		r.Enrols = slices.Clone(r.Enrols)
		r.Enrols[i].Samples = max(0, r.Enrols[i].Samples-a.samples)
	}
	return r, s
}

// warning reports whether the callback before a block is due, and records it.
func (r record) warning() (record, bool) {
	if r.Warned || r.Failures < maxFailures-1 {
		return r, false
	}
	r.Warned = true
	return r, true
}

// onlySample reports whether an upload of unknown outcome is the only one of an open
// enrolment of a user who had no template.
func (r record) onlySample(now time.Time, a attempt) bool {
	r = r.tidy(now)
	i := r.find(a.key)
	e := slices.IndexFunc(r.Enrols, func(e openEnrol) bool { return e.Module == a.module })
	return i >= 0 && e >= 0 && r.Enrols[e].Kind == First && r.Uploads[i].State == unknown && r.Uploads[i].Nth == 0 && r.Enrols[e].Samples == r.Uploads[i].Samples
}

// confirm records that an enrolment of unknown outcome was processed.
func (r record) confirm(now time.Time, key hash) record {
	r = r.tidy(now)
	if i := r.find(key); i >= 0 && r.Uploads[i].State == unknown {
		r.Uploads = slices.Clone(r.Uploads)
		r.Uploads[i].State, r.Uploads[i].Result, r.Uploads[i].Samples = finished, enrolled, 0
	}
	return r
}

// open records a session that is about to be sealed. The record is kept as long.
func (r record) open(now, until time.Time) record {
	r = r.tidy(now)
	if r.Birth == (hash{}) {
		r.Birth = newHash()
	}
	r.Until = max(r.Until, ms(until))
	return r
}

// pass records a token that the app is about to be given.
func (r record) pass(now time.Time, session, birth hash, module aimbrain.Module) (record, verdict) {
	r = r.tidy(now)
	switch {
	case r.Birth != birth:
		return r, sessionLost
	case len(r.Tokens) >= maxOtherInList:
		return r, listFull
	}
	r.Tokens = append(keep(r.Tokens, func(t passedToken) bool { return t.Session != session || t.Module != module }), passedToken{Session: session, Module: module, At: ms(now)})
	return r, proceed
}

// redeem decides about a grant whose contents were checked.
func (r record) redeem(now time.Time, g sealedGrant, valid time.Duration) (record, error) {
	r = r.tidy(now)
	age := now.Sub(g.made)
	switch {
	case r.Blocked:
		return r, ErrBlocked
	case r.Birth != g.birth:
		return r, ErrStoreLost
	case age < -skew || age >= valid:
		return r, ErrGrantExpired
	case slices.ContainsFunc(r.Redeemed, func(m redeemedMark) bool { return m.ID == g.id }):
		return r, ErrGrantRedeemed
	case len(r.Redeemed) >= maxOtherInList:
		return r, ErrStore
	}
	r.Redeemed = append(slices.Clone(r.Redeemed), redeemedMark{ID: g.id, At: ms(now)})
	return r, nil
}

// lift lifts a block.
func (r record) lift(now time.Time) record {
	r = r.tidy(now)
	r.Failures, r.Unknown, r.Warned, r.Blocked = 0, 0, false, false
	return r
}
