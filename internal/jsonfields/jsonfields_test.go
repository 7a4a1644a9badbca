package jsonfields_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

func TestObject_ReadsByType(t *testing.T) {
	t.Parallel()
	score := func(o *jsonfields.Object) any { return o.Score("a") }
	count := func(o *jsonfields.Object) any { return o.Count("a") }
	text := func(o *jsonfields.Object) any { return o.Text("a") }
	tests := []struct {
		name string
		data string
		read func(*jsonfields.Object) any
		want any
		err  string // "" for none
	}{
		{name: "score", data: `{"a":0.5}`, read: score, want: 0.5},
		{name: "score 0", data: `{"a":0}`, read: score, want: 0.0},
		{name: "score 1", data: `{"a":1.0}`, read: score, want: 1.0},
		{name: "score above 1", data: `{"a":1.0000001}`, read: score, err: `"a" is 1.0000001, which is not in 0..1`},
		{name: "negative score", data: `{"a":-0.1}`, read: score, err: `"a" is -0.1, which is not in 0..1`},
		{name: "score as a string", data: `{"a":"0.5"}`, read: score, err: `"a" is not a number`},
		{name: "score missing", data: `{"A":0.5}`, read: score, err: `"a" is missing`},
		{name: "score null", data: `{"a":null}`, read: score, err: `"a" is null`},
		{name: "count", data: `{"a":7}`, read: count, want: 7},
		{name: "largest count", data: `{"a":2147483647}`, read: count, want: 2147483647},
		{name: "count too large", data: `{"a":2147483648}`, read: count, err: `"a" is 2147483648, which is out of range`},
		{name: "long number", data: `{"a":1` + strings.Repeat("0", 100) + `}`, read: score, err: `"a" is 1` + strings.Repeat("0", 23) + `..., which is not`},
		{name: "number of 24 characters", data: `{"a":1.0000000000000000000001}`, read: score, err: `"a" is 1.0000000000000000000001, which is not`},
		{name: "number of 25 characters", data: `{"a":1.00000000000000000000001}`, read: score, err: `"a" is 1.0000000000000000000000..., which is not`},
		{name: "count 0", data: `{"a":0}`, read: count, want: 0},
		{name: "negative count", data: `{"a":-1}`, read: count, err: `"a" is -1, which is out of range`},
		{name: "fraction", data: `{"a":1.5}`, read: count, err: `"a" is not a whole number`},
		{name: "text", data: `{"a":"\u00e9"}`, read: text, want: "é"},
		{name: "empty text", data: `{"a":""}`, read: text, err: `"a" is empty`},
		{name: "text as a number", data: `{"a":1}`, read: text, err: `"a" is not a string`},
		{name: "name twice", data: `{"a":1,"a":2}`, read: count, err: "it is not a strict JSON object: duplicate name at byte 7"},
		{name: "array", data: `{"a":[1,2]}`, read: func(o *jsonfields.Object) any { return len(o.Array("a")) }, want: 2},
		{name: "no array", data: `{"a":{}}`, read: func(o *jsonfields.Object) any { return len(o.Array("a")) }, err: `"a" is not an array`},
		{name: "bytes", data: `{"a":"QQ=="}`, read: func(o *jsonfields.Object) any { return string(o.Bytes("a")) }, want: "A"},
		{name: "bytes of another shape", data: `{"a":[]}`, read: func(o *jsonfields.Object) any { return string(o.Bytes("a")) }, want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var o jsonfields.Object
			o.Parse([]byte(tt.data))
			got := tt.read(&o)
			if tt.err != "" {
				require.ErrorContains(t, o.Err(), tt.err)
				return
			}
			require.NoError(t, o.Err())
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestObject_KeepsTheFirstFault(t *testing.T) {
	t.Parallel()
	var o jsonfields.Object
	o.Parse([]byte(`{"a":1,"b":"x"}`))
	o.Text("a")
	o.Count("b")
	o.Fail("another", nil)
	require.ErrorContains(t, o.Err(), `"a" is not a string`)
	var fault *jsonfields.Error
	require.ErrorAs(t, o.Err(), &fault)
	assert.ErrorIs(t, fault, strictjson.ErrType)

	var cut jsonfields.Object
	cut.Parse([]byte(`{"a":`))
	assert.ErrorIs(t, cut.Err(), strictjson.ErrUnexpectedEnd)
}

func TestObject_IsEmpty(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		`null`: true, `false`: true, `""`: true, `{}`: true, `[]`: true, `[ ]`: true,
		`0`: false, `"x"`: false, `[null]`: false, `{"a":1}`: false, `true`: false,
	} {
		var o jsonfields.Object
		o.Parse([]byte(`{"error":` + value + `}`))
		assert.Equal(t, want, o.IsEmpty("error"), value)
		assert.True(t, o.IsEmpty("missing"))
	}
}
