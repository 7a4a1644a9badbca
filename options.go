package aimbrain

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The defaults of a client.
const (
	// DefaultTimeout bounds a call with all its attempts and waits.
	DefaultTimeout = 40 * time.Second
	// DefaultAttemptTimeout bounds one attempt, upload and response included.
	DefaultAttemptTimeout = 15 * time.Second
)

// The environment variables that [NewFromEnv] reads.
const (
	EnvAPIKey    = "AIMBRAIN_API_KEY"
	EnvAPISecret = "AIMBRAIN_API_SECRET"
	EnvRegion    = "AIMBRAIN_REGION"
	EnvBaseURL   = "AIMBRAIN_BASE_URL"
	// EnvInsecureHTTP allows a plain HTTP base URL, as [WithInsecureHTTP] does,
	// when it is "1" or "true".
	EnvInsecureHTTP = "AIMBRAIN_INSECURE_HTTP"
)

// An Option is a setting of a client, for [New].
type Option func(*config) error

// config is what options set. A client never changes its own.
type config struct {
	region         Region
	base           *url.URL
	insecureHTTP   bool
	httpClient     *http.Client
	transport      http.RoundTripper
	timeout        time.Duration
	attemptTimeout time.Duration
	retry          RetryPolicy
	logger         *slog.Logger
	mediaCheck     MediaCheck
	observers      []Observer
	userAgent      string
	headers        func(add func(name, value string)) // behind a function, as in Signer; nil for none
}

func newConfig(opts []Option) (*config, error) {
	c := &config{timeout: DefaultTimeout, attemptTimeout: DefaultAttemptTimeout, retry: DefaultRetryPolicy(), userAgent: userAgent}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ConfigError{Parameter: "option", Reason: "is nil"}
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	return c, c.resolve()
}

// resolve checks what the options say together.
func (c *config) resolve() error {
	if c.base != nil && c.region != "" {
		return &ConfigError{Parameter: "WithRegion and WithBaseURL", Reason: "are given both: choose one"}
	}
	if c.base == nil {
		if c.region == "" {
			return &ConfigError{Parameter: noRegion, Reason: "is not set: use WithRegion with " + regionNames() + ", or WithBaseURL for another host"}
		}
		base, err := parseBaseURL(c.region.BaseURL())
		if err != nil {
			return err
		}
		c.base = base
	}
	if c.isInsecure() {
		return &ConfigError{Parameter: "WithBaseURL", Reason: plainHTTP + ": use https, or say WithInsecureHTTP"}
	}
	return nil
}

const plainHTTP = "is plain HTTP, which shows the key, a signature that never expires and the media to everybody on the way"

// isInsecure reports whether the base URL is plain HTTP where that is not allowed.
func (c *config) isInsecure() bool {
	return c.base.Scheme == "http" && !c.insecureHTTP && !isLoopback(c.base.Hostname())
}

// noRegion is the Parameter of the error for a client without a region.
const noRegion = "region"

// WithRegion sends calls to a region, such as [EUWest1] or [Development]. A client
// has either a region or a base URL, see [WithBaseURL].
func WithRegion(region Region) Option {
	return func(c *config) error {
		if _, err := ParseRegion(string(region)); err != nil {
			return err
		}
		c.region = region
		return nil
	}
}

// WithBaseURL sends calls to another host: an on-premises install, a gateway,
// a fake. A path is a prefix to the endpoints: with "https://gw.example/bio/"
// a call goes to https://gw.example/bio/v1/face/auth, and what is signed is
// the endpoint alone, "/v1/face/auth", as the vendor documents it. The vendor's
// mobile clients sign the whole path instead, so a gateway that checks
// signatures itself must know it.
//
// The prefix is sent as it is written, without slashes at its end: escapes stay
// as they are, and a character that needs one is refused. A path that ends in
// "/v1" is refused, since the endpoints begin with it: "https://gw.example/bio",
// not "https://gw.example/bio/v1".
//
// The URL must be https, or http on loopback, see [WithInsecureHTTP]. Loopback is
// "localhost", 127.0.0.0/8 and [::1]. User info, a query or a fragment are
// refused, and so is a host that is not a domain name in ASCII, an IPv4 address
// of four decimal numbers or an IPv6 address in brackets, and a port outside
// 1..65535. What is refused is a [*ConfigError] of [New].
func WithBaseURL(address string) Option {
	return func(c *config) error {
		base, err := parseBaseURL(address)
		if err != nil {
			return err
		}
		c.base = base
		return nil
	}
}

