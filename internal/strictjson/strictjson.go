// Package strictjson reads untrusted JSON so that it has one meaning only, and
// decodes nothing that is not requested.
//
// encoding/json matches names in any case, takes the last of two members with the
// same name and silently replaces invalid UTF-8. Two readers that differ in such
// points can read two documents from the same bytes. This package follows RFC 8259
// and refuses, at every depth: a name that occurs twice in an object (compared
// after decoding escapes, in exact case), bytes that are not UTF-8, half a
// surrogate pair in \u escapes (except in [Request]), a byte order mark, anything
// but white space after the value, and nesting beyond [MaxDepth].
//
// Work and memory are near-linear in the input. Errors are of type *[Error] and
// hold none of the input's bytes.
package strictjson

import "bytes"

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 10_000

// Member is a member of an object.
type Member struct {
	// Name is decoded: the name written a\u0062 is ab. It is a subslice of the
	// input unless it was written with escapes.
	Name []byte
	// Value is the raw value, without the white space around it. It is a
	// subslice of the input.
	Value []byte
	// Start and End are the offsets of Value in the input.
	Start, End int
}

// Object validates the whole of data as one JSON object, at every depth, and
// appends its members to dst in the order of the input. After an error dst is
// returned as it was given. Nothing is allocated for small objects when dst
// has room.
//
// Names and Values share data's bytes: they change when data does.
func Object(dst []Member, data []byte) ([]Member, error) {
	return object(dst, data, false)
}

func object(dst []Member, data []byte, halves bool) ([]Member, error) {
	s := scanner{data: data, halves: halves}
	out := dst
	more, err := s.enter('{', "value is not an object")
	for more && err == nil {
		m := Member{Name: s.name, Start: s.pos}
		if err = s.value(); err != nil {
			break
		}
		m.End = s.pos
		m.Value = data[m.Start:m.End:m.End]
		out = append(out, m)
		more, err = s.next(0)
	}
	if err == nil {
		err = s.finish()
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Request is [Object] for a request that an app has serialised: its values may
// hold escapes of half a surrogate pair, which JavaScript writes for a text that
// ends within an emoji. Names may not, at any depth: two names that differ only in
// that half become one for a reader that replaces it with U+FFFD.
//
// The bytes of such a value are valid, but readers differ in its meaning: [String]
// refuses it.
func Request(dst []Member, data []byte) ([]Member, error) {
	return object(dst, data, true)
}

// Elements validates the whole of data as one JSON array, at every depth, and
// appends its raw elements, subslices of data, to dst. After an error dst is
// returned as it was given.
func Elements(dst [][]byte, data []byte) ([][]byte, error) {
	s := scanner{data: data}
	out := dst
	more, err := s.enter('[', "value is not an array")
	for more && err == nil {
		start := s.pos
		if err = s.value(); err != nil {
			break
		}
		out = append(out, data[start:s.pos:s.pos])
		more, err = s.next(0)
	}
	if err == nil {
		err = s.finish()
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Valid returns an error if data is not one JSON value of any type.
func Valid(data []byte) error {
	s := scanner{data: data}
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	return s.finish()
}

// IsNull reports whether raw, a raw value as in [Member], is null.
func IsNull(raw []byte) bool { return string(raw) == "null" }

// Set appends to dst the object data with its top-level member name set to
// rawValue. The value of an existing member, whose name may be escaped, is
// replaced in place. A missing member is inserted as the first. Every other byte
// is unchanged, and [Object] accepts the result.
//
// An error's offset counts in data, in name or in rawValue, whichever is invalid.
// dst is then returned as it was given. The array under dst must not overlap data
// or rawValue.
func Set(dst, data []byte, name string, rawValue []byte) ([]byte, error) {
	var buf [16]Member
	members, err := Object(buf[:0], data)
	if err != nil {
		return dst, err
	}
	if err := validMember(rawValue); err != nil {
		return dst, err
	}
	return SetIn(dst, data, members, name, rawValue)
}

// SetIn is [Set] for an object that was read already: members are the members of
// data from [Object] or [Request], and rawValue is one JSON value. Neither is
// checked.
func SetIn(dst, data []byte, members []Member, name string, rawValue []byte) ([]byte, error) {
	for i := range members {
		if m := &members[i]; string(m.Name) == name {
			return splice(dst, data[:m.Start], rawValue, data[m.End:]), nil
		}
	}
	member, err := AppendString(nil, name)
	if err != nil {
		return dst, err
	}
	member = append(append(member, ':'), rawValue...)
	if len(members) > 0 {
		member = append(member, ',')
	}
	open := bytes.IndexByte(data, '{') + 1
	return splice(dst, data[:open], member, data[open:]), nil
}

// validMember is Valid for a value that becomes a member of an object, which
// leaves one level of nesting less.
func validMember(raw []byte) error {
	s := scanner{data: raw}
	s.frames.push(frame{})
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	return s.finish()
}

func splice(dst, before, value, after []byte) []byte {
	if n := len(dst) + len(before) + len(value) + len(after); n > cap(dst) {
		dst = append(make([]byte, 0, n), dst...)
	}
	dst = append(dst, before...)
	dst = append(dst, value...)
	return append(dst, after...)
}
