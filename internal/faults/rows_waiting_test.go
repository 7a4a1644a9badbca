package faults_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

var errCause = errors.New("the user has gone")

func cancelledBefore() []cell {
	return both(each, "", func(t *testing.T, l *lab, c cell) {
		t.Helper()
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		s := open(t, c, server.NewClient)
		defer s.client.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		s.do(ctx)
		assert.Empty(t, s.attempts)
		assert.Zero(t, server.Received())
		assert.True(t, calls.IsZero(s.result))
		assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(s.err))
		assert.ErrorIs(t, s.err, context.Canceled)
		assert.ErrorIs(t, s.err, errCause)
		kind, attempts := kindOf(s.err)
		assert.Equal(t, network, kind)
		assert.Zero(t, attempts)
	})
}

// afterASecond cancels the call's context, with a cause.
func afterASecond(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(time.Second, func() { cancel(errCause) })
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// cancelled is the result of a call whose context ended in the first attempt: in
// virtual time it returns without delay.
func cancelled(outcome aimbrain.Outcome, received, executed int) want {
	return want{kind: network, outcome: outcome, received: received, executed: executed, check: func(t *testing.T, s *seen) {
		t.Helper()
		assert.ErrorIs(t, s.err, context.Canceled)
		assert.ErrorIs(t, s.err, errCause)
		assert.Equal(t, time.Second, s.elapsed, "the call returns without delay")
	}}
}

// cancelledDialling is a play of a context that ends while a connection is
// established.
func cancelledDialling(url string, dial dial) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			transport := l.authority.Transport((&faults.Dialer{Func: dial}).Dial)
			defer transport.CloseIdleConnections()
			s := open(t, c, through(transport, url))
			ctx, cancel := afterASecond(t.Context())
			defer cancel()
			s.do(ctx)
			s.verify(t, cancelled(aimbrain.OutcomeNotSent, 0, 0), nil)
			<-time.After(2 * time.Minute) // for the resolver that continues
		})
	}
}

func cancelledIn() []cell {
	stubborn := func(context.Context, int64, string, string) (net.Conn, error) {
		<-time.After(time.Minute) // like a resolver that does not observe contexts
		return nil, faults.TemporaryDNS()
	}
	mute := func(context.Context, int64, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		return here, nil
	}
	phase := func(setup faults.Setup, w want, script faults.Script, call ...aimbrain.CallOption) run {
		setup.Virtual = true
		return play{setup: setup, want: w, script: script, call: call, ctx: afterASecond}.run
	}
	return join(
		each("DNS", "virtual", cancelledDialling("http://"+faults.VirtualHost, stubborn)),
		each("dial", "virtual", cancelledDialling("http://"+faults.VirtualHost, hang)),
		each("TLS", "virtual TLS", cancelledDialling("https://"+faults.VirtualHost, mute)),
		both(each, "write", phase(faults.Setup{Early: true}, cancelled(aimbrain.OutcomeUnknown, 1, 0), (*faults.Exchange).Stall, large()...)),
		both(risky, "header", phase(faults.Setup{}, cancelled(aimbrain.OutcomeUnknown, 1, 1), func(x *faults.Exchange) { x.Execute(); x.Stall() })),
		both(risky, "body", phase(faults.Setup{}, cancelled(aimbrain.OutcomeUnknown, 1, 1), func(x *faults.Exchange) {
			x.Execute()
			x.Write("{")
			x.Stall()
		})),
		both(each, "back-off", phase(faults.Setup{}, cancelled(aimbrain.OutcomeNotSent, 1, 0), func(x *faults.Exchange) {
			x.Reply(http.StatusTooManyRequests, "", "Retry-After", "4")
		})),
	)
}

func shortDeadline() []cell {
	asksForThree := func(x *faults.Exchange) { x.Reply(http.StatusTooManyRequests, "", "Retry-After", "3") }
	atOnce := want{kind: api, outcome: aimbrain.OutcomeRefused, received: 1, check: func(t *testing.T, s *seen) {
		t.Helper()
		assert.Zero(t, s.elapsed)
		wait, _ := s.api(t).RetryAfter()
		assert.Equal(t, 3*time.Second, wait)
	}}
	return join(
		each("the context's", faults.HTTP1, play{setup: faults.Setup{Virtual: true}, script: asksForThree, want: atOnce, ctx: within(2 * time.Second)}.run),
		each("the client's", faults.HTTP1, virtual(atOnce, asksForThree, aimbrain.WithTimeout(2*time.Second))),
	)
}

func timeouts() []cell {
	stall := func(x *faults.Exchange) { x.Execute(); x.Stall() }
	distinct := func(is, isNot error, elapsed time.Duration) func(*testing.T, *seen) {
		return func(t *testing.T, s *seen) {
			t.Helper()
			assert.ErrorIs(t, s.err, is)
			assert.NotErrorIs(t, s.err, isNot)
			assert.ErrorIs(t, s.err, context.DeadlineExceeded)
			if len(s.attempts) == 1 {
				assert.Equal(t, elapsed, s.elapsed)
			}
		}
	}
	once := want{kind: network, outcome: aimbrain.OutcomeUnknown, received: 1, executed: 1}
	return join(
		both(risky, "attempt", virtual(unknown.and(distinct(aimbrain.ErrAttemptTimeout, aimbrain.ErrTotalTimeout, time.Second)), stall, aimbrain.WithAttemptTimeout(time.Second))),
		both(each, "total", virtual(once.and(distinct(aimbrain.ErrTotalTimeout, aimbrain.ErrAttemptTimeout, time.Second)), stall, aimbrain.WithTimeout(time.Second))),
		each("the context's", faults.HTTP1, play{
			setup: faults.Setup{Virtual: true}, script: stall, ctx: within(time.Second),
			want: once.and(distinct(context.DeadlineExceeded, aimbrain.ErrAttemptTimeout, time.Second)),
		}.run),
	)
}

