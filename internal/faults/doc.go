// Package faults is the fault harness: faulty servers, proxies and dialers, the
// accounts that they keep, and the figures that are measured with them. Only the
// library's tests import it.
//
// The matrix is in matrix_test.go, and docs/faults.md is generated from it. The
// figures at full size are printed by
//
//	go run ./internal/faults/figures
package faults
