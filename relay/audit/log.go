package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

const (
	lazyDelay  = 100 * time.Millisecond // how long a record of Add waits for company
	retryDelay = time.Second            // between attempts that nobody waits for
	minQueue   = 2 * maxLine
)

// A Log writes a chain of records. It is safe for concurrent use.
type Log struct {
	out     *output // of the writer alone
	keyed   keyed   // its mac under mu
	release func()
	wake    chan struct{} // somebody waits for a commit
	soon    chan struct{} // there is something to write
	ended   chan struct{} // closed when the writer has ended
	limit   int
	chain   string

	mu      sync.Mutex
	queue   []byte   // lines for the next commit
	batch   int      // bytes of the lines in the present commit, or left by a failed one
	last    position // of the queue
	durable position
	next    *commit // of what is queued now
	err     error   // of the last commit
	closed  bool
}

// A commit is one attempt to make lines durable.
type commit struct {
	done chan struct{} // closed after the attempt
	err  error         // set before
}

func newCommit() *commit { return &commit{done: make(chan struct{})} }

// An Option is a setting of [Open].
type Option func(*settings)

type settings struct {
	maxFile  int64
	maxQueue int
}

// WithMaxFileSize returns an option that begins a new file when the present one has
// this many bytes, 64 MiB by default. A file may be larger by what is written at once.
func WithMaxFileSize(bytes int64) Option { return func(s *settings) { s.maxFile = max(bytes, 1) } }

// WithMaxQueue returns an option that bounds the bytes of records that are not durable
// yet, 4 MiB by default and 128 KiB at least. Add returns [ErrFull] beyond it, and
// Append waits.
func WithMaxQueue(bytes int) Option { return func(s *settings) { s.maxQueue = max(bytes, minQueue) } }

// Open begins a chain in a folder, which it makes if it does not exist, and returns
// when its first record is durable. The folder is for audit files alone, and for one
// process: Open returns [ErrLocked] while another Log has it open. The key has 32
// random bytes or more, and Open derives others from it. To change the key, close the
// log and open another one.
//
// What is in the folder does not prevent Open, also not a torn line, which a crash in
// the middle of a write leaves.
func Open(folder string, key []byte, opts ...Option) (*Log, error) {
	return open(folder, key, realDisk(), opts...)
}

func open(folder string, key []byte, d disk, opts ...Option) (*Log, error) {
	s := settings{maxFile: 64 << 20, maxQueue: 4 << 20}
	for _, o := range opts {
		o(&s)
	}
	lines, err := derive(key)
	if err != nil {
		return nil, err
	}
	headers, err := derive(key) // the writer's own: a mac is not for concurrent use
	if err != nil {
		return nil, err
	}
	if err := makeFolder(folder); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	release, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	previous, number, err := lastChain(folder)
	if err != nil {
		release()
		return nil, fmt.Errorf("audit: %w", err)
	}
	random := make([]byte, idSize/2)
	_, _ = rand.Read(random) // it never fails
	id := hex.EncodeToString(random)
	l := &Log{
		keyed:   lines,
		release: release,
		wake:    make(chan struct{}, 1),
		soon:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		limit:   s.maxQueue,
		chain:   id,
		last:    beginning(),
		durable: beginning(),
		next:    newCommit(),
		out: &output{
			disk: d, folder: folder, keyed: headers, maxSize: s.maxFile, previous: previous,
			name: fileName{number: number, chain: id},
		},
	}
	body, err := Record{Kind: KindStart, Time: time.Now()}.appendBody(nil)
	if err == nil {
		l.enqueue(body)
		_, err = l.commit(nil)
	}
	if err != nil {
		release()
		return nil, err
	}
	go l.write()
	return l, nil
}

