package faults

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// The key pair of all clients and servers of this package. It is not in use
// anywhere else.
const (
	Key    = "faults-canary-key-5d1c"
	Secret = "faults-canary-secret-93ab" // made up, and known only to the servers here
)

// A Class says when a call may be retried after an attempt whose outcome is
// unknown.
type Class int

// The classes, as docs/faults.md has them.
const (
	Never Class = iota
	OptIn
	Always
)

// A Call is one of the eleven calls of the library.
type Call struct {
	Endpoint string
	Class    Class
	Media    bool // it carries photos or recordings
	Scores   []string

	do func(context.Context, *aimbrain.Client, int, *Media, []aimbrain.CallOption) (any, error)
}

// Media is the content of a call with photos or recordings. A test that changes
// the bytes during the call keeps a reference to it.
type Media struct{ Raw []byte }

// NewMedia returns bytes that are not a photo and contain the name of one user.
func NewMedia(user int) *Media {
	return &Media{Raw: []byte("\xff\xd8" + userName(user) + " and a few bytes more")}
}

// Do makes the call for a user. The result has the library's own type.
func (c Call) Do(ctx context.Context, client *aimbrain.Client, user int, opts ...aimbrain.CallOption) (any, error) {
	return c.do(ctx, client, user, NewMedia(user), opts)
}

// DoMedia makes the call with the given media.
func (c Call) DoMedia(ctx context.Context, client *aimbrain.Client, user int, media *Media, opts ...aimbrain.CallOption) (any, error) {
	return c.do(ctx, client, user, media, opts)
}

// Repeats reports whether the call may be retried when its outcome is unknown.
func (c Call) Repeats(optIn bool) bool { return c.Class == Always || c.Class == OptIn && optIn }

// Calls lists the eleven calls.
func Calls() []Call { return append(plainCalls(), mediaCalls()...) }

// CallTo returns the call to an endpoint.
func CallTo(endpoint string) Call {
	for _, call := range Calls() {
		if call.Endpoint == endpoint {
			return call
		}
	}
	panic("faults: no such endpoint: " + endpoint)
}

type (
	client  = *aimbrain.Client
	options = []aimbrain.CallOption
)

func plainCalls() []Call {
	return []Call{
		{aimbrain.EndpointSessions, OptIn, false, nil, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: userName(user), Device: "device", System: "system"}, o...)
		}},
		{aimbrain.EndpointBehaviour, Never, false, []string{"score"}, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Behaviour.Auth(ctx, session(user), events(), o...)
		}},
		{aimbrain.EndpointBehaviourSubmit, Never, false, nil, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Behaviour.Submit(ctx, session(user), events(), o...)
		}},
		{aimbrain.EndpointScore, Always, false, []string{"value"}, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Score.Get(ctx, session(user), o...)
		}},
		{aimbrain.EndpointFaceToken, OptIn, false, nil, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Face.Token(ctx, session(user), aimbrain.TokenAuth, o...)
		}},
		{aimbrain.EndpointVoiceToken, OptIn, false, nil, func(ctx context.Context, c client, user int, _ *Media, o options) (any, error) {
			return c.Voice.Token(ctx, session(user), aimbrain.TokenAuth, o...)
		}},
	}
}

func mediaCalls() []Call {
	return []Call{
		{aimbrain.EndpointFaceEnroll, Never, true, nil, func(ctx context.Context, c client, user int, m *Media, o options) (any, error) {
			return c.Face.Enroll(ctx, session(user), aimbrain.Photos(m.Raw), o...)
		}},
		{aimbrain.EndpointFaceAuth, OptIn, true, []string{"score", "liveliness"}, func(ctx context.Context, c client, user int, m *Media, o options) (any, error) {
			return c.Face.Auth(ctx, session(user), aimbrain.Photos(m.Raw), o...)
		}},
		{aimbrain.EndpointFaceCompare, Always, true, []string{"score", "liveliness1", "liveliness2"}, func(ctx context.Context, c client, user int, m *Media, o options) (any, error) {
			return c.Face.Compare(ctx, aimbrain.Photos(m.Raw), aimbrain.Photos(m.Raw), o...)
		}},
		{aimbrain.EndpointVoiceEnroll, Never, true, nil, func(ctx context.Context, c client, user int, m *Media, o options) (any, error) {
			return c.Voice.Enroll(ctx, session(user), aimbrain.Recordings(m.Raw), o...)
		}},
		{aimbrain.EndpointVoiceAuth, OptIn, true, []string{"score", "liveliness"}, func(ctx context.Context, c client, user int, m *Media, o options) (any, error) {
			return c.Voice.Auth(ctx, session(user), aimbrain.Recordings(m.Raw), o...)
		}},
	}
}

