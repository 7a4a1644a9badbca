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
	c.fake.log.processed[c.endpoint.Path]++
	c.fake.mu.Unlock()
	if hasScore(c.endpoint) {
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
	h, ok := findHandler(c.endpoint.Path)
	if !ok {
		return nil, refuse(http.StatusNotFound, "this fake does not know the endpoint")
	}
	if c.endpoint.Session {
		var err error
		if c.session, err = c.findSession(); err != nil {
			return nil, err
		}
	}
	if err := c.checkMedia(h); err != nil {
		return nil, err
	}
	return h.handle(c)
}

// unknownPath returns an error text that lists the paths.
func (c *call) unknownPath() string {
	if slices.Contains(strings.Split(c.endpoint.Path, "/"), "nosession") {
		return "the nosession variants of the face calls are observed in the vendor's iOS client, undocumented, and not supported here: create a session, or call " + aimbrain.EndpointFaceCompare + ", which needs no session"
	}
	endpoints := strings.Join(aimbrain.Endpoints(), ", ")
	if prefix := c.fake.config.prefix; prefix != "" {
		return "there is no such path: with WithPathPrefix the endpoints are behind " + prefix + " only: " + endpoints
	}
	return "there is no such path: the endpoints are " + endpoints + "; for a prefix in front of them the fake needs the option WithPathPrefix"
}

// withMetadata returns the body of the response, with the metadata of the request
// unless the result has metadata of its own.
func (c *call) withMetadata(result any) []byte {
	var body []byte
	if result != nil {
		body = encode(result)
	}
	raw, ok := find(c.members, "metadata")
	if !ok {
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
	own, err := strictjson.Object(nil, body)
	if _, has := find(own, "metadata"); has || err != nil {
		return body
	}
	echoed, err := strictjson.SetIn(nil, body, own, "metadata", encode(metadata))
	if err != nil {
		return body
	}
	return echoed
}
