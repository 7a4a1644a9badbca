package strictjson

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScore_LargestFloatNotAboveText(t *testing.T) {
	t.Parallel()
	const (
		smallest = math.SmallestNonzeroFloat64 // 4.94e-324, written 5e-324
		below1   = 1 - 1.0/(1<<53)             // written 0.9999999999999999
	)
	below := func(f float64) float64 { return math.Nextafter(f, 0) }
	for _, c := range []struct {
		name string
		raw  string
		want float64
	}{
		{name: "zero", raw: "0", want: 0},
		{name: "zero with a fraction", raw: "0.000", want: 0},
		{name: "negative zero", raw: "-0", want: 0},
		{name: "negative zero with a fraction and an exponent", raw: "-0.0e5", want: 0},
		{name: "zero with a large exponent", raw: "0e999", want: 0},
		{name: "zero with a huge exponent", raw: "0.0e99999999999999999999", want: 0},
		{name: "one", raw: "1", want: 1},
		{name: "one with a fraction", raw: "1.0", want: 1},
		{name: "one shifted right", raw: "10e-1", want: 1},
		{name: "one shifted left", raw: "0.1e1", want: 1},
		{name: "one with a signed exponent", raw: "0.01E+2", want: 1},
		{name: "one with leading zeros in the exponent", raw: "0.1e0000000000000000000000001", want: 1},
		{name: "one of more digits than are kept", raw: "1" + strings.Repeat("0", 30) + "e-30", want: 1},
		{name: "one half", raw: "0.5", want: 0.5},
		{name: "one half with trailing zeros", raw: "0.50000000000000000000000", want: 0.5},
		{name: "nine tenths", raw: "0.9", want: 0.9},
		{name: "nine tenths as an integer with an exponent", raw: "9e-1", want: 0.9},
		{name: "all digits of a float", raw: "0.30000000000000004", want: 0.30000000000000004},
		{name: "all digits of a float, shifted", raw: "0.00030000000000000004e3", want: 0.30000000000000004},
		{name: "both sides of the point", raw: "12.5e-2", want: 0.125},
		{name: "a small number", raw: "1.5e-7", want: 1.5e-7},

		{name: "just below one half", raw: "0.49999999999999999", want: below(0.5)},
		{name: "far below the precision, below one half", raw: "0.4" + strings.Repeat("9", 900), want: below(0.5)},
		{name: "just above one half", raw: "0.50000000000000001", want: 0.5},
		{name: "just below nine tenths", raw: "0.89999999999999999999", want: below(0.9)},
		{name: "just above nine tenths", raw: "0.90000000000000000001", want: 0.9},
		{name: "exact value of the float of nine tenths", raw: "0.90000000000000002220446049250313080847263336181640625", want: 0.9},
		{name: "exact value of the float of three tenths, below its text", raw: "0.299999999999999988897769753748434595763683319091796875", want: below(0.3)},
		{name: "17 digits, the last one too small", raw: "0.30000000000000003", want: below(0.30000000000000004)},
		{name: "17 digits and some", raw: "0.300000000000000039999", want: below(0.30000000000000004)},
		{name: "just below one", raw: "0.99999999999999999", want: below1},
		{name: "just below one, shifted", raw: "99999999999999999999.9e-20", want: below1},
		{name: "greatest float below one", raw: "0.9999999999999999", want: below1},
		{name: "just below a power of two", raw: "0.12499999999999999999", want: below(0.125)},

		{name: "smallest float as written", raw: "5e-324", want: smallest},
		{name: "nearest to the smallest float, below its text", raw: "4.95e-324", want: 0},
		{name: "next float as written", raw: "1e-323", want: 2 * smallest},
		{name: "nearest to the next float, below its text", raw: "9.9e-324", want: smallest},
		{name: "smaller than any float", raw: "1e-999", want: 0},
		{name: "exponent with more digits than an int64", raw: "1e-99999999999999999999", want: 0},
		{name: "exponent that would wrap a 64-bit integer to zero", raw: "1e-18446744073709551616", want: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Score([]byte(c.raw))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.False(t, math.Signbit(got), "negative zero")
		})
	}
}

