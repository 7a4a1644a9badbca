// Package aimbrain is a client of the AimBrain v1 API, which compares the face, the
// voice or the behaviour of a person with those that the person was enrolled with.
//
//	client, err := aimbrain.New(apiKey, apiSecret, aimbrain.WithRegion(aimbrain.EUWest1))
//	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
//	result, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(selfie))
//	if err == nil && result.Matches(aimbrain.RecommendedThreshold) {
//		// let them in
//	}
//
// A user is enrolled with photos or recordings, and is then authenticated with new
// ones. All calls for a user refer to a [Session], which reports what the user is
// enrolled with and expires 2 hours after its last use.
//
// # Scores
//
// An authentication returns a score from 0 to 1. Matches compares it with a
// threshold, 0.5 to begin with ([RecommendedThreshold]). A response whose
// score is missing, null, out of range or in any way ambiguous is an error and
// never a number. On an error the result is its zero value, for which Matches is
// false. Liveliness, the API's word for liveness, is the likelihood of a living
// person in front of the camera. It is 0 for a photo.
//
// # Errors
//
// Every call may return
//
//   - [*APIError]: the API, or a gateway in front of it, responded with an error.
//     errors.Is finds the [ErrorKind], each [Code] and the [HTTPStatus] in it.
//   - [*NetworkError]: there was no response.
//   - [*DecodeError], [*TooLargeError], [*RedirectError]: the response is invalid.
//   - [*RequestError]: an argument is invalid; nothing was sent.
//
// and [New] a [*ConfigError]. For each of them, also wrapped, [ActionOf] returns
// what to do, [OutcomeOf] whether the request may have been processed, and
// [PromptOf] a sentence for the person in front of the camera. docs/errors.md maps
// errors to the statuses of your own server.
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
