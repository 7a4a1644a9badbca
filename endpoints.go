package aimbrain

import (
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
)

// The endpoints of the API.
const (
	EndpointSessions        = "/v1/sessions"
	EndpointBehaviour       = "/v1/behavioural"
	EndpointBehaviourSubmit = "/v1/behavioural/submit"
	EndpointScore           = "/v1/score"
	EndpointFaceToken       = "/v1/face/token"
	EndpointFaceEnroll      = "/v1/face/enroll"
	EndpointFaceAuth        = "/v1/face/auth"
	EndpointFaceCompare     = "/v1/face/compare"
	EndpointVoiceToken      = "/v1/voice/token"
	EndpointVoiceEnroll     = "/v1/voice/enroll"
	EndpointVoiceAuth       = "/v1/voice/auth"
)

// Endpoints lists all endpoints.
func Endpoints() []string {
	var paths []string
	for _, row := range endpoints.All() {
		paths = append(paths, row.Path)
	}
	return paths
}

// A Result is what a call returns, for [Decode].
type Result interface {
	Session | Token | FaceEnrollResult | FaceAuthResult | FaceCompareResult |
		VoiceEnrollResult | VoiceAuthResult | BehaviourSubmitResult | BehaviourAuthResult | ScoreResult
}

// read makes the result of a response of an endpoint, the response itself for one
// that the library does not know.
func read(path string, members *jsonfields.Object, response Response) any {
	switch path {
	case EndpointSessions:
		return readSession(members, response)
	case EndpointBehaviour:
		return readBehaviourAuth(members, response)
	case EndpointBehaviourSubmit:
		return readBehaviourSubmit(members, response)
	case EndpointScore:
		return readScore(members, response)
	case EndpointFaceToken, EndpointVoiceToken:
		return readToken(members, response)
	case EndpointFaceEnroll:
		return readFaceEnroll(members, response)
	case EndpointFaceAuth:
		return readFaceAuth(members, response)
	case EndpointFaceCompare:
		return readFaceCompare(members, response)
	case EndpointVoiceEnroll:
		return readVoiceEnroll(members, response)
	case EndpointVoiceAuth:
		return readVoiceAuth(members, response)
	}
	return response
}

// endpointsOf returns the endpoints whose result is T, one at least, as a test checks.
func endpointsOf[T Result]() []string {
	switch any(*new(T)).(type) {
	case Session:
		return []string{EndpointSessions}
	case BehaviourAuthResult:
		return []string{EndpointBehaviour}
	case BehaviourSubmitResult:
		return []string{EndpointBehaviourSubmit}
	case ScoreResult:
		return []string{EndpointScore}
	case FaceEnrollResult:
		return []string{EndpointFaceEnroll}
	case FaceAuthResult:
		return []string{EndpointFaceAuth}
	case FaceCompareResult:
		return []string{EndpointFaceCompare}
	case VoiceEnrollResult:
		return []string{EndpointVoiceEnroll}
	case VoiceAuthResult:
		return []string{EndpointVoiceAuth}
	case Token:
		return []string{EndpointFaceToken, EndpointVoiceToken}
	}
	return nil
}
