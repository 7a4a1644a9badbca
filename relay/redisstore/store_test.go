package redisstore_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/redisstore"
	"github.com/aimbrain/aimbrain-go/relay/storetest"
)

// create writes a new record, and returns it.
func create(t *testing.T, store relay.Store, key, value string, ttl time.Duration) relay.Record {
	t.Helper()
	swapped, err := store.Swap(t.Context(), key, 0, []byte(value), ttl)
	require.NoError(t, err)
	require.True(t, swapped)
	return load(t, store, key)
}

func load(t *testing.T, store relay.Store, key string) relay.Record {
	t.Helper()
	r, err := store.Load(t.Context(), key)
	require.NoError(t, err)
	return r
}

func TestStore_Conformance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		start func(t *testing.T) *server
		open  func(t *testing.T, s *server) redis.UniversalClient
	}{
		{name: "server", start: func(t *testing.T) *server { return startServer(t) }},
		{name: "RESP2", start: func(t *testing.T) *server { return startServer(t) }, open: func(t *testing.T, s *server) redis.UniversalClient {
			return s.client(t, func(o *redis.Options) { o.Protocol = 2 })
		}},
		{name: "cluster", start: startCluster, open: clusterClient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.start(t)
			var client redis.UniversalClient
			if tt.open != nil {
				client = tt.open(t, s)
			} else {
				client = s.client(t)
			}
			storetest.Run(t, func(t *testing.T) relay.Store { return newStore(t, client) })
		})
	}
}

// startCluster starts a cluster of one server, which has all slots.
func startCluster(t *testing.T) *server {
	t.Helper()
	s := startTCPServer(t, "--cluster-enabled", "yes")
	client := s.client(t)
	require.NoError(t, client.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err())
	eventually(t, "the cluster", func() bool {
		return strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	return s
}

func clusterClient(t *testing.T, s *server) redis.UniversalClient {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.addr}, ReadTimeout: 20 * time.Second})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestStore_Contention has two replicas with clients of their own. A version that is
// compared outside of the script loses increments.
func TestStore_Contention(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	stores := []*redisstore.Store{s.store(t), s.store(t)}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			store := stores[i%2]
			for range 5_000 {
				r, err := store.Load(t.Context(), "user")
				if !assert.NoError(t, err) {
					return
				}
				n := byte(0)
				if r.Value != nil {
					n = r.Value[0]
				}
				swapped, err := store.Swap(t.Context(), "user", r.Version, []byte{n + 1}, 0)
				if !assert.NoError(t, err) || swapped {
					return
				}
			}
			t.Error("5,000 Swaps returned false")
		})
	}
	group.Wait()
	assert.Equal(t, []byte{16}, load(t, stores[0], "user").Value)
}

// TestStore_ExpiresByTheServersClock compares the time that the server itself reports.
func TestStore_ExpiresByTheServersClock(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	client, store := s.client(t), s.store(t)
	r := create(t, store, "user", "value", 90*time.Second)
	left, err := client.PTTL(t.Context(), "aimbrain:{user}").Result()
	require.NoError(t, err)
	assert.InDelta(t, 90, left.Seconds(), 30)
	now, err := client.Time(t.Context()).Result()
	require.NoError(t, err)
	assert.WithinDuration(t, now, r.Now, 30*time.Second)
	assert.False(t, load(t, store, "user").Now.Before(r.Now))

	// The time is shortened at the server, not by a clock of this process.
	require.NoError(t, client.PExpire(t.Context(), "aimbrain:{user}", time.Millisecond).Err())
	eventually(t, "the expiry", func() bool { return load(t, store, "user").Version == 0 })
	swapped, err := store.Swap(t.Context(), "user", r.Version, []byte("late"), 0)
	require.NoError(t, err)
	assert.False(t, swapped, "the version of a record that has expired")
	assert.NotEqual(t, r.Version, create(t, store, "user", "value", 0).Version)
}

