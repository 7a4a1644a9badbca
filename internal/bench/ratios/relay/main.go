// Relay prints the cost of the relay beside httputil.ReverseProxy, which neither checks
// nor hashes, and beside a handler written by hand, in front of the same API.
//
//	go run ./internal/bench/ratios/relay            bodies of 667 kB and small ones, as a table
//	go run ./internal/bench/ratios/relay -rounds 9  more rounds
//
// Everything is in one process. Rounds of the sides alternate, and the ratio of each is
// that of its median. Read the ratios, not the times.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

const (
	bodySize    = 667_000
	callsAUser  = 30 // a user's record holds 64 uploads
	slowArrival = 2 * time.Second
)

func main() {
	rounds := flag.Int("rounds", 5, "rounds of each side")
	only := flag.String("only", "", "measure only the loads whose name contains this")
	profile := flag.String("cpuprofile", "", "write a profile to this file")
	allocations := flag.String("memprofile", "", "write a profile of allocations to this file")
	flag.Parse()
	if *allocations != "" {
		runtime.MemProfileRate = 1 << 12
		defer func() {
			if file, err := os.Create(*allocations); err == nil {
				_ = pprof.Lookup("allocs").WriteTo(file, 0)
			}
		}()
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(os.Stdout, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A side is one of the servers that are compared.
type side struct {
	name    string
	url     string
	session func(user string) (string, error)
}

// A measurement is what a round of calls took.
type measurement struct {
	took  time.Duration // of a call, in a round with one in flight; else of the round divided by its calls
	cpu   time.Duration // processor time a call, of everything in the process
	bytes uint64        // allocated a call, by everything in the process
}

func run(out io.Writer, rounds int, only string) error {
	var arrived atomic.Int64 // when the last request reached the API
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Store(time.Now().UnixNano())
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/sessions"):
			_, _ = io.WriteString(w, `{"session":"4f1c2a9e-0f7b-4f6e-9d1c-2a9e0f7b4f6e","face":1,"voice":1,"behaviour":1}`)
		case strings.HasSuffix(r.URL.Path, "/token"):
			_, _ = io.WriteString(w, `{"token":"6-6-7"}`)
		default:
			_, _ = io.WriteString(w, `{"score":0.9,"liveliness":0.9}`)
		}
	})
	apiURL, stop, err := serve(api)
	if err != nil {
		return err
	}
	defer stop()
	folder, err := os.MkdirTemp("", "audit")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	log, err := audit.Open(folder, bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()

	proxied, byHand, relayed, unaudited := &side{name: "ReverseProxy"}, &side{name: "by hand"}, &side{name: "relay"}, &side{name: "relay without audit"}
	target, err := url.Parse(apiURL)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1024}
	if err := proxied.start(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}); err != nil {
		return err
	}
	for _, s := range []*side{byHand, relayed, unaudited} {
		client, err := aimbrain.New("bench-key", "bench-secret-of-usual-length-0123456789", aimbrain.WithBaseURL(apiURL))
		if err != nil {
			return err
		}
		defer client.Close()
		handler := http.Handler(hand{client})
		if s != byHand {
			recorded := relay.WithoutAudit()
			if s == relayed {
				recorded = relay.WithAudit(log)
			}
			if handler, err = newRelay(client, recorded); err != nil {
				return err
			}
		}
		if err := s.start(handler); err != nil {
			return err
		}
		if s != byHand {
			s.session = s.create
		}
	}

	fmt.Fprintf(out, "%-28s %14s %10s %10s %14s %14s %18s\n", "", "ReverseProxy", "by hand ÷", "relay ÷", "by hand CPU ÷", "relay CPU ÷", "bytes beyond it")
	for _, load := range []struct {
		name            string
		size, n, flight int
	}{
		{"667 kB, 1 in flight", bodySize, 24, 1}, {"667 kB, 64 in flight", bodySize, 192, 64}, {"667 kB, 512 in flight", bodySize, 512, 512},
		{"token, 1 in flight", 0, 200, 1}, {"token, 64 in flight", 0, 640, 64},
	} {
		if !strings.Contains(load.name, only) {
			continue
		}
		results, err := compare(rounds, []*side{proxied, byHand, relayed}, load.size, load.n, load.flight)
		if err != nil {
			return err
		}
		base := results[0]
		cpu := func(m measurement) float64 { return float64(m.cpu) / float64(max(1, base.cpu)) }
		fmt.Fprintf(out, "%-28s %14v %10.2f %10.2f %14.2f %14.2f %18d\n", load.name, base.took.Round(time.Microsecond), ratio(results[1], base), ratio(results[2], base), cpu(results[1]), cpu(results[2]), int64(results[2].bytes)-int64(base.bytes))
	}
	if only != "" {
		return nil
	}
	results, err := compare(rounds, []*side{unaudited, relayed}, bodySize, 192, 64)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-34s %.2f of the throughput without audit\n", "667 kB, 64 in flight, fsync", 1/ratio(results[1], results[0]))
	return slow(out, rounds, []*side{byHand, relayed}, &arrived)
}

