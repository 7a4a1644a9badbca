package faults_test

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// valid is the valid response to a request. The faults change a part of it.
func valid(x *faults.Exchange) string { return calls.To(x.Endpoint).Response(x.User) }

func closedBefore() []cell {
	return join(
		both(risky, "closed", script(unknown, func(x *faults.Exchange) { x.Execute(); x.Hangup() })),
		both(risky, "reset", script(unknown, func(x *faults.Exchange) { x.Execute(); x.Reset() })),
	)
}

func stallBefore() []cell {
	return both(risky, "virtual", virtual(unknown.and(timedOut), func(x *faults.Exchange) { x.Execute(); x.Stall() }, patient()))
}

func headerCut() []cell {
	return join(
		risky("in the status line", faults.HTTP1, script(unknown, func(x *faults.Exchange) { x.Execute(); x.Raw("HTTP/1.1 2") })),
		risky("in a field", faults.HTTP1, script(unknown, func(x *faults.Exchange) { x.Execute(); x.Raw("HTTP/1.1 200 OK\r\nContent-Le") })),
		each("in a block", faults.HTTP2, frames(unknown, false, func(s *faults.Stream) { s.Execute(); s.HalfHeaders() })),
	)
}

func stallWithin() []cell {
	return both(risky, "virtual", virtual(unknown.and(timedOut), func(x *faults.Exchange) {
		x.Execute()
		x.Write(valid(x)[:1])
		x.Stall()
	}, patient()))
}

func raw200(header string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + header + "\r\n"
}

func shortBody() []cell {
	return join(
		risky("half of it", faults.HTTP1, script(unknown, func(x *faults.Exchange) {
			x.Execute()
			body := valid(x)
			x.Raw(raw200("Content-Length: "+strconv.Itoa(len(body))+"\r\n") + body[:len(body)/2])
		})),
		risky("all but a space", faults.HTTP1, script(unknown, func(x *faults.Exchange) {
			x.Execute()
			body := valid(x)
			x.Raw(raw200("Content-Length: "+strconv.Itoa(len(body)+1)+"\r\n") + body)
		})),
		each("half of it", faults.HTTP2, frames(unknown, false, func(s *faults.Stream) {
			s.Execute()
			s.Headers(false, faults.ContentLength(100)...)
			s.Data(true, `{"score":`)
		})),
	)
}

func chunkedCut() []cell {
	chunk := func(s string) string { return strconv.FormatInt(int64(len(s)), 16) + "\r\n" + s + "\r\n" }
	cut := func(end func(body string) string) run {
		return script(unknown, func(x *faults.Exchange) {
			x.Execute()
			x.Raw(raw200("Transfer-Encoding: chunked\r\n") + end(valid(x)))
		})
	}
	return join(
		risky("in a chunk", faults.HTTP1, cut(func(body string) string { return chunk(body)[:5] })),
		risky("before the last chunk", faults.HTTP1, cut(chunk)),
		each("before the end of the stream", faults.HTTP2, script(unknown, func(x *faults.Exchange) {
			x.Execute()
			x.Write(valid(x))
			x.Abort()
		})),
	)
}

func closeDelimitedCut() []cell {
	plain := func(part func(string) string) faults.Script {
		return func(x *faults.Exchange) {
			x.Execute()
			x.Raw(raw200("Connection: close\r\n") + part(valid(x)))
		}
	}
	return join(
		risky("in the middle", faults.HTTP1, script(unknown, plain(func(s string) string { return s[:len(s)/2] }))),
		risky("before the last byte", faults.HTTP1, script(unknown, plain(func(s string) string { return s[:len(s)-1] }))),
		risky("before the first byte", faults.HTTP1, script(unknown, plain(func(string) string { return "" }))),
		each("not at all", faults.HTTP1, script(fine, plain(func(s string) string { return s }))),
	)
}

func oneByteAtATime() []cell {
	return join(
		both(each, "body", script(fine, func(x *faults.Exchange) {
			x.Execute()
			for _, c := range []byte(valid(x)) {
				x.Write(string(c))
			}
		})),
		each("header and body", faults.HTTP1, script(fine, func(x *faults.Exchange) {
			x.Execute()
			body := valid(x)
			for _, c := range []byte(raw200("Content-Length: "+strconv.Itoa(len(body))+"\r\n") + body) {
				x.Raw(string(c))
			}
		})),
	)
}

