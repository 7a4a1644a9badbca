package relay_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
)

// pass waits in virtual time.
func pass(d time.Duration) { <-time.After(d) }

func TestLockOut_DelaysAfterFiveAndBlocksAfterTen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		photo := 0
		guess := func() reply {
			photo++
			return ada.face(face("mallory", photo))
		}
		for range 5 {
			require.Equal(t, "rejected", guess().kind())
		}
		for i, delay := range []int{30, 60, 120, 240, 480} {
			got := guess()
			require.Equal(t, "locked", got.kind(), "failure %d", 5+i)
			assert.Equal(t, http.StatusTooManyRequests, got.status)
			assert.Equal(t, delay, got.RetryAfter)
			assert.NotEmpty(t, got.header.Get("Retry-After"))
			pass(time.Duration(delay)*time.Second - time.Millisecond)
			require.Equal(t, "locked", guess().kind())
			if i == 4 {
				assert.Equal(t, []string{"warn customer-ada"}, b.seen(), "the callback is called before the block")
			}
			pass(time.Millisecond)
			require.Equal(t, "rejected", guess().kind())
		}
		pass(1000 * time.Hour)
		ada.login()
		got := ada.face(face("ada", 1))
		assert.Equal(t, "blocked", got.kind())
		assert.Zero(t, got.RetryAfter)
		state, err := b.h.State(t.Context(), user("ada"))
		require.NoError(t, err)
		assert.Equal(t, relay.UserState{Failures: 10, Blocked: true}, state)
		b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 10)
		require.NoError(t, b.h.Unblock(t.Context(), user("ada")))
		assert.Equal(t, "accepted", ada.face(face("ada", 1)).kind())
	})
}

func TestLockOut_ParallelGuessesDoNotPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.fake.Queue(aimbraintest.Score(0.1).After(time.Second).Always())
		ada := b.app("ada")
		var group sync.WaitGroup
		for i := range 40 {
			group.Go(func() { ada.face(face("mallory", i)) })
		}
		group.Wait()
		b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 5)
	})
}

func TestLockOut_CountsOverAllModulesAndSessions(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for i := range 5 {
		ada := b.app("ada")
		if i%2 == 0 {
			require.Equal(t, "rejected", ada.face(face("mallory", i)).kind())
		} else {
			require.Equal(t, "rejected", ada.voiceOf("mallory").kind())
		}
	}
	assert.Equal(t, "locked", b.app("ada").face(face("mallory", 9)).kind())
	assert.Equal(t, "accepted", b.app("bob").face(face("bob", 1)).kind(), "another user is not locked out")
}

func TestLockOut_OnlyAnAcceptedAuthenticationResetsTheCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := photoPolicy()
		policy.Both = func(a relay.Action) bool { return a.Amount > 100_00 }
		b := newBank(t, relay.WithPolicy(policy))
		b.order("big", payment("big", 500_00, "P"))
		ada := b.app("ada")
		for i := range 4 {
			require.Equal(t, "rejected", ada.face(face("mallory", i)).kind())
		}
		require.Equal(t, "step_up", ada.with("X-Order", "big").face(face("ada", 1)).kind())
		require.Equal(t, http.StatusOK, ada.post(aimbrain.EndpointBehaviour, `{"session":"`+ada.session+`","touches":[]}`).status)
		state, err := b.h.State(t.Context(), user("ada"))
		require.NoError(t, err)
		assert.Equal(t, 4, state.Failures, "a step-up is no reset")
		assert.Equal(t, "locked", ada.face(face("mallory", 8)).kind(), "an open step-up counts")
		pass(2 * time.Minute)
		state, err = b.h.State(t.Context(), user("ada"))
		require.NoError(t, err)
		assert.Equal(t, 5, state.Failures, "a step-up that was not completed is a failure")
		require.Equal(t, "locked", ada.face(face("ada", 2)).kind())
		pass(30 * time.Second)
		require.Equal(t, "accepted", ada.face(face("ada", 2)).kind())
		state, err = b.h.State(t.Context(), user("ada"))
		require.NoError(t, err)
		assert.Zero(t, state)
	})
}