func ratio(a, b measurement) float64 { return float64(a.took) / float64(b.took) }

// slow prints the time from the last byte of a body that arrives over two seconds to
// the request at the API.
func slow(out io.Writer, rounds int, sides []*side, arrived *atomic.Int64) error {
	took := make([][]time.Duration, len(sides))
	for i := range rounds {
		for j, s := range sides {
			user := "slow" + strconv.Itoa(i)
			session, err := s.sessionOf(user)
			if err != nil {
				return err
			}
			var last time.Time
			body := &trickle{data: []byte(`{"session":"` + session + `","faces":["` + photoText(bodySize) + `"]}`), began: time.Now(), last: &last}
			if err := s.check(s.send(user, "/v1/face/auth", body, int64(len(body.data)))); err != nil {
				return err
			}
			took[j] = append(took[j], time.Unix(0, arrived.Load()).Sub(last))
		}
	}
	medians := make([]time.Duration, len(sides))
	for j := range sides {
		slices.Sort(took[j])
		medians[j] = took[j][len(took[j])/2]
	}
	fmt.Fprintf(out, "%-34s %v, by hand %v: %.2f\n", "last byte in to request out", medians[1], medians[0], float64(medians[1])/float64(medians[0]))
	return nil
}

// A trickle is a body that arrives in pieces over two seconds.
type trickle struct {
	data  []byte
	sent  int
	began time.Time
	last  *time.Time // when the last byte was read
}

func (t *trickle) Read(p []byte) (int, error) {
	if t.sent == len(t.data) {
		return 0, io.EOF
	}
	const pieces = 100
	n := min(len(p), len(t.data)/pieces, len(t.data)-t.sent)
	due := t.began.Add(slowArrival * time.Duration(t.sent+n) / time.Duration(len(t.data)))
	<-time.After(time.Until(due))
	copy(p, t.data[t.sent:t.sent+n])
	if t.sent += n; t.sent == len(t.data) {
		*t.last = time.Now()
	}
	return n, nil
}

// compare runs rounds of the sides in turn, and returns the medians.
func compare(rounds int, sides []*side, size, n, flight int) ([]measurement, error) {
	all := make([][]measurement, len(sides))
	for i := range rounds + 1 {
		for j, s := range sides {
			m, err := s.round(size, n, flight)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if i > 0 { // the first one warms up
				all[j] = append(all[j], m)
			}
		}
	}
	medians := make([]measurement, len(sides))
	for j := range sides {
		slices.SortFunc(all[j], func(a, b measurement) int { return int(a.took - b.took) })
		medians[j] = all[j][len(all[j])/2]
	}
	return medians, nil
}

