package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// The figures at a size for tests. The command has the full size.

func authority(t *testing.T) *faults.Authority {
	t.Helper()
	a, err := faults.NewAuthority()
	require.NoError(t, err)
	return a
}

// TestMain runs the tests. If a test has started this binary, it measures a figure
// in its own process.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http logs there
	figure := os.Getenv(aloneEnv)
	if figure == "" {
		m.Run()
		return
	}
	if text, err := json.Marshal(measureAlone(figure)); err == nil { // the test that started this process fails without a report
		_, _ = fmt.Fprintln(os.Stdout, aloneTag+string(text))
	}
}

func TestEnrolment_ResponseLost(t *testing.T) {
	t.Parallel()
	lost, err := lostResponses(t.Context(), authority(t), 2000)
	require.NoError(t, err)
	assert.Equal(t, Lost{Calls: 2000, Executions: 2000, Received: 2000, Most: 1}, lost)
}

func TestSafeCall_TransientFaults(t *testing.T) {
	t.Parallel()
	transient, err := transientFaults(t.Context(), authority(t), 2000)
	require.NoError(t, err)
	assert.Zero(t, transient.Wrong, "results of another user: look for a response taken for another call's")
	assert.GreaterOrEqual(t, transient.Share(), 0.98, "share of calls that succeeded: look for a transient fault that is no longer retried") // of 2,000; it is 0.99 of the figure's 20,000
}

func TestRetryBudget_EverythingDown(t *testing.T) {
	t.Parallel()
	outage, err := everythingDown(t.Context(), authority(t), 1000)
	require.NoError(t, err)
	assert.InDelta(t, 1.1, outage.First, 0.001, "attempts a call at first: check the budget's 100 tokens") // the budget: 100 retries of 1,000 calls
	assert.InDelta(t, 1, outage.Steady, 0.001, "attempts a call later: check what refills the budget")
}

// The bound allows for a busy machine. The matrix checks in virtual time that a
// call returns without delay.
func TestCall_Cancelled(t *testing.T) {
	t.Parallel()
	returns, err := cancellations(t.Context(), authority(t), 5)
	require.NoError(t, err)
	for _, r := range returns {
		assert.Less(t, r.Median, time.Second, "look for a wait without the context in phase %s", r.Phase)
	}
}

func TestRedirect_ToAnotherHost(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Minute, errors.New("a redirect was followed, or the machine is too busy"))
	defer cancel()
	redirects, bytes, conns, err := foreignBytes(ctx, authority(t))
	require.NoError(t, err)
	assert.Equal(t, 5*2*len(calls.All()), redirects, "each of five statuses to each call by two clients")
	assert.Zero(t, bytes, "bytes at the other host: no redirect may be followed")
	assert.Zero(t, conns, "connections at the other host: no redirect may be followed")
}

func TestClient_Soak(t *testing.T) {
	t.Parallel()
	report := alone(t, "soak")
	assert.Empty(t, report.Soak.Problems, "each line names a call to look at")
	assert.Zero(t, report.Soak.Off)
	assert.Positive(t, report.Soak.Succeeded)
	assert.Positive(t, report.Soak.Faults)
}

func TestHeap_LargeResponse(t *testing.T) {
	t.Parallel()
	report := alone(t, "heap")
	require.Len(t, report.Growths, 5)
	for _, growth := range report.Growths {
		assert.Less(t, growth.Live, uint64(2<<20), "live bytes: bound what is read of this response: %s", growth.Response)
	}
}

func TestClient_CloseDuringCalls(t *testing.T) {
	t.Parallel()
	report := alone(t, "leaks")
	assert.LessOrEqual(t, report.After.Goroutines, report.Before.Goroutines, "goroutines left: check that Close ends them")
	assert.LessOrEqual(t, report.After.Descriptors, report.Before.Descriptors, "descriptors left open: check that Close closes idle connections")
}

const (
	aloneEnv = "FAULTS_ALONE"
	aloneTag = "FAULTS-ALONE-REPORT "
)

// A report is about values that must be measured in a separate process:
// goroutines, descriptors and the heap are shared within a process.
type report struct {
	Error         string
	Soak          Soak
	Growths       []growth
	Before, After Census
}

type growth struct {
	Response string
	Live     uint64
}

func alone(t *testing.T, figure string) report {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), aloneEnv+"="+figure)
	output, err := command.CombinedOutput()
	_, text, found := bytes.Cut(output, []byte(aloneTag))
	require.True(t, found, "no report: %v: %s", err, output)
	var r report
	require.NoError(t, json.NewDecoder(bytes.NewReader(text)).Decode(&r))
	require.Empty(t, r.Error)
	return r
}

// measureAlone runs in the separate process.
func measureAlone(figure string) (r report) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	a, err := faults.NewAuthority()
	if err != nil {
		return report{Error: err.Error()}
	}
	switch figure {
	case "soak":
		r.Soak, err = runSoak(ctx, a, 2*time.Second, 32)
	case "leaks":
		r.Before, r.After, err = leaks(ctx, a, 90)
	case "heap":
		var growths []Growth
		growths, err = heapGrowths(ctx, a, 16<<20)
		for _, g := range growths {
			r.Growths = append(r.Growths, growth{g.Response, g.Live})
		}
	default:
		r.Error = "no such figure: " + figure
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}
