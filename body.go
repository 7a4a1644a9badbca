package aimbrain

import (
	"context"

	"errors"
	"io"
	"math/bits"
	"slices"
	"sync"

	"github.com/aimbrain/aimbrain-go/internal/base64"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// MaxRequestBytes is the size that a request body must stay below: 2 MB, the
// vendor's limit. Base64 adds a third to media.
const MaxRequestBytes = 2_000_000

// chunk is how much media is encoded at a time: small enough for the encoded
// text to be in cache still when it is hashed, and a multiple of 3, so that
// chunks join without padding.
const chunk = 24 << 10

// maxPiece is how much of a file or reader is read at a time: several chunks,
// as each time costs two switches of goroutines.
const maxPiece = 4 * chunk

// A body is the JSON of one request in the making. It is hashed as it grows.
// The first fault sticks, and later writes do nothing.
type body struct {
	endpoint string
	buffers  *buffers
	buf      []byte
	hashed   int // how much of buf the signature covers already
	signing  *signing
	members  int
	metadata []byte       // of the call's options
	ended    func() error // why there is no time left, nil while there is
	file     int          // which of a member is being written
	err      error

	inspection *inspection // nil unless somebody wants to know

	limited func() (context.Context, context.CancelFunc) // a context that ends when there is no time left
}

// fail records the first fault.
func (b *body) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// refuse records that an argument of the call cannot be right.
func (b *body) refuse(argument, reason string, cause error) {
	b.fail(&RequestError{Endpoint: b.endpoint, Argument: argument, Reason: reason, Err: cause})
}

// reserve makes room for n bytes more, and refuses what the API would.
func (b *body) reserve(n int) bool {
	if b.err == nil && n >= MaxRequestBytes-len(b.buf) {
		b.fail(&TooLargeError{Endpoint: b.endpoint, Limit: MaxRequestBytes})
	}
	if b.err != nil {
		return false
	}
	if n > cap(b.buf)-len(b.buf) {
		b.grow(max(len(b.buf)+n, min(2*cap(b.buf), MaxRequestBytes)))
	}
	return true
}

// expect makes room for what is known to come, so that it is made once. What
// is too large is refused when it comes.
func (b *body) expect(n int) {
	if size := min(len(b.buf)+n, MaxRequestBytes); size > cap(b.buf) {
		b.grow(size)
	}
}

func (b *body) grow(size int) {
	larger := append(b.buffers.get(size), b.buf...)
	b.buffers.put(b.buf)
	b.buf = larger
}

// text appends JSON as it is.
func (b *body) text(json string) {
	if b.reserve(len(json)) {
		b.buf = append(b.buf, json...)
	}
}

// bytes appends JSON as it is.
func (b *body) bytes(json []byte) {
	if b.reserve(len(json)) {
		b.buf = append(b.buf, json...)
	}
}

// name begins a member. Names are the library's own, or checked by the caller.
func (b *body) name(name string) {
	if b.members > 0 {
		b.text(`,"`)
	} else {
		b.text(`"`)
	}
	b.members++
	b.text(name)
	b.text(`":`)
}

// stringMember writes a member that must not be empty. Invalid UTF-8 is
// refused: replaced silently, it would make one user another.
func (b *body) stringMember(name, value, argument string) {
	if value == "" {
		b.refuse(argument, "is empty", nil)
		return
	}
	b.name(name)
	if !b.reserve(len(value) + 2) {
		return
	}
	quoted, err := strictjson.AppendString(b.buf, value)
	if err != nil {
		b.refuse(argument, "is not valid UTF-8", nil)
		return
	}
	b.buf = quoted
	b.reserve(0) // escapes may have taken more
}

// base64Member writes bytes as base64, and nothing when there are none.
func (b *body) base64Member(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	b.name(name)
	b.text(`"`)
	b.encode(value)
	b.text(`"`)
}

// encode appends base64, hashing what it has written piece by piece.
func (b *body) encode(raw []byte) {
	if !b.reserve(base64.EncodedLen(len(raw))) {
		return
	}
	for piece := range slices.Chunk(raw, chunk) {
		b.buf = base64.AppendEncode(b.buf, piece)
		b.hash()
	}
}

// hash feeds the signature what was written since the last time.
func (b *body) hash() {
	b.signing.write(b.buf[b.hashed:])
	b.hashed = len(b.buf)
}

// buffers lends out the bytes that bodies are made in. One is used again for
// another call once nothing can read it any more, see [sharedBody].
type buffers struct {
	pools   [22]sync.Pool // by the number of bits of the capacity: up to 2 MB
	scratch sync.Pool     // *[maxPiece]byte, for files and readers
}

func (b *buffers) get(n int) []byte {
	n = max(n, 512)
	if pooled, ok := b.pools[bits.Len(uint(n))].Get().(*[]byte); ok && cap(*pooled) >= n {
		return (*pooled)[:0]
	}
	return make([]byte, 0, n)
}

func (b *buffers) put(buf []byte) {
	if class := bits.Len(uint(cap(buf))); cap(buf) >= 512 && class < len(b.pools) {
		kept := buf // or every call of put would allocate
		b.pools[class].Put(&kept)
	}
}

// errBodyTaken is what a transport reads that goes on with a request's body
// after the call has ended.
var errBodyTaken = errors.New("aimbrain: the call has ended")

// A sharedBody is a finished body while transports may read it. net/http may
// go on reading a request's body after the answer has come and the call has
// returned; take stops that, and only then can the bytes be used again.
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
	onRead func()
}

func (r *bodyReader) Read(p []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.EOF // also when taken: all was read, and the connection is good for another call
	}
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	if r.shared.taken {
		return 0, errBodyTaken
	}
	r.onRead()
	n := copy(p, r.shared.buf[r.off:])
	r.off += n
	return n, nil
}

// Close does nothing: the body outlives an attempt.
func (r *bodyReader) Close() error { return nil }
