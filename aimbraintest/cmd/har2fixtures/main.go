// Har2fixtures converts a HAR file, as browsers and proxies export it, into fixtures
// for aimbraintest.Record:
//
//	go run github.com/aimbrain/aimbrain-go/aimbraintest/cmd/har2fixtures login.har testdata/login
//
// It converts the calls of the API and leaves out all other requests. What it writes
// may be committed: the allow-list is that of aimbraintest.Record. The HAR file holds
// credentials and media.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aimbrain/aimbrain-go/internal/fixture"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "har2fixtures:", err)
		os.Exit(1)
	}
}

// run converts a file. It does not replace fixtures.
func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: har2fixtures FILE.har DIRECTORY")
	}
	data, err := os.ReadFile(args[0]) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	exchanges, others, err := fixture.FromHAR(data)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if len(exchanges) == 0 {
		return fmt.Errorf("%s: none of its %d requests is a call of the API", args[0], others)
	}
	files, err := fixture.ReadDir(args[1])
	if err != nil {
		return err
	}
	if len(files) > 0 {
		return fmt.Errorf("%s has fixtures: name another directory, or remove them", args[1])
	}
	if err := fixture.WriteDir(args[1], exchanges); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d calls of the API were written, and %d other requests left out\n", args[1], len(exchanges), others)
	return nil
}
