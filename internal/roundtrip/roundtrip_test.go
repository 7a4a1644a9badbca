package roundtrip_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
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

// hesitant returns the bytes of a text one by one, each after 99 reads of nothing.
func hesitant(text string) io.Reader {
	reads := 0
	return readerFunc(func(p []byte) (int, error) {
		reads++
		switch {
		case reads%100 != 0:
			return 0, nil
		case text == "":
			return 0, io.EOF
		}
		n := copy(p[:1], text)
		text = text[n:]
		return n, nil
	})
}

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
	cutAtLimit := response(200, "")
	cutAtLimit.Body = io.NopCloser(io.MultiReader(strings.NewReader("12345678"), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
	slow := response(200, "")
	slow.Body = io.NopCloser(hesitant("123456789"))
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
		{name: "cut off at the limit", response: cutAtLimit, want: roundtrip.Reply{Status: 200, Body: []byte("12345678"), BodyErr: io.ErrUnexpectedEOF}},
		{name: "a reader that gives nothing 99 times before each byte", response: slow, want: roundtrip.Reply{Status: 200, Body: []byte("123456789")}},
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
		name      string
		of        *http.Request
		want      bool
		elsewhere string
	}{
		{name: "of the request", of: &http.Request{Method: http.MethodPost, URL: called}},
		{name: "without a request", of: nil},
		{name: "a mock without a method", of: &http.Request{URL: called}},
		{name: "another host", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "other.example", Path: "/v1/score"}}, want: true, elsewhere: "other.example"},
		{name: "without TLS", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: "api.example", Path: "/v1/score"}}, want: true},
		{name: "another path", of: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/cached"}}, want: true},
		{name: "a GET", of: &http.Request{Method: http.MethodGet, URL: called}, want: true},
		{name: "a GET by a mock without a URL", of: &http.Request{Method: http.MethodGet}, want: true},
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
			assert.Equal(t, tt.elsewhere, reply.Elsewhere)
			assert.Equal(t, tt.want, reply.Body == nil, "the body of another request is not read")
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

// TestDo_ForeignCarrierReadsTheBody: a wrapper may read the body in pieces, to log or
// to count it.
func TestDo_ForeignCarrierReadsTheBody(t *testing.T) {
	t.Parallel()
	_, failure := exchange(func(r *http.Request) (*http.Response, error) {
		for range 3 {
			n, err := r.Body.Read(make([]byte, 1))
			assert.NoError(t, err)
			assert.Equal(t, 1, n)
		}
		return response(200, "{}"), nil
	}, false)
	assert.Nil(t, failure)
}

// TestDo_WrapperOfTheLibrarysTransport: a wrapper has read the body, so that only the
// error of the library's transport can prove that the request was not sent.
func TestDo_WrapperOfTheLibrarysTransport(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	inner := transport.New(func(t *http.Transport) {
		t.Proxy = nil
		t.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, broken }
	})
	read := func(r *http.Request) { _, _ = r.Body.Read(make([]byte, 1)) }
	tests := []struct {
		name string
		send func(*http.Request) (*http.Response, error)
		sent bool
	}{
		{name: "it returns the error", send: func(r *http.Request) (*http.Response, error) {
			read(r)
			return inner.RoundTrip(r)
		}},
		{name: "it wraps the error", send: func(r *http.Request) (*http.Response, error) {
			read(r)
			response, err := inner.RoundTrip(r)
			return response, fmt.Errorf("traced: %w", err)
		}},
		{name: "it returns an error of its own", send: func(r *http.Request) (*http.Response, error) {
			read(r)
			_, _ = inner.RoundTrip(r)
			return nil, broken
		}, sent: true},
		{name: "another transport wrote the headers before", send: func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).WroteHeaders()
			return inner.RoundTrip(r)
		}, sent: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var leftBehind io.ReadCloser
			_, failure := exchange(func(r *http.Request) (*http.Response, error) {
				leftBehind = r.Body
				return tt.send(r)
			}, false)
			require.NotNil(t, failure)
			assert.ErrorIs(t, failure.Err, broken)
			assert.Equal(t, tt.sent, failure.Sent)
			_, err := leftBehind.Read(make([]byte, 1))
			assert.Equal(t, tt.sent, err == nil, "the body can be read only if the request was sent")
		})
	}
}

