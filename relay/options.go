package relay

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// An Option is a setting of a [Handler], for [New].
type Option func(*config) error

type config struct {
	user           func(*http.Request) (User, error)
	action         func(*http.Request, User) (Action, error)
	binding        func(*http.Request) (string, error)
	device         func(*http.Request, User) (string, error)
	permit         func(context.Context, User, aimbrain.Module, Enrolment) error
	enrolAgain     bool
	notifyEnrolled func(context.Context, User, aimbrain.Module, Enrolment)
	warnBlock      func(context.Context, User)
	policy         *Policy
	keys           Keys
	store          Store
	audit          AuditLog
	noAudit        bool
	pseudonym      func(context.Context, User) (audit.Pseudonym, error)
	address        func(*http.Request) string
	origins        []string
	budget         int64
	sessionTime    time.Duration
	grantTime      time.Duration
	logger         *slog.Logger
	requestID      func(*http.Request) string
	observe        func(context.Context, Event)
	now            func() time.Time
}

// A ConfigError is an option of [New] that is missing or invalid.
type ConfigError struct {
	Option string // such as "WithUser"
	Reason string // what is wrong with it
}

// Error returns the option and what is wrong with it.
func (e *ConfigError) Error() string { return "relay: " + e.Option + " " + e.Reason }

// set returns an option that sets a function, which must not be nil.
func set[F any](name string, isNil bool, value F, field func(*config) *F) Option {
	return func(c *config) error {
		if isNil {
			return &ConfigError{name, "is nil"}
		}
		*field(c) = value
		return nil
	}
}

