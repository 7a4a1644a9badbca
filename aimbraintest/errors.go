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
)

// NewError returns the error that a client returns for a call to an endpoint
// when the attempts of the call meet these stubs, one each and in this order. It
// is for a test's own implementation of an interface, where no client is:
//
//	aimbraintest.NewError(aimbrain.EndpointFaceAuth,
//		aimbraintest.Status(503).WithRetryAfter(30*time.Second))
//
// It is what a client made of the stubs: an [*aimbrain.APIError] of [Code] and
// [Status], an [*aimbrain.NetworkError] of [NotSent], [Reset], [LostResponse],
// [Stall] and [CutOff], and whatever a [Raw] response comes to, such as an
// [*aimbrain.DecodeError], [*aimbrain.RedirectError] or
// [*aimbrain.TooLargeError]. So errors.Is, [aimbrain.OutcomeOf], the action, the
// number of attempts and the text are those that a program meets.
//
// [Stub.Times] makes several attempts, [Stub.On] and [Stub.After] make no
// difference. The attempts before the last must be such that a client makes
// another. NewError panics for those that no client would make, for stubs that
// are no failure, and for [RespondWith].
//
// The errors of calls that cannot be right need no constructor: write
// &aimbrain.RequestError{...}, or &aimbrain.ConfigError{...}.
func NewError(endpoint string, attempts ...Stub) error {
	carrier := &canned{}
	for _, o := range attempts {
		o.mustBeMade("NewError")
		if o.always {
			panic(fmt.Sprintf("aimbraintest: NewError: %s happens for ever: say how often, by Times", o))
		}
		switch o.kind {
		case kindScore, kindLiveliness, kindDelay, kindAnswer:
			panic(fmt.Sprintf("aimbraintest: NewError: %s is no failure that can be told without a fake", o))
		default:
		}
		for range o.times {
			carrier.left = append(carrier.left, prepared{stub: o})
		}
	}
	return carrier.call("NewError", endpoint)
}

// NewAPIError returns the error that a client returns when the API refuses a
// call to an endpoint by a status from 400 to 599, with these codes. It is
// [NewError] of a [Status] or [Code]; with NewError there may be a message, a
// wait and other attempts as well.
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

// NewNetworkError returns the error that a client returns when a call to an
// endpoint got no response, of one attempt, for a cause such as
// [syscall.ECONNREFUSED], [aimbrain.ErrAttemptTimeout] or
// [context.DeadlineExceeded]. The outcome is [aimbrain.OutcomeNotSent] or
// [aimbrain.OutcomeUnknown]: NewNetworkError panics for another, and for a nil
// cause. See [NewError] for several attempts.
func NewNetworkError(endpoint string, cause error, outcome aimbrain.Outcome) *aimbrain.NetworkError {
	if cause == nil {
		panic("aimbraintest: NewNetworkError: the cause is nil: say why there was no response")
	}
	if outcome != aimbrain.OutcomeNotSent && outcome != aimbrain.OutcomeUnknown {
		panic(fmt.Sprintf("aimbraintest: NewNetworkError: the outcome of a call without a response is not sent or unknown, not %v", outcome))
	}
	carrier := &canned{left: []prepared{{cause: cause, sent: outcome == aimbrain.OutcomeUnknown}}}
	var failed *aimbrain.NetworkError
	if err := carrier.call("NewNetworkError", endpoint); !errors.As(err, &failed) {
		panic(fmt.Sprintf("aimbraintest: NewNetworkError: the client made a %T of it", err))
	}
	return failed
}

// prepared is what an attempt meets: a stub, or an error before or after the
// request was sent.
type prepared struct {
	stub  Stub
	cause error
	sent  bool
}

// A canned carrier gives each attempt of a call what was prepared for it.
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

// call makes a call of as many attempts as were prepared, and returns its error.
func (c *canned) call(constructor, endpoint string) error {
	made := len(c.left)
	if made == 0 {
		panic("aimbraintest: " + constructor + ": there is no attempt: pass a stub for one at least")
	}
	policy := aimbrain.RetryPolicy{MaxAttempts: made, RetryUnknownOutcome: []string{
		aimbrain.EndpointSessions, aimbrain.EndpointFaceToken, aimbrain.EndpointVoiceToken,
		aimbrain.EndpointFaceAuth, aimbrain.EndpointVoiceAuth,
	}}
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
		panic("aimbraintest: " + constructor + ": a client takes the last response for a good one")
	}
	return err
}

// respond is what an attempt meets in place of the fake's response.
func (o Stub) respond(r *http.Request) (*http.Response, error) {
	switch o.kind {
	case kindNotSent:
		return nil, errRefused()
	case kindStall:
		return nil, lost(r, fmt.Errorf("%w after %v", aimbrain.ErrAttemptTimeout, aimbrain.DefaultAttemptTimeout)) // as the client says it
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

// response has the form of one that came over HTTP/1.1.
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

// lost takes the request, so that it may have been processed.
func lost(r *http.Request, cause error) error {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // it is in memory
		_ = r.Body.Close()
	}
	return cause
}

// A brokenReader is the end of a connection in the middle of a body.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// errRefused is what a dialler meets where nothing listens.
func errRefused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}
