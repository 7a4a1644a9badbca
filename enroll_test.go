package aimbrain_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// An enroller is EnrollAndConfirm of one module.
type enroller struct {
	module   aimbrain.Module
	endpoint string
	enroll   func(context.Context, *aimbrain.Client, aimbrain.Session, aimbrain.SessionRequest, ...aimbrain.CallOption) (aimbrain.Enrollment, error)
}

func enrollers() []enroller {
	return []enroller{
		{
			module: aimbrain.ModuleFace, endpoint: aimbrain.EndpointFaceEnroll,
			enroll: func(ctx context.Context, c *aimbrain.Client, s aimbrain.Session, user aimbrain.SessionRequest, opts ...aimbrain.CallOption) (aimbrain.Enrollment, error) {
				return c.Face.EnrollAndConfirm(ctx, s, user, aimbrain.Photos(aimbraintest.FacePhoto("ada"), aimbraintest.FacePhoto("ada", aimbraintest.Variant(1))), opts...)
			},
		},
		{
			module: aimbrain.ModuleVoice, endpoint: aimbrain.EndpointVoiceEnroll,
			enroll: func(ctx context.Context, c *aimbrain.Client, s aimbrain.Session, user aimbrain.SessionRequest, opts ...aimbrain.CallOption) (aimbrain.Enrollment, error) {
				return c.Voice.EnrollAndConfirm(ctx, s, user, aimbrain.Recordings(aimbraintest.VoiceWAV("ada"), aimbraintest.VoiceWAV("ada", aimbraintest.Variant(1))), opts...)
			},
		},
	}
}

func newUser() aimbrain.SessionRequest {
	return aimbrain.SessionRequest{UserID: "u-81f3", Device: "d", System: "s"}
}

// An enrolment is one enrolment of a test in a bubble.
type enrolment struct {
	enroller
	t       *testing.T
	fake    *aimbraintest.Fake
	client  *aimbrain.Client
	session aimbrain.Session // before the enrolment
	first   error            // the error of the enrolment's attempt
	began   time.Time
}

// forEachModule runs a test for the face and for the voice, each in its own bubble
// and with a user who is not enrolled.
func forEachModule(t *testing.T, test func(e *enrolment), opts ...aimbraintest.Option) {
	t.Helper()
	for _, module := range enrollers() {
		t.Run(module.module.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &enrolment{enroller: module, t: t, fake: aimbraintest.New(t, opts...)}
				e.client = e.fake.Client(aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) {
					if a.Endpoint == module.endpoint {
						e.first = a.Err
					}
				}))
				e.newSession()
				test(e)
			})
		})
	}
}

func (e *enrolment) newSession() {
	e.t.Helper()
	session, err := e.client.Sessions.Create(e.t.Context(), newUser())
	require.NoError(e.t, err)
	e.session, e.began = session, time.Now()
}

func (e *enrolment) run(ctx context.Context, opts ...aimbrain.CallOption) (aimbrain.Enrollment, error) {
	return e.enroll(ctx, e.client, e.session, newUser(), opts...)
}

// polls returns the number of session requests after the first.
func (e *enrolment) polls() int { return len(e.fake.RequestsTo(aimbrain.EndpointSessions)) - 1 }

func (e *enrolment) took() time.Duration { return time.Since(e.began) }

// confirmed asserts that an enrolment was found by its status and was processed
// once.
func (e *enrolment) confirmed(got aimbrain.Enrollment, err error, status aimbrain.ModuleStatus) {
	e.t.Helper()
	require.NoError(e.t, err)
	require.NotNil(e.t, got.Session)
	assert.Equal(e.t, status, got.Session.Status(e.module))
	assert.NotEmpty(e.t, got.Session.ID)
	assert.Zero(e.t, got.Samples)
	e.fake.AssertCount(e.t, e.endpoint, 1)
}

// unchanged asserts that the error of the enrolment itself was returned, as the
// same value.
func (e *enrolment) unchanged(got aimbrain.Enrollment, err error) {
	e.t.Helper()
	require.Error(e.t, err)
	require.Error(e.t, e.first)
	assert.True(e.t, err == e.first, "%v is not the error of the enrolment: %v", err, e.first) //nolint:errorlint,testifylint // the same value
	assert.Zero(e.t, got)
	e.fake.AssertCount(e.t, e.endpoint, 1)
}

