package relay

import (
	"context"
	"errors"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// A Grant says that a user was authenticated for an action. It is returned by
// [Handler.Redeem], once.
type Grant struct {
	User    User              // as given to Redeem
	Action  Action            // as given to Redeem
	Modules []aimbrain.Module // with which the user was authenticated
	Time    time.Time         // when, by the store's clock
	// Element is [Inherence]: face and voice are one element of strong customer
	// authentication, together too. The other one is what [WithUser] has checked.
	Element string
}

// Inherence is the element of strong customer authentication that biometrics is.
const Inherence = "inherence"

// A RedeemOption is an option of [Handler.Redeem].
type RedeemOption func(*redeeming)

type redeeming struct{ binding string }

// BoundTo sets what a grant must be bound to: the value that the function of
// [WithBinding] returned for the request that got the grant.
func BoundTo(binding string) RedeemOption { return func(r *redeeming) { r.binding = binding } }

// Redeem redeems a grant, in the place where the action is executed. It returns nil
// as the error once for each grant, to one caller, for the same user and for the
// same action. The action is the one that is about to be executed, from the same
// records: any change of its amount or its payees since makes it another one.
//
// The error is an [ErrorKind]. The user's APIUserID is not looked at. A grant for
// which the store or the audit log failed counts as redeemed: the app must
// authenticate again.
func (h *Handler) Redeem(ctx context.Context, grant string, user User, action Action, opts ...RedeemOption) (Grant, error) {
	if !h.enter() {
		return Grant{}, ErrClosed
	}
	defer h.leave()
	var options redeeming
	for _, opt := range opts {
		opt(&options)
	}
	opened, err := h.redeem(ctx, grant, user, action, options.binding)
	r := audit.Record{Kind: audit.KindRedeem, Action: action.audited(), Decision: "redeemed"}
	if err != nil {
		r.Decision, r.Reason = "refused", reasonOf(err)
	}
	if failed := h.write(context.WithoutCancel(ctx), user, r, err == nil); failed != nil && err == nil {
		err = failed
	}
	if err != nil {
		return Grant{}, err
	}
	return Grant{User: user, Action: action, Modules: opened.modules.list(), Time: opened.made, Element: Inherence}, nil
}

// redeem checks a grant and marks it as redeemed.
func (h *Handler) redeem(ctx context.Context, text string, user User, action Action, binding string) (sealedGrant, error) {
	keys := h.ring()
	g, ok := keys.openGrant(text)
	key := keys.userHash(user)
	switch {
	case !ok:
		return g, ErrGrantInvalid
	case g.user != key:
		return g, ErrOtherUser
	case g.action != keys.actionHash(action):
		return g, ErrOtherAction
	case g.binding != keys.bindingHash(binding):
		return g, ErrOtherBinding
	}
	var refusal error
	if err := h.decide(ctx, key, func(r record, now time.Time) (record, bool) {
		r, refusal = r.redeem(now, g, h.config.grantTime)
		return r, refusal == nil
	}); err != nil {
		return g, ErrStore // the mark may have been written: it counts as redeemed
	}
	return g, refusal
}

// grant returns a sealed grant for a request that was accepted.
func (h *Handler) grant(q request, birth hash, set modules, at time.Time) (string, error) {
	keys := h.ring()
	return keys.sealGrant(sealedGrant{
		made: at, birth: birth, id: newHash(), user: q.key, modules: set,
		action: keys.actionHash(q.action), binding: keys.bindingHash(q.binding),
	})
}

func (r ring) actionHash(a Action) hash        { return r.hash("action", a.encode()) }
func (r ring) bindingHash(binding string) hash { return r.hash("binding", []byte(binding)) }

// reasonOf returns the name of an error for the audit log.
func reasonOf(err error) string {
	var kind ErrorKind
	errors.As(err, &kind)
	switch kind {
	case ErrGrantInvalid:
		return "invalid"
	case ErrGrantExpired:
		return "expired"
	case ErrGrantRedeemed:
		return "redeemed before"
	case ErrOtherUser:
		return "other user"
	case ErrOtherAction:
		return "other action"
	case ErrOtherBinding:
		return "other binding"
	case ErrBlocked:
		return "blocked"
	case ErrStoreLost:
		return "store lost"
	case ErrSession:
		return "session"
	case ErrStore:
		return "store"
	case ErrAudit:
		return "audit"
	case ErrClosed:
		return "closed"
	}
	return "unknown"
}
