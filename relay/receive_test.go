package relay_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// A dripping body arrives at a rate, and never ends if it has no size.
type dripping struct {
	perSecond int
	size      int
	read      int
	ended     <-chan struct{}
}

func (d *dripping) Read(p []byte) (int, error) {
	if d.size > 0 && d.read >= d.size {
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Second / 4):
	case <-d.ended:
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), d.perSecond/4)
	for i := range p[:n] {
		p[i] = ' '
	}
	d.read += n
	return n, nil
}

func TestUpload_ThatIsSlowEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rate int
		want time.Duration
	}{
		{name: "1 kB a second", rate: 1000, want: 10 * time.Second},
		{name: "nothing", rate: 0, want: 10 * time.Second},
		{name: "5 kB a second without end", rate: 5000, want: 60 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBank(t)
				ada := b.app("ada")
				began := time.Now()
				end := make(chan struct{})
				got := ada.do(ada.request(aimbrain.EndpointFaceAuth, &dripping{perSecond: tt.rate, ended: end}))
				assert.Equal(t, "too_slow", got.kind())
				assert.Equal(t, http.StatusRequestTimeout, got.status)
				assert.Equal(t, tt.want, time.Since(began).Round(time.Second))
				b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 0)
				close(end)
			})
		})
	}
}

func TestUpload_FromASlowPhoneSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		body := ada.media("faces", face("ada", 1))
		slow := io.MultiReader(&dripping{perSecond: 8000, size: 200_000}, strings.NewReader(body))
		assert.Equal(t, "accepted", ada.do(ada.request(aimbrain.EndpointFaceAuth, slow)).kind())
	})
}

// TestUpload_ThatIsSlowEndsOverANetwork is about the goroutine that reads: net/http
// waits for it when the handler returns.
func TestUpload_ThatIsSlowEndsOverANetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		client, server := net.Pipe()
		s := &http.Server{Handler: b.h, ReadHeaderTimeout: time.Second}
		listener := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
		listener.conns <- server
		go func() { _ = s.Serve(listener) }()
		defer s.Close() //nolint:errcheck // the end of the test
		_, err := io.WriteString(client, "POST /v1/face/auth HTTP/1.1\r\nHost: a\r\nX-User: "+ada.user+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
		require.NoError(t, err)
		began := time.Now()
		response, err := io.ReadAll(client)
		require.NoError(t, err)
		assert.Contains(t, string(response), "HTTP/1.1 408 ")
		assert.Contains(t, string(response), `"code":"too_slow"`)
		assert.Less(t, time.Since(began), 15*time.Second)
		require.NoError(t, b.h.Shutdown(t.Context()))
	})
}

type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestBudget_OfOneUserServesTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada, bob := b.app("ada"), b.app("bob")
		end := make(chan struct{})
		var group sync.WaitGroup
		var mu sync.Mutex
		kinds := map[string]int{}
		for range 12 { // of 1 MB each
			group.Go(func() {
				body := io.MultiReader(strings.NewReader(strings.Repeat(" ", 1<<20)), &dripping{perSecond: 8000, ended: end})
				got := ada.do(ada.request(aimbrain.EndpointFaceAuth, body))
				mu.Lock()
				defer mu.Unlock()
				kinds[got.kind()]++
			})
		}
		pass(2 * time.Second)
		synctest.Wait()
		mu.Lock()
		busy := kinds["busy"]
		mu.Unlock()
		assert.GreaterOrEqual(t, busy, 4, "8 MiB are those of a user")
		assert.Equal(t, "accepted", bob.face(face("bob", 1)).kind())
		close(end)
		group.Wait()
		assert.Equal(t, "accepted", ada.face(face("ada", 1)).kind(), "the room was given back")
	})
}

func TestBudget_WaitsASecondForRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		end := make(chan struct{})
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				ada.do(ada.request(aimbrain.EndpointFaceAuth, io.MultiReader(strings.NewReader(strings.Repeat(" ", 1<<20-100)), &dripping{ended: end})))
			})
		}
		synctest.Wait()
		began := time.Now()
		got := ada.face(face("ada", 1))
		assert.Equal(t, "busy", got.kind())
		assert.Equal(t, http.StatusServiceUnavailable, got.status)
		assert.Equal(t, time.Second, time.Since(began))
		time.AfterFunc(time.Second/2, func() { close(end) })
		assert.Equal(t, "accepted", ada.face(face("ada", 1)).kind())
		group.Wait()
	})
}

