package relaytest_test

import (
	"testing"

	"github.com/aimbrain/aimbrain-go/relay/relaytest"
)

func TestRelay_WithstandsAllAttacks(t *testing.T) {
	t.Parallel()
	relaytest.Run(t, func(t testing.TB) relaytest.Target {
		t.Helper()
		return relaytest.Relay(t, nil)
	})
}
