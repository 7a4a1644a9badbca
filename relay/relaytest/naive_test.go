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
	for _, name := range []string{
		"Identity_UserIDOfAnother", "Identity_Nobody", "Session_AnotherUsers", "Score_NotInBody", "Grant_Replayed",
		"Grant_AnotherAmount", "LockOut_Guesses", "Enrolment_Retry", "Media_SeveralFaces", "Token_LeftOut",
	} {
		assert.True(t, found[name], name)
	}
	assert.Greater(t, len(found), len(relaytest.Names())/2, "most attacks get through")
	t.Log(len(found), "of", len(relaytest.Names()))
}