func TestAudit_RecordsDecisionsWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.order("7", payment("7", 12_50, "DE01"))
	ada := b.app("ada").with("X-Order", "7")
	accepted := ada.face(face("ada", 1))
	ada.face(face("mallory", 1))
	_, err := b.h.Redeem(t.Context(), accepted.Grant, user("ada"), payment("7", 12_50, "DE01"))
	require.NoError(t, err)
	_, err = b.h.Score(t.Context(), user("ada"), ada.session)
	require.NoError(t, err)
	require.NoError(t, b.h.Block(t.Context(), user("ada")))
	require.NoError(t, b.h.Unblock(t.Context(), user("ada")))
	keys := b.keys
	require.NoError(t, b.h.SetKeys(t.Context(), keys))
	(&app{bank: b, h: b.h}).post(aimbrain.EndpointFaceAuth, "{}")
	(&app{bank: b, h: b.h}).post(aimbrain.EndpointFaceAuth, "{}")
	require.NoError(t, b.h.Shutdown(t.Context()))

	var kinds []audit.Kind
	for _, r := range b.audit.all() {
		kinds = append(kinds, r.Kind)
		for _, secret := range []string{ada.session, accepted.Grant, "customer-ada", "u-ada"} {
			assert.NotContains(t, strings.Join([]string{string(r.User), r.Action, r.Reason, string(r.Fingerprint), r.RequestID, r.Decision}, " "), secret)
		}
	}
	assert.Equal(t, []audit.Kind{
		audit.KindPolicy, audit.KindRequest, audit.KindRequest, audit.KindRequest, audit.KindRedeem, audit.KindScore,
		audit.KindBlock, audit.KindLift, audit.KindKeys, audit.KindRefused, audit.KindPolicy,
	}, kinds)
	records := b.audit.all()
	first := records[2]
	assert.Equal(t, "accepted", first.Decision)
	assert.Equal(t, `payment "7" 1250 EUR to "DE01"`, first.Action)
	assert.Equal(t, 200, first.Status)
	assert.Equal(t, "succeeded", first.Outcome)
	assert.NotEmpty(t, first.Fingerprint)
	assert.NotEmpty(t, first.User)
	assert.Positive(t, first.Size)
	require.Len(t, first.Scores, 2)
	assert.Greater(t, first.Scores[0].Value, 0.5)
	assert.Equal(t, "rejected", records[3].Decision)
	refused := records[9]
	assert.Equal(t, "unauthorized", refused.Reason)
	assert.EqualValues(t, 2, refused.Count, "one record for each reason")
}

func TestAudit_CountsRefusalsOncePerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		stranger := &app{bank: b, h: b.h}
		for range 1000 {
			stranger.post(aimbrain.EndpointFaceAuth, "{}")
		}
		assert.Len(t, b.audit.all(), 1, "the policy alone")
		pass(time.Minute)
		synctest.Wait()
		records := b.audit.all()
		require.Len(t, records, 2)
		assert.EqualValues(t, 1000, records[1].Count)
	})
}

func TestAudit_BehaviourHasNoFingerprint(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	ada.post(aimbrain.EndpointBehaviour, `{"session":"`+ada.session+`","textEvents":[{"t":1,"tx":"1234","ids":[]}]}`)
	records := b.audit.all()
	assert.Empty(t, records[len(records)-1].Fingerprint, "a PIN could be guessed from it")
}

func TestLog_HoldsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var events []relay.Event
	b := newBank(t, relay.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))), relay.WithObserver(func(_ context.Context, e relay.Event) { events = append(events, e) }))
	ada := b.app("ada")
	got := ada.face(face("ada", 1))
	ada.post(aimbrain.EndpointBehaviour, `{"session":"`+ada.session+`","textEvents":[{"t":1,"tx":"PIN 1234","ids":[]}]}`)
	for _, secret := range []string{ada.session, got.Grant, "customer-ada", "u-ada", "PIN 1234", "score", b.fake.APIKey()} {
		assert.NotContains(t, out.String(), secret)
	}
	assert.Contains(t, out.String(), `"result":"accepted"`)
	require.Len(t, events, 3)
	assert.Equal(t, aimbrain.EndpointFaceAuth, events[1].Endpoint)
	assert.Equal(t, "accepted", events[1].Result)
	assert.Positive(t, events[1].Size)
}

func TestBehaviour_IsEmptyOrAStepUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		body string
		want string
	}{
		{name: "above the threshold", body: `{"score":0.8,"status":1}`, want: `{}`},
		{name: "below", body: `{"score":0.2,"status":1}`, want: `{"result":"step_up"}`},
		{name: "status 0 is never a pass", body: `{"score":0.9,"status":0}`, want: `{"result":"step_up"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t)
			ada := b.app("ada")
			b.fake.Queue(aimbraintest.Raw(200, "application/json", tt.body))
			got := ada.post(aimbrain.EndpointBehaviour, `{"session":"`+ada.session+`","touches":[]}`)
			assert.JSONEq(t, tt.want, got.text)
			state, err := b.h.State(t.Context(), user("ada"))
			require.NoError(t, err)
			assert.Zero(t, state)
		})
	}
}

func TestHandler_IsMountedUnderAPrefix(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	mux := http.NewServeMux()
	mux.Handle("/biometrics/", http.StripPrefix("/biometrics", b.h))
	server := httptest.NewServer(mux)
	defer server.Close()
	post := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(ada.media("faces", face("ada", 1))))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-User", "ada")
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	assert.Equal(t, http.StatusOK, post("/biometrics/v1/face/auth"))
	assert.Equal(t, http.StatusNotFound, post("/biometrics/v1/face%2Fauth"))
}
