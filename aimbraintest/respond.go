package aimbraintest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
)

// respond applies the outcome, or responds as the API does.
func (c *call) respond(w http.ResponseWriter, recorded *Request) {
	out := &statusWriter{ResponseWriter: w, note: func(status int) { c.fake.recordStatus(recorded, status) }}
	var kind stubKind
	if c.outcome != nil {
		kind = c.outcome.kind
		if kind != kindRespond {
			copyHeader(w.Header(), c.outcome.header)
		}
	}
	switch kind {
	case kindReset:
		breakConnection(out)
	case kindLost:
		_, _, _ = c.process()
		breakConnection(out)
	case kindStall:
		_, _, _ = c.process()
		c.fake.untilGone(c.request.Context())
		breakConnection(out)
	case kindCutOff:
		c.cutOff(out)
	case kindCode, kindStatus:
		r := c.outcome.refusal()
		writeJSON(out, r.status, r.body())
	case kindRaw:
		out.WriteHeader(c.outcome.status)
		_, _ = io.WriteString(out, c.outcome.body)
	case kindRespond:
		c.handOver(out)
	default:
		status, header, body := c.process()
		copyHeader(w.Header(), header)
		writeJSON(out, status, body)
	}
}

// cutOff sends half of the response.
func (c *call) cutOff(w *statusWriter) {
	status, header, body := c.process()
	copyHeader(w.Header(), header)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1)) // also for a response without a body
	writeJSON(w, status, body[:len(body)/2])
	w.Flush()
	breakConnection(w)
}

// handOver calls the function of a test, which responds.
func (c *call) handOver(w *statusWriter) {
	ctx, cancel := context.WithCancel(c.request.Context())
	defer cancel()
	defer context.AfterFunc(c.fake.stop, cancel)()
	r := c.request.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	copyHeader(w.Header(), c.outcome.header)
	c.outcome.handler(w, r)
	if !w.hijacked {
		w.noteStatus(http.StatusOK) // the status that net/http sends if the function wrote nothing
	}
}

func copyHeader(to, from http.Header) {
	for name, values := range from {
		to[name] = values
	}
}

// writeJSON writes a response. An error is dropped: the caller has gone.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	if _, set := w.Header()["Content-Type"]; !set {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, and said to be: no browser takes it for a page
}

// A statusWriter notes the status of a response before the caller can see it.
type statusWriter struct {
	http.ResponseWriter

	note     func(status int)
	noted    bool
	hijacked bool
}

func (w *statusWriter) noteStatus(status int) {
	if !w.noted {
		w.noted = true
		w.note(status)
	}
}

// WriteHeader notes the status, unless it is 1xx, which is no response yet.
func (w *statusWriter) WriteHeader(status int) {
	if status >= 200 {
		w.noteStatus(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the status that a first Write implies.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.noteStatus(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Hijack is for functions of [RespondWith] that break connections.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, buffered, err
}

// Flush is for functions of [RespondWith] that send half a response.
func (w *statusWriter) Flush() {
	w.noteStatus(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush() // an error says that it cannot be flushed
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// allowOrigins lets a browser read a response: the vendor's web client calls the
// API from a page.
func allowOrigins(h http.Header) { h.Set("Access-Control-Allow-Origin", "*") }

// preflight responds to the preflight request of a browser.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "content-type, x-aimbrain-apikey, x-aimbrain-signature")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
