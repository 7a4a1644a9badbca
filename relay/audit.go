package relay

import (
	"context"

	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// An AuditLog is where a handler records what it does. [*audit.Log] is one.
type AuditLog interface {
	// Append returns when the record is durable.
	Append(ctx context.Context, r audit.Record) error
	// Add queues a record, which becomes durable later.
	Add(r audit.Record) error
	// Fingerprint returns a keyed hash of a request's fingerprint.
	Fingerprint(request [32]byte) audit.Fingerprint
}

// WithAudit sets the audit log. A grant leaves the handler only when its record is
// durable, and the intent to enrol is durable before the API is called. If a record
// cannot be written, the response is 503. The bank closes the log after
// [Handler.Shutdown].
func WithAudit(log AuditLog) Option { return todo(log) }

// WithoutAudit says on purpose that nothing is recorded.
func WithoutAudit() Option { return todo(nil) }
