package relay_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// A bank is a relay in front of the fake, and what the bank keeps.
type bank struct {
	t     testing.TB
	fake  *aimbraintest.Fake
	h     *relay.Handler
	audit *memoryAudit
	store *relay.MemoryStore
	keys  relay.Keys

	mu     sync.Mutex
	orders map[string]relay.Action // by their number
	events []string                // callbacks
}

// photoPolicy accepts photos and recordings without liveliness, for tests.
func photoPolicy() relay.Policy {
	rule := relay.Rule{Threshold: 0.5, Liveliness: relay.NotRequired, Token: relay.NotRequired}
	return relay.Policy{Face: rule, Voice: rule, Behaviour: 0.5}
}

// newBank returns a bank whose users are ada and bob, known to the API as u-ada and
// u-bob. A header names the user, who is enrolled.
func newBank(t testing.TB, opts ...relay.Option) *bank {
	t.Helper()
	b := &bank{t: t, fake: aimbraintest.New(t), audit: &memoryAudit{}, orders: map[string]relay.Action{}, store: relay.NewMemoryStore(16 << 20), keys: relay.RandomKeys()}
	b.fake.Enroll("u-ada", "ada")
	b.fake.Enroll("u-bob", "bob")
	b.h = b.replica(opts...)
	return b
}

// replica returns another handler of the bank, with the same store and keys.
func (b *bank) replica(opts ...relay.Option) *relay.Handler {
	b.t.Helper()
	h, err := relay.New(b.fake.Client(), append(b.options(), opts...)...)
	require.NoError(b.t, err)
	return h
}

func (b *bank) options() []relay.Option {
	return []relay.Option{
		relay.WithUser(userOf),
		relay.WithAction(func(r *http.Request, _ relay.User) (relay.Action, error) {
			order := r.Header.Get("X-Order")
			if order == "" {
				return relay.LogIn(), nil
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			action, ok := b.orders[order]
			if !ok {
				return action, errors.New("no such order")
			}
			return action, nil
		}),
		relay.WithPolicy(photoPolicy()), relay.WithKeys(b.keys), relay.WithStore(b.store), relay.WithAudit(b.audit),
		relay.WithEnrolment(func(_ context.Context, u relay.User, m aimbrain.Module, e relay.Enrolment) error {
			b.event("permit " + u.ID + " " + m.String() + " " + map[relay.Enrolment]string{relay.First: "first", relay.Again: "again"}[e])
			return nil
		}),
		relay.WithEnrolled(func(_ context.Context, u relay.User, m aimbrain.Module, _ relay.Enrolment) {
			b.event("enrolled " + u.ID + " " + m.String())
		}),
		relay.WithBlockWarning(func(_ context.Context, u relay.User) { b.event("warn " + u.ID) }),
	}
}

func userOf(r *http.Request) (relay.User, error) {
	name := r.Header.Get("X-User")
	if name == "" {
		return relay.User{}, errors.New("not logged in")
	}
	return user(name), nil
}

func user(name string) relay.User { return relay.User{ID: "customer-" + name, APIUserID: "u-" + name} }

func (b *bank) event(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, text)
}

func (b *bank) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.events...)
}

// order records an order.
func (b *bank) order(number string, action relay.Action) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders[number] = action
}

// payment is an order of an amount to a payee.
func payment(number string, cents int64, payee string) relay.Action {
	return relay.Action{Kind: "payment", Reference: number, Amount: cents, Currency: "EUR", Payee: payee}
}

// An app is a user's app.
type app struct {
	bank    *bank
	h       http.Handler
	user    string
	header  map[string]string
	session string
}

// app returns the app of a user, with a session.
func (b *bank) app(name string) *app {
	b.t.Helper()
	a := &app{bank: b, h: b.h, user: name}
	a.login()
	return a
}

