package aimbrain

import (
	"context"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// VoiceService recognises people by recordings of their voices. It is
// [Client.Voice].
type VoiceService struct{ client *Client }

// A VoiceEnrollResult is the response to an enrolment.
type VoiceEnrollResult struct {
	VoiceSamples int      `json:"voiceSamples"` // how many recordings were accepted
	Response     Response `json:"-"`            // the unchanged response
}

// A VoiceAuthResult is how well a voice is that of the session's user. Matches is
// false for its zero value.
type VoiceAuthResult struct {
	Score      float64  `json:"score"`      // how alike, 0..1: read it by Matches
	Liveliness float64  `json:"liveliness"` // how surely a living person, 0..1; 0 without a token
	Response   Response `json:"-"`          // the unchanged response
}

// Matches reports whether the score reaches the threshold, see
// [RecommendedThreshold]. A threshold that is not above 0, is above 1 or is not
// a number is reached by no score. Liveliness is not looked at, see IsLive.
func (r VoiceAuthResult) Matches(threshold float64) bool { return reaches(r.Score, threshold) }

// IsLive reports whether the liveliness reaches the threshold. The vendor
// recommends none.
func (r VoiceAuthResult) IsLive(threshold float64) bool { return reaches(r.Liveliness, threshold) }

// Token asks for what the user is to read aloud. It expires after 5 minutes;
// whether its first use consumes it is not known, so ask for one per recording.
func (s *VoiceService) Token(ctx context.Context, sessionID string, tokenType TokenType, opts ...CallOption) (Token, error) {
	return token(ctx, (*service)(s), EndpointVoiceToken, sessionID, tokenType, opts)
}

// Enroll adds recordings to what is known of the session's user. It works best
// with five, one for each of the tokens [TokenEnroll1] to [TokenEnroll5]. It
// is never sent twice; when the outcome is unknown, see EnrollAndConfirm.
//
// Errors to expect: [ErrMediaRejected] ([CodeUnreadableVoice]), [ErrSessionNotFound].
func (s *VoiceService) Enroll(ctx context.Context, sessionID string, voices Media, opts ...CallOption) (VoiceEnrollResult, error) {
	return do(ctx, (*service)(s), EndpointVoiceEnroll, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		b.Media("voices", voices.items, payload.Voice)
	}), readVoiceEnroll)
}

// Auth compares recordings with what the session's user was enrolled with. Ask
// for a token of the type [TokenAuth] first.
//
// Errors to expect: [ErrTokenRequired] ([CodeNoToken]), [ErrNotEnrolled]
// ([CodeUserNotFound]), [ErrMediaRejected] ([CodeUnreadableVoice]),
// [ErrSessionNotFound]. While the template is being made ([Building]) the API
// returns [CodeNoUserEncodings] as a rule, see [SessionsService.WaitWhileBuilding].
func (s *VoiceService) Auth(ctx context.Context, sessionID string, voices Media, opts ...CallOption) (VoiceAuthResult, error) {
	return do(ctx, (*service)(s), EndpointVoiceAuth, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		b.Media("voices", voices.items, payload.Voice)
	}), readVoiceAuth)
}

func readVoiceEnroll(members *jsonfields.Object, response Response) VoiceEnrollResult {
	return VoiceEnrollResult{VoiceSamples: members.Count("voiceSamples"), Response: response}
}

func readVoiceAuth(members *jsonfields.Object, response Response) VoiceAuthResult {
	return VoiceAuthResult{Score: members.Score("score"), Liveliness: members.Score("liveliness"), Response: response}
}
