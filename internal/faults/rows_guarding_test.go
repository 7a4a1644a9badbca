package faults_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// invalidConfig makes one cell for a client that cannot be made.
func invalidConfig(name, setting, key, secret, canary string, opts ...aimbrain.Option) cell {
	return cell{variant: name, run: func(t *testing.T, _ *lab, _ cell) {
		t.Helper()
		_, err := aimbrain.New(key, secret, opts...)
		var config *aimbrain.ConfigError
		require.ErrorAs(t, err, &config)
		assert.Equal(t, setting, config.Parameter)
		assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
		if canary != "" {
			assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), canary)
		}
	}}
}

func invalidURL(name, url string) cell {
	return invalidConfig(name, "WithBaseURL", faults.Key, faults.Secret, "canary", aimbrain.WithBaseURL(url))
}

func plainBaseURL() []cell {
	cells := []cell{invalidURL("another host", "http://api.example"), invalidURL("a private address", "http://10.0.0.1:8080")}
	return append(cells, each("loopback", faults.HTTP1, script(fine, (*faults.Exchange).Good))...)
}

func oddBaseURL() []cell {
	return []cell{
		invalidURL("user", "https://canary@api.example"),
		invalidURL("password", "https://user:canary@api.example"),
		invalidURL("query", "https://api.example/?key=canary"),
		invalidURL("fragment", "https://api.example/#canary"),
		invalidURL("no URL", "https://canary\n.example"),
		invalidURL("another scheme", "ftp://canary.example"),
	}
}

func badCredentials() []cell {
	key, secret := "API key", "API secret"
	return []cell{
		invalidConfig("no key", key, "", faults.Secret, faults.Secret),
		invalidConfig("no secret", secret, faults.Key, "", faults.Key),
		invalidConfig("CR in the key", key, "canary\r", faults.Secret, "canary"),
		invalidConfig("LF in the key", key, "canary\n", faults.Secret, "canary"),
		invalidConfig("NUL in the key", key, "canary\x00", faults.Secret, "canary"),
		invalidConfig("non-ASCII in the key", key, "canaryé", faults.Secret, "canary"),
		invalidConfig("CR in the secret", secret, faults.Key, "canary\r", "canary"),
		invalidConfig("LF in the secret", secret, faults.Key, "canary\n", "canary"),
		invalidConfig("NUL in the secret", secret, faults.Key, "canary\x00", "canary"),
	}
}

func requestTooLarge() []cell {
	return join(
		each("typed", faults.HTTP1, func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
			require.NoError(t, err)
			defer server.Close()
			s := open(t, c, server.NewClient)
			defer s.client.Close()
			s.do(t.Context(), aimbrain.WithMetadata(make([]byte, 1_600_000)))
			nothingSent(t, server, s)
		}),
		each("the limit, forwarded", faults.HTTP1, forwarded(aimbrain.MaxRequestBytes, false)),
		each("the limit less 1, forwarded", faults.HTTP1, forwarded(aimbrain.MaxRequestBytes-1, true)),
	)
}

func nothingSent(t *testing.T, server *faults.Server, s *seen) {
	t.Helper()
	var err *aimbrain.TooLargeError
	require.ErrorAs(t, s.err, &err)
	assert.False(t, err.Response)
	assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(s.err))
	assert.True(t, calls.IsZero(s.result))
	assert.Empty(t, s.attempts)
	assert.Zero(t, server.Received())
	assert.Zero(t, server.Conns())
}

