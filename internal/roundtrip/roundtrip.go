// Package roundtrip makes one HTTP exchange. The result is a response that was
// read within its bounds, or a failure that says whether the request may have
// reached the server.
//
// # The states of a request
//
//  1. Not sent: [Request.Do] has not called the carrier.
//  2. In the carrier: the carrier was called, and no byte of the request is known to
//     be written. The library's transport waits for a connection here, for example.
//  3. Sent: the server may have received a part of the request.
//  4. Response: the header of a response has arrived. The request was sent.
//
// A response ends in state 4, also if its body is cut off. Without a response,
// [Failure.Sent] says whether the request was in state 3. Two sources report it:
//
//   - The library's transport fills a [transport.Report], which it finds in the
//     request's context: that it received the request (Entered), how many times it
//     wrote headers (Headers), and that the server may have read a byte or that the
//     transport is still at work (Sent).
//   - The state of the Request is for a foreign carrier, which is every one that
//     does not use the library's transport alone ([Carrier.Own]): another
//     transport, or a wrapper. It begins as open. It becomes sent when a trace
//     reports written headers, or when the body is read. It becomes sealed when Do
//     reports the request as not sent. The body of a sealed request returns an
//     error, so that what the carrier left behind sends nothing later.
//
// reached decides, by the first of these that applies:
//
//   - Report.Sent: the request was sent.
//   - The carrier uses the library's transport alone: the request was not sent.
//   - The state is open: the request was not sent.
//   - The error is net/http's for a request that an HTTP/2 server did not read: the
//     request was not sent.
//   - The error is a [*transport.NotSentError], the library's transport received the
//     request, and no other transport wrote headers: the request was not sent.
//   - Otherwise the request was sent.
package roundtrip

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// A Request is one request for one exchange: a carrier may change its URL and
// header.
type Request struct {
	URL    *url.URL
	Header http.Header
	Size   int
	Body   Body
	Limit  int // of the response's body; one byte more is read

	state   atomic.Int32 // by a foreign carrier: open, sent or sealed
	headers atomic.Int64 // how many times the headers were written, by any transport
	report  transport.Report
}

// The states of a request with a foreign carrier.
const (
	open   int32 = iota // nothing was sent
	sent                // the headers were written, or the body was read
	sealed              // nothing was sent, and nothing can be: its body is not read any more
)

// read reports whether the body may be read, and notes that it is.
func (r *Request) read() bool { return r.state.CompareAndSwap(open, sent) || r.state.Load() == sent }

// A Body is the body of a request.
type Body interface {
	// Reader returns the body for one reading. It may call onRead before it
	// returns bytes.
	Reader(onRead func() bool) io.ReadCloser
}

// A Reply is a response.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // one byte longer than the limit when it is too large
	// Unframed means that only the end of the connection marked the body's end.
	Unframed bool
	// Redirected says that the carrier followed a redirect, or changed the URL. The
	// body was not read.
	Redirected bool
	Elsewhere  string // the host that responded then, "" for the one that was called
	// BodyErr is why the body was not read to its end.
	BodyErr error
}

// A Failure is an exchange without a response.
type Failure struct {
	Err  error
	Sent bool // the server may have received the request
}

// A Fault is a breach of contract by a carrier, or a response that the request did
// not ask for.
type Fault string

// Error returns the text of the fault.
func (f Fault) Error() string { return string(f) }

const (
	errNoResponse Fault = "the transport returned neither a response nor an error"
	errNoBody     Fault = "the transport returned a response without its body"
	errSwitched   Fault = "the response switches to another protocol, which was not requested"
)

