package relay

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// An exchange is what a request to the API has led to. Its score is for the policy and
// the audit log alone.
type exchange struct {
	err      error
	response aimbrain.Response
	took     time.Duration
}

// send sends a prepared request in a context of its own: when the app disconnects, the
// request is still finished and what follows of it recorded.
func (h *Handler) send(ctx context.Context, prepared *aimbrain.PreparedRequest) exchange {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), upstreamTime)
	defer cancel()
	began := time.Now()
	result, err := prepared.Send(ctx)
	return exchange{err: err, response: result, took: time.Since(began)}
}

// outcomeOf returns what an error means for an attempt.
func outcomeOf(err error, auth bool) outcome {
	var api *aimbrain.APIError
	isAPI := errors.As(err, &api)
	switch aimbrain.OutcomeOf(err) {
	case aimbrain.OutcomeNotSent:
		return notSent
	case aimbrain.OutcomeRefused:
		if isAPI && !api.Gateway && (api.Action() == aimbrain.ActionRetake || api.Action() == aimbrain.ActionFixMedia) {
			return again
		}
		return refused
	case aimbrain.OutcomeUnknown:
		if auth && isAPI && api.StatusCode >= 500 && api.Attempts <= 1 && wasReadToItsEnd(api) {
			if api.Action() == aimbrain.ActionRetake || api.Action() == aimbrain.ActionFixMedia {
				return again
			}
			return refused // it has no score
		}
	case aimbrain.OutcomeSucceeded:
	}
	return unclear
}

// wasReadToItsEnd reports whether an error response was complete, as far as that can be
// known: it is whole JSON, or as long as its header says.
func wasReadToItsEnd(e *aimbrain.APIError) bool {
	if !e.Gateway {
		return true
	}
	length, err := strconv.Atoi(e.Header.Get("Content-Length"))
	return err == nil && length == len(e.Body)
}

// explain returns the response to an app for an error of a request to the API that was
// not processed.
func explain(err error) response {
	var api *aimbrain.APIError
	errors.As(err, &api)
	switch aimbrain.ActionOf(err) {
	case aimbrain.ActionRetake:
		return response{Result: retake, Advice: aimbrain.PromptOf(err)}
	case aimbrain.ActionFixMedia:
		return refuse(codeMedia)
	case aimbrain.ActionEnroll:
		return refuse(codeNotEnrolled)
	case aimbrain.ActionRequestToken:
		return refuse(codeTokenRequired)
	case aimbrain.ActionNewSession:
		return refuse(codeSession)
	case aimbrain.ActionFixRequest:
		if api != nil && api.StatusCode == http.StatusBadRequest && !api.Gateway {
			return refuse(codeInvalid).because("the API does not accept the request")
		}
	case aimbrain.ActionRetryLater:
		wait := 5 * time.Second
		if api != nil {
			if asked, given := api.RetryAfter(); given {
				wait = min(asked, time.Minute)
			}
		}
		return refuse(codeUnavailable).after(wait)
	case aimbrain.ActionUnknown, aimbrain.ActionCheckCredentials, aimbrain.ActionContactVendor, aimbrain.ActionCheckGateway, aimbrain.ActionConfirm, aimbrain.ActionFixConfig:
	}
	return refuse(codeUpstream)
}

// maybeProcessed is the response when the outcome is unknown.
func maybeProcessed() response {
	r := refuse(codeUnknown)
	r.MaybeProcessed = true
	return r
}
