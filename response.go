package aimbrain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// MaxResponseBytes is how large an answer may be. The API's own are far below.
const MaxResponseBytes = 512 << 10

// maxErrorBody is how much of a body an error keeps, and maxDetails how many codes.
const (
	maxErrorBody = 64 << 10
	maxDetails   = 64
)

// maxEmptyReads is how often a reader may give nothing in a row.
const maxEmptyReads = 100

// A Response is what the API answered, as it came.
type Response struct {
	StatusCode int         // 200, or 204 for a submission
	Header     http.Header // the header of the answer
	Body       []byte      // the body, byte for byte
	Metadata   []byte      // what "metadata" carried as base64, nil for none or for another shape
	Attempts   int         // how many times the request was sent

	endpoint string // whose answer it is
}

// String tells the status and the size, and nothing of the content.
func (r Response) String() string {
	return "HTTP " + strconv.Itoa(r.StatusCode) + ", " + strconv.Itoa(len(r.Body)) + " bytes"
}

// A decoder fills a result from the answer's body.
type decoder interface {
	decode(*fields)
	optional() bool // an empty body will do
}

// A Result is what a call returns, for [Decode].
type Result interface {
	Session | Token | FaceEnrollResult | FaceAuthResult | FaceCompareResult |
		VoiceEnrollResult | VoiceAuthResult | BehaviourSubmitResult | BehaviourAuthResult | ScoreResult
}

// A result is what a call returns, seen through its pointer.
type result interface {
	decoder
	response() *Response
}

// resultOf returns the methods of a result. All types of [Result] have them,
// which a test checks.
func resultOf[T Result](r *T) result { return any(r).(result) } //nolint:errcheck // see there

// Decode reads a result from a response that [Client.Forward] returned, as
// strictly as the typed call does:
//
//	result, err := aimbrain.Decode[aimbrain.FaceAuthResult](response)
//
// A response of another endpoint is a [*DecodeError]: the score of a voice is not
// that of a face. Which session a [ScoreResult] is about only the caller can
// check: compare its Session.
func Decode[T Result](response Response) (T, error) {
	var read, none T
	into := resultOf(&read)
	if response.StatusCode == 0 && response.Body == nil {
		return none, &DecodeError{Reason: "it is the zero Response: check the error of Forward first"}
	}
	if reflect.TypeOf(newAnswer(response.endpoint)) != reflect.TypeOf(into) && response.endpoint != "" {
		return none, &DecodeError{Endpoint: response.endpoint, StatusCode: response.StatusCode, Attempts: response.Attempts,
			Reason: fmt.Sprintf("response is from %s, which is not decoded as %T", response.endpoint, none)}
	}
	if _, err := decodeBody(response.StatusCode, response.Body, into); err != nil {
		var decode *DecodeError
		if errors.As(err, &decode) {
			decode.Endpoint, decode.Attempts = response.endpoint, response.Attempts
		}
		return none, err
	}
	*into.response() = response
	return read, nil
}

// decodeBody checks an answer from its first byte to its last and fills into.
// It returns the metadata. The error is a [*DecodeError] without endpoint, body
// or attempts.
func decodeBody(status int, body []byte, into decoder) (metadata []byte, err error) {
	switch {
	case len(body) == 0 && into.optional() && (status == http.StatusOK || status == http.StatusNoContent):
		return nil, nil
	case len(body) == 0:
		return nil, &DecodeError{StatusCode: status, Reason: "it is empty"}
	case status != http.StatusOK:
		return nil, &DecodeError{StatusCode: status, Reason: "the status is not 200"}
	}
	f := fields{}
	f.members, f.err = strictjson.Object(f.space[:0], body)
	if f.err == nil {
		f.refuseErrors()
		into.decode(&f)
	}
	if f.err == nil {
		return f.metadata(), nil
	}
	var decode *DecodeError
	if !errors.As(f.err, &decode) {
		decode = &DecodeError{Reason: "it is not a strict JSON object", Err: f.err}
	}
	decode.StatusCode = status
	return nil, decode
}

// fields are the members of an answer. The first fault sticks.
type fields struct {
	space   [8]strictjson.Member
	members []strictjson.Member
	err     error
}

func (f *fields) fail(reason string, err error) {
	if f.err == nil {
		f.err = &DecodeError{Reason: reason, Err: err}
	}
}

// raw returns a member's value, nil when it is missing. Names match in their
// exact case.
func (f *fields) raw(name string) []byte {
	for i := range f.members {
		if string(f.members[i].Name) == name {
			return f.members[i].Value
		}
	}
	return nil
}

// required returns a member's value and fails when it is missing or null.
func (f *fields) required(name string) ([]byte, bool) {
	value := f.raw(name)
	switch {
	case value == nil:
		f.fail(strconv.Quote(name)+" is missing", nil)
	case strictjson.IsNull(value):
		f.fail(strconv.Quote(name)+" is null", nil)
	default:
		return value, true
	}
	return nil, false
}

