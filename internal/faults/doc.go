// Package faults is the fault harness: faulty servers, proxies and dialers, and the
// accounts that they keep. Only the library's tests and the figures import it.
//
// The matrix is in matrix_test.go, and docs/faults.md is generated from it. A row's
// cells range over the typed calls of internal/calls. The figures and the soak are
// a command of their own:
//
//	go run ./internal/faults/figures
package faults
