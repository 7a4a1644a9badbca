package aimbraintest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// The API's documented times.
const (
	sessionLife = 2 * time.Hour // from the last request that used it
	tokenLife   = 5 * time.Minute
)

// state is the state of the API. The fake's lock guards it.
type state struct {
	users    map[string]*user
	sessions map[string]*session
	sweepAt  int                      // the number of sessions at which expired ones are removed
	tokens   map[endpoints.Module]int // the number of tokens
}

func newState() state {
	return state{users: map[string]*user{}, sessions: map[string]*session{}, sweepAt: 1024, tokens: map[endpoints.Module]int{}}
}

// A user is the state of one user id.
type user struct {
	modules   map[endpoints.Module]*module
	behaviour map[string]*profile // by device
	promised  *profile            // for the first device of a session
	devices   map[string]bool     // the devices of sessions
	device    string              // the device of the last session, "" for none
}

func (s *state) user(id string) *user {
	u := s.users[id]
	if u == nil {
		u = &user{}
		s.users[id] = u
	}
	return u
}

// status returns the statuses of a session on a device.
func (u *user) status(now time.Time, device string, behaviourCalls int) (face, voice, behaviour aimbrain.ModuleStatus) {
	known := u.behaviour[device]
	if known == nil && len(u.devices) == 0 {
		known = u.promised
	}
	if known != nil && known.calls >= behaviourCalls {
		behaviour = aimbrain.Enrolled
	}
	return u.module(endpoints.Face).status(now), u.module(endpoints.Voice).status(now), behaviour
}

// on returns the profile of the user on a device.
func (u *user) on(device string) *profile {
	if u.behaviour == nil {
		u.behaviour = map[string]*profile{}
	}
	if u.behaviour[device] == nil {
		u.behaviour[device] = &profile{}
	}
	return u.behaviour[device]
}

// name records the device of a session. The device gets the promised profile, unless
// it has a profile.
func (u *user) name(device string) {
	if u.devices == nil {
		u.devices = map[string]bool{}
	}
	u.devices[device], u.device = true, device
	if u.promised != nil && u.behaviour[device] == nil {
		*u.on(device) = *u.promised
	}
	u.promised = nil
}

// forget removes all but the devices of the user's sessions, which stay valid.
func (u *user) forget() { *u = user{devices: u.devices, device: u.device} }

// module returns what is enrolled of the user by media.
func (u *user) module(of endpoints.Module) *module {
	if u.modules == nil {
		u.modules = map[endpoints.Module]*module{}
	}
	if u.modules[of] == nil {
		u.modules[of] = &module{}
	}
	return u.modules[of]
}

// A module is a user's face or voice.
type module struct {
	enrolled bool
	ready    time.Time       // when the template is ready
	subject  string          // the first known subject that was enrolled, "" for none
	samples  map[string]bool // media without a known subject, by its hash
}

func (m *module) status(now time.Time) aimbrain.ModuleStatus {
	switch {
	case !m.enrolled:
		return aimbrain.NotEnrolled
	case now.Before(m.ready):
		return aimbrain.Building
	}
	return aimbrain.Enrolled
}

// add enrols media.
func (m *module) add(media []medium, ready time.Time) {
	m.enrolled, m.ready = true, ready
	for i := range media {
		switch {
		case !media[i].known:
			if m.samples == nil {
				m.samples = map[string]bool{}
			}
			m.samples[media[i].subject] = true
		case m.subject == "":
			m.subject = media[i].subject
		}
	}
}

// is reports whether a medium is of the enrolled person.
func (m *module) is(medium medium) bool {
	if medium.known {
		return medium.subject == m.subject
	}
	return m.samples[medium.subject]
}

// A session belongs to a user and a device.
type session struct {
	id, userID, device string

	used      time.Time
	tokens    map[tokenKey]*token
	submitted string                       // a hash of all events that were submitted, "" for none
	scores    map[endpoints.Module]float64 // the last ones
}

// A tokenKey says what a token is for.
type tokenKey struct {
	module endpoints.Module
	use    aimbrain.TokenType
}

// A token is a text that the user must say.
type token struct {
	text string
	ends time.Time
	used bool
}

// newSession creates a session for a user. The caller holds the lock.
func (f *Fake) newSession(userID, device string) *session {
	s := &session{
		id: rand.Text(), userID: userID, device: device, used: f.now(),
		tokens: map[tokenKey]*token{}, scores: map[endpoints.Module]float64{},
	}
	f.state.user(userID).name(device)
	if len(f.state.sessions) >= f.state.sweepAt {
		for id, old := range f.state.sessions {
			if !f.now().Before(old.used.Add(sessionLife)) {
				delete(f.state.sessions, id)
			}
		}
		f.state.sweepAt = max(1024, 2*len(f.state.sessions))
	}
	f.state.sessions[s.id] = s
	return s
}

// findSession returns the session of a request and renews it.
func (c *call) findSession() (*session, error) {
	id, err := c.text("session")
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.state.sessions[id]
	if s == nil {
		return nil, refuse(http.StatusForbidden, "no such session: take the id from the response of "+aimbrain.EndpointSessions)
	}
	now := f.now()
	if !now.Before(s.used.Add(sessionLife)) {
		delete(f.state.sessions, id)
		return nil, refuse(http.StatusForbidden, "the session expired 2 hours after the last request that used it: create a new one")
	}
	s.used = now
	return s, nil
}

// mayAuthenticate refuses a session whose user cannot be authenticated yet.
func (c *call) mayAuthenticate() error {
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.state.user(c.session.userID).module(c.endpoint.Module).status(f.now()) {
	case aimbrain.NotEnrolled:
		return refuseCode(aimbrain.CodeUserNotFound, "the user is not enrolled: call "+c.sibling("enroll")+" first")
	case aimbrain.Building:
		return refuseCode(aimbrain.CodeNoUserEncodings, "the user's template is still being built: retry later")
	}
	_, err := c.authToken()
	return err
}

// authToken returns the token that must be spoken in an authentication, nil for
// none. The caller holds the lock.
func (c *call) authToken() (*token, error) {
	f := c.fake
	t := c.session.tokens[tokenKey{c.endpoint.Module, aimbrain.TokenAuth}]
	var problem string
	switch {
	case t == nil:
		problem = fmt.Sprintf("there is no token of the type %q in this session", aimbrain.TokenAuth)
	case !f.now().Before(t.ends):
		problem = "the token expired after 5 minutes"
	case t.used && f.config.tokensConsumed:
		problem = "the token was used already (the fake has WithTokensConsumed)"
	default:
		return t, nil
	}
	if c.endpoint.Module == endpoints.Voice && !f.config.tokenlessVoice {
		return nil, refuseCode(aimbrain.CodeNoToken, problem+": call "+c.sibling("token")+" first")
	}
	return nil, nil
}

// useToken returns the text of the token, "" for none, and records its use. The
// caller holds the lock.
func (c *call) useToken() (string, error) {
	t, err := c.authToken()
	if t == nil || err != nil {
		return "", err
	}
	t.used = true
	return t.text, nil
}

// sibling returns the path of the endpoint of the same module that ends in a name.
func (c *call) sibling(name string) string {
	for _, row := range endpoints.All() {
		if row.Module == c.endpoint.Module && path.Base(row.Path) == name {
			return row.Path
		}
	}
	return name
}
