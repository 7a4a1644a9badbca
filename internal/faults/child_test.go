package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// The library's own transport takes its proxy and its certificate authorities
// from the environment, which a process reads once. So these rows run in a
// child: this test binary again, with an environment of its own.

// proxyPassword must not be in any error.
const proxyPassword = "canary-proxy-password"

const (
	childURL = "FAULTS_CHILD_URL"
	childTag = "FAULTS-CHILD-REPORT "
)

// A childReport is what came of the eleven calls of one child.
type childReport struct {
	Calls map[string]childCall

	err   error
	conns int   // at the proxy
	taken int64 // bytes of endless headers that were taken
}

type childCall struct {
	Kind     string
	Text     string
	Attempts int
	Maybe    bool
	Zero     bool
	Result   string // what is wrong with the result
	Elapsed  time.Duration
}

// TestChild is the child. It does nothing when it is run as a test.
func TestChild(t *testing.T) {
	t.Parallel()
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("it is for the matrix to run")
	}
	report := childReport{Calls: map[string]childCall{}}
	for _, call := range faults.Calls() {
		report.Calls[call.Endpoint] = childDoes(t, call, url)
	}
	text, err := json.Marshal(report)
	require.NoError(t, err)
	_, err = fmt.Fprintln(os.Stdout, childTag+string(text))
	require.NoError(t, err)
}

func childDoes(t *testing.T, call faults.Call, url string) childCall {
	t.Helper()
	client, err := aimbrain.New(faults.Key, faults.Secret, append(quick(), aimbrain.WithBaseURL(url))...)
	require.NoError(t, err)
	defer client.Close()
	started := time.Now()
	result, err := call.Do(t.Context(), client, user)
	done := childCall{Elapsed: time.Since(started), Zero: faults.IsZero(result)}
	if err == nil {
		if wrong := faults.CheckResult(user, result); wrong != nil {
			done.Result = wrong.Error()
		}
		return done
	}
	done.Kind, done.Attempts = kindOf(err)
	done.Text = fmt.Sprintf("%v %+v", err, err)
	done.Maybe = aimbrain.MaybeProcessed(err)
	return done
}

// prepareChildren sets up the children's worlds. Each child runs once, when
// the first cell asks for it.
func (l *lab) prepareChildren(t *testing.T) map[string]func() childReport {
	t.Helper()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(roots, l.authority.PEM(), 0o600))
	children := map[string]func() childReport{}
	add := func(name string, proxy *faults.Listener, taken *atomic.Int64) {
		t.Cleanup(proxy.Close)
		children[name] = sync.OnceValue(func() childReport { return runChild(proxy.Addr, roots, proxy, taken) })
	}
	for name, answer := range map[string]string{"403": faults.ProxyForbidden, "407": faults.ProxyPassword, "502": faults.ProxyBroken} {
		proxy, err := faults.NewProxy(answer)
		require.NoError(t, err)
		add(name, proxy, nil)
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
	command := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.count=1") //nolint:noctx // it is bounded by its own test timeout
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
		done, ok := report.Calls[c.call.Endpoint]
		require.True(t, ok)
		attempts := (&seen{cell: c}).wantAttempts(w)
		if w.kind == success {
			assert.Empty(t, done.Text)
			assert.Empty(t, done.Result)
			return
		}
		assert.Equal(t, w.kind, done.Kind, done.Text)
		assert.True(t, done.Zero)
		assert.Equal(t, w.maybe, done.Maybe, done.Text)
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
