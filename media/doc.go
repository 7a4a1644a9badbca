// Package media reports what is wrong with a photo, a video or a recording before
// it is sent, and what mends it.
//
// [Inspect] reads the headers of a file in memory, [InspectReaderAt] those of any
// other. Both return a [Report]: what the file is, and all of its problems. They
// decode nothing, send nothing, and never fail: what cannot be read is a problem of
// the report.
//
//	report := media.Inspect(data)
//	for _, p := range report.Problems {
//		fmt.Println(p.Severity, p.Message, p.Fix)
//	}
//
// A report without problems does not say that the API accepts the file: no face is
// looked for, and nothing behind the headers is decoded.
package media
