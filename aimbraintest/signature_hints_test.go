package aimbraintest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// TestSignature_DeepNestingTakesBoundedWork: indented, a body that nests deeply takes
// the square of its size.
//
//nolint:paralleltest // it measures what the process allocates
func TestSignature_DeepNestingTakesBoundedWork(t *testing.T) {
	fake := aimbraintest.New(t)
	const depth = 3000
	body := `{"session":"s","faces":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, aimbrain.EndpointFaceAuth, bytes.NewReader([]byte(body)))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(aimbrain.HeaderAPIKey, fake.APIKey())
	request.Header.Set(aimbrain.HeaderSignature, "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSJ=")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, request)
	runtime.ReadMemStats(&after)
	assert.Equal(t, http.StatusUnauthorized, w.Code, w.Body.String())
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20))
}

func TestFakeSessions_RefusesIDsThatItCannotKeep(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for name, request := range map[string]aimbrain.SessionRequest{
		"user id": {UserID: strings.Repeat("u", 20_000), Device: "d", System: "s"},
		"device":  {UserID: "u", Device: strings.Repeat("d", 20_000), System: "s"},
	} {
		_, err := fake.Client().Sessions.Create(t.Context(), request)
		assert.ErrorIs(t, err, aimbrain.ErrBadRequest, name)
	}
}
