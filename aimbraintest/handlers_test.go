package aimbraintest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// Where a forgotten part of an endpoint belongs.
const (
	addHandler = "add its handler to handlers in aimbraintest/handlers.go"
	addMembers = "is there a member that it requires? Add it to membersOf in aimbraintest/handlers_test.go"
	addMedia   = "add the media of its module to kindOf in aimbraintest/media_check.go, and to mediaOf in aimbraintest/handlers_test.go"
	addScored  = "its handler must pass each score through scored, see aimbraintest/handlers.go"
	fromRow    = "the row in internal/endpoints decides this, not the handler"
)

// membersOf returns the members of a valid request to an endpoint. The fake ignores
// those that an endpoint does not have.
func membersOf(t testing.TB, row endpoints.Endpoint, session string) map[string]any {
	t.Helper()
	members := map[string]any{
		"userId": "u", "device": "iPhone6,2", "system": "s",
		"tokentype": aimbrain.TokenAuth,
		"touches":   aimbraintest.Behaviour("ada", 20).Touches,
	}
	if row.Session {
		members["session"] = session
	}
	for _, name := range row.Media {
		members[name] = [][]byte{mediaOf(t, row)}
	}
	return members
}

// mediaOf returns a small file that an endpoint accepts.
func mediaOf(t testing.TB, row endpoints.Endpoint) []byte {
	t.Helper()
	switch row.Module {
	case endpoints.Face:
		return aimbraintest.FacePhoto("ada", aimbraintest.Resolution(16, 16))
	case endpoints.Voice:
		return aimbraintest.VoiceWAV("ada", aimbraintest.SampleRate(1000))
	}
	t.Fatalf("%s: no media of its module: %s", row.Path, addMedia)
	return nil
}

func bodyOf(t testing.TB, members map[string]any) []byte {
	t.Helper()
	body, err := json.Marshal(members)
	require.NoError(t, err)
	return body
}

// ready returns a rig whose session has all that an endpoint may need: the token of a
// voice, and an entry of /v1/score.
func ready(t *testing.T) rig {
	t.Helper()
	r := newRig(t)
	_, err := r.client.Voice.Token(t.Context(), r.id, aimbrain.TokenAuth)
	require.NoError(t, err)
	_, err = r.client.Behaviour.Submit(t.Context(), r.id, aimbraintest.Behaviour("ada", 3))
	require.NoError(t, err)
	return r
}

// send sends a valid request to an endpoint.
func (r rig) send(row endpoints.Endpoint) (aimbrain.Response, error) {
	r.t.Helper()
	return r.client.Forward(r.t.Context(), row.Path, bodyOf(r.t, membersOf(r.t, row, r.id)))
}

// eachEndpoint runs a test for each row that has a property. The endpoint of the row
// has a handler.
func eachEndpoint(t *testing.T, has func(row endpoints.Endpoint) bool, test func(t *testing.T, row endpoints.Endpoint)) {
	t.Helper()
	for _, row := range endpoints.All() {
		if !has(row) {
			continue
		}
		t.Run(strings.TrimPrefix(row.Path, "/v1/"), func(t *testing.T) {
			t.Parallel()
			require.Contains(t, aimbraintest.HandlerPaths(), row.Path, "%s has no handler: %s", row.Path, addHandler)
			test(t, row)
		})
	}
}

func anyRow(endpoints.Endpoint) bool          { return true }
func withSession(row endpoints.Endpoint) bool { return row.Session }
func takesMedia(row endpoints.Endpoint) bool  { return len(row.Media) > 0 }

func TestHandlers_EveryEndpointIsProcessed(t *testing.T) {
	t.Parallel()
	for _, path := range aimbraintest.HandlerPaths() {
		assert.Contains(t, aimbrain.Endpoints(), path, "%s has a handler and is not in internal/endpoints", path)
	}
	eachEndpoint(t, anyRow, func(t *testing.T, row endpoints.Endpoint) {
		r := ready(t)
		before := r.fake.Processed(row.Path)
		response, err := r.send(row)
		require.NoError(t, err, "%s refuses a valid request: %s", row.Path, addMembers)
		assert.Equal(t, before+1, r.fake.Processed(row.Path))
		for _, name := range row.Scores {
			score, ok := object(t, response)[name].(float64)
			assert.True(t, ok && score >= 0 && score <= 1, "%s: the response has no score %q: %s", row.Path, name, addHandler)
		}
		scored := len(row.Scores) > 0 || row.List != ""
		assert.Equal(t, scored, response.Header.Get("X-Aimbraintest-Score") == "simulated", "%s: %s", row.Path, fromRow)
		requests := r.fake.RequestsTo(row.Path)
		assert.Len(t, requests[len(requests)-1].Media(), len(row.Media), "%s: Request.Media: %s", row.Path, fromRow)
	})
}

