package aimbrain

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// BehaviourService recognises people by how they touch, move and type. It is
// [Client.Behaviour].
type BehaviourService struct{ client *Client }

// Events are what an app collected. What it collects depends on the app; leave
// out what it does not. Times are in milliseconds, on the device's clock.
//
// Events hold what a person typed. They are never logged by this library; do
// not log them either, and send no text of a field that holds a secret.
type Events struct {
	Touches       []Touch        `json:"touches,omitempty"`       // mobile
	Accelerations []Acceleration `json:"accelerations,omitempty"` // mobile
	TextEvents    []TextEvent    `json:"textEvents,omitempty"`    // mobile
	MouseEvents   []MouseEvent   `json:"mouseEvents,omitempty"`   // web
	KeyEvents     []KeyEvent     `json:"keyUpDownEvents,omitempty"`
	// Other are arrays that this library does not know, by their names on the
	// wire: each a value that encodes to a JSON array.
	Other map[string]any `json:"-"`
}

// A Touch is one change of a finger on the screen.
type Touch struct {
	ID       int        `json:"tid"`           // of the finger, from its beginning to its end
	GroupID  *int       `json:"gid,omitempty"` // of fingers that touch together, Android only
	Phase    TouchPhase `json:"p"`             // what changed
	Time     int64      `json:"t"`             // ms
	X        float64    `json:"x"`             // on the screen; 0 for a sensitive element
	Y        float64    `json:"y"`             // on the screen; 0 for a sensitive element
	RX       float64    `json:"rx"`            // in the element
	RY       float64    `json:"ry"`            // in the element
	Radius   float64    `json:"r"`             // of the area that is touched
	Force    float64    `json:"f"`             // of the touch
	Elements ElementIDs `json:"ids"`           // where
}

// ElementIDs are the ids of the element that an event happened in and of those
// around it, inner ones first.
type ElementIDs []string

// MarshalJSON writes no ids as an empty array.
func (ids ElementIDs) MarshalJSON() ([]byte, error) {
	if ids == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]string(ids))
}

// A TouchPhase says what changed about a finger.
type TouchPhase int

// The phases.
const (
	TouchBegan      TouchPhase = 0
	TouchMoved      TouchPhase = 1
	TouchStationary TouchPhase = 2
	TouchEnded      TouchPhase = 3
	TouchCancelled  TouchPhase = 4
)

// An Acceleration is one reading of the device's accelerometer.
type Acceleration struct {
	Time int64   `json:"t"` // ms
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Z    float64 `json:"z"`
}

// A TextEvent is one change of a text.
type TextEvent struct {
	Time     int64      `json:"t"`   // ms
	Text     string     `json:"tx"`  // the whole text after the change
	Elements ElementIDs `json:"ids"` // where
}

// A MouseEvent is one move or click of a mouse.
type MouseEvent struct {
	Time      int64      // ms
	DocumentX float64    // in the document
	DocumentY float64    // in the document
	ElementX  float64    // in the element
	ElementY  float64    // in the element
	Type      MouseType  // what happened
	Button    int        // which button; sent with up and down alone
	Folded    int        // how many events were folded into this one; sent with move alone
	Elements  ElementIDs // where
}

// A MouseType says what a mouse did.
type MouseType int

// The mouse types.
const (
	MouseUp   MouseType = 0
	MouseDown MouseType = 1
	MouseMove MouseType = 2
)

// MarshalJSON writes the event as the vendor's web client does: a move has no
// button, and a click is not folded.
func (e MouseEvent) MarshalJSON() ([]byte, error) {
	wire := struct {
		Time      int64      `json:"t"`
		DocumentX float64    `json:"docx"`
		DocumentY float64    `json:"docy"`
		ElementX  float64    `json:"elx"`
		ElementY  float64    `json:"ely"`
		Type      MouseType  `json:"type"`
		Button    *int       `json:"btn,omitempty"`
		Folded    *int       `json:"no,omitempty"`
		Elements  ElementIDs `json:"ids"`
	}{e.Time, e.DocumentX, e.DocumentY, e.ElementX, e.ElementY, e.Type, nil, nil, e.Elements}
	if e.Type == MouseMove {
		wire.Folded = &e.Folded
	} else {
		wire.Button = &e.Button
	}
	return json.Marshal(wire)
}

