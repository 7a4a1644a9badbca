package aimbrain

import (
	"context"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// A TokenType says what a token is for. The constants are those that the
// vendor names; any other value is sent unchanged.
type TokenType string

// The token types: one for each of the steps of an enrolment, and one for
// authentication. The vendor documents the enrolment's up to 5, and its
// command-line client names a sixth.
const (
	TokenEnroll1 TokenType = "enroll-1"
	TokenEnroll2 TokenType = "enroll-2"
	TokenEnroll3 TokenType = "enroll-3"
	TokenEnroll4 TokenType = "enroll-4"
	TokenEnroll5 TokenType = "enroll-5"
	TokenEnroll6 TokenType = "enroll-6"
	TokenAuth    TokenType = "auth"
)

// EnrollTokens lists the types of the five documented steps of an enrolment,
// in their order.
func EnrollTokens() []TokenType {
	return []TokenType{TokenEnroll1, TokenEnroll2, TokenEnroll3, TokenEnroll4, TokenEnroll5}
}

// A Token is what a user is to say aloud while being recorded.
type Token struct {
	Text     string   `json:"token"` // to show to the user: digits such as "6-6-7", or a sentence
	Response Response `json:"-"`     // the unchanged response
}

func token(ctx context.Context, s *service, endpoint, sessionID string, tokenType TokenType, opts []CallOption) (Token, error) {
	return do(ctx, s, endpoint, opts, payload.Object(func(b *payload.Builder) {
		b.String("session", sessionID, "the session ID")
		b.String("tokentype", string(tokenType), "the token type")
	}), readToken)
}

// session writes the member that most requests begin with.
func readToken(members *jsonfields.Object, response Response) Token {
	return Token{Text: members.Text("token"), Response: response}
}
