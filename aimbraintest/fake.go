package aimbraintest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
)

// A Fake is an AimBrain API in this process. It is made by [New] or [Start]
// and is safe for concurrent use. It is an [http.Handler]; [Fake.Transport]
// and [Fake.URL] are two ways to it without a mux.
type Fake struct {
	config    config
	t         testing.TB // nil for a program
	listener  *pipeListener
	transport *aimbrain.Transport
	server    *http.Server
	stop      context.Context // ends when the fake is closed, and waits with it
	cancel    context.CancelFunc
	serving   sync.WaitGroup // listeners and connections

	mu          sync.Mutex // guards all below
	closed      bool
	conns       map[net.Conn]struct{}
	clients     []*aimbrain.Client
	url         string
	advanced    time.Duration
	credentials map[string]string
	labels      map[[sha256.Size]byte]string
	state       state
	queue       []*queued
	queuedSoFar int
	cleared     int // the number of the last one that was cleared
	log         recorder
}

// New returns a fake for a test. When the test ends it closes itself, and
// fails the test if an outcome that was queued with [Fake.Queue] was never
// used: that test believes in something that did not happen.
//
// It needs no listener and works inside a testing/synctest bubble, with the
// bubble's t.
func New(t testing.TB, opts ...Option) *Fake {
	t.Helper()
	f, err := Start(opts...)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	f.t = t
	t.Cleanup(func() {
		t.Helper()
		f.Close()
		f.reportUnused(t)
	})
	return f
}

// Start returns a fake for a program, such as a sandbox; end it by [Fake.Close].
// In a test use [New].
func Start(opts ...Option) (*Fake, error) {
	config, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if err := checkCredentials(config.key, config.secret); err != nil {
		return nil, err
	}
	f := &Fake{
		config:      config,
		listener:    newPipeListener(),
		conns:       map[net.Conn]struct{}{},
		credentials: map[string]string{config.key: config.secret},
		labels:      map[[sha256.Size]byte]string{},
		state:       newState(),
		log:         newRecorder(),
	}
	f.stop, f.cancel = context.WithCancel(context.Background())
	f.startServer()
	return f, nil
}

// Close ends the fake: its waits, its connections and its listener. It closes the
// clients that [Fake.Client] made, whose calls fail with [aimbrain.ErrClosed] from
// then on; a client that the caller made is the caller's to close. It returns when the requests under way have
// ended, or after 5 seconds with one that does not. It may be called twice.
func (f *Fake) Close() {
	f.mu.Lock()
	f.closed = true
	clients := f.clients
	f.clients = nil
	f.mu.Unlock()

	f.cancel()
	for _, client := range clients {
		_ = client.Close() // never fails
	}
	f.stopServer()
}

// fatal ends the test, or panics in a program.
func (f *Fake) fatal(text string) {
	if f.t == nil {
		panic(text)
	}
	f.t.Helper()
	f.t.Fatal(text)
}

