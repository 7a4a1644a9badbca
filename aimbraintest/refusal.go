package aimbraintest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aimbrain/aimbrain-go"
)

// A refusal is an error response in the API's form.
type refusal struct {
	status int
	text   string
	codes  []aimbrain.Code
}

func (r *refusal) Error() string { return "HTTP " + strconv.Itoa(r.status) + ": " + r.text }

func refuse(status int, text string, codes ...aimbrain.Code) error {
	return &refusal{status: status, text: text, codes: codes}
}

// refuseCode refuses with a code and the status that goes with it.
func refuseCode(code aimbrain.Code, text string) error {
	return refuse(statusOf(code), text, code)
}

// body returns the refusal as JSON.
func (r *refusal) body() []byte {
	type detail struct {
		Description string `json:"description"`
		Code        int    `json:"code"`
	}
	wire := struct {
		Error  string   `json:"error"`
		Errors []detail `json:"errors"`
	}{r.text, []detail{}}
	for _, code := range r.codes {
		description := code.Description()
		if description == "" {
			description = r.text
		}
		wire.Errors = append(wire.Errors, detail{description, int(code)})
	}
	return encode(wire)
}

// refusal returns the response of a [Code] or [Status].
func (o Stub) refusal() *refusal {
	r := &refusal{status: o.status, text: o.message, codes: o.codes}
	if r.text == "" && len(o.codes) > 0 {
		r.text = o.codes[0].Description()
	}
	if r.text == "" {
		r.text = statusText(o.status)
	}
	return r
}

// statusText returns the API's text for a status, or a text of net/http.
func statusText(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "the request is malformed"
	case http.StatusUnauthorized:
		return "the API key or the signature is wrong"
	case http.StatusForbidden:
		return "no such session"
	case http.StatusUnprocessableEntity:
		return "the media was not accepted"
	case http.StatusFailedDependency:
		return "no enrolled user with that id"
	case 460:
		return "no token for this authentication"
	case http.StatusInternalServerError:
		return "server error"
	}
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "HTTP " + strconv.Itoa(status)
}

// statusOf returns the HTTP status that goes with a code. The vendor does not
// document which status has which code; these fit their meanings.
func statusOf(code aimbrain.Code) int {
	switch code {
	case aimbrain.CodeUndecodableData, aimbrain.CodeUndecodableRequest, aimbrain.CodeNoFaces, aimbrain.CodeNoVoices:
		return http.StatusBadRequest
	case aimbrain.CodeUserNotFound:
		return http.StatusFailedDependency
	case aimbrain.CodeNoToken:
		return 460 // the API's own number
	}
	switch code.Action() {
	case aimbrain.ActionRetake, aimbrain.ActionFixMedia:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// encode returns a value of this package as JSON.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("aimbraintest: " + err.Error()) // every value of this package can be encoded
	}
	return data
}
