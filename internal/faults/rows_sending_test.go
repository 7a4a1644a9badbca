package faults_test

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// large makes a request of 1.3 MB, which no buffer in between holds as a whole.
func large() []aimbrain.CallOption {
	return []aimbrain.CallOption{aimbrain.WithMetadata(bytes.Repeat([]byte("large"), 200_000))}
}

func resetAfterHeaders() []cell {
	return both(risky, "", play{
		setup: faults.Setup{Early: true}, want: interfered,
		script: func(x *faults.Exchange) { x.Reset() },
	}.run)
}

func resetInBody() []cell {
	return both(risky, "", play{
		setup: faults.Setup{Early: true}, want: interfered, call: large(),
		script: func(x *faults.Exchange) { x.ReadSome(64 << 10); x.Reset() },
	}.run)
}

func slowUpload() []cell {
	return both(each, "virtual", play{
		setup: faults.Setup{Early: true, Virtual: true}, call: large(),
		script: func(x *faults.Exchange) {
			for x.Wait(time.Second) {
				x.ReadSome(1 << 10)
			}
		},
		ctx: within(5 * time.Second),
		want: want{kind: network, outcome: aimbrain.OutcomeUnknown, received: 1, check: func(t *testing.T, s *seen) {
			t.Helper()
			assert.ErrorIs(t, s.err, context.DeadlineExceeded)
			assert.Equal(t, 5*time.Second, s.elapsed)
		}},
	}.run)
}

