package relaytest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
)

// An attacker attacks one target.
type attacker struct {
	Target

	ctx context.Context

	mu       sync.Mutex
	problems []string
	skipped  bool
	photos   int // how many were made: each is another one
	orders   int
}

// maxProblems is how many problems of an attack are reported.
const maxProblems = 5

func newAttacker(t testing.TB, target Target) *attacker {
	t.Helper()
	if target.Handler == nil || target.Fake == nil || target.APIUserID == nil || target.Authenticate == nil || target.Name == nil || target.Redeem == nil {
		t.Fatal("relaytest: a required field of the Target is missing")
	}
	if target.Path == nil {
		target.Path = func(endpoint string) string { return endpoint }
	}
	if target.Read == nil {
		target.Read = ReadJSON
	}
	for _, who := range []Person{Ada, Bob} {
		target.Fake.Enroll(target.APIUserID(who), string(who))
	}
	return &attacker{Target: target, ctx: t.Context()}
}

// ended is the panic of an attack that cannot go on.
type ended struct{}

// run runs an attack to its end.
func (a *attacker) run(attack func(*attacker)) {
	defer a.Fake.ClearQueue() // a relay that is attacked need not use all stubs
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(ended); !ok {
				panic(v)
			}
		}
	}()
	attack(a)
}

// problem reports what must not be.
func (a *attacker) problem(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.problems) < maxProblems {
		a.problems = append(a.problems, fmt.Sprintf(format, args...))
	}
}

// must ends an attack whose preparation has failed: that is a problem as well.
func (a *attacker) must(ok bool, format string, args ...any) {
	if !ok {
		a.problem("the preparation failed: "+format, args...)
		panic(ended{})
	}
}

// inject makes a fault begin, or skips the attack.
func (a *attacker) inject(f Fault) (end func()) {
	if a.Inject != nil {
		end = a.Inject(f)
	}
	if end == nil {
		a.skipped = true
		panic(ended{})
	}
	return end
}

// A call is a request of an app.
type call struct {
	who      Person // "" for nobody
	endpoint string
	body     string
	reader   io.Reader // in place of body
	action   *relay.Action
	binding  string // the default is that of the person
	edit     func(*http.Request)
}

// A reply is a response of the relay.
type reply struct {
	Response

	status int
	header http.Header
	body   string
	took   time.Duration
}

// ok reports whether the relay has processed a request.
func (r reply) ok() bool { return r.status/100 == 2 }

// passed reports whether a person would be let in.
func (r reply) passed() bool { return r.Decision == Accepted || r.Grant != "" }

func bindingOf(who Person) string { return "device of " + string(who) }

// request returns the request of a call.
func (a *attacker) request(c call) *http.Request {
	var body io.Reader = strings.NewReader(c.body)
	if c.reader != nil {
		body = c.reader
	}
	r := httptest.NewRequestWithContext(a.ctx, http.MethodPost, a.Path(c.endpoint), body)
	r.Header.Set("Content-Type", "application/json")
	if c.who != "" {
		a.Authenticate(r, c.who)
		if c.binding == "" {
			c.binding = bindingOf(c.who)
		}
		if a.Bind != nil {
			a.Bind(r, c.binding)
		}
		if c.action != nil {
			a.Name(r, c.who, *c.action)
		}
	}
	if c.edit != nil {
		c.edit(r)
	}
	return r
}

// send sends a call.
func (a *attacker) send(c call) reply { return a.do(a.request(c)) }

// do sends a request. A handler that panics has no response, as with a server.
func (a *attacker) do(r *http.Request) (got reply) {
	began := time.Now()
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler { //nolint:errorlint // the value of a panic
				a.problem("the handler panicked: %v", v)
			}
			got = reply{took: time.Since(began)}
		}
	}()
	a.Handler.ServeHTTP(w, r)
	result := w.Result()
	defer result.Body.Close()
	body := w.Body.Bytes()
	result.Body = io.NopCloser(bytes.NewReader(body))
	return reply{Response: a.Read(result), status: result.StatusCode, header: result.Header, body: string(body), took: time.Since(began)}
}

// sessionBody is the body of a request for a session.
func sessionBody(userID string) string {
	return `{"userId":"` + userID + `","device":"iPhone","system":"iOS","screenWidth":320,"screenHeight":568}`
}

// session returns a session of a person.
func (a *attacker) session(who Person) string {
	got := a.send(call{who: who, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(who))})
	a.must(got.ok() && got.Session != "", "no session: %d %.200s", got.status, got.body)
	return got.Session
}

// photo returns a photo that was not used before.
func (a *attacker) photo(subject string) []byte {
	a.mu.Lock()
	a.photos++
	n := a.photos
	a.mu.Unlock()
	return aimbraintest.FacePhoto(subject, aimbraintest.Variant(n))
}

// recording returns a recording that was not used before.
func (a *attacker) recording(subject, token string) []byte {
	a.mu.Lock()
	a.photos++
	n := a.photos
	a.mu.Unlock()
	return aimbraintest.VoiceWAV(subject, aimbraintest.Variant(n), aimbraintest.Saying(token))
}

