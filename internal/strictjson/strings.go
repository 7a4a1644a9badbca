package strictjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// String decodes raw, a raw string value as in [Member].
func String(raw []byte) (string, error) {
	if len(raw) == 0 {
		return "", cutOff(raw)
	}
	if raw[0] != '"' {
		return "", mismatched(raw, 0, "value is not a string")
	}
	end, escaped, err := scanString(raw, 0, false)
	if err != nil {
		return "", err
	}
	if end != len(raw) {
		return "", fail(end, ErrTrailing, string(ErrTrailing))
	}
	body := raw[1 : end-1]
	if escaped {
		body = appendDecoded(make([]byte, 0, len(body)), body)
	}
	return string(body), nil
}

// AppendString appends s to dst as a JSON string. It escapes the characters that
// JSON requires, and U+2028 and U+2029, which end a line in JavaScript. If s is
// not UTF-8, dst is returned as it was given with an error whose offset counts in
// s: a replacement character would make it another string.
func AppendString(dst []byte, s string) ([]byte, error) {
	out := append(dst, '"')
	start := len(out)
	out = append(out, s...)
	// One copy is enough for most strings.
	i := plain(out, start) - start
	out = out[:start+i]
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			out = appendASCII(out, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return dst, fail(i, ErrUTF8, string(ErrUTF8))
		}
		if r == '\u2028' || r == '\u2029' {
			out = append(out, `\u202`...)
			out = append(out, hexDigits[r&0xf])
		} else {
			out = append(out, s[i:i+size]...)
		}
		i += size
	}
	return append(out, '"'), nil
}

const hexDigits = "0123456789abcdef"

// appendASCII appends c, escaped if necessary.
func appendASCII(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c < ' ' {
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(dst, c)
}

// scanString checks the string whose opening quote is at start. It returns the
// offset behind the closing quote and whether there are escapes within. With
// halves an escape may name half a surrogate pair.
func scanString(data []byte, start int, halves bool) (end int, escaped bool, err error) {
	i := start + 1
	for {
		var skipped bool
		i, skipped = skip(data, i)
		escaped = escaped || skipped
		if i == len(data) {
			return 0, false, cutOff(data)
		}
		switch c := data[i]; c {
		case '"':
			return i + 1, escaped, nil
		case '\\':
			escaped = true
			_, i, err = escape(data, i, halves)
		default:
			if c < utf8.RuneSelf { // plain stops at no other ASCII byte
				err = fail(i, ErrSyntax, "control character in a string")
			} else {
				i, err = nonASCII(data, i)
			}
		}
		if err != nil {
			return 0, false, err
		}
	}
}

// Words of eight equal bytes.
const (
	eachByte   = 0x0101010101010101
	highBits   = 0x8080808080808080
	quoteFlip  = 0x0202020202020202
	quoteEdge  = 0x2121212121212121
	backslash  = 0x5c5c5c5c5c5c5c5c
	aboveQuote = 0x2323232323232323
	slash      = 0x2f2f2f2f2f2f2f2f
	lowBits    = 0x7f7f7f7f7f7f7f7f
)

// special has the high bit of a byte set where that byte of w, or one below
// it, is a control character, a quote, a backslash or not ASCII. The lowest
// bit set is exact, as is a result of no bits in highBits.
//
// Flipping bit 1 swaps the quote, 0x22, with the space, 0x20, and leaves the
// control characters below 0x20, so one subtraction finds both by its borrow.
// The second finds the backslash, and every byte that is not ASCII but 0xdc,
// which the first finds.
func special(w uint64) uint64 {
	return ((w ^ quoteFlip) - quoteEdge) | ((w ^ backslash) - eachByte)
}

// plain returns the offset of the first byte from i on that does not stand
// for itself in a string: a quote, a backslash, a control character or a byte
// that is not ASCII. It returns len(data) when there is none.
func plain(data []byte, i int) int {
	i = plainBlocks(data, i)
	for ; len(data)-i >= 8; i += 8 {
		if found := special(binary.LittleEndian.Uint64(data[i:])) & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(data) {
		if c := data[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
		i++
	}
	return i
}

// skip returns the offset of the first byte from i on that is neither plain nor
// part of an escape of two characters, and whether there were such escapes.
func skip(data []byte, i int) (next int, escaped bool) {
	for {
		i = plainBlocks(data, i)
		if next = slashBlocks(data, i); next > i {
			i, escaped = next, true
		}
		if len(data)-i < 64 {
			break
		}
		for end := i + 64; i < end && len(data)-i >= 8; {
			found := special(binary.LittleEndian.Uint64(data[i:])) & highBits
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
			if data[i] != '\\' || len(data)-i < 2 || !isShortEscape(data[i+1]) {
				return i, escaped
			}
			i += 2
			escaped = true
		}
	}
	for {
		i = plain(data, i)
		if len(data)-i < 2 || data[i] != '\\' || !isShortEscape(data[i+1]) {
			return i, escaped
		}
		i += 2
		escaped = true
	}
}

// isShortEscape reports whether a backslash and c are an escape.
func isShortEscape(c byte) bool {
	switch c {
	case '/', '"', '\\', 'b', 'f', 'n', 'r', 't':
		return true
	}
	return false
}

// plainBlocks moves past the blocks of 64 bytes from i on of which each byte stands
// for itself.
func plainBlocks(data []byte, i int) int {
	for ; len(data)-i >= 64; i += 64 {
		b := data[i : i+64]
		found := special(binary.LittleEndian.Uint64(b)) |
			special(binary.LittleEndian.Uint64(b[8:])) |
			special(binary.LittleEndian.Uint64(b[16:])) |
			special(binary.LittleEndian.Uint64(b[24:])) |
			special(binary.LittleEndian.Uint64(b[32:])) |
			special(binary.LittleEndian.Uint64(b[40:])) |
			special(binary.LittleEndian.Uint64(b[48:])) |
			special(binary.LittleEndian.Uint64(b[56:]))
		if found&highBits != 0 {
			break
		}
	}
	return i
}

// slashBlocks moves past the blocks of 64 bytes from i on of which each byte stands
// for itself or is a backslash before a slash. Apps escape each slash of base64,
// one byte in 64, at places that a processor cannot predict: a branch for each takes
// several times as long as the comparison of every byte with the one behind it.
func slashBlocks(data []byte, i int) int {
	for ; len(data)-i > 64; i += 64 {
		b := data[i : i+65]
		found := notSlashed(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[1:])) |
			notSlashed(binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[9:])) |
			notSlashed(binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[17:])) |
			notSlashed(binary.LittleEndian.Uint64(b[24:]), binary.LittleEndian.Uint64(b[25:])) |
			notSlashed(binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[33:])) |
			notSlashed(binary.LittleEndian.Uint64(b[40:]), binary.LittleEndian.Uint64(b[41:])) |
			notSlashed(binary.LittleEndian.Uint64(b[48:]), binary.LittleEndian.Uint64(b[49:])) |
			notSlashed(binary.LittleEndian.Uint64(b[56:]), binary.LittleEndian.Uint64(b[57:]))
		if found&highBits != 0 {
			break
		}
	}
	return i
}

