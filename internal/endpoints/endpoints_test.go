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
