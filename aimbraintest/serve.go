package aimbraintest

import (
	"net/http"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A call is one request on its way through the fake.
type call struct {
	fake     *Fake
	request  *http.Request
	endpoint endpoints.Endpoint // its row of the table; the path alone if it is no endpoint
	known    bool               // endpoint is one of the API
	body     []byte             // cut after the limit
	members  []strictjson.Member
	err      error // set if the body is not a strict JSON object
	outcome  *queued
	used     bool       // the score of the outcome was used
	session  *session   // of an endpoint with a session, when the handler is called
	media    [][]medium // the media of each member in the row, when the handler is called
}

// ServeHTTP responds to a request as the API does. The path must be that of an
// endpoint, such as "/v1/face/auth", or that path behind the prefix that
// [WithPathPrefix] names; [http.StripPrefix] is another way to mount the fake under
// a prefix. Any other path is refused with status 404.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	f.endConnection(w, r)
	if r.Method == http.MethodOptions {
		preflight(w)
		return
	}
	c, err := f.receive(r)
	recorded := f.record(c)
	if err != nil { // the connection of the caller ended
		breakConnection(w)
		return
	}
	c.outcome = f.take(c.endpoint)
	if c.outcome != nil && c.outcome.scores() {
		defer func() {
			if !c.used {
				f.putBack(c.outcome)
			}
		}()
	}
	if c.outcome != nil && c.outcome.after > 0 && !f.wait(r.Context(), c.outcome.after) {
		breakConnection(w)
		return
	}
	c.respond(w, recorded)
}
