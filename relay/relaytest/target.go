package relaytest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
)

// A Person is a user of the bank.
type Person string

// The users. Ada and Bob are enrolled when an attack begins, Carol is not.
const (
	Ada   Person = "ada"
	Bob   Person = "bob"
	Carol Person = "carol"
)

// BothFrom is the amount in minor units from which an action needs a face and a voice.
const BothFrom = 1000_00

// A Target is a relay that is attacked, and the bank around it.
type Target struct {
	// Handler is the relay. Required.
	Handler http.Handler
	// Fake is the API behind it. The relay reaches it by Fake.Client or
	// Fake.Transport. Required.
	Fake *aimbraintest.Fake
	// APIUserID returns what the API knows a person by. Required.
	APIUserID func(Person) string
	// Authenticate makes a request one of a person by the bank's own means, such as
	// a cookie. It replaces what another call has set. Required.
	Authenticate func(*http.Request, Person)
	// Name records an action as a person's order in the bank, and names it in a
	// request as the app does. A request without a name authorises [relay.LogIn].
	// Required.
	Name func(*http.Request, Person, relay.Action)
	// Bind sets in a request what its grant is bound to. Attacks on the binding are
	// skipped if it is nil.
	Bind func(r *http.Request, binding string)
	// Redeem redeems a grant where the action is executed. The error is nil if the
	// action is executed. Required.
	Redeem func(ctx context.Context, grant string, who Person, action relay.Action, binding string) error
	// Path returns the path of an endpoint of the API. Nil means that they are equal.
	Path func(endpoint string) string
	// Read reads a response of the relay. The default is [ReadJSON].
	Read func(*http.Response) Response
	// Inject makes a fault begin, and returns what ends it, or nil if the target
	// cannot have that fault. Attacks that need it are then skipped.
	Inject func(Fault) (end func())
}

// A Fault is a fault of what a relay relies on.
type Fault int

// The faults.
const (
	StoreDown      Fault = iota + 1 // the store returns errors and writes nothing
	StoreReplyLost                  // the store writes and returns errors
	StoreLost                       // the store is empty; ending it has no effect
	AuditDown                       // no audit record can be written
	KeysReplaced                    // the keys of sessions and grants are others; ending it has no effect
	ClockAhead                      // the clock of the relay is an hour ahead
	AdaBlocked                      // the bank has blocked Ada; ending it has no effect
)

// A Decision is what a relay has decided about an authentication.
type Decision string

// The decisions. Any other text, such as the code of an error, is none of them.
const (
	Accepted Decision = "accepted"
	Rejected Decision = "rejected"
	StepUp   Decision = "step_up" // the other module is needed too
	Retake   Decision = "retake"  // another capture is needed
)

// A Response is what an app reads in a response of the relay. Members that it does not
// have are empty.
type Response struct {
	Decision Decision
	Grant    string
	Session  string
	Token    string
}

// ReadJSON reads a response in the form of package relay: a JSON object with the
// members "result", "grant", "session" and "token".
func ReadJSON(r *http.Response) Response {
	var members struct {
		Result                Decision `json:"result"`
		Grant, Session, Token string
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &members) != nil {
		return Response{}
	}
	return Response{Decision: members.Result, Grant: members.Grant, Session: members.Session, Token: members.Token}
}
