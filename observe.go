package aimbrain

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// An Observer is called for every attempt when it has ended, in the goroutine of
// the call: it should return quickly. The context is the call's.
type Observer func(ctx context.Context, attempt Attempt)

// An Attempt is what happened to a request that was sent, or could not be. It
// holds no signature and no credential. As a value of log/slog it is the same
// allow-list that [WithLogger] logs; Err holds what the server wrote, see
// [APIError].
type Attempt struct {
	Endpoint      string        // such as "/v1/face/auth"
	Region        Region        // "" for a client with a base URL of its own
	Host          string        // host and port
	Number        int           // 1 for the first attempt of the call
	Status        int           // HTTP status, 0 when no response came
	Codes         []Code        // AimBrain's codes in the response
	Started       time.Time     // when the attempt began
	Duration      time.Duration // until the response was read, or until the failure
	RequestBytes  int           // size of the request's body
	ResponseBytes int           // how much of the response's body was read
	Outcome       Outcome       // what is known of this attempt
	Err           error         // the attempt's error, nil when it succeeded
	Waited        time.Duration // how long the call waited before the attempt
	Retry         bool          // another attempt follows,
	Wait          time.Duration // after this wait
}

// observe reports an attempt to the observers and the logger.
func (c *call) observe(ctx context.Context, tries tries, a attempt, v verdict, next decision) {
	config := c.client.config
	report := Attempt{
		Endpoint: c.endpoint.Path, Region: config.region, Host: config.base.Host,
		Number: tries.number, Started: a.started, Duration: a.took, Waited: tries.wait,
		Status: a.reply.Status, RequestBytes: c.body.Size(), ResponseBytes: len(a.reply.Body),
		Outcome: v.outcome, Err: v.err, Retry: next.follows, Wait: next.wait,
	}
	var api *APIError
	if errors.As(v.err, &api) {
		for _, detail := range api.Details {
			report.Codes = append(report.Codes, detail.Code)
		}
	}
	for _, observer := range config.observers {
		observer(ctx, report)
	}
	level := slog.LevelDebug
	if v.err != nil {
		level = slog.LevelWarn
	}
	if config.logger != nil && config.logger.Enabled(ctx, level) {
		config.logger.LogAttrs(ctx, level, "aimbrain: attempt", report.attrs()...)
	}
}

// LogValue implements [slog.LogValuer].
func (a Attempt) LogValue() slog.Value { return slog.GroupValue(a.attrs()...) }

// attrs is the allow-list of what is logged.
func (a Attempt) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("endpoint", a.Endpoint),
		slog.String("host", a.Host),
		slog.Int("attempt", a.Number),
		slog.Int("status", a.Status),
		slog.Duration("duration", a.Duration),
		slog.Int("request_bytes", a.RequestBytes),
		slog.Int("response_bytes", a.ResponseBytes),
	}
	if a.Region != "" {
		attrs = append(attrs, slog.String("region", string(a.Region)))
	}
	if len(a.Codes) > 0 {
		attrs = append(attrs, slog.Any("codes", codeNumbers(a.Codes)))
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", loggable(a.Err)), slog.String("outcome", a.Outcome.String()))
	}
	if a.Waited > 0 {
		attrs = append(attrs, slog.Duration("waited", a.Waited))
	}
	if a.Retry {
		attrs = append(attrs, slog.Duration("retry_in", a.Wait))
	}
	return attrs
}

func codeNumbers(codes []Code) []int {
	numbers := make([]int, len(codes))
	for i, code := range codes {
		numbers[i] = int(code)
	}
	return numbers
}

// loggable is an error's text without what a server wrote: user data in it
// cannot be recognised.
func loggable(err error) string {
	var (
		api      *APIError
		decode   *DecodeError
		redirect *RedirectError
		network  *NetworkError
	)
	switch {
	case errors.As(err, &network):
		bare := *network
		bare.Err = loggableCause(network.Err)
		return bare.Error()
	case errors.As(err, &api):
		bare := *api
		bare.Message, bare.Details = "", make([]ErrorDetail, len(api.Details))
		for i, detail := range api.Details {
			bare.Details[i].Code = detail.Code
		}
		return bare.Error()
	case errors.As(err, &decode):
		bare := *decode
		bare.Err = nil
		return bare.Error()
	case errors.As(err, &redirect):
		bare := *redirect
		bare.Host = ""
		return bare.Error()
	}
	return err.Error()
}

// loggableCause keeps the causes that net, crypto/tls and this library word, and
// those of contexts; net/http's quote the response.
func loggableCause(err error) error {
	var (
		op   *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		own  ErrorKind
		sys  syscall.Errno
		over *limitError
		deny transport.ProxyError
		odd  roundtrip.Fault
	)
	switch {
	case errors.As(err, &over):
		return over
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &cert):
		return cert
	case errors.As(err, &dns), errors.As(err, &op), errors.As(err, &deny), errors.As(err, &odd), errors.As(err, &sys), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return errBroke
}

const errBroke ErrorKind = "the connection broke"

// LogValue implements [slog.LogValuer] by an allow-list: endpoint, status, codes,
// action, outcome, attempts, and the text without what the server wrote.
// A wrapped error is logged by its text, which [slog.Any] takes from Error.
func (e *APIError) LogValue() slog.Value {
	codes := make([]Code, len(e.Details))
	for i, detail := range e.Details {
		codes[i] = detail.Code
	}
	attrs := append(errorAttrs(e, e.Endpoint, e.Attempts), slog.Int("status", e.StatusCode), slog.Any("codes", codeNumbers(codes)))
	if e.Gateway {
		attrs = append(attrs, slog.Bool("gateway", true))
	}
	if wait, given := e.RetryAfter(); given {
		attrs = append(attrs, slog.Duration("retry_after", wait))
	}
	return slog.GroupValue(attrs...)
}

// LogValue implements [slog.LogValuer] as [APIError.LogValue] does.
func (e *NetworkError) LogValue() slog.Value {
	return slog.GroupValue(errorAttrs(e, e.Endpoint, e.Attempts)...)
}

// LogValue implements [slog.LogValuer] as [APIError.LogValue] does.
func (e *DecodeError) LogValue() slog.Value {
	return slog.GroupValue(append(errorAttrs(e, e.Endpoint, e.Attempts), slog.Int("status", e.StatusCode))...)
}

// LogValue implements [slog.LogValuer] as [APIError.LogValue] does.
func (e *RedirectError) LogValue() slog.Value {
	return slog.GroupValue(append(errorAttrs(e, e.Endpoint, e.Attempts), slog.Int("status", e.StatusCode))...)
}

func errorAttrs(err error, endpoint string, attempts int) []slog.Attr {
	return []slog.Attr{
		slog.String("endpoint", endpoint),
		slog.String("action", ActionOf(err).String()),
		slog.String("outcome", OutcomeOf(err).String()),
		slog.Int("attempts", attempts),
		slog.String("error", loggable(err)),
	}
}
