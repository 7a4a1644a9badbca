package payload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A recordedHash keeps what it sees.
type recordedHash struct{ bytes.Buffer }

func (h *recordedHash) Write(p []byte) { h.Buffer.Write(p) }

// arrive lets a request arrive in pieces of a size.
func arrive(request []byte, piece int, set ...Member) (body, hashed []byte, members []strictjson.Member, early int, err error) {
	body, hashed, members, early, _, err = arriveWithin(2_000_000, request, piece, set...)
	return body, hashed, members, early, err
}

// arriveWithin is arrive with a limit. late is how many times the hash began again.
func arriveWithin(limit int, request []byte, piece int, set ...Member) (body, hashed []byte, members []strictjson.Member, early, late int, err error) {
	var hash recordedHash
	rehash := func() { late++; hash.Reset() }
	b := &Builder{settings: Settings{Buffers: new(Buffers), Hash: &hash, Rehash: rehash, Limit: limit}}
	in := newIncoming(b, set)
	for len(request) > 0 && b.err == nil {
		n := min(piece, len(request))
		in.add(request[:n])
		request = request[n:]
	}
	early = hash.Len()
	if b.err == nil {
		members = in.finish()
	}
	if b.err != nil {
		return nil, nil, nil, 0, 0, b.err
	}
	b.hash()
	return b.buf, hash.Bytes(), members, early, late, nil
}

func TestIncoming_SetsMembersInEachForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, request, want string
		late                bool // the hash begins again
	}{
		{name: "first", request: `{"session":"a","faces":["AA"]}`, want: `{"session":"s-1","faces":["AA"]}`},
		{name: "last", request: `{"faces":["AA"],"session":"a"}`, want: `{"faces":["AA"],"session":"s-1"}`},
		{name: "longer", request: `{"session":"aaaaaaaaaaaaaaaaaaaaaa","x":1}`, want: `{"session":"s-1","x":1}`},
		{name: "empty", request: `{"session":"","x":1}`, want: `{"session":"s-1","x":1}`},
		{name: "missing", request: `{"faces":["AA"]}`, want: `{"faces":["AA"],"session":"s-1"}`},
		{name: "missing, with space behind", request: "{\"faces\":[\"AA\"] }\n", want: "{\"faces\":[\"AA\"] ,\"session\":\"s-1\"}\n"},
		{name: "an empty object", request: ` { } `, want: ` { "session":"s-1"} `},
		{name: "the same already", request: `{"session":"s-1"}`, want: `{"session":"s-1"}`},
		{name: "an escaped name", request: `{"sess\u0069on":"a","x":1}`, want: `{"sess\u0069on":"s-1","x":1}`, late: true},
		{name: "an escaped value", request: `{"session":"\u0061","x":1}`, want: `{"session":"s-1","x":1}`, late: true},
		{name: "a number", request: `{"session":12,"x":1}`, want: `{"session":"s-1","x":1}`, late: true},
		{name: "null", request: `{"x":1,"session":null}`, want: `{"x":1,"session":"s-1"}`, late: true},
		{name: "within another value", request: `{"x":{"session":"a"},"y":["session","b"]}`, want: `{"x":{"session":"a"},"y":["session","b"],"session":"s-1"}`},
		{name: "in a string", request: `{"x":"\",\"session\":\"a","session":"b"}`, want: `{"x":"\",\"session\":\"a","session":"s-1"}`},
		{name: "spaces", request: "{ \"session\" :\t\"a\" , \"x\" : [ { } ] }", want: "{ \"session\" :\t\"s-1\" , \"x\" : [ { } ] }"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for piece := 1; piece <= len(tt.request); piece++ {
				body, hashed, members, _, late, err := arriveWithin(2_000_000, []byte(tt.request), piece, Member{Name: "session", Value: "s-1"})
				require.NoError(t, err)
				assert.Equal(t, tt.late, late > 0, "the hash begins again only if it must")
				assert.Equal(t, tt.want, string(body))
				assert.Equal(t, tt.want, string(hashed), "hashed, in pieces of %d", piece)
				want, err := strictjson.Request(nil, body)
				require.NoError(t, err)
				assert.Equal(t, want, members)
			}
		})
	}
}