func TestLockOut_CountsWhatMayHaveBeenJudged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		stub     aimbraintest.Stub
		kind     string
		failures int
		unknown  int
	}{
		{name: "rejected", stub: aimbraintest.Score(0.1), kind: "rejected", failures: 1},
		{name: "not sent", stub: aimbraintest.NotSent().Times(3), kind: "unavailable"},
		{name: "lost response", stub: aimbraintest.LostResponse(), kind: "unknown", unknown: 1},
		{name: "reset", stub: aimbraintest.Reset(), kind: "unknown", unknown: 1},
		{name: "cut off", stub: aimbraintest.CutOff(), kind: "unknown", unknown: 1},
		{name: "score that cannot be read", stub: aimbraintest.Raw(200, "application/json", `{"score":2,"liveliness":0}`), kind: "unknown", unknown: 1},
		{name: "blurred", stub: aimbraintest.Code(aimbrain.CodeBlurry), kind: "retake"},
		{name: "broken image", stub: aimbraintest.Code(aimbrain.CodeMalformedImage), kind: "media_invalid"},
		{name: "server error", stub: aimbraintest.Status(500), kind: "unavailable"},
		{name: "gateway, whole", stub: aimbraintest.Raw(502, "text/html", "<html>"), kind: "unavailable"},
		{name: "rate limit", stub: aimbraintest.Status(429).WithRetryAfter(time.Hour), kind: "unavailable"},
		{name: "credentials", stub: aimbraintest.Status(401), kind: "upstream_error"},
		{name: "session expired", stub: aimbraintest.Status(403), kind: "session_expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBank(t)
				ada := b.app("ada")
				b.fake.Queue(tt.stub.On(aimbrain.EndpointFaceAuth))
				got := ada.face(face("ada", 1))
				assert.Equal(t, tt.kind, got.kind(), got.text)
				assert.Equal(t, tt.kind == "unknown", got.MaybeProcessed)
				state, err := b.h.State(t.Context(), user("ada"))
				require.NoError(t, err)
				assert.Equal(t, relay.UserState{Failures: tt.failures, Unknown: tt.unknown}, state)
			})
		})
	}
}

func TestLockOut_HangUpIsNoFreeGuess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		b.fake.Queue(aimbraintest.Score(0.1).After(time.Second).Always())
		for i := range 8 {
			ctx, cancel := context.WithCancel(t.Context())
			r := ada.request(aimbrain.EndpointFaceAuth, strings.NewReader(ada.media("faces", face("mallory", i)))).WithContext(ctx)
			time.AfterFunc(100*time.Millisecond, cancel)
			ada.do(r)
		}
		b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 5)
		state, err := b.h.State(t.Context(), user("ada"))
		require.NoError(t, err)
		assert.Equal(t, 5, state.Failures)
	})
}

func TestRetakes_AreTenInAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		b.fake.Queue(aimbraintest.Code(aimbrain.CodePoorBrightness).Times(10))
		for i := range 10 {
			got := ada.face(face("ada", i))
			require.Equal(t, "retake", got.kind())
			assert.Equal(t, "Please try again in better light.", got.Advice)
		}
		got := ada.face(face("ada", 11))
		assert.Equal(t, "too_many_retakes", got.kind())
		assert.Positive(t, got.RetryAfter)
		pass(15 * time.Minute)
		assert.Equal(t, "accepted", ada.face(face("ada", 12)).kind())
	})
}

func TestStepUp_NeedsBothWithTheSameSessionActionAndBinding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(b *bank, first *app) *app
		wait   time.Duration
		want   string
	}{
		{name: "the same", change: func(_ *bank, a *app) *app { return a }, want: "accepted"},
		{name: "another session", change: func(b *bank, a *app) *app { n := *a; n.login(); return &n }, want: "step_up"},
		{name: "another action", change: func(b *bank, a *app) *app { return a.with("X-Order", "8") }, want: "step_up"},
		{name: "another binding", change: func(b *bank, a *app) *app { return a.with("X-Device", "2") }, want: "step_up"},
		{name: "2 minutes later", change: func(_ *bank, a *app) *app { return a }, wait: 2 * time.Minute, want: "step_up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				policy := photoPolicy()
				policy.Both = func(relay.Action) bool { return true }
				b := newBank(t, relay.WithPolicy(policy), relay.WithBinding(func(r *http.Request) (string, error) { return r.Header.Get("X-Device"), nil }))
				b.order("7", payment("7", 1, "P"))
				b.order("8", payment("8", 1, "P"))
				ada := b.app("ada").with("X-Order", "7").with("X-Device", "1")
				first := ada.face(face("ada", 1))
				require.Equal(t, "step_up", first.kind())
				require.Empty(t, first.Grant)
				require.Equal(t, "step_up", ada.face(face("ada", 2)).kind(), "the same module does not complete it")
				pass(tt.wait)
				got := tt.change(b, ada).voiceOf("ada")
				require.Equal(t, tt.want, got.kind())
				if tt.want != "accepted" {
					assert.Empty(t, got.Grant)
					return
				}
				grant, err := b.h.Redeem(t.Context(), got.Grant, user("ada"), payment("7", 1, "P"), relay.BoundTo("1"))
				require.NoError(t, err)
				assert.Equal(t, []aimbrain.Module{aimbrain.ModuleFace, aimbrain.ModuleVoice}, grant.Modules)
				assert.Equal(t, "step_up", ada.voiceOf("ada").kind(), "it serves once")
			})
		})
	}
}

