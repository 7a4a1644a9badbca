package aimbrain

import (
	"context"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// Forward signs a request that an app has serialised and sends it byte for
// byte, to any endpoint. The answer of a known endpoint is checked as strictly
// as the typed call's, and read by [Decode]; errors are the same as well. An
// endpoint that the library does not know may answer with any JSON object, or
// with nothing, and is never sent again after an attempt that may have been
// processed.
//
// The body is not looked at: whose session or user id is in it must be seen to
// before, see [SetMember]. A body of 2 MB or more is a [*TooLargeError].
// [WithMetadata] is refused, as it would change the bytes.
func (c *Client) Forward(ctx context.Context, endpoint string, body []byte, opts ...CallOption) (Response, error) {
	clean, problem := cleanEndpoint(endpoint)
	if problem != "" {
		return Response{}, &RequestError{Endpoint: "Forward", Argument: "the endpoint", Reason: problem}
	}
	return c.exchange(ctx, clean, opts, raw(body), newAnswer(clean))
}

// raw writes a body as it came.
func raw(serialised []byte) func(*body) {
	return func(b *body) {
		switch {
		case len(serialised) == 0:
			b.refuse("the body", "is empty", nil)
		case b.metadata != nil:
			b.refuse("WithMetadata", "would change a request that is forwarded as it came", nil)
		default:
			b.bytes(serialised)
			b.inspectForwarded(serialised)
		}
	}
}

// SetMember returns a copy of a request that an app has serialised in which a
// member of the top level is the given string, whether it was there or not.
// All other bytes stay as they came. A server sets "userId" and "session" by
// it from its own records before it calls [Client.Forward]: an app's word for
// who it is must not be relied on.
//
// Only strict JSON is taken: a body in which the name occurs twice, under an
// escape that hides it or in another case ("Session" beside "session"), could
// mean one user here and another to the API. The error is a [*RequestError].
func SetMember(body []byte, name, value string) ([]byte, error) {
	quoted, err := strictjson.AppendString(nil, value)
	if err != nil {
		return nil, &RequestError{Argument: "the value of " + strconv.Quote(name), Reason: "is not valid UTF-8"}
	}
	members, err := strictjson.Object(make([]strictjson.Member, 0, 16), body)
	if err != nil {
		return nil, &RequestError{Argument: "the body", Reason: "is not a strict JSON object", Err: err}
	}
	for _, member := range members {
		if string(member.Name) != name && strings.EqualFold(string(member.Name), name) {
			return nil, &RequestError{Argument: "the body", Reason: "has a member that looks like " + strconv.Quote(name) + " but for upper and lower case"}
		}
	}
	changed, err := strictjson.Set(nil, body, name, quoted)
	if err != nil {
		return nil, &RequestError{Argument: "the body", Reason: "is not a strict JSON object", Err: err}
	}
	return changed, nil
}

// forwarded is the answer of an endpoint that the library does not know.
type forwarded struct{}

func (forwarded) decode(*fields) {}
func (forwarded) optional() bool { return true }
