package redisstore_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/relay/redisstore"
)

func TestNew_EvictingServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	client := s.client(t)
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"} {
		require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
		store, err := redisstore.New(t.Context(), client)
		require.ErrorIs(t, err, redisstore.ErrEvicts)
		assert.ErrorContains(t, err, policy)
		assert.ErrorContains(t, err, "noeviction")
		assert.Nil(t, store)
	}
}

// TestStore_PolicyChanges changes the policy of a server that was checked at the start.
func TestStore_PolicyChanges(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	client := s.client(t)
	often, seldom := s.store(t, redisstore.WithCheckInterval(1)), s.store(t)
	first := create(t, often, "user", "value", 0)
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())

	_, err := often.Load(t.Context(), "user")
	require.ErrorIs(t, err, redisstore.ErrEvicts)
	_, err = often.Swap(t.Context(), "user", first.Version, []byte("other"), 0)
	require.ErrorIs(t, err, redisstore.ErrEvicts)

	// A store whose time has not come takes the result of a Check.
	assert.Equal(t, first.Version, load(t, seldom, "user").Version, "nothing was written")
	_, err = seldom.Check(t.Context())
	require.ErrorIs(t, err, redisstore.ErrEvicts)
	_, err = seldom.Load(t.Context(), "user")
	require.ErrorIs(t, err, redisstore.ErrEvicts)

	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	_, err = seldom.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, first.Version, load(t, seldom, "user").Version)
	assert.Equal(t, first.Version, load(t, often, "user").Version)
}

func TestCheck_Warnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{name: "best", args: []string{"--appendonly", "yes", "--appendfsync", "always"}},
		{name: "every second", args: []string{"--appendonly", "yes"}, want: []string{"appendfsync"}},
		{name: "no file", want: []string{"appendonly"}},
		{name: "no limit", args: []string{"--maxmemory", "0"}, want: []string{"appendonly", "maxmemory"}},
		{
			name: "no CONFIG", want: []string{"appendfsync"},
			args: []string{"--appendonly", "yes", "--rename-command", "CONFIG", ""},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			warnings, err := startServer(t, tt.args...).store(t).Check(t.Context())
			require.NoError(t, err)
			var settings []string
			for _, w := range warnings {
				settings = append(settings, w.Setting)
				assert.NotEmpty(t, w.Message)
				assert.NotEmpty(t, w.Remedy)
				assert.Contains(t, w.String(), w.Setting+": "+w.Message)
			}
			assert.Equal(t, tt.want, settings)
		})
	}
}

