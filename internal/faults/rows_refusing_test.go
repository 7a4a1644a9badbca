package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// replies responds with a status, before or after the execution.
func replies(status int, body string, executed bool, header ...string) faults.Script {
	return func(x *faults.Exchange) {
		if executed {
			x.Execute()
		}
		x.Reply(status, body, header...)
	}
}

func refusedStatuses() []cell {
	var cells []cell
	for _, code := range []int{400, 401, 403, 422, 424, 460} {
		body := fmt.Sprintf(`{"error":"refused","errors":[{"description":"d","code":%d}]}`, aimbrain.CodeUserNotFound)
		cells = append(cells, both(each, strconv.Itoa(code), script(refused.and(func(t *testing.T, s *seen) {
			t.Helper()
			err := s.api(t)
			assert.Equal(t, code, err.StatusCode)
			assert.Equal(t, "refused", err.Message)
			assert.ErrorIs(t, s.err, aimbrain.HTTPStatus(code))
			assert.ErrorIs(t, s.err, aimbrain.CodeUserNotFound)
		}), replies(code, body, false)))...)
	}
	return cells
}

func troubleCodes() []cell {
	var cells []cell
	for _, code := range []int{120, 170, 999} {
		body := fmt.Sprintf(`{"error":"trouble","errors":[{"description":"d","code":%d}]}`, code)
		cells = append(cells, risky("code "+strconv.Itoa(code), faults.HTTP1, script(trouble.and(func(t *testing.T, s *seen) {
			t.Helper()
			assert.Equal(t, 500, s.api(t).StatusCode)
			assert.ErrorIs(t, s.err, aimbrain.Code(code))
		}), replies(500, body, true)))...)
	}
	return cells
}

func otherTrouble() []cell {
	return join(
		risky("another code", faults.HTTP1, script(trouble.and(status(500)), replies(500, `{"errors":[{"description":"d","code":1}]}`, true))),
		risky("no body", faults.HTTP1, script(trouble.and(status(500)), replies(500, "", true))),
		each("no JSON", faults.HTTP2, script(trouble.and(status(500)), replies(500, "oops", true))),
	)
}

func htmlErrors() []cell {
	page := "<html><body>" + strings.Repeat("<p>gateway</p>", 1000) + "</body></html>"
	var cells []cell
	for _, code := range []int{502, 504} {
		cells = append(cells, both(risky, strconv.Itoa(code), script(trouble.and(func(t *testing.T, s *seen) {
			t.Helper()
			err := s.api(t)
			assert.Equal(t, code, err.StatusCode)
			assert.LessOrEqual(t, len(err.Message), 256)
			assert.True(t, strings.HasPrefix(err.Message, "<html>"), err.Message)
		}), replies(code, page, true, "Content-Type", "text/html")))...)
	}
	return cells
}

func unavailable() []cell {
	return both(risky, "", script(trouble.and(status(503)), replies(503, `{"error":"busy"}`, true)))
}

func tooMany() []cell {
	return join(
		both(each, "permanent", script(throttled.and(status(429)), replies(429, `{"error":"slow down"}`, false))),
		both(each, "once", script(want{kind: success, outcome: aimbrain.OutcomeSucceeded, received: 1, attempts: 2}, func(x *faults.Exchange) {
			if x.Number == 1 {
				x.Reply(429, "")
				return
			}
			x.Reply(http.StatusOK, valid(x))
		})),
	)
}

// A hint is a Retry-After with its required result.
type hint struct {
	name     string
	values   func() []string
	attempts int
	least    time.Duration // the least duration of the call
	most     time.Duration
	wait     time.Duration // the wait in the error
	given    bool
}

