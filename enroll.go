package aimbrain

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// DefaultConfirmTime is how long EnrollAndConfirm asks at most whether a lost
// enrolment was processed, see [WithConfirmTime].
const DefaultConfirmTime = 2 * time.Minute

// The polling of a user's status.
const (
	firstPollWait = time.Second      // before the first session request; it doubles with each
	maxPollWait   = 15 * time.Second // before any other
	lastPollTime  = 2 * time.Second  // what is left to the last session request for its response
)

// An Enrollment is what EnrollAndConfirm knows of an enrolment that was
// processed.
type Enrollment struct {
	// Samples is how many photos, videos or recordings were accepted. It is 0
	// when the response was lost: the number was in it.
	Samples int
	// Session is the session that confirmed a lost enrolment: its status is
	// [Enrolled] or [Building]. It is nil when the response came.
	Session *Session
}

// EnrollAndConfirm enrols a face as [FaceService.Enroll] does, and finds out
// what became of it when the outcome is unknown: the response was lost, cut
// off, or came as a 5xx status. The enrolment is sent once in any case.
//
// The session is the one to enrol with, and its Face status is taken as that
// before the enrolment; user must be the request that it was created with.
// Only from [NotEnrolled] can the outcome be found out. EnrollAndConfirm then calls
// [SessionsService.Create] with user until the status is [Enrolled] or
// [Building], for 2 minutes at most, see [WithConfirmTime], and returns no
// error when it is. The waits between the calls grow from 1 s to 15 s. In all
// other cases it returns the error of the enrolment unchanged:
//
//   - The status was another one before: nothing is asked.
//   - The status stays NotEnrolled: the outcome stays unknown, as the API may
//     be at work on the request still. Create a session some minutes later,
//     and do not enrol again before that.
//   - A session request is refused, as with a wrong key pair. One that fails
//     for now is only followed by the next.
//   - The client is closed.
//
// The status of a session is that of the time when it was created. After an
// enrolment of the same user create a new session before the next call, or
// that enrolment is taken for this one. For the same reason nothing else may
// enrol the user meanwhile.
//
// The session requests have a context of their own, with the values of ctx and
// without its end: a deadline that has passed is often why the response was
// lost. So the call may block for the confirm time although ctx has ended;
// [Client.Close] ends it at once. Call it from a queue and not in an HTTP
// handler, see examples/enroll. The options are those of the enrolment.
//
// Errors to expect are those of Enroll.
func (s *FaceService) EnrollAndConfirm(ctx context.Context, session Session, user SessionRequest, faces Media, opts ...CallOption) (Enrollment, error) {
	return (*service)(s).of().enrollAndConfirm(ctx, EndpointFaceEnroll, opts, session, user, ModuleFace, func(opts []CallOption) (int, error) {
		result, err := s.Enroll(ctx, session.ID, faces, opts...)
		return result.ImagesCount, err
	})
}

// EnrollAndConfirm enrols a voice as [VoiceService.Enroll] does, and finds out
// what became of it when the outcome is unknown. It is
// [FaceService.EnrollAndConfirm] with the Voice status of the session.
//
// Of the five steps only the first begins at [NotEnrolled]. When the response
// to a later one is lost, nothing shows its outcome: go on with the next.
func (s *VoiceService) EnrollAndConfirm(ctx context.Context, session Session, user SessionRequest, voices Media, opts ...CallOption) (Enrollment, error) {
	return (*service)(s).of().enrollAndConfirm(ctx, EndpointVoiceEnroll, opts, session, user, ModuleVoice, func(opts []CallOption) (int, error) {
		result, err := s.Enroll(ctx, session.ID, voices, opts...)
		return result.VoiceSamples, err
	})
}

// WithConfirmTime bounds how long EnrollAndConfirm asks whether an enrolment
// was processed, counted from when its outcome was found unknown. The default
// is [DefaultConfirmTime]; 0 asks nothing. A negative time is a
// [*RequestError], and so is the option on any other call; nothing is sent then.
func WithConfirmTime(d time.Duration) CallOption {
	return func(c *callConfig) { c.confirm = &d }
}

