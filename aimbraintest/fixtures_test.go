package aimbraintest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

const (
	fixtureKey    = "AKEY-9f31c7e2d8"
	fixtureSecret = "the-secret-of-the-bank-5577006791947779410"
	fixturePIN    = "4929"
)

// A login is the input of the code under test, which the tests below change.
type login struct {
	userID, device, system string
	height                 int
	tokenType              aimbrain.TokenType
	enrol, auth            [][]byte
	metadata               []byte
	events                 aimbrain.Events
	session                string // in place of the created one
	skipScore, extraScore  bool
	authFirst              bool
}

func usualLogin() login {
	zero := 0
	return login{
		userID: "u-81f3-customer", device: "iPhone6,2-of-ada", system: "iOS 9.2.1", height: 568,
		tokenType: aimbrain.TokenAuth,
		enrol:     [][]byte{aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("ada", aimbraintest.Variant(1))},
		auth:      [][]byte{aimbraintest.FaceVideo("ada")},
		metadata:  []byte("branch 7, account 12345678"),
		events: aimbrain.Events{
			Touches:    []aimbrain.Touch{{ID: 7, GroupID: &zero, Phase: aimbrain.TouchMoved, Time: 1480, RX: 12.5, RY: 8, Radius: 21.5, Force: 0.25, Elements: []string{"pin-pad-of-login"}}},
			TextEvents: []aimbrain.TextEvent{{Time: 1500, Text: "4"}, {Time: 1600, Text: "49"}, {Time: 1700, Text: "492"}, {Time: 1800, Text: fixturePIN, Elements: []string{"pin-field"}}},
			KeyEvents:  []aimbrain.KeyEvent{{Time: 3, Key: "4", Direction: aimbrain.KeyDown}},
			Other:      map[string]any{"pin" + fixturePIN: []any{4929, fixturePIN, map[string]any{fixturePIN: true}}},
		},
	}
}

// run is the code under test: a whole log-in.
func (l login) run(ctx context.Context, client *aimbrain.Client) error {
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: l.userID, Device: l.device, System: l.system, ScreenHeight: l.height, ScreenWidth: 320})
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	id := session.ID
	if l.session != "" {
		id = l.session
	}
	if _, err = client.Face.Enroll(ctx, id, aimbrain.Photos(l.enrol...)); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if _, err = client.Face.Token(ctx, id, l.tokenType); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	if l.authFirst {
		if _, err := client.Behaviour.Auth(ctx, id, l.events); err != nil {
			return fmt.Errorf("behaviour: %w", err)
		}
	}
	face, err := client.Face.Auth(ctx, id, aimbrain.Videos(l.auth...), aimbrain.WithMetadata(l.metadata))
	if err != nil {
		return fmt.Errorf("face: %w", err)
	}
	if !face.Matches(aimbrain.RecommendedThreshold) || string(face.Response.Metadata) != string(l.metadata) {
		return fmt.Errorf("score %v, metadata of %d bytes", face.Score, len(face.Response.Metadata))
	}
	if _, err := client.Behaviour.Auth(ctx, id, l.events); err != nil {
		return fmt.Errorf("behaviour: %w", err)
	}
	for range map[bool]int{false: 1, true: 2}[l.extraScore] {
		if l.skipScore {
			break
		}
		scores, err := client.Score.Get(ctx, id)
		if err != nil {
			return fmt.Errorf("score: %w", err)
		}
		if _, ok := scores.ByType("face"); !ok {
			return fmt.Errorf("no score of the face: %v", scores.Scores)
		}
	}
	return nil
}

// recordLogin records the log-in over TLS, and returns the directory and the
// requests as they arrived.
func recordLogin(t *testing.T, l login) (dir string, requests []aimbraintest.Request) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "login")
	fake := aimbraintest.New(t, aimbraintest.WithCredentials(fixtureKey, fixtureSecret))
	server := httptest.NewTLSServer(fake)
	defer server.Close()
	recording(t, dir, func(fixtures *aimbraintest.Fixtures) {
		transport := aimbrain.NewTransport(func(own *http.Transport) {
			own.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		})
		defer transport.CloseIdleConnections()
		client, err := aimbrain.New(fixtureKey, fixtureSecret, aimbrain.WithBaseURL(server.URL), aimbrain.WithTransport(fixtures.Wrap(transport)))
		require.NoError(t, err)
		defer client.Close()
		require.NoError(t, l.run(t.Context(), client))
	})
	return dir, fake.Requests()
}

