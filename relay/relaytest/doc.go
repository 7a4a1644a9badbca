// Package relaytest attacks a relay between an app and the AimBrain API, and reports
// what it lets through.
//
//	func TestRelay_WithstandsAttacks(t *testing.T) {
//		relaytest.Run(t, func(t testing.TB) relaytest.Target { … })
//	}
//
// The relay may be one of package relay, see [Relay], or one that is written by hand:
// a [Target] says how a request is authenticated, how an action is named and how a
// grant is redeemed. Each attack has a target of its own, in a bubble of
// testing/synctest: waiting takes no time, and a relay must use no network but the
// transport of the fake.
//
// # What a target must be
//
// The attacks assume one bank, with these rules:
//
//   - A face and a voice are accepted from a score of 0.5. A voice needs a liveliness
//     of 0.5 as well, and a token that was requested in the same session.
//   - An action with an Amount of [BothFrom] or more needs a face and a voice. Any
//     other needs one of them.
//   - A first enrolment is permitted, an enrolment of a user with a template is not.
//   - After 5 consecutive failures there is a delay of 30 seconds, which grows. After
//     10 the user is blocked.
//   - A grant is valid for 5 minutes at most, a session for 24 hours at most.
//   - Behaviour below a score of 0.5 asks for another module.
package relaytest
