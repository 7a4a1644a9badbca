package relay

import (
	"context"
	"crypto/hmac"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// Score returns the scores of a session, which an app got from this relay. An
// [ErrorKind] says that the session is not the user's or has expired; any other error
// is the client's. The result has the sealed session in place of the API's, and no
// Response.
func (h *Handler) Score(ctx context.Context, user User, session string) (aimbrain.ScoreResult, error) {
	if !h.enter() {
		return aimbrain.ScoreResult{}, ErrClosed
	}
	defer h.leave()
	owner := h.ring().hash("session user", []byte(user.ID), []byte(user.APIUserID))
	opened, err := h.openSession(session, owner)
	if err != nil {
		if failed := h.write(ctx, user, audit.Record{Kind: audit.KindScore, Decision: "refused", Reason: "session"}, false); failed != nil {
			return aimbrain.ScoreResult{}, failed
		}
		return aimbrain.ScoreResult{}, ErrSession
	}
	result, err := h.client.Score.Get(ctx, opened.id)
	r := audit.Record{Kind: audit.KindScore, Endpoint: aimbrain.EndpointScore, Decision: "passed", Outcome: aimbrain.OutcomeOf(err).String(), Status: result.Response.StatusCode}
	for _, entry := range result.Scores[:min(16, len(result.Scores))] {
		r.Scores = append(r.Scores, audit.Measure{Name: entry.Type, Value: entry.Value})
	}
	if err != nil {
		r.Decision = "refused"
	}
	if failed := h.write(ctx, user, r, false); failed != nil {
		return aimbrain.ScoreResult{}, failed
	}
	if err != nil {
		return aimbrain.ScoreResult{}, err
	}
	result.Session, result.Response = session, aimbrain.Response{}
	return result, nil
}

// A UserState is what a handler has counted of a user.
type UserState struct {
	Failures int  // consecutive failures
	Unknown  int  // authentications whose outcome is unknown: they count for the delay
	Blocked  bool // until [Handler.Unblock]
}

// State returns what was counted of a user. The error is [ErrStore].
func (h *Handler) State(ctx context.Context, user User) (UserState, error) {
	var s UserState
	if err := h.decide(ctx, h.ring().userHash(user), func(r record, now time.Time) (record, bool) {
		r = r.tidy(now)
		s = UserState{Failures: r.Failures, Unknown: r.Unknown, Blocked: r.Blocked}
		return r, false
	}); err != nil {
		return UserState{}, ErrStore
	}
	return s, nil
}

// Block blocks a user until [Handler.Unblock]. All sessions and grants of the user end.
// The error is [ErrStore] or [ErrAudit]; the user may be blocked then.
func (h *Handler) Block(ctx context.Context, user User) error {
	return h.change(ctx, user, audit.KindBlock, func(r record, now time.Time) record { return r.tidy(now).block() })
}

// Unblock lifts the block of a user and sets the count of failures to 0. The error is
// [ErrStore] or [ErrAudit]; the block may be lifted after ErrStore alone.
func (h *Handler) Unblock(ctx context.Context, user User) error {
	return h.change(ctx, user, audit.KindLift, record.lift)
}

// change changes the record of a user on the bank's behalf. What opens something is
// recorded before.
func (h *Handler) change(ctx context.Context, user User, kind audit.Kind, f func(record, time.Time) record) error {
	if !h.enter() {
		return ErrClosed
	}
	defer h.leave()
	if kind == audit.KindLift {
		if err := h.write(ctx, user, audit.Record{Kind: kind}, true); err != nil {
			return err
		}
	}
	if err := h.decide(ctx, h.ring().userHash(user), func(r record, now time.Time) (record, bool) {
		if r.Birth == (hash{}) {
			r.Birth = newHash()
		}
		return f(r, now), true
	}); err != nil {
		return ErrStore
	}
	if kind == audit.KindLift {
		return nil
	}
	return h.write(ctx, user, audit.Record{Kind: kind, Reason: "by the bank"}, true)
}

// SetKeys replaces the keys, see [NewKeys]. The lookup key must be the same: all that
// the store holds is found by it. On an error, a [*ConfigError] or [ErrAudit], the keys
// stay.
func (h *Handler) SetKeys(ctx context.Context, keys Keys) error {
	if keys.ring == nil {
		return &ConfigError{"SetKeys", "has no keys: see NewKeys"}
	}
	if !hmac.Equal(keys.ring().lookup, h.ring().lookup) {
		return &ConfigError{"SetKeys", "has another lookup key: counters and results would be lost"}
	}
	if err := h.write(ctx, User{}, audit.Record{Kind: audit.KindKeys}, true); err != nil {
		return err
	}
	h.keys.Store(&keys)
	return nil
}
