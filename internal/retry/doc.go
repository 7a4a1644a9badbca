// Package retry says whether a call may be sent again, and after which wait: the
// policy with its back-off, the budget that an outage drains, the hold-back after a
// 429, and the Retry-After header.
package retry
