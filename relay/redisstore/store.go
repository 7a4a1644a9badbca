package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/aimbrain/aimbrain-go/relay"
)

// A Store is a [relay.Store] in Redis. It is safe for concurrent use.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	replicas int
	wait     time.Duration
	interval time.Duration
	load     script
	swap     script
	remove   script

	opened  time.Time
	check   atomic.Int64          // when the next check is due, since opened
	refused atomic.Pointer[Error] // why the server was refused by the last check
	latest  atomic.Int64          // the greatest time of a server, in microseconds
}

var _ relay.Store = (*Store)(nil)

// The limits of time.
const (
	// backward is how far the time of a server may go back. Within it Load returns the
	// greatest time that it has seen.
	backward = time.Minute
	// refusedInterval is the time between the checks of a server that was refused.
	refusedInterval = 10 * time.Second
)

// A record is a string: a mark, the version, the value.
const (
	mark       = "abr1"
	headerSize = len(mark) + 8
)

// The scripts declare their flags. Without them Redis would run a script that only
// reads on a replica, or begin one that writes while the memory is full. A script with
// flags, none of which is no-writes, runs on a master alone.
const (
	readScript = `#!lua flags=allow-oom
local time = redis.call('TIME')
return {time[1], time[2], redis.call('GET', KEYS[1])}
`
	compare = `local header = redis.call('GETRANGE', KEYS[1], 0, 11)
local version = '\0\0\0\0\0\0\0\0'
if header ~= '' then
  if string.len(header) ~= 12 or string.sub(header, 1, 4) ~= 'abr1' then
    return redis.error_reply('NORECORD the key holds no record of a relay')
  end
  version = string.sub(header, 5)
end
local time = redis.call('TIME')
if version ~= ARGV[1] then
  return {time[1], time[2], 0}
end
`
	writeScript = "#!lua\n" + compare + `if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return {time[1], time[2], 1}
`
	// A removal frees memory, so that a server that is full accepts it.
	removeScript = "#!lua flags=allow-oom\n" + compare + `redis.call('DEL', KEYS[1])
return {time[1], time[2], 1}
`
)

// New returns a store in the server or cluster of a client, which it has checked: see
// [Store.Check]. The client remains the caller's: New changes nothing in it, and the
// caller closes it.
//
// The client is a [redis.Client], also one for Sentinel, or a [redis.ClusterClient],
// each with a ReadTimeout. [ParseURL] returns suitable options. A [redis.Ring] is
// refused: it moves keys to another server when one is down. Retries of the client
// apply to Load alone; the store prevents those of Swap.
//
// The error is an [*Error].
func New(ctx context.Context, client redis.UniversalClient, options ...Option) (*Store, error) {
	c, err := configure(client, options)
	if err != nil {
		return nil, err
	}
	s := &Store{
		client: client, prefix: c.prefix, replicas: c.replicas, wait: c.wait, interval: c.interval,
		load: newScript(readScript), swap: newScript(writeScript), remove: newScript(removeScript),
		opened: time.Now(),
	}
	s.check.Store(int64(s.interval))
	if _, err := s.Check(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Load implements [relay.Store]. The time is that of the Redis server. It does not go
// back in one Store: if that of the server does, as after a fail-over, Load returns
// the greatest so far, and beyond a minute [ErrClock].
//
// The error is an [*Error].
func (s *Store) Load(ctx context.Context, key string) (relay.Record, error) {
	r, err := s.read(ctx, key)
	if err != nil {
		return relay.Record{}, s.failure(ctx, "Load", err)
	}
	return r, nil
}

func (s *Store) read(ctx context.Context, key string) (relay.Record, error) {
	if err := s.ready(ctx, key); err != nil {
		return relay.Record{}, err
	}
	r, err := await(ctx, func() (relay.Record, error) {
		parts, err := s.load.run(ctx, s.client, once(false), s.key(key))
		if err != nil {
			return relay.Record{}, err
		}
		return record(parts)
	})
	if err != nil {
		return relay.Record{}, err
	}
	r.Now, err = s.observe(r.Now)
	return r, err
}

// Swap implements [relay.Store]. It is sent once: a retry after a lost reply would
// find its own write, and report that another was faster. After an error the record
// may have been written, unless errors.Is finds [ErrFull] or [ErrConfiguration].
//
// A ttl below a millisecond is taken as one. The error is an [*Error].
func (s *Store) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	swapped, err := s.write(ctx, key, version, value, ttl)
	if err != nil {
		return false, s.failure(ctx, "Swap", err)
	}
	return swapped, nil
}

func (s *Store) write(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (bool, error) {
	if ttl < 0 {
		return false, fail(ErrConfiguration, "a negative ttl", "pass 0 for a record without an end")
	}
	if err := s.ready(ctx, key); err != nil {
		return false, err
	}
	program, arguments := s.swap, []any{binary.BigEndian.AppendUint64(nil, version)}
	if len(value) == 0 {
		program = s.remove
	} else {
		// The slice is the caller's, and a connection may read it after a context has
		// ended: this is a copy.
		arguments = append(arguments, seal(value), strconv.FormatInt(milliseconds(ttl), 10))
	}
	swapped, err := await(ctx, func() (bool, error) {
		if s.replicas > 0 {
			return s.writeToReplicas(ctx, program, s.key(key), arguments)
		}
		return s.writeOnce(ctx, s.client, program, s.key(key), arguments)
	})
	return swapped, err
}

func (s *Store) writeOnce(ctx context.Context, to processor, program script, key string, arguments []any) (bool, error) {
	parts, err := program.run(ctx, to, once(true), key, arguments...)
	if err != nil {
		return false, err
	}
	now, err := timeOf(parts)
	if err != nil {
		return false, err
	}
	if _, err := s.observe(now); err != nil {
		return false, err
	}
	n, ok := parts[2].(int64)
	if !ok || n < 0 || n > 1 {
		return false, errReply
	}
	return n == 1, nil
}

// writeToReplicas writes and waits for the replicas on the same connection: WAIT is
// about the writes of its own connection.
func (s *Store) writeToReplicas(ctx context.Context, program script, key string, arguments []any) (bool, error) {
	client, err := s.master(ctx, key)
	if err != nil {
		return false, err
	}
	conn := client.Conn()
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	swapped, err := s.writeOnce(ctx, conn, program, key, arguments)
	if err != nil || !swapped {
		if cluster, ok := s.client.(*redis.ClusterClient); ok && redis.HasErrorPrefix(err, "MOVED") {
			cluster.ReloadState(ctx)
		}
		return false, err
	}
	wait := newCommand(ctx, once(true), "wait", s.replicas, s.wait.Milliseconds())
	if err := conn.Process(ctx, wait); err != nil {
		return false, err
	}
	confirmed, err := wait.Int()
	if err != nil {
		return false, errReply
	}
	if confirmed < s.replicas {
		return false, fail(ErrReplicas, fmt.Sprintf("%d of %d replicas confirmed the write within %v", confirmed, s.replicas, s.wait),
			"see whether the replicas are connected and keep up (INFO replication)")
	}
	return true, nil
}

// master returns the client of the server that has a key.
func (s *Store) master(ctx context.Context, key string) (*redis.Client, error) {
	switch c := s.client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, key)
	}
	return nil, fail(ErrConfiguration, "replicas with a client of another type", "pass a *redis.Client or a *redis.ClusterClient")
}

