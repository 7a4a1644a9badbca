package relaytest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/relaytest"
)

// naive returns a relay as it is written by hand: it passes everything on, returns what
// the API returns, believes the action in a header, and its grant is a hash.
func naive(t testing.TB) relaytest.Target {
	t.Helper()
	fake := aimbraintest.New(t)
	client := fake.Client()
	grant := func(who, action string) string {
		mac := hmac.New(sha256.New, []byte("a key"))
		_, _ = io.WriteString(mac, who+action)
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	text := func(a relay.Action) string { return a.Kind + a.Reference }
	return relaytest.Target{
		Fake: fake,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			response, err := client.Forward(r.Context(), r.URL.Path, body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			members := map[string]any{}
			_ = json.Unmarshal(response.Body, &members)
			if score, ok := members["score"].(float64); ok && score >= 0.5 {
				action := r.Header.Get("X-Action")
				if action == "" {
					action = text(relay.LogIn())
				}
				members["result"], members["grant"] = "accepted", grant(r.Header.Get("X-User"), action)
			}
			_ = json.NewEncoder(w).Encode(members)
		}),
		APIUserID:    func(who relaytest.Person) string { return "api-" + string(who) },
		Authenticate: func(r *http.Request, who relaytest.Person) { r.Header.Set("X-User", string(who)) },
		Name:         func(r *http.Request, _ relaytest.Person, a relay.Action) { r.Header.Set("X-Action", text(a)) },
		Redeem: func(_ context.Context, g string, who relaytest.Person, a relay.Action, _ string) error {
			if g != grant(string(who), text(a)) {
				return errors.New("no grant")
			}
			return nil
		},
	}
}

func TestAttack_FindsWhatANaiveRelayLetsThrough(t *testing.T) {
	t.Parallel()
	findings, _ := relaytest.Attack(t, naive)
	found := map[string]bool{}
	for _, f := range findings {
		found[f.Attack] = true
	}
	stopped := map[string]bool{}
	for _, name := range []string{ // by the API, by the client, or as the attack needs what the relay has not
		"Identity_NamedInHeaderAndQuery",
		"Session_FromTheFuture",
		"Session_KeysReplaced",
		"Session_StoreLost",
		"Session_UserBlocked",
		"Score_NotInHeaders",
		"Score_NotInTime",
		"Score_NoneForTheRejected",
		"Grant_AnotherKind",
		"Grant_AnotherReference",
		"Grant_LogInForAPayment",
		"Grant_PaymentForALogIn",
		"Grant_StolenByAnotherUser",
		"Grant_StolenFromItsBinding",
		"Grant_Altered",
		"Grant_SessionInItsPlace",
		"Grant_StoreLost",
		"Grant_RedeemedAndStoreLost",
		"Grant_StoreReplyLost",
		"Grant_KeysReplaced",
		"Grant_UserBlockedMeanwhile",
		"Grant_SessionOfAnotherUser",
		"Action_SwitchedBetweenRequests",
		"LockOut_OfAnotherUser",
		"LockOut_ByAnOutage",
		"StepUp_AnotherBinding",
		"Body_Huge",
		"Fault_StoreDown",
		"Fault_StoreDownAtRedemption",
		"Fault_StoreReplyLostAtAuthentication",
		"Fault_AuditDown",
		"Fault_AuditDownAtEnrolment",
		"Fault_AuditDownAtRedemption",
		"Fault_ScoreInvalid",
		"Fault_ScoreBesideAnError",
		"Fault_ResponseThatIsNotTheAPIs",
		"Fault_APIDown",
		"Fault_CredentialsRefused",
		"Origin_Preflight",
		"Origin_NotReadable",
	} {
		stopped[name] = true
	}
	for _, name := range relaytest.Names() {
		assert.Equal(t, !stopped[name], found[name], name)
	}
	assert.Greater(t, len(found), len(relaytest.Names())/2, "most attacks get through")
}