func events() aimbrain.Events {
	return aimbrain.Events{Accelerations: []aimbrain.Acceleration{{Time: 1, X: 0.5, Y: 0.25, Z: 9.81}}}
}

// userName is a name that can be found in the request's body, wherever the call
// puts it.
func userName(user int) string { return fmt.Sprintf("user-%07d", user) }
func session(user int) string  { return userName(user) + "-session" }

// UserOf returns the user of a request's body, or -1 if it names none.
func UserOf(body []byte) int {
	var request struct {
		UserID  string   `json:"userId"`
		Session string   `json:"session"`
		Faces1  []string `json:"faces1"`
	}
	if json.Unmarshal(body, &request) != nil {
		return -1
	}
	text := request.UserID + request.Session
	if text == "" && len(request.Faces1) > 0 {
		raw, err := base64.StdEncoding.DecodeString(request.Faces1[0])
		if err != nil {
			return -1
		}
		text = string(raw)
	}
	_, text, found := strings.Cut(text, "user-")
	if !found || len(text) < 7 {
		return -1
	}
	user, err := strconv.Atoi(text[:7])
	if err != nil {
		return -1
	}
	return user
}

// ScoreText is a user's score as it is written in their responses.
func ScoreText(user int) string { return strconv.FormatFloat(scoreOf(user), 'g', -1, 64) }

// scoreOf returns a score that identifies a user and is never 0.
func scoreOf(user int) float64 { return float64(user%997+1) / 1000 }

// ResponseBody is the API's response for a user. Every value in it is the user's
// own, so that a misdirected response is detected.
func ResponseBody(endpoint string, user int) string {
	score := ScoreText(user)
	switch endpoint {
	case aimbrain.EndpointSessions:
		return `{"session":"` + session(user) + `","face":1,"voice":2,"behaviour":0}`
	case aimbrain.EndpointBehaviour:
		return `{"score":` + score + `,"status":1}`
	case aimbrain.EndpointScore:
		return `{"session":"` + session(user) + `","metadata":[],"scores":[{"type":"behaviour","version":"1","value":` + score + `}]}`
	case aimbrain.EndpointFaceToken, aimbrain.EndpointVoiceToken:
		return `{"token":"` + userName(user) + `"}`
	case aimbrain.EndpointFaceEnroll:
		return `{"imagesCount":` + strconv.Itoa(user+1) + `}`
	case aimbrain.EndpointVoiceEnroll:
		return `{"voiceSamples":` + strconv.Itoa(user+1) + `}`
	case aimbrain.EndpointFaceAuth, aimbrain.EndpointVoiceAuth:
		return `{"score":` + score + `,"liveliness":` + score + `}`
	case aimbrain.EndpointFaceCompare:
		return `{"score":` + score + `,"liveliness1":` + score + `,"liveliness2":` + score + `}`
	}
	return `{}`
}

// CheckResult returns an error if a value in the result of a successful call is
// not the user's own.
func CheckResult(user int, result any) error {
	var right bool
	switch r := result.(type) {
	case aimbrain.Session:
		right = r.ID == session(user) && r.Face == aimbrain.Enrolled
	case aimbrain.BehaviourAuthResult:
		right = same(r.Score, user) && r.Status == aimbrain.Enrolled
	case aimbrain.BehaviourSubmitResult:
		right = r.Response.StatusCode != 0
	case aimbrain.ScoreResult:
		right = r.Session == session(user) && len(r.Scores) == 1 && same(r.Scores[0].Value, user)
	case aimbrain.Token:
		right = r.Text == userName(user)
	case aimbrain.FaceEnrollResult:
		right = r.ImagesCount == user+1
	case aimbrain.VoiceEnrollResult:
		right = r.VoiceSamples == user+1
	case aimbrain.FaceAuthResult:
		right = same(r.Score, user) && same(r.Liveliness, user)
	case aimbrain.VoiceAuthResult:
		right = same(r.Score, user) && same(r.Liveliness, user)
	case aimbrain.FaceCompareResult:
		right = same(r.Score, user) && same(r.Liveliness1, user) && same(r.Liveliness2, user)
	}
	if !right {
		return fmt.Errorf("a %T that is not user %d's", result, user)
	}
	return nil
}

func same(score float64, user int) bool { return math.Abs(score-scoreOf(user)) < 1e-12 }

// IsZero reports whether a result is the zero value of its type, as required
// beside every error.
func IsZero(result any) bool { return reflect.ValueOf(result).IsZero() }
