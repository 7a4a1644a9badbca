package aimbraintest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/aimbrain/aimbrain-go"
)

// The API's documented times.
const (
	sessionLife = 2 * time.Hour // since the last request that used it
	tokenLife   = 5 * time.Minute
)

// state is what the API knows. The fake's lock guards all of it.
type state struct {
	users    map[string]*user
	sessions map[string]*session
	sweepAt  int         // how many sessions make it worth looking for expired ones
	tokens   map[int]int // how many each module has given
}

func newState() state {
	return state{users: map[string]*user{}, sessions: map[string]*session{}, sweepAt: 1024, tokens: map[int]int{}}
}

// A user is what is known of one user id.
type user struct {
	face, voice module
	behaviour   map[string]*profile // by device
	promised    *profile            // for the first device that a session names
	devices     map[string]bool     // those that sessions named
	device      string              // the one that was named last, "" for none
}

func (s *state) user(id string) *user {
	u := s.users[id]
	if u == nil {
		u = &user{}
		s.users[id] = u
	}
	return u
}

// status is that of a session on a device.
func (u *user) status(now time.Time, device string, behaviourCalls int) (face, voice, behaviour aimbrain.ModuleStatus) {
	known := u.behaviour[device]
	if known == nil && len(u.devices) == 0 {
		known = u.promised
	}
	if known != nil && known.calls >= behaviourCalls {
		behaviour = aimbrain.Enrolled
	}
	return u.face.status(now), u.voice.status(now), behaviour
}

// on returns how the user behaves on a device.
func (u *user) on(device string) *profile {
	if u.behaviour == nil {
		u.behaviour = map[string]*profile{}
	}
	if u.behaviour[device] == nil {
		u.behaviour[device] = &profile{}
	}
	return u.behaviour[device]
}

// name notes that a session is on a device. What is promised becomes true there,
// unless more is known of that device.
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

// forget leaves nothing but the devices of the user's sessions, which live on.
func (u *user) forget() { *u = user{devices: u.devices, device: u.device} }

func (u *user) module(kind int) *module {
	if kind == faceModule {
		return &u.face
	}
	return &u.voice
}

// The modules that are enrolled by media.
const (
	faceModule = iota
	voiceModule
)

// A module is a user's face or voice.
type module struct {
	enrolled bool
	ready    time.Time       // when the template is built
	subject  string          // the first known one that was enrolled, "" for none
	samples  map[string]bool // media of nobody known, by its hash
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

// is reports whether a medium is of who is enrolled.
func (m *module) is(medium medium) bool {
	if medium.known {
		return medium.subject == m.subject
	}
	return m.samples[medium.subject]
}

// A session is what other calls refer to.
type session struct {
	id, userID, device string

	used   time.Time
	tokens [2]map[aimbrain.TokenType]*token // by module
	seen   seen
}

// seen is what /v1/score tells of a session.
type seen struct {
	submitted              string // a hash of all that was submitted, "" for nothing
	face, voice, behaviour *float64
}

// A token is what is to be said.
type token struct {
	text string
	ends time.Time
	used bool
}

// newSession makes a session for a user. The caller holds the lock.
func (f *Fake) newSession(userID, device string) *session {
	s := &session{id: rand.Text(), userID: userID, device: device, used: f.now()}
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

// session returns the session of a request, which counts as a use of it.
func (c *call) session() (*session, error) {
	id, err := c.text("session")
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.state.sessions[id]
	if s == nil {
		return nil, refuse(http.StatusForbidden, "no such session: take the id from the answer of "+aimbrain.EndpointSessions)
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
func (c *call) mayAuthenticate(s *session, kind int) error {
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.state.user(s.userID).module(kind).status(f.now()) {
	case aimbrain.NotEnrolled:
		return refuseCode(aimbrain.CodeUserNotFound, "the user is not enrolled: call "+modules(kind).enroll+" first")
	case aimbrain.Building:
		return refuseCode(aimbrain.CodeNoUserEncodings, "the user's template is still being built: try again later")
	}
	_, err := f.authToken(s, kind)
	return err
}

// authToken returns the token that is to be heard in an authentication, nil
// for none. The caller holds the lock.
func (f *Fake) authToken(s *session, kind int) (*token, error) {
	t := s.tokens[kind][aimbrain.TokenAuth]
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
	if kind == voiceModule && !f.config.tokenlessVoice {
		return nil, refuseCode(aimbrain.CodeNoToken, problem+": ask "+modules(kind).token+" for one first")
	}
	return nil, nil
}

// useToken returns the text of the token, "" for none, and notes its use. The
// caller holds the lock.
func (f *Fake) useToken(s *session, kind int) (string, error) {
	t, err := f.authToken(s, kind)
	if t == nil || err != nil {
		return "", err
	}
	t.used = true
	return t.text, nil
}
