package aimbrain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/retry"
	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
)

// A call is what stays the same over all attempts of one request: its settings, its
// time, its bytes and their signature.
type call struct {
	client   *Client
	endpoint endpoints.Endpoint
	config   callConfig
	signer   *Signer
	carrier  *carrier
	deadline time.Time // of all attempts together

	attemptLimit, totalLimit limitError // the causes of an end by time

	body      *payload.Payload
	signature string
}

// tries is how far a call has got.
type tries struct {
	number  int           // of the attempt, from 1
	wait    time.Duration // before it
	waited  time.Duration // before all attempts so far
	unknown bool          // the outcome of an attempt so far is
}

func (t tries) next(wait time.Duration) tries {
	return tries{number: t.number + 1, wait: wait, waited: t.waited + wait, unknown: t.unknown}
}

// begin checks what does not depend on the request's content. What it returns must
// be ended.
func (c *Client) begin(ctx context.Context, path string, opts []CallOption) (*call, error) {
	refuse := func(argument, reason string) (*call, error) {
		return nil, &RequestError{Endpoint: path, Argument: argument, Reason: reason}
	}
	switch {
	case !c.made():
		return refuse("the client", notMadeByNew)
	case c.closed.Load():
		return nil, &NetworkError{Endpoint: path, Err: ErrClosed, result: OutcomeNotSent}
	case ctx == nil:
		return refuse("the context", "is nil")
	}
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
	if !c.enter() {
		return nil, &NetworkError{Endpoint: path, Err: ErrClosed, result: OutcomeNotSent}
	}
	call.carrier = c.carrier()
	return call, nil
}

// end takes the body from transports that read it still, and gives back what the
// call has borrowed.
func (c *call) end() {
	c.body.Release()
	c.carrier.release()
	c.client.leave()
}

// encode makes the body and its signature in one pass.
func (c *call) encode(ctx context.Context, write func(*payload.Builder)) error {
	config, key := c.client.config, c.signer.key()
	signature := key.Begin(http.MethodPost, c.endpoint.Path)
	defer key.End(signature)
	body, problems, err := payload.Make(payload.Settings{
		Buffers: &c.client.buffers, Hash: signature, Limit: MaxRequestBytes, Metadata: c.config.metadata,
		Inspect: config.inspects(ctx), Copy: c.carrier.Own,
		Ended:   func() error { return c.ended(ctx) },
		Limited: func() (context.Context, context.CancelFunc) { return context.WithDeadline(ctx, c.deadline) },
	}, write)
	if err != nil {
		return c.notMade(err)
	}
	c.body, c.signature = body, signature.Sum()
	return config.report(ctx, c.endpoint.Path, problems)
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
		return &NetworkError{Endpoint: c.endpoint.Path, Err: fmt.Errorf("nothing was sent: %w", interrupted), result: OutcomeNotSent}
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
	a.reply, a.failure = c.request().Do(once, c.carrier.Carrier)
	if once.Err() != nil {
		a.timeout = context.Cause(once)
	}
	a.took = time.Since(a.started)
	return a
}

// request returns the request of one attempt.
func (c *call) request() *roundtrip.Request {
	config := c.client.config
	key, _ := c.signer.credentials()
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
	config.addHeaders(header)
	return &roundtrip.Request{URL: &target, Header: header, Size: c.body.Size(), Body: c.body, Limit: MaxResponseBytes}
}

// A decision is whether another attempt follows, and after which wait.
type decision struct {
	follows bool
	wait    time.Duration
}

// again decides whether another attempt follows.
func (c *call) again(ctx context.Context, tries tries, v verdict) decision {
	policy := &c.client.config.retry
	if v.healthy {
		c.client.budget.Refill()
	}
	var api *APIError
	var asked retry.After
	if errors.As(v.err, &api) {
		asked = api.retryAfter
		if api.StatusCode == http.StatusTooManyRequests && policy.timing().HoldsBack(asked) {
			c.client.hold.Extend(asked.Wait)
		}
	}
	switch {
	case v.err == nil, v.final, tries.number >= c.config.maxAttempts:
		return decision{}
	case v.outcome == OutcomeUnknown && !policy.mayRepeat(c.endpoint, c.config.repeat):
		return decision{}
	}
	wait, allowed := policy.timing().Wait(tries.number, asked, c.room(ctx, tries.waited))
	if !allowed || !c.client.budget.Take() {
		return decision{}
	}
	return decision{follows: true, wait: wait}
}

// holdBack waits while the client holds back, and returns how long that was. A
// call that has no time to wait goes on at once: that it would be refused is not
// certain.
func (c *call) holdBack(ctx context.Context) (waited time.Duration, err error) {
	for {
		left := c.client.hold.Left()
		if left <= 0 {
			return waited, nil
		}
		wait, allowed := c.client.config.retry.timing().Wait(1, retry.After{Wait: left, Given: true}, c.room(ctx, waited))
		if !allowed {
			return waited, nil
		}
		waited += wait
		if err := sleep(ctx, wait); err != nil {
			return 0, c.cancelled(tries{}, err)
		}
	}
}

// room returns how long the call may wait now: what is left of the policy's
// MaxWait, and less than is left of the call's time. It is negative when the
// time is over.
func (c *call) room(ctx context.Context, waited time.Duration) time.Duration {
	end := c.deadline
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	left := time.Until(end)
	if left <= 0 {
		return -1
	}
	return min(c.client.config.retry.MaxWait-waited, left-1) // an attempt needs time as well
}

// cancelled is the error of a call whose context ended while it waited.
func (c *call) cancelled(tries tries, cause error) error {
	failure := &NetworkError{Endpoint: c.endpoint.Path, Attempts: tries.number, Err: cause}
	if !tries.unknown {
		failure.result = OutcomeNotSent
	}
	return failure
}

// sleep waits. When the context ends before, it returns early with the context's
// error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return nil
}

// ended is the error of a context that has ended: both what it is and why.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