// forwarded forwards a body of n bytes unchanged.
func forwarded(n int, good bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		s := open(t, c, server.NewClient, quick()...)
		defer s.client.Close()
		body := `{"pad":"` + strings.Repeat("p", n-len(`{"pad":""}`)) + `"}`
		s.result, s.err = s.client.Forward(t.Context(), c.call.Path, []byte(body))
		if !good {
			nothingSent(t, server, s)
			return
		}
		require.NoError(t, s.err)
		assert.Equal(t, 1, server.Executed())
		assert.Zero(t, server.Forged())
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// drain reads the request, like a transport that has sent it.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

type brokenBody struct{ read func([]byte) (int, error) }

func (b brokenBody) Read(p []byte) (int, error) { return b.read(p) }
func (b brokenBody) Close() error               { return errors.New("it will not close") }

func brokenTransports() []cell {
	with := func(w want, trip tripper) run {
		return func(t *testing.T, _ *lab, c cell) {
			t.Helper()
			s := open(t, c, through(trip, "http://"+faults.VirtualHost), quick()...)
			defer s.client.Close()
			s.do(t.Context())
			s.verify(t, w, nil)
		}
	}
	reads := func(read func([]byte) (int, error)) tripper {
		return func(r *http.Request) (*http.Response, error) {
			drain(r)
			return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ContentLength: 10, Body: brokenBody{read}}, nil
		}
	}
	none := cell{variant: "no client", run: func(t *testing.T, _ *lab, _ cell) {
		t.Helper()
		_, err := aimbrain.New(faults.Key, faults.Secret, aimbrain.WithHTTPClient(nil))
		var config *aimbrain.ConfigError
		assert.ErrorAs(t, err, &config)
	}}
	return append(join(
		each("panics", "", panicking),
		each("neither response nor error", "", with(unknown, func(r *http.Request) (*http.Response, error) { drain(r); return nil, nil })),
		each("neither, and nothing sent", "", with(notSent, func(*http.Request) (*http.Response, error) { return nil, nil })),
		each("no body", "", with(want{kind: network, outcome: aimbrain.OutcomeUnknown, tries: ifSafe}, func(r *http.Request) (*http.Response, error) {
			drain(r)
			return &http.Response{StatusCode: http.StatusOK, ContentLength: 10}, nil
		})),
		each("reads that bring nothing", "", with(unknown, reads(func([]byte) (int, error) { return 0, nil }))),
		each("reads that fail", "", with(unknown, reads(func([]byte) (int, error) { return 0, io.ErrClosedPipe }))),
		each("an error with the request in it", "", with(unknown, func(r *http.Request) (*http.Response, error) {
			drain(r)
			return nil, fmt.Errorf("cannot send %v", r.Header)
		})),
		each("reads on after its response", "", readsOn),
	), none)
}

// panicking checks that the caller receives the panic and that the client still
// works.
func panicking(t *testing.T, _ *lab, c cell) {
	t.Helper()
	broken := true
	s := open(t, c, through(tripper(func(r *http.Request) (*http.Response, error) {
		if broken {
			panic("transport")
		}
		drain(r)
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(calls.To(c.call.Path).Response(user)))}, nil
	}), "http://"+faults.VirtualHost))
	assert.PanicsWithValue(t, "transport", func() { s.do(t.Context()) })
	broken = false
	s.do(t.Context())
	require.NoError(t, s.err)
	require.NoError(t, s.client.Close())
	s.do(t.Context())
	assert.ErrorIs(t, s.err, aimbrain.ErrClosed)
}

// readsOn checks that a transport which reads after the call has ended receives an
// error, and not another call's request.
func readsOn(t *testing.T, _ *lab, c cell) {
	t.Helper()
	var body io.Reader
	s := open(t, c, through(tripper(func(r *http.Request) (*http.Response, error) {
		body = r.Body
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(calls.To(c.call.Path).Response(user)))}, nil
	}), "http://"+faults.VirtualHost))
	defer s.client.Close()
	s.do(t.Context())
	require.NoError(t, s.err)
	late, err := io.ReadAll(body)
	assert.Error(t, err)
	assert.Empty(t, late)
}