func TestEnrollAndConfirm_ResponseArrives(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		got, err := e.run(e.t.Context(), aimbrain.WithConfirmTime(time.Minute), aimbrain.WithMetadata([]byte("branch 7")))
		require.NoError(e.t, err)
		assert.Equal(e.t, aimbrain.Enrollment{Samples: 2}, got)
		assert.Zero(e.t, e.polls())
		assert.Contains(e.t, string(e.fake.RequestsTo(e.endpoint)[0].Body), `"metadata"`)
	})
}

func TestEnrollAndConfirm_ProcessedAndResponseLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stub     aimbraintest.Stub
		deadline time.Duration // of the caller's context, 0 means none
	}{
		"connection broken":                {stub: aimbraintest.LostResponse()},
		"response cut off":                 {stub: aimbraintest.CutOff()},
		"no response within the attempt":   {stub: aimbraintest.Stall()},
		"the caller's deadline passed":     {stub: aimbraintest.Stall(), deadline: 5 * time.Second},
		"broken as the deadline passes by": {stub: aimbraintest.LostResponse().After(4900 * time.Millisecond), deadline: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.fake.Queue(c.stub.On(e.endpoint))
				ctx := e.t.Context()
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				got, err := e.run(ctx)
				e.confirmed(got, err, aimbrain.Enrolled)
				assert.Equal(e.t, 1, e.fake.Processed(e.endpoint))
				assert.Equal(e.t, 1, e.polls())
				if c.deadline > 0 {
					assert.Error(e.t, ctx.Err(), "the polling continued after the context ended")
				}
			})
		})
	}
}

func TestEnrollAndConfirm_CancelledByCaller(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		type key struct{}
		e.fake.Queue(aimbraintest.Stall().On(e.endpoint))
		seen := 0
		client := e.fake.Client(aimbrain.WithObserver(func(ctx context.Context, a aimbrain.Attempt) {
			if a.Endpoint == aimbrain.EndpointSessions {
				seen++
				assert.Equal(e.t, "trace-7", ctx.Value(key{}), "the values of the caller's context")
				assert.NoError(e.t, ctx.Err(), "the end of the caller's context does not apply")
			}
		}))
		ctx, cancel := context.WithCancel(context.WithValue(e.t.Context(), key{}, "trace-7"))
		time.AfterFunc(time.Second, cancel)
		got, err := e.enroll(ctx, client, e.session, newUser())
		e.confirmed(got, err, aimbrain.Enrolled)
		assert.Equal(e.t, 1, seen)
	})
}

func TestEnrollAndConfirm_Building(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		e.fake.Queue(aimbraintest.LostResponse().On(e.endpoint))
		got, err := e.run(e.t.Context())
		e.confirmed(got, err, aimbrain.Building)
	}, aimbraintest.WithTemplateDelay(time.Hour))
}

func TestEnrollAndConfirm_ProcessedLate(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		e.fake.Queue(aimbraintest.Reset().On(e.endpoint))
		time.AfterFunc(90*time.Second, func() { e.fake.Enroll(newUser().UserID, "ada") })
		got, err := e.run(e.t.Context())
		e.confirmed(got, err, aimbrain.Enrolled)
		assert.GreaterOrEqual(e.t, e.took(), 90*time.Second)
		assert.LessOrEqual(e.t, e.took(), 105*time.Second)
	})
}