func TestIncoming_ReplacesWhatWasSent(t *testing.T) {
	t.Parallel()
	open := func(calls *int) Member {
		return Member{Name: "session", Replace: func(sent string) (string, error) {
			*calls++
			if sent == "sealed-a" {
				return "s-1", nil
			}
			return "", strictjson.ErrRange
		}}
	}
	for _, tt := range []struct{ name, request, want string }{
		{name: "in front", request: `{"session":"sealed-a","x":"sealed-a"}`, want: `{"session":"s-1","x":"sealed-a"}`},
		{name: "behind", request: `{"x":1,"session":"sealed-a"}`, want: `{"x":1,"session":"s-1"}`},
		{name: "with escapes", request: `{"sess\u0069on":"sealed\u002da"}`, want: `{"sess\u0069on":"s-1"}`},
		{name: "another", request: `{"session":"sealed-b"}`},
		{name: "what it becomes", request: `{"session":"s-1"}`},
		{name: "missing", request: `{"x":1}`},
		{name: "null", request: `{"session":null}`},
		{name: "a number", request: `{"session":7}`},
		{name: "half a surrogate pair", request: `{"session":"\ud83d"}`},
		{name: "twice", request: `{"session":"sealed-a","session":"sealed-a"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for piece := 1; piece <= len(tt.request); piece++ {
				calls := 0
				body, hashed, _, _, err := arrive([]byte(tt.request), piece, open(&calls))
				assert.LessOrEqual(t, calls, 1)
				if tt.want == "" {
					require.Error(t, err)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, tt.want, string(body))
				assert.Equal(t, tt.want, string(hashed))
			}
		})
	}
}

func TestIncoming_HashesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	media := strings.Repeat("QUJD", 50_000)
	for _, request := range []string{
		`{"session":"a","faces":["` + media + `"]}`,
		`{"faces":["` + media + `"],"session":"a"}`,
		`{"faces":["` + media + `"]}`,
	} {
		_, _, _, early, err := arrive([]byte(request), 10_000, Member{Name: "session", Value: "s-1"})
		require.NoError(t, err)
		assert.Greater(t, early, len(media))
	}
}

func TestIncoming_Refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, request string
		set           []Member
	}{
		{name: "nothing", request: ``},
		{name: "an array", request: `["session"]`},
		{name: "the name twice", request: `{"session":"a","session":"b"}`},
		{name: "the name twice, once escaped", request: `{"session":"a","sessio\u006e":"b"}`},
		{name: "another case", request: `{"session":"a","Session":"b"}`},
		{name: "another case alone", request: `{"SESSION":"a"}`},
		{name: "bytes behind", request: `{"session":"a"}{`},
		{name: "a cut request", request: `{"session":"a"`},
		{name: "a comma too many", request: `{"session":"a",}`},
		{name: "a byte order mark", request: "\ufeff{}"},
		{name: "a user id that readers differ about", request: `{"session":"a","userId":"u\u0000"}`},
		{name: "a session that readers differ about", request: `{"session":"s\u0000"}`, set: []Member{{Name: "userId", Value: "u-1"}}},
		{name: "a name that holds a NUL", request: `{"session":"a","x\u0000":1}`},
		{name: "a value that is no UTF-8", request: `{}`, set: []Member{{Name: "session", Value: "\xff"}}},
		{name: "a name that is no UTF-8", request: `{}`, set: []Member{{Name: "\xff", Value: "a"}}},
		{name: "one member twice", request: `{}`, set: []Member{{Name: "session", Value: "a"}, {Name: "Session", Value: "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.set == nil {
				tt.set = []Member{{Name: "session", Value: "s-1"}}
			}
			for piece := range len(tt.request) + 1 {
				_, _, _, _, err := arrive([]byte(tt.request), piece+1, tt.set...)
				var invalid *Invalid
				require.ErrorAs(t, err, &invalid)
			}
		})
	}
}

// TestIncoming_Limit: a request stays below its limit, with the members that are set.
func TestIncoming_Limit(t *testing.T) {
	t.Parallel()
	fill := strings.Repeat("x", 480)
	for _, tt := range []struct {
		name, request, want string
	}{
		{name: "a value of the same length", request: `{"session":"aaa","x":"` + fill + `"}`, want: `{"session":"s-1","x":"` + fill + `"}`},
		{name: "a longer value", request: `{"session":"a","x":"` + fill + `"}`, want: `{"session":"s-1","x":"` + fill + `"}`},
		{name: "a shorter value", request: `{"session":"aaaa","x":"` + fill + `"}`, want: `{"session":"s-1","x":"` + fill + `"}`},
		{name: "a longer value in place of a number", request: `{"session":1,"x":"` + fill + `"}`, want: `{"session":"s-1","x":"` + fill + `"}`},
		{name: "a member that is missing", request: `{"x":"` + fill + `"}`, want: `{"x":"` + fill + `","session":"s-1"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set := Member{Name: "session", Value: "s-1"}
			longest := max(len(tt.request), len(tt.want))
			for _, piece := range []int{1, 100, len(tt.request)} {
				body, hashed, _, _, _, err := arriveWithin(longest+1, []byte(tt.request), piece, set)
				require.NoError(t, err)
				assert.Equal(t, tt.want, string(body))
				assert.Equal(t, tt.want, string(hashed))
				_, _, members, _, _, err := arriveWithin(len(tt.want), []byte(tt.request), piece, set)
				require.ErrorIs(t, err, ErrTooLarge)
				assert.Nil(t, members)
			}
			changed, err := Set([]byte(tt.request), set, len(tt.want)+1)
			require.NoError(t, err)
			assert.Len(t, changed, len(tt.want))
			_, err = Set([]byte(tt.request), set, len(tt.want))
			assert.ErrorIs(t, err, ErrTooLarge)
		})
	}
}

// TestIncoming_MembersAreThoseOfTheBody: a buffer that grew is used by another call,
// so that no member may stay in it.
func TestIncoming_MembersAreThoseOfTheBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		set  []Member
	}{
		{name: "a name of escapes", set: []Member{{Name: "\x01\x02\x03", Value: "v"}}},
		{name: "a long value", set: []Member{{Name: "\x01", Value: strings.Repeat("v", 3000)}}},
		{name: "two", set: []Member{{Name: "\x01", Value: strings.Repeat("v", 3000)}, {Name: "\x02", Value: strings.Repeat("w", 3000)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := []byte(`{"x":"` + strings.Repeat("y", 1000) + `"}`)
			body, _, members, _, err := arrive(request, len(request), tt.set...)
			require.NoError(t, err)
			require.Len(t, members, 1+len(tt.set))
			for _, m := range members {
				assert.Same(t, &body[m.Start], &m.Value[0], "%q", m.Name)
			}
		})
	}
}

// wholeSettings are settings for Make.
func wholeSettings(hash *recordedHash) Settings {
	return Settings{
		Buffers: new(Buffers), Hash: hash, Rehash: hash.Reset, Limit: 2_000_000,
		Ended:   func() error { return nil },
		Limited: func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
	}
}

func TestIncoming_ReadsEveryKindOfReader(t *testing.T) {
	t.Parallel()
	request := `{"session":"a","x":"` + strings.Repeat("y", 300_000) + `"}`
	want := strings.Replace(request, `"a"`, `"s-1"`, 1)
	for _, tt := range []struct {
		name string
		body io.Reader
	}{
		{name: "bytes.Reader", body: bytes.NewReader([]byte(request))},
		{name: "bytes.Buffer", body: bytes.NewBufferString(request)},
		{name: "strings.Reader", body: strings.NewReader(request)},
		{name: "one that may block", body: iotest.HalfReader(strings.NewReader(request))},
		{name: "one that returns bytes with its end", body: iotest.DataErrReader(strings.NewReader(request))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var hash recordedHash
			var members []strictjson.Member
			made, problems, err := Make(wholeSettings(&hash), func(b *Builder) {
				members = b.Incoming(tt.body, []Member{{Name: "session", Value: "s-1"}})
			})
			require.NoError(t, err)
			assert.Empty(t, problems)
			assert.Equal(t, len(want), made.Size())
			assert.Equal(t, want, hash.String())
			require.Len(t, members, 2)
			assert.Equal(t, `"s-1"`, string(members[0].Value))
		})
	}
}

