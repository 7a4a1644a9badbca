package transport

import (
	"errors"
	"io"
	"net"
	"sync"
)

// A guardedConn records what happens on a connection during one request: whether a
// byte was written, and whether one was read afterwards.
type guardedConn struct {
	net.Conn
	chunks chan *sendChunk

	mu    sync.Mutex
	wrote bool
	heard bool
}

// begin is called before a request.
func (c *guardedConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote, c.heard = false, false
}

// hasWritten reports whether a byte of the request was written, or may have been.
func (c *guardedConn) hasWritten() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote
}

// hasRead reports whether a byte was read after the first byte of the request was
// written. If not, the bytes that are taken for the response were read before.
func (c *guardedConn) hasRead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

// Read implements [net.Conn].
func (c *guardedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = c.heard || n > 0 && c.wrote
	return n, err
}

// Write implements [net.Conn].
func (c *guardedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.wrote = true
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// A sendChunk is how much of a body is written to the kernel at a time over plain
// HTTP. net/http allocates 32 KiB for each body, and writes in pieces of that
// size. Few calls write at the same time, so that few chunks are kept.
type sendChunk [256 << 10]byte

const sendChunks = 8

func newSendChunks() chan *sendChunk {
	chunks := make(chan *sendChunk, sendChunks)
	for range sendChunks {
		chunks <- nil // allocated when it is needed
	}
	return chunks
}

// ReadFrom sends a body. It is not used over TLS, where net/http sees a tls.Conn.
func (c *guardedConn) ReadFrom(r io.Reader) (sent int64, err error) {
	var chunk *sendChunk
	select {
	case chunk = <-c.chunks:
	default:
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	if chunk == nil {
		chunk = new(sendChunk)
	}
	defer func() { c.chunks <- chunk }()
	for {
		n, err := io.ReadFull(r, chunk[:])
		if n > 0 {
			written, err := c.Write(chunk[:n])
			if sent += int64(written); err != nil {
				return sent, err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return sent, nil
		case err != nil:
			return sent, err
		}
	}
}