func hints() []hint {
	fixed := func(values ...string) func() []string { return func() []string { return values } }
	date := func(d time.Duration) func() []string {
		return func() []string { return []string{time.Now().Add(d).UTC().Format(http.TimeFormat)} }
	}
	const (
		jitter = 300 * time.Millisecond  // 100 and 200 ms at most
		spread = 1300 * time.Millisecond // twice 500 ms more
	)
	return []hint{
		{"0", fixed("0"), 3, 0, spread, 0, true},
		{"1", fixed("1"), 3, 2 * time.Second, 2*time.Second + spread, time.Second, true},
		{"4", fixed("4"), 2, 4 * time.Second, 5 * time.Second, 4 * time.Second, true}, // without room for a second one
		{"5", fixed("5"), 1, 0, 0, 5 * time.Second, true},
		{"20, less than the call's time", fixed("20"), 1, 0, 0, 20 * time.Second, true},
		{"3600", fixed("3600"), 1, 0, 0, time.Hour, true},
		{"a past date", date(-time.Hour), 3, 0, spread, 0, true},
		{"a future date", date(time.Second), 3, 2 * time.Second, 2*time.Second + spread, time.Second, true},
		{"a date beyond the cap", date(5 * time.Second), 1, 0, 0, 5 * time.Second, true},
		{"-1", fixed("-1"), 3, 0, jitter, 0, false},
		{"not a number", fixed("soon"), 3, 0, jitter, 0, false},
		{"overflow", fixed("99999999999999999999"), 1, 0, 0, 1 << 62, true},
		{"twice", fixed("0", "1"), 3, 2 * time.Second, 2*time.Second + spread, time.Second, true},
	}
}

func retryAfter() []cell {
	var cells []cell
	safe := calls.Where(func(c calls.Call) bool { return c.Repeat == endpoints.Always })
	for _, hint := range hints() {
		cells = append(cells, each("429 "+hint.name, faults.HTTP1, hinted(429, hint))...)
		cells = append(cells, these(safe, "503 "+hint.name, faults.HTTP1, hinted(503, hint))...)
	}
	return cells
}

func hinted(code int, h hint) run {
	outcome := aimbrain.OutcomeRefused
	if code >= 500 {
		outcome = aimbrain.OutcomeUnknown
	}
	return virtual(want{kind: api, outcome: outcome, attempts: h.attempts, received: 1, check: func(t *testing.T, s *seen) {
		t.Helper()
		wait, given := s.api(t).RetryAfter()
		assert.Equal(t, h.given, given)
		if h.wait == 1<<62 {
			assert.Greater(t, wait, 24*365*time.Hour)
		} else {
			assert.Equal(t, h.wait, wait)
		}
		assert.GreaterOrEqual(t, s.elapsed, h.least)
		assert.LessOrEqual(t, s.elapsed, h.most)
	}}, func(x *faults.Exchange) {
		var header []string
		for _, value := range h.values() {
			header = append(header, "Retry-After", value)
		}
		x.Reply(code, "", header...)
	})
}

// skewedRetryAfter has a server whose clock is wrong, as its own Date shows.
func skewedRetryAfter() []cell {
	var cells []cell
	for name, skew := range map[string]time.Duration{
		"10 s ahead": 10 * time.Second, "10 s behind": -10 * time.Second,
		"5 min ahead": 5 * time.Minute, "5 min behind": -5 * time.Minute,
		"an hour ahead": time.Hour, "an hour behind": -time.Hour,
	} {
		const asked = 2 * time.Second
		once := virtual(want{kind: success, outcome: aimbrain.OutcomeSucceeded, received: 1, attempts: 2, check: func(t *testing.T, s *seen) {
			t.Helper()
			assert.GreaterOrEqual(t, s.elapsed, asked)
			assert.LessOrEqual(t, s.elapsed, asked+600*time.Millisecond)
			var api *aimbrain.APIError
			if assert.ErrorAs(t, s.attempts[0].Err, &api) {
				wait, given := api.RetryAfter()
				assert.True(t, given)
				assert.Equal(t, asked, wait)
			}
		}}, func(x *faults.Exchange) {
			if x.Number > 1 {
				x.Reply(http.StatusOK, valid(x))
				return
			}
			clock := time.Now().Add(skew).UTC()
			x.Reply(http.StatusTooManyRequests, "", "Date", clock.Format(http.TimeFormat), "Retry-After", clock.Add(asked).Format(http.TimeFormat))
		})
		cells = append(cells, both(each, name, once)...)
	}
	return cells
}

