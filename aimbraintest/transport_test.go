package aimbraintest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heap returns the bytes of the heap that are in use.
func heap() int {
	runtime.GC()
	runtime.GC() // the second one frees what pools hold
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// A slowBody returns one byte, reports the next Read to asked, and waits.
type slowBody struct {
	given bool
	asked *sync.WaitGroup
	end   <-chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if !b.given {
		b.given = true
		p[0] = '{'
		return 1, nil
	}
	b.asked.Done()
	<-b.end
	return 0, io.ErrUnexpectedEOF
}

func (b *slowBody) Close() error { return nil }

func TestFake_AllocatesNothingForADeclaredLength(t *testing.T) { //nolint:paralleltest // it measures the heap
	fake := aimbraintest.New(t)
	const callers = 200
	var asked, ended sync.WaitGroup
	end := make(chan struct{})
	before := heap()
	for range callers {
		r := request(t, fake, "/v1/sessions", "")
		asked.Add(1)
		r.Body, r.ContentLength = &slowBody{asked: &asked, end: end}, aimbrain.MaxRequestBytes-1
		ended.Go(func() {
			defer func() { _ = recover() }() // there is no connection to break
			fake.ServeHTTP(nullWriter{}, r)
		})
	}
	asked.Wait()
	taken := heap() - before
	close(end)
	ended.Wait()
	t.Logf("%d callers that declare 2 MB and send one byte take %d kB", callers, taken>>10)
	assert.Less(t, taken, 16<<20)
}

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

func TestFakeRequests_BoundIncludesHeadersAndPaths(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1<<20)
	for _, row := range []struct {
		name string
		add  func(r *http.Request)
	}{
		{"header values", func(r *http.Request) { r.Header.Set("X-Padding", large) }},
		{"many header values", func(r *http.Request) { r.Header["X-Padding"] = []string{large[:1<<19], large[:1<<19]} }},
		{"header names", func(r *http.Request) { r.Header[large] = []string{""} }},
		{"path", func(r *http.Request) { r.URL.Path = "/" + large }},
		{"host", func(r *http.Request) { r.Host = large }},
		{"method", func(r *http.Request) { r.Method = large }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			for range 300 {
				r := request(t, fake, "/v1/sessions", "{}")
				row.add(r)
				fake.ServeHTTP(nullWriter{}, r)
			}
			kept := len(fake.Requests())
			assert.LessOrEqual(t, kept, 256)
			assert.Positive(t, kept)
		})
	}
}

func TestFakeRequests_BoundIncludesEmptyHeaderValues(t *testing.T) {
	t.Parallel()
	assert.GreaterOrEqual(t, aimbraintest.SizeOf(aimbraintest.Request{Header: http.Header{"X": make([]string, 1<<16)}}), 1<<20)
}

func TestFakeRequests_BodyTakesNoMoreMemoryThanItsLength(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for _, size := range []int{1, 511, 512, 513, 5000, 70_000, 1_050_000, 1_999_999} {
		for _, declared := range []int64{int64(size), -1} {
			r := request(t, fake, "/v1/score", strings.Repeat("x", size))
			r.ContentLength = declared
			fake.ServeHTTP(nullWriter{}, r)
			requests := fake.Requests()
			body := requests[len(requests)-1].Body
			require.Len(t, body, size)
			assert.LessOrEqual(t, cap(body), size+size/4+512, "%d bytes, declared as %d", size, declared)
		}
	}
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
