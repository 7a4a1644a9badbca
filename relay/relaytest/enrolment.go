package relaytest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// enrolmentAttacks are about templates: processed once, and by permission.
func enrolmentAttacks() []attack {
	once := func(a *attacker) {
		if n := a.Fake.Processed(aimbrain.EndpointFaceEnroll); n != 1 {
			a.problem("it is processed %d times", n)
		}
	}
	const holds = "an enrolment and its retries must be processed once"
	return []attack{
		{"Enrolment_Retry", holds, func(a *attacker) {
			c := a.enrolCall(Carol, a.session(Carol), string(Carol))
			got := a.send(c)
			a.must(got.ok(), "a first enrolment: %d %.100s", got.status, got.body)
			for range 3 {
				a.send(c)
			}
			pass(time.Hour)
			a.send(c)
			once(a)
		}},
		{"Enrolment_RetryInParallel", holds, func(a *attacker) {
			c := a.enrolCall(Carol, a.session(Carol), string(Carol))
			a.Fake.Queue(aimbraintest.Delay(2 * time.Second).On(aimbrain.EndpointFaceEnroll).Always())
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() { a.send(c) })
			}
			group.Wait()
			once(a)
		}},
		{"Enrolment_RetryAfterHangUp", holds, func(a *attacker) {
			c := a.enrolCall(Carol, a.session(Carol), string(Carol))
			a.Fake.Queue(aimbraintest.Delay(2 * time.Second).On(aimbrain.EndpointFaceEnroll))
			r := a.request(c)
			ctx, cancel := context.WithCancel(a.ctx)
			time.AfterFunc(time.Second, cancel)
			a.do(r.WithContext(ctx))
			cancel()
			a.send(c)
			once(a)
			if n := a.count(aimbrain.EndpointFaceEnroll); n != 1 {
				a.problem("%d requests reach the API", n)
			}
		}},
		{"Enrolment_RetryAfterLostResponse", holds, func(a *attacker) {
			c := a.enrolCall(Carol, a.session(Carol), string(Carol))
			a.Fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceEnroll))
			a.send(c)
			a.send(c)
			pass(time.Hour)
			a.send(c)
			once(a)
		}},
		{"Enrolment_VoiceRetryAfterLostResponse", holds, func(a *attacker) {
			session := a.session(Carol)
			c := call{who: Carol, endpoint: aimbrain.EndpointVoiceEnroll, body: mediaBody(session, "voices", a.recording(string(Carol), ""))}
			a.Fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointVoiceEnroll))
			a.send(c)
			a.send(c)
			if n := a.Fake.Processed(aimbrain.EndpointVoiceEnroll); n != 1 {
				a.problem("it is processed %d times", n)
			}
		}},
		{"Enrolment_OverATemplate", "an enrolment of a user with a template must be refused", func(a *attacker) {
			a.stops("another face", a.enrolCall(Ada, a.session(Ada), "mallory"))
		}},
		{"Enrolment_WithTheSessionOfAnother", "an enrolment must be in the user's own session", func(a *attacker) {
			a.session(Carol)
			a.stops("Bob enrols for Carol", a.enrolCall(Bob, a.session(Carol), "mallory"))
		}},
		{"Enrolment_SixSamples", "an enrolment must have 5 samples at most", func(a *attacker) {
			session := a.session(Carol)
			for range 10 {
				a.send(a.enrolCall(Carol, session, string(Carol)))
			}
			if n := a.Fake.Processed(aimbrain.EndpointFaceEnroll); n > 5 || n == 0 {
				a.problem("%d are processed", n)
			}
		}},
		{"Enrolment_SixSamplesInOne", "an enrolment must have 5 samples at most", func(a *attacker) {
			session := a.session(Carol)
			var photos [][]byte
			for range 6 {
				photos = append(photos, a.photo(string(Carol)))
			}
			a.stops("six photos", call{who: Carol, endpoint: aimbrain.EndpointFaceEnroll, body: mediaBody(session, "faces", photos...)})
		}},
		{"Enrolment_Late", "an enrolment must not stay open", func(a *attacker) {
			session := a.session(Carol)
			got := a.send(a.enrolCall(Carol, session, string(Carol)))
			a.must(got.ok(), "a first enrolment: %d %.100s", got.status, got.body)
			pass(time.Hour)
			a.stops("an hour later", a.enrolCall(Carol, session, "mallory"))
		}},
	}
}

