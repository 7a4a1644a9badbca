package payload

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A Member is a member of a serialised request that is set to a string.
type Member struct {
	Name  string
	Value string
	// Replace returns the value for the one that was sent, in place of Value. The
	// member must be there then, and a string.
	Replace func(sent string) (string, error)
}

// Set returns a copy of a serialised request with a member set. An error is an
// [*Invalid] or [ErrTooLarge].
func Set(request []byte, member Member, limit int) ([]byte, error) {
	quoted, invalid := quote(member.Name, member.Value)
	if invalid != nil {
		return nil, invalid
	}
	members, invalid := parse(make([]strictjson.Member, 0, 16), request, []Member{member})
	if invalid != nil {
		return nil, invalid
	}
	changed, err := strictjson.SetIn(nil, request, members, member.Name, quoted)
	if err != nil {
		return nil, &Invalid{Argument: "the name", Reason: "is not valid UTF-8"}
	}
	if len(changed) >= limit {
		return nil, ErrTooLarge
	}
	return changed, nil
}

// quote returns the value of a member in JSON.
func quote(name, value string) ([]byte, *Invalid) {
	quoted, err := strictjson.AppendString(nil, value)
	if err != nil {
		return nil, &Invalid{Argument: "the value of " + strconv.Quote(name), Reason: "is not valid UTF-8"}
	}
	return quoted, nil
}

// parse reads a serialised request of which members are set.
func parse(dst []strictjson.Member, request []byte, set []Member) ([]strictjson.Member, *Invalid) {
	if bytes.HasPrefix(request, []byte("\xef\xbb\xbf")) {
		return nil, &Invalid{Argument: "the body", Reason: "begins with a byte order mark (the bytes EF BB BF), which JSON must not have: let the app write UTF-8 without it"}
	}
	members, err := strictjson.Request(dst, request)
	if err != nil {
		return nil, &Invalid{Argument: "the body", Reason: "is not a strict JSON object", Err: err}
	}
	for i := range members {
		if invalid := check(&members[i], set); invalid != nil {
			return nil, invalid
		}
	}
	return members, nil
}

// check refuses a member that could be taken for one that is set, and one that says
// whose request it is in a way that readers differ about.
func check(member *strictjson.Member, set []Member) *Invalid {
	refuse := func(reason string, err error) *Invalid { return &Invalid{"the body", reason, err} }
	name := string(member.Name)
	if strings.ContainsRune(name, 0) {
		return refuse("has a member whose name holds a NUL, at which some readers end it", nil)
	}
	for _, m := range set {
		switch {
		case name == m.Name:
			return nil
		case strings.EqualFold(name, m.Name):
			return refuse("has a member that looks like "+strconv.Quote(m.Name)+" but for upper and lower case", nil)
		}
	}
	if name != "userId" && name != "session" {
		return nil
	}
	if text, err := strictjson.String(member.Value); err == nil && strings.ContainsRune(text, 0) {
		return refuse("has a "+strconv.Quote(name)+" that holds a NUL, at which some readers end it", nil)
	}
	if err := strictjson.Valid(member.Value); err != nil {
		return refuse("has a "+strconv.Quote(name)+" that readers can take for different ones", err)
	}
	return nil
}

// Incoming writes a serialised request that it reads to its end, with members set,
// and returns all members: their bytes are those of the body. The body is hashed
// while it arrives. Nothing is sent before the strict check of the whole of it.
func (b *Builder) Incoming(r io.Reader, set []Member) []strictjson.Member {
	if b.settings.Metadata != nil {
		b.Refuse("WithMetadata", "would change a request that is forwarded", nil)
		return nil
	}
	in := newIncoming(b, set)
	in.read(r)
	if b.err != nil {
		return nil
	}
	members := in.finish()
	b.inspectForwarded(b.buf)
	return members
}

// newIncoming returns a request of which nothing has arrived.
func newIncoming(b *Builder, set []Member) *incoming {
	in := &incoming{Builder: b, set: set}
	for i, member := range set {
		if slices.ContainsFunc(set[:i], func(m Member) bool { return strings.EqualFold(m.Name, member.Name) }) {
			b.Refuse("the members", "have one name twice", nil)
		}
		var quoted []byte
		if member.Replace == nil {
			var invalid *Invalid
			if quoted, invalid = quote(member.Name, member.Value); invalid != nil {
				b.fail(invalid)
			}
		}
		in.quoted = append(in.quoted, quoted)
	}
	in.tracker.Owned = in.owned
	return in
}

// An incoming is a request while it arrives.
type incoming struct {
	*Builder

	set     []Member
	quoted  [][]byte // their values, nil for one that depends on what was sent
	tracker strictjson.Tracker
	asked   int // the member whose name the tracker found last
}

// owned reports whether a member with the name is set, and remembers which.
func (in *incoming) owned(name []byte) bool {
	for i, m := range in.set {
		if string(name) == m.Name {
			in.asked = i
			return true
		}
	}
	return false
}

