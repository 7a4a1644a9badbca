package relay_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// granted returns a bank, ada's app, and a grant for order 7.
func granted(t *testing.T, opts ...relay.Option) (*bank, *app, string) {
	t.Helper()
	b := newBank(t, opts...)
	b.order("7", payment("7", 12_50, "DE01"))
	ada := b.app("ada").with("X-Order", "7").with("X-Device", "1")
	got := ada.face(face("ada", 1))
	require.Equal(t, "accepted", got.kind(), got.text)
	return b, ada, got.Grant
}

func TestRedeem_IsForOneUserAndOneActionOnce(t *testing.T) {
	t.Parallel()
	order := payment("7", 12_50, "DE01")
	with := func(change func(*relay.Action)) relay.Action {
		a := order
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name   string
		who    string
		action relay.Action
		before func(t *testing.T, b *bank)
		want   error
	}{
		{name: "the payment", action: order},
		{name: "another user", who: "bob", action: order, want: relay.ErrOtherUser},
		{name: "another amount", action: with(func(a *relay.Action) { a.Amount++ }), want: relay.ErrOtherAction},
		{name: "another payee", action: with(func(a *relay.Action) { a.Payee = "DE02" }), want: relay.ErrOtherAction},
		{name: "another currency", action: with(func(a *relay.Action) { a.Currency = "USD" }), want: relay.ErrOtherAction},
		{name: "another order", action: with(func(a *relay.Action) { a.Reference = "8" }), want: relay.ErrOtherAction},
		{name: "another kind", action: with(func(a *relay.Action) { a.Kind = "limit" }), want: relay.ErrOtherAction},
		{name: "a log-in", action: relay.LogIn(), want: relay.ErrOtherAction},
		{name: "2 minutes later", action: order, before: func(*testing.T, *bank) { pass(2 * time.Minute) }, want: relay.ErrGrantExpired},
		{name: "1:59 later", action: order, before: func(*testing.T, *bank) { pass(119 * time.Second) }},
		{name: "blocked meanwhile", action: order, before: func(t *testing.T, b *bank) {
			require.NoError(t, b.h.Block(t.Context(), user("ada")))
		}, want: relay.ErrBlocked},
		{name: "blocked and lifted meanwhile", action: order, before: func(t *testing.T, b *bank) {
			require.NoError(t, b.h.Block(t.Context(), user("ada")))
			require.NoError(t, b.h.Unblock(t.Context(), user("ada")))
		}, want: relay.ErrStoreLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, _, text := granted(t)
				if tt.who == "" {
					tt.who = "ada"
				}
				if tt.before != nil {
					tt.before(t, b)
				}
				grant, err := b.h.Redeem(t.Context(), text, user(tt.who), tt.action)
				if tt.want == nil {
					require.NoError(t, err)
					assert.Equal(t, tt.action, grant.Action)
					_, err = b.replica().Redeem(t.Context(), text, user(tt.who), tt.action)
					assert.ErrorIs(t, err, relay.ErrGrantRedeemed)
					return
				}
				assert.ErrorIs(t, err, tt.want)
				assert.Zero(t, grant)
				last := b.audit.all()[len(b.audit.all())-1]
				assert.Equal(t, audit.KindRedeem, last.Kind)
				assert.Equal(t, "refused", last.Decision)
				assert.NotEmpty(t, last.Reason)
			})
		})
	}
}

func TestRedeem_RefusesWhatIsNoGrant(t *testing.T) {
	t.Parallel()
	b, ada, grant := granted(t)
	flipped := []byte(grant)
	flipped[len(flipped)/2] ^= 1
	for name, text := range map[string]string{
		"empty": "", "a session in its place": ada.session, "altered": string(flipped), "cut": grant[:len(grant)-2], "longer": grant + "AA", "noise": "%%%",
	} {
		_, err := b.h.Redeem(t.Context(), text, user("ada"), payment("7", 12_50, "DE01"))
		assert.ErrorIs(t, err, relay.ErrGrantInvalid, name)
	}
	_, err := newBank(t).h.Redeem(t.Context(), grant, user("ada"), payment("7", 12_50, "DE01"))
	assert.ErrorIs(t, err, relay.ErrGrantInvalid, "other keys")
}

