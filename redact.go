package aimbrain

import (
	"bytes"
	"errors"
	"html"
	"net/http"
	"strconv"
	"strings"
)

const redacted = "[redacted]"

// A redactor takes the credentials of one call out of what a server or a
// transport says, before an error keeps it.
type redactor struct {
	secrets func() [3]string // behind a function, as in Signer
}

func (r redactor) text(s string) string {
	for _, secret := range r.secrets() {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	return strings.ToValidUTF8(string(withoutMedia([]byte(s))), "�")
}

// bytes returns a copy of a body. One that holds a credential in a disguise,
// escaped for JSON or HTML, is not kept at all.
func (r redactor) bytes(b []byte) []byte {
	b = bytes.Clone(b)
	for _, secret := range r.secrets() {
		b = bytes.ReplaceAll(b, []byte(secret), []byte(redacted))
	}
	for _, secret := range r.secrets() {
		if strings.Contains(unescapeJSON(b), secret) || strings.Contains(html.UnescapeString(string(b)), secret) {
			return []byte(redacted)
		}
	}
	return withoutMedia(b)
}

// maxRun is the longest run of base64 digits that is kept of a server's text.
// Ids and hashes are shorter; a face or a voice that is sent back is not.
const maxRun = 128

// withoutMedia replaces long runs of base64.
func withoutMedia(b []byte) []byte {
	var out []byte
	kept, start := 0, 0 // out holds b up to kept; a run began at start
	for i := 0; i <= len(b); i++ {
		if i < len(b) && (isBase64Digit(b[i]) || strings.IndexByte(`=-_\%`, b[i]) >= 0) { // URL-safe and escaped, too
			continue
		}
		if i-start > maxRun {
			out = append(append(out, b[kept:start]...), redacted...)
			kept = i
		}
		start = i + 1
	}
	if kept == 0 {
		return b
	}
	return append(out, b[kept:]...)
}

// unescapeJSON undoes every escape that a JSON string may use, wherever it
// stands: the result is for searching, not for reading.
func unescapeJSON(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out.WriteByte(b[i])
			continue
		}
		i++
		if b[i] == 'u' && i+4 < len(b) {
			if code, err := strconv.ParseUint(string(b[i+1:i+5]), 16, 16); err == nil {
				out.WriteRune(rune(code))
				i += 4
				continue
			}
		}
		out.WriteByte(b[i])
	}
	return out.String()
}

func (r redactor) header(h http.Header) http.Header {
	clean := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			clean[name] = append(clean[name], r.text(value))
		}
	}
	return clean
}

// error replaces an error whose text holds a credential, as that of a
// transport may which prints the request. What it is stays answerable.
func (r redactor) error(err error) error {
	text := err.Error()
	if clean := r.text(text); clean != text {
		return &redactedError{text: clean, is: func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

type redactedError struct {
	text string
	is   func(error) bool
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return e.is(target) }
