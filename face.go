package aimbrain

import (
	"context"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// FaceService recognises people by photos and videos of their faces. It is
// [Client.Face].
type FaceService struct{ client *Client }

// A FaceEnrollResult is the response to an enrolment.
type FaceEnrollResult struct {
	ImagesCount int      `json:"imagesCount"` // how many images were accepted
	Response    Response `json:"-"`           // the unchanged response
}

// A FaceAuthResult is how well a face is that of the session's user. Its zero
// value matches nobody.
type FaceAuthResult struct {
	Score      float64  `json:"score"`      // how alike, 0..1: read it by Matches
	Liveliness float64  `json:"liveliness"` // how surely a living person, 0..1; 0 for a photo
	Response   Response `json:"-"`          // the unchanged response
}

// A FaceCompareResult is how alike two faces are. Matches is false for its zero value.
type FaceCompareResult struct {
	Score       float64  `json:"score"`       // how alike, 0..1: read it by Matches
	Liveliness1 float64  `json:"liveliness1"` // how surely the first is a living person, 0..1; 0 for a photo
	Liveliness2 float64  `json:"liveliness2"` // the same for the second
	Response    Response `json:"-"`           // the unchanged response
}

// Matches reports whether the score reaches the threshold, see
// [RecommendedThreshold]. A threshold that is not above 0, is above 1 or is not
// a number is reached by no score. Liveliness is not looked at, see IsLive.
func (r FaceAuthResult) Matches(threshold float64) bool { return reaches(r.Score, threshold) }

// IsLive reports whether the liveliness reaches the threshold. It is 0 for a
// photo, so that only a video can be live. The vendor recommends no threshold.
func (r FaceAuthResult) IsLive(threshold float64) bool { return reaches(r.Liveliness, threshold) }

// Matches reports whether the score reaches the threshold, see
// [RecommendedThreshold]. A threshold that is not above 0, is above 1 or is not
// a number is reached by no score.
func (r FaceCompareResult) Matches(threshold float64) bool { return reaches(r.Score, threshold) }

// Token asks for a LipSync token: what the user is to say in the video, such
// as "6-6-7". Ask for it before the video is recorded, of the type of the call
// that the video is for.
func (s *FaceService) Token(ctx context.Context, sessionID string, tokenType TokenType, opts ...CallOption) (Token, error) {
	return token(ctx, (*service)(s), EndpointFaceToken, sessionID, tokenType, opts)
}

// Enroll adds photos or videos to what is known of the session's user. It
// works best with five: straight, and from slightly above, below, left and
// right. It is never sent twice; when the outcome is unknown, see
// EnrollAndConfirm.
//
// Errors to expect: [ErrMediaRejected] with the codes of what is wrong with a
// picture, [ErrSessionNotFound].
func (s *FaceService) Enroll(ctx context.Context, sessionID string, faces Media, opts ...CallOption) (FaceEnrollResult, error) {
	return do(ctx, (*service)(s), EndpointFaceEnroll, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		b.Media("faces", faces.items, payload.Face)
	}), readFaceEnroll)
}

// Auth compares photos or videos with what the session's user was enrolled with.
//
// Errors to expect: [ErrNotEnrolled] ([CodeUserNotFound]), [ErrMediaRejected]
// with the codes of what is wrong with a picture, [ErrSessionNotFound]. While the
// template is being made ([Building]) the API returns [CodeNoUserEncodings] as a
// rule, see [SessionsService.WaitWhileBuilding].
//
// With several photos the API returns one score. How it joins them is not
// documented: if the body comes from an app, allow exactly one photo.
func (s *FaceService) Auth(ctx context.Context, sessionID string, faces Media, opts ...CallOption) (FaceAuthResult, error) {
	return do(ctx, (*service)(s), EndpointFaceAuth, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		b.Media("faces", faces.items, payload.Face)
	}), readFaceAuth)
}

// Compare compares two faces with each other. It needs no session, and the API
// stores nothing.
//
// Errors to expect: [ErrMediaRejected] with the codes of what is wrong with a picture.
func (s *FaceService) Compare(ctx context.Context, faces1, faces2 Media, opts ...CallOption) (FaceCompareResult, error) {
	return do(ctx, (*service)(s), EndpointFaceCompare, opts, payload.Object(func(b *payload.Builder) {
		b.Expect(payload.EncodedSize(faces1.items) + payload.EncodedSize(faces2.items) + 64)
		b.Media("faces1", faces1.items, payload.Face)
		b.Media("faces2", faces2.items, payload.Face)
	}), readFaceCompare)
}

func readFaceEnroll(members *jsonfields.Object, response Response) FaceEnrollResult {
	return FaceEnrollResult{ImagesCount: members.Count("imagesCount"), Response: response}
}

func readFaceAuth(members *jsonfields.Object, response Response) FaceAuthResult {
	return FaceAuthResult{Score: members.Score("score"), Liveliness: members.Score("liveliness"), Response: response}
}

func readFaceCompare(members *jsonfields.Object, response Response) FaceCompareResult {
	return FaceCompareResult{
		Score: members.Score("score"), Liveliness1: members.Score("liveliness1"), Liveliness2: members.Score("liveliness2"), Response: response,
	}
}
