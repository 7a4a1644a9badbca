package aimbrain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
)

// The states of a call, and of an attempt in it:
//
//   - begin checks the arguments and starts the time of the call. encode makes the
//     body and its signature. Each error until then has the outcome not sent.
//   - exchange makes an attempt. If the context, or the time of the attempt, has
//     ended, it does not call the carrier: the attempt was not sent. Otherwise
//     internal/roundtrip returns a response, or a failure that says whether the
//     request was sent. The overview of these states is in that package.
//   - interpret turns the attempt into a result, or into an error and its outcome. A
//     failure that was not sent has the outcome not sent. The outcome is unknown
//     after a failure that was sent, a 5xx, a 408, a 303, a redirect that the
//     carrier followed, and a response with status 2xx that is cut off or cannot be
//     used. Other responses with an error or a redirect are refused.
//   - again decides whether another attempt follows. Once the outcome of an attempt
//     is unknown (tries.unknown), the error of the call says unknown too, whatever
//     the outcome of later attempts is.
//   - end takes the body from transports that still read it.

// A call is what stays the same over all attempts of one request: its settings, its
// time, its bytes and their signature.
type call struct {
	client   *Client
	endpoint endpoints.Endpoint
	config   callConfig
	signer   *Signer
	carrier  *roundtrip.Carrier
	deadline time.Time // of all attempts together

	attemptLimit, totalLimit limitError // the causes of an end by time

	body      *payload.Payload
	signature string
}

// begin checks what does not depend on the request's content. What it returns must
// be ended.
func begin(ctx context.Context, s *service, path string, opts []CallOption) (*call, error) {
	refuse := func(argument, reason string) (*call, error) {
		return nil, &RequestError{Endpoint: path, Argument: argument, Reason: reason}
	}
	switch {
	case s == nil || s.client == nil || s.client.config == nil:
		return refuse("the client", notMadeByNew)
	case s.client.closed.Load():
		return nil, &NetworkError{Endpoint: path, Err: ErrClosed, result: OutcomeNotSent}
	case ctx == nil:
		return refuse("the context", "is nil")
	}
	c := s.client
	row, _ := endpoints.Find(path)
	call := &call{client: c, endpoint: row, signer: c.signer.Load()}
	call.config = callConfig{maxAttempts: c.config.retry.MaxAttempts, timeout: c.config.timeout, attemptTimeout: c.config.attemptTimeout}
	for _, opt := range opts {
		if opt == nil {
			return refuse("a call option", "is nil")
		}
		opt(&call.config)
	}
	switch config := call.config; {
	case config.maxAttempts < 1:
		return refuse("WithMaxAttempts", strconv.Itoa(config.maxAttempts)+" is below 1: 1 turns retries off")
	case config.timeout <= 0 || config.attemptTimeout <= 0:
		return refuse("WithCallTimeout", "is not positive")
	case config.repeat && row.Repeat == endpoints.Never:
		return refuse("WithRetryUnknownOutcome", "is not for this endpoint: processed twice it would change what is stored about the person")
	case config.confirm != nil:
		return refuse("WithConfirmTime", "is for EnrollAndConfirm alone")
	case ctx.Err() != nil:
		return nil, &NetworkError{Endpoint: path, Err: ended(ctx), result: OutcomeNotSent}
	}
	call.deadline = time.Now().Add(call.config.timeout)
	call.attemptLimit = limitError{ErrAttemptTimeout, call.config.attemptTimeout}
	call.totalLimit = limitError{ErrTotalTimeout, call.config.timeout}
	call.carrier = c.carrier()
	c.calls.Add(1) // the last one to end after Close takes its connection with it
	if c.closed.Load() {
		call.end()
		return nil, &NetworkError{Endpoint: path, Err: ErrClosed, result: OutcomeNotSent}
	}
	return call, nil
}

// end takes the body from transports that read it still, and gives back what the
// call has borrowed.
func (c *call) end() {
	c.body.Release()
	c.carrier.Release()
	if c.client.calls.Add(-1) == 0 && c.client.closed.Load() {
		c.client.closeIdle()
	}
}

