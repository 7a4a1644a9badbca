package aimbraintest

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A fake keeps the last 10,000 requests, and of these the last that take 256 MB
// together, headers and paths included. Counts include all requests.
const (
	maxRequests    = 10_000
	maxRecordBytes = 256 << 20
)

// A Request is a request that has arrived, with any outcome. All copies share Header
// and Body: do not change them.
type Request struct {
	Endpoint string      // in lower case, such as "/v1/face/auth"; the path if it is no endpoint
	Method   string      // usually POST
	Host     string      // the host to which it was sent
	Path     string      // as received, with the prefix of a gateway
	Header   http.Header // as received
	Body     []byte      // as received; cut after 2 MB
	At       time.Time   // when it had arrived, by the fake's clock
	Status   int         // of the response; 0 without a response, or before it

	userID string
}

// UserID returns the user of the request: that of its session, or that for whom a
// session is created. It is "" if the request has neither.
func (r Request) UserID() string { return r.userID }

// Member returns a member of the body: a string as its content, and any other value
// as its JSON. It is "" for a member that is missing, and for a body that is not a
// JSON object.
func (r Request) Member(name string) string {
	members, err := strictjson.Request(nil, r.Body)
	if err != nil {
		return ""
	}
	raw, _ := find(members, name)
	if s, err := strictjson.String(raw); err == nil {
		return s
	}
	return string(raw)
}

// Media returns the photos, videos or recordings of the body, decoded and in their
// order. For a comparison those of faces1 come before those of faces2.
func (r Request) Media() [][]byte {
	members, err := strictjson.Request(nil, r.Body)
	if err != nil {
		return nil
	}
	var media [][]byte
	for _, name := range mediaMembers() {
		raw, _ := find(members, name)
		elements, err := strictjson.Elements(nil, raw)
		if err != nil {
			continue
		}
		for _, element := range elements {
			s, err := strictjson.String(element)
			if err != nil {
				continue
			}
			if data, err := base64.StdEncoding.DecodeString(s); err == nil {
				media = append(media, data)
			}
		}
	}
	return media
}

// mediaMembers returns the members of all requests that are arrays of media.
func mediaMembers() []string {
	var names []string
	for _, row := range endpoints.All() {
		for _, name := range row.Media {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// A recorder keeps the requests that arrived. The fake's lock guards it.
type recorder struct {
	kept      []*Request
	bytes     int
	arrived   map[string]int // by endpoint
	total     int
	processed map[string]int
	more      chan struct{} // closed when a request arrives
}

func newRecorder() recorder {
	return recorder{arrived: map[string]int{}, processed: map[string]int{}, more: make(chan struct{})}
}

// record records a request that has arrived.
func (f *Fake) record(c *call) *Request {
	r := &Request{
		Endpoint: c.endpoint.Path, Method: c.request.Method, Host: c.request.Host, Path: c.request.URL.Path,
		Header: c.request.Header.Clone(), Body: c.body,
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.At = f.now()
	r.userID = f.whose(c)
	l := &f.log
	l.total++
	if c.known {
		l.arrived[r.Endpoint]++
	} else {
		l.arrived["other paths"]++
	}
	l.kept = append(l.kept, r)
	l.bytes += r.size()
	for len(l.kept) > maxRequests || (l.bytes > maxRecordBytes && len(l.kept) > 1) {
		l.bytes -= l.kept[0].size()
		l.kept[0] = nil // so that the array does not keep it
		l.kept = l.kept[1:]
	}
	close(l.more)
	l.more = make(chan struct{})
	return r
}

// size returns about how many bytes of memory a request takes.
func (r *Request) size() int {
	const (
		text  = 16 // of a string, besides its bytes
		entry = 64 // of an entry of a map, besides its key and value
	)
	size := 512 + len(r.Body) + len(r.Endpoint) + len(r.Method) + len(r.Host) + len(r.Path) + len(r.userID)
	for name, values := range r.Header {
		size += entry + len(name)
		for _, value := range values {
			size += text + len(value)
		}
	}
	return size
}

// whose returns the user of a request, valid or not.
func (f *Fake) whose(c *call) string {
	if c.endpoint.Path == aimbrain.EndpointSessions {
		raw, _ := find(c.members, "userId")
		id, _ := strictjson.String(raw) // "" if it is missing
		return id
	}
	raw, _ := find(c.members, "session")
	id, _ := strictjson.String(raw)
	if s := f.state.sessions[id]; s != nil {
		return s.userID
	}
	return ""
}

// recordStatus records the status of the response to a request.
func (f *Fake) recordStatus(r *Request, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Status = status
}

// Requests returns the requests that have arrived, oldest first: the last 10,000 of
// them, and no more than take 256 MB. CORS preflights are not among them.
func (f *Fake) Requests() []Request { return f.requests(func(*Request) bool { return true }) }

// RequestsTo returns the requests to one endpoint, see [Fake.Requests].
func (f *Fake) RequestsTo(endpoint string) []Request {
	return f.requests(func(r *Request) bool { return r.Endpoint == endpoint })
}

func (f *Fake) requests(want func(*Request) bool) []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []Request
	for _, r := range f.log.kept {
		if want(r) {
			found = append(found, *r)
		}
	}
	return found
}

// WaitForRequests waits until n requests have arrived since the fake's start, and
// returns the requests so far. They may still be under way. It returns an error if
// the context or the fake ends before.
func (f *Fake) WaitForRequests(ctx context.Context, n int) ([]Request, error) {
	for {
		f.mu.Lock()
		total, more := f.log.total, f.log.more
		f.mu.Unlock()
		if total >= n {
			return f.Requests(), nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return f.Requests(), fmt.Errorf("aimbraintest: %d of %d requests have arrived: %w", total, n, context.Cause(ctx))
		case <-f.stop.Done():
			return f.Requests(), fmt.Errorf("aimbraintest: %d of %d requests have arrived: %w", total, n, errClosed)
		}
	}
}

// Processed returns how many requests to an endpoint were processed. A request whose
// response was lost counts. A request that was refused does not count, nor does one
// that took a [Raw], [Code], [Status] or [RespondWith].
func (f *Fake) Processed(endpoint string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.processed[endpoint]
}

// AssertCount fails the test unless n requests to the endpoint have arrived.
func (f *Fake) AssertCount(t testing.TB, endpoint string, n int) {
	t.Helper()
	f.mu.Lock()
	arrived := f.log.arrived[endpoint]
	f.mu.Unlock()
	if arrived != n {
		t.Errorf("aimbraintest: %d requests to %s, not %d\nrequests that arrived: %s", arrived, endpoint, n, f.summary())
	}
}

// AssertNoRequests fails the test if a request has arrived.
func (f *Fake) AssertNoRequests(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	total := f.log.total
	f.mu.Unlock()
	if total != 0 {
		t.Errorf("aimbraintest: %d requests arrived, not 0: %s", total, f.summary())
	}
}

// summary returns the number of requests by endpoint, for the error of a test.
func (f *Fake) summary() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.log.total == 0 {
		return "none"
	}
	var parts []string
	for _, endpoint := range slices.Sorted(maps.Keys(f.log.arrived)) {
		parts = append(parts, fmt.Sprintf("%d to %s", f.log.arrived[endpoint], endpoint))
	}
	return strings.Join(parts, ", ")
}
