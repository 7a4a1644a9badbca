package aimbrain_test

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// limited responds with 429 and the given header.
func limited(header http.Header) httpmock.Responder {
	return httpmock.NewStringResponder(http.StatusTooManyRequests, `{"error":"slow down"}`).HeaderSet(header)
}

// asked makes one attempt and returns the wait that its response asks for.
func asked(t *testing.T, header http.Header) (time.Duration, bool) {
	t.Helper()
	client, _ := mocked(t, limited(header), noRetries())
	_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
	var api *aimbrain.APIError
	assert.ErrorAs(t, err, &api)
	return api.RetryAfter()
}

func TestRetryAfter_DateIsRelativeToResponseDate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration // the server's clock less the local clock
		wait  time.Duration // what the server means
		date  string        // replaces the server's Date
		want  time.Duration
	}{
		"clocks agree":         {wait: 2 * time.Second, want: 2 * time.Second},
		"10 s ahead":           {ahead: 10 * time.Second, wait: 2 * time.Second, want: 2 * time.Second},
		"10 s behind":          {ahead: -10 * time.Second, wait: 2 * time.Second, want: 2 * time.Second},
		"an hour ahead":        {ahead: time.Hour, wait: 2 * time.Second, want: 2 * time.Second},
		"an hour behind":       {ahead: -time.Hour, wait: 2 * time.Second, want: 2 * time.Second},
		"a date that has gone": {ahead: time.Hour, wait: -time.Minute},
		"the same second":      {ahead: time.Hour},
		"Date missing":         {ahead: 10 * time.Second, wait: 2 * time.Second, date: "-", want: 12 * time.Second},
		"Date not readable":    {ahead: 10 * time.Second, wait: 2 * time.Second, date: "today", want: 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := time.Now().Add(c.ahead).UTC()
				header := http.Header{"Date": {server.Format(http.TimeFormat)}, "Age": {"60"}}
				header.Set("Retry-After", server.Add(c.wait).Format(http.TimeFormat))
				switch c.date {
				case "":
				case "-":
					header.Del("Date")
				default:
					header.Set("Date", c.date)
				}
				wait, given := asked(t, header)
				assert.True(t, given)
				assert.Equal(t, c.want, wait)
			})
		})
	}
}

func TestRetryAfter_LongerOfTwoFormsCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := time.Now().Add(time.Hour).UTC()
		for _, c := range []struct {
			seconds string
			want    time.Duration
		}{{"1", 3 * time.Second}, {"4", 4 * time.Second}} {
			wait, given := asked(t, http.Header{
				"Date":        {server.Format(http.TimeFormat)},
				"Retry-After": {c.seconds, server.Add(3 * time.Second).Format(http.TimeFormat)},
			})
			assert.True(t, given)
			assert.Equal(t, c.want, wait)
		}
	})
}

func TestRetryAfter_WaitIsBoundedByMaxWaitAndExposed(t *testing.T) {
	t.Parallel()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where synctest begins
	const second = time.Second
	for name, c := range map[string]struct {
		values  []string
		ignored bool // invalid, so that the back-off applies
		wait    time.Duration
		fails   bool // without a wait
	}{
		"0":                             {values: []string{"0"}},
		"1":                             {values: []string{"1"}, wait: second},
		"the cap":                       {values: []string{"4"}, wait: 4 * second},
		"above":                         {values: []string{"5"}, wait: 5 * second, fails: true},
		"far above, in the call's time": {values: []string{"20"}, wait: 20 * second, fails: true},
		"beyond the call's time":        {values: []string{"3600"}, wait: time.Hour, fails: true},
		"a past date":                   {values: []string{start.Add(-time.Hour).Format(http.TimeFormat)}},
		"a date":                        {values: []string{start.Add(3 * second).Format(http.TimeFormat)}, wait: 3 * second},
		"a late date":                   {values: []string{start.Add(5 * second).Format(http.TimeFormat)}, wait: 5 * second, fails: true},
		"negative":                      {values: []string{"-1"}, ignored: true},
		"not a number":                  {values: []string{"soon"}, ignored: true},
		"a fraction":                    {values: []string{"1.5"}, ignored: true},
		"empty":                         {values: []string{""}, ignored: true},
		"overflow":                      {values: []string{"99999999999999999999999"}, wait: math.MaxInt64 - math.MaxInt64%second, fails: true},
		"twice":                         {values: []string{"2", "4"}, wait: 4 * second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
					at = append(at, time.Now())
					return limited(http.Header{"Date": {start.Format(http.TimeFormat)}, "Retry-After": c.values})(r)
				}, retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts = 2 }))
				_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
				require.ErrorIs(t, err, aimbrain.ErrRateLimited)
				var api *aimbrain.APIError
				require.ErrorAs(t, err, &api)
				wait, given := api.RetryAfter()
				assert.Equal(t, !c.ignored, given)
				assert.Equal(t, c.wait, wait)
				if c.fails {
					require.Len(t, at, 1, "it fails at once")
					assert.Equal(t, at[0], time.Now())
					return
				}
				require.Len(t, at, 2)
				waited := at[1].Sub(at[0])
				if c.ignored {
					assert.LessOrEqual(t, waited, aimbrain.DefaultRetryPolicy().BaseDelay)
					return
				}
				assert.GreaterOrEqual(t, waited, c.wait)
				assert.LessOrEqual(t, waited, c.wait+600*time.Millisecond)
			})
		})
	}
}

