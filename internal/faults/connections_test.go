package faults_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// crowd is how many callers share the connections of a client here: enough for a
// connection to be acquired as soon as it is free.
const crowd = 16

// An HTTP/1.1 connection is not reused after a 5xx. A call to which net/http has
// given it already must succeed on another one.
func TestConnection_AfterServerError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"with a body": `{"error":"trouble"}`, "without a body": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := authority(t).Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
				x.Execute()
				x.Reply(http.StatusInternalServerError, body)
			})
			require.NoError(t, err)
			defer server.Close()
			client, err := server.NewClient()
			require.NoError(t, err)
			defer client.Close()
			enroll := calls.To(aimbrain.EndpointFaceEnroll)
			const calls = 150 // of each caller
			inParallel(crowd, func(n int) {
				for i := range calls {
					_, err := enroll.Do(t.Context(), client, n*calls+i)
					var broken *aimbrain.APIError
					if !assert.ErrorAs(t, err, &broken) {
						return
					}
				}
			})
			assert.Equal(t, crowd*calls, server.Executed(), "executions: each call must reach the server exactly once")
		})
	}
}

// The second response of a server or a gateway that responds twice to one request,
// with another user's score, arrives before the next request on the connection.
func TestConnection_SecondResponse(t *testing.T) {
	t.Parallel()
	server, err := authority(t).Serve(faults.Setup{Protocol: faults.HTTP1}, func(x *faults.Exchange) {
		x.Execute()
		var both string
		for _, user := range []int{x.User, 999_999} {
			body := calls.To(x.Endpoint).Response(user)
			both += raw200("Content-Length: "+strconv.Itoa(len(body))+"\r\n") + body
		}
		x.Raw(both)
		x.Stall()
	})
	require.NoError(t, err)
	defer server.Close()
	client, err := server.NewClient(quick()...)
	require.NoError(t, err)
	defer client.Close()
	auth := calls.To(aimbrain.EndpointFaceAuth)
	var right, lost atomic.Int64
	inParallel(crowd, func(n int) {
		for i := range 200 {
			user := n*1000 + i
			result, err := auth.Do(t.Context(), client, user)
			if err != nil {
				lost.Add(1)
				assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "%v", err)
				continue
			}
			right.Add(1)
			if !assert.NoError(t, auth.Check(user, result)) {
				return
			}
		}
	})
	assert.Positive(t, right.Load(), "no call succeeded: the test shows nothing")
	t.Logf("%d right, %d lost", right.Load(), lost.Load())
}

func TestClient_ThousandGoroutines(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{faults.HTTP1, faults.HTTP2} {
		server, err := authority(t).Serve(faults.Setup{Protocol: protocol}, (*faults.Exchange).Good)
		require.NoError(t, err)
		defer server.Close()
		client, err := server.NewClient(aimbrain.WithTimeout(2*time.Minute), aimbrain.WithAttemptTimeout(time.Minute))
		require.NoError(t, err)
		defer client.Close()
		all := calls.All()
		do := func(n int) {
			call := all[n%len(all)]
			result, err := call.Do(t.Context(), client, n)
			if assert.NoError(t, err) {
				assert.NoError(t, call.Check(n, result))
			}
		}
		do(0) // the callers use an existing connection: a busy server refuses some of a thousand concurrent handshakes
		inParallel(999, func(n int) { do(n + 1) })
		if protocol == faults.HTTP2 {
			assert.Equal(t, 1, server.Conns(), "all share a connection")
		}
		assert.Equal(t, 1000, server.Executed(), "executions of 1,000 calls")
	}
}