// read reads the request piece by piece, as [Builder.readMedium] does, and hashes
// what is final.
func (in *incoming) read(r io.Reader) {
	if in.err != nil {
		return
	}
	next := func(buf []byte) (int, bool, error) { return fill(buf, r, in.settings.Ended) }
	switch r := r.(type) {
	case nil:
		in.Refuse("the body", "is nil", nil)
		return
	case *bytes.Reader:
		in.Expect(r.Len() + 128) // these never block
	case *bytes.Buffer, *strings.Reader:
	default:
		var stop func()
		next, stop = in.aside(r, func() {})
		defer stop()
	}
	scratch, ok := in.settings.Buffers.scratch.Get().(*[maxPiece]byte)
	if !ok {
		scratch = new([maxPiece]byte)
	}
	buf := scratch[:chunk]
	for last := false; !last && in.err == nil; {
		var n int
		var err error
		if n, last, err = next(buf); err != nil {
			in.cut(err)
			return
		}
		in.add(buf[:n])
		buf = scratch[:]
	}
	clear(buf)
	in.settings.Buffers.scratch.Put(scratch)
}

// cut records why the body was not read to its end.
func (in *incoming) cut(err error) {
	if ended := in.settings.Ended(); ended != nil {
		in.fail(&Interrupted{Argument: "the body", Err: ended})
		return
	}
	in.Refuse("the body", "cannot be read to its end", err)
}

// add adds a piece, replaces the values that are in what has arrived, and hashes what
// is final.
func (in *incoming) add(piece []byte) {
	in.JSON(piece)
	for in.err == nil {
		start, end, found := in.tracker.Next(in.buf)
		if !found {
			in.hashTo(in.tracker.Final())
			return
		}
		quoted := in.value(in.asked, in.buf[start:end])
		in.replace(start, end, quoted)
		in.tracker.Replaced(start + len(quoted))
	}
}

// value returns the value of a member, in JSON, for the one that was sent.
func (in *incoming) value(i int, sent []byte) []byte {
	member := in.set[i]
	if member.Replace == nil || in.quoted[i] != nil {
		return in.quoted[i]
	}
	text, err := strictjson.String(sent)
	if err != nil {
		in.Refuse("the body", "has a "+strconv.Quote(member.Name)+" that is not a string", err)
		return nil
	}
	value, err := member.Replace(text)
	if err != nil {
		in.Refuse("the body", "has a "+strconv.Quote(member.Name)+" that is not accepted", err)
		return nil
	}
	quoted, invalid := quote(member.Name, value)
	if invalid != nil {
		in.fail(invalid)
	}
	in.quoted[i] = quoted
	return quoted
}

// replace puts other bytes in the place of those from start to end.
func (in *incoming) replace(start, end int, by []byte) {
	if !in.reserve(max(0, len(by)-(end-start))) {
		return
	}
	tail := len(in.buf) - end
	size := start + len(by) + tail
	grown := in.buf[:max(size, len(in.buf))]
	copy(grown[start+len(by):], grown[end:end+tail])
	copy(grown[start:], by)
	in.buf = grown[:size]
}

// finish checks the whole request, and sets the members that the tracker did not
// find: one that is missing, in front of the closing brace, which is not hashed yet,
// and one whose name or value has escapes, after which the hash begins again.
func (in *incoming) finish() []strictjson.Member {
	room := 0
	for i, quoted := range in.quoted {
		room += 6*len(in.set[i].Name) + len(quoted) + 4 // a name may be escaped
	}
	in.Expect(room) // so that the members stay where they are
	members, invalid := parse(make([]strictjson.Member, 0, 16), in.buf, in.set)
	if invalid != nil {
		in.fail(invalid)
		return nil
	}
	for i := range in.set {
		if members = in.put(members, i); in.err != nil {
			return nil
		}
	}
	return members
}

// put sets a member of the request that has arrived.
func (in *incoming) put(members []strictjson.Member, which int) []strictjson.Member {
	member := in.set[which]
	for i := range members {
		m := &members[i]
		if string(m.Name) != member.Name {
			continue
		}
		if quoted := in.value(which, m.Value); !bytes.Equal(m.Value, quoted) {
			in.replace(m.Start, m.End, quoted)
			return in.again()
		}
		return members
	}
	quoted := in.quoted[which]
	if quoted == nil {
		in.Refuse("the body", "has no "+strconv.Quote(member.Name), nil)
		return nil
	}
	name, err := strictjson.AppendString(nil, member.Name)
	if err != nil {
		in.Refuse("the name", "is not valid UTF-8", nil)
		return nil
	}
	brace := bytes.LastIndexByte(in.buf, '}') // white space alone follows it
	var text []byte
	if len(members) > 0 {
		text = append(text, ',')
	}
	text = append(append(append(text, name...), ':'), quoted...)
	in.replace(brace, brace, text)
	if in.err != nil {
		return nil
	}
	end := brace + len(text)
	return append(members, strictjson.Member{Name: []byte(member.Name), Value: in.buf[end-len(quoted) : end : end], Start: end - len(quoted), End: end})
}

// again reads and hashes the request once more, after a change within.
func (in *incoming) again() []strictjson.Member {
	in.settings.Rehash()
	in.hashed = 0
	members, invalid := parse(nil, in.buf, in.set)
	if invalid != nil {
		in.fail(invalid)
	}
	return members
}
