package aimbrain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// An attempt is one request and what came of it.
type attempt struct {
	call     *call
	response Response
	err      error
	outcome  Outcome
	final    bool // trying again is of no use, or no longer possible
	answered bool // the API gave an answer that counts for its health
	report   Attempt

	sent atomic.Bool // the headers went out, or the body was read; the transport's goroutines tell

	mu    sync.Mutex
	conns []*guardedConn // lent to it: one, unless somebody's transport does more with the call's context
	over  bool
}

func (c *call) attempt(ctx context.Context, into decoder) *attempt {
	a := &attempt{call: c}
	config := c.client.config
	started := time.Now()
	limit, cause := config.attemptTimeout, error(ErrAttemptTimeout)
	if left := c.deadline.Sub(started); left < limit {
		limit, cause = left, ErrTotalTimeout
	}
	once, cancel := context.WithDeadlineCause(ctx, started.Add(limit), cause)
	defer cancel()

	a.report = Attempt{
		Endpoint: c.endpoint, Region: config.region, Host: config.base.Host,
		Number: c.attempts, Started: started, RequestBytes: c.size,
	}
	a.exchange(ctx, once, into)
	a.report.Duration = time.Since(started)
	a.report.Status = a.response.StatusCode
	a.report.Err, a.report.Outcome = a.err, a.outcome
	if a.err != nil {
		a.response = Response{}
	}
	return a
}

// exchange sends the request and reads the answer.
func (a *attempt) exchange(ctx, once context.Context, into decoder) {
	defer a.leave(false)
	request := a.request(once)
	answer, err := a.call.client.send(request)
	for n := 0; isAbandoned(err); n++ {
		a.sent.Store(false) // and there is one connection fewer that was given up
		if n == maxAbandoned || once.Err() != nil {
			break
		}
		request = a.request(once)
		answer, err = a.call.client.send(request)
	}
	if err != nil {
		a.lost(ctx, once, err)
		return
	}
	defer func() { _ = answer.Body.Close() }() // nothing is lost: the body was read as far as it counts
	if answer.Request != nil && answer.Request.URL != nil && answer.Request.URL.Host != request.URL.Host {
		a.response.StatusCode = answer.StatusCode
		a.end(OutcomeUnknown, &RedirectError{Endpoint: a.call.endpoint, StatusCode: answer.StatusCode, Host: answer.Request.URL.Host, Attempts: a.call.attempts, unknown: true})
		return
	}
	if reason := a.unusable(answer); reason != nil {
		a.leave(true)
		a.lost(ctx, once, reason)
		return
	}
	a.response = Response{StatusCode: answer.StatusCode, Header: answer.Header, Attempts: a.call.attempts, endpoint: a.call.endpoint}
	body, err := readBounded(answer.Body, answer.ContentLength, MaxResponseBytes)
	a.report.ResponseBytes = len(body)
	a.leave(HTTPStatus(answer.StatusCode).leavesOutcomeUnknown())
	switch {
	case err != nil && (answer.StatusCode < 300 || ctx.Err() != nil):
		a.lost(ctx, once, err)
	case answer.StatusCode >= 300:
		a.refused(answer, body)
	default:
		a.accepted(answer, body, into)
	}
}

// request makes the HTTP request. It is put together here and not by
// http.NewRequest, which would parse the URL for every call.
func (a *attempt) request(ctx context.Context) *http.Request {
	c := a.call
	key, _ := c.signer.credentials()
	values := [...]string{"application/json", "identity", "aimbrain-go/" + Version, key, c.signature}
	target := *c.client.config.base
	target.Path += c.endpoint
	if target.RawPath != "" {
		target.RawPath += c.endpoint
	}
	trace := &httptrace.ClientTrace{WroteHeaders: a.wrote, GotConn: func(info httptrace.GotConnInfo) { a.got(ctx, info.Conn) }}
	request := (&http.Request{
		Method: http.MethodPost,
		URL:    &target,
		Host:   target.Host,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Accept":               values[0:1:1],
			"Accept-Encoding":      values[1:2:2], // or net/http asks for gzip and unpacks whatever comes
			"Content-Type":         values[0:1:1],
			"User-Agent":           values[2:3:3],
			"X-Aimbrain-Apikey":    values[3:4:4],
			"X-Aimbrain-Signature": values[4:5:5],
		},
		ContentLength: int64(c.size),
	}).WithContext(httptrace.WithClientTrace(ctx, trace))
	request.Body = a.reader()
	if target.Scheme == "http" && c.client.ownTransport {
		// On a dead connection that took no byte net/http sends the request anew by
		// itself. Over HTTP/2, which a caller's transport may speak here too, it must
		// not be able to: a stream that the server ended by PROTOCOL_ERROR counts as
		// not looked at there, whatever was done by then. See turnedAway for what was
		// not looked at indeed.
		request.GetBody = func() (io.ReadCloser, error) { return a.reader(), nil }
	}
	return request
}

// reader returns the body for one reading. A small one goes out with its
// headers in one packet, which net/http only does for a bytes.Reader; it is
// read from a copy of its own, as a bytes.Reader cannot be stopped.
func (a *attempt) reader() io.ReadCloser {
	if a.call.small != nil {
		return io.NopCloser(bytes.NewReader(a.call.small))
	}
	return &bodyReader{shared: &a.call.shared, size: a.call.size, onRead: a.wrote}
}

// wrote notes that the request may be on the wire. A caller's transport that
// knows no httptrace is found out by its reading of the body.
func (a *attempt) wrote() { a.sent.Store(true) }

