package relay

// An ErrorKind is a kind of error of this package, for errors.Is.
type ErrorKind string

// The kinds of errors. All but the last four mean that a grant authorises nothing.
const (
	// ErrGrantInvalid means that the text is not a grant of this relay, or was altered.
	ErrGrantInvalid ErrorKind = "relay: the grant is invalid"
	// ErrGrantExpired means that the grant is older than its time, or from the future.
	ErrGrantExpired ErrorKind = "relay: the grant has expired"
	// ErrGrantRedeemed means that the grant was redeemed before.
	ErrGrantRedeemed ErrorKind = "relay: the grant was redeemed before"
	// ErrOtherUser means that the grant or the session is that of another user.
	ErrOtherUser ErrorKind = "relay: it is that of another user"
	// ErrOtherAction means that the grant is for another action.
	ErrOtherAction ErrorKind = "relay: the grant is for another action"
	// ErrOtherBinding means that the grant is bound to something else, see
	// [WithBinding].
	ErrOtherBinding ErrorKind = "relay: the grant is bound to something else"
	// ErrBlocked means that the user is blocked.
	ErrBlocked ErrorKind = "relay: the user is blocked"
	// ErrStoreLost means that the store has lost what it held of the user since.
	ErrStoreLost ErrorKind = "relay: the store has lost the user's record"
	// ErrSession means that the session is invalid or has expired.
	ErrSession ErrorKind = "relay: the session is invalid or has expired"
	// ErrStore means that the store has failed. A grant counts as redeemed.
	ErrStore ErrorKind = "relay: the store has failed"
	// ErrAudit means that the audit record could not be written. A grant counts as
	// redeemed.
	ErrAudit ErrorKind = "relay: the audit record could not be written"
	// ErrClosed means that the handler was shut down.
	ErrClosed ErrorKind = "relay: the handler is shut down"
)

// Error returns the kind's text.
func (k ErrorKind) Error() string { return string(k) }
