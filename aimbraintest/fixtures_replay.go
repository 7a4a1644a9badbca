package aimbraintest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/fixture"
)

// replay makes the transport that responds with recorded exchanges. The strings of
// the requests are in the variables of its functions, which fmt does not print.
func (f *Fixtures) replay(files []fixture.File) {
	var mu sync.Mutex
	next, differs := 0, false
	run := fixture.NewReplay()
	refuse := func(r *http.Request, text string) *http.Response {
		text = "aimbraintest: " + text
		if !differs {
			f.t.Helper()
			f.t.Errorf("%s", text)
		}
		differs = true
		body, size := fixture.ErrorBody(text)
		return response(r, http.StatusBadRequest, http.Header{"Content-Type": {"application/json"}}, body, size)
	}
	// step returns the response to the next request, or the cause of its failure.
	step := func(r *http.Request) (*http.Response, fixture.Cause) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case differs:
			return refuse(r, f.dir+": an earlier request differs from the recorded one"), ""
		case next == len(files):
			return refuse(r, fmt.Sprintf("%s: a request to %s was sent after the last recorded one, %s", f.dir, pathOf(r), files[next-1].Name)), ""
		}
		file := files[next]
		next++
		var body []byte
		if file.Request.Body != nil {
			body = wholeBody(r)
		}
		if d := run.Compare(file.Request, r.Method, r.URL, r.Header, body); d != "" {
			return refuse(r, filepath.Join(f.dir, file.Name)+": "+d), ""
		}
		if file.Failure != nil {
			return nil, file.Failure.Cause
		}
		return replayed(r, run, file.Response), ""
	}
	f.respond = func(r *http.Request) (*http.Response, error) {
		defer closeBody(r)
		response, cause := step(r)
		if cause != "" {
			return nil, failure(r, cause)
		}
		return response, nil
	}
	f.wrap = func(http.RoundTripper) http.RoundTripper { return roundTripFunc(f.respond) }
	f.t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if differs || next == len(files) {
			return
		}
		var names []string
		for _, file := range files[next:] {
			names = append(names, file.Name)
		}
		f.t.Helper()
		f.t.Errorf("aimbraintest: %s: %d recorded requests were not sent: %s", f.dir, len(names), strings.Join(names, ", "))
	})
}

// pathOf returns the endpoint of a request for a message.
func pathOf(r *http.Request) string {
	if endpoint := fixture.Endpoint(r.URL.Path); endpoint != "" {
		return endpoint
	}
	return "another path"
}

// replayed makes the recorded response.
func replayed(r *http.Request, run *fixture.Replay, recorded *fixture.Response) *http.Response {
	header := http.Header{}
	switch {
	case strings.HasPrefix(recorded.ContentType, "<"):
		header.Set("Content-Type", "application/octet-stream")
	case recorded.ContentType != "":
		header.Set("Content-Type", recorded.ContentType)
	}
	for _, wait := range recorded.RetryAfter {
		if strings.HasPrefix(wait, "<") {
			wait = "invalid"
		}
		header.Add("Retry-After", wait)
	}
	body, size := run.Body(recorded.Body)
	if recorded.CutOff != "" {
		body = io.MultiReader(body, failingReader(func() error { return failure(r, recorded.CutOff) }))
		size++
	}
	made := response(r, recorded.Status, header, body, size)
	if recorded.Unframed {
		made.ContentLength, made.Close = -1, true
	}
	return made
}

// A failingReader returns the error of a function.
type failingReader func() error

// Read returns the error.
func (f failingReader) Read([]byte) (int, error) { return 0, f() }

// failure returns the error of a recorded cause.
func failure(r *http.Request, cause fixture.Cause) error {
	switch cause {
	case fixture.NotSent:
		return errRefused()
	case fixture.NoSuchHost:
		return &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}
	case fixture.NotTrusted:
		return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	case fixture.AttemptTimeout:
		return fmt.Errorf("%w after %v", aimbrain.ErrAttemptTimeout, aimbrain.DefaultAttemptTimeout) // the text of the client
	case fixture.ContextEnded:
		<-r.Context().Done()
		return r.Context().Err()
	case fixture.Reset:
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}
