package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// maxOpen bounds what is remembered of one chain: gaps, and records of abandoned files.
const maxOpen = 1 << 14

// A verifier is one run of Verify.
type verifier struct {
	folder   string
	keys     map[string]keyed // by identifiers
	chains   []*chain         // in the order of their numbers
	byID     map[string]*chain
	findings []Finding
	more     int
}

// A chain is what is known of a chain.
type chain struct {
	Chain
	files   []*source
	keyed   *keyed // nil until a line was authentic
	lines   int    // complete lines
	link    *link
	linked  bool                // an authentic header was read
	removed position            // of the highest checkpoint with Removed
	wanted  map[uint64]sighting // the records that somebody names, zero until read
	records int

	last       position          // the highest record so far
	gaps       []gap             // records before it that are not there
	bad        uint64            // lines since the last record that are not authentic
	superseded map[uint64]string // hashes of records in abandoned files
}

// A source is a file of a chain.
type source struct {
	name   fileName
	base   string
	header *header // nil if it is not authentic
	skip   bool
}

// A sighting is where a record stands, and its hash.
type sighting struct {
	hash string
	file string
	line int
}

// A gap is a range of records that are not there, with the place where it shows.
type gap struct {
	from, to uint64
	file     string
	line     int
}

func (v *verifier) report() Report {
	r := Report{Findings: v.findings, More: v.more}
	for _, c := range v.chains {
		r.Chains = append(r.Chains, c.Chain)
	}
	return r
}

// found adds a finding. Consecutive lines of the same fault, and without a number or
// with consecutive ones, become one.
func (v *verifier) found(f Finding) {
	f.Count = max(f.Count, 1)
	if n := len(v.findings); n > 0 && f.Line > 0 {
		last := &v.findings[n-1]
		follows := f.Sequence == 0 && last.Sequence == 0 || f.Kind == FoundRepeated && f.Sequence == last.Sequence+last.Count
		if follows && last.Kind == f.Kind && last.File == f.File && last.Text == f.Text && uint64(f.Line) == uint64(last.Line)+last.Count && f.Count == 1 {
			last.Count++
			return
		}
	}
	if len(v.findings) == maxFindings {
		v.more++
		return
	}
	v.findings = append(v.findings, f)
}

// readHeaders reads the first line of each file, and arranges the files as chains.
func (v *verifier) readHeaders(ctx context.Context, files []listing) error {
	v.byID = map[string]*chain{}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("audit: %w", context.Cause(ctx))
		}
		if !f.regular {
			v.found(Finding{Kind: FoundForeign, Chain: f.name.chain, File: f.base, Text: "this is no regular file"})
			continue
		}
		h, err := v.readHeader(filepath.Join(v.folder, f.base))
		if err != nil {
			return err
		}
		if h != nil && h.Chain != f.name.chain {
			v.found(Finding{Kind: FoundForeign, Chain: f.name.chain, File: f.base, Line: 1, Text: "this is a file of chain " + h.Chain})
			continue
		}
		c := v.byID[f.name.chain]
		if c == nil {
			c = &chain{Chain: Chain{ID: f.name.chain}, wanted: map[uint64]sighting{}, superseded: map[uint64]string{}, last: beginning()}
			v.byID[f.name.chain] = c
			v.chains = append(v.chains, c)
		}
		c.files = append(c.files, &source{name: f.name, base: f.base, header: h})
	}
	for _, c := range v.chains {
		v.arrange(c)
	}
	return nil
}

// readHeader returns the header of a file, nil if none of the keys authenticates it.
func (v *verifier) readHeader(path string) (*header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, maxLine)
	line, state, err := readLine(r)
	if err != nil {
		return nil, err
	}
	h, ok := parseHeader(line)
	if state != lineComplete || !ok {
		return nil, nil //nolint:nilnil // a missing header is no error here
	}
	if k, known := v.keys[h.Key]; !known || !k.authentic(line) {
		return nil, nil //nolint:nilnil // a missing header is no error here
	}
	return &h, nil
}