// recording runs a test that records, and fails if it does.
func recording(t *testing.T, dir string, test func(*aimbraintest.Fixtures)) {
	t.Helper()
	recorder := &recorderTB{TB: t}
	require.Empty(t, recorder.run(func(tb *recorderTB) { test(aimbraintest.RecordNow(reportingTB{tb}, dir, true)) }))
}

// A reportingTB also reports whether the test has failed.
type reportingTB struct{ *recorderTB }

func (r reportingTB) Failed() bool { return len(r.errors) > 0 }

// contents returns the files of a directory by their names.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	files := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		files[entry.Name()] = string(data)
	}
	return files
}

// replay runs code with the fixtures of a directory, and returns the failures of the
// test and the error of the code.
func replay(t *testing.T, dir string, code func(context.Context, *aimbrain.Client) error) (failures []string, err error) {
	t.Helper()
	recorder := &recorderTB{TB: t}
	failures = recorder.run(func(tb *recorderTB) {
		err = code(t.Context(), aimbraintest.RecordNow(tb, dir, false).Client())
	})
	return failures, err
}

func TestRecord_LoginOverTLS(t *testing.T) {
	t.Parallel()
	dir, requests := recordLogin(t, usualLogin())
	files := contents(t, dir)
	require.Equal(t, []string{
		"01-sessions.json", "02-face-enroll.json", "03-face-token.json", "04-face-auth.json", "05-behavioural.json", "06-score.json",
	}, slices.Sorted(mapsKeys(files)))
	all := ""
	for _, name := range slices.Sorted(mapsKeys(files)) {
		all += files[name]
	}

	var secrets []string
	for _, request := range requests {
		secrets = append(secrets, request.Header.Get(aimbrain.HeaderSignature), request.Host)
		secrets = append(secrets, strangers(t, request.Body)...)
		for _, medium := range request.Media() {
			assertNoRun(t, all, medium)
		}
	}
	secrets = append(secrets, fixtureKey, fixtureSecret, fixturePIN, "customer", "of-ada", "account", "pin-")
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			assert.NotContains(t, all, form, "%s", secret)
		}
	}

	failures, err := replay(t, dir, usualLogin().run)
	require.NoError(t, err)
	assert.Empty(t, failures)
}

// mapsKeys returns the keys of a map as a sequence.
func mapsKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// strangers returns the strings of a body that are no word of the API and long
// enough to be recognised.
func strangers(t *testing.T, body []byte) []string {
	t.Helper()
	var found []string
	decoder := json.NewDecoder(bytes.NewReader(body))
	isName := false
	for {
		token, err := decoder.Token()
		if err != nil {
			return found
		}
		s, isString := token.(string)
		isName = isString && !isName
		if isString && len(s) >= 4 && len(s) < 200 && s != "auth" && !strings.Contains(`session userId device system screenHeight screenWidth faces tokentype metadata touches textEvents keyUpDownEvents`, s) {
			found = append(found, s)
		}
	}
}

// forms returns a text as it may be written: as it is, in hexadecimal, and in base64
// at each of its three alignments, without what depends on the surroundings.
func forms(text string) []string {
	all := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	if len(text) < 6 {
		return all
	}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))
		from := (shift*8 + 5) / 6
		to := len(strings.TrimRight(encoded, "="))
		if (len(text)+shift)%3 != 0 {
			to--
		}
		all = append(all, encoded[from:to])
	}
	return all
}

