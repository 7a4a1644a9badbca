package relay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
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

func (a *app) enrol(media ...[]byte) reply {
	a.bank.t.Helper()
	return a.post(aimbrain.EndpointFaceEnroll, a.media("faces", media...))
}

func TestEnrolment_FiveSamplesWithOnePermission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.fake.Forget("u-ada")
		ada := b.app("ada")
		for i := range 5 {
			got := ada.enrol(face("ada", i))
			require.Equal(t, "enrolled", got.kind(), got.text)
			assert.Equal(t, 1, *got.ImagesCount)
			pass(2 * time.Minute)
		}
		assert.Equal(t, "enrolment_full", ada.enrol(face("ada", 6)).kind())
		assert.Equal(t, []string{"permit customer-ada face first", "enrolled customer-ada face"}, b.seen())
		pass(5 * time.Minute)
		assert.Equal(t, "enrolment_refused", ada.enrol(face("mallory", 6)).kind(), "the enrolment has ended, and the user has a template")
		assert.Equal(t, 5, b.fake.Processed(aimbrain.EndpointFaceEnroll))
		assert.Equal(t, []string{"permit customer-ada face first", "enrolled customer-ada face"}, b.seen(), "Again is refused without asking")
	})
}

func TestEnrolment_NeedsPermission(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, relay.User, aimbrain.Module, relay.Enrolment) error { return errors.New("no") }
	for _, tt := range []struct {
		name    string
		opts    []relay.Option
		subject string // who is enrolled before
		want    string
		kind    relay.Enrolment
	}{
		{name: "first", want: "enrolled"},
		{name: "refused by the bank", opts: []relay.Option{relay.WithEnrolment(refuse)}, want: "enrolment_refused"},
		{name: "again", subject: "ada", want: "enrolment_refused"},
		{name: "again on purpose", subject: "ada", opts: []relay.Option{relay.WithEnrolmentAgain()}, want: "enrolled"},
		{name: "again, refused by the bank", subject: "ada", opts: []relay.Option{relay.WithEnrolmentAgain(), relay.WithEnrolment(refuse)}, want: "enrolment_refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t, tt.opts...)
			b.fake.Forget("u-ada")
			if tt.subject != "" {
				b.fake.Enroll("u-ada", tt.subject)
			}
			got := b.app("ada").enrol(face("mallory", 1))
			assert.Equal(t, tt.want, got.kind(), got.text)
			if tt.want != "enrolled" {
				assert.Equal(t, http.StatusForbidden, got.status)
				b.fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 0)
			}
		})
	}
	t.Run("without WithEnrolment", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		h, err := relay.New(b.fake.Client(), relay.WithUser(userOf), relay.WithPolicy(photoPolicy()), relay.WithKeys(b.keys), relay.WithStore(b.store), relay.WithoutAudit())
		require.NoError(t, err)
		b.fake.Forget("u-ada")
		ada := b.app("ada")
		ada.h = h
		assert.Equal(t, "enrolment_refused", ada.enrol(face("ada", 1)).kind())
	})
}

func TestEnrolment_IsExecutedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		stub      aimbraintest.Stub
		first     string
		again     string
		processed int
		notified  bool
	}{
		{name: "processed", stub: aimbraintest.Delay(time.Second), first: "enrolled", again: "enrolled", processed: 1, notified: true},
		{name: "lost response, found by the status", stub: aimbraintest.LostResponse(), first: "unknown", again: "enrolled", processed: 1, notified: true},
		{name: "reset before", stub: aimbraintest.Reset(), first: "unknown", again: "unknown", notified: true},
		{name: "server error", stub: aimbraintest.Status(500), first: "unknown", again: "unknown", notified: true},
		{name: "not sent", stub: aimbraintest.NotSent().Times(3), first: "unavailable", again: "enrolled", processed: 1},
		{name: "blurred", stub: aimbraintest.Code(aimbrain.CodeBlurry), first: "retake", again: "enrolled", processed: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBank(t)
				b.fake.Forget("u-ada")
				ada := b.app("ada")
				b.fake.Queue(tt.stub.On(aimbrain.EndpointFaceEnroll))
				if strings.Contains(tt.name, "not sent") { // the stub meets the request of the status too
					b.fake.ClearQueue()
					b.fake.Queue(aimbraintest.NotSent().Times(3).On(aimbrain.EndpointFaceEnroll))
				}
				got := ada.enrol(face("ada", 1))
				assert.Equal(t, tt.first, got.kind(), got.text)
				assert.Equal(t, tt.first == "unknown", got.MaybeProcessed)
				if tt.notified {
					assert.Contains(t, b.seen(), "enrolled customer-ada face")
				}
				retry := *ada
				retry.h = b.replica()
				for range 3 {
					assert.Equal(t, tt.again, retry.enrol(face("ada", 1)).kind())
				}
				assert.Equal(t, tt.processed, b.fake.Processed(aimbrain.EndpointFaceEnroll))
			})
		})
	}
}

func TestEnrolment_IsFinishedWhenTheAppHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.fake.Forget("u-ada")
		ada := b.app("ada")
		b.fake.Queue(aimbraintest.Delay(5 * time.Second).On(aimbrain.EndpointFaceEnroll))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		ada.do(ada.request(aimbrain.EndpointFaceEnroll, strings.NewReader(ada.media("faces", face("ada", 1)))).WithContext(ctx))
		got := ada.enrol(face("ada", 1))
		assert.Equal(t, "enrolled", got.kind())
		assert.Equal(t, 1, *got.ImagesCount, "its result was kept")
		assert.Equal(t, 1, b.fake.Processed(aimbrain.EndpointFaceEnroll))
	})
}

func TestEnrolment_IntentIsDurableBefore(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.fake.Forget("u-ada")
	ada := b.app("ada")
	b.audit.failing(func(r audit.Record) error {
		if r.Kind == audit.KindIntent {
			return audit.ErrNotDurable
		}
		return nil
	})
	assert.Equal(t, "unavailable", ada.enrol(face("ada", 1)).kind())
	b.fake.AssertCount(t, aimbrain.EndpointFaceEnroll, 0)
	b.audit.failing(nil)
	assert.Equal(t, "enrolled", ada.enrol(face("ada", 1)).kind())
	kinds := []audit.Kind{}
	for _, r := range b.audit.all() {
		if r.Endpoint == aimbrain.EndpointFaceEnroll {
			kinds = append(kinds, r.Kind)
		}
	}
	assert.Equal(t, []audit.Kind{audit.KindRequest, audit.KindIntent, audit.KindRequest}, kinds)
}
