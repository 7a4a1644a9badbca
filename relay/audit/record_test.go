package audit

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// full returns a record with every field set.
func full() Record {
	return Record{
		Time: time.Date(2026, 11, 25, 19, 58, 34, 120, time.FixedZone("", 3600)), Kind: KindRequest, RequestID: "r-1",
		User: "u", Endpoint: "/v1/face/auth", Action: `a "b" \ é 😀 </script>`, Fingerprint: "f", Size: 1, Status: 422, Codes: []int{101, 102},
		Scores: []Measure{{"face", 0}, {"liveliness", 1e-7}}, Thresholds: []Measure{{"face", 0.9}}, Decision: "retake", Outcome: "refused", Reason: "no face", Count: 2,
	}
}

// body returns the members of a record as an object.
func body(t *testing.T, r Record) []byte {
	t.Helper()
	members, err := r.appendBody([]byte("{"))
	require.NoError(t, err)
	return append(members, '}')
}

func TestRecord_Line(t *testing.T) {
	t.Parallel()
	text := body(t, full())
	assert.Equal(t, `{"time":"2026-11-25T18:58:34.000000120Z","kind":"request","request_id":"r-1","user":"u","endpoint":"/v1/face/auth",`+
		`"action":"a \"b\" \\ \u00e9 \ud83d\ude00 \u003c/script\u003e","fingerprint":"f","size":1,"status":422,"codes":[101,102],`+
		`"scores":[{"name":"face","value":0},{"name":"liveliness","value":1e-07}],"thresholds":[{"name":"face","value":0.9}],`+
		`"decision":"retake","outcome":"refused","reason":"no face","count":2}`, string(text))
	var got Record
	require.NoError(t, json.Unmarshal(text, &got))
	want := full()
	want.Time = want.Time.UTC()
	assert.Equal(t, want, got)
	zero := body(t, Record{Kind: KindKeys, Time: time.Unix(0, 0)})
	assert.JSONEq(t, `{"time":"1970-01-01T00:00:00.000000000Z","kind":"keys"}`, string(zero), "a score that is unknown is not 0")
}

func TestRecord_TextsAreBoundedAndEscaped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a line of its own":          {"x\n{\"chain\":\"\r\n", "x\n{\"chain\":\"\r\n"},
		"terminal":                   {"\x1b[2J\u009b2J\x7f\x00", "\x1b[2J\u009b2J\x7f\x00"},
		"direction of text":          {"\u202eabc\u2066", "\u202eabc\u2066"},
		"no UTF-8":                   {"a\xffb\xc3", "a\ufffdb\ufffd"},
		"as long as allowed":         {strings.Repeat("x", maxID), strings.Repeat("x", maxID)},
		"longer":                     {strings.Repeat("x", maxID+1), strings.Repeat("x", maxID) + "…"},
		"a character at the bound":   {strings.Repeat("x", maxID-1) + "é", strings.Repeat("x", maxID-1) + "…"},
		"a long character there":     {strings.Repeat("x", maxID-3) + "😀", strings.Repeat("x", maxID-3) + "…"},
		"a character before it":      {strings.Repeat("x", maxID-4) + "😀y", strings.Repeat("x", maxID-4) + "😀…"},
		"no UTF-8 at the bound":      {strings.Repeat("\xff", 2*maxID), strings.Repeat("\ufffd", maxID-utf8.UTFMax) + "…"},
		"a photo that was passed in": {strings.Repeat("/9j/4AAQ", 100_000), strings.Repeat("/9j/4AAQ", maxID/8) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := body(t, Record{Kind: KindRequest, RequestID: c.text})
			for _, b := range text {
				require.True(t, b >= ' ' && b < 0x7f, "%q", b)
			}
			var got Record
			require.NoError(t, json.Unmarshal(text, &got))
			assert.Equal(t, c.want, got.RequestID)
		})
	}
}

func TestRecord_LineIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x00", 1<<20)
	r := Record{
		Kind: Kind(long), RequestID: long, User: Pseudonym(long), Endpoint: long, Action: long, Fingerprint: Fingerprint(long),
		Size: math.MinInt64, Status: math.MinInt, Decision: long, Outcome: long, Reason: long, Count: math.MinInt64,
	}
	for range maxList {
		r.Codes = append(r.Codes, math.MinInt)
		r.Scores = append(r.Scores, Measure{long, -math.SmallestNonzeroFloat64})
		r.Thresholds = append(r.Thresholds, Measure{long, -math.MaxFloat64})
	}
	members, err := r.appendBody(nil)
	require.NoError(t, err)
	assert.Less(t, recordSize(members), maxLine)

	folder := t.TempDir()
	l := mustOpen(t, folder, WithMaxQueue(1))
	require.NoError(t, l.Append(t.Context(), r))
	require.NoError(t, l.Close())
	requireIntact(t, folder, l.Checkpoint())
}

