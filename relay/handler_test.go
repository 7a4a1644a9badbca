package relay_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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

func TestHandler_RejectsAnImpostor(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	got := b.app("ada").face(face("mallory", 1))
	assert.JSONEq(t, `{"result":"rejected"}`, got.text)
	assert.Equal(t, http.StatusOK, got.status)
}

// readOnce fails the test if the body of a refused request is read.
type readOnce struct {
	t *testing.T
}

func (r readOnce) Read([]byte) (int, error) {
	r.t.Error("the body was read")
	return 0, io.EOF
}

func TestHandler_RefusesBeforeItReadsTheBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		path   string
		method string
		header map[string]string
		user   string
		status int
		code   string
	}{
		{name: "no user", user: "-", status: 401, code: "unauthorized"},
		{name: "unknown path", path: "/v1/face/delete", status: 404, code: "not_found"},
		{name: "score is not for apps", path: "/v1/score", status: 404, code: "not_found"},
		{name: "compare is not for apps", path: "/v1/face/compare", status: 404, code: "not_found"},
		{name: "path in another case", path: "/v1/Face/auth", status: 404, code: "not_found"},
		{name: "path that is not clean", path: "/v1//face/auth", status: 404, code: "not_found"},
		{name: "path with dots", path: "/v1/x/../face/auth", status: 404, code: "not_found"},
		{name: "escaped path", path: "/v1/face%2Fauth", status: 404, code: "not_found"},
		{name: "slash at the end", path: "/v1/face/auth/", status: 404, code: "not_found"},
		{name: "method", method: http.MethodGet, status: 405, code: "method_not_allowed"},
		{name: "form", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type"},
		{name: "text, which a form can send across origins", header: map[string]string{"Content-Type": "text/plain"}, status: 415, code: "unsupported_media_type"},
		{name: "compressed", header: map[string]string{"Content-Encoding": "gzip"}, status: 415, code: "unsupported_media_type"},
		{name: "cross-site", header: map[string]string{"Sec-Fetch-Site": "cross-site"}, status: 403, code: "cross_origin"},
		{name: "another origin", header: map[string]string{"Origin": "https://evil.example"}, status: 403, code: "cross_origin"},
		{name: "an opaque origin", header: map[string]string{"Origin": "null"}, status: 403, code: "cross_origin"},
		{name: "an order that does not exist", header: map[string]string{"X-Order": "8"}, status: 403, code: "action_refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", readOnce{t})
			if tt.path == "" {
				tt.path = aimbrain.EndpointFaceAuth
			}
			r.URL, _ = url.Parse(tt.path)
			if tt.method != "" {
				r.Method = tt.method
			}
			r.Header.Set("Content-Type", "application/json")
			if tt.user == "" {
				r.Header.Set("X-User", "ada")
			}
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			got := (&app{bank: b}).send(b.h, r)
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, tt.code, got.Code)
			assert.NotEmpty(t, got.Error, "the vendor's web client reads it")
			assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
			b.fake.AssertNoRequests(t)
		})
	}
}

func TestHandler_RefusesAUserThatIsNotAnonymous(t *testing.T) {
	t.Parallel()
	for name, u := range map[string]relay.User{
		"no ID":                {APIUserID: "u"},
		"no API user ID":       {ID: "c"},
		"customer number sent": {ID: "c", APIUserID: "c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t, relay.WithUser(func(*http.Request) (relay.User, error) { return u, nil }))
			got := (&app{bank: b, h: b.h}).post(aimbrain.EndpointSessions, `{"userId":"a","device":"d","system":"s"}`)
			assert.Equal(t, http.StatusInternalServerError, got.status)
			b.fake.AssertNoRequests(t)
		})
	}
}

