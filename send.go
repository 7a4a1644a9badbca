package aimbrain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// A call is one request on its way: its bytes and its signature, which stay
// the same however often it is sent.
type call struct {
	client    *Client
	endpoint  string
	config    callConfig
	signer    *Signer
	shared    sharedBody
	small     []byte // a copy of a small body, for the library's own transport
	size      int
	signature string
	deadline  time.Time // of all attempts together
	attempts  int
	unknown   bool // the outcome of an attempt so far is
}

// newCall checks what does not depend on the request's content.
func (c *Client) newCall(ctx context.Context, endpoint string, opts []CallOption) (*call, error) {
	call := &call{client: c, endpoint: endpoint, signer: c.signer.Load()}
	if ctx == nil {
		return nil, call.refuse("the context", "is nil")
	}
	call.deadline = time.Now().Add(c.config.timeout)
	for _, opt := range opts {
		if opt == nil {
			return nil, call.refuse("a call option", "is nil")
		}
		opt(&call.config)
	}
	if call.config.repeat && repeatability(endpoint) == repeatNever {
		return nil, call.refuse("WithRetryUnknownOutcome", "is not for this endpoint: carried out twice it would change what is stored about the person")
	}
	if ctx.Err() != nil {
		return nil, &NetworkError{Endpoint: endpoint, Err: ended(ctx), result: OutcomeNotSent}
	}
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
		case time.Now().After(c.deadline):
			return ErrTotalTimeout
		}
		return nil
	}
	if logger := c.client.config.logger; logger != nil && logger.Enabled(ctx, slog.LevelWarn) {
		b.advise = func(file []byte) { advise(ctx, logger, c.endpoint, file) }
	}
	b.reserve(512)
	write(b)
	if b.err == nil {
		b.hash()
	}
	c.shared.buf = b.buf // also on an error, so that release gives it back
	c.size = len(b.buf)
	if b.err != nil {
		return b.err
	}
	c.signature = signing.signature()
	if c.client.ownTransport && c.size <= smallBody {
		c.small = bytes.Clone(b.buf)
	}
	return nil
}

// smallBody is what fits into net/http's write buffer together with headers.
const smallBody = 2 << 10

// release takes the body from transports that read it still and gives its
// bytes back.
func (c *call) release() { c.client.buffers.put(c.shared.take()) }

// send makes attempts until one gives an answer, or the rules say stop: those
// of the retry policy, of the budget, and of the context.
func (c *call) send(ctx context.Context, into decoder) (Response, error) {
	policy := &c.client.config.retry
	repeat := policy.mayRepeat(c.endpoint, c.config.repeat)
	for {
		c.attempts++
		a := c.attempt(ctx, into)
		c.unknown = c.unknown || a.outcome == OutcomeUnknown
		if a.answered {
			c.client.budget.refill()
		}
		again := c.attempts < policy.MaxAttempts && a.err != nil && !a.final && (a.outcome != OutcomeUnknown || repeat)
		if again {
			a.report.Wait, again = policy.wait(c.attempts, a.err)
			again = again && c.allows(ctx, a.report.Wait)
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
		sleep(ctx, a.report.Wait)
		if ctx.Err() != nil {
			failure := &NetworkError{Endpoint: c.endpoint, Attempts: c.attempts, Err: errors.Join(ended(ctx), a.err)}
			if !c.unknown {
				failure.result = OutcomeNotSent
			}
			return Response{}, failure
		}
	}
}

// allows reports whether there is time for a wait, and for something after it.
func (c *call) allows(ctx context.Context, wait time.Duration) bool {
	end := c.deadline
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return time.Until(end) > wait
}

// wait returns how long to wait after attempt n, and false when the server
// asks for longer than the policy allows.
func (p *RetryPolicy) wait(n int, err error) (time.Duration, bool) {
	var api *APIError
	if errors.As(err, &api) {
		if after, given := api.RetryAfter(); given {
			return after, after <= p.MaxRetryAfter
		}
	}
	return p.backoff(n), true
}

// ended is the error of a context that has ended: both what it is and why.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
