package media_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aimbrain/aimbrain-go/media"
)

// FuzzInspect looks for a panic, for reports that contradict themselves, for a
// difference between a file in memory and one that is read, and for a duration that is
// not known and passes.
func FuzzInspect(f *testing.F) {
	names, err := filepath.Glob("../internal/mediainfo/testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, data := range files(f) {
		f.Add(data[:3000])
	}
	for _, seed := range starts() {
		f.Add([]byte(seed))
	}
	f.Fuzz(checkReport)
}

// FuzzFormats puts its input behind the first bytes of each format.
func FuzzFormats(f *testing.F) {
	for i, data := range starts() {
		f.Add(uint(i), []byte(data))
	}
	f.Fuzz(func(t *testing.T, format uint, rest []byte) {
		heads := starts()
		checkReport(t, append([]byte(heads[format%uint(len(heads))]), rest...))
	})
}

// starts are the first bytes of each format that has a reader of its own, and of
// texts.
func starts() []string {
	return []string{
		"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x00\x00\x00\x00....",
		"GIF89a\x10\x00\x10\x00", "BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",
		"RIFF\x24\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x0f\x00\x00\x0f\x00\x00", "RIFF\x24\x00\x00\x00WEBPVP8 ",
		"II*\x00\x08\x00\x00\x00", "MM\x00*\x00\x00\x00\x08",
		"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1\x00\x00\x04\x00meta\x00\x00\x00\x00", "\x00\x00\x00\x14ftypavif\x00\x00\x00\x00mif1",
		"\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51\x00\x29\x00\x00", "\x00\x00\x00\x0cJXL \r\n\x87\n", "\xff\x0a",
		"\x00\x00\x01\x00\x01\x00", "\xff\xd8\xff\xe1\x00\x40Exif\x00\x00MM\x00*\x00\x00\x00\x08",
		"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00",
		"RIFF\x00\x10\x00\x00AVI LIST\x00\x01\x00\x00hdrl", "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x12\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x02\x00\x0aonMetaData\x08\x00\x00\x00\x04",
		"FORM\x00\x00\x01\x00AIFFCOMM\x00\x00\x00\x12", "FORM\x00\x00\x01\x00AIFCCOMM\x00\x00\x00\x18", ".snd\x00\x00\x00\x18",
		"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a",
		"fLaC\x00\x00\x00\x22\x10\x00\x10\x00", "ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64", "\xff\xf1\x50\x80",
		"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00....\x01\x13OpusHead\x01\x01\x38\x01", "OggS\x00\x02", "#!AMR\n\x3c", "#!AMR-WB\n\x44",
		"data:image/jpeg;base64,", "/9j/4AAQSkZJRgABAQAAAQABAAD/", "<!-- a --><html>", "{\"faces\":[\"", "\ufeff <?xml version=\"1.0\"?><svg",
	}
}

func checkReport(t *testing.T, data []byte) {
	t.Helper()
	r := media.Inspect(data)
	c := &counter{data: data}
	read := media.InspectReaderAt(c, int64(len(data)))
	if r.String() != read.String() || r.Truncation != read.Truncation || r.Location != read.Location {
		t.Fatalf("in memory:\n%s\nread:\n%s", r, read)
	}
	if c.reads > 64 || c.bytes > 64<<10 {
		t.Fatalf("%d reads of %d bytes", c.reads, c.bytes)
	}
	if r.Err != nil || r.Size != int64(len(data)) || r.Width < 0 || r.Height < 0 || r.Duration < 0 || r.SampleRate < 0 ||
		r.Channels < 0 || r.BitsPerSample < 0 || !(r.FrameRate >= 0) || r.Orientation < 0 || r.Orientation > 8 || r.Rotation%90 != 0 || r.Rotation < 0 {
		t.Fatalf("%+v", r)
	}
	if r.DurationKnown != (r.Duration > 0) {
		t.Fatalf("a duration of %v that is known: %v", r.Duration, r.DurationKnown)
	}
	for _, purpose := range []media.Purpose{media.AnyPurpose, media.Face, media.Voice} {
		as := r.As(purpose)
		if (r.Kind == media.KindVideo || r.Kind == media.KindRecording || r.Kind == media.KindUnknown || r.Kind == media.KindText) && !r.DurationKnown && as.Problems == nil {
			t.Fatalf("it passes as %s with an unknown duration: %s", purpose, as)
		}
		last := media.Refused
		for _, p := range as.Problems {
			if p.Message == "" || p.Fix == "" || p.Rule == "" || p.Source == "" || p.Severity > last {
				t.Fatalf("%+v", p)
			}
			last = p.Severity
		}
		if bytes.Contains([]byte(as.String()), []byte("\x00")) {
			t.Fatalf("%q", as)
		}
	}
}