func TestHandler_AcceptsWhatTheVendorsAppsSend(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	for _, tt := range []struct {
		name, path, body string
	}{
		{name: "web session", path: aimbrain.EndpointSessions, body: `{"userId":"x","device":"Other","system":null,"screenHeight":1920,"screenWidth":1080}`},
		{name: "iOS session", path: aimbrain.EndpointSessions, body: `{"userId":"x","system":"iOS 9","device":"iPhone6,2","screenWidth":375.0,"screenHeight":667.5,"metadata":"AAAA"}`},
		{name: "web behaviour", path: aimbrain.EndpointBehaviour, body: `{"session":"S","mouseEvents":[],"keyUpDownEvents":[]}`},
		{name: "Android behaviour", path: aimbrain.EndpointBehaviour, body: `{"touches":[{"tid":1,"gid":2,"t":1.0E-4,"p":-0}],"accelerations":[],"textEvents":[],"session":"S"}`},
		{name: "arrays that are not known", path: aimbrain.EndpointBehaviourSubmit, body: `{"gyroscope":[1],"session":"S"}`},
		{name: "face token, pretty", path: aimbrain.EndpointFaceToken, body: "{\r\n  \"tokentype\": \"auth\",\r\n  \"session\": \"S\"\r\n}"},
		{name: "voice token", path: aimbrain.EndpointVoiceToken, body: `{"session":"S","tokentype":"enroll-6"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ada.post(tt.path, strings.Replace(tt.body, `"S"`, `"`+ada.session+`"`, 1))
			if strings.Contains(tt.body, "null") { // the fake refuses it as the API may
				assert.Contains(t, []int{200, 400}, got.status, got.text)
				return
			}
			assert.Equal(t, http.StatusOK, got.status, got.text)
		})
	}
	t.Run("photo with escapes", func(t *testing.T) {
		t.Parallel()
		body := strings.ReplaceAll(ada.media("faces", face("ada", 40)), "/", `\/`)
		body = strings.ReplaceAll(body, "=", `\u003d`)
		assert.Equal(t, "accepted", ada.post(aimbrain.EndpointFaceAuth, body).kind())
	})
}

func TestHandler_RefusesMembersAndMediaThatAreNotKnown(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	photo := ada.media("faces", face("ada", 1))
	insert := func(member string) string { return strings.Replace(photo, "{", "{"+member+",", 1) }
	for _, tt := range []struct {
		name, path, body string
		status           int
		code             string
	}{
		{name: "unknown member", body: insert(`"user":"u-bob"`)},
		{name: "userId in an authentication", body: insert(`"userId":"u-bob"`)},
		{name: "session twice", body: insert(`"session":"` + ada.session + `"`)},
		{name: "session in another case", body: insert(`"Session":"a"`)},
		{name: "escaped session twice", body: insert(`"s\u0065ssion":"a"`)},
		{name: "nested session twice", body: insert(`"metadata":{"session":"a","session":"b"}`)},
		{name: "metadata that is no string", body: insert(`"metadata":{}`)},
		{name: "no session", body: `{"faces":["AAAA"]}`},
		{name: "session that is no string", body: `{"faces":["AAAA"],"session":1}`},
		{name: "two faces", body: ada.media("faces", face("ada", 1), face("bob", 1))},
		{name: "no face", body: ada.media("faces")},
		{name: "a face that is no array", body: `{"faces":"AAAA","session":"S"}`},
		{name: "a face in an array of arrays", body: `{"faces":[["AAAA"]],"session":"S"}`},
		{name: "a number beside the face", body: `{"faces":["AAAA",1],"session":"S"}`},
		{name: "voices of a face", body: ada.media("voices", face("ada", 1))},
		{name: "wrapped base64", body: `{"faces":["AAAA\nAAAA"],"session":"S"}`, status: 422, code: "media_invalid"},
		{name: "base64 with junk", body: `{"faces":["AA!AAAA="],"session":"S"}`, status: 422, code: "media_invalid"},
		{name: "behaviour with a member that is no array", path: aimbrain.EndpointBehaviour, body: `{"touches":[],"user":"u-bob","session":"S"}`},
		{name: "token without a type", path: aimbrain.EndpointFaceToken, body: `{"session":"S"}`},
		{name: "token of an odd type", path: aimbrain.EndpointFaceToken, body: `{"session":"S","tokentype":"auth\u0000"}`},
		{name: "not JSON", body: `session=a`},
		{name: "array", body: `[]`},
		{name: "data behind", body: photo + "{}"},
		{name: "byte order mark", body: "\ufeff" + photo},
		{name: "2 MB", body: strings.Repeat(" ", 2_000_000) + photo, status: 413, code: "too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.status == 0 {
				tt.status, tt.code = 400, "invalid_request"
			}
			if tt.path == "" {
				tt.path = aimbrain.EndpointFaceAuth
			}
			got := ada.post(tt.path, strings.Replace(tt.body, `"S"`, `"`+ada.session+`"`, 1))
			assert.Equal(t, tt.status, got.status, got.text)
			assert.Equal(t, tt.code, got.Code)
		})
	}
	t.Cleanup(func() { b.fake.AssertCount(t, aimbrain.EndpointFaceAuth, 0) })
}

func TestHandler_SetsTheUserAndTheDevice(t *testing.T) {
	t.Parallel()
	b := newBank(t, relay.WithDevice(func(_ *http.Request, u relay.User) (string, error) { return "device of " + u.ID, nil }))
	b.app("ada")
	requests := b.fake.RequestsTo(aimbrain.EndpointSessions)
	require.Len(t, requests, 1)
	assert.Equal(t, "u-ada", requests[0].Member("userId"))
	assert.Equal(t, "device of customer-ada", requests[0].Member("device"))
}

func TestHandler_TrustedOriginHasNoCookies(t *testing.T) {
	t.Parallel()
	const origin = "capacitor://localhost"
	cookies := ""
	b := newBank(t, relay.WithTrustedOrigins(origin, "null"), relay.WithUser(func(r *http.Request) (relay.User, error) {
		cookies = r.Header.Get("Cookie")
		return userOf(r)
	}))
	ada := b.app("ada").with("Origin", origin).with("Sec-Fetch-Site", "cross-site").with("Cookie", "session=bank")
	got := ada.face(face("ada", 1))
	assert.Equal(t, "accepted", got.kind())
	assert.Empty(t, cookies)
	assert.Equal(t, origin, got.header.Get("Access-Control-Allow-Origin"))
	assert.Empty(t, got.header.Get("Access-Control-Allow-Credentials"))
	assert.Equal(t, "cross_origin", ada.with("Origin", "capacitor://localhost.evil").face(face("ada", 2)).kind())

	preflight := func(origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, aimbrain.EndpointFaceAuth, nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "content-type,x-user")
		w := httptest.NewRecorder()
		b.h.ServeHTTP(w, r)
		return w
	}
	w := preflight(origin)
	assert.Equal(t, http.StatusNoContent, w.Code)
	assert.Equal(t, "content-type,x-user", w.Header().Get("Access-Control-Allow-Headers"))
	w = preflight("https://evil.example")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
}

func TestHandler_ResponseHasNoScoreAndNoTextOfTheAPI(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	var sizes []int
	for i, stub := range []aimbraintest.Stub{aimbraintest.Score(0.01), aimbraintest.Score(0.49999), aimbraintest.Score(0.3)} {
		b.fake.Queue(stub.WithHeader("X-Score", "0.4"))
		got := ada.face(face("ada", i))
		assert.JSONEq(t, `{"result":"rejected"}`, got.text)
		assert.Empty(t, got.header.Get("X-Score"))
		sizes = append(sizes, len(got.text))
	}
	assert.Equal(t, []int{sizes[0], sizes[0], sizes[0]}, sizes)
	const canary = "canary of the API"
	b.fake.Queue(aimbraintest.Code(aimbrain.CodeBlurry).WithMessage(canary))
	got := ada.face(face("ada", 9))
	assert.NotContains(t, got.text, canary)
	assert.NotEqual(t, "accepted", got.kind())
}

func TestNew_RefusesWhatIsMissingOrUnsaid(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	rule := relay.Rule{Threshold: 0.5, Liveliness: relay.NotRequired, Token: relay.NotRequired}
	policy := func(face relay.Rule) relay.Option { return relay.WithPolicy(relay.Policy{Face: face, Voice: rule}) }
	valid := []relay.Option{relay.WithUser(userOf), policy(rule), relay.WithKeys(relay.RandomKeys()), relay.WithoutAudit()}
	_, err := relay.New(b.fake.Client(), valid...)
	require.NoError(t, err)
	without := func(i int) []relay.Option {
		return append(append([]relay.Option(nil), valid[:i]...), valid[i+1:]...)
	}
	with := func(o relay.Option) []relay.Option { return append(append([]relay.Option(nil), valid...), o) }
	for _, tt := range []struct {
		name    string
		opts    []relay.Option
		mention string
	}{
		{name: "no user", opts: without(0), mention: "WithUser"},
		{name: "no policy", opts: without(1), mention: "WithPolicy"},
		{name: "no keys", opts: without(2), mention: "WithKeys"},
		{name: "no audit", opts: without(3), mention: "WithAudit"},
		{name: "silence on the threshold", opts: with(policy(relay.Rule{Liveliness: relay.NotRequired, Token: relay.NotRequired})), mention: "Face.Threshold"},
		{name: "silence on liveliness", opts: with(policy(relay.Rule{Threshold: 0.5, Token: relay.NotRequired})), mention: "Face.Liveliness"},
		{name: "silence on the token", opts: with(policy(relay.Rule{Threshold: 0.5, Liveliness: relay.NotRequired})), mention: "Face.Token"},
		{name: "liveliness without its threshold", opts: with(policy(relay.Rule{Threshold: 0.5, Liveliness: relay.Required, Token: relay.NotRequired})), mention: "LivelinessThreshold"},
		{name: "threshold 0", opts: with(policy(relay.Rule{Threshold: 1.1, Liveliness: relay.NotRequired, Token: relay.NotRequired})), mention: "Threshold"},
		{name: "the zero policy", opts: with(relay.WithPolicy(relay.Policy{})), mention: "Face.Threshold"},
		{name: "a nil option", opts: with(nil), mention: "nil"},
		{name: "a nil function", opts: with(relay.WithAction(nil)), mention: "WithAction"},
		{name: "grants of 6 minutes", opts: with(relay.WithGrantTime(6 * 60e9)), mention: "WithGrantTime"},
		{name: "an origin with a path", opts: with(relay.WithTrustedOrigins("https://a.example/")), mention: "WithTrustedOrigins"},
		{name: "any origin", opts: with(relay.WithTrustedOrigins("*")), mention: "WithTrustedOrigins"},
		{name: "enrolment again without enrolment", opts: with(relay.WithEnrolmentAgain()), mention: "WithEnrolment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := relay.New(b.fake.Client(), tt.opts...)
			assert.Nil(t, h)
			var invalid *relay.ConfigError
			require.ErrorAs(t, err, &invalid)
			assert.Contains(t, err.Error(), tt.mention)
		})
	}
}

func TestShutdown_WaitsAndRefuses(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ada := b.app("ada")
	require.NoError(t, b.h.Shutdown(t.Context()))
	got := ada.face(face("ada", 1))
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.Equal(t, "shutting_down", got.Code)
	_, err := b.h.Redeem(t.Context(), "x", user("ada"), relay.LogIn())
	require.ErrorIs(t, err, relay.ErrClosed)
	require.NoError(t, b.h.Shutdown(t.Context()))
}

func TestShutdown_WaitsForRequestsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		ada := b.app("ada")
		b.fake.Queue(aimbraintest.Score(0.9).After(5 * time.Second))
		var got reply
		go func() { got = ada.face(face("ada", 1)) }()
		synctest.Wait()
		limited, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.h.Shutdown(limited), context.DeadlineExceeded)
		require.NoError(t, b.h.Shutdown(t.Context()))
		synctest.Wait()
		assert.Equal(t, "accepted", got.kind(), "it was finished")
		records := b.audit.all()
		assert.Equal(t, audit.KindPolicy, records[len(records)-1].Kind, "the last record is that of the end")
		assert.Equal(t, len(records), b.audit.durable)
	})
}