// WithInsecureHTTP allows a plain http base URL on another host than loopback,
// as an on-premises install listens by default (port 8080). Everybody on the
// way can then read the key and the media, and replay the request.
func WithInsecureHTTP() Option {
	return func(c *config) error {
		c.insecureHTTP = true
		return nil
	}
}

// WithTransport sends requests through a transport: a [Transport] with other
// settings, a wrapper around one, or any other. Nothing follows a redirect then,
// and the library counts attempts and limits their time.
//
// A transport must not send a request again by itself, or an enrolment may be
// processed twice. One that is not a [Transport] and does not wrap one lacks what
// a Transport does beyond net/http's; docs/reliability.md lists what does not hold
// then. The client never closes the connections of a transport that it was given.
// Of WithTransport and [WithHTTPClient] the last one counts.
func WithTransport(transport http.RoundTripper) Option {
	return func(c *config) error {
		own, isOwn := transport.(*Transport)
		switch {
		case transport == nil:
			return &ConfigError{Parameter: "WithTransport", Reason: "is nil: leave the option out instead"}
		case isOwn && (own == nil || own.inner == nil):
			return &ConfigError{Parameter: "WithTransport", Reason: "is a Transport that was not made by NewTransport"}
		}
		c.transport, c.httpClient = transport, nil
		return nil
	}
}

// WithHTTPClient sends requests through a caller's own client: its transport, its
// cookie jar, its timeout. Each call reads the client when it begins, so that a
// transport that is set later, as a mock is in a test, is used from the next call
// on; the client must not be changed while calls run. It is never changed by the
// library, and no redirect is followed whatever its CheckRedirect says.
//
// A client without a transport gets the library's own, see [NewTransport], as long
// as [http.DefaultTransport] is an [*http.Transport]. Otherwise, where a mock or a
// tracer was put in its place, requests go through that. What [WithTransport] says
// of transports holds for the client's.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return &ConfigError{Parameter: "WithHTTPClient", Reason: "is nil: leave the option out instead"}
		}
		c.httpClient, c.transport = client, nil
		return nil
	}
}

// WithTimeout bounds a call with all its attempts and the waits between them.
// The default is 40 s; [WithCallTimeout] sets it for one call. A deadline of the call's context bounds it as well.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return &ConfigError{Parameter: "WithTimeout", Reason: d.String() + " is not positive"}
		}
		c.timeout = d
		return nil
	}
}

// WithAttemptTimeout bounds one attempt, from the look-up of the host to the
// last byte of the response. The default is 15 s.
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return &ConfigError{Parameter: "WithAttemptTimeout", Reason: d.String() + " is not positive"}
		}
		c.attemptTimeout = d
		return nil
	}
}

// WithLogger makes the client log each attempt, at level debug when it
// succeeded and warn when not, and at warn the problems of media, see
// [WithMediaCheck]. What is logged is an allow-list: endpoint, host, region,
// status, codes, duration, attempt, sizes, the waits before this and the next
// attempt, what failed in the library's own words, and of a medium its place in the
// request, its format, resolution, duration and rate; never a body, a signature or
// a credential, nor any text that a server wrote.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return &ConfigError{Parameter: "WithLogger", Reason: "is nil: leave the option out instead"}
		}
		c.logger = logger
		return nil
	}
}

// WithObserver has a function called for every attempt, for metrics and audit.
// Several are called in the order of the options.
func WithObserver(observer Observer) Option {
	return func(c *config) error {
		if observer == nil {
			return &ConfigError{Parameter: "WithObserver", Reason: "is nil: leave the option out instead"}
		}
		c.observers = append(c.observers, observer)
		return nil
	}
}

