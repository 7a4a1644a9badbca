package roundtrip_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
	"github.com/aimbrain/aimbrain-go/internal/transport"
)

type text string

func (b text) Reader(onRead func() bool) io.ReadCloser {
	return io.NopCloser(readerFunc(func(p []byte) (int, error) {
		if !onRead() {
			return 0, io.ErrClosedPipe
		}
		return strings.NewReader(string(b)).Read(p)
	}))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func exchange(send func(*http.Request) (*http.Response, error), own bool) (roundtrip.Reply, *roundtrip.Failure) {
	request := &roundtrip.Request{URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/score"}, Header: http.Header{}, Size: 2, Body: text("{}"), Limit: 8}
	return request.Do(context.Background(), roundtrip.Always(send, own)())
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, ProtoMajor: 1, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
}

func TestDo_Failures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	read := func(r *http.Request) { _, _ = r.Body.Read(make([]byte, 1)) }
	tests := []struct {
		name string
		send func(*http.Request) (*http.Response, error)
		own  bool
		sent bool
		err  string
	}{
		{name: "nothing was read", send: func(*http.Request) (*http.Response, error) { return nil, broken }, err: "broken"},
		{name: "the body was read", send: func(r *http.Request) (*http.Response, error) { read(r); return nil, broken }, sent: true, err: "broken"},
		{name: "the library's transport knows better", send: func(r *http.Request) (*http.Response, error) { read(r); return nil, broken }, own: true, err: "broken"},
		{name: "the URL is left out", send: func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: broken}
		}, err: "broken"},
		{name: "a URL error without a cause", send: func(*http.Request) (*http.Response, error) { return nil, &url.Error{Op: "Post"} }, err: "Post"},
		{name: "joined with a URL error", send: func(r *http.Request) (*http.Response, error) {
			read(r)
			return nil, errors.Join(broken, &url.Error{Op: "Post", Err: &transport.NotSentError{Err: broken}})
		}, sent: true, err: "broken"},
		{name: "not sent by a transport that never saw the request", send: func(r *http.Request) (*http.Response, error) {
			read(r)
			return nil, &transport.NotSentError{Err: broken}
		}, sent: true, err: "broken"},
		{name: "neither a response nor an error", send: func(r *http.Request) (*http.Response, error) { read(r); return nil, nil }, sent: true, err: "neither a response nor an error"},
		{name: "no body", send: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: 3}, nil
		}, sent: true, err: "without its body"},
		{name: "another protocol", send: func(*http.Request) (*http.Response, error) { return response(101, ""), nil }, sent: true, err: "switches to another protocol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reply, failure := exchange(tt.send, tt.own)
			assert.Equal(t, roundtrip.Reply{}, reply)
			require.NotNil(t, failure)
			assert.Equal(t, tt.sent, failure.Sent)
			assert.ErrorContains(t, failure.Err, tt.err)
			assert.NotContains(t, failure.Err.Error(), "api.example")
		})
	}
}

func TestDo_Replies(t *testing.T) {
	t.Parallel()
	elsewhere := response(200, "{}")
	elsewhere.Request = &http.Request{URL: &url.URL{Host: "other.example"}}
	unframed := response(200, "{}")
	unframed.ContentLength = -1
	cut := response(200, "")
	cut.ContentLength, cut.Body = 4, io.NopCloser(io.MultiReader(strings.NewReader("{"), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
	silent := response(200, "")
	silent.Body = io.NopCloser(readerFunc(func([]byte) (int, error) { return 0, nil }))
	tests := []struct {
		name     string
		response *http.Response
		want     roundtrip.Reply
	}{
		{name: "whole", response: response(200, "{}"), want: roundtrip.Reply{Status: 200, Body: []byte("{}")}},
		{name: "an error status", response: response(503, "x"), want: roundtrip.Reply{Status: 503, Body: []byte("x")}},
		{name: "at the limit", response: response(200, "12345678"), want: roundtrip.Reply{Status: 200, Body: []byte("12345678")}},
		{name: "beyond the limit", response: response(200, "1234567890"), want: roundtrip.Reply{Status: 200, Body: []byte("123456789")}},
		{name: "from elsewhere", response: elsewhere, want: roundtrip.Reply{Status: 200, Redirected: true, Elsewhere: "other.example"}},
		{name: "without a length", response: unframed, want: roundtrip.Reply{Status: 200, Body: []byte("{}"), Unframed: true}},
		{name: "cut off", response: cut, want: roundtrip.Reply{Status: 200, Body: []byte("{"), BodyErr: io.ErrUnexpectedEOF}},
		{name: "a reader that gives nothing", response: silent, want: roundtrip.Reply{Status: 200, Body: []byte{}, BodyErr: io.ErrNoProgress}},
		{name: "no body where none is due", response: &http.Response{StatusCode: http.StatusNoContent, ProtoMajor: 1}, want: roundtrip.Reply{Status: 204, Body: []byte{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reply, failure := exchange(func(*http.Request) (*http.Response, error) { return tt.response, nil }, false)
			require.Nil(t, failure)
			tt.want.Header = tt.response.Header
			assert.Equal(t, tt.want, reply)
		})
	}
}

// TestDo_SealsABodyThatWasNotRead: a transport may return before a goroutine of its own
// reads the body. What was reported as not sent must not be sent then.
func TestDo_SealsABodyThatWasNotRead(t *testing.T) {
	t.Parallel()
	var leftBehind io.ReadCloser
	_, failure := exchange(func(r *http.Request) (*http.Response, error) {
		leftBehind = r.Body
		return nil, errors.New("too slow")
	}, false)
	require.NotNil(t, failure)
	require.False(t, failure.Sent)
	_, err := leftBehind.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestDo_FollowedRedirect(t *testing.T) {
	t.Parallel()
	called := &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/score"}
	tests := []struct {
		name string
		of   *http.Request
		want bool
	}{
		{name: "of the request", of: &http.Request{Method: http.MethodPost, URL: called}},
		{name: "without a request", of: nil},
		{name: "a mock without a method", of: &http.Request{URL: called}},
		{name: "another host", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "other.example", Path: "/v1/score"}}, want: true},
		{name: "without TLS", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: "api.example", Path: "/v1/score"}}, want: true},
		{name: "another path", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/cached"}}, want: true},
		{name: "a GET", of: &http.Request{Method: http.MethodGet, URL: called}, want: true},
		{name: "after a redirect", of: &http.Request{Method: http.MethodPost, URL: called, Response: response(307, "")}, want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good := response(200, "{}")
			good.Request = tt.of
			reply, failure := exchange(func(*http.Request) (*http.Response, error) { return good, nil }, false)
			require.Nil(t, failure)
			assert.Equal(t, tt.want, reply.Redirected)
		})
	}
}

func TestDo_ForeignCarrierCannotGetTheBodyAgain(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		_, failure := exchange(func(r *http.Request) (*http.Response, error) {
			assert.Equal(t, own, r.GetBody != nil)
			assert.Equal(t, http.MethodPost, r.Method)
			return response(200, "{}"), nil
		}, own)
		assert.Nil(t, failure)
	}
}
