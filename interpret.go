package aimbrain

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/redact"
	"github.com/aimbrain/aimbrain-go/internal/retry"
	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// A verdict is what an attempt means for its call.
type verdict struct {
	err     error // nil for a result
	outcome Outcome
	final   bool // a retry is of no use, or no longer possible
	healthy bool // the API gave a response that counts for its health
}

// interpret makes the result of an attempt, or the error that is in its place. The
// errors after a request come from here, those of an invalid response by decode.
func interpret[T any](ctx context.Context, c *call, tries tries, a attempt, read reader[T]) (T, verdict) {
	var none T
	reply := a.reply
	switch {
	case a.failure != nil:
		return none, c.lost(ctx, tries, a, a.failure.Err, a.failure.Sent)
	case reply.Redirected:
		return none, verdict{final: true, err: &RedirectError{Endpoint: c.endpoint.Path, StatusCode: reply.Status, Host: printable(c.redactor().Text(reply.Elsewhere)), Attempts: tries.number, unknown: true}}
	case reply.BodyErr != nil && (reply.Status < 300 || ctx.Err() != nil):
		return none, c.lost(ctx, tries, a, reply.BodyErr, true)
	case reply.Status >= 400:
		return none, c.refused(tries, reply)
	case reply.Status >= 300:
		return none, c.redirected(tries, reply)
	case len(reply.Body) > MaxResponseBytes:
		return none, verdict{final: true, err: &TooLargeError{Endpoint: c.endpoint.Path, Response: true, Limit: MaxResponseBytes, StatusCode: reply.Status, Attempts: tries.number}}
	}
	response := Response{StatusCode: reply.Status, Header: reply.Header, Body: reply.Body, Attempts: tries.number, endpoint: c.endpoint.Path}
	key, secret := c.signer.pair.Credentials()
	headers := c.client.config.headers
	if redact.Contains(reply.Header, key, secret, strings.TrimRight(c.signature, "=")) || headers != nil && redact.Contains(reply.Header, c.credentials()...) {
		response.Header = c.redactor().Header(reply.Header)
	}
	result, err := decode(response, c.endpoint, read)
	switch {
	case reply.Unframed && (len(reply.Body) == 0 || errors.Is(err, strictjson.ErrUnexpectedEnd)):
		// Only the connection's end said that the response was complete, and it is not.
		return none, verdict{err: &NetworkError{Endpoint: c.endpoint.Path, Attempts: tries.number, Err: io.ErrUnexpectedEOF}}
	case err == nil:
		return result, verdict{outcome: OutcomeSucceeded, final: true, healthy: true}
	}
	var fault *DecodeError
	if errors.As(err, &fault) {
		fault.Body = c.redactor().Body(reply.Body, maxErrorBody)
	}
	return none, verdict{err: err, final: true}
}

// lost is the verdict on an attempt without a whole response.
func (c *call) lost(ctx context.Context, tries tries, a attempt, cause error, sent bool) verdict {
	var v verdict
	switch {
	case ctx.Err() != nil:
		cause, v.final = ended(ctx), true
	case a.timeout != nil:
		cause, v.final = a.timeout, !errors.Is(a.timeout, ErrAttemptTimeout)
	default:
		v.final = transport.IsPermanent(cause)
		cause = c.redactor().Error(cause)
	}
	failure := &NetworkError{Endpoint: c.endpoint.Path, Attempts: tries.number, Err: cause}
	if !sent {
		v.outcome = OutcomeNotSent
		if !tries.unknown {
			failure.result = OutcomeNotSent
		}
	}
	v.err = failure
	return v
}

// redirected is the verdict on a redirect, which is never followed.
func (c *call) redirected(tries tries, reply roundtrip.Reply) verdict {
	v := verdict{outcome: OutcomeRefused, final: true}
	if reply.Status == http.StatusSeeOther {
		v.outcome = OutcomeUnknown
	}
	host := ""
	if location, err := url.Parse(reply.Header.Get("Location")); err == nil {
		host = printable(c.redactor().Text(location.Host))
	}
	v.err = &RedirectError{Endpoint: c.endpoint.Path, StatusCode: reply.Status, Host: host, Attempts: tries.number, unknown: tries.unknown || v.outcome == OutcomeUnknown}
	return v
}

// refused is the verdict on an error status.
func (c *call) refused(tries tries, reply roundtrip.Reply) verdict {
	err := readAPIError(reply, c.redactor())
	err.Endpoint, err.Attempts, err.unknown = c.endpoint.Path, tries.number, tries.unknown
	err.retryAfter = retry.ReadAfter(reply.Header, time.Now())
	switch {
	case HTTPStatus(reply.Status).leavesOutcomeUnknown():
		return verdict{err: err}
	case reply.Status == http.StatusTooManyRequests:
		return verdict{err: err, outcome: OutcomeRefused}
	}
	return verdict{err: err, outcome: OutcomeRefused, final: true, healthy: true}
}

// readAPIError makes sense of a response that is an error, and keeps its status
// whatever the body is.
func readAPIError(reply roundtrip.Reply, r redact.Redactor) *APIError {
	e := &APIError{StatusCode: reply.Status, Header: r.Header(reply.Header), Body: r.Body(reply.Body, maxErrorBody), Gateway: true}
	var members jsonfields.Object
	members.Parse(reply.Body)
	if members.Err() != nil {
		e.Message = truncate(string(e.Body))
		return e
	}
	for _, name := range []string{"error", "Error"} {
		if text, err := strictjson.String(members.Raw(name)); err == nil {
			e.Gateway = false // it has the API's form
			if e.Message == "" {
				e.Message = truncate(r.Text(text[:min(len(text), maxErrorBody)]))
			}
		}
	}
	elements, err := strictjson.Elements(nil, members.Raw("errors"))
	if err != nil {
		return e
	}
	e.Gateway = false
	for _, element := range elements[:min(len(elements), maxDetails)] {
		if detail, ok := readDetail(element, r); ok {
			e.Details = append(e.Details, detail)
		}
	}
	return e
}

// readDetail reads one reason; one without a code says nothing to switch on.
func readDetail(element []byte, r redact.Redactor) (ErrorDetail, bool) {
	var members jsonfields.Object
	members.Parse(element)
	code, err := strictjson.Int(members.Raw("code"))
	if members.Err() != nil || err != nil || code != int64(int32(code)) {
		return ErrorDetail{}, false
	}
	text, _ := strictjson.String(members.Raw("description")) // a code is worth having without one
	return ErrorDetail{Code: Code(code), Description: truncate(r.Text(text[:min(len(text), maxErrorBody)]))}, true
}

// redactor knows this call's credentials.
func (c *call) redactor() redact.Redactor {
	return redact.New(c.credentials)
}

// credentials returns what must be in no error: the pair, the signature in both
// alphabets, and the values of [WithHeader]. Padding says nothing, and some servers
// leave it out.
func (c *call) credentials() []string {
	key, secret := c.signer.pair.Credentials()
	bare := strings.TrimRight(c.signature, "=")
	credentials := []string{secret, bare, key}
	if config := c.client.config; config.headers != nil {
		credentials = append(credentials, config.headerValues()...)
	}
	if strings.ContainsAny(bare, "+/") {
		credentials = append(credentials, strings.NewReplacer("+", "-", "/", "_").Replace(bare))
	}
	return credentials
}