// round makes n calls, of which so many are in flight.
func (s *side) round(size, n, flight int) (measurement, error) {
	path := "/v1/face/auth"
	if size == 0 {
		path = "/v1/face/token"
	}
	type job struct{ user, session string }
	jobs := make(chan job, n)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	users := make([]job, max(flight, (n+callsAUser-1)/callsAUser)) // one has few calls under way
	for i := range users {
		users[i].user = run + "-" + strconv.Itoa(i)
		var err error
		if users[i].session, err = s.sessionOf(users[i].user); err != nil {
			return measurement{}, err
		}
	}
	for i := range n {
		jobs <- users[i%len(users)]
	}
	close(jobs)
	photo := photoText(size)
	var counter atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), cpuTime()
	for range flight {
		group.Go(func() {
			for j := range jobs {
				parts := []string{`{"session":"`, j.session, `","tokentype":"enroll-1"}`}
				if size > 0 { // each capture is another one
					parts = []string{`{"session":"`, j.session, `","faces":["`, fmt.Sprintf("%012d", counter.Add(1)), photo, `"]}`}
				}
				if err := s.post(j.user, path, parts); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	if err := failed.Load(); err != nil {
		return measurement{}, *err
	}
	return measurement{took: took / time.Duration(n), cpu: cpu / time.Duration(n), bytes: (after.TotalAlloc - before.TotalAlloc) / uint64(n)}, nil
}

// photoText returns the base64 of a photo of about size bytes.
func photoText(size int) string {
	photo := make([]byte, size*3/4/3*3)
	_, _ = rand.Read(photo) // it never fails
	return base64.StdEncoding.EncodeToString(photo)
}

func (s *side) start(h http.Handler) error {
	var err error
	s.url, _, err = serve(h)
	return err
}

// sessionOf returns a session of a user, a fixed one where the side has none.
func (s *side) sessionOf(user string) (string, error) {
	if s.session == nil {
		return "4f1c2a9e-0f7b-4f6e-9d1c-2a9e0f7b4f6e", nil
	}
	return s.session(user)
}

// create creates a session by the relay.
func (s *side) create(user string) (string, error) {
	text, err := s.send(user, "/v1/sessions", strings.NewReader(`{"device":"d","system":"s"}`), -1)
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(text, `"session":"`)
	session, _, _ := strings.Cut(rest, `"`)
	return session, nil
}

func (s *side) post(user, path string, parts []string) error {
	readers, size := make([]io.Reader, len(parts)), 0
	for i, part := range parts {
		readers[i] = strings.NewReader(part)
		size += len(part)
	}
	return s.check(s.send(user, path, io.MultiReader(readers...), int64(size)))
}

// check returns an error for a response that is not the usual one.
func (s *side) check(text string, err error) error {
	if err == nil && (strings.Contains(text, `"code"`) || strings.Contains(text, "rejected")) {
		return errors.New(text)
	}
	return err
}

func (s *side) send(user, path string, body io.Reader, size int64) (string, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+path, body)
	if err != nil {
		return "", err
	}
	if size >= 0 {
		r.ContentLength = size
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-User", user)
	response, err := loader().Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// loader returns the client of the load.
var loader = sync.OnceValue(func() *http.Client { //nolint:gochecknoglobals // one pool of connections for a program
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}
})

// serve serves a handler on a free port.
func serve(h http.Handler) (string, func(), error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// newRelay returns a relay whose users are named by a header. Each is a client of its
// own for the budget.
func newRelay(client *aimbrain.Client, recorded relay.Option) (http.Handler, error) {
	rule := relay.Rule{Threshold: 0.5, Liveliness: relay.Required, LivelinessThreshold: 0.5, Token: relay.NotRequired}
	return relay.New(client, recorded,
		relay.WithUser(func(r *http.Request) (relay.User, error) {
			name := r.Header.Get("X-User")
			return relay.User{ID: name, APIUserID: "u-" + name}, nil
		}),
		relay.WithClientAddress(func(r *http.Request) string { return r.Header.Get("X-User") }),
		relay.WithPolicy(relay.Policy{Face: rule, Voice: rule}), relay.WithKeys(relay.RandomKeys()),
		relay.WithStore(relay.NewMemoryStore(512<<20)), relay.WithBodyBudget(512<<20))
}

// A hand is the handler that is usually written.
type hand struct{ client *aimbrain.Client }

func (h hand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, aimbrain.MaxRequestBytes))
	if err == nil {
		body, err = aimbrain.SetMember(body, "session", "4f1c2a9e-0f7b-4f6e-9d1c-2a9e0f7b4f6e")
	}
	if err != nil {
		http.Error(w, "invalid", http.StatusBadRequest)
		return
	}
	response, err := h.client.Forward(r.Context(), r.URL.Path, body)
	if err != nil {
		http.Error(w, "failed", http.StatusBadGateway)
		return
	}
	if r.URL.Path == aimbrain.EndpointFaceToken {
		_, _ = w.Write(response.Body)
		return
	}
	result, err := aimbrain.Decode[aimbrain.FaceAuthResult](response)
	if err != nil || !result.Matches(0.5) {
		http.Error(w, "refused", http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, `{"result":"accepted"}`)
}
