package relaytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// mentions reports whether a JSON text has a string anywhere, as a name or a value,
// also with escapes.
func mentions(body []byte, text string) bool {
	if strings.Contains(string(body), text) {
		return true
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return false
	}
	return strings.Contains(fmt.Sprint(value), text)
}

// identityAttacks are about whose session is created.
func identityAttacks() []attack {
	smuggle := func(format string) func(*attacker) {
		return func(a *attacker) {
			ada, bob := a.APIUserID(Ada), a.APIUserID(Bob)
			body := strings.NewReplacer("ADA", ada, "BOB", bob, "ESCAPED", fmt.Sprintf(`\u%04x%s`, bob[0], bob[1:])).Replace(format)
			a.send(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: body})
			for _, r := range a.Fake.RequestsTo(aimbrain.EndpointSessions) {
				if mentions(r.Body, bob) {
					a.problem("the API gets %s", r.Body)
				}
			}
		}
	}
	const rest = `"device":"iPhone","system":"iOS"`
	const holds = "the API must not get the ID of another user from an app"
	return []attack{
		{"Identity_UserIDOfAnother", holds, smuggle(`{"userId":"BOB",` + rest + `}`)},
		{"Identity_UserIDWithEscapedValue", holds, smuggle(`{"userId":"ESCAPED",` + rest + `}`)},
		{"Identity_DuplicateUserIDLast", holds, smuggle(`{"userId":"ADA",` + rest + `,"userId":"BOB"}`)},
		{"Identity_DuplicateUserIDFirst", holds, smuggle(`{"userId":"BOB",` + rest + `,"userId":"ADA"}`)},
		{"Identity_EscapedUserID", holds, smuggle(`{"userId":"ADA","user\u0049d":"BOB",` + rest + `}`)},
		{"Identity_EscapedUserIDAlone", holds, smuggle(`{"user\u0049d":"BOB",` + rest + `}`)},
		{"Identity_UserIDInOtherCase", holds, smuggle(`{"userId":"ADA","USERID":"BOB","userid":"BOB",` + rest + `}`)},
		{"Identity_UserIDUnderAnotherName", holds, smuggle(`{"userId":"ADA","user_id":"BOB","uid":"BOB",` + rest + `}`)},
		{"Identity_NestedUserID", holds, smuggle(`{"userId":{"userId":"BOB"},` + rest + `}`)},
		{"Identity_UserIDInNestedMetadata", holds, smuggle(`{"userId":"ADA","metadata":{"userId":"BOB"},` + rest + `}`)},
		{"Identity_SecondObject", holds, smuggle(`{"userId":"ADA",` + rest + `}{"userId":"BOB",` + rest + `}`)},
		{"Identity_Array", holds, smuggle(`[{"userId":"ADA",` + rest + `},{"userId":"BOB",` + rest + `}]`)},
		{"Identity_NamedInHeaderAndQuery", "a header or a query of the app must not name the user", func(a *attacker) {
			r := a.request(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))})
			r.URL.RawQuery = "userId=" + a.APIUserID(Bob)
			for _, name := range []string{"X-User-Id", "X-Forwarded-User", "X-Remote-User", "Remote-User"} {
				r.Header.Set(name, a.APIUserID(Bob))
			}
			a.do(r)
			for _, r := range a.Fake.RequestsTo(aimbrain.EndpointSessions) {
				if r.UserID() != a.APIUserID(Ada) {
					a.problem("the API gets the user %q", r.UserID())
				}
			}
		}},
		{"Identity_Nobody", "a request without a user must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			a.stops("a session", call{endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))})
			for _, c := range a.withSession(Ada, session) {
				c.who = ""
				a.stops(c.endpoint, c)
			}
		}},
	}
}

