// Package payload makes the body of a request in one pass: JSON with media in
// base64, hashed as it grows, in a reused buffer.
package payload

import (
	"bytes"
	"io"
	"math/bits"
	"sync"
)

// A Fault is a constant error of this package.
type Fault string

// Error returns the text of the fault.
func (f Fault) Error() string { return string(f) }

const (
	// ErrTooLarge means that a body would reach the limit.
	ErrTooLarge Fault = "the body reaches the limit"
	// ErrReleased is what a transport receives that reads a request's body
	// after the call has ended.
	ErrReleased Fault = "aimbrain: the call has ended"
)

// Invalid is an error about an argument.
type Invalid struct {
	Argument string
	Reason   string // without the argument's content
	Err      error  // the cause, or nil
}

// Error returns the argument and what is wrong with it.
func (e *Invalid) Error() string { return e.Argument + " " + e.Reason }

// Unwrap returns the cause.
func (e *Invalid) Unwrap() error { return e.Err }

// Interrupted means that there was no time left to read an argument to its end.
type Interrupted struct {
	Argument string
	Err      error // the reason
}

// Error returns the argument and why it was not read.
func (e *Interrupted) Error() string {
	return e.Argument + " was not read to its end: " + e.Err.Error()
}

// Unwrap returns why there was no time left.
func (e *Interrupted) Unwrap() error { return e.Err }

// A Payload is a finished body. It is released when no request needs it any more.
type Payload struct {
	buffers *Buffers
	shared  sharedBody
	small   []byte // a copy of a small body
	size    int
}

// smallBody is the size that fits into net/http's write buffer together with
// headers.
const smallBody = 2 << 10

// Make makes a body and hashes all of it. The problems are those of its media, if
// they are inspected. An error is an [*Invalid], an [*Interrupted] or
// [ErrTooLarge].
func Make(settings Settings, write func(*Builder)) (*Payload, []Problem, error) {
	b := &Builder{settings: settings}
	b.reserve(512)
	write(b)
	if b.err != nil {
		settings.Buffers.put(b.buf)
		return nil, nil, b.err
	}
	b.hash()
	p := &Payload{buffers: settings.Buffers, size: len(b.buf)}
	p.shared.buf = b.buf
	if settings.Copy && p.size <= smallBody {
		p.small = bytes.Clone(b.buf)
	}
	return p, b.problems, nil
}

// Size returns the size of the body in bytes.
func (p *Payload) Size() int { return p.size }

// Reader returns the body for one reading, and calls onRead before it returns
// bytes. A body with a copy is sent with its headers in one packet, which net/http
// does for a bytes.Reader only. It is read from the copy, as a bytes.Reader cannot
// be stopped, and does not call onRead.
func (p *Payload) Reader(onRead func() bool) io.ReadCloser {
	if p.small != nil {
		return io.NopCloser(bytes.NewReader(p.small))
	}
	return &bodyReader{shared: &p.shared, size: p.size, onRead: onRead}
}

// Release takes the body away from transports that still read it, and returns its
// bytes to the pool. The payload may be nil.
func (p *Payload) Release() {
	if p != nil {
		p.buffers.put(p.shared.take())
	}
}

// Buffers is a pool of the buffers in which bodies are made. The zero value is
// ready. A buffer is reused for another call once nothing can read it any more,
// see [sharedBody].
type Buffers struct {
	pools   [22]sync.Pool // by the number of bits of the capacity: up to 2 MB
	scratch sync.Pool     // *[maxPiece]byte, for files and readers
}

func (b *Buffers) get(n int) []byte {
	n = max(n, 512)
	if pooled, ok := b.pools[bits.Len(uint(n))].Get().(*[]byte); ok && cap(*pooled) >= n {
		return (*pooled)[:0]
	}
	return make([]byte, 0, n)
}

func (b *Buffers) put(buf []byte) {
	if class := bits.Len(uint(cap(buf))); cap(buf) >= 512 && class < len(b.pools) {
		kept := buf // otherwise each call of put would allocate
		b.pools[class].Put(&kept)
	}
}

// A sharedBody is a finished body while transports may read it. net/http may still
// read a request's body after the response has arrived and the call has returned.
// take stops that, and only then can the bytes be reused.
type sharedBody struct {
	mu    sync.Mutex
	buf   []byte
	taken bool
}

// take ends all reading, now and later, and returns the bytes.
func (s *sharedBody) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = true
	buf := s.buf
	s.buf = nil
	return buf
}

// A bodyReader reads a sharedBody once, for one attempt.
type bodyReader struct {
	shared *sharedBody
	size   int
	off    int
	onRead func() bool
}

func (r *bodyReader) Read(p []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.EOF // also when taken: all was read, and the connection can be used for another call
	}
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	if r.shared.taken {
		return 0, ErrReleased
	}
	if !r.onRead() {
		return 0, ErrReleased
	}
	n := copy(p, r.shared.buf[r.off:])
	r.off += n
	return n, nil
}

// Close does nothing, as the body outlives an attempt.
func (r *bodyReader) Close() error { return nil }
