package strictjson

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// manyNames returns an object of n members.
func manyNames(n int) []byte {
	return members(n, func(i int) string { return "n" + strconv.Itoa(i) })
}

func members(n int, name func(i int) string) []byte {
	data := []byte{'{'}
	for i := range n {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, '"')
		data = append(data, name(i)...)
		data = append(data, `":1`...)
	}
	return append(data, '}')
}

func TestValid_DepthLimit(t *testing.T) {
	t.Parallel()
	nest := func(open, inner, closer string, depth int) []byte {
		return []byte(strings.Repeat(open, depth-1) + inner + strings.Repeat(closer, depth-1))
	}
	for _, c := range []struct{ open, inner, closer string }{
		{"[", "[]", "]"},
		{`{"a":`, "{}", "}"},
		{`{"a":1,"b":`, `[{}]`[1:3], "}"},
	} {
		require.NoError(t, Valid(nest(c.open, c.inner, c.closer, 10_000)))
		offset := 10_000 * len(c.open)
		requireFault(t, Valid(nest(c.open, c.inner, c.closer, 10_001)), ErrDepth, offset)
	}
	_, err := Elements(nil, nest("[", "[]", "]", 10_001))
	requireFault(t, err, ErrDepth, 10_000)
	_, err = Object(nil, nest(`{"a":`, "{}", "}", 10_001))
	requireFault(t, err, ErrDepth, 50_000)
}

func TestValid_EndlessNesting(t *testing.T) {
	t.Parallel()
	// The offset bounds the work: nothing behind it was read.
	requireFault(t, Valid(bytes.Repeat([]byte("["), 2_000_000)), ErrDepth, 10_000)
	requireFault(t, Valid(bytes.Repeat([]byte(`{"a":`), 400_000)), ErrDepth, 50_000)
}

func TestValid_WidthIsNotDepth(t *testing.T) {
	t.Parallel()
	require.NoError(t, Valid([]byte("["+strings.Repeat("[{}],", 100_000)+"1]")))
}

// compared returns the number of comparisons of names for data.
func compared(t *testing.T, data []byte) int {
	t.Helper()
	s := scanner{data: data}
	require.NoError(t, s.value())
	require.NoError(t, s.finish())
	return s.compared
}

func TestValid_NameComparisonsAreLinear(t *testing.T) {
	t.Parallel()
	prefix := strings.Repeat("x", 1000)
	sixteen := string(manyNames(16))
	for what, c := range map[string]struct {
		data  []byte
		names int
	}{
		"many names":       {manyNames(100_000), 100_000},
		"escaped names":    {members(50_000, func(i int) string { return `\u006e` + strconv.Itoa(i) }), 50_000},
		"common prefixes":  {members(2_000, func(i int) string { return prefix + strconv.Itoa(1_000+i) }), 2_000},
		"nested":           {[]byte(strings.Repeat(`{"a":`, 9_999) + "{}" + strings.Repeat("}", 9_999)), 9_999},
		"nested wide":      {[]byte(strings.Repeat(sixteen[:len(sixteen)-2], 5_000) + "1" + strings.Repeat("}", 5_000)), 80_000},
		"many objects":     {[]byte("[" + strings.Repeat(sixteen+",", 5_000) + "1]"), 80_000},
		"after many names": {append(append(manyNames(50_000)[:1], `"o":[`+strings.Repeat(`{"a":1},`, 50_000)+`0],`...), manyNames(50_000)[1:]...), 100_001},
	} {
		require.LessOrEqual(t, compared(t, c.data), linearNames*c.names, what)
	}
}

func TestValid_DuplicateAmongManyNames(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 15, 16, 17, 18, 1_000} {
		for _, again := range []int{0, n / 2, n - 1} {
			data := manyNames(n)
			at := len(data)
			data = append(data[:at-1], `,"\u006e`+strconv.Itoa(again)+`":1}`...)
			requireFault(t, Valid(data), ErrDuplicate, at)
			nested := []byte(`{"a":[` + string(data) + `]}`)
			requireFault(t, Valid(nested), ErrDuplicate, at+6)
		}
	}
}

func TestValid_KeepsNamesOfOuterObject(t *testing.T) {
	t.Parallel()
	for _, outer := range []int{1, 15, 16, 17, 40} {
		for _, inner := range []int{1, 16, 17, 40} {
			// Inner objects may repeat the outer names.
			head := string(manyNames(outer))
			head = head[:len(head)-1] + `,"in":[` + string(manyNames(inner)) + `,` + string(manyNames(inner)) + `]`
			require.NoError(t, Valid([]byte(head+`}`)))
			requireFault(t, Valid([]byte(head+`,"n0":1}`)), ErrDuplicate, len(head)+1)
			requireFault(t, Valid([]byte(head+`,"in":1}`)), ErrDuplicate, len(head)+1)
		}
	}
}

func TestValid_DeepSiblingsAreSeparate(t *testing.T) {
	t.Parallel()
	// It is deep enough for the part of the stacks that is allocated and
	// reused.
	head, tail := strings.Repeat(`{"a":0,"b":[`, 20), strings.Repeat("]}", 20)
	for _, inner := range []string{`{"x":1},[2],{"y":[{"x":3}],"x":4}`, `[[{"x":1}],{"x":1}],{"x":{"x":[]}},[]`} {
		require.NoError(t, Valid([]byte(head+inner+tail)))
		require.NoError(t, Valid([]byte(head+inner+","+inner+tail)))
	}
	for inner, at := range map[string]int{`{"x":1},{"y":1,"y":2}`: 15, `{"x":1,"z":{"x":1},"x":2}`: 19} {
		requireFault(t, Valid([]byte(head+inner+tail)), ErrDuplicate, len(head)+at)
	}
	requireFault(t, Valid([]byte(head+`{"x":1},[2}`+tail)), ErrSyntax, len(head)+10)
	requireFault(t, Valid([]byte(head+`[2],{"x":1]`+tail)), ErrSyntax, len(head)+10)
}

func TestValid_MemoryIsLinearInNames(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	data := manyNames(20_000)
	allocs := testing.AllocsPerRun(1, func() { _ = Valid(data) })
	require.Less(t, allocs, 25_000.0)
}

func TestObject_AllocatesNothingForSmallObjects(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	data := []byte(scoreResponse)
	sixteen := manyNames(16)
	nested := []byte(`[[[[[[[[{"a":{"b":{"c":{"d":[{"x":"é"}]}}}}]]]]]]]]`)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		var members [16]Member
		var elements [4][]byte
		_, errA := Object(members[:0], data)
		_, errB := Object(members[:0], sixteen)
		_, errC := Elements(elements[:0], nested)
		if errA != nil || errB != nil || errC != nil || Valid(nested) != nil {
			panic("refused")
		}
	}))
}

func TestNumber_AllocatesNothing(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	raw := []byte("12345")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n, errA := Int(raw)
		f, errB := Number(raw)
		if errA != nil || errB != nil || float64(n) != f {
			panic("refused")
		}
	}))
}
