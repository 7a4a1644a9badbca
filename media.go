package aimbrain

import (
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"strconv"
	"strings"
)

// Media is what a person's face or voice was captured in: one or more photos,
// videos or recordings, for [FaceService] and [VoiceService]. It is made by
// [Photos], [Videos], [Recordings], [Files], [Readers] or [Base64], and joined
// by [Media.Append]. The zero value holds nothing and is refused by every call.
//
// A call reads its media before it returns and before it sends anything; the
// caller's slices are the caller's again when the call has returned.
//
// The vendor's limits: 500 kB a file and less than 2 MB a request, base64
// included. Beyond that the vendor advises photos and videos of 640×480 at
// most, videos of 3 s, and recordings of 5 s at 16 kHz, and accepts more; with
// [WithLogger] the library warns of it and sends.
type Media struct {
	items []medium
}

type mediaKind int

const (
	anyKind mediaKind = iota
	faceKind
	voiceKind
)

// A medium is one photo, video or recording. What is in it lives in the
// variables of its functions, where neither fmt nor an encoder finds it.
type medium struct {
	kind  mediaKind
	size  func() int                   // of its base64, 0 where that is not known yet
	write func(b *body, member string) // appends its base64 to a request
}

// Photos is one or more JPEG photos of a face, as raw bytes.
func Photos(photos ...[]byte) Media { return mediaOf(faceKind, photos, rawMedium) }

// Videos is one or more H.264 videos of a face, as raw bytes.
func Videos(videos ...[]byte) Media { return mediaOf(faceKind, videos, rawMedium) }

// Recordings is one or more recordings of a voice, WAV or CAF with 16 kHz
// linear PCM, as raw bytes.
func Recordings(recordings ...[]byte) Media { return mediaOf(voiceKind, recordings, rawMedium) }

// Files is one or more photos, videos or recordings in files. They are opened
// when the call is made.
func Files(paths ...string) Media { return mediaOf(anyKind, paths, fileMedium) }

// Readers is one or more photos, videos or recordings, each read to its end
// when the call is made: such a value serves one call. Readers are not closed.
func Readers(readers ...io.Reader) Media { return mediaOf(anyKind, readers, readerMedium) }

// Base64 is one or more photos, videos or recordings that are standard base64
// already, as an app sends them. They go out as they are, and are not encoded
// a second time.
func Base64(texts ...string) Media { return mediaOf(anyKind, texts, textMedium) }

func mediaOf[T any](kind mediaKind, sources []T, item func(T) medium) Media {
	var m Media
	for _, source := range sources {
		one := item(source)
		one.kind = kind
		m.items = append(m.items, one)
	}
	return m
}

func rawMedium(raw []byte) medium {
	return medium{
		size:  func() int { return base64.StdEncoding.EncodedLen(len(raw)) },
		write: func(b *body, member string) { b.rawMedium(member, raw) },
	}
}

func fileMedium(path string) medium {
	return medium{
		size: func() int {
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() || info.Size() >= MaxRequestBytes {
				return 0
			}
			return base64.StdEncoding.EncodedLen(int(info.Size()))
		},
		write: func(b *body, member string) { b.fileMedium(member, path) },
	}
}

func readerMedium(r io.Reader) medium {
	return medium{
		size: func() int { return 0 },
		write: func(b *body, member string) {
			if r == nil {
				b.refuse(member, "holds a reader that is nil", nil)
				return
			}
			b.readMedium(member, r)
		},
	}
}

func textMedium(text string) medium {
	return medium{
		size:  func() int { return len(text) },
		write: func(b *body, member string) { b.textMedium(member, text) },
	}
}

// Append returns the media of both, in that order.
func (m Media) Append(more Media) Media {
	return Media{items: append(m.items[:len(m.items):len(m.items)], more.items...)}
}

// Len returns how many photos, videos and recordings there are.
func (m Media) Len() int { return len(m.items) }

// String tells how many there are, and nothing of what is in them.
func (m Media) String() string {
	if len(m.items) == 1 {
		return "1 file"
	}
	return strconv.Itoa(len(m.items)) + " files"
}

