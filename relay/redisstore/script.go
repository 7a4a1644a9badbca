package redisstore

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name that Redis gives a script
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// A processor runs commands: a client, or one connection of it.
type processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// once says that a command is sent once at most, whatever the client's settings are.
type once bool

// A command is one whose retries the store decides on.
type command struct {
	*redis.Cmd
	once once
}

// NoRetry is read by the client before a retry. A retry after a refusal that moves the
// command to another server of a cluster is none.
func (c *command) NoRetry() bool { return bool(c.once) }

func newCommand(ctx context.Context, n once, arguments ...any) *command {
	return &command{Cmd: redis.NewCmd(ctx, arguments...), once: n}
}

// A script is a Lua program, which Redis runs as one command.
type script struct{ source, hash string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) //nolint:gosec // the name that Redis gives a script
	return script{source: source, hash: hex.EncodeToString(sum[:])}
}

// run runs the script by its name, and with its source if the server does not know it
// and has therefore done nothing.
func (s script) run(ctx context.Context, to processor, n once, key string, arguments ...any) ([]any, error) {
	parts, err := s.send(ctx, to, n, "evalsha", s.hash, key, arguments)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		return s.send(ctx, to, n, "eval", s.source, key, arguments)
	}
	return parts, err
}

func (s script) send(ctx context.Context, to processor, n once, name, program, key string, arguments []any) ([]any, error) {
	cmd := newCommand(ctx, n, append([]any{name, program, 1, key}, arguments...)...)
	cmd.SetFirstKeyPos(3)
	if err := to.Process(ctx, cmd); err != nil {
		return nil, err
	}
	parts, err := cmd.Slice()
	if err != nil || len(parts) != 3 {
		return nil, errReply
	}
	return parts, nil
}
