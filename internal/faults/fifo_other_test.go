//go:build !unix

package faults_test

import "testing"

func fifo(t *testing.T) string {
	t.Helper()
	t.Skip("no named pipes in the file system")
	return ""
}
