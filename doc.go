// Package aimbrain is a client of the AimBrain v1 API: is this the person who
// was enrolled? By face, by voice, by how they touch and type.
//
//	client, err := aimbrain.New(apiKey, apiSecret, aimbrain.WithRegion(aimbrain.EUWest1))
//	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
//	result, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(selfie))
//	if err == nil && result.Matches(aimbrain.RecommendedThreshold) {
//		// let them in
//	}
//
// A user is enrolled once, by photos or recordings, and authenticated ever
// after, by new ones. Everything about a user goes through a [Session], which
// says what they are enrolled with and expires 2 hours after its last use.
//
// # Scores
//
// An authentication returns a score from 0 to 1. Matches compares it with a
// threshold, 0.5 to begin with ([RecommendedThreshold]). A response whose
// score is missing, null, out of range or in any way ambiguous is an error and
// never a number; on an error the result is its zero value, which matches
// nobody. Liveliness, the API's word, is how surely there was a living person:
// 0 for a photo, whoever holds it up.
//
// # Errors
//
// Every call may return
//
//   - [*APIError]: the API, or a gateway in front of it, responded with an error.
//     errors.Is finds the [ErrorKind], each [Code] and the [HTTPStatus] in it.
//   - [*NetworkError]: no response came.
//   - [*DecodeError], [*TooLargeError], [*RedirectError]: a response came that
//     cannot be relied on.
//   - [*RequestError]: an argument is invalid; nothing was sent.
//
// and [New] a [*ConfigError]. For each of them, wrapped or not, [ActionOf] returns
// what kind of step helps, [OutcomeOf] whether the request may have been
// processed, and [PromptOf] a sentence for the person in front of the camera.
// docs/errors.md maps them to the statuses of one's own server.
//
// # Retries
//
// A request that was not sent, or was refused by 429, is retried for every call.
// One that may have been processed is retried only where that does no harm: for
// scores and comparisons. An enrolment is never sent twice. See [RetryPolicy].
//
// # Secrets
//
// The key, the secret, signatures and media appear in no string, log, error or
// encoding that this package makes, and no redirect is ever followed.
//
// For tests there is a fake API in the package aimbraintest.
package aimbrain
