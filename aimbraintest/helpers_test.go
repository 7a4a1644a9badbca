package aimbraintest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// sign returns a signature without the signer of the client.
func sign(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// An exchange is a response on the wire.
type exchange struct {
	status int
	header http.Header
	body   string
}

// code returns the first code of a response in the error form.
func (e exchange) code(t *testing.T) int {
	t.Helper()
	var form struct {
		Error  string `json:"error"`
		Errors []struct {
			Description string `json:"description"`
			Code        int    `json:"code"`
		} `json:"errors"`
	}
	require.NoError(t, json.Unmarshal([]byte(e.body), &form), e.body)
	require.NotEmpty(t, form.Error)
	if len(form.Errors) == 0 {
		return 0
	}
	assert.NotEmpty(t, form.Errors[0].Description)
	return form.Errors[0].Code
}

// do sends a request through the fake's transport.
func do(t *testing.T, fake *aimbraintest.Fake, r *http.Request) exchange {
	t.Helper()
	response, err := fake.Transport().RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return exchange{response.StatusCode, response.Header, string(body)}
}

// request returns a request with a valid signature.
func request(t testing.TB, fake *aimbraintest.Fake, endpoint, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.aimbrain.com"+endpoint, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-aimbrain-apikey", fake.APIKey())
	r.Header.Set("X-aimbrain-signature", sign(fake.APISecret(), "POST\n"+endpoint+"\n"+body))
	return r
}

func post(t *testing.T, fake *aimbraintest.Fake, endpoint, body string) exchange {
	t.Helper()
	return do(t, fake, request(t, fake, endpoint, body))
}

func sessionRequest(userID string) aimbrain.SessionRequest {
	return aimbrain.SessionRequest{UserID: userID, Device: "iPhone6,2", System: "iOS 9.2.1", ScreenHeight: 568, ScreenWidth: 320}
}

func newSession(t testing.TB, client *aimbrain.Client, userID string) aimbrain.Session {
	t.Helper()
	session, err := client.Sessions.Create(t.Context(), sessionRequest(userID))
	require.NoError(t, err)
	return session
}

// withMedia returns the body of a request with media.
func withMedia(session, member string, media ...[]byte) string {
	texts := make([]string, 0, len(media))
	for _, data := range media {
		texts = append(texts, base64.StdEncoding.EncodeToString(data))
	}
	var b bytes.Buffer
	quoted, _ := json.Marshal(texts)
	fmt.Fprintf(&b, `{"session":%q,%q:%s}`, session, member, quoted)
	return b.String()
}

// A recorderTB is a testing.TB that records failures and does not fail.
type recorderTB struct {
	testing.TB

	errors   []string
	cleanups []func()
}

type fatal struct{}

func (r *recorderTB) Helper()           {}
func (r *recorderTB) Cleanup(do func()) { r.cleanups = append(r.cleanups, do) }
func (r *recorderTB) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorderTB) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(fatal{})
}
func (r *recorderTB) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// run runs a test with the recorder as its t and returns the failures. The test
// ends at a call of Fatal.
func (r *recorderTB) run(test func(t *recorderTB)) []string {
	func() {
		defer func() {
			if v := recover(); v != nil {
				if _, ok := v.(fatal); !ok {
					panic(v)
				}
			}
		}()
		test(r)
	}()
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return r.errors
}

// session returns the body with the string "ID" replaced by id.
func session(body, id string) string { return strings.ReplaceAll(body, `"ID"`, strconv.Quote(id)) }

const sessionBody = `{"userId": "user", "device":"device", "system":"system"}`

// loopback returns a client that reaches the fake over a port.
func loopback(t *testing.T, fake *aimbraintest.Fake) *aimbrain.Client {
	t.Helper()
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// once returns an option that turns retries off.
func once() aimbrain.Option {
	policy := aimbrain.DefaultRetryPolicy()
	policy.MaxAttempts = 1
	return aimbrain.WithRetry(policy)
}

// A rig is a fake with an enrolled user in a session.
type rig struct {
	t      *testing.T
	fake   *aimbraintest.Fake
	client *aimbrain.Client
	id     string
}

func newRig(t *testing.T, opts ...aimbrain.Option) rig {
	t.Helper()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client(append([]aimbrain.Option{once()}, opts...)...)
	return rig{t, fake, client, newSession(t, client, "u").ID}
}

func ada() aimbrain.Media { return aimbrain.Photos(aimbraintest.FacePhoto("ada")) }

func (r rig) auth() (aimbrain.FaceAuthResult, error) {
	return r.client.Face.Auth(r.t.Context(), r.id, ada())
}

func (r rig) enroll() error {
	_, err := r.client.Face.Enroll(r.t.Context(), r.id, ada())
	return err
}
