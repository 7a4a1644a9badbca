package aimbrain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/base64"
)

// Media is what a person's face or voice was captured in: one or more photos,
// videos or recordings, for [FaceService] and [VoiceService]. It is made by
// [Photos], [Videos], [Recordings], [Files], [Readers] or [Base64], and joined
// by [Media.Append]. The zero value holds nothing and is refused by every call.
//
// A call reads its media before it returns and before it sends anything; the
// caller's slices are the caller's again when the call has returned.
//
// The vendor's limits: [MaxMediaBytes] a file and less than [MaxRequestBytes] a
// request, base64 included. Beyond that the vendor advises photos and videos of
// 640×480 at most, videos of 3 s, and recordings of 5 s at 16 kHz, and accepts
// more; with [WithLogger] the library warns of it and sends, see [WithMediaCheck].
type Media struct {
	items []medium
}

// MaxMediaBytes is the size of a photo, a video or a recording at most, before
// base64: 500 kB, the vendor's limit. It is checked by [WithMediaCheck].
const MaxMediaBytes = 500_000

type mediaKind int

const (
	anyKind mediaKind = iota
	faceKind
	voiceKind
)

// A medium is one photo, video or recording. What is in it lives in the
// variables of its functions, where neither fmt nor an encoder finds it.
type medium struct {
	kind  mediaKind
	size  func() int                   // of its base64, 0 where that is not known yet
	write func(b *body, member string) // appends its base64 to a request
}

// Photos is one or more JPEG photos of a face, as raw bytes.
func Photos(photos ...[]byte) Media { return mediaOf(faceKind, photos, rawMedium) }

// Videos is one or more H.264 videos of a face, as raw bytes.
func Videos(videos ...[]byte) Media { return mediaOf(faceKind, videos, rawMedium) }

// Recordings is one or more recordings of a voice, WAV or CAF with 16 kHz
// linear PCM, as raw bytes.
func Recordings(recordings ...[]byte) Media { return mediaOf(voiceKind, recordings, rawMedium) }

// Files is one or more photos, videos or recordings in regular files. They are
// opened when the call is made, and closed before it returns. A path to
// anything else, such as a directory, a device, a socket or a named pipe, is
// refused with a [*RequestError]; symbolic links are followed. A file system
// that does not respond holds up a call no longer than a reader does, see
// [Readers].
func Files(paths ...string) Media { return mediaOf(anyKind, paths, fileMedium) }

// Readers is one or more photos, videos or recordings, each read to its end
// when the call is made: such a value serves one call. Readers are not closed.
//
// A Read that blocks does not hold up the call. When the context ends, or the
// time of [WithTimeout] has passed, the call returns a [*NetworkError], and
// nothing was sent. Go cannot end the Read, so each reader is read in a
// goroutine of its own, which ends when the Read does. Until then the reader is
// still in use: close the pipe or connection behind it to end the Read. What
// the reader writes to its buffer by then is discarded. The readers of packages
// bytes and strings never block, and are read in the caller's goroutine.
//
// A reader that breaks the contract of [io.Reader], by a count below 0 or
// beyond its buffer, is a [*RequestError]. A panic of a reader reaches the
// caller of the call with the same value; it is recovered and dropped when the
// call has returned by then.
func Readers(readers ...io.Reader) Media { return mediaOf(anyKind, readers, readerMedium) }

// Base64 is one or more photos, videos or recordings that are standard base64
// already, as an app sends them. They go out as they are, and are not encoded
// a second time. Any other form, such as with line breaks, for URLs, without
// padding or as a data URL, is a [*RequestError] that says which form it is.
func Base64(texts ...string) Media { return mediaOf(anyKind, texts, textMedium) }

func mediaOf[T any](kind mediaKind, sources []T, item func(T) medium) Media {
	var m Media
	for _, source := range sources {
		one := item(source)
		one.kind = kind
		m.items = append(m.items, one)
	}
	return m
}

func rawMedium(raw []byte) medium {
	return medium{
		size:  func() int { return base64.EncodedLen(len(raw)) },
		write: func(b *body, member string) { b.rawMedium(member, raw) },
	}
}

func fileMedium(path string) medium {
	return medium{
		size:  func() int { return 0 }, // asking the file system may block
		write: func(b *body, member string) { b.fileMedium(member, path) },
	}
}

func readerMedium(r io.Reader) medium {
	return medium{
		size: func() int { return 0 },
		write: func(b *body, member string) {
			switch r.(type) {
			case nil:
				b.refuse(b.place(member), "holds a reader that is nil", nil)
			case *bytes.Reader, *bytes.Buffer, *strings.Reader: // never block
				b.readMedium(member, func(buf []byte) (int, bool, error) { return fill(buf, r, b.ended) })
			default:
				next, stop := b.aside(r, func() {})
				defer stop()
				b.readMedium(member, next)
			}
		},
	}
}

