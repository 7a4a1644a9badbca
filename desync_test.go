package aimbrain_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// TestALateAnswerIsNotTakenForTheNextCalls plays a gateway that gives up on
// the API, and passes the API's answer on all the same when it comes.
func TestALateAnswerIsNotTakenForTheNextCalls(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	require.NoError(t, err)
	var gateway sync.WaitGroup
	defer gateway.Wait()
	defer func() { _ = listener.Close() }()
	gateway.Go(func() {
		for first := true; ; first = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			gateway.Go(func() { serveLate(conn, first) })
		}
	})
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL("http://"+listener.Addr().String()))
	require.NoError(t, err)
	defer client.Close()

	_, err = client.Face.Auth(t.Context(), "adas-session", aimbrain.Photos([]byte("ada")))
	require.ErrorIs(t, err, aimbrain.HTTPStatus(504))
	for range 20 {
		result, err := client.Face.Auth(t.Context(), "mallorys-session", aimbrain.Photos([]byte("mallory")))
		require.NoError(t, err)
		assert.InDelta(t, 0.01, result.Score, 0, "it is not ada's score")
	}
}

// serveLate answers on one connection. On the first it answers the first
// request twice: by 504, and by the score that it waited for.
func serveLate(conn net.Conn, late bool) {
	defer func() { _ = conn.Close() }()
	const score = "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n"
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if late {
			late = false
			_, _ = fmt.Fprint(conn, "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
			// It comes with the next request, at the moment when it does most harm.
			if _, err := reader.Peek(1); err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, score+`{"score":0.99,"liveliness":0.99}`)
			continue
		}
		_, _ = fmt.Fprint(conn, score+`{"score":0.01,"liveliness":0.01}`)
	}
}
