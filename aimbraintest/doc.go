// Package aimbraintest is a fake AimBrain API. It is for tests of programs that
// use package aimbrain, for tests of that package, and for a sandbox without
// credentials.
//
//	fake := aimbraintest.New(t)         // closes itself; no listener needed
//	fake.Queue(aimbraintest.Score(0.31)) // the next authentication is an impostor
//	client := fake.Client()             // an *aimbrain.Client, ready to use
//
// The fake refuses what the API refuses. It checks signatures, and its error says
// which common mistake explains a wrong one. It reads JSON strictly, and it reads
// photos, videos and recordings down to their data. It keeps users, sessions and
// tokens, which expire by its clock: see [WithClock] and [Fake.Advance].
// Errors have the API's form, statuses and codes, and their texts say what to
// change.
//
// # How to reach a fake
//
// A [Fake] is an [net/http.Handler], for any mux. It serves the endpoints at their
// own paths, or behind the prefix that [WithPathPrefix] names.
// [Fake.Transport] reaches it from inside the process, for every host; it also
// works in testing/synctest bubbles, where waiting takes no time.
// [Fake.URL] opens a port on loopback. Responses allow every origin, so that web
// pages can call the fake.
//
// The header of a request may be 64 KiB; a larger one is refused with status 431.
// A request must arrive within a minute, or the connection is closed. A fake that
// is mounted in another server has the limits of that server.
//
// # Scores and subjects
//
// Scores are simulated, and responses with a score have the header
// X-Aimbraintest-Score. The scores are the same on every run. The same person scores
// 0.80 to 0.99, another 0.01 to 0.20. Several files in a request give the mean
// of each, and a comparison gives the mean of all pairs. [Fake.AssignSubject]
// decides who is on a file. Otherwise a file of [FacePhoto], [FaceVideo],
// [VoiceWAV] or [VoiceCAF] has a marker of its subject. Any other file matches
// only itself. An enrolment belongs to the first known subject of its files.
//
// Liveliness is 0 for a photo, and for a recording where no token was requested
// (see [WithTokenlessVoice]). For a video it is 0.85 to 0.99 until a face token of
// the type "auth" is requested. After that, as for a recording, it is 0.85 to 0.99
// only if the file has that token in it ([Saying]), and 0.05 to 0.20 otherwise. A
// file that this package did not make counts as having the token. A face token
// that has expired has no effect.
//
// [Behaviour] makes events that the fake recognises later on the same device:
// behaviour belongs to a user and a device, a face and a voice to a user. The
// vendor's web client sends requests without events while nobody moves. Such a
// request neither counts towards the template nor is it compared. Its response has
// the session's last behaviour score, or 0, and the unchanged status. A [Stub]
// makes an impostor, a refusal or a broken connection, see [Fake.Queue].
//
// # Accepted media
//
// The vendor documents a JPEG for a photo, H.264 for a video, linear PCM at 16 kHz
// for a recording, and 500 kB a file. The vendor's own clients also send QuickTime
// files with H.264 (iOS), WebM with VP8 or VP9 (web), and WAV and CAF at other
// rates. The fake accepts all of these. It also accepts
// floating point samples in WAV and CAF, which are neither documented nor
// observed. [WithGuidanceEnforced] makes it refuse what is not documented. It
// refuses any other format or encoding and names it: with code 20 for pictures and
// video, and with 15 or 180 for recordings. A video without pictures, as a WebM or
// M4A with sound alone, has code 18. A video whose sound is more than half a second
// longer than its picture has code 16; that limit is the fake's own.
//
// # Recipes
//
// Each of these has an example that runs.
//
//   - A wrapper around the transport, which may log, count or change requests:
//     fake.Client(aimbrain.WithTransport(wrap{fake.Transport()})), see
//     [Fake.Transport].
//   - A certificate authority of one's own: httptest.NewTLSServer(fake), and a
//     client with [aimbrain.NewTransport], see [Fake.ServeHTTP].
//   - A request that is cancelled when it has arrived: [Stall] and
//     [Fake.WaitForRequests], see [Stall].
//   - A request that is not sent, since nothing listens: [NotSent].
//   - A response that is lost, so that the outcome is unknown: [LostResponse].
//   - Responses that the API gave to a test before, without a network: [Record].
//   - The errors of a client, for a test without one: [NewError],
//     [NewAPIError] and [NewNetworkError].
//
// [Fake.Close] closes the clients that [Fake.Client] returned; [New] calls it at
// the end of the test. A client that was made by [aimbrain.New] is not closed.
//
// # What the vendor does not document
//
// The fake makes the choice that finds mistakes earlier. All files of an array must
// be of one format. Base64 is standard, padded and without line breaks. The response
// to a submission is {} (see [WithEmptySubmitResponse]). Metadata is returned if it
// is base64. The scores of /v1/score have the types "anomaly", "behaviour", "face"
// and "voice", for what the session has received. The fake cannot recognise media
// that is readable but shows nobody: queue [Code] for it.
package aimbraintest
