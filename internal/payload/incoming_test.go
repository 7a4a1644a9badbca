package payload

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A recordedHash keeps what it sees.
type recordedHash struct{ bytes.Buffer }

func (h *recordedHash) Write(p []byte) { h.Buffer.Write(p) }

// arrive lets a request arrive in pieces of a size.
func arrive(request []byte, piece int, set ...Member) (body, hashed []byte, members []strictjson.Member, early int, err error) {
	var hash recordedHash
	b := &Builder{settings: Settings{Buffers: new(Buffers), Hash: &hash, Rehash: hash.Reset, Limit: 2_000_000}}
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
		return nil, nil, nil, 0, b.err
	}
	b.hash()
	return b.buf, hash.Bytes(), members, early, nil
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
				body, hashed, members, _, err := arrive([]byte(tt.request), piece, Member{Name: "session", Value: "s-1"})
				require.NoError(t, err)
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
