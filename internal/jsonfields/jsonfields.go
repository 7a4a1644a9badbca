// Package jsonfields reads the members of a JSON object by their types, strictly:
// a member that is missing, null, of another type or out of range is an error and
// never a zero value.
package jsonfields

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// An Object is the members of a JSON object while they are read. The first fault
// is kept, and values that are read after it are not valid. The zero value has no
// members.
type Object struct {
	space   [8]strictjson.Member // for the members of a small object
	members []strictjson.Member
	err     error
}

// An Error is what is wrong with an object.
type Error struct {
	Reason string // without the object's content
	Err    error  // the cause, or nil
}

// Error returns the reason and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads an object, whose bytes it keeps. Invalid data is its first fault.
func (o *Object) Parse(data []byte) {
	members, err := strictjson.Object(o.space[:0], data)
	o.members = members
	if err != nil {
		o.Fail("it is not a strict JSON object", err)
	}
}

// Fail records a fault, unless there is one already.
func (o *Object) Fail(reason string, cause error) {
	if o.err == nil {
		o.err = &Error{Reason: reason, Err: cause}
	}
}

// Err returns the first fault, an [*Error], or nil.
func (o *Object) Err() error { return o.err }

// Raw returns a member's JSON, or nil when the member is missing. Names match in
// their exact case.
func (o *Object) Raw(name string) []byte {
	for i := range o.members {
		if string(o.members[i].Name) == name {
			return o.members[i].Value
		}
	}
	return nil
}

// required returns a member's JSON. A member that is missing or null is a fault.
func (o *Object) required(name string) ([]byte, bool) {
	value := o.Raw(name)
	switch {
	case value == nil:
		o.Fail(strconv.Quote(name)+" is missing", nil)
	case strictjson.IsNull(value):
		o.Fail(strconv.Quote(name)+" is null", nil)
	default:
		return value, true
	}
	return nil, false
}

// Score reads a number from 0 to 1. The range holds for its text, and the result
// reaches no threshold that the text does not.
func (o *Object) Score(name string) float64 {
	value, ok := o.required(name)
	if !ok {
		return 0
	}
	score, err := strictjson.Score(value)
	switch {
	case errors.Is(err, strictjson.ErrRange):
		o.Fail(strconv.Quote(name)+" is "+shown(value)+", which is not in 0..1", nil)
	case err != nil:
		o.Fail(strconv.Quote(name)+" is not a number", err)
	}
	return score
}

// shown returns a number for an error's text. A server can make it as long as the
// response.
func shown(number []byte) string {
	if len(number) > 24 {
		return string(number[:24]) + "..."
	}
	return string(number)
}

// Count reads a whole number from 0 to 2³¹-1.
func (o *Object) Count(name string) int {
	value, ok := o.required(name)
	if !ok {
		return 0
	}
	n, err := strictjson.Int(value)
	if err != nil {
		o.Fail(strconv.Quote(name)+" is not a whole number", err)
		return 0
	}
	if n < 0 || n > 1<<31-1 {
		o.Fail(strconv.Quote(name)+" is "+shown(value)+", which is out of range", nil)
		return 0
	}
	return int(n)
}

// Text reads a string that is not empty.
func (o *Object) Text(name string) string {
	value, ok := o.required(name)
	if !ok {
		return ""
	}
	text, err := strictjson.String(value)
	if err != nil {
		o.Fail(strconv.Quote(name)+" is not a string", err)
		return ""
	}
	if text == "" {
		o.Fail(strconv.Quote(name)+" is empty", nil)
	}
	return text
}

// Array reads an array, and returns the JSON of its elements.
func (o *Object) Array(name string) [][]byte {
	value, ok := o.required(name)
	if !ok {
		return nil
	}
	elements, err := strictjson.Elements(nil, value)
	if err != nil {
		o.Fail(strconv.Quote(name)+" is not an array", err)
	}
	return elements
}

// Bytes returns the bytes of a string in base64. A member that is missing or of
// another shape returns nil, which is no fault.
func (o *Object) Bytes(name string) []byte {
	text, err := strictjson.String(o.Raw(name))
	if err != nil {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return decoded
}

// IsEmpty reports whether a member is missing, null, false, an empty string, an
// empty object or an empty array.
func (o *Object) IsEmpty(name string) bool {
	value := o.Raw(name)
	switch string(value) {
	case "", "null", "false", `""`, "{}":
		return true
	}
	elements, err := strictjson.Elements(nil, value)
	return err == nil && len(elements) == 0
}
