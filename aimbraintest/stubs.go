package aimbraintest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// A Stub is what happens to a coming request, see [Fake.Queue]. It is a value: its
// methods return a changed copy. The functions and methods panic for an invalid
// argument, because a test with such a line is wrong.
type Stub struct {
	kind       stubKind
	score      *float64
	liveliness *float64
	codes      []aimbrain.Code
	status     int
	message    string
	header     http.Header
	body       string
	handler    http.HandlerFunc
	endpoint   string // "" for any
	times      int
	always     bool
	after      time.Duration
}

type stubKind string

const (
	kindScore      stubKind = "Score"
	kindLiveliness stubKind = "Liveliness"
	kindCode       stubKind = "Code"
	kindStatus     stubKind = "Status"
	kindDelay      stubKind = "Delay"
	kindNotSent    stubKind = "NotSent"
	kindReset      stubKind = "Reset"
	kindLost       stubKind = "LostResponse"
	kindStall      stubKind = "Stall"
	kindCutOff     stubKind = "CutOff"
	kindRaw        stubKind = "Raw"
	kindRespond    stubKind = "RespondWith"
)

// Score sets the score of a response, 0 to 1: that of a face or voice
// authentication, a comparison, an enrolled user's behaviour, or all entries of
// /v1/score. It applies to the next such request that is signed, valid, and of an
// enrolled user. Without [Stub.WithLiveliness] the liveliness is that of the media.
func Score(score float64) Stub {
	mustBeShare("Score", score)
	return Stub{kind: kindScore, score: &score, times: 1}
}

// Liveliness sets the liveliness of a response, 0 to 1: that of a face or voice
// authentication, or of both faces of a comparison. The score does not change. It
// applies to the next such request, as [Score] does.
func Liveliness(liveliness float64) Stub {
	mustBeShare("Liveliness", liveliness)
	return Stub{kind: kindLiveliness, liveliness: &liveliness, times: 1}
}

// Code refuses a request with AimBrain's codes, their descriptions by the vendor, and
// the status that goes with the first of them. A code that is not documented has
// status 500, see [Stub.WithStatus]. It applies to the next request that can be
// refused for that reason: a code about faces to a request with faces, one about
// voices to a request with voices, [aimbrain.CodeUserNotFound] to an
// authentication, and a general code to the next request of any kind. [Stub.On]
// sets another endpoint.
func Code(code aimbrain.Code, more ...aimbrain.Code) Stub {
	return Stub{kind: kindCode, codes: append([]aimbrain.Code{code}, more...), status: statusOf(code), times: 1}
}

// Status refuses a request with an HTTP status from 400 to 599 and no code, in
// the API's error form. It applies to the next request of any kind.
func Status(status int) Stub {
	mustBeError("Status", status)
	return Stub{kind: kindStatus, status: status, times: 1}
}

// Delay makes a request wait before it is processed as usual. If the caller cancels
// it meanwhile, nothing is processed. It applies to the next request of any kind. To
// delay another stub use [Stub.After].
func Delay(d time.Duration) Stub {
	return Stub{kind: kindDelay, times: 1}.After(d)
}

// NotSent refuses the connection, as if nothing listened. Nothing is sent, and the
// client's error says so ([aimbrain.OutcomeNotSent], [syscall.ECONNREFUSED]). It
// applies to the next attempt of any request. A client retries, with three attempts
// in all by default, and the next attempt succeeds. Times(3) makes a call fail, and
// [Stub.Always] makes an outage.
//
// It applies only to requests through [Fake.Transport], which [Fake.Client] uses.
// Any other request has a connection already, and takes the next stub in the queue.
// A request that is not sent is not among [Fake.Requests].
func NotSent() Stub { return Stub{kind: kindNotSent, times: 1} }

// Reset breaks the connection when the request has arrived, before anything
// is processed. It applies to the next request of any kind. Without a connection to
// break, as with a [net/http/httptest.ResponseRecorder], the handler panics with
// [http.ErrAbortHandler].
func Reset() Stub { return Stub{kind: kindReset, times: 1} }

// LostResponse processes the request and then breaks the connection in place of the
// response. The caller cannot distinguish it from [Reset]. An enrolment that is sent
// again is processed twice, see [Fake.Processed]. It applies to the next request of
// any kind.
func LostResponse() Stub { return Stub{kind: kindLost, times: 1} }

// Stall processes the request and sends no response. The request ends with the
// caller's time limits, which are virtual inside a testing/synctest bubble, or with
// the fake. It applies to the next request of any kind. For a server that responds
// slowly use [Delay].
func Stall() Stub { return Stub{kind: kindStall, times: 1} }

