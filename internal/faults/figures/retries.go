package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// workers is the number of concurrent calls of the figures.
const workers = 64

// spread makes n calls of do from a number of goroutines, until the context ends.
func spread(ctx context.Context, goroutines, n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	all.Wait()
}

// Lost is the account of calls whose responses were lost.
type Lost struct {
	Calls, Executions, Received int
	Most                        int // executions of one request
	Wrong                       int // calls that did not end with an error which says that the request may have been processed
}

// lostResponses makes n enrolments, each a request of its own, and loses every
// response after the execution: one thousand by resets and ends of HTTP/1.1
// connections, the next by resets of HTTP/2 streams, in turn.
func lostResponses(ctx context.Context, a *faults.Authority, n int) (Lost, error) {
	var sum Lost
	for first := 0; first < n && ctx.Err() == nil; first += 1000 {
		setup := faults.Setup{Protocol: []string{faults.HTTP1, faults.HTTP2}[first/1000%2]}
		part, err := loseSome(ctx, a, setup, first, min(1000, n-first))
		if err != nil {
			return sum, err
		}
		sum.Calls += part.Calls
		sum.Executions += part.Executions
		sum.Received += part.Received
		sum.Most = max(sum.Most, part.Most)
		sum.Wrong += part.Wrong
	}
	return sum, ctx.Err()
}

func loseSome(ctx context.Context, a *faults.Authority, setup faults.Setup, first, n int) (Lost, error) {
	server, err := a.Serve(setup, func(x *faults.Exchange) {
		x.Execute()
		switch {
		case setup.Protocol == faults.HTTP2:
			x.Abort()
		case x.User%10 == 0:
			x.Hangup()
		default:
			x.Reset()
		}
	})
	if err != nil {
		return Lost{}, err
	}
	defer server.Close()
	client, err := server.NewClient()
	if err != nil {
		return Lost{}, err
	}
	defer client.Close()
	enroll, wrong := calls.To(aimbrain.EndpointFaceEnroll), atomic.Int64{}
	spread(ctx, workers, n, func(i int) {
		if _, err := enroll.Do(ctx, client, first+i); aimbrain.OutcomeOf(err) != aimbrain.OutcomeUnknown {
			wrong.Add(1)
		}
	})
	lost := Lost{Calls: n, Executions: server.Executed(), Received: server.Received(), Wrong: int(wrong.Load())}
	for _, account := range server.Accounts() {
		lost.Most = max(lost.Most, account.Executed)
	}
	return lost, nil
}

// Transient is the account of calls under transient faults.
type Transient struct {
	Calls, Succeeded, Wrong, Requests int
}

// Share returns the part of the calls that succeeded.
func (t Transient) Share() float64 { return float64(t.Succeeded) / float64(t.Calls) }

// transientFaults makes n calls that are safe to repeat while one request in five
// meets a transient fault. The choice depends on the call and the attempt alone,
// so that the figure is the same every time.
func transientFaults(ctx context.Context, a *faults.Authority, n int) (Transient, error) {
	var attempts sync.Map // of a user: *atomic.Int64
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
		counter, _ := attempts.LoadOrStore(x.User, new(atomic.Int64))
		attempt, _ := counter.(*atomic.Int64)
		chance := rand.New(rand.NewPCG(uint64(x.User), uint64(attempt.Add(1)))) //nolint:gosec // it must be the same every time
		if chance.Float64() < 0.2 {
			transient(x, chance.IntN(6))
			return
		}
		x.Good()
	})
	if err != nil {
		return Transient{}, err
	}
	defer server.Close()
	policy := aimbrain.DefaultRetryPolicy()
	policy.BaseDelay, policy.MaxDelay = time.Millisecond, time.Millisecond
	client, err := server.NewClient(aimbrain.WithRetry(policy))
	if err != nil {
		return Transient{}, err
	}
	defer client.Close()
	safe := []calls.Call{calls.To(aimbrain.EndpointScore), calls.To(aimbrain.EndpointFaceCompare)}
	var succeeded, wrong atomic.Int64
	spread(ctx, workers, n, func(i int) {
		call := safe[i%2]
		result, err := call.Do(ctx, client, i)
		switch {
		case err == nil && call.Check(i, result) == nil:
			succeeded.Add(1)
		case err == nil:
			wrong.Add(1)
		}
	})
	return Transient{n, int(succeeded.Load()), int(wrong.Load()), server.Received()}, ctx.Err()
}

// transient is one of the transient faults.
func transient(x *faults.Exchange, kind int) {
	switch kind {
	case 0:
		x.Reply(http.StatusServiceUnavailable, `{"error":"busy"}`)
	case 1:
		x.Reply(http.StatusBadGateway, "<html>bad gateway</html>", "Content-Type", "text/html")
	case 2:
		x.Reply(http.StatusTooManyRequests, "", "Retry-After", "0")
	case 3:
		x.Reset()
	case 4:
		x.Execute()
		x.Hangup()
	default:
		x.Execute()
		x.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
	}
}

