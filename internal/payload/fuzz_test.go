package payload

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	own64 "github.com/aimbrain/aimbrain-go/internal/base64"
)

// FuzzBase64Text compares the reader of base64 with the decoded bytes.
func FuzzBase64Text(f *testing.F) {
	long := bytes.Repeat([]byte("\xff\xd8face"), 2000)
	f.Add([]byte(""), int64(0), uint16(1))
	f.Add([]byte("f"), int64(0), uint16(4))
	f.Add([]byte("fa"), int64(1), uint16(1))
	f.Add([]byte("face"), int64(-1), uint16(4))
	for _, off := range []int64{0, 1, 2, 3, 767, 768, 769, 11_998, 12_000} {
		for _, n := range []uint16{0, 1, 12, 768, 5000} {
			f.Add(long, off, n)
			f.Add(long[1:], off, n)
			f.Add(long[2:], off, n)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, off int64, n uint16) {
		text := base64.StdEncoding.EncodeToString(data)
		if !own64.Valid(text) || !own64.Valid([]byte(text)) {
			t.Fatal("is not taken for base64")
		}
		for name, file := range map[string]interface {
			io.ReaderAt
			size() int64
		}{"string": base64Text[string]{text}, "bytes": base64Text[[]byte]{[]byte(text)}} {
			if file.size() != int64(len(data)) {
				t.Fatalf("%s: size %d of %d", name, file.size(), len(data))
			}
			got, want := make([]byte, n), make([]byte, n)
			m, err := file.ReadAt(got, off)
			if off < 0 {
				if m != 0 || err == nil {
					t.Fatalf("%s: %d, %v", name, m, err)
				}
				continue
			}
			wantM, wantErr := bytes.NewReader(data).ReadAt(want, off)
			if m != wantM || !bytes.Equal(got, want) || (n > 0 && !errors.Is(err, wantErr)) {
				t.Fatalf("%s: %d, %v instead of %d, %v", name, m, err, wantM, wantErr)
			}
		}
	})
}

// FuzzMediaText tests that a medium is what it is taken for, and that no forwarded
// body stops the check.
func FuzzMediaText(f *testing.F) {
	for _, text := range []string{
		"/9j/4AAQSkZJRgABAQAAAQABAAD/", "AAAAGGZ0eXBtcDQy\n", "data:image/png;base64,iVBOR", "UklGR", "_9j_", "QQ==", "QQ=", "QUJD\r\nQUJD", "\xff\xd8\xff", " \t",
		`{"faces":["\/9j\/4AAQ","",1,null],"faces1":[],"voices":["\u0055klGR"]}`, `{"faces":[["a"]],"faces2":{"a":1}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := base64.StdEncoding.DecodeString(string(data))
		standard := err == nil && !bytes.ContainsAny(data, "\r\n")
		if own64.Valid(data) != standard {
			t.Fatalf("Valid: %v, and it decodes to %d bytes: %v", !standard, len(decoded), err)
		}
		if reason := notBase64(string(data)); strings.Contains(reason, "%!") || reason == "" {
			t.Fatal(reason)
		}
		if encodedAlready(data) != "" {
			text := data[:min(len(data), sniffedText)]
			if !bytes.HasPrefix(bytes.ToLower(bytes.TrimLeft(text, "\ufeff \t\r\n")), []byte("data:")) && bytes.ContainsFunc(text, func(r rune) bool {
				return r != '\ufeff' && r != ' ' && r != '\t' && r != '\r' && r != '\n' && (r > '~' || !isTextDigit(byte(r)))
			}) {
				t.Fatalf("%q is taken for text", text)
			}
		}
		b := &Builder{settings: Settings{Inspect: true}}
		b.inspectForwarded(data)
		for _, p := range b.problems {
			if p.Place == "" || p.Text == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// isTextDigit reports whether c occurs in base64 of any alphabet.
func isTextDigit(c byte) bool { return isBase64Digit(c) || c == '=' || c == '-' || c == '_' }
