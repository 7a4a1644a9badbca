package payload

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func isBase64Digit(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

// notBase64 describes a text that is not standard base64. The text is not
// corrected for the caller: what is sent, and signed, is what the caller passed.
func notBase64(text string) (what string) {
	what = "text that is not standard base64"
	if isDataURL([]byte(text[:min(len(text), sniffedText)])) {
		return "a data URL: pass only what follows its comma"
	}
	var breaks, spaces, urlSafe bool
	digits, padding := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\r' || c == '\n':
			breaks = true
		case c == ' ' || c == '\t':
			spaces = true
		case c == '=':
			padding++
		case padding > 0 || !isBase64Digit(c) && c != '-' && c != '_':
			return what
		default:
			digits++
			urlSafe = urlSafe || c == '-' || c == '_'
		}
	}
	var flaws []string
	if breaks {
		flaws = append(flaws, "it has line breaks, which Android's encoder writes without Base64.NO_WRAP: remove them")
	}
	if spaces {
		flaws = append(flaws, "it has spaces, which a decoder of forms writes for +")
	}
	if urlSafe {
		flaws = append(flaws, "it is of the URL-safe alphabet: write + for - and / for _")
	}
	switch missing := (4 - digits%4) % 4; {
	case spaces || padding == missing: // the character that a space replaced is not known
	case missing == 3:
		flaws = append(flaws, "it was cut")
	case padding == 0:
		flaws = append(flaws, "its padding is missing: append "+"=="[:missing])
	default:
		flaws = append(flaws, "its padding is wrong")
	}
	if len(flaws) == 0 {
		return what
	}
	return what + ": " + strings.Join(flaws, "; ")
}

// sniffedText is how much of raw bytes is checked for being text.
const sniffedText = 1 << 10

// encodedAlready describes raw bytes that are base64 or a data URL: if they were
// encoded again, they would be noise to the API. It returns "" for all others. The
// first bytes must be those of a file in base64, and all checked bytes must be of
// its alphabet, which holds for no binary format.
func encodedAlready(raw []byte) (reason string) {
	text := raw[:min(len(raw), sniffedText)]
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n")
	if isDataURL(text) {
		return "holds a data URL where raw bytes are expected: pass what follows its comma as aimbrain.Base64"
	}
	var breaks, urlSafe, padded bool
	start := make([]byte, 0, 16)
	for _, c := range text {
		switch c {
		case '\r', '\n', ' ', '\t':
			breaks = true
			continue
		case '=':
			padded = true
			continue
		case '-':
			c, urlSafe = '+', true
		case '_':
			c, urlSafe = '/', true
		}
		if padded || !isBase64Digit(c) {
			return ""
		}
		if len(start) < cap(start) {
			start = append(start, c)
		}
	}
	decoded := make([]byte, 12)
	n, err := base64.RawStdEncoding.Decode(decoded, start)
	if err != nil || mediainfo.Sniff(decoded[:n]) == mediainfo.Unknown {
		return ""
	}
	reason = "holds base64 where raw bytes are expected: pass it as aimbrain.Base64, or it would be encoded twice"
	if breaks {
		reason += "; remove its line breaks"
	}
	if urlSafe {
		reason += "; it is of the URL-safe alphabet: write + for - and / for _"
	}
	return reason
}

func isDataURL(text []byte) bool {
	const scheme = "data:"
	if len(text) < len(scheme) || !strings.EqualFold(string(text[:len(scheme)]), scheme) {
		return false
	}
	comma := bytes.IndexByte(text, ',')
	return comma > 0 && !bytes.ContainsFunc(text[:comma], func(r rune) bool { return r < ' ' || r > '~' })
}

// base64Text reads the bytes that a text of standard base64 encodes, without
// decoding more than is requested.
type base64Text[T string | []byte] struct{ text T }

func (t base64Text[T]) size() int64 {
	size := len(t.text) / 4 * 3
	for i := len(t.text) - 1; i >= 0 && t.text[i] == '='; i-- {
		size--
	}
	return int64(size)
}

// ReadAt implements [io.ReaderAt].
func (t base64Text[T]) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= t.size() {
		return 0, io.EOF
	}
	var digits [1024]byte
	var decoded [1024 / 4 * 3]byte
	at, skip := int(off/3*4), int(off%3)
	for n < len(p) && at < len(t.text) {
		window := digits[:copy(digits[:], t.text[at:])]
		m, err := base64.StdEncoding.Decode(decoded[:], window)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], decoded[min(skip, m):m])
		at, skip = at+len(window), 0
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