func TestEnrollAndConfirm_NeverProcessed(t *testing.T) {
	t.Parallel()
	for name, stub := range map[string]aimbraintest.Stub{
		"connection broken": aimbraintest.Reset(),
		"500":               aimbraintest.Status(http.StatusInternalServerError),
		"a gateway's 504":   aimbraintest.Raw(http.StatusGatewayTimeout, "text/html", "<html>"),
		"200 in HTML":       aimbraintest.Raw(http.StatusOK, "text/html", "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.fake.Queue(stub.On(e.endpoint))
				got, err := e.run(e.t.Context())
				e.unchanged(got, err)
				assert.Equal(e.t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
				assert.GreaterOrEqual(e.t, e.took(), aimbrain.DefaultConfirmTime-5*time.Second)
				assert.LessOrEqual(e.t, e.took(), aimbrain.DefaultConfirmTime)

				requests := e.fake.RequestsTo(aimbrain.EndpointSessions)
				assert.Greater(e.t, len(requests), 8)
				assert.Less(e.t, len(requests), 25)
				var longest time.Duration
				for i := range requests[1:] {
					longest = max(longest, requests[i+1].At.Sub(requests[i].At))
				}
				assert.Less(e.t, requests[2].At.Sub(requests[1].At), 2*time.Second, "it begins with short waits")
				assert.Greater(e.t, longest, 7*time.Second, "later waits are longer")
				assert.LessOrEqual(e.t, longest, 15*time.Second)
			})
		})
	}
}

func TestEnrollAndConfirm_PollFailsForNow(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		e.fake.Queue(
			aimbraintest.LostResponse().On(e.endpoint),
			aimbraintest.Status(http.StatusInternalServerError).On(aimbrain.EndpointSessions),
			aimbraintest.Reset().On(aimbrain.EndpointSessions),
			aimbraintest.Stall().On(aimbrain.EndpointSessions),
			aimbraintest.Status(http.StatusTooManyRequests).Times(3).On(aimbrain.EndpointSessions), // three attempts
			aimbraintest.Status(http.StatusRequestTimeout).On(aimbrain.EndpointSessions),
			aimbraintest.Raw(http.StatusOK, "text/html", "<html>").On(aimbrain.EndpointSessions),
		)
		got, err := e.run(e.t.Context())
		e.confirmed(got, err, aimbrain.Enrolled)
		assert.Equal(e.t, 9, e.polls())
	})
}

func TestEnrollAndConfirm_PollAlwaysFails(t *testing.T) {
	t.Parallel()
	for name, stub := range map[string]aimbraintest.Stub{
		"connection broken": aimbraintest.Reset(),
		"no response":       aimbraintest.Stall(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake, err := aimbraintest.Start() // queued stubs may remain unused
				require.NoError(t, err)
				defer fake.Close()
				client := fake.Client()
				session, err := client.Sessions.Create(t.Context(), newUser())
				require.NoError(t, err)
				fake.Queue(aimbraintest.CutOff().On(aimbrain.EndpointFaceEnroll), stub.Times(1000).On(aimbrain.EndpointSessions))
				began := time.Now()
				_, err = client.Face.EnrollAndConfirm(t.Context(), session, newUser(), aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.WithConfirmTime(50*time.Second))
				var network *aimbrain.NetworkError
				require.ErrorAs(t, err, &network)
				assert.Equal(t, aimbrain.EndpointFaceEnroll, network.Endpoint)
				assert.LessOrEqual(t, time.Since(began), 50*time.Second)
				assert.GreaterOrEqual(t, time.Since(began), 45*time.Second)
				assert.Equal(t, 1, fake.Processed(aimbrain.EndpointFaceEnroll))
			})
		})
	}
}

func TestEnrollAndConfirm_PollIsRefused(t *testing.T) {
	t.Parallel()
	for name, stub := range map[string]aimbraintest.Stub{
		"400":      aimbraintest.Status(http.StatusBadRequest),
		"401":      aimbraintest.Status(http.StatusUnauthorized),
		"403":      aimbraintest.Status(http.StatusForbidden),
		"redirect": aimbraintest.Raw(http.StatusFound, "text/html", "").WithHeader("Location", "https://elsewhere.example/"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.fake.Queue(aimbraintest.LostResponse().On(e.endpoint), stub.On(aimbrain.EndpointSessions))
				got, err := e.run(e.t.Context())
				e.unchanged(got, err)
				assert.Equal(e.t, 1, e.polls())
				assert.LessOrEqual(e.t, e.took(), time.Second)
			})
		})
	}
}

