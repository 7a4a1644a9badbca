package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// A lab is the environment that all cells share.
type lab struct {
	authority *faults.Authority
	refuser   *faults.Refuser
	children  map[string]func() childReport
}

func newLab(t *testing.T) *lab {
	t.Helper()
	refuser, err := faults.NewRefuser()
	require.NoError(t, err)
	t.Cleanup(refuser.Close)
	l := &lab{authority: authority(t), refuser: refuser}
	l.children = l.prepareChildren(t)
	return l
}

func authority(t *testing.T) *faults.Authority {
	t.Helper()
	a, err := faults.NewAuthority()
	require.NoError(t, err)
	return a
}

// A cell is a row of docs/faults.md on one endpoint, over one protocol.
type cell struct {
	variant  string
	protocol string // "" if it does not matter
	call     calls.Call
	optIn    bool // with WithRetryUnknownOutcome
	run      run
}

type run func(t *testing.T, l *lab, c cell)

func (c cell) name() string {
	name := c.call.Path + " " + c.protocol + " " + c.variant
	if c.optIn {
		name += " opted in"
	}
	return name
}

// each makes a cell for every endpoint.
func each(variant, protocol string, run run) []cell {
	return these(calls.All(), variant, protocol, run)
}

func these(calls []calls.Call, variant, protocol string, run run) []cell {
	cells := make([]cell, 0, len(calls))
	for _, call := range calls {
		cells = append(cells, cell{variant: variant, protocol: protocol, call: call, run: run})
	}
	return cells
}

// risky makes a cell for every endpoint, and one more for those with opt-in
// retries.
func risky(variant, protocol string, run run) []cell {
	cells := each(variant, protocol, run)
	for _, call := range calls.All() {
		if call.Repeat == endpoints.OptIn {
			cells = append(cells, cell{variant: variant, protocol: protocol, call: call, optIn: true, run: run})
		}
	}
	return cells
}

// both is for faults that are the same over both protocols.
func both(cells func(variant, protocol string, run run) []cell, variant string, run run) []cell {
	return append(cells(variant, faults.HTTP1, run), cells(variant, faults.HTTP2, run)...)
}

