package faults_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// spoilt responds with 200 and a changed valid response.
func spoilt(w want, change func(string) string, header ...string) run {
	return script(w, func(x *faults.Exchange) {
		x.Execute()
		x.Reply(200, change(valid(x)), header...)
	})
}

// adding inserts members before those of the valid response.
func adding(members string) func(string) string {
	return func(s string) string {
		if s == "{}" {
			return "{" + members + "}"
		}
		return "{" + members + "," + s[1:]
	}
}

func instead(body string) func(string) string { return func(string) string { return body } }

func htmlResponse() []cell {
	return both(each, "", spoilt(unusable, instead("<html>welcome</html>"), "Content-Type", "text/html"))
}

func otherContentType() []cell {
	same := func(s string) string { return s }
	return join(
		each("text/plain", faults.HTTP1, spoilt(fine, same, "Content-Type", "text/plain")),
		each("text/html", faults.HTTP2, spoilt(fine, same, "Content-Type", "text/html")),
	)
}

// sized returns a response of n bytes.
func sized(n int) func(string) string {
	return func(s string) string {
		without := adding(`"pad":""`)(s)
		return adding(`"pad":"` + strings.Repeat("p", n-len(without)) + `"`)(s)
	}
}

func overLimit() []cell {
	return join(
		both(each, "the limit and 1", spoilt(oversized, sized(aimbrain.MaxResponseBytes+1))),
		each("the limit", faults.HTTP1, spoilt(fine, sized(aimbrain.MaxResponseBytes))),
	)
}

func endlessResponse() []cell {
	return both(each, "", script(oversized, func(x *faults.Exchange) {
		x.Execute()
		piece := strings.Repeat(" ", 64<<10)
		for x.Write(piece) {
		}
	}))
}

func gzipBomb() []cell {
	var bomb bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed) // the level is valid
	_, _ = writer.Write([]byte(`{"pad":"`))
	for range 8 {
		_, _ = writer.Write(bytes.Repeat([]byte("p"), 1<<20))
	}
	_ = writer.Close()
	unread := unusable.and(func(t *testing.T, s *seen) {
		t.Helper()
		var err *aimbrain.DecodeError
		require.ErrorAs(t, s.err, &err)
		assert.LessOrEqual(t, len(err.Body), bomb.Len(), "it was unpacked")
	})
	return both(each, "8 MB", spoilt(unread, instead(bomb.String()), "Content-Encoding", "gzip"))
}

func nameTwice() []cell {
	return join(
		each("in the object", faults.HTTP1, spoilt(unusable, adding(`"z":1,"z":2`))),
		each("under an escape", faults.HTTP1, spoilt(unusable, adding(`"z":1,"\u007a":2`))),
		each("deep down", faults.HTTP1, spoilt(unusable, adding(`"d":[{"z":1,"z":1}]`))),
		these(calls.Where(needsBody), "the call's own member", faults.HTTP1, spoilt(unusable, func(s string) string {
			return adding(firstMember().FindString(s)[1:])(s)
		})),
	)
}

// firstMember finds the first member of a response, with the brace before it.
func firstMember() *regexp.Regexp { return regexp.MustCompile(`^\{"\w+":("[^"]*"|[\d.]+)`) }

// replaced responds with the first member, which holds the result, changed by its
// name and value.
func replaced(w want, change func(name, value string) string) run {
	return script(w, func(x *faults.Exchange) {
		x.Execute()
		right := valid(x)
		member := firstMember().FindString(right)
		name, value, _ := strings.Cut(member[len(`{"`):], `":`)
		x.Reply(200, "{"+change(name, value)+right[len(member):])
	})
}

func otherCase() []cell {
	return join(
		these(calls.Where(needsBody), "alone", faults.HTTP1, replaced(unusable, func(name, value string) string {
			return `"` + strings.ToUpper(name) + `":` + value
		})),
		these(calls.Where(needsBody), "beside the right one", faults.HTTP1, replaced(fine, func(name, value string) string {
			return `"` + name + `":` + value + `,"` + strings.ToUpper(name) + `":0.999`
		})),
	)
}

func nestedDeep() []cell {
	return both(each, "", spoilt(unusable, adding(`"deep":`+strings.Repeat("[", 10_001)+strings.Repeat("]", 10_001))))
}