// notSlashed has no bit of highBits set if each byte of w stands for itself or is a
// backslash before a slash. next has the bytes one place further. It may have bits
// set although w is so, as for a space: the caller then looks at each byte.
//
// The first term finds quotes and all below them by the borrow, the second finds
// bytes that are not ASCII, and the third a backslash (a zero minus one) whose next
// byte is not a slash (not zero, so that 0x7f more sets the high bit).
func notSlashed(w, next uint64) uint64 {
	return (w - aboveQuote) | w | (((w ^ backslash) - eachByte) & ((next ^ slash) + lowBits))
}

// nonASCII moves past the run of bytes from i on that are not ASCII.
func nonASCII(data []byte, i int) (int, error) {
	for i < len(data) && data[i] >= utf8.RuneSelf {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			if !utf8.FullRune(data[i:]) {
				return 0, cutOff(data)
			}
			return 0, fail(i, ErrUTF8, string(ErrUTF8))
		}
		i += size
	}
	return i, nil
}

// appendDecoded appends the text of body, a checked string without quotes.
func appendDecoded(dst, body []byte) []byte {
	for i := 0; ; {
		n := bytes.IndexByte(body[i:], '\\')
		if n < 0 {
			return append(dst, body[i:]...)
		}
		dst = append(dst, body[i:i+n]...)
		r, next, err := escape(body, i+n, false)
		if err != nil {
			return dst // body was not checked: without this the loop would not end
		}
		dst = utf8.AppendRune(dst, r)
		i = next
	}
}

// escape decodes the escape whose backslash is at i, with its other half when it
// is half a surrogate pair, and returns the offset behind it. With halves the
// other half may be missing: r is U+FFFD then, and the offset is behind the single
// half.
func escape(data []byte, i int, halves bool) (r rune, next int, err error) {
	if i+1 == len(data) {
		return 0, 0, cutOff(data)
	}
	switch c := data[i+1]; c {
	case '"', '\\', '/':
		return rune(c), i + 2, nil
	case 'b':
		return '\b', i + 2, nil
	case 'f':
		return '\f', i + 2, nil
	case 'n':
		return '\n', i + 2, nil
	case 'r':
		return '\r', i + 2, nil
	case 't':
		return '\t', i + 2, nil
	case 'u':
		return unicodeEscape(data, i, halves)
	}
	return 0, 0, fail(i, ErrSyntax, "unknown escape")
}

// unicodeEscape is escape for a \u escape.
func unicodeEscape(data []byte, i int, halves bool) (r rune, next int, err error) {
	r, err = hex4(data, i+2)
	if err != nil {
		return 0, 0, err
	}
	next = i + 6
	if !utf16.IsSurrogate(r) {
		return r, next, nil
	}
	low, err := lowHalf(data, next, r)
	switch {
	case err != nil:
		return 0, 0, err
	case low != 0:
		return utf16.DecodeRune(r, low), next + 6, nil
	case halves:
		return utf8.RuneError, next, nil
	}
	return 0, 0, fail(i, ErrUTF8, "lone surrogate in an escape")
}

// lowHalf returns the other half of a surrogate pair that the escape at i names,
// or 0.
func lowHalf(data []byte, i int, high rune) (rune, error) {
	if high >= 0xdc00 {
		return 0, nil
	}
	for j, c := range []byte(`\u`) {
		if i+j == len(data) {
			return 0, cutOff(data)
		}
		if data[i+j] != c {
			return 0, nil
		}
	}
	low, err := hex4(data, i+2)
	if err != nil || utf16.DecodeRune(high, low) == utf8.RuneError {
		return 0, err
	}
	return low, nil
}

// hex4 reads the four hexadecimal digits at i.
func hex4(data []byte, i int) (rune, error) {
	var r rune
	for end := i + 4; i < end; i++ {
		if i >= len(data) {
			return 0, cutOff(data)
		}
		c := data[i]
		if isDigit(c) {
			c -= '0'
		} else if lower := c | 0x20; 'a' <= lower && lower <= 'f' {
			c = lower - 'a' + 10
		} else {
			return 0, fail(i, ErrSyntax, "not a hexadecimal digit in an escape")
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}
