//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package audit

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLock_ReleaseDoesNotWaitForChildren has a second descriptor of the lock, as a
// child process has between fork and exec.
func TestLock_ReleaseDoesNotWaitForChildren(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), lockName)
	first, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, lockFile(first))
	child, err := syscall.Dup(int(first.Fd()))
	require.NoError(t, err)
	defer func() { _ = syscall.Close(child) }()
	second, err := os.OpenFile(path, os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.ErrorIs(t, lockFile(second), syscall.EWOULDBLOCK)
	unlockFile(first)
	require.NoError(t, lockFile(second))
	unlockFile(second)
}
