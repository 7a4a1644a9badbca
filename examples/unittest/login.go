// Package login is a bank's code that uses aimbrain-go. Its test shows how to test
// such code without a network and without a real face.
package login

import (
	"context"
	"errors"
	"fmt"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// Results of a log-in that the user must see.
var (
	ErrRefused = errors.New("the face does not match")
	ErrRetake  = errors.New("the picture is not good enough")
	ErrUnknown = errors.New("enrol first")
	ErrSoon    = errors.New("not ready yet: try again in a minute")
)

// WithFace logs a user in by a photo of their face.
func WithFace(ctx context.Context, client *aimbrain.Client, userID string, selfie []byte) error {
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: userID, Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		return fmt.Errorf("log-in: %w", err)
	}
	switch session.Face {
	case aimbrain.Enrolled:
	case aimbrain.Building: // enrolled, but not ready: a second enrolment would be wrong
		return ErrSoon
	default:
		return ErrUnknown
	}
	result, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(selfie))
	var api *aimbrain.APIError
	switch {
	case errors.As(err, &api) && api.Action() == aimbrain.ActionRetake:
		return fmt.Errorf("%w: %s", ErrRetake, api.Remedy())
	case err != nil:
		return fmt.Errorf("log-in: %w", err)
	case !result.Matches(aimbrain.RecommendedThreshold):
		return ErrRefused
	}
	return nil
}
