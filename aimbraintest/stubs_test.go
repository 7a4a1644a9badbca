package aimbraintest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

func TestScore_AppliesToTheNextRequestThatHasAScore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	r.fake.Queue(aimbraintest.Score(0.31))
	newSession(t, r.client, "u")
	require.NoError(t, r.enroll())
	other := newSession(t, r.client, "nobody").ID
	_, err := r.client.Face.Auth(ctx, other, ada())
	require.ErrorIs(t, err, aimbrain.ErrNotEnrolled)
	_, err = r.client.Face.Auth(ctx, "no session", ada())
	require.ErrorIs(t, err, aimbrain.ErrSessionNotFound)
	_, err = r.client.Face.Auth(ctx, r.id, aimbrain.Base64("AAAA"))
	require.ErrorIs(t, err, aimbrain.ErrMediaRejected)
	_, err = r.client.Score.Get(ctx, r.id)
	require.NoError(t, err, "the response has no score yet")
	_, err = r.client.Behaviour.Auth(ctx, other, aimbraintest.Behaviour("ada", 3))
	require.NoError(t, err, "the fake is still learning the behaviour")
	assert.Len(t, r.fake.Pending(), 1)

	result, err := r.auth()
	require.NoError(t, err)
	assert.Equal(t, 0.31, result.Score)
	assert.Empty(t, r.fake.Pending())
	result, err = r.auth()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, result.Score, 0.8)
}

func TestScore_SetsEveryKindOfScore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	set := func() { r.fake.Queue(aimbraintest.Score(0).WithLiveliness(1)) }

	set()
	face, err := r.auth()
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 1}, []float64{face.Score, face.Liveliness})
	set()
	compared, err := r.client.Face.Compare(ctx, ada(), ada())
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 1, 1}, []float64{compared.Score, compared.Liveliness1, compared.Liveliness2})
	_, err = r.client.Voice.Token(ctx, r.id, aimbrain.TokenAuth)
	require.NoError(t, err)
	set()
	voice, err := r.client.Voice.Auth(ctx, r.id, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 1}, []float64{voice.Score, voice.Liveliness})
	set()
	behaviour, err := r.client.Behaviour.Auth(ctx, r.id, aimbraintest.Behaviour("ada", 3))
	require.NoError(t, err)
	assert.Equal(t, aimbrain.Enrolled, behaviour.Status)
	assert.Zero(t, behaviour.Score)
	r.fake.Queue(aimbraintest.Score(0.5))
	scores, err := r.client.Score.Get(ctx, r.id)
	require.NoError(t, err)
	require.Len(t, scores.Scores, 3)
	for _, entry := range scores.Scores {
		assert.Equal(t, 0.5, entry.Value)
	}

	r.fake.Queue(aimbraintest.Liveliness(0.2))
	face, err = r.auth()
	require.NoError(t, err)
	assert.Equal(t, 0.2, face.Liveliness)
	assert.GreaterOrEqual(t, face.Score, 0.8, "the score is left alone")
}

func TestStubOn_RestrictsTheEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.Score(0.31).On(aimbrain.EndpointFaceAuth), aimbraintest.Code(aimbrain.CodeNoFace).On(aimbrain.EndpointFaceEnroll))
	result, err := r.client.Face.Compare(t.Context(), ada(), ada())
	require.NoError(t, err)
	assert.NotEqual(t, 0.31, result.Score)
	require.ErrorIs(t, r.enroll(), aimbrain.CodeNoFace)
	face, err := r.auth()
	require.NoError(t, err)
	assert.Equal(t, 0.31, face.Score)
}

func TestCode_HasTheStatusThatGoesWithIt(t *testing.T) {
	t.Parallel()
	want := map[aimbrain.Code]int{
		105: 400, 106: 400, 150: 400, 151: 400, 107: 424, 152: 460,
		103: 500, 104: 500, 120: 500, 153: 500, 170: 500, 999: 500,
	}
	r := newRig(t)
	for _, code := range aimbrain.Codes() {
		status := want[code]
		if status == 0 {
			status = 422
		}
		r.fake.Queue(aimbraintest.Code(code).On(aimbrain.EndpointFaceAuth))
		_, err := r.auth()
		require.ErrorIs(t, err, code)
		require.ErrorIs(t, err, aimbrain.HTTPStatus(status), "code %d", code)
	}
}

