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
		{name: "at the start", text: long + " failed", want: "[redacted] failed"},
		{name: "a short one alone, after one in a word", text: "disk1, k1", want: "disk1, [redacted]"},
		{name: "a short one beside a long one", text: "a " + long + short + " " + short + long, want: "a [redacted][redacted] [redacted][redacted]"},
		{name: "a short one after one letter", text: "xk1", want: "xk1"},
		{name: "a short one before one letter", text: "k1x", want: "k1x"},
		{name: "a short one beside the first letters and digits", text: "Ak1A ak1a 0k10 Ak1 ak1 0k1 k1A k1a k10", want: "Ak1A ak1a 0k10 Ak1 ak1 0k1 k1A k1a k10"},
		{name: "a short one beside the last letters and digits", text: "Zk1Z zk1z 9k19 Zk1 zk1 9k1 k1Z k1z k19", want: "Zk1Z zk1z 9k19 Zk1 zk1 9k1 k1Z k1z k19"},
		{name: "a short one beside other characters", text: "@k1[ `k1{ /k1: _k1- ék1é", want: "@[redacted][ `[redacted]{ /[redacted]: _[redacted]- é[redacted]é"},
		{name: "a short one, escaped", text: `{"key":"\u006b1"}`, want: "[redacted]"},
		{name: "a short one in a word, escaped", text: `{"disk":"dis\u006b1"}`, want: `{"disk":"dis\u006b1"}`},
		{name: "escaped for JSON from its first character", text: `\u0063anary+secret/93e0`, want: "[redacted]"},
		{name: "escaped for JSON to its last character", text: `canary+secret/93e\u0030`, want: "[redacted]"},
		{name: "after a JSON escape that is cut off", text: `canary+secret\/93e0 \u002`, want: "[redacted]"},
		{name: "after a JSON escape that is invalid", text: `\u00zz canary+secret\/93e0`, want: "[redacted]"},
		{name: "before a backslash", text: `canary+secret\/93e0 \`, want: "[redacted]"},
		{name: "escaped for a URL from its first character", text: "%63anary+secret/93e0", want: "[redacted]"},
		{name: "escaped for a URL to its last character", text: "canary+secret/93e%30", want: "[redacted]"},
		{name: "before a URL escape that is cut off", text: "canary%2Bsecret/93e0 %2", want: "[redacted]"},
		{name: "before a percent sign", text: "canary%2Bsecret/93e0 %", want: "[redacted]"},
		{name: "after a percent sign", text: "100% canary%2Bsecret/93e0", want: "[redacted]"},
		{name: "escaped for a URL, then for JSON", text: `canary\u00252Bsecret\u00252F93e0`, want: "[redacted]"},
		{name: "escapes that hide nothing", text: `at \"a\/b\" &amp; 100%25`, want: `at \"a\/b\" &amp; 100%25`},
		{name: "two levels of escapes that hide nothing", text: "a%2520b", want: "a%2520b"},
		{name: "more levels of escapes than are undone", text: "a%252520b", want: "[redacted]"},
		{name: "escaped for JSON", text: `canary+secret\/93e0`, want: "[redacted]"},
		{name: "escaped for a URL", text: "canary%2Bsecret%2F93e0", want: "[redacted]"},
		{name: "escaped for HTML", text: "canary&#43;secret&#x2f;93e0", want: "[redacted]"},
		{name: "escaped twice", text: "canary%252Bsecret%252F93e0", want: "[redacted]"},
		{name: "as much base64 as is kept", text: strings.Repeat("A", 128), want: strings.Repeat("A", 128)},
		{name: "one character more of base64", text: strings.Repeat("A", 129), want: "[redacted]"},
		{name: "base64 in the alphabet for URLs", text: strings.Repeat("AB-_", 33), want: "[redacted]"},
		{name: "base64 with padding", text: strings.Repeat("AB+/", 32) + "A===", want: "[redacted]"},
		{name: "base64 in short lines", text: strings.Repeat(strings.Repeat("A", 16)+"\n", 9), want: "[redacted]"},
		{name: "base64 in lines that are escaped", text: strings.Repeat(strings.Repeat("A", 64)+`\r\n`, 3), want: "[redacted]"},
		{name: "words", text: strings.Repeat("fifteen-letters ", 40), want: strings.Repeat("fifteen-letters ", 40)},
		{name: "long words between others", text: strings.Repeat("sixteen--letters and ", 40), want: strings.Repeat("sixteen--letters and ", 40)},
		{name: "bytes as numbers", text: "[" + strings.Repeat("255, 216, ", 22) + "0]", want: "[redacted]"},
		{name: "numbers above bytes", text: strings.Repeat("1024, 2048, ", 40), want: strings.Repeat("1024, 2048, ", 40)},
		{name: "short words", text: strings.Repeat("of an ape ", 40), want: strings.Repeat("of an ape ", 40)},
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

// A secret is any bytes, and JSON has short escapes for some control characters.
func TestText_FindsControlCharacters(t *testing.T) {
	t.Parallel()
	redactor := redact.New(func() []string { return []string{"canary\b\f\n\r\tsecret"} })
	assert.Equal(t, "[redacted]", redactor.Text(`canary\b\f\n\r\tsecret`))
	assert.Equal(t, `canary\f\b\n\r\tsecret`, redactor.Text(`canary\f\b\n\r\tsecret`))
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

func TestBody_KeepsWhatFits(t *testing.T) {
	t.Parallel()
	redactor := redact.New(func() []string { return []string{"12345678", "k1"} })
	const margin = 6 * len("12345678") // what is removed at a cut: a credential may begin there, escaped
	dots := strings.Repeat(".", 200)
	tests := []struct{ name, body, want string }{
		{name: "nothing"},
		{name: "less than the limit", body: dots[:99], want: dots[:99]},
		{name: "the limit", body: dots[:100], want: dots[:100]},
		{name: "more than the limit", body: dots[:101], want: dots[:100-margin]},
		{name: "cut within a character of two bytes", body: dots[:99] + "é", want: dots[:99-margin]},
		{name: "cut within a character of four bytes", body: dots[:97] + "😀", want: dots[:97-margin]},
		{name: "cut behind a character", body: dots[:98] + "é.", want: dots[:100-margin]},
		{name: "a character that is cut at the end of the body", body: dots[:97] + "\xf0\x9f\x98", want: "[redacted]"},
		{name: "bytes that are no text at the cut", body: dots[:96] + "\xff\xff\xff\xff.", want: "[redacted]"},
		{name: "longer than the limit when it is redacted", body: dots[:98] + "k1", want: dots[:98] + "[r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, string(redactor.Body([]byte(tt.body), 100)))
		})
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	const eight, seven = "5d1c93ab", "5d1c93a"
	tests := []struct {
		name, value, credential string
		want                    bool
	}{
		{name: "nothing", value: "", credential: eight},
		{name: "a part of it", value: "5d1c93a", credential: eight},
		{name: "as it is", value: eight, credential: eight, want: true},
		{name: "a long one within a word", value: "x" + eight + "x", credential: eight, want: true},
		{name: "a short one within a word", value: "x" + seven + "x", credential: seven},
		{name: "a short one at the end of a word", value: "x" + seven, credential: seven},
		{name: "a short one at the start of a word", value: seven + "x", credential: seven},
		{name: "a short one alone", value: "key=" + seven + ";", credential: seven, want: true},
		{name: "a short one alone, after one in a word", value: "x" + seven + " " + seven, credential: seven, want: true},
		{name: "a short one twice in a word", value: "x" + seven + seven + "x", credential: seven},
		{name: "another value in the alphabet for URLs", value: "a-b_c", credential: eight},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, redact.Contains(http.Header{"X": {"first", tt.value}}, "canary-secret", tt.credential))
		})
	}
}

func TestHeader_RedactsNamesAndKeepsAllValues(t *testing.T) {
	t.Parallel()
	redactor := redact.New(func() []string { return []string{"canary-secret"} })
	header := http.Header{"A": {"1", "canary-secret", "2"}, "X-canary-secret": {"3"}}
	assert.Equal(t, http.Header{"A": {"1", "[redacted]", "2"}, "X-[redacted]": {"3"}}, redactor.Header(header))
	assert.Equal(t, []string{"1", "canary-secret", "2"}, header["A"], "the header itself stays")
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