// assertNoRun fails the test if 6 consecutive bytes of media are in a text: as they
// are, in hexadecimal, or in base64 at any alignment.
func assertNoRun(t testing.TB, text string, medium []byte) {
	t.Helper()
	const run = 6
	pieces := map[string]bool{} // of the text
	for _, n := range []int{run, 8, 2 * run} {
		for i := 0; i+n <= len(text); i++ {
			pieces[text[i:i+n]] = true
		}
	}
	runs := func(encoded string, n int) {
		t.Helper()
		for i := 0; i+n <= len(encoded); i++ {
			if piece := encoded[i : i+n]; strings.Trim(piece, piece[:1]) != "" && pieces[piece] {
				t.Fatalf("%q of the media is written", piece)
			}
		}
	}
	runs(string(medium), run)
	runs(hex.EncodeToString(medium), 2*run)
	runs(strings.ToUpper(hex.EncodeToString(medium)), 2*run)
	for shift := range 3 {
		shifted := append(make([]byte, shift), medium...)
		runs(base64.StdEncoding.EncodeToString(shifted), 8)
		runs(base64.URLEncoding.EncodeToString(shifted), 8)
	}
}

// TestAssertNoRun_FindsMedia: the check above is worth something.
func TestAssertNoRun_FindsMedia(t *testing.T) {
	t.Parallel()
	medium := aimbraintest.FacePhoto("ada")
	piece := medium[3001:3012]
	for name, text := range map[string]string{
		"as it is":       "x" + string(piece),
		"hexadecimal":    hex.EncodeToString(piece),
		"base64":         base64.StdEncoding.EncodeToString(piece),
		"base64, by one": base64.StdEncoding.EncodeToString(append([]byte("x"), piece...)),
		"base64, by two": base64.URLEncoding.EncodeToString(append([]byte("xy"), piece...)),
	} {
		found := (&recorderTB{TB: t}).run(func(tb *recorderTB) { assertNoRun(tb, text, medium) })
		assert.Len(t, found, 1, name)
	}
}

func TestRecord_NamesTheFirstDifference(t *testing.T) {
	t.Parallel()
	dir, _ := recordLogin(t, usualLogin())
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 2123)...)
	photo := len(aimbraintest.FacePhoto("ada"))
	for _, tt := range []struct {
		name   string
		change func(*login)
		want   string
	}{
		{name: "a shorter user id", change: func(l *login) { l.userID = "u-81f3" },
			want: "01-sessions.json: $.userId: recorded a string of 15 bytes, sent one of 6"},
		{name: "a number", change: func(l *login) { l.height = 667 },
			want: "01-sessions.json: $.screenHeight: recorded 568, sent 667"},
		{name: "a member that is left out", change: func(l *login) { l.height = 0 },
			want: "01-sessions.json: $.screenHeight: recorded 568, not sent"},
		{name: "another session", change: func(l *login) { l.session = "session-2" },
			want: "02-face-enroll.json: $.session: recorded the string of session-1, sent another string of 9 bytes"},
		{name: "another format", change: func(l *login) { l.enrol[0] = png },
			want: "02-face-enroll.json: $.faces[0]: recorded a JPEG of " + withCommas(photo) + " bytes, sent a PNG of 2,131 bytes"},
		{name: "another size", change: func(l *login) { l.enrol[1] = aimbraintest.FacePhoto("ada", aimbraintest.Size(60_000)) },
			want: "sent a JPEG of 60,000 bytes"},
		{name: "the same photo twice", change: func(l *login) { l.enrol[1] = l.enrol[0] },
			want: "02-face-enroll.json: $.faces[1]: recorded a JPEG of "},
		{name: "a photo less", change: func(l *login) { l.enrol = l.enrol[:1] },
			want: "02-face-enroll.json: $.faces: recorded an array of 2 elements, sent an array of 1 elements"},
		{name: "another token type", change: func(l *login) { l.tokenType = aimbrain.TokenEnroll3 },
			want: `03-face-token.json: $.tokentype: recorded "auth", sent "enroll-3"`},
		{name: "no metadata", change: func(l *login) { l.metadata = nil },
			want: "04-face-auth.json: $.metadata: recorded the string of metadata-1, 36 bytes, not sent"},
		{name: "a photo in place of a video", change: func(l *login) { l.auth = l.enrol[:1] },
			want: "04-face-auth.json: $.faces[0]: recorded an MP4 of "},
		{name: "another order of calls", change: func(l *login) { l.authFirst = true },
			want: "04-face-auth.json: the path: recorded /v1/face/auth, sent /v1/behavioural"},
		{name: "another number of an event", change: func(l *login) { l.events.Touches[0].RX = 13 },
			want: "05-behavioural.json: $.touches[0].rx: recorded 12.5, sent 13"},
		{name: "an event less", change: func(l *login) { l.events.TextEvents = l.events.TextEvents[:3] },
			want: "05-behavioural.json: $.textEvents: recorded an array of 4 elements, sent an array of 3 elements"},
		{name: "a longer text", change: func(l *login) { l.events.TextEvents[0].Text = "44" },
			want: "05-behavioural.json: $.textEvents[0].tx: recorded a string of 1 bytes, sent a string of 2 bytes"},
		{name: "an array that is not known", change: func(l *login) { l.events.Other = nil },
			want: "05-behavioural.json: $.<member-1: 7 bytes>: recorded an array of 3 elements, not sent"},
		{name: "an array more", change: func(l *login) { l.events.Other["zoom"] = []int{1} },
			want: "05-behavioural.json: $.<member: 4 bytes>: not recorded, sent an array of 1 elements"},
		{name: "a call less", change: func(l *login) { l.skipScore = true },
			want: "1 recorded requests were not sent: 06-score.json"},
		{name: "a call more", change: func(l *login) { l.extraScore = true },
			want: "a request to /v1/score was sent after the last recorded one, 06-score.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := usualLogin()
			tt.change(&changed)
			failures, err := replay(t, dir, changed.run)
			require.Len(t, failures, 1)
			assert.Contains(t, failures[0], tt.want)
			if changed.skipScore {
				return
			}
			var refused *aimbrain.APIError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, 400, refused.StatusCode)
			assert.Equal(t, 1, refused.Attempts, "it is not retried")
			assert.Contains(t, refused.Message, tt.want)
			for _, secret := range []string{changed.userID, fixturePIN, "pin-"} {
				assert.NotContains(t, failures[0], secret)
			}
		})
	}
}

