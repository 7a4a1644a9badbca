package strictjson

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireFault checks the kind and the offset of an error. The offset is not
// checked when it is negative.
func requireFault(t *testing.T, err error, kind Kind, offset int) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	var fault *Error
	require.ErrorAs(t, err, &fault)
	if offset >= 0 {
		require.Equal(t, offset, fault.Offset, fault.Reason)
	}
}

func TestObject_ReturnsRawMembersWithOffsets(t *testing.T) {
	t.Parallel()
	data := []byte(" {\"a\" : 1 ,\n\"\\u0062\\/\":\t{ \"x\":[ ] } , \"\":\"\\n\",\"é\":null}\r\n")
	members, err := Object(nil, data)
	require.NoError(t, err)
	want := []struct{ name, value string }{
		{"a", "1"}, {"b/", `{ "x":[ ] }`}, {"", `"\n"`}, {"é", "null"},
	}
	require.Len(t, members, len(want))
	for i, m := range members {
		require.Equal(t, want[i].name, string(m.Name))
		require.Equal(t, want[i].value, string(m.Value))
		require.Equal(t, want[i].value, string(data[m.Start:m.End]))
	}
}

func TestObject_AppendsAndKeepsDstAfterError(t *testing.T) {
	t.Parallel()
	first, err := Object(nil, []byte(`{"a":1}`))
	require.NoError(t, err)
	both, err := Object(first, []byte(`{"a":2}`))
	require.NoError(t, err)
	require.Len(t, both, 2)
	require.Equal(t, "1", string(both[0].Value))
	require.Equal(t, "2", string(both[1].Value))

	after, err := Object(first, []byte(`{"b":1,"c":2`))
	require.ErrorIs(t, err, ErrUnexpectedEnd)
	require.Equal(t, first, after)
}

func TestObject_AppendToValueKeepsInput(t *testing.T) {
	t.Parallel()
	data := []byte(`{"a":1,"b":[2,3]}`)
	members, err := Object(nil, data)
	require.NoError(t, err)
	_ = append(members[0].Name, 'x')
	_ = append(members[0].Value, 'x')
	elements, err := Elements(nil, members[1].Value)
	require.NoError(t, err)
	_ = append(elements[0], 'x')
	require.Equal(t, `{"a":1,"b":[2,3]}`, string(data))
}

func TestObject_RefusesOtherTypes(t *testing.T) {
	t.Parallel()
	for _, other := range []string{`[]`, `"{}"`, `1`, `-1`, `true`, `false`, `null`} {
		_, err := Object(nil, []byte(" "+other))
		requireFault(t, err, ErrType, 1)
	}
	for _, other := range []string{`{}`, `"[]"`, `0`, `-1`, `true`, `false`, `null`} {
		_, err := Elements(nil, []byte(" "+other))
		requireFault(t, err, ErrType, 1)
	}
}

func TestElements_ReturnsRawElements(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][]string{
		` [ ] `:                                nil,
		`[0]`:                                  {"0"},
		"[ 1 ,\t\"]\" ,[ 2,{\"a\":3}]\n, {} ]": {"1", `"]"`, `[ 2,{"a":3}]`, "{}"},
	} {
		elements, err := Elements(nil, []byte(data))
		require.NoError(t, err, data)
		var got []string
		for _, e := range elements {
			got = append(got, string(e))
		}
		require.Equal(t, want, got, data)
	}
	kept := [][]byte{[]byte("0")}
	after, err := Elements(kept, []byte(`[1,2`))
	require.ErrorIs(t, err, ErrUnexpectedEnd)
	require.Equal(t, kept, after)
}

func TestValid_AcceptsGrammar(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`0`, `-0`, `10`, `-1.5`, `0.0`, `1e5`, `1E+05`, `12.30e-9`, `1e999`,
		`true`, `false`, `null`, " \t\r\n null \t\r\n",
		`""`, `"a"`, `"\"\\\/\b\f\n\r\t\u00e9\uD834\udd1E"`, "\"\x7f\"", `"é世𝄞"`,
		`"\u0000"`, `"\ufffd"`, "\"\ufffd\"", `"\ufeff"`, "\"\ufeff\"", "\"\u2028\"",
		`[]`, `[[],{}]`, `{}`, `{"a":{"a":{"a":1}}}`, `[{"a":1},{"a":1}]`,
		`{"a":1,"A":2}`, `{"a":{"b":1},"b":{"a":1}}`, `{"é":1,"e\u0301":2}`,
	} {
		require.NoError(t, Valid([]byte(data)), data)
	}
}

