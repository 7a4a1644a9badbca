package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// A Soak is the account of a long run of mixed calls under faults of all kinds.
type Soak struct {
	Calls, Succeeded, Refused, Unknown, NotSent int // how calls ended, by aimbrain.OutcomeOf
	Requests, Executions                        int // at the servers
	Faults                                      int // requests that met one

	Problems []string // the first problems as texts
	Off      int      // the number of all problems

	Before, After Census
	HeapGrowth    int64 // live heap after the run less that before it, in bytes
}

// soaking is a run in progress.
type soaking struct {
	mu     sync.Mutex
	soak   Soak
	faults atomic.Int64
	next   atomic.Int64
	ends   []end
}

// An end is the end of one call, to be compared with the servers' accounts.
type end struct {
	call    calls.Call
	user    int
	ok      bool
	outcome aimbrain.Outcome
}

const soakKinds = 16

// runSoak makes mixed calls from many goroutines over both protocols, each for its
// own user, until the time is over. One request in five meets a fault. Then the
// end of every call is compared with what the servers received and executed.
func runSoak(ctx context.Context, a *faults.Authority, d time.Duration, goroutines int) (Soak, error) {
	s := &soaking{}
	s.soak.Before = TakeCensus()
	heap := int64(liveHeap())
	for _, protocol := range []string{faults.HTTP1, faults.HTTP2} {
		if err := soakOver(ctx, a, s, protocol, d/2, goroutines); err != nil {
			return s.soak, err
		}
	}
	s.soak.Faults = int(s.faults.Load())
	s.soak.After = Settle(ctx, s.soak.Before)
	s.ends = nil
	s.soak.HeapGrowth = settleHeap(ctx, heap)
	s.checkLeaks()
	return s.soak, ctx.Err()
}

const heapAllowed = 4 << 20

