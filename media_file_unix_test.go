//go:build unix

package aimbrain_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// TestFiles_OnlyRegularFilesOfUnix tests files that are not regular: opening a
// named pipe blocks until a writer opens it, and /dev/zero has no end.
func TestFiles_OnlyRegularFilesOfUnix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(fifo, link))
	refusesFile(t, fifo, "a named pipe")
	refusesFile(t, link, "a named pipe")
	refusesFile(t, "/dev/zero", "a device")

	short, err := os.MkdirTemp("", "s") //nolint:usetesting // an address has about 100 bytes at most
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(short) }()
	address := filepath.Join(short, "s")
	listener, err := net.Listen("unix", address) //nolint:noctx // it listens at once
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	refusesFile(t, address, "a socket")
}

// TestReaders_Pipe tests a Read that blocks in the kernel and not on a channel.
func TestReaders_Pipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	fifo, err := os.OpenFile(path, os.O_RDWR, 0) // does not wait for a writer, and has no end
	require.NoError(t, err)
	defer func() { _ = fifo.Close() }()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	reader := readerFunc(func(p []byte) (int, error) {
		cancel()
		defer close(ended)
		return fifo.Read(p)
	})
	_, err = client.Face.Enroll(ctx, sessionID, aimbrain.Readers(reader))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
	assert.Zero(t, transport.GetTotalCallCount())
	require.NoError(t, fifo.Close()) // ends the Read
	<-ended
}

// TestFiles_AreClosedWhenCallReturns tests that a call closes the files that it
// has opened, for whatever reason it ends.
func TestFiles_AreClosedWhenCallReturns(t *testing.T) {
	t.Parallel()
	const descriptors = "/proc/self/fd"
	if _, err := os.Stat(descriptors); err != nil {
		t.Skip("no list of descriptors on this system")
	}
	for name, content := range map[string]string{
		"sent":           strings.Repeat("face", 20_000),
		"too large":      strings.Repeat("face", 500_000),
		"empty":          "",
		"base64 already": "/9j/" + strings.Repeat("face", 20_000),
	} {
		path := written(t, content)
		client, _ := responding(t, 200, `{"imagesCount":1}`)
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Files(path))
		assert.Equal(t, name != "sent", err != nil, name)
		open, err := os.ReadDir(descriptors)
		require.NoError(t, err)
		for _, descriptor := range open {
			target, _ := os.Readlink(filepath.Join(descriptors, descriptor.Name()))
			assert.NotEqual(t, path, target, name)
		}
	}
}
