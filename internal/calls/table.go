package calls

import (
	"context"
	"encoding/json"
	"fmt"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// SessionID is the session of the recorded requests.
const SessionID = "4f1c2a9e-session"

// The types of the arguments of each entry.
type (
	ctx     = context.Context
	client  = *aimbrain.Client
	options = []aimbrain.CallOption
)

func sessionCalls() []Call {
	return []Call{
		entry[aimbrain.Session]{
			path: aimbrain.EndpointSessions,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.Session, error) {
				return c.Sessions.Create(ctx, aimbrain.SessionRequest{
					UserID: a.UserID, Device: "iPhone6,2", System: "iOS 9.2.1", ScreenHeight: 568, ScreenWidth: 320,
				}, o...)
			},
			response: func(u User) string { return `{"session":"` + u.Session() + `","face":1,"voice":2,"behaviour":0}` },
			result: func(u User) aimbrain.Session {
				return aimbrain.Session{ID: u.Session(), Face: aimbrain.Enrolled, Voice: aimbrain.Building, Behaviour: aimbrain.NotEnrolled}
			},
			recorded: recording[aimbrain.Session]{
				want: aimbrain.Session{ID: SessionID, Face: aimbrain.NotEnrolled, Voice: aimbrain.Building, Behaviour: aimbrain.Enrolled},
			},
			broken: []string{
				`{"face":1,"voice":1,"behaviour":1}`, `{"session":"","face":1,"voice":1,"behaviour":1}`, `{"session":7,"face":1,"voice":1,"behaviour":1}`,
				`{"session":"s","voice":1,"behaviour":1}`, `{"session":"s","face":1,"behaviour":1}`, `{"session":"s","face":1,"voice":1}`,
				`{"session":"s","face":true,"voice":1,"behaviour":1}`, `{"session":"s","face":1.0,"voice":1,"behaviour":1}`,
				`{"session":"s","face":-1,"voice":1,"behaviour":1}`, `{"session":"s","face":1e0,"voice":1,"behaviour":1}`,
				`{"session":"s","face":null,"voice":1,"behaviour":1}`, `{"session":"s","face":99999999999,"voice":1,"behaviour":1}`,
			},
		}.call(),
		entry[aimbrain.BehaviourAuthResult]{
			path: aimbrain.EndpointBehaviour,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.BehaviourAuthResult, error) {
				return c.Behaviour.Auth(ctx, a.Session, aimbrain.Events{
					MouseEvents: []aimbrain.MouseEvent{
						{Time: 1, DocumentX: 10, DocumentY: 20, ElementX: 1, ElementY: 2, Type: aimbrain.MouseDown, Elements: []string{"pay"}},
						{Time: 2, DocumentX: 11, DocumentY: 21, ElementX: 2, ElementY: 3, Type: aimbrain.MouseMove},
					},
					KeyEvents: []aimbrain.KeyEvent{{Time: 3, Key: "a", Direction: aimbrain.KeyDown, Elements: []string{"amount"}}},
					Other:     map[string]any{"scrollEvents": json.RawMessage(`[{"t":4,"dy":-3}]`)},
				}, o...)
			},
			response: func(u User) string { return `{"score":` + u.ScoreText() + `,"status":1}` },
			result: func(u User) aimbrain.BehaviourAuthResult {
				return aimbrain.BehaviourAuthResult{Score: u.Score(), Status: aimbrain.Enrolled}
			},
			recorded: recording[aimbrain.BehaviourAuthResult]{want: aimbrain.BehaviourAuthResult{Score: 0.8123, Status: aimbrain.Enrolled}},
			broken:   []string{`{"score":0.9}`, `{"status":1}`, `{"score":0.9,"status":"1"}`, `{"score":2,"status":1}`},
		}.call(),
		entry[aimbrain.BehaviourSubmitResult]{
			path: aimbrain.EndpointBehaviourSubmit,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.BehaviourSubmitResult, error) {
				group := 0
				return c.Behaviour.Submit(ctx, a.Session, aimbrain.Events{
					Touches: []aimbrain.Touch{{
						ID: 7, GroupID: &group, Phase: aimbrain.TouchMoved, Time: 1480, RX: 12.5, RY: 8, Radius: 21.5, Force: 0.25, Elements: []string{"login", "form"},
					}},
					Accelerations: []aimbrain.Acceleration{{Time: 1490, X: 0.01, Y: -0.5, Z: 9.81}},
					TextEvents:    []aimbrain.TextEvent{{Time: 1500, Text: `a"b`}},
				}, o...)
			},
			response: func(User) string { return `{}` },
			result:   func(User) aimbrain.BehaviourSubmitResult { return aimbrain.BehaviourSubmitResult{} },
			broken:   []string{`[]`, `OK`, `<html></html>`, `{"a":1,"a":2}`},
		}.call(),
		entry[aimbrain.ScoreResult]{
			path: aimbrain.EndpointScore,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.ScoreResult, error) {
				return c.Score.Get(ctx, a.Session, o...)
			},
			response: func(u User) string {
				return `{"session":"` + u.Session() + `","metadata":[],"scores":[{"type":"behaviour","version":"1","value":` + u.ScoreText() + `}]}`
			},
			result: func(u User) aimbrain.ScoreResult {
				return aimbrain.ScoreResult{Session: u.Session(), Scores: []aimbrain.ScoreEntry{{Type: "behaviour", Version: "1", Value: u.Score()}}}
			},
			recorded: recording[aimbrain.ScoreResult]{want: aimbrain.ScoreResult{
				Session:  SessionID,
				Scores:   []aimbrain.ScoreEntry{{Type: "anomaly", Version: "3", Value: 0.125}, {Type: "face", Version: "2.1", Value: 1}},
				Metadata: []aimbrain.ScoreMetadata{{Name: "model", Value: "b-12"}, {Name: "samples", Value: "42"}},
			}},
			broken: []string{
				`{"session":"4f1c2a9e-session"}`, `{"session":"4f1c2a9e-session","scores":null}`, `{"session":"4f1c2a9e-session","scores":{}}`,
				`{"session":"4f1c2a9e-session","scores":[1]}`, `{"session":"4f1c2a9e-session","scores":[{"type":"a","version":1}]}`,
				`{"session":"4f1c2a9e-session","scores":[{"type":"a","version":1,"value":1.5}]}`, `{"session":"4f1c2a9e-session","scores":[{"value":0.5}]}`,
				`{"session":"somebody-elses","scores":[]}`, `{"scores":[]}`,
			},
		}.call(),
	}
}

