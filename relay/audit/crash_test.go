package audit

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const crashes = "AUDIT_TEST_CRASHES"

// TestCrash_NoAcknowledgedRecordIsMissing kills a process in the middle of appends,
// several times in the same folder.
func TestCrash_NoAcknowledgedRecordIsMissing(t *testing.T) {
	t.Parallel()
	if os.Getenv(crashes) != "" {
		appendUntilKilled(t, ".")
		return
	}
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes")
	}
	folder := t.TempDir()
	var acknowledged []string
	var checkpoints []Checkpoint
	for round := range 3 {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrash_NoAcknowledgedRecordIsMissing$", "-test.timeout=1m")
		command.Dir = folder
		command.Env = append(os.Environ(), crashes+"=1")
		var stderr bytes.Buffer
		command.Stderr = &stderr
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var id string
			var p Checkpoint
			if _, err := fmt.Sscan(lines.Text(), &id, &p.Chain, &p.Sequence, &p.Hash); err == nil && len(p.Hash) == hashSize {
				acknowledged = append(acknowledged, id)
				checkpoints = append(checkpoints, p)
			}
			if n == 0 {
				_, err := Open(folder, testKey())
				require.ErrorIs(t, err, ErrLocked, "another process has the folder")
			}
			if n == 100+50*round {
				require.NoError(t, command.Process.Kill())
			}
		}
		require.Error(t, command.Wait(), stderr.String())
	}
	require.Greater(t, len(acknowledged), 300)

	r := requireIntact(t, folder, checkpoints...)
	require.Len(t, r.Chains, 3)
	ids := requestIDs(t, folder)
	for _, id := range acknowledged {
		assert.Equal(t, 1, ids[id], id)
	}
	l := mustOpen(t, folder)
	require.NoError(t, l.Close())
	requireIntact(t, folder, append(checkpoints, l.Checkpoint())...)
}

// appendUntilKilled prints a line for each record that is durable.
func appendUntilKilled(t *testing.T, folder string) {
	t.Helper()
	l := mustOpen(t, folder, WithMaxFileSize(16<<10))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range 8 {
		wg.Go(func() {
			for n := range 10_000 {
				r := request(n)
				r.RequestID = fmt.Sprintf("%d-%d-%d", os.Getpid(), w, n)
				if err := l.Append(t.Context(), r); err != nil {
					return
				}
				p := l.Checkpoint()
				mu.Lock()
				_, _ = fmt.Fprintln(os.Stdout, r.RequestID, p.Chain, p.Sequence, p.Hash)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
