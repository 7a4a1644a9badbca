package relay

import (
	"context"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
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
	return Grant{}, ErrClosed
}