// NewFromEnv returns a client that is set up by the environment:
// AIMBRAIN_API_KEY and AIMBRAIN_API_SECRET, and either AIMBRAIN_REGION, such as
// "eu-west-1" or "development", or AIMBRAIN_BASE_URL. AIMBRAIN_INSECURE_HTTP=1
// allows a base URL of plain HTTP, as [WithInsecureHTTP] does.
// A region or a base URL among the options is used in place of those of the
// environment. The error is a [*ConfigError], whose Parameter is the name of the
// variable where one is missing or invalid.
func NewFromEnv(opts ...Option) (*Client, error) {
	if err := checkPlatform(runtime.GOOS); err != nil {
		return nil, err
	}
	key, secret := os.Getenv(EnvAPIKey), os.Getenv(EnvAPISecret)
	switch {
	case key == "":
		return nil, &ConfigError{Parameter: EnvAPIKey, Reason: "is not set"}
	case secret == "":
		return nil, &ConfigError{Parameter: EnvAPISecret, Reason: "is not set"}
	}
	if err := checkCredentials(key, secret); err != nil {
		parameter := EnvAPISecret
		if config := asConfigError(err); config != nil && config.Parameter == apiKeyParameter {
			parameter = EnvAPIKey
		}
		return nil, asSetting(parameter, err)
	}
	return New(key, secret, append(append([]Option(nil), opts...), fromEnv)...)
}

// fromEnv is the option that takes from the environment what no option has set.
func fromEnv(c *config) error {
	if text := os.Getenv(EnvInsecureHTTP); text != "" {
		insecure, err := strconv.ParseBool(text)
		if err != nil {
			return &ConfigError{Parameter: EnvInsecureHTTP, Reason: shown(text) + " is neither 1 nor 0"}
		}
		c.insecureHTTP = c.insecureHTTP || insecure
	}
	if c.region != "" || c.base != nil {
		return nil
	}
	name, address := os.Getenv(EnvRegion), os.Getenv(EnvBaseURL)
	if name == "" && address == "" {
		return &ConfigError{Parameter: EnvRegion, Reason: "is not set: set it to one of " + regionNames() + ", or set " + EnvBaseURL + " for another host"}
	}
	if name != "" && address != "" {
		return &ConfigError{Parameter: EnvBaseURL, Reason: "and " + EnvRegion + " are both set: choose one"}
	}
	if name != "" {
		if err := WithRegion(Region(name))(c); err != nil {
			return asSetting(EnvRegion, err)
		}
	}
	if address != "" {
		if err := WithBaseURL(address)(c); err != nil {
			return asSetting(EnvBaseURL, err)
		}
		if c.isInsecure() {
			return &ConfigError{Parameter: EnvBaseURL, Reason: plainHTTP + ": use https, or set " + EnvInsecureHTTP + "=1"}
		}
	}
	return nil
}

// asSetting names the variable in an option's error.
func asSetting(name string, err error) error {
	if config := asConfigError(err); config != nil {
		return &ConfigError{Parameter: name, Reason: config.Reason}
	}
	return err
}

func asConfigError(err error) *ConfigError {
	var config *ConfigError
	if errors.As(err, &config) {
		return config
	}
	return nil
}

