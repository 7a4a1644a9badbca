package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// refuse responds to the app with the error of a call. The text of the error is for
// the log only: it may hold what the API or a gateway wrote.
func refuse(w http.ResponseWriter, err error) {
	action := aimbrain.ActionOf(err)
	switch {
	case action == aimbrain.ActionUnknown: // not an error of the library
		http.Error(w, "something went wrong", http.StatusInternalServerError)
	case aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown:
		http.Error(w, "something went wrong", http.StatusBadGateway) // no Retry-After: the request may have been processed
	case action == aimbrain.ActionRetake:
		http.Error(w, aimbrain.PromptOf(err), http.StatusUnprocessableEntity)
	case action == aimbrain.ActionFixMedia:
		http.Error(w, "this file cannot be used", http.StatusUnprocessableEntity)
	case action == aimbrain.ActionEnroll, action == aimbrain.ActionRequestToken:
		http.Error(w, action.String()+" first", http.StatusConflict)
	case action == aimbrain.ActionNewSession:
		http.Error(w, "log in again", http.StatusUnauthorized)
	case action == aimbrain.ActionRetryLater:
		wait := 5 * time.Second
		var api *aimbrain.APIError
		if errors.As(err, &api) {
			if asked, given := api.RetryAfter(); given {
				wait = min(asked, time.Minute)
			}
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Round(time.Second)/time.Second)))
		http.Error(w, "not now", http.StatusServiceUnavailable)
	default: // credentials, configuration, a defect in this program
		http.Error(w, "something went wrong", http.StatusInternalServerError)
	}
}