// Outage is the account of calls while each response is 503.
type Outage struct {
	Callers       int
	First, Steady float64 // attempts per call, of the first call of each caller and of the second
}

// everythingDown makes two calls from each of many concurrent callers, while each
// response is 503. The connection is established before: ten thousand concurrent
// handshakes would be another fault.
func everythingDown(ctx context.Context, a *faults.Authority, callers int) (Outage, error) {
	var down atomic.Bool
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP2}, func(x *faults.Exchange) {
		if down.Load() {
			x.Reply(http.StatusServiceUnavailable, "")
			return
		}
		x.Good()
	})
	if err != nil {
		return Outage{}, err
	}
	defer server.Close()
	client, err := server.NewClient(aimbrain.WithTimeout(5*time.Minute), aimbrain.WithAttemptTimeout(4*time.Minute))
	if err != nil {
		return Outage{}, err
	}
	defer client.Close()
	score := calls.To(aimbrain.EndpointScore)
	if _, err := score.Do(ctx, client, 0); err != nil {
		return Outage{}, fmt.Errorf("before the outage: %w", err)
	}
	down.Store(true)
	wave := func() float64 {
		before := server.Received()
		spread(ctx, callers, callers, func(i int) { _, _ = score.Do(ctx, client, i) })
		return float64(server.Received()-before) / float64(callers)
	}
	return Outage{Callers: callers, First: wave(), Steady: wave()}, ctx.Err()
}

// jitter has callers, each with its own client, fail at once. It returns the share
// of the retries in the fullest tenth of the time. The optimum is a tenth.
func jitter(ctx context.Context, a *faults.Authority, callers int) (float64, error) {
	const base = 500 * time.Millisecond
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP2}, func(x *faults.Exchange) { x.Reply(http.StatusTooManyRequests, "") })
	if err != nil {
		return 0, err
	}
	defer server.Close()
	transport := server.Transport()
	var mu sync.Mutex
	var buckets [10]int
	observer := func(_ context.Context, attempt aimbrain.Attempt) {
		if attempt.Retry {
			mu.Lock()
			defer mu.Unlock()
			buckets[min(9, int(attempt.Wait*10/base))]++
		}
	}
	policy := aimbrain.DefaultRetryPolicy()
	policy.MaxAttempts, policy.BaseDelay = 2, base
	score := calls.To(aimbrain.EndpointScore)
	spread(ctx, callers, callers, func(i int) {
		client, err := aimbrain.New(faults.Key, faults.Secret, aimbrain.WithBaseURL(server.URL), aimbrain.WithHTTPClient(&http.Client{Transport: transport}),
			aimbrain.WithObserver(observer), aimbrain.WithRetry(policy))
		if err == nil {
			_, _ = score.Do(ctx, client, i)
		}
	})
	most, sum := 0, 0
	for _, n := range buckets {
		most, sum = max(most, n), sum+n
	}
	if sum != callers {
		return 0, fmt.Errorf("%d of %d callers retried", sum, callers)
	}
	return float64(most) / float64(sum), nil
}

// foreignBytes makes every call through every redirect to another host, with the
// library's own transport and with a caller's client that follows redirects. It
// returns how many redirects there were, and how many bytes and connections the
// other host received.
func foreignBytes(ctx context.Context, a *faults.Authority) (redirects int, bytes int64, conns int, err error) {
	other, err := faults.Listen(func(conn net.Conn) {
		var some [1 << 10]byte
		_, _ = conn.Read(some[:])
	})
	if err != nil {
		return 0, 0, 0, err
	}
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		n, err := redirect(ctx, a, code, other.Addr)
		if err != nil {
			return redirects, other.Bytes(), other.Conns(), err
		}
		redirects += n
	}
	return redirects, other.Bytes(), other.Conns(), ctx.Err()
}

func redirect(ctx context.Context, a *faults.Authority, code int, other string) (met int, err error) {
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
		x.Reply(code, "", "Location", "http://"+other+x.Endpoint)
	})
	if err != nil {
		return 0, err
	}
	defer server.Close()
	follow := func(*http.Request, []*http.Request) error { return nil }
	callers := aimbrain.WithHTTPClient(&http.Client{Transport: server.Transport(), CheckRedirect: follow})
	for _, opts := range [][]aimbrain.Option{nil, {callers}} {
		client, err := server.NewClient(opts...)
		if err != nil {
			return met, err
		}
		for user, call := range calls.All() {
			_, err := call.Do(ctx, client, user)
			var redirect *aimbrain.RedirectError
			if !errors.As(err, &redirect) {
				return met, fmt.Errorf("%s: HTTP %d was not seen as a redirect: %w", call.Path, code, err)
			}
			met++
		}
		_ = client.Close()
	}
	return met, nil
}