func TestCode_TakesStatusMessageAndHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rows := []struct {
		outcome aimbraintest.Stub
		status  int
		body    string
	}{
		{aimbraintest.Code(aimbrain.CodePoorBrightness, aimbrain.CodeBlurry), 422, `{"error":"poor brightness","errors":[{"description":"poor brightness","code":10},{"description":"blurry","code":11}]}`},
		{aimbraintest.Code(4711), 500, `{"error":"server error","errors":[{"description":"server error","code":4711}]}`},
		{aimbraintest.Code(4711).WithStatus(422).WithMessage("new"), 422, `{"error":"new","errors":[{"description":"new","code":4711}]}`},
		{aimbraintest.Status(403), 403, `{"error":"no such session","errors":[]}`},
		{aimbraintest.Status(599), 599, `{"error":"HTTP 599","errors":[]}`},
		{aimbraintest.Status(429).WithMessage("slow down"), 429, `{"error":"slow down","errors":[]}`},
	}
	for _, row := range rows {
		r.fake.Queue(row.outcome.On(aimbrain.EndpointSessions))
		response := post(t, r.fake, "/v1/sessions", sessionBody)
		assert.Equal(t, row.status, response.status)
		assert.JSONEq(t, row.body, response.body)
		assert.Equal(t, "application/json", response.header.Get("Content-Type"))
	}
	r.fake.AssertCount(t, aimbrain.EndpointSessions, 1+len(rows))
	assert.Equal(t, 1, r.fake.Processed(aimbrain.EndpointSessions))

	r.fake.Queue(aimbraintest.Status(429).WithHeader("Retry-After", "7"))
	assert.Equal(t, "7", post(t, r.fake, "/v1/sessions", sessionBody).header.Get("Retry-After"))
	r.fake.Queue(aimbraintest.Score(0.5).WithHeader("X-Request-Id", "17"))
	result, err := r.auth()
	require.NoError(t, err)
	assert.Equal(t, "17", result.Response.Header.Get("X-Request-Id"))
}