// encode makes the body and its signature in one pass.
func (c *call) encode(ctx context.Context, write func(*payload.Builder)) error {
	config, pair := c.client.config, c.signer.pair
	signature := pair.Begin(http.MethodPost, c.endpoint.Path)
	defer pair.End(signature)
	warns := config.mediaCheck == MediaCheckWarn && config.logger != nil && config.logger.Enabled(ctx, slog.LevelWarn)
	inspect := warns || config.mediaCheck == MediaCheckRefuse || config.mediaCheck == MediaCheckStrict
	body, problems, err := payload.Make(payload.Settings{
		Buffers: &c.client.buffers, Hash: signature, Rehash: signature.Restart, Limit: MaxRequestBytes, Metadata: c.config.metadata,
		Inspect: inspect, Copy: c.carrier.Own,
		Ended:   func() error { return c.ended(ctx) },
		Limited: func() (context.Context, context.CancelFunc) { return context.WithDeadline(ctx, c.deadline) },
	}, write)
	if err != nil {
		return c.notMade(err)
	}
	c.body, c.signature = body, signature.Sum()
	if len(problems) > 0 {
		return config.report(ctx, c.endpoint.Path, problems)
	}
	return nil
}

// ended returns why the call has no time left, nil while it has.
func (c *call) ended(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case !time.Now().Before(c.deadline):
		return &c.totalLimit
	}
	return nil
}

// notMade is the error of a request that could not be made: nothing was sent.
func (c *call) notMade(err error) error {
	var invalid *payload.Invalid
	var interrupted *payload.Interrupted
	switch {
	case errors.As(err, &invalid):
		return &RequestError{Endpoint: c.endpoint.Path, Argument: invalid.Argument, Reason: invalid.Reason, Err: invalid.Err}
	case errors.As(err, &interrupted):
		return &NetworkError{Endpoint: c.endpoint.Path, Err: fmt.Errorf("not sent: %w", interrupted), result: OutcomeNotSent}
	}
	return &TooLargeError{Endpoint: c.endpoint.Path, Limit: MaxRequestBytes}
}

// An attempt is one exchange of a call, and when it was made.
type attempt struct {
	reply   roundtrip.Reply
	failure *roundtrip.Failure // in place of a reply
	started time.Time
	took    time.Duration
	timeout error // why its own time ended it, nil when that did not
}

// exchange makes an attempt, within its own time and that of the call.
func (c *call) exchange(ctx context.Context) attempt {
	a := attempt{started: time.Now()}
	limit, cause := c.config.attemptTimeout, error(&c.attemptLimit)
	if left := c.deadline.Sub(a.started); left < limit {
		limit, cause = left, &c.totalLimit
	}
	once, cancel := context.WithDeadlineCause(ctx, a.started.Add(limit), cause)
	defer cancel()
	if once.Err() != nil { // a transport may not look at it
		a.failure = &roundtrip.Failure{Err: context.Cause(once)}
	} else {
		a.reply, a.failure = c.request().Do(once, c.carrier)
	}
	if once.Err() != nil {
		a.timeout = context.Cause(once)
	}
	a.took = time.Since(a.started)
	return a
}

// request returns the request of one attempt.
func (c *call) request() *roundtrip.Request {
	config := c.client.config
	key, _ := c.signer.pair.Credentials()
	values := [...]string{"application/json", "identity", config.userAgent, key, c.signature}
	target := *config.base
	target.Path += c.endpoint.Path
	if target.RawPath != "" {
		target.RawPath += c.endpoint.Path
	}
	header := http.Header{
		"Accept":               values[0:1:1],
		"Accept-Encoding":      values[1:2:2], // or net/http asks for gzip and unpacks whatever comes
		"Content-Type":         values[0:1:1],
		"User-Agent":           values[2:3:3],
		"X-Aimbrain-Apikey":    values[3:4:4],
		"X-Aimbrain-Signature": values[4:5:5],
	}
	if config.headers != nil {
		config.headers(header.Add)
	}
	return &roundtrip.Request{URL: &target, Header: header, Size: c.body.Size(), Body: c.body, Limit: MaxResponseBytes}
}
