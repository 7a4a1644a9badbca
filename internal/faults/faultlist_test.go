package faults_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

const listHeader = `<!-- Generated from the fault matrix. Do not edit: change internal/faults and run
     go test ./internal/faults -run TestFaultList -update -->

# The list of faults

What may go wrong between a caller and the API, and what the library does about it. The list is generated from the fault matrix in ` + "`internal/faults`" + `. A cell is one row on one endpoint, over HTTP/1.1 or HTTP/2 where that differs, in one variant. The server counts the requests that it received and executed, so that *sent once* is measured there. Where a row waits, time is virtual (` + "`testing/synctest`" + `). Where the operating system matters, sockets are real. Rows 65 to 67 and 70 are tested further in ` + "`options_test.go` and `interpret_secrets_test.go`" + `.

` + "```sh" + `
go test ./internal/faults -run TestMatrix              # run the matrix
go test ./internal/faults -run TestFaultList -update   # update this file
` + "```" + `

## Outcomes

The outcome of a call is what ` + "`aimbrain.OutcomeOf(err)`" + ` returns.

| outcome | meaning | retried |
|---|---|---|
| not sent | the request was provably never written, or was refused unread | every call, unless the row says *not retried*: the failure would repeat itself |
| unknown | the request may have been processed | only a call that is safe to repeat; any other is sent once, and the error says that the request may have been processed |
| refused | the API, or a gateway in front of it, responded with an error that says that the request was not processed | no, but for 429 |
| succeeded | the request was processed, and its response is the result | – |

Where a row about a response with status 200 says *error*, the outcome is unknown: the API says that it processed the request, in a response that cannot be used. Such an error is typed, the call is not retried, and no part of the response is returned as a result.

## Calls that are safe to repeat

| after an unknown outcome | endpoints |
|---|---|
`

// listPage returns the text of docs/faults.md.
func listPage() string {
	var page strings.Builder
	page.WriteString(listHeader)
	for _, class := range []struct {
		class endpoints.Repeat
		text  string
	}{
		{endpoints.Always, "retried"},
		{endpoints.OptIn, "sent once, retried only with `RetryPolicy.RetryUnknownOutcome` or `WithRetryUnknownOutcome()`"},
		{endpoints.Never, "sent once, always: a second execution would change what is stored about a person"},
	} {
		var endpoints []string
		for _, call := range calls.Where(func(c calls.Call) bool { return c.Repeat == class.class }) {
			endpoints = append(endpoints, "`"+call.Path+"`")
		}
		fmt.Fprintf(&page, "| %s | %s |\n", class.text, strings.Join(endpoints, ", "))
	}
	page.WriteString("\n## The faults\n\n| # | fault | what happens | cells |\n|---|---|---|---:|\n")
	for _, row := range sortedMatrix() {
		fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", row.number, inTable(row.fault), inTable(row.outcome), grouped(len(row.cells)))
	}
	fmt.Fprintf(&page, "\n%s cells in all.\n", grouped(cellsOf(matrix())))
	return page.String()
}

func cellsOf(rows []row) int {
	total := 0
	for _, row := range rows {
		total += len(row.cells)
	}
	return total
}

// sortedMatrix returns the rows in the order of their numbers: 5, 5b, 6.
func sortedMatrix() []row {
	rows := matrix()
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.number.base(), b.number.base()), cmp.Compare(a.number, b.number))
	})
	return rows
}

// inTable escapes a text for a cell of a Markdown table.
func inTable(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}

// grouped formats 2868 as 2,868.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

// The numbers have no gap, and no row is empty.
func TestFaultList_NumbersAreUnique(t *testing.T) {
	t.Parallel()
	want := number(1)
	for _, row := range sortedMatrix() {
		switch {
		case row.number.letter() != "":
			assert.Equal(t, want-1, row.number.base(), "there is no row %s before row %s: add it", row.number.base(), row.number)
		default:
			assert.Equal(t, want, row.number, "row %s, %q, where row %s must be: number the rows from 1 without a gap, and use each number once", row.number, row.fault, want)
			want = row.number + 1
		}
		assert.NotEmpty(t, row.cells, "row %s has no cell: write one", row.number)
		assert.NotEmpty(t, row.fault, "row %s does not name its fault", row.number)
		assert.NotEmpty(t, row.outcome, "row %s does not say what happens", row.number)
	}
}

// The test compares docs/faults.md with the matrix, or writes it with -update.
func TestFaultList_MatchesMatrix(t *testing.T) {
	t.Parallel()
	path, page := filepath.Join("..", "..", "docs", "faults.md"), listPage()
	if isUpdate() {
		require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
		return
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, page, string(written), "docs/faults.md differs from the matrix: run go test ./internal/faults -run TestFaultList -update")
}

// docs/reliability.md states the number of cells twice. With -update the test
// corrects it.
func TestFaultList_NumberOfCellsInReliability(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "reliability.md")
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	number := regexp.MustCompile(`[\d,]+( cells\. |, all pass)`)
	require.Len(t, number.FindAll(page, -1), 2, "docs/reliability.md no longer states the number of cells: change the pattern")
	right := number.ReplaceAllString(string(page), grouped(cellsOf(matrix()))+"$1")
	if isUpdate() {
		require.NoError(t, os.WriteFile(path, []byte(right), 0o644))
		return
	}
	if right != string(page) {
		t.Errorf("the matrix has %s cells, and docs/reliability.md another number: run go test ./internal/faults -run TestFaultList -update", grouped(cellsOf(matrix())))
	}
}

func isUpdate() bool { return flag.Lookup("update").Value.String() == "true" }
