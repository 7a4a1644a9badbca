package payload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/aimbrain/aimbrain-go/internal/base64"
)

func (b *Builder) fileMedium(name, path string) {
	file := &regularFile{path: path}
	next, stop := b.aside(file, file.close)
	defer stop()
	sized := false
	b.readMedium(name, func(buf []byte) (int, bool, error) {
		n, last, err := next(buf)
		if err == nil && !sized {
			b.Expect(base64.EncodedLen(int(min(file.size, int64(b.settings.Limit)))) + 32) // includes what follows it
			sized = true
		}
		return n, last, err
	})
}

// A regularFile is a file that is opened by its first Read, as opening may block
// like any other Read.
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

// open checks the file first: opening a named pipe waits for a writer, and opening
// a device may have effects. It checks the opened file as well, as the path may
// have come to name another file.
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
	return &unusableError{"holds a file that is not a regular file", &fs.PathError{Op: "open", Path: f.path, Err: errors.New(kind)}}
}

func (f *regularFile) close() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
	}
}

// An unusableError describes an invalid Medium, for a [RequestError].
type unusableError struct {
	reason string
	err    error
}

func (e *unusableError) Error() string { return e.reason }

// readMedium encodes what next fills its buffer with, piece by piece, and stops
// once the request is too large. The first piece is short: a small file fits into
// it.
//
// The buffer is reused only when every Read has ended without an error: a Read
// that is in progress, or has failed, may still write to it. It is cleared, as a
// reader may claim more bytes than it wrote.
func (b *Builder) readMedium(name string, next func(buf []byte) (n int, last bool, err error)) {
	scratch, ok := b.settings.Buffers.scratch.Get().(*[maxPiece]byte)
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
			b.rawMedium(name, piece) // reports what is wrong
			break
		}
		b.encode(piece)
	}
	clear(buf)
	b.settings.Buffers.scratch.Put(scratch)
}

// unread records why a Medium was not read to its end. The end of the call's time
// takes precedence over the reader's own error, which may be a consequence of it.
func (b *Builder) unread(name string, err error) {
	var unusable *unusableError
	ended := b.settings.Ended()
	switch {
	case errors.As(err, &unusable):
		b.Refuse(b.place(name), unusable.reason, unusable.err)
	case ended != nil:
		b.fail(&Interrupted{Argument: b.place(name), Err: ended})
	default:
		b.Refuse(b.place(name), "holds a file that cannot be read to its end", err)
	}
}

// A filling is the result of filling a buffer.
type filling struct {
	n    int
	last bool
	err  error
	exit func() // panics or ends the goroutine, as the reader did
}

// aside returns a function that fills a buffer from a reader, as [fill] does, but
// in another goroutine, and returns when the call's time has ended. The buffer
// then belongs to the reader and is never reused. Between two calls of next the
// reader is idle. The caller stops the goroutine, which calls done last.
func (b *Builder) aside(r io.Reader, done func()) (next func(buf []byte) (int, bool, error), stop func()) {
	ctx, cancel := b.settings.Limited()
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

// supply fills the buffers that it receives. It must not use the call, which may
// have returned before: a result that nobody waits for remains in the channel,
// also a panic.
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

// maxEmptyReads is how many consecutive Reads may return nothing.
const maxEmptyReads = 100

// fill reads until the buffer is full or the reader has ended, which io.EOF alone
// indicates: a download that was cut off returns io.ErrUnexpectedEOF. It stops
// between two Reads when ended returns an error, and on a reader that never
// returns bytes.
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
		case err == io.EOF: // unwrapped: inside another error it is no end
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
