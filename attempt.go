package aimbrain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
	"github.com/aimbrain/aimbrain-go/internal/transport"
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

	carried transport.Report // what the library's own transport says
	sent    atomic.Bool      // through a caller's: the headers were written, or the body was read
}

func (c *call) attempt(ctx context.Context, into decoder) *attempt {
	a := &attempt{call: c}
	config := c.client.config
	started := time.Now()
	limit, cause := c.config.attemptTimeout, error(&c.attemptLimit)
	if left := c.deadline.Sub(started); left < limit {
		limit, cause = left, &c.totalLimit
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
	request := a.request(once)
	answer, err := a.call.carrier.send(request)
	if err == nil {
		err = checkResponse(answer)
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
	if answer.StatusCode < http.StatusOK { // its body is the connection, and ends with no context
		a.lost(ctx, once, errSwitched)
		return
	}
	a.response = Response{StatusCode: answer.StatusCode, Header: answer.Header, Attempts: a.call.attempts, endpoint: a.call.endpoint}
	body, err := readBounded(answer.Body, answer.ContentLength, MaxResponseBytes)
	a.report.ResponseBytes = len(body)
	switch {
	case err != nil && (answer.StatusCode < 300 || ctx.Err() != nil):
		a.lost(ctx, once, err)
	case answer.StatusCode >= 300:
		a.refused(answer, body)
	default:
		a.accepted(answer, body, into)
	}
}

// checkResponse refuses what a transport must not return, and mends a body that
// it left out.
func checkResponse(response *http.Response) error {
	switch {
	case response == nil:
		return errNoResponse
	case response.Body == nil && response.ContentLength > 0:
		return errNoBody
	case response.Body == nil:
		response.Body = http.NoBody
	}
	return nil
}

// request makes the HTTP request. It is put together here and not by
// http.NewRequest, which would parse the URL for every call.
func (a *attempt) request(ctx context.Context) *http.Request {
	c := a.call
	key, _ := c.signer.credentials()
	values := [...]string{"application/json", "identity", c.client.config.userAgent, key, c.signature}
	target := *c.client.config.base
	target.Path += c.endpoint
	if target.RawPath != "" {
		target.RawPath += c.endpoint
	}
	ctx = transport.WithReport(ctx, &a.carried)
	if !c.carrier.own {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: a.wrote})
	}
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
		Body:          a.reader(),
	}).WithContext(ctx)
	c.client.config.addHeaders(request.Header)
	if c.carrier.own {
		// It asks for the body again only when no byte of the request was read. Any
		// other transport must not be able to: net/http's repeats a request that was.
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

// reached reports whether the API may have received the request. Through a
// transport of the library alone that transport knows. Around it a caller's may
// have sent the request in another way, too, or not have waited for its end: then
// only the error of the library's own can say that nothing was sent.
func (a *attempt) reached(err error) bool {
	if a.carried.Sent() || a.call.carrier.own {
		return a.carried.Sent()
	}
	return a.sent.Load() && !transport.IsTurnedAway(err) && !isNotSent(err)
}

// isNotSent does not look into errors that were joined: the request may have been
// sent before or after that one.
func isNotSent(err error) bool {
	for err != nil {
		if _, ok := err.(*transport.NotSentError); ok { //nolint:errorlint // the chain is walked here
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
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
	sent := a.reached(err) || a.response.StatusCode != 0
	failure := &NetworkError{Endpoint: a.call.endpoint, Attempts: a.call.attempts}
	switch {
	case ctx.Err() != nil:
		err = ended(ctx)
		a.final = true
	case once.Err() != nil:
		err = context.Cause(once)
		a.final = !errors.Is(err, ErrAttemptTimeout)
	default:
		a.final = transport.IsPermanent(err)
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
		outcome := OutcomeRefused
		if answer.StatusCode == http.StatusSeeOther {
			outcome = OutcomeUnknown
		}
		a.end(outcome, &RedirectError{Endpoint: c.endpoint, StatusCode: answer.StatusCode, Host: printable(c.redactor().text(redirectHost(answer))), Attempts: c.attempts, unknown: c.unknown || outcome == OutcomeUnknown})
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