func canaries() []cell {
	return each("", faults.HTTP1, play{
		script: replies(401, `{"error":"bad `+faults.Secret+`"}`, false), want: refused.and(hidden),
		after: func(t *testing.T, _ *lab, server *faults.Server, s *seen) {
			t.Helper()
			var forms []string
			unused, err := server.NewClient() // a used client has a running transport, which printing would race with
			require.NoError(t, err)
			for _, value := range []any{unused, unused.Score, s.attempts, s.err, fmt.Errorf("outer: %w", s.err)} {
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
					forms = append(forms, fmt.Sprintf(verb, value))
				}
				text, _ := json.Marshal(value)
				var binary bytes.Buffer
				_ = gob.NewEncoder(&binary).Encode(value)
				forms = append(forms, string(text), binary.String())
			}
			for _, form := range forms {
				assert.NotContains(t, form, faults.Secret)
				assert.NotContains(t, form, faults.Key)
			}
		},
	}.run)
}

// changedMedia has the caller change its media while the server has the first
// request, and later. The retry must equal the first request.
func changedMedia() []cell {
	media := calls.Where(func(c calls.Call) bool { return len(c.Media) > 0 })
	return join(
		both(func(variant, protocol string, run run) []cell { return these(media, variant, protocol, run) }, "media", changing(false)),
		both(each, "metadata", changing(true)),
	)
}

func changing(metadata bool) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		mine := calls.User(user).Media()
		extra := []byte("an integration's own")
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, func(x *faults.Exchange) {
			if x.Number == 1 {
				clear(mine)
				clear(extra)
				x.Reply(http.StatusTooManyRequests, "")
				return
			}
			x.Good()
		})
		require.NoError(t, err)
		defer server.Close()
		client, err := server.NewClient(quick()...)
		require.NoError(t, err)
		defer client.Close()
		var opts []aimbrain.CallOption
		if metadata {
			opts = append(opts, aimbrain.WithMetadata(extra))
		}
		arguments := c.call.Arguments(user)
		for i := range arguments.Media {
			arguments.Media[i] = c.call.MediaOf(mine)
		}
		result, err := c.call.DoWith(t.Context(), client, arguments, opts...)
		require.NoError(t, err)
		require.NoError(t, c.call.Check(user, result))
		require.Len(t, server.Accounts(), 1, "the requests differ")
		assert.Zero(t, server.Forged())
		assert.Equal(t, 1, server.Executed())
	}
}

func thousandGoroutines() []cell {
	return both(each, "", func(t *testing.T, l *lab, c cell) {
		t.Helper()
		const goroutines = 1000 / 10 // for each endpoint; the figure's test makes all of them on one client
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		client, err := server.NewClient(quick()...)
		require.NoError(t, err)
		defer client.Close()
		inParallel(goroutines, func(n int) {
			result, err := c.call.Do(t.Context(), client, n)
			if assert.NoError(t, err) {
				assert.NoError(t, c.call.Check(n, result))
			}
		})
		assert.Equal(t, goroutines, server.Executed())
	})
}

// closeDuring runs in bubbles, which fail if a goroutine is left at the end. The
// figures' tests cover descriptors and the library's own transport.
func closeDuring() []cell {
	return join(
		both(each, "Close during a call", closing),
		both(each, "abandoned", play{
			setup: faults.Setup{Virtual: true}, ctx: afterASecond, want: cancelled(aimbrain.OutcomeUnknown, 1, 1),
			script: func(x *faults.Exchange) { x.Execute(); x.Write("{"); x.Stall() },
		}.run),
	)
}

func closing(t *testing.T, l *lab, c cell) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, func(x *faults.Exchange) {
			x.Wait(time.Second)
			x.Good()
		})
		require.NoError(t, err)
		defer server.Close()
		s := open(t, c, server.NewClient)
		time.AfterFunc(time.Second/2, func() { assert.NoError(t, s.client.Close()) })
		s.do(t.Context())
		s.verify(t, fine, server.Ledger)
		_, err = c.call.Do(context.Background(), s.client, user)
		assert.ErrorIs(t, err, aimbrain.ErrClosed)
	})
}
