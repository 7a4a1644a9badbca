package relay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// noon is a time of the store's clock.
func noon() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// h returns a hash of one byte.
func h(n byte) hash { return hash{n} }

// newRecord returns the record of a user with a session.
func newRecord() record {
	r, _ := readRecord(nil)
	r = r.open(noon(), noon().Add(time.Hour))
	r.Birth = h(1)
	return r
}

func faceAttempt(key byte) attempt {
	return attempt{key: h(key), module: aimbrain.ModuleFace, auth: true, birth: h(1), session: h(2), of: h(3), captures: []hash{h(100 + key)}, samples: 1, rule: Rule{Threshold: 0.5, Liveliness: NotRequired, Token: NotRequired}}
}

func grantText(hash, modules, time.Time) (string, error) { return "grant", nil }

// fails returns a record after an attempt that was rejected.
func fails(t *testing.T, r record, now time.Time, key byte) record {
	t.Helper()
	a := faceAttempt(key)
	r, s := r.begin(now, a)
	require.Equal(t, proceed, s.verdict)
	r, _ = r.settle(now, a, finding{outcome: judged})
	return r
}

func TestDecide_UnknownOutcomeCountsForTheDelayAndNotForTheBlock(t *testing.T) {
	t.Parallel()
	r, now := newRecord(), noon()
	for i := range byte(30) {
		a := faceAttempt(i)
		var s start
		r, s = r.begin(now, a)
		if s.verdict == locked {
			require.GreaterOrEqual(t, i, byte(5))
			now = now.Add(s.wait)
			r, s = r.begin(now, a)
		}
		require.Equal(t, proceed, s.verdict, "attempt %d", i)
		r, _ = r.settle(now, a, finding{outcome: unclear})
		require.False(t, r.Blocked)
		now = now.Add(time.Minute)
	}
	assert.Zero(t, r.Failures)
	_, s := r.begin(now, faceAttempt(31))
	assert.Equal(t, locked, s.verdict)
	assert.LessOrEqual(t, s.wait, maxDelay)
	assert.Zero(t, r.tidy(now.Add(25*time.Hour)).Unknown, "they do not count for ever")
}

func TestDecide_AttemptOfAReplicaThatHasEndedIsUnknown(t *testing.T) {
	t.Parallel()
	a := faceAttempt(1)
	r, s := newRecord().begin(noon(), a)
	require.Equal(t, proceed, s.verdict)
	_, s = r.begin(noon().Add(time.Minute), a)
	assert.Equal(t, running, s.verdict)
	later := noon().Add(upstreamTime + skew)
	_, s = r.begin(later, a)
	assert.Equal(t, lost, s.verdict)
	assert.Equal(t, 1, r.tidy(later).Unknown)
	r, settled := r.tidy(later).settle(later, a, finding{outcome: judged, passed: true, grant: grantText})
	assert.Equal(t, accepted, settled.result, "it had not ended")
	assert.Zero(t, r.Unknown)
}

func TestDecide_WarnsBeforeItBlocks(t *testing.T) {
	t.Parallel()
	r := newRecord()
	r.Failures, r.Counted = 8, ms(noon())
	now := noon().Add(time.Hour)
	a := faceAttempt(1)
	r, _ = r.begin(now, a)
	r, s := r.settle(now, a, finding{outcome: judged})
	assert.True(t, s.warn)
	assert.False(t, r.Blocked)
	now = now.Add(time.Hour)
	a = faceAttempt(2)
	r, _ = r.begin(now, a)
	birth := r.Birth
	r, s = r.settle(now, a, finding{outcome: judged})
	assert.False(t, s.warn, "once")
	assert.True(t, r.Blocked)
	assert.NotEqual(t, birth, r.Birth, "sessions and grants end")
}

func TestDecide_NoCountLeadsPastTheWarning(t *testing.T) {
	t.Parallel()
	r := newRecord()
	r.Failures = 8
	r.Steps = []step{{Of: h(8), Module: aimbrain.ModuleFace, At: ms(noon())}, {Of: h(9), Module: aimbrain.ModuleFace, At: ms(noon())}}
	r = r.tidy(noon().Add(stepTime))
	assert.False(t, r.Blocked, "two step-ups that were not completed")
	assert.Equal(t, 9, r.Failures)
}

func TestDecide_BlockedMeanwhileIsNotAccepted(t *testing.T) {
	t.Parallel()
	a := faceAttempt(1)
	r, _ := newRecord().begin(noon(), a)
	r = r.block()
	_, s := r.settle(noon(), a, finding{outcome: judged, passed: true, grant: grantText})
	assert.Equal(t, rejected, s.result)
	assert.Empty(t, s.grant)
}

func TestDecide_SettlingTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	a := faceAttempt(1)
	r, _ := newRecord().begin(noon(), a)
	r, first := r.settle(noon(), a, finding{outcome: judged})
	again, second := r.settle(noon(), a, finding{outcome: judged})
	assert.Equal(t, first.result, second.result)
	assert.Equal(t, 1, again.Failures)
}

