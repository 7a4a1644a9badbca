// Package aimbraintest is a fake AimBrain API for tests: of programs that use
// package aimbrain, of the package itself, and for a sandbox that needs no
// credentials.
//
//	fake := aimbraintest.New(t)         // closes itself; no listener needed
//	fake.Queue(aimbraintest.Score(0.31)) // the next authentication is an impostor
//	client := fake.Client()             // an *aimbrain.Client, ready to use
//
// The fake says no where the API would. It checks signatures, and says which of
// the usual mistakes a wrong one comes from. It reads JSON strictly, and photos,
// videos and recordings down to their data. It keeps users, sessions and
// tokens, which expire by its clock: see [WithClock] and [Fake.Advance].
// Errors have the API's form, statuses and codes, and texts that say what to
// do.
//
// # Ways in
//
// A [Fake] is an [net/http.Handler], for any mux. It serves the endpoints at their
// own paths, or behind the prefix that [WithPathPrefix] names.
// [Fake.Transport] reaches it from inside the process, for every host; it also
// works in testing/synctest bubbles, where waiting takes no time.
// [Fake.URL] opens a port on loopback. Responses allow every origin, so that web
// pages can be tried out against a fake.
//
// The header of a request may be 64 KiB, and gets status 431 beyond that. A
// request has a minute to arrive, or the connection is closed. A fake that is
// mounted in another server has that server's limits.
//
// # Whose face is it
//
// Scores are simulated, and their answers say so in the header
// X-Aimbraintest-Score. They are the same on every run. The same person scores
// 0.80 to 0.99, another 0.01 to 0.20; several files in a request give the mean
// of each, and a comparison the mean of all pairs. Who is on a file is told by
// [Fake.AssignSubject], else by the file itself when [FacePhoto], [FaceVideo],
// [VoiceWAV] or [VoiceCAF] made it. Any other file is only like itself. Of an
// enrolment the first person known counts.
//
// Liveliness is 0 for a photo, and for a recording where no token was asked
// for (see [WithTokenlessVoice]). For a video it is 0.85 to 0.99, until a face
// token of the type "auth" has been asked for: then, as for a recording, it
// stays so high only with that very token in it ([Saying]) and is 0.05 to 0.20
// otherwise. A file that this package did not make is believed to have it. A
// face token that has expired counts for nothing.
//
// [Behaviour] makes events that are known again, on the same device: behaviour
// belongs to a user and a device, a face and a voice to a user. A request without
// an event, as the vendor's web client sends while nobody moves, counts for
// nothing: neither towards the template nor as a comparison. Its response has the
// session's last behaviour score, or 0, and the status as it was. An impostor, a refusal or a
// broken connection at will is a [Stub], see [Fake.Queue].
//
// # Which media is taken
//
// Documented are a JPEG for a photo, H.264 for a video, linear PCM at 16 kHz for
// a recording, and 500 kB a file. Observed, in what the vendor's own clients
// send, are QuickTime files with H.264 (iOS), WebM with VP8 or VP9 (web), and
// WAV and CAF at other rates. The fake takes all of these. It also takes floating
// point samples in WAV and CAF, which are neither. [WithGuidanceEnforced] makes
// it refuse what is not documented. It refuses any other format or encoding, and
// says which it is: code 20 for pictures and video, 15 and 180 for recordings. A
// video without pictures, as a WebM or M4A with sound alone, has code 18, and one
// whose sound is longer than its picture by more than half a second code 16; that
// limit is the fake's own.
//
// # Recipes
//
// Each of these is an example that runs.
//
//   - A wrapper around the transport, which may log, count or change requests:
//     fake.Client(aimbrain.WithTransport(wrap{fake.Transport()})), see
//     [Fake.Transport].
//   - A certificate authority of one's own: httptest.NewTLSServer(fake), and a
//     client with [aimbrain.NewTransport], see [Fake.ServeHTTP].
//   - A request that is cancelled when it has arrived: [Stall] and
//     [Fake.WaitForRequests], see [Stall].
//   - A request that is not sent, since nothing listens: [NotSent].
//   - A response that is lost, after which nobody knows: [LostResponse].
//   - The errors of a client for a test that has none: [NewError],
//     [NewAPIError] and [NewNetworkError].
//
// [Fake.Close] closes the clients that [Fake.Client] made; [New] calls it at the
// test's end. A client that was made by [aimbrain.New] is not closed.
//
// # Where the vendor's documentation is silent
//
// The fake takes the side that finds mistakes earlier. All files of an array
// must be of one format. Base64 is standard, padded and without line breaks. The response to a
// submission is {} (see [WithEmptySubmitResponse]). Metadata comes back where it
// is base64. The scores of /v1/score have the types "anomaly", "behaviour",
// "face" and "voice", for what the session has seen. What the API makes of
// media that is readable but shows nobody cannot be told from bytes: queue
// [Code] for it.
package aimbraintest
