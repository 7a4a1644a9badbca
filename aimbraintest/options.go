package aimbraintest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go"
)

// The key pair of a fake without [WithCredentials]. Neither is a secret.
const (
	DefaultAPIKey    = "aimbraintest-key"
	DefaultAPISecret = "aimbraintest-secret-not-a-real-one"
)

// An Option is a setting of a fake, for [New] and [Start].
type Option func(*config) error

// config has the settings of a fake.
type config struct {
	key, secret    string
	prefix         string
	clock          func() time.Time
	guidance       bool
	templateDelay  time.Duration
	behaviourCalls int
	tokensConsumed bool
	tokenlessVoice bool
	untrusted      bool
	emptySubmit    bool
}

func newConfig(opts []Option) (config, error) {
	c := config{key: DefaultAPIKey, secret: DefaultAPISecret, clock: time.Now, behaviourCalls: 3}
	for _, opt := range opts {
		if opt == nil {
			return c, errors.New("aimbraintest: an option is nil: leave it out instead")
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// WithCredentials sets the key pair that the fake accepts, in place of
// [DefaultAPIKey] and [DefaultAPISecret].
func WithCredentials(key, secret string) Option {
	return func(c *config) error {
		c.key, c.secret = key, secret
		return nil
	}
}

// WithPathPrefix makes the fake serve the endpoints behind a prefix, as a gateway
// does. With "/gateway" the path of a request is "/gateway/v1/face/auth", and any
// other path is refused with status 404. The prefix begins with a slash. It is
// compared as it was sent, with escapes and case; a slash at its end is ignored.
// A prefix that [aimbrain.WithBaseURL] would refuse is an error.
//
// [Fake.Client] calls the fake behind the prefix; [Fake.URL] does not have it.
func WithPathPrefix(prefix string) Option {
	return func(c *config) error {
		c.prefix = strings.TrimRight(prefix, "/")
		if c.prefix == "" || !strings.HasPrefix(c.prefix, "/") {
			return fmt.Errorf("aimbraintest: WithPathPrefix(%q): must begin with a slash and have at least one more character", prefix)
		}
		_, err := aimbrain.New(DefaultAPIKey, DefaultAPISecret, aimbrain.WithBaseURL(prefixedURL(c.prefix)))
		if err != nil {
			return fmt.Errorf("aimbraintest: WithPathPrefix(%q): no client can call it: %w", prefix, err)
		}
		return nil
	}
}

// prefixedURL returns a base URL with a prefix. Any host will do: a fake's transport
// reaches the fake for every host.
func prefixedURL(prefix string) string {
	return strings.TrimRight(aimbrain.Development.BaseURL(), "/") + prefix
}

// WithClock sets the clock of the fake. Sessions and tokens expire, and templates
// become ready, by this clock. The default is [time.Now], which is virtual inside a
// testing/synctest bubble. See also [Fake.Advance].
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("aimbraintest: WithClock: the function is nil: leave the option out instead")
		}
		c.clock = now
		return nil
	}
}

// WithGuidanceEnforced makes the fake refuse media beyond the vendor's
// guidance, with status 422: pictures larger than 640x480 or 480x640,
// videos longer than 3 s, recordings longer than 5 s or of another rate than
// 16 kHz, a length that is not in the headers, formats and encodings that are not
// documented (QuickTime, WebM, floating point samples), and photos whose
// EXIF orientation is not upright, which the vendor does not document. The error
// text has all problems of a file. It is not the default, because the API has no
// code for most of this and the vendor's own samples go beyond it. With this option
// a test shows that an app keeps to the guidance.
func WithGuidanceEnforced() Option {
	return func(c *config) error {
		c.guidance = true
		return nil
	}
}

// WithTemplateDelay sets the time that the template of a face or voice takes after
// each enrolment. Until then the status is [aimbrain.Building], and an
// authentication is refused with status 500 and code 103. The default is 0.
func WithTemplateDelay(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("aimbraintest: WithTemplateDelay(%v): must not be negative", d)
		}
		c.templateDelay = d
		return nil
	}
}

// WithBehaviourCalls sets the number of calls to /v1/behavioural from which the fake
// learns a user on each device. The response to each has score 0 and status 0.
// Calls without features do not count: empty arrays, arrays that the fake does not
// know, and the time of a single event. The default is 3.
func WithBehaviourCalls(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("aimbraintest: WithBehaviourCalls(%d): must be 1 or more", n)
		}
		c.behaviourCalls = n
		return nil
	}
}

// WithTokensConsumed makes a token valid for one authentication. Whether the real
// API does that is not known. By default a token is valid for 5 minutes.
func WithTokensConsumed() Option {
	return func(c *config) error {
		c.tokensConsumed = true
		return nil
	}
}

// WithTokenlessVoice makes the fake respond to a voice authentication without a
// token with a liveliness of 0, in place of status 460. The vendor documents both.
func WithTokenlessVoice() Option {
	return func(c *config) error {
		c.tokenlessVoice = true
		return nil
	}
}

// WithEmptySubmitResponse makes the fake respond to a submission without
// metadata with status 200 and no body, in place of "{}". The vendor documents no
// body, and its own command line and web client fail without one.
// [aimbrain.BehaviourService.Submit] accepts both.
func WithEmptySubmitResponse() Option {
	return func(c *config) error {
		c.emptySubmit = true
		return nil
	}
}

// WithUntrustedCertificate makes every connection by [Fake.Transport] to an
// https address fail as if the certificate were of an unknown authority, as behind
// a proxy that opens TLS. [Fake.URL] is plain HTTP and is not affected.
func WithUntrustedCertificate() Option {
	return func(c *config) error {
		c.untrusted = true
		return nil
	}
}
