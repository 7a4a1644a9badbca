package aimbraintest

import "testing"

// RecordNow returns fixtures that record, or that replay, whatever the environment
// says.
func RecordNow(t testing.TB, dir string, recording bool) *Fixtures {
	t.Helper()
	return newFixtures(t, dir, recording)
}
