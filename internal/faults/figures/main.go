// Command figures measures the figures of the fault matrix at full size and
// prints them as a Markdown table:
//
//	go run ./internal/faults/figures
//
// With -soak it makes mixed calls under faults for that time instead, prints the
// account of all calls, and exits with 1 after any problem.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/faults"
)

func main() {
	soak := flag.Duration("soak", 0, "soak for this long instead")
	scale := flag.Int("scale", 1, "divide the numbers of calls by this")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute+*soak)
	defer cancel()
	run := func() error { return figures(ctx, os.Stdout, max(1, *scale)) }
	if *soak > 0 {
		run = func() error { return reportSoak(ctx, os.Stdout, *soak) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// A table writes rows as they are measured, and keeps the first failure.
type table struct {
	out io.Writer
	err error
}

func (t *table) row(figure, elsewhere, format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, "| %s | %s | %s |\n", figure, elsewhere, fmt.Sprintf(format, args...))
}

// need records a figure that is not reached.
func (t *table) need(reached bool, figure string, err error) {
	if err == nil && !reached {
		err = fmt.Errorf("not reached")
	}
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("%s: %w", figure, err)
	}
}

func figures(ctx context.Context, out io.Writer, scale int) error {
	a, err := faults.NewAuthority()
	if err != nil {
		return err
	}
	t := &table{out: out}
	t.row("figure", "best seen elsewhere", "here")
	t.row("---", "---", "---")
	reportHeap(ctx, t, a) // first, while the process is small
	reportLeaks(ctx, t, a)
	reportCancellations(ctx, t, a)
	reportCalls(ctx, t, a, scale)
	return t.err
}

func reportHeap(ctx context.Context, t *table, a *faults.Authority) {
	growths, err := heapGrowths(ctx, a, 256<<20)
	t.need(len(growths) == 5, "heap growth", err)
	for _, g := range growths {
		t.row("heap growth under 256 MiB, "+g.Response, "316–1,536 MiB", "%.2f MiB live, %.2f MiB allocated in all", mebibytes(g.Live), mebibytes(g.Allocated))
		t.need(g.Live <= 2<<20, "heap growth", nil)
	}
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }

func reportLeaks(ctx context.Context, t *table, a *faults.Authority) {
	before, after, err := leaks(ctx, a, 600)
	goroutines, descriptors := max(0, after.Goroutines-before.Goroutines), max(0, after.Descriptors-before.Descriptors)
	t.row("goroutines and descriptors leaked", "–", "%d and %d", goroutines, descriptors)
	t.need(goroutines == 0 && descriptors == 0, "leaks", err)
}

func reportCancellations(ctx context.Context, t *table, a *faults.Authority) {
	returns, err := cancellations(ctx, a, 100)
	t.need(len(returns) > 0, "return after cancel", err)
	for _, r := range returns {
		t.row("return after cancel, "+r.Phase, "0–915 ms", "%.2f ms at most, median %.2f ms", milliseconds(r.Max), milliseconds(r.Median))
		t.need(r.Median <= 10*time.Millisecond, "return after cancel in "+r.Phase, nil)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func reportCalls(ctx context.Context, t *table, a *faults.Authority, scale int) {
	redirects, bytes, conns, err := foreignBytes(ctx, a)
	t.row("bytes at the other host of a redirect", "the key, and the face", "%d bytes and %d connections, %d redirects", bytes, conns, redirects)
	t.need(bytes == 0 && conns == 0, "redirects", err)

	lost, err := lostResponses(ctx, a, 100_000/scale)
	t.row("executions of a never-repeat call after a lost response", "3–5", "%d of %d calls, %d at most of one", lost.Executions, lost.Calls, lost.Most)
	t.need(lost.Executions == lost.Calls && lost.Received == lost.Calls && lost.Wrong == 0, "lost responses", err)

	transient, err := transientFaults(ctx, a, 20_000/scale)
	t.row("safe calls that succeed under 20 % transient faults, 3 attempts", "not stated", "%.2f %% of %d", 100*transient.Share(), transient.Calls)
	t.need(transient.Share() >= 0.99 && transient.Wrong == 0, "transient faults", err)

	outage, err := everythingDown(ctx, a, 10_000/scale)
	t.row("attempts a call while everything fails, 10,000 callers", "3–5", "%.2f at steady state, %.2f at the beginning", outage.Steady, outage.First)
	t.need(outage.Steady >= 1 && outage.Steady <= 1.1, "everything down", err)

	share, err := jitter(ctx, a, 1000)
	t.row("share of callers in the fullest tenth of the back-off, 1,000 at once", "100 % without jitter", "%.1f %%, 10 %% is the optimum", 100*share)
	t.need(share < 0.2, "jitter", err)
}

func reportSoak(ctx context.Context, out io.Writer, d time.Duration) error {
	a, err := faults.NewAuthority()
	if err != nil {
		return err
	}
	s, err := runSoak(ctx, a, d, 64)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "calls       %d: %d succeeded, %d refused, %d unknown, %d not sent\n", s.Calls, s.Succeeded, s.Refused, s.Unknown, s.NotSent)
	_, _ = fmt.Fprintf(out, "requests    %d, of which %d met a fault; %d executions\n", s.Requests, s.Faults, s.Executions)
	_, _ = fmt.Fprintf(out, "goroutines  %d before, %d after\n", s.Before.Goroutines, s.After.Goroutines)
	_, _ = fmt.Fprintf(out, "descriptors %d before, %d after\n", s.Before.Descriptors, s.After.Descriptors)
	_, _ = fmt.Fprintf(out, "live heap   %+.2f MiB\n", float64(s.HeapGrowth)/(1<<20))
	for _, problem := range s.Problems {
		_, _ = fmt.Fprintln(out, "problem    ", problem)
	}
	if s.Off > 0 {
		return fmt.Errorf("%d problems", s.Off)
	}
	return nil
}
