package aimbrain_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// lost returns a responder that reads the request and then fails, as if the
// response was lost.
func lost(err error) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return nil, err
	}
}

// unsent returns a responder that fails before it reads the request.
func unsent(err error) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func TestRetry_DependsOnCallAndOutcome(t *testing.T) {
	t.Parallel()
	var optIn []string
	for _, call := range calls.Where(func(c calls.Call) bool { return c.Repeat == endpoints.OptIn }) {
		optIn = append(optIn, call.Path)
	}
	status := func(code int) httpmock.Responder { return httpmock.NewStringResponder(code, "") }
	const never, safe, safeOrOptIn, every = 0, 1, 2, 3
	for name, c := range map[string]struct {
		fault   httpmock.Responder
		retried int  // which calls are retried
		unknown bool // the outcome is
	}{
		"response lost":   {fault: lost(syscall.ECONNRESET), retried: safe, unknown: true},
		"cut off":         {fault: lost(io.ErrUnexpectedEOF), retried: safe, unknown: true},
		"500":             {fault: status(500), retried: safe, unknown: true},
		"503":             {fault: status(503), retried: safe, unknown: true},
		"opted in":        {fault: lost(syscall.ECONNRESET), retried: safeOrOptIn, unknown: true},
		"never sent":      {fault: unsent(syscall.ECONNREFUSED), retried: every},
		"DNS, temporary":  {fault: unsent(&net.DNSError{IsTemporary: true}), retried: every},
		"429":             {fault: status(429), retried: every},
		"400":             {fault: status(400), retried: never},
		"401":             {fault: status(401), retried: never},
		"403":             {fault: status(403), retried: never},
		"no such host":    {fault: unsent(&net.DNSError{IsNotFound: true}), retried: never},
		"proxy is closed": {fault: unsent(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), retried: every},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range calls.All() {
				synctest.Test(t, func(t *testing.T) {
					policy := aimbrain.DefaultRetryPolicy()
					if c.retried == safeOrOptIn {
						policy.RetryUnknownOutcome = optIn
					}
					client, transport := mocked(t, c.fault, aimbrain.WithRetry(policy))
					_, err := call.DoRecorded(t.Context(), client)
					want := 1
					if c.retried == every || c.retried >= safe && call.Repeats(c.retried == safeOrOptIn) {
						want = 3
					}
					assert.Equal(t, want, transport.GetTotalCallCount(), "%s", call.Path)
					assert.Equal(t, c.unknown, aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown, "%s: %v", call.Path, err)
					if want > 1 {
						assert.ErrorContains(t, err, "3 attempts")
					}
				})
			}
		})
	}
}

func TestWithRetryUnknownOutcome_OneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, transport := mocked(t, lost(syscall.ECONNRESET))
		_, err := client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth, aimbrain.WithRetryUnknownOutcome())
		require.ErrorIs(t, err, syscall.ECONNRESET)
		assert.Equal(t, 3, transport.GetTotalCallCount())
	})
}

func TestRetry_OutcomeIncludesEarlierAttempts(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]httpmock.Responder{
		"never sent":  unsent(syscall.ECONNREFUSED),
		"refused":     httpmock.NewStringResponder(401, ""),
		"redirected":  httpmock.NewStringResponder(307, ""),
		"rate limits": httpmock.NewStringResponder(429, ""),
	} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
				if first {
					first = false
					return lost(syscall.ECONNRESET)(r)
				}
				return last(r)
			})
			_, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u", Device: "d", System: "s"}, aimbrain.WithRetryUnknownOutcome())
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "%s: %v", name, err)
		})
	}
}

func TestRetry_RequestIsIdentical(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			seen = append(seen, r.Header.Get(aimbrain.HeaderSignature)+string(body))
			return httpmock.NewStringResponse(503, ""), nil
		})
		_, err := client.Face.Compare(t.Context(), aimbrain.Photos(noise(50_000)), aimbrain.Photos(noise(10)))
		require.Error(t, err)
		require.Len(t, seen, 3)
		assert.True(t, seen[0] == seen[1] && seen[1] == seen[2])
	})
}

