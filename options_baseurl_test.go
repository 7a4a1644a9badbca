package aimbrain_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// TestWithBaseURL_PrefixIsSentAsWritten checks the request line, by which a
// gateway routes.
func TestWithBaseURL_PrefixIsSentAsWritten(t *testing.T) {
	t.Parallel()
	target := make(chan string, 1)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		target <- r.RequestURI
		_, _ = io.WriteString(w, `{"session":"4f1c2a9e-session","scores":[]}`)
	}))
	defer api.Close()
	for _, row := range []struct{ prefix, want string }{
		{prefix: "", want: ""},
		{prefix: "/", want: ""},
		{prefix: "///", want: ""},
		{prefix: "/bio", want: "/bio"},
		{prefix: "/bio/", want: "/bio"},
		{prefix: "/bio//", want: "/bio"},
		{prefix: "/Bio/Metrics", want: "/Bio/Metrics"},
		{prefix: "/v1/bio", want: "/v1/bio"},
		{prefix: "/v10", want: "/v10"},
		{prefix: "/a%2Fb", want: "/a%2Fb"},
		{prefix: "/a%2fb/", want: "/a%2fb"},
		{prefix: "/%2Fa", want: "/%2Fa"},
		{prefix: "/a%2F/b", want: "/a%2F/b"},
		{prefix: "/a%20b", want: "/a%20b"},
		{prefix: "/a%3Fb%23c", want: "/a%3Fb%23c"},
		{prefix: "/%C3%A4", want: "/%C3%A4"},
		{prefix: "/%62io", want: "/%62io"},
		{prefix: "/a;b=c,d", want: "/a;b=c,d"},
		{prefix: "/a//b", want: "/a//b"},
		{prefix: "//a", want: "//a"},
	} {
		client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(api.URL+row.prefix))
		require.NoError(t, err, row.prefix)
		_, err = client.Score.Get(t.Context(), sessionID)
		require.NoError(t, err, row.prefix)
		assert.Equal(t, row.want+"/v1/score", <-target, row.prefix)
		require.NoError(t, client.Close())
	}
}

func TestWithBaseURL_RefusesUnusualURLs(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for _, row := range []struct{ name, base, want string }{
		{name: "v1", base: "https://h.example/v1", want: "leave /v1 out"},
		{name: "v1 and a slash", base: "https://h.example/v1/", want: "leave /v1 out"},
		{name: "v1 and slashes", base: "https://h.example/v1//", want: "leave /v1 out"},
		{name: "V1", base: "https://h.example/V1", want: "leave /v1 out"},
		{name: "escaped v1", base: "https://h.example/%761", want: "leave /v1 out"},
		{name: "v1 behind a prefix", base: "https://h.example/gw/v1", want: "leave /v1 out"},
		{name: "v1 twice", base: "https://h.example/v1/v1", want: "leave /v1 out"},
		{name: "endpoint", base: "https://h.example/v1/face/auth", want: "ends in an endpoint"},
		{name: "endpoint behind a prefix", base: "https://h.example/gw/v1/sessions/", want: "ends in an endpoint"},

		{name: "escaped slash at the end", base: "https://h.example/a%2F", want: "escaped slash"},
		{name: "escaped slash and a slash", base: "https://h.example/a%2F/", want: "escaped slash"},
		{name: "escaped slash, lower case", base: "https://h.example/a%2f//", want: "escaped slash"},
		{name: "only an escaped slash", base: "https://h.example/%2F", want: "escaped slash"},
		{name: "not ASCII", base: "https://h.example/ä", want: "percent-encoded"},
		{name: "quote beside an escaped slash", base: `https://h.example/a"%2Fb`, want: "percent-encoded"},
		{name: "backslash", base: `https://h.example/a\b`, want: "percent-encoded"},
		{name: "escaped dots", base: "https://h.example/a%2F%2e%2E%2fb", want: ". or .."},

		{name: "port 0", base: "https://h.example:0", want: "from 1 to 65535"},
		{name: "port 65536", base: "https://h.example:65536", want: "from 1 to 65535"},
		{name: "port 4294967739", base: "https://h.example:4294967739", want: "from 1 to 65535"}, // 443 in 32 bits
		{name: "port with a zero in front", base: "https://h.example:0443", want: "from 1 to 65535"},
		{name: "port by name", base: "https://h.example:https", want: "is not a URL"},
		{name: "negative port", base: "https://h.example:-1", want: "is not a URL"},
		{name: "port of an IPv6 address", base: "https://[::1]:99999", want: "from 1 to 65535"},
		{name: "colon behind an IPv6 address", base: "https://[::1]:", want: "no port"},

		{name: "empty label", base: "https://a..example", want: "empty label"},
		{name: "dot in front", base: "https://.example", want: "empty label"},
		{name: "dot", base: "https://.", want: "empty label"},
		{name: "two dots at the end", base: "https://h.example..", want: "empty label"},
		{name: "exclamation mark", base: "https://h!.example", want: "a character that is not"},
		{name: "comma", base: "https://a,b.example", want: "a character that is not"},
		{name: "star", base: "https://*.example", want: "a character that is not"},
		{name: "quote", base: `https://h".example`, want: "a character that is not"},
		{name: "escape", base: "https://h%2eexample", want: "is not a URL"},
		{name: "hyphen in front", base: "https://-h.example", want: "hyphen"},
		{name: "hyphen behind", base: "https://h-.example", want: "hyphen"},
		{name: "label of 64", base: "https://a" + label + ".example", want: "more than 63"},
		{name: "254 characters", base: "https://" + strings.Repeat(label+".", 3) + label[:62], want: "more than 253"},
		{name: "not ASCII host", base: "https://bücher.example", want: "punycode"},

		{name: "three numbers", base: "https://1.2.3", want: "four decimal numbers"},
		{name: "two numbers", base: "https://127.1", want: "four decimal numbers"},
		{name: "one number", base: "https://2130706433", want: "four decimal numbers"},
		{name: "number too large", base: "https://256.1.1.1", want: "four decimal numbers"},
		{name: "five numbers", base: "https://1.2.3.4.5", want: "four decimal numbers"},
		{name: "octal", base: "https://0177.0.0.1", want: "four decimal numbers"},
		{name: "hexadecimal", base: "https://0x7f.1", want: "four decimal numbers"},
		{name: "hexadecimal at the end", base: "https://127.0.0.0x1", want: "four decimal numbers"},
		{name: "hexadecimal alone", base: "https://0x7F000001", want: "four decimal numbers"},
		{name: "only 0x", base: "https://127.0x", want: "four decimal numbers"},
		{name: "address with a dot behind", base: "https://127.0.0.1.", want: "four decimal numbers"},
		{name: "name that ends in a number", base: "https://h.example.1", want: "four decimal numbers"},

		{name: "IPv6 without brackets", base: "https://::1/", want: ""}, // net/url's own words depend on its version
		{name: "IPv6 without brackets, port", base: "https://fe80::1:443/", want: ""},
		{name: "IPv6 with a zone", base: "https://[fe80::1%25eth0]/", want: "zone"},
		{name: "IPv4 in brackets", base: "https://[127.0.0.1]/", want: ""},
		{name: "mapped IPv4", base: "https://[::ffff:127.0.0.1]/", want: "write it as IPv4"},
		{name: "mapped IPv4 in hexadecimal", base: "https://[::ffff:7f00:1]:443/", want: "write it as IPv4"},
		{name: "no address in brackets", base: "https://[h.example]/", want: ""},
		{name: "empty brackets", base: "https://[]/", want: ""},

		{name: "plain HTTP, localhost with a dot", base: "http://localhost.", want: "plain HTTP"},
		{name: "plain HTTP, localhost as a label", base: "http://localhost.evil.example", want: "plain HTTP"},
		{name: "plain HTTP, localhost with a suffix", base: "http://localhost2", want: "plain HTTP"},
		{name: "plain HTTP, all addresses", base: "http://0.0.0.0:8080", want: "plain HTTP"},
		{name: "plain HTTP, all IPv6 addresses", base: "http://[::]:8080", want: "plain HTTP"},
		{name: "plain HTTP, 128.0.0.1", base: "http://128.0.0.1", want: "plain HTTP"},
		{name: "plain HTTP, short loopback", base: "http://127.1", want: "four decimal numbers"},
		{name: "plain HTTP, mapped loopback", base: "http://[::ffff:127.0.0.1]", want: "write it as IPv4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(row.base))
			require.True(t, is[*aimbrain.ConfigError](err), "%v", err)
			require.ErrorContains(t, err, row.want)
			assert.NotContains(t, err.Error(), row.base)
		})
	}
}