func TestStore_TTL(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	client, store := s.client(t), s.store(t)
	for _, tt := range []struct {
		ttl      time.Duration
		from, to time.Duration
	}{
		{ttl: 0, from: -1, to: -1}, // -1 is for ever
		{ttl: time.Hour, from: 59 * time.Minute, to: time.Hour},
		{ttl: time.Hour + time.Nanosecond, from: 59 * time.Minute, to: time.Hour + time.Millisecond},
		{ttl: 1<<63 - 1, from: 290 * 365 * 24 * time.Hour, to: 1<<63 - 1},
	} {
		key := fmt.Sprint(tt.ttl)
		create(t, store, key, "value", tt.ttl)
		ms, err := client.Do(t.Context(), "PTTL", "aimbrain:{"+key+"}").Int64()
		require.NoError(t, err)
		if tt.ttl == 0 {
			assert.EqualValues(t, -1, ms)
			continue
		}
		assert.GreaterOrEqual(t, ms, tt.from.Milliseconds(), key)
		assert.LessOrEqual(t, ms, tt.to.Milliseconds()+1, key)
	}
	// Less than a millisecond is no time without an end, and no error.
	swapped, err := store.Swap(t.Context(), "short", 0, []byte("value"), 1)
	require.NoError(t, err)
	require.True(t, swapped)
	eventually(t, "the expiry", func() bool { return load(t, store, "short").Version == 0 })

	_, err = store.Swap(t.Context(), "negative", 0, []byte("value"), -1)
	require.ErrorIs(t, err, redisstore.ErrConfiguration)
	assert.Zero(t, load(t, store, "negative").Version)
}

func TestStore_KilledServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		kept bool
	}{
		{name: "with AOF", args: []string{"--appendonly", "yes", "--appendfsync", "always"}, kept: true},
		{name: "with AOF every second", args: []string{"--appendonly", "yes"}, kept: true}, // the system has not crashed
		{name: "without AOF", args: []string{"--appendonly", "no"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, tt.args...)
			store := s.store(t)
			first := create(t, store, "user", "value", time.Hour)
			s.kill()
			_, err := store.Load(t.Context(), "user")
			require.ErrorIs(t, err, redisstore.ErrUnavailable)
			_, err = store.Swap(t.Context(), "user", first.Version, []byte("other"), 0)
			require.ErrorIs(t, err, redisstore.ErrUnavailable)

			s.start(t)
			after := load(t, store, "user")
			if tt.kept {
				assert.Equal(t, first.Version, after.Version)
				assert.Equal(t, first.Value, after.Value)
			} else {
				assert.Zero(t, after.Version)
			}
			swapped, err := store.Swap(t.Context(), "user", first.Version, []byte("next"), time.Hour)
			require.NoError(t, err)
			assert.Equal(t, tt.kept, swapped)
			if !tt.kept {
				assert.NotEqual(t, first.Version, create(t, store, "user", "value", 0).Version)
			}
		})
	}
}

func TestStore_FlushedServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store := s.store(t)
	first := create(t, store, "user", "value", time.Hour)
	require.NoError(t, s.client(t).FlushAll(t.Context()).Err())
	r := load(t, store, "user")
	assert.Zero(t, r.Version)
	assert.Nil(t, r.Value)
	swapped, err := store.Swap(t.Context(), "user", first.Version, []byte("next"), time.Hour)
	require.NoError(t, err)
	assert.False(t, swapped, "a Swap of a version that the server has lost")
	assert.NotEqual(t, first.Version, create(t, store, "user", "value", 0).Version)
}

func TestStore_ForgottenScripts(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store, client := s.store(t), s.client(t)
	r := create(t, store, "user", "value", 0)
	for i := range 3 {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		swapped, err := store.Swap(t.Context(), "user", r.Version, []byte("value"), 0)
		require.NoError(t, err)
		require.True(t, swapped, "round %d", i)
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		r = load(t, store, "user")
	}
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	swapped, err := store.Swap(t.Context(), "user", r.Version, nil, 0)
	require.NoError(t, err)
	assert.True(t, swapped)
	// A source is sent once for each flush, and the name from then on.
	create(t, store, "other", "value", 0)
	load(t, store, "other")
	require.NoError(t, client.ConfigResetStat(t.Context()).Err())
	load(t, store, "user")
	swapped, err = store.Swap(t.Context(), "other", 1, []byte("value"), 0)
	require.NoError(t, err)
	assert.False(t, swapped)
	assert.NotContains(t, client.Info(t.Context(), "commandstats").Val(), "cmdstat_eval:")
}