func TestEnrollAndConfirm_PollIsRefusedAfterAnUnknownAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		policy := aimbrain.DefaultRetryPolicy()
		policy.RetryUnknownOutcome = []string{aimbrain.EndpointSessions}
		client := fake.Client(aimbrain.WithRetry(policy))
		session, err := client.Sessions.Create(t.Context(), newUser())
		require.NoError(t, err)
		fake.Queue(
			aimbraintest.LostResponse().On(aimbrain.EndpointFaceEnroll),
			aimbraintest.Reset().On(aimbrain.EndpointSessions),
			aimbraintest.Status(http.StatusUnauthorized).On(aimbrain.EndpointSessions),
		)
		_, err = client.Face.EnrollAndConfirm(t.Context(), session, newUser(), aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		require.Error(t, err)
		fake.AssertCount(t, aimbrain.EndpointSessions, 3)
	})
}

func TestEnrollAndConfirm_InvalidUser(t *testing.T) {
	t.Parallel()
	forEachModule(t, func(e *enrolment) {
		e.fake.Queue(aimbraintest.LostResponse().On(e.endpoint))
		got, err := e.enroll(e.t.Context(), e.client, e.session, aimbrain.SessionRequest{})
		e.unchanged(got, err)
		assert.Zero(e.t, e.polls())
		assert.LessOrEqual(e.t, e.took(), time.Second)
	})
}

func TestEnrollAndConfirm_RetryAfter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header    string
		confirmed bool
	}{
		"within the time": {header: "30", confirmed: true},
		"beyond the time": {header: "3600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.fake.Queue(
					aimbraintest.LostResponse().On(e.endpoint),
					aimbraintest.Status(http.StatusServiceUnavailable).WithHeader("Retry-After", c.header).On(aimbrain.EndpointSessions),
				)
				got, err := e.run(e.t.Context())
				if !c.confirmed {
					e.unchanged(got, err)
					assert.LessOrEqual(e.t, e.took(), time.Second, "the call does not wait")
					return
				}
				e.confirmed(got, err, aimbrain.Enrolled)
				requests := e.fake.RequestsTo(aimbrain.EndpointSessions)
				require.Len(e.t, requests, 3)
				assert.GreaterOrEqual(e.t, requests[2].At.Sub(requests[1].At), 30*time.Second)
				assert.LessOrEqual(e.t, requests[2].At.Sub(requests[1].At), 32*time.Second)
			})
		})
	}
}

func TestEnrollAndConfirm_ClientIsClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		polls []aimbraintest.Stub
		close time.Duration // since the start; the enrolment takes 1 s
		ends  time.Duration
	}{
		"during the enrolment":     {close: 500 * time.Millisecond, ends: time.Second},
		"during a session request": {polls: []aimbraintest.Stub{aimbraintest.Stall()}, close: 5 * time.Second, ends: 5 * time.Second},
		"between session requests": {polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusInternalServerError).WithHeader("Retry-After", "60")}, close: 9 * time.Second, ends: 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.fake.Queue(aimbraintest.CutOff().After(time.Second).On(e.endpoint))
				for _, stub := range c.polls {
					e.fake.Queue(stub.On(aimbrain.EndpointSessions))
				}
				time.AfterFunc(c.close, func() { _ = e.client.Close() })
				got, err := e.run(e.t.Context())
				e.unchanged(got, err)
				assert.Equal(e.t, c.ends, e.took(), "it ends at once")
				assert.Equal(e.t, len(c.polls), e.polls())
			})
		})
	}
}

func TestEnrollAndConfirm_ConcurrentPollsAreSerial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := aimbraintest.New(t)
		client := fake.Client()
		session, err := client.Sessions.Create(t.Context(), newUser())
		require.NoError(t, err)
		const callers = 100
		fake.Queue(aimbraintest.LostResponse().Times(callers).On(aimbrain.EndpointFaceEnroll))
		photo := aimbraintest.FacePhoto("ada")
		var running sync.WaitGroup
		for range callers {
			running.Go(func() {
				_, err := client.Face.EnrollAndConfirm(t.Context(), session, newUser(), aimbrain.Photos(photo))
				assert.NoError(t, err)
			})
		}
		running.Wait()
		tenths := map[time.Duration]int{}
		for _, r := range fake.RequestsTo(aimbrain.EndpointSessions)[1:] {
			tenths[r.At.Sub(r.At.Truncate(time.Second))/(100*time.Millisecond)]++
		}
		assert.GreaterOrEqual(t, len(tenths), 5)
		for _, n := range tenths {
			assert.Less(t, n, callers/2)
		}
	})
}