func faceCalls() []Call {
	face := []byte("\xff\xd8a face")
	return []Call{
		entry[aimbrain.Token]{
			path: aimbrain.EndpointFaceToken,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.Token, error) {
				return c.Face.Token(ctx, a.Session, aimbrain.TokenAuth, o...)
			},
			response: func(u User) string { return `{"token":"` + u.Name() + `"}` },
			result:   func(u User) aimbrain.Token { return aimbrain.Token{Text: u.Name()} },
			recorded: recording[aimbrain.Token]{want: aimbrain.Token{Text: "6-6-7"}},
			broken:   []string{`{}`, `{"token":""}`, `{"token":667}`, `{"token":null}`},
		}.call(),
		entry[aimbrain.FaceEnrollResult]{
			path: aimbrain.EndpointFaceEnroll,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.FaceEnrollResult, error) {
				return c.Face.Enroll(ctx, a.Session, a.Media[0], o...)
			},
			response: func(u User) string { return fmt.Sprintf(`{"imagesCount":%d}`, u.Count()) },
			result:   func(u User) aimbrain.FaceEnrollResult { return aimbrain.FaceEnrollResult{ImagesCount: u.Count()} },
			recorded: recording[aimbrain.FaceEnrollResult]{
				media: []aimbrain.Media{aimbrain.Photos([]byte("\xff\xd8first face"), []byte("\xff\xd8second"))},
				want:  aimbrain.FaceEnrollResult{ImagesCount: 2},
			},
			broken: []string{`{}`, `{"imagesCount":"2"}`, `{"imagesCount":-1}`, `{"imagescount":2}`, `{"imagesCount":2.5}`},
		}.call(),
		entry[aimbrain.FaceAuthResult]{
			path: aimbrain.EndpointFaceAuth,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.FaceAuthResult, error) {
				return c.Face.Auth(ctx, a.Session, a.Media[0], o...)
			},
			response: func(u User) string { return fmt.Sprintf(`{"score":%[1]s,"liveliness":%[1]s}`, u.ScoreText()) },
			result: func(u User) aimbrain.FaceAuthResult {
				return aimbrain.FaceAuthResult{Score: u.Score(), Liveliness: u.Score()}
			},
			recorded: recording[aimbrain.FaceAuthResult]{
				media:   []aimbrain.Media{aimbrain.Photos(face)},
				options: options{aimbrain.WithMetadata([]byte("branch 7"))},
				want:    aimbrain.FaceAuthResult{Score: 0.9731, Liveliness: 0.25}, metadata: "trace-42",
			},
			broken: []string{`{"score":0.9}`, `{"liveliness":0.9}`},
		}.call(),
		entry[aimbrain.FaceCompareResult]{
			path: aimbrain.EndpointFaceCompare,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.FaceCompareResult, error) {
				return c.Face.Compare(ctx, a.Media[0], a.Media[1], o...)
			},
			response: func(u User) string {
				return fmt.Sprintf(`{"score":%[1]s,"liveliness1":%[1]s,"liveliness2":%[1]s}`, u.ScoreText())
			},
			result: func(u User) aimbrain.FaceCompareResult {
				return aimbrain.FaceCompareResult{Score: u.Score(), Liveliness1: u.Score(), Liveliness2: u.Score()}
			},
			recorded: recording[aimbrain.FaceCompareResult]{
				media: []aimbrain.Media{aimbrain.Photos(face), aimbrain.Photos([]byte("\xff\xd8another"))},
				want:  aimbrain.FaceCompareResult{Score: 0.31, Liveliness1: 0, Liveliness2: 1},
			},
			broken: []string{`{"score":0.9,"liveliness1":0.1}`, `{"score":0.9,"liveliness2":0.1}`, `{"liveliness1":0.9,"liveliness2":0.1}`},
		}.call(),
	}
}

