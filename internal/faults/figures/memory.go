package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// A Growth is the memory cost of an oversized response.
type Growth struct {
	Response  string
	Live      uint64 // how far the live heap rose: HeapAlloc after a forced collection, sampled at every write of the server and periodically
	Allocated uint64 // all allocations in that time, garbage and the server's share included: no heap can grow by more
	Err       error
}

// heapGrowths sends a client responses of the given size, one after the other.
// Nothing else should run in the process.
func heapGrowths(ctx context.Context, a *faults.Authority, size int) ([]Growth, error) {
	piece := strings.Repeat("x", 64<<10)
	pour := func(x *faults.Exchange, sample func()) {
		for sent := 0; sent < size && x.Write(piece); sent += len(piece) {
			sample()
		}
	}
	bomb, err := newBomb(size)
	if err != nil {
		return nil, err
	}
	responses := []struct {
		name string
		give func(x *faults.Exchange, sample func())
	}{
		{"chunked", pour},
		{"of a declared length", func(x *faults.Exchange, sample func()) {
			x.Begin(http.StatusOK, "Content-Length", strconv.Itoa(size))
			pour(x, sample)
		}},
		{"with status 422", func(x *faults.Exchange, sample func()) {
			x.Begin(http.StatusUnprocessableEntity)
			pour(x, sample)
		}},
		{"no JSON, cut to the limit", func(x *faults.Exchange, sample func()) {
			x.Begin(http.StatusOK, "Content-Length", strconv.Itoa(aimbrain.MaxResponseBytes))
			for sent := 0; sent < aimbrain.MaxResponseBytes; sent += len(piece) {
				x.Write(piece)
				sample()
			}
		}},
		{"gzip bomb", func(x *faults.Exchange, sample func()) {
			x.Begin(http.StatusOK, "Content-Encoding", "gzip")
			x.Write(bomb)
			sample()
		}},
	}
	var growths []Growth
	for _, response := range responses {
		growth, err := heapGrowth(ctx, a, response.give)
		if err != nil {
			return growths, fmt.Errorf("%s: %w", response.name, err)
		}
		growth.Response = response.name
		growths = append(growths, growth)
	}
	return growths, nil
}

func newBomb(size int) (string, error) {
	var bomb bytes.Buffer
	writer, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		return "", fmt.Errorf("bomb: %w", err)
	}
	zeros := make([]byte, 1<<20)
	for range size >> 20 {
		_, _ = writer.Write(zeros) // to a buffer
	}
	_ = writer.Close()
	return bomb.String(), nil
}

// heapGrowth uses the connection before the measurement, so that buffers which
// remain are not counted.
func heapGrowth(ctx context.Context, a *faults.Authority, give func(*faults.Exchange, func())) (Growth, error) {
	var peak, base atomic.Uint64
	sample := func() {
		live := liveHeap()
		for {
			most := peak.Load()
			if live <= most || peak.CompareAndSwap(most, live) {
				return
			}
		}
	}
	server, err := a.Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
		if x.User == 0 {
			x.Good()
			return
		}
		give(x, sample)
	})
	if err != nil {
		return Growth{}, err
	}
	defer server.Close()
	client, err := server.NewClient()
	if err != nil {
		return Growth{}, err
	}
	defer func() { _ = client.Close() }() // it never fails
	enroll := calls.To(aimbrain.EndpointFaceEnroll)
	if _, err := enroll.Do(ctx, client, 0); err != nil {
		return Growth{}, err
	}
	base.Store(liveHeap())
	peak.Store(base.Load())
	stop := watch(sample)
	defer stop()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	result, err := enroll.Do(ctx, client, 1)
	stop()
	runtime.ReadMemStats(&after)
	if err == nil || !calls.IsZero(result) {
		return Growth{}, errors.New("taken for success")
	}
	return Growth{Live: peak.Load() - base.Load(), Allocated: after.TotalAlloc - before.TotalAlloc, Err: err}, nil
}

// watch also samples periodically, for allocations of the client after the
// server's last write.
func watch(sample func()) (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				sample()
			}
		}
	})
	return sync.OnceFunc(func() { close(done); watching.Wait() })
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A Census counts the goroutines and descriptors of a process.
type Census struct{ Goroutines, Descriptors int }

// TakeCensus counts. A count of descriptors that is not available is -1.
func TakeCensus() Census {
	census := Census{Goroutines: runtime.NumGoroutine(), Descriptors: -1}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		census.Descriptors = len(entries)
	}
	return census
}

// Settle waits until the process holds no more than before, for ten seconds at
// most, and returns the last count.
func Settle(ctx context.Context, before Census) Census {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	now := TakeCensus()
	for range 500 {
		if now.Goroutines <= before.Goroutines && now.Descriptors <= before.Descriptors {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return now
		}
		now = TakeCensus()
	}
	return now
}

// leaks makes n calls over each protocol, the library's own transport included. A
// third succeeds, a third is abandoned in the middle of the response, and a third
// is in progress when the client is closed. It returns the counts before and
// after. Nothing else should run in the process.
func leaks(ctx context.Context, a *faults.Authority, n int) (before, after Census, err error) {
	before = TakeCensus()
	for _, protocol := range []string{faults.HTTP1, faults.HTTP2} {
		if err := leak(ctx, a, protocol, n); err != nil {
			return before, TakeCensus(), err
		}
	}
	return before, Settle(ctx, before), nil
}

func leak(ctx context.Context, a *faults.Authority, protocol string, n int) error {
	closed := make(chan struct{})
	server, err := a.Serve(faults.Setup{Protocol: protocol}, func(x *faults.Exchange) {
		switch x.User % 3 {
		case 1:
			x.Write("{")
			x.Stall()
			return
		case 2:
			<-closed
		}
		x.Good()
	})
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := server.NewClient()
	if err != nil {
		return err
	}
	timer := time.AfterFunc(200*time.Millisecond, func() { _ = client.Close(); close(closed) })
	defer timer.Stop()
	all := calls.All()
	spread(ctx, n, n, func(i int) {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		if i%3 == 2 {
			cancel()
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		}
		defer cancel()
		_, _ = all[i%len(all)].Do(ctx, client, i)
	})
	return nil
}
