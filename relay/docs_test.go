package relay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocs_NameTestsAndCodesThatExist holds docs/relay.md against the code: each attack
// names a test, and each code of an error is there.
func TestDocs_NameTestsAndCodesThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "relay.md"))
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(text)
	}
	tests := regexp.MustCompile(`Test[A-Z]\w*_\w+`).FindAllString(string(page), -1)
	require.Greater(t, len(tests), 40)
	for _, name := range tests {
		assert.Contains(t, code.String(), "func "+name+"(t *testing.T)")
	}
	codes := regexp.MustCompile(`code = "(\w+)"`).FindAllStringSubmatch(code.String(), -1)
	require.Greater(t, len(codes), 20)
	for _, c := range codes {
		if c[1] != "cancelled" { // nobody receives it
			assert.Contains(t, string(page), "`"+c[1]+"`")
		}
	}
}
