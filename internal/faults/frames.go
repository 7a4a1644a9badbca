package faults

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// HTTP/2 frames, as far as the faults need them: RFC 9113.
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7
	frameContinue = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4

	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// Error codes of HTTP/2.
const (
	CodeNone          = 0x0
	CodeProtocol      = 0x1
	CodeInternal      = 0x2
	CodeRefusedStream = 0x7
	CodeCancel        = 0x8
	CodeLast          = 0xd
)

// A FrameScript is the reaction of a [FrameServer] to a request that arrived
// whole.
type FrameScript func(*Stream)

// A FrameServer speaks HTTP/2 frame by frame, so that it can break the protocol.
// It does not decode headers: the endpoint is a parameter, and signatures are not
// checked. Each whole body can be counted as executed.
type FrameServer struct {
	*Ledger
	URL string

	endpoint  string
	script    FrameScript
	authority *Authority
	listener  *Listener
	pipe      *pipe
	tls       *tls.Config
	numbers   atomic.Int64
	deaf      atomic.Bool
	transport *aimbrain.Transport
}

// ServeFrames starts a server of one endpoint.
func (a *Authority) ServeFrames(endpoint string, virtual bool, script FrameScript) (*FrameServer, error) {
	s := &FrameServer{Ledger: newLedger(), endpoint: endpoint, script: script, authority: a, tls: a.Config("h2")}
	if virtual {
		s.pipe = newPipe()
		s.listener, s.URL = listenOn(s.pipe, s.serve), "https://"+VirtualHost
		return s, nil
	}
	listener, err := Listen(s.serve)
	if err != nil {
		return nil, err
	}
	s.listener, s.URL = listener, "https://"+listener.Addr
	return s, nil
}

// NewClient returns a client of the server, with the library's own transport.
func (s *FrameServer) NewClient(opts ...aimbrain.Option) (*aimbrain.Client, error) {
	opts = append([]aimbrain.Option{aimbrain.WithBaseURL(s.URL), aimbrain.WithTransport(s.Transport())}, opts...)
	return aimbrain.New(Key, Secret, opts...)
}

// Transport returns the library's own transport, which trusts the server. The
// server closes its idle connections.
func (s *FrameServer) Transport() *aimbrain.Transport {
	dial := (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	if s.pipe != nil {
		dial = s.pipe.dial
	}
	s.transport = s.authority.Transport(dial)
	return s.transport
}

// Conns returns how many connections were accepted.
func (s *FrameServer) Conns() int { return s.listener.Conns() }

// Close ends the server and the connections of its client.
func (s *FrameServer) Close() {
	s.listener.Close()
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}

// A Stream is one request of one connection.
type Stream struct {
	ID     uint32
	Body   []byte
	Number int // 1 for the server's first request
	conn   *frameConn
	server *FrameServer
}

// A frameConn writes in its own goroutine: over a pipe, which accepts no byte
// before it is read, a client that writes first would wait for ever.
type frameConn struct {
	net.Conn
	reader *bufio.Reader
	out    chan []byte   // frames to write; nil closes the connection
	dead   chan struct{} // closed when nothing more is written
}

func newFrameConn(conn net.Conn) *frameConn {
	return &frameConn{Conn: conn, reader: bufio.NewReader(conn), out: make(chan []byte, 64), dead: make(chan struct{})}
}

func (c *frameConn) write() {
	defer close(c.dead)
	for frame := range c.out {
		if frame == nil {
			break
		}
		if _, err := c.Write(frame); err != nil {
			break
		}
	}
	_ = c.Close() // the peer notices
}

// serve serves one connection.
func (s *FrameServer) serve(raw net.Conn) {
	c := newFrameConn(tls.Server(raw, s.tls))
	var writing sync.WaitGroup
	writing.Go(c.write)
	defer writing.Wait()
	defer close(c.out)
	defer func() { _ = raw.Close() }() // otherwise the writer may wait for a peer that does not read
	s.read(c)
}

// read reads the frames of one connection to its end.
func (s *FrameServer) read(c *frameConn) {
	hello := make([]byte, len(preface))
	if _, err := io.ReadFull(c.reader, hello); err != nil || string(hello) != preface {
		return
	}
	c.frame(frameSettings, 0, 0, nil)
	bodies := map[uint32][]byte{}
	for {
		kind, flags, id, payload, err := c.read()
		if err != nil {
			return
		}
		if s.deaf.Load() {
			continue
		}
		switch kind {
		case frameSettings, framePing:
			if flags&flagAck == 0 {
				c.frame(kind, flagAck, 0, ackOf(kind, payload))
			}
		case frameHeaders:
			bodies[id] = []byte{}
		case frameData:
			bodies[id] = append(bodies[id], payload...)
		}
		if (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0 {
			s.request(&Stream{ID: id, Body: bodies[id], conn: c, server: s})
			delete(bodies, id)
		}
	}
}

func ackOf(kind byte, payload []byte) []byte {
	if kind == framePing {
		return payload
	}
	return nil
}

func (s *FrameServer) request(stream *Stream) {
	s.receive(s.endpoint, stream.Body, "")
	stream.Number = int(s.numbers.Add(1))
	s.script(stream)
}

func (c *frameConn) read() (kind, flags byte, id uint32, payload []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(c.reader, head[:]); err != nil {
		return 0, 0, 0, nil, fmt.Errorf("frame: %w", err)
	}
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c.reader, payload); err != nil {
		return 0, 0, 0, nil, fmt.Errorf("frame: %w", err)
	}
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1), payload, nil
}