// settleHeap returns the growth of the live heap. It waits for the timers of
// net/http, which keep dead HTTP/2 connections in memory for the time that an idle
// one may live, a minute.
func settleHeap(ctx context.Context, before int64) int64 {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range 70 {
		liveHeap() // pools are empty after two collections
		if growth := int64(liveHeap()) - before; growth <= heapAllowed {
			return growth
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return int64(liveHeap()) - before
}

func (s *soaking) checkLeaks() {
	if s.soak.After.Goroutines > s.soak.Before.Goroutines {
		s.off("%d goroutines before, %d after", s.soak.Before.Goroutines, s.soak.After.Goroutines)
	}
	if s.soak.After.Descriptors > s.soak.Before.Descriptors {
		s.off("%d descriptors before, %d after", s.soak.Before.Descriptors, s.soak.After.Descriptors)
	}
	if s.soak.HeapGrowth > heapAllowed {
		s.off("the live heap grew by %d bytes", s.soak.HeapGrowth)
	}
}

func soakOver(ctx context.Context, a *faults.Authority, s *soaking, protocol string, d time.Duration, goroutines int) error {
	server, err := a.Serve(faults.Setup{Protocol: protocol}, func(x *faults.Exchange) {
		if rand.IntN(5) == 0 { //nolint:gosec // the choice of requests that meet a fault is no secret
			s.faults.Add(1)
			mischief(x, rand.IntN(soakKinds), protocol == faults.HTTP1) //nolint:gosec // nor is the choice of the fault
			return
		}
		x.Good()
	})
	if err != nil {
		return err
	}
	defer server.Close()
	policy := aimbrain.DefaultRetryPolicy()
	policy.BaseDelay, policy.MaxDelay = time.Millisecond, 4*time.Millisecond
	client, err := server.NewClient(aimbrain.WithAttemptTimeout(500*time.Millisecond), aimbrain.WithRetry(policy))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // it never fails
	running, stop := context.WithTimeout(ctx, d)
	defer stop()
	all := calls.All()
	spread(running, goroutines, 5_000_000, func(int) {
		user := int(s.next.Add(1))
		s.make(ctx, client, all[user%len(all)], user)
	})
	server.Close()
	s.settle(server)
	return nil
}

// make makes one call, sometimes with an impatient caller, and records its end.
func (s *soaking) make(ctx context.Context, client *aimbrain.Client, call calls.Call, user int) {
	if user%50 == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond) //nolint:gosec // no secret
		defer cancel()
	}
	var opts []aimbrain.CallOption
	if call.Repeat == endpoints.OptIn && user%2 == 0 {
		opts = append(opts, aimbrain.WithRetryUnknownOutcome())
	}
	result, err := call.Do(ctx, client, user, opts...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.soak.Calls++
	s.ends = append(s.ends, end{call, user, err == nil, aimbrain.OutcomeOf(err)})
	if err == nil {
		s.soak.Succeeded++
		if wrong := call.Check(user, result); wrong != nil {
			s.offLocked("%s: %v", call.Path, wrong)
		}
		return
	}
	if !calls.IsZero(result) {
		s.offLocked("%s: a result beside an error", call.Path)
	}
	s.classify(call, err)
}

func (s *soaking) classify(call calls.Call, err error) {
	var (
		network  *aimbrain.NetworkError
		api      *aimbrain.APIError
		decode   *aimbrain.DecodeError
		tooLarge *aimbrain.TooLargeError
		redirect *aimbrain.RedirectError
	)
	known := errors.As(err, &network) || errors.As(err, &api) || errors.As(err, &decode) || errors.As(err, &tooLarge) || errors.As(err, &redirect)
	outcome := aimbrain.OutcomeOf(err)
	switch {
	case !known:
		s.offLocked("%s: an error of type %T", call.Path, err)
	case outcome == aimbrain.OutcomeUnknown:
		s.soak.Unknown++
	case outcome == aimbrain.OutcomeNotSent:
		s.soak.NotSent++
	case outcome == aimbrain.OutcomeRefused:
		s.soak.Refused++
	default:
		s.offLocked("%s: an error with the outcome %q", call.Path, outcome)
	}
}

func (s *soaking) off(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offLocked(format, args...)
}

func (s *soaking) offLocked(format string, args ...any) {
	s.soak.Off++
	if len(s.soak.Problems) < 10 {
		s.soak.Problems = append(s.soak.Problems, fmt.Sprintf(format, args...))
	}
}

// settle compares the ends of the calls with a server's accounts: a succeeded call
// was executed, a call that was not sent or refused was not executed, and a call
// that must not be repeated was executed once at most.
func (s *soaking) settle(server *faults.Server) {
	accounts := map[int]faults.Account{}
	for _, account := range server.Accounts() {
		accounts[account.User] = account
	}
	s.mu.Lock()
	ends := s.ends
	s.ends = nil
	s.mu.Unlock()
	for _, end := range ends {
		executed := accounts[end.user].Executed
		delete(accounts, end.user)
		switch {
		case end.ok && executed == 0:
			s.off("%s: a success that was never executed", end.call.Path)
		case !end.ok && end.outcome != aimbrain.OutcomeUnknown && executed > 0:
			s.off("%s: executed, and the error says that it was not", end.call.Path)
		case end.call.Repeat == endpoints.Never && executed > 1:
			s.off("%s: executed %d times", end.call.Path, executed)
		}
	}
	if len(accounts) > 0 {
		s.off("%d requests that no call made", len(accounts))
	}
	if server.Forged() > 0 {
		s.off("%d requests with a wrong signature", server.Forged())
	}
	s.soak.Requests += server.Received()
	s.soak.Executions += server.Executed()
}

// mischief is one of all faults. Those below 8 occur before the execution, the
// others after it.
func mischief(x *faults.Exchange, kind int, raw bool) {
	if kind >= 8 {
		x.Execute()
	}
	right := calls.To(x.Endpoint).Response(x.User)
	switch kind {
	case 0:
		x.Reply(http.StatusTooManyRequests, "")
	case 1:
		x.Reply(http.StatusServiceUnavailable, `{"error":"busy"}`)
	case 2:
		x.Reply(http.StatusUnprocessableEntity, `{"error":"no","errors":[{"code":10}]}`)
	case 3:
		x.Reply(http.StatusTemporaryRedirect, "", "Location", "http://127.0.0.1:1/")
	case 4:
		x.Reset()
	case 5:
		x.Abort()
	case 6:
		x.Stall()
	case 7:
		x.Reply(http.StatusUnauthorized, "<html>")
	case 8:
		x.Reset()
	case 9:
		x.Hangup()
	case 10:
		x.Reply(http.StatusBadGateway, "<html>bad gateway</html>", "Content-Type", "text/html")
	case 11:
		x.Reply(http.StatusInternalServerError, `{"error":"trouble","errors":[{"code":999}]}`)
	case 12:
		x.Reply(http.StatusOK, right[:len(right)-1])
	case 13:
		x.Write(right[:1])
		x.Stall()
	default:
		cutOff(x, kind, right, raw)
	}
}

// cutOff ends a response in the middle, or sends it slowly.
func cutOff(x *faults.Exchange, kind int, right string, raw bool) {
	switch {
	case kind == 14 && raw:
		x.Raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + right[:len(right)/2])
	case kind == 14:
		x.Write(right[:1])
		x.Abort()
	default:
		for _, c := range []byte(right) {
			x.Write(string(c))
		}
	}
}
