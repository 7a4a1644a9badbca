package payload

import (
	"context"
	"slices"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/base64"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// chunk is how much media is encoded at a time: small enough for the encoded text
// to be in the cache when it is hashed, and a multiple of 3, so that chunks join
// without padding.
const chunk = 24 << 10

// maxPiece is how much of a file or reader is read at a time: several chunks, as
// each read costs two switches of goroutines.
const maxPiece = 4 * chunk

// Settings are the settings of a body.
type Settings struct {
	Buffers  *Buffers
	Hash     interface{ Write(p []byte) }                 // receives the body as it grows
	Rehash   func()                                       // begins the hash again, for [Builder.Incoming]
	Limit    int                                          // the body must stay below it, in bytes
	Metadata []byte                                       // for the member "metadata", nil for none
	Inspect  bool                                         // inspect the media
	Copy     bool                                         // keep a copy of a small body, see [Payload.Reader]
	Ended    func() error                                 // returns why there is no time left, or nil
	Limited  func() (context.Context, context.CancelFunc) // a context that ends when there is no time left
}

// A Builder writes the JSON of one request. The first fault is kept, and later
// writes do nothing.
type Builder struct {
	settings Settings
	buf      []byte
	hashed   int // how much of buf the hash has seen
	members  int
	file     int // which of a member is being written
	problems []Problem
	err      error
}

// fail records the first fault.
func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Refuse records that an argument is invalid.
func (b *Builder) Refuse(argument, reason string, cause error) {
	b.fail(&Invalid{Argument: argument, Reason: reason, Err: cause})
}

// reserve makes room for n more bytes, and refuses a body that reaches the limit.
func (b *Builder) reserve(n int) bool {
	if b.err == nil && n >= b.settings.Limit-len(b.buf) {
		b.fail(ErrTooLarge)
	}
	if b.err != nil {
		return false
	}
	if n > cap(b.buf)-len(b.buf) {
		b.grow(max(len(b.buf)+n, min(2*cap(b.buf), b.settings.Limit)))
	}
	return true
}

// Expect makes room for bytes that are known to follow, so that the buffer grows
// once. A body that is too large is refused when the bytes are written.
func (b *Builder) Expect(n int) {
	if size := min(len(b.buf)+n, b.settings.Limit); size > cap(b.buf) {
		b.grow(size)
	}
}

func (b *Builder) grow(size int) {
	larger := append(b.settings.Buffers.get(size), b.buf...)
	b.settings.Buffers.put(b.buf)
	b.buf = larger
}

// text appends JSON as it is.
func (b *Builder) text(json string) {
	if b.reserve(len(json)) {
		b.buf = append(b.buf, json...)
	}
}

// JSON appends JSON as it is.
func (b *Builder) JSON(json []byte) {
	if b.reserve(len(json)) {
		b.buf = append(b.buf, json...)
	}
}

// Name begins a member. Names are the library's own, or are checked by the caller.
func (b *Builder) Name(name string) {
	if b.members > 0 {
		b.text(`,"`)
	} else {
		b.text(`"`)
	}
	b.members++
	b.text(name)
	b.text(`":`)
}

// String writes a member that must not be empty. Invalid UTF-8 is refused: a
// silent replacement could make one user another.
func (b *Builder) String(name, value, argument string) {
	if value == "" {
		b.Refuse(argument, "is empty", nil)
		return
	}
	b.Name(name)
	if !b.reserve(len(value) + 2) {
		return
	}
	quoted, err := strictjson.AppendString(b.buf, value)
	if err != nil {
		b.Refuse(argument, "is not valid UTF-8", nil)
		return
	}
	b.buf = quoted
	b.reserve(0) // escapes may have made it longer
}

// Bytes writes bytes as base64. It writes nothing when there are none.
func (b *Builder) Bytes(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	b.Name(name)
	b.text(`"`)
	b.encode(value)
	b.text(`"`)
}

// encode appends base64, and hashes it piece by piece.
func (b *Builder) encode(raw []byte) {
	if !b.reserve(base64.EncodedLen(len(raw))) {
		return
	}
	for piece := range slices.Chunk(raw, chunk) {
		b.buf = base64.AppendEncode(b.buf, piece)
		b.hash()
	}
}

// hash adds to the signature the bytes that were written since the last time.
func (b *Builder) hash() { b.hashTo(len(b.buf)) }

// hashTo adds to the signature the bytes up to an offset, unless they are in it.
func (b *Builder) hashTo(end int) {
	if end > b.hashed {
		b.settings.Hash.Write(b.buf[b.hashed:end])
		b.hashed = end
	}
}

// Count writes a member that is a whole number. It writes nothing for 0, and a
// negative number is invalid.
func (b *Builder) Count(name string, n int, argument string) {
	switch {
	case n < 0:
		b.Refuse(argument, "is negative", nil)
	case n > 0:
		b.Name(name)
		b.text(strconv.Itoa(n))
	}
}
