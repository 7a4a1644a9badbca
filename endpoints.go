package aimbrain

import (
	"slices"
	"strings"
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
	return []string{
		EndpointSessions, EndpointBehaviour, EndpointBehaviourSubmit, EndpointScore,
		EndpointFaceToken, EndpointFaceEnroll, EndpointFaceAuth, EndpointFaceCompare,
		EndpointVoiceToken, EndpointVoiceEnroll, EndpointVoiceAuth,
	}
}

// A repeat says whether a request that may have been processed may be sent again.
type repeat int

const (
	repeatNever  repeat = iota // it changes what is stored about a person
	repeatOptIn                // it does little harm, which the caller decides
	repeatAlways               // it reads only
)

// repeatability returns the class of an endpoint. One that is not known is
// never repeated.
func repeatability(endpoint string) repeat {
	switch endpoint {
	case EndpointScore, EndpointFaceCompare:
		return repeatAlways
	case EndpointSessions, EndpointFaceToken, EndpointVoiceToken, EndpointFaceAuth, EndpointVoiceAuth:
		return repeatOptIn
	}
	return repeatNever
}

// newAnswer returns the reader of an endpoint's answer.
func newAnswer(endpoint string) decoder {
	switch endpoint {
	case EndpointSessions:
		return new(Session)
	case EndpointBehaviour:
		return new(BehaviourAuthResult)
	case EndpointBehaviourSubmit:
		return new(BehaviourSubmitResult)
	case EndpointScore:
		return new(ScoreResult)
	case EndpointFaceToken, EndpointVoiceToken:
		return new(Token)
	case EndpointFaceEnroll:
		return new(FaceEnrollResult)
	case EndpointFaceAuth:
		return new(FaceAuthResult)
	case EndpointFaceCompare:
		return new(FaceCompareResult)
	case EndpointVoiceEnroll:
		return new(VoiceEnrollResult)
	case EndpointVoiceAuth:
		return new(VoiceAuthResult)
	}
	return new(forwarded)
}

// mayRepeat reports whether this call may be sent again after an attempt that
// may have been processed.
func (p RetryPolicy) mayRepeat(endpoint string, optIn bool) bool {
	switch repeatability(endpoint) {
	case repeatAlways:
		return true
	case repeatOptIn:
		return optIn || slices.Contains(p.RetryUnknownOutcome, endpoint)
	case repeatNever:
	}
	return false
}

// cleanEndpoint returns the endpoint as it is sent and signed, in lower case,
// or says what is wrong with it.
func cleanEndpoint(endpoint string) (clean, problem string) {
	switch {
	case !strings.HasPrefix(endpoint, "/") || strings.HasPrefix(endpoint, "//"):
		return "", "must begin with one slash, as in " + EndpointFaceAuth
	case strings.ContainsFunc(endpoint, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-_.~", r)
	}):
		return "", "holds a character that an endpoint cannot: no query, no fragment, no escapes"
	case strings.Contains(endpoint, "/./"), strings.Contains(endpoint, "/../"), strings.HasSuffix(endpoint, "/."), strings.HasSuffix(endpoint, "/.."), strings.Contains(endpoint, "//"):
		return "", "must not hold empty, . or .. segments"
	}
	return strings.ToLower(endpoint), ""
}
