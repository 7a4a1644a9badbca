package aimbrain

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/retry"
	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
)

// Version is the version of this library; the User-Agent header carries it.
const Version = "0.1.0"

// A Client calls the AimBrain API. It is made by [New] or [NewFromEnv], is safe
// for concurrent use, and is meant to be kept for the life of a program.
type Client struct {
	Sessions  *SessionsService  // sessions: the start of everything
	Face      *FaceService      // photos and videos of faces
	Voice     *VoiceService     // recordings of voices
	Behaviour *BehaviourService // touches, movements, typing
	Score     *ScoreService     // the scores of a session so far

	config *config
	// What carries requests is reached by functions alone: a dump of it would
	// show the last requests in its connections' buffers.
	carrier   func() *roundtrip.Carrier // of one call, released when it ends
	closeIdle func()

	signer  atomic.Pointer[Signer]
	buffers payload.Buffers
	budget  retry.Budget
	hold    retry.HoldBack
	calls   atomic.Int64 // under way
	closed  atomic.Bool
	closing context.Context // ends with Close, and the polls with it
	endPoll context.CancelFunc
}

// New returns a client that signs with the given key pair. It needs [WithRegion]
// or [WithBaseURL]; all other options have defaults. An error is a [*ConfigError]
// and says which setting is wrong; nothing is sent before the first call.
//
// New returns an error under js/wasm and wasip1/wasm. In a browser the secret
// would be in the page: call your own server, and let that call the API. A
// program under wasip1 has no network connections.
func New(apiKey, apiSecret string, opts ...Option) (*Client, error) {
	if err := checkPlatform(runtime.GOOS); err != nil {
		return nil, err
	}
	signer, err := NewSigner(apiKey, apiSecret)
	if err != nil {
		return nil, err
	}
	config, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	c := &Client{config: config}
	c.signer.Store(signer)
	c.connect()
	c.closing, c.endPoll = context.WithCancel(context.Background())
	c.closing.Done() // makes its channel now, and not in the testing/synctest bubble of the first poll
	c.Sessions = &SessionsService{c}
	c.Face = &FaceService{c}
	c.Voice = &VoiceService{c}
	c.Behaviour = &BehaviourService{c}
	c.Score = &ScoreService{c}
	return c, nil
}

// connect chooses what carries the requests: a transport alone where nothing of
// an http.Client is needed, since it has no redirects, cookies and time limit.
func (c *Client) connect() {
	c.closeIdle = func() {}
	client, given := c.config.httpClient, c.config.transport
	c.config.httpClient, c.config.transport = nil, nil // see the field carrier
	if given != nil {
		c.carrier = roundtrip.Always(given.RoundTrip, isOwn(given))
		return
	}
	own := NewTransport()
	c.closeIdle = own.CloseIdleConnections
	if client == nil {
		c.carrier = roundtrip.Always(own.inner.RoundTrip, true)
		return
	}
	c.carrier = roundtrip.ByClient(client, own, isOwn)
}

// Rotate makes the client sign with another key pair from the next call on.
// Calls that are under way end with the pair they began with, retries included.
// On an error, a [*ConfigError], the old pair stays.
func (c *Client) Rotate(apiKey, apiSecret string) error {
	if !c.made() {
		return &ConfigError{Parameter: "the client", Reason: notMadeByNew}
	}
	signer, err := NewSigner(apiKey, apiSecret)
	if err != nil {
		return err
	}
	c.signer.Store(signer)
	return nil
}

// Close makes further calls fail with [ErrClosed] and closes the connections
// that are idle; calls that are under way end normally, and their connections
// are closed then. What EnrollAndConfirm and WaitWhileBuilding wait for is not
// waited for any longer. The connections of a transport or client that the caller
// gave are left alone. Close returns at once and may be called more than once. It
// fails only for a client that [New] did not make, by a [*ConfigError].
func (c *Client) Close() error {
	if !c.made() {
		return &ConfigError{Parameter: "the client", Reason: notMadeByNew}
	}
	c.closed.Store(true)
	c.endPoll()
	c.closeIdle()
	return nil
}

// Region returns the region that the client calls, "" when it was made with
// [WithBaseURL] or not by [New].
func (c *Client) Region() Region {
	if !c.made() {
		return ""
	}
	return c.config.region
}

// BaseURL returns the base URL that the client calls, without a slash at its end,
// such as "https://api.eu-west-1.aimbrain.com", "" when it was not made by [New].
func (c *Client) BaseURL() string {
	if !c.made() {
		return ""
	}
	return c.config.base.String()
}

// notMadeByNew is what is wrong with a zero or nil client.
const notMadeByNew = "was not made by New"

// made reports whether the client was made by New: a nil one and the zero value
// were not.
func (c *Client) made() bool { return c != nil && c.config != nil }

// A service is what the services have in common.
type service struct{ client *Client }

// of returns the service's client, nil for a service that New did not make, such
// as those of the zero Client, which are nil.
func (s *service) of() *Client {
	if s == nil {
		return nil
	}
	return s.client
}

// A CallOption is a setting of one call.
type CallOption func(*callConfig)

type callConfig struct {
	metadata    []byte
	repeat      bool
	maxAttempts int
	confirm     *time.Duration // nil when it was not set

	timeout, attemptTimeout time.Duration
}

// WithMetadata sends an integration's own bytes along, as base64 in the
// member "metadata". Responses may carry some back the same way, see
// [Response.Metadata]. Observed in the vendor's clients, not documented.
func WithMetadata(metadata []byte) CallOption {
	return func(c *callConfig) { c.metadata = metadata }
}

// WithCallTimeout sets the time limits of the call in place of the client's: total
// for the call with all its attempts and the waits between them, see
// [WithTimeout], and attempt for each attempt, see [WithAttemptTimeout]. Both must
// be positive, or the error is a [*RequestError]. A shorter limit than the client's
// may come from the context as well.
func WithCallTimeout(total, attempt time.Duration) CallOption {
	return func(c *callConfig) { c.timeout, c.attemptTimeout = total, attempt }
}

// WithRetryUnknownOutcome allows the call to be sent again after an attempt that may
// have been processed. Session, token and authentication calls can be opted in
// that way; enrolments and behavioural calls cannot, and return a
// [*RequestError]: a person would be enrolled twice.
func WithRetryUnknownOutcome() CallOption {
	return func(c *callConfig) { c.repeat = true }
}
