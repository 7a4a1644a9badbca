// Package endpoints is the table of the API's endpoints. Everything that depends
// on the endpoint derives from its row.
package endpoints

import (
	"slices"
	"strings"
)

// A Repeat says whether a request that may have been processed may be retried.
type Repeat int

// The classes. The zero value allows no retry.
const (
	Never  Repeat = iota // it changes what is stored about a person
	OptIn                // it does little harm, so that the caller decides
	Always               // it reads only
)

// A Module is what an endpoint is about.
type Module int

// The modules.
const (
	None Module = iota
	Face
	Voice
	Behaviour
)

// An Endpoint is one row of the table.
type Endpoint struct {
	Path    string   // such as "/v1/face/auth"
	Repeat  Repeat   // whether it may be retried
	Module  Module   // what it is about
	Session bool     // the request has a "session"
	Media   []string // the members of the request that are arrays of media
	Scores  []string // the members of the response that are scores from 0 to 1
	Empty   bool     // the response may be empty
	List    string   // the member of the response that is an array of scores
}

var table = [...]Endpoint{ //nolint:gochecknoglobals // a table that is never written
	{Path: "/v1/sessions", Repeat: OptIn},
	{Path: "/v1/behavioural", Module: Behaviour, Session: true, Scores: []string{"score"}},
	{Path: "/v1/behavioural/submit", Module: Behaviour, Session: true, Empty: true},
	{Path: "/v1/score", Repeat: Always, Session: true, List: "scores"},
	{Path: "/v1/face/token", Repeat: OptIn, Module: Face, Session: true},
	{Path: "/v1/face/enroll", Module: Face, Session: true, Media: []string{"faces"}},
	{Path: "/v1/face/auth", Repeat: OptIn, Module: Face, Session: true, Media: []string{"faces"}, Scores: []string{"score", "liveliness"}},
	{Path: "/v1/face/compare", Repeat: Always, Module: Face, Media: []string{"faces1", "faces2"}, Scores: []string{"score", "liveliness1", "liveliness2"}},
	{Path: "/v1/voice/token", Repeat: OptIn, Module: Voice, Session: true},
	{Path: "/v1/voice/enroll", Module: Voice, Session: true, Media: []string{"voices"}},
	{Path: "/v1/voice/auth", Repeat: OptIn, Module: Voice, Session: true, Media: []string{"voices"}, Scores: []string{"score", "liveliness"}},
}

// All returns the table, in the order of the vendor's documentation.
func All() []Endpoint { return slices.Clone(table[:]) }

// Find returns the row of a path. The row of an unknown path has the path alone:
// such a request is never repeated, and its response may be empty.
func Find(path string) (row Endpoint, known bool) {
	for i := range table {
		if table[i].Path == path {
			return table[i], true
		}
	}
	return Endpoint{Path: path, Empty: true}, false
}

// Clean returns a path as it is sent and signed, in lower case, or an error.
func Clean(path string) (clean, problem string) {
	switch {
	case !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		return "", "must begin with one slash, as in /v1/face/auth"
	case strings.ContainsFunc(path, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-_.~", r)
	}):
		return "", "holds a character that an endpoint cannot: no query, no fragment, no escapes"
	case strings.Contains(path, "/./"), strings.Contains(path, "/../"), strings.HasSuffix(path, "/."), strings.HasSuffix(path, "/.."), strings.Contains(path, "//"):
		return "", "must not hold empty, . or .. segments"
	}
	return strings.ToLower(path), ""
}
