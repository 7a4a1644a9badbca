package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRun_ConfirmsALostResponse(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, "the handler responds: 202 Accepted queued\nafter the queue was drained: 200 OK enrolled\nenrolments that were processed: 1\n", out.String())
}

// byHeader returns the user of a header, as a log-in does of a token.
func byHeader(r *http.Request) (aimbrain.SessionRequest, bool) {
	id := r.Header.Get("User")
	return aimbrain.SessionRequest{UserID: id, Device: "d", System: "s"}, id != ""
}

func post(t *testing.T, e *enroller, user string) int {
	t.Helper()
	body, err := json.Marshal(map[string][][]byte{"faces": {aimbraintest.FacePhoto("ada")}})
	require.NoError(t, err)
	return serve(t, e.enrol, user, string(body)).Code
}

func statusOf(t *testing.T, e *enroller, user string) string {
	t.Helper()
	return strings.TrimSpace(serve(t, e.status, user, "").Body.String())
}

func serve(t *testing.T, handler http.HandlerFunc, user, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/enrolment", strings.NewReader(body))
	r.Header.Set("User", user)
	handler(w, r)
	return w
}

// shut shuts an enroller down with a time limit.
func shut(t *testing.T, e *enroller, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return e.shutdown(ctx)
}

func TestEnroller_StoresTheResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stub      aimbraintest.Stub
		want      state
		processed int
	}{
		"response":        {stub: aimbraintest.Delay(time.Second), want: enrolled, processed: 1},
		"response lost":   {stub: aimbraintest.LostResponse(), want: enrolled, processed: 1},
		"no response":     {stub: aimbraintest.Stall(), want: enrolled, processed: 1},
		"never processed": {stub: aimbraintest.Reset(), want: unknown},
		"media rejected":  {stub: aimbraintest.Code(aimbrain.CodePoorBrightness), want: retake},
		"unauthorized":    {stub: aimbraintest.Status(http.StatusUnauthorized), want: failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t, aimbraintest.WithTemplateDelay(30*time.Second))
				fake.Queue(c.stub.On(aimbrain.EndpointFaceEnroll))
				e := newEnroller(fake.Client(), byHeader, 1, 1)
				assert.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
				require.NoError(t, shut(t, e, time.Hour))
				assert.Equal(t, string(c.want), statusOf(t, e, "u-1"))
				assert.Equal(t, c.processed, fake.Processed(aimbrain.EndpointFaceEnroll))
				fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)
			})
		})
	}
}

func TestEnroller_ChecksTheStatusAfterAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Reset().On(aimbrain.EndpointFaceEnroll))
		e := newEnroller(fake.Client(), byHeader, 1, 1)
		require.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
		after(t, 3*time.Minute)
		require.Equal(t, "unknown", statusOf(t, e, "u-1"))
		require.Equal(t, http.StatusConflict, post(t, e, "u-1"), "the API may still process the first one")
		fake.Enroll("u-1", "ada") // the first one was processed
		after(t, settles)
		require.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
		require.NoError(t, shut(t, e, time.Hour))
		assert.Equal(t, "enrolled", statusOf(t, e, "u-1"))
		fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)
	})
}

// after waits for a duration in a bubble.
func after(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}

func TestEnroller_RefusesASecondEnrolmentOfTheUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t, aimbraintest.WithTemplateDelay(time.Minute))
		fake.Queue(aimbraintest.Delay(10 * time.Second).On(aimbrain.EndpointFaceEnroll))
		e := newEnroller(fake.Client(), byHeader, 2, 2)
		require.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
		after(t, time.Second)
		assert.Equal(t, "queued", statusOf(t, e, "u-1"))
		assert.Equal(t, http.StatusConflict, post(t, e, "u-1"))
		after(t, 20*time.Second)
		assert.Equal(t, "building", statusOf(t, e, "u-1"))
		assert.Equal(t, http.StatusConflict, post(t, e, "u-1"))
		require.NoError(t, shut(t, e, time.Hour))
		assert.Equal(t, "enrolled", statusOf(t, e, "u-1"))
		fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)
	})
}

func TestEnroller_RefusesWhenTheQueueIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Delay(10 * time.Second).On(aimbrain.EndpointFaceEnroll))
		e := newEnroller(fake.Client(), byHeader, 1, 1)
		require.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
		synctest.Wait() // a worker has taken it
		require.Equal(t, http.StatusAccepted, post(t, e, "u-2"))
		assert.Equal(t, http.StatusServiceUnavailable, post(t, e, "u-3"))
		require.NoError(t, shut(t, e, time.Hour))
		assert.Equal(t, "enrolled", statusOf(t, e, "u-1"))
		assert.Equal(t, "enrolled", statusOf(t, e, "u-2"), "the shutdown drains the queue")
		assert.Equal(t, http.StatusNotFound, serve(t, e.status, "u-3", "").Code)
		assert.Equal(t, http.StatusServiceUnavailable, post(t, e, "u-3"), "new enrolments are refused after it")
	})
}

func TestEnroller_ShutdownEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Reset().On(aimbrain.EndpointFaceEnroll)) // the confirmation takes 2 minutes
		e := newEnroller(fake.Client(), byHeader, 1, 1)
		require.Equal(t, http.StatusAccepted, post(t, e, "u-1"))
		synctest.Wait()
		require.Equal(t, http.StatusAccepted, post(t, e, "u-2"))
		began := time.Now()
		require.ErrorIs(t, shut(t, e, 20*time.Second), context.DeadlineExceeded)
		assert.Equal(t, 20*time.Second, time.Since(began))
		assert.Equal(t, "unknown", statusOf(t, e, "u-1"))
		assert.Equal(t, "failed", statusOf(t, e, "u-2"), "it was not sent")
		fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 1)
	})
}

func TestEnroller_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	e := newEnroller(fake.Client(), byHeader, 1, 1)
	assert.Equal(t, http.StatusUnauthorized, post(t, e, ""))
	assert.Equal(t, http.StatusUnauthorized, serve(t, e.status, "", "").Code)
	assert.Equal(t, http.StatusBadRequest, serve(t, e.enrol, "u-1", "{").Code)
	assert.Equal(t, http.StatusBadRequest, serve(t, e.enrol, "u-1", `{"faces":["`+strings.Repeat("A", aimbrain.MaxRequestBytes)+`"]}`).Code)
	require.NoError(t, shut(t, e, time.Minute))
	fake.AssertNoRequests(t)
}