func TestRespondWith_SendsAnyResponse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.Raw(502, "text/html", "<h1>Bad Gateway</h1>"))
	response := post(t, r.fake, "/v1/sessions", sessionBody)
	assert.Equal(t, 502, response.status)
	assert.Equal(t, "<h1>Bad Gateway</h1>", response.body)
	assert.Equal(t, "text/html", response.header.Get("Content-Type"))

	r.fake.Queue(aimbraintest.Raw(200, "", `{"score":0.1,"SCORE":0.9}`))
	response = post(t, r.fake, "/v1/face/auth", "{}")
	assert.NotContains(t, response.header, "Content-Type")
	r.fake.Queue(aimbraintest.Raw(307, "", "").WithHeader("Location", "https://evil.example/"))
	_, err := r.auth()
	var redirect *aimbrain.RedirectError
	require.ErrorAs(t, err, &redirect)
	assert.Equal(t, "evil.example", redirect.Host)

	r.fake.Queue(aimbraintest.RespondWith(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	}))
	response = post(t, r.fake, "/v1/anything", "hello")
	assert.Equal(t, http.StatusTeapot, response.status)
	assert.Equal(t, "hello", response.body)

	r.fake.Queue(aimbraintest.RespondWith(func(w http.ResponseWriter, _ *http.Request) { // half a response
		conn, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
			_ = conn.Close()
		}
	}))
	_, err = r.auth()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	r.fake.Queue(aimbraintest.RespondWith(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"score":0.5,`))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}), aimbraintest.RespondWith(func(http.ResponseWriter, *http.Request) {}))
	_, err = r.auth()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, 200, post(t, r.fake, "/v1/score", "").status)

	var statuses []int
	for _, request := range r.fake.Requests() {
		statuses = append(statuses, request.Status)
	}
	assert.Equal(t, []int{200, 502, 200, 307, 418, 0, 200, 200}, statuses)
	assert.Equal(t, 0, r.fake.Processed(aimbrain.EndpointFaceAuth))
}

func TestReset_AndLostResponseBreakTheConnection(t *testing.T) {
	t.Parallel()
	for name, mount := range map[string]func(*testing.T, *aimbraintest.Fake) *aimbrain.Client{
		"Transport": func(_ *testing.T, fake *aimbraintest.Fake) *aimbrain.Client { return fake.Client(once()) },
		"URL":       loopback,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			client := mount(t, fake)
			id := newSession(t, client, "u").ID
			enroll := func() error {
				_, err := client.Face.Enroll(t.Context(), id, ada())
				return err
			}
			fake.Queue(aimbraintest.Reset())
			err := enroll()
			require.Error(t, err)
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), "a reset leaves the outcome unknown")
			assert.Zero(t, fake.Processed(aimbrain.EndpointFaceEnroll))
			face, _, _ := fake.Status("u")
			assert.Equal(t, aimbrain.NotEnrolled, face)
			if name == "URL" {
				require.ErrorIs(t, err, syscall.ECONNRESET)
			}

			fake.Queue(aimbraintest.LostResponse())
			err = enroll()
			require.Error(t, err)
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
			assert.Equal(t, 1, fake.Processed(aimbrain.EndpointFaceEnroll))
			face, _, _ = fake.Status("u")
			assert.Equal(t, aimbrain.Enrolled, face)

			require.NoError(t, enroll())
			assert.Equal(t, 2, fake.Processed(aimbrain.EndpointFaceEnroll), "the fake counts the duplicate")
			for i, want := range []int{0, 0, 200} {
				assert.Equal(t, want, fake.RequestsTo(aimbrain.EndpointFaceEnroll)[i].Status)
			}

			fake.Queue(aimbraintest.LostResponse())
			_, err = client.Face.Auth(t.Context(), "no session", ada())
			require.Error(t, err)
			assert.Zero(t, fake.Processed(aimbrain.EndpointFaceAuth), "a refused request is not processed")
		})
	}
}

func TestReset_AbortsAConnectionThatCannotBeHijacked(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	server := httptest.NewUnstartedServer(fake)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(server.URL), aimbrain.WithHTTPClient(server.Client()), once())
	require.NoError(t, err)
	newSession(t, client, "u")
	fake.Queue(aimbraintest.Reset())
	_, err = client.Sessions.Create(t.Context(), sessionRequest("u"))
	require.Error(t, err)
	newSession(t, client, "u")
}

func TestDelay_UsesVirtualTimeInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, aimbrain.WithAttemptTimeout(10*time.Second))
		started := time.Now()
		r.fake.Queue(aimbraintest.Delay(3*time.Second), aimbraintest.Score(0.3).After(4*time.Second), aimbraintest.Status(503).After(time.Second))
		result, err := r.auth()
		require.NoError(t, err)
		assert.GreaterOrEqual(t, result.Score, 0.8, "a delay changes nothing else")
		assert.Equal(t, 3*time.Second, time.Since(started))
		result, err = r.auth()
		require.NoError(t, err)
		assert.Equal(t, 0.3, result.Score)
		assert.Equal(t, 7*time.Second, time.Since(started))
		_, err = r.auth()
		require.ErrorIs(t, err, aimbrain.HTTPStatus(503))
		assert.Equal(t, 8*time.Second, time.Since(started))

		r.fake.Queue(aimbraintest.Delay(time.Minute))
		err = r.enroll()
		require.ErrorIs(t, err, aimbrain.ErrAttemptTimeout)
		synctest.Wait()
		assert.Zero(t, r.fake.Processed(aimbrain.EndpointFaceEnroll), "the caller had returned before")

		r.fake.Queue(aimbraintest.Score(0.3).After(time.Minute))
		_, err = r.auth()
		require.ErrorIs(t, err, aimbrain.ErrAttemptTimeout)
		synctest.Wait()
		assert.Len(t, r.fake.Pending(), 1, "an unused stub stays in the queue")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		patient := r.fake.Client(aimbrain.WithTimeout(time.Hour), aimbrain.WithAttemptTimeout(time.Hour))
		result, err = patient.Face.Auth(ctx, r.id, ada())
		require.NoError(t, err)
		assert.Equal(t, 0.3, result.Score)
	})
}

func TestRespondWith_EndsWithTheFake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, err := aimbraintest.Start()
		require.NoError(t, err)
		fake.Queue(aimbraintest.RespondWith(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		stuck := request(t, fake, "/v1/sessions", sessionBody)
		go func() {
			response, err := fake.Transport().RoundTrip(stuck)
			if err == nil {
				response.Body.Close() // the function may return before the connection is closed
			}
		}()
		_, err = fake.WaitForRequests(t.Context(), 1)
		require.NoError(t, err)
		fake.Close()
	})
}

func TestStub_PanicsForInvalidArguments(t *testing.T) {
	t.Parallel()
	nan := 0.0
	nan /= nan
	for want, make := range map[string]func(){
		"Score(1.5)":             func() { aimbraintest.Score(1.5) },
		"Score(-0.1)":            func() { aimbraintest.Score(-0.1) },
		"Score(NaN)":             func() { aimbraintest.Score(nan) },
		"Liveliness(2)":          func() { aimbraintest.Liveliness(2) },
		"WithLiveliness(2)":      func() { aimbraintest.Score(1).WithLiveliness(2) },
		"goes with Score":        func() { aimbraintest.Reset().WithLiveliness(1) },
		"Status(200)":            func() { aimbraintest.Status(200) },
		"WithStatus(600)":        func() { aimbraintest.Code(1).WithStatus(600) },
		"WithStatus goes":        func() { aimbraintest.Reset().WithStatus(500) },
		"WithMessage goes":       func() { aimbraintest.Reset().WithMessage("x") },
		"WithHeader does not go": func() { aimbraintest.Reset().WithHeader("a", "b") },
		"Raw(100":                func() { aimbraintest.Raw(100, "", "") },
		"the function is nil":    func() { aimbraintest.RespondWith(nil) },
		`On("/v1/faces")`:        func() { aimbraintest.Reset().On("/v1/faces") },
		"no such number":         func() { aimbraintest.Score(1).On(aimbrain.EndpointSessions) },
		"to set by Liveliness":   func() { aimbraintest.Liveliness(1).On(aimbrain.EndpointBehaviour) },
		"Times(0)":               func() { aimbraintest.Reset().Times(0) },
		"After(-1ns)":            func() { aimbraintest.Reset().After(-1) },
		"Queue of the zero":      func() { aimbraintest.New(t).Queue(aimbraintest.Stub{}) },
		"On of the zero Stub":    func() { aimbraintest.Stub{}.On(aimbrain.EndpointScore) },
	} {
		func() {
			defer func() { assert.Contains(t, recover(), want) }()
			make()
		}()
	}
}

func TestStub_IsAValue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	base := aimbraintest.Status(429).WithHeader("A", "1")
	_ = base.WithHeader("B", "2").Times(9).On(aimbrain.EndpointScore).After(time.Hour)
	r.fake.Queue(base)
	response := post(t, r.fake, "/v1/sessions", sessionBody)
	assert.Equal(t, "1", response.header.Get("A"))
	assert.Empty(t, response.header.Get("B"))
	assert.Empty(t, r.fake.Pending())
}

func TestStall_EndsByTheTimeLimitOfTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, aimbrain.WithAttemptTimeout(3*time.Second))
		r.fake.Queue(aimbraintest.Stall())
		began := time.Now()
		err := r.enroll()
		require.ErrorIs(t, err, aimbrain.ErrAttemptTimeout)
		assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Equal(t, 1, r.fake.Processed(aimbrain.EndpointFaceEnroll), "the request was processed")
		require.NoError(t, r.enroll())
	})
}

func TestStall_ReturnsAtOnceWhenTheCallIsCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fake.Queue(aimbraintest.Stall())
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the cause")
	go func() {
		_, _ = r.fake.WaitForRequests(t.Context(), 2) // the session and the enrolment
		cancel(cause)
	}()
	_, err := r.client.Face.Enroll(ctx, r.id, ada())
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, cause)
}

func TestStall_EndsWithTheFake(t *testing.T) {
	t.Parallel()
	fake, err := aimbraintest.Start()
	require.NoError(t, err)
	client := fake.Client(once())
	fake.Queue(aimbraintest.Stall())
	go func() {
		_, _ = fake.WaitForRequests(t.Context(), 1)
		fake.Close()
	}()
	_, err = client.Sessions.Create(t.Context(), sessionRequest("u"))
	var network *aimbrain.NetworkError
	require.ErrorAs(t, err, &network)
}

func TestCutOff_IsANetworkErrorWithAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, loopback := range map[string]bool{"in memory": false, "over the network": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if loopback {
				client, err := aimbrain.New(r.fake.APIKey(), r.fake.APISecret(), aimbrain.WithBaseURL(r.fake.URL()), once())
				require.NoError(t, err)
				t.Cleanup(func() { _ = client.Close() })
				r.client = client
			}
			r.fake.Queue(aimbraintest.CutOff().On(aimbrain.EndpointFaceAuth))
			result, err := r.auth()
			var network *aimbrain.NetworkError
			require.ErrorAs(t, err, &network)
			assert.Equal(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))
			assert.Zero(t, result)
			assert.Equal(t, 1, r.fake.Processed(aimbrain.EndpointFaceAuth))
			_, err = r.auth()
			require.NoError(t, err)
		})
	}
}

func TestCode_AppliesToARequestThatCanBeRefusedWithIt(t *testing.T) {
	t.Parallel()
	for code, endpoint := range map[aimbrain.Code]string{
		aimbrain.CodePoorBrightness:   aimbrain.EndpointFaceEnroll,
		aimbrain.CodeFileTooBig:       aimbrain.EndpointFaceEnroll,
		aimbrain.CodeEnrollmentFailed: aimbrain.EndpointFaceEnroll,
		aimbrain.CodeNoFaces:          aimbrain.EndpointFaceEnroll,
		aimbrain.CodeUserNotFound:     aimbrain.EndpointFaceAuth,
		aimbrain.CodeNoToken:          aimbrain.EndpointFaceAuth,
		aimbrain.CodeUnreadableVoice:  aimbrain.EndpointVoiceEnroll,
		aimbrain.CodeAPIError:         aimbrain.EndpointSessions,
	} {
		fake := aimbraintest.New(t)
		fake.Enroll("u-1", "ada")
		fake.Queue(aimbraintest.Code(code))
		client, ctx := fake.Client(), t.Context()
		session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
		if err != nil {
			session, _ = client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
		}
		_, _ = client.Face.Enroll(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		_, _ = client.Face.Auth(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		_, _ = client.Voice.Enroll(ctx, session.ID, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
		refused := ""
		for _, request := range fake.Requests() {
			if request.Status >= 400 {
				refused += request.Endpoint
			}
		}
		assert.Equal(t, endpoint, refused, "%v", code)
		require.Empty(t, fake.Pending())
	}
}

func TestStub_AppliesToEveryEndpoint(t *testing.T) {
	t.Parallel()
	isNetwork := func(outcome aimbrain.Outcome) func(error) bool {
		return func(err error) bool {
			var failed *aimbrain.NetworkError
			return errors.As(err, &failed) && aimbrain.OutcomeOf(err) == outcome
		}
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for _, row := range []struct {
		stub      aimbraintest.Stub
		want      func(error) bool
		processed int
		after     time.Duration
	}{
		{stub: aimbraintest.Status(503), want: is(aimbrain.HTTPStatus(503))},
		{stub: aimbraintest.Code(aimbrain.CodeAPIError), want: is(aimbrain.CodeAPIError)},
		{stub: aimbraintest.Raw(404, "text/html", "<html>"), want: is(aimbrain.HTTPStatus(404))},
		{stub: aimbraintest.RespondWith(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }), want: is(aimbrain.HTTPStatus(http.StatusBadGateway))},
		{stub: aimbraintest.NotSent(), want: isNetwork(aimbrain.OutcomeNotSent)},
		{stub: aimbraintest.Reset(), want: isNetwork(aimbrain.OutcomeUnknown)},
		{stub: aimbraintest.LostResponse(), want: isNetwork(aimbrain.OutcomeUnknown), processed: 1},
		{stub: aimbraintest.Stall(), want: is(aimbrain.ErrAttemptTimeout), processed: 1, after: aimbrain.DefaultAttemptTimeout},
		{stub: aimbraintest.CutOff(), want: isNetwork(aimbrain.OutcomeUnknown), processed: 1},
		{stub: aimbraintest.Delay(time.Second), want: func(err error) bool { return err == nil }, processed: 1, after: time.Second},
	} {
		t.Run(row.stub.String(), func(t *testing.T) {
			t.Parallel()
			eachEndpoint(t, anyRow, func(t *testing.T, endpoint endpoints.Endpoint) {
				synctest.Test(t, func(t *testing.T) {
					for _, stub := range []aimbraintest.Stub{row.stub, row.stub.On(endpoint.Path)} {
						r := ready(t)
						r.fake.Queue(stub)
						before, started := r.fake.Processed(endpoint.Path), time.Now()
						_, err := r.send(endpoint)
						assert.True(t, row.want(err), "%s on %s: %v", stub, endpoint.Path, err)
						assert.Equal(t, row.after, time.Since(started), "%s on %s", stub, endpoint.Path)
						assert.Empty(t, r.fake.Pending(), "%s on %s: the stub was ignored, see fits in aimbraintest/stubs.go", stub, endpoint.Path)
						assert.Equal(t, before+row.processed, r.fake.Processed(endpoint.Path), "%s on %s: %s", stub, endpoint.Path, addHandler)
					}
				})
			})
		})
	}
}

func TestScore_AppliesToEveryScoreOfTheTable(t *testing.T) {
	t.Parallel()
	eachEndpoint(t, anyRow, func(t *testing.T, row endpoints.Endpoint) {
		for _, set := range []struct {
			stub       aimbraintest.Stub
			liveliness bool
			value      float64
		}{
			{stub: aimbraintest.Score(0.31), value: 0.31},
			{stub: aimbraintest.Liveliness(0.62), liveliness: true, value: 0.62},
		} {
			isSet := func(member string) bool { return strings.HasPrefix(member, "liveliness") == set.liveliness }
			list := row.List != "" && !set.liveliness
			r := ready(t)
			if !list && !slices.ContainsFunc(row.Scores, isSet) {
				assert.Panics(t, func() { set.stub.On(row.Path) }, "%s on %s: %s", set.stub, row.Path, fromRow)
				r.fake.Queue(set.stub)
				_, err := r.send(row)
				require.NoError(t, err, "%s: %s", row.Path, addMembers)
				assert.Len(t, r.fake.Pending(), 1, "%s on %s: %s", set.stub, row.Path, fromRow)
				r.fake.ClearQueue()
				continue
			}
			var on aimbraintest.Stub
			require.NotPanics(t, func() { on = set.stub.On(row.Path) }, "%s on %s: %s", set.stub, row.Path, fromRow)
			for _, stub := range []aimbraintest.Stub{set.stub, on} {
				r.fake.Queue(stub)
				response, err := r.send(row)
				require.NoError(t, err, "%s: %s", row.Path, addMembers)
				assert.Empty(t, r.fake.Pending(), "%s on %s was ignored: %s", stub, row.Path, addScored)
				r.fake.ClearQueue()
				members := object(t, response)
				for _, name := range row.Scores {
					if isSet(name) {
						assert.Equal(t, set.value, members[name], "%s on %s did not set %q: %s", stub, row.Path, name, addScored)
					} else {
						assert.NotEqual(t, set.value, members[name], "%s on %s set %q", stub, row.Path, name)
					}
				}
				if !list {
					continue
				}
				entries, _ := members[row.List].([]any)
				assert.NotEmpty(t, entries, "%s", row.Path)
				for _, entry := range entries {
					assert.Equal(t, set.value, entry.(map[string]any)["value"], "%s on %s: %s", stub, row.Path, addScored)
				}
			}
		}
	})
}

func TestCode_AppliesByTheRowOfTheEndpoint(t *testing.T) {
	t.Parallel()
	eachEndpoint(t, anyRow, func(t *testing.T, row endpoints.Endpoint) {
		_, err := ready(t).send(row)
		require.NoError(t, err, "%s: %s", row.Path, addMembers)
		stranger := newRig(t)
		stranger.id = newSession(t, stranger.client, "nobody").ID
		_, err = stranger.send(row)
		comparesTemplate := takesMedia(row) && errors.Is(err, aimbrain.ErrNotEnrolled)
		for _, code := range []struct {
			code aimbrain.Code
			fits bool
		}{
			{aimbrain.CodeAPIError, true},
			{aimbrain.CodeFileTooBig, takesMedia(row)},
			{aimbrain.CodeSeveralFileTypes, takesMedia(row)},
			{aimbrain.CodeNoFaces, takesMedia(row) && row.Module == endpoints.Face},
			{aimbrain.CodePoorBrightness, takesMedia(row) && row.Module == endpoints.Face},
			{aimbrain.CodeNoVoices, takesMedia(row) && row.Module == endpoints.Voice},
			{aimbrain.CodeEnrollmentFailed, takesMedia(row) && row.Repeat == endpoints.Never},
			{aimbrain.CodeUserNotFound, comparesTemplate},
			{aimbrain.CodeNoToken, comparesTemplate},
		} {
			r := ready(t)
			r.fake.Queue(aimbraintest.Code(code.code))
			_, err := r.send(row)
			if code.fits {
				assert.ErrorIs(t, err, code.code, "Code(%d) on %s: see canRefuse in aimbraintest/stubs.go", code.code, row.Path)
				continue
			}
			assert.NoError(t, err, "Code(%d) on %s: see canRefuse in aimbraintest/stubs.go", code.code, row.Path)
			r.fake.ClearQueue()
		}
	})
}
