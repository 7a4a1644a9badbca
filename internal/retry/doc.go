// Package retry decides whether and when a call may be retried. It holds the
// policy with its back-off, the retry budget, the hold-back after a 429, and the
// Retry-After header.
package retry
