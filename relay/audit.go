package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// An AuditLog is where a handler records what it does. [*audit.Log] is one.
type AuditLog interface {
	// Append returns when the record is durable.
	Append(ctx context.Context, r audit.Record) error
	// Add queues a record, which becomes durable later.
	Add(r audit.Record) error
	// Fingerprint returns a keyed hash of a request's fingerprint.
	Fingerprint(request [32]byte) audit.Fingerprint
}

// WithAudit sets the audit log. A grant leaves the handler only when its record is
// durable, and the intent to enrol is durable before the API is called. If a record
// cannot be written, the response is 503. The bank closes the log after
// [Handler.Shutdown].
func WithAudit(log AuditLog) Option {
	return set("WithAudit", log == nil, log, func(c *config) *AuditLog { return &c.audit })
}

// WithAuditPseudonym sets the function that returns what stands for a user in the audit
// log, such as a random number in a table from which the bank can erase it. The default
// is a keyed hash of [User].ID.
func WithAuditPseudonym(pseudonym func(context.Context, User) (audit.Pseudonym, error)) Option {
	return set("WithAuditPseudonym", pseudonym == nil, pseudonym, func(c *config) *func(context.Context, User) (audit.Pseudonym, error) { return &c.pseudonym })
}

// WithoutAudit says on purpose that nothing is recorded.
func WithoutAudit() Option {
	return func(c *config) error {
		c.noAudit = true
		return nil
	}
}

// auditTime bounds the wait for a record.
const auditTime = 10 * time.Second

// record records a request of a user, and returns its response: an error if that could
// not be recorded. A grant waits until its record is durable.
func (h *Handler) record(ctx context.Context, c caller, q request, result response, done account) (response, account) {
	if h.config.audit == nil {
		return result, done
	}
	r := h.about(q, result, done)
	r.RequestID, r.Endpoint = c.id, c.route.endpoint
	if c.route.kind == toAuth && c.action.Kind != "" {
		r.Action = c.action.audited()
	}
	if err := h.write(ctx, c.user, r, result.Grant != ""); err != nil {
		failed := refuse(codeUnavailable)
		failed.MaybeProcessed = result.Result == enrolled || result.MaybeProcessed
		return failed, done
	}
	return result, done
}

// about returns what the record of a request says, but for whose it is.
func (h *Handler) about(q request, result response, done account) audit.Record {
	r := audit.Record{Kind: audit.KindRequest, Size: int64(done.size), Decision: string(result.Result), Reason: done.reason}
	if r.Decision == "" && result.Code != "" {
		r.Decision = "refused"
	}
	if r.Decision == "" {
		r.Decision = "passed"
	}
	if r.Reason == "" {
		r.Reason = string(result.Code)
	}
	if q.fingerprint != [32]byte{} {
		r.Fingerprint = h.config.audit.Fingerprint(q.fingerprint)
	}
	if !done.sent {
		return r
	}
	r.Outcome, r.Status = aimbrain.OutcomeOf(done.exchange.err).String(), done.exchange.response.StatusCode
	var api *aimbrain.APIError
	if errors.As(done.exchange.err, &api) {
		r.Status = api.StatusCode
		for _, detail := range api.Details[:min(16, len(api.Details))] {
			r.Codes = append(r.Codes, int(detail.Code))
		}
	}
	if done.score == nil {
		return r
	}
	name := q.route.module.String()
	r.Scores = []audit.Measure{{Name: name, Value: done.score.score}}
	if q.route.kind == toBehaviour {
		r.Thresholds = []audit.Measure{{Name: name, Value: h.config.policy.Behaviour}}
		return r
	}
	rule := h.config.policy.rule(q.route.module)
	r.Scores = append(r.Scores, audit.Measure{Name: "liveliness", Value: done.score.liveliness})
	r.Thresholds = []audit.Measure{{Name: name, Value: rule.Threshold}, {Name: "liveliness", Value: rule.LivelinessThreshold}}
	return r
}

