package audit

import (
	"context"
	"time"
)

// A Report is what [Verify] found.
type Report struct {
	Chains   []Chain   // in the order in which they were begun
	Findings []Finding // what is wrong, in the order of the chains, 1000 at most
	More     int       // how many findings are left out
}

// OK reports whether there is nothing wrong.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// A Chain is what a folder has of one chain.
type Chain struct {
	ID          string
	First, Last uint64 // sequence numbers
	Files       []File
	// Stopped is true for a chain that was closed in order. One that is not is in
	// use, or its process crashed, or its end was cut off: a checkpoint shows which.
	Stopped bool
	// Torn is true if the chain ends with a part of a line, as after a crash. The
	// record was never acknowledged.
	Torn bool
}

// A File is one file of a chain.
type File struct {
	Name     string
	Records  int
	From, To time.Time  // times of its first and last record
	End      Checkpoint // its last record
}

// A FindingKind is what is wrong.
type FindingKind string

// The kinds of findings.
const (
	// FoundChanged is a line that the key does not authenticate: it was changed or
	// inserted.
	FoundChanged FindingKind = "changed"
	// FoundMissing is one or more records that are not there, between others.
	FoundMissing FindingKind = "missing"
	// FoundRepeated is a record that was there before.
	FoundRepeated FindingKind = "repeated"
	// FoundReordered is a record that stands after a later one.
	FoundReordered FindingKind = "reordered"
	// FoundCut is the end of a chain before a record that a checkpoint or the next
	// chain names, or a line that ends in the middle with more after it.
	FoundCut FindingKind = "cut"
	// FoundRewritten is an authentic record that is not the one which a checkpoint,
	// the next record or the next chain names. Somebody has used the key.
	FoundRewritten FindingKind = "rewritten"
	// FoundMissingChain is a chain that a checkpoint or the next chain names, and
	// which is not there.
	FoundMissingChain FindingKind = "missing chain"
	// FoundMissingStart is a chain without its first records, and no checkpoint with
	// Removed for them.
	FoundMissingStart FindingKind = "missing start"
	// FoundForeign is a record or a header in a file or place where it does not belong.
	FoundForeign FindingKind = "foreign"
	// FoundUnknownKey is a chain that none of the keys authenticates.
	FoundUnknownKey FindingKind = "unknown key"
)

// A Finding is something wrong, with its place.
type Finding struct {
	Kind     FindingKind
	Chain    string // "" if unknown
	File     string // "" if there is none
	Line     int    // in the file, from 1; 0 if there is none
	Sequence uint64 // the first record that it is about, 0 if unknown
	Text     string // a sentence for a person, without anything of the record
}

// Verify reads the files of a folder and reports what is wrong with them. The keys are
// those with which the chains were opened. The checkpoints are ones that were kept
// elsewhere, taken before this call.
//
// The folder may be in use. Memory does not depend on the size of the files. The
// error is of the context, or of a folder or file that cannot be read, or
// [ErrInvalidKey]; the report is then of no use.
func Verify(ctx context.Context, folder string, keys [][]byte, checkpoints []Checkpoint) (Report, error) {
	return Report{}, nil
}
