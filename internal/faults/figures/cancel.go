package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// A Return is the time that cancelled calls took to return.
type Return struct {
	Phase       string
	Median, Max time.Duration
}

// A phase is the state of a call when it is cancelled. It reports when the call is
// in it.
type phase struct {
	name string
	open func(a *faults.Authority, reached func()) (client *aimbrain.Client, opts []aimbrain.CallOption, shut func(), err error)
}

// cancellations cancels calls in each phase, n times, and measures how long they
// take to return. It uses the wall clock of a machine with other processes: the
// median is the library's time, the maximum the scheduler's.
func cancellations(ctx context.Context, a *faults.Authority, n int) ([]Return, error) {
	var returns []Return
	for _, phase := range phases() {
		var times []time.Duration
		for range n {
			elapsed, err := cancel(ctx, a, phase)
			if err != nil {
				return returns, fmt.Errorf("cancelled in %s: %w", phase.name, err)
			}
			times = append(times, elapsed)
		}
		slices.Sort(times)
		returns = append(returns, Return{phase.name, times[len(times)/2], times[len(times)-1]})
	}
	return returns, nil
}

func cancel(ctx context.Context, a *faults.Authority, phase phase) (time.Duration, error) {
	there := make(chan struct{}, 8)
	client, opts, shut, err := phase.open(a, func() { there <- struct{}{} })
	if err != nil {
		return 0, err
	}
	defer shut()
	defer func() { _ = client.Close() }() // it never fails
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := calls.To(aimbrain.EndpointFaceEnroll).Do(ctx, client, 1, opts...)
		ended <- err
	}()
	select {
	case <-there:
	case err := <-ended:
		return 0, fmt.Errorf("it ended before: %w", err)
	}
	started := time.Now()
	cancel()
	err = <-ended
	elapsed := time.Since(started)
	if !errors.Is(err, context.Canceled) {
		return 0, fmt.Errorf("not cancelled: %w", err)
	}
	return elapsed, nil
}

func phases() []phase {
	return []phase{
		{"DNS", dialPhase(true)},
		{"dial", dialPhase(false)},
		{"TLS", tlsPhase},
		{"write", serverPhase(faults.Setup{Protocol: faults.HTTP1, Early: true}, func(x *faults.Exchange) {}, aimbrain.WithMetadata(make([]byte, 1_400_000)))},
		{"header", serverPhase(faults.Setup{Protocol: faults.HTTP1}, func(*faults.Exchange) {})},
		{"body", serverPhase(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) { x.Write("{") })},
		{"header, HTTP/2", serverPhase(faults.Setup{Protocol: faults.HTTP2}, func(*faults.Exchange) {})},
		{"body, HTTP/2", serverPhase(faults.Setup{Protocol: faults.HTTP2}, func(x *faults.Exchange) { x.Write("{") })},
		{"back-off", backOffPhase},
	}
}

type opened = func(a *faults.Authority, reached func()) (*aimbrain.Client, []aimbrain.CallOption, func(), error)

// dialPhase blocks in the dialer: one that observes contexts, or one that does
// not, such as a resolver of the C library.
func dialPhase(stubborn bool) opened {
	return func(a *faults.Authority, reached func()) (*aimbrain.Client, []aimbrain.CallOption, func(), error) {
		release := make(chan struct{})
		transport := a.Transport(func(ctx context.Context, _, _ string) (net.Conn, error) {
			reached()
			if stubborn {
				<-release
				return nil, faults.TemporaryDNS()
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		client, err := aimbrain.New(faults.Key, faults.Secret, aimbrain.WithBaseURL("https://"+faults.VirtualHost), aimbrain.WithHTTPClient(&http.Client{Transport: transport}))
		return client, nil, func() { close(release) }, err
	}
}

// tlsPhase reads the client's first bytes and sends nothing.
func tlsPhase(_ *faults.Authority, reached func()) (*aimbrain.Client, []aimbrain.CallOption, func(), error) {
	listener, err := faults.Listen(func(conn net.Conn) {
		var some [1 << 12]byte
		for first := true; ; first = false {
			if _, err := conn.Read(some[:]); err != nil {
				return
			}
			if first {
				reached()
			}
		}
	})
	if err != nil {
		return nil, nil, nil, err
	}
	client, err := aimbrain.New(faults.Key, faults.Secret, aimbrain.WithBaseURL("https://"+listener.Addr))
	return client, nil, listener.Close, err
}

// serverPhase blocks in the server, after an action.
func serverPhase(setup faults.Setup, before func(*faults.Exchange), opts ...aimbrain.CallOption) opened {
	return func(a *faults.Authority, reached func()) (*aimbrain.Client, []aimbrain.CallOption, func(), error) {
		server, err := a.Serve(setup, func(x *faults.Exchange) {
			before(x)
			reached()
			x.Stall()
		})
		if err != nil {
			return nil, nil, nil, err
		}
		client, err := server.NewClient()
		return client, opts, server.Close, err
	}
}

// backOffPhase makes the call wait for its second attempt.
func backOffPhase(a *faults.Authority, reached func()) (*aimbrain.Client, []aimbrain.CallOption, func(), error) {
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
		x.Reply(http.StatusTooManyRequests, "", "Retry-After", "4")
	})
	if err != nil {
		return nil, nil, nil, err
	}
	client, err := server.NewClient(aimbrain.WithObserver(func(context.Context, aimbrain.Attempt) { reached() }))
	return client, nil, server.Close, err
}