func TestIncoming_BodyThatIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name     string
		body     io.Reader
		settings func(*Settings)
		set      []Member
		want     string
		cause    error
		reads    bool
	}{
		{name: "nil", want: "the body is nil"},
		{name: "it breaks", body: iotest.ErrReader(broken), want: "the body cannot be read to its end", cause: broken, reads: true},
		{name: "it is cut off", body: io.MultiReader(strings.NewReader(`{"x":1}`), iotest.ErrReader(io.ErrUnexpectedEOF)), want: "the body cannot be read to its end", cause: io.ErrUnexpectedEOF, reads: true},
		{name: "no time is left", body: strings.NewReader(`{}`), settings: func(s *Settings) {
			s.Ended = func() error { return broken }
			s.Limited = func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				return ctx, cancel
			}
		}, want: "the body was not read to its end: broken", cause: broken, reads: true},
		{name: "it never ends", body: endless{}, want: "the body reaches the limit", cause: ErrTooLarge, reads: true},
		{name: "with metadata", body: strings.NewReader(`{}`), settings: func(s *Settings) { s.Metadata = []byte("m") }, want: "WithMetadata would change a request that is forwarded"},
		{name: "with a member twice", body: strings.NewReader(`{}`), set: []Member{{Name: "a", Value: "b"}, {Name: "A", Value: "c"}}, want: "the members have one name twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var hash recordedHash
			settings := wholeSettings(&hash)
			if tt.settings != nil {
				tt.settings(&settings)
			}
			body := tt.body
			read := false
			if body != nil {
				body = io.TeeReader(body, writerFunc(func(p []byte) (int, error) { read = true; return len(p), nil }))
			}
			made, _, err := Make(settings, func(b *Builder) {
				assert.Nil(t, b.Incoming(body, tt.set))
			})
			require.EqualError(t, err, tt.want)
			assert.Nil(t, made)
			if tt.cause != nil {
				assert.ErrorIs(t, err, tt.cause)
			}
			if !tt.reads {
				assert.False(t, read, "it need not be read")
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestIncoming_TakesRoomOnce: the size of a bytes.Reader is known.
func TestIncoming_TakesRoomOnce(t *testing.T) {
	t.Parallel()
	const size = 100_000
	request := []byte(`{"x":"` + strings.Repeat("y", size-8) + `"}`)
	b := &Builder{settings: wholeSettings(new(recordedHash))}
	b.Incoming(bytes.NewReader(request), []Member{{Name: "session", Value: "s-1"}})
	require.NoError(t, b.err)
	assert.Equal(t, size+128, cap(b.buf))
}

func TestIncoming_InspectsMedia(t *testing.T) {
	t.Parallel()
	settings := wholeSettings(new(recordedHash))
	settings.Inspect = true
	_, problems, err := Make(settings, func(b *Builder) {
		b.Incoming(strings.NewReader(`{"faces":["QUJD"]}`), []Member{{Name: "session", Value: "s-1"}})
	})
	require.NoError(t, err)
	require.NotEmpty(t, problems)
	assert.Equal(t, "faces[0]", problems[0].Place)
}

// FuzzIncoming compares a request that arrives in pieces with one that was read
// before its members are set.
func FuzzIncoming(f *testing.F) {
	for _, request := range []string{
		`{"session":"a","faces":["QUJD\/"]}`, `{"faces":[],"userId":"b"}`, `{"x":{"session":"a"},"session":null}`,
		`{"s\u0065ssion":"\ud83d","x":"\\\""}`, ` { } `, `{"session":"a","session":"b"}`, `{"é":"é","session":"é"}`, `{"a":1,"b":[{}],"session":"x"}`,
	} {
		f.Add([]byte(request), "s-1", "u\"1", uint8(1))
		f.Add([]byte(request), "", "é", uint8(7))
	}
	f.Fuzz(func(t *testing.T, request []byte, session, user string, piece uint8) {
		if strings.ContainsRune(session+user, 0) {
			return // Set refuses the first when it sets the second
		}
		set := []Member{{Name: "session", Value: session}, {Name: "userId", Value: user}}
		body, hashed, members, _, err := arrive(request, int(piece)+1, set...)
		want, wantErr := request, error(nil)
		for _, m := range set {
			if want, wantErr = Set(want, m, 2_000_000); wantErr != nil {
				break
			}
		}
		if wantErr != nil {
			// Set looks at the second member before it is set.
			if err == nil && strings.Contains(wantErr.Error(), `"userId"`) {
				return
			}
			if err == nil {
				t.Fatalf("%q is taken, Set refuses it: %v", request, wantErr)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q is refused, Set takes it: %v", request, err)
		}
		if !bytes.Equal(body, hashed) {
			t.Fatalf("%q was hashed, %q is the body", hashed, body)
		}
		parsed, err := strictjson.Request(nil, body)
		if err != nil || len(parsed) != len(members) {
			t.Fatalf("%q: %v", body, err)
		}
		values := map[string]string{}
		for i, m := range members {
			if !bytes.Equal(m.Value, parsed[i].Value) || !bytes.Equal(m.Name, parsed[i].Name) || m.Start != parsed[i].Start || m.End != parsed[i].End {
				t.Fatalf("member %d is %+v, not %+v", i, m, parsed[i])
			}
			values[string(m.Name)] = string(m.Value)
		}
		other, err := strictjson.Request(nil, want)
		if err != nil || len(other) != len(members) {
			t.Fatalf("%q by Set: %v", want, err)
		}
		for _, m := range other {
			if values[string(m.Name)] != string(m.Value) {
				t.Fatalf("%q is %q, by Set %q", m.Name, values[string(m.Name)], m.Value)
			}
		}
	})
}
