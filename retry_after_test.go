package aimbrain_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// limited responds with 429 and the given header.
func limited(header http.Header) httpmock.Responder {
	return httpmock.NewStringResponder(http.StatusTooManyRequests, `{"error":"slow down"}`).HeaderSet(header)
}

// asked makes one attempt and returns the wait that its response asked for.
func asked(t *testing.T, header http.Header) (time.Duration, bool) {
	t.Helper()
	client, _ := mocked(t, limited(header), noRetries())
	_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Recordings([]byte("voice")))
	var api *aimbrain.APIError
	assert.ErrorAs(t, err, &api)
	return api.RetryAfter()
}

func TestRetryAfter_DateIsReadByTheResponsesOwnDate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration // the server's clock, against the local one
		wait  time.Duration // what the server means
		date  string        // in place of the server's Date
		want  time.Duration
	}{
		"clocks agree":         {wait: 2 * time.Second, want: 2 * time.Second},
		"10 s ahead":           {ahead: 10 * time.Second, wait: 2 * time.Second, want: 2 * time.Second},
		"10 s behind":          {ahead: -10 * time.Second, wait: 2 * time.Second, want: 2 * time.Second},
		"an hour ahead":        {ahead: time.Hour, wait: 2 * time.Second, want: 2 * time.Second},
		"an hour behind":       {ahead: -time.Hour, wait: 2 * time.Second, want: 2 * time.Second},
		"a date that has gone": {ahead: time.Hour, wait: -time.Minute},
		"the same second":      {ahead: time.Hour},
		"Date missing":         {ahead: 10 * time.Second, wait: 2 * time.Second, date: "-", want: 12 * time.Second},
		"Date not readable":    {ahead: 10 * time.Second, wait: 2 * time.Second, date: "today", want: 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := time.Now().Add(c.ahead).UTC()
				header := http.Header{"Date": {server.Format(http.TimeFormat)}, "Age": {"60"}}
				header.Set("Retry-After", server.Add(c.wait).Format(http.TimeFormat))
				switch c.date {
				case "":
				case "-":
					header.Del("Date")
				default:
					header.Set("Date", c.date)
				}
				wait, given := asked(t, header)
				assert.True(t, given)
				assert.Equal(t, c.want, wait)
			})
		})
	}
}

func TestRetryAfter_LongerOfTwoFormsCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := time.Now().Add(time.Hour).UTC()
		for _, c := range []struct {
			seconds string
			want    time.Duration
		}{{"1", 3 * time.Second}, {"4", 4 * time.Second}} {
			wait, given := asked(t, http.Header{
				"Date":        {server.Format(http.TimeFormat)},
				"Retry-After": {c.seconds, server.Add(3 * time.Second).Format(http.TimeFormat)},
			})
			assert.True(t, given)
			assert.Equal(t, c.want, wait)
		}
	})
}