// A drought is a server that refuses every call until it is set to respond.
type drought struct {
	mu   sync.Mutex
	good bool
}

func (d *drought) ends(good bool) { d.mu.Lock(); defer d.mu.Unlock(); d.good = good }

func (d *drought) script(x *faults.Exchange) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.good {
		x.Good()
		return
	}
	x.Reply(http.StatusTooManyRequests, `{"error":"slow down"}`)
}

// exhaust makes calls until the client's retry budget is used up.
func exhaust(t *testing.T, s *seen) {
	t.Helper()
	for range 60 {
		_, err := s.cell.call.Do(t.Context(), s.client, 0)
		require.Error(t, err)
	}
}

func budgeted(refill int, w want) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var drought drought
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, drought.script)
			require.NoError(t, err)
			defer server.Close()
			s := open(t, c, server.NewClient)
			defer s.client.Close()
			exhaust(t, s)
			drought.ends(true)
			for range refill {
				_, err := c.call.Do(t.Context(), s.client, 0)
				require.NoError(t, err)
			}
			drought.ends(false)
			s.mark(server.Ledger)
			s.do(t.Context())
			s.verify(t, w, server.Ledger)
		})
	}
}

func budgetUsed() []cell {
	return each("", faults.HTTP1, budgeted(0, want{kind: api, outcome: aimbrain.OutcomeRefused, received: 1, check: status(http.StatusTooManyRequests)}))
}

func budgetRefilled() []cell {
	return join(
		each("by one token", faults.HTTP1, budgeted(2, want{kind: api, outcome: aimbrain.OutcomeRefused, received: 1, attempts: 2, check: status(http.StatusTooManyRequests)})),
		each("by enough", faults.HTTP1, budgeted(4, throttled.and(status(http.StatusTooManyRequests)))),
	)
}

func everythingDown() []cell {
	const callers = 200
	return each("", faults.HTTP1, func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, replies(503, "", true))
			require.NoError(t, err)
			defer server.Close()
			client, err := server.NewClient()
			require.NoError(t, err)
			defer client.Close()
			inParallel(callers, func(n int) {
				_, err := c.call.Do(t.Context(), client, n)
				assert.ErrorIs(t, err, aimbrain.HTTPStatus(503))
			})
			before := server.Received()
			assert.LessOrEqual(t, before, callers+100, "the budget is 100 retries")
			inParallel(callers, func(n int) { _, _ = c.call.Do(t.Context(), client, n) })
			assert.LessOrEqual(t, float64(server.Received()-before)/callers, 1.1)
		})
	})
}

func inParallel(n int, do func(n int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// jitter uses a client per caller: each has a budget of 100 retries.
func jitter() []cell {
	return each("", faults.HTTP1, func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			offsets := backOffs(t, l, c, 200)
			var buckets [10]int
			for _, offset := range offsets {
				buckets[min(9, int(offset*10/time.Second))]++
			}
			for i, n := range buckets {
				assert.Less(t, n, 50, "callers in tenth %d of the second: %v", i, buckets)
			}
		})
	})
}

// backOffs has callers fail at once, and returns the times of their retries.
func backOffs(t *testing.T, l *lab, c cell, callers int) []time.Duration {
	t.Helper()
	started := time.Now()
	var mu sync.Mutex
	var offsets []time.Duration
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, func(x *faults.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		if x.Number > callers {
			offsets = append(offsets, time.Since(started))
		}
		x.Reply(http.StatusTooManyRequests, "")
	})
	require.NoError(t, err)
	defer server.Close()
	policy := aimbrain.DefaultRetryPolicy()
	policy.MaxAttempts, policy.BaseDelay = 2, time.Second
	transport := server.Transport()
	inParallel(callers, func(n int) {
		client, err := through(transport, server.URL)(aimbrain.WithRetry(policy))
		if assert.NoError(t, err) {
			_, err = c.call.Do(t.Context(), client, n)
			assert.Error(t, err)
		}
	})
	assert.Len(t, offsets, callers)
	return offsets
}

func identicalRetries() []cell {
	return both(each, "", play{
		want: want{kind: success, outcome: aimbrain.OutcomeSucceeded, received: 1, attempts: 3},
		script: func(x *faults.Exchange) {
			if x.Number < 3 {
				x.Reply(http.StatusTooManyRequests, "")
				return
			}
			x.Reply(http.StatusOK, valid(x))
		},
		after: func(t *testing.T, _ *lab, server *faults.Server, _ *seen) {
			t.Helper()
			accounts := server.Accounts()
			require.Len(t, accounts, 1, "different bodies")
			assert.Equal(t, 3, accounts[0].Received)
			assert.Len(t, accounts[0].Signatures, 1, "different signatures")
		},
	}.run)
}
