package audit

// An ErrorKind is a kind of error, for errors.Is.
type ErrorKind string

// The kinds of errors.
const (
	ErrInvalidKey    ErrorKind = "the key has fewer than 32 bytes"
	ErrInvalidRecord ErrorKind = "the record is invalid"
	ErrLocked        ErrorKind = "the folder is in use by another process"
	ErrClosed        ErrorKind = "the log is closed"
	ErrFull          ErrorKind = "the queue is full"
	// ErrNotDurable is an error after which the record may still be written later.
	ErrNotDurable ErrorKind = "the record is not known to be durable"
)

// Error returns the kind's text.
func (k ErrorKind) Error() string { return string(k) }