func informationalFlood() []cell {
	flood := func(status string) run {
		return script(unknown, func(x *faults.Exchange) {
			x.Execute()
			for x.Raw(strings.Repeat("HTTP/1.1 "+status+" X\r\n\r\n", 64)) {
			}
		})
	}
	return join(
		risky("103", faults.HTTP1, flood("103")),
		each("100", faults.HTTP1, flood("100")),
		each("103", faults.HTTP2, frames(unknown, false, func(s *faults.Stream) {
			s.Execute()
			for i := 0; i < 10_000 && s.Status("103"); i++ { // far beyond the bound; the connection stays open
			}
		})),
		each("101, its body is the connection", faults.HTTP1, script(unknown, func(x *faults.Exchange) {
			x.Execute()
			x.Raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			x.Stall() // which does not end with a context
		})),
		both(each, "two, then the response", script(fine, func(x *faults.Exchange) {
			x.Informational(http.StatusProcessing)
			x.Informational(http.StatusEarlyHints)
			x.Good()
		})),
	)
}

func headerFlood() []cell {
	line := "X-Flood: " + strings.Repeat("x", 1<<10) + "\r\n"
	return join(
		risky("", faults.HTTP1, script(unknown, func(x *faults.Exchange) {
			x.Execute()
			x.Raw("HTTP/1.1 200 OK\r\n")
			for sent := 0; sent < 10<<20 && x.Raw(line); sent += len(line) {
			}
		})),
		each("", faults.HTTP2, frames(unknown, false, func(s *faults.Stream) {
			s.Execute()
			s.HeaderFlood(10 << 20)
		})),
	)
}

// bytesAfter has a second call test that it does not receive the rest of the first
// one's response, such as another user's scores.
func bytesAfter() []cell {
	after := func(more func(x *faults.Exchange) string) run {
		return play{
			script: func(x *faults.Exchange) {
				x.Execute()
				body := valid(x)
				x.Raw(raw200("Content-Length: "+strconv.Itoa(len(body))+"\r\n") + body + more(x))
				x.Stall()
			},
			want: fine,
			after: func(t *testing.T, _ *lab, server *faults.Server, s *seen) {
				t.Helper()
				result, err := s.cell.call.Do(t.Context(), s.client, user+1)
				if err != nil { // net/http reused the connection before it noticed the extra bytes: rare, and temporary
					assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "%v", err)
					return
				}
				require.NoError(t, s.cell.call.Check(user+1, result))
				assert.Equal(t, 2, server.Conns())
			},
		}.run
	}
	return join(
		each("noise", faults.HTTP1, after(func(*faults.Exchange) string { return "noise" })),
		each("another user's response", faults.HTTP1, after(func(x *faults.Exchange) string {
			body := calls.To(x.Endpoint).Response(user + 2)
			return raw200("Content-Length: "+strconv.Itoa(len(body))+"\r\n") + body
		})),
	)
}

func redirects() []cell {
	var cells []cell
	for _, code := range []int{301, 302, 303, 307, 308} {
		cells = append(cells, join(
			each(strconv.Itoa(code)+" own transport", faults.HTTP1, redirected(code, false)),
			each(strconv.Itoa(code)+" caller's client", faults.HTTP1, redirected(code, true)),
		)...)
	}
	return append(cells, each("307 caller's client", faults.HTTP2, redirected(307, true))...)
}

func redirected(code int, own bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		other, err := faults.Listen(func(conn net.Conn) { readSome(conn) })
		require.NoError(t, err)
		defer other.Close()
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, func(x *faults.Exchange) {
			x.Reply(code, "", "Location", "http://"+other.Addr+x.Endpoint)
		})
		require.NoError(t, err)
		defer server.Close()
		// A redirect that is followed must fail the cell, and not block the run
		// for the minutes that quick allows.
		opts := append(quick(), aimbrain.WithAttemptTimeout(30*time.Second), aimbrain.WithTimeout(time.Minute))
		if own {
			follow := func(*http.Request, []*http.Request) error { return nil }
			opts = append(opts, aimbrain.WithHTTPClient(&http.Client{Transport: server.Transport(), CheckRedirect: follow}))
		}
		s := open(t, c, server.NewClient, opts...)
		defer s.client.Close()
		s.do(t.Context())
		outcome := aimbrain.OutcomeRefused
		if code == http.StatusSeeOther { // it may point to the result of the processed request
			outcome = aimbrain.OutcomeUnknown
		}
		s.verify(t, want{kind: redirect, outcome: outcome, received: 1, check: func(t *testing.T, s *seen) {
			t.Helper()
			var err *aimbrain.RedirectError
			require.ErrorAs(t, s.err, &err)
			assert.Equal(t, code, err.StatusCode)
			assert.Equal(t, other.Addr, err.Host)
		}}, server.Ledger)
		assert.Zero(t, other.Conns(), "connections to the other host")
		assert.Zero(t, other.Bytes(), "bytes to the other host")
	}
}
