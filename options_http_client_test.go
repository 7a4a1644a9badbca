package aimbrain_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// outside represents the network, which a unit test must not reach: a server on
// loopback and the number of its requests.
func outside(t *testing.T) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"token":"from the network"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func clientOf(t *testing.T, url string, opts ...aimbrain.Option) *aimbrain.Client {
	t.Helper()
	client, err := aimbrain.New(testKey, testSecret, append(opts, aimbrain.WithBaseURL(url), noRetries())...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func tokenOf(t *testing.T, client *aimbrain.Client) string {
	t.Helper()
	token, err := client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
	require.NoError(t, err)
	return token.Text
}

// TestHTTPMock_WaysToActivate is not parallel: httpmock sets
// http.DefaultTransport.
func TestHTTPMock_WaysToActivate(t *testing.T) { //nolint:paralleltest // see above
	with := func(client *http.Client) func(t *testing.T, url string) *aimbrain.Client {
		return func(t *testing.T, url string) *aimbrain.Client {
			t.Helper()
			return clientOf(t, url, aimbrain.WithHTTPClient(client))
		}
	}
	activate := func() func() {
		httpmock.Activate() //nolint:forbidigo // users call it; the old transport is restored
		return httpmock.Deactivate
	}
	nonDefault := func(client *http.Client) func() func() {
		return func() func() {
			httpmock.ActivateNonDefault(client) //nolint:forbidigo // as above
			return func() { httpmock.DeactivateNonDefault(client) }
		}
	}
	bare, timed := &http.Client{}, &http.Client{Timeout: time.Minute}
	tuned := &http.Client{Transport: &http.Transport{}}
	for _, c := range []struct { //nolint:paralleltest // see above
		name     string
		client   func(t *testing.T, url string) *aimbrain.Client
		activate func() (deactivate func())
	}{
		{name: "Activate, http.DefaultClient", client: with(http.DefaultClient), activate: activate},
		{name: "Activate, a client without a transport", client: with(timed), activate: activate},
		{name: "ActivateNonDefault", client: with(bare), activate: nonDefault(bare)},
		{name: "ActivateNonDefault, a client with a transport", client: with(tuned), activate: nonDefault(tuned)},
		{name: "ActivateNonDefault, http.DefaultClient", client: with(http.DefaultClient), activate: nonDefault(http.DefaultClient)},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, requests := outside(t)
			t.Cleanup(httpmock.DeactivateAndReset)
			httpmock.RegisterResponder("POST", url+aimbrain.EndpointFaceToken, httpmock.NewStringResponder(200, `{"token":"from the mock"}`))

			before := c.client(t, url)
			deactivate := c.activate()
			after := c.client(t, url)
			assert.Equal(t, "from the mock", tokenOf(t, before), "activated after New")
			assert.Equal(t, "from the mock", tokenOf(t, after), "activated before New")
			assert.Equal(t, 2, httpmock.GetTotalCallCount())
			assert.Zero(t, requests.Load(), "requests to the network")

			deactivate()
			assert.Equal(t, "from the network", tokenOf(t, before), "deactivated")
			assert.Equal(t, "from the network", tokenOf(t, after), "deactivated")
			assert.Equal(t, 2, httpmock.GetTotalCallCount())

			_ = c.activate()
			assert.Equal(t, "from the mock", tokenOf(t, after), "activated again")
			assert.Equal(t, int64(2), requests.Load())
		})
	}
	assert.Equal(t, http.Client{}, *http.DefaultClient, "the callers' clients are as they were")
	assert.Equal(t, http.Client{}, *bare)
	assert.Equal(t, http.Client{Timeout: time.Minute}, *timed)
}

func TestHTTPMock_OwnTransport(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		opt  func(*httpmock.MockTransport) aimbrain.Option
	}{
		{name: "WithTransport", opt: func(m *httpmock.MockTransport) aimbrain.Option { return aimbrain.WithTransport(m) }},
		{name: "WithHTTPClient", opt: func(m *httpmock.MockTransport) aimbrain.Option {
			return aimbrain.WithHTTPClient(&http.Client{Transport: m})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, requests := outside(t)
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder("POST", url+aimbrain.EndpointFaceToken, httpmock.NewStringResponder(200, `{"token":"from the mock"}`))
			assert.Equal(t, "from the mock", tokenOf(t, clientOf(t, url, c.opt(mock))))
			assert.Equal(t, 1, mock.GetTotalCallCount())
			assert.Zero(t, requests.Load())
		})
	}
}

// setDefaultTransport is for tests that are not parallel.
func setDefaultTransport(t *testing.T, transport http.RoundTripper) {
	t.Helper()
	old := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = old })
	http.DefaultTransport = transport
}

