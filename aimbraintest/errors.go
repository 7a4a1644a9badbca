package aimbraintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// NewError returns the error of a client's call to an endpoint whose attempts meet
// these stubs, one each and in this order. It is for a test that implements an
// interface of its own and has no client:
//
//	aimbraintest.NewError(aimbrain.EndpointFaceAuth,
//		aimbraintest.Status(503).WithRetryAfter(30*time.Second))
//
// A client makes the error: an [*aimbrain.APIError] of [Code] and [Status], an
// [*aimbrain.NetworkError] of [NotSent], [Reset], [LostResponse], [Stall] and
// [CutOff], and of a [Raw] response the error that fits it, such as an
// [*aimbrain.DecodeError], [*aimbrain.RedirectError] or
// [*aimbrain.TooLargeError]. Therefore errors.Is, [aimbrain.OutcomeOf], the
// action, the number of attempts and the text are those of a real call.
//
// [Stub.Times] makes several attempts. [Stub.On] and [Stub.After] have no effect.
// A client must retry after each attempt but the last: NewError panics if it would
// not. It also panics for stubs that are no failure, and for [RespondWith].
//
// The errors of invalid arguments need no constructor: write
// &aimbrain.RequestError{...}, or &aimbrain.ConfigError{...}.
func NewError(endpoint string, attempts ...Stub) error {
	transport := &canned{}
	for _, o := range attempts {
		o.mustBeMade("NewError")
		if o.always {
			panic(fmt.Sprintf("aimbraintest: NewError: %s has no end: set the number of attempts by Times", o))
		}
		switch o.kind {
		case kindScore, kindLiveliness, kindDelay, kindRespond:
			panic(fmt.Sprintf("aimbraintest: NewError: %s is no failure that NewError can make", o))
		default:
		}
		for range o.times {
			transport.left = append(transport.left, prepared{stub: o})
		}
	}
	return transport.call("NewError", endpoint)
}

// NewAPIError returns the error of a client's call to an endpoint that the API
// refuses with a status from 400 to 599 and these codes. It is [NewError] of a
// [Status] or [Code]. NewError can also set a message, a wait and other attempts.
// NewAPIError panics for another status.
func NewAPIError(endpoint string, status int, codes ...aimbrain.Code) *aimbrain.APIError {
	mustBeError("NewAPIError", status)
	stub := Status(status)
	if len(codes) > 0 {
		stub = Code(codes[0], codes[1:]...).WithStatus(status)
	}
	var refused *aimbrain.APIError
	if err := NewError(endpoint, stub); !errors.As(err, &refused) {
		panic(fmt.Sprintf("aimbraintest: NewAPIError: the client made a %T of it", err))
	}
	return refused
}

// NewNetworkError returns the error of a client's call to an endpoint that got no
// response, after one attempt. The cause is an error such as
// [syscall.ECONNREFUSED], [aimbrain.ErrAttemptTimeout] or
// [context.DeadlineExceeded]. The outcome is [aimbrain.OutcomeNotSent] or
// [aimbrain.OutcomeUnknown]: NewNetworkError panics for another, and for a nil
// cause. See [NewError] for several attempts.
func NewNetworkError(endpoint string, cause error, outcome aimbrain.Outcome) *aimbrain.NetworkError {
	if cause == nil {
		panic("aimbraintest: NewNetworkError: the cause is nil: pass the error that explains the missing response")
	}
	if outcome != aimbrain.OutcomeNotSent && outcome != aimbrain.OutcomeUnknown {
		panic(fmt.Sprintf("aimbraintest: NewNetworkError: the outcome of a call without a response is not sent or unknown, not %v", outcome))
	}
	transport := &canned{left: []prepared{{cause: cause, sent: outcome == aimbrain.OutcomeUnknown}}}
	var failed *aimbrain.NetworkError
	if err := transport.call("NewNetworkError", endpoint); !errors.As(err, &failed) {
		panic(fmt.Sprintf("aimbraintest: NewNetworkError: the client made a %T of it", err))
	}
	return failed
}

// prepared is the result of an attempt: a stub, or an error before or after the
// request was sent.
type prepared struct {
	stub  Stub
	cause error
	sent  bool
}

// A canned transport returns the prepared result of each attempt of a call.
type canned struct{ left []prepared }

// RoundTrip implements [http.RoundTripper].
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	next := c.left[0]
	c.left = c.left[1:]
	switch {
	case next.cause == nil:
		return next.stub.respond(r)
	case next.sent:
		return nil, lost(r, next.cause)
	}
	return nil, next.cause
}

// call makes a call with as many attempts as were prepared, and returns its error.
func (c *canned) call(constructor, endpoint string) error {
	made := len(c.left)
	if made == 0 {
		panic("aimbraintest: " + constructor + ": there is no attempt: pass at least one stub")
	}
	policy := aimbrain.RetryPolicy{MaxAttempts: made}
	for _, row := range endpoints.All() {
		if row.Repeat == endpoints.OptIn {
			policy.RetryUnknownOutcome = append(policy.RetryUnknownOutcome, row.Path)
		}
	}
	client, err := aimbrain.New(DefaultAPIKey, DefaultAPISecret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithTransport(c), aimbrain.WithRetry(policy))
	if err != nil {
		panic("aimbraintest: " + constructor + ": " + err.Error())
	}
	_, err = client.Forward(context.Background(), endpoint, []byte("{}"))
	var wrong *aimbrain.RequestError
	switch {
	case errors.As(err, &wrong):
		panic("aimbraintest: " + constructor + ": " + strings.TrimPrefix(err.Error(), "aimbrain: "))
	case len(c.left) > 0:
		panic(fmt.Sprintf("aimbraintest: %s: a client does not retry a call to %s after attempt %d of these %d", constructor, endpoint, made-len(c.left), made))
	case err == nil:
		panic("aimbraintest: " + constructor + ": the last response is a success")
	}
	return err
}

// respond returns the result of an attempt that meets the stub.
func (o Stub) respond(r *http.Request) (*http.Response, error) {
	switch o.kind {
	case kindNotSent:
		return nil, errRefused()
	case kindStall:
		return nil, lost(r, fmt.Errorf("%w after %v", aimbrain.ErrAttemptTimeout, aimbrain.DefaultAttemptTimeout)) // the text of the client
	case kindCutOff:
		half := io.MultiReader(strings.NewReader(`{"`), brokenReader{})
		return response(r, http.StatusOK, o.header, half, 100), nil
	case kindCode, kindStatus:
		refused := o.refusal()
		body := refused.body()
		header := o.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		if _, set := header["Content-Type"]; !set {
			header.Set("Content-Type", "application/json")
		}
		return response(r, refused.status, header, bytes.NewReader(body), len(body)), nil
	case kindRaw:
		return response(r, o.status, o.header, strings.NewReader(o.body), len(o.body)), nil
	default: // Reset and LostResponse
		return nil, lost(r, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)})
	}
}

// response returns a response as of HTTP/1.1.
func response(r *http.Request, status int, header http.Header, body io.Reader, length int) *http.Response {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Request: r, ContentLength: int64(length), Body: io.NopCloser(body),
	}
}

// lost reads the body of the request, so that the outcome is unknown, and returns
// the cause.
func lost(r *http.Request, cause error) error {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // the body is in memory
		_ = r.Body.Close()
	}
	return cause
}

// A brokenReader fails as a body whose connection ended.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// errRefused returns the error of a dial where nothing listens.
func errRefused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}
