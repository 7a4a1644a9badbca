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
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// A Fake is an AimBrain API in this process. It is made by [New] or [Start]
// and is safe for concurrent use. It is an [http.Handler]; [Fake.Transport]
// and [Fake.URL] reach it without a mux.
type Fake struct {
	config    config
	t         testing.TB // nil for a program
	listener  *pipeListener
	transport *aimbrain.Transport
	server    *http.Server
	stop      context.Context // ends when the fake is closed, and ends its waits
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
	cleared     int // the number of the last stub that was cleared
	log         recorder
}

// New returns a fake for a test. At the end of the test it closes itself, and
// fails the test if a stub that was queued with [Fake.Queue] was never used: the
// test expects something that did not happen.
//
// A fake needs no listener. It works inside a testing/synctest bubble, with the
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

// Start returns a fake for a program, such as a sandbox. The program must call
// [Fake.Close]. In a test use [New].
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
// clients that [Fake.Client] returned, whose calls fail with [aimbrain.ErrClosed]
// from then on. The caller closes any other client. Close returns when the requests
// under way have ended, or after 5 seconds. It may be called twice.
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
// its [Fake.Transport]. The options are applied after these. The region is
// [aimbrain.Development] unless the options set another or a base URL. An invalid
// option ends the test; in a program Client panics. With [WithPathPrefix] the
// client has a base URL with the prefix, so that the options cannot set a region.
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

// APIKey returns the API key of [WithCredentials], or [DefaultAPIKey].
func (f *Fake) APIKey() string { return f.config.key }

// APISecret returns the secret that belongs to [Fake.APIKey].
func (f *Fake) APISecret() string { return f.config.secret }

// AddCredentials adds a key pair to those that the fake accepts, for a test of key
// rotation. All pairs have the same users.
func (f *Fake) AddCredentials(key, secret string) {
	if err := checkCredentials(key, secret); err != nil {
		f.fatal(err.Error())
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.credentials[key] = secret
}

// RemoveCredentials makes the fake refuse requests with this key with status 401
// from now on.
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

// Advance moves the fake's clock forward, so that sessions and tokens expire and
// templates become ready. It moves no timers: a [Delay] waits as long as before. A
// negative duration ends the test; in a program Advance panics.
func (f *Fake) Advance(d time.Duration) {
	if d < 0 {
		f.fatal(fmt.Sprintf("aimbraintest: Advance(%v): must not be negative", d))
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advanced += d
}

// now returns the time of the fake's clock. The caller holds the lock.
func (f *Fake) now() time.Time { return f.config.clock().Add(f.advanced) }

// AssignSubject sets the person of foreign media, such as the photos of a
// project's own test data. Media with the same subject are of one person. The
// bytes of a file identify it. AssignSubject must be called before the media is
// used. Media that [FacePhoto] and the other functions made needs no subject, but
// may be assigned one.
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

// Enroll enrols a user with face, voice and behaviour, as if with media of the
// subject. It removes what was stored of the user before.
//
// Behaviour belongs to a user and a device. Enroll enrols it on the devices of the
// user's sessions; without a session so far, on the device of the first session to
// come. On any other device, such as a new phone, behaviour is not enrolled; see
// [Fake.EnrollBehaviour].
func (f *Fake) Enroll(userID, subject string) {
	if userID == "" || subject == "" {
		f.fatal("aimbraintest: Enroll: the user id and the subject must not be empty")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.state.user(userID)
	u.forget()
	*u.module(endpoints.Face) = module{enrolled: true, subject: subject}
	*u.module(endpoints.Voice) = module{enrolled: true, subject: subject}
	if len(u.devices) == 0 {
		u.promised = learned(subject, f.config.behaviourCalls)
	}
	for device := range u.devices {
		*u.on(device) = *learned(subject, f.config.behaviourCalls)
	}
}

// EnrollBehaviour enrols the behaviour of a user on one device, as if with events
// of the subject, see [Behaviour]. The device is the value of
// [aimbrain.SessionRequest.Device]. Other state of the user does not change.
func (f *Fake) EnrollBehaviour(userID, device, subject string) {
	if userID == "" || device == "" || subject == "" {
		f.fatal("aimbraintest: EnrollBehaviour: the user id, the device and the subject must not be empty")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	*f.state.user(userID).on(device) = *learned(subject, f.config.behaviourCalls)
}

// Forget removes all that is stored of a user. The user's sessions stay valid.
func (f *Fake) Forget(userID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.user(userID).forget()
}

// Status returns the statuses that /v1/sessions would return for a user on the
// device of the user's last session. Without a session so far, behaviour has the
// status that [Fake.Enroll] set. See [Fake.StatusOn] for a device.
func (f *Fake) Status(userID string) (face, voice, behaviour aimbrain.ModuleStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.state.user(userID)
	return u.status(f.now(), u.device, f.config.behaviourCalls)
}

// StatusOn returns the statuses that /v1/sessions would return for a user on a
// device. Face and voice are the same on all devices.
func (f *Fake) StatusOn(userID, device string) (face, voice, behaviour aimbrain.ModuleStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.user(userID).status(f.now(), device, f.config.behaviourCalls)
}