func TestDecide_LostRecordGrantsNothing(t *testing.T) {
	t.Parallel()
	a := faceAttempt(1)
	_, s := newRecord().settle(noon(), a, finding{outcome: judged, passed: true, grant: grantText})
	assert.True(t, s.lost)
	assert.Empty(t, s.grant)
}

func TestDecide_FullListsRefuseAndEvictNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fill func(*record)
	}{
		{name: "uploads", fill: func(r *record) {
			for i := range maxUploads {
				r.Uploads = append(r.Uploads, upload{Key: hash{9, byte(i)}, State: finished, Auth: true, At: ms(noon())})
			}
		}},
		{name: "captures", fill: func(r *record) {
			for i := range maxCaptures {
				r.Captures = append(r.Captures, usedCapture{Of: hash{9, byte(i)}, At: ms(noon())})
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRecord()
			tt.fill(&r)
			after, s := r.begin(noon(), faceAttempt(1))
			assert.Equal(t, listFull, s.verdict)
			assert.Len(t, after.Uploads, len(r.Uploads))
			assert.Len(t, after.Captures, len(r.Captures))
			_, s = r.begin(noon().Add(captureTime), faceAttempt(1))
			assert.Equal(t, proceed, s.verdict, "what has expired makes room")
		})
	}
	t.Run("redeemed grants", func(t *testing.T) {
		t.Parallel()
		r := newRecord()
		for i := range maxOtherInList {
			r.Redeemed = append(r.Redeemed, redeemedMark{ID: hash{9, byte(i)}, At: ms(noon())})
		}
		_, err := r.redeem(noon(), sealedGrant{made: noon(), birth: h(1), id: h(7)}, time.Minute)
		assert.ErrorIs(t, err, ErrStore)
	})
}

func TestDecide_MarkerOutlivesTheLongestGrant(t *testing.T) {
	t.Parallel()
	g := sealedGrant{made: noon(), birth: h(1), id: h(7)}
	r, err := newRecord().redeem(noon(), g, maxGrantTime)
	require.NoError(t, err)
	for age := time.Duration(0); age < maxGrantTime+2*time.Minute; age += time.Second {
		_, err := r.redeem(noon().Add(age), g, maxGrantTime)
		require.Error(t, err, "%v", age)
	}
	_, err = newRecord().redeem(noon().Add(-skew-time.Second), g, maxGrantTime)
	assert.ErrorIs(t, err, ErrGrantExpired, "from the future")
}

func TestDecide_CaptureThatPassedIsAFailureElsewhere(t *testing.T) {
	t.Parallel()
	a := faceAttempt(1)
	r, _ := newRecord().begin(noon(), a)
	r, _ = r.settle(noon(), a, finding{outcome: judged, passed: true, grant: grantText})
	other := faceAttempt(2)
	other.captures = a.captures
	r, s := r.begin(noon(), other)
	assert.Equal(t, captureUsed, s.verdict)
	assert.Equal(t, 1, r.Failures)
	_, s = r.begin(noon(), other)
	assert.Equal(t, replayed, s.verdict, "the retry is not counted again")
	assert.Equal(t, rejected, s.upload.Result)
}

func TestDecide_EnrolmentIsLimitedToFiveSamples(t *testing.T) {
	t.Parallel()
	a := attempt{key: h(1), module: aimbrain.ModuleFace, birth: h(1), samples: 3}
	r, s := newRecord().begin(noon(), a)
	require.Equal(t, needsPermission, s.verdict)
	a.permit = First
	r, s = r.begin(noon(), a)
	require.Equal(t, proceed, s.verdict)
	r, settled := r.settle(noon(), a, finding{outcome: processed, samples: 3})
	assert.Equal(t, First, settled.notify)
	b := a
	b.key, b.permit = h(2), 0
	_, s = r.begin(noon(), b)
	assert.Equal(t, enrolmentFull, s.verdict, "6 samples")
	b.samples = 2
	r, s = r.begin(noon(), b)
	assert.Equal(t, proceed, s.verdict)
	r, _ = r.settle(noon(), b, finding{outcome: refused})
	_, s = r.begin(noon(), b)
	assert.Equal(t, proceed, s.verdict, "a sample that was refused is given back")
	c := b
	c.key, c.module = h(3), aimbrain.ModuleVoice
	_, s = r.begin(noon(), c)
	assert.Equal(t, needsPermission, s.verdict, "a permission is for one module")
}