func TestRetryAfter_FailsAtOnceWithoutRoomForSpread(t *testing.T) {
	t.Parallel()
	policy := aimbrain.DefaultRetryPolicy()
	for name, c := range map[string]struct {
		maxWait, timeout, deadline time.Duration
		want                       int // attempts
	}{
		"MaxWait, room":         {maxWait: policy.MaxWait, timeout: time.Minute, deadline: time.Minute, want: 2},
		"MaxWait, just":         {maxWait: 2500 * time.Millisecond, timeout: time.Minute, deadline: time.Minute, want: 2},
		"MaxWait, not":          {maxWait: 2500*time.Millisecond - 1, timeout: time.Minute, deadline: time.Minute, want: 1},
		"the call's time, just": {maxWait: policy.MaxWait, timeout: 2500*time.Millisecond + 1, deadline: time.Minute, want: 2},
		"the call's time, not":  {maxWait: policy.MaxWait, timeout: 2500 * time.Millisecond, deadline: time.Minute, want: 1},
		"the context, just":     {maxWait: policy.MaxWait, timeout: time.Minute, deadline: 2500*time.Millisecond + 1, want: 2},
		"the context, not":      {maxWait: policy.MaxWait, timeout: time.Minute, deadline: 2500 * time.Millisecond, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 { // for different random parts
				synctest.Test(t, func(t *testing.T) {
					client, transport := mocked(t, limited(http.Header{"Retry-After": {"2"}}), aimbrain.WithTimeout(c.timeout),
						retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts, policy.MaxWait = 2, c.maxWait }))
					ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
					defer cancel()
					began := time.Now()
					_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("face")))
					require.ErrorIs(t, err, aimbrain.ErrRateLimited)
					assert.Equal(t, c.want, transport.GetTotalCallCount())
					waited := time.Since(began)
					if c.want == 1 {
						assert.Zero(t, waited, "it fails at once")
						return
					}
					assert.GreaterOrEqual(t, waited, 2*time.Second)
					assert.LessOrEqual(t, waited, min(c.maxWait, c.timeout, c.deadline))
				})
			}
		})
	}
}

func TestMaxWait_BoundsSumOfWaits(t *testing.T) {
	t.Parallel()
	responses := []func() string{
		func() string { return "" }, // a back-off
		func() string { return "0" },
		func() string { return "1" },
		func() string { return "2" },
		func() string { return "4" },
		func() string { return strconv.Itoa(rand.IntN(7)) },
	}
	for i, response := range responses {
		for _, attempts := range []int{3, 12} {
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					var waits []time.Duration
					client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
						header := http.Header{}
						if value := response(); value != "" {
							header.Set("Retry-After", value)
						}
						return limited(header)(r)
					}, retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts = attempts }),
						aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { waits = append(waits, a.Wait) }))
					began := time.Now()
					_, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u", Device: "d", System: "s"})
					require.ErrorIs(t, err, aimbrain.ErrRateLimited)
					var sum time.Duration
					for _, wait := range waits {
						sum += wait
					}
					assert.LessOrEqual(t, sum, 5*time.Second, "response %d, %d attempts: %v", i, attempts, waits)
					assert.Equal(t, sum, time.Since(began), "the call waits for nothing else")
				})
			}
		}
	}
}

