// Package redact removes credentials and media from the texts of a server or a
// transport before an error keeps them.
package redact

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const redacted = "[redacted]"

// A Redactor knows the credentials of one call. It recognises the forms in which
// servers echo them. It does not protect against a malicious server, which has
// received the credentials already.
type Redactor struct {
	secrets func() []string // a function, as fmt walks into fields; the longest comes first
}

// New returns a redactor. The function returns the credentials, in any order.
func New(credentials func() []string) Redactor {
	return Redactor{secrets: func() []string {
		secrets := credentials()
		slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // a credential may be a part of another
		return secrets
	}}
}

// Text returns a text without credentials and media. A text that holds them in a
// disguise is not kept at all.
func (r Redactor) Text(s string) string {
	clean := r.replace(s)
	if r.hides(s, clean) {
		return redacted
	}
	return strings.ToValidUTF8(clean, "\ufffd")
}

// Body returns a copy of the part of a body that may be kept: limit bytes at most,
// and only text.
func (r Redactor) Body(b []byte, limit int) []byte {
	cut := len(b) > limit
	text := string(b[:min(len(b), limit)])
	for range utf8.UTFMax - 1 {
		if cut && !utf8.ValidString(text) {
			text = text[:len(text)-1] // the cut may be within a character
		}
	}
	clean := r.replace(text)
	if !utf8.ValidString(text) || r.hides(text, clean) {
		return []byte(redacted)
	}
	if cut { // the cut may be within a credential; the longest is the first
		clean = clean[:max(0, len(clean)-6*len(r.secrets()[0]))] // a character may be escaped as \u002f
	}
	return []byte(clean[:min(len(clean), limit)])
}

// replace removes the credentials that a text holds unescaped. All are found before
// any is removed: one may begin within another.
func (r Redactor) replace(s string) string {
	type stretch struct{ start, end int }
	var found []stretch
	var covered []bool // the bytes of those found, which bound a short credential too
	edge := func(i int) bool { return bounds(s, i) || covered != nil && covered[i] }
	for _, secret := range r.secrets() {
		for i := find(s, secret, 0, edge); i >= 0; i = find(s, secret, i+1, edge) {
			end := i + len(secret)
			found = append(found, stretch{i, end})
			if covered == nil {
				covered = make([]bool, len(s))
			}
			for j := i; j < end; j++ {
				covered[j] = true
			}
		}
	}
	if found == nil {
		return s
	}
	slices.SortFunc(found, func(a, b stretch) int { return a.start - b.start })
	var out strings.Builder
	kept := 0 // the offset in s up to which out is made
	for _, f := range found {
		if f.start >= kept {
			out.WriteString(s[kept:f.start])
			out.WriteString(redacted)
		}
		kept = max(kept, f.end)
	}
	out.WriteString(s[kept:])
	return out.String()
}

// minAnywhere is the length from which a credential is found anywhere. A shorter
// one occurs in words, so that it counts only between characters other than ASCII
// letters and digits. Otherwise the remaining text would be useless.
const minAnywhere = 8

// find returns the index of the first credential from start on, or -1. A short one
// has an edge on both sides.
func find(s, credential string, start int, edge func(int) bool) int {
	for ; ; start++ {
		i := strings.Index(s[start:], credential)
		if i < 0 {
			return -1
		}
		start += i
		if len(credential) >= minAnywhere || edge(start-1) && edge(start+len(credential)) {
			return start
		}
	}
}

// holds reports whether a text holds a credential unescaped.
func holds(s, credential string) bool {
	return find(s, credential, 0, func(i int) bool { return bounds(s, i) }) >= 0
}

// bounds reports whether a short credential may begin behind the byte at i, or end
// before it.
func bounds(s string, i int) bool {
	return i < 0 || i == len(s) || !isAlphanumeric(rune(s[i]))
}

func isAlphanumeric(c rune) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
}

