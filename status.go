package aimbrain

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// An HTTPStatus is the HTTP status of an [APIError] as an error to compare with:
//
//	errors.Is(err, aimbrain.HTTPStatus(503))
//
// holds for the number alone, from the API or from a gateway. What the API means by a status is
// an [ErrorKind].
type HTTPStatus int

// Error returns the number and the standard text: "403 Forbidden", or "HTTP 460" for
// a number without one.
func (s HTTPStatus) Error() string {
	if standard := http.StatusText(int(s)); standard != "" {
		return strconv.Itoa(int(s)) + " " + standard
	}
	return "HTTP " + strconv.Itoa(int(s))
}

// leavesOutcomeUnknown reports whether a response with this status leaves open
// whether the request was processed: the API failed, or a gateway stopped
// waiting for it, which a 408 may say too.
func (s HTTPStatus) leavesOutcomeUnknown() bool {
	return s >= 500 || s == http.StatusRequestTimeout
}

// An ErrorKind is a constant error to compare with by errors.Is.
type ErrorKind string

// What the API means by its error statuses. Each holds for an [APIError] only
// if the response has the API's form: a JSON object with a string "error" or
// "Error", or an array "errors". A 403 that a firewall sends as HTML is no
// ErrSessionNotFound, see [APIError.Gateway]. ErrRateLimited and ErrServerError
// hold in either form.
const (
	// ErrBadRequest is 400: a key, a signature or a parameter is missing, or the
	// JSON is malformed.
	ErrBadRequest ErrorKind = "aimbrain: bad request"
	// ErrUnauthorized is 401: the API key or the signature is wrong.
	ErrUnauthorized ErrorKind = "aimbrain: unauthorized: the API key or the signature is wrong"
	// ErrSessionNotFound is 403: the session expired 2 hours after its last use,
	// or never existed.
	ErrSessionNotFound ErrorKind = "aimbrain: session not found"
	// ErrMediaRejected is 422: the request was well formed, but the media was not
	// accepted. The codes say why.
	ErrMediaRejected ErrorKind = "aimbrain: media rejected"
	// ErrNotEnrolled is 424: no user with that id is enrolled.
	ErrNotEnrolled ErrorKind = "aimbrain: user not enrolled"
	// ErrTokenRequired is 460: no token was requested for this authentication.
	ErrTokenRequired ErrorKind = "aimbrain: token required"
	// ErrRateLimited is 429: too many requests. The vendor does not document it;
	// gateways send it.
	ErrRateLimited ErrorKind = "aimbrain: rate limited"
	// ErrServerError is any status from 500 to 599, of the API or of a gateway.
	ErrServerError ErrorKind = "aimbrain: server error"
)

// Errors of the library itself.
const (
	// ErrSignature means that a signature is not that of the request. It is
	// returned by [Signer.Verify] alone; when the API refuses a signature, the
	// error is [ErrUnauthorized].
	ErrSignature ErrorKind = "aimbrain: the signature does not match the request"
	// ErrAttemptTimeout means that one attempt took longer than
	// [WithAttemptTimeout] allows.
	ErrAttemptTimeout ErrorKind = "aimbrain: the attempt timed out"
	// ErrTotalTimeout means that a call, with all its attempts and waits, took
	// longer than [WithTimeout] allows.
	ErrTotalTimeout ErrorKind = "aimbrain: the call timed out"
	// ErrClosed means that the client was closed before the call. It is the cause
	// of a [*NetworkError], and nothing was sent.
	ErrClosed ErrorKind = "aimbrain: the client is closed"
)

// A limitError is a time limit that has passed, and how long it was.
type limitError struct {
	kind  ErrorKind // ErrAttemptTimeout or ErrTotalTimeout
	limit time.Duration
}

// Error returns which limit it was.
func (e *limitError) Error() string { return string(e.kind) + " after " + e.limit.String() }

// Unwrap returns the kind.
func (e *limitError) Unwrap() error { return e.kind }

// Timeout implements the method of [net.Error].
func (e *limitError) Timeout() bool { return true }

// Error returns the kind as a text.
func (k ErrorKind) Error() string { return string(k) }

// Timeout reports whether the kind is one of the two time limits, as
// [net.Error] has it.
func (k ErrorKind) Timeout() bool { return k == ErrAttemptTimeout || k == ErrTotalTimeout }

// Is makes the two time limits [context.DeadlineExceeded] as well.
func (k ErrorKind) Is(target error) bool {
	return target == context.DeadlineExceeded && k.Timeout()
}

// kindOf returns what the API means by a status, "" for nothing that it
// documents. Of a gateway's response only the two kinds that say the same
// whoever sends them are taken.
func kindOf(status int, gateway bool) ErrorKind {
	switch {
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= 500 && status <= 599:
		return ErrServerError
	case gateway:
		return ""
	}
	switch status {
	case http.StatusBadRequest:
		return ErrBadRequest
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrSessionNotFound
	case http.StatusUnprocessableEntity:
		return ErrMediaRejected
	case http.StatusFailedDependency:
		return ErrNotEnrolled
	case 460: // the API's own number
		return ErrTokenRequired
	}
	return ""
}

// Action returns what kind of step helps against an error of this kind.
func (k ErrorKind) Action() Action {
	switch k {
	case ErrBadRequest:
		return ActionFixRequest
	case ErrUnauthorized:
		return ActionCheckCredentials
	case ErrSessionNotFound:
		return ActionNewSession
	case ErrMediaRejected:
		return ActionRetake
	case ErrNotEnrolled:
		return ActionEnroll
	case ErrTokenRequired:
		return ActionRequestToken
	case ErrRateLimited, ErrServerError, ErrAttemptTimeout, ErrTotalTimeout, ErrClosed:
		return ActionRetryLater
	}
	return ActionUnknown
}

// actionOf returns what kind of step helps against a response with this status.
func actionOf(status int, gateway bool) Action {
	if kind := kindOf(status, gateway); kind != "" {
		return kind.Action()
	}
	switch {
	case status == http.StatusRequestTimeout:
		return ActionRetryLater
	case status == http.StatusRequestEntityTooLarge:
		return ActionFixMedia
	case gateway, status == http.StatusNotFound, status == http.StatusProxyAuthRequired:
		return ActionCheckGateway
	}
	return ActionUnknown
}

// remedyOf returns what a developer or operator can do about a response with
// this status, "" when nothing is known.
func remedyOf(status int, gateway bool) string {
	switch status {
	case http.StatusNotFound:
		return "check the base URL and its path prefix: there is no such endpoint"
	case http.StatusProxyAuthRequired:
		return "check the proxy's user and password (HTTPS_PROXY)"
	case http.StatusRequestEntityTooLarge:
		return "send less, each file under 500 kB and the request under 2 MB, and check the body limit of the gateway"
	case http.StatusNetworkAuthenticationRequired:
		return "sign in to the network: a captive portal responded, not the API"
	}
	switch actionOf(status, gateway) {
	case ActionFixRequest:
		return "look at the message and fix the request"
	case ActionCheckCredentials:
		return "check the signing and the region, or make a new key pair"
	case ActionNewSession:
		return "create a session and repeat the call with it"
	case ActionRetake:
		return "capture new media"
	case ActionEnroll:
		return "enrol the user first"
	case ActionRequestToken:
		return "request a token first"
	case ActionRetryLater:
		return "retry later"
	case ActionCheckGateway:
		return "check the base URL, the proxy and the firewall: a gateway responded, not the API"
	case ActionUnknown, ActionContactVendor, ActionFixMedia, ActionConfirm, ActionFixConfig:
	}
	return ""
}