// A KeyEvent is one press or release of a key.
type KeyEvent struct {
	Time      int64        `json:"t"`   // ms
	Key       string       `json:"key"` // which key
	Direction KeyDirection `json:"dir"`
	Elements  ElementIDs   `json:"ids"` // where
}

// A KeyDirection says whether a key went up or down.
type KeyDirection int

// The directions.
const (
	KeyUp   KeyDirection = 0
	KeyDown KeyDirection = 1
)

// A BehaviourSubmitResult says that events were taken. There is nothing in
// it but the response: the vendor documents no body.
type BehaviourSubmitResult struct {
	Response Response `json:"-"` // the unchanged response, its body may be empty
}

// A BehaviourAuthResult is how well behaviour is that of the session's user.
// Matches is false for its zero value.
type BehaviourAuthResult struct {
	Score    float64      `json:"score"`  // how alike, 0..1; means nothing before Status is Enrolled
	Status   ModuleStatus `json:"status"` // NotEnrolled until enough was seen, then Enrolled
	Response Response     `json:"-"`      // the unchanged response
}

// Matches reports whether the user is enrolled and the score reaches the
// threshold, see [RecommendedThreshold].
func (r BehaviourAuthResult) Matches(threshold float64) bool {
	return r.Status == Enrolled && reaches(r.Score, threshold)
}

// Submit sends events for the session's AimAnomaly score, which
// [ScoreService.Get] reads. It is never sent twice.
//
// Errors to expect: [ErrSessionNotFound].
func (s *BehaviourService) Submit(ctx context.Context, sessionID string, events Events, opts ...CallOption) (BehaviourSubmitResult, error) {
	return do(ctx, (*service)(s), EndpointBehaviourSubmit, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		writeEvents(b, events)
	}), readBehaviourSubmit)
}

// Auth sends events, learns from them, and returns how well they are those
// of the session's user (AimBehaviour). A new application begins in a
// listen-only mode: score 0 and status [NotEnrolled] until enough was seen. It
// is never sent twice.
//
// Errors to expect: [ErrSessionNotFound].
func (s *BehaviourService) Auth(ctx context.Context, sessionID string, events Events, opts ...CallOption) (BehaviourAuthResult, error) {
	return do(ctx, (*service)(s), EndpointBehaviour, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		writeEvents(b, events)
	}), readBehaviourAuth)
}

// events writes one member for each array that has something in it.
func writeEvents(b *payload.Builder, e Events) {
	known, err := json.Marshal(e)
	if err != nil {
		b.Refuse("events", "cannot be encoded", err)
		return
	}
	members, err := strictjson.Object(nil, known)
	if err != nil {
		b.Refuse("events", "cannot be encoded", err)
		return
	}
	for _, member := range members {
		b.Name(string(member.Name))
		b.JSON(member.Value)
	}
	if len(members)+len(e.Other) == 0 {
		b.Refuse("events", "are empty", nil)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Other)) {
		writeOtherEvents(b, name, e.Other[name])
	}
}

// otherEvents writes an array that the library does not know, and refuses one
// that would make the request mean two things.
func writeOtherEvents(b *payload.Builder, name string, value any) {
	switch name {
	case "", "session", "metadata", "touches", "accelerations", "textEvents", "mouseEvents", "keyUpDownEvents":
		b.Refuse("Events.Other", "holds a name that is not free", nil)
		return
	}
	array, err := json.Marshal(value)
	if err == nil {
		_, err = strictjson.Elements(nil, array)
	}
	if err != nil {
		b.Refuse("Events.Other", "holds a value that does not encode to a strict JSON array", err)
		return
	}
	quoted, err := strictjson.AppendString(nil, name)
	if err != nil {
		b.Refuse("Events.Other", "holds a name that is not valid UTF-8", nil)
		return
	}
	b.Name(string(quoted[1 : len(quoted)-1]))
	b.JSON(array)
}

func readBehaviourSubmit(_ *jsonfields.Object, response Response) BehaviourSubmitResult {
	return BehaviourSubmitResult{Response: response}
}

func readBehaviourAuth(members *jsonfields.Object, response Response) BehaviourAuthResult {
	return BehaviourAuthResult{Score: members.Score("score"), Status: ModuleStatus(members.Count("status")), Response: response}
}
