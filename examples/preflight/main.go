// Preflight prints what is wrong with photos, videos and recordings, and what mends
// it, without sending them:
//
//	go run ./examples/preflight selfie.heic clip.mov memo.m4a
//
// It exits with 1 if the API would refuse one of the files, and with 2 if one cannot
// be opened.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/aimbrain/aimbrain-go/media"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, problems io.Writer) int {
	flags := flag.NewFlagSet("preflight", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() {
		fmt.Fprintln(problems, "usage: preflight [-as face|voice] FILE…")
		flags.PrintDefaults()
	}
	purpose := media.AnyPurpose
	flags.Func("as", "what the files are sent as: face or voice; by default sound is a voice, and all else a face", func(name string) error {
		switch name {
		case "face":
			purpose = media.Face
		case "voice":
			purpose = media.Voice
		default:
			return fmt.Errorf("%q is neither face nor voice", name)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	code := 0
	for _, path := range flags.Args() {
		report, err := inspect(path)
		if err != nil {
			fmt.Fprintln(problems, "preflight:", err)
			code = 2
			continue
		}
		report = report.As(purpose)
		fmt.Fprintf(out, "%s: %s\n", path, report)
		if report.Severity() == media.Refused {
			code = max(code, 1)
		}
	}
	return code
}

func inspect(path string) (media.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return media.Report{}, err
	}
	defer file.Close() //nolint:errcheck // closing after reading loses nothing
	info, err := file.Stat()
	switch {
	case err != nil:
		return media.Report{}, err
	case !info.Mode().IsRegular():
		return media.Report{}, fmt.Errorf("%s is not a regular file", path)
	}
	report := media.InspectReaderAt(file, info.Size())
	return report, report.Err
}
