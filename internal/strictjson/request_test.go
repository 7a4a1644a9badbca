package strictjson

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequest_AcceptsHalfSurrogatePairInValuesOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		data string
		kind Kind // "" if accepted
		at   int
	}{
		{name: "high half", data: `{"a":"\ud83d"}`},
		{name: "low half", data: `{"a":["\ude00",{"b":"x\udfff"}]}`},
		{name: "high half before a pair", data: `{"a":"\ud83d\ud83d\ude00"}`},
		{name: "high half before an escape", data: `{"a":"\ud83d\""}`},
		{name: "high half before a letter", data: `{"a":"\ud83dx"}`},
		{name: "a pair", data: `{"a\ud83d\ude00":"\ud83d\ude00"}`},
		{name: "in a name", data: `{"\ud83d":1}`, kind: ErrUTF8, at: 2},
		{name: "in a name within", data: `{"a":[{"b\ude00":1}]}`, kind: ErrUTF8, at: 9},
		{name: "before a broken escape", data: `{"a":"\ud83d\uzz00"}`, kind: ErrSyntax, at: 14},
		{name: "before an unknown escape", data: `{"a":"\ud83d\q"}`, kind: ErrSyntax, at: 12},
		{name: "at the end of the input", data: `{"a":"\ud83d`, kind: ErrUnexpectedEnd, at: 12},
		{name: "before half an escape at the end", data: `{"a":"\ud83d\u`, kind: ErrUnexpectedEnd, at: 14},
		{name: "as bytes", data: "{\"a\":\"\xed\xa0\xbd\"}", kind: ErrUTF8, at: 6},
		{name: "a name twice behind it", data: `{"a":"\ud83d","\u0061":1}`, kind: ErrDuplicate, at: 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			members, err := Request(nil, []byte(c.data))
			if c.kind != "" {
				requireFault(t, err, c.kind, c.at)
				require.Nil(t, members)
				return
			}
			require.NoError(t, err)
			require.Len(t, members, 1)
		})
	}
}

func TestString_RefusesHalfSurrogatePair(t *testing.T) {
	t.Parallel()
	members, err := Request(nil, []byte(`{"a":"\ud83d"}`))
	require.NoError(t, err)
	_, err = String(members[0].Value)
	requireFault(t, err, ErrUTF8, 1)
}

// FuzzRequest compares with Object, which accepts less, and with encoding/json,
// which accepts more.
func FuzzRequest(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"a":"\ud83d\ud83d\ude00\"","b\ud83d":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := Request(nil, data)
		strict, refused := Object(nil, data)
		if err != nil {
			require.Error(t, refused)
			return
		}
		if refused == nil {
			require.Equal(t, strict, members)
		} else {
			require.ErrorIs(t, refused, ErrUTF8)
		}
		var theirs map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &theirs))
		require.Len(t, members, len(theirs))
		out, err := SetIn(nil, data, members, "a", []byte(`2`))
		require.NoError(t, err)
		after, err := Request(nil, out)
		require.NoError(t, err)
		requireSetOnly(t, members, after, "a", []byte(`2`))
	})
}
