package aimbraintest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A call is one request on its way through the fake.
type call struct {
	fake     *Fake
	request  *http.Request
	endpoint string // in lower case; the path if it is no endpoint
	known    bool   // endpoint is one of the API
	body     []byte // cut after the limit
	members  []strictjson.Member
	err      error // set if the body is not a strict JSON object
	outcome  *queued
	used     bool // the score of the outcome was used
}

// ServeHTTP responds to a request as the API does. The path must be that of an
// endpoint, such as "/v1/face/auth", or that path behind the prefix that
// [WithPathPrefix] names; [http.StripPrefix] is another way to mount the fake under
// a prefix. Any other path is refused with status 404.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	f.endConnection(w, r)
	if r.Method == http.MethodOptions {
		preflight(w)
		return
	}
	c, err := f.receive(r)
	recorded := f.record(c)
	if err != nil { // the connection of the caller ended
		breakConnection(w)
		return
	}
	c.outcome = f.take(c.endpoint)
	if c.outcome != nil && c.outcome.scores() {
		defer func() {
			if !c.used {
				f.putBack(c.outcome)
			}
		}()
	}
	if c.outcome != nil && c.outcome.after > 0 && !f.wait(r.Context(), c.outcome.after) {
		breakConnection(w)
		return
	}
	c.respond(w, recorded)
}

// endConnection makes the response the last one of its connection while connections
// are to be refused, so that the next request needs a new connection. It does so for
// connections of the fake's transport only.
func (f *Fake) endConnection(w http.ResponseWriter, r *http.Request) {
	address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || address.Network() != "pipe" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusing() {
		w.Header().Set("Connection", "close")
	}
}

// receive reads a request without checking it.
func (f *Fake) receive(r *http.Request) (*call, error) {
	c := &call{fake: f, request: r}
	c.endpoint, c.known = findEndpoint(f.config.prefix, r.URL)
	var err error
	if c.body, err = readBody(r); err != nil {
		return c, err
	}
	if len(c.body) < aimbrain.MaxRequestBytes {
		c.members, c.err = strictjson.Request(nil, c.body)
	}
	return c, nil
}

// findEndpoint returns the endpoint of a request: what follows the prefix, in lower
// case. Escapes are compared as they were sent.
func findEndpoint(prefix string, u *url.URL) (endpoint string, known bool) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), prefix)
	endpoint = strings.ToLower(rest)
	if ok && slices.Contains(aimbrain.Endpoints(), endpoint) {
		return endpoint, true
	}
	return strings.ToLower(u.Path), false
}

// unknownPath returns an error text that lists the paths.
func (c *call) unknownPath() string {
	if slices.Contains(strings.Split(c.endpoint, "/"), "nosession") {
		return "the nosession variants of the face calls are observed in the vendor's iOS client, undocumented, and not supported here: create a session, or call " + aimbrain.EndpointFaceCompare + ", which needs no session"
	}
	endpoints := strings.Join(aimbrain.Endpoints(), ", ")
	if prefix := c.fake.config.prefix; prefix != "" {
		return "there is no such path: with WithPathPrefix the endpoints are behind " + prefix + " only: " + endpoints
	}
	return "there is no such path: the endpoints are " + endpoints + "; for a prefix in front of them the fake needs the option WithPathPrefix"
}