func TestStepUp_ServesOneAttempt(t *testing.T) {
	t.Parallel()
	policy := photoPolicy()
	policy.Both = func(relay.Action) bool { return true }
	b := newBank(t, relay.WithPolicy(policy))
	ada := b.app("ada")
	require.Equal(t, "step_up", ada.face(face("ada", 1)).kind())
	require.Equal(t, "rejected", ada.voiceOf("mallory").kind())
	assert.Equal(t, "step_up", ada.voiceOf("ada").kind(), "the face has to be shown again")
}

func TestToken_IsRequiredOnceAndFresh(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(ada *app)
		want    string
	}{
		{name: "left out", prepare: func(*app) {}, want: "token_required"},
		{name: "fresh", prepare: func(ada *app) { ada.token(aimbrain.EndpointFaceToken) }, want: "accepted"},
		{name: "of the other module", prepare: func(ada *app) { ada.token(aimbrain.EndpointVoiceToken) }, want: "token_required"},
		{name: "for an enrolment", prepare: func(ada *app) {
			ada.post(aimbrain.EndpointFaceToken, `{"session":"`+ada.session+`","tokentype":"enroll-1"}`)
		}, want: "token_required"},
		{name: "of another session", prepare: func(ada *app) {
			ada.token(aimbrain.EndpointFaceToken)
			ada.login()
		}, want: "token_required"},
		{name: "5 minutes old", prepare: func(ada *app) {
			ada.token(aimbrain.EndpointFaceToken)
			pass(5 * time.Minute)
		}, want: "token_required"},
		{name: "used", prepare: func(ada *app) {
			ada.token(aimbrain.EndpointFaceToken)
			ada.face(face("mallory", 1))
		}, want: "token_required"},
		{name: "not used as nothing was sent", prepare: func(ada *app) {
			ada.token(aimbrain.EndpointFaceToken)
			ada.bank.fake.Queue(aimbraintest.NotSent().Times(3))
			ada.face(face("mallory", 1))
		}, want: "accepted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				policy := photoPolicy()
				policy.Face.Token = relay.Required
				b := newBank(t, relay.WithPolicy(policy))
				ada := b.app("ada")
				tt.prepare(ada)
				before := b.fake.Processed(aimbrain.EndpointFaceAuth)
				assert.Equal(t, tt.want, ada.face(face("ada", 5)).kind())
				if tt.want != "accepted" {
					assert.Equal(t, before, b.fake.Processed(aimbrain.EndpointFaceAuth), "it is refused before the API is called")
				}
			})
		})
	}
}

func TestLiveliness_IsRequiredBesideTheScore(t *testing.T) {
	t.Parallel()
	policy := photoPolicy()
	policy.Face = relay.Rule{Threshold: 0.5, Liveliness: relay.Required, LivelinessThreshold: 0.5, Token: relay.NotRequired}
	b := newBank(t, relay.WithPolicy(policy))
	ada := b.app("ada")
	assert.Equal(t, "rejected", ada.face(face("ada", 1)).kind(), "a printed photo reaches the threshold")
	b.fake.Queue(aimbraintest.Liveliness(0.9))
	assert.Equal(t, "accepted", ada.face(face("ada", 2)).kind())
}