// mediaAttacks are about captures.
func mediaAttacks() []attack {
	several := func(endpoint, member string, capture func(*attacker, string) []byte) func(*attacker) {
		return func(a *attacker) {
			session := a.session(Ada)
			if member == "voices" {
				a.token(Ada, session, aimbrain.EndpointVoiceToken)
			}
			a.stops("two", call{who: Ada, endpoint: endpoint, body: mediaBody(session, member, capture(a, "ada"), capture(a, "mallory"))})
			a.stops("none", call{who: Ada, endpoint: endpoint, body: mediaBody(session, member)})
		}
	}
	// reused shows a capture that was accepted once more.
	reused := func(change func(body string) string) func(*attacker) {
		return func(a *attacker) {
			session, order := a.session(Ada), a.payment()
			c := a.faceCall(Ada, session, string(Ada))
			got := a.send(c.as(a.payment()))
			a.must(got.Decision == Accepted, "a photo is not accepted: %d %.100s", got.status, got.body)
			c.body = change(c.body)
			if got := a.send(c.as(order)); got.passed() {
				a.problem("it is accepted: %.100s", got.body)
			}
		}
	}
	const once = "a capture that was accepted must not be accepted for another action"
	return []attack{
		{"Media_SeveralFaces", "an authentication must have one photo", several(aimbrain.EndpointFaceAuth, "faces", (*attacker).photo)},
		{"Media_SeveralVoices", "an authentication must have one recording", several(aimbrain.EndpointVoiceAuth, "voices", func(a *attacker, s string) []byte { return a.recording(s, "") })},
		{"Media_SecondFacesMember", "a body with two arrays of photos must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			for _, name := range []string{"faces", `fac\u0065s`, "Faces", "FACES"} {
				c := a.faceCall(Ada, session, "ada")
				_, photos, _ := strings.Cut(mediaBody("", "faces", a.photo("mallory")), `"faces":`)
				c.body = strings.TrimSuffix(c.body, "}") + `,"` + name + `":` + photos
				a.stops(name, c)
			}
		}},
		{"Media_CaptureUsedTwice", once, reused(func(body string) string { return body })},
		{"Media_CaptureUsedTwiceWithSpaces", once, reused(func(body string) string { return " " + strings.Replace(body, `"faces":`, `"faces" : `, 1) })},
		{"Media_CaptureUsedTwiceWithEscapes", once, reused(func(body string) string { return strings.Replace(body, `["/9j/`, `["\/9j\u002f`, 1) })},
		{"Media_CaptureUsedTwiceInAnotherSession", once, func(a *attacker) {
			photo := a.photo(string(Ada))
			for i, action := range []func() reply{
				func() reply {
					return a.send(call{who: Ada, endpoint: aimbrain.EndpointFaceAuth, body: mediaBody(a.session(Ada), "faces", photo)})
				},
				func() reply {
					return a.send(call{who: Ada, endpoint: aimbrain.EndpointFaceAuth, body: mediaBody(a.session(Ada), "faces", photo)})
				},
			} {
				if got := action(); got.passed() != (i == 0) {
					a.problem("time %d: %d %.100s", i+1, got.status, got.body)
				}
			}
		}},
		{"Media_RetryIsSentOnce", "the retry of an authentication must not reach the API", func(a *attacker) {
			c := a.faceCall(Ada, a.session(Ada), string(Ada))
			for range 3 {
				a.send(c)
			}
			a.limit(1)
		}},
		{"Media_NotBase64", "media that is not base64 must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			for _, media := range []string{`["%%%"]`, `["QUJD\nREVG"]`, `[1]`, `"QUJD"`, `[["QUJD"]]`, `[null]`, `[""]`, `{"0":"QUJD"}`} {
				a.stops(media, call{who: Ada, endpoint: aimbrain.EndpointFaceAuth, body: `{"session":"` + session + `","faces":` + media + `}`})
			}
		}},
	}
}

