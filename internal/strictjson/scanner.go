package strictjson

import "bytes"

// linearNames is how many names of one object are compared one by one. An object
// with more names gets a map, so that the work stays linear.
const linearNames = 16

// scanner checks one value. It keeps its own stack of open arrays and objects, as
// an attacker must not control the depth of a goroutine's stack.
type scanner struct {
	data     []byte
	pos      int
	name     []byte // the name that was read last
	compared int    // name comparisons so far: tests hold it to a bound
	halves   bool   // accept half a surrogate pair in values
	frames   stack[frame]
	names    stack[[]byte] // names of all open objects that have no map yet
}

// frame is an open array or object.
type frame struct {
	closer byte                // ']' or '}'
	base   int                 // where the object's names start in scanner.names
	seen   map[string]struct{} // the object's names once there are too many to compare
}

// stack is a stack whose first items need no allocation. A slice of a local array
// would not work: append would move the array to the heap.
type stack[T any] struct {
	n      int
	inline [16]T
	more   []T
}

func (s *stack[T]) push(v T) {
	if s.n < len(s.inline) {
		s.inline[s.n] = v
	} else {
		s.more = append(s.more[:s.n-len(s.inline)], v)
	}
	s.n++
}

func (s *stack[T]) at(i int) *T {
	if i < len(s.inline) {
		return &s.inline[i]
	}
	return &s.more[i-len(s.inline)]
}

// space moves past white space.
func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return
		}
	}
}

// enter opens the array or object that the whole input must be. Like open it
// reports whether there is a first value to read.
func (s *scanner) enter(opener byte, mismatch string) (more bool, err error) {
	s.space()
	if s.pos == len(s.data) {
		return false, cutOff(s.data)
	}
	if c := s.data[s.pos]; c != opener {
		return false, mismatched(s.data, s.pos, mismatch)
	}
	return s.open(opener)
}

// finish checks that nothing follows the value.
func (s *scanner) finish() error {
	s.space()
	if s.pos < len(s.data) {
		return fail(s.pos, ErrTrailing, string(ErrTrailing))
	}
	return nil
}

// value moves past the value that starts at pos.
func (s *scanner) value() error {
	floor := s.frames.n
	for {
		opened, err := s.begin()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if more, err := s.next(floor); err != nil || !more {
			return err
		}
	}
}

// begin moves past a scalar or an empty array or object. For any other it moves to
// the first value within and returns true.
func (s *scanner) begin() (opened bool, err error) {
	if s.pos == len(s.data) {
		return false, cutOff(s.data)
	}
	switch c := s.data[s.pos]; c {
	case '"':
		s.pos, _, err = scanString(s.data, s.pos, s.halves)
	case '{', '[':
		return s.open(c)
	case 't':
		err = s.literal("true")
	case 'f':
		err = s.literal("false")
	case 'n':
		err = s.literal("null")
	default:
		if c != '-' && !isDigit(c) {
			return false, noValue(s.data, s.pos)
		}
		s.pos, _, err = scanNumber(s.data, s.pos)
	}
	return false, err
}

// open moves into the array or object that starts at pos, up to its first
// value, and reports whether there is one.
func (s *scanner) open(opener byte) (more bool, err error) {
	if s.frames.n == MaxDepth {
		return false, fail(s.pos, ErrDepth, string(ErrDepth))
	}
	closer := opener + 2 // in ASCII, for both kinds of bracket
	s.pos++
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == closer {
		s.pos++
		return false, nil
	}
	s.frames.push(frame{closer: closer, base: s.names.n})
	if closer == '}' {
		return true, s.member()
	}
	return true, nil
}

// next moves from behind a value to the next one, through the ends of arrays and
// objects, until no more than floor of them are open. It reports whether there is
// a next value.
func (s *scanner) next(floor int) (more bool, err error) {
	for s.frames.n > floor {
		s.space()
		if s.pos == len(s.data) {
			return false, cutOff(s.data)
		}
		f := s.frames.at(s.frames.n - 1)
		switch s.data[s.pos] {
		case ',':
			s.pos++
			s.space()
			if f.closer == '}' {
				return true, s.member()
			}
			return true, nil
		case f.closer:
			s.pos++
			s.names.n = f.base
			s.frames.n--
		default:
			if f.closer == '}' {
				return false, fail(s.pos, ErrSyntax, "no comma or } after a member")
			}
			return false, fail(s.pos, ErrSyntax, "no comma or ] after an element")
		}
	}
	return false, nil
}

// member moves past a name and its colon, to the value.
func (s *scanner) member() error {
	if s.pos == len(s.data) {
		return cutOff(s.data)
	}
	if s.data[s.pos] != '"' {
		return fail(s.pos, ErrSyntax, "no name where a member should start")
	}
	start := s.pos
	end, escaped, err := scanString(s.data, start, false)
	if err != nil {
		return err
	}
	s.pos = end
	s.name = s.data[start+1 : end-1 : end-1]
	if escaped {
		s.name = appendDecoded(nil, s.name)
	}
	if !s.unique() {
		return fail(start, ErrDuplicate, string(ErrDuplicate))
	}
	s.space()
	if s.pos == len(s.data) {
		return cutOff(s.data)
	}
	if s.data[s.pos] != ':' {
		return fail(s.pos, ErrSyntax, "no colon after a name")
	}
	s.pos++
	s.space()
	return nil
}

// unique adds the name that was read last to the innermost object, and reports
// whether it is new there.
func (s *scanner) unique() bool {
	f := s.frames.at(s.frames.n - 1)
	if f.seen == nil {
		s.compared += s.names.n - f.base
		for i := f.base; i < s.names.n; i++ {
			if bytes.Equal(*s.names.at(i), s.name) {
				return false
			}
		}
		if s.names.n-f.base < linearNames {
			s.names.push(s.name)
			return true
		}
		// Maps hash with a random seed: an attacker cannot choose names that
		// collide.
		f.seen = make(map[string]struct{})
		for i := f.base; i < s.names.n; i++ {
			f.seen[string(*s.names.at(i))] = struct{}{}
		}
		s.names.n = f.base
	}
	s.compared++
	before := len(f.seen)
	f.seen[string(s.name)] = struct{}{}
	return len(f.seen) > before
}

// literal moves past true, false or null.
func (s *scanner) literal(word string) error {
	for i := range len(word) {
		if s.pos+i == len(s.data) {
			return cutOff(s.data)
		}
		if s.data[s.pos+i] != word[i] {
			return fail(s.pos+i, ErrSyntax, "misspelt literal")
		}
	}
	s.pos += len(word)
	return nil
}

// mismatched is the error of a value of another type than the wanted one, or of a
// missing value.
func mismatched(data []byte, pos int, reason string) error {
	switch c := data[pos]; c {
	case '{', '[', '"', '-', 't', 'f', 'n':
	default:
		if !isDigit(c) {
			return noValue(data, pos)
		}
	}
	return fail(pos, ErrType, reason)
}

func noValue(data []byte, pos int) error {
	if bytes.HasPrefix(data[pos:], []byte("\xef\xbb\xbf")) {
		return fail(pos, ErrSyntax, "byte order mark")
	}
	return fail(pos, ErrSyntax, "no value where one should start")
}
