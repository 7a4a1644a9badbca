package relay

import (
	"context"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// How long the retry of an upload waits for the result of the first one.
const (
	runningWait = 20 * time.Second
	runningPoll = 100 * time.Millisecond
)

// attempt returns what the store is asked about.
func (h *Handler) attempt(q request) attempt {
	keys := h.ring()
	a := attempt{
		module: q.route.module, auth: q.route.kind == toAuth, birth: q.session.birth,
		captures: q.captures, samples: len(q.captures),
	}
	var action []byte
	if a.auth {
		action = q.action.encode()
		a.rule, a.both = h.config.policy.rule(a.module), h.config.policy.needsBoth(q.action)
	}
	session, binding := []byte(q.session.id), []byte(q.binding)
	a.session = keys.hash("session", session)
	a.of = keys.hash("step", session, action, binding)
	a.key = keys.hash("upload", q.fingerprint[:], []byte(q.user.ID), action, binding)
	return a
}

// execute sends an enrolment or an authentication once, and decides about its result.
// The record says that it was sent before its first byte is.
func (h *Handler) execute(ctx context.Context, q request, done account) (response, account) {
	a := h.attempt(q)
	s, refusal := h.start(ctx, q, &a)
	if refusal.Code != "" {
		done.reason = string(refusal.Code)
		return refusal, done
	}
	ctx = context.WithoutCancel(ctx)
	h.warn(ctx, q.user, s.warn)
	if s.verdict != proceed {
		return h.known(ctx, q, a, s, done)
	}
	if !a.auth {
		if err := h.recordIntent(ctx, q); err != nil {
			_, _ = h.settle(ctx, q, a, finding{outcome: notSent, token: s.token})
			return refuse(codeUnavailable), done
		}
	}
	done.exchange, done.sent = h.send(ctx, q.prepared), true
	f, score := h.find(q, a, done.exchange)
	f.token, done.score = s.token, score
	settled, err := h.settle(ctx, q, a, f)
	if err != nil || settled.lost && (f.outcome == judged || f.outcome == processed) {
		done.reason = "store"
		r := refuse(codeUnavailable)
		r.MaybeProcessed = f.outcome == processed || f.outcome == unclear
		return r, done
	}
	h.warn(ctx, q.user, settled.warn)
	if settled.notify != 0 && h.config.notifyEnrolled != nil {
		h.config.notifyEnrolled(ctx, q.user, q.route.module, settled.notify)
	}
	if settled.err != nil {
		h.misconfigured(ctx, "WithKeys", settled.err)
		return refuse(codeInternal), done
	}
	return h.outcome(f, settled, q, done)
}

// outcome returns the response for a finding and what was decided about it.
func (h *Handler) outcome(f finding, s settlement, q request, done account) (response, account) {
	switch f.outcome {
	case judged:
		return response{Result: s.result, Grant: s.grant}, done
	case processed:
		return enrolledResponse(q.route.module, f.samples), done
	case unclear:
		return maybeProcessed(), done
	case again, refused, notSent:
	}
	return explain(done.exchange.err), done
}

// enrolledResponse is the response for samples that were accepted, 0 if their number is
// not known.
func enrolledResponse(m aimbrain.Module, samples int) response {
	r := response{Result: enrolled}
	switch {
	case samples == 0:
	case m == aimbrain.ModuleVoice:
		r.VoiceSamples = &samples
	default:
		r.ImagesCount = &samples
	}
	return r
}

// start asks the store whether an attempt is sent, and waits while the same upload is
// under way. It asks the bank for permission where that is needed.
func (h *Handler) start(ctx context.Context, q request, a *attempt) (start, response) {
	began := time.Now()
	for {
		var s start
		var block bool
		if err := h.decide(context.WithoutCancel(ctx), q.key, func(r record, now time.Time) (_ record, write bool) {
			before := r.Blocked
			r, s = r.begin(now, *a)
			write = s.verdict == proceed || s.verdict == captureUsed || r.Blocked != before
			block = write && r.Blocked != before
			return r, write
		}); err != nil {
			return s, refuse(codeUnavailable)
		}
		if err := h.recordBlock(context.WithoutCancel(ctx), q, block); err != nil {
			return s, refuse(codeUnavailable)
		}
		switch s.verdict {
		case needsPermission:
			kind, refusal := h.permission(ctx, q)
			if refusal.Code != "" {
				return s, refusal
			}
			a.permit = kind
		case running:
			if time.Since(began) >= runningWait {
				return s, maybeProcessed().after(runningWait)
			}
			if wait(ctx, runningPoll) != nil {
				return s, refuse(codeCancelled)
			}
		case locked:
			return s, refuse(codeLocked).after(s.wait)
		case tooManyRetakes:
			return s, refuse(codeRetakes).after(s.wait)
		case blocked:
			return s, refuse(codeBlocked)
		case noToken:
			return s, refuse(codeTokenRequired)
		case enrolmentFull:
			return s, refuse(codeEnrolmentFull)
		case sessionLost:
			return s, refuse(codeSession)
		case listFull:
			return s, refuse(codeUnavailable).after(time.Minute)
		case proceed, replayed, lost, captureUsed:
			return s, response{}
		}
	}
}

// known returns the response for an attempt that is not sent as the record knows it.
func (h *Handler) known(ctx context.Context, q request, a attempt, s start, done account) (response, account) {
	switch s.verdict {
	case captureUsed:
		done.reason = "capture used before"
		return response{Result: rejected}, done
	case replayed:
		done.reason = "result of the same upload"
		if !s.upload.Auth {
			return enrolledResponse(q.route.module, s.upload.Samples), done
		}
		return response{Result: s.upload.Result, Grant: s.upload.Grant}, done
	}
	done.reason = "outcome of the same upload unknown"
	if !a.auth && s.upload.Nth == 0 && h.confirmed(ctx, q, a) {
		done.reason = "confirmed by the status"
		return enrolledResponse(q.route.module, 0), done
	}
	return maybeProcessed(), done
}

// confirmed reports whether an enrolment of unknown outcome was processed, as far as the
// user's status says that: it was not enrolled before the first sample.
func (h *Handler) confirmed(ctx context.Context, q request, a attempt) bool {
	first := false
	err := h.decide(ctx, q.key, func(r record, now time.Time) (record, bool) {
		first = r.onlySample(now, a)
		return r, false
	})
	if err != nil || !first {
		return false
	}
	status, err := h.status(ctx, q)
	if err != nil || status == aimbrain.NotEnrolled {
		return false
	}
	err = h.decide(ctx, q.key, func(r record, now time.Time) (record, bool) { return r.confirm(now, a.key), true })
	return err == nil
}

// status asks the API for the status of the user's module.
func (h *Handler) status(ctx context.Context, q request) (aimbrain.ModuleStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	session, err := h.client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: q.user.APIUserID, Device: "relay", System: "relay"})
	return session.Status(q.route.module), err
}