// refuseErrors fails for a response with a good status that also says that there
// was an error: it means two things, and a score in it must not be taken for an
// accept.
func (f *fields) refuseErrors() {
	for _, name := range []string{"error", "Error", "errors"} {
		raw := f.raw(name)
		switch string(raw) {
		case "", "null", "false", `""`, "{}":
			continue
		}
		if elements, err := strictjson.Elements(nil, raw); err != nil || len(elements) > 0 {
			f.fail("the status is good, but "+strconv.Quote(name)+" is not empty", nil)
		}
	}
}

// score reads a number from 0 to 1. The range holds for its text, and the result
// reaches no threshold that the text does not.
func (f *fields) score(name string) float64 {
	value, ok := f.required(name)
	if !ok {
		return 0
	}
	score, err := strictjson.Score(value)
	switch {
	case errors.Is(err, strictjson.ErrRange):
		f.fail(strconv.Quote(name)+" is not in 0..1", nil)
	case err != nil:
		f.fail(strconv.Quote(name)+" is not a number", err)
	}
	return score
}

// count reads a whole number that is not negative.
func (f *fields) count(name string) int {
	value, ok := f.required(name)
	if !ok {
		return 0
	}
	n, err := strictjson.Int(value)
	if err != nil {
		f.fail(strconv.Quote(name)+" is not a whole number", err)
		return 0
	}
	if n < 0 || n > 1<<31-1 {
		f.fail(strconv.Quote(name)+" is out of range", nil)
		return 0
	}
	return int(n)
}

// text reads a string that is not empty.
func (f *fields) text(name string) string {
	value, ok := f.required(name)
	if !ok {
		return ""
	}
	text, err := strictjson.String(value)
	if err != nil {
		f.fail(strconv.Quote(name)+" is not a string", err)
		return ""
	}
	if text == "" {
		f.fail(strconv.Quote(name)+" is empty", nil)
	}
	return text
}

// metadata returns the bytes that came back with an answer: nil for none, or
// for a member of another shape, which is a good answer still.
func (f *fields) metadata() []byte {
	text, err := strictjson.String(f.raw("metadata"))
	if err != nil {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return decoded
}

// readBounded reads a body to its end, or to one byte beyond limit. It takes
// no more memory than the body needs: a declared size is believed up to a page.
func readBounded(r io.Reader, declared int64, limit int) (body []byte, err error) {
	size := 512
	if declared >= 0 && declared <= 4096 {
		size = int(declared) + 1 // so that the last Read sees the end
	}
	body = make([]byte, 0, size)
	for empty := 0; ; {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), min(2*cap(body), limit+1))
			copy(grown, body)
			body = grown
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case len(body) > limit:
			return body, nil
		case n > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads { // a transport that breaks its contract
				return body, io.ErrNoProgress
			}
		}
	}
}

// readAPIError makes sense of an answer that is an error, and keeps its status
// whatever the body is.
func readAPIError(status int, header http.Header, body []byte, r redactor) *APIError {
	e := &APIError{StatusCode: status, Header: r.header(header), Body: r.body(body)}
	members, err := strictjson.Object(nil, body)
	if err != nil {
		e.Message, e.Gateway = truncate(string(e.Body)), true
		return e
	}
	f := fields{members: members}
	e.Gateway = true // until a member says otherwise
	for _, name := range []string{"error", "Error"} {
		if text, err := strictjson.String(f.raw(name)); err == nil {
			e.Gateway = false
			if e.Message == "" {
				e.Message = truncate(r.text(text[:min(len(text), maxErrorBody)]))
			}
		}
	}
	elements, err := strictjson.Elements(nil, f.raw("errors"))
	if err != nil {
		return e
	}
	e.Gateway = false
	for _, element := range elements[:min(len(elements), maxDetails)] {
		if detail, ok := readDetail(element, r); ok {
			e.Details = append(e.Details, detail)
		}
	}
	return e
}

// readDetail reads one reason; one without a code says nothing to switch on.
func readDetail(element []byte, r redactor) (ErrorDetail, bool) {
	members, err := strictjson.Object(make([]strictjson.Member, 0, 4), element)
	if err != nil {
		return ErrorDetail{}, false
	}
	f := fields{members: members}
	code, err := strictjson.Int(f.raw("code"))
	if err != nil || code != int64(int32(code)) {
		return ErrorDetail{}, false
	}
	text, _ := strictjson.String(f.raw("description")) // a code is worth having without one
	return ErrorDetail{Code: Code(code), Description: truncate(r.text(text[:min(len(text), maxErrorBody)]))}, true
}
