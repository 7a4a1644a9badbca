package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// An ErrorKind is what has failed. errors.Is finds it in an [Error].
type ErrorKind string

// The kinds of errors.
const (
	// ErrConfiguration means that an option, an argument, the client or its URL is
	// invalid. Nothing was sent.
	ErrConfiguration ErrorKind = "redisstore: invalid configuration"
	// ErrEvicts means that the server removes records before their time when its memory
	// is full, or does not report whether it does.
	ErrEvicts ErrorKind = "redisstore: the server may evict records"
	// ErrUnsupported means that the server is too old, is a replica, or does not run the
	// store's scripts.
	ErrUnsupported ErrorKind = "redisstore: unsupported server"
	// ErrFull means that the memory of the server is full. Nothing was written, and
	// nothing was removed.
	ErrFull ErrorKind = "redisstore: the server is full"
	// ErrReplicas means that fewer replicas than required are connected or have
	// confirmed a write. The record may have been written.
	ErrReplicas ErrorKind = "redisstore: too few replicas"
	// ErrUnauthorized means that the server refused the user or the password, or that
	// the user may not run a command or use the keys.
	ErrUnauthorized ErrorKind = "redisstore: unauthorized"
	// ErrNoRecord means that the key holds something else than a record.
	ErrNoRecord ErrorKind = "redisstore: not a record"
	// ErrClock means that the clock of the server went back by more than a minute.
	ErrClock ErrorKind = "redisstore: the clock went back"
	// ErrUnavailable means that the server was not reached, did not reply in time, or
	// serves no requests at present. A record may have been written.
	ErrUnavailable ErrorKind = "redisstore: the server is unavailable"
)

// Error returns the text of the kind.
func (k ErrorKind) Error() string { return string(k) }

// An Error is an error of the store. Its fields and its text never hold a value, a
// password, or a text of the server, which may repeat what it was sent; there is no
// other error in it but the [ErrorKind] and that of the context.
type Error struct {
	// Op is "New", "ParseURL", "Load", "Swap" or "Check".
	Op string
	// Kind is what has failed.
	Kind ErrorKind
	// Detail is the reason, such as the code of the server's reply or the address that
	// was not reached.
	Detail string
	// Remedy is what to do about it, for an operator or developer.
	Remedy string

	context error
}

// Error returns the operation, the kind, the detail and the remedy.
func (e *Error) Error() string {
	text := "redisstore: " + e.Op + ": " + strings.TrimPrefix(string(e.Kind), "redisstore: ")
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Remedy != "" {
		text += " (" + e.Remedy + ")"
	}
	return text
}

// Unwrap returns the kind, and the error of the context if it has ended.
func (e *Error) Unwrap() []error {
	if e.context != nil {
		return []error{e.Kind, e.context}
	}
	return []error{e.Kind}
}

// constantError is an error without more.
type constantError string

func (e constantError) Error() string { return string(e) }

const (
	errReply    constantError = "the reply does not have the form of the store's scripts"
	errNoRecord constantError = "the key holds no record of a relay"
)

func fail(kind ErrorKind, detail, remedy string) *Error {
	return &Error{Kind: kind, Detail: detail, Remedy: remedy}
}

// A replyCode is what the first word of an error reply means.
type replyCode struct {
	prefix string
	kind   ErrorKind
	remedy string
}

