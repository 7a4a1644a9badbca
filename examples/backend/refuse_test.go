package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRefuse_StatusOfEachError(t *testing.T) {
	t.Parallel()
	const canary = "canary of the upstream"
	tests := []struct {
		name       string
		stub       aimbraintest.Stub
		setUp      func(*aimbraintest.Fake, *aimbrain.Client)
		status     int
		body       string
		retryAfter string
	}{
		{name: "retake", stub: aimbraintest.Code(aimbrain.CodePoorBrightness), status: 422, body: "Please try again in better light.\n"},
		{name: "broken media", stub: aimbraintest.Code(aimbrain.CodeMalformedImage), status: 422, body: "this file cannot be used\n"},
		{name: "not enrolled", setUp: func(f *aimbraintest.Fake, _ *aimbrain.Client) { f.Forget("u-1") }, status: 409, body: "enroll first\n"},
		{name: "session expired", setUp: func(f *aimbraintest.Fake, _ *aimbrain.Client) { f.Advance(3 * time.Hour) }, status: 401, body: "log in again\n"},
		{name: "rate limited", stub: aimbraintest.Status(429).WithHeader("Retry-After", "60"), status: 503, body: "not now\n", retryAfter: "60"},
		{name: "rate limited for years", stub: aimbraintest.Status(429).WithHeader("Retry-After", "99999999999999"), status: 503, body: "not now\n", retryAfter: "60"},
		{name: "closed", setUp: func(_ *aimbraintest.Fake, c *aimbrain.Client) { _ = c.Close() }, status: 503, body: "not now\n", retryAfter: "5"},
		{name: "lost response", stub: aimbraintest.LostResponse(), status: 502, body: "something went wrong\n"},
		{name: "server error", stub: aimbraintest.Raw(500, "application/json", `{"error":"`+canary+`"}`), status: 502, body: "something went wrong\n"},
		{name: "no JSON", stub: aimbraintest.Raw(200, "text/html", canary), status: 502, body: "something went wrong\n"},
		{name: "credentials", setUp: func(f *aimbraintest.Fake, _ *aimbrain.Client) { f.RemoveCredentials(f.APIKey()) }, status: 500, body: "something went wrong\n"},
		{name: "firewall", stub: aimbraintest.Raw(403, "text/html", canary), status: 500, body: "something went wrong\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fake := aimbraintest.New(t)
			fake.Enroll("u-1", "ada")
			client := fake.Client()
			session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
			require.NoError(t, err)
			if tt.setUp != nil {
				tt.setUp(fake, client)
			} else {
				fake.Queue(tt.stub)
			}
			_, err = client.Face.Auth(t.Context(), session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.WithMaxAttempts(1))
			require.Error(t, err)
			w := httptest.NewRecorder()
			refuse(w, err)
			assert.Equal(t, tt.status, w.Code, "%v", err)
			assert.Equal(t, tt.body, w.Body.String())
			assert.Equal(t, tt.retryAfter, w.Header().Get("Retry-After"))
			assert.NotContains(t, w.Body.String(), canary)
		})
	}
	t.Run("another package's", func(t *testing.T) {
		t.Parallel()
		w := httptest.NewRecorder()
		refuse(w, errors.New("the database is gone"))
		assert.Equal(t, http.StatusInternalServerError, w.Code)
	})
	t.Run("certificate", func(t *testing.T) {
		t.Parallel()
		fake := aimbraintest.New(t, aimbraintest.WithUntrustedCertificate())
		_, err := fake.Client().Score.Get(t.Context(), "s")
		w := httptest.NewRecorder()
		refuse(w, err)
		assert.Equal(t, http.StatusInternalServerError, w.Code, "a retry does not help: %v", err)
	})
}
