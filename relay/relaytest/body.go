package relaytest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// A drip is a body that arrives at a rate in the bubble's time, after a head that
// arrives at once. It breaks when end is closed, or after a time.
type drip struct {
	head      string
	perSecond int // 0 for as fast as it is read
	size      int64
	end       <-chan struct{}
	began     time.Time

	read atomic.Int64
}

// maxDrip is when a body breaks that nobody has ended.
const maxDrip = 10 * time.Minute

func (d *drip) Read(p []byte) (int, error) {
	if n := copy(p, d.head); n > 0 {
		d.head = d.head[n:]
		d.read.Add(int64(n))
		return n, nil
	}
	n := len(p)
	if d.perSecond > 0 {
		if d.began.IsZero() {
			d.began = time.Now()
		}
		select {
		case <-time.After(time.Second):
		case <-d.end:
			return 0, io.ErrUnexpectedEOF
		}
		if time.Since(d.began) > maxDrip {
			return 0, io.ErrUnexpectedEOF
		}
		n = min(n, d.perSecond)
	}
	if d.size > 0 && d.read.Load() >= d.size {
		return 0, io.EOF
	}
	clear(p[:n])
	for i := range p[:n] {
		p[i] = ' '
	}
	d.read.Add(int64(n))
	return n, nil
}

// bodyAttacks are about what a body holds and how it arrives.
func bodyAttacks() []attack {
	const maxRead = 16 << 20 // of what a user sends
	return []attack{
		{"Body_Huge", "a body beyond the API's 2 MB must be refused", func(a *attacker) {
			c := a.faceCall(Ada, a.session(Ada), string(Ada))
			c.body += strings.Repeat(" ", 3<<20)
			a.stops("3 MiB", c)
		}},
		{"Body_Endless", "a body without end must be refused after a few MB", func(a *attacker) {
			c := a.faceCall(Ada, a.session(Ada), string(Ada))
			body := &drip{head: c.body, size: 4 * maxRead}
			c.reader = body
			a.stops("no end", c)
			if n := body.read.Load(); n > maxRead {
				a.problem("%d bytes are read", n)
			}
		}},
		{"Body_Slow", "a body that arrives too slowly must end", func(a *attacker) {
			session := a.session(Ada)
			end := make(chan struct{})
			defer close(end)
			for _, rate := range []int{1, 500} {
				c := call{who: Ada, endpoint: aimbrain.EndpointFaceAuth, reader: &drip{head: `{"session":"` + session + `"`, perSecond: rate, end: end}}
				if got := a.send(c); got.took > 2*time.Minute {
					a.problem("%d bytes a second hold the relay for %v", rate, got.took)
				}
			}
		}},
		{"Body_HoldsMemory", "the slow bodies of a user must not take the memory or the service from others", func(a *attacker) {
			session, bob := a.session(Ada), a.session(Bob)
			end := make(chan struct{})
			var group sync.WaitGroup
			var held atomic.Int64
			for range 32 {
				group.Go(func() {
					body := &drip{head: `{"session":"` + session + `"` + strings.Repeat(" ", 1<<20), perSecond: 8000, end: end}
					before := time.Now()
					a.send(call{who: Ada, endpoint: aimbrain.EndpointFaceAuth, reader: body})
					if time.Since(before) >= 5*time.Second {
						held.Add(body.read.Load())
					}
				})
			}
			pass(5 * time.Second)
			if got := a.face(Bob, bob, string(Bob)); !got.passed() {
				a.problem("Bob gets %d %.100s", got.status, got.body)
			}
			close(end)
			group.Wait()
			if n := held.Load(); n > maxRead {
				a.problem("%d bytes are held", n)
			}
			if got := a.face(Ada, session, string(Ada)); !got.passed() {
				a.problem("the room is not given back: %d %.100s", got.status, got.body)
			}
		}},
		{"Body_Compressed", "a compressed body must be refused", func(a *attacker) {
			c := a.faceCall(Ada, a.session(Ada), string(Ada))
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, err := io.WriteString(w, c.body)
			a.must(err == nil && w.Close() == nil, "gzip: %v", err)
			c.reader = &b
			for _, encoding := range []string{"gzip", "deflate", "br", "identity, gzip"} {
				c.edit = func(r *http.Request) { r.Header.Set("Content-Encoding", encoding) }
				c.reader = bytes.NewReader(b.Bytes())
				a.stops(encoding, c)
			}
		}},
		{"Body_NotStrictJSON", "a body that two parsers read differently must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			for what, change := range map[string]func(string) string{
				"data after it":      func(s string) string { return s + "{}" },
				"cut":                func(s string) string { return s[:len(s)-2] },
				"byte order mark":    func(s string) string { return "\ufeff" + s },
				"comment":            func(s string) string { return "/**/" + s },
				"trailing comma":     func(s string) string { return strings.TrimSuffix(s, "}") + ",}" },
				"single quotes":      func(s string) string { return strings.ReplaceAll(s, `"`, "'") },
				"invalid UTF-8":      func(s string) string { return strings.TrimSuffix(s, "}") + ",\"metadata\":\"\xff\"}" },
				"raw control":        func(s string) string { return strings.TrimSuffix(s, "}") + ",\"metadata\":\"\x01\"}" },
				"duplicate metadata": func(s string) string { return strings.TrimSuffix(s, "}") + `,"metadata":"QQ==","metadata":"QQ=="}` },
				"empty":              func(string) string { return "" },
				"null":               func(string) string { return "null" },
			} {
				c := a.faceCall(Ada, session, string(Ada))
				c.body = change(c.body)
				a.stops(what, c)
			}
		}},
		{"Body_DeepNesting", "deep nesting must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
			a.stops("100,000 levels", call{who: Ada, endpoint: aimbrain.EndpointBehaviour, body: `{"session":"` + session + `","touches":` + deep + `}`})
		}},
		{"Body_UnknownMember", "a member that is not known must not reach the API", func(a *attacker) {
			session := a.session(Ada)
			for _, member := range []string{`"threshold":0`, `"user":"x"`, `"debug":true`, `"faces1":[]`, `"voices":["QUJD"]`} {
				c := a.faceCall(Ada, session, string(Ada))
				c.body = strings.TrimSuffix(c.body, "}") + "," + member + "}"
				a.stops(member, c)
			}
		}},
	}
}
