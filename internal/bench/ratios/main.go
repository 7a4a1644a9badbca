// Ratios prints the cost of a call as a table: the library's time divided by the
// floor that the standard library sets on the same bytes, and the time of plain
// implementations divided by the library's. Every number is the median of
// many turns in which the two are measured one after the other.
//
//	go run ./internal/bench/ratios            about a minute and a half
//	go run ./internal/bench/ratios -rounds 3  a quick look
//	go run ./internal/bench/ratios -only token
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/bench"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("ratios", flag.ContinueOnError)
	rounds := flags.Int("rounds", 10, "hundreds of turns for each pair")
	serve := flags.Bool("serve", false, "be the server (used by the command itself)")
	only := flags.String("only", "", "measure only the pairs whose name contains this")
	scale := flags.Bool("scale", true, "measure 1 to 512 calls in flight too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *serve {
		return beServer(ctx, in, out)
	}
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs, %s; medians of %d\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu(), *rounds)
	if err := pairs(out, server.url, *only, *rounds); err != nil {
		return err
	}
	if !*scale || *only != "" {
		return nil
	}
	return inFlight(out, server)
}

// A pair is two implementations of the same work. The result is a/b. They are made
// when their turn comes: what others hold in memory would change how often the
// garbage of these is collected.
type pair struct {
	name, target string
	a, b         func() bench.Op
}

