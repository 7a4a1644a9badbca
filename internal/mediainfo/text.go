package mediainfo

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
)

// Text is a kind of text where a binary file belongs.
type Text int

// The kinds of text.
const (
	NoText Text = iota
	HTML
	JSON
	XML
	Base64Text
	DataURL
	OtherText
)

// String returns the usual name, "" for NoText.
func (t Text) String() string {
	switch t {
	case HTML:
		return "HTML"
	case JSON:
		return "JSON"
	case XML:
		return "XML"
	case Base64Text:
		return "base64"
	case DataURL:
		return "a data URL"
	case OtherText:
		return "text"
	}
	return ""
}

// maxText is how much of a file is checked for being text. Some of the base64 in it is
// decoded.
const (
	maxText  = 4 << 10
	maxInner = 1 << 10
)

// text recognises text by its first bytes.
func (s *source) text(f *File) error {
	var buf [maxText]byte
	n := 0
	for n < len(buf) && uint64(n) < s.size {
		p, err := s.rest(uint64(n))
		if err != nil {
			return err
		}
		n += copy(buf[n:], p)
	}
	f.sniffText(buf[:n], uint64(n) == s.size)
	if f.Text == XML && f.Format == Unknown && bytes.Contains(buf[:n], []byte("<svg")) {
		f.Format, f.Text = SVG, NoText
	}
	return nil
}

// sniffText recognises a text by its start.
func (f *File) sniffText(p []byte, whole bool) {
	p = bytes.TrimLeft(bytes.TrimPrefix(p, []byte("\ufeff")), " \t\r\n\f")
	switch {
	case len(p) == 0 || !isText(p, whole):
		return
	case f.Format == SVG:
		return
	case len(p) > 5 && bytes.EqualFold(p[:5], []byte("data:")):
		comma := bytes.IndexByte(p, ',')
		if comma < 0 {
			break
		}
		f.Text = DataURL
		if bytes.Contains(bytes.ToLower(p[:comma]), []byte("base64")) {
			f.decode(p[comma+1:])
		}
		return
	case f.decode(p):
		f.Text = Base64Text
		return
	}
	f.Text = markup(p)
}

// isText reports whether bytes are UTF-8 without control characters.
func isText(p []byte, whole bool) bool {
	for i := 0; i < len(p); {
		c := p[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(p[i:]) && i > 0
		}
		i += n
	}
	return true
}

func markup(p []byte) Text {
	start := bytes.ToLower(p[:min(len(p), 512)])
	for bytes.HasPrefix(start, []byte("<!--")) {
		_, rest, ok := bytes.Cut(start, []byte("-->"))
		if !ok {
			return XML
		}
		start = bytes.TrimLeft(rest, " \t\r\n")
	}
	for _, tag := range [...]string{"<!doctype html", "<html", "<head", "<body", "<script", "<title", "<meta", "<div", "<h1", "<p>"} {
		if bytes.HasPrefix(start, []byte(tag)) {
			return HTML
		}
	}
	if bytes.HasPrefix(start, []byte("<?xml")) || bytes.HasPrefix(start, []byte("<!doctype")) || bytes.HasPrefix(start, []byte("<svg")) {
		if bytes.Contains(start, []byte("<html")) {
			return HTML
		}
		return XML
	}
	if len(start) == 0 {
		return OtherText
	}
	inner := bytes.TrimLeft(start[1:], " \t\r\n")
	switch {
	case start[0] == '{' && (len(inner) == 0 || inner[0] == '"' || inner[0] == '}'),
		start[0] == '[' && (len(inner) == 0 || bytes.IndexByte([]byte(`{["]-0123456789tfn`), inner[0]) >= 0),
		start[0] == '"' && bytes.IndexByte(start, ' ') < 0: // a string of base64
		return JSON
	}
	return OtherText
}

// decode reports whether a text is base64, in one of its alphabets, of a file that is
// recognised. Every byte of the text must be of the alphabet.
func (f *File) decode(p []byte) bool {
	var digits [maxInner]byte
	n, padded := 0, false
	urlSafe, breaks := false, false
	for _, c := range p {
		switch {
		case c == '\r' || c == '\n' || c == ' ' || c == '\t':
			breaks = true
			continue
		case c == '=':
			padded = true
			continue
		case padded:
			return false
		case c == '-':
			c, urlSafe = '+', true
		case c == '_':
			c, urlSafe = '/', true
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/':
		default:
			return false
		}
		if n < len(digits) {
			digits[n] = c
			n++
		}
	}
	if n < 8 {
		return false
	}
	var decoded [maxInner]byte
	m, err := base64.RawStdEncoding.Decode(decoded[:], digits[:n&^3])
	if err != nil {
		return false
	}
	inner := decoded[:m]
	f.Inner = Sniff(inner)
	if f.Inner == Unknown || f.Inner == Base64 {
		f.Inner = Unknown
		if isText(inner, false) && (bytes.HasPrefix(inner, []byte("<")) || bytes.HasPrefix(inner, []byte("{")) || bytes.HasPrefix(inner, []byte("["))) {
			f.InnerText = markup(inner)
		}
		// A long line of base64 digits is no text that a person writes.
		if f.InnerText == NoText && (breaks || n < 200) {
			return false
		}
	}
	f.URLSafe, f.LineBreaks = urlSafe, breaks
	return true
}
