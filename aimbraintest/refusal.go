package aimbraintest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aimbrain/aimbrain-go"
)

// A refusal is an answer in the API's error form.
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

// body is the refusal on the wire.
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
		description := code.Meaning()
		if description == "" {
			description = r.text
		}
		wire.Errors = append(wire.Errors, detail{description, int(code)})
	}
	return encode(wire)
}

// refusal is what a [Code] or [Status] answers.
func (o Outcome) refusal() *refusal {
	r := &refusal{status: o.status, text: o.message, codes: o.codes}
	if r.text == "" && len(o.codes) > 0 {
		r.text = o.codes[0].Meaning()
	}
	if r.text == "" {
		r.text = aimbrain.HTTPStatus(o.status).Meaning()
	}
	if r.text == "" {
		r.text = "HTTP " + strconv.Itoa(o.status)
	}
	return r
}

// statusOf returns the HTTP status that goes with a code. The vendor documents
// the two apart from each other; this is what fits their meanings.
func statusOf(code aimbrain.Code) int {
	switch code {
	case aimbrain.CodeUndecodableData, aimbrain.CodeUndecodableRequest, aimbrain.CodeNoFaces, aimbrain.CodeNoVoices:
		return http.StatusBadRequest
	case aimbrain.CodeUserNotFound:
		return http.StatusFailedDependency
	case aimbrain.CodeNoToken:
		return int(aimbrain.ErrTokenNeeded)
	}
	switch code.Action() {
	case aimbrain.ActionRetake, aimbrain.ActionFixMedia:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// encode returns what the package itself made as JSON.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("aimbraintest: " + err.Error()) // no value of this package has an encoding that fails
	}
	return data
}