// permission asks the bank whether the user may enrol, and returns what kind of
// enrolment it is.
func (h *Handler) permission(ctx context.Context, q request) (Enrolment, response) {
	status, err := h.status(ctx, q)
	if err != nil {
		return 0, explainStatus(err)
	}
	kind := First
	if status != aimbrain.NotEnrolled {
		kind = Again
	}
	if kind == Again && !h.config.enrolAgain || h.config.permit(ctx, q.user, q.route.module, kind) != nil {
		return 0, refuse(codeEnrolmentRefused)
	}
	return kind, response{}
}

// explainStatus is explain for the request of a status, which is none of the app's.
func explainStatus(err error) response {
	if aimbrain.ActionOf(err) == aimbrain.ActionRetryLater {
		return explain(err)
	}
	return refuse(codeUpstream)
}

// find returns what an exchange says about an attempt, and the score.
func (h *Handler) find(q request, a attempt, x exchange) (finding, *scored) {
	var s scored
	f := finding{outcome: judged}
	err := x.err
	switch {
	case err != nil:
	case q.route.endpoint == aimbrain.EndpointFaceAuth:
		var result aimbrain.FaceAuthResult
		result, err = decoded[aimbrain.FaceAuthResult](x)
		s = scored{score: result.Score, liveliness: result.Liveliness}
	case q.route.endpoint == aimbrain.EndpointVoiceAuth:
		var result aimbrain.VoiceAuthResult
		result, err = decoded[aimbrain.VoiceAuthResult](x)
		s = scored{score: result.Score, liveliness: result.Liveliness}
	case q.route.endpoint == aimbrain.EndpointFaceEnroll:
		var result aimbrain.FaceEnrollResult
		result, err = decoded[aimbrain.FaceEnrollResult](x)
		f = finding{outcome: processed, samples: result.ImagesCount}
	default:
		var result aimbrain.VoiceEnrollResult
		result, err = decoded[aimbrain.VoiceEnrollResult](x)
		f = finding{outcome: processed, samples: result.VoiceSamples}
	}
	if err != nil {
		return finding{outcome: outcomeOf(err, a.auth)}, nil
	}
	if !a.auth {
		return f, nil
	}
	f.passed = a.rule.passes(s.score, s.liveliness)
	f.grant = func(birth hash, set modules, at time.Time) (string, error) { return h.grant(q, birth, set, at) }
	return f, &s
}

// settle records what is known of an attempt. The store may have written although it
// returned an error: settling again then finds what was decided.
func (h *Handler) settle(ctx context.Context, q request, a attempt, f finding) (settlement, error) {
	var s settlement
	var err error
	for range settleTries {
		block := false
		if err = h.decide(ctx, q.key, func(r record, now time.Time) (_ record, write bool) {
			before := r.Blocked
			r, s = r.settle(now, a, f)
			block = r.Blocked != before
			return r, !s.lost && s.err == nil
		}); err == nil {
			return s, h.recordBlock(ctx, q, block)
		}
	}
	return s, err
}

// recordBlock records that a user was blocked for failures.
func (h *Handler) recordBlock(ctx context.Context, q request, blocked bool) error {
	if !blocked {
		return nil
	}
	return h.write(ctx, q.user, audit.Record{Kind: audit.KindBlock, RequestID: q.id, Reason: "failures"}, true)
}

// warn calls the callback before a block.
func (h *Handler) warn(ctx context.Context, user User, due bool) {
	if due && h.config.warnBlock != nil {
		h.config.warnBlock(ctx, user)
	}
}
