package aimbraintest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A handler executes the requests of an endpoint. Before it is called, the request
// was checked by the row of the endpoint in internal/endpoints: [call] has the session
// of a row with Session, and the media of a row with Media.
type handler struct {
	path     string
	handle   func(*call) (any, error) // returns the response, or a refusal
	enrolled bool                     // compares media with a template: the user must be enrolled
}

// handlers returns the handler of each endpoint. A handler passes each score of its
// response through [call.scored], so that a [Stub] can set it.
func handlers() []handler {
	return []handler{
		{path: aimbrain.EndpointSessions, handle: (*call).createSession},
		{path: aimbrain.EndpointBehaviour, handle: (*call).behavioural},
		{path: aimbrain.EndpointBehaviourSubmit, handle: (*call).submit},
		{path: aimbrain.EndpointScore, handle: (*call).score},
		{path: aimbrain.EndpointFaceToken, handle: (*call).token},
		{path: aimbrain.EndpointFaceEnroll, handle: (*call).enroll},
		{path: aimbrain.EndpointFaceAuth, handle: (*call).auth, enrolled: true},
		{path: aimbrain.EndpointFaceCompare, handle: (*call).compare},
		{path: aimbrain.EndpointVoiceToken, handle: (*call).token},
		{path: aimbrain.EndpointVoiceEnroll, handle: (*call).enroll},
		{path: aimbrain.EndpointVoiceAuth, handle: (*call).auth, enrolled: true},
	}
}

func findHandler(path string) (h handler, found bool) {
	for _, h := range handlers() {
		if h.path == path {
			return h, true
		}
	}
	return handler{}, false
}

// scored returns a score of the response, 0 to 1: the one that the stub of the request
// sets for this member, or else the simulated one.
func (c *call) scored(member string, simulated float64) float64 {
	if c.outcome == nil || !c.outcome.scores() {
		return simulated
	}
	c.used = true
	set := c.outcome.score
	if isLiveliness(member) {
		set = c.outcome.liveliness
	}
	if set == nil {
		return simulated
	}
	return *set
}

// maxID bounds what the fake keeps of each user. The vendor documents no limit.
const maxID = 16 << 10

func (c *call) createSession() (any, error) {
	userID, err := c.text("userId")
	if err != nil {
		return nil, err
	}
	device, err := c.text("device")
	if err != nil {
		return nil, err
	}
	if len(userID) > maxID || len(device) > maxID {
		return nil, refuse(http.StatusBadRequest, fmt.Sprintf(`"userId" and "device" may have %d bytes at most in the fake, which keeps them`, maxID))
	}
	// The vendor's web client sends null if it does not know the system.
	if raw, ok := find(c.members, "system"); !ok || !strictjson.IsNull(raw) {
		if _, err := c.text("system"); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"screenHeight", "screenWidth"} {
		if err := c.pixels(name); err != nil {
			return nil, err
		}
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	created := struct {
		Session   string                `json:"session"`
		Face      aimbrain.ModuleStatus `json:"face"`
		Voice     aimbrain.ModuleStatus `json:"voice"`
		Behaviour aimbrain.ModuleStatus `json:"behaviour"`
	}{Session: f.newSession(userID, device).id}
	created.Face, created.Voice, created.Behaviour = f.state.user(userID).status(f.now(), device, f.config.behaviourCalls)
	return created, nil
}

func (c *call) token() (any, error) {
	s, module := c.session, c.endpoint.Module
	given, err := c.text("tokentype")
	if err != nil {
		return nil, err
	}
	step, isStep := strings.CutPrefix(given, "enroll-")
	if given != string(aimbrain.TokenAuth) && !(isStep && len(step) == 1 && step >= "1" && step <= "6") {
		return nil, refuse(http.StatusBadRequest, `"tokentype" is none of enroll-1 to enroll-6 and auth`)
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.state.tokens[module]
	f.state.tokens[module]++
	t := &token{text: digits(n), ends: f.now().Add(tokenLife)}
	if module == endpoints.Voice {
		t.text = sentence(n)
	}
	s.tokens[tokenKey{module, aimbrain.TokenType(given)}] = t
	return map[string]string{"token": t.text}, nil
}

func (c *call) enroll() (any, error) {
	media := c.media[0]
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.user(c.session.userID).module(c.endpoint.Module).add(media, f.now().Add(f.config.templateDelay))
	kind, _ := kindOf(c.endpoint.Module)
	return map[string]int{kind.count: len(media)}, nil
}

func (c *call) auth() (any, error) {
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	expected, err := c.useToken()
	if err != nil { // another request used the token meanwhile
		return nil, err
	}
	var scores, lives []float64
	enrolled := f.state.user(c.session.userID).module(c.endpoint.Module)
	for _, m := range c.media[0] {
		scores = append(scores, likeness(enrolled.is(m), enrolled.subject, m))
		lives = append(lives, m.liveliness(expected))
	}
	score := c.scored("score", mean(scores))
	c.session.scores[c.endpoint.Module] = score
	return map[string]float64{"score": score, "liveliness": c.scored("liveliness", mean(lives))}, nil
}

func (c *call) compare() (any, error) {
	var scores []float64
	for _, a := range c.media[0] {
		for _, b := range c.media[1] {
			scores = append(scores, likeness(a.subject == b.subject, a.subject, b))
		}
	}
	return map[string]float64{
		"score":       c.scored("score", mean(scores)),
		"liveliness1": c.scored("liveliness1", livelinessOf(c.media[0])),
		"liveliness2": c.scored("liveliness2", livelinessOf(c.media[1])),
	}, nil
}

func livelinessOf(media []medium) float64 {
	var lives []float64
	for _, m := range media {
		lives = append(lives, m.liveliness(""))
	}
	return mean(lives)
}

// score returns the scores of the session so far.
func (c *call) score() (any, error) {
	s, f := c.session, c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	type entry struct {
		Type    string  `json:"type"`
		Version string  `json:"version"`
		Value   float64 `json:"value"`
	}
	entries := []entry{}
	add := func(name string, value float64, has bool) {
		if has {
			entries = append(entries, entry{name, "1.0", c.scored(c.endpoint.List, value)})
		}
	}
	addLast := func(name string, module endpoints.Module) {
		value, has := s.scores[module]
		add(name, value, has)
	}
	if s.submitted != "" {
		add("anomaly", anomaly(s.submitted), true)
	}
	addLast("behaviour", endpoints.Behaviour)
	addLast("face", endpoints.Face)
	addLast("voice", endpoints.Voice)
	return map[string]any{
		"session":       s.id,
		"metadata":      []map[string]string{{"name": "simulated", "value": strconv.FormatBool(true)}},
		c.endpoint.List: entries,
	}, nil
}