// key returns the key in Redis. The braces make a hash tag of the user, so that all
// keys of a user are on one server of a cluster.
func (s *Store) key(user string) string { return s.prefix + "{" + user + "}" }

// ready returns an error if the arguments are invalid or the server was refused. It
// checks the server when it is time.
func (s *Store) ready(ctx context.Context, key string) error {
	if key == "" {
		return fail(ErrConfiguration, "an empty key", "pass the user's keyed hash")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Since(s.opened)
	due := s.check.Load()
	if int64(now) >= due && s.check.CompareAndSwap(due, int64(now+s.interval)) {
		if _, err := s.Check(ctx); err != nil && s.refused.Load() != nil {
			s.check.Store(int64(now + min(s.interval, refusedInterval)))
		}
	}
	if refused := s.refused.Load(); refused != nil {
		return refused
	}
	return nil
}

// observe returns the greatest time that was seen.
func (s *Store) observe(now time.Time) (time.Time, error) {
	for {
		latest := s.latest.Load()
		if now.UnixMicro() >= latest {
			if s.latest.CompareAndSwap(latest, now.UnixMicro()) {
				return now, nil
			}
			continue
		}
		greatest := time.UnixMicro(latest)
		if back := greatest.Sub(now); back > backward {
			return time.Time{}, fail(ErrClock, fmt.Sprintf("it is %v behind an earlier time", back.Round(time.Second)),
				"synchronise the clocks of the Redis servers; if the earlier time was wrong, restart this process")
		}
		return greatest, nil
	}
}

// seal returns the stored form of a value, with a new version. A version is random:
// a counter would begin again after a record has gone.
func seal(value []byte) []byte {
	stored := make([]byte, headerSize+len(value))
	copy(stored, mark)
	copy(stored[headerSize:], value)
	for version := stored[len(mark):headerSize]; ; {
		_, _ = rand.Read(version) // it never fails
		if binary.BigEndian.Uint64(version) != 0 {
			return stored
		}
	}
}

// milliseconds rounds up: 0 would be for ever.
func milliseconds(ttl time.Duration) int64 {
	ms := ttl.Milliseconds()
	if ttl%time.Millisecond != 0 {
		ms++
	}
	return ms
}

// record reads the reply of the script that loads.
func record(parts []any) (relay.Record, error) {
	now, err := timeOf(parts)
	if err != nil {
		return relay.Record{}, err
	}
	r := relay.Record{Now: now}
	if parts[2] == nil {
		return r, nil
	}
	stored, ok := parts[2].(string)
	if !ok {
		return r, errReply
	}
	if len(stored) <= headerSize || !strings.HasPrefix(stored, mark) {
		return r, errNoRecord
	}
	r.Version = binary.BigEndian.Uint64([]byte(stored[len(mark):headerSize]))
	if r.Version == 0 {
		return r, errNoRecord
	}
	r.Value = []byte(stored[headerSize:])
	return r, nil
}

// timeOf reads the time, with which every reply begins.
func timeOf(parts []any) (time.Time, error) {
	if len(parts) != 3 {
		return time.Time{}, errReply
	}
	var numbers [2]int64
	for i := range numbers {
		text, ok := parts[i].(string)
		if !ok {
			return time.Time{}, errReply
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}, errReply
		}
		numbers[i] = n
	}
	return time.Unix(numbers[0], numbers[1]*1000), nil
}

// await calls f, and returns early when the context ends: a connection of the client
// has deadlines, but is not interrupted. What f does ends with them.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
