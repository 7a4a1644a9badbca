package aimbraintest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// process executes the request as the API does, and returns the response.
func (c *call) process() (status int, header http.Header, body []byte) {
	result, err := c.execute()
	var r *refusal
	if errors.As(err, &r) {
		if r.status == http.StatusMethodNotAllowed {
			header = http.Header{"Allow": {"POST, OPTIONS"}}
		}
		return r.status, header, r.body()
	}
	c.fake.mu.Lock()
	c.fake.log.processed[c.endpoint]++
	c.fake.mu.Unlock()
	if scoring(c.endpoint) {
		header = http.Header{"X-Aimbraintest-Score": {"simulated"}}
	}
	return http.StatusOK, header, c.withMetadata(result)
}

// execute checks a request, in the order that the API's errors suggest, and
// executes it.
func (c *call) execute() (any, error) {
	switch {
	case !c.known:
		return nil, refuse(http.StatusNotFound, c.unknownPath())
	case c.request.Method != http.MethodPost:
		return nil, refuse(http.StatusMethodNotAllowed, "the method must be POST")
	case len(c.body) >= aimbrain.MaxRequestBytes:
		return nil, refuseCode(aimbrain.CodeFileTooBig, "the request is 2 MB or more: send fewer or smaller files (base64 adds a third)")
	}
	if err := c.checkSignature(); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(c.body, []byte("\xef\xbb\xbf")) {
		return nil, refuseCode(aimbrain.CodeUndecodableRequest, "the body begins with a byte order mark (the bytes EF BB BF), which JSON must not have: write UTF-8 without it")
	}
	if c.err != nil {
		return nil, refuseCode(aimbrain.CodeUndecodableRequest, "the body is not a strict JSON object: "+strings.TrimPrefix(c.err.Error(), "strictjson: "))
	}
	switch c.endpoint {
	case aimbrain.EndpointSessions:
		return c.createSession()
	case aimbrain.EndpointBehaviour:
		return c.behavioural()
	case aimbrain.EndpointBehaviourSubmit:
		return c.submit()
	case aimbrain.EndpointScore:
		return c.score()
	case aimbrain.EndpointFaceToken:
		return c.token(faceModule)
	case aimbrain.EndpointFaceEnroll:
		return c.enroll(faceModule)
	case aimbrain.EndpointFaceAuth:
		return c.auth(faceModule)
	case aimbrain.EndpointFaceCompare:
		return c.compare()
	case aimbrain.EndpointVoiceToken:
		return c.token(voiceModule)
	case aimbrain.EndpointVoiceEnroll:
		return c.enroll(voiceModule)
	case aimbrain.EndpointVoiceAuth:
		return c.auth(voiceModule)
	}
	return nil, refuse(http.StatusNotFound, "this fake does not know the endpoint")
}

// unknownPath returns an error text that lists the paths.
func (c *call) unknownPath() string {
	if slices.Contains(strings.Split(c.endpoint, "/"), "nosession") {
		return "the nosession variants of the face calls are observed in the vendor's iOS client, undocumented, and not supported here: create a session, or call " + aimbrain.EndpointFaceCompare + ", which needs no session"
	}
	endpoints := strings.Join(aimbrain.Endpoints(), ", ")
	if prefix := c.fake.config.prefix; prefix != "" {
		return "there is no such path: with WithPathPrefix the endpoints are behind " + prefix + " only: " + endpoints
	}
	return "there is no such path: the endpoints are " + endpoints + "; for a prefix in front of them the fake needs the option WithPathPrefix"
}

func scoring(endpoint string) bool {
	return Stub{kind: kindScore}.fits(endpoint)
}

// withMetadata returns the body of the response, with the metadata of the request.
// /v1/score has metadata of its own.
func (c *call) withMetadata(result any) []byte {
	var body []byte
	if result != nil {
		body = encode(result)
	}
	raw, ok := find(c.members, "metadata")
	if !ok || c.endpoint == aimbrain.EndpointScore {
		return body
	}
	metadata, err := strictjson.String(raw)
	if err != nil {
		return body
	}
	if _, err := base64.StdEncoding.DecodeString(metadata); err != nil {
		return body
	}
	if body == nil {
		body = []byte("{}")
	}
	echoed, err := strictjson.Set(nil, body, "metadata", encode(metadata))
	if err != nil {
		return body
	}
	return echoed
}
