package strictjson

import "strconv"

// Kind says what sort of fault an [Error] is. The Err constants are its only
// values; each is a target for errors.Is.
type Kind string

// Error makes a Kind an error, so that it can be the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds of fault.
const (
	// ErrSyntax: the bytes do not follow the grammar of RFC 8259.
	ErrSyntax Kind = "syntax error"
	// ErrUnexpectedEnd: the input ended before the value did. Whatever is cut
	// off a valid object or array, the rest fails with this kind.
	ErrUnexpectedEnd Kind = "unexpected end"
	// ErrDuplicate: an object, at any depth, has the same name twice.
	ErrDuplicate Kind = "duplicate name"
	// ErrUTF8: bytes that are not UTF-8, or a \u escape that names half a
	// surrogate pair, which UTF-8 cannot carry.
	ErrUTF8 Kind = "invalid UTF-8"
	// ErrDepth: arrays and objects nested deeper than MaxDepth.
	ErrDepth Kind = "nested too deep"
	// ErrTrailing: something other than white space follows the value.
	ErrTrailing Kind = "data after the value"
	// ErrType: a value of another type than the one asked for.
	ErrType Kind = "wrong type"
	// ErrRange: a number that the Go type cannot hold, or a score that is not
	// in 0..1.
	ErrRange Kind = "number out of range"
)

// Error tells what is wrong with the input and where. It holds none of the
// input's bytes, which may be secret, so it is safe to log.
type Error struct {
	Offset int    // of the first byte at fault; len(input) where the input ended too soon
	Kind   Kind   // which of the Err constants this is
	Reason string // what is wrong, in words fixed by this package
}

// Error returns the reason and the offset.
func (e *Error) Error() string {
	return e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap returns the Kind, for errors.Is.
func (e *Error) Unwrap() error { return e.Kind }

func fail(offset int, kind Kind, reason string) error {
	return &Error{Offset: offset, Kind: kind, Reason: reason}
}

// cutOff is the error of an input that ends within a value.
func cutOff(data []byte) error {
	return fail(len(data), ErrUnexpectedEnd, string(ErrUnexpectedEnd))
}
