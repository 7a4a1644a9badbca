package aimbrain_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// refusedHost is an address at which nothing listens.
const refusedHost = "127.0.0.1:1"

// abortingServer counts requests that it processes, and closes their connections.
func abortingServer(t *testing.T) (host string, executed *atomic.Int64) {
	t.Helper()
	executed = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		executed.Add(1)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	return address.Host, executed
}

// TestWithTransport_RequestThatAnotherTransportSentIsUnknown: a wrapper sends the
// enrolment by one transport, loses the response, and sends it by the library's to a
// host that refuses the connection. The error says that nothing was sent, which is
// true of the second only.
func TestWithTransport_RequestThatAnotherTransportSentIsUnknown(t *testing.T) {
	t.Parallel()
	resend := func(ctx context.Context, r *http.Request, body []byte, host string) *http.Request {
		again := r.Clone(ctx)
		again.Body = io.NopCloser(bytes.NewReader(body))
		again.URL.Host = host
		return again
	}
	tests := []struct {
		name string
		trip func(primary, own http.RoundTripper, host string) roundTripper
	}{
		{name: "with the context", trip: func(primary, own http.RoundTripper, host string) roundTripper {
			return func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				if response, err := primary.RoundTrip(resend(r.Context(), r, body, host)); err == nil {
					return response, nil
				}
				return own.RoundTrip(resend(r.Context(), r, body, refusedHost))
			}
		}},
		{name: "joined with a URL error", trip: func(primary, own http.RoundTripper, host string) roundTripper {
			return func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				_, first := primary.RoundTrip(resend(r.Context(), r, body, host))
				_, second := own.RoundTrip(resend(r.Context(), r, body, refusedHost))
				return nil, errors.Join(first, &url.Error{Op: "Post", URL: refusedHost, Err: second})
			}
		}},
		{name: "without the context", trip: func(_, own http.RoundTripper, host string) roundTripper {
			return func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				detached := context.WithoutCancel(context.Background())
				if response, err := own.RoundTrip(resend(detached, r, body, host)); err == nil {
					return response, nil
				}
				return own.RoundTrip(resend(detached, r, body, refusedHost))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			host, executed := abortingServer(t)
			primary, own := &http.Transport{}, aimbrain.NewTransport()
			defer primary.CloseIdleConnections()
			defer own.CloseIdleConnections()
			client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL("http://"+host), aimbrain.WithTransport(tt.trip(primary, own, host)))
			require.NoError(t, err)
			_, err = client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
			require.Error(t, err)
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "%v", err)
			assert.Equal(t, aimbrain.ActionConfirm, aimbrain.ActionOf(err))
			assert.Equal(t, int64(1), executed.Load())
		})
	}
}

// TestWithTransport_GoroutineLeftBehindSendsNothing: a wrapper returns before the
// transport inside has begun, and the request is reported as not sent. What it left
// behind must not send it during the next attempt.
func TestWithTransport_GoroutineLeftBehindSendsNothing(t *testing.T) {
	t.Parallel()
	var executed, attempts atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			executed.Add(1)
		}
		_, _ = io.WriteString(w, `{"imagesCount":1}`)
	}))
	defer server.Close()
	inner := &http.Transport{}
	defer inner.CloseIdleConnections()
	begin, ended := make(chan struct{}), make(chan struct{})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(server.URL), aimbrain.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		if attempts.Add(1) == 1 {
			go func() {
				defer close(ended)
				<-begin
				if response, err := inner.RoundTrip(r.Clone(context.WithoutCancel(r.Context()))); err == nil {
					_ = response.Body.Close()
				}
			}()
			return nil, errors.New("too slow")
		}
		close(begin)
		<-ended
		return inner.RoundTrip(r)
	})))
	require.NoError(t, err)
	_, err = client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
	require.NoError(t, err)
	assert.Equal(t, int64(2), attempts.Load())
	assert.Equal(t, int64(1), executed.Load(), "the enrolment is processed once")
}
