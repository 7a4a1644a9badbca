package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var seeds = []string{
	``, `{}`, ` { } `, `[]`, `null`, `1`, `"a"`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
	`{"a":{"b":[1,2.5e-3,-0]},"c":"\n\ud834\udd1e","é":true,"\/":false,"":null}`,
	`{"x":"\ud800"}`, `{"x":"\udc00\ud800"}`, "{\"x\":\"\xff\"}", "{\"\xc3\":1}", "\ufeff{}",
	`{"a":1}{`, `{"a":01}`, `{"a":1,}`, `{"a"`, `{"a":tru`, "{\"a\":\"\x01\"}", `{"a":[[[[[[{}]]]]]]}`,
	scoreResponse, string(manyNames(20)), string(manyNames(17)) + `,"n3":1}`,
	`{"s":"0123456789012345678901234567890123456789\u00e9012345678901234567890123456789"}`,
}

func FuzzObject(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		input := bytes.Clone(data)
		members, err := Object(nil, data)
		require.Equal(t, input, data, "the input was changed")
		if err != nil {
			require.Nil(t, members)
			requireJustRefusal(t, data, err)
			return
		}
		require.NoError(t, Valid(data))
		require.True(t, json.Valid(data))
		var theirs map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &theirs))
		require.Len(t, members, len(theirs))
		for _, m := range members {
			require.Equal(t, string(theirs[string(m.Name)]), string(m.Value))
			require.Equal(t, string(data[m.Start:m.End]), string(m.Value))
			require.NoError(t, Valid(m.Value))
		}
	})
}

// requireJustRefusal checks that encoding/json refuses data too, or that data has
// the fault that err names.
func requireJustRefusal(t *testing.T, data []byte, err error) {
	t.Helper()
	var fault *Error
	require.ErrorAs(t, err, &fault)
	require.True(t, 0 <= fault.Offset && fault.Offset <= len(data))
	if !json.Valid(data) {
		return
	}
	switch fault.Kind {
	case ErrType:
		require.NotEqual(t, byte('{'), bytes.TrimSpace(data)[0])
	case ErrUTF8:
		if utf8.Valid(data) {
			require.Equal(t, `\u`, string(data[fault.Offset:fault.Offset+2]))
		}
	case ErrDuplicate:
		require.True(t, hasDuplicate(t, json.NewDecoder(bytes.NewReader(data))))
	default:
		require.Fail(t, "refused what encoding/json accepts", "%v", err)
	}
}

// hasDuplicate looks for duplicate names in the next value with the tokens of
// encoding/json, as an independent implementation.
func hasDuplicate(t *testing.T, d *json.Decoder) bool {
	t.Helper()
	token, err := d.Token()
	require.NoError(t, err)
	opener, ok := token.(json.Delim)
	if !ok {
		return false
	}
	found := false
	seen := map[string]bool{}
	for d.More() {
		if opener == '{' {
			name, err := d.Token()
			require.NoError(t, err)
			found = found || seen[name.(string)]
			seen[name.(string)] = true
		}
		found = hasDuplicate(t, d) || found
	}
	_, err = d.Token()
	require.NoError(t, err)
	return found
}

func FuzzElements(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte("[" + s + "]"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		elements, err := Elements(nil, data)
		if err != nil {
			require.Nil(t, elements)
			return
		}
		require.NoError(t, Valid(data))
		var theirs []json.RawMessage
		require.NoError(t, json.Unmarshal(data, &theirs))
		require.Len(t, elements, len(theirs))
		for i, e := range elements {
			require.Equal(t, string(theirs[i]), string(e))
		}
	})
}

func FuzzString(f *testing.F) {
	for _, s := range []string{``, `a`, `"`, `"a"`, `"\ud834\udd1e"`, `"\ud800"`, "\"\xff\"", "é\u2028\x00\\", `"\u00E9\/"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := String(data); err == nil {
			var theirs string
			require.NoError(t, json.Unmarshal(data, &theirs))
			require.Equal(t, theirs, s)
		}
		quoted, err := AppendString(nil, string(data))
		if err != nil {
			require.False(t, utf8.Valid(data))
			require.ErrorIs(t, err, ErrUTF8)
			return
		}
		require.True(t, utf8.Valid(data))
		back, err := String(quoted)
		require.NoError(t, err)
		require.Equal(t, string(data), back)
		var theirs string
		require.NoError(t, json.Unmarshal(quoted, &theirs))
		require.Equal(t, string(data), theirs)
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{``, `0`, `-0`, `1.5e-3`, `1e999`, `01`, `9223372036854775808`, `1.`, `-`, `"1"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		trimmed := bytes.Equal(bytes.TrimSpace(data), data) && !IsNull(data)
		var float float64
		theirs := json.Unmarshal(data, &float) == nil && trimmed
		got, err := Number(data)
		require.Equal(t, theirs, err == nil)
		if theirs {
			require.Equal(t, float, got)
		}
		var integer int64
		theirs = json.Unmarshal(data, &integer) == nil && trimmed
		n, err := Int(data)
		require.Equal(t, theirs, err == nil)
		if theirs {
			require.Equal(t, integer, n)
		}
	})
}

func FuzzSet(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "a", []byte(`2`))
		f.Add([]byte(s), "new\n\"", []byte(` [{"x":1}] `))
	}
	f.Fuzz(func(t *testing.T, data []byte, name string, value []byte) {
		out, err := Set(nil, data, name, value)
		members, refused := Object(nil, data)
		if err != nil {
			require.Nil(t, out)
			require.True(t, refused != nil || Valid(value) != nil || !utf8.ValidString(name) ||
				errors.Is(err, ErrDepth))
			return
		}
		require.NoError(t, refused)
		after, err := Object(nil, out)
		require.NoError(t, err)
		requireSetOnly(t, members, after, name, value)
	})
}

// requireSetOnly checks that after equals before except for the member name.
func requireSetOnly(t *testing.T, before, after []Member, name string, value []byte) {
	t.Helper()
	there := false
	for _, m := range before {
		there = there || string(m.Name) == name
	}
	if !there {
		before = append([]Member{{Name: []byte(name)}}, before...)
	}
	require.Len(t, after, len(before))
	for i, m := range after {
		require.Equal(t, string(before[i].Name), string(m.Name))
		if string(m.Name) == name {
			require.Equal(t, string(bytes.Trim(value, " \t\r\n")), string(m.Value))
		} else {
			require.Equal(t, string(before[i].Value), string(m.Value))
		}
	}
}