func TestRetry_DeadlineBoundsWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, transport := mocked(t, httpmock.NewStringResponder(503, "").HeaderSet(http.Header{"Retry-After": {"5"}}))
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began := time.Now()
		_, err := client.Score.Get(ctx, sessionID)
		require.ErrorIs(t, err, aimbrain.HTTPStatus(503), "the original error, not that of the deadline")
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, time.Since(began), "it fails at once")
		assert.Equal(t, 1, transport.GetTotalCallCount())
	})
}

// silent is a transport that never responds.
func silent(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeLimits_AreDistinguished(t *testing.T) {
	t.Parallel()
	deadline := errors.New("the user has hung up")
	for name, c := range map[string]struct {
		opts     []aimbrain.Option
		ctx      func(context.Context) (context.Context, context.CancelFunc)
		is, not  error
		took     time.Duration
		attempts int
	}{
		"attempt": {is: aimbrain.ErrAttemptTimeout, not: aimbrain.ErrTotalTimeout, took: aimbrain.DefaultAttemptTimeout, attempts: 1},
		"total": {opts: []aimbrain.Option{aimbrain.WithTimeout(3 * time.Second)}, is: aimbrain.ErrTotalTimeout, not: aimbrain.ErrAttemptTimeout,
			took: 3 * time.Second, attempts: 1},
		"the caller's": {ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, 2*time.Second, deadline)
		}, is: deadline, not: aimbrain.ErrAttemptTimeout, took: 2 * time.Second, attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, _ := mocked(t, silent, c.opts...)
				ctx := t.Context()
				if c.ctx != nil {
					var cancel context.CancelFunc
					ctx, cancel = c.ctx(ctx)
					defer cancel()
				}
				began := time.Now()
				_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("face")))
				require.ErrorIs(t, err, c.is)
				require.NotErrorIs(t, err, c.not)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, c.took, time.Since(began))
				assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
				var network *aimbrain.NetworkError
				require.ErrorAs(t, err, &network)
				assert.True(t, network.Timeout())
				assert.Equal(t, c.attempts, network.Attempts)
			})
		})
	}
}

func TestWithTimeout_EndsCallOfManyAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, transport := mocked(t, silent, aimbrain.WithTimeout(25*time.Second), aimbrain.WithAttemptTimeout(10*time.Second))
		began := time.Now()
		_, err := client.Score.Get(t.Context(), sessionID)
		require.ErrorIs(t, err, aimbrain.ErrTotalTimeout)
		assert.Equal(t, 25*time.Second, time.Since(began))
		assert.Equal(t, 3, transport.GetTotalCallCount())
	})
}

func TestCall_CancelledReturnsCause(t *testing.T) {
	t.Parallel()
	why := errors.New("the app was closed")
	t.Run("before it begins", func(t *testing.T) {
		t.Parallel()
		client, transport := responding(t, 200, "{}")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("face")))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, why)
		assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
		assert.Zero(t, transport.GetTotalCallCount())
	})
	t.Run("while it waits for the response", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client, _ := mocked(t, silent)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("face")))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, why)
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
		})
	})
	t.Run("while it backs off", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client, transport := mocked(t, httpmock.NewStringResponder(503, "").HeaderSet(http.Header{"Retry-After": {"4"}}))
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			began := time.Now()
			_, err := client.Score.Get(ctx, sessionID)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, why)
			require.ErrorIs(t, err, aimbrain.HTTPStatus(503), "the attempt's own error is inside")
			assert.Equal(t, time.Second, time.Since(began))
			assert.Equal(t, 1, transport.GetTotalCallCount())
		})
	})
}

