package redact_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/redact"
)

func TestText(t *testing.T) {
	t.Parallel()
	const long, short = "canary+secret/93e0", "k1"
	redactor := redact.New(func() []string { return []string{short, long} })
	tests := []struct{ name, text, want string }{
		{name: "nothing", text: "connection refused", want: "connection refused"},
		{name: "as it is", text: "key " + long + "!", want: "key [redacted]!"},
		{name: "within a word", text: "x" + long + "x", want: "x[redacted]x"},
		{name: "a short one alone", text: "key k1, k1", want: "key [redacted], [redacted]"},
		{name: "a short one in a word", text: "disk1 k12", want: "disk1 k12"},
		{name: "escaped for JSON", text: `canary+secret\/93e0`, want: "[redacted]"},
		{name: "escaped for a URL", text: "canary%2Bsecret%2F93e0", want: "[redacted]"},
		{name: "escaped for HTML", text: "canary&#43;secret&#x2f;93e0", want: "[redacted]"},
		{name: "escaped twice", text: "canary%252Bsecret%252F93e0", want: "[redacted]"},
		{name: "media", text: "got " + strings.Repeat("QUJDREVG", 40), want: "[redacted]"},
		{name: "invalid UTF-8", text: "a\xffb", want: "a\ufffdb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, redactor.Text(tt.text))
			assert.Equal(t, tt.want, redactor.Error(errors.New(tt.text)).Error())
			assert.Equal(t, tt.want, redactor.Header(http.Header{"X": {tt.text}}).Get("X"))
		})
	}
}

func TestText_KeepsNoPartOfOverlappingCredentials(t *testing.T) {
	t.Parallel()
	redactor := redact.New(func() []string { return []string{"canary-key-5d1c", "5d1c-secret-93ab", "abababab"} })
	for _, tt := range []struct{ name, text, want string }{
		{name: "the end of one begins the other", text: "x canary-key-5d1c-secret-93ab x", want: "x [redacted] x"},
		{name: "one overlaps itself", text: "x ababababab x", want: "x [redacted] x"},
		{name: "one beside the other", text: "x canary-key-5d1cabababab x", want: "x [redacted][redacted] x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, redactor.Text(tt.text))
			assert.Equal(t, tt.want, string(redactor.Body([]byte(tt.text), 1000)))
		})
	}
}

func TestBody_KeepsNoPartOfACredentialAtItsCut(t *testing.T) {
	t.Parallel()
	const secret = "canary-secret-93e0"
	redactor := redact.New(func() []string { return []string{secret} })
	for cut := range len(secret) + 2 {
		kept := string(redactor.Body([]byte(strings.Repeat(".", 100-cut)+secret+"..."), 100))
		assert.LessOrEqual(t, len(kept), 100)
		for n := 4; n <= len(secret); n++ {
			assert.NotContains(t, kept, secret[:n], "cut after %d bytes", cut)
		}
	}
	assert.Equal(t, "[redacted]", string(redactor.Body([]byte("\xff\xd8"), 100)), "what is no text")
}

func TestError_CanBeAskedStill(t *testing.T) {
	t.Parallel()
	hidden := redact.New(func() []string { return []string{"canary-secret"} }).Error(&http.MaxBytesError{Limit: 7})
	var limit *http.MaxBytesError
	assert.ErrorAs(t, hidden, &limit)
	assert.Equal(t, int64(7), limit.Limit)
	assert.True(t, redact.Contains(http.Header{"X": {"a canary-secret"}}, "canary-secret"))
	assert.False(t, redact.Contains(http.Header{"X": {"canary"}}, "canary-secret"))
	assert.True(t, redact.Contains(http.Header{"X": {"uPVe74VR9n-cmxlt_NX69"}}, "uPVe74VR9n+cmxlt/NX69"), "in the alphabet for URLs")
}
