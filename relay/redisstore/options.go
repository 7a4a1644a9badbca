package redisstore

import (
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// An Option is a setting of a [Store].
type Option func(*config) error

type config struct {
	prefix   string
	replicas int
	wait     time.Duration
	interval time.Duration
}

// The times of [ParseURL] and the defaults.
const (
	defaultPrefix   = "aimbrain:"
	defaultInterval = time.Minute
	dialTime        = time.Second
	replyTime       = 3 * time.Second
)

// WithPrefix sets what the keys begin with, without braces. The default is
// "aimbrain:". Relays of different banks or stages that share a server need different
// prefixes; replicas of one relay need the same.
func WithPrefix(prefix string) Option {
	return func(c *config) error {
		if strings.ContainsAny(prefix, "{}") {
			return fail(ErrConfiguration, "a prefix with braces", "braces are the hash tag of the user: leave them out")
		}
		c.prefix = prefix
		return nil
	}
}

// WithReplicas makes Swap wait until at least n replicas have received the write, by
// the command WAIT, and return [ErrReplicas] if they have not within the time. The
// record has been written on the master then, and may survive or not. n is from 1 on;
// the time is from 1 ms on, and below the client's ReadTimeout.
//
// It makes the loss of a confirmed write by a fail-over much less likely and does not
// exclude it: Sentinel or the cluster may promote a replica that did not receive it,
// unless n is the number of all replicas. A Swap takes a round trip more.
func WithReplicas(n int, within time.Duration) Option {
	return func(c *config) error {
		if n < 1 || within < time.Millisecond {
			return fail(ErrConfiguration, "WithReplicas of less than one replica or 1 ms", "leave the option out, or pass at least these")
		}
		c.replicas, c.wait = n, within
		return nil
	}
}

// WithCheckInterval sets how often Load and Swap check the server again, see
// [Store.Check]. The default is a minute. The first call after that time does it, with
// a round trip more. A server that was refused is checked every 10 s.
func WithCheckInterval(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return fail(ErrConfiguration, "a check interval of 0 or less", "pass a positive duration")
		}
		c.interval = d
		return nil
	}
}

func configure(client redis.UniversalClient, options []Option) (config, error) {
	c := config{prefix: defaultPrefix, interval: defaultInterval}
	var invalid *Error
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(&c); err != nil {
			errors.As(err, &invalid)
			invalid.Op = "New"
			return c, invalid
		}
	}
	var timeout time.Duration
	switch client := client.(type) {
	case nil:
		invalid = fail(ErrConfiguration, "no client", "pass a *redis.Client or a *redis.ClusterClient")
	case *redis.Client:
		if client == nil {
			invalid = fail(ErrConfiguration, "no client", "pass a *redis.Client or a *redis.ClusterClient")
			break
		}
		timeout = client.Options().ReadTimeout
	case *redis.ClusterClient:
		if client == nil {
			invalid = fail(ErrConfiguration, "no client", "pass a *redis.Client or a *redis.ClusterClient")
			break
		}
		timeout = client.Options().ReadTimeout
	case *redis.Ring:
		invalid = fail(ErrConfiguration, "a *redis.Ring", "a ring moves keys when a server is down: pass a *redis.Client or a *redis.ClusterClient")
	default:
		invalid = fail(ErrConfiguration, "a client of another type", "pass a *redis.Client or a *redis.ClusterClient")
	}
	if invalid == nil && timeout <= 0 {
		invalid = fail(ErrConfiguration, "a client without a ReadTimeout", "set it: a call must not wait for ever for a server that does not reply")
	}
	if invalid == nil && c.wait >= timeout {
		invalid = fail(ErrConfiguration, "WithReplicas of a time that is not below the client's ReadTimeout", "raise ReadTimeout, or lower the time")
	}
	if invalid != nil {
		invalid.Op = "New"
		return c, invalid
	}
	return c, nil
}

// ParseURL returns options for a client of the server at a URL, such as
// rediss://user:password@host:6379/0 (TLS), redis:// or unix://. They are those of
// [redis.ParseURL] with these in place of defaults: no retries, the deadlines of
// contexts, 1 s to connect and 3 s for a reply. The URL's own parameters go before
// them, except for max_retries.
//
// The error is an [*Error], and holds no part of the URL: that of redis.ParseURL
// repeats it with the password.
func ParseURL(url string) (*redis.Options, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		e := fail(ErrConfiguration, "the URL of the server is invalid", "use the form rediss://user:password@host:port/database, with special characters of the password as %XX")
		e.Op = "ParseURL"
		return nil, e
	}
	options.MaxRetries = -1
	options.ContextTimeoutEnabled = true
	if options.DialTimeout == 0 {
		options.DialTimeout = dialTime
	}
	if options.ReadTimeout == 0 {
		options.ReadTimeout = replyTime
	}
	if options.WriteTimeout == 0 {
		options.WriteTimeout = replyTime
	}
	return options, nil
}
