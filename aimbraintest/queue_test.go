package aimbraintest_test

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFakeQueue_KeepsTheOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(
		aimbraintest.Score(0.1).Times(2),
		aimbraintest.Status(503),
		aimbraintest.Score(0.2),
	)
	r.fake.Queue(aimbraintest.Status(500).On(aimbrain.EndpointScore))
	_, err := r.client.Sessions.Create(t.Context(), sessionRequest("u"))
	require.ErrorIs(t, err, aimbrain.HTTPStatus(503), "the first stub that fits")
	for _, want := range []float64{0.1, 0.1, 0.2} {
		result, err := r.auth()
		require.NoError(t, err)
		assert.Equal(t, want, result.Score)
	}
	_, err = r.client.Score.Get(t.Context(), r.id)
	require.ErrorIs(t, err, aimbrain.ErrServerError)
}

func TestFakeQueue_PutsAnUnusedScoreBackInItsPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.Score(0.1).Times(2), aimbraintest.Score(0.2), aimbraintest.Score(0.3))
	for _, want := range []float64{0.1, 0.1, 0.2, 0.3} {
		_, err := r.client.Face.Auth(t.Context(), "no session", ada())
		require.ErrorIs(t, err, aimbrain.ErrSessionNotFound)
		result, err := r.auth()
		require.NoError(t, err)
		assert.Equal(t, want, result.Score)
	}
}

func TestFakeQueue_UnusedStubsFailTheTest(t *testing.T) {
	t.Parallel()
	failures := (&recorderTB{TB: t}).run(func(t *recorderTB) {
		fake := aimbraintest.New(t)
		fake.Queue(
			aimbraintest.Score(0.31).WithLiveliness(0.5).On(aimbrain.EndpointFaceAuth),
			aimbraintest.Status(500).Times(3),
			aimbraintest.Code(10, 11).After(time.Second).On(aimbrain.EndpointVoiceAuth),
			aimbraintest.Delay(time.Minute), aimbraintest.Reset(), aimbraintest.Liveliness(1), aimbraintest.Raw(502, "", ""),
		)
		_, err := fake.Client(once()).Sessions.Create(t.Context(), sessionRequest("u"))
		assert.ErrorIs(t, err, aimbrain.ErrServerError)
	})
	require.Len(t, failures, 1)
	assert.Equal(t, `aimbraintest: queued stubs were never used: Score(0.31).WithLiveliness(0.5).On("/v1/face/auth"), Status(500).Times(2), `+
		`Code(10, 11).On("/v1/voice/auth").After(1s), Delay(1m0s), Reset(), Liveliness(1), Raw(502)`+"\nrequests that arrived: 1 to /v1/sessions", failures[0])

	failures = (&recorderTB{TB: t}).run(func(t *recorderTB) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Status(500))
		_, err := fake.Client(once()).Sessions.Create(t.Context(), sessionRequest("u"))
		assert.ErrorIs(t, err, aimbrain.ErrServerError)
	})
	assert.Empty(t, failures)
}

func TestStubAlways_LastsUntilClearQueue(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		stub aimbraintest.Stub
		want error
	}{
		{"NotSent", aimbraintest.NotSent().Always(), syscall.ECONNREFUSED},
		{"Status", aimbraintest.Status(503).Times(2).Always(), aimbrain.HTTPStatus(503)},
		{"on an endpoint", aimbraintest.NotSent().On(aimbrain.EndpointFaceAuth).Always(), syscall.ECONNREFUSED},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fake.Queue(row.stub)
			for range 9 {
				_, err := r.auth()
				require.ErrorIs(t, err, row.want)
			}
			require.Len(t, r.fake.Pending(), 1)
			assert.Contains(t, r.fake.Pending()[0].String(), ".Always()")
			r.fake.ClearQueue()
			_, err := r.auth()
			require.NoError(t, err)
			r.fake.Queue(row.stub.Times(1))
			_, err = r.auth()
			require.ErrorIs(t, err, row.want)
			_, err = r.auth()
			require.NoError(t, err)
		})
	}
}

func TestStubAlways_UnusedFailsTheTest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		stub aimbraintest.Stub
		call bool
		want string // "" where the test passes
	}{
		{name: "never", stub: aimbraintest.NotSent().Always(), want: "NotSent().Always()"},
		{name: "once", stub: aimbraintest.Status(500).Always(), call: true},
		{name: "score that was put back", stub: aimbraintest.Score(0.5).Always(), call: true, want: "Score(0.5).Always()"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			failures := (&recorderTB{TB: t}).run(func(t *recorderTB) {
				fake := aimbraintest.New(t)
				fake.Queue(row.stub)
				if row.call {
					_, _ = fake.Client(once()).Score.Get(t.Context(), "no session")
				}
			})
			if row.want == "" {
				assert.Empty(t, failures)
				return
			}
			require.Len(t, failures, 1)
			assert.Contains(t, failures[0], row.want)
		})
	}
}

func TestFakeClearQueue_RemovesAStubThatARequestHasTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		fake.Queue(aimbraintest.Score(0.5).After(time.Second))
		ended := make(chan error)
		client := fake.Client(once())
		go func() {
			_, err := client.Score.Get(t.Context(), "no session") // which puts the score back
			ended <- err
		}()
		_, err := fake.WaitForRequests(t.Context(), 1)
		require.NoError(t, err)
		synctest.Wait()
		fake.ClearQueue()
		require.ErrorIs(t, <-ended, aimbrain.ErrSessionNotFound)
		assert.Empty(t, fake.Pending())
	})
}