func TestMaxWait_ZeroMeansNeverWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		responder httpmock.Responder
		delay     time.Duration
		want      int
	}{
		"back-off":                     {responder: limited(nil), delay: 1, want: 1},
		"no back-off":                  {responder: limited(nil), delay: 0, want: 3},
		"Retry-After: 0":               {responder: limited(http.Header{"Retry-After": {"0"}}), delay: 0, want: 1},
		"Retry-After: 1":               {responder: limited(http.Header{"Retry-After": {"1"}}), delay: 0, want: 1},
		"never sent, with a back-off":  {responder: unsent(syscall.ECONNREFUSED), delay: 1, want: 1},
		"never sent, with no back-off": {responder: unsent(syscall.ECONNREFUSED), delay: 0, want: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, transport := mocked(t, c.responder, retrying(func(policy *aimbrain.RetryPolicy) {
					policy.MaxWait, policy.BaseDelay = 0, c.delay
				}))
				began := time.Now()
				_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
				require.Error(t, err)
				assert.Equal(t, c.want, transport.GetTotalCallCount())
				assert.Zero(t, time.Since(began))
			})
		})
	}
}

func TestWithRetry_ZeroDelaysMeanNoBackOff(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*aimbrain.RetryPolicy){
		"BaseDelay": func(policy *aimbrain.RetryPolicy) { policy.BaseDelay = 0 },
		"MaxDelay":  func(policy *aimbrain.RetryPolicy) { policy.MaxDelay = 0 },
	} {
		synctest.Test(t, func(t *testing.T) {
			client, transport := mocked(t, httpmock.NewStringResponder(503, ""), retrying(change))
			began := time.Now()
			_, err := client.Score.Get(t.Context(), sessionID)
			require.ErrorIs(t, err, aimbrain.HTTPStatus(503))
			assert.Equal(t, 3, transport.GetTotalCallCount(), name)
			assert.Zero(t, time.Since(began), name)
		})
	}
}

func TestWithRetry_LongestTimesDoNotOverflow(t *testing.T) {
	t.Parallel()
	longest := retrying(func(policy *aimbrain.RetryPolicy) {
		policy.BaseDelay, policy.MaxDelay, policy.MaxWait = math.MaxInt64, math.MaxInt64, math.MaxInt64
	})
	for name, c := range map[string]struct {
		value string
		least int // attempts
	}{
		"back-off":          {"soon", 1},
		"Retry-After: 1":    {"1", 2},
		"Retry-After: most": {"99999999999999999999", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, transport := mocked(t, limited(http.Header{"Retry-After": {c.value}}), longest, aimbrain.WithTimeout(time.Hour))
			began := time.Now()
			_, err := client.Score.Get(t.Context(), sessionID)
			require.ErrorIs(t, err, aimbrain.ErrRateLimited)
			assert.GreaterOrEqual(t, transport.GetTotalCallCount(), c.least, name)
			assert.Less(t, time.Since(began), time.Hour, name)
		})
	}
}

func TestWithRetry_RefusesInvalidPolicies(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*aimbrain.RetryPolicy){
		"no attempts":        func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts = 0 },
		"negative attempts":  func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts = -1 },
		"negative BaseDelay": func(policy *aimbrain.RetryPolicy) { policy.BaseDelay = -1 },
		"negative MaxDelay":  func(policy *aimbrain.RetryPolicy) { policy.MaxDelay = -1 },
		"negative MaxWait":   func(policy *aimbrain.RetryPolicy) { policy.MaxWait = -1 },
		"the zero value":     func(policy *aimbrain.RetryPolicy) { *policy = aimbrain.RetryPolicy{} },
	} {
		_, err := aimbrain.New(testKey, testSecret, retrying(change))
		var config *aimbrain.ConfigError
		require.ErrorAs(t, err, &config, name)
		assert.ErrorContains(t, err, "begin with DefaultRetryPolicy()", name)
	}
}

func TestRetryAfter_SameWaitIsSpread(t *testing.T) {
	t.Parallel()
	const callers = 200
	for name, c := range map[string]struct {
		header http.Header
		asked  time.Duration
		shared bool // one client for all
	}{
		"0, a client each":      {header: http.Header{"Retry-After": {"0"}}, asked: 0},
		"0, one client":         {header: http.Header{"Retry-After": {"0"}}, asked: 0, shared: true},
		"2, a client each":      {header: http.Header{"Retry-After": {"2"}}, asked: 2 * time.Second},
		"2, one client":         {header: http.Header{"Retry-After": {"2"}}, asked: 2 * time.Second, shared: true},
		"the cap":               {header: http.Header{"Retry-After": {"4"}}, asked: 4 * time.Second},
		"a date, a client each": {header: http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}, "Retry-After": {"Mon, 02 Jan 2006 15:04:07 GMT"}}, asked: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, mu, returns := time.Now(), sync.Mutex{}, []time.Duration(nil)
				respond := func(r *http.Request) (*http.Response, error) {
					if elapsed := time.Since(began); elapsed > 0 {
						mu.Lock()
						defer mu.Unlock()
						returns = append(returns, elapsed-c.asked)
						return httpmock.NewStringResponse(200, `{"token":"6-6-7"}`), nil
					}
					return limited(c.header)(r)
				}
				shared, _ := mocked(t, respond)
				var all sync.WaitGroup
				for range callers {
					client := shared
					if !c.shared {
						client, _ = mocked(t, respond)
					}
					all.Go(func() { _, _ = client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth) })
				}
				all.Wait()
				if c.shared { // the budget lets at least this many return
					require.GreaterOrEqual(t, len(returns), 100)
				} else {
					require.Len(t, returns, callers)
				}
				assertSpread(t, returns)
			})
		})
	}
}

