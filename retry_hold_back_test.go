package aimbrain_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// A limiter is a server that responds to users by their names. It responds to "429
// 2" with 429 and Retry-After: 2, to "503 2" with 503 and the same header, and to
// "ok" with a session.
type limiter struct {
	mu    sync.Mutex
	began time.Time
	at    map[string][]time.Duration // of the requests of each user
}

func (l *limiter) respond(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(string(body), `{"userId":"`), `"`)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[user] = append(l.at[user], time.Since(l.began))
	code, wait, asks := strings.Cut(user, " ")
	status, err := strconv.Atoi(code)
	if err != nil {
		return httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","face":0,"voice":0,"behaviour":0}`), nil
	}
	response := httpmock.NewStringResponse(status, "")
	if asks {
		response.Header.Set("Retry-After", wait)
	}
	return response, nil
}

// limiting returns a limiter and a client of it.
func limiting(t *testing.T, opts ...aimbrain.Option) (*limiter, *aimbrain.Client) {
	t.Helper()
	l := &limiter{began: time.Now(), at: map[string][]time.Duration{}}
	client, _ := mocked(t, l.respond, opts...)
	return l, client
}

// create makes a call for a user.
func create(ctx context.Context, client *aimbrain.Client, user string, opts ...aimbrain.CallOption) error {
	_, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: user, Device: "d", System: "s"}, opts...)
	return err
}

// refuse makes one attempt, which is refused.
func refuse(t *testing.T, client *aimbrain.Client, user string) {
	t.Helper()
	require.Error(t, create(t.Context(), client, user, aimbrain.WithMaxAttempts(1)))
}

func TestHoldBack_OtherCallsWaitAfter429(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers = 200
		limiter, client := limiting(t)
		refuse(t, client, "429 2")
		<-time.After(500 * time.Millisecond)
		var all sync.WaitGroup
		for range callers {
			all.Go(func() { assert.NoError(t, create(t.Context(), client, "ok", aimbrain.WithMaxAttempts(1))) })
		}
		all.Wait()
		require.Len(t, limiter.at["ok"], callers)
		var after []time.Duration
		for _, at := range limiter.at["ok"] {
			after = append(after, at-2*time.Second)
			assert.LessOrEqual(t, at, 2600*time.Millisecond)
		}
		assertSpread(t, after)
		<-time.After(time.Second)
		require.NoError(t, create(t.Context(), client, "later"))
		assert.Equal(t, time.Since(limiter.began), limiter.at["later"][0], "the hold-back is over")
	})
}

func TestHoldBack_BeginsOnlyAfter429WithShortWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused []string
		maxWait time.Duration
		until   time.Duration // 0 means no hold-back
	}{
		"429":                       {refused: []string{"429 2"}, maxWait: 5 * time.Second, until: 2 * time.Second},
		"429, the cap":              {refused: []string{"429 4"}, maxWait: 5 * time.Second, until: 4 * time.Second},
		"429, above the cap":        {refused: []string{"429 5"}, maxWait: 5 * time.Second, until: 0},
		"429, an hour":              {refused: []string{"429 3600"}, maxWait: 5 * time.Second, until: 0},
		"429, overflow":             {refused: []string{"429 99999999999999999999"}, maxWait: 5 * time.Second, until: 0},
		"429, 0":                    {refused: []string{"429 0"}, maxWait: 5 * time.Second, until: 0},
		"429, no wait asked for":    {refused: []string{"429"}, maxWait: 5 * time.Second, until: 0},
		"503":                       {refused: []string{"503 2"}, maxWait: 5 * time.Second, until: 0},
		"never waiting":             {refused: []string{"429 0", "429 1"}, maxWait: 0, until: 0},
		"just as long as allowed":   {refused: []string{"429 2"}, maxWait: 2500 * time.Millisecond, until: 2 * time.Second},
		"not as long as is allowed": {refused: []string{"429 2"}, maxWait: 2500*time.Millisecond - 1, until: 0},
		"the longer one first":      {refused: []string{"429 3", "429 1"}, maxWait: 5 * time.Second, until: 3 * time.Second},
		"the longer one last":       {refused: []string{"429 1", "429 3"}, maxWait: 5 * time.Second, until: 3 * time.Second},
		"a success in between":      {refused: []string{"429 2", "ok"}, maxWait: 5 * time.Second, until: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter, client := limiting(t, retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxWait = c.maxWait }))
				for _, user := range c.refused {
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // it does not wait itself
					_ = create(ctx, client, user, aimbrain.WithMaxAttempts(1))
					cancel()
				}
				_, other := limiting(t)
				require.NoError(t, create(t.Context(), other, "ok"))
				assert.Zero(t, time.Since(limiter.began), "another client does not wait")
				require.NoError(t, create(t.Context(), client, "next"))
				require.Len(t, limiter.at["next"], 1)
				if c.until == 0 {
					assert.Zero(t, limiter.at["next"][0])
				}
				assert.GreaterOrEqual(t, limiter.at["next"][0], c.until)
				assert.LessOrEqual(t, limiter.at["next"][0], c.until+600*time.Millisecond)
				<-time.After(time.Second)
				now := time.Since(limiter.began)
				require.NoError(t, create(t.Context(), client, "later"))
				assert.Equal(t, now, limiter.at["later"][0], "no further hold-back applies")
			})
		})
	}
}

