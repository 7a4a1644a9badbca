package payload

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/base64"
)

// A Kind is what a medium captures.
type Kind int

// The kinds.
const (
	AnyKind Kind = iota
	Face
	Voice
)

// A Medium is one photo, video or recording. Its content lives in the variables of
// its functions, where neither fmt nor an encoder finds it.
type Medium struct {
	kind  Kind
	size  func() int                      // of its base64, 0 if not yet known
	write func(b *Builder, member string) // appends its base64 to a request
}

// Raw is a medium of raw bytes.
func Raw(raw []byte) Medium {
	return Medium{
		size:  func() int { return base64.EncodedLen(len(raw)) },
		write: func(b *Builder, member string) { b.rawMedium(member, raw) },
	}
}

// File is a medium in a regular file.
func File(path string) Medium {
	return Medium{
		size:  func() int { return 0 }, // a look at the file system may block
		write: func(b *Builder, member string) { b.fileMedium(member, path) },
	}
}

// Reader is a medium that is read to its end.
func Reader(r io.Reader) Medium {
	return Medium{
		size: func() int { return 0 },
		write: func(b *Builder, member string) {
			switch r.(type) {
			case nil:
				b.Refuse(b.place(member), "holds a reader that is nil", nil)
			case *bytes.Reader, *bytes.Buffer, *strings.Reader: // these never block
				b.readMedium(member, func(buf []byte) (int, bool, error) { return fill(buf, r, b.settings.Ended) })
			default:
				next, stop := b.aside(r, func() {})
				defer stop()
				b.readMedium(member, next)
			}
		},
	}
}

// Text is a medium that is base64 already.
func Text(text string) Medium {
	return Medium{
		size:  func() int { return len(text) },
		write: func(b *Builder, member string) { b.textMedium(member, text) },
	}
}

// Of returns the medium as one of a kind.
func (m Medium) Of(kind Kind) Medium {
	m.kind = kind
	return m
}

// Media writes an array of base64 strings.
func (b *Builder) Media(name string, media []Medium, kind Kind) {
	if len(media) == 0 {
		b.Refuse(name, "is empty: give at least one photo, video or recording", nil)
		return
	}
	b.Expect(EncodedSize(media) + 32) // includes the names and brackets around it
	b.Name(name)
	for i, item := range media {
		b.file = i
		if i == 0 {
			b.text(`["`)
		} else {
			b.text(`","`)
		}
		if item.kind != AnyKind && item.kind != kind {
			b.Refuse(b.place(name), mismatch(kind), nil)
		}
		if b.err != nil {
			return
		}
		start := len(b.buf)
		item.write(b, name)
		if b.err == nil && b.settings.Inspect {
			inspect(b, b.place(name), kind.inspected(), b.buf[start:])
		}
	}
	b.text(`"]`)
}

// place names the file that is being written, such as "faces[1]".
func (b *Builder) place(name string) string { return name + "[" + strconv.Itoa(b.file) + "]" }

func mismatch(want Kind) string {
	if want == Voice {
		return "holds a photo or a video, where a recording of a voice is needed"
	}
	return "holds a recording of a voice, where a photo or a video of a face is needed"
}

// EncodedSize is the size of the array in JSON, as far as it is known before files
// are opened and readers are read.
func EncodedSize(media []Medium) int {
	size := 0
	for _, item := range media {
		size += item.size() + 3 // with quotes and comma
	}
	return size
}

func (b *Builder) rawMedium(name string, raw []byte) {
	if len(raw) == 0 {
		b.Refuse(b.place(name), "holds a file of 0 bytes", nil)
		return
	}
	if reason := encodedAlready(raw); reason != "" {
		b.Refuse(b.place(name), reason, nil)
		return
	}
	b.encode(raw)
}

func (b *Builder) textMedium(name, text string) {
	switch {
	case text == "":
		b.Refuse(b.place(name), "holds an empty base64 text", nil)
	case !base64.Valid(text):
		b.Refuse(b.place(name), "holds "+notBase64(text), nil)
	default:
		b.text(text)
		if b.err == nil {
			b.hash()
		}
	}
}