func TestCheck_Cluster(t *testing.T) {
	t.Parallel()
	s := startCluster(t)
	store := newStore(t, clusterClient(t, s))
	warnings, err := store.Check(t.Context())
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	at := ":" + port(t, s.addr) // a cluster of one server does not know its address
	assert.Contains(t, warnings[0].String(), at)
	require.NoError(t, s.client(t).ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
	_, err = store.Check(t.Context())
	require.ErrorIs(t, err, redisstore.ErrEvicts)
	assert.ErrorContains(t, err, at)
}

// TestStore_Replicas has a master and a replica, which is then killed.
func TestStore_Replicas(t *testing.T) {
	t.Parallel()
	master := startTCPServer(t, "--repl-diskless-sync-delay", "0")
	client := master.client(t)
	_, err := redisstore.New(t.Context(), client, redisstore.WithReplicas(1, time.Second))
	require.ErrorIs(t, err, redisstore.ErrReplicas)
	assert.ErrorContains(t, err, "0 connected replicas, 1 are required")

	replica := startServer(t, "--replicaof", "127.0.0.1 "+port(t, master.addr))
	eventually(t, "the replica", func() bool { return strings.Contains(info(t, client, "slave0"), "state=online") })
	plain := newStore(t, client)
	warnings, err := plain.Check(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"appendonly", "replicas", "min-replicas-to-write"}, settings(warnings))

	store := newStore(t, client, redisstore.WithReplicas(1, 5*time.Second))
	first := create(t, store, "user", "first", time.Hour)
	atReplica, err := replica.client(t).Exists(t.Context(), "aimbrain:{user}").Result()
	require.NoError(t, err)
	assert.EqualValues(t, 1, atReplica, "the replica has the write when Swap returns")

	// WAIT is about the writes of its own connection: on another one it would confirm
	// at once what it does not know.
	for _, retries := range []int{-1, 5} {
		p := startProxy(t, master)
		through := newStore(t, master.clientAt(t, "tcp", p.addr, func(o *redis.Options) { o.MaxRetries = retries }), redisstore.WithReplicas(1, 5*time.Second))
		key := fmt.Sprint("cut ", retries)
		create(t, through, key, "first", time.Hour)
		p.waits.Store(0)
		p.commands.Store(0)
		p.cut.Store(1)
		_, err = through.Swap(t.Context(), "new "+key, 0, []byte("second"), time.Hour)
		require.ErrorIs(t, err, redisstore.ErrUnavailable)
		assert.LessOrEqual(t, p.waits.Load(), int64(1))
		assert.EqualValues(t, 1, p.commands.Load())
	}

	// A replica is refused at the start, and its reads fail if a client is moved to it.
	_, err = redisstore.New(t.Context(), replica.client(t))
	require.ErrorIs(t, err, redisstore.ErrUnsupported)
	assert.ErrorContains(t, err, "replica")

	require.NoError(t, client.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	assert.Equal(t, first.Version, load(t, store, "user").Version)
	require.NoError(t, client.ConfigSet(t.Context(), "min-replicas-to-write", "0").Err())

	short := newStore(t, client, redisstore.WithReplicas(1, 20*time.Millisecond))
	replica.kill()
	eventually(t, "the replica's end", func() bool { return info(t, client, "connected_slaves") == "0" })
	swapped, err := short.Swap(t.Context(), "user", first.Version, []byte("second"), time.Hour)
	require.ErrorIs(t, err, redisstore.ErrReplicas)
	assert.False(t, swapped)
	assert.ErrorContains(t, err, "0 of 1 replicas")
	assert.Equal(t, "second", string(load(t, plain, "user").Value), "the master has written it")

	require.NoError(t, client.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	_, err = plain.Swap(t.Context(), "user", 1, []byte("third"), 0)
	require.ErrorIs(t, err, redisstore.ErrReplicas)
	_, err = plain.Load(t.Context(), "user")
	require.ErrorIs(t, err, redisstore.ErrReplicas)
}

// TestStore_ServerBecomesReplica covers a client that stays with a demoted master.
func TestStore_ServerBecomesReplica(t *testing.T) {
	t.Parallel()
	master, other := startTCPServer(t), startServer(t)
	client := other.client(t)
	store := newStore(t, client)
	first := create(t, store, "user", "value", 0)
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", "127.0.0.1", port(t, master.addr)).Err())
	_, err := store.Load(t.Context(), "user")
	require.ErrorIs(t, err, redisstore.ErrUnavailable, "a replica may be behind")
	_, err = store.Swap(t.Context(), "user", first.Version, []byte("other"), 0)
	require.ErrorIs(t, err, redisstore.ErrUnavailable)
	_, err = store.Check(t.Context())
	require.ErrorIs(t, err, redisstore.ErrUnsupported)
}

func TestStore_ReplicasInACluster(t *testing.T) {
	t.Parallel()
	s := startCluster(t)
	client := clusterClient(t, s)
	_, err := redisstore.New(t.Context(), client, redisstore.WithReplicas(1, time.Second))
	require.ErrorIs(t, err, redisstore.ErrReplicas)
}

func settings(warnings []redisstore.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Setting)
	}
	return list
}

func TestNew_Invalid(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = client.Close() })
	endless := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ReadTimeout: -1})
	t.Cleanup(func() { _ = endless.Close() })
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	t.Cleanup(func() { _ = ring.Close() })
	for _, tt := range []struct {
		name   string
		client redis.UniversalClient
		option redisstore.Option
		want   string
	}{
		{name: "no client", want: "no client"},
		{name: "nil client", client: (*redis.Client)(nil), want: "no client"},
		{name: "nil cluster client", client: (*redis.ClusterClient)(nil), want: "no client"},
		{name: "ring", client: ring, want: "ring"},
		{name: "other client", client: struct{ redis.UniversalClient }{client}, want: "another type"},
		{name: "no timeout", client: endless, want: "ReadTimeout"},
		{name: "braces", client: client, option: redisstore.WithPrefix("a{b}"), want: "braces"},
		{name: "no replicas", client: client, option: redisstore.WithReplicas(0, time.Second), want: "WithReplicas"},
		{name: "no time", client: client, option: redisstore.WithReplicas(1, 0), want: "WithReplicas"},
		{name: "too much time", client: client, option: redisstore.WithReplicas(1, time.Hour), want: "ReadTimeout"},
		{name: "no interval", client: client, option: redisstore.WithCheckInterval(0), want: "interval"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store, err := redisstore.New(t.Context(), tt.client, tt.option)
			require.ErrorIs(t, err, redisstore.ErrConfiguration)
			assert.ErrorContains(t, err, tt.want)
			assert.Nil(t, store)
			var e *redisstore.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, "New", e.Op)
			assert.NotEmpty(t, e.Remedy)
		})
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	options, err := redisstore.ParseURL("rediss://relay:hunter2@redis.example:6380/3?read_timeout=7s&max_retries=9")
	require.NoError(t, err)
	assert.Equal(t, "redis.example:6380", options.Addr)
	assert.Equal(t, "hunter2", options.Password)
	assert.Equal(t, 3, options.DB)
	assert.NotNil(t, options.TLSConfig)
	assert.Equal(t, -1, options.MaxRetries)
	assert.Equal(t, 7*time.Second, options.ReadTimeout)
	assert.Equal(t, 3*time.Second, options.WriteTimeout)
	assert.Equal(t, time.Second, options.DialTimeout)
	assert.True(t, options.ContextTimeoutEnabled)
}