// Do sends the request and reads the response. The context bounds both.
func (r *Request) Do(ctx context.Context, carrier *Carrier) (Reply, *Failure) {
	request := r.make(transport.WithReport(ctx, &r.report), carrier)
	fail := func(err error) (Reply, *Failure) {
		if wrapped, ok := err.(*url.Error); ok && wrapped.Err != nil { //nolint:errorlint // of an http.Client itself; it repeats the URL
			err = wrapped.Err
		}
		return Reply{}, &Failure{Err: err, Sent: r.reached(err, carrier.Own)}
	}
	response, err := carrier.Send(request)
	switch {
	case err != nil:
		return fail(err)
	case response == nil:
		return fail(errNoResponse)
	case response.Body == nil && response.ContentLength > 0:
		return Reply{}, &Failure{Err: errNoBody, Sent: true}
	case response.Body == nil:
		response.Body = http.NoBody
	}
	defer func() { _ = response.Body.Close() }() // nothing is lost: the body was read as far as it counts
	reply := Reply{Status: response.StatusCode, Header: response.Header, Unframed: isUnframed(response)}
	if reply.Redirected = isRedirected(response.Request, r.URL); reply.Redirected {
		if response.Request.URL != nil && response.Request.URL.Host != r.URL.Host {
			reply.Elsewhere = response.Request.URL.Host
		}
		return reply, nil
	}
	if response.StatusCode < http.StatusOK { // its body is the connection, and does not end with the context
		return Reply{}, &Failure{Err: errSwitched, Sent: true}
	}
	reply.Body, reply.BodyErr = readBounded(response.Body, response.ContentLength, r.Limit)
	return reply, nil
}

// make makes the HTTP request. It does not use http.NewRequest, which would parse
// the URL for every call.
func (r *Request) make(ctx context.Context, carrier *Carrier) *http.Request {
	if !carrier.Own {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() {
			r.headers.Add(1)
			r.read()
		}})
	}
	request := (&http.Request{
		Method: http.MethodPost,
		URL:    r.URL,
		Host:   r.URL.Host,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        r.Header,
		ContentLength: int64(r.Size),
		Body:          r.Body.Reader(r.read),
	}).WithContext(ctx)
	if carrier.Own {
		// The library's transport requests the body again only when no byte of
		// the request was read. Any other transport must not be able to:
		// net/http's repeats a request that was read.
		request.GetBody = func() (io.ReadCloser, error) { return r.Body.Reader(r.read), nil }
	}
	return request
}

// reached reports whether the server may have received the request. If the
// library's transport is used alone, it knows that. A caller's transport around it
// may also have sent the request in another way, or may have returned early. Then
// only the error of the library's transport proves that nothing was sent.
func (r *Request) reached(err error, own bool) bool {
	switch {
	case r.report.Sent(), own:
		return r.report.Sent()
	case r.state.CompareAndSwap(open, sealed):
		return false // and what was left behind cannot send it any more
	case transport.IsTurnedAway(err), isNotSent(err) && r.report.Entered() && r.headers.Load() <= r.report.Headers():
		r.state.Store(sealed)
		return false
	}
	return true
}

// isRedirected reports whether a response is not that of the request to target: a
// caller's transport followed a redirect, or sent the request elsewhere. A mock may leave
// the method out.
func isRedirected(of *http.Request, target *url.URL) bool {
	if of == nil {
		return false
	}
	return of.Response != nil || of.Method != http.MethodPost && of.Method != "" ||
		of.URL != nil && (of.URL.Host != target.Host || of.URL.Scheme != target.Scheme || of.URL.Path != target.Path)
}

// isNotSent does not look into joined errors: the request may have been sent
// before or after that one.
func isNotSent(err error) bool {
	for err != nil {
		if _, ok := err.(*transport.NotSentError); ok { //nolint:errorlint // the chain is walked here
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

// isUnframed reports whether only the end of the connection marks the response's
// end.
func isUnframed(response *http.Response) bool {
	return response.ProtoMajor == 1 && response.ContentLength < 0 && len(response.TransferEncoding) == 0 && response.StatusCode != http.StatusNoContent
}

// maxEmptyReads is how many consecutive Reads may return nothing.
const maxEmptyReads = 100

// readBounded reads a body to its end, or to one byte beyond limit. It takes no
// more memory than the body needs: a declared size is trusted up to a page.
func readBounded(r io.Reader, declared int64, limit int) (body []byte, err error) {
	size := 512
	if declared >= 0 && declared <= 4096 {
		size = int(declared) + 1 // so that the last Read reports the end
	}
	body = make([]byte, 0, min(size, limit+1))
	for empty := 0; ; {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), min(2*cap(body), limit+1))
			copy(grown, body)
			body = grown
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case len(body) > limit:
			return body, nil
		case n > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads { // the transport breaks its contract
				return body, io.ErrNoProgress
			}
		}
	}
}