func TestRedeem_OfManyOneSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _, text := granted(t)
		replica := b.replica()
		var redeemed atomic.Int32
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				h := b.h
				if i%2 == 0 {
					h = replica
				}
				if _, err := h.Redeem(t.Context(), text, user("ada"), payment("7", 12_50, "DE01")); err == nil {
					redeemed.Add(1)
				} else {
					assert.ErrorIs(t, err, relay.ErrGrantRedeemed)
				}
			})
		}
		group.Wait()
		assert.EqualValues(t, 1, redeemed.Load())
	})
}

func TestRedeem_IsBound(t *testing.T) {
	t.Parallel()
	binding := relay.WithBinding(func(r *http.Request) (string, error) { return r.Header.Get("X-Device"), nil })
	b, _, text := granted(t, binding)
	order := payment("7", 12_50, "DE01")
	_, err := b.h.Redeem(t.Context(), text, user("ada"), order)
	require.ErrorIs(t, err, relay.ErrOtherBinding)
	_, err = b.h.Redeem(t.Context(), text, user("ada"), order, relay.BoundTo("2"))
	require.ErrorIs(t, err, relay.ErrOtherBinding)
	_, err = b.h.Redeem(t.Context(), text, user("ada"), order, relay.BoundTo("1"))
	require.NoError(t, err)
	got := b.app("ada").face(face("ada", 2))
	assert.Equal(t, "unauthorized", got.kind(), "nothing to bind it to")
}

// A brokenStore is a store that fails where a test says.
type brokenStore struct {
	relay.Store
	load  atomic.Bool  // Load fails
	swap  atomic.Bool  // Swap fails and writes nothing
	reply atomic.Int32 // so many replies of Swap are lost after it has written
}

const errDown = relay.ErrorKind("the store is down")

func (s *brokenStore) Load(ctx context.Context, key string) (relay.Record, error) {
	if s.load.Load() {
		return relay.Record{}, errDown
	}
	return s.Store.Load(ctx, key)
}

func (s *brokenStore) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	if s.swap.Load() {
		return false, errDown
	}
	swapped, err := s.Store.Swap(ctx, key, version, value, ttl)
	if s.reply.Load() > 0 {
		s.reply.Add(-1)
		return false, errors.New("the reply was lost")
	}
	return swapped, err
}

func TestStore_LostReplyCountsAsRedeemed(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: relay.NewMemoryStore(1 << 20)}
	b, _, text := granted(t, relay.WithStore(store))
	order := payment("7", 12_50, "DE01")
	store.reply.Store(1)
	_, err := b.h.Redeem(t.Context(), text, user("ada"), order)
	require.ErrorIs(t, err, relay.ErrStore)
	_, err = b.h.Redeem(t.Context(), text, user("ada"), order)
	require.ErrorIs(t, err, relay.ErrGrantRedeemed)
}

func TestStore_LostReplyOfADecisionIsSettledOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		subject string
		want    string
		after   int
	}{
		{name: "accepted", subject: "ada", want: "accepted"},
		{name: "rejected", subject: "mallory", want: "rejected", after: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &brokenStore{Store: relay.NewMemoryStore(1 << 20)}
			b := newBank(t, relay.WithStore(store))
			ada := b.app("ada")
			b.fake.Queue(aimbraintest.RespondWith(func(w http.ResponseWriter, _ *http.Request) {
				store.reply.Store(1) // of what follows
				w.Header().Set("Content-Type", "application/json")
				score := map[string]string{"ada": "0.9", "mallory": "0.1"}[tt.subject]
				_, _ = w.Write([]byte(`{"score":` + score + `,"liveliness":0}`))
			}))
			got := ada.face(face(tt.subject, 1))
			assert.Equal(t, tt.want, got.kind())
			assert.Equal(t, tt.want == "accepted", got.Grant != "")
			state, err := b.h.State(t.Context(), user("ada"))
			require.NoError(t, err)
			assert.Equal(t, tt.after, state.Failures)
		})
	}
}

