package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// A User is a person whom the bank has authenticated by another element.
type User struct {
	// ID is the bank's own identifier. It stays in the bank: the store and the audit
	// log hold keyed hashes of it.
	ID string
	// APIUserID is what the API knows the user by: random, anonymous, and the same
	// for ever. It must not be ID, and it must not be derived from it.
	APIUserID string
}

// check returns what is wrong with a user.
func (u User) check() error {
	switch {
	case u.ID == "" || u.APIUserID == "":
		return errors.New("User.ID or User.APIUserID is empty")
	case u.ID == u.APIUserID:
		return errors.New("User.APIUserID is User.ID: it must be random and anonymous")
	case len(u.ID) > 1024 || len(u.APIUserID) > 1024:
		return errors.New("User.ID or User.APIUserID is longer than 1024 bytes")
	case !utf8.ValidString(u.ID) || !utf8.ValidString(u.APIUserID):
		return errors.New("User.ID or User.APIUserID is not UTF-8")
	}
	return nil
}

// A Handler is the Server's part between an app and the API. It is made by [New] and
// is safe for concurrent use.
type Handler struct {
	config  config
	client  *aimbrain.Client
	store   Store
	routes  map[string]route
	origins *origins
	budget  *budget
	keys    atomic.Pointer[Keys]
	refused refusals
	buffers sync.Pool // for media with escapes

	mu     sync.Mutex
	active int
	closed bool
	idle   chan struct{} // closed when no request is under way after Shutdown
}

// New returns a handler that calls the API by a client. [WithUser], [WithPolicy],
// [WithKeys], and one of [WithAudit] and [WithoutAudit] are required. An error is a
// [*ConfigError] that says which option is missing or invalid.
//
// The paths are those of the API, such as /v1/face/auth: mount it under a prefix by
// [http.StripPrefix]. /v1/score and /v1/face/compare are not for apps.
func New(client *aimbrain.Client, opts ...Option) (*Handler, error) {
	if client == nil {
		return nil, &ConfigError{"the client", "is nil"}
	}
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		config: c, client: client, store: c.store, routes: routes(), budget: newBudget(c.budget),
		origins: &origins{trusted: c.origins}, idle: make(chan struct{}),
	}
	h.keys.Store(&c.keys)
	h.config.keys = Keys{}
	if err := h.recordPolicy(); err != nil {
		return nil, err
	}
	return h, nil
}

// ring returns the keys that apply now.
func (h *Handler) ring() ring { return h.keys.Load().ring() }

// ServeHTTP responds to a request of an app.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.origins.preflight(w, r) {
		return
	}
	if !h.enter() {
		refuse(codeClosed).write(w)
		return
	}
	defer h.leave()
	began := time.Now()
	result, done := h.serve(w, r)
	event := Event{Endpoint: done.endpoint, Size: done.size, Upstream: done.upstream, Duration: time.Since(began)}
	event.Status, event.Result, event.Code = result.httpStatus(), string(result.Result), string(result.Code)
	h.observe(r.Context(), done.id, event)
	result.write(w)
}

// serve handles a request. These are the steps of every one: who sends it and what for,
// the body, the decision, the audit record.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (response, account) {
	c, refusal := h.admit(w, r)
	done := account{endpoint: c.route.endpoint, id: c.id}
	if c.key == (hash{}) { // no user is known
		h.refused.add(h, refusal.Code)
		return refusal, done
	}
	ctx := context.WithoutCancel(r.Context()) // from here on a hang-up ends the reading alone
	if refusal.Code != "" {
		return h.record(ctx, c, request{}, refusal, done)
	}
	q, refusal := h.read(w, r, c)
	defer q.release()
	done.size = q.size
	if refusal.Code != "" {
		return h.record(ctx, c, q, refusal, done)
	}
	result, done := h.respond(r.Context(), q, done)
	return h.record(ctx, c, q, result, done)
}

// A caller is who has sent a request, and what for.
type caller struct {
	id      string // of the request
	route   route
	user    User
	key     hash // of the user in the store, zero without a user
	owner   hash // of both IDs, in the session
	address string
	device  string
	action  Action
	binding string
}

// An account is what is recorded of a request beside its response.
type account struct {
	endpoint string
	id       string
	size     int
	upstream time.Duration
	exchange exchange
	sent     bool
	score    *scored
	reason   string
}

// A scored is what the API has measured.
type scored struct{ score, liveliness float64 }

// admit looks at all of a request but the body. The caller has no key if the user is
// not known.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (caller, response) {
	c := caller{id: h.requestID(r)}
	switch h.origins.source(r) {
	case foreignOrigin:
		return c, refuse(codeCrossOrigin)
	case trustedOrigin:
		allow(w.Header(), r)
		r = withoutCookies(r)
	case ownOrigin:
	}
	route, found := h.routes[r.URL.EscapedPath()]
	c.route = route
	switch {
	case !found:
		return c, refuse(codeNotFound)
	case r.Method != http.MethodPost:
		return c, refuse(codeMethod)
	case !plainJSON(r):
		return c, refuse(codeMediaType)
	}
	user, err := h.config.user(r)
	if err != nil {
		return c, refuse(codeUnauthorized)
	}
	if err := user.check(); err != nil {
		h.misconfigured(r.Context(), "WithUser", err)
		return c, refuse(codeInternal)
	}
	keys := h.ring()
	c.user, c.key = user, keys.userHash(user)
	c.owner = keys.hash("session user", []byte(user.ID), []byte(user.APIUserID))
	c.address = h.address(r)
	return h.purpose(r, c)
}