func TestRetryBudget_DrainsAndRefills(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		client, transport := mocked(t, func(*http.Request) (*http.Response, error) {
			if down {
				return httpmock.NewStringResponse(503, ""), nil
			}
			return httpmock.NewStringResponse(200, `{"session":"4f1c2a9e-session","scores":[]}`), nil
		})
		attempts := func(calls int) int {
			before := transport.GetTotalCallCount()
			for range calls {
				_, _ = client.Score.Get(t.Context(), sessionID)
			}
			return transport.GetTotalCallCount() - before
		}
		assert.Equal(t, 150, attempts(50), "three attempts each, while the budget lasts")
		assert.Equal(t, 500, attempts(500), "one attempt per call when the budget is empty")
		_, err := client.Score.Get(t.Context(), sessionID)
		require.ErrorIs(t, err, aimbrain.HTTPStatus(503), "with the original error")
		down = false
		assert.Equal(t, 10, attempts(10))
		down = true
		assert.Equal(t, 10+5, attempts(10), "ten responses pay for five retries")
	})
}

func TestBackOff_IsSpreadAndCapped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		client, _ := mocked(t, httpmock.NewStringResponder(429, ""),
			retrying(func(policy *aimbrain.RetryPolicy) { policy.MaxAttempts, policy.MaxDelay = 7, time.Second }),
			aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) {
				if a.Retry {
					waits = append(waits, a.Wait)
				}
			}))
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.Error(t, err)
		require.Len(t, waits, 6)
		for i, wait := range waits {
			assert.LessOrEqual(t, wait, min(100*time.Millisecond<<i, time.Second))
		}
		assert.Greater(t, len(slices.Compact(slices.Sorted(slices.Values(waits)))), 3, "the waits differ")
	})
}

func TestWithLogger_LogsRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		client, _ := mocked(t, httpmock.NewStringResponder(429, `{"error":"e","errors":[{"code":120}]}`), logTo(&log), aimbrain.WithRegion(aimbrain.EUWest1), aimbrain.WithMediaCheck(aimbrain.MediaCheckOff))
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		require.Error(t, err)
		assert.Equal(t, 3, strings.Count(log.String(), "level=WARN"))
		assert.Equal(t, 2, strings.Count(log.String(), "retry_in="))
		for _, want := range []string{"region=eu-west-1", "codes=[120]", "outcome=refused", "status=429"} {
			assert.Equal(t, 3, strings.Count(log.String(), want), want)
		}
	})
}

func TestResponse_CutOffByEndOfConnection(t *testing.T) {
	t.Parallel()
	whole := `{"score":0.9,"liveliness":0.1}`
	for n := range len(whole) + 1 {
		client, _ := mocked(t, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ContentLength: -1, Body: io.NopCloser(strings.NewReader(whole[:n]))}, nil
		})
		_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		if n == len(whole) {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, strconv.Itoa(n))
		assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
		assert.True(t, is[*aimbrain.NetworkError](err), strconv.Itoa(n))
	}
	client, _ := mocked(t, func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ContentLength: -1, Body: io.NopCloser(strings.NewReader(""))}, nil
	})
	_, err := client.Behaviour.Submit(t.Context(), sessionID, touches())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the response does not say that it is complete")
}

func TestWithHTTPClient_TransportBreaksContract(t *testing.T) {
	t.Parallel()
	client, _ := mocked(t, func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ContentLength: -1, Body: io.NopCloser(idle{})}, nil
	})
	_, err := client.Voice.Auth(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// idle reads nothing and never ends.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestWithObserver_SeveralObservers(t *testing.T) {
	t.Parallel()
	var received []string
	observer := func(name string) aimbrain.Option {
		return aimbrain.WithObserver(func(context.Context, aimbrain.Attempt) { received = append(received, name) })
	}
	client, _ := responding(t, 200, `{"score":0.5,"liveliness":0.25}`, observer("metrics"), observer("audit"))
	_, err := client.Face.Auth(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.NoError(t, err)
	assert.Equal(t, []string{"metrics", "audit"}, received)
}