// CutOff processes the request, sends half of the response, and breaks the
// connection. It applies to the next request of any kind.
func CutOff() Stub { return Stub{kind: kindCutOff, times: 1} }

// Raw responds to a request with any status from 200 to 999 and any body, such as
// the page of a load balancer. Nothing is processed. With an empty contentType the
// response has no Content-Type. It applies to the next request of any kind.
func Raw(status int, contentType, body string) Stub {
	if status < 200 || status > 999 {
		panic(fmt.Sprintf("aimbraintest: Raw(%d, ...): the status must be from 200 to 999", status))
	}
	o := Stub{kind: kindRaw, status: status, body: body, times: 1}
	if contentType == "" {
		o.header = http.Header{"Content-Type": nil} // net/http does not guess one
		return o
	}
	return o.WithHeader("Content-Type", contentType)
}

// RespondWith calls a function that responds. The function can read the request's
// body and hijack w. The request's context ends with the request or the fake.
// Nothing is processed. It applies to the next request of any kind.
func RespondWith(handler func(w http.ResponseWriter, r *http.Request)) Stub {
	if handler == nil {
		panic("aimbraintest: RespondWith: the function is nil")
	}
	return Stub{kind: kindRespond, handler: handler, times: 1}
}

// On makes the stub apply only to requests to this endpoint, such as
// [aimbrain.EndpointFaceAuth].
func (o Stub) On(endpoint string) Stub {
	o.mustBeMade("On")
	row, known := endpoints.Find(endpoint)
	if !known {
		panic(fmt.Sprintf("aimbraintest: On(%q): not an endpoint: use the constants such as aimbrain.EndpointFaceAuth", endpoint))
	}
	o.endpoint = endpoint
	if !o.fits(row) {
		panic(fmt.Sprintf("aimbraintest: On(%q): its response has no such number to set by %s", endpoint, o.kind))
	}
	return o
}

// Times makes the stub apply to n requests in place of one.
func (o Stub) Times(n int) Stub {
	o.mustBeMade("Times")
	if n < 1 {
		panic(fmt.Sprintf("aimbraintest: Times(%d): must be 1 or more", n))
	}
	o.times, o.always = n, false
	return o
}

// Always makes the stub apply to every request from now on, until
// [Fake.ClearQueue]. If it was never used, it fails the test at its end, as any other
// stub does.
func (o Stub) Always() Stub {
	o.mustBeMade("Always")
	o.always = true
	return o
}

// After makes the request wait before the stub applies. If the caller cancels the
// request meanwhile, nothing is processed. The wait is in real time, which is
// virtual inside a testing/synctest bubble.
func (o Stub) After(d time.Duration) Stub {
	o.mustBeMade("After")
	if d < 0 {
		panic(fmt.Sprintf("aimbraintest: After(%v): must not be negative", d))
	}
	o.after = d
	return o
}

// WithLiveliness sets the liveliness of a [Score], 0 to 1.
func (o Stub) WithLiveliness(liveliness float64) Stub {
	if o.kind != kindScore {
		panic(fmt.Sprintf("aimbraintest: WithLiveliness goes with Score, not with %s", o.kind))
	}
	mustBeShare("WithLiveliness", liveliness)
	o.liveliness = &liveliness
	return o
}

// WithStatus sets the status of a [Code], 400 to 599.
func (o Stub) WithStatus(status int) Stub {
	if o.kind != kindCode {
		panic(fmt.Sprintf("aimbraintest: WithStatus goes with Code, not with %s", o.kind))
	}
	mustBeError("WithStatus", status)
	o.status = status
	return o
}

// WithMessage sets the text of a [Code] or [Status].
func (o Stub) WithMessage(message string) Stub {
	if o.kind != kindCode && o.kind != kindStatus {
		panic(fmt.Sprintf("aimbraintest: WithMessage goes with Code and Status, not with %s", o.kind))
	}
	o.message = message
	return o
}

// WithHeader adds a header to the response, such as Retry-After.
func (o Stub) WithHeader(name, value string) Stub {
	o.mustBeMade("WithHeader")
	if o.kind == kindNotSent || o.kind == kindReset || o.kind == kindLost || o.kind == kindStall {
		panic(fmt.Sprintf("aimbraintest: WithHeader does not go with %s, which has no response", o.kind))
	}
	o.header = o.header.Clone() // copies of a stub share none
	if o.header == nil {
		o.header = http.Header{}
	}
	o.header.Add(name, value)
	return o
}