func withCommas(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

// TestRecord_Failures records each failure and compares the error of the client with
// that of the replay.
func TestRecord_Failures(t *testing.T) {
	t.Parallel()
	enrol := func(ctx context.Context, client *aimbrain.Client) error {
		session, err := client.Sessions.Create(ctx, sessionRequest("u"))
		if err != nil {
			return err
		}
		_, err = client.Face.Enroll(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		return err
	}
	for _, tt := range []struct {
		name  string
		stub  aimbraintest.Stub
		wrote string // in the file of the failure
		fails bool
	}{
		{name: "reset", stub: aimbraintest.Reset(), wrote: `"cause": "reset"`, fails: true},
		{name: "lost", stub: aimbraintest.LostResponse(), wrote: `"cause": "reset"`, fails: true},
		{name: "cut off", stub: aimbraintest.CutOff(), wrote: `"cutOff": "reset"`, fails: true},
		{name: "stalled", stub: aimbraintest.Stall(), wrote: "\"cause\": \"attempt timeout\",\n    \"delay\": \"15s\"", fails: true},
		{name: "not sent once", stub: aimbraintest.NotSent(), wrote: `"cause": "not sent"`},
		{name: "not sent", stub: aimbraintest.NotSent().Times(3), wrote: `"cause": "not sent"`, fails: true},
		{name: "delayed", stub: aimbraintest.Delay(1240 * time.Millisecond), wrote: `"delay": "1.2s"`},
		{name: "code", stub: aimbraintest.Code(aimbrain.CodePoorBrightness).WithMessage("customer 12345678"), wrote: `"code": 10`, fails: true},
		{name: "500", stub: aimbraintest.Status(500), wrote: `"status": 500`, fails: true},
		{name: "429", stub: aimbraintest.Status(429).WithRetryAfter(2 * time.Second), wrote: `"Retry-After": "2"`},
		{name: "429 for an hour", stub: aimbraintest.Status(429).WithRetryAfter(time.Hour), wrote: `"Retry-After": "3600"`, fails: true},
		{name: "HTML", stub: aimbraintest.Raw(502, "text/html", "<html>customer 12345678</html>"), wrote: `"raw": "<HTML: 30 bytes>"`, fails: true},
		{name: "a gateway's text", stub: aimbraintest.Raw(200, "text/plain; trace=12345678", "customer 12345678"), wrote: `"raw": "<text: 17 bytes>"`, fails: true},
		{name: "nothing", stub: aimbraintest.Raw(200, "application/json", ""), wrote: `"status": 200`, fails: true},
		{name: "a name twice", stub: aimbraintest.Raw(422, "application/json", `{"error":"customer 12345678","error":""}`), wrote: `"raw": "<invalid JSON: 40 bytes>"`, fails: true},
		{name: "a number out of range", stub: aimbraintest.Raw(200, "application/json", `{"imagesCount":-12345678}`), wrote: `"imagesCount": "<number>"`, fails: true},
		{name: "a good status with an error", stub: aimbraintest.Raw(200, "application/json", `{"imagesCount":1,"error":"customer 12345678"}`), wrote: `"error": "<error-1: 17 bytes>"`, fails: true},
		{name: "an endless response", stub: aimbraintest.Raw(200, "application/json", `{"imagesCount":1,"x":"`+strings.Repeat("12345678", 80_000)+`"}`), wrote: "bytes>", fails: true},
		{name: "a redirect", stub: aimbraintest.Raw(307, "text/plain", "").WithHeader("Location", "https://12345678.example/"), wrote: `"status": 307`, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var recorded error
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t)
				fake.Queue(tt.stub.On(aimbrain.EndpointFaceEnroll))
				fixtures := aimbraintest.RecordNow(t, dir, true)
				recorded = enrol(t.Context(), fake.Client(aimbrain.WithTransport(fixtures.Wrap(fake.Transport()))))
				assert.Equal(t, tt.fails, recorded != nil, "%v", recorded)
			})
			all := ""
			for _, text := range contents(t, dir) {
				all += text
			}
			assert.Contains(t, all, tt.wrote)
			assert.NotContains(t, all, "12345678")

			synctest.Test(t, func(t *testing.T) {
				failures, err := replay(t, dir, enrol)
				assert.Empty(t, failures)
				requireSameFailure(t, recorded, err)
			})
		})
	}
}

