package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRun_AcceptsOnlyTheUsersFace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, "ada's face: paid\nmallory's face: refused\n", out.String())
}

func TestBackend_SendsTheResultAndNotTheScore(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u-1", "ada")
	session, err := fake.Client().Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
	require.NoError(t, err)
	loggedIn := true
	b := &backend{client: fake.Client(), session: func(*http.Request) (string, bool) { return session.ID, loggedIn }}
	post := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		b.pay(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pay", strings.NewReader(body)))
		return w
	}
	face := `{"faces":["AAAA"],"session":"s"}`
	fake.Queue(
		aimbraintest.Code(aimbrain.CodePoorBrightness).On(aimbrain.EndpointFaceAuth),
		aimbraintest.Status(http.StatusInternalServerError).On(aimbrain.EndpointFaceAuth),
	)
	assert.Equal(t, http.StatusUnprocessableEntity, post(face).Code)
	assert.Equal(t, http.StatusBadGateway, post(face).Code)
	assert.Equal(t, http.StatusBadRequest, post(`{"session":"a","session":"b"}`).Code, "a request with a duplicate member")
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(strings.Repeat(" ", aimbrain.MaxRequestBytes+1)).Code)
	loggedIn = false
	assert.Equal(t, http.StatusUnauthorized, post(face).Code)
	fake.AssertCount(t, aimbrain.EndpointFaceAuth, 2)
}