func replyCodes() []replyCode {
	const (
		scripts = "the user needs +evalsha +eval +get +getrange +set +del +time +info +wait and the keys of the prefix"
		later   = "the request was refused; it may succeed later"
		another = "point the prefix at keys that no other program writes"
	)
	return []replyCode{
		{"OOM", ErrFull, "raise maxmemory, or give the relay a server of its own; records go when their time has passed"},
		{"NORECORD", ErrNoRecord, another},
		{"WRONGTYPE", ErrNoRecord, another},
		{"NOAUTH", ErrUnauthorized, "give the client the user and the password of the server"},
		{"WRONGPASS", ErrUnauthorized, "give the client the user and the password of the server"},
		{"NOPERM", ErrUnauthorized, scripts},
		{"NOREPLICAS", ErrReplicas, "the server has fewer replicas than min-replicas-to-write: see INFO replication"},
		{"READONLY", ErrUnavailable, "the server is a replica: connect to the master, or through Sentinel"},
		{"MISCONF", ErrUnavailable, "the server cannot write its file: see its log and its disk"},
		{"LOADING", ErrUnavailable, "the server is starting: " + later},
		{"BUSY", ErrUnavailable, "another program's script blocks the server"},
		{"MASTERDOWN", ErrUnavailable, "the replica has lost its master: connect to the master"},
		{"UNBLOCKED", ErrUnavailable, "the server became a replica: the record may have been written"},
		{"CLUSTERDOWN", ErrUnavailable, "see CLUSTER INFO: " + later},
		{"TRYAGAIN", ErrUnavailable, "keys are moving between servers: " + later},
		{"MOVED", ErrUnavailable, "pass a *redis.ClusterClient, or see CLUSTER SHARDS: " + later},
		{"ASK", ErrUnavailable, "pass a *redis.ClusterClient, or see CLUSTER SHARDS: " + later},
		{"NOSCRIPT", ErrUnsupported, "the server has to run EVAL and EVALSHA"},
	}
}

// failure makes an error of the store of any other. It takes no text of the server
// and none that it does not know: a server repeats the arguments of a command that it
// does not know, among them values and, in the client's own HELLO, the password.
func (s *Store) failure(ctx context.Context, op string, err error) *Error {
	e := classify(err)
	e.Op = op
	if e.Kind == ErrUnavailable {
		e.context = ended(ctx)
	}
	return e
}

// ended returns the error of a context that has ended. The deadline of a connection is
// that of the context, and may pass a moment before.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

func classify(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		e := *own
		return &e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fail(ErrUnavailable, "the call was cancelled before the reply", "the record may have been written")
	case errors.Is(err, context.DeadlineExceeded):
		return fail(ErrUnavailable, "the deadline passed before the reply", "see whether the server is slow; the record may have been written")
	case errors.Is(err, errNoRecord):
		return fail(ErrNoRecord, errNoRecord.Error(), "point the prefix at keys that no other program writes")
	case errors.Is(err, errReply):
		return fail(ErrUnsupported, errReply.Error(), "see whether a proxy or a hook of the client changes replies")
	case errors.Is(err, redis.ErrClosed):
		return fail(ErrUnavailable, "the client was closed", "close the client after the relay has shut down")
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return fail(ErrUnavailable, "no connection of the pool was free in time", "raise PoolSize, or see whether the server is slow")
	}
	for _, code := range replyCodes() {
		if redis.HasErrorPrefix(err, code.prefix) {
			return fail(code.kind, "the server replied "+code.prefix, code.remedy)
		}
	}
	var reply redis.Error
	if errors.As(err, &reply) {
		return fail(ErrUnsupported, "the server replied with an error", "it has to be Redis 7.0 or Valkey 7.2 or later, with EVAL, EVALSHA and INFO enabled: see its log")
	}
	return network(err)
}

// network describes a failed connection by its address and the system's error.
func network(err error) *Error {
	const remedy = "see whether the server runs and is reached; the record may have been written"
	var (
		operation   *net.OpError
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		return fail(ErrUnavailable, "TLS: the server's certificate was not verified", "set RootCAs and ServerName of the client's TLSConfig")
	case errors.As(err, &lookup):
		return fail(ErrUnavailable, "the name of the server was not found", remedy)
	case errors.As(err, &operation):
		detail := operation.Op
		if operation.Addr != nil {
			detail += " " + operation.Addr.String()
		}
		if operation.Op == "dial" {
			return fail(ErrUnavailable, detail+": the connection failed", "see whether the server runs and is reached")
		}
		if operation.Timeout() {
			return fail(ErrUnavailable, detail+": no reply in time", remedy)
		}
		return fail(ErrUnavailable, detail+": the connection failed", remedy)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(ErrUnavailable, "no reply in time", remedy)
	}
	return fail(ErrUnavailable, "the connection ended before the reply", remedy)
}