func TestStore_FullServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store, client := s.store(t), s.client(t)
	value := make([]byte, 200_000)
	_, _ = rand.Read(value)
	var records []relay.Record
	for i := range 20 {
		records = append(records, create(t, store, fmt.Sprint("key", i), string(value), time.Hour))
	}
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "3mb").Err())

	for _, key := range []string{"new", "key0"} {
		_, err := store.Swap(t.Context(), key, load(t, store, key).Version, []byte("other"), time.Hour)
		require.ErrorIs(t, err, redisstore.ErrFull)
		require.ErrorContains(t, err, "raise maxmemory")
	}
	// Nothing was removed, nothing was written, and what is there is still served.
	for i, r := range records {
		after := load(t, store, fmt.Sprint("key", i))
		assert.Equal(t, r.Version, after.Version)
		assert.Equal(t, value, after.Value)
	}
	assert.Zero(t, load(t, store, "new").Version)
	assert.Equal(t, "0", info(t, client, "evicted_keys"))

	// A removal makes room.
	for i, r := range records[1:] {
		swapped, err := store.Swap(t.Context(), fmt.Sprint("key", i+1), r.Version, nil, 0)
		require.NoError(t, err)
		require.True(t, swapped)
	}
	create(t, store, "new", "value", time.Hour)
}

// TestSwap_LostReply compares the store with the retries of a client: these find the
// write of the first attempt, and report that another was faster.
func TestSwap_LostReply(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, retries := range []int{-1, 0, 5} { // 0 is the client's default, 3
		t.Run(fmt.Sprint("MaxRetries ", retries), func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, s)
			store := newStore(t, s.clientAt(t, "tcp", p.addr, func(o *redis.Options) { o.MaxRetries = retries }))
			key := fmt.Sprint("user", retries)
			first := create(t, store, key, "first", time.Hour)

			p.commands.Store(0)
			p.drop.Store(1)
			swapped, err := store.Swap(t.Context(), key, first.Version, []byte("second"), time.Hour)
			require.ErrorIs(t, err, redisstore.ErrUnavailable)
			require.False(t, swapped)
			assert.EqualValues(t, 1, p.commands.Load(), "the Swap was sent again")
			p.drop.Store(0)
			assert.Equal(t, "second", string(load(t, store, key).Value))
		})
	}
	t.Run("a client's own retry", func(t *testing.T) {
		t.Parallel()
		p := startProxy(t, s)
		client := s.clientAt(t, "tcp", p.addr, func(o *redis.Options) { o.MaxRetries = 0 })
		const script = `if redis.call('SET', KEYS[1], 'x', 'NX') then return {1} end return {0}`
		require.NoError(t, client.Eval(t.Context(), script, []string{"other"}).Err())
		p.commands.Store(0)
		p.drop.Store(1)
		reply, err := client.Eval(t.Context(), script, []string{"plain"}).Slice()
		require.NoError(t, err)
		assert.Equal(t, []any{int64(0)}, reply, "the write of its own first attempt")
		assert.EqualValues(t, 2, p.commands.Load())
	})
}

func TestSwap_LostReplyInACluster(t *testing.T) {
	t.Parallel()
	s := startCluster(t)
	p := startProxy(t, s)
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{s.addr}, ReadTimeout: 20 * time.Second,
		NewClient: func(o *redis.Options) *redis.Client {
			o.Addr = p.addr
			return redis.NewClient(o)
		},
	})
	t.Cleanup(func() { _ = client.Close() })
	store := newStore(t, client)
	first := create(t, store, "user", "first", time.Hour)
	p.commands.Store(0)
	p.drop.Store(1)
	_, err := store.Swap(t.Context(), "user", first.Version, []byte("second"), time.Hour)
	require.ErrorIs(t, err, redisstore.ErrUnavailable)
	assert.EqualValues(t, 1, p.commands.Load(), "the Swap was sent again")
	p.drop.Store(0)
	assert.Equal(t, "second", string(load(t, store, "user").Value))
}

// TestLoad_LostReply shows that a Load is retried, as the client is set to.
func TestLoad_LostReply(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := startProxy(t, s)
	store := newStore(t, s.clientAt(t, "tcp", p.addr, func(o *redis.Options) { o.MaxRetries = 2 }))
	create(t, store, "user", "value", time.Hour)
	p.commands.Store(0)
	p.drop.Store(1)
	assert.Equal(t, "value", string(load(t, store, "user").Value))
	assert.EqualValues(t, 2, p.commands.Load())
}