func TestHoldBack_CallWithoutTimeIsSentAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout, deadline time.Duration
		waits             bool
	}{
		"the context":           {timeout: time.Minute, deadline: time.Second},
		"the context, just not": {timeout: time.Minute, deadline: 2500 * time.Millisecond},
		"the context, just":     {timeout: time.Minute, deadline: 2500*time.Millisecond + 1, waits: true},
		"the call's time":       {timeout: time.Second, deadline: time.Minute},
		"time enough":           {timeout: time.Minute, deadline: time.Minute, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter, client := limiting(t, aimbrain.WithTimeout(c.timeout))
				refuse(t, client, "429 2")
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				require.NoError(t, create(ctx, client, "ok"))
				assert.Equal(t, c.waits, limiter.at["ok"][0] >= 2*time.Second, "%v", limiter.at["ok"])
				assert.Equal(t, !c.waits, limiter.at["ok"][0] == 0, "%v", limiter.at["ok"])
			})
		})
	}
}

func TestHoldBack_ExtensionIsObservedWithinMaxWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		extension  string // Retry-After of the response to another call after a second
		from, most time.Duration
	}{
		"longer, within MaxWait": {extension: "429 2", from: 3 * time.Second, most: 3600 * time.Millisecond},
		"longer than MaxWait":    {extension: "429 4", from: 2 * time.Second, most: 2600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter, client := limiting(t)
				refuse(t, client, "429 2")
				done := make(chan error)
				go func() { done <- create(t.Context(), client, "ok") }()
				<-time.After(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second) // too short to wait
				defer cancel()
				require.ErrorIs(t, create(ctx, client, c.extension), aimbrain.ErrRateLimited)
				require.NoError(t, <-done)
				require.Len(t, limiter.at["ok"], 1)
				assert.GreaterOrEqual(t, limiter.at["ok"][0], c.from)
				assert.LessOrEqual(t, limiter.at["ok"][0], c.most)
			})
		})
	}
}

func TestHoldBack_CountsTowardsMaxWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter, client := limiting(t)
		refuse(t, client, "429 3")
		err := create(t.Context(), client, "429 2")
		require.ErrorIs(t, err, aimbrain.ErrRateLimited)
		require.Len(t, limiter.at["429 2"], 1, "3 s and 2.5 s are more than 5 s")
		assert.Equal(t, limiter.at["429 2"][0], time.Since(limiter.began), "it fails at once")
	})
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			_, client := limiting(t)
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					<-time.After(rand.N(10 * time.Second))
					began := time.Now()
					assert.Error(t, create(t.Context(), client, "429 "+strconv.Itoa(rand.IntN(6))))
					assert.LessOrEqual(t, time.Since(began), 5*time.Second)
				})
			}
			all.Wait()
		})
	}
}

func TestHoldBack_EndedContextReturnsAtOnce(t *testing.T) {
	t.Parallel()
	why := errors.New("the app was closed")
	for name, after := range map[string]time.Duration{
		"as it begins to wait": 1,
		"while it waits":       time.Second,
		"in the spread":        2*time.Second + 1,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				observed := 0
				limiter, client := limiting(t, aimbrain.WithObserver(func(context.Context, aimbrain.Attempt) { observed++ }))
				refuse(t, client, "429 2")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(after, func() { cancel(why) })
				err := create(ctx, client, "ok")
				assert.Equal(t, after, time.Since(limiter.began))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, why)
				var network *aimbrain.NetworkError
				require.ErrorAs(t, err, &network)
				assert.Zero(t, network.Attempts)
				assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
				assert.Empty(t, limiter.at["ok"])
				assert.Equal(t, 1, observed, "only the refused call is observed")
			})
		})
	}
}

func TestHoldBack_WaitIsObservedAndLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var attempts []aimbrain.Attempt
		limiter, client := limiting(t, logTo(&log), aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { attempts = append(attempts, a) }))
		require.ErrorIs(t, create(t.Context(), client, "429 1", aimbrain.WithMaxAttempts(2)), aimbrain.ErrRateLimited)
		require.Len(t, attempts, 2)
		assert.Zero(t, attempts[0].Waited)
		assert.Positive(t, attempts[0].Wait)
		assert.Equal(t, attempts[0].Wait, attempts[1].Waited)
		assert.Equal(t, 1, strings.Count(log.String(), " waited="))
		attempts, limiter.began = nil, time.Now()
		refuse(t, client, "503")
		require.Len(t, attempts, 1)
		assert.Positive(t, attempts[0].Waited)
		assert.Equal(t, limiter.at["503"][0], attempts[0].Waited)
		assert.Contains(t, log.String(), " waited="+attempts[0].Waited.String())
	})
}