// WithRetryAfter adds the header Retry-After to the response, in whole seconds. It is
// the wait before the next attempt, see [aimbrain.APIError.RetryAfter].
func (o Stub) WithRetryAfter(d time.Duration) Stub {
	if d < 0 || d%time.Second != 0 {
		panic(fmt.Sprintf("aimbraintest: WithRetryAfter(%v): must be whole seconds, 0 or more", d))
	}
	return o.WithHeader("Retry-After", strconv.FormatInt(int64(d/time.Second), 10))
}

// String returns the stub as it is written in a test.
func (o Stub) String() string {
	var b strings.Builder
	b.WriteString(string(o.kind) + "(" + o.argument() + ")")
	if o.kind == kindScore && o.liveliness != nil {
		b.WriteString(".WithLiveliness(" + number(*o.liveliness) + ")")
	}
	if o.endpoint != "" {
		b.WriteString(".On(" + strconv.Quote(o.endpoint) + ")")
	}
	switch {
	case o.always:
		b.WriteString(".Always()")
	case o.times > 1:
		b.WriteString(".Times(" + strconv.Itoa(o.times) + ")")
	}
	if o.after > 0 && o.kind != kindDelay {
		b.WriteString(".After(" + o.after.String() + ")")
	}
	return b.String()
}

func (o Stub) argument() string {
	switch o.kind {
	case kindScore:
		return number(*o.score)
	case kindLiveliness:
		return number(*o.liveliness)
	case kindCode:
		var codes []string
		for _, code := range o.codes {
			codes = append(codes, strconv.Itoa(int(code)))
		}
		return strings.Join(codes, ", ")
	case kindStatus, kindRaw:
		return strconv.Itoa(o.status)
	case kindDelay:
		return o.after.String()
	case kindNotSent, kindReset, kindLost, kindStall, kindCutOff, kindRespond:
	}
	return ""
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// scores reports whether the stub sets a number of a valid request.
func (o Stub) scores() bool { return o.kind == kindScore || o.kind == kindLiveliness }

// fits reports whether the stub applies to a request to this endpoint.
func (o Stub) fits(endpoint endpoints.Endpoint) bool {
	switch {
	case o.endpoint != "" && o.endpoint != endpoint.Path:
		return false
	case o.kind == kindCode && o.endpoint == "":
		return canRefuse(o.codes[0], endpoint)
	case o.kind == kindScore:
		return hasScore(endpoint)
	case o.kind == kindLiveliness:
		return slices.ContainsFunc(endpoint.Scores, isLiveliness)
	}
	return true
}

// hasScore reports whether the response of an endpoint has a score that [Score] sets.
func hasScore(endpoint endpoints.Endpoint) bool {
	return endpoint.List != "" || slices.ContainsFunc(endpoint.Scores, func(member string) bool { return !isLiveliness(member) })
}

// isLiveliness reports whether [Liveliness] sets a member of a response. [Score] sets
// the other scores.
func isLiveliness(member string) bool { return strings.HasPrefix(member, "liveliness") }

// canRefuse reports whether the API can refuse a request to an endpoint with a code.
func canRefuse(code aimbrain.Code, endpoint endpoints.Endpoint) bool {
	media := len(endpoint.Media) > 0
	face, voice := media && endpoint.Module == endpoints.Face, media && endpoint.Module == endpoints.Voice
	enroll := media && endpoint.Repeat == endpoints.Never
	h, _ := findHandler(endpoint.Path)
	auth := h.enrolled
	switch code {
	case aimbrain.CodeUnreadableVoice, aimbrain.CodeNoVoices:
		return voice
	case aimbrain.CodeFileTooBig, aimbrain.CodeUnsupportedMIMEType, aimbrain.CodeUnsupportedFileType, aimbrain.CodeSeveralFileTypes, aimbrain.CodeUndecodableMediaBody:
		return media
	case aimbrain.CodeUserNotFound, aimbrain.CodeNoUserEncodings, aimbrain.CodeNoToken:
		return auth
	case aimbrain.CodeEnrollmentFailed:
		return enroll
	case aimbrain.CodeNoFaces:
		return face
	}
	if action := code.Action(); action == aimbrain.ActionRetake || action == aimbrain.ActionFixMedia {
		return face
	}
	return true
}

func (o Stub) mustBeMade(method string) {
	if o.kind == "" {
		panic("aimbraintest: " + method + " of the zero Stub: begin with Score, Code, Status or another of the functions")
	}
}

func mustBeShare(name string, v float64) {
	if !(v >= 0 && v <= 1) {
		panic(fmt.Sprintf("aimbraintest: %s(%v): must be in 0..1: use Raw for a response that the API would not send", name, v))
	}
}

func mustBeError(name string, status int) {
	if status < 400 || status > 599 {
		panic(fmt.Sprintf("aimbraintest: %s(%d): must be an error, from 400 to 599: use Raw for other statuses", name, status))
	}
}
