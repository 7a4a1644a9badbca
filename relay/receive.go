package relay

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// The limits of an upload. They are about a client that holds memory and a connection,
// and far below what a phone with a poor connection reaches.
const (
	uploadTime  = 60 * time.Second
	uploadGrace = 10 * time.Second // in which the rate does not count
	uploadRate  = 4000             // bytes per second on average
	uploadCheck = time.Second
)

// errSlow ends an upload that is too slow.
const errSlow constantError = "the request arrives too slowly"

// plainJSON reports whether a request has a body in JSON that is not compressed.
func plainJSON(r *http.Request) bool {
	types, encodings := r.Header.Values("Content-Type"), r.Header.Values("Content-Encoding")
	if len(types) != 1 || len(encodings) > 1 || len(encodings) == 1 && !strings.EqualFold(encodings[0], "identity") {
		return false
	}
	media, _, err := mime.ParseMediaType(types[0])
	return err == nil && media == "application/json"
}

// An upload's body is read by incoming: each byte is reserved when it has arrived.
type incoming struct {
	ctx  context.Context
	body io.Reader
	room *reservation
	size atomic.Int64
}

// Read reads the body.
func (in *incoming) Read(p []byte) (int, error) {
	n, err := in.body.Read(p)
	in.size.Add(int64(n))
	if n > 0 {
		if full := in.room.take(in.ctx, n); full != nil {
			return 0, full
		}
	}
	return n, err
}

// watch ends an upload that is too slow. It ends the reading too: net/http waits for a
// handler's reads when the handler returns.
func (in *incoming) watch(w http.ResponseWriter, end context.CancelCauseFunc) (stop func()) {
	began := time.Now()
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(uploadGrace, func() {
		mu.Lock()
		defer mu.Unlock()
		took := time.Since(began)
		switch {
		case stopped:
		case took >= uploadTime || float64(in.size.Load()) < took.Seconds()*uploadRate:
			end(errSlow)
			_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // where it is supported
		default:
			timer.Reset(min(uploadCheck, uploadTime-took))
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// receive reads a request to its end and prepares the one to the API. The size is that
// of what has arrived.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, endpoint string, room *reservation, set []aimbrain.Member) (*aimbrain.PreparedRequest, int, response) {
	if r.ContentLength >= aimbrain.MaxRequestBytes {
		return nil, 0, refuse(codeTooLarge)
	}
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	in := &incoming{ctx: ctx, body: r.Body, room: room}
	stop := in.watch(w, end)
	defer stop()
	prepared, err := h.client.PrepareForward(ctx, endpoint, in, set)
	size := int(in.size.Load())
	if err == nil {
		return prepared, size, response{}
	}
	var large *aimbrain.TooLargeError
	switch {
	case errors.Is(err, errBusy):
		return nil, size, refuse(codeBusy).after(roomWait)
	case errors.Is(context.Cause(ctx), errSlow):
		return nil, size, refuse(codeTooSlow)
	case errors.Is(err, errNotOurs):
		return nil, size, refuse(codeSession)
	case errors.As(err, &large):
		return nil, size, refuse(codeTooLarge)
	case r.Context().Err() != nil:
		return nil, size, refuse(codeCancelled)
	case errors.Is(err, aimbrain.ErrClosed):
		return nil, size, refuse(codeUnavailable)
	}
	var invalid *aimbrain.RequestError
	if errors.As(err, &invalid) {
		return nil, size, refuse(codeInvalid).because("the request is not strict JSON with the members that it must have")
	}
	return nil, size, refuse(codeUnavailable)
}