// requireSameFailure compares what a caller does with an error.
func requireSameFailure(t *testing.T, recorded, replayed error) {
	t.Helper()
	require.Equal(t, recorded == nil, replayed == nil, "%v\n%v", recorded, replayed)
	if recorded == nil {
		return
	}
	assert.Equal(t, fmt.Sprintf("%T", recorded), fmt.Sprintf("%T", replayed))
	assert.Equal(t, aimbrain.OutcomeOf(recorded), aimbrain.OutcomeOf(replayed))
	assert.Equal(t, aimbrain.ActionOf(recorded), aimbrain.ActionOf(replayed))
	for _, target := range []error{aimbrain.ErrAttemptTimeout, aimbrain.ErrTotalTimeout, aimbrain.ErrServerError, aimbrain.ErrRateLimited, aimbrain.CodePoorBrightness, context.DeadlineExceeded} {
		assert.Equal(t, is(recorded, target), is(replayed, target), "%v", target)
	}
	attempts := func(err error) any {
		switch e := err.(type) { //nolint:errorlint // the errors of a client
		case *aimbrain.APIError:
			wait, given := e.RetryAfter()
			return []any{e.Attempts, e.StatusCode, e.Gateway, wait, given}
		case *aimbrain.NetworkError:
			return e.Attempts
		case *aimbrain.DecodeError:
			return e.StatusCode
		}
		return nil
	}
	assert.Equal(t, attempts(recorded), attempts(replayed))
}