// What readLine found.
type lineState int

const (
	lineComplete lineState = iota
	lineTooLong            // its rest was skipped
	lineTorn               // the file ends within it
	lineNone               // the end of the file
)

// readLine reads a line and returns it without its newline.
func readLine(r *bufio.Reader) ([]byte, lineState, error) {
	line, err := r.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], lineComplete, nil
	}
	begun := len(line) > 0
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	switch {
	case err == nil:
		return nil, lineTooLong, nil
	case !errors.Is(err, io.EOF):
		return nil, lineNone, fmt.Errorf("audit: %w", err)
	case begun:
		return nil, lineTorn, nil
	}
	return nil, lineNone, nil
}

// arrange puts the files of a chain in the order that their headers state.
func (v *verifier) arrange(c *chain) {
	named := map[uint64]bool{} // numbers of files whose names are right
	for _, s := range c.files {
		if s.header != nil && s.header.File == s.name.file {
			if named[s.name.file] {
				s.skip = true // 1 and 01
			}
			named[s.name.file] = true
		}
	}
	for _, s := range c.files {
		if s.header == nil {
			continue
		}
		if s.header.File != s.name.file {
			v.found(Finding{Kind: FoundForeign, Chain: c.ID, File: s.base, Line: 1, Text: fmt.Sprintf("this is file %d of the chain, under another name", s.header.File)})
			s.skip = named[s.header.File]
			named[s.header.File] = true
			s.name.file = s.header.File
		} else if s.skip {
			v.found(Finding{Kind: FoundForeign, Chain: c.ID, File: s.base, Line: 1, Text: fmt.Sprintf("this is a second file %d of the chain", s.header.File)})
		}
		if k := v.keys[s.header.Key]; c.keyed == nil {
			c.keyed = &k
		}
		if c.link, c.linked = s.header.Previous, true; c.link != nil {
			link := *c.link
			c.link = &link
		}
	}
	c.files = slices.DeleteFunc(c.files, func(s *source) bool { return s.skip })
	slices.SortStableFunc(c.files, func(a, b *source) int { return compareNames(a.name, b.name) })
}

// expect records which records the checkpoints and the links name.
func (v *verifier) expect(checkpoints []Checkpoint) {
	for _, p := range checkpoints {
		if c := v.byID[p.Chain]; c != nil {
			c.wanted[p.Sequence] = sighting{}
			if p.Removed && p.Sequence > c.removed.sequence {
				c.removed = position{p.Sequence, p.Hash}
			}
		}
	}
	for _, c := range v.chains {
		if c.link != nil && v.byID[c.link.Chain] != nil {
			v.byID[c.link.Chain].wanted[c.link.Sequence] = sighting{}
		}
	}
}

// readChain reads all files of a chain.
func (v *verifier) readChain(ctx context.Context, c *chain) error {
	before := len(v.findings)
	for i, s := range c.files {
		limit := uint64(0) // the first record that stands in a later file again
		rest := c.files[i+1:]
		next := slices.IndexFunc(rest, func(s *source) bool { return s.header != nil })
		if next >= 0 && rest[next].header.Abandoned {
			limit = rest[next].header.From
		}
		if err := v.readFile(ctx, c, s, limit, next < 0); err != nil {
			return err
		}
	}
	for _, g := range c.gaps {
		v.found(g.finding(c))
	}
	if c.unreadable() {
		v.findings = append(v.findings[:min(before, len(v.findings))], Finding{
			Kind: FoundUnknownKey, Chain: c.ID, File: c.files[0].base, Line: 1, Count: 1, Text: "none of the keys authenticates this chain",
		})
	}
	return nil
}