// mediaBody is the body of a request with media.
func mediaBody(session, member string, media ...[]byte) string {
	var texts []string
	for _, m := range media {
		texts = append(texts, `"`+base64.StdEncoding.EncodeToString(m)+`"`)
	}
	return `{"session":"` + session + `","` + member + `":[` + strings.Join(texts, ",") + `]}`
}

// faceCall is an authentication by a photo of a subject.
func (a *attacker) faceCall(who Person, session, subject string) call {
	return call{who: who, endpoint: aimbrain.EndpointFaceAuth, body: mediaBody(session, "faces", a.photo(subject))}
}

// face authenticates a person by a photo of a subject.
func (a *attacker) face(who Person, session, subject string) reply {
	return a.send(a.faceCall(who, session, subject))
}

// token returns a token for an authentication.
func (a *attacker) token(who Person, session, endpoint string) string {
	got := a.send(call{who: who, endpoint: endpoint, body: `{"session":"` + session + `","tokentype":"auth"}`})
	a.must(got.ok() && got.Token != "", "no token: %d %.200s", got.status, got.body)
	return got.Token
}

// voiceCall is an authentication by a recording of a subject, who says a fresh token.
func (a *attacker) voiceCall(who Person, session, subject string) call {
	token := a.token(who, session, aimbrain.EndpointVoiceToken)
	return call{who: who, endpoint: aimbrain.EndpointVoiceAuth, body: mediaBody(session, "voices", a.recording(subject, token))}
}

// as returns a call that authorises an action.
func (c call) as(action relay.Action) call {
	c.action = &action
	return c
}

// enrolCall is an enrolment by a photo of a subject.
func (a *attacker) enrolCall(who Person, session, subject string) call {
	return call{who: who, endpoint: aimbrain.EndpointFaceEnroll, body: mediaBody(session, "faces", a.photo(subject))}
}

// payment returns an action that needs one module.
func (a *attacker) payment() relay.Action {
	a.orders++
	return relay.Action{Kind: "payment", Reference: fmt.Sprintf("order-%d", a.orders), Amount: 12_50, Currency: "EUR", Payee: "DE89370400440532013000"}
}

// large returns an action that needs both modules.
func (a *attacker) large() relay.Action {
	action := a.payment()
	action.Amount = BothFrom
	return action
}

// granted returns a grant of Ada's for an action.
func (a *attacker) granted(session string, action relay.Action) string {
	got := a.send(a.faceCall(Ada, session, string(Ada)).as(action))
	a.must(got.Decision == Accepted && got.Grant != "", "a valid authentication has no grant: %d %.200s", got.status, got.body)
	return got.Grant
}

// redeem redeems a grant of a person.
func (a *attacker) redeem(grant string, who Person, action relay.Action) error {
	return a.Redeem(a.ctx, grant, who, action, bindingOf(who))
}

// refused reports a grant that is redeemed.
func (a *attacker) refused(what, grant string, who Person, action relay.Action) {
	if a.redeem(grant, who, action) == nil {
		a.problem("%s: the grant is redeemed", what)
	}
}

// count returns how many requests to an endpoint have reached the API.
func (a *attacker) count(endpoint string) int { return len(a.Fake.RequestsTo(endpoint)) }

// stops sends a call and reports if it is processed or reaches the API.
func (a *attacker) stops(what string, c call) { a.stopsRequest(what, c.endpoint, a.request(c)) }

// stopsRequest is stops for a request.
func (a *attacker) stopsRequest(what, endpoint string, r *http.Request) {
	before := a.count(endpoint)
	got := a.do(r)
	if after := a.count(endpoint); after != before {
		a.problem("%s: the request reaches the API", what)
	}
	if got.ok() || got.passed() || got.status/100 == 3 {
		a.problem("%s: the response is %d %.100s", what, got.status, got.body)
	}
}

// altered returns a token with another character. The two differ also for who ignores
// case.
func altered(token string, at int) string {
	replacement := "A"
	if token[at] == 'A' || token[at] == 'a' {
		replacement = "B"
	}
	return token[:at] + replacement + token[at+1:]
}

// pass waits in the bubble's time.
func pass(d time.Duration) { <-time.After(d) }

// withSession returns requests to all endpoints that need a session.
func (a *attacker) withSession(who Person, session string) []call {
	token := `{"session":"` + session + `","tokentype":"auth"}`
	behaviour := `{"session":"` + session + `","touches":[]}`
	return []call{
		{who: who, endpoint: aimbrain.EndpointFaceToken, body: token},
		{who: who, endpoint: aimbrain.EndpointVoiceToken, body: token},
		a.faceCall(who, session, string(who)),
		a.enrolCall(who, session, string(who)),
		{who: who, endpoint: aimbrain.EndpointVoiceAuth, body: mediaBody(session, "voices", a.recording(string(who), "token"))},
		{who: who, endpoint: aimbrain.EndpointBehaviour, body: behaviour},
		{who: who, endpoint: aimbrain.EndpointBehaviourSubmit, body: behaviour},
	}
}
