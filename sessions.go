package aimbrain

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// SessionsService creates sessions. It is [Client.Sessions].
type SessionsService struct{ client *Client }

// A SessionRequest says whose session it is, and on which device.
type SessionRequest struct {
	// UserID identifies the user: random, anonymous and always the same for the
	// same person. An e-mail address or an account number is none of these. Set
	// it from your own records, never from what an app sends. Required.
	UserID string
	// Device names the device, such as "iPhone6,2": a stable value, the same in
	// every session. Behaviour is enrolled for a user and a device, so that
	// another value means [NotEnrolled] again. Required.
	Device string
	// System names the device's operating system, such as "iOS 9.2.1". Required.
	System string
	// ScreenHeight and ScreenWidth are in pixels, and are sent when they are
	// set. The vendor documents them as required, its API does without.
	ScreenHeight, ScreenWidth int
}

// A Session is what all other calls for a user refer to. It expires 2 hours
// after the last call that used it; a later one gets [ErrSessionNotFound].
type Session struct {
	ID        string       `json:"session"`   // for the other calls
	Face      ModuleStatus `json:"face"`      // whether face authentication is enrolled
	Voice     ModuleStatus `json:"voice"`     // whether voice authentication is enrolled
	Behaviour ModuleStatus `json:"behaviour"` // whether behavioural authentication is enrolled
	Response  Response     `json:"-"`         // the unchanged response
}

// A Module is one of the ways of recognising a person.
type Module int

// The modules. The zero value is none.
const (
	ModuleFace      Module = iota + 1 // photos and videos of faces
	ModuleVoice                       // recordings of voices
	ModuleBehaviour                   // touches, movements, typing
)

// String returns the module's name, such as "face".
func (m Module) String() string {
	switch m {
	case ModuleFace:
		return "face"
	case ModuleVoice:
		return "voice"
	case ModuleBehaviour:
		return "behaviour"
	}
	return "Module(" + strconv.Itoa(int(m)) + ")"
}

// Status returns the status of a module when the session was created. For a
// value that is no module it is -1, which is none of the statuses: a caller that
// asks for nothing must not enrol anybody.
func (s Session) Status(m Module) ModuleStatus {
	switch m {
	case ModuleFace:
		return s.Face
	case ModuleVoice:
		return s.Voice
	case ModuleBehaviour:
		return s.Behaviour
	}
	return -1
}

// A ModuleStatus says how far a user is with a module. A number that is not
// documented comes through as it is, and is not [Enrolled].
type ModuleStatus int

// The documented statuses.
const (
	NotEnrolled ModuleStatus = 0 // enrol before authenticating
	Enrolled    ModuleStatus = 1 // authentication is possible
	Building    ModuleStatus = 2 // the template is being built: wait, there is nothing to do (face and voice only)
)

// String returns the status's name, such as "not enrolled".
func (s ModuleStatus) String() string {
	switch s {
	case NotEnrolled:
		return "not enrolled"
	case Enrolled:
		return "enrolled"
	case Building:
		return "building"
	}
	return "ModuleStatus(" + strconv.Itoa(int(s)) + ")"
}

// LogValue implements [slog.LogValuer] by the name, also in JSON.
func (s ModuleStatus) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Create creates a session for a user. Errors to expect besides those of every
// call (see the package documentation): none.
func (s *SessionsService) Create(ctx context.Context, request SessionRequest, opts ...CallOption) (Session, error) {
	return do(ctx, (*service)(s), EndpointSessions, opts, payload.Object(func(b *payload.Builder) {
		b.String("userId", request.UserID, "SessionRequest.UserID")
		b.String("device", request.Device, "SessionRequest.Device")
		b.String("system", request.System, "SessionRequest.System")
		b.Count("screenHeight", request.ScreenHeight, "SessionRequest.ScreenHeight")
		b.Count("screenWidth", request.ScreenWidth, "SessionRequest.ScreenWidth")
	}), readSession)
}

func readSession(members *jsonfields.Object, response Response) Session {
	return Session{
		ID:        members.Text("session"),
		Face:      ModuleStatus(members.Count("face")),
		Voice:     ModuleStatus(members.Count("voice")),
		Behaviour: ModuleStatus(members.Count("behaviour")),
		Response:  response,
	}
}