// frame writes a frame, and reports whether it was sent.
func (c *frameConn) frame(kind, flags byte, id uint32, payload []byte) bool {
	n := len(payload)
	frame := append(make([]byte, 0, 9+n), byte(n>>16), byte(n>>8), byte(n), kind, flags)
	frame = binary.BigEndian.AppendUint32(frame, id)
	return c.send(append(frame, payload...))
}

func (c *frameConn) send(frame []byte) bool {
	select {
	case c.out <- frame:
		return true
	case <-c.dead:
		return false
	}
}

// Execute counts the request as executed.
func (s *Stream) Execute() { s.server.execute(s.server.endpoint, s.Body, true) }

// Good executes the request and responds as the API would.
func (s *Stream) Good() {
	s.Execute()
	s.Respond()
}

// Respond responds as the API would.
func (s *Stream) Respond() {
	body := calls.To(s.server.endpoint).Response(calls.UserOf(s.Body))
	s.Headers(false, field(0x0f, 0x10, "application/json")...)
	s.Data(true, body)
}

// Headers sends status 200 and more header fields.
func (s *Stream) Headers(last bool, fields ...byte) {
	flags := byte(flagEndHeaders)
	if last {
		flags |= flagEndStream
	}
	s.conn.frame(frameHeaders, flags, s.ID, append([]byte{0x88}, fields...))
}

// ContentLength is a header field for [Stream.Headers].
func ContentLength(n int) []byte { return field(0x0f, 0x0d, strconv.Itoa(n)) }

// field is a literal that is not indexed, with a name of the static table (RFC
// 7541, 6.2.2) and a short value.
func field(first, second byte, value string) []byte {
	return append([]byte{first, second, byte(len(value))}, value...)
}

// Status sends another status, such as a 1xx before the response.
func (s *Stream) Status(status string) bool {
	return s.conn.frame(frameHeaders, flagEndHeaders, s.ID, append([]byte{0x08, byte(len(status))}, status...))
}

// HeaderFlood sends n bytes of header fields in CONTINUATION frames, or fewer if
// the peer stops reading.
func (s *Stream) HeaderFlood(n int) {
	filler := append([]byte{0x00, 0x01, 'x', 0x7e}, make([]byte, 0x7e)...)
	for i := 4; i < len(filler); i++ {
		filler[i] = 'y'
	}
	var block []byte
	for len(block)+len(filler) <= 16<<10 {
		block = append(block, filler...)
	}
	s.conn.frame(frameHeaders, 0, s.ID, []byte{0x88})
	for sent := 0; sent < n; sent += len(block) {
		if !s.conn.frame(frameContinue, 0, s.ID, block) {
			return
		}
	}
	s.conn.frame(frameContinue, flagEndHeaders, s.ID, nil)
}

// Data sends a part of the response.
func (s *Stream) Data(last bool, data string) {
	var flags byte
	if last {
		flags = flagEndStream
	}
	s.conn.frame(frameData, flags, s.ID, []byte(data))
}

// HalfHeaders begins a header block, and closes the connection before its end.
func (s *Stream) HalfHeaders() {
	s.conn.frame(frameHeaders, 0, s.ID, []byte{0x88})
	s.Hangup()
}

// Reset resets the stream.
func (s *Stream) Reset(code uint32) {
	s.conn.frame(frameReset, 0, s.ID, binary.BigEndian.AppendUint32(nil, code))
}

// GoAway ends the connection after the streams up to last.
func (s *Stream) GoAway(last, code uint32) {
	s.conn.frame(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}

// MaxStreams sends settings that change how many streams a connection may have.
func (s *Stream) MaxStreams(n uint32) {
	s.conn.frame(frameSettings, 0, 0, binary.BigEndian.AppendUint32([]byte{0, 0x3}, n))
}

// Hangup closes the connection after everything before it was sent.
func (s *Stream) Hangup() { s.conn.send(nil) }

// BlackHole makes the server neither read nor write: connections stay, and nothing
// is sent on them, not even the acknowledgement of a ping.
func (s *Stream) BlackHole() { s.server.deaf.Store(true) }
