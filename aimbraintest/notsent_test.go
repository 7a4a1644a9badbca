package aimbraintest_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestNotSent_RefusesTheConnection(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		opts []aimbrain.Option
	}{
		{name: "https"},
		{name: "plain HTTP", opts: []aimbrain.Option{aimbrain.WithBaseURL("http://on-premises.example:8080/"), aimbrain.WithInsecureHTTP()}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, row.opts...)
			r.fake.Queue(aimbraintest.NotSent())
			before := len(r.fake.Requests())
			_, err := r.auth() // the idle connection of the rig must not be used
			var failed *aimbrain.NetworkError
			require.ErrorAs(t, err, &failed)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.Equal(t, 1, failed.Attempts)
			assert.Len(t, r.fake.Requests(), before, "nothing arrived")
			assert.Empty(t, r.fake.Pending())
			_, err = r.auth()
			require.NoError(t, err)
		})
	}
}

func TestNotSent_IsRetriedForEveryCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		client := fake.Client()
		id := newSession(t, client, "u").ID
		fake.Queue(aimbraintest.NotSent().Times(2))
		enrolled, err := client.Face.Enroll(t.Context(), id, ada())
		require.NoError(t, err)
		assert.Equal(t, 3, enrolled.Response.Attempts)
		assert.Equal(t, 1, fake.Processed(aimbrain.EndpointFaceEnroll))
		fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)

		fake.Queue(aimbraintest.NotSent().Times(3))
		_, err = client.Face.Enroll(t.Context(), id, ada())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
		assert.Empty(t, fake.Pending())
	})
}

func TestNotSent_AppliesToItsEndpointOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.NotSent().On(aimbrain.EndpointFaceAuth))
	for range 3 { // these leave idle connections
		newSession(t, r.client, "u")
		require.NoError(t, r.enroll())
	}
	_, err := r.auth()
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	r.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 0)
}

func TestNotSent_KeepsItsPlaceInTheQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(
		aimbraintest.Status(503).On(aimbrain.EndpointFaceAuth),
		aimbraintest.NotSent().On(aimbrain.EndpointFaceAuth),
		aimbraintest.Score(0.25),
	)
	_, err := r.auth()
	require.ErrorIs(t, err, aimbrain.HTTPStatus(503))
	_, err = r.auth()
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	result, err := r.auth()
	require.NoError(t, err)
	assert.Equal(t, 0.25, result.Score)
}

func TestNotSent_KeepsLaterConnectionsAlive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.NotSent())
	_, err := r.auth()
	require.Error(t, err)
	request := request(t, r.fake, "/v1/sessions", sessionBody)
	assert.Empty(t, do(t, r.fake, request).header.Get("Connection"))
}

func TestNotSent_AppliesBehindAPrefixAndAfterADelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t, aimbraintest.WithPathPrefix("/bio"))
		client := fake.Client(once())
		fake.Queue(aimbraintest.NotSent().On(aimbrain.EndpointSessions).After(2 * time.Second))
		started := time.Now()
		_, err := client.Sessions.Create(t.Context(), sessionRequest("u"))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, 2*time.Second, time.Since(started))
	})
}

func TestNotSent_AppliesToTheTransportOnly(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Queue(aimbraintest.NotSent(), aimbraintest.Status(418))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fake.URL()+"/v1/sessions", strings.NewReader("{}"))
	require.NoError(t, err)
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusTeapot, response.StatusCode)
	assert.False(t, response.Close)
	assert.Len(t, fake.Pending(), 1)
	fake.ClearQueue()
}
