package aimbraintest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
	"github.com/aimbrain/aimbrain-go/internal/synth"
)

// eventArrays returns the names of the arrays that the vendor's clients send.
func eventArrays() []string {
	return []string{"touches", "accelerations", "textEvents", "mouseEvents", "keyUpDownEvents"}
}

// A profile is the behaviour of a user on one device.
type profile struct {
	calls    int
	features map[string]*average
}

type average struct{ sum, n float64 }

func (a *average) add(v float64) { a.sum, a.n = a.sum+v, a.n+1 }
func (a *average) mean() float64 { return a.sum / a.n }

// learn adds the features of one call.
func (p *profile) learn(features map[string]float64) {
	if p.features == nil {
		p.features = map[string]*average{}
	}
	p.calls++
	for name, v := range features {
		if p.features[name] == nil {
			p.features[name] = &average{}
		}
		p.features[name].add(v)
	}
}

// score compares features with the profile. The score is near 1 for the same
// subject, below 0.5 if a feature differs by half a step or more (see
// [Behaviour]), and 0 if no feature is in both.
func (p *profile) score(features map[string]float64) float64 {
	worst := -1.0
	for name, v := range features {
		known := p.features[name]
		if known == nil {
			continue
		}
		steps := math.Abs(v-known.mean()) / featureStep(name)
		if !(steps < 1e6) { // also for NaN
			return 0
		}
		worst = max(worst, steps)
	}
	if worst < 0 {
		return 0
	}
	return round(1 / (1 + 4*worst*worst))
}

// learned returns the profile of a subject of [Behaviour].
func learned(subject string, calls int) *profile {
	p := &profile{}
	known := encode(Behaviour(subject, 64))
	members, err := strictjson.Object(nil, known)
	if err != nil {
		panic("aimbraintest: " + err.Error()) // the JSON was made here
	}
	features, _ := featuresOf(members)
	for range calls {
		p.learn(features)
	}
	return p
}

