// Package faults is the fault harness: servers, proxies and dialers that
// misbehave, the accounts they keep, and the figures that are measured with
// them. It belongs to the library's tests and is imported by nothing else.
//
// The matrix is in matrix_test.go, and docs/faults.md is the list that is
// generated from it. The figures at full size are printed by
//
//	go run ./internal/faults/figures
package faults