func TestEnrollAndConfirm_DoesNotPoll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stub    aimbraintest.Stub
		status  aimbrain.ModuleStatus // before the enrolment
		opts    []aimbrain.CallOption
		outcome aimbrain.Outcome
	}{
		"no time to ask":    {stub: aimbraintest.LostResponse(), opts: []aimbrain.CallOption{aimbrain.WithConfirmTime(0)}},
		"enrolled before":   {stub: aimbraintest.LostResponse(), status: aimbrain.Enrolled},
		"building before":   {stub: aimbraintest.LostResponse(), status: aimbrain.Building},
		"an unknown status": {stub: aimbraintest.LostResponse(), status: 7},
		"media rejected":    {stub: aimbraintest.Status(http.StatusUnprocessableEntity), outcome: aimbrain.OutcomeRefused},
		"session expired":   {stub: aimbraintest.Status(http.StatusForbidden), outcome: aimbrain.OutcomeRefused},
		"unauthorized":      {stub: aimbraintest.Status(http.StatusUnauthorized), outcome: aimbrain.OutcomeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				e.session.Face, e.session.Voice = c.status, c.status
				e.fake.Queue(c.stub.On(e.endpoint))
				got, err := e.run(e.t.Context(), c.opts...)
				e.unchanged(got, err)
				assert.Equal(e.t, c.outcome, aimbrain.OutcomeOf(err))
				assert.Zero(e.t, e.polls())
				assert.Zero(e.t, e.took(), "it returns at once")
			})
		})
	}
}

func TestEnrollAndConfirm_NotSent(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		opts []aimbrain.CallOption
	}{
		"context ended":    {ctx: ended},
		"no context":       {},
		"a nil option":     {ctx: t.Context(), opts: []aimbrain.CallOption{nil}},
		"negative time":    {ctx: t.Context(), opts: []aimbrain.CallOption{aimbrain.WithConfirmTime(-1)}},
		"a refused opt-in": {ctx: t.Context(), opts: []aimbrain.CallOption{aimbrain.WithRetryUnknownOutcome()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, module := range enrollers() {
				fake := aimbraintest.New(t)
				_, err := module.enroll(c.ctx, fake.Client(), aimbrain.Session{ID: sessionID}, newUser(), c.opts...)
				require.Error(t, err)
				assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
				fake.AssertNoRequests(t)
			}
		})
	}
}

func TestEnrollAndConfirm_RetriedOnNotSentEnrolsOnce(t *testing.T) {
	t.Parallel()
	for name, stub := range map[string]aimbraintest.Stub{
		"lost":    aimbraintest.LostResponse(),
		"stalled": aimbraintest.Stall(),
		"cut off": aimbraintest.CutOff(),
	} {
		for name, poll := range map[string]aimbraintest.Stub{
			name + ", and it is confirmed":        aimbraintest.Delay(0),
			name + ", and the poll is refused":    aimbraintest.Status(http.StatusUnauthorized),
			name + ", and the poll fails":         aimbraintest.Reset(),
			name + ", and the poll gets no reply": aimbraintest.Stall(),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				forEachModule(t, func(e *enrolment) {
					e.fake.Queue(stub.On(e.endpoint), poll.On(aimbrain.EndpointSessions))
					for range 3 {
						ctx, cancel := context.WithTimeout(e.t.Context(), 5*time.Second)
						_, err := e.run(ctx)
						cancel()
						if aimbrain.OutcomeOf(err) != aimbrain.OutcomeNotSent {
							break
						}
					}
					assert.Equal(e.t, 1, e.fake.Processed(e.endpoint))
					e.fake.AssertCount(e.t, e.endpoint, 1)
				})
			})
		}
	}
}

