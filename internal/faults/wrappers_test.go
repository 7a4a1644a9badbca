package faults_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// Callers wrap the library's transport in their own: for metrics, for audit, for
// tokens of a gateway. Their use of a call's context must not disable the
// protection of connections.

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wrapped returns a client whose transport wraps the library's own.
func wrapped(t *testing.T, server *faults.Server, around func(own http.RoundTripper) roundTripper, opts ...aimbrain.Option) *aimbrain.Client {
	t.Helper()
	own := server.Transport()
	opts = append(quick(), append(opts, aimbrain.WithTransport(around(own)))...)
	client, err := server.NewClient(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func serve(t *testing.T, script faults.Script) *faults.Server {
	t.Helper()
	server, err := authority(t).Serve(faults.Setup{Protocol: faults.HTTP1}, script)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// A connection is not reused after a 5xx, whatever else the transport requested
// with the call's context.
func TestWrapper_SecondRequestInCallContext(t *testing.T) {
	t.Parallel()
	audit := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer audit.Close()
	server := serve(t, func(x *faults.Exchange) { x.Reply(http.StatusGatewayTimeout, "") })
	client := wrapped(t, server, func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			response, err := own.RoundTrip(r)
			request, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, audit.URL, nil)
			if note, err := audit.Client().Do(request); err == nil {
				_ = note.Body.Close()
			}
			return response, err
		}
	})
	for user := range 5 {
		_, err := calls.To(aimbrain.EndpointFaceEnroll).Do(t.Context(), client, user)
		require.ErrorIs(t, err, aimbrain.HTTPStatus(http.StatusGatewayTimeout))
	}
	assert.Equal(t, 5, server.Conns(), "connections: none may be reused after a 504")
}

// The connection of a response that a transport holds back becomes free for the
// next call, which waits for it for a short time only.
func TestWrapper_ResponseHeldBack(t *testing.T) {
	t.Parallel()
	server := serve(t, (*faults.Exchange).Good)
	client := wrapped(t, server, func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			response, err := own.RoundTrip(r)
			if err == nil {
				body, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				response.Body = io.NopCloser(bytes.NewReader(body))
				<-time.After(80 * time.Millisecond)
			}
			return response, err
		}
	})
	enroll := calls.To(aimbrain.EndpointFaceEnroll)
	inParallel(8, func(n int) {
		for i := range 4 {
			_, err := enroll.Do(t.Context(), client, n*10+i)
			assert.NoError(t, err)
		}
	})
	assert.Equal(t, 32, server.Executed(), "executions of 32 calls")
}

// A transport may call the API itself with the context of the call that it
// carries.
func TestWrapper_CallWithinCall(t *testing.T) {
	t.Parallel()
	server := serve(t, (*faults.Exchange).Good)
	var client *aimbrain.Client
	client = wrapped(t, server, func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != aimbrain.EndpointScore {
				if _, err := calls.To(aimbrain.EndpointScore).Do(r.Context(), client, 7); err != nil {
					return nil, err
				}
			}
			return own.RoundTrip(r)
		}
	})
	for user := range 5 {
		_, err := calls.To(aimbrain.EndpointFaceEnroll).Do(t.Context(), client, user)
		require.NoError(t, err)
	}
	assert.Equal(t, 10, server.Executed(), "executions of 5 calls with one more in each")
	assert.LessOrEqual(t, server.Conns(), 2, "connections: the inner and the outer call must each reuse one")
}

// net/http repeats a request after PROTOCOL_ERROR wherever it can read the body
// again.
func TestCall_StreamResetOverPlainHTTP2(t *testing.T) {
	t.Parallel()
	var executed atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		executed.Add(1)
		panic(http.ErrAbortHandler)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	transport := aimbrain.NewTransport(func(inner *http.Transport) {
		inner.Protocols = new(http.Protocols)
		inner.Protocols.SetUnencryptedHTTP2(true)
	})
	defer transport.CloseIdleConnections()
	var repeatable atomic.Bool
	spy := roundTripper(func(r *http.Request) (*http.Response, error) {
		repeatable.Store(repeatable.Load() || r.GetBody != nil)
		return transport.RoundTrip(r)
	})
	client, err := aimbrain.New(faults.Key, faults.Secret, aimbrain.WithBaseURL(server.URL), aimbrain.WithTransport(spy))
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("the test took too long"))
	defer cancel()
	_, err = calls.To(aimbrain.EndpointFaceEnroll).Do(ctx, client, 1)
	require.Error(t, err)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	assert.Equal(t, int64(1), executed.Load(), "executions of an enrolment")
	assert.False(t, repeatable.Load(), "GetBody is set: net/http could send the body twice")
}

// A wrapper with its own time limit returns while the transport is at work: the
// outcome of the request is unknown then.
func TestWrapper_ReturnsBeforeTransport(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := serve(t, func(x *faults.Exchange) { x.Execute(); <-release; x.Reply(http.StatusOK, valid(x)) })
	client := wrapped(t, server, func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			go func() {
				if response, err := own.RoundTrip(r); err == nil {
					_ = response.Body.Close()
				}
			}()
			for server.Executed() == 0 {
				<-time.After(time.Millisecond)
			}
			return nil, errors.New("too slow")
		}
	})
	_, err := calls.To(aimbrain.EndpointFaceEnroll).Do(t.Context(), client, 1)
	close(release)
	require.Error(t, err)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	assert.Equal(t, 1, server.Executed())
}

// A wrapper requests another server with the library's transport and the call's
// context, and sends the request with net/http's.
func TestWrapper_SendsByOtherTransport(t *testing.T) {
	t.Parallel()
	server := serve(t, func(x *faults.Exchange) { x.Execute(); x.Reset() })
	other := &http.Transport{}
	defer other.CloseIdleConnections()
	client := wrapped(t, server, func(own http.RoundTripper) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			note, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://127.0.0.1:1/", nil)
			if err != nil {
				return nil, err
			}
			if response, err := own.RoundTrip(note); err == nil {
				_ = response.Body.Close()
			}
			return other.RoundTrip(r)
		}
	})
	_, err := calls.To(aimbrain.EndpointFaceEnroll).Do(t.Context(), client, 1)
	require.Error(t, err)
	assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	assert.Equal(t, 1, server.Executed())
}
