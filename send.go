package aimbrain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A call is one request on its way: its bytes and its signature, which stay
// the same however often it is sent.
type call struct {
	client    *Client
	carrier   *carrier
	endpoint  string
	config    callConfig
	signer    *Signer
	shared    sharedBody
	small     []byte // a copy of a small body, for the library's own transport
	size      int
	signature string
	deadline  time.Time // of all attempts together
	attempts  int
	waited    time.Duration // before its attempts so far
	unknown   bool          // the outcome of an attempt so far is
}

// newCall checks what does not depend on the request's content.
func (c *Client) newCall(ctx context.Context, endpoint string, opts []CallOption) (*call, error) {
	call := &call{client: c, endpoint: endpoint, signer: c.signer.Load()}
	if ctx == nil {
		return nil, call.refuse("the context", "is nil")
	}
	call.deadline = time.Now().Add(c.config.timeout)
	call.config.maxAttempts = c.config.retry.MaxAttempts
	for _, opt := range opts {
		if opt == nil {
			return nil, call.refuse("a call option", "is nil")
		}
		opt(&call.config)
	}
	if call.config.maxAttempts < 1 {
		return nil, call.refuse("WithMaxAttempts", "is below 1: 1 turns retries off")
	}
	if call.config.repeat && repeatability(endpoint) == repeatNever {
		return nil, call.refuse("WithRetryUnknownOutcome", "is not for this endpoint: carried out twice it would change what is stored about the person")
	}
	if call.config.confirm != nil {
		return nil, call.refuse("WithConfirmTime", "is for EnrollAndConfirm alone")
	}
	if ctx.Err() != nil {
		return nil, &NetworkError{Endpoint: endpoint, Err: ended(ctx), result: OutcomeNotSent}
	}
	call.carrier = c.carrier()
	return call, nil
}

func (c *call) refuse(argument, reason string) error {
	return &RequestError{Endpoint: c.endpoint, Argument: argument, Reason: reason}
}

// write makes the body and its signature in one pass.
func (c *call) write(ctx context.Context, write func(*body)) error {
	signing := c.signer.acquire()
	defer c.signer.release(signing)
	signing.begin(http.MethodPost, c.endpoint)
	b := &body{endpoint: c.endpoint, buffers: &c.client.buffers, signing: signing, metadata: c.config.metadata}
	b.ended = func() error {
		switch {
		case ctx.Err() != nil:
			return ended(ctx)
		case !time.Now().Before(c.deadline):
			return ErrTotalTimeout
		}
		return nil
	}
	b.limited = func() (context.Context, context.CancelFunc) { return context.WithDeadline(ctx, c.deadline) }
	b.inspection = c.client.config.inspection(ctx)
	b.reserve(512)
	write(b)
	if b.err == nil && b.inspection != nil {
		b.conclude(ctx, c.client.config)
	}
	if b.err == nil {
		b.hash()
	}
	c.shared.buf = b.buf // also on an error, so that release gives it back
	c.size = len(b.buf)
	if b.err != nil {
		return b.err
	}
	c.signature = signing.signature()
	if c.carrier.own && c.size <= smallBody {
		c.small = bytes.Clone(b.buf)
	}
	return nil
}

// smallBody is what fits into net/http's write buffer together with headers.
const smallBody = 2 << 10

// release takes the body from transports that read it still and gives its
// bytes back.
func (c *call) release() {
	c.client.buffers.put(c.shared.take())
	c.carrier.release()
}

// send makes attempts until one gives an answer, or the rules say stop: those
// of the retry policy, of the budget, and of the context. The first one waits
// while the client holds back.
func (c *call) send(ctx context.Context, into decoder) (Response, error) {
	repeat := c.client.config.retry.mayRepeat(c.endpoint, c.config.repeat)
	waited, err := c.holdBack(ctx)
	if err != nil {
		return Response{}, err
	}
	for {
		c.attempts++
		a := c.attempt(ctx, into)
		a.report.Waited = waited
		c.unknown = c.unknown || a.outcome == OutcomeUnknown
		if a.answered {
			c.client.budget.refill()
		}
		c.client.hold.note(a.err, c.client.config.retry.MaxWait)
		again := c.attempts < c.config.maxAttempts && a.err != nil && !a.final && (a.outcome != OutcomeUnknown || repeat)
		if again {
			a.report.Wait, again = c.wait(ctx, a.err)
		}
		again = again && c.client.budget.take()
		if !again {
			a.report.Wait = 0
		}
		a.report.Retry = again
		c.client.observe(ctx, a.report)
		if !again {
			return a.response, a.err
		}
		waited = a.report.Wait
		c.waited += waited
		sleep(ctx, waited)
		if ctx.Err() != nil {
			failure := &NetworkError{Endpoint: c.endpoint, Attempts: c.attempts, Err: errors.Join(ended(ctx), a.err)}
			if !c.unknown {
				failure.result = OutcomeNotSent
			}
			return Response{}, failure
		}
	}
}

// holdBack waits while the client holds back, and returns how long that was. A
// call that has no time to wait goes on at once: that it would be refused is not
// certain.
func (c *call) holdBack(ctx context.Context) (time.Duration, error) {
	for {
		left := c.client.hold.left()
		if left <= 0 {
			return c.waited, nil
		}
		wait, allowed := c.client.config.retry.afterAsked(1, left, c.room(ctx))
		if !allowed {
			return c.waited, nil
		}
		c.waited += wait
		sleep(ctx, wait)
		if ctx.Err() != nil {
			return 0, &NetworkError{Endpoint: c.endpoint, Err: ended(ctx), result: OutcomeNotSent}
		}
	}
}

// wait returns how long to wait before the next attempt, and false when that is
// longer than the call may wait.
func (c *call) wait(ctx context.Context, err error) (time.Duration, bool) {
	policy, room := &c.client.config.retry, c.room(ctx)
	var api *APIError
	if errors.As(err, &api) {
		if asked, given := api.RetryAfter(); given {
			return policy.afterAsked(c.attempts, asked, room)
		}
	}
	wait := policy.backoff(c.attempts)
	return wait, wait <= room
}

// room returns how long the call may wait now: what is left of the policy's
// MaxWait, and less than is left of the call's time. It is negative when the
// time is over.
func (c *call) room(ctx context.Context) time.Duration {
	end := c.deadline
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	left := time.Until(end)
	if left <= 0 {
		return -1
	}
	return min(c.client.config.retry.MaxWait-c.waited, left-1) // an attempt needs time as well
}

// ended is the error of a context that has ended: both what it is and why.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