func TestUpload_RetryIsExecutedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		stub  aimbraintest.Stub
		first string
		again string
		sent  int
	}{
		{name: "accepted", stub: aimbraintest.Score(0.9), first: "accepted", again: "accepted", sent: 1},
		{name: "rejected", stub: aimbraintest.Score(0.2), first: "rejected", again: "rejected", sent: 1},
		{name: "lost response", stub: aimbraintest.LostResponse(), first: "unknown", again: "unknown", sent: 1},
		{name: "not sent", stub: aimbraintest.NotSent().Times(3), first: "unavailable", again: "accepted", sent: 1},
		{name: "server error", stub: aimbraintest.Status(500), first: "unavailable", again: "accepted", sent: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBank(t)
				ada := b.app("ada")
				b.fake.Queue(tt.stub.On(aimbrain.EndpointFaceAuth))
				first, again := ada.face(face("ada", 1)), ada.face(face("ada", 1))
				assert.Equal(t, tt.first, first.kind())
				assert.Equal(t, tt.again, again.kind())
				if first.Grant != "" {
					assert.Equal(t, first.Grant, again.Grant, "one grant, which is redeemed once")
				}
				b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, tt.sent)
			})
		})
	}
}

func TestUpload_RetryWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada, other := b.app("ada"), b.replica()
		b.fake.Queue(aimbraintest.Score(0.9).After(5 * time.Second))
		kinds := make([]string, 3)
		var group sync.WaitGroup
		for i := range kinds {
			group.Go(func() {
				app := *ada
				if i == 2 {
					app.h = other // the retry reaches another replica
				}
				kinds[i] = app.face(face("ada", 1)).kind()
			})
		}
		group.Wait()
		assert.Equal(t, []string{"accepted", "accepted", "accepted"}, kinds)
		b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 1)
	})
}

func TestUpload_IsNeverTakenOverFromAReplicaThatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		b.fake.Queue(aimbraintest.Stall())
		var first reply
		var group sync.WaitGroup
		group.Go(func() { first = ada.face(face("ada", 1)) })
		synctest.Wait()
		got := ada.face(face("ada", 1))
		assert.Equal(t, "unknown", got.kind())
		assert.True(t, got.MaybeProcessed)
		group.Wait()
		assert.Equal(t, "unknown", first.kind())
		b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 1)
	})
}

func TestCapture_IsAcceptedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(a *app) *app
		edit   func(body string) string
		want   string
	}{
		{name: "another action", change: func(a *app) *app { return a.with("X-Order", "8") }, want: "rejected"},
		{name: "another session", change: func(a *app) *app { n := *a; n.login(); return &n }, want: "rejected"},
		{name: "other bytes around it", edit: func(s string) string { return " " + s }, want: "rejected"},
		{name: "other escapes", edit: func(s string) string { return strings.Replace(s, `["/`, `["\/`, 1) }, want: "rejected"},
		{name: "25 hours later", change: func(a *app) *app {
			pass(25 * time.Hour)
			n := *a
			n.login()
			return &n
		}, want: "accepted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBank(t)
				b.order("8", payment("8", 1, "P"))
				ada := b.app("ada")
				require.Equal(t, "accepted", ada.face(face("ada", 1)).kind())
				if tt.change != nil {
					ada = tt.change(ada)
				}
				body := ada.media("faces", face("ada", 1))
				if tt.edit != nil {
					edited := tt.edit(body)
					require.NotEqual(t, body, edited)
					body = edited
				}
				assert.Equal(t, tt.want, ada.post(aimbrain.EndpointFaceAuth, body).kind())
			})
		})
	}
}

