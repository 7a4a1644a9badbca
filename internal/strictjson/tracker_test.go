package strictjson

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// track follows data as it arrives in pieces, and replaces each value that the
// tracker finds by another string, unless that is empty. It returns the result, the
// values that were found, and Final after each piece.
func track(t *testing.T, data string, piece int, by string) (result string, found []string, final []int) {
	t.Helper()
	tracker := Tracker{Owned: func(name []byte) bool { return string(name) == "session" || string(name) == "é" }}
	var buf []byte
	var fixed []string // what Final has promised to stay
	for len(data) > 0 {
		n := min(piece, len(data))
		buf = append(buf, data[:n]...)
		data = data[n:]
		for {
			start, end, ok := tracker.Next(buf)
			if !ok {
				break
			}
			found = append(found, string(buf[start:end]))
			if by != "" {
				buf = append([]byte(string(buf[:start])+by), buf[end:]...)
				tracker.Replaced(start + len(by))
			}
		}
		require.LessOrEqual(t, tracker.Final(), len(buf))
		final = append(final, tracker.Final())
		fixed = append(fixed, string(buf[:tracker.Final()]))
	}
	for _, prefix := range fixed {
		require.True(t, strings.HasPrefix(string(buf), prefix), "%q was final, and became %q", prefix, buf)
	}
	return string(buf), found, final
}

func TestTracker_FindsValuesAtTheTopLevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		data   string
		values []string // those that are found
		rest   string   // what is not final at the end: from the closing brace on, unless a value cannot be found
	}{
		{name: "an empty object", data: `{}`, rest: `}`},
		{name: "alone", data: `{"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "an empty value", data: `{"session":"","x":1}`, values: []string{`""`}, rest: `}`},
		{name: "twice", data: `{"session":"a","x":1,"session":"b"}`, values: []string{`"a"`, `"b"`}, rest: `}`},
		{name: "spaces everywhere", data: " \n\t\r{ \n\t\r\"session\" \n\t\r: \n\t\r\"a\" \n\t\r, \n\t\r\"x\":1}\n", values: []string{`"a"`}, rest: "}\n"},
		{name: "behind a number", data: `{"x":-1.5e+7,"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a number and a space", data: `{"x":1 ,"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a number and a line feed", data: "{\"x\":1\n,\"session\":\"a\"}", values: []string{`"a"`}, rest: `}`},
		{name: "behind a number and a tab", data: "{\"x\":1\t,\"session\":\"a\"}", values: []string{`"a"`}, rest: `}`},
		{name: "behind a number and a carriage return", data: "{\"x\":1\r,\"session\":\"a\"}", values: []string{`"a"`}, rest: `}`},
		{name: "behind literals", data: `{"x":true,"y":false,"z":null,"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "a number at the end", data: `{"session":"a","x":1}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a string", data: `{"x":"session","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a string with escapes", data: `{"x":"\"\\","y":"\\\",\"session\":\"b","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a string that is not ASCII", data: `{"x":"é𝄞","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind a long string", data: `{"x":"` + strings.Repeat("AB+/", 40) + `","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind empty arrays and objects", data: `{"x":[],"y":{},"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind nested values", data: `{"x":[[{"session":"b"},"]"],{"y":{"session":"c"}}],"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "behind brackets in a nested string", data: `{"x":{"y":"}]\"}","z":["[{"]},"session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "nested only", data: `{"x":{"session":"a"},"y":["session","b"]}`, rest: `}`},
		{name: "another name", data: `{"sessio":"a","sessions":"b","Session":"c","":"d"}`, rest: `}`},
		{name: "the name behind a name with escapes", data: `{"\"session":"b","\\":"c","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "the name behind a name that is not ASCII", data: `{"ésession":"b","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "a name with escapes", data: `{"sess\u0069on":"a","x":1}`, rest: `}`},
		{name: "a name that is not ASCII", data: `{"é":"a","x":1}`, rest: `}`},
		{name: "a name that ends in an escape", data: `{"session\u0000":"b","session\\":"c","session":"a"}`, values: []string{`"a"`}, rest: `}`},
		{name: "a number", data: `{"session":12,"x":"a"}`, rest: `}`},
		{name: "null", data: `{"session":null}`, rest: `}`},
		{name: "an array", data: `{"session":["a"],"x":"b"}`, rest: `}`},
		{name: "an object", data: `{"session":{"session":"a"}}`, rest: `}`},
		{name: "a value with an escape", data: `{"x":1,"session":"a\u0062","y":1}`, rest: `"a\u0062","y":1}`},
		{name: "a value that is not ASCII", data: `{"x":1,"session":"é","y":1}`, rest: `"é","y":1}`},
		{name: "behind a value that is not found", data: `{"session":"\n","session":"a"}`, rest: `"\n","session":"a"}`},
		{name: "an array in place of the object", data: `["session":"a"]`, rest: `["session":"a"]`},
		{name: "a string in place of the object", data: `"session"`, rest: `"session"`},
		{name: "bytes behind the object", data: `{"x":1}{"session":"a"}`, rest: `}{"session":"a"}`},
		{name: "no name", data: `{1,"session":"a"}`, rest: `1,"session":"a"}`},
		{name: "no colon", data: `{"x","session":"a"}`, rest: `,"session":"a"}`},
		{name: "no comma", data: `{"x":"b" "session":"a"}`, rest: `"session":"a"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, by := range []string{`"s-1"`, `"a longer value than the one that was sent"`, `""`, ""} {
				want := c.data
				for _, value := range c.values {
					if by == "" {
						break
					}
					want = strings.Replace(want, `"session":`+value, `"session":`+by, 1)
					want = strings.Replace(want, ": \n\t\r"+value, ": \n\t\r"+by, 1)
				}
				for piece := 1; piece <= len(c.data); piece++ {
					result, found, final := track(t, c.data, piece, by)
					require.Equal(t, want, result, "in pieces of %d", piece)
					require.Equal(t, c.values, found, "in pieces of %d", piece)
					require.Equal(t, c.rest, result[final[len(final)-1]:], "in pieces of %d", piece)
				}
			}
		})
	}
}

// TestTracker_Final: what has arrived is final at once, except for a value that is
// looked for and for half an escape. A request is hashed while it arrives.
func TestTracker_Final(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		data string
		want []int // after each byte
	}{
		{name: "a value that is looked for", data: `{"session":"ab"}`, want: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11, 11, 15, 15}},
		{name: "another value", data: `{"x":"ab"} `, want: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9}},
		{name: "an escape in a value", data: `{"x":"\n"}`, want: []int{1, 2, 3, 4, 5, 6, 6, 8, 9, 9}},
		{name: "an escape in a name", data: `{"\n":1}`, want: []int{1, 2, 2, 4, 5, 6, 7, 7}},
		{name: "a nested value", data: `{"x":[{}]}`, want: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, final := track(t, c.data, 1, `"ab"`)
			assert.Equal(t, c.want, final)
		})
	}
}
