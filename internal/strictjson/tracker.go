package strictjson

// A Tracker follows the top level of an object while its bytes arrive, and finds the
// values of certain members. It checks nothing: what it returns holds for a text
// that [Request] accepts, and means nothing for any other.
type Tracker struct {
	// Owned reports whether the value of a member is looked for. A member whose
	// name has escapes, or whose value is not a string of plain ASCII, is not found.
	Owned func(name []byte) bool

	state trackerState
	pos   int  // how much was followed
	start int  // where the name, or the value that is looked for, begins
	depth int  // how many arrays and objects are open in the value
	owned bool // the value is looked for
}

type trackerState int

const (
	beforeObject trackerState = iota
	beforeName
	inName
	inOddName // with escapes, or not ASCII
	beforeColon
	beforeValue
	inOwned
	inString
	inNested
	inScalar
	afterValue
	atEnd // at the closing brace
	lost  // not an object, or a value that is not found
)

// Final returns how many of the bytes will stay as they are: neither a value that
// is looked for, nor a member that is missing, begins before.
func (t *Tracker) Final() int {
	if t.state == inOwned {
		return t.start
	}
	return t.pos
}

// Next follows data, which begins with the bytes of earlier calls, and returns the
// next value that is looked for. found is false when more bytes are needed.
func (t *Tracker) Next(data []byte) (start, end int, found bool) {
	for t.pos < len(data) {
		switch c := data[t.pos]; t.state {
		case inName, inOddName:
			if !t.name(data) {
				return 0, 0, false
			}
		case inOwned:
			i := plain(data, t.pos)
			if i == len(data) {
				t.pos = i
				return 0, 0, false
			}
			if data[i] != '"' {
				t.pos, t.state = t.start, lost
				return 0, 0, false
			}
			t.pos, t.state = i+1, afterValue
			return t.start, i + 1, true
		case inString:
			if !t.text(data) {
				return 0, 0, false
			}
		case inNested:
			t.nested(data)
		case atEnd, lost:
			return 0, 0, false
		default:
			t.structure(c)
		}
	}
	return 0, 0, false
}

// Replaced moves on behind a value that Next returned, and that has another length
// now.
func (t *Tracker) Replaced(end int) { t.pos = end }

// structure follows one byte between names and values.
func (t *Tracker) structure(c byte) {
	switch {
	case t.state == inScalar && c != ',' && c != '}' && c != ' ' && c != '\n' && c != '\t' && c != '\r':
		t.pos++
		return
	case t.state == inScalar:
		t.state = afterValue
		return
	case c == ' ' || c == '\n' || c == '\t' || c == '\r':
		t.pos++
		return
	}
	next := lost
	switch t.state {
	case beforeObject:
		if c == '{' {
			next = beforeName
		}
	case beforeName:
		switch c {
		case '"':
			next, t.start = inName, t.pos+1
		case '}':
			t.state = atEnd
			return
		}
	case beforeColon:
		if c == ':' {
			next = beforeValue
		}
	case beforeValue:
		switch {
		case c == '"' && t.owned:
			next, t.start = inOwned, t.pos
		case c == '"':
			next, t.depth = inString, 0
		case c == '{' || c == '[':
			next, t.depth = inNested, 1
		default:
			next = inScalar
		}
	case afterValue:
		switch c {
		case ',':
			next = beforeName
		case '}':
			t.state = atEnd
			return
		}
	}
	if t.state = next; next != lost {
		t.pos++
	}
}

// name follows a name, and reports whether it could go on.
func (t *Tracker) name(data []byte) (more bool) {
	i := plain(data, t.pos)
	t.pos = i
	switch {
	case i == len(data):
	case data[i] == '"':
		t.owned = t.state == inName && t.Owned(data[t.start:i])
		t.state, t.pos = beforeColon, i+1
	default:
		t.state = inOddName
		return t.pass(data)
	}
	return true
}

// pass moves past a byte of a string that does not stand for itself: an escape is
// moved past when both of its bytes are there.
func (t *Tracker) pass(data []byte) (more bool) {
	if data[t.pos] != '\\' {
		t.pos++
		return true
	}
	if t.pos+1 == len(data) {
		return false
	}
	t.pos += 2
	return true
}

// text follows a string, and reports whether it could go on.
func (t *Tracker) text(data []byte) (more bool) {
	i, _ := skip(data, t.pos)
	t.pos = i
	switch {
	case i == len(data):
	case data[i] != '"':
		return t.pass(data)
	case t.depth > 0:
		t.state, t.pos = inNested, i+1
	default:
		t.state, t.pos = afterValue, i+1
	}
	return true
}

// nested follows an array or an object up to a string within it, or to its end.
func (t *Tracker) nested(data []byte) {
	for t.pos < len(data) {
		c := data[t.pos]
		t.pos++
		switch c {
		case '"':
			t.state = inString
			return
		case '{', '[':
			t.depth++
		case '}', ']':
			if t.depth--; t.depth == 0 {
				t.state = afterValue
				return
			}
		}
	}
}
