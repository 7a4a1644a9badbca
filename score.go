package aimbrain

import (
	"context"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// RecommendedThreshold is the threshold that the vendor recommends to start
// with. There each module works at its equal error rate: as many impostors
// are let in as people are kept out. A risk engine moves it, up for a payment
// and down for a look at the balance.
const RecommendedThreshold = 0.5

// reaches compares a score with a threshold, and fails closed: a threshold
// that is not above 0, such as a setting that was never set, is reached by no score,
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
	Response Response        `json:"-"`        // the unchanged response
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
// [BehaviourService.Submit] among them. A response that names another session
// is a [*DecodeError].
func (s *ScoreService) Get(ctx context.Context, sessionID string, opts ...CallOption) (ScoreResult, error) {
	return do(ctx, (*service)(s), EndpointScore, opts, payload.Object(func(b *payload.Builder) { b.String("session", sessionID, "the session ID") }), func(members *jsonfields.Object, response Response) ScoreResult {
		result := readScore(members, response)
		if result.Session != sessionID {
			members.Fail("it is about another session", nil)
		}
		return result
	})
}

func readScore(members *jsonfields.Object, response Response) ScoreResult {
	result := ScoreResult{Session: members.Text("session"), Metadata: readScoreMetadata(members.Raw("metadata")), Response: response}
	for _, element := range members.Array("scores") {
		var entry jsonfields.Object
		entry.Parse(element)
		result.Scores = append(result.Scores, ScoreEntry{Type: entry.Text("type"), Version: asText(entry.Raw("version")), Value: entry.Score("value")})
		if entry.Err() != nil {
			members.Fail(`in "scores"`, entry.Err())
		}
	}
	return result
}

// readScoreMetadata reads what is there in the documented shape. One of
// another shape is not a fault of the response.
func readScoreMetadata(raw []byte) []ScoreMetadata {
	elements, err := strictjson.Elements(nil, raw)
	if err != nil {
		return nil
	}
	var metadata []ScoreMetadata
	for _, element := range elements {
		var entry jsonfields.Object
		entry.Parse(element)
		if name, err := strictjson.String(entry.Raw("name")); err == nil {
			metadata = append(metadata, ScoreMetadata{Name: name, Value: asText(entry.Raw("value"))})
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
