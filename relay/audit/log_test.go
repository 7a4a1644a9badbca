package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testKey() []byte { return []byte("0123456789abcdef0123456789abcdef") }

// request returns a record whose line always has the same length.
func request(n int) Record {
	return Record{
		Kind: KindRequest, RequestID: fmt.Sprintf("r-%06d", n), User: "9d5e", Endpoint: "/v1/face/auth",
		Action: "payment:1", Fingerprint: "aa", Size: 667_000, Status: 200,
		Scores: []Measure{{"face", 0.97}}, Thresholds: []Measure{{"face", 0.9}}, Decision: "accepted", Outcome: "succeeded",
	}
}

func mustOpen(t testing.TB, folder string, opts ...Option) *Log {
	t.Helper()
	l, err := Open(folder, testKey(), opts...)
	require.NoError(t, err)
	return l
}

func mustVerify(t testing.TB, folder string, checkpoints ...Checkpoint) Report {
	t.Helper()
	r, err := Verify(t.Context(), folder, [][]byte{testKey()}, checkpoints)
	require.NoError(t, err)
	return r
}

// requireIntact fails the test if Verify finds anything.
func requireIntact(t testing.TB, folder string, checkpoints ...Checkpoint) Report {
	t.Helper()
	r := mustVerify(t, folder, checkpoints...)
	require.Empty(t, r.Findings)
	return r
}

// records returns the records of all files of a folder, without headers.
func records(t testing.TB, folder string) []Record {
	t.Helper()
	files, err := list(folder)
	require.NoError(t, err)
	var all []Record
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, f.base))
		require.NoError(t, err)
		for line := range bytes.Lines(text) {
			if bytes.HasPrefix(line, []byte(headerMark)) || !bytes.HasSuffix(line, []byte("\n")) {
				continue
			}
			var r Record
			require.NoError(t, json.Unmarshal(line, &r))
			all = append(all, r)
		}
	}
	return all
}

// requestIDs returns the request identifiers of all records that have one, with how
// often each is there.
func requestIDs(t testing.TB, folder string) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for _, r := range records(t, folder) {
		if r.RequestID != "" {
			ids[r.RequestID]++
		}
	}
	return ids
}

func TestLog_RecordsAreWritten(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder")
	l := mustOpen(t, folder)
	for n := range 5 {
		require.NoError(t, l.Append(t.Context(), request(n)))
	}
	require.NoError(t, l.Add(request(5)))
	middle := l.Checkpoint()
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	end := l.Checkpoint()
	assert.EqualValues(t, 8, end.Sequence, "start, 6 records and stop")

	r := requireIntact(t, folder, middle, end)
	require.Len(t, r.Chains, 1)
	c := r.Chains[0]
	assert.True(t, c.Stopped)
	assert.False(t, c.Torn)
	assert.EqualValues(t, 1, c.First)
	assert.EqualValues(t, 8, c.Last)
	assert.Equal(t, end, c.Files[0].End)
	assert.Equal(t, 8, c.Files[0].Records)

	all := records(t, folder)
	require.Len(t, all, 8)
	for n, got := range all[1:7] {
		want := request(n)
		want.Time = got.Time
		assert.Equal(t, want, got)
		assert.Equal(t, "UTC", got.Time.Location().String())
	}
	require.ErrorIs(t, l.Append(t.Context(), request(9)), ErrClosed)
	require.ErrorIs(t, l.Add(request(9)), ErrClosed)
}

func TestLog_BeginsNewFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := mustOpen(t, folder, WithMaxFileSize(1500))
	for n := range 20 {
		require.NoError(t, l.Append(t.Context(), request(n)))
	}
	require.NoError(t, l.Close())
	r := requireIntact(t, folder, l.Checkpoint())
	assert.Greater(t, len(r.Chains[0].Files), 5)
	for _, f := range r.Chains[0].Files {
		info, err := os.Stat(filepath.Join(folder, f.Name))
		require.NoError(t, err)
		assert.Less(t, info.Size(), int64(1500+600))
	}
}

func TestOpen_LocksFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := mustOpen(t, folder)
	_, err := Open(folder, testKey())
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, l.Close())
	require.NoError(t, mustOpen(t, folder).Close())
	assert.Len(t, requireIntact(t, folder).Chains, 2)
}

func TestOpen_ErrorUnlocksFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	broken := realDisk()
	broken.create = func(string) (file, error) { return nil, os.ErrPermission }
	_, err := open(folder, testKey(), broken)
	require.ErrorIs(t, err, os.ErrPermission)
	require.NoError(t, mustOpen(t, folder).Close())
}

func TestOpen_RefusesShortKeys(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "none")
	_, err := Open(folder, testKey()[:31])
	require.ErrorIs(t, err, ErrInvalidKey)
	assert.NoDirExists(t, folder)
	_, err = Verify(t.Context(), t.TempDir(), [][]byte{nil}, nil)
	require.ErrorIs(t, err, ErrInvalidKey)
	assert.Panics(t, func() { PseudonymOf(nil, "user") })
}

func TestLog_KeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, t.TempDir())
	defer func() { require.NoError(t, l.Close()) }()
	text := fmt.Sprintf("%+v %#v", l.keyed, l.keyed)
	for _, form := range []string{string(testKey()), fmt.Sprint(testKey()), fmt.Sprintf("%x", testKey()), fmt.Sprintf("%#v", testKey())} {
		assert.NotContains(t, text, strings.Trim(form, "[]"))
	}
}
