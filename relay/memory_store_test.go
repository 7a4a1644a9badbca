package relay_test

import (
	"testing"

	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/storetest"
)

func TestMemoryStore_KeepsTheRulesOfAStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) relay.Store { return relay.NewMemoryStore(1 << 24) })
}