func TestRecord_IsKeptAsLongAsItCounts(t *testing.T) {
	t.Parallel()
	ttl := func(change func(*record)) time.Duration {
		r := newRecord()
		r.Until = 0
		change(&r)
		_, d, err := r.write(noon())
		require.NoError(t, err)
		return d
	}
	at := ms(noon())
	for _, tt := range []struct {
		name   string
		change func(*record)
		want   time.Duration // at least; 0 for ever
	}{
		{name: "failures", change: func(r *record) { r.Failures = 1 }},
		{name: "blocked", change: func(r *record) { r.Blocked = true }},
		{name: "an open step-up", change: func(r *record) { r.Steps = []step{{At: at}} }},
		{name: "unknown", change: func(r *record) { r.Unknown, r.Counted = 1, at }, want: unknownTime},
		{name: "a session", change: func(r *record) { r.Until = at + 3600_000 }, want: time.Hour},
		{name: "a grant", change: func(r *record) { r.Redeemed = []redeemedMark{{At: at}} }, want: redeemedKept},
		{name: "a capture", change: func(r *record) { r.Captures = []usedCapture{{At: at}} }, want: captureTime},
		{name: "an enrolment", change: func(r *record) { r.Uploads = []upload{{At: at}} }, want: enrolmentKept},
	} {
		got := ttl(tt.change)
		if tt.want == 0 {
			assert.Zero(t, got, tt.name)
		} else {
			assert.GreaterOrEqual(t, got, tt.want, tt.name)
		}
	}
}

// TestRecord_DecisionsDoNotShareMemory holds that a decision that is not written leaves
// the record as it was: another replica may have been faster.
func TestRecord_DecisionsDoNotShareMemory(t *testing.T) {
	t.Parallel()
	r := newRecord()
	for i := range byte(4) {
		r = fails(t, r, noon(), i)
	}
	r.Steps = []step{{Of: h(3), Module: aimbrain.ModuleVoice, At: ms(noon())}}
	r.Tokens = []passedToken{{Session: h(2), Module: aimbrain.ModuleFace, At: ms(noon())}}
	r.Enrols = []openEnrol{{Module: aimbrain.ModuleFace, At: ms(noon())}}
	before, _, err := r.write(noon())
	require.NoError(t, err)
	a := faceAttempt(20)
	begun, s := r.begin(noon(), a)
	require.Equal(t, proceed, s.verdict)
	middle, _, err := begun.write(noon())
	require.NoError(t, err)
	for _, f := range []finding{{outcome: judged}, {outcome: judged, passed: true, grant: grantText}, {outcome: unclear}, {outcome: again}, {outcome: notSent, token: ms(noon())}} {
		begun.settle(noon(), a, f)
	}
	begun.tidy(noon().Add(time.Hour))
	after, _, err := begun.write(noon())
	require.NoError(t, err)
	assert.Equal(t, string(middle), string(after))
	after, _, err = r.write(noon())
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

func TestAction_EncodingIsInjective(t *testing.T) {
	t.Parallel()
	actions := []Action{
		{Kind: "ab", Reference: "c"}, {Kind: "a", Reference: "bc"}, {Kind: "abc"},
		{Kind: "a", Currency: "EUR"}, {Kind: "a", Payee: "EUR"}, {Kind: "a", Payees: []string{"EUR"}},
		{Kind: "a", Amount: 1}, {Kind: "a", Total: 1}, {Kind: "a", Amount: 256}, {Kind: "a", Amount: -1},
		{Kind: "a", Payees: []string{"x", "y"}}, {Kind: "a", Payees: []string{"y", "x"}}, {Kind: "a", Payees: []string{"xy"}}, {Kind: "a", Payees: []string{"x", "", "y"}},
	}
	seen := map[string]int{}
	for i, a := range actions {
		other, twice := seen[string(a.encode())]
		assert.False(t, twice, "%+v and %+v", a, actions[other%len(actions)])
		seen[string(a.encode())] = i
	}
}

func TestAction_CheckRefusesWhatIsAmbiguous(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		action Action
		valid  bool
	}{
		{name: "log-in", action: LogIn(), valid: true},
		{name: "payment", action: Action{Kind: "p", Amount: 1, Currency: "EUR", Payee: "x"}, valid: true},
		{name: "batch", action: Action{Kind: "b", Total: 1, Currency: "EUR", Payees: []string{"x"}}, valid: true},
		{name: "no kind", action: Action{}},
		{name: "both forms", action: Action{Kind: "b", Amount: 1, Total: 1, Currency: "EUR", Payee: "x", Payees: []string{"x"}}},
		{name: "amount without payee", action: Action{Kind: "p", Amount: 1, Currency: "EUR"}},
		{name: "total without payees", action: Action{Kind: "p", Total: 1, Currency: "EUR"}},
		{name: "no currency", action: Action{Kind: "p", Amount: 1, Payee: "x"}},
		{name: "currency in lower case", action: Action{Kind: "p", Amount: 1, Payee: "x", Currency: "eur"}},
		{name: "negative", action: Action{Kind: "p", Amount: -1, Currency: "EUR", Payee: "x"}},
		{name: "empty payee", action: Action{Kind: "p", Total: 1, Currency: "EUR", Payees: []string{""}}},
		{name: "no UTF-8", action: Action{Kind: "p\xff"}},
	} {
		assert.Equal(t, tt.valid, tt.action.check() == nil, tt.name)
	}
}
