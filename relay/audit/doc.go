// Package audit is an audit trail in files: JSON lines that are authenticated with a
// key and chained, so that [Verify] finds what was changed, removed, reordered,
// repeated, cut or rewritten.
//
// [Open] starts a chain with a random identifier in a folder of its own. Each record
// has a sequence number, the hash of the record before it, and an HMAC-SHA256 over
// both and its contents: this is its own hash. The chain names the end of the chain
// before it in the folder. [Log.Append] returns when its record is durable; one fsync
// serves all calls that wait.
//
// # What it proves
//
// Without the key, nobody can change, insert, remove, repeat or reorder records
// within a chain, or remove a chain that another follows, so that Verify does not
// find it. The newest records can be cut off, and somebody who has the key can write
// other ones. Both are found by a [Checkpoint] that was kept elsewhere, where who can
// write the folder cannot write: call [Log.Checkpoint] each minute or so.
//
// # Retention
//
// To remove old records, call Verify, remove whole files, the oldest first, and keep
// the [File.End] of the last file that was removed as a checkpoint with Removed set.
//
// # What is in a file
//
// The name of a file is audit-NUMBER-CHAIN-FILE.jsonl: NUMBER counts the chains of the
// folder and FILE the files of a chain. Its first line is a header, every other line
// is a record, as in this example in several lines:
//
//	{"chain":"5f0c6a…","seq":2,"prev":"9d1e44…",
//	"time":"2026-11-25T18:58:34.000000120Z","kind":"request",…,"mac":"41aa02…"}
//
// The value of mac is the HMAC, in hexadecimal digits, of the bytes of the line before
// the comma in front of it. A line is ASCII: every other character is escaped.
package audit
