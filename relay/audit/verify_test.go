package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A trail is a folder with three chains: A with three files, closed; B with one file,
// not closed, as after a crash; C with two files, closed.
type trail struct {
	t      *testing.T
	folder string
	paths  map[string]string // by short names: A1 is the first file of A
	ids    map[string]string // of the chains
	hashes map[string]string // by chain and number: A5
	ends   map[string]Checkpoint
}

func newTrail(t *testing.T) *trail {
	t.Helper()
	tr := &trail{t, t.TempDir(), map[string]string{}, map[string]string{}, map[string]string{}, map[string]Checkpoint{}}
	for _, c := range []struct {
		name            string
		records, inFile int
		crashes         bool
	}{{"A", 10, 4, false}, {"B", 4, 10, true}, {"C", 6, 4, false}} {
		l := mustOpen(t, tr.folder)
		remember := func() {
			p := l.Checkpoint()
			tr.hashes[fmt.Sprint(c.name, p.Sequence)] = p.Hash
			tr.ends[c.name] = p
		}
		for n := range c.records {
			remember()
			require.NoError(t, l.Append(t.Context(), request(n)))
			if n+2 == c.inFile {
				l.out.maxSize = l.out.size - 8 // the header of file 2 is as long as that of file 1, or longer
			}
		}
		remember()
		require.NoError(t, l.Close())
		if !c.crashes {
			remember()
		}
		tr.ids[c.name] = l.chain
		files, err := list(tr.folder)
		require.NoError(t, err)
		for _, f := range files {
			if f.name.chain == l.chain {
				tr.paths[fmt.Sprint(c.name, f.name.file)] = filepath.Join(tr.folder, f.base)
			}
		}
		if c.crashes {
			tr.edit(c.name+"1", func(lines [][]byte) [][]byte { return lines[:len(lines)-1] })
		}
	}
	return tr
}