func TestValid_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data   string
		kind   Kind
		offset int
	}{
		// The grammar.
		{`]`, ErrSyntax, 0},
		{`[1,]`, ErrSyntax, 3},
		{`[,1]`, ErrSyntax, 1},
		{`[1 2]`, ErrSyntax, 3},
		{`[1}`, ErrSyntax, 2},
		{`{"a":1]`, ErrSyntax, 6},
		{`{"a":1,}`, ErrSyntax, 7},
		{`{,"a":1}`, ErrSyntax, 1},
		{`{"a" 1}`, ErrSyntax, 5},
		{`{"a":1 "b":2}`, ErrSyntax, 7},
		{`{"a":}`, ErrSyntax, 5},
		{`{a:1}`, ErrSyntax, 1},
		{`{'a':1}`, ErrSyntax, 1},
		{`{1:1}`, ErrSyntax, 1},
		{`{null:1}`, ErrSyntax, 1},
		{`[1]/**/`, ErrTrailing, 3},
		{`/**/1`, ErrSyntax, 0},
		{`True`, ErrSyntax, 0},
		{`[trUe]`, ErrSyntax, 3},
		{`[nul]`, ErrSyntax, 4},
		{`NaN`, ErrSyntax, 0},
		{`Infinity`, ErrSyntax, 0},
		{"\f1", ErrSyntax, 0},
		{"\v1", ErrSyntax, 0},
		{"\u00a01", ErrSyntax, 0},
		{"[1,\x002]", ErrSyntax, 3},
		// Numbers.
		{`+1`, ErrSyntax, 0},
		{`.5`, ErrSyntax, 0},
		{`01`, ErrSyntax, 0},
		{`-01`, ErrSyntax, 1},
		{`00`, ErrSyntax, 0},
		{`[-]`, ErrSyntax, 2},
		{`[1.]`, ErrSyntax, 3},
		{`[1.e1]`, ErrSyntax, 3},
		{`[1e]`, ErrSyntax, 3},
		{`[1e+]`, ErrSyntax, 4},
		{`[0x1]`, ErrSyntax, 2},
		{`[1_0]`, ErrSyntax, 2},
		{`[--1]`, ErrSyntax, 2},
		{`-Infinity`, ErrSyntax, 1},
		// Strings.
		{`"\a"`, ErrSyntax, 1},
		{`"\x41"`, ErrSyntax, 1},
		{`"\'"`, ErrSyntax, 1},
		{`"\U0041"`, ErrSyntax, 1},
		{`"\u00g0"`, ErrSyntax, 5},
		{`"\u+123"`, ErrSyntax, 3},
		{`"\u123"`, ErrSyntax, 6},
		{"\"a\nb\"", ErrSyntax, 2},
		{"\"a\tb\"", ErrSyntax, 2},
		{"\"\x00\"", ErrSyntax, 1},
		{"\"\x1f\"", ErrSyntax, 1},
		{"\"12345678901234567890\x1f12345678901234567890\"", ErrSyntax, 21},
		// UTF-8.
		{"\"\xff\"", ErrUTF8, 1},
		{"\"\x80\"", ErrUTF8, 1},
		{"\"\xdc\"", ErrUTF8, 1},
		{"\"\xc0\xaf\"", ErrUTF8, 1},
		{"\"é\xe4\xb8\"", ErrUTF8, 3},
		{"\"\xed\xa0\x80\"", ErrUTF8, 1},
		{"\"\xf4\x90\x80\x80\"", ErrUTF8, 1},
		{"{\"\xff\":1}", ErrUTF8, 2},
		// Half of a surrogate pair.
		{`"\ud800"`, ErrUTF8, 1},
		{`"\udc00"`, ErrUTF8, 1},
		{`"\ud800\n"`, ErrUTF8, 1},
		{`"\ud800x"`, ErrUTF8, 1},
		{`"\ud800\u0041"`, ErrUTF8, 1},
		{`"\ud800\ud800"`, ErrUTF8, 1},
		{`"\udc00\ud800"`, ErrUTF8, 1},
		{`"\ud834\udd1e\udd1e"`, ErrUTF8, 13},
		{`{"\udfff":1}`, ErrUTF8, 2},
		// Byte order marks.
		{"\ufeff{}", ErrSyntax, 0},
		{"\xff\xfe{\x00}\x00", ErrSyntax, 0},
		// After the value.
		{`{}{}`, ErrTrailing, 2},
		{`{} x`, ErrTrailing, 3},
		{`1 2`, ErrTrailing, 2},
		{`null,`, ErrTrailing, 4},
		{`"a""b"`, ErrTrailing, 3},
		{"{}\x00", ErrTrailing, 2},
		{"{}\ufeff", ErrTrailing, 2},
		{`[]]`, ErrTrailing, 2},
		// Nothing there.
		{``, ErrUnexpectedEnd, 0},
		{" \n", ErrUnexpectedEnd, 2},
	} {
		requireFault(t, Valid([]byte(c.data)), c.kind, c.offset)
	}
}