func object(t *testing.T, response aimbrain.Response) map[string]any {
	t.Helper()
	members := map[string]any{}
	require.NoError(t, json.Unmarshal(response.Body, &members))
	return members
}

func TestHandlers_EverySessionIsChecked(t *testing.T) {
	t.Parallel()
	eachEndpoint(t, withSession, func(t *testing.T, row endpoints.Endpoint) {
		r := ready(t)
		before := r.fake.Processed(row.Path)
		_, err := r.client.Forward(t.Context(), row.Path, bodyOf(t, membersOf(t, row, "no session")))
		require.ErrorIs(t, err, aimbrain.ErrSessionNotFound, "%s with a session that does not exist: %s", row.Path, fromRow)
		members := membersOf(t, row, r.id)
		delete(members, "session")
		_, err = r.client.Forward(t.Context(), row.Path, bodyOf(t, members))
		require.ErrorIs(t, err, aimbrain.ErrBadRequest, "%s without a session: %s", row.Path, fromRow)
		r.fake.Advance(2 * time.Hour)
		_, err = r.send(row)
		require.ErrorIs(t, err, aimbrain.ErrSessionNotFound, "%s with a session that expired: %s", row.Path, fromRow)
		assert.Equal(t, before, r.fake.Processed(row.Path))
	})
}

func TestHandlers_EveryMediumIsChecked(t *testing.T) {
	t.Parallel()
	eachEndpoint(t, takesMedia, func(t *testing.T, row endpoints.Endpoint) {
		missing := aimbrain.CodeNoFaces
		if row.Module == endpoints.Voice {
			missing = aimbrain.CodeNoVoices
		}
		good := mediaOf(t, row)
		for _, name := range row.Media {
			for _, fault := range []struct {
				name  string
				value any
				want  aimbrain.Code
				place string // in the error text
			}{
				{name: "missing", value: nil, want: missing, place: `"` + name + `" is missing`},
				{name: "empty array", value: []string{}, want: missing, place: `"` + name + `" is empty`},
				{name: "not base64", value: []string{"?"}, want: aimbrain.CodeUndecodableData, place: name + "[0]"},
				{name: "one byte too large", value: [][]byte{good, make([]byte, aimbraintest.MaxMediaBytes+1)}, want: aimbrain.CodeFileTooBig, place: name + "[1]"},
				{name: "another format", value: [][]byte{aimbraintest.FaceVideo("ada")[:8]}, place: name + "[0]"},
			} {
				r := ready(t)
				members := membersOf(t, row, r.id)
				members[name] = fault.value
				_, err := r.client.Forward(t.Context(), row.Path, bodyOf(t, members))
				var refused *aimbrain.APIError
				require.ErrorAs(t, err, &refused, "%s, %s: %s: %s", row.Path, name, fault.name, fromRow)
				assert.Contains(t, refused.Message, fault.place, "%s, %s: %s", row.Path, name, fault.name)
				if fault.want != 0 {
					assert.ErrorIs(t, err, fault.want, "%s, %s: %s", row.Path, name, fault.name)
				}
				assert.Zero(t, r.fake.Processed(row.Path), "%s, %s: %s: %s", row.Path, name, fault.name, fromRow)
			}
		}
	})
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

func TestFake_CompareNeedsNoSessionAndStoresNothing(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	photo, video := aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.Videos(aimbraintest.FaceVideo("ada"))
	same, err := client.Face.Compare(t.Context(), photo, video)
	require.NoError(t, err)
	assert.True(t, same.Matches(0.8))
	assert.Zero(t, same.Liveliness1)
	assert.GreaterOrEqual(t, same.Liveliness2, 0.85)
	face, _, _ := fake.Status("")
	assert.Equal(t, aimbrain.NotEnrolled, face)
}
