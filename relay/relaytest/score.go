package relaytest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// scored authenticates Ada for a log-in, and the API gives a score.
func (a *attacker) scored(session string, score float64) reply {
	a.Fake.Queue(aimbraintest.Score(score).On(aimbrain.EndpointFaceAuth))
	got := a.face(Ada, session, string(Ada))
	a.Fake.ClearQueue()
	return got
}

// headerText returns headers as text, in one order.
func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// leak returns what of a score a text has, "" for nothing.
func leak(text string, score float64) string {
	digits := strings.TrimPrefix(strconv.FormatFloat(score, 'f', -1, 64), "0.")
	for _, part := range []string{digits[:min(5, len(digits))], "score", "Score", "liveliness", "Liveliness"} {
		if strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

// scoreAttacks are about what an app learns of a score, which it could climb.
func scoreAttacks() []attack {
	const accepted, rejected = 0.873619, 0.273619
	return []attack{
		{"Score_NotInBody", "the body of a response must not have a score", func(a *attacker) {
			session := a.session(Ada)
			for _, score := range []float64{accepted, rejected} {
				if part := leak(a.scored(session, score).body, score); part != "" {
					a.problem("the body has %q", part)
				}
			}
		}},
		{"Score_NotInHeaders", "the headers of a response must not have a score", func(a *attacker) {
			session := a.session(Ada)
			for _, score := range []float64{accepted, rejected} {
				if part := leak(headerText(a.scored(session, score).header), score); part != "" {
					a.problem("the headers have %q", part)
				}
			}
		}},
		{"Score_NotInSize", "the size of a response must not depend on the score", func(a *attacker) {
			session := a.session(Ada)
			for _, scores := range [][]float64{{0.2, 0.4123456789}, {0.9, 0.8123456789}} {
				first, second := a.scored(session, scores[0]), a.scored(session, scores[1])
				if len(first.body) != len(second.body) || len(headerText(first.header)) != len(headerText(second.header)) {
					a.problem("it is %d and %d bytes for %v", len(first.body), len(second.body), scores)
				}
			}
		}},
		{"Score_NotInTime", "the time to a response must not depend on the score", func(a *attacker) {
			session := a.session(Ada)
			for _, scores := range [][]float64{{0.1, 0.49}, {0.6, 0.99}} {
				if first, second := a.scored(session, scores[0]), a.scored(session, scores[1]); first.took != second.took {
					a.problem("it is %v and %v for %v", first.took, second.took, scores)
				}
			}
		}},
		{"Score_RejectionsAreEqual", "rejections must not differ", func(a *attacker) {
			session := a.session(Ada)
			first, second := a.scored(session, 0.05), a.scored(session, 0.49)
			a.must(!first.passed() && !second.passed(), "a score below the threshold is accepted")
			if first.body != second.body || headerText(first.header) != headerText(second.header) || first.status != second.status {
				a.problem("%.100q and %.100q", first.body, second.body)
			}
		}},
		{"Score_RejectionHidesWhatFailed", "a rejection must not say whether the score or the liveliness failed", func(a *attacker) {
			session := a.session(Ada)
			var bodies []string
			for _, s := range [][2]float64{{0.9, 0.1}, {0.1, 0.9}, {0.1, 0.1}} {
				c := a.voiceCall(Ada, session, string(Ada))
				a.Fake.Queue(aimbraintest.Score(s[0]).WithLiveliness(s[1]).On(aimbrain.EndpointVoiceAuth))
				got := a.send(c)
				a.must(!got.passed(), "score %v with liveliness %v is accepted", s[0], s[1])
				bodies = append(bodies, got.body+headerText(got.header))
			}
			if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
				a.problem("the responses differ: %.100q and %.100q", bodies[0], bodies[1])
			}
		}},
		{"Score_NotInBehaviour", "the response to behaviour must not have a score", func(a *attacker) {
			session := a.session(Ada)
			for _, score := range []float64{accepted, rejected} {
				a.Fake.Queue(aimbraintest.Raw(200, "application/json", fmt.Sprintf(`{"score":%v,"status":1}`, score)).On(aimbrain.EndpointBehaviour))
				got := a.send(call{who: Ada, endpoint: aimbrain.EndpointBehaviour, body: `{"session":"` + session + `","touches":[]}`})
				if part := leak(got.body+headerText(got.header), score); part != "" {
					a.problem("it has %q", part)
				}
			}
		}},
		{"Score_NotFromItsEndpoints", "apps must not reach the endpoints that return scores", func(a *attacker) {
			session := a.session(Ada)
			a.stops("the scores", call{who: Ada, endpoint: aimbrain.EndpointScore, body: `{"session":"` + session + `"}`})
			faces := strings.TrimPrefix(mediaBody("", "faces1", a.photo("ada")), `{"session":"",`)
			faces = strings.TrimSuffix(faces, "}") + "," + strings.TrimPrefix(mediaBody("", "faces2", a.photo("ada")), `{"session":"",`)
			a.stops("a comparison", call{who: Ada, endpoint: aimbrain.EndpointFaceCompare, body: "{" + faces})
		}},
		{"Score_NotInUpstreamErrors", "a response must not have a text of the API", func(a *attacker) {
			session := a.session(Ada)
			for _, stub := range []aimbraintest.Stub{
				aimbraintest.Code(aimbrain.CodeBlurry).WithMessage("similarity 0.4736 below 0.5"),
				aimbraintest.Status(400).WithMessage("similarity 0.4736 below 0.5"),
				aimbraintest.Status(500).WithMessage("similarity 0.4736 below 0.5").WithHeader("X-Similarity", "0.4736"),
				aimbraintest.Raw(502, "text/html", "<p>similarity 0.4736"),
			} {
				a.Fake.Queue(stub.On(aimbrain.EndpointFaceAuth))
				if got := a.face(Ada, session, string(Ada)); strings.Contains(got.body+headerText(got.header), "similarity") || strings.Contains(got.body+headerText(got.header), "4736") {
					a.problem("%v: %.200s", stub, got.body)
				}
				a.Fake.ClearQueue()
			}
		}},
		{"Score_JustBelowTheThreshold", "a score just below the threshold must not be accepted", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.Raw(200, "application/json", `{"score":0.49999999999999999999,"liveliness":0.9}`).On(aimbrain.EndpointFaceAuth))
			if a.face(Ada, session, string(Ada)).passed() {
				a.problem("0.49999999999999999999 is accepted")
			}
		}},
		{"Score_NoneForTheRejected", "a rejected authentication must have no grant", func(a *attacker) {
			session := a.session(Ada)
			if got := a.face(Ada, session, "mallory"); got.passed() {
				a.problem("an impostor is accepted: %.100s", got.body)
			}
		}},
	}
}
