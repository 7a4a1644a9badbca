package aimbrain

import (
	"net/http"
	"strconv"
)

// An HTTPStatus is the HTTP status of an answer that is an error, as an error
// to compare with: errors.Is(err, aimbrain.ErrNoSession), or for a status that
// has no name here errors.Is(err, aimbrain.HTTPStatus(503)).
type HTTPStatus int

// The HTTP statuses that the API documents, and 429.
const (
	ErrMalformed    HTTPStatus = 400 // a key, a signature or a parameter is missing, or the JSON is bad
	ErrUnauthorized HTTPStatus = 401 // the API key or the signature is wrong
	ErrNoSession    HTTPStatus = 403 // no such session: it expired 2 hours after its last use, or never was
	ErrNotAccepted  HTTPStatus = 422 // well formed, but the media was not accepted
	ErrRateLimited  HTTPStatus = 429 // too many requests; not documented by the vendor, gateways send it
	ErrNotEnrolled  HTTPStatus = 424 // no enrolled user with that id
	ErrTokenNeeded  HTTPStatus = 460 // no token for this authentication
	ErrServer       HTTPStatus = 500 // server trouble; for 502 to 504 too there is [ActionRetryLater]
)

// Error returns the number and the meaning: "HTTP 403: no such session".
func (s HTTPStatus) Error() string {
	text := "HTTP " + strconv.Itoa(int(s))
	if meaning := s.Meaning(); meaning != "" {
		text += ": " + meaning
	}
	return text
}

// Meaning returns what the status means to this API, or the standard text of
// one that it does not document.
func (s HTTPStatus) Meaning() string {
	switch s {
	case ErrMalformed:
		return "the request is malformed"
	case ErrUnauthorized:
		return "the API key or the signature is wrong"
	case ErrNoSession:
		return "no such session"
	case ErrNotAccepted:
		return "the media was not accepted"
	case ErrNotEnrolled:
		return "no enrolled user with that id"
	case ErrTokenNeeded:
		return "no token for this authentication"
	case ErrServer:
		return "server trouble"
	}
	return http.StatusText(int(s))
}

// ambiguous reports whether the status leaves open what became of the request:
// the API failed, or a gateway gave up on it, which a 408 may say too.
func (s HTTPStatus) ambiguous() bool {
	return s >= 500 || s == http.StatusRequestTimeout
}

// Action returns what kind of step helps.
func (s HTTPStatus) Action() Action {
	switch {
	case s == ErrMalformed:
		return ActionFixRequest
	case s == ErrUnauthorized:
		return ActionCheckCredentials
	case s == ErrNoSession:
		return ActionNewSession
	case s == ErrNotAccepted:
		return ActionRetake
	case s == http.StatusRequestEntityTooLarge:
		return ActionFixMedia
	case s == ErrNotEnrolled:
		return ActionEnroll
	case s == ErrTokenNeeded:
		return ActionRequestToken
	case s == ErrRateLimited, s == http.StatusRequestTimeout, s >= 500 && s <= 599:
		return ActionRetryLater
	}
	return ActionUnknown
}

// Advice returns what to do about it in a few words for a person, or "" when
// nothing is known.
func (s HTTPStatus) Advice() string {
	switch s.Action() {
	case ActionFixRequest:
		return "look at the message and fix the request"
	case ActionCheckCredentials:
		return "check the signing and the region, or make a new key pair"
	case ActionNewSession:
		return "create a session and try again"
	case ActionRetake:
		return "capture new media"
	case ActionFixMedia:
		return "send less: each file under 500 kB and the request under 2 MB"
	case ActionEnroll:
		return "enrol the user first"
	case ActionRequestToken:
		return "ask for a token first"
	case ActionRetryLater:
		return "try again later"
	case ActionUnknown, ActionContactVendor:
	}
	return ""
}