// mediaMember writes an array of base64 strings.
func (b *body) mediaMember(name string, m Media, kind mediaKind) {
	if len(m.items) == 0 {
		b.refuse(name, "is empty: give at least one photo, video or recording", nil)
		return
	}
	b.expect(m.encodedSize() + 32) // the names and brackets around it too
	b.name(name)
	for i, item := range m.items {
		if i == 0 {
			b.text(`["`)
		} else {
			b.text(`","`)
		}
		if item.kind != anyKind && item.kind != kind {
			b.refuse(name, mismatch(kind), nil)
		}
		if b.err == nil {
			item.write(b, name)
		}
	}
	b.text(`"]`)
}

func mismatch(want mediaKind) string {
	if want == voiceKind {
		return "holds a photo or a video, where a recording of a voice is needed"
	}
	return "holds a recording of a voice, where a photo or a video of a face is needed"
}

// encodedSize is the size of the array in JSON, as far as it can be known
// before files and readers are read.
func (m Media) encodedSize() int {
	size := 0
	for _, item := range m.items {
		size += item.size() + 3 // with quotes and comma
	}
	return size
}

func (b *body) rawMedium(name string, raw []byte) {
	if len(raw) == 0 {
		b.refuse(name, "holds a file of 0 bytes", nil)
		return
	}
	if encodedAlready(raw) {
		b.refuse(name, "holds base64 where raw bytes are expected: pass it as aimbrain.Base64, or it would be encoded twice", nil)
		return
	}
	if b.advise != nil {
		b.advise(raw)
	}
	b.encode(raw)
}

// encodedAlready reports whether bytes are the base64 text of a JPEG, WAV or
// CAF file: encoded again they would be noise to the API.
func encodedAlready(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("/9j/")) || bytes.HasPrefix(raw, []byte("UklGR")) || bytes.HasPrefix(raw, []byte("Y2FmZ"))
}

func (b *body) textMedium(name, text string) {
	switch {
	case text == "":
		b.refuse(name, "holds an empty base64 text", nil)
	case strings.HasPrefix(text, "data:"):
		b.refuse(name, "holds a data URL: pass only what follows its comma", nil)
	case !isBase64(text):
		b.refuse(name, "holds text that is not standard base64 with padding and without line breaks", nil)
	default:
		b.text(text)
		if b.err == nil {
			b.hash()
		}
	}
}

// isBase64 reports whether s is standard base64, the only form that may stand
// in the JSON unescaped.
func isBase64(s string) bool {
	if len(s)%4 != 0 {
		return false
	}
	digits := strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	var other [256]byte // a look-up without branches: media is long
	for c := range other {
		if !isBase64Digit(byte(c)) {
			other[c] = 1
		}
	}
	var found byte
	for i := range len(digits) {
		found |= other[digits[i]]
	}
	return found == 0
}

func isBase64Digit(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

func (b *body) fileMedium(name, path string) {
	file, err := os.Open(path)
	if err != nil {
		b.refuse(name, "holds a file that cannot be opened", err)
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	b.readMedium(name, file)
}

// readMedium encodes what a reader gives, piece by piece, and stops once the
// request is too large.
func (b *body) readMedium(name string, r io.Reader) {
	scratch, ok := b.buffers.scratch.Get().(*[chunk]byte)
	if !ok {
		scratch = new([chunk]byte)
	}
	defer b.buffers.scratch.Put(scratch)
	for first := true; b.err == nil; first = false {
		n, last, err := b.fill(scratch[:], r)
		piece := scratch[:n]
		switch {
		case err != nil:
			b.refuse(name, "holds a file that cannot be read to its end", err)
			return
		case first && (n == 0 || encodedAlready(piece)):
			b.rawMedium(name, piece) // says what is wrong
			return
		case first && b.advise != nil:
			b.advise(piece) // the headers are in the first piece, as a rule
		}
		b.encode(piece)
		if last {
			return
		}
	}
}

// fill reads until the buffer is full or the reader has ended, which io.EOF
// alone says: a download that was cut off says io.ErrUnexpectedEOF. It gives
// up with the call, and on a reader that never gives anything.
func (b *body) fill(buf []byte, r io.Reader) (n int, last bool, err error) {
	for empty := 0; n < len(buf); {
		if err := b.ended(); err != nil {
			return n, false, err
		}
		more, err := r.Read(buf[n:])
		n += more
		switch {
		case err == io.EOF: // as it is: inside another error it is no end
			return n, true, nil
		case err != nil:
			return n, false, err
		case more > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return n, false, io.ErrNoProgress
			}
		}
	}
	return n, false, nil
}