func pairs(out io.Writer, url, only string, rounds int) error {
	client, err := bench.Client(url)
	if err != nil {
		return err
	}
	defer client.Close()
	photo := func() []byte { return bench.Photo(500_000) }
	three := func() [][]byte {
		return [][]byte{bench.Photo(499_000), bench.Photo(499_001), bench.Photo(499_002)}
	}
	request := func() []byte { return bench.Request(photo()) }
	fmt.Fprintln(out, "| work | ratio | target | bytes a call, both | allocations a call, both |")
	fmt.Fprintln(out, "|---|---|---|---|---|")
	for _, p := range []pair{
		{"prepare 30 kB: ours ÷ floor", "≤ 0.95", func() bench.Op { return bench.Prepare(bench.Photo(30_000)) }, func() bench.Op { return bench.Floor(bench.Photo(30_000)) }},
		{"prepare 500 kB: ours ÷ floor", "≤ 0.78", func() bench.Op { return bench.Prepare(photo()) }, func() bench.Op { return bench.Floor(photo()) }},
		{"prepare 3 × 500 kB: ours ÷ floor", "", func() bench.Op { return bench.Prepare(three()...) }, func() bench.Op { return bench.Floor(three()...) }},
		{"prepare 500 kB: marshal of strings ÷ ours", "≥ 3", func() bench.Op { return bench.PlainStrings(photo()) }, func() bench.Op { return bench.Prepare(photo()) }},
		{"prepare 500 kB: marshal of bytes ÷ ours", "", func() bench.Op { return bench.PlainBytes(photo()) }, func() bench.Op { return bench.Prepare(photo()) }},
		{"prepare 500 kB: one exact buffer ÷ ours", "", func() bench.Op { return bench.PlainBuffer(photo()) }, func() bench.Op { return bench.Prepare(photo()) }},
		{"Forward 667 kB: ours ÷ hash alone", "", func() bench.Op { return bench.Forward(request()) }, func() bench.Op { return bench.ForwardFloor(request()) }},
		{"SetMember 667 kB: ours ÷ one scan and one copy", "", func() bench.Op { return bench.SetMember(request()) }, func() bench.Op { return bench.SetMemberFloor(request()) }},
		{"SetMember and Forward 667 kB: every slash escaped ÷ none", "≤ 1.10", func() bench.Op { return bench.SetAndForward(bench.EscapeSlashes(request())) }, func() bench.Op { return bench.SetAndForward(request()) }},
		{"scan 667 kB: json.Unmarshal ÷ ours", "≥ 30", func() bench.Op { return bench.ScanPlain(request()) }, func() bench.Op { return bench.Scan(request()) }},
		{"read a response: json.Unmarshal ÷ ours", "", bench.DecodePlain, bench.Decode},
		{"token call over loopback: ours ÷ bare net/http", "≤ 1.05", func() bench.Op { return bench.Token(client) }, func() bench.Op { return bench.BareToken(url) }},
		{"Forward 667 kB over loopback: ours ÷ bare net/http, same bytes hashed once", "≤ 1.05", func() bench.Op { return bench.ForwardLoopback(client, photo()) }, func() bench.Op { return bench.BareEnroll(url, photo()) }},
		{"500 kB over loopback: ours ÷ bare net/http, same bytes hashed once", "≤ 1.20", func() bench.Op { return bench.Enroll(client, photo()) }, func() bench.Op { return bench.BareEnroll(url, photo()) }},
		{"500 kB over loopback: ours ÷ bare net/http, encoded and hashed", "", func() bench.Op { return bench.Enroll(client, photo()) }, func() bench.Op { return bench.BareEncodeEnroll(url, photo()) }},
	} {
		if !strings.Contains(p.name, only) {
			continue
		}
		runtime.GC() // frees the garbage of the previous pair, and
		runtime.GC() // what it left in pools
		a, b := p.a(), p.b()
		ratio, err := compare(a, b, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		aBytes, aCount, err := allocations(a)
		if err != nil {
			return err
		}
		bBytes, bCount, err := allocations(b)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %s | %.2f | %s | %d ÷ %d | %d ÷ %d |\n", p.name, ratio, p.target, aBytes, bBytes, aCount, bCount)
	}
	return nil
}

// compare returns the median of the quotient of the two times, over many short turns.
// A disturbance of the machine is longer than a turn, so that it spoils few quotients,
// which the median leaves out.
func compare(one, other bench.Op, rounds int) (float64, error) {
	n, err := calibrate(one, other)
	if err != nil {
		return 0, err
	}
	var ratios []float64
	for range 100 * rounds {
		a, err := timed(one, n)
		if err != nil {
			return 0, err
		}
		b, err := timed(other, n)
		if err != nil {
			return 0, err
		}
		ratios = append(ratios, float64(a)/float64(b))
	}
	return median(ratios), nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func timed(op bench.Op, n int) (time.Duration, error) {
	began := time.Now()
	for range n {
		if err := op(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// calibrate returns the number of repetitions for a turn of two milliseconds, or 1,
// and warms up both.
func calibrate(ops ...bench.Op) (int, error) {
	slowest := time.Duration(1)
	for _, op := range ops {
		took, err := timed(op, 20)
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, took/20)
	}
	return max(1, int(2*time.Millisecond/slowest)), nil
}

// allocations counts the allocations of a call.
func allocations(op bench.Op) (bytes, count uint64, err error) {
	const n = 200
	if _, err := timed(op, 20); err != nil {
		return 0, 0, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = timed(op, n)
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / n, (after.Mallocs - before.Mallocs) / n, err
}

// A server runs in its own process, so that its memory is not counted.
type server struct {
	url     string
	process *exec.Cmd
	stdin   io.WriteCloser
}

func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, "-serve") //nolint:gosec // this very program
	stdin, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	return &server{url: strings.TrimSpace(url), process: process, stdin: stdin}, err
}

// release lets the server respond to the requests that it holds.
func (s *server) release() error {
	_, err := io.WriteString(s.stdin, "go\n")
	return err
}

func (s *server) stop() {
	_ = s.stdin.Close() // this ends the server
	_ = s.process.Wait()
}

// beServer serves until standard input ends, and responds to held requests for
// each line that it reads.
func beServer(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hold := make(chan struct{})
	go func() {
		defer cancel()
		lines := bufio.NewScanner(in)
		if lines.Scan() {
			close(hold)
		}
		for lines.Scan() {
			continue // until the end
		}
	}()
	return bench.Serve(ctx, hold, func(url string) { fmt.Fprintln(out, url) })
}

// cpu returns the processor's name, where the system reports it.
func cpu() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "CPU unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t:\n")
		}
	}
	return "CPU unknown"
}