func textMedium(text string) medium {
	return medium{
		size:  func() int { return len(text) },
		write: func(b *body, member string) { b.textMedium(member, text) },
	}
}

// Append returns the media of both, in that order.
func (m Media) Append(more Media) Media {
	return Media{items: append(m.items[:len(m.items):len(m.items)], more.items...)}
}

// Len returns how many photos, videos and recordings there are.
func (m Media) Len() int { return len(m.items) }

// String tells how many there are, and nothing of what is in them.
func (m Media) String() string {
	if len(m.items) == 1 {
		return "1 file"
	}
	return strconv.Itoa(len(m.items)) + " files"
}

// mediaMember writes an array of base64 strings.
func (b *body) mediaMember(name string, m Media, kind mediaKind) {
	if len(m.items) == 0 {
		b.refuse(name, "is empty: give at least one photo, video or recording", nil)
		return
	}
	b.expect(m.encodedSize() + 32) // the names and brackets around it too
	b.name(name)
	for i, item := range m.items {
		b.file = i
		if i == 0 {
			b.text(`["`)
		} else {
			b.text(`","`)
		}
		if item.kind != anyKind && item.kind != kind {
			b.refuse(b.place(name), mismatch(kind), nil)
		}
		if b.err != nil {
			return
		}
		start := len(b.buf)
		item.write(b, name)
		if b.err == nil && b.inspection != nil {
			inspect(b.inspection, b.place(name), kind.inspected(), b.buf[start:])
		}
	}
	b.text(`"]`)
}

// place names the file that is being written, such as "faces[1]".
func (b *body) place(name string) string { return name + "[" + strconv.Itoa(b.file) + "]" }

func mismatch(want mediaKind) string {
	if want == voiceKind {
		return "holds a photo or a video, where a recording of a voice is needed"
	}
	return "holds a recording of a voice, where a photo or a video of a face is needed"
}

// encodedSize is the size of the array in JSON, as far as it can be known
// before files are opened and readers are read.
func (m Media) encodedSize() int {
	size := 0
	for _, item := range m.items {
		size += item.size() + 3 // with quotes and comma
	}
	return size
}

func (b *body) rawMedium(name string, raw []byte) {
	if len(raw) == 0 {
		b.refuse(b.place(name), "holds a file of 0 bytes", nil)
		return
	}
	if reason := encodedAlready(raw); reason != "" {
		b.refuse(b.place(name), reason, nil)
		return
	}
	b.encode(raw)
}

func (b *body) textMedium(name, text string) {
	switch {
	case text == "":
		b.refuse(b.place(name), "holds an empty base64 text", nil)
	case !base64.Valid(text):
		b.refuse(b.place(name), "holds "+notBase64(text), nil)
	default:
		b.text(text)
		if b.err == nil {
			b.hash()
		}
	}
}

func (b *body) fileMedium(name, path string) {
	file := &regularFile{path: path}
	next, stop := b.aside(file, file.close)
	defer stop()
	sized := false
	b.readMedium(name, func(buf []byte) (int, bool, error) {
		n, last, err := next(buf)
		if err == nil && !sized {
			b.expect(base64.EncodedLen(int(min(file.size, MaxRequestBytes))) + 32) // what follows it too
			sized = true
		}
		return n, last, err
	})
}

// A regularFile is a file that is opened by its first Read, as that may block
// like any other.
type regularFile struct {
	path string
	file *os.File
	size int64
}

func (f *regularFile) Read(p []byte) (int, error) {
	if f.file == nil {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	return f.file.Read(p)
}

// open looks at the file first: opening a named pipe waits for a writer, and
// opening a device may have effects. It looks again at what it has opened, as
// the path may have come to name another file.
func (f *regularFile) open() error {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return f.irregular(info)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return &unusableError{"holds a file that cannot be opened", err}
	}
	f.file = file
	info, err := file.Stat()
	switch {
	case err != nil:
		return &unusableError{"holds a file that cannot be opened", err}
	case !info.Mode().IsRegular():
		return f.irregular(info)
	}
	f.size = info.Size()
	return nil
}

func (f *regularFile) irregular(info fs.FileInfo) error {
	kind := "is an irregular file"
	switch mode := info.Mode(); {
	case mode.IsDir():
		kind = "is a directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "is a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "is a socket"
	case mode&fs.ModeDevice != 0:
		kind = "is a device"
	}
	return &unusableError{"holds what is not a regular file", &fs.PathError{Op: "open", Path: f.path, Err: errors.New(kind)}}
}

func (f *regularFile) close() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
	}
}