func TestWithConfirmTime_OnAnotherCall(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, "{}")
	refused := func(err error) {
		t.Helper()
		var request *aimbrain.RequestError
		require.ErrorAs(t, err, &request)
		assert.Equal(t, "WithConfirmTime", request.Argument)
	}
	for _, c := range calls.All() {
		for _, d := range []time.Duration{-1, 0, time.Minute} {
			_, err := c.DoRecorded(t.Context(), client, aimbrain.WithConfirmTime(d))
			refused(err)
		}
	}
	_, err := client.Forward(t.Context(), aimbrain.EndpointScore, []byte(`{"session":"s"}`), aimbrain.WithConfirmTime(time.Minute))
	refused(err)
	assert.Zero(t, transport.GetTotalCallCount())
}

func TestWaitWhileBuilding_TemplateIsBuilt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delay time.Duration
		polls []aimbraintest.Stub
	}{
		"at once":                    {},
		"after a while":              {delay: 40 * time.Second},
		"after requests that failed": {delay: 10 * time.Second, polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusServiceUnavailable), aimbraintest.Reset()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				_, err := e.run(e.t.Context())
				require.NoError(e.t, err)
				for _, stub := range c.polls {
					e.fake.Queue(stub.On(aimbrain.EndpointSessions))
				}
				session, err := e.client.Sessions.WaitWhileBuilding(e.t.Context(), newUser(), e.module, time.Minute)
				require.NoError(e.t, err)
				assert.Equal(e.t, aimbrain.Enrolled, session.Status(e.module))
				assert.GreaterOrEqual(e.t, e.took(), c.delay)
				assert.LessOrEqual(e.t, e.took(), c.delay+16*time.Second)
			}, aimbraintest.WithTemplateDelay(c.delay))
		})
	}
}