// parseBaseURL refuses what is not a base URL of the API. Its errors never hold
// the URL, which may have a password in it.
func parseBaseURL(address string) (*url.URL, error) {
	refuse := func(reason string) (*url.URL, error) {
		return nil, &ConfigError{Parameter: "WithBaseURL", Reason: reason}
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return refuse("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("must begin with https://")
	case u.User != nil:
		return refuse("must not hold a user or a password")
	case u.RawQuery != "" || u.ForceQuery:
		return refuse("must not hold a query")
	case u.Fragment != "" || strings.Contains(address, "#"):
		return refuse("must not hold a fragment")
	}
	if problem := checkHost(u.Host); problem != "" {
		return refuse(problem)
	}
	if problem := checkPrefix(u); problem != "" {
		return refuse(problem)
	}
	u.Host = strings.ToLower(u.Host) // "LocalHost" is loopback to us, and not to the proxy settings
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// checkHost says what is wrong with the host of a base URL and its port, "" for
// nothing. What it lets through names one host for everybody: the resolver, the
// proxy settings and the certificate.
func checkHost(hostport string) (problem string) {
	host, port, hasPort := strings.Cut(hostport, ":")
	if strings.HasPrefix(hostport, "[") {
		end := strings.LastIndexByte(hostport, ']')
		if end < 0 {
			return "has a host that is not a name or an address"
		}
		host = hostport[:end+1]
		port, hasPort = strings.CutPrefix(hostport[end+1:], ":")
	}
	switch {
	case host == "":
		return "has no host"
	case hasPort && port == "":
		return "has a colon but no port"
	case strings.Contains(port, ":"):
		return "has more than one colon in its host: write an IPv6 address in brackets"
	case hasPort && !isPort(port):
		return "has a port that is not a number from 1 to 65535"
	}
	if literal, ok := strings.CutPrefix(host, "["); ok {
		return checkIPv6(strings.TrimSuffix(literal, "]"))
	}
	return checkName(host)
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text == strconv.FormatUint(n, 10)
}

// checkIPv6 says what is wrong with an address in brackets.
func checkIPv6(literal string) (problem string) {
	address, err := netip.ParseAddr(literal)
	switch {
	case err != nil || !address.Is6():
		return "has something else than an IPv6 address in brackets"
	case address.Zone() != "":
		return "has an address with a zone"
	case address.Is4In6():
		return "has an IPv4 address in the form of IPv6: write it as IPv4"
	}
	return ""
}

// checkName says what is wrong with a host that is a name or an IPv4 address.
func checkName(host string) (problem string) {
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return "has a host that is not ASCII: write it in punycode"
	}
	name := strings.TrimSuffix(host, ".") // of the DNS root
	labels := strings.Split(name, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "has a host with an empty label"
		case len(label) > 63:
			return "has a host with a label of more than 63 characters"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "has a host with a label that begins or ends with a hyphen"
		case strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}):
			return "has a host with a character that is not a letter, a digit, a hyphen, a dot or an underscore"
		}
	}
	if len(name) > 253 {
		return "has a host of more than 253 characters"
	}
	// A last label that is a number makes an IPv4 address, as browsers have it.
	// C libraries read 127.1 and 0x7f.1 as addresses as well, and Go does not.
	if isNumber(labels[len(labels)-1]) {
		if address, err := netip.ParseAddr(host); err != nil || !address.Is4() {
			return "has a host that ends in a number and is not an IPv4 address of four decimal numbers"
		}
	}
	return ""
}

// isNumber reports whether a label is a decimal or a hexadecimal number.
func isNumber(label string) bool {
	digits, hex := strings.CutPrefix(strings.ToLower(label), "0x")
	return !strings.ContainsFunc(digits, func(r rune) bool {
		return (r < '0' || r > '9') && (!hex || r < 'a' || r > 'f')
	})
}

// checkPrefix says what is wrong with the path of a base URL, "" for nothing.
// What it lets through is sent as it was written.
func checkPrefix(u *url.URL) (problem string) {
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "must not hold . or .. in its path"
		}
	}
	if u.RawPath != "" && u.EscapedPath() != u.RawPath {
		return "has a character in its path that must be percent-encoded"
	}
	if strings.HasSuffix(strings.TrimRight(strings.ToLower(u.RawPath), "/"), "%2f") {
		return "must not end with an escaped slash"
	}
	path := strings.ToLower(strings.TrimRight(u.Path, "/"))
	if strings.HasSuffix(path, "/v1") {
		return "ends in /v1, which every endpoint begins with: leave /v1 out"
	}
	for _, endpoint := range Endpoints() {
		if strings.HasSuffix(path, endpoint) {
			return "ends in an endpoint: leave it out, from /v1 on"
		}
	}
	return ""
}

// isLoopback reports whether a host can only be this machine: localhost or a
// loopback address. "localhost." is not, since proxy settings do not take it for
// this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// checkPlatform refuses to make a client where it could not work, or where the
// secret would not be one.
func checkPlatform(goos string) error {
	switch goos {
	case "js":
		return &ConfigError{Parameter: "the platform", Reason: "js/wasm is not supported: the API secret would be in the page, for everybody to read. Call your own server, and let that call the API"}
	case "wasip1":
		return &ConfigError{Parameter: "the platform", Reason: "wasip1/wasm is not supported: it has no network connections"}
	}
	return nil
}
