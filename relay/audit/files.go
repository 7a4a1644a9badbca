package audit

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const lockName = "audit.lock"

// A file is what a log needs of an open file.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// A disk is what a log needs of a file system.
type disk struct {
	create     func(path string) (file, error) // fails if the file exists
	remove     func(path string) error
	syncFolder func(folder string) error // makes the names in a folder durable
}

func realDisk() disk {
	return disk{
		create: func(path string) (file, error) {
			return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		},
		remove:     os.Remove,
		syncFolder: syncFolder,
	}
}

// makeFolder makes a folder and its parents, and makes their names durable.
func makeFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "open", Path: folder, Err: fs.ErrExist}
		}
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(folder))
}

// A fileName is the name of a file of an audit trail.
type fileName struct {
	number uint64 // of the chain in the folder
	chain  string
	file   uint64 // of the file in the chain
}

func (n fileName) String() string {
	return fmt.Sprintf("audit-%06d-%s-%06d.jsonl", n.number, n.chain, n.file)
}

// maxNumber is the highest number in a name. It can only be reached by a file that
// somebody has put there.
const maxNumber = 1e18

func parseName(name string) (fileName, bool) {
	rest, isAudit := strings.CutPrefix(name, "audit-")
	rest, isLines := strings.CutSuffix(rest, ".jsonl")
	parts := strings.Split(rest, "-")
	if !isAudit || !isLines || len(parts) != 3 || !isHex([]byte(parts[1]), idSize) {
		return fileName{}, false
	}
	number, err1 := strconv.ParseUint(parts[0], 10, 63)
	file, err2 := strconv.ParseUint(parts[2], 10, 63)
	if err1 != nil || err2 != nil || number > maxNumber || file > maxNumber {
		return fileName{}, false
	}
	return fileName{number, parts[1], file}, true
}

// A listing is the audit files of a folder by their chains.
type listing struct {
	name    fileName
	base    string // the name in the folder
	regular bool
}

// list returns the audit files of a folder, in the order of their numbers.
func list(folder string) ([]listing, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []listing
	for _, e := range entries {
		if name, ok := parseName(e.Name()); ok {
			files = append(files, listing{name, e.Name(), e.Type().IsRegular()})
		}
	}
	slices.SortStableFunc(files, func(a, b listing) int { return compareNames(a.name, b.name) })
	return files, nil
}

func compareNames(a, b fileName) int {
	switch {
	case a.number != b.number:
		return order(a.number < b.number)
	case a.chain != b.chain:
		return strings.Compare(a.chain, b.chain)
	case a.file != b.file:
		return order(a.file < b.file)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// lastChain returns the end of the newest chain of a folder that has a record, nil if
// there is none, and the number for the next chain. It does not authenticate what it
// reads: the key may be another one. What it cannot read, Verify reports.
func lastChain(folder string) (*link, uint64, error) {
	files, err := list(folder)
	if err != nil {
		return nil, 0, err
	}
	number := uint64(1)
	if len(files) > 0 {
		number = min(files[len(files)-1].name.number+1, maxNumber)
	}
	for _, f := range slices.Backward(files) {
		if !f.regular {
			continue
		}
		if last := lastPosition(filepath.Join(folder, f.base), f.name.chain); last.sequence > 0 {
			return &link{f.name.chain, last.sequence, last.hash}, number, nil
		}
	}
	return nil, number, nil
}

// lastPosition returns the last record of a file, or the one before the file if it
// has only a header. The zero position is returned if neither can be read.
func lastPosition(path, chain string) position {
	f, err := os.Open(path)
	if err != nil {
		return position{}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return position{}
	}
	// A torn write may have left less than a line at the end, and pages of zeros.
	const (
		window   = 16 * maxLine
		maxZeros = 64 << 20
	)
	read := func(from, to int64) []byte {
		text, err := io.ReadAll(io.NewSectionReader(f, from, to-from))
		if err != nil {
			return nil
		}
		return text
	}
	end := info.Size()
	for searched := 0; end > 0 && searched < maxZeros; searched += window {
		start := max(0, end-window)
		text := bytes.TrimRight(read(start, end), "\x00")
		if end = start + int64(len(text)); len(text) > 0 {
			break
		}
	}
	start := max(0, end-window)
	tail := read(start, end)
	complete := bytes.LastIndexByte(tail, '\n')
	for complete >= 0 {
		begin := bytes.LastIndexByte(tail[:complete], '\n') + 1
		if record, ok := parseRecord(tail[begin:complete]); ok && record.chain == chain && (begin > 0 || start == 0) {
			return record.position
		}
		if h, ok := parseHeader(tail[begin:complete]); ok && h.Chain == chain {
			return position{h.From - 1, h.Prev}
		}
		complete = begin - 1
	}
	return position{}
}
