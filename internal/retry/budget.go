package retry

import (
	"sync"
	"time"
)

// A Budget keeps retries from multiplying an outage: each retry takes a token,
// and each response of the API puts half a one back. While everything fails the
// tokens run out and every call gets one attempt; at one fault in five it never
// runs low. The zero value is full, and it is safe for concurrent use.
type Budget struct {
	mu    sync.Mutex
	spent float64 // tokens taken and not yet put back
}

const (
	budgetTokens = 100
	budgetRefill = 0.5
)

// Take takes a token, and reports false when there is none.
func (b *Budget) Take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > budgetTokens {
		return false
	}
	b.spent++
	return true
}

// Refill puts half a token back.
func (b *Budget) Refill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-budgetRefill)
}

// A HoldBack makes the calls of a client wait after a 429 that asked for a wait:
// each would be refused, and take a retry from the budget. It ends with time alone.
// The zero value holds nothing back, and it is safe for concurrent use.
type HoldBack struct {
	mu    sync.Mutex
	until time.Time
}

// Extend holds back for a time from now, unless a longer time is left.
func (h *HoldBack) Extend(wait time.Duration) {
	until := time.Now().Add(wait)
	h.mu.Lock()
	defer h.mu.Unlock()
	if until.After(h.until) {
		h.until = until
	}
}

// Left returns how long the hold-back lasts still; 0 or less when it is over.
func (h *HoldBack) Left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until)
}
