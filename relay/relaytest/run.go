package relaytest

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// An attack is one attempt to get through a relay.
type attack struct {
	name  string
	holds string // what must hold
	run   func(*attacker)
}

// attacks returns all attacks.
func attacks() []attack {
	return slices.Concat(
		identityAttacks(), sessionAttacks(), scoreAttacks(), grantAttacks(), actionAttacks(), lockOutAttacks(),
		stepUpAttacks(), enrolmentAttacks(), mediaAttacks(), tokenAttacks(), bodyAttacks(), faultAttacks(), webAttacks(),
	)
}

// Run attacks a relay. Each attack is a subtest, which fails if the relay lets it
// through, and is skipped if the target has not what it needs. The function returns a
// new target, and ends it by t.Cleanup.
func Run(t *testing.T, target func(t testing.TB) Target) {
	t.Helper()
	for _, k := range attacks() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			problems, skipped := k.execute(t, target)
			for _, problem := range problems {
				t.Errorf("%s: %s", k.holds, problem)
			}
			if skipped {
				t.Skip("the target has not what the attack needs")
			}
		})
	}
}

// A Finding is an attack that a relay has let through.
type Finding struct {
	Attack  string // its name, such as "Grant_Replayed"
	Holds   string // what must hold
	Problem string // what was seen
}

// Attack attacks a relay as [Run] does, and returns what it has let through, by the
// order of the attacks, and the names of the attacks that were skipped. It does not
// fail the test: it is for tests of such tests.
func Attack(t *testing.T, target func(t testing.TB) Target) (findings []Finding, skipped []string) {
	t.Helper()
	all := attacks()
	found, left := make([][]Finding, len(all)), make([]bool, len(all))
	var mu sync.Mutex
	t.Run("attacks", func(t *testing.T) {
		for i, k := range all {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				problems, skip := k.execute(t, target)
				mu.Lock()
				defer mu.Unlock()
				left[i] = skip
				for _, problem := range problems {
					found[i] = append(found[i], Finding{Attack: k.name, Holds: k.holds, Problem: problem})
				}
			})
		}
	})
	for i, k := range all {
		if left[i] {
			skipped = append(skipped, k.name)
		}
	}
	return slices.Concat(found...), skipped
}

// Names returns the names of all attacks.
func Names() []string {
	var names []string
	for _, k := range attacks() {
		names = append(names, k.name)
	}
	return names
}

// execute runs an attack in a bubble.
func (k attack) execute(t *testing.T, target func(t testing.TB) Target) (problems []string, skipped bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := newAttacker(t, target(t))
		a.run(k.run)
		problems, skipped = a.problems, a.skipped
	})
	return problems, skipped
}
