package media_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/media"
)

var update = flag.Bool("update", false, "write the table of docs/media.md from the rules")

// TestLimits_AreInTheDocuments compares the table of the page with the rules. It writes
// the table with -update.
func TestLimits_AreInTheDocuments(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../docs/media.md", "<!-- limits -->\n", "<!-- end of limits -->"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	var b strings.Builder
	b.WriteString("| rule | of a | accepted | otherwise | source |\n|---|---|---|---|---|\n")
	for _, l := range media.Limits() {
		purpose := l.Purpose.String()
		if l.Purpose == media.AnyPurpose {
			purpose = "face or voice"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", l.Rule, purpose, l.Accepted, l.Severity, l.Source)
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o600))
		return
	}
	assert.Equal(t, b.String(), table, "run go test ./media -run TestLimits -update")
}
