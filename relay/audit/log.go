package audit

import (
	"context"
	"crypto/sha256"
)

// A Log writes a chain of records. It is safe for concurrent use.
type Log struct{}

// An Option is a setting of [Open].
type Option func(*settings)

type settings struct{}

// WithMaxFileSize returns an option that begins a new file when the present one has
// this many bytes, 64 MiB by default. A file may be larger by what is written at once.
func WithMaxFileSize(bytes int64) Option { return func(*settings) {} }

// WithMaxQueue returns an option that bounds the bytes of records that are not durable
// yet, 4 MiB by default. Add returns [ErrFull] beyond it, and Append waits.
func WithMaxQueue(bytes int) Option { return func(*settings) {} }

// Open begins a chain in a folder, which it makes if it does not exist, and returns
// when its first record is durable. The folder is for audit files alone, and for one
// process: Open returns [ErrLocked] while another Log has it open. The key has 32
// random bytes or more, and Open keeps a copy. To change the key, close the log and
// open another one.
//
// What is in the folder does not prevent Open, also not a torn line, which a crash in
// the middle of a write leaves.
func Open(folder string, key []byte, opts ...Option) (*Log, error) { return &Log{}, nil }

// Append writes a record and returns nil when it is durable. One fsync serves all
// calls that wait. Where the queue is full, Append waits for room.
//
// After a failed write or fsync, the records that are not durable go to a new file.
// If this fails too, the error is [ErrNotDurable], with the cause. So is the error
// if the context ends first. The record stays in the queue after ErrNotDurable if it
// had room, and the next attempt writes it: the caller must treat it as neither
// written nor absent. [ErrInvalidRecord] and [ErrClosed] say that nothing is written.
func (l *Log) Append(ctx context.Context, r Record) error { return nil }

// Add puts a record in the queue and returns without waiting. The record becomes
// durable with the next Append, and within a second or so while the disk works. The
// error is [ErrFull], [ErrInvalidRecord] or [ErrClosed], and nothing is written then.
func (l *Log) Add(r Record) error { return nil }

// Checkpoint returns the last record that is durable. After Close it is the last of
// the chain.
func (l *Log) Checkpoint() Checkpoint { return Checkpoint{} }

// Fingerprint returns the fingerprint of a request: an HMAC, with a key that is derived
// from that of the log, over what PreparedRequest.Fingerprint returns. Without the key
// nobody can compare a body with it.
func (l *Log) Fingerprint(request [sha256.Size]byte) Fingerprint { return "" }

// Err returns why the last attempt to write failed, nil if it succeeded. A health
// check of the process can report it.
func (l *Log) Err() error { return nil }

// Close writes what is in the queue and the record of the end, and releases the folder.
// The error is [ErrNotDurable] if that was not written. A second call returns the
// same.
func (l *Log) Close() error { return nil }