// behavioural learns from the first calls and compares the later ones. It does
// not learn from what it compares, or it would learn an impostor in time. A
// request without an event, which the vendor's web client sends while nobody
// moves, is neither learned nor compared.
func (c *call) behavioural() (any, error) {
	s := c.session
	features, some, err := c.events()
	if err != nil {
		return nil, err
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	type result struct {
		Score  float64               `json:"score"`
		Status aimbrain.ModuleStatus `json:"status"`
	}
	known := f.state.user(s.userID).on(s.device)
	if known.calls < f.config.behaviourCalls {
		if len(features) > 0 {
			known.learn(features)
		}
		return result{0, aimbrain.NotEnrolled}, nil
	}
	if !some {
		return result{s.scores[c.endpoint.Module], aimbrain.Enrolled}, nil // 0 if there was none
	}
	score := c.scored("score", known.score(features))
	s.scores[c.endpoint.Module] = score
	return result{score, aimbrain.Enrolled}, nil
}

// submit adds events to the anomaly score of the session.
func (c *call) submit() (any, error) {
	s := c.session
	_, some, err := c.events()
	switch {
	case err != nil:
		return nil, err
	case !some && c.fake.config.emptySubmit:
		return nil, nil
	case !some:
		return struct{}{}, nil
	}
	parts := []string{}
	for i := range c.members {
		if m := &c.members[i]; string(m.Name) != "session" && string(m.Name) != "metadata" {
			parts = append(parts, string(m.Name), string(m.Value))
		}
	}
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.Sum256([]byte(chain(append(parts, s.submitted)...)))
	s.submitted = hex.EncodeToString(sum[:])
	if f.config.emptySubmit {
		return nil, nil
	}
	return struct{}{}, nil
}

// events checks the arrays of a request. It returns the features of the known
// arrays, and reports whether any array has an event.
func (c *call) events() (features map[string]float64, some bool, err error) {
	features, bad := featuresOf(c.members)
	if bad != "" {
		return nil, false, refuse(http.StatusBadRequest, strconv.Quote(bad)+" is not an array of events: objects whose numbers are numbers")
	}
	arrays := false
	for i := range c.members {
		if m := &c.members[i]; len(m.Value) > 0 && m.Value[0] == '[' && string(m.Name) != "metadata" {
			arrays = true
			some = some || len(bytes.TrimSpace(m.Value[1:])) > 1 // more than the closing bracket
		}
	}
	if arrays {
		return features, some, nil
	}
	return nil, false, refuse(http.StatusBadRequest, "there are no events: send at least one array of them, such as \"touches\"")
}

// A wireEvent has the members that are measured, of an event of any kind.
type wireEvent struct {
	Time   *float64 `json:"t"`
	Radius *float64 `json:"r"`
	Force  *float64 `json:"f"`
	X      *float64 `json:"x"`
	Y      *float64 `json:"y"`
	Z      *float64 `json:"z"`
	Touch  float64  `json:"tid"`
}

// featuresOf measures the known arrays: what is typical for a finger, a hand, a
// typist. If an array cannot be read, it returns the name as bad.
func featuresOf(members []strictjson.Member) (features map[string]float64, bad string) {
	features = map[string]float64{}
	for _, name := range eventArrays() {
		raw, ok := find(members, name)
		if !ok || strictjson.IsNull(raw) {
			continue
		}
		var events []*wireEvent
		if json.Unmarshal(raw, &events) != nil {
			return nil, name
		}
		measured := map[string]*average{}
		var before *wireEvent
		for _, e := range events {
			if e == nil {
				return nil, name
			}
			e.measure(name, before, measured)
			before = e
		}
		for feature, a := range measured {
			features[feature] = a.mean()
		}
	}
	return features, ""
}

func (e *wireEvent) measure(array string, before *wireEvent, measured map[string]*average) {
	add := func(feature string, v *float64) {
		if v == nil {
			return
		}
		if measured[feature] == nil {
			measured[feature] = &average{}
		}
		measured[feature].add(*v)
	}
	if before != nil && before.Touch == e.Touch && before.Time != nil && e.Time != nil {
		interval := *e.Time - *before.Time
		add(array+" interval", &interval)
	}
	switch array {
	case "touches":
		add("radius", e.Radius)
		add("force", e.Force)
	case "accelerations":
		add("x", e.X)
		add("y", e.Y)
		add("z", e.Z)
	}
}

// featureStep returns how far apart the subjects of [Behaviour] are in a feature.
func featureStep(name string) float64 {
	switch name {
	case "radius":
		return 4
	case "force":
		return 0.08
	case "x", "y", "z":
		return 1
	case "touches interval", "accelerations interval", "mouseEvents interval":
		return 10
	}
	return 40 // between two changes of a text, or two keys
}

// Behaviour returns what a phone collects while an invented person uses it: n
// touches in swipes, n readings of the accelerometer, and the changes of a text
// that is typed. The same subject and n give the same events on every run.
//
// Each subject has habits: how large and firm a finger is, how fast it moves,
// how the phone is held, how fast it types. The fake recognises them in
// /v1/behavioural: the score is above 0.5 for the subject whose events it has
// learned, for any n, and below 0.5 for another subject. Behaviour panics for an
// empty subject and for n below 1.
func Behaviour(subject string, n int) aimbrain.Events {
	mediaMust(subject != "", "Behaviour: pass a name for the subject, not an empty string")
	mediaMust(n >= 1, "Behaviour(%q, %d): pass 1 event or more", subject, n)
	habit := synth.Seed("behaviour", subject)
	level := func(feature string, low float64, levels int) float64 {
		return low + float64(habit.Between(0, levels-1))*featureStep(feature)
	}
	radius, force := level("radius", 8, 10), level("force", 0.2, 9)
	interval := level("touches interval", 16, 8)
	x, y, z := level("x", -4, 9), level("y", 1, 9), level("z", -4, 9)
	typing := level("textEvents interval", 90, 12)

	var e aimbrain.Events
	e.Touches = swipes(synth.Seed("swipes", subject), n, radius, force, interval)
	for i := range n {
		wobble := wobble(i)
		e.Accelerations = append(e.Accelerations, aimbrain.Acceleration{
			Time: int64(1000 + 10*i), X: tidy(x + wobble), Y: tidy(y - wobble), Z: tidy(z + wobble),
		})
	}
	const words = "pay the rent for march to the landlord"
	t := 1400.0
	for i := range min(2+n/4, len(words)) {
		e.TextEvents = append(e.TextEvents, aimbrain.TextEvent{
			Time: int64(t), Text: words[:i+1], Elements: aimbrain.ElementIDs{"reference", "payment"},
		})
		t += typing + 20*wobble(i)
	}
	return e
}

// swipes returns swipes over a small screen, of eight events each.
func swipes(r *synth.Rand, n int, radius, force, interval float64) []aimbrain.Touch {
	const perSwipe = 8
	var touches []aimbrain.Touch
	var x, y, dx, dy int
	t := 1000.0
	for i := range n {
		step := i % perSwipe
		if step == 0 {
			x, y = r.Between(80, 240), r.Between(240, 330)
			dx, dy = r.Between(-9, 9), r.Between(-25, 25)
		}
		phase := aimbrain.TouchMoved
		switch {
		case step == 0:
			phase = aimbrain.TouchBegan
		case step == perSwipe-1 || i == n-1:
			phase = aimbrain.TouchEnded
		}
		px, py := float64(x+step*dx), float64(y+step*dy)
		touches = append(touches, aimbrain.Touch{
			ID: 1 + i/perSwipe, Phase: phase, Time: int64(t), X: px, Y: py, RX: px - 10, RY: py - 60,
			Radius: tidy(radius + 4*wobble(i)), Force: tidy(force + 0.08*wobble(i)),
			Elements: aimbrain.ElementIDs{"amount", "payment"},
		})
		t += interval + 10*wobble(i)
		if step == perSwipe-1 {
			t += 400
		}
	}
	return touches
}

// wobble returns a variation of a fifth of a step, up and down in turn, so that
// means do not change.
func wobble(i int) float64 { return 0.2 - 0.4*float64(i%2) }

func tidy(v float64) float64 { return math.Round(v*100) / 100 }
