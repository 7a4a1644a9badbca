package relaytest

import (
	"strings"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// faultAttacks are about faults of what a relay relies on: they must let nobody in.
func faultAttacks() []attack {
	// upstream gives responses of the API that let nobody in.
	upstream := func(stubs ...aimbraintest.Stub) func(*attacker) {
		return func(a *attacker) {
			for _, stub := range stubs {
				session := a.session(Bob) // of Bob, who is not locked by the others
				a.Fake.Queue(stub.On(aimbrain.EndpointFaceAuth))
				got := a.face(Bob, session, string(Bob))
				a.Fake.ClearQueue()
				if got.passed() {
					a.problem("%v: it is accepted: %.100s", stub, got.body)
				}
				pass(48 * time.Hour)
			}
		}
	}
	raw := func(body string) aimbraintest.Stub { return aimbraintest.Raw(200, "application/json", body) }
	return []attack{
		{"Fault_StoreDown", "nobody must be let in while the store is down", func(a *attacker) {
			session := a.session(Ada)
			end := a.inject(StoreDown)
			a.stops("an authentication", a.faceCall(Ada, session, string(Ada)))
			a.stops("an enrolment", a.enrolCall(Ada, session, string(Ada)))
			end()
		}},
		{"Fault_StoreDownAtRedemption", "no grant must be redeemed while the store is down", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			end := a.inject(StoreDown)
			a.refused("the store is down", grant, Ada, order)
			end()
		}},
		{"Fault_StoreReplyLostAtAuthentication", "nothing must be sent if it is not certain that the store knows it", func(a *attacker) {
			session := a.session(Ada)
			end := a.inject(StoreReplyLost)
			a.stops("an authentication", a.faceCall(Ada, session, string(Ada)))
			end()
		}},
		{"Fault_AuditDown", "no grant must leave whose record is not durable", func(a *attacker) {
			session := a.session(Ada)
			end := a.inject(AuditDown)
			if got := a.face(Ada, session, string(Ada)); got.passed() || got.ok() {
				a.problem("the response is %d %.100s", got.status, got.body)
			}
			end()
		}},
		{"Fault_AuditDownAtEnrolment", "no enrolment must be sent whose intent is not durable", func(a *attacker) {
			session := a.session(Carol)
			end := a.inject(AuditDown)
			a.stops("an enrolment", a.enrolCall(Carol, session, string(Carol)))
			end()
		}},
		{"Fault_AuditDownAtRedemption", "no grant must be redeemed whose record is not durable", func(a *attacker) {
			order := a.payment()
			grant := a.granted(a.session(Ada), order)
			end := a.inject(AuditDown)
			a.refused("the audit log is down", grant, Ada, order)
			end()
			a.refused("it counts as redeemed", grant, Ada, order)
		}},
		{"Fault_ScoreInvalid", "a score that cannot be read must not be accepted", upstream(
			raw(`{"liveliness":0.9}`), raw(`{"score":null,"liveliness":0.9}`), raw(`{"score":"0.9","liveliness":0.9}`), raw(`{"score":1.1,"liveliness":0.9}`),
			raw(`{"score":1e999,"liveliness":0.9}`), raw(`{"score":0.1,"score":0.9,"liveliness":0.9}`), raw(`{"Score":0.9,"liveliness":0.9}`), raw(`{"score":true,"liveliness":0.9}`),
		)},
		{"Fault_ScoreBesideAnError", "a score beside an error must not be accepted", upstream(
			raw(`{"score":0.9,"liveliness":0.9,"error":"no"}`), raw(`{"score":0.9,"liveliness":0.9,"errors":[{"code":1}]}`),
			aimbraintest.Raw(500, "application/json", `{"score":0.9,"liveliness":0.9}`), aimbraintest.Raw(422, "application/json", `{"score":0.9,"liveliness":0.9}`),
		)},
		{"Fault_ResponseThatIsNotTheAPIs", "the page of a gateway must not be accepted", upstream(
			aimbraintest.Raw(200, "text/html", "<html>0.9</html>"), aimbraintest.Raw(204, "", ""), raw(""), raw("{}"), raw("[]"), raw("0.9"),
			aimbraintest.Raw(302, "", "").WithHeader("Location", "https://elsewhere.example/"), raw(`{"result":"accepted","grant":"`+strings.Repeat("A", 100)+`"}`),
		)},
		{"Fault_APIDown", "nobody must be let in while the API is down", upstream(
			aimbraintest.NotSent().Always(), aimbraintest.Status(500).Always(), aimbraintest.Status(503).Always(), aimbraintest.Reset().Always(), aimbraintest.Stall().Always(), aimbraintest.CutOff(), aimbraintest.LostResponse(),
		)},
		{"Fault_CredentialsRefused", "nobody must be let in when the API refuses the relay's own key, and the app must not learn of it", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.RemoveCredentials(a.Fake.APIKey())
			got := a.face(Ada, session, string(Ada))
			if got.passed() || strings.Contains(got.body, a.Fake.APIKey()) || strings.Contains(strings.ToLower(got.body), "signature") || got.status == 401 {
				a.problem("the response is %d %.200s", got.status, got.body)
			}
		}},
	}
}
