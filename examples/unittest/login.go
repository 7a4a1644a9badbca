// Package login is a bank's code that uses aimbrain-go; its test shows how to
// test such code without a network, and without a face.
package login

import (
	"context"
	"errors"
	"fmt"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// Outcomes of a log-in that are the user's business.
var (
	ErrRefused = errors.New("it is somebody else")
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
	case aimbrain.Building: // enrolled, but not ready: enrolling again would be wrong
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
