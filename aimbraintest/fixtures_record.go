package aimbraintest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/fixture"
)

// record makes the transport that records. Bodies are in the variables of its
// functions until the exchange has ended, and then only as they are written.
func (f *Fixtures) record() {
	var mu sync.Mutex
	var exchanges []*fixture.Exchange // in the order of the requests; nil while one is under way
	recorder := fixture.NewRecorder()
	f.wrap = func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			number := len(exchanges)
			exchanges = append(exchanges, nil)
			mu.Unlock()
			return exchange(next, r, func(written func(*fixture.Recorder) fixture.Exchange) {
				mu.Lock()
				defer mu.Unlock()
				made := written(recorder)
				exchanges[number] = &made
			})
		})
	}
	own := sync.OnceValue(f.Transport)
	f.respond = func(r *http.Request) (*http.Response, error) { return own().RoundTrip(r) }
	f.t.Cleanup(func() {
		f.t.Helper()
		if f.t.Failed() || f.t.Skipped() {
			f.t.Logf("aimbraintest: %s: nothing was recorded, because the test did not pass", f.dir)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		var whole []fixture.Exchange
		for i, x := range exchanges {
			if x == nil {
				f.t.Errorf("aimbraintest: %s: nothing was recorded: the response to request %d was not read to its end or closed", f.dir, i+1)
				return
			}
			whole = append(whole, *x)
		}
		if len(whole) == 0 {
			f.t.Errorf("aimbraintest: %s: nothing was recorded: no request was sent", f.dir)
			return
		}
		if err := fixture.WriteDir(f.dir, whole); err != nil {
			f.t.Errorf("aimbraintest: %s: %v", f.dir, err)
		}
	})
}

// exchange sends a request and calls done when the exchange has ended: at once if
// it fails, and otherwise when the body of the response has been read or closed. It
// reads the body of the request only when the other transport does, so that a
// request that was not sent is reported as such.
func exchange(next http.RoundTripper, r *http.Request, done func(func(*fixture.Recorder) fixture.Exchange)) (*http.Response, error) {
	began := time.Now()
	var headers atomic.Bool
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteHeaders: func() { headers.Store(true) }})
	out := r.Clone(ctx)
	out.GetBody = nil // the copy of the body is made while it is read
	sent := newCopying(r.Body)
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = sent
	}
	request := func(recorder *fixture.Recorder) fixture.Request {
		body, size, ended := sent.copied()
		ended = ended || int64(size) == r.ContentLength
		if size == 0 && !headers.Load() && !ended {
			return recorder.Unsent(r.Method, r.URL, r.Header)
		}
		return recorder.Request(r.Method, r.URL, r.Header, body, size, ended)
	}
	response, err := next.RoundTrip(out)
	took := fixture.Rounded(time.Since(began))
	if err != nil || response == nil || response.StatusCode < http.StatusOK || response.StatusCode > 999 {
		done(func(recorder *fixture.Recorder) fixture.Exchange {
			x := fixture.Exchange{Request: request(recorder)}
			x.Failure = &fixture.Failure{Cause: causeOf(r.Context(), err, x.Request.Body != nil), Delay: took}
			return x
		})
		return response, err
	}
	if response.Body == nil {
		response.Body = http.NoBody
	}
	received := newCopying(response.Body)
	unframed := response.ProtoMajor == 1 && response.ContentLength < 0 && len(response.TransferEncoding) == 0 && response.StatusCode != http.StatusNoContent
	status, header := response.StatusCode, response.Header.Clone()
	received.end = sync.OnceFunc(func() {
		done(func(recorder *fixture.Recorder) fixture.Exchange {
			x := fixture.Exchange{Request: request(recorder)}
			if x.Request.Body == nil { // the server responded before it
				x.Request = recorder.Request(r.Method, r.URL, r.Header, nil, 0, r.Body == nil || r.Body == http.NoBody)
			}
			cause := fixture.Cause("")
			if err := received.failure(); err != nil {
				cause = causeOf(r.Context(), err, true)
			}
			body, size, _ := received.copied()
			x.Response = recorder.Response(status, header, body, size, cause)
			x.Response.Delay, x.Response.Unframed = took, unframed
			return x
		})
	})
	response.Body = received
	return response, nil
}

// causeOf returns the recorded cause of an error.
func causeOf(ctx context.Context, err error, sent bool) fixture.Cause {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(context.Cause(ctx), aimbrain.ErrAttemptTimeout):
		return fixture.AttemptTimeout
	case ctx.Err() != nil:
		return fixture.ContextEnded
	case sent:
		return fixture.Reset
	case errors.As(err, &dns) && dns.IsNotFound:
		return fixture.NoSuchHost
	case errors.As(err, &certificate):
		return fixture.NotTrusted
	}
	return fixture.NotSent
}

// A copying body copies what is read of another. Two goroutines may read it: a
// transport may read on after it has returned.
type copying struct {
	read  func(p []byte) (int, error)
	close func() error
	// copied returns the copy, which ends at a limit, the number of bytes, and
	// whether the body was read to its end.
	copied  func() (data []byte, size int, ended bool)
	failure func() error
	end     func() // called when the body has ended or was closed
}

func newCopying(body io.ReadCloser) *copying {
	if body == nil {
		body = http.NoBody
	}
	var mu sync.Mutex
	var kept []byte
	var size int
	var failed error
	c := &copying{close: body.Close, end: func() {}}
	c.read = func(p []byte) (int, error) {
		n, err := body.Read(p)
		mu.Lock()
		defer mu.Unlock()
		size += n
		kept = append(kept, p[:min(n, fixture.MaxBody-len(kept))]...)
		if err != nil && failed == nil {
			failed = err
		}
		return n, err
	}
	c.copied = func() ([]byte, int, bool) {
		mu.Lock()
		defer mu.Unlock()
		return kept, size, errors.Is(failed, io.EOF)
	}
	c.failure = func() error {
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(failed, io.EOF) {
			return nil
		}
		return failed
	}
	return c
}

// Read implements [io.Reader].
func (c *copying) Read(p []byte) (int, error) {
	n, err := c.read(p)
	if err != nil {
		c.end()
	}
	return n, err
}

// Close implements [io.Closer].
func (c *copying) Close() error {
	err := c.close()
	c.end()
	return err
}