func TestRecord_InvalidIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := mustOpen(t, folder)
	for name, r := range map[string]Record{
		"no kind":         {},
		"a start":         {Kind: KindStart},
		"a stop":          {Kind: KindStop},
		"no number":       {Kind: KindScore, Scores: []Measure{{"face", math.NaN()}}},
		"infinite":        {Kind: KindScore, Thresholds: []Measure{{"face", math.Inf(1)}}},
		"many codes":      {Kind: KindScore, Codes: make([]int, maxList+1)},
		"many scores":     {Kind: KindScore, Scores: make([]Measure, maxList+1)},
		"many thresholds": {Kind: KindScore, Thresholds: make([]Measure, maxList+1)},
		"a far year":      {Kind: KindScore, Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		require.ErrorIs(t, l.Append(t.Context(), r), ErrInvalidRecord, name)
		require.ErrorIs(t, l.Add(r), ErrInvalidRecord, name)
	}
	require.NoError(t, l.Close())
	assert.EqualValues(t, 2, requireIntact(t, folder).Chains[0].Last)
}

// TestLine_DocumentedFormat computes the hash of a record as the package documentation
// describes it, from the bytes of the file.
func TestLine_DocumentedFormat(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := mustOpen(t, folder)
	require.NoError(t, l.Append(t.Context(), full()))
	p := l.Checkpoint()
	require.NoError(t, l.Close())
	text, err := os.ReadFile(filepath.Join(folder, l.out.name.String()))
	require.NoError(t, err)
	lines := bytes.Split(text, []byte("\n"))
	require.Len(t, lines, 5, "header, start, record, stop")

	key, err := hkdf.Key(sha256.New, testKey(), nil, "aimbrain audit lines", 32)
	require.NoError(t, err)
	var hashes []string
	for _, line := range lines[:4] {
		signed, _, found := bytes.Cut(line, []byte(`,"mac":`))
		require.True(t, found)
		h := hmac.New(sha256.New, key)
		h.Write(signed)
		var members struct {
			Chain, Prev, MAC string
			Seq              uint64
		}
		require.NoError(t, json.Unmarshal(line, &members))
		assert.Equal(t, hex.EncodeToString(h.Sum(nil)), members.MAC)
		assert.Equal(t, p.Chain, members.Chain)
		hashes = append(hashes, members.MAC)
		if n := len(hashes); n > 2 {
			assert.Equal(t, hashes[n-2], members.Prev)
			assert.EqualValues(t, n-1, members.Seq)
		}
	}
	assert.Equal(t, p.Hash, hashes[2])
}

func TestPseudonymOf_DependsOnKeyAndUser(t *testing.T) {
	t.Parallel()
	other := bytes.Repeat([]byte("k"), minKey)
	// printf 'aimbrain audit pseudonym\0alice' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
	assert.EqualValues(t, "97e0ca0d85faba8d73ece596384146f3a2aca89349619a471208caf229c9816e", PseudonymOf(testKey(), "alice"))
	assert.NotEqual(t, PseudonymOf(testKey(), "alice"), PseudonymOf(testKey(), "bob"))
	assert.NotEqual(t, PseudonymOf(testKey(), "alice"), PseudonymOf(other, "alice"))
}

func TestFingerprint_DependsOnKeyAndRequest(t *testing.T) {
	t.Parallel()
	a, b := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	other, err := Open(t.TempDir(), bytes.Repeat([]byte("k"), minKey))
	require.NoError(t, err)
	request := sha256.Sum256([]byte("body"))
	f := a.Fingerprint(request)
	assert.Len(t, f, hashSize)
	assert.Equal(t, f, b.Fingerprint(request), "the same in each chain of the key")
	assert.NotEqual(t, f, a.Fingerprint(sha256.Sum256(nil)))
	assert.NotEqual(t, f, other.Fingerprint(request))
	assert.NotEqual(t, string(f), hex.EncodeToString(request[:]))
	for _, l := range []*Log{a, b, other} {
		require.NoError(t, l.Close())
	}
}