// recordIntent records that an enrolment is about to be sent.
func (h *Handler) recordIntent(ctx context.Context, q request) error {
	if h.config.audit == nil {
		return nil
	}
	return h.write(ctx, q.user, audit.Record{
		Kind: audit.KindIntent, RequestID: q.id, Endpoint: q.route.endpoint, Size: int64(q.size),
		Fingerprint: h.config.audit.Fingerprint(q.fingerprint),
	}, true)
}

// write writes a record about a user. It waits until the record is durable if that is
// required.
func (h *Handler) write(ctx context.Context, user User, r audit.Record, durable bool) error {
	if h.config.audit == nil {
		return nil
	}
	if user.ID != "" {
		var err error
		if r.User, err = h.pseudonym(ctx, user); err != nil {
			h.auditFailed(ctx, err)
			return ErrAudit
		}
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	var err error
	if durable {
		limited, cancel := context.WithTimeout(ctx, auditTime)
		defer cancel()
		err = h.config.audit.Append(limited, r)
	} else {
		err = h.config.audit.Add(r)
	}
	if err != nil {
		h.auditFailed(ctx, err)
		return ErrAudit
	}
	return nil
}

// pseudonym returns what stands for a user in the audit log.
func (h *Handler) pseudonym(ctx context.Context, user User) (audit.Pseudonym, error) {
	if h.config.pseudonym != nil {
		return h.config.pseudonym(ctx, user)
	}
	text, err := h.ring().hash("audit", []byte(user.ID)).MarshalText()
	return audit.Pseudonym(text), err
}

// recordPolicy records the thresholds that apply from now on.
func (h *Handler) recordPolicy() error {
	if h.config.audit == nil {
		return nil
	}
	r := audit.Record{Kind: audit.KindPolicy}
	for _, m := range []aimbrain.Module{aimbrain.ModuleFace, aimbrain.ModuleVoice} {
		if rule := h.config.policy.rule(m); !rule.Disabled {
			r.Thresholds = append(r.Thresholds, audit.Measure{Name: m.String(), Value: rule.Threshold}, audit.Measure{Name: m.String() + " liveliness", Value: rule.LivelinessThreshold})
		}
	}
	if h.config.policy.Behaviour > 0 {
		r.Thresholds = append(r.Thresholds, audit.Measure{Name: aimbrain.ModuleBehaviour.String(), Value: h.config.policy.Behaviour})
	}
	return h.write(context.Background(), User{}, r, true)
}

// recordShutdown records the end of the handler, behind all other records.
func (h *Handler) recordShutdown(ctx context.Context) error {
	h.refused.flush(h)
	return h.write(ctx, User{}, audit.Record{Kind: audit.KindPolicy, Decision: "ended", Reason: "the handler is shut down"}, true)
}

// A refusals counts requests that were refused before a user was known. A record for
// each would let anybody fill the disk: there is one for each reason and minute.
type refusals struct {
	mu     sync.Mutex
	counts map[code]int64
}

const refusalsTime = time.Minute

func (f *refusals) add(h *Handler, reason code) {
	if h.config.audit == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[code]int64{}
		time.AfterFunc(refusalsTime, func() { f.flush(h) })
	}
	f.counts[reason]++
}

// flush writes the counts so far.
func (f *refusals) flush(h *Handler) {
	f.mu.Lock()
	counts := f.counts
	f.counts = nil
	f.mu.Unlock()
	for reason, n := range counts {
		_ = h.write(context.Background(), User{}, audit.Record{Kind: audit.KindRefused, Reason: string(reason), Count: n}, false) // logged
	}
}

// misconfigured logs an error of the bank's own functions. The text is this package's.
func (h *Handler) misconfigured(ctx context.Context, option string, err error) {
	if h.config.logger != nil {
		h.config.logger.LogAttrs(ctx, slog.LevelError, "relay: invalid configuration", slog.String("option", option), slog.String("err", err.Error()))
	}
}