// Append writes a record and returns nil when it is durable. One fsync serves all
// calls that wait. Where the queue is full, Append waits for room.
//
// After a failed write or fsync, the records that are not durable go to a new file.
// If this fails too, the error is [ErrNotDurable], with the cause. So is the error
// if the context ends first. The record stays in the queue after ErrNotDurable if it
// had room, and the next attempt writes it: the caller must treat it as neither
// written nor absent. [ErrInvalidRecord] and [ErrClosed] say that nothing is written.
func (l *Log) Append(ctx context.Context, r Record) error {
	body, err := l.body(r)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return notDurable(context.Cause(ctx))
	}
	for queued := false; !queued; {
		var c *commit
		if queued, c, err = l.put(body); err != nil {
			return err
		}
		signal(l.wake)
		select {
		case <-c.done:
			if c.err != nil {
				return notDurable(c.err)
			}
		case <-ctx.Done():
			return notDurable(context.Cause(ctx))
		}
	}
	return nil
}

// Add puts a record in the queue and returns without waiting. The record becomes
// durable with the next Append, and within a second or so while the disk works. The
// error is [ErrFull], [ErrInvalidRecord] or [ErrClosed], and nothing is written then.
func (l *Log) Add(r Record) error {
	body, err := l.body(r)
	if err != nil {
		return err
	}
	queued, _, err := l.put(body)
	if err != nil {
		return err
	}
	signal(l.soon)
	if !queued {
		return fmt.Errorf("audit: %w", ErrFull)
	}
	return nil
}

func notDurable(cause error) error { return fmt.Errorf("audit: %w: %w", ErrNotDurable, cause) }

// signal leaves a signal in a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (l *Log) body(r Record) ([]byte, error) {
	if r.Kind == KindStart || r.Kind == KindStop {
		return nil, invalid("Open and Close write this Kind")
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	return r.appendBody(make([]byte, 0, 512))
}

// put queues a record if there is room. The commit is the one that writes what is
// queued, this record or those before it.
func (l *Log) put(body []byte) (queued bool, c *commit, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, nil, fmt.Errorf("audit: %w", ErrClosed)
	}
	if l.batch+len(l.queue)+recordSize(body) > l.limit {
		return false, l.next, nil
	}
	l.enqueue(body)
	return true, l.next, nil
}

// enqueue adds a record to the chain.
func (l *Log) enqueue(body []byte) {
	l.queue, l.last = appendRecord(l.queue, l.chain, l.last, body, l.keyed)
}

// write commits what is queued until the log is closed.
func (l *Log) write() {
	defer close(l.ended)
	timer := time.NewTimer(0)
	timer.Stop()
	var batch []byte // what is not durable
	for armed := false; ; {
		select {
		case <-l.wake:
		case <-timer.C:
			armed = false
		case <-l.soon:
			if !armed {
				timer.Reset(lazyDelay)
				armed = true
			}
			continue
		}
		l.gather()
		var err error
		if batch, err = l.commit(batch); err != nil {
			timer.Reset(retryDelay)
			armed = true
		}
		if l.isClosed() {
			timer.Stop()
			return
		}
	}
}

// gather lets the goroutines run that can queue a record now, such as those that the
// last commit released. Otherwise the first of them would have an fsync of its own,
// and the others would wait for it.
func (l *Log) gather() {
	queued := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.queue)
	}
	for n, rounds := queued(), 0; rounds < 16; rounds++ {
		runtime.Gosched()
		before := n
		if n = queued(); n == before {
			return
		}
	}
}

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed && len(l.queue) == 0
}

// commit makes what is queued durable, after the lines that an earlier commit left. It
// returns the lines that are still not durable, or a buffer.
func (l *Log) commit(batch []byte) ([]byte, error) {
	l.mu.Lock()
	if len(batch) == 0 {
		batch, l.queue = l.queue, batch
	} else {
		batch = append(batch, l.queue...)
		l.queue = l.queue[:0]
	}
	l.batch = len(batch)
	before, end := l.durable, l.last
	c := l.next
	l.next = newCommit()
	l.mu.Unlock()

	err := l.out.write(batch, before)

	l.mu.Lock()
	if err == nil {
		l.durable = end
		l.batch = 0
		batch = batch[:0]
	}
	l.err = err
	c.err = err
	close(c.done)
	l.mu.Unlock()
	return batch, err
}