func TestStore_DownLetsNothingIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fail func(*brokenStore, bool)
	}{
		{name: "load", fail: func(s *brokenStore, v bool) { s.load.Store(v) }},
		{name: "swap", fail: func(s *brokenStore, v bool) { s.swap.Store(v) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &brokenStore{Store: relay.NewMemoryStore(1 << 20)}
			b, ada, grant := granted(t, relay.WithStore(store))
			tt.fail(store, true)
			before := len(b.fake.RequestsTo(aimbrain.EndpointFaceAuth))
			got := ada.face(face("ada", 2))
			assert.Equal(t, http.StatusServiceUnavailable, got.status)
			assert.Len(t, b.fake.RequestsTo(aimbrain.EndpointFaceAuth), before, "nothing was sent")
			assert.Equal(t, "unavailable", ada.post(aimbrain.EndpointSessions, `{"device":"d","system":"s"}`).kind())
			assert.Equal(t, "unavailable", ada.post(aimbrain.EndpointFaceToken, `{"session":"`+ada.session+`","tokentype":"auth"}`).kind())
			_, err := b.h.Redeem(t.Context(), grant, user("ada"), payment("7", 12_50, "DE01"))
			require.ErrorIs(t, err, relay.ErrStore)
			require.ErrorIs(t, b.h.Block(t.Context(), user("ada")), relay.ErrStore)
			tt.fail(store, false)
			assert.Equal(t, "accepted", ada.face(face("ada", 2)).kind())
		})
	}
}

func TestStore_LostRecordClosesSessionsAndGrants(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(ada *app)
	}{
		{name: "flushed", before: func(*app) {}},
		{name: "flushed, with a new session since", before: func(ada *app) { n := *ada; n.login() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &flushed{Store: relay.NewMemoryStore(1 << 20)}
			b, ada, grant := granted(t, relay.WithStore(store))
			store.Store = relay.NewMemoryStore(1 << 20)
			tt.before(ada)
			_, err := b.h.Redeem(t.Context(), grant, user("ada"), payment("7", 12_50, "DE01"))
			require.ErrorIs(t, err, relay.ErrStoreLost)
			assert.Equal(t, "session_expired", ada.face(face("ada", 2)).kind())
			ada.login()
			assert.Equal(t, "accepted", ada.face(face("ada", 3)).kind())
		})
	}
}

type flushed struct{ relay.Store }

func TestStore_DamagedRecordLetsNothingIn(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"no JSON": "x", "another version": `{"v":2,"b":"00000000000000000000000000000001"}`, "no birth": `{"v":1}`, "negative": `{"v":1,"b":"00000000000000000000000000000001","f":-9}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &damagedStore{Store: relay.NewMemoryStore(1 << 20)}
			b, ada, grant := granted(t, relay.WithStore(store))
			store.value = value
			_, err := b.h.Redeem(t.Context(), grant, user("ada"), payment("7", 12_50, "DE01"))
			require.ErrorIs(t, err, relay.ErrStore)
			assert.Equal(t, http.StatusServiceUnavailable, ada.face(face("ada", 4)).status)
		})
	}
}

// A damagedStore returns another value once it is set.
type damagedStore struct {
	relay.Store
	value string
}

func (d *damagedStore) Load(ctx context.Context, key string) (relay.Record, error) {
	r, err := d.Store.Load(ctx, key)
	if d.value != "" {
		r.Value = []byte(d.value)
	}
	return r, err
}

func TestAudit_GrantLeavesOnlyWhenItsRecordIsDurable(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	b.audit.failing(func(audit.Record) error { return audit.ErrNotDurable })
	got := ada.face(face("ada", 1))
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.Empty(t, got.Grant)
	b.audit.failing(nil)
	got = ada.face(face("ada", 1))
	require.Equal(t, "accepted", got.kind())
	records := b.audit.all()
	assert.Equal(t, len(records), b.audit.durable, "the record was waited for")
	b.audit.failing(func(audit.Record) error { return audit.ErrNotDurable })
	_, err := b.h.Redeem(t.Context(), got.Grant, user("ada"), relay.LogIn())
	require.ErrorIs(t, err, relay.ErrAudit)
	b.audit.failing(nil)
	_, err = b.h.Redeem(t.Context(), got.Grant, user("ada"), relay.LogIn())
	require.ErrorIs(t, err, relay.ErrGrantRedeemed)
}
