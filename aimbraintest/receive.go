package aimbraintest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// receive reads a request without checking it.
func (f *Fake) receive(r *http.Request) (*call, error) {
	c := &call{fake: f, request: r}
	c.endpoint, c.known = findEndpoint(f.config.prefix, r.URL)
	var err error
	if c.body, err = readBody(r); err != nil {
		return c, err
	}
	if len(c.body) < aimbrain.MaxRequestBytes {
		c.members, c.err = strictjson.Request(nil, c.body)
	}
	return c, nil
}

// findEndpoint returns the row of the endpoint of a request: what follows the prefix,
// in lower case. Escapes are compared as they were sent. For any other path the row
// has the whole path alone.
func findEndpoint(prefix string, u *url.URL) (endpoint endpoints.Endpoint, known bool) {
	if rest, ok := strings.CutPrefix(u.EscapedPath(), prefix); ok {
		if endpoint, known = endpoints.Find(strings.ToLower(rest)); known {
			return endpoint, true
		}
	}
	return endpoints.Endpoint{Path: strings.ToLower(u.Path)}, false
}

// readBody reads a body up to the limit, and discards what follows: a caller that
// is still sending would miss the response.
func readBody(r *http.Request) ([]byte, error) {
	const drained = 16 << 20
	body, err := readGrowing(r.Body, r.ContentLength)
	if err == nil && len(body) == aimbrain.MaxRequestBytes {
		_, err = io.CopyN(io.Discard, r.Body, drained)
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return body, err
}

// readGrowing reads a body up to the limit. It allocates memory for the bytes that
// have arrived, and uses a declared length only when it is near.
func readGrowing(r io.Reader, declared int64) ([]byte, error) {
	body := make([]byte, 0, 512)
	for len(body) < aimbrain.MaxRequestBytes {
		if len(body) == cap(body) {
			size := min(2*cap(body), aimbrain.MaxRequestBytes)
			if left := declared - int64(len(body)); 0 <= left && left < int64(size-len(body)) {
				size = len(body) + int(left) + 1 // so that the last Read returns the end
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return bytes.Clone(body), err
		}
	}
	if cap(body)-len(body) > len(body)/4 { // the record keeps it
		body = bytes.Clone(body)
	}
	return body, nil
}
