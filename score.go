package aimbrain

import (
	"context"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// RecommendedThreshold is the threshold that the vendor recommends to start
// with. There each module works at its equal error rate: as many impostors
// are let in as people are kept out. A risk engine moves it, up for a payment
// and down for a look at the balance.
const RecommendedThreshold = 0.5

// reaches compares a score with a threshold, and fails closed: a threshold
// that is not above 0, such as a setting that was never set, is met by nobody,
// and so is one that is not a number or above 1.
func reaches(score, threshold float64) bool {
	return threshold > 0 && threshold <= 1 && score >= threshold
}

// ScoreService reads the scores of a session so far. It is [Client.Score].
type ScoreService struct{ client *Client }

// A ScoreResult is what the API makes of a session so far.
type ScoreResult struct {
	Session  string          `json:"session"`  // the session asked for
	Scores   []ScoreEntry    `json:"scores"`   // one for each score that there is
	Metadata []ScoreMetadata `json:"metadata"` // what the API adds, nil for none
	Response Response        `json:"-"`        // the answer as it came
}

// A ScoreEntry is one score. What a high value means depends on its type, and
// the vendor does not document it for each, so that there is no Matches here:
// for a decision use the authentication calls.
type ScoreEntry struct {
	Type    string  `json:"type"`    // which score
	Version string  `json:"version"` // of the model behind it; a number as its digits
	Value   float64 `json:"value"`   // 0..1
}

// A ScoreMetadata is a named value that the API adds.
type ScoreMetadata struct {
	Name  string `json:"name"`
	Value string `json:"value"` // a string as it is, anything else as its JSON
}

// ByType returns the score of a type, and false when there is none or more than one.
func (r ScoreResult) ByType(scoreType string) (ScoreEntry, bool) {
	var found ScoreEntry
	count := 0
	for _, entry := range r.Scores {
		if entry.Type == scoreType {
			found = entry
			count++
		}
	}
	if count != 1 {
		return ScoreEntry{}, false
	}
	return found, true
}

// Get returns the scores of a session so far, AimAnomaly's from
// [BehaviourService.Submit] among them. An answer that names another session
// is a [*DecodeError].
func (s *ScoreService) Get(ctx context.Context, sessionID string, opts ...CallOption) (ScoreResult, error) {
	var into scoresOf
	into.session = sessionID
	response, err := (*service)(s).of().exchange(ctx, EndpointScore, opts, object(func(b *body) { b.session(sessionID) }), &into)
	if err != nil {
		return ScoreResult{}, err
	}
	into.Response = response
	return into.ScoreResult, nil
}

// scoresOf reads the scores of one session and refuses those of another.
type scoresOf struct {
	ScoreResult
	session string
}

func (r *scoresOf) decode(f *fields) {
	r.ScoreResult.decode(f)
	if r.Session != r.session {
		f.fail("it is about another session", nil)
	}
}

func (r *ScoreResult) decode(f *fields) {
	r.Session = f.text("session")
	r.Metadata = readScoreMetadata(f.raw("metadata"))
	r.Scores = nil
	scores, ok := f.required("scores")
	if !ok {
		return
	}
	elements, err := strictjson.Elements(nil, scores)
	if err != nil {
		f.fail(`"scores" is not an array`, err)
		return
	}
	for _, element := range elements {
		entry := fields{}
		entry.members, entry.err = strictjson.Object(entry.space[:0], element)
		if entry.err != nil {
			f.fail(`"scores" holds something else than objects`, entry.err)
			return
		}
		r.Scores = append(r.Scores, ScoreEntry{Type: entry.text("type"), Version: asText(entry.raw("version")), Value: entry.score("value")})
		if entry.err != nil {
			f.fail(`in "scores"`, entry.err)
			return
		}
	}
}

// readScoreMetadata reads what is there in the documented shape. One of
// another shape is not a fault of the answer.
func readScoreMetadata(raw []byte) []ScoreMetadata {
	elements, err := strictjson.Elements(nil, raw)
	if err != nil {
		return nil
	}
	var metadata []ScoreMetadata
	for _, element := range elements {
		members, err := strictjson.Object(nil, element)
		if err != nil {
			continue
		}
		f := fields{members: members}
		if name, err := strictjson.String(f.raw("name")); err == nil {
			metadata = append(metadata, ScoreMetadata{Name: name, Value: asText(f.raw("value"))})
		}
	}
	return metadata
}

// asText returns a string's content, and any other value's JSON.
func asText(raw []byte) string {
	if text, err := strictjson.String(raw); err == nil {
		return text
	}
	return string(raw)
}

func (r *ScoreResult) optional() bool      { return false }
func (r *ScoreResult) response() *Response { return &r.Response }
