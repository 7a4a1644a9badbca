package retry

import (
	"math/rand/v2"
	"time"
)

// A Backoff says how long a call waits before its next attempt. All members are used as they are: 0 is no
// default.
type Backoff struct {
	BaseDelay time.Duration // bounds the wait before the second attempt
	MaxDelay  time.Duration // bounds any wait that the server did not ask for
	MaxWait   time.Duration // bounds the sum of all waits of a call
}

// minSpread is the least time over which callers that received the same wait are
// spread.
const minSpread = 500 * time.Millisecond

// Wait returns the wait before the attempt that follows attempt n, and false when
// that is longer than room. Without a wait that the server asked for it is a
// random part of the back-off, which spreads callers that failed together. A wait
// that was asked for becomes longer by a random time, as all callers received the
// same one. The result is then also false when room is too short to spread them
// in.
func (p Backoff) Wait(n int, asked After, room time.Duration) (time.Duration, bool) {
	limit := p.maxBackoff(n)
	if asked.Given {
		if asked.Wait > room-minSpread {
			return 0, false
		}
		spread := minSpread + min(limit, room-asked.Wait-minSpread)
		return asked.Wait + rand.N(spread), true //nolint:gosec // it spreads callers, and need not be secret
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

// maxBackoff returns the bound of the back-off after attempt n: BaseDelay, doubled
// with each attempt, and at most MaxDelay. It is 0 only if the policy asks for no
// back-off.
func (p Backoff) maxBackoff(n int) time.Duration {
	limit := min(p.BaseDelay, p.MaxDelay)
	for range n - 1 {
		limit += min(limit, p.MaxDelay-limit) // doubled, without an overflow
	}
	return limit
}

// HoldsBack reports whether a client with this policy holds back its other calls
// for a wait that one of them was asked for. A longer wait is left to the call
// that received it: a faulty gateway must not lock the client out.
func (p Backoff) HoldsBack(asked After) bool {
	return asked.Given && asked.Wait <= p.MaxWait-minSpread
}