func TestSession_IsTheUsers(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.order("7", payment("7", 1, "P"))
	ada, bob := b.app("ada"), b.app("bob")
	grant := ada.with("X-Order", "7").face(face("ada", 1)).Grant
	require.NotEmpty(t, grant)
	raw, err := b.fake.Client().Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-ada", Device: "d", System: "s"})
	require.NoError(t, err)
	other := newBank(t).app("ada")
	for name, session := range map[string]string{
		"another user's":       bob.session,
		"of another relay":     other.session,
		"the API's own":        raw.ID,
		"altered":              ada.session[:len(ada.session)-1] + map[bool]string{true: "A", false: "B"}[ada.session[len(ada.session)-1] != 'A'],
		"cut":                  ada.session[:40],
		"with a line break":    ada.session[:10] + `\n` + ada.session[10:],
		"a grant in its place": grant,
		"empty":                "",
		"endless":              strings.Repeat("A", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := *ada
			app.session = session
			for _, endpoint := range []string{aimbrain.EndpointFaceAuth, aimbrain.EndpointFaceEnroll} {
				assert.Equal(t, "session_expired", app.post(endpoint, app.media("faces", face("ada", 2))).kind())
			}
			assert.Equal(t, "session_expired", app.post(aimbrain.EndpointFaceToken, `{"tokentype":"auth","session":"`+app.session+`"}`).kind())
			assert.Equal(t, "session_expired", app.post(aimbrain.EndpointBehaviour, `{"touches":[],"session":"`+app.session+`"}`).kind())
			_, err := b.h.Score(t.Context(), user("ada"), session)
			assert.ErrorIs(t, err, relay.ErrSession)
		})
	}
}

func TestSession_ExpiresByTheSealAndByTheClock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wait time.Duration // by the clock of the replica that opens
		want string
	}{
		{name: "11 hours", wait: 11 * time.Hour, want: "accepted"},
		{name: "12 hours", wait: 12 * time.Hour, want: "session_expired"},
		{name: "a clock that is half a minute behind", wait: -30 * time.Second, want: "accepted"},
		{name: "from the future", wait: -2 * time.Minute, want: "session_expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t)
			ada := b.app("ada")
			ada.h = b.replica(relay.WithClock(func() time.Time { return time.Now().Add(tt.wait) }))
			assert.Equal(t, tt.want, ada.face(face("ada", 1)).kind())
		})
	}
}

func TestSession_ThatTheAPIHasEndedIsNoFailure(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	b.fake.Advance(3 * time.Hour)
	got := ada.face(face("ada", 1))
	assert.Equal(t, "session_expired", got.kind())
	state, err := b.h.State(t.Context(), user("ada"))
	require.NoError(t, err)
	assert.Zero(t, state)
}

func TestKeys_RotateWithReplicasAtDifferentStages(t *testing.T) {
	t.Parallel()
	lookup, first, second := key("lookup"), key("first"), key("second")
	stage := func(seal []byte, open ...[]byte) relay.Keys {
		keys, err := relay.NewKeys(lookup, seal, open...)
		require.NoError(t, err)
		return keys
	}
	old, opens, seals, done := stage(first), stage(first, second), stage(second, first), stage(second)
	for _, tt := range []struct {
		name         string
		sealed, open relay.Keys
		want         string
	}{
		{name: "both old", sealed: old, open: old, want: "accepted"},
		{name: "one opens the new", sealed: old, open: opens, want: "accepted"},
		{name: "one seals with the new", sealed: seals, open: opens, want: "accepted"},
		{name: "the same, the other way", sealed: opens, open: seals, want: "accepted"},
		{name: "the old one is removed", sealed: seals, open: done, want: "accepted"},
		{name: "too early", sealed: seals, open: old, want: "session_expired"},
		{name: "the old one was removed", sealed: old, open: done, want: "session_expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t, relay.WithKeys(tt.sealed))
			ada := b.app("ada")
			replica := b.replica(relay.WithKeys(old))
			require.NoError(t, replica.SetKeys(t.Context(), tt.open))
			ada.h = replica
			got := ada.face(face("ada", 1))
			assert.Equal(t, tt.want, got.kind())
			if got.Grant != "" {
				require.NoError(t, b.h.SetKeys(t.Context(), stage(first, second)))
				_, err := b.h.Redeem(t.Context(), got.Grant, user("ada"), relay.LogIn())
				require.NoError(t, err)
				_, err = replica.Redeem(t.Context(), got.Grant, user("ada"), relay.LogIn())
				assert.ErrorIs(t, err, relay.ErrGrantRedeemed)
			}
		})
	}
}

func TestSetKeys_RefusesAnotherLookupKey(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	var invalid *relay.ConfigError
	require.ErrorAs(t, b.h.SetKeys(t.Context(), relay.RandomKeys()), &invalid)
	require.ErrorAs(t, b.h.SetKeys(t.Context(), relay.Keys{}), &invalid)
}

func key(name string) []byte { return []byte(strings.Repeat(name, 32)) }
