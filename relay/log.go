package relay

import (
	"context"
	"log/slog"
	"time"
)

// storeFailed logs an error of the store. Its text is the store's, which holds no
// record.
func (h *Handler) storeFailed(ctx context.Context, err error) {
	if h.config.logger != nil {
		h.config.logger.LogAttrs(ctx, slog.LevelError, "relay: the store has failed", slog.String("err", err.Error()))
	}
}

// auditFailed logs an error of the audit log.
func (h *Handler) auditFailed(ctx context.Context, err error) {
	if h.config.logger != nil {
		h.config.logger.LogAttrs(ctx, slog.LevelError, "relay: the audit record could not be written", slog.String("err", err.Error()))
	}
}

// observe reports a request to the observer and the logger. The attributes are a list
// of their own: nothing of the request or of an error gets in by mistake.
func (h *Handler) observe(ctx context.Context, id string, e Event) {
	if h.config.observe != nil {
		h.config.observe(ctx, e)
	}
	logger := h.config.logger
	if logger == nil {
		return
	}
	level := slog.LevelInfo
	if e.Status >= 500 {
		level = slog.LevelWarn
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	logger.LogAttrs(ctx, level, "relay: request",
		slog.String("endpoint", e.Endpoint), slog.Int("status", e.Status), slog.String("result", e.Result), slog.String("code", e.Code),
		slog.Duration("duration", e.Duration.Round(time.Microsecond)), slog.String("request_id", id))
}
