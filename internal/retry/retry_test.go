package retry_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/retry"
)

func TestBackoff_Wait(t *testing.T) {
	t.Parallel()
	policy := retry.Backoff{BaseDelay: 100 * time.Millisecond, MaxDelay: 3 * time.Second, MaxWait: 5 * time.Second}
	tests := []struct {
		name     string
		policy   retry.Backoff
		attempt  int
		asked    retry.After
		room     time.Duration
		min, max time.Duration
		allowed  bool
	}{
		{name: "the first back-off", policy: policy, attempt: 1, room: time.Second, min: 1, max: 100 * time.Millisecond, allowed: true},
		{name: "the third back-off", policy: policy, attempt: 3, room: time.Second, min: 1, max: 400 * time.Millisecond, allowed: true},
		{name: "the back-off is bounded", policy: policy, attempt: 60, room: time.Minute, min: 1, max: 3 * time.Second, allowed: true},
		{name: "no time is left", policy: policy, attempt: 1, room: -1},
		{name: "the back-off is a half of its bound", policy: retry.Backoff{BaseDelay: time.Second, MaxDelay: 2 * time.Second}, attempt: 2, room: time.Minute, min: 1, max: 2 * time.Second, allowed: true},
		{name: "the largest bounds", policy: retry.Backoff{BaseDelay: 1<<62 + 1, MaxDelay: 1<<63 - 1}, attempt: 9, room: 1<<63 - 1, min: 1, max: 1<<63 - 1, allowed: true},
		{name: "the bound is below the base", policy: retry.Backoff{BaseDelay: time.Minute, MaxDelay: time.Second}, attempt: 1, room: time.Minute, min: 1, max: time.Second, allowed: true},
		{name: "the back-off takes all the time", policy: retry.Backoff{BaseDelay: 1, MaxDelay: 1}, attempt: 1, room: 1, min: 1, max: 1, allowed: true},
		{name: "no back-off", policy: retry.Backoff{}, attempt: 1, allowed: true},
		{name: "no back-off and no time", policy: retry.Backoff{}, attempt: 1, room: -1},
		{name: "asked", policy: policy, attempt: 1, asked: retry.After{Wait: time.Second, Given: true}, room: 5 * time.Second, min: time.Second, max: 1600 * time.Millisecond, allowed: true},
		{name: "asked for 0", policy: policy, attempt: 1, asked: retry.After{Given: true}, room: 5 * time.Second, max: 600 * time.Millisecond, allowed: true},
		{name: "asked for all the time", policy: policy, attempt: 1, asked: retry.After{Wait: 4500 * time.Millisecond, Given: true}, room: 5 * time.Second, min: 4500 * time.Millisecond, max: 5 * time.Second, allowed: true},
		{name: "too short to spread callers in", policy: policy, attempt: 1, asked: retry.After{Wait: 4501 * time.Millisecond, Given: true}, room: 5 * time.Second},
		{name: "asked for ever", policy: policy, attempt: 1, asked: retry.After{Wait: 1<<63 - 1, Given: true}, room: 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var longest time.Duration
			for range 300 {
				wait, allowed := tt.policy.Wait(tt.attempt, tt.asked, tt.room)
				assert.Equal(t, tt.allowed, allowed)
				assert.GreaterOrEqual(t, wait, tt.min)
				assert.LessOrEqual(t, wait, tt.max)
				longest = max(longest, wait)
			}
			assert.GreaterOrEqual(t, longest, tt.max-(tt.max-tt.min)/8, "callers are not spread over the whole time")
		})
	}
	assert.True(t, policy.HoldsBack(retry.After{Wait: 4500 * time.Millisecond, Given: true}))
	assert.False(t, policy.HoldsBack(retry.After{Wait: 4501 * time.Millisecond, Given: true}))
	assert.False(t, policy.HoldsBack(retry.After{}))
}

func TestReadAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name   string
		values []string
		date   string
		want   retry.After
	}{
		{name: "none"},
		{name: "seconds", values: []string{"7"}, want: retry.After{Wait: 7 * time.Second, Given: true}},
		{name: "0 seconds", values: []string{"0"}, want: retry.After{Given: true}},
		{name: "the longer of two forms", values: []string{at(time.Minute), "7"}, want: retry.After{Wait: time.Minute, Given: true}},
		{name: "one of two is invalid", values: []string{"7", "soon"}, want: retry.After{Wait: 7 * time.Second, Given: true}},
		{name: "empty", values: []string{""}},
		{name: "the most that can be counted", values: []string{"9223372036"}, want: retry.After{Wait: 9_223_372_036 * time.Second, Given: true}},
		{name: "a second more than can be counted", values: []string{"9223372037"}, want: retry.After{Wait: 9_223_372_036 * time.Second, Given: true}},
		{name: "a date", values: []string{at(time.Minute)}, want: retry.After{Wait: time.Minute, Given: true}},
		{name: "a date by the server's clock", values: []string{at(time.Hour)}, date: at(59 * time.Minute), want: retry.After{Wait: time.Minute, Given: true}},
		{name: "a date that has passed", values: []string{at(-time.Minute)}, want: retry.After{Given: true}},
		{name: "the longer of two", values: []string{"1", "9", "3"}, want: retry.After{Wait: 9 * time.Second, Given: true}},
		{name: "negative", values: []string{"-1"}},
		{name: "a fraction", values: []string{"1.5"}},
		{name: "no number", values: []string{"soon"}},
		{name: "more than can be counted", values: []string{"99999999999999999999"}, want: retry.After{Wait: 9_223_372_036 * time.Second, Given: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Retry-After": tt.values}
			if tt.date != "" {
				header.Set("Date", tt.date)
			}
			assert.Equal(t, tt.want, retry.ReadAfter(header, now))
		})
	}
}

func TestBudget_RunsOutAndRefills(t *testing.T) {
	t.Parallel()
	var budget retry.Budget
	for range 100 {
		assert.True(t, budget.Take())
	}
	assert.False(t, budget.Take())
	budget.Refill()
	assert.False(t, budget.Take(), "half a token")
	budget.Refill()
	assert.True(t, budget.Take())
	for range 1000 {
		budget.Refill()
	}
	for range 100 {
		assert.True(t, budget.Take())
	}
	assert.False(t, budget.Take(), "it never holds more than 100")
}

func TestHoldBack_EndsWithTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hold retry.HoldBack
		assert.LessOrEqual(t, hold.Left(), time.Duration(0))
		hold.Extend(2 * time.Second)
		hold.Extend(time.Second)
		assert.Equal(t, 2*time.Second, hold.Left(), "a shorter wait does not shorten it")
		<-time.After(2 * time.Second)
		assert.LessOrEqual(t, hold.Left(), time.Duration(0))
	})
}