func join(lists ...[]cell) []cell {
	var all []cell
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// The kinds of results: the error's type.
const (
	success  = ""
	network  = "*aimbrain.NetworkError"
	api      = "*aimbrain.APIError"
	decode   = "*aimbrain.DecodeError"
	tooLarge = "*aimbrain.TooLargeError"
	redirect = "*aimbrain.RedirectError"
	request  = "*aimbrain.RequestError"
)

// Which calls are retried.
const (
	once   = iota // none
	every         // every call, whatever its class
	ifSafe        // those that are safe to repeat, or opted in
)

// A want is the required result of a call.
type want struct {
	kind     string
	tries    int
	outcome  aimbrain.Outcome
	received int  // requests at the server, per attempt
	executed int  // executions at the server, per attempt
	once     bool // executed once, whatever the number of attempts
	attempts int  // if it is not 1 or 3
	check    func(t *testing.T, s *seen)
}

const anyNumber = -1

// The results of a call, in the terms of docs/faults.md.
var (
	fine       = want{kind: success, outcome: aimbrain.OutcomeSucceeded, received: 1, executed: 1}
	notSent    = want{kind: network, outcome: aimbrain.OutcomeNotSent, tries: every}
	permanent  = want{kind: network, outcome: aimbrain.OutcomeNotSent} // not sent, and a retry would not help
	unknown    = want{kind: network, outcome: aimbrain.OutcomeUnknown, tries: ifSafe, received: 1, executed: 1}
	interfered = want{kind: network, outcome: aimbrain.OutcomeUnknown, tries: ifSafe, received: 1} // before it arrived whole
	refused    = want{kind: api, outcome: aimbrain.OutcomeRefused, received: 1}
	trouble    = want{kind: api, outcome: aimbrain.OutcomeUnknown, tries: ifSafe, received: 1, executed: 1}
	throttled  = want{kind: api, outcome: aimbrain.OutcomeRefused, tries: every, received: 1}
	unusable   = want{kind: decode, outcome: aimbrain.OutcomeUnknown, received: 1, executed: 1}
	oversized  = want{kind: tooLarge, outcome: aimbrain.OutcomeUnknown, received: 1, executed: 1}
)

func (w want) and(check func(t *testing.T, s *seen)) want { w.check = check; return w }

// status is a check of the response's status.
func status(code int) func(t *testing.T, s *seen) {
	return func(t *testing.T, s *seen) {
		t.Helper()
		assert.Equal(t, code, s.api(t).StatusCode)
	}
}

// A seen is what a cell observed.
type seen struct {
	cell     cell
	client   *aimbrain.Client
	result   any
	err      error
	attempts []aimbrain.Attempt
	elapsed  time.Duration

	before [2]int // received and executed before the call
}

func (s *seen) api(t *testing.T) *aimbrain.APIError {
	t.Helper()
	var err *aimbrain.APIError
	require.ErrorAs(t, s.err, &err)
	return err
}

// A maker makes a client, such as [faults.Server.NewClient].
type maker func(opts ...aimbrain.Option) (*aimbrain.Client, error)

// quick makes retries follow at once, with long time limits for a busy machine.
func quick() []aimbrain.Option {
	policy := aimbrain.DefaultRetryPolicy()
	policy.BaseDelay = 0
	return []aimbrain.Option{
		aimbrain.WithRetry(policy),
		aimbrain.WithAttemptTimeout(2 * time.Minute), aimbrain.WithTimeout(5 * time.Minute),
	}
}

// patient allows three attempts of 15 s.
func patient() aimbrain.Option { return aimbrain.WithTimeout(2 * time.Minute) }

func open(t *testing.T, c cell, client maker, opts ...aimbrain.Option) *seen {
	t.Helper()
	s := &seen{cell: c}
	record := func(_ context.Context, attempt aimbrain.Attempt) { s.attempts = append(s.attempts, attempt) }
	made, err := client(append(opts, aimbrain.WithObserver(record))...)
	require.NoError(t, err)
	s.client = made
	return s
}

// user makes the calls of the cells. Warm-up calls are another user's.
const user = 41

func (s *seen) do(ctx context.Context, opts ...aimbrain.CallOption) {
	if s.cell.optIn {
		opts = append(opts, aimbrain.WithRetryUnknownOutcome())
	}
	started := time.Now()
	s.attempts = nil
	s.result, s.err = s.cell.call.Do(ctx, s.client, user, opts...)
	s.elapsed = time.Since(started)
}

func (s *seen) mark(ledger *faults.Ledger) { s.before = [2]int{ledger.Received(), ledger.Executed()} }

// verify compares the observed result with the required one.
func (s *seen) verify(t *testing.T, w want, ledger *faults.Ledger) {
	t.Helper()
	attempts := s.wantAttempts(w)
	if attempts == anyNumber {
		attempts = len(s.attempts)
	}
	s.verifyError(t, w, attempts)
	assert.Len(t, s.attempts, attempts, "attempts of the observer")
	if ledger != nil {
		if w.attempts != anyNumber {
			assert.Equal(t, attempts*w.received, ledger.Received()-s.before[0], "requests at the server")
		}
		assert.Equal(t, w.executions(attempts), ledger.Executed()-s.before[1], "executions at the server")
		assert.Zero(t, ledger.Forged(), "wrong signatures")
	}
	if w.check != nil {
		w.check(t, s)
	}
}

func (w want) executions(attempts int) int {
	if w.once {
		return 1
	}
	return attempts * w.executed
}

func (s *seen) wantAttempts(w want) int {
	switch {
	case w.attempts != 0:
		return w.attempts
	case w.tries == every, w.tries == ifSafe && s.cell.call.Repeats(s.cell.optIn):
		return 3
	}
	return 1
}

func (s *seen) verifyError(t *testing.T, w want, attempts int) {
	t.Helper()
	if w.kind == success {
		require.NoError(t, s.err)
		require.NoError(t, s.cell.call.Check(user, s.result))
		assert.Equal(t, w.outcome.String(), s.attempts[len(s.attempts)-1].Outcome.String(), "outcome of the last attempt, as the observer received it")
		return
	}
	require.Error(t, s.err, "taken for success: %v", s.result)
	assert.True(t, calls.IsZero(s.result), "a result beside an error: %v", s.result)
	kind, counted := kindOf(s.err)
	assert.Equal(t, w.kind, kind, "%v", s.err)
	assert.Equal(t, attempts, counted, "attempts of the error: %v", s.err)
	assert.Equal(t, w.outcome.String(), aimbrain.OutcomeOf(s.err).String(), "OutcomeOf: %v", s.err)
	text := fmt.Sprintf("%v %+v", s.err, s.err)
	assert.NotContains(t, text, faults.Secret)
	assert.NotContains(t, text, faults.Key)
}

func kindOf(err error) (kind string, attempts int) {
	var (
		network  *aimbrain.NetworkError
		api      *aimbrain.APIError
		decode   *aimbrain.DecodeError
		tooLarge *aimbrain.TooLargeError
		redirect *aimbrain.RedirectError
	)
	kind = fmt.Sprintf("%T", err)
	switch {
	case errors.As(err, &network):
		return kind, network.Attempts
	case errors.As(err, &api):
		return kind, api.Attempts
	case errors.As(err, &decode):
		return kind, decode.Attempts
	case errors.As(err, &tooLarge):
		return kind, tooLarge.Attempts
	case errors.As(err, &redirect):
		return kind, redirect.Attempts
	}
	return kind, 0
}

// A play is one call to a server with a script.
type play struct {
	setup  faults.Setup
	script faults.Script
	want   want
	client []aimbrain.Option
	call   []aimbrain.CallOption
	warm   bool                                                            // a call before it opens the connection
	ctx    func(ctx context.Context) (context.Context, context.CancelFunc) // the call's context
	after  func(t *testing.T, l *lab, server *faults.Server, s *seen)      // further checks
}

// run runs the cell, over real sockets or in virtual time.
func (p play) run(t *testing.T, l *lab, c cell) {
	t.Helper()
	if p.setup.Virtual {
		synctest.Test(t, func(t *testing.T) { p.perform(t, l, c) })
		return
	}
	p.perform(t, l, c)
}

func (p play) perform(t *testing.T, l *lab, c cell) {
	t.Helper()
	setup := p.setup
	setup.Protocol = c.protocol
	server, err := l.authority.Serve(setup, p.script)
	require.NoError(t, err)
	defer server.Close()
	if !setup.Virtual {
		p.client = append(quick(), p.client...)
	}
	s := open(t, c, server.NewClient, p.client...)
	defer s.client.Close()
	if p.warm {
		_, err := c.call.Do(t.Context(), s.client, 0)
		require.NoError(t, err)
	}
	s.mark(server.Ledger)
	ctx, cancel := t.Context(), context.CancelFunc(func() {})
	if p.ctx != nil {
		ctx, cancel = p.ctx(ctx)
	}
	defer cancel()
	s.do(ctx, p.call...)
	s.verify(t, p.want, server.Ledger)
	if p.after != nil {
		p.after(t, l, server, s)
	}
}

// script is the short form of a play over real sockets.
func script(w want, script faults.Script) run { return play{script: script, want: w}.run }

// virtual is the short form of a play in virtual time.
func virtual(w want, script faults.Script, opts ...aimbrain.Option) run {
	return play{setup: faults.Setup{Virtual: true}, script: script, want: w, client: opts}.run
}

// frames is a play of a server that speaks HTTP/2 frame by frame.
func frames(w want, warm bool, script faults.FrameScript) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		server, err := l.authority.ServeFrames(c.call.Path, false, script)
		require.NoError(t, err)
		defer server.Close()
		s := open(t, c, server.NewClient, quick()...)
		defer s.client.Close()
		if warm {
			_, err := c.call.Do(t.Context(), s.client, 0)
			require.NoError(t, err)
		}
		s.mark(server.Ledger)
		s.do(t.Context())
		s.verify(t, w, server.Ledger)
	}
}

