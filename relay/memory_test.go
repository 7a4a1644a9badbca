package relay_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/storetest"
)

func TestMemoryStore_KeepsTheRulesOfAStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) relay.Store { return relay.NewMemoryStore(1 << 24) })
}

func TestMemoryStore_SwapsOnlyTheVersionThatWasLoaded(t *testing.T) {
	t.Parallel()
	m := relay.NewMemoryStore(1 << 20)
	swap := func(version uint64, value string) bool {
		swapped, err := m.Swap(t.Context(), "k", version, []byte(value), 0)
		require.NoError(t, err)
		return swapped
	}
	load := func() relay.Record {
		r, err := m.Load(t.Context(), "k")
		require.NoError(t, err)
		return r
	}
	assert.Zero(t, load().Version)
	assert.False(t, load().Now.IsZero())
	require.True(t, swap(0, "a"))
	first := load()
	assert.Equal(t, "a", string(first.Value))
	assert.False(t, swap(0, "b"))
	require.True(t, swap(first.Version, "b"))
	assert.False(t, swap(first.Version, "c"))
	require.True(t, swap(load().Version, ""), "an empty value removes it")
	assert.Zero(t, load().Version)
	require.True(t, swap(0, "a"))
	assert.NotEqual(t, first.Version, load().Version, "a version is not used twice")
}

func TestMemoryStore_ExpiresByItsClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := relay.NewMemoryStore(1 << 20)
		_, err := m.Swap(t.Context(), "k", 0, []byte("a"), time.Minute)
		require.NoError(t, err)
		pass(time.Minute - 1)
		r, err := m.Load(t.Context(), "k")
		require.NoError(t, err)
		assert.NotZero(t, r.Version)
		pass(1)
		r, err = m.Load(t.Context(), "k")
		require.NoError(t, err)
		assert.Zero(t, r.Version)
		assert.Nil(t, r.Value)
	})
}

func TestMemoryStore_FullEvictsNothingLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := relay.NewMemoryStore(3000)
		value := []byte(strings.Repeat("v", 1000))
		_, err := m.Swap(t.Context(), "short", 0, value, time.Minute)
		require.NoError(t, err)
		_, err = m.Swap(t.Context(), "long", 0, value, 0)
		require.NoError(t, err)
		_, err = m.Swap(t.Context(), "more", 0, value, 0)
		require.Error(t, err)
		for _, key := range []string{"short", "long"} {
			r, err := m.Load(t.Context(), key)
			require.NoError(t, err)
			assert.NotZero(t, r.Version, key)
		}
		pass(time.Minute)
		swapped, err := m.Swap(t.Context(), "more", 0, value, 0)
		require.NoError(t, err, "what has expired makes room")
		assert.True(t, swapped)
	})
}

func TestMemoryStore_LosesNoUpdateOfMany(t *testing.T) {
	t.Parallel()
	m := relay.NewMemoryStore(1 << 20)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for done := false; !done; {
				r, err := m.Load(context.Background(), "k")
				assert.NoError(t, err)
				done, err = m.Swap(context.Background(), "k", r.Version, append(r.Value, 'x'), 0)
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	r, err := m.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.Len(t, r.Value, 16)
}
