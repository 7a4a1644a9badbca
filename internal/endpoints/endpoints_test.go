package endpoints_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// A second execution of these requests changes what is stored about a person. The
// test does not derive from the table, which could have the wrong class.
func TestAll_EnrolmentsAndBehaviourAreNeverRepeated(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, row := range endpoints.All() {
		if strings.HasSuffix(row.Path, "/enroll") || strings.HasPrefix(row.Path, "/v1/behavioural") {
			checked++
			assert.Equal(t, endpoints.Never, row.Repeat, "%s may be repeated: leave Repeat out of its row", row.Path)
		}
	}
	assert.GreaterOrEqual(t, checked, 4, "rows of enrolments and behaviour: the paths have changed, change the test")
}

func TestAll_ModulesFollowPaths(t *testing.T) {
	t.Parallel()
	modules := map[string]endpoints.Module{"face": endpoints.Face, "voice": endpoints.Voice, "behavioural": endpoints.Behaviour}
	for _, row := range endpoints.All() {
		service, _, _ := strings.Cut(strings.TrimPrefix(row.Path, "/v1/"), "/")
		assert.Equal(t, modules[service], row.Module, "Module of %s: correct its row, or add the service %q to this test", row.Path, service)
	}
}

// TestFind_UnknownPathIsNeverRepeated: a request that an app has serialised may have
// a path that the table lacks.
func TestFind_UnknownPathIsNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, row := range endpoints.All() {
		found, known := endpoints.Find(row.Path)
		assert.True(t, known, row.Path)
		assert.Equal(t, row, found)
	}
	for _, path := range []string{"", "/v1/scor", "/v1/score/", "/v1/face/quality"} {
		found, known := endpoints.Find(path)
		assert.False(t, known, path)
		assert.Equal(t, endpoints.Endpoint{Path: path, Repeat: endpoints.Never, Empty: true}, found)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	const slash, character, segments = "must begin with one slash", "holds a character", "must not hold empty"
	tests := []struct{ name, path, want, problem string }{
		{name: "an endpoint", path: "/v1/face/auth", want: "/v1/face/auth"},
		{name: "upper case", path: "/V1/Face/Auth", want: "/v1/face/auth"},
		{name: "every character that is allowed", path: "/azAZ09-_.~/", want: "/azaz09-_.~/"},
		{name: "dots within segments", path: "/.a/b./..c/d..", want: "/.a/b./..c/d.."},
		{name: "the root", path: "/", want: "/"},
		{name: "nothing", path: "", problem: slash},
		{name: "no slash", path: "v1/score", problem: slash},
		{name: "another host", path: "//other.example/v1/score", problem: slash},
		{name: "a URL", path: "https://other.example/", problem: slash},
		{name: "a query", path: "/v1/score?a", problem: character},
		{name: "a fragment", path: "/v1/score#a", problem: character},
		{name: "an escape", path: "/v1/%2e%2e", problem: character},
		{name: "before a", path: "/`", problem: character},
		{name: "behind z", path: "/{", problem: character},
		{name: "before A", path: "/@", problem: character},
		{name: "behind Z", path: "/[", problem: character},
		{name: "before 0", path: "/$", problem: character},
		{name: "behind 9", path: "/:", problem: character},
		{name: "a backslash", path: `/\other.example`, problem: character},
		{name: "white space", path: "/v1/score ", problem: character},
		{name: "a line break", path: "/v1/score\r\nX: y", problem: character},
		{name: "not ASCII", path: "/v1/scor\u00e9", problem: character},
		{name: "a character that lower case turns into ASCII", path: "/v1/to\u212aen", problem: character},
		{name: "an empty segment", path: "/v1//score", problem: segments},
		{name: "an empty segment at the end", path: "/v1/score//", problem: segments},
		{name: "a segment .", path: "/v1/./score", problem: segments},
		{name: "a segment ..", path: "/v1/../score", problem: segments},
		{name: "a segment . at the end", path: "/v1/.", problem: segments},
		{name: "a segment .. at the end", path: "/v1/..", problem: segments},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clean, problem := endpoints.Clean(tt.path)
			assert.Equal(t, tt.want, clean)
			if tt.problem == "" {
				assert.Empty(t, problem)
			} else {
				assert.Contains(t, problem, tt.problem)
			}
		})
	}
}