// readFile reads a file of a chain. Records from limit on, if it is not 0, stand in a
// later file again.
func (v *verifier) readFile(ctx context.Context, c *chain, s *source, limit uint64, isLast bool) error {
	f, err := os.Open(filepath.Join(v.folder, s.base))
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, maxLine)
	c.Files = append(c.Files, File{Name: s.base})
	at := Finding{Chain: c.ID, File: s.base}
	for {
		if at.Line%1024 == 0 && ctx.Err() != nil {
			return fmt.Errorf("audit: %w", context.Cause(ctx))
		}
		line, state, err := readLine(r)
		if err != nil {
			return err
		}
		at.Line++
		// In an abandoned file anything may follow the records that were acknowledged.
		abandoned := limit > 0 && c.last.sequence+1 >= limit
		switch state {
		case lineNone:
			return nil
		case lineTorn:
			if !abandoned {
				v.readTorn(c, at, isLast)
			}
			return nil
		case lineComplete, lineTooLong:
		}
		c.lines++
		switch {
		case at.Line == 1 && s.header != nil:
			v.startFile(c, at, *s.header)
		case state == lineComplete && v.authentic(c, line):
			v.readLine(c, at, line, limit)
		case !abandoned:
			c.bad++
			v.found(at.with(FoundChanged, 0, "the key does not authenticate this line: it was changed or inserted"))
		}
	}
}

func (f Finding) with(kind FindingKind, sequence uint64, text string) Finding {
	f.Kind, f.Sequence, f.Text = kind, sequence, text
	return f
}

// authentic reports whether the key of the chain has made a line. The key of a chain
// without an authentic header is the first one that has made a line.
func (v *verifier) authentic(c *chain, line []byte) bool {
	if c.keyed != nil {
		return c.keyed.authentic(line)
	}
	for _, k := range v.keys {
		if k.authentic(line) {
			c.keyed = &k
			return true
		}
	}
	return false
}

// readTorn handles a line without an end, which a crash leaves at the end of a chain.
func (v *verifier) readTorn(c *chain, at Finding, isLast bool) {
	switch {
	case c.Stopped:
		v.found(at.with(FoundChanged, 0, "something stands after the end of the chain"))
	case isLast:
		c.Torn = true
	default:
		v.found(at.with(FoundCut, c.last.sequence+1, "the file ends in the middle of a line, and the chain goes on"))
	}
}

// startFile handles an authentic header in the first line of its file.
func (v *verifier) startFile(c *chain, at Finding, h header) {
	before := position{h.From - 1, h.Prev}
	if c.First == 0 {
		v.startChain(c, at, before)
		return
	}
	switch expected := c.last.sequence + 1; {
	case h.From > expected:
		c.miss(v, at, h.From-1)
		c.last = before
	case h.From < expected:
		v.found(at.with(FoundForeign, h.From, "the file begins with a record that the file before it has"))
	case h.Prev != c.last.hash:
		v.found(at.with(FoundRewritten, c.last.sequence, "the record before this file is not the one that its header names"))
		c.last = before
	}
	c.bad = 0
}

// startChain handles what is read first of a chain: it follows the position.
func (v *verifier) startChain(c *chain, at Finding, before position) {
	c.First = before.sequence + 1
	c.last = before
	switch {
	case before.sequence == 0:
		if before.hash != beginning().hash {
			v.found(at.with(FoundRewritten, 1, "the first record names one before it"))
		}
	case c.removed.sequence < before.sequence:
		f := at.with(FoundMissingStart, c.removed.sequence+1, fmt.Sprintf("the chain begins with record %d, and no checkpoint says that those before it were removed on purpose", c.First))
		f.Count = before.sequence - c.removed.sequence
		v.found(f)
	case c.removed == (position{before.sequence, c.removed.hash}) && c.removed.hash != before.hash:
		v.found(at.with(FoundRewritten, before.sequence, "the chain does not follow the checkpoint up to which it was removed"))
	}
}

