package media

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// Inspect reads the headers of a file and returns a report about it. It never fails
// and never panics, whatever data is. It reads as much as [InspectReaderAt] does, and
// keeps nothing of data.
func Inspect(data []byte) Report { return newReport(mediainfo.Examine(data)) }

// InspectReaderAt reads the headers of the file of size bytes in r and returns a
// report about it. It reads 64 KiB at most, in 64 reads at most, whatever sizes the
// file contains. An error of r is a problem of the report, see [Report.Err].
func InspectReaderAt(r io.ReaderAt, size int64) Report {
	if r == nil {
		r = bytes.NewReader(nil)
	}
	return newReport(mediainfo.ExamineAt(r, size))
}

func newReport(f mediainfo.File) Report {
	r := Report{
		Kind: kindOf(&f), Format: formatOf(f.Format, f.Variant, f.Text), Inner: formatOf(f.Inner, 0, f.InnerText), Size: f.Size,
		Codec: codecOf(f.VideoCodec), AudioCodec: codecOf(f.AudioCodec), Color: colorOf(f.Color),
		Orientation: f.Orientation, Rotation: f.Rotation, FrameRate: f.FrameRate,
		SampleRate: f.SampleRate, Channels: f.Channels,
		Duration: f.Duration, DurationKnown: f.Duration > 0 && !f.DurationUnknown,
		Truncation: truncationOf(f.Cut), Location: f.Location, Metadata: f.Metadata, Err: f.ReadErr(), file: f, inspected: true,
	}
	r.Width, r.Height = f.DisplaySize()
	switch r.AudioCodec {
	case CodecPCM, CodecFloat, CodecFLAC, CodecALAC, CodecMuLaw, CodecALaw:
		r.BitsPerSample = f.BitsPerSample
	}
	if f.Format == mediainfo.JPEG && f.Width > 0 {
		r.Codec = jpegCodecOf(&f)
	}
	return r.As(AnyPurpose)
}

// As returns the report with the problems that the file has for a purpose. Use it
// where the purpose is known: a photo that is sent as a voice is a problem, and
// [Inspect] alone cannot know. Only a report of Inspect or [InspectReaderAt] has
// problems.
func (r Report) As(purpose Purpose) Report {
	if purpose != Face && purpose != Voice {
		purpose = AnyPurpose
	}
	r.Purpose, r.Problems = purpose, nil
	if !r.inspected {
		return r
	}
	kind := mediainfo.Kind(purpose)
	problems := r.file.Problems(kind)
	if len(problems) == 0 {
		return r
	}
	command := Command(r.file.Command(kind, problems))
	r.Problems = make([]Problem, len(problems))
	for i, p := range problems {
		r.Problems[i] = Problem{
			Rule: Rule(p.Rule.ID), Severity: Severity(p.Rule.Severity), Message: p.Text, Fix: p.Fix,
			Command: command[:len(command):len(command)], Source: Source(p.Rule.Source),
		}
	}
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

// Command returns the command that mends all problems that a command can mend, nil if
// there are none. It is the command of every problem.
func (r Report) Command() Command {
	if len(r.Problems) == 0 {
		return nil
	}
	return r.Problems[0].Command
}

// String returns the report for a person, in several lines: what the file is, each
// problem with what mends it, and the command that mends them.
func (r Report) String() string {
	var b strings.Builder
	b.WriteString(r.summary())
	for _, p := range r.Problems {
		b.WriteString("\n  " + p.String())
	}
	if command := r.Command(); command != nil {
		b.WriteString("\n  command: " + command.String())
	}
	if len(r.Problems) == 0 {
		b.WriteString("\n  no problems found")
	}
	return b.String()
}

// summary describes the file in one line.
func (r Report) summary() string {
	parts := []string{r.Kind.String()}
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	add(string(r.Format))
	if r.Inner != FormatUnknown {
		add("of " + string(r.Inner))
	}
	add(string(r.Codec))
	if r.Color == CMYK || r.Color == Gray {
		add(r.Color.String())
	}
	if r.Width > 0 {
		add(strconv.Itoa(r.Width) + "x" + strconv.Itoa(r.Height))
	}
	if r.Orientation > 1 {
		add("EXIF orientation " + strconv.Itoa(r.Orientation))
	}
	if r.Rotation > 0 {
		add("rotated by " + strconv.Itoa(r.Rotation) + "°")
	}
	if r.FrameRate > 0 {
		add(strconv.FormatFloat(r.FrameRate, 'f', 1, 64) + " frames/s")
	}
	if r.AudioCodec != CodecUnknown {
		add("sound " + string(r.AudioCodec))
	}
	if r.SampleRate > 0 {
		add(strconv.Itoa(r.SampleRate) + " Hz")
	}
	if r.Channels > 0 {
		add(strconv.Itoa(r.Channels) + " channel" + strings.Repeat("s", min(r.Channels-1, 1)))
	}
	if r.BitsPerSample > 0 {
		add(strconv.Itoa(r.BitsPerSample) + " bit")
	}
	switch {
	case r.DurationKnown:
		add(strconv.FormatFloat(r.Duration.Round(time.Millisecond).Seconds(), 'f', -1, 64) + " s")
	case r.Kind == KindVideo || r.Kind == KindRecording:
		add("duration unknown")
	}
	add(strconv.FormatInt(r.Size, 10) + " bytes")
	if r.Truncation == Truncated {
		add("truncated")
	}
	if r.Metadata {
		add("metadata")
	}
	return strings.Join(parts, ", ")
}