func TestValid_DuplicateNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data   string
		offset int
	}{
		{`{"a":1,"a":1}`, 7},
		{`{"a":1,"b":2,"a":3}`, 13},
		{`{"":1,"":2}`, 6},
		{`{"a":1,"\u0061":2}`, 7},
		{`{"\u0061":1,"a":2}`, 12},
		{`{"/":1,"\/":2}`, 7},
		{`{"\n":1,"\u000a":2}`, 8},
		{`{"é":1,"\u00E9":2}`, 8},
		{`{"𝄞":1,"\ud834\udd1e":2}`, 10},
		{`{"x":{"a":1,"a":2}}`, 12},
		{`{"x":[0,{"a":1,"a":2}]}`, 15},
		{`{"a":{"b":1},"a":2}`, 13},
		{`{"a":{"x":1,"y":2,"z":3},"b":[{"a":1}],"a":2}`, 39},
	} {
		_, err := Object(nil, []byte(c.data))
		requireFault(t, err, ErrDuplicate, c.offset)
		_, err = Elements(nil, []byte("["+c.data+"]"))
		requireFault(t, err, ErrDuplicate, c.offset+1)
		requireFault(t, Valid([]byte(c.data)), ErrDuplicate, c.offset)
	}
}

func TestValid_UnexpectedEnd(t *testing.T) {
	t.Parallel()
	for _, whole := range []string{
		`{ "a\n\u0041\ud834\udd1e𝄞é" : [ true , false,null,-10.5e+7 ,{} ,[],"x" ] , "b":{"c":-0.1E-1,"d":"世"} }`,
		`[1,"\ud834\udd1e",{"a":0}]`,
		`"\\ and 𝄞 and \u00e9"`,
	} {
		require.NoError(t, Valid([]byte(whole)))
		for n := range len(whole) {
			requireFault(t, Valid([]byte(whole[:n])), ErrUnexpectedEnd, n)
		}
	}
	_, err := Object(nil, []byte(`{"a":1`))
	requireFault(t, err, ErrUnexpectedEnd, 6)
	_, err = Object(nil, nil)
	requireFault(t, err, ErrUnexpectedEnd, 0)
	_, err = Elements(nil, []byte(`[1,`))
	requireFault(t, err, ErrUnexpectedEnd, 3)
}