// readLine handles an authentic line that is no header in its place.
func (v *verifier) readLine(c *chain, at Finding, line []byte, limit uint64) {
	e, ok := parseRecord(line)
	switch {
	case !ok:
		v.found(at.with(FoundForeign, 0, "this header is not at the beginning of its file"))
		return
	case e.chain != c.ID:
		v.found(at.with(FoundForeign, 0, "this is a record of another chain"))
		return
	case at.Line == 1:
		v.found(at.with(FoundMissing, 0, "the header of the file is missing"))
	}
	if c.First == 0 {
		v.startChain(c, at, position{e.sequence - 1, e.prev})
	}
	if limit > 0 && e.sequence >= limit {
		if len(c.superseded) < maxOpen {
			c.superseded[e.sequence] = e.hash
		}
		return
	}
	switch next := c.last.sequence + 1; {
	case e.sequence < next:
		if !c.fill(e.sequence) {
			v.found(at.with(FoundRepeated, e.sequence, "this record was there before"))
			return
		}
		v.found(at.with(FoundReordered, e.sequence, "this record stands after a later one"))
		c.read(v, at, e)
		return
	case c.Stopped:
		v.found(at.with(FoundForeign, e.sequence, "this record stands after the one that ends the chain"))
	case e.sequence > next:
		c.miss(v, at, e.sequence-1)
	case e.prev != c.last.hash:
		v.found(at.with(FoundRewritten, c.last.sequence, "the record before this one is not the one that it names"))
	}
	c.bad = 0
	c.last = e.position
	c.Stopped = c.Stopped || e.kind == KindStop
	c.read(v, at, e)
}

// read counts a record, which is there for the first time.
func (c *chain) read(v *verifier, at Finding, e entry) {
	c.records++
	c.Last = c.last.sequence
	f := &c.Files[len(c.Files)-1]
	if f.Records++; f.Records == 1 {
		f.From = e.time
	}
	if f.To = e.time; e.sequence >= f.End.Sequence {
		f.End = Checkpoint{Chain: c.ID, Sequence: e.sequence, Hash: e.hash}
	}
	if other, ok := c.superseded[e.sequence]; ok && other != e.hash {
		v.found(at.with(FoundRewritten, e.sequence, "an abandoned file has another record of this number"))
	}
	if _, ok := c.wanted[e.sequence]; ok {
		c.wanted[e.sequence] = sighting{e.hash, at.File, at.Line}
	}
}

// miss notes that the records after the last one up to that number are not there.
// Lines that are not authentic stand for as many of them.
func (c *chain) miss(v *verifier, at Finding, to uint64) {
	from := max(c.last.sequence, c.removed.sequence) + 1
	if to < from || to-from < c.bad {
		return
	}
	g := gap{from, to - c.bad, at.File, at.Line}
	if len(c.gaps) < maxOpen {
		c.gaps = append(c.gaps, g)
	} else {
		v.found(g.finding(c))
	}
}

func (g gap) finding(c *chain) Finding {
	return Finding{
		Kind: FoundMissing, Chain: c.ID, File: g.file, Line: g.line, Sequence: g.from, Count: g.to - g.from + 1,
		Text: fmt.Sprintf("records %d to %d are missing before this line", g.from, g.to),
	}
}

// fill takes a record out of the gaps, and reports whether it was in one.
func (c *chain) fill(sequence uint64) bool {
	i, _ := slices.BinarySearchFunc(c.gaps, sequence, func(g gap, n uint64) int { return order(g.to < n) })
	if i == len(c.gaps) || c.gaps[i].from > sequence {
		return false
	}
	g := c.gaps[i]
	switch {
	case g.from == g.to:
		c.gaps = slices.Delete(c.gaps, i, i+1)
	case sequence == g.from:
		c.gaps[i].from++
	case sequence == g.to:
		c.gaps[i].to--
	default:
		c.gaps[i].to = sequence - 1
		g.from = sequence + 1
		c.gaps = slices.Insert(c.gaps, i+1, g)
	}
	return true
}

// unreadable reports whether nothing of the chain could be authenticated, which is a
// finding already.
func (c *chain) unreadable() bool { return c.keyed == nil && c.lines > 0 }

