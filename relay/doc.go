// Package relay is the Server's part of the production picture: an [http.Handler]
// between an app and the AimBrain API. The app holds no secret. The relay sets the user,
// opens the session, signs and sends the request, decides by the score, locks the user
// out after failures, and keeps an audit trail. The app gets the result, never a score.
//
//	handler, err := relay.New(client,
//		relay.WithUser(user),     // whom the bank's log-in has authenticated
//		relay.WithAction(action), // from the bank's records
//		relay.WithPolicy(policy), relay.WithKeys(keys), relay.WithAudit(log))
//	mux.Handle("/biometrics/", http.StripPrefix("/biometrics", handler))
//
//	grant, err := handler.Redeem(ctx, token, user, action) // where the payment is executed
//	defer handler.Shutdown(ctx)
//
// # Who may use it
//
// It is for users who are authenticated by another element, such as a password or a
// device key: biometrics is one element, and the relay adds it. It is not for a log-in
// that begins with a name that is only claimed, see [WithUser].
//
// # A request
//
// Each request takes these steps: its origin, path and type; the user, the action and
// the binding, before the first byte of the body; the body, within a budget and limits
// of time, checked as strict JSON with known members; the decision about the user's
// record in the [Store], written before the API is called; the request to the API; the
// decision about its result; the audit record. The response is a JSON object, with
// status 200 for every result, also for a rejection.
//
// # The store
//
// A relay that runs alone needs no store of its own. Replicas share one, see [WithStore].
// While the store is down, nothing is let in. A store that has lost a record ends the
// user's sessions and grants. It also loses the count of failures: use one that does not
// lose what it has confirmed.
//
// docs/relay.md has the attacks and what stops each, the JSON for app developers, how to
// run replicas, and which rules the relay helps with.
package relay
