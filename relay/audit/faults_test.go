package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A brokenDisk is the real disk, whose calls fail when the test says so.
type brokenDisk struct {
	mu       sync.Mutex
	fail     map[string]int // how many of the next calls fail: create, write, short, sync, folder, remove; -1 for all
	syncs    int
	gate     chan struct{} // if not nil, Sync takes from it before it returns
	entered  chan struct{} // if not nil, Sync sends to it first
	misused  []string      // calls to a file after it failed
	attempts int           // to create a file
}

var errBroken = errors.New("the disk is broken")

func (d *brokenDisk) fails(call string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.fail[call]
	if n > 0 {
		d.fail[call]--
	}
	return n != 0
}

func (d *brokenDisk) set(call string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail[call] = n
}

func (d *brokenDisk) disk() disk {
	actual := realDisk()
	return disk{
		create: func(path string) (file, error) {
			d.mu.Lock()
			d.attempts++
			d.mu.Unlock()
			if d.fails("create") {
				return nil, errBroken
			}
			f, err := actual.create(path)
			return &brokenFile{disk: d, file: f, path: path}, err
		},
		remove: func(path string) error {
			if d.fails("remove") {
				return errBroken
			}
			return actual.remove(path)
		},
		syncFolder: func(folder string) error {
			if d.fails("folder") {
				return errBroken
			}
			return actual.syncFolder(folder)
		},
	}
}

type brokenFile struct {
	file
	disk   *brokenDisk
	path   string
	failed bool
}

func (f *brokenFile) use(call string) bool {
	if f.failed {
		f.disk.mu.Lock()
		f.disk.misused = append(f.disk.misused, call)
		f.disk.mu.Unlock()
	}
	f.failed = f.failed || f.disk.fails(call)
	return !f.failed
}

func (f *brokenFile) Write(b []byte) (int, error) {
	if !f.use("write") {
		n, _ := f.file.Write(b[:len(b)/2]) // a disk that becomes full takes a part
		return n, errBroken
	}
	if f.disk.fails("short") {
		f.failed = true
		return f.file.Write(b[:len(b)-1])
	}
	return f.file.Write(b)
}

func (f *brokenFile) Sync() error {
	f.disk.mu.Lock()
	gate, entered := f.disk.gate, f.disk.entered
	f.disk.syncs++
	f.disk.mu.Unlock()
	if entered != nil {
		entered <- struct{}{}
	}
	if gate != nil {
		<-gate
	}
	if !f.use("sync") {
		return errBroken
	}
	return f.file.Sync()
}

func openBroken(t *testing.T, folder string, opts ...Option) (*Log, *brokenDisk) {
	t.Helper()
	d := &brokenDisk{fail: map[string]int{}}
	l, err := open(folder, testKey(), d.disk(), opts...)
	require.NoError(t, err)
	return l, d
}

func TestAppend_OneFaultGoesToNewFile(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"write", "short", "sync"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			l, d := openBroken(t, folder)
			require.NoError(t, l.Append(t.Context(), request(0)))
			d.set(call, 1)
			require.NoError(t, l.Append(t.Context(), request(1)))
			require.NoError(t, l.Append(t.Context(), request(2)))
			require.NoError(t, l.Err())
			require.NoError(t, l.Close())
			assert.Empty(t, d.misused, "a file that failed is not used again")

			r := requireIntact(t, folder, l.Checkpoint())
			require.Len(t, r.Chains[0].Files, 2)
			assert.EqualValues(t, 5, r.Chains[0].Last)
			assert.Equal(t, 2, r.Chains[0].Files[0].Records, "start and 0")
			assert.Equal(t, 3, r.Chains[0].Files[1].Records, "1, 2 and stop")
			for _, f := range r.Chains[0].Files {
				text, err := os.ReadFile(filepath.Join(folder, f.Name))
				require.NoError(t, err)
				assert.Equal(t, strings.HasSuffix(f.Name, "-000002.jsonl"), strings.Contains(string(text), `"abandoned":true`))
			}
		})
	}
}

func TestAppend_ErrorWhenNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls  []string
		leaves int // files beside the first
	}{
		"no file can be created":         {calls: []string{"write", "create"}},
		"no write succeeds":              {calls: []string{"write"}},
		"no fsync succeeds":              {calls: []string{"sync"}},
		"no folder can be synchronised":  {calls: []string{"sync", "folder"}},
		"the new files stay as they are": {calls: []string{"sync", "remove"}, leaves: 9},
		"new files stay with half lines": {calls: []string{"write", "remove"}, leaves: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			l, d := openBroken(t, folder)
			require.NoError(t, l.Append(t.Context(), request(0)))
			for _, call := range c.calls {
				d.set(call, -1)
			}
			durable := l.Checkpoint()
			for n := range 5 {
				err := l.Append(t.Context(), request(1+n))
				require.ErrorIs(t, err, ErrNotDurable)
				require.ErrorIs(t, err, errBroken)
				require.ErrorIs(t, l.Err(), errBroken)
			}
			assert.Equal(t, durable, l.Checkpoint())
			files, err := list(folder)
			require.NoError(t, err)
			assert.Len(t, files, 1+c.leaves, "attempts leave no files")
			requireIntact(t, folder, durable)

			for _, call := range c.calls {
				d.set(call, 0)
			}
			require.NoError(t, l.Append(t.Context(), request(6)))
			require.NoError(t, l.Err())
			requireIntact(t, folder, durable, l.Checkpoint())
			require.NoError(t, l.Close())
			r := requireIntact(t, folder, durable, l.Checkpoint())
			assert.EqualValues(t, 9, r.Chains[0].Last, "start, 7 records, stop: what could not be written was written later")
			assert.Empty(t, d.misused)
			ids := requestIDs(t, folder)
			for n := range 7 {
				assert.Contains(t, ids, fmt.Sprintf("r-%06d", n))
			}
		})
	}
}

