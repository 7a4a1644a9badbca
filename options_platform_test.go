package aimbrain

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckPlatform_RefusesUnsupported(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		goos string
		want []string // in the error; none for a platform that is supported
	}{
		{goos: "js", want: []string{"js/wasm is not supported", "the API secret would be in the page", "your own server"}},
		{goos: "wasip1", want: []string{"wasip1/wasm is not supported", "no network connections"}},
		{goos: "linux"},
		{goos: "windows"},
		{goos: "darwin"},
		{goos: "freebsd"},
		{goos: runtime.GOOS}, // the tests run on supported platforms only
	} {
		t.Run(row.goos, func(t *testing.T) {
			t.Parallel()
			err := checkPlatform(row.goos)
			if row.want == nil {
				require.NoError(t, err)
				return
			}
			var config *ConfigError
			require.ErrorAs(t, err, &config)
			for _, want := range row.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}
