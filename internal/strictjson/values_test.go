package strictjson

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestString_Decodes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`""`:                                 "",
		`"abc"`:                              "abc",
		`"\"\\\/\b\f\n\r\t"`:                 "\"\\/\b\f\n\r\t",
		`"a\u0062c\u00e9\u4E16\ud834\uDD1e"`: "abcé世𝄞",
		`"é\u0000世"`:                         "é\x00世",
		`"\ufffd` + "\ufffd" + `"`:           "\ufffd\ufffd",
		`"\u2028"`:                           "\u2028",
	} {
		got, err := String([]byte(raw))
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
	}
}

func TestString_DoesNotShareInput(t *testing.T) {
	t.Parallel()
	raw := []byte(`"abc"`)
	got, err := String(raw)
	require.NoError(t, err)
	raw[1] = 'x'
	require.Equal(t, "abc", got)
}

func TestString_Refuses(t *testing.T) {
	t.Parallel()
	for raw, kind := range map[string]Kind{
		``: ErrUnexpectedEnd, `"a`: ErrUnexpectedEnd, `"`: ErrUnexpectedEnd, `"\`: ErrUnexpectedEnd,
		`1`: ErrType, `null`: ErrType, `{}`: ErrType, `["a"]`: ErrType, `true`: ErrType,
		`"a" `: ErrTrailing, `"a""`: ErrTrailing, ` "a"`: ErrSyntax, `a`: ErrSyntax,
		"\"\xff\"": ErrUTF8, `"\ud800"`: ErrUTF8, "\"\n\"": ErrSyntax, `"\q"`: ErrSyntax,
	} {
		_, err := String([]byte(raw))
		require.ErrorIs(t, err, kind, raw)
	}
}

func TestString_FindsBytesAtAnyPlace(t *testing.T) {
	t.Parallel()
	for at := range 150 {
		for c := range 256 {
			data := []byte(strings.Repeat("A", 150))
			data[at] = byte(c)
			want := len(data)
			if c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
				want = at
			}
			if got := plain(data, 0); got != want {
				require.Equal(t, want, got, "byte %#x at %d", c, at)
			}
		}
	}
}

func TestAppendString_Escapes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                         `""`,
		"abc":                      `"abc"`,
		"a\"b\\c":                  `"a\"b\\c"`,
		"\n\r\t\b\f\x00\x1f":       `"\n\r\t\u0008\u000c\u0000\u001f"`,
		"\x7f<>&/'":                "\"\x7f<>&/'\"",
		"é世𝄞\ufffd":                "\"é世𝄞\ufffd\"",
		"\u2027\u2028\u2029\u202a": "\"\u2027\\u2028\\u2029\u202a\"",
	} {
		got, err := AppendString([]byte("+"), s)
		require.NoError(t, err)
		require.Equal(t, "+"+want, string(got))
		back, err := String(got[1:])
		require.NoError(t, err)
		require.Equal(t, s, back)
	}
}

func TestAppendString_RefusesInvalidUTF8(t *testing.T) {
	t.Parallel()
	for s, offset := range map[string]int{
		"\xff": 0, "abc\x80": 3, "é\xc3": 2, "\xed\xa0\x80": 0, "\n\xc0\xaf": 1,
	} {
		got, err := AppendString([]byte("kept"), s)
		requireFault(t, err, ErrUTF8, offset)
		require.Equal(t, "kept", string(got))
	}
}

func TestNumber_Decodes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]float64{
		"0": 0, "1": 1, "-1.5": -1.5, "1e2": 100, "0.1E-1": 0.01, "1E+2": 100,
		"1e-999": 0, "1.7976931348623157e308": math.MaxFloat64, "0e999": 0,
	} {
		got, err := Number([]byte(raw))
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
	}
	negative, err := Number([]byte("-0"))
	require.NoError(t, err)
	require.True(t, math.Signbit(negative))
}

func TestNumber_Refuses(t *testing.T) {
	t.Parallel()
	for raw, kind := range map[string]Kind{
		"1e999": ErrRange, "-1e999": ErrRange, "1" + strings.Repeat("0", 400): ErrRange,
		`"1"`: ErrType, "null": ErrType, "true": ErrType, "[1]": ErrType,
		"": ErrUnexpectedEnd, "-": ErrUnexpectedEnd, "1.": ErrUnexpectedEnd, "1e": ErrUnexpectedEnd,
		"01": ErrSyntax, "+1": ErrSyntax, "NaN": ErrSyntax, "Inf": ErrSyntax, " 1": ErrSyntax, "-Inf": ErrSyntax,
		"1 ": ErrTrailing, "1,": ErrTrailing, "0x10": ErrTrailing, "1_0": ErrTrailing, "1.5.5": ErrTrailing,
	} {
		_, err := Number([]byte(raw))
		require.ErrorIs(t, err, kind, raw)
	}
}

func TestInt_Decodes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-12": -12,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		got, err := Int([]byte(raw))
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
	}
}

func TestInt_Refuses(t *testing.T) {
	t.Parallel()
	for raw, kind := range map[string]Kind{
		"5.0": ErrType, "5e0": ErrType, "5E1": ErrType, "0.5": ErrType, `"5"`: ErrType, "null": ErrType,
		"9223372036854775808": ErrRange, "-9223372036854775809": ErrRange, "18446744073709551616": ErrRange,
		strings.Repeat("9", 400): ErrRange,
		"":                       ErrUnexpectedEnd, "-": ErrUnexpectedEnd, "05": ErrSyntax, "+5": ErrSyntax, "5 ": ErrTrailing,
		"0b1": ErrTrailing, "1_000": ErrTrailing,
	} {
		_, err := Int([]byte(raw))
		require.ErrorIs(t, err, kind, raw)
	}
}