func TestStore_Context(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, tt := range []struct {
		name string
		end  func(context.Context, *proxy) (context.Context, context.CancelFunc)
		want error
	}{
		{name: "deadline", want: context.DeadlineExceeded, end: func(ctx context.Context, _ *proxy) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}},
		{name: "cancel", want: context.Canceled, end: func(ctx context.Context, p *proxy) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			sent := p.commands.Load()
			go func() {
				// Once the request is on its way, so that only the reply is missing.
				for p.commands.Load() == sent && ctx.Err() == nil {
					<-time.After(time.Millisecond)
				}
				cancel()
			}()
			return ctx, cancel
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, s)
			store := newStore(t, s.clientAt(t, "tcp", p.addr))
			first := create(t, store, tt.name, "value", time.Hour)
			p.hold.Store(true)
			began := time.Now()
			ctx, cancel := tt.end(t.Context(), p)
			defer cancel()
			_, err := store.Load(ctx, tt.name)
			require.ErrorIs(t, err, tt.want)
			require.ErrorIs(t, err, redisstore.ErrUnavailable)

			ctx, cancel = tt.end(t.Context(), p)
			defer cancel()
			value := []byte("other")
			_, err = store.Swap(ctx, tt.name, first.Version+1, value, time.Hour)
			copy(value, "OTHER") // the race detector reports a Swap that still reads it
			require.ErrorIs(t, err, tt.want)
			assert.Less(t, time.Since(began), 15*time.Second, "the ReadTimeout is 20 s")
			// The connections whose replies were lost are not used again.
			p.hold.Store(false)
			assert.Equal(t, first.Value, load(t, store, tt.name).Value)
		})
	}
}

// TestStore_ForeignKeys has keys that another program wrote.
func TestStore_ForeignKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store, client := s.store(t), s.client(t)
	for name, write := range map[string]func(key string) error{
		"short":     func(key string) error { return client.Set(t.Context(), key, "x", 0).Err() },
		"long":      func(key string) error { return client.Set(t.Context(), key, strings.Repeat("secret", 9), 0).Err() },
		"mark only": func(key string) error { return client.Set(t.Context(), key, "abr1", 0).Err() },
		"no value":  func(key string) error { return client.Set(t.Context(), key, "abr112345678", 0).Err() },
		"version 0": func(key string) error {
			return client.Set(t.Context(), key, "abr1"+strings.Repeat("\x00", 8)+"value", 0).Err()
		},
		"hash": func(key string) error { return client.HSet(t.Context(), key, "a", "secret").Err() },
		"list": func(key string) error { return client.LPush(t.Context(), key, "secret").Err() },
	} {
		require.NoError(t, write("aimbrain:{"+name+"}"))
		_, err := store.Load(t.Context(), name)
		require.ErrorIs(t, err, redisstore.ErrNoRecord, name)
		assert.NotContains(t, err.Error(), "secret")
		if name == "no value" || name == "version 0" {
			continue // a Swap reads the header alone
		}
		for _, value := range []string{"value", ""} {
			_, err = store.Swap(t.Context(), name, 0, []byte(value), 0)
			require.ErrorIs(t, err, redisstore.ErrNoRecord, name)
		}
		assert.EqualValues(t, 1, client.Exists(t.Context(), "aimbrain:{"+name+"}").Val(), name)
	}
}

func TestStore_Prefixes(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	one, two := s.store(t, redisstore.WithPrefix("one:")), s.store(t, redisstore.WithPrefix(""))
	create(t, one, "user", "one", 0)
	create(t, two, "user", "two", 0)
	assert.Equal(t, "one", string(load(t, one, "user").Value))
	keys, err := s.client(t).Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"one:{user}", "{user}"}, keys)
}

// TestStore_VersionsAreRandom looks at the stored bytes: versions that are counted, or
// made of the time alone, are close to each other.
func TestStore_VersionsAreRandom(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store, client := s.store(t), s.client(t)
	high := map[uint32]bool{}
	for i := range 32 {
		key := fmt.Sprint(i)
		r := create(t, store, key, "value", 0)
		stored, err := client.Get(t.Context(), "aimbrain:{"+key+"}").Result()
		require.NoError(t, err)
		assert.Equal(t, "abr1"+string(binary.BigEndian.AppendUint64(nil, r.Version))+"value", stored)
		high[uint32(r.Version>>32)] = true
	}
	assert.Len(t, high, 32)
}

func TestStore_EmptyKey(t *testing.T) {
	t.Parallel()
	store := startServer(t).store(t)
	_, err := store.Load(t.Context(), "")
	require.ErrorIs(t, err, redisstore.ErrConfiguration)
	_, err = store.Swap(t.Context(), "", 0, []byte("value"), 0)
	require.ErrorIs(t, err, redisstore.ErrConfiguration)
}

func TestStore_ClosedClient(t *testing.T) {
	t.Parallel()
	client := startServer(t).client(t)
	store := newStore(t, client)
	require.NoError(t, client.Close())
	_, err := store.Load(t.Context(), "user")
	require.ErrorIs(t, err, redisstore.ErrUnavailable)
	assert.ErrorContains(t, err, "closed")
	var e *redisstore.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "Load", e.Op)
}