func within(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

// warmFirst responds to the first request correctly. The others meet the fault.
func warmFirst(fault faults.Script) faults.Script {
	return func(x *faults.Exchange) {
		if x.Number == 1 {
			x.Good()
			return
		}
		fault(x)
	}
}

func deadConnection() []cell {
	died := func(end func(*faults.Exchange)) run {
		return play{warm: true, want: unknown, script: warmFirst(func(x *faults.Exchange) { x.Execute(); end(x) })}.run
	}
	return join(
		both(risky, "reset when it is reused", died((*faults.Exchange).Reset)),
		both(risky, "closed when it is reused", died((*faults.Exchange).Hangup)),
		each("closed while idle", faults.HTTP1, closedWhileIdle),
	)
}

// closedWhileIdle may be noticed before the next call or during it: the result is
// then a success, or an error whose outcome is unknown.
func closedWhileIdle(t *testing.T, l *lab, c cell) {
	t.Helper()
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, func(x *faults.Exchange) {
		x.Execute()
		if x.Number > 1 {
			x.Reply(http.StatusOK, calls.To(x.Endpoint).Response(x.User))
			return
		}
		body := calls.To(x.Endpoint).Response(x.User)
		x.Raw("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	})
	require.NoError(t, err)
	defer server.Close()
	s := open(t, c, server.NewClient, quick()...)
	defer s.client.Close()
	_, err = c.call.Do(t.Context(), s.client, 0)
	require.NoError(t, err)
	s.do(t.Context())
	executed := server.Executed() - 1
	if s.err != nil {
		assert.True(t, executed == 0 || aimbrain.OutcomeOf(s.err) == aimbrain.OutcomeUnknown, "executed %d times, %v", executed, s.err)
		return
	}
	assert.NoError(t, c.call.Check(user, s.result))
	assert.Equal(t, 1, executed)
}

// thenGood has the first request meet the fault.
func thenGood(fault faults.FrameScript) faults.FrameScript {
	return func(stream *faults.Stream) {
		if stream.Number == 1 {
			fault(stream)
			return
		}
		stream.Good()
	}
}

// warmThen responds to one request, has the second one meet the fault, and then
// responds again.
func warmThen(fault faults.FrameScript) faults.FrameScript {
	return func(stream *faults.Stream) {
		if stream.Number == 2 {
			fault(stream)
			return
		}
		stream.Good()
	}
}

func goAway() []cell {
	// Both mean that the request was not processed. It makes no difference
	// whether the library or net/http repeats it.
	repeated := want{kind: success, outcome: aimbrain.OutcomeSucceeded, once: true, attempts: anyNumber}
	leave := func(s *faults.Stream) { s.GoAway(s.ID-1, faults.CodeNone); s.Hangup() }
	refuse := func(s *faults.Stream) { s.Reset(faults.CodeRefusedStream) }
	return join(
		each("GOAWAY on a new connection", faults.HTTP2, frames(repeated, false, thenGood(leave))),
		each("GOAWAY on a used connection", faults.HTTP2, frames(repeated, true, warmThen(leave))),
		each("REFUSED_STREAM", faults.HTTP2, frames(repeated, false, thenGood(refuse))),
		each("REFUSED_STREAM on a used connection", faults.HTTP2, frames(repeated, true, warmThen(refuse))),
		each("GOAWAY, and the response", faults.HTTP2, frames(fine, false, func(s *faults.Stream) {
			s.GoAway(s.ID, faults.CodeNone)
			s.Good()
		})),
		each("GOAWAY after the execution", faults.HTTP2, frames(unknown, false, func(s *faults.Stream) {
			s.Execute()
			s.GoAway(s.ID, faults.CodeNone)
			s.Hangup()
		})),
	)
}

func streamReset() []cell {
	resets := func(code uint32) run {
		return frames(unknown, false, func(s *faults.Stream) { s.Execute(); s.Reset(code) })
	}
	cells := join(
		risky("net/http's own", faults.HTTP2, script(unknown, func(x *faults.Exchange) { x.Execute(); x.Abort() })),
		risky("INTERNAL_ERROR", faults.HTTP2, resets(faults.CodeInternal)),
		risky("PROTOCOL_ERROR", faults.HTTP2, resets(faults.CodeProtocol)),
	)
	some := calls.Where(func(c calls.Call) bool {
		return c.Path == aimbrain.EndpointFaceEnroll || c.Path == aimbrain.EndpointScore
	})
	for code := uint32(0); code <= faults.CodeLast; code++ {
		if code != faults.CodeInternal && code != faults.CodeProtocol && code != faults.CodeRefusedStream {
			cells = append(cells, these(some, "code "+strconv.Itoa(int(code)), faults.HTTP2, resets(code))...)
		}
	}
	return cells
}

func blackHole() []cell {
	swallowed := func(warm bool) run {
		return func(t *testing.T, l *lab, c cell) {
			t.Helper()
			synctest.Test(t, func(t *testing.T) { swallow(t, l, c, warm) })
		}
	}
	return join(
		each("new connection", "virtual HTTP/2", swallowed(false)),
		each("used connection", "virtual HTTP/2", swallowed(true)),
	)
}

func swallow(t *testing.T, l *lab, c cell, warm bool) {
	t.Helper()
	server, err := l.authority.ServeFrames(c.call.Path, true, func(s *faults.Stream) {
		s.Execute()
		if warm && s.Number == 1 {
			s.Respond()
			return
		}
		s.BlackHole()
	})
	require.NoError(t, err)
	defer server.Close()
	s := open(t, c, server.NewClient, patient())
	defer s.client.Close()
	if warm {
		_, err := c.call.Do(t.Context(), s.client, 0)
		require.NoError(t, err)
	}
	s.mark(server.Ledger)
	s.do(t.Context())
	s.verify(t, want{kind: network, outcome: aimbrain.OutcomeUnknown, tries: ifSafe, check: func(t *testing.T, s *seen) {
		t.Helper()
		for _, attempt := range s.attempts {
			assert.LessOrEqual(t, attempt.Duration, 15*time.Second)
		}
	}}, nil)
	// The server does not read from its first request on, so that it cannot
	// count the others.
	assert.Equal(t, 1, server.Executed()-s.before[1])
}

// earlyResponse tests a status that arrives early. Over HTTP/2 it always arrives.
// Over HTTP/1.1 the end of the connection may overtake it.
func earlyResponse() []cell {
	var cells []cell
	for _, code := range []int{http.StatusUnauthorized, http.StatusRequestEntityTooLarge} {
		cells = append(cells, both(each, strconv.Itoa(code), func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Early: true}, func(x *faults.Exchange) {
				x.Reply(code, `{"error":"no"}`)
			})
			require.NoError(t, err)
			defer server.Close()
			s := open(t, c, server.NewClient, quick()...)
			defer s.client.Close()
			s.do(t.Context(), large()...)
			require.Error(t, s.err)
			assert.True(t, calls.IsZero(s.result))
			assert.Zero(t, server.Executed())
			kind, attempts := kindOf(s.err)
			assert.Equal(t, attempts, server.Received())
			if kind == network && c.protocol == faults.HTTP1 {
				assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(s.err))
				return
			}
			assert.Equal(t, code, s.api(t).StatusCode)
			assert.Len(t, s.attempts, attempts)
			if attempts == 1 {
				assert.Equal(t, aimbrain.OutcomeRefused, aimbrain.OutcomeOf(s.err))
			}
		})...)
	}
	return cells
}