func TestParseURL_ErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"redis://relay:hunter2@host:port", "redis://relay:hunter2%@host", "redis://relay:hunter2@host/x",
		"redis://relay:hunter2@host/1/2", "http://relay:hunter2@host", "redis://relay:hunter2@host\n",
		"redis://host?password=hunter2", "redis://host/hunter2", "hunter2", "hunter2://", "unix://relay:hunter2@",
		"redis://relay:hun ter2@host", "redis://host?read_timeout=hunter2", "redis://host:hunter2",
	} {
		options, err := redisstore.ParseURL(url)
		require.ErrorIs(t, err, redisstore.ErrConfiguration, url)
		assert.Nil(t, options)
		for _, form := range []string{"%v", "%+v", "%#v"} {
			assert.NotContains(t, fmt.Sprintf(form, err), "hun")
		}
	}
}

// TestErrors_HoldNoSecrets has servers that repeat what they were sent, as Redis does
// for a command that it does not know.
func TestErrors_HoldNoSecrets(t *testing.T) {
	t.Parallel()
	const password, value, user = "hunter2-password", "sealed-value-of-a-record", "the-users-hash"
	for _, tt := range []struct {
		name string
		args []string
		want redisstore.ErrorKind
		at   string // the call that fails
	}{
		{name: "no EVALSHA", args: []string{"--rename-command", "EVALSHA", ""}, want: redisstore.ErrUnsupported, at: "Swap"},
		{name: "no EVAL", args: []string{"--rename-command", "EVAL", ""}, want: redisstore.ErrUnsupported, at: "Swap"},
		{name: "no INFO", args: []string{"--rename-command", "INFO", ""}, want: redisstore.ErrUnsupported, at: "New"},
		{name: "no HELLO, no AUTH", args: []string{"--rename-command", "HELLO", "", "--rename-command", "AUTH", ""}, want: redisstore.ErrUnsupported, at: "New"},
		{name: "other password", args: []string{"--requirepass", "other"}, want: redisstore.ErrUnauthorized, at: "New"},
		{name: "no permission", args: []string{"--user", "default", "on", ">" + password, "~*", "+@all", "-evalsha"}, want: redisstore.ErrUnauthorized, at: "Swap"},
		{name: "other keys", args: []string{"--user", "default", "on", ">" + password, "~other:*", "+@all"}, want: redisstore.ErrUnauthorized, at: "Swap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := tt.args
			if tt.at == "Swap" && args[0] != "--user" {
				args = append(args, "--requirepass", password)
			}
			client := startServer(t, args...).client(t, func(o *redis.Options) { o.Password = password })
			store, err := redisstore.New(t.Context(), client)
			if tt.at == "Swap" {
				require.NoError(t, err)
				for _, form := range []string{"%v", "%+v", "%#v"} {
					assert.NotContains(t, fmt.Sprintf(form, store), password)
				}
				_, err = store.Swap(t.Context(), user, 0, []byte(value), time.Hour)
			}
			require.ErrorIs(t, err, tt.want)
			for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
				for _, secret := range []string{password, value, user, "hunter2"} {
					assert.NotContains(t, fmt.Sprintf(form, err), secret)
				}
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				assert.NotContains(t, e.Error(), "hunter2")
			}
		})
	}
}

func TestNew_NoServer(t *testing.T) {
	t.Parallel()
	options, err := redisstore.ParseURL("redis://relay:hunter2@127.0.0.1:1")
	require.NoError(t, err)
	options.DialerRetries = 1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	_, err = redisstore.New(t.Context(), client)
	require.ErrorIs(t, err, redisstore.ErrUnavailable)
	assert.ErrorContains(t, err, "127.0.0.1:1")
	assert.NotContains(t, err.Error(), "hunter2")
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// TestStore_LeastPermissions uses the ACL of the package's documentation.
func TestStore_LeastPermissions(t *testing.T) {
	t.Parallel()
	documentation, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, rules, found := strings.Cut(string(documentation), "ACL SETUSER relay on >password ")
	require.True(t, found)
	rules, _, _ = strings.Cut(rules, "\n")
	s := startServer(t)
	require.NoError(t, s.client(t).Do(t.Context(), append([]any{"ACL", "SETUSER", "relay", "on", ">password"}, words(rules)...)...).Err())
	store := newStore(t, s.client(t, func(o *redis.Options) { o.Username, o.Password = "relay", "password" }))
	warnings, err := store.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"appendonly"}, settings(warnings))
	r := create(t, store, "user", "value", time.Hour)
	swapped, err := store.Swap(t.Context(), "user", r.Version, nil, 0)
	require.NoError(t, err)
	assert.True(t, swapped)
}

func words(text string) []any {
	var list []any
	for word := range strings.FieldsSeq(text) {
		list = append(list, word)
	}
	return list
}
