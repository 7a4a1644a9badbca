package relaytest

import (
	"context"
	"sync"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// The limits of failures, see the package's documentation.
const (
	freeGuesses = 5
	allGuesses  = 10
)

// guesses returns how many authentications have reached the API.
func (a *attacker) guesses() int {
	return a.count(aimbrain.EndpointFaceAuth) + a.count(aimbrain.EndpointVoiceAuth)
}

// limit reports more guesses than a number.
func (a *attacker) limit(n int) {
	if got := a.guesses(); got > n {
		a.problem("%d guesses reach the API, where %d may", got, n)
	}
}

// lockOutAttacks are about guessing.
func lockOutAttacks() []attack {
	const holds = "after 5 failures there must be a delay"
	return []attack{
		{"LockOut_Guesses", holds, func(a *attacker) {
			session := a.session(Ada)
			for range 20 {
				a.face(Ada, session, "mallory")
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_GuessesInParallel", "guesses in parallel must not pass the lock-out", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.Score(0.1).After(time.Second).Always())
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() { a.face(Ada, session, "mallory") })
			}
			group.Wait()
			a.limit(freeGuesses)
		}},
		{"LockOut_OverModules", "failures of face and voice must count together", func(a *attacker) {
			session := a.session(Ada)
			for range freeGuesses {
				a.face(Ada, session, "mallory")
				a.send(a.voiceCall(Ada, session, "mallory"))
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_OverSessions", "a new session must not reset the count", func(a *attacker) {
			for range 2 * freeGuesses {
				a.face(Ada, a.session(Ada), "mallory")
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_OverActions", "another action must not reset the count", func(a *attacker) {
			session := a.session(Ada)
			for range 2 * freeGuesses {
				a.send(a.faceCall(Ada, session, "mallory").as(a.payment()))
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_OverDays", "after 10 failures the user must be blocked, with any wait between them", func(a *attacker) {
			for range 2 * allGuesses {
				got := a.send(call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))})
				if got.Session == "" {
					break
				}
				a.face(Ada, got.Session, "mallory")
				pass(26 * time.Hour)
			}
			a.limit(allGuesses)
		}},
		{"LockOut_StepUpAsReset", "a step-up must not reset the count of failures", func(a *attacker) {
			session := a.session(Ada)
			guesses := 0
			for range 4 {
				for range freeGuesses - 1 {
					before := a.guesses()
					a.face(Ada, session, "mallory")
					guesses += a.guesses() - before
				}
				a.send(a.faceCall(Ada, session, string(Ada)).as(a.large()))
			}
			if guesses > freeGuesses {
				a.problem("%d guesses reach the API, where %d may", guesses, freeGuesses)
			}
		}},
		{"LockOut_StepUpsThatAreNotCompleted", "a step-up that is not completed must count as a failure", func(a *attacker) {
			session := a.session(Ada)
			for range 3 * freeGuesses {
				a.send(a.faceCall(Ada, session, string(Ada)).as(a.large()))
			}
			a.limit(freeGuesses + 1)
		}},
		{"LockOut_BehaviourAsReset", "behaviour must not reset the count of failures", func(a *attacker) {
			session := a.session(Ada)
			for range 4 {
				for range freeGuesses - 1 {
					a.face(Ada, session, "mallory")
				}
				a.Fake.Queue(aimbraintest.Raw(200, "application/json", `{"score":0.99,"status":1}`).On(aimbrain.EndpointBehaviour))
				a.send(call{who: Ada, endpoint: aimbrain.EndpointBehaviour, body: `{"session":"` + session + `","touches":[]}`})
				a.Fake.ClearQueue()
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_HangUps", "a guess whose response nobody waits for must count", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.Score(0.1).After(time.Second).Always())
			for range 3 * freeGuesses {
				r := a.request(a.faceCall(Ada, session, "mallory"))
				ctx, cancel := context.WithCancel(a.ctx)
				stop := time.AfterFunc(time.Second/10, cancel)
				a.do(r.WithContext(ctx))
				stop.Stop()
				cancel()
			}
			pass(10 * time.Second)
			a.limit(freeGuesses)
		}},
		{"LockOut_LostResponses", "a guess whose outcome is unknown must count for the delay", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceAuth).Always())
			for range 3 * freeGuesses {
				a.face(Ada, session, "mallory")
			}
			a.limit(freeGuesses)
		}},
		{"LockOut_Retakes", "captures that cannot be processed must be limited", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.Code(aimbrain.CodeBlurry).On(aimbrain.EndpointFaceAuth).Always())
			for range 3 * allGuesses {
				a.face(Ada, session, "mallory")
			}
			a.limit(allGuesses)
		}},
		{"LockOut_OfAnotherUser", "the failures of a user must not lock out another one", func(a *attacker) {
			session, bob := a.session(Ada), a.session(Bob)
			for range 2 * freeGuesses {
				a.face(Ada, session, "mallory")
			}
			if got := a.face(Bob, bob, string(Bob)); !got.passed() {
				a.problem("Bob gets %d %.100s", got.status, got.body)
			}
		}},
		{"LockOut_ByAnOutage", "requests that were not sent must not lock a user out", func(a *attacker) {
			session := a.session(Ada)
			a.Fake.Queue(aimbraintest.NotSent().Always())
			for range 2 * allGuesses {
				a.face(Ada, session, string(Ada))
			}
			a.Fake.ClearQueue()
			pass(2 * time.Minute)
			if got := a.face(Ada, session, string(Ada)); !got.passed() {
				a.problem("Ada gets %d %.100s", got.status, got.body)
			}
		}},
	}
}

