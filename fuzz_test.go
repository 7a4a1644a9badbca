package aimbrain

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aimbrain/aimbrain-go/internal/fixture"
	"github.com/aimbrain/aimbrain-go/internal/redact"
	"github.com/aimbrain/aimbrain-go/internal/retry"
	"github.com/aimbrain/aimbrain-go/internal/roundtrip"
)

// seed adds the requests and responses of the fixtures in a directory of testdata to
// the seed corpus of a fuzz target.
func seed(f *testing.F, dir string, add func(request, response []byte)) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds in ", dir)
	}
	for _, file := range files {
		exchange, err := fixture.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		request, err := exchange.Request.Body.Literal()
		if err != nil {
			f.Fatal(err)
		}
		response, err := exchange.Response.Body.Literal()
		if err != nil {
			f.Fatal(err)
		}
		add(request, response)
	}
}

// FuzzAPIError reads errors of any shape. The status is kept, texts are bounded
// and valid in a log, and no credential remains.
func FuzzAPIError(f *testing.F) {
	seed(f, "errors", func(_, response []byte) { f.Add(422, response, "120") })
	f.Add(429, []byte(`{"error":"S3CRET \u0053\u0033CRET"}`), "Wed, 21 Oct 2015 07:28:00 GMT")
	secrets := func() []string { return []string{"S3CRET", "SIGNATURE", "KEY-1"} }
	f.Fuzz(func(t *testing.T, status int, body []byte, after string) {
		header := http.Header{"Retry-After": {after}, "X": {string(body)}}
		err := readAPIError(roundtrip.Reply{Status: status, Header: header, Body: body}, redact.New(secrets))
		err.retryAfter = retry.ReadAfter(header, time.Now())
		text := err.Error() + err.Remedy() + err.Action().String()
		switch wait, given := err.RetryAfter(); {
		case err.StatusCode != status:
			t.Fatal("the status is lost")
		case len(err.Message) > maxText || len(err.Details) > maxDetails || len(err.Body) > maxErrorBody:
			t.Fatal("a bound is not kept")
		case !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00\x1b"):
			t.Fatalf("not fit for a log: %q", text)
		case wait < 0 || !given && wait != 0:
			t.Fatalf("a wait of %v", wait)
		}
		all := text + err.Message + string(err.Body) + err.Header.Get("X")
		for _, detail := range err.Details {
			all += detail.Description
		}
		for _, secret := range secrets() {
			if strings.Contains(all, secret) {
				t.Fatalf("%s is in %q", secret, all)
			}
		}
	})
}

// FuzzBaseURL tests that an accepted base URL makes a request for its host, which
// dials that host alone and requests the prefix as it was written.
func FuzzBaseURL(f *testing.F) {
	for _, base := range []string{
		Development.BaseURL(), "https://gw.bank.example/bio/", "http://localhost:8080", "https://user:pa55@h", "https://h/?q", "https://h/#f",
		"https://h/a%2Fb", "https://[::1%25en0]:1/", "https://h\\@evil", "https:h", "//h", "https://h/%2e%2e/", "https://ｅｖｉｌ/",
		"https://h/v1", "https://h/a%2F/", "https://h/a\"%2Fb", "https://h:0", "https://h:65536", "https://127.1", "https://0x7f.1", "https://1.2.3.4.",
		"http://[::ffff:127.0.0.1]", "http://::1", "http://localhost.", "http://localhost.evil.example", "https://h//a//", "https://H.Example.:443/%C3%A4",
	} {
		f.Add(base)
	}
	f.Fuzz(func(t *testing.T, base string) {
		c, err := newConfig([]Option{WithBaseURL(base)})
		if err != nil {
			if len(base) > 12 && strings.Contains(err.Error(), base) {
				t.Fatalf("the error shows the URL: %v", err)
			}
			return
		}
		target := *c.base
		target.Path += EndpointScore
		if target.RawPath != "" {
			target.RawPath += EndpointScore
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		again := request.URL
		switch {
		case again.Host != c.base.Host || request.Host != c.base.Host || again.Scheme != c.base.Scheme || again.User != nil || again.RawQuery != "" || again.Fragment != "":
			t.Fatalf("%q became %q", base, again)
		case again.Scheme == "http" && !isLoopback(again.Hostname()):
			t.Fatalf("plain HTTP to %q", again.Host)
		}
		_, written, _ := strings.Cut(base[len("http:"):], "//") // user info is refused, so that the path begins at the next slash
		prefix := ""
		if i := strings.IndexByte(written, '/'); i >= 0 {
			prefix = strings.TrimRight(written[i:], "/")
		}
		if got := target.RequestURI(); got != prefix+EndpointScore {
			t.Fatalf("%q asks for %q", base, got)
		}
		host, port := c.base.Hostname(), c.base.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[c.base.Scheme]
		}
		if got := dialled(request); got != net.JoinHostPort(host, port) {
			t.Fatalf("%q dials %q", base, got)
		}
		if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			t.Fatalf("%q dials port %q", base, port)
		}
	})
}

// dialled returns the addresses that a request dials. Each dial fails.
func dialled(request *http.Request) string {
	var mu sync.Mutex
	var addresses []string
	transport := &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		addresses = append(addresses, address)
		return nil, net.ErrClosed
	}}
	if response, err := transport.RoundTrip(request); err == nil {
		_ = response.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	return strings.Join(addresses, " ")
}