// Header returns a copy without credentials.
func (r Redactor) Header(h http.Header) http.Header {
	clean := make(http.Header, len(h))
	for name, values := range h {
		name = r.Text(name)
		for _, value := range values {
			clean[name] = append(clean[name], r.Text(value))
		}
	}
	return clean
}

// Contains reports whether a header repeats one of the credentials unescaped.
// Every call uses it, so it does not look for disguises.
func Contains(h http.Header, credentials ...string) bool {
	for _, values := range h {
		for _, value := range values {
			if containsAny(value, credentials) {
				return true
			}
			// A signature may have been written in the alphabet for URLs.
			if strings.ContainsAny(value, "-_") && containsAny(strings.NewReplacer("-", "+", "_", "/").Replace(value), credentials) {
				return true
			}
		}
	}
	return false
}

func containsAny(value string, credentials []string) bool {
	for _, credential := range credentials {
		if holds(value, credential) {
			return true
		}
	}
	return false
}

// hides reports whether a text holds media, or credentials that only show after an
// escape is undone. clean is the text without the visible ones: any in it is
// hidden.
func (r Redactor) hides(s, clean string) bool {
	holdsCredential := func(s string) bool {
		return slices.ContainsFunc(r.secrets(), func(secret string) bool { return holds(s, secret) })
	}
	return disguises(s, holdsMedia) || disguises(clean, holdsCredential)
}

// disguises reports whether a text holds something, as it is or after an escape is
// undone: of JSON, HTML or a URL, in turn.
func disguises(s string, found func(string) bool) bool {
	if found(s) {
		return true
	}
	for range 3 {
		before := s
		for _, undo := range []func(string) string{unescapeJSON, html.UnescapeString, unescapeURL} {
			plain := undo(s)
			if plain == s {
				continue
			}
			if s = plain; found(s) {
				return true
			}
		}
		if s == before {
			return false
		}
	}
	return true // a text with so many levels of escapes hides something
}

// maxRun is how much of something that looks like media is kept of a server's
// text. Ids and hashes are shorter. A face or a voice that is echoed is longer.
const maxRun = 128

// holdsMedia reports whether a text holds a long run of base64, in one piece or in
// lines, or of numbers as bytes are printed.
func holdsMedia(s string) bool {
	stretch := 0
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return !isMediaDigit(c) }) {
		switch {
		case len(word) >= 16, len(word) <= 3 && strings.Trim(word, "0123456789") == "":
			if stretch += len(word); stretch > maxRun {
				return true
			}
		default:
			stretch = 0
		}
	}
	return false
}

// isMediaDigit reports whether c occurs in base64 of any alphabet.
func isMediaDigit(c rune) bool {
	return isAlphanumeric(c) || strings.ContainsRune("+/=-_", c)
}

// unescapeJSON undoes every escape of a JSON string, wherever it occurs: the
// result is for searching and not for reading.
func unescapeJSON(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'u' && i+4 < len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
				out.WriteRune(rune(code))
				i += 4
				continue
			}
		}
		if control := strings.IndexByte("bfnrt", s[i]); control >= 0 {
			out.WriteByte("\b\f\n\r\t"[control])
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// unescapeURL undoes the valid percent escapes and keeps others.
func unescapeURL(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if plain, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(plain)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// Error replaces a transport's error by its redacted text: its fields, or an error
// inside it, may hold the request. errors.Is and errors.As still find the error.
func (r Redactor) Error(err error) error {
	return &hiddenError{
		text: r.Text(err.Error()),
		is:   func(target error) bool { return errors.Is(err, target) },
		as:   func(target any) bool { return errors.As(err, target) },
	}
}

// A hiddenError lets errors.Is and errors.As find an error that it does not show.
type hiddenError struct {
	text string
	is   func(error) bool
	as   func(any) bool
}

func (e *hiddenError) Error() string        { return e.text }
func (e *hiddenError) Is(target error) bool { return e.is(target) }
func (e *hiddenError) As(target any) bool   { return e.as(target) }