// short replaces the names of files and chains in a text by the short ones.
func (tr *trail) short(text string) string {
	for name, path := range tr.paths {
		text = strings.ReplaceAll(text, filepath.Base(path), name)
	}
	for name, id := range tr.ids {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

// findings returns what Verify finds, as "kind place record×count".
func (tr *trail) findings(checkpoints ...Checkpoint) []string {
	tr.t.Helper()
	r := mustVerify(tr.t, tr.folder, checkpoints...)
	assert.Equal(tr.t, len(r.Findings) == 0, r.OK())
	found := []string{}
	for _, f := range r.Findings {
		place := f.File
		if place == "" {
			place = "chain " + f.Chain
		}
		assert.NotEmpty(tr.t, f.Chain)
		assert.NotEmpty(tr.t, f.Text)
		assert.NotContains(tr.t, f.String(), "accepted", "text of a record")
		found = append(found, tr.short(fmt.Sprintf("%s %s:%d %d×%d", f.Kind, place, f.Line, f.Sequence, f.Count)))
	}
	return found
}

func (tr *trail) edit(name string, f func(lines [][]byte) [][]byte) {
	tr.t.Helper()
	text, err := os.ReadFile(tr.paths[name])
	require.NoError(tr.t, err)
	lines := f(bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")))
	text = bytes.Join(lines, nil)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	require.NoError(tr.t, os.WriteFile(tr.paths[name], text, 0o600))
}

// replace replaces a text in a line, from 1.
func (tr *trail) replace(name string, line int, old, replacement string) {
	tr.t.Helper()
	tr.edit(name, func(lines [][]byte) [][]byte {
		require.Contains(tr.t, string(lines[line-1]), old)
		lines[line-1] = bytes.Replace(lines[line-1], []byte(old), []byte(replacement), 1)
		return lines
	})
}

func (tr *trail) remove(names ...string) {
	tr.t.Helper()
	for _, name := range names {
		require.NoError(tr.t, os.Remove(tr.paths[name]))
	}
}

func (tr *trail) rename(from, to string) {
	tr.t.Helper()
	require.NoError(tr.t, os.Rename(tr.paths[from], filepath.Join(tr.folder, to)))
}

// truncate cuts bytes off the end of a file.
func (tr *trail) truncate(name string, bytes int64) {
	tr.t.Helper()
	info, err := os.Stat(tr.paths[name])
	require.NoError(tr.t, err)
	require.NoError(tr.t, os.Truncate(tr.paths[name], max(0, info.Size()-bytes)))
}

func (tr *trail) append(name, text string) {
	tr.t.Helper()
	f, err := os.OpenFile(tr.paths[name], os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(tr.t, err)
	_, err = f.WriteString(text)
	require.NoError(tr.t, err)
	require.NoError(tr.t, f.Close())
}

func (tr *trail) lines(name string) [][]byte {
	tr.t.Helper()
	text, err := os.ReadFile(tr.paths[name])
	require.NoError(tr.t, err)
	return bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// forge writes a record of a chain with the key: after a position, in place of a line.
func (tr *trail) forge(name string, line int, after position) {
	tr.t.Helper()
	k, err := derive(testKey())
	require.NoError(tr.t, err)
	r := request(99)
	r.Time = r.Time.AddDate(2025, 0, 0)
	r.Decision = "rejected"
	body, err := r.appendBody(nil)
	require.NoError(tr.t, err)
	forged, _ := appendRecord(nil, tr.ids[name[:1]], after, body, k)
	tr.edit(name, func(lines [][]byte) [][]byte {
		if line > len(lines) {
			return append(lines, []byte("\n"), forged)
		}
		lines[line-1] = forged
		return lines
	})
}

// position returns a record by its short name: A5.
func (tr *trail) position(chain string, sequence uint64) position {
	return position{sequence, tr.hashes[fmt.Sprint(chain, sequence)]}
}

func (tr *trail) checkpoint(chain string, sequence uint64) Checkpoint {
	return Checkpoint{Chain: tr.ids[chain], Sequence: sequence, Hash: tr.hashes[fmt.Sprint(chain, sequence)]}
}

func TestVerify_AcceptsIntactTrail(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	// The tamperings below rely on this layout.
	for name, lines := range map[string]int{"A1": 5, "A2": 5, "A3": 5, "B1": 6, "C1": 5, "C2": 5} {
		assert.Len(t, tr.lines(name), lines, name)
	}
	var all []Checkpoint
	for name := range tr.hashes {
		var sequence uint64
		_, err := fmt.Sscan(name[1:], &sequence)
		require.NoError(t, err)
		all = append(all, tr.checkpoint(name[:1], sequence))
	}
	require.Len(t, all, 12+5+8)
	assert.Empty(t, tr.findings(all...))
	r := mustVerify(t, tr.folder)
	require.Len(t, r.Chains, 3)
	assert.Equal(t, []bool{true, false, true}, []bool{r.Chains[0].Stopped, r.Chains[1].Stopped, r.Chains[2].Stopped})
	assert.Equal(t, tr.ends["A"], r.Chains[0].Files[2].End)
}

func TestVerify_FindsTampering(t *testing.T) {
	t.Parallel()
	// Each file has a header in line 1. A1 has the records 1 to 4 in lines 2 to 5, A2 has
	// 5 to 8, A3 has 9 to 12, B1 has 1 to 5, C1 has 1 to 4, C2 has 5 to 8.
	for name, c := range map[string]struct {
		tamper      func(*trail)
		checkpoints func(*trail) []Checkpoint
		want        []string
	}{
		// Changed.
		"a score is changed":       {tamper: func(tr *trail) { tr.replace("A2", 3, "0.97", "0.17") }, want: []string{"changed A2:3 0×1"}},
		"a decision is changed":    {tamper: func(tr *trail) { tr.replace("A1", 4, "accepted", "rejected") }, want: []string{"changed A1:4 0×1"}},
		"a time is changed":        {tamper: func(tr *trail) { tr.replace("B1", 3, `"time":"20`, `"time":"19`) }, want: []string{"changed B1:3 0×1"}},
		"a hash is changed":        {tamper: func(tr *trail) { tr.replace("A1", 3, tr.hashes["A2"], tr.hashes["A3"]) }, want: []string{"changed A1:3 0×1"}},
		"a sequence is changed":    {tamper: func(tr *trail) { tr.replace("A1", 3, `"seq":2`, `"seq":3`) }, want: []string{"changed A1:3 0×1"}},
		"a member is added":        {tamper: func(tr *trail) { tr.replace("A1", 3, `"kind"`, `"reason":"x","kind"`) }, want: []string{"changed A1:3 0×1"}},
		"white space is added":     {tamper: func(tr *trail) { tr.replace("A1", 3, `,"mac"`, ` ,"mac"`) }, want: []string{"changed A1:3 0×1"}},
		"lines end as on Windows":  {tamper: func(tr *trail) { tr.replace("A1", 3, "\n", "\r\n") }, want: []string{"changed A1:3 0×1"}},
		"the first record":         {tamper: func(tr *trail) { tr.replace("A1", 2, "start", "sturt") }, want: []string{"changed A1:2 0×1"}},
		"the last record":          {tamper: func(tr *trail) { tr.replace("C2", 5, "stop", "step") }, want: []string{"changed C2:5 0×1"}},
		"last, with a checkpoint":  {tamper: func(tr *trail) { tr.replace("B1", 6, "0.97", "0.98") }, checkpoints: ends, want: []string{"changed B1:6 0×1"}},
		"three records":            {tamper: func(tr *trail) { replaceAll(tr, "A2", 2, 3, 4) }, want: []string{"changed A2:2 0×3"}},
		"a header's chain before":  {tamper: func(tr *trail) { tr.replace("C1", 1, tr.ids["B"], tr.ids["A"]) }, want: []string{"changed C1:1 0×1"}},
		"a header's key":           {tamper: func(tr *trail) { tr.replace("A2", 1, `"key":"`, `"key":"0`) }, want: []string{"changed A2:1 0×1"}},
		"a line is inserted":       {tamper: func(tr *trail) { insert(tr, "A2", 3, []byte("{\"chain\":\"x\"}\n")) }, want: []string{"changed A2:3 0×1"}},
		"an empty line":            {tamper: func(tr *trail) { insert(tr, "A2", 3, []byte("\n")) }, want: []string{"changed A2:3 0×1"}},
		"a line beyond all bounds": {tamper: func(tr *trail) { insert(tr, "A2", 3, append(bytes.Repeat([]byte("x"), 3*maxLine), '\n')) }, want: []string{"changed A2:3 0×1"}},
		"text after the end":       {tamper: func(tr *trail) { tr.append("C2", "x\n") }, want: []string{"changed C2:6 0×1"}},
		"torn text after the end":  {tamper: func(tr *trail) { tr.append("C2", "x") }, want: []string{"changed C2:6 0×1"}},

		// Removed.
		"a record is removed":          {tamper: func(tr *trail) { cut(tr, "A2", 3, 4) }, want: []string{"missing A2:3 6×1"}},
		"the first record is removed":  {tamper: func(tr *trail) { cut(tr, "A1", 2, 3) }, want: []string{"missing A1:2 1×1"}},
		"the last of a file":           {tamper: func(tr *trail) { cut(tr, "A1", 5, 6) }, want: []string{"missing A2:1 4×1"}},
		"three records, two and one":   {tamper: func(tr *trail) { cut(tr, "A2", 2, 4); cut(tr, "A3", 4, 5) }, want: []string{"missing A2:2 5×2", "missing A3:4 11×1"}},
		"removed and another inserted": {tamper: func(tr *trail) { cut(tr, "A2", 3, 5); insert(tr, "A2", 3, []byte("x\n")) }, want: []string{"changed A2:3 0×1", "missing A2:4 6×1"}},
		"a file in the middle":         {tamper: func(tr *trail) { tr.remove("A2") }, want: []string{"missing A3:1 5×4"}},
		"a file is emptied":            {tamper: func(tr *trail) { tr.truncate("A2", 1<<20) }, want: []string{"missing A3:1 5×4"}},
		"the first file":               {tamper: func(tr *trail) { tr.remove("A1") }, want: []string{"missing start A2:1 1×4"}},
		"a header is removed":          {tamper: func(tr *trail) { cut(tr, "A2", 1, 2) }, want: []string{"missing A2:1 0×1"}},
		"the first header is removed":  {tamper: func(tr *trail) { cut(tr, "C1", 1, 2) }, want: []string{"missing C1:1 0×1"}},
		"the first of a chain of one file, with its header": {
			tamper: func(tr *trail) { cut(tr, "B1", 1, 4) }, want: []string{"missing B1:1 0×1", "missing start B1:1 1×2"},
		},

		// Reordered.
		"two records change places":  {tamper: func(tr *trail) { swap(tr, "A2", 3, 4) }, want: []string{"reordered A2:4 6×1"}},
		"a record moves to the end":  {tamper: func(tr *trail) { move(tr, "A2", 2, 5) }, want: []string{"reordered A2:5 5×1"}},
		"a record moves to the next": {tamper: func(tr *trail) { l := tr.lines("A1")[3]; cut(tr, "A1", 4, 5); insert(tr, "A2", 4, l) }, want: []string{"reordered A2:4 3×1"}},
		"two files change names": {
			tamper: func(tr *trail) {
				tr.rename("A1", "x")
				tr.rename("A2", filepath.Base(tr.paths["A1"]))
				require.NoError(tr.t, os.Rename(filepath.Join(tr.folder, "x"), tr.paths["A2"]))
			},
			want: []string{"foreign A1:1 0×1", "foreign A2:1 0×1"},
		},

		// Repeated.
		"a record is repeated at once": {tamper: func(tr *trail) { insert(tr, "A2", 4, tr.lines("A2")[2]) }, want: []string{"repeated A2:4 6×1"}},
		"a record is repeated later":   {tamper: func(tr *trail) { insert(tr, "A3", 3, tr.lines("A1")[2]) }, want: []string{"repeated A3:3 2×1"}},
		"two are repeated after the end": {
			tamper: func(tr *trail) { tr.append("C2", string(tr.lines("C2")[2])+string(tr.lines("C2")[3])) }, want: []string{"repeated C2:6 6×2"},
		},
		"a header is repeated": {tamper: func(tr *trail) { insert(tr, "A2", 4, tr.lines("A2")[0]) }, want: []string{"foreign A2:4 0×1"}},
		"a file is repeated": {
			tamper: func(tr *trail) {
				name := fileName{1, tr.ids["A"], 9}.String()
				tr.paths["A9"] = filepath.Join(tr.folder, name)
				require.NoError(tr.t, os.WriteFile(tr.paths["A9"], bytes.Join(tr.lines("A2"), nil), 0o600))
			},
			want: []string{"foreign A9:1 0×1"},
		},
		"a file is repeated with a zero": {
			tamper: func(tr *trail) {
				tr.paths["A02"] = filepath.Join(tr.folder, "audit-000001-"+tr.ids["A"]+"-2.jsonl")
				require.NoError(tr.t, os.WriteFile(tr.paths["A02"], bytes.Join(tr.lines("A2"), nil), 0o600))
			},
			want: []string{"foreign A02:1 0×1"},
		},

		// Cut.
		"the end of a chain that another follows":     {tamper: func(tr *trail) { cut(tr, "B1", 5, 7) }, want: []string{"cut B1:0 4×2"}},
		"the same in the middle of a line":            {tamper: func(tr *trail) { tr.truncate("B1", 10) }, want: []string{"cut B1:0 5×1"}},
		"a newline":                                   {tamper: func(tr *trail) { tr.truncate("B1", 1) }, want: []string{"cut B1:0 5×1"}},
		"all records of a chain that another follows": {tamper: func(tr *trail) { cut(tr, "B1", 2, 7) }, want: []string{"cut B1:0 1×5"}},
		"a chain that another follows is emptied":     {tamper: func(tr *trail) { tr.truncate("B1", 1<<20) }, want: []string{"cut B1:0 1×5"}},
		"the last file of a chain":                    {tamper: func(tr *trail) { tr.remove("A3") }, want: []string{"cut A2:0 9×4"}},
		"a file that is not the last, in a line":      {tamper: func(tr *trail) { tr.truncate("A2", 10) }, want: []string{"cut A2:5 8×1", "missing A3:1 8×1"}},
		"the end of the last chain, to a checkpoint":  {tamper: func(tr *trail) { cut(tr, "C2", 4, 6) }, checkpoints: ends, want: []string{"cut C2:0 7×2"}},
		"the same in a line":                          {tamper: func(tr *trail) { tr.truncate("C2", 10) }, checkpoints: ends, want: []string{"cut C2:0 8×1"}},

		// Missing chains.
		"a chain that another follows":  {tamper: func(tr *trail) { tr.remove("B1") }, want: []string{"missing chain chain B:0 1×5"}},
		"the first chain":               {tamper: func(tr *trail) { tr.remove("A1", "A2", "A3") }, want: []string{"missing chain chain A:0 1×12"}},
		"the last chain":                {tamper: func(tr *trail) { tr.remove("C1", "C2") }, checkpoints: ends, want: []string{"missing chain chain C:0 1×8"}},
		"a file gets a name of no file": {tamper: func(tr *trail) { tr.rename("B1", "old.jsonl") }, want: []string{"missing chain chain B:0 1×5"}},
		"a chain was away while another began": {
			tamper: func(tr *trail) {
				for _, name := range []string{"C1", "C2"} {
					tr.rename(name, name)
				}
				l := mustOpen(tr.t, tr.folder)
				require.NoError(tr.t, l.Close())
				tr.ids["D"] = l.chain
				tr.paths["D1"] = filepath.Join(tr.folder, l.out.name.String())
				for _, name := range []string{"C1", "C2"} {
					require.NoError(tr.t, os.Rename(filepath.Join(tr.folder, name), tr.paths[name]))
				}
			},
			want: []string{"forked"},
		},

		// In a wrong place.
		"a record of another chain": {tamper: func(tr *trail) { insert(tr, "C1", 4, tr.lines("A1")[3]) }, want: []string{"foreign C1:4 0×1"}},
		"a record of another chain in place of one": {
			tamper: func(tr *trail) {
				l := tr.lines("A1")[3]
				tr.edit("C1", func(lines [][]byte) [][]byte { lines[3] = l; return lines })
			},
			want: []string{"foreign C1:4 0×1", "missing C1:5 3×1"},
		},
		"a file of another chain": {
			tamper: func(tr *trail) {
				require.NoError(tr.t, os.WriteFile(tr.paths["B1"], bytes.Join(tr.lines("A1"), nil), 0o600))
			},
			want: []string{"foreign B1:1 0×1", "missing chain chain B:0 1×5"},
		},
		"a folder in place of a file": {
			tamper: func(tr *trail) { tr.remove("A2"); require.NoError(tr.t, os.Mkdir(tr.paths["A2"], 0o700)) },
			want:   []string{"foreign A2:0 0×1", "missing A3:1 5×4"},
		},

		// Rewritten with the key.
		"one record":                       {tamper: func(tr *trail) { tr.forge("A2", 3, tr.position("A", 5)) }, want: []string{"rewritten A2:4 6×1"}},
		"the last record of a file":        {tamper: func(tr *trail) { tr.forge("A2", 5, tr.position("A", 7)) }, want: []string{"rewritten A3:1 8×1"}},
		"the last before the next chain":   {tamper: func(tr *trail) { tr.forge("B1", 6, tr.position("B", 4)) }, want: []string{"rewritten B1:6 5×1"}},
		"one after the end of a chain":     {tamper: func(tr *trail) { tr.forge("B1", 7, tr.position("B", 5)) }, want: []string{"foreign B1:0 6×1"}},
		"one after a stop":                 {tamper: func(tr *trail) { tr.forge("C2", 6, tr.position("C", 8)) }, want: []string{"foreign C2:6 9×1"}},
		"the last of all, to a checkpoint": {tamper: func(tr *trail) { tr.forge("C2", 5, tr.position("C", 7)) }, checkpoints: ends, want: []string{"rewritten C2:5 8×1"}},
		"first of a chain": {
			tamper: func(tr *trail) { tr.forge("A1", 2, position{0, tr.hashes["A3"]}) }, want: []string{"rewritten A1:2 0×1", "rewritten A1:3 1×1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrail(t)
			var checkpoints []Checkpoint
			if c.checkpoints != nil {
				checkpoints = c.checkpoints(tr)
			}
			require.Empty(t, tr.findings(checkpoints...))
			c.tamper(tr)
			got := tr.findings(checkpoints...)
			require.Len(t, got, len(c.want), "%v", got)
			slices.Sort(got)
			slices.Sort(c.want)
			for i, want := range c.want {
				assert.True(t, strings.HasPrefix(got[i], want), "%s\nbut want %s", got[i], want)
			}
		})
	}
}

// ends returns a checkpoint of the end of each chain.
func ends(tr *trail) []Checkpoint {
	return []Checkpoint{tr.ends["A"], tr.ends["B"], tr.ends["C"]}
}

func cut(tr *trail, name string, from, to int) {
	tr.edit(name, func(lines [][]byte) [][]byte { return slices.Delete(lines, from-1, min(to-1, len(lines))) })
}

func insert(tr *trail, name string, line int, text []byte) {
	tr.edit(name, func(lines [][]byte) [][]byte {
		if !bytes.HasSuffix(text, []byte("\n")) {
			text = append(slices.Clone(text), '\n')
		}
		return slices.Insert(lines, line-1, text)
	})
}

func swap(tr *trail, name string, a, b int) {
	tr.edit(name, func(lines [][]byte) [][]byte {
		lines[a-1], lines[b-1] = lines[b-1], lines[a-1]
		return lines
	})
}

func move(tr *trail, name string, from, to int) {
	tr.edit(name, func(lines [][]byte) [][]byte {
		line := lines[from-1]
		lines[len(lines)-1] = append(slices.Clone(lines[len(lines)-1]), '\n')
		return slices.Insert(slices.Delete(lines, from-1, from), to-1, line)
	})
}

func replaceAll(tr *trail, name string, lines ...int) {
	for _, line := range lines {
		tr.replace(name, line, "0.97", "0.07")
	}
}

func TestVerify_AcceptsRemovedOnPurpose(t *testing.T) {
	t.Parallel()
	purposely := func(p Checkpoint) Checkpoint { p.Removed = true; return p }
	for name, c := range map[string]struct {
		remove      []string
		checkpoints func(*trail) []Checkpoint
		want        []string
	}{
		"the first file, to its end":        {remove: []string{"A1"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 4))} }},
		"two files":                         {remove: []string{"A1", "A2"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 8))} }},
		"a checkpoint within what is there": {remove: []string{"A1"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 6))} }},
		"earlier checkpoints of the chain": {remove: []string{"A1"}, checkpoints: func(tr *trail) []Checkpoint {
			return []Checkpoint{tr.checkpoint("A", 2), tr.checkpoint("A", 4), purposely(tr.checkpoint("A", 4)), tr.checkpoint("A", 9)}
		}},
		"a whole chain":                     {remove: []string{"A1", "A2", "A3"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.ends["A"])} }},
		"a whole chain, part of the next":   {remove: []string{"A1", "A2", "A3", "B1", "C1"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("C", 4))} }},
		"nothing removed yet":               {checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 8))} }},
		"a checkpoint that is not for this": {remove: []string{"A1"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{tr.checkpoint("A", 4)} }, want: []string{"missing start A2:1 1×4"}},
		"more than the checkpoint says":     {remove: []string{"A1", "A2"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 4))} }, want: []string{"missing start A3:1 5×4"}},
		"another record than the checkpoint's": {remove: []string{"A1"}, checkpoints: func(tr *trail) []Checkpoint {
			p := purposely(tr.checkpoint("A", 4))
			p.Hash = tr.hashes["A3"]
			return []Checkpoint{p}
		}, want: []string{"rewritten A2:1 4×1"}},
		"a whole chain, another end": {remove: []string{"A1", "A2", "A3"}, checkpoints: func(tr *trail) []Checkpoint {
			p := purposely(tr.ends["A"])
			p.Hash = tr.hashes["A3"]
			return []Checkpoint{p}
		}, want: []string{"missing chain chain A:0 1×12"}},
		"a part of a chain, and all is away": {remove: []string{"A1", "A2", "A3"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 8))} }, want: []string{"missing chain chain A:0 1×12"}},
		"a file in the middle":               {remove: []string{"A2"}, checkpoints: func(tr *trail) []Checkpoint { return []Checkpoint{purposely(tr.checkpoint("A", 4))} }, want: []string{"missing A3:1 5×4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrail(t)
			tr.remove(c.remove...)
			if c.want == nil {
				c.want = []string{}
			}
			assert.Equal(t, c.want, tr.findings(c.checkpoints(tr)...))
		})
	}
}