// simultaneousRetryAfter has callers with a client each, as in many processes, or
// with one for all, which has 100 retries.
func simultaneousRetryAfter() []cell {
	var cells []cell
	for _, asked := range []int{0, 2} {
		for name, c := range map[string]struct{ callers, clients int }{
			"a client each": {200, 200}, "one client": {100, 1},
		} {
			cells = append(cells, each(fmt.Sprintf("%d, %s", asked, name), faults.HTTP1, func(t *testing.T, l *lab, cell cell) {
				t.Helper()
				synctest.Test(t, func(t *testing.T) {
					returns := returnsAfter(t, l, cell, asked, c.callers, c.clients)
					least := time.Duration(asked) * time.Second
					var buckets [20]int // of 50 ms
					for _, at := range returns {
						assert.GreaterOrEqual(t, at, least)
						buckets[min(19, int((at-least)/(50*time.Millisecond)))]++
					}
					assert.GreaterOrEqual(t, slices.Max(returns)-slices.Min(returns), 500*time.Millisecond)
					assert.LessOrEqual(t, slices.Max(buckets[:]), c.callers/3, "%v", buckets)
				})
			})...)
		}
	}
	return cells
}

// returnsAfter has callers receive the same Retry-After at once, and returns the
// times of their retries.
func returnsAfter(t *testing.T, l *lab, c cell, asked, callers, clients int) []time.Duration {
	t.Helper()
	started := time.Now()
	var mu sync.Mutex
	var returns []time.Duration
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, func(x *faults.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		if elapsed := time.Since(started); elapsed > 0 {
			returns = append(returns, elapsed)
			x.Reply(http.StatusOK, valid(x))
			return
		}
		x.Reply(http.StatusTooManyRequests, "", "Retry-After", strconv.Itoa(asked))
	})
	require.NoError(t, err)
	defer server.Close()
	transport := server.Transport()
	made := make([]*aimbrain.Client, clients)
	for i := range made {
		made[i], err = through(transport, server.URL)()
		require.NoError(t, err)
	}
	inParallel(callers, func(n int) {
		_, err := c.call.Do(t.Context(), made[n%clients], n)
		assert.NoError(t, err)
	})
	assert.Len(t, returns, callers)
	return returns
}

// optional reports whether the response to a call may be empty.
func optional(c calls.Call) bool { return c.Empty }

func needsBody(c calls.Call) bool { return !c.Empty }

func noBody() []cell {
	var cells []cell
	for _, code := range []int{200, 204} {
		for _, protocol := range []string{faults.HTTP1, faults.HTTP2} {
			run := func(w want) run { return script(w, replies(code, "", true)) }
			cells = append(cells, these(calls.Where(needsBody), strconv.Itoa(code), protocol, run(unusable))...)
			cells = append(cells, these(calls.Where(optional), strconv.Itoa(code), protocol, run(fine))...)
		}
	}
	return cells
}

func unknownStatus() []cell {
	code := func(n int) string {
		return fmt.Sprintf(`{"error":"new","errors":[{"description":"brand new","code":%d}]}`, n)
	}
	preserved := func(statusCode int) func(*testing.T, *seen) {
		return func(t *testing.T, s *seen) {
			t.Helper()
			err := s.api(t)
			assert.Equal(t, statusCode, err.StatusCode)
			assert.Equal(t, []aimbrain.ErrorDetail{{Code: 7777, Description: "brand new"}}, err.Details)
			assert.ErrorIs(t, s.err, aimbrain.Code(7777))
		}
	}
	return join(
		both(risky, "408", script(trouble.and(preserved(408)), replies(408, code(7777), true))),
		each("418", faults.HTTP1, script(refused.and(preserved(418)), replies(418, code(7777), false))),
		each("599", faults.HTTP1, script(trouble.and(preserved(599)), replies(599, code(7777), true))),
		each("299", faults.HTTP1, script(unusable, func(x *faults.Exchange) { x.Execute(); x.Reply(299, valid(x)) })),
	)
}
