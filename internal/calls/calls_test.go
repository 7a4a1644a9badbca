package calls_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

const where = "internal/calls/table.go"

func TestAll_HasOneEntryForEachEndpoint(t *testing.T) {
	t.Parallel()
	entries := map[string]int{}
	for _, call := range calls.All() {
		entries[call.Path]++
		_, known := endpoints.Find(call.Path)
		assert.True(t, known, "%s has no row: add it to the table in internal/endpoints/endpoints.go", call.Path)
	}
	for _, row := range endpoints.All() {
		assert.Equal(t, 1, entries[row.Path], "entries of %s: add its typed call to %s", row.Path, where)
	}
}

func TestAll_ResponsesAreTheUsersOwn(t *testing.T) {
	t.Parallel()
	for _, call := range calls.All() {
		for _, user := range []int{0, 1, 41, 998} {
			result, err := call.Decode(aimbrain.Response{StatusCode: http.StatusOK, Body: []byte(call.Response(user))})
			if assert.NoError(t, err, "%s: response in %s does not decode", call.Path, where) {
				assert.NoError(t, call.Check(user, result), "%s: response and result in %s differ", call.Path, where)
			}
		}
		if call.Empty {
			continue
		}
		assert.NotEqual(t, call.Result(1), call.Result(2), "%s: two users have the same result: use the methods of User in %s", call.Path, where)
		other, err := call.Decode(aimbrain.Response{StatusCode: http.StatusOK, Body: []byte(call.Response(2))})
		if assert.NoError(t, err, call.Path) {
			assert.Error(t, call.Check(1, other), "%s: the result of another user passes", call.Path)
		}
		assert.NotEmpty(t, call.Broken, "%s: list responses in %s that the call must refuse: each member missing, null, of another type", call.Path, where)
	}
}

func TestAll_ScoresAreThoseOfTheRow(t *testing.T) {
	t.Parallel()
	for _, call := range calls.All() {
		var members []string
		for _, score := range calls.Scores(call.Result(1)) {
			if !score.Inner {
				members = append(members, score.Name)
			}
		}
		assert.ElementsMatch(t, members, call.Scores, "%s: scores of the result (left), Scores of the row in internal/endpoints/endpoints.go (right)", call.Path)
	}
}

// A sent is a transport that keeps the body of its request.
type sent struct{ body []byte }

func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	s.body = body
	if err == nil {
		err = http.ErrHandlerTimeout
	}
	return nil, err
}

func TestAll_RequestsHaveTheMembersOfTheRow(t *testing.T) {
	t.Parallel()
	const user = 41
	for _, call := range calls.All() {
		transport := &sent{}
		client, err := aimbrain.New("key", "secret", aimbrain.WithRegion(aimbrain.Development), aimbrain.WithTransport(transport))
		require.NoError(t, err)
		arguments, medium := call.Arguments(user), call.MediaOf(calls.User(user).Media())
		arguments.Media = []aimbrain.Media{medium, medium, medium} // enough for a row without its media
		_, err = call.DoWith(t.Context(), client, arguments, aimbrain.WithMaxAttempts(1))
		require.ErrorIs(t, err, http.ErrHandlerTimeout, call.Path)
		assert.Equal(t, user, calls.UserOf(transport.body), "%s: its request does not name the user: use the arguments in %s", call.Path, where)
		var request map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(transport.body, &request), call.Path)
		_, session := request["session"]
		assert.Equal(t, call.Session, session, "%s: Session of the row in internal/endpoints/endpoints.go differs from the request", call.Path)
		var media []string
		for name, member := range request {
			var files []string
			if json.Unmarshal(member, &files) != nil || len(files) == 0 {
				continue
			}
			if raw, err := base64.StdEncoding.DecodeString(files[0]); err == nil && string(raw) == string(calls.User(user).Media()) {
				media = append(media, name)
			}
		}
		assert.ElementsMatch(t, call.Media, media, "%s: Media of the row in internal/endpoints/endpoints.go (left) differs from the request (right)", call.Path)
	}
}

func TestUserOf_OtherBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{name: "user", body: `{"userId":"user-0000007"}`, want: 7},
		{name: "session before media", body: `{"faces":["` + base64.StdEncoding.EncodeToString(calls.User(8).Media()) + `"],"session":"user-0000007-session"}`, want: 7},
		{name: "media", body: `{"faces":["` + base64.StdEncoding.EncodeToString(calls.User(8).Media()) + `"]}`, want: 8},
		{name: "no user", body: `{"session":"4f1c2a9e-session","faces":[]}`, want: -1},
		{name: "number cut off", body: `{"userId":"user-00000"}`, want: -1},
		{name: "no JSON", body: `user-0000007`, want: -1},
	} {
		assert.Equal(t, c.want, calls.UserOf([]byte(c.body)), c.name)
	}
}

func TestTo_PanicsWithoutEntry(t *testing.T) {
	t.Parallel()
	assert.PanicsWithValue(t, "calls: /v1/iris/auth has no entry: add it to internal/calls/table.go", func() { calls.To("/v1/iris/auth") })
}
