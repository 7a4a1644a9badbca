package strictjson

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
)

// Score decodes raw, a raw number as in [Member], from 0 to 1. A number outside
// that range is an error of the kind [ErrRange].
//
// It is for numbers that are compared with a threshold. The float64 nearest to
// a text may be above the text: 0.49999999999999999 is nearest to 0.5, and
// 1.00000000000000001 to 1. Score checks the range on the text, to its last
// digit, and returns the largest float64 whose shortest decimal is not above
// the text. The shortest decimal is what strconv.FormatFloat writes with a
// precision of -1. The result therefore reaches a threshold only when the text
// does, and the shortest decimal of a float64 gives that float64: 0.9 is 0.9.
//
// A number too small for a float64 is 0, and so is -0. The work is linear in
// the length of raw. Nothing is allocated.
func Score(raw []byte) (float64, error) {
	if _, err := wholeNumber(raw); err != nil {
		return 0, err
	}
	d := magnitude(raw)
	one := magnitude([]byte("1"))
	if one.below(d) || d.digits != 0 && raw[0] == '-' {
		return 0, fail(0, ErrRange, "number is not in 0..1")
	}
	// The shortest decimals of the float64s next to f are on the other sides of
	// d: the result is f or the one below it.
	f := d.nearest()
	var buf [32]byte
	if d.below(magnitude(strconv.AppendFloat(buf[:0], f, 'e', -1, 64))) {
		f = math.Nextafter(f, 0)
	}
	return f, nil
}

// decimal is the number 0.digits × 10^point, where digits has 18 digits and
// its first one is not 0.
//
// A number with more digits is cut off behind the 18th, which is then made odd
// if one of the digits cut off is not 0. The shortest decimal of a float64 has
// 17 digits at most, and no number with so few lies between a number and what
// is left of it. So both compare alike with each of those decimals.
type decimal struct {
	digits int64 // 0 for zero
	point  int64 // below that of all other numbers for zero
}

const (
	firstPlace = 1e17 // the place value of the first of a decimal's 18 digits
	places     = 18
	// farPoint is an exponent that no number of digits compensates. Exponents
	// beyond it make no difference.
	farPoint = 1e15
	// tinyPoint is the point, without its sign, of numbers that are far too
	// small for a float64.
	tinyPoint = 400
)

// magnitude returns number, which is a JSON number, without its sign.
func magnitude(number []byte) decimal {
	mantissa, exponent := number, []byte(nil)
	if i := bytes.IndexAny(number, "eE"); i != -1 {
		mantissa, exponent = number[:i], number[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	whole = bytes.TrimLeft(whole, "-0")
	point := len(whole)
	if point == 0 {
		significant := bytes.TrimLeft(fraction, "0")
		point = len(significant) - len(fraction)
		fraction = significant
	}
	var digits, place int64 = 0, firstPlace
	for _, part := range [...][]byte{whole, fraction} {
		for _, c := range part {
			digits += int64(c-'0') * place
			if place == 0 && c != '0' {
				digits |= 1
			}
			place /= 10
		}
	}
	if digits == 0 {
		return decimal{point: math.MinInt64}
	}
	return decimal{digits: digits, point: int64(point) + integer(exponent)}
}

// integer returns the value of text, an exponent without its e. A value beyond
// ±farPoint becomes that limit, and no text is 0.
func integer(text []byte) int64 {
	var n int64
	for _, c := range text {
		if isDigit(c) {
			n = min(n*10+int64(c-'0'), farPoint)
		}
	}
	if bytes.HasPrefix(text, []byte("-")) {
		return -n
	}
	return n
}

// below reports whether d is less than o.
func (d decimal) below(o decimal) bool {
	return cmp.Or(cmp.Compare(d.point, o.point), cmp.Compare(d.digits, o.digits)) < 0
}

// nearest returns the float64 nearest to d, which is from 0 to 1.
func (d decimal) nearest() float64 {
	var buf [32]byte
	text := strconv.AppendInt(buf[:0], d.digits, 10)
	text = append(text, 'e')
	text = strconv.AppendInt(text, max(d.point, -tinyPoint)-places, 10)
	f, _ := strconv.ParseFloat(string(text), 64) // it fails for larger numbers only
	return f
}
