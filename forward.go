package aimbrain

import (
	"context"
	"errors"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// Forward signs a request that an app has serialised and sends it byte for
// byte, to any endpoint. The response of a known endpoint is checked as strictly
// as the typed call's, and read by [Decode]; errors are the same as well. An
// endpoint that the library does not know may respond with any JSON object, or
// with nothing, and is never retried after an attempt that may have been processed.
//
// The body is not checked, not even for a byte order mark. Set its session or user
// id before, see [SetMember]. A body of 2 MB or more is a [*TooLargeError].
// [WithMetadata] is refused, as it would change the bytes.
func (c *Client) Forward(ctx context.Context, endpoint string, body []byte, opts ...CallOption) (Response, error) {
	clean, problem := endpoints.Clean(endpoint)
	if problem != "" {
		return Response{}, &RequestError{Endpoint: "Forward", Argument: "the endpoint", Reason: problem}
	}
	return do(ctx, &service{c}, clean, opts, func(b *payload.Builder) { b.Serialised(body) }, forwarded(clean))
}

// forwarded returns the reader of a response that is returned as it came.
func forwarded(path string) reader[Response] {
	return func(members *jsonfields.Object, response Response) Response {
		read(path, members, response) // for its faults
		return response
	}
}

// SetMember returns a copy of a request that an app has serialised in which a
// member of the top level is the given string, whether it was there or not.
// All other bytes stay as they came. A server sets "userId" and "session" by
// it from its own records before it calls [Client.Forward]: what an app says
// about its user must not be relied on.
//
// Only strict JSON is taken: a body in which the name occurs twice, under an
// escape that hides it or in another case ("Session" beside "session"), could
// mean one user here and another to the API. Whatever an app's encoder writes
// else is taken, in any order, with any white space and any escapes. That
// includes half of a surrogate pair, such as "\ud83d", which is what JavaScript
// makes of a text that is cut within an emoji. It is refused in names, and in a
// "userId" or "session" that stays. A byte order mark in front of the body is
// refused. The error is a [*RequestError].
//
// A body of 2 MB or more, before the change or after it, is a [*TooLargeError].
// One that is so large before it is not read.
func SetMember(body []byte, name, value string) ([]byte, error) {
	if len(body) >= MaxRequestBytes {
		return nil, &TooLargeError{Endpoint: "SetMember", Limit: MaxRequestBytes}
	}
	changed, err := payload.Set(body, payload.Member{Name: name, Value: value}, MaxRequestBytes)
	var invalid *payload.Invalid
	switch {
	case errors.As(err, &invalid):
		return nil, &RequestError{Argument: invalid.Argument, Reason: invalid.Reason, Err: invalid.Err}
	case err != nil:
		return nil, &TooLargeError{Endpoint: "SetMember", Limit: MaxRequestBytes}
	}
	return changed, nil
}

// MaxRequestBytes is the size that a request body must stay below: 2 MB, the
// vendor's limit. Base64 adds a third to media.
const MaxRequestBytes = 2_000_000
