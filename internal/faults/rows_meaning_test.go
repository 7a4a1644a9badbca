package faults_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

// gatewayStatuses has a gateway in front of the API respond with a status that has
// another meaning for the API.
func gatewayStatuses() []cell {
	bodies := map[string]string{"HTML": "<html><body>blocked</body></html>", "JSON of another form": `{"message":"blocked"}`, "no body": ""}
	var cells []cell
	for _, code := range []int{401, 403, 404, 413, 424} {
		for name, body := range bodies {
			cells = append(cells, each(strconv.Itoa(code)+" "+name, faults.HTTP1, script(refused.and(func(t *testing.T, s *seen) {
				t.Helper()
				err := s.api(t)
				assert.True(t, err.Gateway)
				assert.ErrorIs(t, s.err, aimbrain.HTTPStatus(code))
				for _, kind := range []aimbrain.ErrorKind{aimbrain.ErrUnauthorized, aimbrain.ErrSessionNotFound, aimbrain.ErrNotEnrolled, aimbrain.ErrMediaRejected} {
					assert.NotErrorIs(t, s.err, kind)
				}
				assert.NotEqual(t, aimbrain.ActionNewSession, err.Action(), "a new session would fail in the same way")
				assert.NotEmpty(t, err.Remedy())
			}), replies(code, body, false)))...)
		}
	}
	return cells
}

// errorBesideResult adds an error to the valid response with status 200.
func errorBesideResult() []cell {
	var cells []cell
	for _, member := range []string{`"error":"no"`, `"Error":"no"`, `"errors":[{"code":1,"description":"no"}]`} {
		cells = append(cells, each(member, faults.HTTP1, script(unusable, func(x *faults.Exchange) {
			x.Execute()
			right := valid(x)
			comma := ","
			if right == "{}" {
				comma = ""
			}
			x.Reply(200, "{"+member+comma+right[1:])
		}))...)
	}
	return cells
}

// scoresBesideThresholds has a score whose text is below a threshold, and whose
// nearest float64 is not.
func scoresBesideThresholds() []cell {
	scoring := calls.Where(func(c calls.Call) bool { return len(c.ScoreNames()) > 0 })
	text := func(score string) faults.Script {
		return func(x *faults.Exchange) {
			x.Execute()
			body := calls.To(x.Endpoint).Response(x.User)
			x.Reply(200, strings.ReplaceAll(body, ":"+calls.User(x.User).ScoreText(), ":"+score))
		}
	}
	var cells []cell
	for score, threshold := range map[string]float64{"0.49999999999999999": 0.5, "0.89999999999999999": 0.9, "0.99999999999999999": 1} {
		cells = append(cells, these(scoring, score, faults.HTTP1, func(t *testing.T, l *lab, c cell) {
			t.Helper()
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, text(score))
			require.NoError(t, err)
			defer server.Close()
			client, err := server.NewClient(quick()...)
			require.NoError(t, err)
			defer client.Close()
			result, err := c.call.Do(t.Context(), client, user)
			require.NoError(t, err)
			scores := calls.Scores(result)
			assert.NotEmpty(t, scores)
			for _, score := range scores {
				assert.Less(t, score.Value, threshold, score.Name)
				assert.Greater(t, score.Value, threshold-1e-9, score.Name)
			}
		})...)
	}
	return append(cells, these(scoring, "1.00000000000000001", faults.HTTP1, script(unusable, text("1.00000000000000001")))...)
}
