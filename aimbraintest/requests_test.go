package aimbraintest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFakeRequests_ReturnsWhatArrived(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	fake := aimbraintest.New(t, aimbraintest.WithClock(func() time.Time { return now }))
	client := fake.Client(aimbrain.WithRegion(aimbrain.EUWest1))
	fake.AssertNoRequests(t)
	s := newSession(t, client, "u-81f3")
	first, second := aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("bob")
	_, err := client.Face.Enroll(t.Context(), s.ID, aimbrain.Photos(first, second))
	require.NoError(t, err)
	_, err = client.Face.Compare(t.Context(), aimbrain.Photos(first), aimbrain.Photos(second))
	require.NoError(t, err)
	_, err = client.Voice.Auth(t.Context(), s.ID, aimbrain.Recordings([]byte("x")))
	require.ErrorIs(t, err, aimbrain.ErrNotEnrolled)

	requests := fake.Requests()
	require.Len(t, requests, 4)
	session := requests[0]
	assert.Equal(t, "/v1/sessions", session.Endpoint)
	assert.Equal(t, "/v1/sessions", session.Path)
	assert.Equal(t, http.MethodPost, session.Method)
	assert.Equal(t, "api.eu-west-1.aimbrain.com", session.Host)
	assert.Equal(t, fake.APIKey(), session.Header.Get("X-aimbrain-apikey"))
	assert.Equal(t, now, session.At)
	assert.Equal(t, 200, session.Status)
	assert.Equal(t, "u-81f3", session.UserID())
	assert.Equal(t, "iPhone6,2", session.Member("device"))
	assert.Equal(t, "568", session.Member("screenHeight"))
	assert.Empty(t, session.Member("Device"))
	assert.Empty(t, session.Media())
	assert.Equal(t, "u-81f3", requests[1].UserID())
	assert.Equal(t, [][]byte{first, second}, requests[1].Media())
	assert.Equal(t, [][]byte{first, second}, requests[2].Media())
	assert.Empty(t, requests[2].UserID())
	assert.Equal(t, [][]byte{[]byte("x")}, requests[3].Media())
	assert.Equal(t, 424, requests[3].Status)
	assert.Equal(t, requests[1:2], fake.RequestsTo(aimbrain.EndpointFaceEnroll))
	fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)

	post(t, fake, "/v1/nothing", "no JSON")
	last := fake.Requests()[4]
	assert.Equal(t, "/v1/nothing", last.Endpoint)
	assert.Empty(t, last.Member("x"))
	assert.Nil(t, last.Media())
}

func TestFakeAssertCount_ReportsTheRequestsThatArrived(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	newSession(t, fake.Client(), "u")
	post(t, fake, "/favicon.ico", "")
	failures := (&recorderTB{TB: t}).run(func(t *recorderTB) {
		fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 2)
		fake.AssertNoRequests(t)
		fake.AssertCount(t, aimbrain.EndpointSessions, 1)
	})
	require.Len(t, failures, 2)
	assert.Contains(t, failures[0], "0 requests to /v1/face/enroll, not 2")
	assert.Contains(t, failures[0], "1 to /v1/sessions, 1 to other paths")
	assert.Contains(t, failures[1], "2 requests arrived, not 0")
}

func TestFakeWaitForRequests_ReturnsWhenRequestsHaveArrived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		client := fake.Client(once())
		fake.Queue(aimbraintest.Delay(time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := client.Sessions.Create(ctx, sessionRequest("u"))
			ended <- err
		}()
		requests, err := fake.WaitForRequests(t.Context(), 1)
		require.NoError(t, err)
		assert.Zero(t, requests[0].Status, "it is under way")
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)

		soon, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		requests, err = fake.WaitForRequests(soon, 2)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 of 2 requests have arrived")
		assert.Len(t, requests, 1)
		requests, err = fake.WaitForRequests(soon, 0)
		require.NoError(t, err)
		assert.Len(t, requests, 1)
	})
}

func TestFakeRequests_IsBounded(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	body := strings.Repeat("x", 1_999_999)
	for range 140 { // 280 MB
		fake.ServeHTTP(nullWriter{}, request(t, fake, "/v1/sessions", body))
	}
	assert.Len(t, fake.Requests(), 256<<20/1_999_999)
	for range 10_000 {
		fake.ServeHTTP(nullWriter{}, request(t, fake, "/v1/score", "{}"))
	}
	assert.Len(t, fake.Requests(), 10_000)
	fake.AssertCount(t, aimbrain.EndpointSessions, 140)
	requests, err := fake.WaitForRequests(t.Context(), 10_140)
	require.NoError(t, err)
	assert.Len(t, requests, 10_000)
}

type nullWriter struct{}

func (nullWriter) Header() http.Header         { return http.Header{} }
func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nullWriter) WriteHeader(int)             {}

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
