package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/bench"
)

// inFlight measures throughput and the slowest calls with 1 to 512 calls in
// flight, compared with bare net/http, and the memory of 512 calls that wait for
// their responses.
func inFlight(out io.Writer, s *server) error {
	photo := bench.Photo(500_000)
	client, err := bench.Client(s.url)
	if err != nil {
		return err
	}
	defer client.Close()
	fmt.Fprintln(out, "\n| 500 kB calls in flight | ours: calls a second | median | p99 | bare net/http: calls a second | median | p99 |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	ours, plain := bench.Enroll(client, photo), bench.PlainEnroll(s.url, photo)
	for _, n := range []int{1, 2, 8, 64, 512} {
		fmt.Fprintf(out, "| %d |", n)
		for _, op := range []bench.Op{ours, plain} {
			took, total, err := load(op, n, max(1500, 10*n))
			if err != nil {
				return err
			}
			slices.Sort(took)
			fmt.Fprintf(out, " %.0f | %v | %v |", float64(len(took))/total.Seconds(),
				took[len(took)/2].Round(10*time.Microsecond), took[len(took)*99/100].Round(10*time.Microsecond))
		}
		fmt.Fprintln(out)
	}
	return memory(out, s, photo)
}

// load makes calls from n goroutines and returns how long each took.
func load(op bench.Op, n, calls int) ([]time.Duration, time.Duration, error) {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		took  []time.Duration
		first error
	)
	began := time.Now()
	for range n {
		wait.Go(func() {
			for range calls / n {
				start := time.Now()
				err := op()
				elapsed := time.Since(start)
				mu.Lock()
				took = append(took, elapsed)
				if err != nil && first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return took, time.Since(began), first
}

// memory measures the heap while 512 requests are held by the server, their bodies
// sent and their responses outstanding.
func memory(out io.Writer, s *server, photo []byte) error {
	const n = 512
	client, err := bench.Client(s.url + "/hold")
	if err != nil {
		return err
	}
	defer client.Close()
	op := bench.Enroll(client, photo)
	for range 3 {
		runtime.GC() // the pools of other clients are empty after two
	}
	base := heap()
	done := make(chan error, n)
	for range n {
		go func() { done <- op() }()
	}
	var most uint64
	for range 40 { // two seconds, after which all are sent
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // a measurement in real time
		most = max(most, heap())
	}
	if err := s.release(); err != nil {
		return err
	}
	for range n {
		if err := <-done; err != nil {
			return err
		}
	}
	bodies := uint64(n * len(bench.Request(photo)))
	fmt.Fprintf(out, "\nMemory of %d calls in flight: %.1f MiB, of which bodies %.1f MiB; beyond the bodies %.1f MiB (target: 32 MiB at most).\n",
		n, mib(most-base), mib(bodies), mib(most-base)-mib(bodies))
	return nil
}

// heap returns the memory in use or not yet returned, stacks included.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func mib(n uint64) float64 { return float64(n) / (1 << 20) }