// enrollAndConfirm enrols by a function that returns how many samples were
// accepted, and confirms what that leaves unknown.
func (c *Client) enrollAndConfirm(ctx context.Context, endpoint string, opts []CallOption, session Session, user SessionRequest, module Module, enroll func([]CallOption) (int, error)) (Enrollment, error) {
	limit := DefaultConfirmTime
	var config callConfig
	for _, opt := range opts {
		if opt != nil { // the enrolment refuses it
			opt(&config)
		}
	}
	if config.confirm != nil {
		limit = *config.confirm
	}
	if limit < 0 {
		return Enrollment{}, &RequestError{Endpoint: endpoint, Argument: "WithConfirmTime", Reason: limit.String() + " is negative"}
	}
	own := append(append([]CallOption(nil), opts...), func(c *callConfig) { c.confirm = nil })
	samples, err := enroll(own)
	switch {
	case err == nil:
		return Enrollment{Samples: samples}, nil
	case limit == 0 || OutcomeOf(err) != OutcomeUnknown || session.Status(module) != NotEnrolled:
		return Enrollment{}, err
	}
	confirmed, failure := c.poll(context.WithoutCancel(ctx), user, limit, func(s Session) bool {
		return s.Status(module) == Enrolled || s.Status(module) == Building
	})
	if failure != nil {
		return Enrollment{}, err
	}
	return Enrollment{Session: &confirmed}, nil
}

// WaitWhileBuilding creates sessions for a user until the module's status is
// not [Building], and returns the last one. The waits between the requests grow
// from 1 s to 15 s, and one that fails for now is only followed by the next.
// [ModuleBehaviour] is never Building: its first session is returned.
//
// The limit must be positive, or the error is a [*RequestError]. When it has
// passed the error is [ErrTotalTimeout], by errors.Is, and holds the failure of
// the last request if it failed. A request that is refused, the end of ctx and
// [Client.Close] end the waiting with their own errors. With any error the last
// session that was created is returned, whose status was Building; it is the
// zero value when there was none.
func (s *SessionsService) WaitWhileBuilding(ctx context.Context, user SessionRequest, module Module, limit time.Duration) (Session, error) {
	refuse := func(argument, reason string) (Session, error) {
		return Session{}, &RequestError{Endpoint: EndpointSessions, Argument: argument, Reason: reason}
	}
	client := (*service)(s).of()
	switch {
	case !client.made():
		return refuse("the client", notMadeByNew)
	case ctx == nil:
		return refuse("the context", "is nil")
	case module < ModuleFace || module > ModuleBehaviour:
		return refuse("the module", "is none of ModuleFace, ModuleVoice and ModuleBehaviour")
	case limit <= 0:
		return refuse("the limit", limit.String()+" is not positive")
	}
	return client.poll(ctx, user, limit, func(s Session) bool { return s.Status(module) != Building })
}

// poll creates sessions for a user, with growing waits before them, until one
// is done. With an error it returns the last session as well.
func (c *Client) poll(ctx context.Context, user SessionRequest, limit time.Duration, done func(Session) bool) (Session, error) {
	end := time.Now().Add(limit)
	ctx, stop := context.WithTimeoutCause(ctx, limit, ErrTotalTimeout)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.closing, func() { cancel(ErrClosed) })()

	sessions := &SessionsService{c}
	var last Session
	var failure error            // of the last request
	var retryAfter time.Duration // what its response asked for
	for n := 0; ; n++ {
		wait, left := pollWait(n)+retryAfter, time.Until(end)-lastPollTime
		switch {
		case n > 0 && (left <= 0 || retryAfter > left):
			return last, pollTimeout(limit, failure)
		case wait > left:
			wait = max(left, 0)
		}
		_ = sleep(ctx, wait) // the request says why the context ended
		var session Session
		session, failure = sessions.Create(ctx, user)
		retryAfter = 0
		switch {
		case failure == nil:
			if last = session; done(last) {
				return last, nil
			}
		case ctx.Err() != nil || isLasting(failure):
			return last, failure
		default:
			var api *APIError
			if errors.As(failure, &api) {
				retryAfter, _ = api.RetryAfter()
			}
		}
	}
}

// pollWait returns how long to wait before session request n, counted from 0.
// The half of it is random, to spread callers whose responses were lost together.
func pollWait(n int) time.Duration {
	wait := min(firstPollWait<<min(n, 4), maxPollWait)
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // it spreads callers, and need not be secret
}

// pollTimeout is the error of a poll that has reached its limit.
func pollTimeout(limit time.Duration, failure error) error {
	if failure != nil {
		return fmt.Errorf("aimbrain: %s: no status within %v: %w; the last request failed: %w", EndpointSessions, limit, ErrTotalTimeout, failure)
	}
	return fmt.Errorf("aimbrain: %s: still building after %v: %w", EndpointSessions, limit, ErrTotalTimeout)
}

// isLasting reports whether a session request that failed would fail again: it
// is invalid, was refused, or the client is closed.
func isLasting(err error) bool {
	var network *NetworkError
	var api *APIError
	switch {
	case errors.Is(err, ErrClosed):
		return true
	case errors.As(err, &network):
		return false
	case errors.As(err, &api):
		return !HTTPStatus(api.StatusCode).leavesOutcomeUnknown() && api.StatusCode != http.StatusTooManyRequests
	}
	return OutcomeOf(err) != OutcomeUnknown
}
