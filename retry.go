package aimbrain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/retry"
)

// A RetryPolicy says how often, and after which waits, a call is retried. Begin
// with [DefaultRetryPolicy] and change what should differ: every member means
// what it says, and 0 is not the default.
//
// What is retried at all is not a matter of taste: a request that was
// not sent, and one that was refused by 429, is retried for every call.
// A request that may have been processed is retried only where that does no
// harm: by default [EndpointScore] and [EndpointFaceCompare].
type RetryPolicy struct {
	// MaxAttempts is how many times a request is sent at most, at least 1: 1
	// turns retries off. The default is 3. [WithMaxAttempts] sets it for one call.
	MaxAttempts int
	// BaseDelay and MaxDelay bound the wait before a retry for which the server
	// asked no wait: a random time up to BaseDelay before the second attempt, up
	// to twice that before the third, and so on, MaxDelay at most. The defaults
	// are 100 ms and 3 s. If either is 0 such a retry follows at once.
	BaseDelay, MaxDelay time.Duration
	// MaxWait bounds the sum of all waits of a call. A retry that would need a
	// longer wait than is left is not made: the call fails at once with the error
	// of the attempt, see [APIError.RetryAfter]. The default is 5 s; 0 means
	// never to wait.
	//
	// A retry after a Retry-After header comes later than the server asked, by a
	// random time of up to 500 ms plus what the back-off could be, so that callers
	// who were asked for the same wait do not return together. A Retry-After above MaxWait
	// less 500 ms therefore fails at once: with the default, one above 4 s.
	//
	// After a 429 with a Retry-After that is not longer than that, the client
	// holds back: the first attempt of its other calls waits for the same time,
	// spread in the same way, rather than be refused. A call that has no time left
	// for it is sent at once.
	MaxWait time.Duration
	// RetryUnknownOutcome lists further endpoints that may be sent again after an
	// attempt that may have been processed: [EndpointSessions], the tokens and
	// the authentications. Enrolments and behavioural calls are refused.
	RetryUnknownOutcome []string
}

// DefaultRetryPolicy returns the policy of a client without [WithRetry].
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 3 * time.Second, MaxWait: 5 * time.Second}
}

// WithRetry sets the retry policy. A policy without attempts or with a negative
// time is a [*ConfigError]: begin with [DefaultRetryPolicy].
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		const remedy = ": begin with DefaultRetryPolicy()"
		switch {
		case policy.MaxAttempts < 1:
			return &ConfigError{Parameter: "WithRetry", Reason: "has a MaxAttempts below 1" + remedy}
		case policy.BaseDelay < 0 || policy.MaxDelay < 0 || policy.MaxWait < 0:
			return &ConfigError{Parameter: "WithRetry", Reason: "has a negative BaseDelay, MaxDelay or MaxWait" + remedy}
		}
		for _, path := range policy.RetryUnknownOutcome {
			if row, _ := endpoints.Find(path); row.Repeat == endpoints.Never {
				return &ConfigError{Parameter: "WithRetry", Reason: "lists " + strconv.Quote(path) + " in RetryUnknownOutcome, which must never be processed twice or is not known"}
			}
		}
		c.retry = policy
		c.retry.RetryUnknownOutcome = slices.Clone(policy.RetryUnknownOutcome)
		return nil
	}
}

// WithMaxAttempts sets how many times the call is sent at most, in place of the
// policy's [RetryPolicy.MaxAttempts]; 1 turns retries off. A number below 1 is a
// [*RequestError], and nothing is sent.
func WithMaxAttempts(n int) CallOption {
	return func(c *callConfig) { c.maxAttempts = n }
}

// timing is the policy without what depends on the endpoint.
func (p *RetryPolicy) timing() retry.Backoff {
	return retry.Backoff{BaseDelay: p.BaseDelay, MaxDelay: p.MaxDelay, MaxWait: p.MaxWait}
}

// mayRepeat reports whether a call may be sent again after an attempt that may have
// been processed.
func (p *RetryPolicy) mayRepeat(row endpoints.Endpoint, optIn bool) bool {
	return row.Repeat == endpoints.Always || row.Repeat == endpoints.OptIn && (optIn || slices.Contains(p.RetryUnknownOutcome, row.Path))
}

// tries is how far a call has got.
type tries struct {
	number  int           // of the attempt, from 1
	wait    time.Duration // before it
	waited  time.Duration // before all attempts so far
	unknown bool          // the outcome of an attempt so far is
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