func voiceCalls() []Call {
	return []Call{
		entry[aimbrain.Token]{
			path: aimbrain.EndpointVoiceToken,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.Token, error) {
				return c.Voice.Token(ctx, a.Session, aimbrain.TokenEnroll3, o...)
			},
			response: func(u User) string { return `{"token":"` + u.Name() + `"}` },
			result:   func(u User) aimbrain.Token { return aimbrain.Token{Text: u.Name()} },
			recorded: recording[aimbrain.Token]{want: aimbrain.Token{Text: "My voice opens the door"}},
			broken:   []string{`{}`, `{"token":""}`},
		}.call(),
		entry[aimbrain.VoiceEnrollResult]{
			path: aimbrain.EndpointVoiceEnroll,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.VoiceEnrollResult, error) {
				return c.Voice.Enroll(ctx, a.Session, a.Media[0], o...)
			},
			response: func(u User) string { return fmt.Sprintf(`{"voiceSamples":%d}`, u.Count()) },
			result:   func(u User) aimbrain.VoiceEnrollResult { return aimbrain.VoiceEnrollResult{VoiceSamples: u.Count()} },
			recorded: recording[aimbrain.VoiceEnrollResult]{
				media: []aimbrain.Media{aimbrain.Recordings([]byte("RIFF a voice"))},
				want:  aimbrain.VoiceEnrollResult{VoiceSamples: 1},
			},
			broken: []string{`{}`, `{"voiceSamples":null}`, `{"voiceSamples":-1}`},
		}.call(),
		entry[aimbrain.VoiceAuthResult]{
			path: aimbrain.EndpointVoiceAuth,
			typed: func(ctx ctx, c client, a Arguments, o options) (aimbrain.VoiceAuthResult, error) {
				return c.Voice.Auth(ctx, a.Session, a.Media[0], o...)
			},
			response: func(u User) string { return fmt.Sprintf(`{"score":%[1]s,"liveliness":%[1]s}`, u.ScoreText()) },
			result: func(u User) aimbrain.VoiceAuthResult {
				return aimbrain.VoiceAuthResult{Score: u.Score(), Liveliness: u.Score()}
			},
			recorded: recording[aimbrain.VoiceAuthResult]{
				media: []aimbrain.Media{aimbrain.Recordings([]byte("caff a voice"))},
				want:  aimbrain.VoiceAuthResult{Score: 0.5, Liveliness: 0},
			},
			broken: []string{`{"score":0.9}`, `{"liveliness":0.9}`},
		}.call(),
	}
}