func TestScore_RefusesOutOfRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		raw    string
		kind   Kind
		offset int
	}{
		{name: "above one", raw: "1.1", kind: ErrRange},
		{name: "above one by less than a float can represent", raw: "1.00000000000000001", kind: ErrRange},
		{name: "above one by a digit far behind", raw: "1." + strings.Repeat("0", 900) + "1", kind: ErrRange},
		{name: "above one, shifted", raw: "10.000000000000000000001e-1", kind: ErrRange},
		{name: "two", raw: "2", kind: ErrRange},
		{name: "ten", raw: "10", kind: ErrRange},
		{name: "ten by its exponent", raw: "1e1", kind: ErrRange},
		{name: "one hundred by its exponent", raw: "0.1e+3", kind: ErrRange},
		{name: "percent", raw: "97.31", kind: ErrRange},
		{name: "larger than any float", raw: "1e999", kind: ErrRange},
		{name: "exponent with more digits than an int64", raw: "1e99999999999999999999", kind: ErrRange},
		{name: "exponent that would wrap a 64-bit integer to zero", raw: "0.1e18446744073709551616", kind: ErrRange},
		{name: "negative", raw: "-0.1", kind: ErrRange},
		{name: "negative one", raw: "-1", kind: ErrRange},
		{name: "negative, smaller than any float", raw: "-1e-400", kind: ErrRange},
		{name: "negative, with a huge exponent", raw: "-0.0001e-99999999999999999999", kind: ErrRange},

		{name: "nothing", raw: "", kind: ErrUnexpectedEnd},
		{name: "cut off behind the point", raw: "0.", kind: ErrUnexpectedEnd, offset: 2},
		{name: "cut off within the exponent", raw: "1e-", kind: ErrUnexpectedEnd, offset: 3},
		{name: "string", raw: `"1"`, kind: ErrType},
		{name: "null", raw: "null", kind: ErrType},
		{name: "no digit before the point", raw: ".5", kind: ErrSyntax},
		{name: "leading zero", raw: "00.5", kind: ErrSyntax},
		{name: "something behind", raw: "0.5 ", kind: ErrTrailing, offset: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Score([]byte(c.raw))
			requireFault(t, err, c.kind, c.offset)
			require.Zero(t, got)
		})
	}
}

func TestScore_ReachesThresholdOnlyIfTextDoes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		requireExactAround(t, threshold(rng.Uint64()))
		requireExactAround(t, float64(1+rng.IntN(1_000))/1_000)
	}
}