// Client returns a client that calls this fake with its key pair and through
// its [Fake.Transport]. The options are applied after these. Its region is
// [aimbrain.Development] unless the options set another or a base URL. An option
// that is refused ends the test, or panics without one. With [WithPathPrefix] the
// client has a base URL with the prefix, so that a region cannot be among the
// options.
func (f *Fake) Client(opts ...aimbrain.Option) *aimbrain.Client {
	if f.t != nil {
		f.t.Helper()
	}
	all := []aimbrain.Option{aimbrain.WithTransport(f.Transport())}
	if f.config.prefix != "" {
		all = append(all, aimbrain.WithBaseURL(prefixedURL(f.config.prefix)))
	}
	all = append(all, opts...)
	client, err := aimbrain.New(f.APIKey(), f.APISecret(), all...)
	var missing *aimbrain.ConfigError
	if errors.As(err, &missing) && missing.Parameter == "region" {
		client, err = aimbrain.New(f.APIKey(), f.APISecret(), append(all, aimbrain.WithRegion(aimbrain.Development))...)
	}
	if err != nil {
		f.fatal("aimbraintest: Client: " + err.Error())
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients = append(f.clients, client)
	return client
}

// APIKey returns the API key that the fake was made with.
func (f *Fake) APIKey() string { return f.config.key }

// APISecret returns the secret that belongs to [Fake.APIKey].
func (f *Fake) APISecret() string { return f.config.secret }

// AddCredentials makes the fake know another key pair besides those that it
// knows, for a test of key rotation. All pairs see the same users.
func (f *Fake) AddCredentials(key, secret string) {
	if err := checkCredentials(key, secret); err != nil {
		f.fatal(err.Error())
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.credentials[key] = secret
}

// RemoveCredentials makes the fake answer requests with this key by 401 from
// now on.
func (f *Fake) RemoveCredentials(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.credentials, key)
}

func checkCredentials(key, secret string) error {
	if _, err := aimbrain.NewSigner(key, secret); err != nil {
		return fmt.Errorf("aimbraintest: no client can sign with these credentials: %s", strings.TrimPrefix(err.Error(), "aimbrain: "))
	}
	return nil
}

// Advance moves the fake's clock on, so that sessions and tokens expire and
// templates get built. It moves no timers: a [Delay] waits as long as before.
func (f *Fake) Advance(d time.Duration) {
	if d < 0 {
		f.fatal(fmt.Sprintf("aimbraintest: Advance(%v): time does not go back", d))
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advanced += d
}

// now is the time by the fake's clock. The caller holds the lock.
func (f *Fake) now() time.Time { return f.config.clock().Add(f.advanced) }

// AssignSubject says whose face or voice foreign media is, such as the photos of a
// project's own test data: media with the same label are of one person. It
// goes by the very bytes. Say so before the media is used. Media of
// [FacePhoto] and its like needs no label, but takes one.
func (f *Fake) AssignSubject(subject string, media ...[]byte) {
	if subject == "" {
		f.fatal("aimbraintest: AssignSubject: the subject is empty: give the person a name")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, data := range media {
		f.labels[sha256.Sum256(data)] = subject
	}
}

// Enroll makes a user enrolled with face, voice and behaviour at once, as if
// with media of the subject, and forgets what was known of the user before.
//
// Behaviour belongs to a user and a device. It is enrolled on the devices that
// the user's sessions have named; where there was no session yet, on the one
// that the first session names. On any other device, such as a new phone, it is
// not enrolled; see [Fake.EnrollBehaviour].
func (f *Fake) Enroll(userID, subject string) {
	if userID == "" || subject == "" {
		f.fatal("aimbraintest: Enroll: the user id and the subject must not be empty")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.state.user(userID)
	u.forget()
	u.face = module{enrolled: true, subject: subject}
	u.voice = module{enrolled: true, subject: subject}
	if len(u.devices) == 0 {
		u.promised = learned(subject, f.config.behaviourCalls)
	}
	for device := range u.devices {
		*u.on(device) = *learned(subject, f.config.behaviourCalls)
	}
}

// EnrollBehaviour makes the behaviour of a user enrolled on one device, as if
// with events of the subject, see [Behaviour]. The device is the one of
// [aimbrain.SessionRequest.Device]. What else is known of the user stays.
func (f *Fake) EnrollBehaviour(userID, device, subject string) {
	if userID == "" || device == "" || subject == "" {
		f.fatal("aimbraintest: EnrollBehaviour: the user id, the device and the subject must not be empty")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	*f.state.user(userID).on(device) = *learned(subject, f.config.behaviourCalls)
}

// Forget removes all that is known of a user. The user's sessions live on.
func (f *Fake) Forget(userID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.user(userID).forget()
}

// Status returns what /v1/sessions would respond for a user on the device that
// the user's last session named. For a user without a session so far behaviour
// is what [Fake.Enroll] made it; see [Fake.StatusOn] for a device.
func (f *Fake) Status(userID string) (face, voice, behaviour aimbrain.ModuleStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.state.user(userID)
	return u.status(f.now(), u.device, f.config.behaviourCalls)
}

// StatusOn returns what /v1/sessions would respond for a user on a device. The
// face and the voice are the same on all of them.
func (f *Fake) StatusOn(userID, device string) (face, voice, behaviour aimbrain.ModuleStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.user(userID).status(f.now(), device, f.config.behaviourCalls)
}