func TestDo_TakesNoMoreMemoryThanTheBodyNeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		body     string
		declared int64
		limit    int
		want     string
		capacity int
	}{
		{name: "declared as empty", declared: 0, limit: 10_000, capacity: 1},
		{name: "a declared size", body: "{}", declared: 2, limit: 10_000, want: "{}", capacity: 3},
		{name: "a page", body: strings.Repeat("x", 4096), declared: 4096, limit: 10_000, want: strings.Repeat("x", 4096), capacity: 4097},
		{name: "a declared size above a page that does not come", body: "{}", declared: 4097, limit: 10_000, want: "{}", capacity: 512},
		{name: "the largest declared size", body: "{}", declared: 1<<63 - 1, limit: 10_000, want: "{}", capacity: 512},
		{name: "no declared size", body: "{}", declared: -1, limit: 10_000, want: "{}", capacity: 512},
		{name: "no declared size, long", body: strings.Repeat("x", 5000), declared: -1, limit: 10_000, want: strings.Repeat("x", 5000), capacity: 8192},
		{name: "no declared size, at the limit", body: strings.Repeat("x", 1000), declared: -1, limit: 1000, want: strings.Repeat("x", 1000), capacity: 1001},
		{name: "no declared size, beyond the limit", body: strings.Repeat("x", 5000), declared: -1, limit: 1000, want: strings.Repeat("x", 1001), capacity: 1001},
		{name: "a declared size beyond the limit", body: "{}", declared: 100, limit: 8, want: "{}", capacity: 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := &roundtrip.Request{URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/score"}, Body: text("{}"), Limit: tt.limit}
			reply, failure := request.Do(context.Background(), roundtrip.Always(func(*http.Request) (*http.Response, error) {
				declared := response(200, tt.body)
				declared.ContentLength = tt.declared
				return declared, nil
			}, true)())
			require.Nil(t, failure)
			require.NoError(t, reply.BodyErr)
			assert.Equal(t, tt.want, string(reply.Body))
			assert.Equal(t, tt.capacity, cap(reply.Body))
		})
	}
}

type foreign struct {
	send func(*http.Request) (*http.Response, error)
}

func (f *foreign) RoundTrip(r *http.Request) (*http.Response, error) { return f.send(r) }

// A client without a transport means http.DefaultTransport, which a test or a tracer
// may have replaced.
func TestByClient_Transport(t *testing.T) { //nolint:paralleltest // it sets http.DefaultTransport
	named := func(name string) http.RoundTripper {
		return &foreign{func(*http.Request) (*http.Response, error) { return response(200, name), nil }}
	}
	original := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = original })
	tests := []struct {
		name              string
		callers, standard http.RoundTripper
		want              string
	}{
		{name: "none", standard: original, want: "own"},
		{name: "none, and no default one", want: "own"},
		{name: "none, and a replaced default one", standard: named("default"), want: "default"},
		{name: "the caller's", callers: named("callers"), standard: original, want: "callers"},
		{name: "the caller's, and a replaced default one", callers: named("callers"), standard: named("default"), want: "callers"},
	}
	for _, tt := range tests { //nolint:paralleltest // see above
		t.Run(tt.name, func(t *testing.T) {
			http.DefaultTransport = tt.standard
			client := &http.Client{Transport: tt.callers}
			acquire := roundtrip.ByClient(client, named("own"), func(http.RoundTripper) bool { return tt.want == "own" })
			for range 3 { // the second may use the first again
				carrier := acquire()
				request := &roundtrip.Request{URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/score"}, Header: http.Header{}, Body: text("{}"), Limit: 100}
				reply, failure := request.Do(context.Background(), carrier)
				require.Nil(t, failure)
				assert.Equal(t, tt.want, string(reply.Body))
				assert.Equal(t, tt.want == "own", carrier.Own)
				carrier.Release()
			}
			assert.Equal(t, tt.callers, client.Transport, "the caller's client is not changed")
			assert.Nil(t, client.CheckRedirect, "the caller's client is not changed")
		})
	}
}

func TestAlways_ReleaseKeepsTheCarrier(t *testing.T) {
	t.Parallel()
	acquire := roundtrip.Always(func(*http.Request) (*http.Response, error) { return response(200, "{}"), nil }, true)
	carrier := acquire()
	carrier.Release()
	assert.NotNil(t, carrier.Send)
	assert.Same(t, carrier, acquire())
}

// TestByClient_FollowsNoRedirect: the headers of a request follow a redirect to any
// host.
func TestByClient_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	requests := 0
	callers := &http.Client{Transport: &foreign{func(r *http.Request) (*http.Response, error) {
		requests++
		moved := response(http.StatusFound, "")
		moved.Header.Set("Location", "https://other.example/")
		moved.Request = r
		return moved, nil
	}}}
	carrier := roundtrip.ByClient(callers, nil, func(http.RoundTripper) bool { return false })()
	request := &roundtrip.Request{URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/v1/score"}, Header: http.Header{}, Body: text("{}"), Limit: 100}
	reply, failure := request.Do(context.Background(), carrier)
	require.Nil(t, failure)
	assert.Equal(t, http.StatusFound, reply.Status)
	assert.Equal(t, 1, requests)
}
