package retry

import (
	"sync"
	"time"
)

// A Budget keeps retries from multiplying an outage: each retry takes a token, and
// each response of the API returns half a token. While everything fails, the
// tokens run out and each call gets one attempt. With one fault in five requests
// the budget never runs out. The zero value is full, and it is safe for concurrent
// use.
type Budget struct {
	mu    sync.Mutex
	spent float64 // tokens taken and not yet returned
}

const (
	budgetTokens = 100
	budgetRefill = 0.5
)

// Take takes a token. It returns false when there is none.
func (b *Budget) Take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > budgetTokens {
		return false
	}
	b.spent++
	return true
}

// Refill returns half a token.
func (b *Budget) Refill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-budgetRefill)
}

// A HoldBack makes the calls of a client wait after a 429 that asked for a wait:
// each would be refused, and would take a retry from the budget. It ends with time
// only. The zero value holds nothing back, and it is safe for concurrent use.
type HoldBack struct {
	mu    sync.Mutex
	until time.Time
}

// Extend holds back for a time from now, unless more time is left already.
func (h *HoldBack) Extend(wait time.Duration) {
	until := time.Now().Add(wait)
	h.mu.Lock()
	defer h.mu.Unlock()
	if until.After(h.until) {
		h.until = until
	}
}

// Left returns the rest of the hold-back. It is 0 or less when it is over.
func (h *HoldBack) Left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until)
}
