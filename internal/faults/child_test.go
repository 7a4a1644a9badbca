package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// The library's own transport reads its proxy and its certificate authorities from
// the environment, once per process. These rows therefore run in a child: this
// test binary, started with its own environment.

// proxyPassword must not be in any error.
const proxyPassword = "canary-proxy-password"

const (
	childURL = "FAULTS_CHILD_URL"
	childTag = "FAULTS-CHILD-REPORT "
)

// A childReport is the result of all calls of one child.
type childReport struct {
	Calls map[string]childCall

	err   error
	conns int   // at the proxy
	taken int64 // bytes of endless headers that were read
}

type childCall struct {
	Kind     string
	Text     string
	Attempts int
	Outcome  aimbrain.Outcome
	Zero     bool
	Result   string // the fault of the result
	Elapsed  time.Duration
}

// TestMain runs the tests. If a test has started this binary, it is a child.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "write docs/faults.md from the matrix")
	log.SetOutput(io.Discard) // net/http logs the beginning of unsolicited responses there
	url := os.Getenv(childURL)
	if url == "" {
		m.Run()
		return
	}
	if text, err := json.Marshal(beChild(url)); err == nil { // the test that started this process fails without a report
		_, _ = fmt.Fprintln(os.Stdout, childTag+string(text))
	}
}

func beChild(url string) childReport {
	report := childReport{Calls: map[string]childCall{}}
	for _, call := range calls.All() {
		report.Calls[call.Path] = childDoes(call, url)
	}
	return report
}

func childDoes(call calls.Call, url string) childCall {
	client, err := aimbrain.New(faults.Key, faults.Secret, append(quick(), aimbrain.WithBaseURL(url))...)
	if err != nil {
		return childCall{Kind: "no client", Text: err.Error()}
	}
	defer client.Close()
	started := time.Now()
	result, err := call.Do(context.Background(), client, user)
	done := childCall{Elapsed: time.Since(started), Zero: calls.IsZero(result)}
	if err == nil {
		if wrong := call.Check(user, result); wrong != nil {
			done.Result = wrong.Error()
		}
		return done
	}
	done.Kind, done.Attempts = kindOf(err)
	done.Text = fmt.Sprintf("%v %+v", err, err)
	done.Outcome = aimbrain.OutcomeOf(err)
	return done
}

// prepareChildren sets up the environments of the children. Each child runs once,
// when the first cell needs it.
func (l *lab) prepareChildren(t *testing.T) map[string]func() childReport {
	t.Helper()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(roots, l.authority.PEM(), 0o600))
	children := map[string]func() childReport{}
	add := func(name string, proxy *faults.Listener, taken *atomic.Int64) {
		t.Cleanup(proxy.Close)
		children[name] = sync.OnceValue(func() childReport { return runChild(proxy.Addr, roots, proxy, taken) })
	}
	for _, status := range []int{400, 403, 407, 429, 502, 503, 504} {
		proxy, err := faults.NewProxy(status)
		require.NoError(t, err)
		add(strconv.Itoa(status), proxy, nil)
	}
	taken := new(atomic.Int64)
	endless, err := faults.NewEndlessProxy(func(n int) { taken.Add(int64(n)) })
	require.NoError(t, err)
	add("endless", endless, taken)
	server, err := l.authority.Serve(faults.Setup{Protocol: faults.HTTP2}, (*faults.Exchange).Good)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	tunnel, err := faults.NewTunnel(strings.TrimPrefix(server.URL, "https://"))
	require.NoError(t, err)
	add("fine", tunnel, nil)
	children["refused"] = sync.OnceValue(func() childReport { return runChild(l.refuser.Addr, roots, nil, nil) })
	return children
}

func runChild(proxy, roots string, listener *faults.Listener, taken *atomic.Int64) childReport {
	command := exec.Command(os.Args[0]) //nolint:noctx // its calls have time limits
	command.Env = append(os.Environ(), childURL+"=https://"+faults.VirtualHost, "SSL_CERT_FILE="+roots,
		"HTTPS_PROXY=http://somebody:"+proxyPassword+"@"+proxy, "NO_PROXY=", "no_proxy=", "https_proxy=")
	output, err := command.CombinedOutput()
	report := childReport{err: err}
	_, text, found := bytes.Cut(output, []byte(childTag))
	if !found {
		report.err = fmt.Errorf("child without a report: %w: %.2000s", err, output)
		return report
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&report); err != nil {
		report.err = err
	}
	if listener != nil {
		report.conns = listener.Conns()
	}
	if taken != nil {
		report.taken = taken.Load()
	}
	return report
}

// proxied is the cell of a call that a child made through a proxy.
func proxied(world string, w want) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		report := l.children[world]()
		require.NoError(t, report.err)
		done, ok := report.Calls[c.call.Path]
		require.True(t, ok)
		attempts := (&seen{cell: c}).wantAttempts(w)
		if w.kind == success {
			assert.Empty(t, done.Text)
			assert.Empty(t, done.Result)
			return
		}
		assert.Equal(t, w.kind, done.Kind, done.Text)
		assert.True(t, done.Zero)
		assert.Equal(t, w.outcome.String(), done.Outcome.String(), done.Text)
		assert.Equal(t, attempts, done.Attempts, done.Text)
		for _, canary := range []string{proxyPassword, faults.Key, faults.Secret} {
			assert.NotContains(t, done.Text, canary)
		}
		if world != "refused" {
			assert.Equal(t, attempts*len(report.Calls), report.conns, "connections at the proxy, all calls")
		}
		if world == "endless" {
			assert.Less(t, report.taken/int64(report.conns), int64(16<<20), "bytes a connection, with the sockets' buffers")
		}
	}
}