func TestWithBaseURL_AcceptsUsualHosts(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for _, row := range []struct{ base, want string }{
		{base: "https://h.example.", want: "https://h.example./v1/score"}, // of the DNS root
		{base: "https://H-1.Example", want: "https://h-1.example/v1/score"},
		{base: "https://aimbrain", want: "https://aimbrain/v1/score"},
		{base: "https://aimbrain_api.internal", want: "https://aimbrain_api.internal/v1/score"},
		{base: "https://_aimbrain._tcp.internal", want: "https://_aimbrain._tcp.internal/v1/score"},
		{base: "https://xn--bcher-kva.example", want: "https://xn--bcher-kva.example/v1/score"},
		{base: "https://1password.example", want: "https://1password.example/v1/score"},
		{base: "https://10.0.0.7.example", want: "https://10.0.0.7.example/v1/score"},
		{base: "https://0xcafe.example", want: "https://0xcafe.example/v1/score"},
		{base: "https://h.0xyz", want: "https://h.0xyz/v1/score"},
		{base: "https://" + label + ".example", want: "https://" + label + ".example/v1/score"},
		{base: "https://" + strings.Repeat(label+".", 3) + label[:61], want: "https://" + strings.Repeat(label+".", 3) + label[:61] + "/v1/score"},
		{base: "https://10.0.0.7:8443", want: "https://10.0.0.7:8443/v1/score"},
		{base: "https://h.example:1", want: "https://h.example:1/v1/score"},
		{base: "https://h.example:65535", want: "https://h.example:65535/v1/score"},
		{base: "https://[2001:db8::7]", want: "https://[2001:db8::7]/v1/score"},
		{base: "https://[2001:DB8::7]:8443/bio", want: "https://[2001:db8::7]:8443/bio/v1/score"},
		{base: "http://localhost", want: "http://localhost/v1/score"},
		{base: "http://127.8.9.10:8080", want: "http://127.8.9.10:8080/v1/score"},
		{base: "http://[0:0:0:0:0:0:0:1]:8080", want: "http://[0:0:0:0:0:0:0:1]:8080/v1/score"},
	} {
		assert.Equal(t, row.want, place(t, aimbrain.WithBaseURL(row.base)))
	}
}