func (a *app) login() {
	a.bank.t.Helper()
	got := a.post(aimbrain.EndpointSessions, `{"userId":"the app's","device":"iPhone","system":"iOS"}`)
	require.Equal(a.bank.t, http.StatusOK, got.status, got.text)
	a.session = got.Session
}

// A reply is a response of the relay.
type reply struct {
	status int
	header http.Header
	text   string

	Session, Token, Result, Grant, Error, Code, Advice string
	ImagesCount, VoiceSamples                          *int
	RetryAfter                                         int  `json:"retry_after"`
	MaybeProcessed                                     bool `json:"maybe_processed"`
	Face, Voice, Behaviour                             *int
}

// kind returns the result, or the code of an error.
func (r reply) kind() string { return r.Result + r.Code }

func (a *app) request(endpoint string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(a.bank.t.Context(), http.MethodPost, endpoint, body)
	r.Header.Set("Content-Type", "application/json")
	if a.user != "" {
		r.Header.Set("X-User", a.user)
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	return r
}

func (a *app) post(endpoint, body string) reply {
	a.bank.t.Helper()
	return a.do(a.request(endpoint, strings.NewReader(body)))
}

func (a *app) do(r *http.Request) reply {
	a.bank.t.Helper()
	return a.send(a.h, r)
}

// send sends a request to a handler.
func (a *app) send(h http.Handler, r *http.Request) reply {
	a.bank.t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	require.NoError(a.bank.t, json.Unmarshal(w.Body.Bytes(), &got), got.text)
	return got
}

// with returns the app with a header.
func (a *app) with(name, value string) *app {
	changed := *a
	changed.header = map[string]string{name: value}
	for n, v := range a.header {
		if n != name {
			changed.header[n] = v
		}
	}
	return &changed
}

func face(subject string, variant int) []byte {
	return aimbraintest.FacePhoto(subject, aimbraintest.Variant(variant))
}

func voice(subject, token string) []byte {
	return aimbraintest.VoiceWAV(subject, aimbraintest.Saying(token))
}

// media returns a body with a session and media.
func (a *app) media(member string, media ...[]byte) string {
	texts := make([]string, 0, len(media))
	for _, m := range media {
		texts = append(texts, `"`+base64.StdEncoding.EncodeToString(m)+`"`)
	}
	return `{"` + member + `":[` + strings.Join(texts, ",") + `],"session":"` + a.session + `"}`
}

func (a *app) face(media ...[]byte) reply {
	a.bank.t.Helper()
	return a.post(aimbrain.EndpointFaceAuth, a.media("faces", media...))
}

func (a *app) token(endpoint string) string {
	a.bank.t.Helper()
	got := a.post(endpoint, `{"session":"`+a.session+`","tokentype":"auth"}`)
	require.Equal(a.bank.t, http.StatusOK, got.status, got.text)
	return got.Token
}

// voiceOf asks for a token and says it.
func (a *app) voiceOf(subject string) reply {
	a.bank.t.Helper()
	return a.post(aimbrain.EndpointVoiceAuth, a.media("voices", voice(subject, a.token(aimbrain.EndpointVoiceToken))))
}

// A memoryAudit keeps the records of a test.
type memoryAudit struct {
	mu      sync.Mutex
	records []audit.Record
	durable int
	fail    func(audit.Record) error
}

func (m *memoryAudit) Append(_ context.Context, r audit.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(r); err != nil {
			return err
		}
	}
	m.records = append(m.records, r)
	m.durable = len(m.records)
	return nil
}

func (m *memoryAudit) Add(r audit.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(r); err != nil {
			return err
		}
	}
	m.records = append(m.records, r)
	return nil
}

func (m *memoryAudit) Fingerprint(request [32]byte) audit.Fingerprint {
	return audit.Fingerprint(base64.StdEncoding.EncodeToString(request[:4]))
}

func (m *memoryAudit) all() []audit.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]audit.Record(nil), m.records...)
}

func (m *memoryAudit) failing(f func(audit.Record) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}
