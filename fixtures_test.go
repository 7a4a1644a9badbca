package aimbrain_test

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	fixtures "github.com/aimbrain/aimbrain-go/internal/fixture"
)

// TestTestdata_IsOfTheFormOfFixtures: the bytes of the requests are compared by
// TestCalls. Here the same files are compared as fixtures, as a user of Record does.
func TestTestdata_IsOfTheFormOfFixtures(t *testing.T) {
	t.Parallel()
	endpoints := map[string]bool{}
	for _, pattern := range []string{"testdata/calls/*", "testdata/errors/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(files), 11, "%s", pattern)
		for _, file := range files {
			recorded, err := fixtures.ReadFile(file)
			require.NoError(t, err)
			want, err := recorded.Response.Body.Literal()
			require.NoError(t, err)
			sent, err := recorded.Request.Body.Literal()
			require.NoError(t, err)
			if strings.HasPrefix(pattern, "testdata/calls") {
				endpoints[recorded.Request.Path] = true
				name := strings.ReplaceAll(strings.TrimPrefix(recorded.Request.Path, "/v1/"), "/", "-") + ".json"
				assert.Equal(t, name, filepath.Base(file))
				assert.Equal(t, 200, recorded.Response.Status)
			} else {
				assert.Equal(t, strconv.Itoa(recorded.Response.Status), filepath.Base(file)[:3], "%s", file)
			}

			replay, compared := fixtures.NewReplay(), 0
			client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				assert.Empty(t, replay.Compare(recorded.Request, r.Method, r.URL, r.Header, body), "%s", file)
				compared++
				reply, size := replay.Body(recorded.Response.Body)
				return &http.Response{StatusCode: recorded.Response.Status, ContentLength: int64(size), Body: io.NopCloser(reply)}, nil
			}, noRetries())
			response, err := client.Forward(t.Context(), recorded.Request.Path, sent)
			got := response.Body
			var failed *aimbrain.APIError
			if errors.As(err, &failed) {
				got = failed.Body
			}
			assert.Equal(t, string(want), string(got), "%s", file)
			assert.Equal(t, 1, compared)
		}
	}
	for _, endpoint := range aimbrain.Endpoints() {
		assert.True(t, endpoints[endpoint], "no fixture for %s", endpoint)
	}
}