// Checkpoint returns the last record that is durable. After Close it is the last of
// the chain.
func (l *Log) Checkpoint() Checkpoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Checkpoint{Chain: l.chain, Sequence: l.durable.sequence, Hash: l.durable.hash}
}

// Fingerprint returns the fingerprint of a request: an HMAC, with a key that is derived
// from that of the log, over what PreparedRequest.Fingerprint returns. Without the key
// nobody can compare a body with it.
func (l *Log) Fingerprint(request [sha256.Size]byte) Fingerprint {
	return Fingerprint(l.keyed.fingerprint(request[:]))
}

// Err returns why the last attempt to write failed, nil if it succeeded. A health
// check of the process can report it.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close writes what is in the queue and the record of the end, and releases the folder.
// The error is [ErrNotDurable] if that was not written. A second call returns the
// same.
func (l *Log) Close() error {
	body, err := Record{Kind: KindStop, Time: time.Now()}.appendBody(nil)
	if err != nil {
		return err
	}
	l.mu.Lock()
	first := !l.closed
	if first {
		l.closed = true
		l.enqueue(body)
	}
	l.mu.Unlock()
	signal(l.wake)
	<-l.ended
	if first {
		l.out.close()
		l.release()
	}
	if err := l.Err(); err != nil {
		return notDurable(err)
	}
	return nil
}

// An output writes lines to the files of a chain.
type output struct {
	disk      disk
	folder    string
	keyed     keyed
	maxSize   int64
	previous  *link
	name      fileName // of the newest file
	file      file     // nil if another one must be begun
	size      int64
	abandoned bool // the newest file may have lines that are not durable
	buffer    []byte
}

// write makes lines durable, which begin after the record before. If this fails, they
// go to a new file, once: after a failed fsync the system may have dropped what was
// written and report the next fsync of the same file as a success.
func (o *output) write(lines []byte, before position) error {
	if len(lines) == 0 {
		return nil
	}
	if o.file != nil && o.size >= o.maxSize {
		o.close()
	}
	first := o.extend(lines, before)
	if first == nil {
		return nil
	}
	if second := o.extend(lines, before); second != nil {
		return errors.Join(first, second)
	}
	return nil
}

// extend writes lines to the present file, or to a new one if there is none. There is
// none after an error.
func (o *output) extend(lines []byte, before position) error {
	if o.file == nil {
		return o.begin(lines, before)
	}
	if err := writeSync(o.file, lines); err != nil {
		o.abandoned = true
		o.close()
		return err
	}
	o.size += int64(len(lines))
	return nil
}

// begin writes lines to a new file.
func (o *output) begin(lines []byte, before position) error {
	o.name.file++
	path := filepath.Join(o.folder, o.name.String())
	o.buffer = appendHeader(o.buffer[:0], header{
		Audit: version, File: o.name.file, Chain: o.name.chain, From: before.sequence + 1, Prev: before.hash,
		Key: o.keyed.id, Time: time.Now().UTC().Format(timeFormat), Abandoned: o.abandoned, Previous: o.previous,
	}, o.keyed)
	f, err := o.disk.create(path)
	if err != nil {
		return err
	}
	o.buffer = append(o.buffer, lines...)
	size := len(o.buffer)
	if err = writeSync(f, o.buffer); err == nil {
		err = o.disk.syncFolder(o.folder)
	}
	if cap(o.buffer) > 2*maxLine {
		o.buffer = nil
	}
	if err != nil {
		// A full disk must not leave a file for each attempt. If the file stays, the
		// next one says that it was abandoned.
		o.abandoned = true
		_ = f.Close()
		_ = o.disk.remove(path)
		return err
	}
	o.file, o.size, o.abandoned = f, int64(size), false
	return nil
}

func (o *output) close() {
	if o.file != nil {
		_ = o.file.Close() // what was acknowledged is durable
		o.file = nil
	}
}

func writeSync(f file, lines []byte) error {
	n, err := f.Write(lines)
	if err == nil && n < len(lines) {
		err = errors.New("audit: the disk took a part of the lines")
	}
	if err != nil {
		return err
	}
	return f.Sync()
}