// got borrows the connection, where it is the library's own over HTTP/1.
func (a *attempt) got(ctx context.Context, conn net.Conn) {
	guarded := guardOf(conn)
	if guarded == nil {
		return
	}
	a.mu.Lock()
	over, held := a.over, slices.Contains(a.conns, guarded)
	a.mu.Unlock()
	switch {
	case over:
		return // somebody's transport goes on after the call
	case held:
		guarded.begin()
		return
	case !guarded.lend(ctx):
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		guarded.handOn()
		return
	}
	a.conns = append(a.conns, guarded)
}

// unusable says why what came is no answer to this request, nil when it is one.
func (a *attempt) unusable(answer *http.Response) error {
	if answer.StatusCode < http.StatusOK { // its body is the connection, and hears no context
		return errSwitched
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.conns) > 0 && !slices.ContainsFunc(a.conns, (*guardedConn).hasHeard) {
		return errEarly
	}
	return nil
}

// leave hands the connection on, or gives it up: a gateway that gave up on the
// API may still pass the API's own answer on when it comes, and the next call on
// the connection would take it for its own, another user's score.
func (a *attempt) leave(giveUp bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	for _, conn := range a.conns {
		if giveUp {
			conn.giveUp()
		}
		conn.handOn()
	}
	a.conns = nil
}

func (a *attempt) end(outcome Outcome, err error) {
	a.outcome, a.err = outcome, err
}

// lost ends an attempt that got no answer, or only a part of one.
func (a *attempt) lost(ctx, once context.Context, err error) {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	sent := a.sent.Load() && !turnedAway(err) || a.response.StatusCode != 0
	failure := &NetworkError{Endpoint: a.call.endpoint, Attempts: a.call.attempts}
	switch {
	case ctx.Err() != nil:
		err = ended(ctx)
		a.final = true
	case once.Err() != nil:
		err = context.Cause(once)
		a.final = !errors.Is(err, ErrAttemptTimeout)
	default:
		a.final = isPermanent(err)
		err = a.call.redactor().error(err)
	}
	failure.Err = err
	if sent {
		a.end(OutcomeUnknown, failure)
		return
	}
	if !a.call.unknown {
		failure.result = OutcomeNotSent
	}
	a.end(OutcomeNotSent, failure)
}

// refused ends an attempt whose answer is an error or a redirect.
func (a *attempt) refused(answer *http.Response, body []byte) {
	c := a.call
	if answer.StatusCode < 400 {
		a.final = true
		a.end(OutcomeRefused, &RedirectError{Endpoint: c.endpoint, StatusCode: answer.StatusCode, Host: printable(c.redactor().text(redirectHost(answer))), Attempts: c.attempts, unknown: c.unknown || answer.StatusCode == http.StatusSeeOther})
		return
	}
	err := readAPIError(answer.StatusCode, answer.Header, body, c.redactor())
	err.Endpoint, err.Attempts, err.unknown = c.endpoint, c.attempts, c.unknown
	err.retryAfter = readRetryAfter(answer.Header, time.Now())
	for _, detail := range err.Details {
		a.report.Codes = append(a.report.Codes, detail.Code)
	}
	switch {
	case HTTPStatus(answer.StatusCode).leavesOutcomeUnknown():
		a.end(OutcomeUnknown, err)
	case answer.StatusCode == http.StatusTooManyRequests:
		a.end(OutcomeRefused, err)
	default:
		a.final, a.answered = true, true
		a.end(OutcomeRefused, err)
	}
}

func redirectHost(answer *http.Response) string {
	location, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return ""
	}
	return location.Host
}

// accepted ends an attempt whose status is good: with a result, or with an
// answer that cannot be relied on.
func (a *attempt) accepted(answer *http.Response, body []byte, into decoder) {
	c := a.call
	a.final = true
	if len(body) > MaxResponseBytes {
		a.end(OutcomeUnknown, &TooLargeError{Endpoint: c.endpoint, Response: true, Limit: MaxResponseBytes, StatusCode: answer.StatusCode, Attempts: c.attempts})
		return
	}
	var metadata []byte
	var err error
	if encoding := answer.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		err = &DecodeError{StatusCode: answer.StatusCode, Reason: "it is compressed, which was not asked for"}
	} else {
		metadata, err = decodeBody(answer.StatusCode, body, into)
	}
	switch {
	case closeDelimited(answer) && (len(body) == 0 || errors.Is(err, strictjson.ErrUnexpectedEnd)):
		// Only the connection's end said that the answer was complete, and it is not.
		a.final = false
		a.end(OutcomeUnknown, &NetworkError{Endpoint: c.endpoint, Attempts: c.attempts, Err: io.ErrUnexpectedEOF})
	case err == nil:
		a.answered, a.outcome = true, OutcomeSucceeded
		if c.echoed(a.response.Header) {
			a.response.Header = c.redactor().header(a.response.Header)
		}
		a.response.Body = body
		a.response.Metadata = metadata
	default:
		var decode *DecodeError
		if errors.As(err, &decode) {
			decode.Endpoint, decode.Attempts, decode.Body = c.endpoint, c.attempts, c.redactor().body(body)
		}
		a.end(OutcomeUnknown, err)
	}
}

// closeDelimited reports whether the end of the connection was the only sign
// of the answer's end.
func closeDelimited(answer *http.Response) bool {
	return answer.ProtoMajor == 1 && answer.ContentLength < 0 && len(answer.TransferEncoding) == 0 && answer.StatusCode != http.StatusNoContent
}
