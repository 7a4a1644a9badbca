package relay

import (
	"context"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// userHash returns the hash by which the store knows a user.
func (r ring) userHash(u User) hash { return r.hash("user", []byte(u.ID)) }

// openSession opens a session that was sealed for a user.
func (h *Handler) openSession(token string, owner hash) (sealedSession, error) {
	s, ok := h.ring().openSession(token)
	age := h.config.now().Sub(s.made)
	if !ok || s.user != owner || age >= h.config.sessionTime || age < -skew {
		return sealedSession{}, errNotOurs
	}
	return s, nil
}

// createSession creates a session for the user, and seals it for the app.
func (h *Handler) createSession(ctx context.Context, q request, done account) (response, account) {
	done.exchange, done.sent = h.send(ctx, q.prepared), true
	session, err := decoded[aimbrain.Session](done.exchange)
	if err != nil {
		return explain(err), done
	}
	var birth hash
	now := h.config.now()
	if err := h.decide(ctx, q.key, func(r record, at time.Time) (record, bool) {
		r = r.open(at, at.Add(h.config.sessionTime+skew))
		birth = r.Birth
		return r, true
	}); err != nil {
		return refuse(codeUnavailable), done
	}
	token, err := h.ring().sealSession(sealedSession{made: now, birth: birth, user: q.owner, id: session.ID})
	if err != nil {
		h.misconfigured(ctx, "WithKeys", err)
		return refuse(codeInternal), done
	}
	return response{Session: token, Face: &session.Face, Voice: &session.Voice, Behaviour: &session.Behaviour}, done
}

// decoded returns the result of an exchange.
func decoded[T aimbrain.Result](x exchange) (T, error) {
	if x.err != nil {
		var none T
		return none, x.err
	}
	return aimbrain.Decode[T](x.response)
}

// passToken passes the API's token to the app, and records that the session has one
// for an authentication.
func (h *Handler) passToken(ctx context.Context, q request, done account) (response, account) {
	done.exchange, done.sent = h.send(ctx, q.prepared), true
	token, err := decoded[aimbrain.Token](done.exchange)
	if err != nil {
		return explain(err), done
	}
	if q.contents.tokenType != string(aimbrain.TokenAuth) {
		return response{Token: token.Text}, done
	}
	session := h.ring().hash("session", []byte(q.session.id))
	var v verdict
	err = h.decide(ctx, q.key, func(r record, now time.Time) (_ record, write bool) {
		r, v = r.pass(now, session, q.session.birth, q.route.module)
		return r, v == proceed
	})
	switch {
	case err != nil || v == listFull:
		return refuse(codeUnavailable), done
	case v == sessionLost:
		return refuse(codeSession), done
	}
	return response{Token: token.Text}, done
}

// passBehaviour passes events on. The app gets an empty object, or is asked for another
// module. Such a request neither counts as a failure nor resets the count: a timer of
// the app sends them.
func (h *Handler) passBehaviour(ctx context.Context, q request, done account) (response, account) {
	done.exchange, done.sent = h.send(ctx, q.prepared), true
	if q.route.kind == toSubmit {
		if _, err := decoded[aimbrain.BehaviourSubmitResult](done.exchange); err != nil {
			return explain(err), done
		}
		return response{}, done
	}
	behaviour, err := decoded[aimbrain.BehaviourAuthResult](done.exchange)
	if err != nil {
		return explain(err), done
	}
	done.score = &scored{score: behaviour.Score}
	if threshold := h.config.policy.Behaviour; threshold > 0 && !behaviour.Matches(threshold) {
		return response{Result: stepUp}, done
	}
	return response{}, done
}
