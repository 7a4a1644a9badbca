package relaytest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// Relay returns a target with a handler of package relay. The store is one that the
// target alone uses, nil for one in memory. The options are applied after those of the
// target; WithStore and WithKeys must not be among them.
func Relay(t testing.TB, store relay.Store, opts ...relay.Option) Target {
	t.Helper()
	if store == nil {
		store = relay.NewMemoryStore(16 << 20)
	}
	b := &bank{store: &faultyStore{Store: store}, orders: map[string]order{}, lookup: []byte("the lookup key of a test has 32 bytes")}
	fake := aimbraintest.New(t)
	keys, err := b.keys()
	if err != nil {
		t.Fatal(err)
	}
	rule := relay.Rule{Threshold: 0.5, Liveliness: relay.NotRequired, Token: relay.NotRequired}
	strict := relay.Rule{Threshold: 0.5, Liveliness: relay.Required, LivelinessThreshold: 0.5, Token: relay.Required}
	h, err := relay.New(fake.Client(), append([]relay.Option{
		relay.WithUser(userOf),
		relay.WithAction(b.action),
		relay.WithBinding(func(r *http.Request) (string, error) { return r.Header.Get("X-Binding"), nil }),
		relay.WithEnrolment(func(context.Context, relay.User, aimbrain.Module, relay.Enrolment) error { return nil }),
		relay.WithPolicy(relay.Policy{Face: rule, Voice: strict, Behaviour: 0.5, Both: func(a relay.Action) bool { return a.Amount >= BothFrom }}),
		relay.WithClock(func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }),
		relay.WithKeys(keys), relay.WithStore(b.store), relay.WithAudit(b),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = h
	return Target{
		Handler: h, Fake: fake, Inject: b.inject, Name: b.name,
		APIUserID:    func(who Person) string { return user(who).APIUserID },
		Authenticate: func(r *http.Request, who Person) { r.Header.Set("X-User", string(who)) },
		Bind:         func(r *http.Request, binding string) { r.Header.Set("X-Binding", binding) },
		Redeem: func(ctx context.Context, grant string, who Person, action relay.Action, binding string) error {
			_, err := h.Redeem(ctx, grant, user(who), action, relay.BoundTo(binding))
			return err
		},
	}
}

// A bank is what surrounds the handler of Relay.
type bank struct {
	handler *relay.Handler
	store   *faultyStore
	ahead   atomic.Int64 // of the clock
	lookup  []byte

	mu        sync.Mutex
	orders    map[string]order
	seal      byte
	auditDown bool
}

type order struct {
	who    Person
	action relay.Action
}

func user(who Person) relay.User {
	return relay.User{ID: "customer-" + string(who), APIUserID: "api-" + string(who)}
}

func userOf(r *http.Request) (relay.User, error) {
	switch who := Person(r.Header.Get("X-User")); who {
	case Ada, Bob, Carol:
		return user(who), nil
	}
	return relay.User{}, errors.New("not logged in")
}

// name records an order, and has its number in the request.
func (b *bank) name(r *http.Request, who Person, action relay.Action) {
	b.mu.Lock()
	defer b.mu.Unlock()
	number := strconv.Itoa(len(b.orders) + 1)
	b.orders[number] = order{who, action}
	r.Header.Set("X-Order", number)
}

// action looks up the order of a request.
func (b *bank) action(r *http.Request, u relay.User) (relay.Action, error) {
	number := r.Header.Get("X-Order")
	if number == "" {
		return relay.LogIn(), nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.orders[number]
	if !ok || user(found.who) != u {
		return relay.Action{}, errors.New("no such order of this user")
	}
	return found.action, nil
}

// keys returns keys whose seal key is the next one.
func (b *bank) keys() (relay.Keys, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seal++
	seal := []byte("the seal key of a test has 32 bytes ")
	return relay.NewKeys(b.lookup, append(seal, b.seal))
}

// inject implements Target.Inject.
func (b *bank) inject(f Fault) func() {
	ctx := context.Background()
	none := func() {}
	switch f {
	case StoreDown:
		b.store.down.Store(true)
		return func() { b.store.down.Store(false) }
	case StoreReplyLost:
		b.store.mute.Store(true)
		return func() { b.store.mute.Store(false) }
	case StoreLost:
		b.store.epoch.Add(1)
		return none
	case AuditDown:
		b.setAudit(true)
		return func() { b.setAudit(false) }
	case KeysReplaced:
		keys, err := b.keys()
		if err != nil || b.handler.SetKeys(ctx, keys) != nil {
			return nil
		}
		return none
	case ClockAhead:
		b.ahead.Store(int64(time.Hour))
		return func() { b.ahead.Store(0) }
	case AdaBlocked:
		if b.handler.Block(ctx, user(Ada)) != nil {
			return nil
		}
		return none
	}
	return nil
}

func (b *bank) setAudit(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.auditDown = down
}

const (
	errStore constantError = "the store has failed"
	errAudit constantError = "the audit log has failed"
)

type constantError string

func (e constantError) Error() string { return string(e) }

// Append implements relay.AuditLog, which keeps nothing.
func (b *bank) Append(context.Context, audit.Record) error { return b.Add(audit.Record{}) }

// Add implements relay.AuditLog.
func (b *bank) Add(audit.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auditDown {
		return errAudit
	}
	return nil
}

// Fingerprint implements relay.AuditLog.
func (b *bank) Fingerprint([32]byte) audit.Fingerprint { return "" }

// A faultyStore is a store that fails when a test says so. When it was lost it uses
// other keys, so that it is empty.
type faultyStore struct {
	relay.Store
	down  atomic.Bool
	mute  atomic.Bool // it writes, and returns errors
	epoch atomic.Int64
}

func (s *faultyStore) key(key string) string { return strconv.FormatInt(s.epoch.Load(), 10) + key }

// Load implements relay.Store.
func (s *faultyStore) Load(ctx context.Context, key string) (relay.Record, error) {
	if s.down.Load() {
		return relay.Record{}, errStore
	}
	return s.Store.Load(ctx, s.key(key))
}

// Swap implements relay.Store.
func (s *faultyStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	if s.down.Load() {
		return false, errStore
	}
	swapped, err := s.Store.Swap(ctx, s.key(key), version, value, ttl)
	if s.mute.Load() {
		return false, errStore
	}
	return swapped, err
}
