package relay

import (
	"context"
	"net/http"

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

// A Handler is the Server's part between an app and the API. It is made by [New] and
// is safe for concurrent use.
type Handler struct{}

// New returns a handler that calls the API by a client. [WithUser], [WithPolicy],
// [WithKeys], and one of [WithAudit] and [WithoutAudit] are required. An error says
// which option is missing or invalid.
//
// The paths are those of the API, such as /v1/face/auth: mount it under a prefix by
// [http.StripPrefix]. /v1/score and /v1/face/compare are not for apps.
func New(client *aimbrain.Client, opts ...Option) (*Handler, error) { return &Handler{}, nil }

// ServeHTTP responds to a request of an app.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Score returns the scores of a session, which an app got from this relay. An
// [ErrorKind] says that the session is not the user's or has expired; any other error
// is the client's. The result has the sealed session in place of the API's.
func (h *Handler) Score(ctx context.Context, user User, session string) (aimbrain.ScoreResult, error) {
	return aimbrain.ScoreResult{}, ErrClosed
}

// A UserState is what a handler has counted of a user.
type UserState struct {
	Failures int  // consecutive failures
	Unknown  int  // authentications whose outcome is unknown: they count for the delay
	Blocked  bool // until [Handler.Unblock]
}

// State returns what was counted of a user.
func (h *Handler) State(ctx context.Context, user User) (UserState, error) {
	return UserState{}, ErrClosed
}

// Block blocks a user until [Handler.Unblock]. All sessions and grants of the user
// end.
func (h *Handler) Block(ctx context.Context, user User) error { return ErrClosed }

// Unblock lifts the block of a user and sets the count of failures to 0.
func (h *Handler) Unblock(ctx context.Context, user User) error { return ErrClosed }

// SetKeys replaces the keys, see [NewKeys]. The lookup key must be the same. On an
// error the keys stay.
func (h *Handler) SetKeys(ctx context.Context, keys Keys) error { return ErrClosed }

// Shutdown refuses new requests with 503, waits for those under way, and returns when
// the last audit record is durable. It returns the context's error if that ends first.
func (h *Handler) Shutdown(ctx context.Context) error { return nil }

func todo(any) Option { return func(*config) error { return nil } }