func TestVerify_CheckpointsMustMatch(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	wrong := tr.checkpoint("A", 6)
	wrong.Hash = tr.hashes["A7"]
	beyond := tr.ends["C"]
	beyond.Sequence++
	unknown := tr.ends["C"]
	unknown.Chain = strings.Repeat("0", idSize)
	assert.Equal(t, []string{"rewritten A2:3 6×1"}, tr.findings(wrong))
	assert.Equal(t, []string{"cut C2:0 9×1"}, tr.findings(beyond))
	assert.Equal(t, []string{"missing chain chain " + unknown.Chain + ":0 1×8"}, tr.findings(unknown))
}

func TestVerify_Keys(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	other := bytes.Repeat([]byte("k"), minKey)
	l, err := Open(tr.folder, other)
	require.NoError(t, err)
	require.NoError(t, l.Append(t.Context(), request(1)))
	require.NoError(t, l.Close())

	r, err := Verify(t.Context(), tr.folder, [][]byte{testKey(), other}, []Checkpoint{l.Checkpoint()})
	require.NoError(t, err)
	assert.Empty(t, r.Findings, "a chain with another key follows one with the old key")

	r, err = Verify(t.Context(), tr.folder, [][]byte{testKey()}, []Checkpoint{l.Checkpoint()})
	require.NoError(t, err)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, FoundUnknownKey, r.Findings[0].Kind)
	assert.Equal(t, l.chain, r.Findings[0].Chain)

	r, err = Verify(t.Context(), tr.folder, nil, nil)
	require.NoError(t, err)
	assert.Len(t, r.Findings, 4)
}