// TestAppend_FileNameIsDurable has a folder whose names cannot be made durable: a file
// that a crash removes holds no acknowledged record.
func TestAppend_FileNameIsDurable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, d := openBroken(t, folder, WithMaxFileSize(1))
	d.set("folder", -1)
	require.ErrorIs(t, l.Append(t.Context(), request(0)), ErrNotDurable)
	d.set("folder", 0)
	require.NoError(t, l.Close())
	requireIntact(t, folder, l.Checkpoint())
}

func TestAppend_ErrorWithFullQueueOnBrokenDisk(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, d := openBroken(t, folder, WithMaxQueue(1)) // 128 KiB
	d.set("sync", -1)
	var err error
	for n := range 1000 {
		require.ErrorIs(t, l.Append(t.Context(), request(n)), errBroken)
		if err = l.Add(request(n)); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, ErrFull)
	require.ErrorIs(t, l.Append(t.Context(), request(1)), errBroken)
	l.mu.Lock()
	assert.LessOrEqual(t, l.batch+len(l.queue), minQueue)
	l.mu.Unlock()
	require.ErrorIs(t, l.Close(), ErrNotDurable)
	require.ErrorIs(t, l.Close(), errBroken)
	requireIntact(t, folder)
	next := mustOpen(t, folder) // the folder is released
	require.NoError(t, next.Close())
	requireIntact(t, folder, next.Checkpoint())
}

func TestAppend_OneSyncForAllThatWait(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, d := openBroken(t, folder)
	const n = 64
	d.mu.Lock()
	d.gate, d.entered = make(chan struct{}), make(chan struct{}, n)
	before := d.syncs
	d.mu.Unlock()
	results := make(chan error, n)
	go func() { results <- l.Append(t.Context(), request(0)) }()
	<-d.entered // the first commit is in its fsync
	for i := 1; i < n; i++ {
		go func() { results <- l.Append(t.Context(), request(i)) }()
	}
	for queued := 0; queued < n-1; { // until all the others are queued
		l.mu.Lock()
		queued = int(l.last.sequence) - 2
		l.mu.Unlock()
	}
	assert.EqualValues(t, 1, l.Checkpoint().Sequence, "nothing is durable before its fsync")
	close(d.gate)
	for range n {
		require.NoError(t, <-results)
	}
	d.mu.Lock()
	assert.Equal(t, 2, d.syncs-before)
	d.mu.Unlock()
	require.NoError(t, l.Close())
	requireIntact(t, folder, l.Checkpoint())
	assert.Len(t, requestIDs(t, folder), n)
}

func TestAppend_EndsWithContext(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, d := openBroken(t, folder, WithMaxQueue(1))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err := l.Append(cancelled, request(0))
	require.ErrorIs(t, err, ErrNotDurable)
	require.ErrorIs(t, err, context.Canceled)

	d.mu.Lock()
	d.gate, d.entered = make(chan struct{}), make(chan struct{}, 10)
	d.mu.Unlock()
	ctx, fail := context.WithCancelCause(t.Context())
	results := make(chan error, 2)
	go func() { results <- l.Append(ctx, request(1)) }()
	<-d.entered
	for err = nil; err == nil; { // a disk that hangs fills the queue
		err = l.Add(request(2))
	}
	require.ErrorIs(t, err, ErrFull)
	go func() { results <- l.Append(ctx, request(3)) }() // waits for room
	fail(io.ErrUnexpectedEOF)
	for range 2 {
		err := <-results
		require.ErrorIs(t, err, ErrNotDurable)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	close(d.gate)
	require.NoError(t, l.Append(t.Context(), request(4)))
	require.NoError(t, l.Close())
	requireIntact(t, folder, l.Checkpoint())
	ids := requestIDs(t, folder)
	assert.Equal(t, 1, ids["r-000001"])
	assert.Greater(t, ids["r-000002"], 100)
	assert.Zero(t, ids["r-000000"])
	assert.Zero(t, ids["r-000003"])
	assert.Equal(t, 1, ids["r-000004"])
}

func TestLog_ManyAtOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l, d := openBroken(t, folder, WithMaxFileSize(20<<10))
	const workers, each = 16, 30
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				r := request(w*each + n)
				switch {
				case n%5 == 4:
					assert.NoError(t, l.Add(r))
				case n%10 == 3 && w == 0:
					d.set("sync", 1)
					assert.NoError(t, l.Append(t.Context(), r))
				default:
					assert.NoError(t, l.Append(t.Context(), r))
				}
				_ = l.Checkpoint()
				_ = l.Fingerprint([32]byte{byte(n)})
			}
		})
	}
	for range 3 {
		requireIntact(t, folder, l.Checkpoint()) // in use
	}
	wg.Wait()
	require.NoError(t, l.Close())
	r := requireIntact(t, folder, l.Checkpoint())
	assert.EqualValues(t, workers*each+2, r.Chains[0].Last)
	ids := requestIDs(t, folder)
	assert.Len(t, ids, workers*each)
}

