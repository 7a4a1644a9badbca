package aimbrain_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
)

var update = flag.Bool("update", false, "write the tables of docs/errors.md from the code")

// actionName returns the Go name of an action.
func actionName(a aimbrain.Action) string { return "`Action" + actionNames()[a] + "`" }

// actionNames are the Go names of the actions in the order of their values.
func actionNames() []string {
	return []string{
		"Unknown", "Retake", "FixMedia", "FixRequest", "Enroll", "RequestToken", "NewSession",
		"CheckCredentials", "RetryLater", "ContactVendor", "CheckGateway", "Confirm", "FixConfig",
	}
}

func statusTable(t *testing.T) string {
	t.Helper()
	kinds := []aimbrain.ErrorKind{
		aimbrain.ErrBadRequest, aimbrain.ErrUnauthorized, aimbrain.ErrSessionNotFound, aimbrain.ErrMediaRejected,
		aimbrain.ErrNotEnrolled, aimbrain.ErrTokenRequired, aimbrain.ErrRateLimited, aimbrain.ErrServerError,
	}
	var b strings.Builder
	b.WriteString("| HTTP status | `errors.Is` holds for | action | action when a gateway responded |\n|---|---|---|---|\n")
	for _, row := range []struct {
		status int
		name   string
		kind   aimbrain.ErrorKind
	}{
		{status: 400, name: "ErrBadRequest", kind: aimbrain.ErrBadRequest},
		{status: 401, name: "ErrUnauthorized", kind: aimbrain.ErrUnauthorized},
		{status: 403, name: "ErrSessionNotFound", kind: aimbrain.ErrSessionNotFound},
		{status: 404},
		{status: 407},
		{status: 408},
		{status: 413},
		{status: 422, name: "ErrMediaRejected", kind: aimbrain.ErrMediaRejected},
		{status: 424, name: "ErrNotEnrolled", kind: aimbrain.ErrNotEnrolled},
		{status: 460, name: "ErrTokenRequired", kind: aimbrain.ErrTokenRequired},
		{status: 429, name: "ErrRateLimited", kind: aimbrain.ErrRateLimited},
		{status: 500, name: "ErrServerError", kind: aimbrain.ErrServerError},
	} {
		kind, status := "–", fmt.Sprint(row.status)
		if row.name != "" {
			kind = "`" + row.name + "`"
		}
		for _, other := range kinds {
			require.Equal(t, row.kind == other, errors.Is(&aimbrain.APIError{StatusCode: row.status}, other), "%d %v", row.status, other)
		}
		if row.status == 500 {
			status = "500 to 599"
		}
		action := func(gateway bool) string {
			return actionName(aimbrain.ActionOf(&aimbrain.APIError{StatusCode: row.status, Gateway: gateway}))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", status, kind, action(false), action(true))
	}
	return b.String()
}

func codeTable() string {
	var b strings.Builder
	b.WriteString("| code | meaning | action | remedy | prompt for the person |\n|---|---|---|---|---|\n")
	for _, code := range aimbrain.Codes() {
		prompt := code.Prompt()
		if prompt == "" {
			prompt = "–"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", code, code.Description(), actionName(code.Action()), code.Remedy(), prompt)
	}
	return b.String()
}

// TestErrorsPage_TablesMatchCode compares the tables of docs/errors.md with the
// code, or writes them with -update.
func TestErrorsPage_TablesMatchCode(t *testing.T) {
	t.Parallel()
	const page = "docs/errors.md"
	written, err := os.ReadFile(page)
	require.NoError(t, err)
	text := string(written)
	for name, table := range map[string]string{"statuses": statusTable(t), "codes": codeTable()} {
		begin, end := "<!-- begin "+name+": go test . -run TestErrorsPage -update -->\n", "<!-- end "+name+" -->"
		before, rest, found := strings.Cut(text, begin)
		require.True(t, found, name)
		_, after, found := strings.Cut(rest, end)
		require.True(t, found, name)
		text = before + begin + "\n" + table + "\n" + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(text), 0o600))
		return
	}
	assert.Equal(t, text, string(written), "run go test . -run TestErrorsPage -update")
	for i, name := range actionNames() {
		assert.Contains(t, text, "\n| `Action"+name+"` |")
		assert.NotEqual(t, aimbrain.Action(i).String(), fmt.Sprintf("Action(%d)", i))
	}
	assert.Equal(t, fmt.Sprintf("Action(%d)", len(actionNames())), aimbrain.Action(len(actionNames())).String(), "a new action needs its name in actionNames and its row in docs/errors.md")
}
