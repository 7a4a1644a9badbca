package relay

// WithoutAudit says on purpose that nothing is recorded.
func WithoutAudit() Option { return todo(nil) }