// An unusableError is what is wrong with a medium, for a [RequestError].
type unusableError struct {
	reason string
	err    error
}

func (e *unusableError) Error() string { return e.reason }

// readMedium encodes what next fills its buffer with, piece by piece, and
// stops once the request is too large. The first piece is a short one: it is all
// of a small file.
//
// The buffer is used again only when every Read has ended well: a Read that is
// still under way, or has failed, may yet write to it. It is cleared, as a
// reader may claim more bytes than it wrote.
func (b *body) readMedium(name string, next func(buf []byte) (n int, last bool, err error)) {
	scratch, ok := b.buffers.scratch.Get().(*[maxPiece]byte)
	if !ok {
		scratch = new([maxPiece]byte)
	}
	buf := scratch[:chunk]
	for first, last := true, false; !last && b.err == nil; first = false {
		if !first {
			buf = scratch[:]
		}
		var n int
		var err error
		if n, last, err = next(buf); err != nil {
			b.unread(name, err)
			return
		}
		piece := buf[:n]
		if first && (n == 0 || encodedAlready(piece) != "") {
			b.rawMedium(name, piece) // says what is wrong
			break
		}
		b.encode(piece)
	}
	clear(buf)
	b.buffers.scratch.Put(scratch)
}

// unread records why a medium was not read to its end. The end of the call's
// time goes before the reader's own error, which may be a consequence of it.
func (b *body) unread(name string, err error) {
	var unusable *unusableError
	ended := b.ended()
	switch {
	case errors.As(err, &unusable):
		b.refuse(b.place(name), unusable.reason, unusable.err)
	case ended != nil:
		b.fail(&NetworkError{Endpoint: b.endpoint, Err: fmt.Errorf("nothing was sent: %s was not read to its end: %w", b.place(name), ended), result: OutcomeNotSent})
	default:
		b.refuse(b.place(name), "holds a file that cannot be read to its end", err)
	}
}

// A filling is what came of filling a buffer.
type filling struct {
	n    int
	last bool
	err  error
	exit func() // what the reader did instead of returning
}

// aside returns a function that fills a buffer from a reader, as [fill] does,
// but in another goroutine, and is back when the call's time has ended. The
// buffer is then still the reader's, for good. Between two calls of next the
// reader is at rest. The caller stops the goroutine, which calls done last.
func (b *body) aside(r io.Reader, done func()) (next func(buf []byte) (int, bool, error), stop func()) {
	ctx, cancel := b.limited()
	asked, filled := make(chan []byte), make(chan filling, 1)
	go supply(ctx, r, asked, filled, done)
	next = func(buf []byte) (int, bool, error) {
		asked <- buf
		select {
		case f := <-filled:
			if f.exit != nil {
				f.exit()
			}
			return f.n, f.last, f.err
		case <-ctx.Done():
			return 0, false, ctx.Err()
		}
	}
	stop = func() {
		defer cancel()
		close(asked)
		select {
		case <-filled: // closed: it has ended
		case <-ctx.Done():
		}
	}
	return next, stop
}

// supply fills the buffers that it is asked to fill. It must know nothing of
// the call, which may have returned before it does: what nobody waits for stays
// in the channel, a panic as well.
func supply(ctx context.Context, r io.Reader, asked <-chan []byte, filled chan<- filling, done func()) {
	defer close(filled)
	defer done()
	reading := false
	defer func() {
		if value := recover(); value != nil {
			filled <- filling{exit: func() { panic(value) }}
		} else if reading {
			filled <- filling{exit: runtime.Goexit}
		}
	}()
	for buf := range asked {
		reading = true
		n, last, err := fill(buf, r, ctx.Err)
		reading = false
		filled <- filling{n: n, last: last, err: err}
	}
}

// maxEmptyReads is how often a reader may give nothing in a row.
const maxEmptyReads = 100

// fill reads until the buffer is full or the reader has ended, which io.EOF
// alone says: a download that was cut off says io.ErrUnexpectedEOF. It stops
// between two Reads when ended says so, and on a reader that never gives
// anything.
func fill(buf []byte, r io.Reader, ended func() error) (n int, last bool, err error) {
	for empty := 0; n < len(buf); {
		if err := ended(); err != nil {
			return n, false, err
		}
		more, err := r.Read(buf[n:])
		if more < 0 || more > len(buf)-n {
			return n, false, &unusableError{"holds a reader that breaks io.Reader's contract", fmt.Errorf("read %d bytes into a buffer of %d", more, len(buf)-n)}
		}
		n += more
		switch {
		case err == io.EOF: // as it is: inside another error it is no end
			return n, true, nil
		case err != nil:
			return n, false, err
		case more > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return n, false, io.ErrNoProgress
			}
		}
	}
	return n, false, nil
}