type dial = func(ctx context.Context, n int64, network, address string) (net.Conn, error)

// dialled is a play of a caller's client that dials in its own way. The server
// behind it, if a connection is made, has no fault.
func dialled(w want, dial func(server string) dial, opts ...aimbrain.Option) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		server, err := l.authority.Serve(faults.Setup{Protocol: faults.HTTP1}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		dialer := &faults.Dialer{Func: dial(server.URL[len("http://"):])}
		transport := l.authority.Transport(dialer.Dial)
		defer transport.CloseIdleConnections()
		s := open(t, c, through(transport, "http://"+faults.VirtualHost), append(opts, quick()...)...)
		s.do(t.Context())
		s.verify(t, w, nil)
		assert.Len(t, s.attempts, int(dialer.Dials.Load()), "one dial an attempt")
		assert.Equal(t, w.received, server.Received())
		assert.Equal(t, w.executed, server.Executed())
	}
}

// through makes clients with a transport of the caller's.
func through(transport http.RoundTripper, url string) maker {
	return func(opts ...aimbrain.Option) (*aimbrain.Client, error) {
		own := []aimbrain.Option{aimbrain.WithBaseURL(url), aimbrain.WithInsecureHTTP(), aimbrain.WithTransport(transport)}
		return aimbrain.New(faults.Key, faults.Secret, append(own, opts...)...)
	}
}

// at makes clients with the library's own transport.
func at(url string) maker {
	return func(opts ...aimbrain.Option) (*aimbrain.Client, error) {
		return aimbrain.New(faults.Key, faults.Secret, append([]aimbrain.Option{aimbrain.WithBaseURL(url)}, opts...)...)
	}
}

// secured is a play of the library's own transport and a connection without a
// valid TLS handshake.
func secured(w want, handle func(net.Conn)) run {
	return func(t *testing.T, _ *lab, c cell) {
		t.Helper()
		listener, err := faults.Listen(handle)
		require.NoError(t, err)
		defer listener.Close()
		s := open(t, c, at("https://"+listener.Addr), quick()...)
		defer s.client.Close()
		s.do(t.Context())
		s.verify(t, w, nil)
		assert.Equal(t, s.wantAttempts(w), listener.Conns(), "one connection an attempt")
	}
}