// stepUpAttacks are about actions that need a face and a voice.
func stepUpAttacks() []attack {
	// first passes with a face for a large action.
	first := func(a *attacker) (session string, c call) {
		session = a.session(Ada)
		c = a.faceCall(Ada, session, string(Ada)).as(a.large())
		got := a.send(c)
		a.must(got.ok(), "the first module: %d %.100s", got.status, got.body)
		if got.passed() {
			a.problem("one module is enough")
			panic(ended{})
		}
		return session, c
	}
	denied := func(a *attacker, got reply) {
		if got.passed() {
			a.problem("it is accepted: %.100s", got.body)
		}
	}
	return []attack{
		{"StepUp_OneModuleTwice", "two faces must not stand for a face and a voice", func(a *attacker) {
			session, c := first(a)
			denied(a, a.send(a.faceCall(Ada, session, string(Ada)).as(*c.action)))
			denied(a, a.send(c))
		}},
		{"StepUp_AnotherAction", "a step-up must be for one action", func(a *attacker) {
			session, _ := first(a)
			denied(a, a.send(a.voiceCall(Ada, session, string(Ada)).as(a.large())))
		}},
		{"StepUp_AnotherSession", "a step-up must be in one session", func(a *attacker) {
			_, c := first(a)
			denied(a, a.send(a.voiceCall(Ada, a.session(Ada), string(Ada)).as(*c.action)))
		}},
		{"StepUp_AnotherBinding", "a step-up must be with one binding", func(a *attacker) {
			if a.Bind == nil {
				a.skipped = true
				return
			}
			session, c := first(a)
			voice := a.voiceCall(Ada, session, string(Ada)).as(*c.action)
			voice.binding = "device of mallory"
			denied(a, a.send(voice))
		}},
		{"StepUp_AnotherUser", "a step-up must be of one user", func(a *attacker) {
			_, c := first(a)
			denied(a, a.send(a.voiceCall(Bob, a.session(Bob), string(Bob)).as(*c.action)))
		}},
		{"StepUp_Late", "a step-up must end after a few minutes", func(a *attacker) {
			session, c := first(a)
			pass(5 * time.Minute)
			denied(a, a.send(a.voiceCall(Ada, session, string(Ada)).as(*c.action)))
		}},
		{"StepUp_ImpostorsVoice", "the second module must be that of the user", func(a *attacker) {
			session, c := first(a)
			denied(a, a.send(a.voiceCall(Ada, session, "mallory").as(*c.action)))
			denied(a, a.send(a.voiceCall(Ada, session, string(Ada)).as(*c.action))) // the face served one attempt
		}},
		{"StepUp_ServesTwice", "a step-up must serve once", func(a *attacker) {
			session, c := first(a)
			got := a.send(a.voiceCall(Ada, session, string(Ada)).as(*c.action))
			a.must(got.Decision == Accepted && a.redeem(got.Grant, Ada, *c.action) == nil, "face and voice are not accepted: %d %.100s", got.status, got.body)
			denied(a, a.send(a.voiceCall(Ada, session, string(Ada)).as(*c.action)))
		}},
	}
}
