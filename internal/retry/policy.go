package retry

import (
	"math/rand/v2"
	"time"
)

// A Policy says how often a call is sent and how long it waits. All members mean
// what they say; 0 is no default.
type Policy struct {
	MaxAttempts int           // at least 1
	BaseDelay   time.Duration // bounds the wait before the second attempt
	MaxDelay    time.Duration // bounds any wait for which the server did not ask
	MaxWait     time.Duration // bounds the sum of all waits of a call
}

// minSpread is over how much time callers that were told the same wait are
// spread at least.
const minSpread = 500 * time.Millisecond

// Wait returns how long to wait before the attempt that follows attempt n, and
// false when that is longer than room. Without a wait that the server asked for it
// is a random part of the back-off, which spreads callers that failed together. A
// wait that was asked for becomes longer by a random time, as all callers were told
// the same; false then also means that room is too short to spread them in.
func (p Policy) Wait(n int, asked After, room time.Duration) (time.Duration, bool) {
	limit := p.maxBackoff(n)
	if asked.Given {
		if asked.Wait > room-minSpread {
			return 0, false
		}
		spread := minSpread + min(limit, room-asked.Wait-minSpread)
		return asked.Wait + rand.N(spread+1), true //nolint:gosec // it spreads callers, and need not be secret
	}
	if limit == 0 {
		return 0, room >= 0
	}
	wait := 1 + rand.N(limit) //nolint:gosec // see above
	if wait > room {
		return 0, false
	}
	return wait, true
}

// maxBackoff returns what bounds the back-off after attempt n: BaseDelay, and twice
// as much with each attempt, MaxDelay at most. It is 0 only where the policy asks
// for no back-off.
func (p Policy) maxBackoff(n int) time.Duration {
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

// HoldsBack reports whether a client with this policy holds back its other calls
// for a wait that one of them was asked for. A longer one is left to the call that
// got it: a gateway in error must not lock the client out.
func (p Policy) HoldsBack(asked After) bool {
	return asked.Given && asked.Wait <= p.MaxWait-minSpread
}