func TestError_DoesNotQuoteInput(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, data := range []string{
		`{"hunter2":1,"hunter2":2}`, `hunter2`, `{hunter2:1}`, `"hunter2` + "\n\"", `"hunter2`,
		`{} hunter2`, "\"hunter2\xff\"", `"\hunter2"`,
	} {
		err := Valid([]byte(data))
		require.Error(t, err)
		require.NotContains(t, err.Error(), secret)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := Number([]byte("1e1234567"))
	require.NotContains(t, err.Error(), "1234567")
	_, err = Int([]byte("123456789012345678901234567890"))
	require.NotContains(t, err.Error(), "1234567")

	require.EqualError(t, Valid([]byte(`{"hunter2":1,"hunter2":2}`)), "duplicate name at byte 13")
}

func TestKind_IsItsOwnTarget(t *testing.T) {
	t.Parallel()
	kinds := []Kind{ErrSyntax, ErrUnexpectedEnd, ErrDuplicate, ErrUTF8, ErrDepth, ErrTrailing, ErrType, ErrRange}
	for _, k := range kinds {
		require.Equal(t, string(k), k.Error())
		for _, other := range kinds {
			require.Equal(t, k == other, errors.Is(&Error{Kind: k}, other))
		}
	}
}

func TestIsNull_NullOnly(t *testing.T) {
	t.Parallel()
	require.True(t, IsNull([]byte("null")))
	for _, raw := range []string{"", "nul", "nulls", `"null"`, "NULL", "0", "false"} {
		require.False(t, IsNull([]byte(raw)), raw)
	}
}

func TestSet_ChangesOneMember(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ data, name, value, want string }{
		{`{"a":1}`, "a", `2`, `{"a":2}`},
		{" { \"a\" :\t1 , \"b\":[ ] }\n", "a", `"long"`, " { \"a\" :\t\"long\" , \"b\":[ ] }\n"},
		{`{"a":1,"b" : {"b":2} ,"c":3}`, "b", `null`, `{"a":1,"b" : null ,"c":3}`},
		{`{"\u0061\/":1}`, "a/", `2`, `{"\u0061\/":2}`},
		{`{}`, "a", `1`, `{"a":1}`},
		{" { \n} ", "a", `1`, " {\"a\":1 \n} "},
		{`{"b":2}`, "a", `1`, `{"a":1,"b":2}`},
		{` {  "b":2}`, "a", `[1, 2]`, ` {"a":[1, 2],  "b":2}`},
		{`{"A":1}`, "a", `2`, `{"a":2,"A":1}`},
		{`{"x":{"a":1}}`, "a", `2`, `{"a":2,"x":{"a":1}}`},
		{`{}`, "q\"\\\né\u2028", `1`, `{"q\"\\\né\u2028":1}`},
		{`{"":1}`, "", `2`, `{"":2}`},
		{`{"a":1}`, "a", " 2\n", "{\"a\": 2\n}"},
	} {
		in := []byte(c.data)
		got, err := Set([]byte("+"), in, c.name, []byte(c.value))
		require.NoError(t, err, c.data)
		require.Equal(t, "+"+c.want, string(got))
		require.Equal(t, c.data, string(in))
		require.NoError(t, Valid(got[1:]))
	}
}

func TestSet_RefusesInvalidResult(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data, name, value string
		kind              Kind
	}{
		{`[]`, "a", `1`, ErrType},
		{`{"a":1,"a":2}`, "a", `1`, ErrDuplicate},
		{`{"a":1`, "a", `1`, ErrUnexpectedEnd},
		{`{"a":1}`, "a", ``, ErrUnexpectedEnd},
		{`{"a":1}`, "a", `1,"b":2`, ErrTrailing},
		{`{"a":1}`, "a", `1}`, ErrTrailing},
		{`{"a":1}`, "a", `{"b":1,"b":2}`, ErrDuplicate},
		{`{"a":1}`, "\xff", `1`, ErrUTF8},
		{`{}`, "a", strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), ErrDepth},
	} {
		dst := []byte("kept")
		got, err := Set(dst, []byte(c.data), c.name, []byte(c.value))
		require.ErrorIs(t, err, c.kind, c.data)
		require.Equal(t, "kept", string(got))
	}
	deepest := strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1)
	got, err := Set(nil, []byte(`{}`), "a", []byte(deepest))
	require.NoError(t, err)
	require.NoError(t, Valid(got))
}

func TestSet_AllocatesOnceWithoutRoom(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	data := []byte(`{"before":"` + strings.Repeat("b", 10_000) + `","a":0,"after":"` + strings.Repeat("a", 30_000) + `"}`)
	value := []byte(`"` + strings.Repeat("v", 50_000) + `"`)
	dst := []byte(strings.Repeat("d", 70_000))
	require.Equal(t, 1.0, testing.AllocsPerRun(10, func() {
		if _, err := Set(dst[:len(dst):len(dst)], data, "a", value); err != nil {
			panic("refused")
		}
	}))
}

func TestSet_UsesRoomOfDst(t *testing.T) {
	t.Parallel()
	const want = `+{"a":"new"}`
	dst := append(make([]byte, 0, len(want)), '+')
	got, err := Set(dst, []byte(`{"a":1}`), "a", []byte(`"new"`))
	require.NoError(t, err)
	require.Equal(t, want, string(got))
	require.Same(t, &dst[0], &got[0])
}