// configure applies the options and checks what is missing.
func configure(opts []Option) (config, error) {
	c := config{budget: defaultBudget, sessionTime: 12 * time.Hour, grantTime: 2 * time.Minute, now: time.Now}
	for _, opt := range opts {
		if opt == nil {
			return c, &ConfigError{"an option", "is nil"}
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	switch {
	case c.user == nil:
		return c, &ConfigError{"WithUser", "is missing: it says whose request it is"}
	case c.policy == nil:
		return c, &ConfigError{"WithPolicy", "is missing: it says what is accepted"}
	case c.keys.ring == nil:
		return c, &ConfigError{"WithKeys", "is missing: see NewKeys"}
	case c.audit == nil && !c.noAudit:
		return c, &ConfigError{"WithAudit", "is missing: use WithoutAudit to record nothing"}
	case c.audit != nil && c.noAudit:
		return c, &ConfigError{"WithoutAudit", "is used beside WithAudit"}
	case c.enrolAgain && c.permit == nil:
		return c, &ConfigError{"WithEnrolmentAgain", "needs WithEnrolment"}
	}
	if c.store == nil {
		c.store = NewMemoryStore(64 << 20)
	}
	return c, nil
}

// WithUser sets the function that returns the user of a request, whom another
// element has authenticated: a password, a device key. It is required. The function
// must rely on nothing but the bank's own log-in, such as a cookie or a signed
// header, which it checks. A name that is only claimed is no user: the relay would
// show strangers who is a customer and who is enrolled, and let them lock customers
// out.
//
// It is called before the first byte of the body is read. For an error the request
// is refused with 401 and the code "unauthorized"; the error's text is not sent.
func WithUser(user func(*http.Request) (User, error)) Option {
	return set("WithUser", user == nil, user, func(c *config) *func(*http.Request) (User, error) { return &c.user })
}

// WithAction sets the function that returns the action that a request authorises. It
// is called before the body is read, for authentications only. It looks the action up
// in the bank's records, for instance by the number of an order in a header, and
// checks that it is the user's. For an error the request is refused with 403 and the
// code "action_refused".
//
// Without WithAction the action is [LogIn].
func WithAction(action func(*http.Request, User) (Action, error)) Option {
	return set("WithAction", action == nil, action, func(c *config) *func(*http.Request, User) (Action, error) { return &c.action })
}

// WithBinding sets the function that returns what a grant is bound to, such as the
// hash of a cookie or the thumbprint of a DPoP key. [Handler.Redeem] then requires
// the same by [BoundTo], so that a grant that was stolen is of no use elsewhere. For
// an error or an empty string the request is refused with 401.
func WithBinding(binding func(*http.Request) (string, error)) Option {
	return set("WithBinding", binding == nil, binding, func(c *config) *func(*http.Request) (string, error) { return &c.binding })
}

// An Enrolment says what the API has stored of a user before an enrolment.
type Enrolment int

// The kinds of enrolment.
const (
	// First is an enrolment of a user without a template.
	First Enrolment = iota + 1
	// Again is an enrolment of a user with a template. Whether it replaces the
	// template or adds to it is not documented by the vendor: where it adds, the face
	// of an attacker stands beside that of the user.
	Again
)

// WithEnrolment sets the function that permits an enrolment, by returning nil. It is
// called for the first sample; up to 5 samples in 15 minutes need no other
// permission. Without WithEnrolment nobody can enrol.
//
// An enrolment of the kind [Again] is refused without asking the function, unless
// [WithEnrolmentAgain] is set. A refused enrolment has the status 403 and the code
// "enrolment_refused".
func WithEnrolment(permit func(context.Context, User, aimbrain.Module, Enrolment) error) Option {
	return set("WithEnrolment", permit == nil, permit, func(c *config) *func(context.Context, User, aimbrain.Module, Enrolment) error { return &c.permit })
}

// WithEnrolmentAgain makes the function of [WithEnrolment] decide about enrolments of
// the kind [Again] too.
func WithEnrolmentAgain() Option {
	return func(c *config) error {
		c.enrolAgain = true
		return nil
	}
}

// WithEnrolled sets a function that is called when the first sample of an enrolment
// was processed, or may have been: the bank notifies its customer, who may not be the
// person who enrolled.
func WithEnrolled(notify func(context.Context, User, aimbrain.Module, Enrolment)) Option {
	return set("WithEnrolled", notify == nil, notify, func(c *config) *func(context.Context, User, aimbrain.Module, Enrolment) { return &c.notifyEnrolled })
}

// WithBlockWarning sets a function that is called before a user can be blocked: after
// the failure that precedes the last one. The bank alerts its customer.
func WithBlockWarning(warn func(context.Context, User)) Option {
	return set("WithBlockWarning", warn == nil, warn, func(c *config) *func(context.Context, User) { return &c.warnBlock })
}

// WithPolicy sets what an authentication needs. It is required.
func WithPolicy(policy Policy) Option {
	return func(c *config) error {
		if err := policy.check(); err != nil {
			return &ConfigError{"WithPolicy", "is invalid: " + err.Error()}
		}
		c.policy = &policy
		return nil
	}
}

// WithKeys sets the keys. It is required; [Handler.SetKeys] changes them.
func WithKeys(keys Keys) Option {
	return func(c *config) error {
		if keys.ring == nil {
			return &ConfigError{"WithKeys", "has no keys: see NewKeys"}
		}
		c.keys = keys
		return nil
	}
}

// WithStore sets the store, which all replicas share. The default is a
// [MemoryStore] of 64 MiB, for one process.
func WithStore(store Store) Option {
	return set("WithStore", store == nil, store, func(c *config) *Store { return &c.store })
}

// WithDevice sets the function that returns the stable device of a request, in place
// of what the app sends to /v1/sessions: the behavioural template belongs to a user
// and a device, so that an app that chooses the device can choose a fresh template.
func WithDevice(device func(*http.Request, User) (string, error)) Option {
	return set("WithDevice", device == nil, device, func(c *config) *func(*http.Request, User) (string, error) { return &c.device })
}

// WithClientAddress sets the function that returns the address of a client, of which
// each may use a sixteenth of the body budget. The default is the host of
// RemoteAddr; behind a load balancer that is the balancer's.
func WithClientAddress(address func(*http.Request) string) Option {
	return set("WithClientAddress", address == nil, address, func(c *config) *func(*http.Request) string { return &c.address })
}

// WithTrustedOrigins sets the origins of web pages that may send requests from
// elsewhere, such as "https://app.bank.example", each exactly as in the Origin
// header. Hybrid apps have "capacitor://localhost", "ionic://localhost" or "null":
// "null" is also the origin of a page in a sandbox, which anybody can make.
//
// Their preflight requests get a response without credentials, and the Cookie header
// of their requests is removed before [WithUser] sees it: the user must come from
// another header. All other cross-origin requests are refused.
func WithTrustedOrigins(origins ...string) Option {
	return func(c *config) error {
		for _, origin := range origins {
			if origin != "null" && !isOrigin(origin) {
				return &ConfigError{"WithTrustedOrigins", "has a value that is not an origin, such as https://app.bank.example"}
			}
		}
		c.origins = append(c.origins, origins...)
		return nil
	}
}

// WithBodyBudget sets how many bytes all bodies may take together, 256 MiB by
// default. A user may have 8 MiB of them, and a client address a sixteenth.
func WithBodyBudget(bytes int64) Option {
	return func(c *config) error {
		if bytes < clientShare*aimbrain.MaxRequestBytes {
			return &ConfigError{"WithBodyBudget", "is below 32 MB: a sixteenth of it must hold one request"}
		}
		c.budget = bytes
		return nil
	}
}

// WithSessionTime sets how long a sealed session is valid, 12 hours by default. The
// API's own session ends 2 hours after its last use.
func WithSessionTime(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 || d > 7*24*time.Hour {
			return &ConfigError{"WithSessionTime", "is not above 0 and at most 7 days"}
		}
		c.sessionTime = d
		return nil
	}
}

// WithClock sets the clock of this replica, for tests: by it a session is sealed, and
// found to have expired. Everything else goes by the store's clock.
func WithClock(now func() time.Time) Option {
	return set("WithClock", now == nil, now, func(c *config) *func() time.Time { return &c.now })
}

// WithGrantTime sets how long a grant is valid, 2 minutes by default and 5 minutes at
// most.
func WithGrantTime(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 || d > maxGrantTime {
			return &ConfigError{"WithGrantTime", "is not above 0 and at most 5 minutes"}
		}
		c.grantTime = d
		return nil
	}
}

// WithLogger sets a logger. It gets the endpoint, the code, the status, the duration
// and the request ID of each request, and no other attribute.
func WithLogger(logger *slog.Logger) Option {
	return set("WithLogger", logger == nil, logger, func(c *config) **slog.Logger { return &c.logger })
}

// WithRequestID sets the function that returns the ID of a request for the log and
// the audit log. The default is a random one.
func WithRequestID(id func(*http.Request) string) Option {
	return set("WithRequestID", id == nil, id, func(c *config) *func(*http.Request) string { return &c.requestID })
}

// WithObserver sets a function that is called after each request, for counters. It
// must be safe for concurrent use, and return at once.
func WithObserver(observe func(context.Context, Event)) Option {
	return set("WithObserver", observe == nil, observe, func(c *config) *func(context.Context, Event) { return &c.observe })
}

// An Event is a request that was handled.
type Event struct {
	Endpoint string        // one of the API's paths, "" for another path
	Status   int           // the HTTP status of the response
	Result   string        // such as "accepted", "" for an error
	Code     string        // of an error, such as "locked", "" for a result
	Size     int           // bytes of the body that have arrived
	Duration time.Duration // from the first byte of the request to the response
	Upstream time.Duration // the part of it that the API took
}