// TestWithHTTPClient_WithoutTransport tests that a client that is passed for its
// timeout has the guards of the library's transport.
func TestWithHTTPClient_WithoutTransport(t *testing.T) { //nolint:paralleltest // sets http.DefaultTransport
	unusable := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("net/http's own transport was used")
	}}
	for _, c := range []struct { //nolint:paralleltest // sets http.DefaultTransport
		name      string
		transport http.RoundTripper
		want      string
	}{
		{name: "net/http's own transport", transport: unusable, want: "from the network"},
		{name: "none", transport: nil, want: "from the network"},
		{name: "the library's", transport: aimbrain.NewTransport(), want: "from the network"},
		{name: "a tracer", transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return httpmock.NewStringResponse(200, `{"token":"from the tracer"}`), nil
		}), want: "from the tracer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, _ := outside(t)
			client := clientOf(t, url, aimbrain.WithHTTPClient(&http.Client{Timeout: time.Minute}))
			setDefaultTransport(t, c.transport)
			assert.Equal(t, c.want, tokenOf(t, client))
		})
	}
}

// TestWithHTTPClient_TransportSetLater tests that the transport that carried the
// request decides whether it was sent, and not the one that New found.
func TestWithHTTPClient_TransportSetLater(t *testing.T) {
	t.Parallel()
	var bodies int
	foreign := func(read bool) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				bodies++
			}
			if read {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			return nil, errors.New("it broke")
		})
	}
	enrol := func(client *aimbrain.Client) (*aimbrain.NetworkError, aimbrain.Outcome) {
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Photos([]byte("face")))
		var network *aimbrain.NetworkError
		require.ErrorAs(t, err, &network)
		return network, aimbrain.OutcomeOf(err)
	}
	callers := &http.Client{}
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithHTTPClient(callers), quickRetries(), aimbrain.WithBaseURL("http://127.0.0.1:1"))
	require.NoError(t, err)
	defer client.Close()

	failure, outcome := enrol(client)
	assert.Equal(t, aimbrain.OutcomeNotSent, outcome, "the library's own: the connection is refused")
	assert.Greater(t, failure.Attempts, 1)

	callers.Transport = foreign(true)
	failure, outcome = enrol(client)
	assert.Equal(t, aimbrain.OutcomeUnknown, outcome, "its body was read")
	assert.Equal(t, 1, failure.Attempts, "an enrolment is not sent twice")

	callers.Transport = foreign(false)
	failure, outcome = enrol(client)
	assert.Equal(t, aimbrain.OutcomeNotSent, outcome, "it was not read")
	assert.Greater(t, failure.Attempts, 1)
	assert.Zero(t, bodies, "a foreign transport cannot read the body again")

	callers.Transport = nil
	failure, outcome = enrol(client)
	assert.Equal(t, aimbrain.OutcomeNotSent, outcome)
	assert.Greater(t, failure.Attempts, 1)
}

// TestWithHTTPClient_TransportIsFixedDuringCall tests that the transport is looked
// up once per call and also carries the retries.
func TestWithHTTPClient_TransportIsFixedDuringCall(t *testing.T) {
	t.Parallel()
	callers := &http.Client{}
	var first, second int
	callers.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		first++
		callers.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			second++
			return httpmock.NewStringResponse(200, `{"token":"6-6-7"}`), nil
		})
		return httpmock.NewStringResponse(429, ``), nil
	})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.EUWest1), aimbrain.WithHTTPClient(callers), quickRetries())
	require.NoError(t, err)
	_, err = client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth, aimbrain.WithMaxAttempts(2))
	require.ErrorIs(t, err, aimbrain.ErrRateLimited)
	assert.Equal(t, []int{2, 0}, []int{first, second})
	assert.Equal(t, "6-6-7", tokenOf(t, client))
}

// TestWithHTTPClient_RedirectIsNotFollowedByAnyTransport also tests that the
// caller's client is not changed.
func TestWithHTTPClient_RedirectIsNotFollowedByAnyTransport(t *testing.T) {
	t.Parallel()
	follow := func(*http.Request, []*http.Request) error { return nil }
	callers := &http.Client{CheckRedirect: follow}
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.EUWest1), aimbrain.WithHTTPClient(callers), noRetries())
	require.NoError(t, err)
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(httpmock.NewStringResponder(307, "").HeaderSet(http.Header{"Location": {"https://elsewhere.example/"}}))
	callers.Transport = mock
	_, err = client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
	var redirect *aimbrain.RedirectError
	require.ErrorAs(t, err, &redirect)
	assert.Equal(t, "elsewhere.example", redirect.Host)
	assert.Equal(t, 1, mock.GetTotalCallCount())
	require.NoError(t, callers.CheckRedirect(nil, nil))
	assert.Same(t, mock, callers.Transport)
}

func TestWithHTTPClient_ConcurrentCalls(t *testing.T) {
	t.Parallel()
	url, requests := outside(t)
	client := clientOf(t, url, aimbrain.WithHTTPClient(&http.Client{Timeout: time.Minute}))
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 20 {
				_, err := client.Face.Token(t.Context(), sessionID, aimbrain.TokenAuth)
				assert.NoError(t, err)
			}
		})
	}
	calls.Wait()
	assert.Equal(t, int64(160), requests.Load())
}
