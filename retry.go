package aimbrain

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A RetryPolicy says how often, and after which waits, a call is retried. Begin
// with [DefaultRetryPolicy] and change what should differ: every member means
// what it says, and 0 is not the default.
//
// What is retried at all is not a matter of taste: a request that provably
// never left, and one that was answered by 429, is retried for every call.
// A request that may have been processed is sent again only where that does no
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
	// who were told the same do not return together. A Retry-After above MaxWait
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
		for _, endpoint := range policy.RetryUnknownOutcome {
			if repeatability(endpoint) == repeatNever {
				return &ConfigError{Parameter: "WithRetry", Reason: "lists " + strconv.Quote(endpoint) + " in RetryUnknownOutcome, which must never be carried out twice or is not known"}
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

// backoff returns how long to wait before the attempt that follows attempt n:
// a random part of the whole time, which spreads callers that failed together.
// It is 0 only where the policy asks for no back-off.
func (p *RetryPolicy) backoff(n int) time.Duration {
	limit := p.maxBackoff(n)
	if limit == 0 {
		return 0
	}
	return 1 + rand.N(limit) //nolint:gosec // it spreads callers, and need not be secret
}

func (p *RetryPolicy) maxBackoff(n int) time.Duration {
	limit := p.BaseDelay
	if limit == 0 {
		return 0
	}
	for range n - 1 {
		if limit >= p.MaxDelay/2 {
			return p.MaxDelay
		}
		limit *= 2
	}
	return min(limit, p.MaxDelay)
}

// minSpread is over how much time callers that were told the same wait are
// spread at least.
const minSpread = 500 * time.Millisecond

// afterAsked returns how long to wait before the attempt that follows attempt n
// when the server asked for a wait: a random time longer, and room at most. It
// returns false if room is too short to spread callers in.
func (p *RetryPolicy) afterAsked(n int, asked, room time.Duration) (time.Duration, bool) {
	if asked > room-minSpread {
		return 0, false
	}
	spread := minSpread + min(p.maxBackoff(n), room-asked-minSpread)
	return asked + rand.N(spread+1), true //nolint:gosec // it spreads callers, and need not be secret
}

// A budget keeps retries from multiplying an outage: each retry takes a token,
// and each answer of the API puts half a one back. While everything fails the
// tokens run out and every call gets one attempt; at one fault in five it
// never runs low.
type budget struct {
	mu    sync.Mutex
	spent float64 // tokens taken and not yet put back
}

const (
	budgetTokens = 100
	budgetRefill = 0.5
)

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > budgetTokens {
		return false
	}
	b.spent++
	return true
}

func (b *budget) refill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-budgetRefill)
}

// A holdBack makes the calls of a client wait after a 429 that asked for a wait:
// each would be refused, and take a retry from the budget. It ends with time
// alone.
type holdBack struct {
	mu    sync.Mutex
	until time.Time
}

// note begins or extends the hold-back when err is a 429 with a wait that calls
// may wait for. A longer one is left to the call that got it: a gateway in error
// must not lock the client out.
func (h *holdBack) note(err error, maxWait time.Duration) {
	var api *APIError
	if !errors.As(err, &api) || api.StatusCode != http.StatusTooManyRequests {
		return
	}
	asked, given := api.RetryAfter()
	if !given || asked > maxWait-minSpread {
		return
	}
	until := time.Now().Add(asked)
	h.mu.Lock()
	defer h.mu.Unlock()
	if until.After(h.until) {
		h.until = until
	}
}

// left returns how long the hold-back lasts still; 0 or less when it is over.
func (h *holdBack) left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until)
}

// retryAfter is what a Retry-After header says.
type retryAfter struct {
	wait  time.Duration
	given bool
}

// readRetryAfter reads both forms of the header, seconds and a date. A date is
// by the server's clock, so the wait is counted from the response's own Date,
// and from now only where that cannot be read. Of two values that differ the
// longer counts; a value that cannot be read counts as not given.
func readRetryAfter(header http.Header, now time.Time) retryAfter {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	var longest retryAfter
	for _, value := range header.Values("Retry-After") {
		wait, ok := parseRetryAfter(value, now)
		if ok && (!longest.given || wait > longest.wait) {
			longest = retryAfter{wait: wait, given: true}
		}
	}
	return longest
}

func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	if isDigits(value) {
		const most = int64(1<<63-1) / int64(time.Second)
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > most { // more than can be counted
			seconds = most
		}
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now)), true
	}
	return 0, false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
