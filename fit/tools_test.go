package fit

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// needTools skips a test on a machine without the programs, whose names are in the
// message. With CI_REQUIRE_MEDIA_TOOLS=1 the test fails there.
func needTools(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI_REQUIRE_MEDIA_TOOLS") == "1" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// run runs a program and returns its standard output.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of this command
		require.NoError(t, err, "%s %v: %s", name, args, exit.Stderr)
	}
	require.NoError(t, err)
	return string(out)
}
