package aimbrain

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// An Action is the kind of step that helps against an error: a value to switch
// on. [ActionOf] returns it for every error, [Action.Audience] says who has to
// take the step. docs/errors.md maps actions to the statuses of one's own server.
type Action int

// The actions.
const (
	ActionUnknown          Action = iota // nothing is known: read the text
	ActionRetake                         // the person captures again, see [APIError.Prompt]
	ActionFixMedia                       // the file is broken, too big or of the wrong type
	ActionFixRequest                     // an argument or the request is invalid: a defect in the calling code
	ActionEnroll                         // enrol the user first
	ActionRequestToken                   // request a token first, or a new one
	ActionNewSession                     // create a session and repeat the call with it
	ActionCheckCredentials               // key, secret or signing is wrong
	ActionRetryLater                     // repeat the call later: the API or the way to it has trouble
	ActionContactVendor                  // only AimBrain can help
	ActionCheckGateway                   // the base URL, a certificate, a proxy, a firewall or a load balancer is wrong
	ActionConfirm                        // the request may have been processed and must not be repeated before that is known, see [FaceService.EnrollAndConfirm]
	ActionFixConfig                      // a setting of the client is invalid
)

// String returns the action's name, such as "retake" or "new session".
func (a Action) String() string {
	switch a {
	case ActionUnknown:
		return "unknown"
	case ActionRetake:
		return "retake"
	case ActionFixMedia:
		return "fix the media"
	case ActionFixRequest:
		return "fix the request"
	case ActionEnroll:
		return "enroll"
	case ActionRequestToken:
		return "request a token"
	case ActionNewSession:
		return "new session"
	case ActionCheckCredentials:
		return "check the credentials"
	case ActionRetryLater:
		return "retry later"
	case ActionContactVendor:
		return "contact the vendor"
	case ActionCheckGateway:
		return "check the gateway"
	case ActionConfirm:
		return "confirm"
	case ActionFixConfig:
		return "fix the configuration"
	}
	return "Action(" + strconv.Itoa(int(a)) + ")"
}

// LogValue implements [slog.LogValuer] by the name, also in JSON.
func (a Action) LogValue() slog.Value { return slog.StringValue(a.String()) }

// An Audience is who has to take the step of an [Action].
type Audience int

// The audiences.
const (
	AudienceDeveloper Audience = iota // the author of the calling code or of the app
	AudiencePerson                    // the person in front of the camera or the microphone
	AudienceOperator                  // the operator of the service: keys, network, support
	AudienceProgram                   // the calling program, by its next call
)

// String returns "developer", "person", "operator" or "program".
func (a Audience) String() string {
	switch a {
	case AudienceDeveloper:
		return "developer"
	case AudiencePerson:
		return "person"
	case AudienceOperator:
		return "operator"
	case AudienceProgram:
		return "program"
	}
	return "Audience(" + strconv.Itoa(int(a)) + ")"
}

// LogValue implements [slog.LogValuer] by the name, also in JSON.
func (a Audience) LogValue() slog.Value { return slog.StringValue(a.String()) }

// Audience returns who has to take the step.
func (a Action) Audience() Audience {
	switch a {
	case ActionRetake:
		return AudiencePerson
	case ActionEnroll, ActionRequestToken, ActionNewSession, ActionRetryLater, ActionConfirm:
		return AudienceProgram
	case ActionCheckCredentials, ActionContactVendor, ActionCheckGateway, ActionFixConfig:
		return AudienceOperator
	case ActionUnknown, ActionFixMedia, ActionFixRequest:
	}
	return AudienceDeveloper
}

// ActionOf returns the action of an error of this package, [ActionUnknown] for
// nil and for an error in which none is found. Wrapped and joined errors are
// searched, and of several the first action that is known counts, but for
// [ActionConfirm]: where one error says that, nothing else does.
func ActionOf(err error) Action {
	found := ActionUnknown
	search(err, func(own interface{ Action() Action }) {
		if action := own.Action(); found == ActionUnknown || action == ActionConfirm {
			found = action
		}
	})
	return found
}

// PromptOf returns the sentence for the person in front of the camera or the
// microphone of an [APIError] in the tree of err, see [APIError.Prompt], and "" when
// there is none.
func PromptOf(err error) string {
	prompt := ""
	search(err, func(own interface{ Prompt() string }) {
		if prompt == "" {
			prompt = own.Prompt()
		}
	})
	return prompt
}

// Action returns [ActionCheckGateway] when a retry would fail in the same way, as
// with a certificate that is not trusted, and [ActionConfirm] when the request may
// have been processed and must not be repeated. Otherwise it is [ActionRetryLater].
func (e *NetworkError) Action() Action {
	switch {
	case e.result == OutcomeUnknown:
		return repeating(e.Endpoint)
	case e.Err != nil && transport.IsPermanent(e.Err):
		return ActionCheckGateway
	}
	return ActionRetryLater
}

// Action returns [ActionConfirm] where the request must not be repeated. Otherwise
// it is [ActionCheckGateway] for a body that is not JSON, and
// [ActionContactVendor] for one that does not have the API's form.
func (e *DecodeError) Action() Action {
	switch {
	case repeating(e.Endpoint) == ActionConfirm:
		return ActionConfirm
	case e.Err != nil || len(e.Body) == 0:
		return ActionCheckGateway
	}
	return ActionContactVendor
}

// Action returns [ActionFixMedia] for a request. For a response it is
// [ActionConfirm] where the request must not be repeated, else
// [ActionCheckGateway].
func (e *TooLargeError) Action() Action {
	switch {
	case !e.Response:
		return ActionFixMedia
	case repeating(e.Endpoint) == ActionConfirm:
		return ActionConfirm
	}
	return ActionCheckGateway
}

// Action returns [ActionCheckGateway], as the API does not redirect, or
// [ActionConfirm] if the request may have been processed and must not be repeated.
func (e *RedirectError) Action() Action {
	if e.unknown && repeating(e.Endpoint) == ActionConfirm {
		return ActionConfirm
	}
	return ActionCheckGateway
}

// Action returns [ActionFixConfig].
func (e *ConfigError) Action() Action { return ActionFixConfig }

// Action returns [ActionFixMedia] for media that is not accepted, else
// [ActionFixRequest].
func (e *RequestError) Action() Action {
	if strings.HasPrefix(e.Argument, "faces") || strings.HasPrefix(e.Argument, "voices") {
		return ActionFixMedia
	}
	return ActionFixRequest
}

// repeating returns the action after a request to an endpoint that may have been
// processed.
func repeating(path string) Action {
	if row, _ := endpoints.Find(path); path != "" && row.Repeat == endpoints.Never {
		return ActionConfirm
	}
	return ActionRetryLater
}
