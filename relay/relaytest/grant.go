package relaytest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay"
)

// grantAttacks are about grants: one user, one action, once.
func grantAttacks() []attack {
	// retarget redeems a grant for a changed action. The grant must be good for the
	// action itself, so that the attack fails for the right reason.
	retarget := func(change func(*relay.Action)) func(*attacker) {
		return func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			changed := order
			change(&changed)
			a.refused("the changed action", grant, Ada, changed)
			order = a.payment()
			grant = a.granted(a.session(Ada), order)
			a.must(a.redeem(grant, Ada, order) == nil, "a grant is not redeemed for its own action")
		}
	}
	const holds = "a grant must be valid for its action alone"
	return []attack{
		{"Grant_Replayed", "a grant must be redeemed once", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			a.must(a.redeem(grant, Ada, order) == nil, "a grant is not redeemed")
			a.refused("the second time", grant, Ada, order)
			pass(time.Minute)
			a.refused("a minute later", grant, Ada, order)
		}},
		{"Grant_ReplayedInParallel", "of many who redeem a grant one must succeed", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			var redeemed atomic.Int32
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					if a.redeem(grant, Ada, order) == nil {
						redeemed.Add(1)
					}
				})
			}
			group.Wait()
			if n := redeemed.Load(); n != 1 {
				a.problem("%d succeed", n)
			}
		}},
		{"Grant_ReplayedForALogIn", "the grant of a log-in must be redeemed once", func(a *attacker) {
			got := a.face(Ada, a.session(Ada), string(Ada))
			a.must(got.Grant != "", "no grant: %d", got.status)
			a.must(a.redeem(got.Grant, Ada, relay.LogIn()) == nil, "a grant is not redeemed")
			a.refused("the second time", got.Grant, Ada, relay.LogIn())
		}},
		{"Grant_AnotherAmount", holds, retarget(func(o *relay.Action) { o.Amount++ })},
		{"Grant_AnotherPayee", holds, retarget(func(o *relay.Action) { o.Payee = "DE00" })},
		{"Grant_AnotherCurrency", holds, retarget(func(o *relay.Action) { o.Currency = "USD" })},
		{"Grant_AnotherKind", holds, retarget(func(o *relay.Action) { o.Kind = "limit" })},
		{"Grant_AnotherReference", holds, retarget(func(o *relay.Action) { o.Reference = "another" })},
		{"Grant_LogInForAPayment", holds, func(a *attacker) {
			got := a.face(Ada, a.session(Ada), string(Ada))
			a.must(got.Grant != "", "no grant: %d", got.status)
			a.refused("a payment", got.Grant, Ada, a.payment())
		}},
		{"Grant_PaymentForALogIn", holds, func(a *attacker) {
			a.refused("a log-in", a.granted(a.session(Ada), a.payment()), Ada, relay.LogIn())
		}},
		{"Grant_FieldsRunTogether", "two actions whose fields run together must differ", func(a *attacker) {
			order := a.payment()
			order.Reference, order.Kind = "7", "payment"
			grant := a.granted(a.session(Ada), order)
			changed := order
			changed.Reference, changed.Kind = "t7", "paymen"
			a.refused("the changed action", grant, Ada, changed)
		}},
		{"Grant_BatchWithAnotherPayee", holds, func(a *attacker) {
			a.orders++
			order := relay.Action{Kind: "batch", Reference: fmt.Sprint("batch-", a.orders), Total: 20_00, Currency: "EUR", Payees: []string{"DE01", "DE02"}}
			grant := a.granted(a.session(Ada), order)
			for _, payees := range [][]string{{"DE01", "DE03"}, {"DE02", "DE01"}, {"DE01"}, {"DE01", "DE02", "DE03"}, {"DE0", "1DE02"}} {
				changed := order
				changed.Payees = payees
				a.refused(strings.Join(payees, ","), grant, Ada, changed)
			}
		}},
		{"Grant_BatchWithAnotherTotal", holds, func(a *attacker) {
			order := relay.Action{Kind: "batch", Reference: "batch", Total: 20_00, Currency: "EUR", Payees: []string{"DE01", "DE02"}}
			grant := a.granted(a.session(Ada), order)
			order.Total++
			a.refused("a cent more", grant, Ada, order)
		}},
		{"Grant_StolenByAnotherUser", "a grant must be valid for its user alone", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			a.refused("Bob", grant, Bob, order)
		}},
		{"Grant_StolenFromItsBinding", "a grant must be valid with its binding alone", func(a *attacker) {
			if a.Bind == nil {
				a.skipped = true
				return
			}
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			for _, binding := range []string{"device of mallory", "", bindingOf(Bob)} {
				if a.Redeem(a.ctx, grant, Ada, order, binding) == nil {
					a.problem("it is redeemed with the binding %q", binding)
				}
			}
		}},
		{"Grant_Expired", "a grant must end after 5 minutes at most", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			pass(5*time.Minute + time.Second)
			a.refused("later", grant, Ada, order)
		}},
		{"Grant_Altered", "an altered grant must be refused", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			for _, at := range []int{0, len(grant) / 3, len(grant) / 2, len(grant) - 2} {
				a.refused(fmt.Sprintf("character %d", at), altered(grant, at), Ada, order)
			}
			for _, text := range []string{"", " ", "null", grant[:len(grant)-4], grant + "AAAA", grant + "\n", grant[:8] + "\n" + grant[8:]} {
				a.refused(fmt.Sprintf("%d characters", len(text)), text, Ada, order)
			}
			a.must(a.redeem(grant, Ada, order) == nil, "a grant is not redeemed after altered ones")
		}},
		{"Grant_SessionInItsPlace", "a session must not serve as a grant", func(a *attacker) {
			a.refused("a session", a.session(Ada), Ada, relay.LogIn())
		}},
		{"Grant_StoreLost", "a grant from before the store was lost must be refused", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			a.inject(StoreLost)
			a.refused("it was not redeemed", grant, Ada, order)
		}},
		{"Grant_RedeemedAndStoreLost", "a grant must not be redeemed again when the store was lost", func(a *attacker) {
			order := a.payment()
			session := a.session(Ada)
			grant := a.granted(session, order)
			a.must(a.redeem(grant, Ada, order) == nil, "a grant is not redeemed")
			a.inject(StoreLost)
			a.send(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))}) // a new record begins
			a.refused("the second time", grant, Ada, order)
		}},
		{"Grant_StoreReplyLost", "a grant whose redemption may have been stored must not be redeemed again", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			end := a.inject(StoreReplyLost)
			first := a.redeem(grant, Ada, order)
			end()
			if first == nil {
				a.problem("it is redeemed although the store has failed")
			}
			a.refused("the second time", grant, Ada, order)
		}},
		{"Grant_KeysReplaced", "a grant under keys that are no longer in use must be refused", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			a.inject(KeysReplaced)
			a.refused("old keys", grant, Ada, order)
		}},
		{"Grant_UserBlockedMeanwhile", "the grant of a user who was blocked must be refused", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			a.inject(AdaBlocked)
			a.refused("blocked", grant, Ada, order)
		}},
		{"Grant_SessionOfAnotherUser", "a session of another user must not lead to a grant", func(a *attacker) {
			order := a.payment()
			got := a.send(a.faceCall(Bob, a.session(Ada), string(Bob)).as(order))
			if got.passed() {
				a.problem("it is accepted: %.100s", got.body)
			}
		}},
		{"Grant_RetryGetsOneGrant", "an authentication and its retry must lead to one redemption", func(a *attacker) {
			order := a.payment()
			c := a.faceCall(Ada, a.session(Ada), string(Ada)).as(order)
			first, second := a.send(c), a.send(c)
			a.must(first.Grant != "", "no grant: %d", first.status)
			redeemed := 0
			for _, grant := range []string{first.Grant, second.Grant} {
				if grant != "" && a.redeem(grant, Ada, order) == nil {
					redeemed++
				}
			}
			if redeemed != 1 {
				a.problem("there are %d", redeemed)
			}
		}},
	}
}
