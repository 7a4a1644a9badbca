package relay

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// A response is what the app gets: a JSON object of this shape. docs/relay.md has it
// for app developers. It has no member for a score or a text of the API.
type response struct {
	Session   string                 `json:"session,omitempty"`
	Face      *aimbrain.ModuleStatus `json:"face,omitempty"`
	Voice     *aimbrain.ModuleStatus `json:"voice,omitempty"`
	Behaviour *aimbrain.ModuleStatus `json:"behaviour,omitempty"`

	Token string `json:"token,omitempty"`

	Result       result `json:"result,omitempty"`
	Grant        string `json:"grant,omitempty"`
	ImagesCount  *int   `json:"imagesCount,omitempty"`
	VoiceSamples *int   `json:"voiceSamples,omitempty"`

	Error          string `json:"error,omitempty"` // for developers; the vendor's web client reads it
	Code           code   `json:"code,omitempty"`
	Advice         string `json:"advice,omitempty"`      // for the person
	RetryAfter     int    `json:"retry_after,omitempty"` // seconds
	MaybeProcessed bool   `json:"maybe_processed,omitempty"`
}

// A code is the kind of an error.
type code string

const (
	codeNotFound         code = "not_found"
	codeMethod           code = "method_not_allowed"
	codeCrossOrigin      code = "cross_origin"
	codeMediaType        code = "unsupported_media_type"
	codeUnauthorized     code = "unauthorized"
	codeActionRefused    code = "action_refused"
	codeInvalid          code = "invalid_request"
	codeTooLarge         code = "too_large"
	codeTooSlow          code = "too_slow"
	codeBusy             code = "busy"
	codeUnavailable      code = "unavailable"
	codeClosed           code = "shutting_down"
	codeLocked           code = "locked"
	codeBlocked          code = "blocked"
	codeRetakes          code = "too_many_retakes"
	codeSession          code = "session_expired"
	codeTokenRequired    code = "token_required"
	codeNotEnrolled      code = "not_enrolled"
	codeDisabled         code = "disabled"
	codeEnrolmentRefused code = "enrolment_refused"
	codeEnrolmentFull    code = "enrolment_full"
	codeMedia            code = "media_invalid"
	codeUnknown          code = "unknown"
	codeUpstream         code = "upstream_error"
	codeCancelled        code = "cancelled"
	codeInternal         code = "internal_error"
)

// kind returns the status and the text of a code.
func (c code) kind() (int, string) {
	switch c {
	case codeNotFound:
		return http.StatusNotFound, "there is no such endpoint"
	case codeMethod:
		return http.StatusMethodNotAllowed, "the method is not POST"
	case codeCrossOrigin:
		return http.StatusForbidden, "requests from another origin are refused"
	case codeMediaType:
		return http.StatusUnsupportedMediaType, "the body is not plain application/json"
	case codeUnauthorized:
		return http.StatusUnauthorized, "the user is not logged in"
	case codeActionRefused:
		return http.StatusForbidden, "the action is refused"
	case codeInvalid:
		return http.StatusBadRequest, "the request is invalid"
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge, "the request reaches 2 MB"
	case codeTooSlow:
		return http.StatusRequestTimeout, "the request arrives too slowly"
	case codeBusy:
		return http.StatusServiceUnavailable, "too many requests are under way"
	case codeUnavailable:
		return http.StatusServiceUnavailable, "the service is not available"
	case codeClosed:
		return http.StatusServiceUnavailable, "the service is shutting down"
	case codeLocked:
		return http.StatusTooManyRequests, "too many failures"
	case codeBlocked:
		return http.StatusForbidden, "the user is blocked"
	case codeRetakes:
		return http.StatusTooManyRequests, "too many captures could not be processed"
	case codeSession:
		return http.StatusForbidden, "the session is invalid or has expired"
	case codeTokenRequired:
		return http.StatusConflict, "a token is required first"
	case codeNotEnrolled:
		return http.StatusConflict, "the user is not enrolled"
	case codeDisabled:
		return http.StatusForbidden, "the module is not used"
	case codeEnrolmentRefused:
		return http.StatusForbidden, "the enrolment is refused"
	case codeEnrolmentFull:
		return http.StatusConflict, "the enrolment has all its samples"
	case codeMedia:
		return http.StatusUnprocessableEntity, "the media cannot be used"
	case codeUnknown:
		return http.StatusBadGateway, "it is not known whether the request was processed"
	case codeUpstream:
		return http.StatusBadGateway, "the request could not be processed"
	case codeCancelled:
		return 499, "the client has disconnected" // nobody reads it
	case codeInternal:
	}
	return http.StatusInternalServerError, "the server is configured incorrectly"
}

// refuse returns the response of an error.
func refuse(c code) response { return response{Code: c} }

// because returns the response with a text of this package, in place of the code's.
func (r response) because(text string) response {
	r.Error = text
	return r
}

// after returns the response with the time after which the app may send a request
// again.
func (r response) after(wait time.Duration) response {
	r.RetryAfter = max(1, int((wait+time.Second-1)/time.Second))
	return r
}

// httpStatus returns the status of the response. A result is 200, also a rejection.
func (r response) httpStatus() int {
	if r.Code == "" {
		return http.StatusOK
	}
	status, _ := r.Code.kind()
	return status
}

// write writes the response. It is never stored by a cache.
func (r response) write(w http.ResponseWriter) {
	if r.Code != "" && r.Error == "" {
		_, r.Error = r.Code.kind()
	}
	body, err := json.Marshal(r)
	if err != nil {
		body = []byte(`{}`) // no value of a response can fail
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(r.RetryAfter))
	}
	if r.Code == codeMethod {
		header.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(r.httpStatus())
	_, _ = w.Write(body) // the app may have gone
}
