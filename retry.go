package aimbrain

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A RetryPolicy says how often, and after which waits, a call is tried again.
//
// What is tried again at all is not a matter of taste: a request that provably
// never left, and one that was answered by 429, is tried again for every call.
// A request that may have been processed is sent again only where that does no
// harm: by default [EndpointScore] and [EndpointFaceCompare].
type RetryPolicy struct {
	// MaxAttempts is how many times a request is sent at most: 1 turns retries
	// off. The default is 3.
	MaxAttempts int
	// BaseDelay and MaxDelay bound the wait before a retry: a random time up to
	// BaseDelay before the second attempt, up to twice that before the third,
	// and so on, MaxDelay at most. The defaults are 100 ms and 3 s.
	BaseDelay, MaxDelay time.Duration
	// MaxRetryAfter is the longest wait that a server may ask for by a
	// Retry-After header. One that asks for more is not waited for: the call
	// fails at once, see [APIError.RetryAfter]. The default is 20 s.
	MaxRetryAfter time.Duration
	// RetryUnknownOutcome lists further endpoints that may be sent again after an
	// attempt that may have been processed: [EndpointSessions], the tokens and
	// the authentications. Enrolments and behavioural calls are refused.
	RetryUnknownOutcome []string
}

// DefaultRetryPolicy returns what a client does when it is told nothing.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 3 * time.Second, MaxRetryAfter: 20 * time.Second}
}

// WithRetry sets the retry policy. Members that are zero keep their default.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		if policy.MaxAttempts < 0 || policy.BaseDelay < 0 || policy.MaxDelay < 0 || policy.MaxRetryAfter < 0 {
			return &ConfigError{Parameter: "WithRetry", Reason: "has a member that is negative"}
		}
		for _, endpoint := range policy.RetryUnknownOutcome {
			if repeatability(endpoint) == repeatNever {
				return &ConfigError{Parameter: "WithRetry", Reason: "lists " + strconv.Quote(endpoint) + " in RetryUnknownOutcome, which must never be carried out twice or is not known"}
			}
		}
		merged := DefaultRetryPolicy()
		setPositive(&merged.MaxAttempts, policy.MaxAttempts)
		setPositive(&merged.BaseDelay, policy.BaseDelay)
		setPositive(&merged.MaxDelay, policy.MaxDelay)
		setPositive(&merged.MaxRetryAfter, policy.MaxRetryAfter)
		merged.RetryUnknownOutcome = append([]string(nil), policy.RetryUnknownOutcome...)
		c.retry = merged
		return nil
	}
}

func setPositive[T int | time.Duration](to *T, value T) {
	if value > 0 {
		*to = value
	}
}

// backoff returns how long to wait before the attempt that follows attempt n:
// a random part of the whole time, which spreads callers that failed together.
func (p RetryPolicy) backoff(n int) time.Duration {
	limit := p.BaseDelay
	for range n - 1 {
		if limit >= p.MaxDelay/2 {
			limit = p.MaxDelay
			break
		}
		limit *= 2
	}
	return rand.N(min(limit, p.MaxDelay) + 1) //nolint:gosec // it spreads callers, and need not be secret
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
