package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzVerify reads arbitrary bytes as a file of a trail. A file that Verify accepts has
// the bytes of the original, or is a beginning of it, and Open accepts any.
func FuzzVerify(f *testing.F) {
	source := f.TempDir()
	l, err := Open(source, testKey())
	require.NoError(f, err)
	require.NoError(f, l.Append(f.Context(), full()))
	end := l.Checkpoint()
	require.NoError(f, l.Append(f.Context(), request(1)))
	require.NoError(f, l.Close())
	name := l.out.name.String()
	original, err := os.ReadFile(filepath.Join(source, name))
	require.NoError(f, err)

	// A mutation of the original is given as a place, what is cut there and what is
	// inserted: the original differs from run to run.
	f.Add(uint16(0), uint16(0), []byte(nil))
	f.Add(uint16(0), uint16(65535), []byte("{\"audit\":1,\n{}\n\n\x00\x00"))
	f.Add(uint16(300), uint16(1), []byte("x"))
	f.Add(uint16(400), uint16(0), []byte("\n"))
	f.Add(uint16(65535), uint16(0), []byte("torn"))
	f.Fuzz(func(t *testing.T, place, length uint16, insert []byte) {
		folder := t.TempDir()
		from := min(int(place), len(original))
		to := min(from+int(length), len(original))
		text := append(bytes.Clone(original[:from]), insert...)
		text = append(text, original[to:]...)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
		r := mustVerify(t, folder, end)
		assert.LessOrEqual(t, len(r.Findings), maxFindings)
		for _, finding := range r.Findings {
			assert.NotEmpty(t, finding.String())
		}
		if r.OK() {
			complete := text[:bytes.LastIndexByte(text, '\n')+1]
			assert.True(t, bytes.HasPrefix(original, complete), "accepted: %q", text)
			assert.GreaterOrEqual(t, r.Chains[0].Last, end.Sequence)
		}
		next, err := Open(folder, testKey())
		require.NoError(t, err)
		require.NoError(t, next.Close())
		for _, finding := range mustVerify(t, folder, next.Checkpoint()).Findings {
			assert.False(t, finding.Chain == next.chain && finding.Kind != FoundForked, finding.String())
		}
	})
}

// FuzzName reads arbitrary names of files.
func FuzzName(f *testing.F) {
	f.Add("audit-000001-" + strings.Repeat("a", idSize) + "-000001.jsonl")
	f.Add("audit-18446744073709551615-" + strings.Repeat("a", idSize) + "-1.jsonl")
	f.Fuzz(func(t *testing.T, name string) {
		if n, ok := parseName(name); ok {
			again, ok := parseName(n.String())
			assert.True(t, ok)
			assert.Equal(t, n, again)
			assert.Equal(t, filepath.Base(name), name)
		}
	})
}
