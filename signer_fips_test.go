package aimbrain_test

import (
	"crypto/fips140"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

const fipsChild = "AIMBRAIN_TEST_FIPS_CHILD"

// TestFIPSOnly_RefusesShortSecretAndCallsSucceed runs in a child process, as the
// mode applies to a whole process.
func TestFIPSOnly_RefusesShortSecretAndCallsSucceed(t *testing.T) {
	t.Parallel()
	if os.Getenv(fipsChild) != "" { // in the child
		t.Run("short secret", fipsShortSecret)
		t.Run("call", fipsCall)
		t.Run("call over TLS", fipsTLS)
		t.Run("wrong signature", fipsWrongSignature)
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), fipsChild+"=1", "GODEBUG="+strings.TrimPrefix(os.Getenv("GODEBUG")+",fips140=only", ","))
	output, err := command.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("this test runs in an emulator, and the kernel cannot run it by itself")
	}
	require.NoError(t, err, "%s", output)
	assert.Equal(t, 4, strings.Count(string(output), "    --- PASS: "), "%s", output)
}

func fipsShortSecret(t *testing.T) {
	t.Parallel()
	require.True(t, fips140.Enforced())
	for _, secret := range []string{"x7", "x7x7x7x7x7x7x"} {
		_, err := aimbrain.NewSigner(testKey, secret)
		require.True(t, is[*aimbrain.ConfigError](err), "%v", err)
		require.ErrorContains(t, err, "14 bytes")
		assert.NotContains(t, err.Error(), secret)
		_, err = aimbrain.New(testKey, secret, aimbrain.WithRegion(aimbrain.Development))
		require.True(t, is[*aimbrain.ConfigError](err), "%v", err)
	}
	signer, err := aimbrain.NewSigner(testKey, "14 bytes long!")
	require.NoError(t, err)
	require.NoError(t, signer.Verify("POST", "/v1/score", nil, signer.Sign("POST", "/v1/score", nil)))
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithRegion(aimbrain.Development))
	require.NoError(t, err)
	require.True(t, is[*aimbrain.ConfigError](client.Rotate(testKey, "short")))
}

func fipsCall(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()))
	require.NoError(t, err)
	defer client.Close()
	session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u", Device: "d", System: "s"})
	require.NoError(t, err)
	_, err = client.Face.Enroll(t.Context(), session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	require.NoError(t, err)
	result, err := client.Face.Auth(t.Context(), session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Variant(1))))
	require.NoError(t, err)
	assert.True(t, result.Matches(aimbrain.RecommendedThreshold))
}

func fipsTLS(t *testing.T) {
	t.Parallel()
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = json.NewEncoder(w).Encode(map[string]any{"session": sessionID, "scores": []int{}})
	}))
	api.EnableHTTP2 = true
	api.StartTLS()
	defer api.Close()
	roots := x509.NewCertPool()
	roots.AddCert(api.Certificate())
	transport := aimbrain.NewTransport(func(inner *http.Transport) { inner.TLSClientConfig.RootCAs = roots })
	defer transport.CloseIdleConnections()
	client, err := aimbrain.New(testKey, testSecret, aimbrain.WithBaseURL(api.URL), aimbrain.WithTransport(transport))
	require.NoError(t, err)
	defer client.Close()
	_, err = client.Score.Get(t.Context(), sessionID)
	require.NoError(t, err)
}

// fipsWrongSignature tests that the fake can compute MD5 and SHA-1 to identify a
// mistake.
func fipsWrongSignature(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client, err := aimbrain.New(fake.APIKey(), "another secret than the fake's", aimbrain.WithBaseURL(fake.URL()))
	require.NoError(t, err)
	defer client.Close()
	_, err = client.Score.Get(t.Context(), sessionID)
	require.ErrorIs(t, err, aimbrain.ErrUnauthorized)
}