// readBody reads a body up to the limit, and discards what follows: a caller that
// is still sending would miss the response.
func readBody(r *http.Request) ([]byte, error) {
	const drained = 16 << 20
	body, err := readGrowing(r.Body, r.ContentLength)
	if err == nil && len(body) == aimbrain.MaxRequestBytes {
		_, err = io.CopyN(io.Discard, r.Body, drained)
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return body, err
}

// readGrowing reads a body up to the limit. It allocates memory for the bytes that
// have arrived, and uses a declared length only when it is near.
func readGrowing(r io.Reader, declared int64) ([]byte, error) {
	body := make([]byte, 0, 512)
	for len(body) < aimbrain.MaxRequestBytes {
		if len(body) == cap(body) {
			size := min(2*cap(body), aimbrain.MaxRequestBytes)
			if left := declared - int64(len(body)); 0 <= left && left < int64(size-len(body)) {
				size = len(body) + int(left) + 1 // so that the last Read returns the end
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return bytes.Clone(body), err
		}
	}
	if cap(body)-len(body) > len(body)/4 { // the record keeps it
		body = bytes.Clone(body)
	}
	return body, nil
}

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

func copyHeader(to, from http.Header) {
	for name, values := range from {
		to[name] = values
	}
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

// process executes the request as the API does, and returns the response.
func (c *call) process() (status int, header http.Header, body []byte) {
	result, err := c.execute()
	var r *refusal
	if errors.As(err, &r) {
		if r.status == http.StatusMethodNotAllowed {
			header = http.Header{"Allow": {"POST, OPTIONS"}}
		}
		return r.status, header, r.body()
	}
	c.fake.mu.Lock()
	c.fake.log.processed[c.endpoint]++
	c.fake.mu.Unlock()
	if scoring(c.endpoint) {
		header = http.Header{"X-Aimbraintest-Score": {"simulated"}}
	}
	return http.StatusOK, header, c.withMetadata(result)
}

func scoring(endpoint string) bool {
	return Stub{kind: kindScore}.fits(endpoint)
}

// withMetadata returns the body of the response, with the metadata of the request.
// /v1/score has metadata of its own.
func (c *call) withMetadata(result any) []byte {
	var body []byte
	if result != nil {
		body = encode(result)
	}
	raw, ok := find(c.members, "metadata")
	if !ok || c.endpoint == aimbrain.EndpointScore {
		return body
	}
	metadata, err := strictjson.String(raw)
	if err != nil {
		return body
	}
	if _, err := base64.StdEncoding.DecodeString(metadata); err != nil {
		return body
	}
	if body == nil {
		body = []byte("{}")
	}
	echoed, err := strictjson.Set(nil, body, "metadata", encode(metadata))
	if err != nil {
		return body
	}
	return echoed
}

// execute checks a request, in the order that the API's errors suggest, and
// executes it.
func (c *call) execute() (any, error) {
	switch {
	case !c.known:
		return nil, refuse(http.StatusNotFound, c.unknownPath())
	case c.request.Method != http.MethodPost:
		return nil, refuse(http.StatusMethodNotAllowed, "the method must be POST")
	case len(c.body) >= aimbrain.MaxRequestBytes:
		return nil, refuseCode(aimbrain.CodeFileTooBig, "the request is 2 MB or more: send fewer or smaller files (base64 adds a third)")
	}
	if err := c.checkSignature(); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(c.body, []byte("\xef\xbb\xbf")) {
		return nil, refuseCode(aimbrain.CodeUndecodableRequest, "the body begins with a byte order mark (the bytes EF BB BF), which JSON must not have: write UTF-8 without it")
	}
	if c.err != nil {
		return nil, refuseCode(aimbrain.CodeUndecodableRequest, "the body is not a strict JSON object: "+strings.TrimPrefix(c.err.Error(), "strictjson: "))
	}
	switch c.endpoint {
	case aimbrain.EndpointSessions:
		return c.createSession()
	case aimbrain.EndpointBehaviour:
		return c.behavioural()
	case aimbrain.EndpointBehaviourSubmit:
		return c.submit()
	case aimbrain.EndpointScore:
		return c.score()
	case aimbrain.EndpointFaceToken:
		return c.token(faceModule)
	case aimbrain.EndpointFaceEnroll:
		return c.enroll(faceModule)
	case aimbrain.EndpointFaceAuth:
		return c.auth(faceModule)
	case aimbrain.EndpointFaceCompare:
		return c.compare()
	case aimbrain.EndpointVoiceToken:
		return c.token(voiceModule)
	case aimbrain.EndpointVoiceEnroll:
		return c.enroll(voiceModule)
	case aimbrain.EndpointVoiceAuth:
		return c.auth(voiceModule)
	}
	return nil, refuse(http.StatusNotFound, "this fake does not know the endpoint")
}

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
