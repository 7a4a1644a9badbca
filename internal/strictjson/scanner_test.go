package strictjson

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValid_ComparesNameWithFewOthers(t *testing.T) {
	t.Parallel()
	before := 0
	for n := 1; n <= 100; n++ {
		all := compared(t, manyNames(n))
		last := all - before // the comparisons for the last of n names
		switch {
		case n <= linearNames:
			require.Equal(t, n-1, last, "name %d is compared with each one before it", n)
		case n == linearNames+1:
			require.Equal(t, linearNames+1, last, "name %d has the others moved to a map", n)
		default:
			require.Equal(t, 1, last, "name %d is looked up", n)
		}
		before = all
	}
}

func TestValid_AllocatesNothingForSmallNestedObject(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	inner := string(manyNames(8))
	outer := string(manyNames(7))
	data := []byte(outer[:len(outer)-1] + `,"inner":` + inner + `}`)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if Valid(data) != nil {
			panic("refused")
		}
	}))
}

func TestValid_NamesExpectedBracket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		data   string
		reason string
	}{
		{name: "in an object", data: `[{"a":1 2}]`, reason: "no comma or } after a member"},
		{name: "in an object, the bracket of an array", data: `[{"a":1]]`, reason: "no comma or } after a member"},
		{name: "in an array", data: `{"a":[1 2]}`, reason: "no comma or ] after an element"},
		{name: "in an array, the bracket of an object", data: `{"a":[1}}`, reason: "no comma or ] after an element"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var fault *Error
			require.ErrorAs(t, Valid([]byte(c.data)), &fault)
			require.Equal(t, c.reason, fault.Reason)
		})
	}
}