// sessionAttacks are about sessions that are not the user's, or no longer.
func sessionAttacks() []attack {
	stopAll := func(a *attacker, what, session string) {
		for _, c := range a.withSession(Ada, session) {
			a.stops(what+", "+c.endpoint, c)
		}
	}
	return []attack{
		{"Session_AnotherUsers", "the session of another user must be refused before the API is called", func(a *attacker) {
			stopAll(a, "Bob's session", a.session(Bob))
		}},
		{"Session_TheAPIsOwn", "a session that the relay has not sealed must be refused before the API is called", func(a *attacker) {
			session, err := a.Fake.Client().Sessions.Create(a.ctx, aimbrain.SessionRequest{UserID: a.APIUserID(Ada), Device: "d", System: "s"})
			a.must(err == nil, "%v", err)
			stopAll(a, "the API's session", session.ID)
		}},
		{"Session_IsNotTheAPIs", "an app must not learn the API's session", func(a *attacker) {
			got := a.send(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))})
			a.must(got.ok(), "no session: %d", got.status)
			a.send(call{who: Ada, endpoint: aimbrain.EndpointFaceToken, body: `{"session":"` + got.Session + `","tokentype":"auth"}`})
			for _, r := range a.Fake.RequestsTo(aimbrain.EndpointFaceToken) {
				if strings.Contains(got.body, r.Member("session")) {
					a.problem("the response has the API's session")
				}
			}
		}},
		{"Session_Altered", "an altered session must be refused before the API is called", func(a *attacker) {
			session := a.session(Ada)
			for _, at := range []int{0, len(session) / 4, len(session) / 2, len(session) - 2} {
				a.stops(fmt.Sprintf("character %d", at), a.faceCall(Ada, altered(session, at), string(Ada)))
			}
			for what, text := range map[string]string{
				"cut": session[:len(session)-4], "longer": session + "AAAA", "padded": session + "=", "empty": "",
				"with a line break": session[:4] + `\n` + session[4:], "endless": strings.Repeat("A", 100_000),
			} {
				a.stops(what, a.faceCall(Ada, text, string(Ada)))
			}
		}},
		{"Session_Expired", "a session of yesterday must be refused before the API is called", func(a *attacker) {
			session := a.session(Ada)
			pass(25 * time.Hour)
			stopAll(a, "25 hours later", session)
		}},
		{"Session_FromTheFuture", "a session that is sealed an hour ahead must be refused", func(a *attacker) {
			end := a.inject(ClockAhead)
			session := a.session(Ada)
			end()
			stopAll(a, "from the future", session)
		}},
		{"Session_GrantInItsPlace", "a grant must not serve as a session", func(a *attacker) {
			stopAll(a, "a grant", a.granted(a.session(Ada), a.payment()))
		}},
		{"Session_Duplicate", "a body with two sessions must not reach the API", func(a *attacker) {
			own, other := a.session(Ada), a.session(Bob)
			for _, name := range []string{"session", `\u0073ession`, `sess\u0069on`} {
				c := a.faceCall(Ada, own, string(Ada))
				c.body = strings.TrimSuffix(c.body, "}") + `,"` + name + `":"` + other + `"}`
				a.stops(name, c)
			}
		}},
		{"Session_InOtherCase", "a member that is no session by its exact name must not reach the API", func(a *attacker) {
			own, other := a.session(Ada), a.session(Bob)
			for _, name := range []string{"Session", "SESSION", "sessionId"} {
				c := a.faceCall(Ada, own, string(Ada))
				c.body = strings.TrimSuffix(c.body, "}") + `,"` + name + `":"` + other + `"}`
				a.stops(name, c)
			}
		}},
		{"Session_NotAString", "a session must be a string", func(a *attacker) {
			session := a.session(Ada)
			for _, value := range []string{`["` + session + `"]`, `{"session":"` + session + `"}`, "null", "1", "true"} {
				a.stops(value[:1], call{who: Ada, endpoint: aimbrain.EndpointFaceToken, body: `{"tokentype":"auth","session":` + value + `}`})
			}
		}},
		{"Session_LeftOut", "a request without a session must not reach the API", func(a *attacker) {
			a.session(Ada)
			a.stops("no session", call{who: Ada, endpoint: aimbrain.EndpointFaceToken, body: `{"tokentype":"auth"}`})
		}},
		{"Session_KeysReplaced", "a session under keys that are no longer in use must be refused", func(a *attacker) {
			session := a.session(Ada)
			a.inject(KeysReplaced)
			stopAll(a, "old keys", session)
		}},
		{"Session_StoreLost", "after the store was lost no session of before may authenticate", func(a *attacker) {
			session := a.session(Ada)
			a.inject(StoreLost)
			if a.face(Ada, session, string(Ada)).passed() {
				a.problem("it is accepted")
			}
		}},
		{"Session_UserBlocked", "a blocked user must not be accepted", func(a *attacker) {
			session := a.session(Ada)
			a.inject(AdaBlocked)
			a.stops("the old session", a.faceCall(Ada, session, string(Ada)))
			if got := a.send(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))}); got.Session != "" {
				a.stops("a new session", a.faceCall(Ada, got.Session, string(Ada)))
			}
		}},
	}
}

