package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestObserve_TimeDoesNotGoBack(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		next time.Duration // after start
		want time.Duration
		err  bool
	}{
		{name: "later", next: time.Second, want: time.Second},
		{name: "the same", next: 0, want: 0},
		{name: "a little back", next: -time.Microsecond, want: 0},
		{name: "a minute back", next: -time.Minute, want: 0},
		{name: "further back", next: -time.Minute - time.Microsecond, err: true},
		{name: "far back", next: -24 * time.Hour, err: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s Store
			first, err := s.observe(start)
			require.NoError(t, err)
			assert.True(t, first.Equal(start))
			now, err := s.observe(start.Add(tt.next))
			if tt.err {
				require.ErrorIs(t, err, ErrClock)
				return
			}
			require.NoError(t, err)
			assert.True(t, now.Equal(start.Add(tt.want)), "%v", now)
		})
	}
}

// TestRecord_HostileReplies has replies that no script of the store makes.
func TestRecord_HostileReplies(t *testing.T) {
	t.Parallel()
	whole := "abr1" + "\x00\x00\x00\x00\x00\x00\x00\x07" + "value"
	r, err := record([]any{"1700000000", "5", whole})
	require.NoError(t, err)
	assert.EqualValues(t, 7, r.Version)
	assert.Equal(t, "value", string(r.Value))
	assert.Equal(t, time.Unix(1700000000, 5000), r.Now)
	r, err = record([]any{"1700000000", "5", nil})
	require.NoError(t, err)
	assert.Zero(t, r.Version)
	assert.Nil(t, r.Value)
	for _, parts := range [][]any{
		nil, {}, {"1"}, {"1", "2"}, {"1", "2", whole, "more"}, {1, 2, whole}, {nil, nil, nil}, {"x", "2", whole}, {"1", "", whole},
		{"1", "2", int64(1)}, {"1", "2", []any{whole}}, {"1", "2", ""}, {"1", "2", "abr1"}, {"1", "2", whole[:12]},
		{"1", "2", "abr2" + whole[4:]}, {"1", "2", "abr1" + strings.Repeat("\x00", 8) + "value"}, {"1", "99999999999999999999", whole},
	} {
		_, err := record(parts)
		assert.Error(t, err, "%q", parts)
	}
}

type replyError string

func (e replyError) Error() string { return string(e) }
func (replyError) RedisError()     {}

// TestClassify_TakesNoTextOfTheServer has each code, and texts that repeat an argument.
func TestClassify_TakesNoTextOfTheServer(t *testing.T) {
	t.Parallel()
	const secret = "secret-argument"
	errs := []error{
		replyError("ERR unknown command 'evalsha', with args beginning with: '" + secret + "'"),
		replyError(secret), fmt.Errorf("hook: %s: %w", secret, replyError("ERR "+secret)),
		errors.New(secret), redis.ErrClosed, fmt.Errorf("%s: %w", secret, context.DeadlineExceeded),
	}
	for _, code := range replyCodes() {
		errs = append(errs, replyError(code.prefix+" "+secret))
		assert.Equal(t, code.kind, classify(replyError(code.prefix+" "+secret)).Kind, code.prefix)
	}
	for _, err := range errs {
		e := classify(err)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), secret)
		assert.NotEmpty(t, e.Kind)
		assert.NotEmpty(t, e.Remedy)
	}
}