func TestVerify_FindingsAreBounded(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	insert(tr, "A2", 3, []byte(strings.Repeat(string(tr.lines("A1")[2])+"x\n", 2*maxFindings)))
	r := mustVerify(t, tr.folder)
	assert.Len(t, r.Findings, maxFindings)
	assert.Equal(t, 3*maxFindings, r.More)
}

func TestVerify_StopsWithContext(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Verify(ctx, tr.folder, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = Verify(t.Context(), filepath.Join(tr.folder, "none"), nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

//nolint:paralleltest // it measures what the process allocates
func TestVerify_MemoryIsBounded(t *testing.T) {
	folder := t.TempDir()
	name := fileName{1, strings.Repeat("a", idSize), 1}.String()
	f, err := os.Create(filepath.Join(folder, name))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(256<<20)) // one line
	require.NoError(t, f.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := mustVerify(t, folder)
	runtime.ReadMemStats(&after)
	assert.True(t, r.Chains[0].Torn)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

// TestVerify_FindsForgedFiles writes files with the key, in ways that a log does not.
func TestVerify_FindsForgedFiles(t *testing.T) {
	t.Parallel()
	k, err := derive(testKey())
	require.NoError(t, err)
	id := strings.Repeat("a", idSize)
	write := func(folder string, number, from uint64, before position, abandoned bool, scores ...float64) position {
		text := appendHeader(nil, header{Audit: version, File: number, Chain: id, From: from, Prev: before.hash, Key: k.id, Abandoned: abandoned}, k)
		for _, score := range scores {
			r := Record{Kind: KindScore, Scores: []Measure{{"face", score}}}
			body, err := r.appendBody(nil)
			require.NoError(t, err)
			text, before = appendRecord(text, id, before, body, k)
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, fileName{1, id, number}.String()), text, 0o600))
		return before
	}
	kinds := func(folder string) []FindingKind {
		var found []FindingKind
		for _, f := range mustVerify(t, folder).Findings {
			found = append(found, f.Kind)
		}
		return found
	}

	folder := t.TempDir()
	first := write(folder, 1, 1, beginning(), false, 0.1)
	write(folder, 1, 1, beginning(), false, 0.1, 0.2)
	write(folder, 2, 2, first, true, 0.2, 0.3)
	assert.Empty(t, kinds(folder), "an abandoned file has the same record")
	write(folder, 2, 2, first, true, 0.9, 0.3)
	assert.Equal(t, []FindingKind{FoundRewritten}, kinds(folder), "it has another one")

	folder = t.TempDir()
	write(folder, 1, 1, position{hash: strings.Repeat("b", hashSize)}, false, 0.1)
	assert.Equal(t, []FindingKind{FoundRewritten}, kinds(folder), "a first record that names one before it")
}
