package strictjson

import "strconv"

// Kind is the kind of an [Error]. The Err constants are its only values. Each of
// them is a target for errors.Is.
type Kind string

// Error makes a Kind an error, so that it can be the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds of fault.
const (
	// ErrSyntax means that the bytes do not follow the grammar of RFC 8259.
	ErrSyntax Kind = "syntax error"
	// ErrUnexpectedEnd means that the input ended before the value did. A valid
	// object or array that is cut off anywhere fails with this kind.
	ErrUnexpectedEnd Kind = "unexpected end"
	// ErrDuplicate means that an object, at any depth, has the same name twice.
	ErrDuplicate Kind = "duplicate name"
	// ErrUTF8 means bytes that are not UTF-8, or a \u escape of half a
	// surrogate pair, which UTF-8 cannot represent.
	ErrUTF8 Kind = "invalid UTF-8"
	// ErrDepth means that arrays and objects are nested deeper than MaxDepth.
	ErrDepth Kind = "nested too deep"
	// ErrTrailing means that something other than white space follows the
	// value.
	ErrTrailing Kind = "data after the value"
	// ErrType means that a value is of another type than the requested one.
	ErrType Kind = "wrong type"
	// ErrRange means that a number does not fit the Go type, or that a score is
	// not in 0..1.
	ErrRange Kind = "number out of range"
)

// Error says what is wrong with the input and where. It holds none of the input's
// bytes, which may be secret, so it is safe to log.
type Error struct {
	Offset int    // of the first faulty byte; len(input) if the input ended too soon
	Kind   Kind   // one of the Err constants
	Reason string // a constant text of this package
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