// end returns the last file of the chain, as the place of a finding.
func (c *chain) end() Finding {
	return Finding{Chain: c.ID, File: c.Files[len(c.Files)-1].Name}
}

// reaches reports whether the chain has a line for a record. One that is not authentic
// is a finding already.
func (c *chain) reaches(sequence uint64) bool { return sequence <= c.last.sequence+c.bad }

// checkLink checks the chain before.
func (v *verifier) checkLink(c *chain, checkpoints []Checkpoint) {
	if c.link == nil {
		return
	}
	before := v.byID[c.link.Chain]
	switch {
	case before == nil:
		if c.removed.sequence == 0 && !removed(checkpoints, *c.link) {
			v.found(Finding{Kind: FoundMissingChain, Chain: c.link.Chain, Sequence: 1, Count: c.link.Sequence, Text: "chain " + c.ID + " follows this chain, and it is not there"})
		}
	case before.unreadable():
	case !before.reaches(c.link.Sequence):
		f := before.end().with(FoundCut, before.last.sequence+1, fmt.Sprintf("chain %s says that this chain has %d records", c.ID, c.link.Sequence))
		f.Count = c.link.Sequence - before.last.sequence
		v.found(f)
	case before.last.sequence > c.link.Sequence:
		f := before.end().with(FoundForeign, c.link.Sequence+1, fmt.Sprintf("chain %s says that this chain has %d records", c.ID, c.link.Sequence))
		f.Count = before.last.sequence - c.link.Sequence
		v.found(f)
	default:
		v.compare(before, c.link.Sequence, c.link.Hash, "chain "+c.ID+" names another record")
	}
}

// compare compares a record that was read with the hash that somebody names.
func (v *verifier) compare(c *chain, sequence uint64, hash, text string) {
	if s := c.wanted[sequence]; s.hash != "" && s.hash != hash {
		v.found(Finding{Kind: FoundRewritten, Chain: c.ID, File: s.file, Line: s.line, Sequence: sequence, Text: text})
	}
}

// removed reports whether a chain was removed on purpose, up to its end.
func removed(checkpoints []Checkpoint, end link) bool {
	return slices.ContainsFunc(checkpoints, func(p Checkpoint) bool {
		return p.Removed && p.Chain == end.Chain && (p.Sequence > end.Sequence || p.Sequence == end.Sequence && p.Hash == end.Hash)
	})
}

// checkForks finds chains that follow the same one. A chain without records was never
// followed.
func (v *verifier) checkForks() {
	followers := map[link]string{}
	for _, c := range v.chains {
		if !c.linked || c.records == 0 {
			continue
		}
		var before link
		if c.link != nil {
			before = link{Chain: c.link.Chain}
		}
		if other, ok := followers[before]; ok {
			v.found(Finding{Kind: FoundForked, Chain: c.ID, File: c.Files[0].Name, Line: 1, Text: "chain " + other + " follows the same chain: one was taken away while the other was begun"})
		}
		followers[before] = c.ID
	}
}

// checkCheckpoint checks that the chain has the record of a checkpoint.
func (v *verifier) checkCheckpoint(p Checkpoint, checkpoints []Checkpoint) {
	c := v.byID[p.Chain]
	switch {
	case c == nil:
		if !removed(checkpoints, link{p.Chain, p.Sequence, p.Hash}) {
			v.found(Finding{Kind: FoundMissingChain, Chain: p.Chain, Sequence: 1, Count: p.Sequence, Text: "a checkpoint names this chain, and it is not there"})
		}
	case c.unreadable() || p.Sequence < c.removed.sequence && c.wanted[p.Sequence].hash == "":
	case !c.reaches(p.Sequence):
		f := c.end().with(FoundCut, c.last.sequence+1, fmt.Sprintf("the chain ends with record %d, and a checkpoint names record %d", c.last.sequence, p.Sequence))
		f.Count = p.Sequence - c.last.sequence
		v.found(f)
	default:
		v.compare(c, p.Sequence, p.Hash, "a checkpoint names another record")
	}
}