func TestRecord_KeepsFilesUnlessTheTestPasses(t *testing.T) {
	t.Parallel()
	dir, _ := recordLogin(t, usualLogin())
	before := contents(t, dir)
	fake := aimbraintest.New(t)
	for _, tt := range []struct {
		name string
		test func(tb *recorderTB, client *aimbrain.Client)
		want string
	}{
		{name: "it fails", want: "not as it should be", test: func(tb *recorderTB, client *aimbrain.Client) {
			_, err := client.Sessions.Create(t.Context(), sessionRequest("u"))
			require.NoError(t, err)
			tb.Errorf("not as it should be")
		}},
		{name: "nothing is sent", want: "no request was sent", test: func(*recorderTB, *aimbrain.Client) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			recorder := &recorderTB{TB: t}
			failures := recorder.run(func(tb *recorderTB) {
				fixtures := aimbraintest.RecordNow(reportingTB{tb}, dir, true)
				tt.test(tb, fake.Client(aimbrain.WithTransport(fixtures.Wrap(fake.Transport()))))
			})
			require.Len(t, failures, 1)
			assert.Contains(t, failures[0], tt.want)
			assert.Equal(t, before, contents(t, dir))
		})
	}
}

func TestRecord_ReplacesTheFiles(t *testing.T) {
	t.Parallel()
	dir, _ := recordLogin(t, usualLogin())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("kept"), 0o600))
	fake := aimbraintest.New(t)
	recording(t, dir, func(fixtures *aimbraintest.Fixtures) {
		_, err := fake.Client(aimbrain.WithTransport(fixtures.Wrap(fake.Transport()))).Sessions.Create(t.Context(), sessionRequest("u"))
		require.NoError(t, err)
	})
	assert.Equal(t, []string{"01-sessions.json", "README.md"}, slices.Sorted(mapsKeys(contents(t, dir))))
}

