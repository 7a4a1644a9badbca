package audit

import (
	"context"
	"fmt"
	"strconv"
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
	// FoundForeign is a file, header or record where it does not belong.
	FoundForeign FindingKind = "foreign"
	// FoundForked is a chain that follows the same chain as another one, or none as
	// another one: what was between them was taken away while it was begun.
	FoundForked FindingKind = "forked"
	// FoundUnknownKey is a chain that none of the keys authenticates.
	FoundUnknownKey FindingKind = "unknown key"
)

// A Finding is something wrong, with its place.
type Finding struct {
	Kind     FindingKind
	Chain    string
	File     string // its name in the folder, "" if there is none
	Line     int    // in the file, from 1; 0 if there is none
	Sequence uint64 // the first record that it is about, 0 if unknown
	Count    uint64 // how many records or lines it is about
	Text     string // a sentence for a person, without any text of the record
}

// String returns the finding in one line.
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
	}
	if place == "" {
		place = "chain " + f.Chain
	}
	return place + ": " + string(f.Kind) + ": " + f.Text
}

const maxFindings = 1000

// Verify reads the files of a folder and reports what is wrong with them. The keys are
// those with which the chains were opened. The checkpoints are ones that were kept
// elsewhere, taken before this call.
//
// The folder may be in use. Memory grows with the number of files and checkpoints, and
// not with the size of the files. The error is of the context, or of a folder or file
// that cannot be read, or [ErrInvalidKey]; the report is then of no use.
func Verify(ctx context.Context, folder string, keys [][]byte, checkpoints []Checkpoint) (Report, error) {
	v := verifier{folder: folder, keys: map[string]keyed{}}
	for _, key := range keys {
		k, err := derive(key)
		if err != nil {
			return Report{}, err
		}
		v.keys[k.id] = k
	}
	files, err := list(folder)
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	if err := v.readHeaders(ctx, files); err != nil {
		return Report{}, err
	}
	v.expect(checkpoints)
	for _, c := range v.chains {
		if err := v.readChain(ctx, c); err != nil {
			return Report{}, err
		}
	}
	for _, c := range v.chains {
		v.checkLink(c, checkpoints)
	}
	v.checkForks()
	for _, c := range checkpoints {
		v.checkCheckpoint(c, checkpoints)
	}
	return v.report(), nil
}
