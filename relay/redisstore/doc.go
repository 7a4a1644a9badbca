// Package redisstore keeps the records of package relay in Redis or Valkey, for relays
// with several replicas. It is a module of its own,
// github.com/aimbrain/aimbrain-go/relay/redisstore, and uses
// github.com/redis/go-redis/v9.
//
//	options, err := redisstore.ParseURL(os.Getenv("REDIS_URL"))
//	client := redis.NewClient(options)
//	store, err := redisstore.New(ctx, client)
//	handler, err := relay.New(api, relay.WithStore(store), …)
//
// The server is Redis 7.0 or later, or Valkey 7.2 or later. Each Load and each Swap is
// one Lua script, so that nothing comes between the comparison of a version and the
// write. A user has one key, aimbrain:{hash}; the braces keep it on one server of a
// cluster. The server's clock is the time of all replicas.
//
// # Which set-ups keep "once"
//
// A grant is redeemed once, and an upload executed once, as long as the server keeps
// each write that it has confirmed. New refuses a server that evicts records, and
// [Store.Check] warns of the other settings.
//
//	set-up                                        a confirmed write is lost by
//	one server, appendonly yes, appendfsync always  the loss of its disk
//	one server, appendonly yes, everysec            a power failure or crash of the system: 1 s or more; not by the end of the process
//	one server without appendonly                   every restart
//	replicas or Sentinel, without WithReplicas      a fail-over: what was not replicated yet
//	replicas or Sentinel, with WithReplicas(n)      a fail-over to a replica that did not confirm: none if n is all replicas
//	cluster                                         as replicas, for each shard
//	any maxmemory-policy but noeviction             full memory, at any time: refused
//	a replica that is read                          refused: it may be behind
//	active-active (several masters)                 concurrent writes: not supported
//	FLUSHALL, DEL, a restored backup                themselves: do not restore a backup while grants are valid
//
// In each of them a master that is cut off from its replicas may confirm writes that a
// fail-over discards. Set min-replicas-to-write to limit the time. WAIT, which
// [WithReplicas] uses, is no consensus: see its comment. After a loss the relay's epoch
// refuses the grants that it issued before, if the whole record is gone; it cannot see
// that a record went back to an earlier version. One server with appendfsync always is
// the set-up that keeps "once" without exception but the loss of its disk; while it
// is down, the relay responds with 503.
//
// Records expire by the server's clock. Let NTP slew the clocks of all Redis servers:
// a clock that is stepped forward removes records early.
//
// # Errors
//
// All errors are an [*Error], whose text says what to do and holds neither a value nor
// a password. A Swap whose reply is lost is an error, and the relay takes the record as
// written. The store sends a Swap once, whatever the retries of the client are.
//
// A hook of the client sees each command with its arguments. Do not log them: a hook
// of OpenTelemetry records them by default (redisotel.WithDBStatement).
//
// # Permissions
//
// An ACL for the store alone is:
//
//	ACL SETUSER relay on >password ~aimbrain:* +evalsha +eval +get +getrange +set +del +time +info +wait +config|get +hello
//
// Without +config|get, Check reports the setting appendfsync as unknown. A client of a
// cluster also needs +cluster|slots, +command and +readonly. Use TLS (rediss://), or a
// network of its own: a record is sealed, but who can write the store can remove the
// lock-out of a user.
package redisstore
