package aimbrain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSetMember_CopiesHalfSurrogatePairInOtherMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{name: "high half", body: `{"textEvents":[{"tx":"pay \ud83d","t":1}],"session":"a"}`, want: `{"textEvents":[{"tx":"pay \ud83d","t":1}],"session":"s-1"}`},
		{name: "low half", body: `{"session":"a","textEvents":[{"tx":"\ude00 rent"}]}`, want: `{"session":"s-1","textEvents":[{"tx":"\ude00 rent"}]}`},
		{name: "high half before a pair", body: `{"session":"a","tx":"\ud83d\ud83d\ude00"}`, want: `{"session":"s-1","tx":"\ud83d\ud83d\ude00"}`},
		{name: "high half before an escaped quote", body: `{"session":"a","tx":"\ud83d\""}`, want: `{"session":"s-1","tx":"\ud83d\""}`},
		{name: "high half before another escape", body: `{"session":"a","tx":"\ud83d\u0022,\u0022"}`, want: `{"session":"s-1","tx":"\ud83d\u0022,\u0022"}`},
		{name: "two low halves", body: `{"session":"a","tx":"\uDE00\uDE00"}`, want: `{"session":"s-1","tx":"\uDE00\uDE00"}`},
		{name: "in the value that is replaced", body: `{"session":"\ud83d"}`, want: `{"session":"s-1"}`},
		{name: "without the member", body: `{"tx":"\ud83d"}`, want: `{"session":"s-1","tx":"\ud83d"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := aimbrain.SetMember([]byte(c.body), "session", "s-1")
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

func TestSetMember_RefusesHalfSurrogatePairInNamesAndValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body string }{
		{name: "in a name", body: `{"a\ud83d":1}`},
		{name: "in a name that is hidden by an escape", body: `{"\ud83dsession":1}`},
		{name: "in names that are one with U+FFFD", body: `{"a\ud83d":1,"a\ud83e":2}`},
		{name: "in a name beside the same with U+FFFD", body: `{"a\ud83d":1,"a\ufffd":2}`},
		{name: "in a name within", body: `{"textEvents":[{"tx\ude00":1}]}`},
		{name: "in the user id", body: `{"session":"a","userId":"u\ud83d"}`},
		{name: "in the user id, whose name is escaped", body: `{"session":"a","user\u0049d":"\ude00"}`},
		{name: "not hexadecimal", body: `{"session":"a","tx":"\ud83g"}`},
		{name: "before an escape that is none", body: `{"session":"a","tx":"\ud83d\q"}`},
		{name: "before half an escape", body: `{"session":"a","tx":"\ud83d\u00"}`},
		{name: "as bytes", body: "{\"session\":\"a\",\"tx\":\"\xed\xa0\xbd\"}"},
		{name: "the name twice behind it", body: `{"tx":"\ud83d","session":"a","sess\u0069on":"b"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := aimbrain.SetMember([]byte(c.body), "session", "s-1")
			var refused *aimbrain.RequestError
			require.ErrorAs(t, err, &refused)
		})
	}
	_, err := aimbrain.SetMember([]byte(`{"userId":"a","session":"\ud83d"}`), "userId", "u-1")
	require.ErrorContains(t, err, `"session"`)
}

func TestSetMember_ByteOrderMark(t *testing.T) {
	t.Parallel()
	_, err := aimbrain.SetMember([]byte("\ufeff{}"), "userId", "u-1")
	var refused *aimbrain.RequestError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Reason, "byte order mark (the bytes EF BB BF)")
	assert.Contains(t, refused.Reason, "without it")
}

func TestSetMember_RefusesBodyOfLimitUnread(t *testing.T) {
	t.Parallel()
	const limit = aimbrain.MaxRequestBytes
	filled := func(n int, session string) []byte {
		start, end := `{"session":"`+session+`","tx":"`, `"}`
		return []byte(start + strings.Repeat("x", n-len(start)-len(end)) + end)
	}
	for _, c := range []struct {
		name string
		body []byte
		ok   bool
	}{
		{name: "below it", body: filled(limit-4, "old"), ok: true},
		{name: "at it by the change", body: filled(limit-3, "old")},
		{name: "at it before the change", body: filled(limit, strings.Repeat("o", 99))},
		{name: "beyond it and no JSON", body: []byte(strings.Repeat("[", 6_000_000))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := aimbrain.SetMember(c.body, "session", "s-1234")
			if c.ok {
				require.NoError(t, err)
				assert.Len(t, got, limit-1)
				return
			}
			var large *aimbrain.TooLargeError
			require.ErrorAs(t, err, &large)
			assert.Equal(t, limit, large.Limit)
			assert.False(t, large.Response)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.NotContains(t, err.Error(), ": :")
		})
	}
}

// An object of many names needs a map, so that a second pass would be visible.
func TestSetMember_ReadsBodyOnce(t *testing.T) { //nolint:paralleltest // it counts allocations
	var b strings.Builder
	b.WriteString(`{"session":"old","touches":[`)
	for i := range 200 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j := range 40 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"name%d":%d`, j, i)
		}
		b.WriteByte('}')
	}
	b.WriteString(`]}`)
	body := []byte(b.String())
	space := make([]strictjson.Member, 0, 16)
	once := testing.AllocsPerRun(5, func() { _, _ = strictjson.Object(space, body) })
	require.Greater(t, once, 200.0)
	ours := testing.AllocsPerRun(5, func() { _, _ = aimbrain.SetMember(body, "session", "s-1") })
	assert.LessOrEqual(t, ours, once+8)

	large := make([]byte, 6_000_000)
	assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { _, _ = aimbrain.SetMember(large, "session", "s-1") }), 1.0)
}