func TestOpen_TornEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tear func(path string, size int64) error
		torn bool
		last uint64
	}{
		"the last line is torn":       {tear: func(p string, n int64) error { return os.Truncate(p, n-10) }, torn: true, last: 3},
		"only its newline is missing": {tear: func(p string, n int64) error { return os.Truncate(p, n-1) }, torn: true, last: 3},
		"pages of zeros":              {tear: func(p string, n int64) error { return os.Truncate(p, n+20_000) }, torn: true, last: 4},
		"more zeros than is searched": {tear: func(p string, n int64) error { return os.Truncate(p, n+20*maxLine) }, torn: true, last: 4},
		"zeros up to within a line":   {tear: func(p string, n int64) error { return os.Truncate(p, n-10+16*maxLine) }, torn: true, last: 4},
		"a part of the header":        {tear: func(p string, _ int64) error { return os.Truncate(p, 50) }, torn: true},
		"nothing":                     {tear: func(p string, _ int64) error { return os.Truncate(p, 0) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			require.NoError(t, mustOpen(t, folder).Close())
			l := mustOpen(t, folder)
			for n := range 3 {
				require.NoError(t, l.Append(t.Context(), request(n)))
			}
			require.NoError(t, l.Close())
			path := filepath.Join(folder, l.out.name.String())
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			stop := strings.LastIndex(strings.TrimSuffix(string(text), "\n"), "\n") + 1
			require.NoError(t, os.Truncate(path, int64(stop))) // as if it had not been closed
			require.NoError(t, c.tear(path, int64(stop)))

			for range 2 {
				require.NoError(t, mustOpen(t, folder).Close())
			}
			r := requireIntact(t, folder)
			require.Len(t, r.Chains, 4)
			assert.Equal(t, c.torn, r.Chains[1].Torn)
			assert.Equal(t, c.last, r.Chains[1].Last)
			assert.False(t, r.Chains[1].Stopped)
			assert.True(t, r.Chains[2].Stopped)
		})
	}
}

func TestOpen_WhateverIsThere(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(folder string) error{
		"bytes": func(folder string) error {
			return os.WriteFile(filepath.Join(folder, planted(1)), []byte("x\ny\n\n{"), 0o600)
		},
		"numbers": func(folder string) error { return os.WriteFile(filepath.Join(folder, planted(maxNumber)), nil, 0o600) },
		"folder":  func(folder string) error { return os.Mkdir(filepath.Join(folder, planted(1)), 0o700) },
		"link":    func(folder string) error { return os.Symlink("/nowhere", filepath.Join(folder, planted(1))) },
		"other":   func(folder string) error { return os.WriteFile(filepath.Join(folder, "audit-1.jsonl"), nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			require.NoError(t, plant(folder))
			for range 2 {
				l := mustOpen(t, folder)
				require.NoError(t, l.Append(t.Context(), request(1)))
				require.NoError(t, l.Close())
				for _, f := range mustVerify(t, folder, l.Checkpoint()).Findings {
					assert.NotEqual(t, l.chain, f.Chain)
				}
			}
		})
	}
}

func planted(number uint64) string { return fileName{number, strings.Repeat("e", idSize), 1}.String() }

// TestAdd_BecomesDurableByItself adds records that nobody waits for, also while the
// disk is broken.
func TestAdd_BecomesDurableByItself(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l, d := openBroken(t, folder)
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		require.NoError(t, l.Add(request(0)))
		synctest.Wait()
		assert.EqualValues(t, 1, l.Checkpoint().Sequence, "it waits for others")
		require.NoError(t, l.Add(request(1)))
		pass(lazyDelay)
		assert.EqualValues(t, 3, l.Checkpoint().Sequence)

		d.set("sync", -1)
		require.NoError(t, l.Add(request(2)))
		pass(lazyDelay)
		require.ErrorIs(t, l.Err(), errBroken)
		d.set("sync", 0)
		pass(retryDelay)
		require.NoError(t, l.Err())
		assert.EqualValues(t, 4, l.Checkpoint().Sequence)
		require.NoError(t, l.Close())
	})
	requireIntact(t, folder)
}