func TestWaitWhileBuilding_ClientOfSeveralBubbles(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"session":"s","face":1,"voice":0,"behaviour":0}`) // made outside of the bubbles
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			_, err := client.Sessions.WaitWhileBuilding(t.Context(), newUser(), aimbrain.ModuleFace, time.Minute)
			require.NoError(t, err)
		})
	}
	assert.Equal(t, 2, transport.GetTotalCallCount())
}

func TestWaitWhileBuilding_NotBuilding(t *testing.T) {
	t.Parallel()
	for _, module := range []aimbrain.Module{aimbrain.ModuleFace, aimbrain.ModuleVoice, aimbrain.ModuleBehaviour} {
		t.Run(module.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := aimbraintest.New(t)
				session, err := fake.Client().Sessions.WaitWhileBuilding(t.Context(), newUser(), module, time.Minute)
				require.NoError(t, err)
				assert.Equal(t, aimbrain.NotEnrolled, session.Status(module))
				fake.AssertCount(t, aimbrain.EndpointSessions, 1)
			})
		})
	}
}

func TestWaitWhileBuilding_Ends(t *testing.T) {
	t.Parallel()
	why := errors.New("the app was closed")
	for name, c := range map[string]struct {
		polls []aimbraintest.Stub // after one response that says "building"
		ends  func(*aimbrain.Client, context.CancelCauseFunc)
		is    []error
		not   error
		least time.Duration
		most  time.Duration
	}{
		"at the limit": {is: []error{aimbrain.ErrTotalTimeout, context.DeadlineExceeded}, not: aimbrain.ErrServerError, least: 55 * time.Second, most: time.Minute},
		"at the limit, after a request that failed": {
			polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusServiceUnavailable).WithHeader("Retry-After", "100")},
			is:    []error{aimbrain.ErrTotalTimeout, aimbrain.HTTPStatus(503)}, not: context.Canceled, most: 5 * time.Second,
		},
		"at the limit, during a request": {
			polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusServiceUnavailable).WithHeader("Retry-After", "45"), aimbraintest.Stall()},
			is:    []error{aimbrain.ErrTotalTimeout}, not: context.Canceled, least: time.Minute, most: time.Minute,
		},
		"refused": {
			polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusUnauthorized)},
			is:    []error{aimbrain.ErrUnauthorized}, not: aimbrain.ErrTotalTimeout, most: 5 * time.Second,
		},
		"cancelled": {
			ends: func(_ *aimbrain.Client, cancel context.CancelCauseFunc) { cancel(why) },
			is:   []error{context.Canceled, why}, not: aimbrain.ErrTotalTimeout, least: 20 * time.Second, most: 20 * time.Second,
		},
		"closed": {
			ends: func(client *aimbrain.Client, _ context.CancelCauseFunc) { _ = client.Close() },
			is:   []error{aimbrain.ErrClosed}, not: aimbrain.ErrTotalTimeout, least: 20 * time.Second, most: 20 * time.Second,
		},
		"closed during a request": {
			polls: []aimbraintest.Stub{aimbraintest.Status(http.StatusServiceUnavailable).WithHeader("Retry-After", "10"), aimbraintest.Stall()},
			ends:  func(client *aimbrain.Client, _ context.CancelCauseFunc) { _ = client.Close() },
			is:    []error{aimbrain.ErrClosed}, not: aimbrain.ErrTotalTimeout, least: 20 * time.Second, most: 20 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachModule(t, func(e *enrolment) {
				_, err := e.run(e.t.Context())
				require.NoError(e.t, err)
				e.fake.Queue(aimbraintest.Delay(0).On(aimbrain.EndpointSessions))
				for _, stub := range c.polls {
					e.fake.Queue(stub.On(aimbrain.EndpointSessions))
				}
				ctx, cancel := context.WithCancelCause(e.t.Context())
				defer cancel(nil)
				if c.ends != nil {
					time.AfterFunc(20*time.Second, func() { c.ends(e.client, cancel) })
				}
				session, err := e.client.Sessions.WaitWhileBuilding(ctx, newUser(), e.module, time.Minute)
				for _, target := range c.is {
					require.ErrorIs(e.t, err, target)
				}
				require.NotErrorIs(e.t, err, c.not)
				assert.Equal(e.t, aimbrain.Building, session.Status(e.module), "the last session comes with the error")
				assert.GreaterOrEqual(e.t, e.took(), c.least)
				assert.LessOrEqual(e.t, e.took(), c.most)
			}, aimbraintest.WithTemplateDelay(time.Hour))
		})
	}
}

func TestWaitWhileBuilding_InvalidArguments(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		user   aimbrain.SessionRequest
		module aimbrain.Module
		limit  time.Duration
	}{
		"no context":       {user: newUser(), module: aimbrain.ModuleFace, limit: time.Minute},
		"an ended context": {ctx: ended, user: newUser(), module: aimbrain.ModuleFace, limit: time.Minute},
		"no user":          {ctx: t.Context(), module: aimbrain.ModuleFace, limit: time.Millisecond},
		"no module":        {ctx: t.Context(), user: newUser(), limit: time.Minute},
		"another module":   {ctx: t.Context(), user: newUser(), module: 4, limit: time.Minute},
		"no limit":         {ctx: t.Context(), user: newUser(), module: aimbrain.ModuleFace},
		"negative limit":   {ctx: t.Context(), user: newUser(), module: aimbrain.ModuleFace, limit: -time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			session, err := fake.Client().Sessions.WaitWhileBuilding(c.ctx, c.user, c.module, c.limit)
			require.Error(t, err)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.Zero(t, session)
			fake.AssertNoRequests(t)
		})
	}
}

func TestSession_StatusOfAModule(t *testing.T) {
	t.Parallel()
	session := aimbrain.Session{Face: aimbrain.Enrolled, Voice: aimbrain.Building, Behaviour: 7}
	assert.Equal(t, aimbrain.Enrolled, session.Status(aimbrain.ModuleFace))
	assert.Equal(t, aimbrain.Building, session.Status(aimbrain.ModuleVoice))
	assert.Equal(t, aimbrain.ModuleStatus(7), session.Status(aimbrain.ModuleBehaviour))
	for _, none := range []aimbrain.Module{-1, 0, 4} {
		assert.False(t, slices.Contains([]aimbrain.ModuleStatus{aimbrain.NotEnrolled, aimbrain.Enrolled, aimbrain.Building}, session.Status(none)), "%v", none)
	}
	assert.Equal(t, "face voice behaviour Module(0)", aimbrain.ModuleFace.String()+" "+aimbrain.ModuleVoice.String()+" "+aimbrain.ModuleBehaviour.String()+" "+aimbrain.Module(0).String())
}