func TestRecord_RefusesADirectoryWithoutFixtures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file, text, want string
	}{
		{name: "none", want: "has no fixtures: record them, with AIMBRAIN_RECORD=1"},
		{name: "without a number", file: "sessions.json", text: "{}", want: "has no number"},
		{name: "not a fixture", file: "01-sessions.json", text: "{}", want: `has no "version"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.file != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o600))
			}
			recorder := &recorderTB{TB: t}
			failures := recorder.run(func(tb *recorderTB) { aimbraintest.RecordNow(tb, dir, false) })
			require.Len(t, failures, 1)
			assert.Contains(t, failures[0], tt.want)
		})
	}
}

// TestFixtures_RespondIsAResponderOfHTTPMock also tests that a replay needs no
// client of this package.
func TestFixtures_RespondIsAResponderOfHTTPMock(t *testing.T) {
	t.Parallel()
	dir, _ := recordLogin(t, usualLogin())
	fixtures := aimbraintest.RecordNow(t, dir, false)
	var responder httpmock.Responder = fixtures.Respond
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(responder)
	client, err := aimbrain.New("key", "secret", aimbrain.WithRegion(aimbrain.EUWest1), aimbrain.WithTransport(mock))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, usualLogin().run(t.Context(), client))
	assert.Equal(t, 6, mock.GetTotalCallCount())
}

func is(err, target error) bool { return errors.Is(err, target) }

// TestRecord_KeepsTheOutcome: a recorder around a transport neither sends a request
// twice nor makes a request that was not sent one that may have been.
func TestRecord_KeepsTheOutcome(t *testing.T) {
	t.Parallel()
	var executed atomic.Int64
	aborting := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		executed.Add(1)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(aborting.Close)
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge) // the body is not read
	}))
	t.Cleanup(early.Close)
	for _, tt := range []struct {
		name, url string
		outcome   aimbrain.Outcome
		attempts  int
		wrote     string
	}{
		{name: "refused connection", url: "http://127.0.0.1:1", outcome: aimbrain.OutcomeNotSent, attempts: 3, wrote: `"cause": "not sent"`},
		{name: "lost response", url: aborting.URL, outcome: aimbrain.OutcomeUnknown, attempts: 1, wrote: `"cause": "reset"`},
		{name: "response before the request", url: early.URL, outcome: aimbrain.OutcomeRefused, attempts: 1, wrote: `"status": 413`},
	} {
		for name, next := range map[string]http.RoundTripper{"of the library": aimbrain.NewTransport(), "of net/http": &http.Transport{}} {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				t.Parallel()
				defer next.(interface{ CloseIdleConnections() }).CloseIdleConnections()
				dir := t.TempDir()
				var recorded error
				recording(t, dir, func(fixtures *aimbraintest.Fixtures) {
					client, err := aimbrain.New("key", "secret", aimbrain.WithBaseURL(tt.url), aimbrain.WithTransport(fixtures.Wrap(next)))
					require.NoError(t, err)
					defer client.Close()
					_, recorded = client.Face.Enroll(t.Context(), "s-1", aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Size(400_000))))
				})
				assert.Equal(t, tt.outcome, aimbrain.OutcomeOf(recorded), "%v", recorded)
				files := contents(t, dir)
				assert.Len(t, files, tt.attempts)
				assert.Contains(t, files["01-face-enroll.json"], tt.wrote)

				failures, err := replay(t, dir, func(ctx context.Context, client *aimbrain.Client) error {
					_, err := client.Face.Enroll(ctx, "s-1", aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Size(400_000))))
					return err
				})
				assert.Empty(t, failures)
				requireSameFailure(t, recorded, err)
			})
		}
	}
	t.Cleanup(func() { assert.Equal(t, int64(2), executed.Load(), "one for each transport") })
}

// TestRecord_CancelledCall: a replay waits until the code under test ends the
// context, as the API that did not respond.
func TestRecord_CancelledCall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code := func(ctx context.Context, client *aimbrain.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err := client.Sessions.Create(ctx, sessionRequest("u"))
		return err
	}
	var recorded error
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Stall())
		fixtures := aimbraintest.RecordNow(t, dir, true)
		recorded = code(t.Context(), fake.Client(aimbrain.WithTransport(fixtures.Wrap(fake.Transport()))))
		require.ErrorIs(t, recorded, context.DeadlineExceeded)
		require.NotErrorIs(t, recorded, aimbrain.ErrAttemptTimeout)
	})
	assert.Contains(t, contents(t, dir)["01-sessions.json"], "\"cause\": \"context ended\",\n    \"delay\": \"3s\"")
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		failures, err := replay(t, dir, code)
		assert.Empty(t, failures)
		requireSameFailure(t, recorded, err)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestRecord_AcceptsRequestsAtTheSameTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fake := aimbraintest.New(t)
	recording(t, dir, func(fixtures *aimbraintest.Fixtures) {
		client := fake.Client(aimbrain.WithTransport(fixtures.Wrap(fake.Transport())))
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				_, err := client.Sessions.Create(t.Context(), sessionRequest("u"))
				assert.NoError(t, err)
			})
		}
		calls.Wait()
	})
	assert.Len(t, contents(t, dir), 8)
}

func TestFixtures_ReplayDoesNotUseTheOtherTransport(t *testing.T) {
	t.Parallel()
	dir, _ := recordLogin(t, usualLogin())
	fixtures := aimbraintest.RecordNow(t, dir, false)
	assert.False(t, fixtures.Recording())
	network := httpmock.NewMockTransport() // every request fails
	client := fixtures.Client(aimbrain.WithTransport(fixtures.Wrap(network)), aimbrain.WithRegion(aimbrain.EUWest1))
	require.NoError(t, usualLogin().run(t.Context(), client))
	assert.Zero(t, network.GetTotalCallCount())
	assert.NotContains(t, fmt.Sprintf("%+v %#v", *fixtures, *fixtures), "u-81f3")
}

func TestRecord_ReadsTheEnvironment(t *testing.T) { //nolint:paralleltest // it sets the environment
	for _, name := range []string{aimbrain.EnvAPIKey, aimbrain.EnvAPISecret, aimbrain.EnvRegion, aimbrain.EnvBaseURL} {
		t.Setenv(name, "")
	}
	for _, tt := range []struct{ value, want string }{
		{value: "yes", want: "AIMBRAIN_RECORD is neither 1 nor 0"},
		{value: "0", want: "has no fixtures"},
		{value: "1", want: "AIMBRAIN_API_KEY is not set"},
	} {
		t.Setenv(aimbraintest.EnvRecord, tt.value)
		failures := (&recorderTB{TB: t}).run(func(tb *recorderTB) {
			aimbraintest.Record(reportingTB{tb}, t.TempDir()).Client()
		})
		require.Len(t, failures, 1, tt.value)
		assert.Contains(t, failures[0], tt.want)
	}
}