func TestScore_LongExponents(t *testing.T) {
	t.Parallel()
	const n = 200_000
	zeros, nines := strings.Repeat("0", n), strings.Repeat("9", n)
	for _, c := range []struct {
		name string
		raw  string
		want float64
		kind Kind
	}{
		{name: "one half behind many zeros", raw: "0." + zeros + "5e200000", want: 0.5},
		{name: "one half before many zeros", raw: "5" + zeros + "e-200001", want: 0.5},
		{name: "one behind many zeros", raw: "0." + zeros + "1e200001", want: 1},
		{name: "ten behind many zeros", raw: "0." + zeros + "1e200002", kind: ErrRange},
		{name: "zeros and a one behind one", raw: "1." + zeros + "1", kind: ErrRange},
		{name: "many nines below one", raw: "0." + nines, want: math.Nextafter(1, 0)},
		{name: "many nines below one, as an integer", raw: nines + "e-200000", want: math.Nextafter(1, 0)},
		{name: "many nines above one", raw: nines + "e-199999", kind: ErrRange},
		{name: "many digits in a negative exponent", raw: "1e-" + nines, want: 0},
		{name: "many digits in an exponent", raw: "1e" + nines, kind: ErrRange},
		{name: "many zeros in an exponent", raw: "0.1e" + zeros + "1", want: 1},
		{name: "many zeros", raw: "0." + zeros, want: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Score([]byte(c.raw))
			if c.kind != "" {
				requireFault(t, err, c.kind, 0)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestScore_AllocatesNothing(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	short := []byte("0.9731")
	long := []byte("0.4" + strings.Repeat("9", 500_000) + "e-9")
	require.Zero(t, testing.AllocsPerRun(10, func() {
		_, errA := Score(short)
		_, errB := Score(long)
		if errA != nil || errB != nil {
			panic("refused")
		}
	}))
}

func FuzzScore(f *testing.F) {
	for _, s := range []string{
		``, `0`, `-0.0e5`, `1`, `1.0`, `10e-1`, `0.1e1`, `1.00000000000000001`, `0.49999999999999999`, `0.9`,
		`0.30000000000000004`, `0.299999999999999988897769753748434595763683319091796875`, `-1e-400`, `1e999`,
		`4.95e-324`, `1e-99999999999999999999`, `0e999`, `1.`, `"1"`,
	} {
		f.Add([]byte(s), math.Float64bits(0.5))
		f.Add([]byte(s), math.Float64bits(0.9))
	}
	f.Fuzz(func(t *testing.T, raw []byte, bits uint64) {
		limit := threshold(bits)
		requireExactAround(t, limit)
		got, err := Score(raw)
		if _, unread := wholeNumber(raw); unread != nil {
			require.Equal(t, unread, err)
			return
		}
		require.True(t, 0 <= got && got <= 1)
		if !small(raw) {
			if err != nil {
				requireFault(t, err, ErrRange, 0)
			}
			return
		}
		value := rational(t, string(raw))
		if value.Sign() < 0 || value.Cmp(big.NewRat(1, 1)) > 0 {
			requireFault(t, err, ErrRange, 0)
			return
		}
		require.NoError(t, err)
		want, _ := value.Float64()
		if value.Cmp(rational(t, shortest(want))) < 0 {
			want = math.Nextafter(want, 0)
		}
		require.Equal(t, want, got)
		require.Equal(t, value.Cmp(rational(t, shortest(limit))) >= 0, got >= limit, limit)
	})
}

// requireExactAround checks that the text of limit reaches it, that a text just
// above does not exceed it, and that one just below does not reach it.
func requireExactAround(t *testing.T, limit float64) {
	t.Helper()
	const far = 30 // digits behind those that distinguish one float from another
	text := shortest(limit)
	mantissa, exponent, _ := strings.Cut(text, "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	power, err := strconv.Atoi(exponent)
	require.NoError(t, err)
	power -= len(digits) - 1 // limit is digits, as an integer, with this exponent
	number, err := strconv.ParseUint(digits, 10, 64)
	require.NoError(t, err)
	e := "e" + strconv.Itoa(power)

	got, err := Score([]byte(text))
	require.NoError(t, err)
	require.Equal(t, limit, got, text)

	below := strconv.FormatUint(number-1, 10) + "." + strings.Repeat("9", far) + e
	got, err = Score([]byte(below))
	require.NoError(t, err)
	require.Equal(t, math.Nextafter(limit, 0), got, below)

	above := digits + "." + strings.Repeat("0", far) + "1" + e
	got, err = Score([]byte(above))
	if limit == 1 {
		requireFault(t, err, ErrRange, 0)
		return
	}
	require.NoError(t, err)
	require.Equal(t, limit, got, above)
}

// threshold returns a float of (0,1] from any bits.
func threshold(bits uint64) float64 {
	return math.Float64frombits(1 + bits%math.Float64bits(1))
}

// shortest returns the shortest text that reads as f, with an exponent.
func shortest(f float64) string { return strconv.FormatFloat(f, 'e', -1, 64) }

func rational(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	require.True(t, ok, text)
	return r
}

// small reports whether a big.Rat can hold the number raw at low cost.
func small(raw []byte) bool {
	_, exponent, _ := strings.Cut(strings.ToLower(string(raw)), "e")
	return len(raw) < 2_000 && len(strings.TrimLeft(exponent, "+-")) <= 3
}
