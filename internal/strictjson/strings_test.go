package strictjson

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestString_EscapeNeedsHexadecimalDigits(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		digits := "00" + string([]byte{byte(c)}) + "1"
		got, err := String([]byte(`"\u` + digits + `"`))
		if want, bad := strconv.ParseUint(digits, 16, 16); bad == nil {
			require.NoError(t, err, "byte %#x", c)
			require.Equal(t, string(rune(want)), got)
			continue
		}
		requireFault(t, err, ErrSyntax, 5)
	}
}

func TestString_RefusesLowSurrogate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		raw  string
		kind Kind
		at   int
	}{
		{name: "the first one, at the end of the input", raw: `"\udc00`, kind: ErrUTF8, at: 1},
		{name: "the last one, at the end of the input", raw: `"\udfff`, kind: ErrUTF8, at: 1},
		{name: "the first one, before half an escape", raw: `"\udc00\u`, kind: ErrUTF8, at: 1},
		{name: "the first one, before a broken escape", raw: `"\udc00\uzzzz"`, kind: ErrUTF8, at: 1},
		{name: "a high one may get its other half", raw: `"\udbff`, kind: ErrUnexpectedEnd, at: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := String([]byte(c.raw))
			requireFault(t, err, c.kind, c.at)
		})
	}
}

func TestAppendString_EscapesBehindFirstEscape(t *testing.T) {
	t.Parallel()
	for c := range 0x80 {
		s := "\n" + string(rune(c)) + "."
		got, err := AppendString(nil, s)
		require.NoError(t, err)
		back, err := String(got)
		require.NoError(t, err, "byte %#x", c)
		require.Equal(t, s, back)
		if c >= ' ' && c != '"' && c != '\\' {
			require.Equal(t, `"`+`\n`+s[1:]+`"`, string(got), "byte %#x needs no escape", c)
		}
	}
}

func TestAppendDecoded_EndsAtUncheckedEscape(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`ab\q\n`, `ab\u00g0`, `ab\ud800`, `ab\`} {
		require.Equal(t, "+ab", string(appendDecoded([]byte("+"), []byte(body))), body)
	}
}

// The scan of long strings compares 64 bytes at once, and each with the byte behind
// it. A byte, or an escape, must mean the same at each place of such a block.
func TestString_AcceptsWhatJSONAcceptsAtEachPlace(t *testing.T) {
	t.Parallel()
	for _, filler := range []string{
		strings.Repeat("QUJD", 50),
		strings.Repeat(`AB\/`, 50),
		strings.Repeat(`\/`, 100),
		strings.Repeat("a", 64) + `\/` + strings.Repeat("b", 130),
	} {
		for at := 4; at < 140; at++ {
			for c := range 256 {
				for _, put := range []string{string([]byte{byte(c)}), string([]byte{'\\', byte(c)})} {
					raw := `"` + filler[:at] + put + filler[at:] + `"`
					want := json.Valid([]byte(raw)) && utf8.ValidString(raw)
					got, err := String([]byte(raw))
					require.Equal(t, want, err == nil, "%q at %d of %q", put, at, filler[:8])
					if want {
						var decoded string
						require.NoError(t, json.Unmarshal([]byte(raw), &decoded))
						require.Equal(t, decoded, got)
					}
				}
			}
		}
	}
}
