package aimbrain

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
)

// MaxResponseBytes is how large a response may be. The API's own are far below.
const MaxResponseBytes = 512 << 10

// maxErrorBody is how much of a body an error keeps, and maxDetails how many codes.
const (
	maxErrorBody = 64 << 10
	maxDetails   = 64
)

// A Response is an unchanged response of the API.
type Response struct {
	StatusCode int         // 200, or 204 for a submission
	Header     http.Header // the header of the response
	Body       []byte      // the body, byte for byte
	Metadata   []byte      // what "metadata" carried as base64, nil for none or for another shape
	Attempts   int         // how many times the request was sent

	endpoint string // whose response it is
}

// String returns the status and the size, and nothing of the content.
func (r Response) String() string {
	return "HTTP " + strconv.Itoa(r.StatusCode) + ", " + strconv.Itoa(len(r.Body)) + " bytes"
}

// Decode reads a result from a response that [Client.Forward] returned, as
// strictly as the typed call does:
//
//	result, err := aimbrain.Decode[aimbrain.FaceAuthResult](response)
//
// A response of another endpoint is a [*DecodeError]: the score of a voice is not
// that of a face. Which session a [ScoreResult] is about only the caller can
// check: compare its Session.
func Decode[T Result](response Response) (T, error) {
	var none T
	path, paths := response.endpoint, endpointsOf[T]()
	switch {
	case response.StatusCode == 0 && response.Body == nil:
		return none, &DecodeError{Reason: "it is the zero Response: check the error of Forward first"}
	case path == "" && len(paths) > 0: // made by the caller
		path = paths[0]
	case !slices.Contains(paths, path):
		return none, &DecodeError{Endpoint: path, StatusCode: response.StatusCode, Attempts: response.Attempts,
			Reason: fmt.Sprintf("response is from %s, which is not decoded as %T", path, none)}
	}
	row, _ := endpoints.Find(path)
	return decode(response, row, func(members *jsonfields.Object, r Response) T {
		result, _ := read(path, members, r).(T) // endpointsOf has said so, which a test checks
		return result
	})
}

// decode checks the body of a response from its first byte to its last and makes
// the result of it. An error is a [*DecodeError] without Body.
func decode[T any](response Response, row endpoints.Endpoint, read reader[T]) (T, error) {
	var none T
	fail := func(reason string, cause error) (T, error) {
		return none, &DecodeError{Endpoint: response.endpoint, StatusCode: response.StatusCode, Attempts: response.Attempts, Reason: reason, Err: cause}
	}
	var members jsonfields.Object
	encoding := response.Header.Get("Content-Encoding")
	switch {
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return fail("it is compressed, which was not requested", nil)
	case len(response.Body) == 0 && row.Empty && (response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent):
		return read(&members, response), nil
	case len(response.Body) == 0:
		return fail("it is empty", nil)
	case response.StatusCode != http.StatusOK:
		return fail("the status is not 200", nil)
	}
	members.Parse(response.Body)
	for _, name := range []string{"error", "Error", "errors"} {
		if !members.IsEmpty(name) { // it means two things, and a score in it must not be taken for an accept
			members.Fail("the status is good, but "+strconv.Quote(name)+" is not empty", nil)
		}
	}
	response.Metadata = members.Bytes("metadata")
	result := read(&members, response)
	var fault *jsonfields.Error
	if errors.As(members.Err(), &fault) {
		return fail(fault.Reason, fault.Err)
	}
	return result, nil
}
