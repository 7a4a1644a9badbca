package calls

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A User is a user of the harness. The number identifies the user in each request
// and each response.
type User int

// Name is the user's identifier.
func (u User) Name() string { return fmt.Sprintf("user-%07d", int(u)) }

// Session is the user's session.
func (u User) Session() string { return u.Name() + "-session" }

// Media returns bytes that are not a photo and contain the user's name.
func (u User) Media() []byte { return []byte("\xff\xd8" + u.Name() + " and a few bytes more") }

// Score is the user's score, which is never 0.
func (u User) Score() float64 { return float64(u%997+1) / 1000 }

// ScoreText is the user's score as it is written in the user's responses.
func (u User) ScoreText() string { return strconv.FormatFloat(u.Score(), 'g', -1, 64) }

// Count is a count that identifies the user and is never 0.
func (u User) Count() int { return int(u) + 1 }

// UserOf returns the user of a request's body, or -1 if it names none. The user is
// in the user's identifier, in the session or in the first medium.
func UserOf(body []byte) int {
	var request map[string]json.RawMessage
	if json.Unmarshal(body, &request) != nil {
		return -1
	}
	names := append([]string{"userId", "session"}, slices.Sorted(maps.Keys(request))...)
	for _, name := range names {
		if user, ok := userIn(request[name]); ok {
			return user
		}
	}
	return -1
}

func userIn(member json.RawMessage) (user int, ok bool) {
	var text string
	var media []string
	switch {
	case json.Unmarshal(member, &text) == nil:
	case json.Unmarshal(member, &media) == nil && len(media) > 0:
		raw, _ := base64.StdEncoding.DecodeString(media[0]) // what is no base64 names nobody
		text = string(raw)
	}
	_, text, found := strings.Cut(text, "user-")
	if !found || len(text) < 7 {
		return 0, false
	}
	user, err := strconv.Atoi(text[:7])
	return user, err == nil
}