// purpose completes a caller by what depends on the endpoint.
func (h *Handler) purpose(r *http.Request, c caller) (caller, response) {
	var err error
	switch c.route.kind {
	case toSession:
		if h.config.device != nil {
			if c.device, err = h.config.device(r, c.user); err != nil || c.device == "" {
				return c, refuse(codeUnauthorized)
			}
		}
	case toToken, toAuth:
		if h.config.policy.rule(c.route.module).Disabled {
			return c, refuse(codeDisabled)
		}
	case toEnrol:
		if h.config.permit == nil || h.config.policy.rule(c.route.module).Disabled {
			return c, refuse(codeEnrolmentRefused)
		}
	case toBehaviour, toSubmit:
	}
	if c.route.kind != toAuth {
		return c, response{}
	}
	c.action = LogIn()
	if h.config.action != nil {
		if c.action, err = h.config.action(r, c.user); err != nil {
			return c, refuse(codeActionRefused)
		}
		if err = c.action.check(); err != nil {
			h.misconfigured(r.Context(), "WithAction", err)
			return c, refuse(codeInternal)
		}
	}
	if h.config.binding != nil {
		if c.binding, err = h.config.binding(r); err != nil || c.binding == "" {
			return c, refuse(codeUnauthorized)
		}
	}
	return c, response{}
}

// A request is a request that has arrived and is prepared for the API.
type request struct {
	caller
	prepared    *aimbrain.PreparedRequest
	room        *reservation
	contents    contents
	captures    []hash
	session     sealedSession
	size        int
	fingerprint [32]byte
}

// release gives back what a request holds. It may be the zero value.
func (q request) release() {
	q.prepared.Discard()
	if q.room != nil {
		q.room.release()
	}
}

// errNotOurs is the error of a session that is not the user's, or not sealed here, or
// has expired.
const errNotOurs constantError = "the session is invalid or has expired"

// read reads the body of a request, within the budget and the limits, and checks it.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, c caller) (request, response) {
	q := request{caller: c, room: &reservation{budget: h.budget, user: c.key, client: c.address}}
	members := []aimbrain.Member{{Name: "session", Replace: func(token string) (string, error) {
		var err error
		q.session, err = h.openSession(token, c.owner)
		return q.session.id, err
	}}}
	if c.route.kind == toSession {
		members = []aimbrain.Member{{Name: "userId", Value: c.user.APIUserID}}
		if c.device != "" {
			members = append(members, aimbrain.Member{Name: "device", Value: c.device})
		}
	}
	var refusal response
	q.prepared, q.size, refusal = h.receive(w, r, c.route.endpoint, q.room, members)
	if refusal.Code != "" {
		return q, refusal
	}
	var problem string
	if q.contents, problem = c.route.read(q.prepared.Members()); problem != "" {
		return q, refuse(codeInvalid).because(problem)
	}
	if q.captures, problem = h.hashCaptures(q.contents.media); problem != "" {
		return q, refuse(codeMedia).because(problem)
	}
	if c.route.kind == toAuth || c.route.kind == toEnrol || c.route.kind == toToken || c.route.kind == toSession {
		q.fingerprint = q.prepared.Fingerprint() // not of behaviour, which is secret and short
	}
	return q, response{}
}

// hashCaptures returns the hashes of media.
func (h *Handler) hashCaptures(media [][]byte) ([]hash, string) {
	if len(media) == 0 {
		return nil, ""
	}
	buf, _ := h.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer func() {
		clear((*buf)[:cap(*buf)])
		h.buffers.Put(buf)
	}()
	keys := h.ring()
	var hashes []hash
	for _, medium := range media {
		var text []byte
		var problem string
		if text, *buf, problem = plainMedia(medium, *buf); problem != "" {
			return nil, problem
		}
		hashes = append(hashes, keys.captureHash(text))
	}
	return hashes, ""
}

// respond decides about a request that is complete.
func (h *Handler) respond(ctx context.Context, q request, done account) (response, account) {
	switch q.route.kind {
	case toSession:
		return h.createSession(ctx, q, done)
	case toToken:
		return h.passToken(ctx, q, done)
	case toBehaviour, toSubmit:
		return h.passBehaviour(ctx, q, done)
	case toAuth, toEnrol:
	}
	return h.execute(ctx, q, done)
}

// requestID returns the ID of a request.
func (h *Handler) requestID(r *http.Request) string {
	if h.config.requestID != nil {
		return h.config.requestID(r)
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	return hex.EncodeToString(id[:])
}

// address returns the address of a client.
func (h *Handler) address(r *http.Request) string {
	if h.config.address != nil {
		return h.config.address(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// withoutCookies returns a request without the Cookie header. The original keeps it.
func withoutCookies(r *http.Request) *http.Request {
	copied := new(http.Request)
	*copied = *r
	copied.Header = r.Header.Clone()
	copied.Header.Del("Cookie")
	return copied
}

// enter counts a request, unless the handler is shut down.
func (h *Handler) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.active++
	return true
}

// leave is the end of a request.
func (h *Handler) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active--; h.active == 0 && h.closed {
		close(h.idle)
	}
}

// Shutdown refuses new requests with 503, waits for those under way, and returns when
// the last audit record is durable. It returns the context's error if that ends first.
// A second call waits as well.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		if h.active == 0 {
			close(h.idle)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	return h.recordShutdown(ctx)
}
