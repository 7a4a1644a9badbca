package aimbraintest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/fixture"
)

// EnvRecord is the environment variable that makes [Record] record, when it is "1"
// or "true".
const EnvRecord = "AIMBRAIN_RECORD"

// Fixtures are exchanges with the API in the files of a directory. They are made by
// [Record] and belong to one test.
type Fixtures struct {
	t         testing.TB
	dir       string
	recording bool
	wrap      func(next http.RoundTripper) http.RoundTripper
	respond   func(*http.Request) (*http.Response, error)
}

// Record returns the fixtures of a directory, such as "testdata/login". A test
// replays them without a network and without credentials:
//
//	fixtures := aimbraintest.Record(t, "testdata/login")
//	client := fixtures.Client()
//
// The environment variable AIMBRAIN_RECORD=1 makes the same test record them: its
// requests go to the API, with the credentials of [aimbrain.NewFromEnv]. The files
// are replaced when the test has passed, and otherwise not changed.
//
// Each exchange is one file, such as 01-sessions.json. It may be committed: what is
// written is an allow-list of the names of documented members, numbers, statuses and
// codes. Every other string becomes a name such as "<session-1: 36 bytes>". Media
// becomes its format, its size, and an HMAC with a key that only the run had.
// Coordinates of behavioural events are numbers, which are written: events over a
// keypad show what was typed. Record with events of [Behaviour].
//
// A replay compares each request with the recorded one, in their order: method,
// endpoint, Content-Type, members and their order, numbers, the format and size of
// media. A placeholder stands for one string, which must be the same wherever the
// name occurs. The first difference fails the test and names the file and the
// member. This request, and each after it, receives the status 400, which a client
// does not retry. Requests that are recorded and not sent fail the test at its end.
// The host, the signature and the prefix of a gateway are not compared.
//
// In a replayed response a placeholder is the string that was sent for it, or its
// own name: the session ID is "session-1". Failures are replayed as well: statuses,
// connections that broke or were refused, and responses that were cut off. Delays are
// recorded, and not replayed. A call that was cancelled, or whose total time had
// passed, waits for the end of its context.
//
// Requests must be made one after another. Without files, or with one that is not
// valid, Record ends the test.
func Record(t testing.TB, dir string) *Fixtures {
	t.Helper()
	recording := false
	if text := os.Getenv(EnvRecord); text != "" {
		var err error
		if recording, err = strconv.ParseBool(text); err != nil {
			t.Fatalf("aimbraintest: Record: %s is neither 1 nor 0", EnvRecord)
		}
	}
	return newFixtures(t, dir, recording)
}

func newFixtures(t testing.TB, dir string, recording bool) *Fixtures {
	t.Helper()
	f := &Fixtures{t: t, dir: dir, recording: recording}
	if recording {
		f.record()
		return f
	}
	files, err := fixture.ReadDir(dir)
	if err != nil {
		t.Fatalf("aimbraintest: Record: %v", err)
		return nil
	}
	if len(files) == 0 {
		t.Fatalf("aimbraintest: Record: %s has no fixtures: record them, with %s=1 and credentials", dir, EnvRecord)
		return nil
	}
	f.replay(files)
	return f
}

// Recording reports whether requests go to the API, for a test that needs more time
// or other media then.
func (f *Fixtures) Recording() bool { return f.recording }

// Transport returns the transport for a client: in a recording around
// [aimbrain.NewTransport], in a replay without a network.
func (f *Fixtures) Transport() http.RoundTripper {
	if !f.recording {
		return f.wrap(nil)
	}
	own := aimbrain.NewTransport()
	f.t.Cleanup(own.CloseIdleConnections)
	return f.wrap(own)
}

// Wrap returns the transport for a client around another one, such as one with a
// certificate authority of its own. A replay does not use the other transport. See
// [Fixtures.Transport].
func (f *Fixtures) Wrap(next http.RoundTripper) http.RoundTripper {
	if f.recording && next == nil {
		f.t.Helper()
		f.t.Fatalf("aimbraintest: Wrap: the transport is nil: use Transport")
	}
	return f.wrap(next)
}

// Respond returns the recorded response to a request, or the recorded failure. It is
// a responder of httpmock:
//
//	mock.RegisterNoResponder(fixtures.Respond)
//
// In a recording it sends the request to the API, as [Fixtures.Transport] does.
func (f *Fixtures) Respond(r *http.Request) (*http.Response, error) { return f.respond(r) }

// Client returns a client with the transport of the fixtures, and closes it at the
// end of the test. In a recording its credentials, and its region or base URL, are
// those of [aimbrain.NewFromEnv]; in a replay it needs none. The options are applied
// after these. An invalid option ends the test.
func (f *Fixtures) Client(opts ...aimbrain.Option) *aimbrain.Client {
	f.t.Helper()
	opts = append([]aimbrain.Option{aimbrain.WithTransport(f.Transport())}, opts...)
	var client *aimbrain.Client
	var err error
	if f.recording {
		client, err = aimbrain.NewFromEnv(opts...)
	} else {
		client, err = aimbrain.New(DefaultAPIKey, DefaultAPISecret, opts...)
		var missing *aimbrain.ConfigError
		if errors.As(err, &missing) && missing.Parameter == "region" {
			client, err = aimbrain.New(DefaultAPIKey, DefaultAPISecret, append(opts, aimbrain.WithRegion(aimbrain.Development))...)
		}
	}
	if err != nil {
		f.t.Fatalf("aimbraintest: Fixtures.Client: %v", err)
		return nil
	}
	f.t.Cleanup(func() { _ = client.Close() })
	return client
}

// A roundTripFunc is a function as a transport.
type roundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// closeBody closes the body of a request, as each transport must.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// wholeBody reads the body of a request to its end.
func wholeBody(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(r.Body) // a part of a body differs from the whole
	return body
}