// assertSpread checks the times after the earliest allowed one for callers that
// received the same Retry-After.
func assertSpread(t *testing.T, after []time.Duration) {
	t.Helper()
	buckets := map[time.Duration]int{}
	for _, d := range after {
		buckets[d/(50*time.Millisecond)]++
	}
	assert.GreaterOrEqual(t, slices.Min(after), time.Duration(0), "no caller returns early")
	assert.GreaterOrEqual(t, slices.Max(after)-slices.Min(after), 500*time.Millisecond)
	for bucket, n := range buckets {
		assert.LessOrEqual(t, n, len(after)/3, "in bucket %d of 50 ms: %v", bucket, buckets)
	}
}

func TestWithMaxAttempts_BoundsOneCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []aimbrain.CallOption
		want int
	}{
		"not given":    {nil, 3},
		"1":            {[]aimbrain.CallOption{aimbrain.WithMaxAttempts(1)}, 1},
		"2":            {[]aimbrain.CallOption{aimbrain.WithMaxAttempts(2)}, 2},
		"more":         {[]aimbrain.CallOption{aimbrain.WithMaxAttempts(5)}, 5},
		"the last one": {[]aimbrain.CallOption{aimbrain.WithMaxAttempts(5), aimbrain.WithMaxAttempts(1)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range calls.All() {
				synctest.Test(t, func(t *testing.T) {
					client, transport := mocked(t, limited(nil))
					_, err := call.DoRecorded(t.Context(), client, c.opts...)
					require.ErrorIs(t, err, aimbrain.ErrRateLimited)
					assert.Equal(t, c.want, transport.GetTotalCallCount(), call.Path)
					_, err = call.DoRecorded(t.Context(), client)
					require.ErrorIs(t, err, aimbrain.ErrRateLimited)
					assert.Equal(t, c.want+3, transport.GetTotalCallCount(), "%s: the next call has the client's policy", call.Path)
				})
			}
		})
	}
}

func TestWithMaxAttempts_BelowOneIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1, math.MinInt} {
		for _, call := range calls.All() {
			client, transport := responding(t, 200, "{}")
			_, err := call.DoRecorded(t.Context(), client, aimbrain.WithMaxAttempts(n))
			var request *aimbrain.RequestError
			require.ErrorAs(t, err, &request, call.Path)
			assert.Equal(t, "WithMaxAttempts", request.Argument)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.Zero(t, transport.GetTotalCallCount())
		}
	}
}

func TestAPIError_TextShowsRetryAfter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status        int
		header        http.Header
		want, without string
	}{
		"5":          {status: 429, header: http.Header{"Retry-After": {"5"}}, want: "; retry after 5s"},
		"0":          {status: 429, header: http.Header{"Retry-After": {"0"}}, want: "; retry after 0s"},
		"an hour":    {status: 503, header: http.Header{"Retry-After": {"3600"}}, want: "; retry after 1h0m0s; outcome unknown"},
		"a date":     {status: 429, header: http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}, "Retry-After": {"Mon, 02 Jan 2006 15:04:07 GMT"}}, want: "; retry after 2s", without: "Jan"},
		"none":       {status: 429, want: "429", without: "retry after"},
		"unreadable": {status: 429, header: http.Header{"Retry-After": {"soon"}}, want: "429", without: "retry after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := mocked(t, httpmock.NewStringResponder(c.status, "").HeaderSet(c.header), noRetries())
			_, err := client.Score.Get(t.Context(), sessionID)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			if c.without != "" {
				assert.NotContains(t, err.Error(), c.without)
			}
		})
	}
}

func TestWithLogger_LogsRetryAfter(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	client, _ := mocked(t, limited(http.Header{"Retry-After": {"5"}}), logTo(&log), noRetries())
	_, err := client.Score.Get(t.Context(), sessionID)
	require.Error(t, err)
	assert.Contains(t, log.String(), "retry after 5s")
}
