package aimbraintest_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFake_BoundsTheMemoryOfHeaders(t *testing.T) { //nolint:paralleltest // it measures the heap
	fake := aimbraintest.New(t)
	before := heap()
	statuses := map[int]int{}
	for range 300 {
		r := request(t, fake, "/v1/sessions", sessionBody)
		r.Header.Set("X-Padding", strings.Repeat("x", 900_000))
		statuses[roundTrip(t, fake, r)]++
	}
	taken := heap() - before
	t.Logf("300 requests with 900 kB of headers take %d kB", taken>>10)
	assert.Less(t, taken, 16<<20)
	assert.Equal(t, map[int]int{http.StatusRequestHeaderFieldsTooLarge: 300}, statuses)
	fake.AssertNoRequests(t)

	r := request(t, fake, "/v1/sessions", sessionBody)
	r.Header.Set("X-Padding", strings.Repeat("x", 60_000))
	assert.Equal(t, http.StatusOK, do(t, fake, r).status)
}

// roundTrip returns the status of a response. The server may send it and close the
// connection before the request is written.
func roundTrip(t *testing.T, fake *aimbraintest.Fake, r *http.Request) int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(fake.URL(), "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	go func() { _ = r.Write(conn) }()
	response, err := http.ReadResponse(bufio.NewReader(conn), r)
	require.NoError(t, err)
	defer response.Body.Close()
	return response.StatusCode
}

func TestFake_LimitsTheTimeToReadARequest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, sent string }{
		{"half a header", "POST /v1/sessions HTTP/1.1\r\nHost: x\r\n"},
		{"half a body", "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t)
				conn, err := fake.Dial(t.Context())
				require.NoError(t, err)
				started := time.Now()
				_, err = io.WriteString(conn, row.sent)
				require.NoError(t, err)
				_, err = io.ReadAll(conn)
				require.NoError(t, err)
				assert.Equal(t, time.Minute, time.Since(started))
			})
		})
	}
}

// The limit applies to reading only. A delay of a stub and the time between two
// requests of a connection may be longer.
func TestFake_DoesNotLimitTheTimeToRespond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		client := fake.Client(once(), aimbrain.WithTimeout(24*time.Hour), aimbrain.WithAttemptTimeout(24*time.Hour))
		fake.Queue(aimbraintest.Delay(time.Hour), aimbraintest.RespondWith(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Hour):
			}
			fmt.Fprint(w, `{"session":"x","face":0,"voice":0,"behaviour":0}`)
			assert.NoError(t, r.Context().Err())
		}))
		newSession(t, client, "u")
		newSession(t, client, "u")

		conn, err := fake.Dial(t.Context())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		reader := bufio.NewReader(conn)
		for range 2 {
			_, err = io.WriteString(conn, "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
			require.NoError(t, err)
			response, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			<-time.After(time.Hour)
		}
	})
}

func TestFakeTransport_ReusesConnections(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	var got, reused, wrote int
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			got++
			if info.Reused {
				reused++
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { wrote++ },
	}
	for range 3 {
		r := request(t, fake, "/v1/sessions", sessionBody)
		assert.Equal(t, http.StatusOK, do(t, fake, r.WithContext(httptrace.WithClientTrace(r.Context(), trace))).status)
	}
	assert.Equal(t, []int{3, 2, 3}, []int{got, reused, wrote})
}

func TestWithUntrustedCertificate_IsNotRetried(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t, aimbraintest.WithUntrustedCertificate())
	_, err := fake.Client().Sessions.Create(t.Context(), sessionRequest("u"))
	var certificate *tls.CertificateVerificationError
	require.ErrorAs(t, err, &certificate)
	assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
	var network *aimbrain.NetworkError
	require.ErrorAs(t, err, &network)
	assert.Equal(t, 1, network.Attempts)
	fake.AssertNoRequests(t)
}
