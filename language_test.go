package aimbrain_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLanguage_BannedWords holds the list of words in CONTRIBUTING.md: it reads the
// list from there, so that the two are the same.
func TestLanguage_BannedWords(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(page), "<!-- banned words -->\n")
	require.True(t, found)
	list, _, found = strings.Cut(list, "<!-- end of banned words -->")
	require.True(t, found)
	var words []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \|$`).FindAllStringSubmatch(list, -1)[1:] {
		for word := range strings.SplitSeq(row[1], ", ") {
			words = append(words, regexp.QuoteMeta(word))
		}
	}
	require.Greater(t, len(words), 8)
	banned := regexp.MustCompile(`(?i)\b(` + strings.Join(words, "|") + `)\b`)
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "fuzz") {
			return filepath.SkipDir
		}
		if extension := filepath.Ext(path); entry.IsDir() || extension != ".go" && extension != ".md" && extension != ".yml" && extension != ".sh" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, after, isPage := strings.Cut(string(text), "<!-- end of banned words -->")
		if isPage {
			before, _, _ := strings.Cut(string(text), "<!-- banned words -->")
			text = []byte(before + after)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := banned.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: see the list in CONTRIBUTING.md", path, i+1, word)
			}
		}
		return nil
	}))
	assert.Regexp(t, banned, "it was "+"carried"+" out")
}