// actionAttacks are about apps that choose what is authorised.
func actionAttacks() []attack {
	const holds = "an app must not choose the action"
	return []attack{
		{"Action_OrderOfAnother", "the order of another user must be refused", func(a *attacker) {
			session, order := a.session(Ada), a.payment()
			r := a.request(a.faceCall(Ada, session, string(Ada)))
			a.Name(r, Bob, order)
			got := a.do(r)
			if got.passed() {
				a.problem("it is accepted: %.100s", got.body)
			}
		}},
		{"Action_ChangedInHeaders", holds, func(a *attacker) {
			session, order := a.session(Ada), a.payment()
			changed := order
			changed.Amount, changed.Payee = 99_99, "XX00"
			r := a.request(a.faceCall(Ada, session, string(Ada)).as(order))
			swap := strings.NewReplacer("1250", "9999", order.Payee, changed.Payee)
			for _, values := range r.Header {
				for i := range values {
					values[i] = swap.Replace(values[i])
				}
			}
			r.URL.RawQuery = swap.Replace(r.URL.RawQuery)
			a.refused("the headers have another amount and payee", a.do(r).Grant, Ada, changed)
		}},
		{"Action_NamedInBody", holds, func(a *attacker) {
			session, order := a.session(Ada), a.payment()
			changed := order
			changed.Amount = 99_99
			text, err := json.Marshal(changed)
			a.must(err == nil, "%v", err)
			c := a.faceCall(Ada, session, string(Ada)).as(order)
			c.body = strings.TrimSuffix(c.body, "}") + `,"action":` + string(text) + `,"amount":9999,"Amount":9999}`
			a.refused("the body has another amount", a.send(c).Grant, Ada, changed)
		}},
		{"Action_UnknownOrder", "an order that is not in the bank's records must be refused", func(a *attacker) {
			session := a.session(Ada)
			plain := a.request(a.faceCall(Ada, session, string(Ada)))
			r := a.request(a.faceCall(Ada, session, string(Ada)).as(a.payment()))
			for name, values := range r.Header {
				if plain.Header.Get(name) != values[0] {
					r.Header.Set(name, values[0]+"0")
				}
			}
			if got := a.do(r); got.passed() {
				a.problem("it is accepted: %.100s", got.body)
			}
		}},
		{"Action_SwitchedBetweenRequests", "the grant of one order must not execute another one that was named later", func(a *attacker) {
			session, first, second := a.session(Ada), a.payment(), a.payment()
			second.Amount = 99_99
			grant := a.granted(session, first)
			a.Name(httpRequest(a, session), Ada, second)
			a.refused("the second order", grant, Ada, second)
		}},
	}
}

// httpRequest returns a request of Ada's that is not sent.
func httpRequest(a *attacker, session string) *http.Request {
	return a.request(a.faceCall(Ada, session, string(Ada)))
}
