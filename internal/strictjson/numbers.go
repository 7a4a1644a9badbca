package strictjson

import (
	"strconv"
)

// Number decodes raw, a raw number as in [Member]. A number that is too large for
// a float64 is an error. One that is too small for it is 0.
func Number(raw []byte) (float64, error) {
	if _, err := wholeNumber(raw); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil { // strconv's own error would quote the input
		return 0, fail(0, ErrRange, string(ErrRange))
	}
	return f, nil
}

// Int decodes raw, a raw number as in [Member] without a fraction and an exponent.
func Int(raw []byte) (int64, error) {
	integer, err := wholeNumber(raw)
	if err != nil {
		return 0, err
	}
	if !integer {
		return 0, fail(0, ErrType, "number is not written as an integer")
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, fail(0, ErrRange, string(ErrRange))
	}
	return n, nil
}

// wholeNumber checks that raw is one number and nothing else. It reports whether
// raw is written as an integer.
func wholeNumber(raw []byte) (integer bool, err error) {
	if len(raw) == 0 {
		return false, cutOff(raw)
	}
	if raw[0] != '-' && !isDigit(raw[0]) {
		return false, mismatched(raw, 0, "value is not a number")
	}
	end, integer, err := scanNumber(raw, 0)
	if err != nil {
		return false, err
	}
	if end != len(raw) {
		return false, fail(end, ErrTrailing, string(ErrTrailing))
	}
	return integer, nil
}

// scanNumber checks the number that starts at i and returns the offset behind
// it and whether it has neither fraction nor exponent.
func scanNumber(data []byte, i int) (end int, integer bool, err error) {
	if data[i] == '-' {
		i++
	}
	if i+1 < len(data) && data[i] == '0' && isDigit(data[i+1]) {
		return 0, false, fail(i, ErrSyntax, "leading zero in a number")
	}
	if i, err = digits(data, i); err != nil {
		return 0, false, err
	}
	integer = true
	if i < len(data) && data[i] == '.' {
		integer = false
		if i, err = digits(data, i+1); err != nil {
			return 0, false, err
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		integer = false
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if i, err = digits(data, i); err != nil {
			return 0, false, err
		}
	}
	return i, integer, nil
}

// digits moves past one or more digits.
func digits(data []byte, i int) (int, error) {
	if i == len(data) {
		return 0, cutOff(data)
	}
	if !isDigit(data[i]) {
		return 0, fail(i, ErrSyntax, "no digit where a number needs one")
	}
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	return i, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
