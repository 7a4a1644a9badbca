package aimbraintest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// names are the words and codes that differ between face and voice.
type names struct {
	media, medium string
	enroll, token string
	missing       aimbrain.Code // no media in the request
	empty         aimbrain.Code // a medium without data
}

func modules(kind int) names {
	if kind == faceModule {
		return names{
			"faces", "a photo or video", aimbrain.EndpointFaceEnroll, aimbrain.EndpointFaceToken,
			aimbrain.CodeNoFaces, aimbrain.CodeNoImageData,
		}
	}
	return names{
		"voices", "a recording", aimbrain.EndpointVoiceEnroll, aimbrain.EndpointVoiceToken,
		aimbrain.CodeNoVoices, aimbrain.CodeUnreadableVoice,
	}
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

func (c *call) token(kind int) (any, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
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
	n := f.state.tokens[kind]
	f.state.tokens[kind]++
	t := &token{text: digits(n), ends: f.now().Add(tokenLife)}
	if kind == voiceModule {
		t.text = sentence(n)
	}
	if s.tokens[kind] == nil {
		s.tokens[kind] = map[aimbrain.TokenType]*token{}
	}
	s.tokens[kind][aimbrain.TokenType(given)] = t
	return map[string]string{"token": t.text}, nil
}

func (c *call) enroll(kind int) (any, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	elements, err := c.elements(modules(kind).media, kind)
	if err != nil {
		return nil, err
	}
	media, err := c.media(modules(kind).media, kind, elements)
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.user(s.userID).module(kind).add(media, f.now().Add(f.config.templateDelay))
	if kind == faceModule {
		return map[string]int{"imagesCount": len(media)}, nil
	}
	return map[string]int{"voiceSamples": len(media)}, nil
}

func (c *call) auth(kind int) (any, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	elements, err := c.elements(modules(kind).media, kind)
	if err != nil {
		return nil, err
	}
	if err := c.mayAuthenticate(s, kind); err != nil {
		return nil, err
	}
	media, err := c.media(modules(kind).media, kind, elements)
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	expected, err := f.useToken(s, kind)
	if err != nil { // another request used the token meanwhile
		return nil, err
	}
	var scores, lives []float64
	enrolled := f.state.user(s.userID).module(kind)
	for _, m := range media {
		scores = append(scores, likeness(enrolled.is(m), enrolled.subject, m))
		lives = append(lives, m.liveliness(expected))
	}
	score, live := mean(scores), mean(lives)
	c.override(&score, &live)
	if kind == faceModule {
		s.seen.face = &score
	} else {
		s.seen.voice = &score
	}
	return map[string]float64{"score": score, "liveliness": live}, nil
}

func (c *call) compare() (any, error) {
	var sides [2][]medium
	for i, name := range []string{"faces1", "faces2"} {
		elements, err := c.elements(name, faceModule)
		if err != nil {
			return nil, err
		}
		if sides[i], err = c.media(name, faceModule, elements); err != nil {
			return nil, err
		}
	}
	var scores []float64
	for _, a := range sides[0] {
		for _, b := range sides[1] {
			scores = append(scores, likeness(a.subject == b.subject, a.subject, b))
		}
	}
	score, live1, live2 := mean(scores), livelinessOf(sides[0]), livelinessOf(sides[1])
	c.override(&score, &live1, &live2)
	return map[string]float64{"score": score, "liveliness1": live1, "liveliness2": live2}, nil
}

func livelinessOf(media []medium) float64 {
	var lives []float64
	for _, m := range media {
		lives = append(lives, m.liveliness(""))
	}
	return mean(lives)
}

// override replaces the fake's numbers by those of the stub.
func (c *call) override(score *float64, liveliness ...*float64) {
	if c.outcome == nil || !c.outcome.scores() {
		return
	}
	c.used = true
	if c.outcome.score != nil {
		*score = *c.outcome.score
	}
	for _, live := range liveliness {
		if c.outcome.liveliness != nil {
			*live = *c.outcome.liveliness
		}
	}
}

// score returns the scores of the session so far.
func (c *call) score() (any, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	type entry struct {
		Type    string  `json:"type"`
		Version string  `json:"version"`
		Value   float64 `json:"value"`
	}
	entries := []entry{}
	add := func(name string, value *float64) {
		if value != nil {
			v := *value
			c.override(&v)
			entries = append(entries, entry{name, "1.0", v})
		}
	}
	add("anomaly", anomaly(s.seen.submitted))
	add("behaviour", s.seen.behaviour)
	add("face", s.seen.face)
	add("voice", s.seen.voice)
	return map[string]any{
		"session":  s.id,
		"metadata": []map[string]string{{"name": "simulated", "value": strconv.FormatBool(true)}},
		"scores":   entries,
	}, nil
}
