package aimbrain

import (
	"context"
	"crypto/sha256"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A Member is a member of a request that a server sets to a string, such as
// "session".
type Member struct {
	Name  string
	Value string
	// Replace returns the value for the one that the app sent, in place of Value: the
	// session for a sealed one. It is called once. A request without the member, or
	// with one that is not a string, and one for which Replace returns an error is
	// refused by a [*RequestError], which holds that error.
	Replace func(sent string) (string, error)
}

// A PreparedRequest is a request that was read, checked and signed, and was not
// sent: a server looks at it, and decides. It is sent once by [PreparedRequest.Send],
// or discarded by [PreparedRequest.Discard]. It is made by [Client.PrepareForward].
type PreparedRequest struct {
	call    *call
	members []strictjson.Member
	used    atomic.Bool
}

// PrepareForward reads a request that an app has serialised, sets members of its top
// level, and signs it. It hashes the body while it arrives, so that little is left
// to do after its last byte. It is [SetMember] for each of the members and
// [Client.Forward] without the sending:
//
//	prepared, err := client.PrepareForward(ctx, aimbrain.EndpointFaceAuth, r.Body, []aimbrain.Member{{Name: "session", Value: session}})
//	if err != nil {
//		return err
//	}
//	defer prepared.Discard()
//	// look at prepared.Members, decide
//	response, err := prepared.Send(ctx)
//
// The body is read to its end, until it reaches 2 MB ([*TooLargeError]), or until
// the context ends ([*NetworkError]); no other time limit holds for it. What the
// context interrupts may still be reading when PrepareForward has returned, see
// [Readers]. Only strict JSON is taken, as by SetMember; a body that is no strict
// JSON, or cannot be read to its end, is a [*RequestError]. A member that is missing
// is put at the end. Two members with the same name are refused.
//
// The options are those of the call, with [WithCallTimeout] for Send.
func (c *Client) PrepareForward(ctx context.Context, endpoint string, body io.Reader, set []Member, opts ...CallOption) (*PreparedRequest, error) {
	clean, problem := endpoints.Clean(endpoint)
	if problem != "" {
		return nil, &RequestError{Endpoint: "PrepareForward", Argument: "the endpoint", Reason: problem}
	}
	call, err := begin(ctx, &service{c}, clean, opts)
	if err != nil {
		return nil, err
	}
	call.deadline = time.Now().Add(unlimited)
	p := &PreparedRequest{call: call}
	members := make([]payload.Member, len(set))
	for i, m := range set {
		members[i] = payload.Member(m)
	}
	if err := call.encode(ctx, func(b *payload.Builder) { p.members = b.Incoming(body, members) }); err != nil {
		call.end()
		return nil, err
	}
	return p, nil
}

// unlimited is the time to read a body in: the context limits it.
const unlimited = 100 * 365 * 24 * time.Hour

// Endpoint returns the endpoint, in lower case.
func (p *PreparedRequest) Endpoint() string { return p.call.endpoint.Path }

// Size returns the size of the body in bytes.
func (p *PreparedRequest) Size() int { return p.call.body.Size() }

// Members returns the members of the top level in their order: the name, decoded, and
// the value as raw JSON. Both are parts of the body: they must not be changed, and
// are read before Send or Discard. Afterwards there are none.
func (p *PreparedRequest) Members() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, m := range p.members {
			if p.used.Load() || !yield(string(m.Name), m.Value) {
				return
			}
		}
	}
}

// Fingerprint returns a hash that is the same for the same bytes to the same
// endpoint with the same key pair, and for nothing else. It reveals nothing of the
// signature. It is made of the signature, so that the body is hashed once: after
// [Client.Rotate] the same bytes have another one.
func (p *PreparedRequest) Fingerprint() [sha256.Size]byte {
	return sha256.Sum256([]byte("aimbrain fingerprint\n" + p.call.signature))
}

// Send sends the request, with the retries of the call, and returns the response as
// [Client.Forward] does. The time limits begin here. A request that was sent or
// discarded is a [*RequestError].
func (p *PreparedRequest) Send(ctx context.Context) (Response, error) {
	if p == nil || p.call == nil || !p.used.CompareAndSwap(false, true) {
		return Response{}, &RequestError{Argument: "the prepared request", Reason: "was sent or discarded"}
	}
	defer p.call.end()
	if ctx == nil {
		return Response{}, &RequestError{Endpoint: p.call.endpoint.Path, Argument: "the context", Reason: "is nil"}
	}
	p.call.deadline = time.Now().Add(p.call.config.timeout)
	return send(ctx, p.call, forwarded(p.call.endpoint.Path))
}

// Discard releases a request that is not sent. It does nothing after Send, and may
// be called more than once.
func (p *PreparedRequest) Discard() {
	if p != nil && p.call != nil && p.used.CompareAndSwap(false, true) {
		p.call.end()
	}
}