// tokenAttacks are about what a person was asked to say.
func tokenAttacks() []attack {
	spoken := func(a *attacker, session, token string) call {
		return call{who: Ada, endpoint: aimbrain.EndpointVoiceAuth, body: mediaBody(session, "voices", a.recording(string(Ada), token))}
	}
	const fresh = "a voice without a fresh token must be refused before the API is called"
	return []attack{
		{"Token_LeftOut", fresh, func(a *attacker) {
			a.stops("no token", spoken(a, a.session(Ada), "anything"))
		}},
		{"Token_UsedTwice", "a token must serve one authentication", func(a *attacker) {
			session := a.session(Ada)
			token := a.token(Ada, session, aimbrain.EndpointVoiceToken)
			got := a.send(spoken(a, session, token))
			a.must(got.passed(), "a voice with a token is not accepted: %d %.100s", got.status, got.body)
			a.stops("the second time", spoken(a, session, token))
		}},
		{"Token_UsedTwiceInParallel", "a token must serve one authentication", func(a *attacker) {
			session := a.session(Ada)
			token := a.token(Ada, session, aimbrain.EndpointVoiceToken)
			var calls []call
			for range 4 {
				calls = append(calls, spoken(a, session, token))
			}
			a.Fake.Queue(aimbraintest.Delay(time.Second).On(aimbrain.EndpointVoiceAuth).Always())
			var group sync.WaitGroup
			for _, c := range calls {
				group.Go(func() { a.send(c) })
			}
			group.Wait()
			a.limit(1)
		}},
		{"Token_OfAnotherSession", fresh, func(a *attacker) {
			token := a.token(Ada, a.session(Ada), aimbrain.EndpointVoiceToken)
			a.stops("another session", spoken(a, a.session(Ada), token))
		}},
		{"Token_OfAnotherUser", fresh, func(a *attacker) {
			token := a.token(Bob, a.session(Bob), aimbrain.EndpointVoiceToken)
			a.stops("Bob's token", spoken(a, a.session(Ada), token))
		}},
		{"Token_OfAnotherModule", fresh, func(a *attacker) {
			session := a.session(Ada)
			a.stops("a face token", spoken(a, session, a.token(Ada, session, aimbrain.EndpointFaceToken)))
		}},
		{"Token_ForAnEnrolment", fresh, func(a *attacker) {
			session := a.session(Ada)
			got := a.send(call{who: Ada, endpoint: aimbrain.EndpointVoiceToken, body: `{"session":"` + session + `","tokentype":"enroll-1"}`})
			a.must(got.ok(), "no token: %d %.100s", got.status, got.body)
			a.stops("an enrolment's token", spoken(a, session, got.Token))
		}},
		{"Token_Late", fresh, func(a *attacker) {
			session := a.session(Ada)
			token := a.token(Ada, session, aimbrain.EndpointVoiceToken)
			pass(6 * time.Minute)
			a.stops("6 minutes later", spoken(a, session, token))
		}},
		{"Token_NotSaid", "a recording without the token must not be accepted", func(a *attacker) {
			session := a.session(Ada)
			a.token(Ada, session, aimbrain.EndpointVoiceToken)
			if got := a.send(spoken(a, session, "an old recording")); got.passed() {
				a.problem("it is accepted: %.100s", got.body)
			}
		}},
		{"Token_TypeInvalid", "a token type must be a short word", func(a *attacker) {
			session := a.session(Ada)
			for _, value := range []string{`["auth"]`, `{"a":1}`, `""`, `"AUTH\u0000"`, fmt.Sprintf("%q", strings.Repeat("a", 5000))} {
				a.stops(value[:2], call{who: Ada, endpoint: aimbrain.EndpointVoiceToken, body: `{"session":"` + session + `","tokentype":` + value + `}`})
			}
		}},
	}
}
