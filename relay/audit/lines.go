package audit

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// A position is a record by its number and hash.
type position struct {
	sequence uint64
	hash     string
}

// beginning returns the position before the first record of a chain.
func beginning() position { return position{hash: strings.Repeat("0", hashSize)} }

// A link is what a header says of the chain before.
type link struct {
	Chain    string `json:"chain"`
	Sequence uint64 `json:"seq"`
	Hash     string `json:"hash"`
}

// A header is the first line of a file. From and Prev say with which record it begins
// and the hash of the one before. Abandoned says that a file before it could not be
// written: records there from From on were never acknowledged, and stand here again.
type header struct {
	Audit     int    `json:"audit"` // the version of the format
	File      uint64 `json:"file"`
	Chain     string `json:"chain"`
	From      uint64 `json:"from"`
	Prev      string `json:"prev"`
	Key       string `json:"key"`
	Time      string `json:"time"`
	Abandoned bool   `json:"abandoned,omitempty"`
	Previous  *link  `json:"previous,omitempty"`
	MAC       string `json:"mac,omitempty"`
}

const (
	version    = 1
	headerMark = `{"audit":`
	macMark    = `,"mac":"`
	trailer    = len(macMark) + hashSize + len(`"}`)
)

// appendHeader appends the line of a header.
func appendHeader(dst []byte, h header, k keyed) []byte {
	start := len(dst)
	h.MAC = ""
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // there are only numbers and strings
	}
	dst = append(dst, text[:len(text)-1]...)
	return appendMAC(dst, start, k)
}

// recordSize returns how long the line of a record is at most.
func recordSize(body []byte) int { return len(body) + idSize + hashSize + trailer + 64 }

// appendRecord appends the line of the record after last, and returns its position.
func appendRecord(dst []byte, chain string, last position, body []byte, k keyed) ([]byte, position) {
	start := len(dst)
	sequence := last.sequence + 1
	dst = append(dst, `{"chain":"`...)
	dst = append(dst, chain...)
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendUint(dst, sequence, 10)
	dst = append(dst, `,"prev":"`...)
	dst = append(dst, last.hash...)
	dst = append(dst, `",`...)
	dst = append(dst, body...)
	dst = appendMAC(dst, start, k)
	end := len(dst) - len("\"}\n")
	return dst, position{sequence, string(dst[end-hashSize : end])}
}

func appendMAC(dst []byte, start int, k keyed) []byte {
	signed := len(dst)
	dst = append(dst, macMark...)
	dst = k.mac(dst, dst[start:signed])
	return append(dst, "\"}\n"...)
}

// splitMAC divides a line, without its newline, into what is authenticated and the
// hash.
func splitMAC(line []byte) (signed, mac []byte, ok bool) {
	if len(line) < trailer {
		return nil, nil, false
	}
	signed, rest := line[:len(line)-trailer], line[len(line)-trailer:]
	rest, ok = bytes.CutPrefix(rest, []byte(macMark))
	if !ok {
		return nil, nil, false
	}
	mac, ok = bytes.CutSuffix(rest, []byte(`"}`))
	return signed, mac, ok
}

// authentic reports whether the key has made the line.
func (k keyed) authentic(line []byte) bool {
	signed, mac, ok := splitMAC(line)
	return ok && hmac.Equal(k.mac(nil, signed), mac)
}

// An entry is what Verify and Open read of a record.
type entry struct {
	chain string
	position
	prev string
	time time.Time
	kind Kind
}

// parseRecord reads the line of a record. It does not authenticate it.
func parseRecord(line []byte) (entry, bool) {
	_, mac, ok := splitMAC(line)
	rest, isRecord := bytes.CutPrefix(line, []byte(`{"chain":"`))
	chain, rest, hasChain := bytes.Cut(rest, []byte(`","seq":`))
	digits, rest, hasSequence := bytes.Cut(rest, []byte(`,"prev":"`))
	prev, rest, hasPrev := bytes.Cut(rest, []byte(`","time":"`))
	clock, rest, hasTime := bytes.Cut(rest, []byte(`","kind":"`))
	kind, _, hasKind := bytes.Cut(rest, []byte(`"`))
	if !ok || !isRecord || !hasChain || !hasSequence || !hasPrev || !hasTime || !hasKind ||
		!isHex(chain, idSize) || !isHex(prev, hashSize) || !isHex(mac, hashSize) {
		return entry{}, false
	}
	sequence, err := strconv.ParseUint(string(digits), 10, 63)
	if err != nil || sequence == 0 {
		return entry{}, false
	}
	at, err := time.Parse(timeFormat, string(clock))
	if err != nil {
		return entry{}, false
	}
	return entry{string(chain), position{sequence, string(mac)}, string(prev), at, Kind(kind)}, true
}

// parseHeader reads the line of a header. It does not authenticate it.
func parseHeader(line []byte) (header, bool) {
	var h header
	if !bytes.HasPrefix(line, []byte(headerMark)) || json.Unmarshal(line, &h) != nil {
		return header{}, false
	}
	ok := h.Audit == version && h.File > 0 && h.From > 0 && h.From < 1<<63 && isHex([]byte(h.Chain), idSize) && isHex([]byte(h.Prev), hashSize)
	return h, ok
}

func isHex(text []byte, size int) bool {
	if len(text) != size {
		return false
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