func wrongTypes() []cell {
	var cells []cell
	for _, wrong := range []string{`[]`, `{}`, `true`} {
		cells = append(cells, these(calls.Where(needsBody), wrong, faults.HTTP1, replaced(unusable, func(name, _ string) string {
			return `"` + name + `":` + wrong
		}))...)
	}
	cells = append(cells, these(calls.Where(needsBody), "text for a number, a number for text", faults.HTTP1, replaced(unusable, func(name, value string) string {
		if value[0] == '"' {
			return `"` + name + `":1`
		}
		return `"` + name + `":"` + value + `"`
	}))...)
	for _, whole := range []string{`[]`, `"text"`, `1`, `null`} {
		cells = append(cells, each("all of it "+whole, faults.HTTP1, spoilt(unusable, instead(whole)))...)
	}
	return cells
}

// scores makes cells for all scores of all responses with scores.
func scores(variant string, change func(name, value string) string) []cell {
	var cells []cell
	for _, call := range calls.All() {
		for _, name := range call.ScoreNames() {
			member := regexp.MustCompile(`"` + name + `":([\d.]+)`)
			cells = append(cells, cell{variant: name + " " + variant, protocol: faults.HTTP1, call: call, run: spoilt(unusable, func(s string) string {
				return member.ReplaceAllStringFunc(s, func(found string) string { return change(name, found) })
			})})
		}
	}
	return cells
}

func badScores() []cell {
	var cells []cell
	for _, value := range []string{"NaN", "1e999", "-0.1", "1.1"} {
		cells = append(cells, scores(value, func(name, _ string) string { return `"` + name + `":` + value })...)
	}
	return cells
}

func noScore() []cell {
	return join(
		scores("missing", func(string, string) string { return `"nothing":0.9` }),
		scores("null", func(name, _ string) string { return `"` + name + `":null` }),
	)
}

func badText() []cell {
	return join(
		each("invalid UTF-8", faults.HTTP1, spoilt(unusable, adding("\"t\":\"\xff\""))),
		each("lone surrogate", faults.HTTP1, spoilt(unusable, adding(`"t":"\ud800"`))),
	)
}

func dataAfter() []cell {
	return join(
		each("another value", faults.HTTP1, spoilt(unusable, func(s string) string { return s + s })),
		each("a letter", faults.HTTP2, spoilt(unusable, func(s string) string { return s + " x" })),
	)
}

func byteOrderMark() []cell {
	return each("", faults.HTTP1, spoilt(unusable, func(s string) string { return "\ufeff" + s }))
}

func oddErrors() []cell {
	million := `{"error":"e","errors":[` + strings.Repeat(`{"code":1},`, 1_000_000) + `{"code":1}]}`
	many := `{"error":"e","errors":[` + strings.Repeat(`{"code":1},`, 1000) + `{"code":1}]}`
	bounded := func(details int) want {
		return refused.and(func(t *testing.T, s *seen) {
			t.Helper()
			err := s.api(t)
			assert.Equal(t, 422, err.StatusCode)
			assert.Len(t, err.Details, details)
			assert.LessOrEqual(t, len(err.Body), 64<<10)
			assert.LessOrEqual(t, len(err.Message), 256)
			assert.Less(t, len(err.Error()), 2<<10)
		})
	}
	return join(
		each("empty", faults.HTTP1, script(bounded(0), replies(422, `{"error":"e","errors":[]}`, false))),
		each("null", faults.HTTP1, script(bounded(0), replies(422, `{"error":"e","errors":null}`, false))),
		each("a thousand", faults.HTTP1, script(bounded(64), replies(422, many, false))),
		each("a million", faults.HTTP1, script(bounded(0), replies(422, million, false))),
	)
}

func echoes() []cell {
	var cells []cell
	for name, body := range map[string]string{
		"JSON":    fmt.Sprintf(`{"error":"bad %s of %s","errors":[{"code":1,"description":"%s"}]}`, faults.Secret, faults.Key, faults.Secret),
		"HTML":    "<p>bad " + faults.Secret + " of " + faults.Key,
		"escaped": `{"error":"` + escaped(faults.Secret) + `"}`,
	} {
		cells = append(cells, each(name, faults.HTTP1, script(refused.and(hidden), replies(401, body, false, "X-Echo", faults.Secret)))...)
	}
	return cells
}

func escaped(s string) string {
	var out strings.Builder
	for _, r := range s {
		fmt.Fprintf(&out, `\u%04x`, r)
	}
	return out.String()
}

// hidden checks that no credential is in an error in any form.
func hidden(t *testing.T, s *seen) {
	t.Helper()
	err := s.api(t)
	forms := []string{string(err.Body), err.Message}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		forms = append(forms, fmt.Sprintf(verb, err), fmt.Sprintf(verb, *err))
	}
	for _, form := range forms {
		assert.NotContains(t, form, faults.Secret)
		assert.NotContains(t, form, faults.Key)
		assert.NotContains(t, form, escaped(faults.Secret))
		assert.NotContains(t, form, fmt.Sprintf("%x", faults.Secret))
	}
}
