package aimbrain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// sentFaces makes an enrolment and returns the faces that arrived, decoded.
func sentFaces(t *testing.T, media aimbrain.Media) [][]byte {
	t.Helper()
	var request struct{ Faces [][]byte }
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		require.NoError(t, json.NewDecoder(r.Body).Decode(&request))
		return httpmock.NewStringResponse(200, `{"imagesCount":1}`), nil
	})
	_, err := client.Face.Enroll(t.Context(), sessionID, media)
	require.NoError(t, err)
	return request.Faces
}

// noise returns n bytes that every encoding changes.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i + i>>8)
	}
	return b
}

func TestMedia_AllFormsArriveEncodedOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 4, 24<<10 - 1, 24 << 10, 24<<10 + 1, 120<<10 - 1, 120 << 10, 120<<10 + 1, 300_000} {
		raw := noise(size)
		path := filepath.Join(t.TempDir(), "face.jpg")
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		for name, media := range map[string]aimbrain.Media{
			"photo":          aimbrain.Photos(raw),
			"video":          aimbrain.Videos(raw),
			"file":           aimbrain.Files(path),
			"reader":         aimbrain.Readers(bytes.NewReader(raw)),
			"reluctantly":    aimbrain.Readers(iotest.HalfReader(bytes.NewReader(raw))),
			"data and EOF":   aimbrain.Readers(iotest.DataErrReader(bytes.NewReader(raw))),
			"base64 already": aimbrain.Base64(base64.StdEncoding.EncodeToString(raw)),
		} {
			faces := sentFaces(t, media)
			require.Len(t, faces, 1, name)
			assert.True(t, bytes.Equal(raw, faces[0]), "%s of %d bytes", name, size)
		}
	}
}

func TestMedia_SeveralFormsKeepOrder(t *testing.T) {
	t.Parallel()
	media := aimbrain.Photos([]byte("one"), []byte("two")).Append(aimbrain.Base64("dGhyZWU=")).Append(aimbrain.Readers(bytes.NewReader([]byte("four"))))
	assert.Equal(t, 4, media.Len())
	assert.Equal(t, "4 files", media.String())
	assert.Equal(t, [][]byte{[]byte("one"), []byte("two"), []byte("three"), []byte("four")}, sentFaces(t, media))

	base := aimbrain.Photos([]byte("a"))
	first, second := base.Append(aimbrain.Photos([]byte("b"))), base.Append(aimbrain.Photos([]byte("c")))
	assert.Equal(t, [][]byte{[]byte("a"), []byte("b")}, sentFaces(t, first), "Append does not change its receiver")
	assert.Equal(t, [][]byte{[]byte("a"), []byte("c")}, sentFaces(t, second))
}

func TestMedia_InvalidIsNotSent(t *testing.T) {
	t.Parallel()
	photo := append([]byte("\xff\xd8\xff\xe0"), noise(100)...)
	encoded := base64.StdEncoding.EncodeToString(photo)
	failing := iotest.ErrReader(errors.New("disk gone"))
	for name, c := range map[string]struct {
		media aimbrain.Media
		says  string
	}{
		"nothing":                  {aimbrain.Media{}, "at least one"},
		"no photos":                {aimbrain.Photos(), "at least one"},
		"an empty photo":           {aimbrain.Photos(nil), "0 bytes"},
		"an empty reader":          {aimbrain.Readers(bytes.NewReader(nil)), "0 bytes"},
		"a nil reader":             {aimbrain.Readers(nil), "nil"},
		"a download cut off":       {aimbrain.Readers(io.MultiReader(bytes.NewReader(noise(30_000)), iotest.ErrReader(io.ErrUnexpectedEOF))), "unexpected EOF"},
		"cut off at once":          {aimbrain.Readers(iotest.ErrReader(fmt.Errorf("proxy: %w", io.EOF))), "proxy: EOF"},
		"an idle reader":           {aimbrain.Readers(idle{}), "multiple Read calls return no data"},
		"a failing reader":         {aimbrain.Readers(failing), "disk gone"},
		"failing later":            {aimbrain.Readers(io.MultiReader(bytes.NewReader(noise(90_000)), failing)), "disk gone"},
		"no such file":             {aimbrain.Files("testdata/no-such-file.jpg"), "cannot be opened"},
		"a folder":                 {aimbrain.Files("testdata"), "is a directory"},
		"base64 as raw bytes":      {aimbrain.Photos([]byte(encoded)), "aimbrain.Base64"},
		"base64 as a reader":       {aimbrain.Readers(bytes.NewReader([]byte(encoded))), "aimbrain.Base64"},
		"a WAV as base64":          {aimbrain.Files(written(t, "UklGRgAAAABXQVZF")), "aimbrain.Base64"},
		"a CAF as base64":          {aimbrain.Photos([]byte("Y2FmZgABAAA=")), "aimbrain.Base64"},
		"raw bytes as base64":      {aimbrain.Base64(string(photo)), "standard base64"},
		"empty base64":             {aimbrain.Base64(""), "empty"},
		"a data URL":               {aimbrain.Base64("data:image/jpeg;base64," + encoded), "data URL"},
		"base64 for URLs":          {aimbrain.Base64("_-__"), "standard base64"},
		"base64 without padding":   {aimbrain.Base64("QUI"), "standard base64"},
		"base64 with line breaks":  {aimbrain.Base64("QUJD\nQUJD\n\n\n"), "standard base64"},
		"base64 that ends JSON":    {aimbrain.Base64(`"],"session":"x","a":["`), "standard base64"},
		"padding in the middle":    {aimbrain.Base64("QQ==QUJD"), "standard base64"},
		"a voice":                  {aimbrain.Recordings(noise(10)), "photo or a video"},
		"one bad one among others": {aimbrain.Photos(noise(10), nil, noise(10)), "0 bytes"},
	} {
		client, transport := responding(t, 200, `{"imagesCount":1}`)
		_, err := client.Face.Enroll(t.Context(), sessionID, c.media)
		var request *aimbrain.RequestError
		require.ErrorAs(t, err, &request, name)
		assert.Contains(t, err.Error(), c.says, name)
		assert.Contains(t, err.Error(), "not sent", name)
		assert.NotContains(t, err.Error(), encoded[:20], name)
		assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err), name)
		assert.Zero(t, transport.GetTotalCallCount(), name)
	}
	client, _ := responding(t, 200, `{"voiceSamples":1}`)
	_, err := client.Voice.Enroll(t.Context(), sessionID, aimbrain.Photos(photo))
	require.ErrorContains(t, err, "recording of a voice")
}

func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "media")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestArguments_InvalidAreRefused(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{}`)
	ctx := t.Context()
	create := func(r aimbrain.SessionRequest) error {
		_, err := client.Sessions.Create(ctx, r)
		return err
	}
	events := func(e aimbrain.Events) error {
		_, err := client.Behaviour.Auth(ctx, sessionID, e)
		return err
	}
	other := func(name string, value any) error { return events(aimbrain.Events{Other: map[string]any{name: value}}) }
	nan := 0.0
	nan /= nan
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"no user":            {create(aimbrain.SessionRequest{Device: "d", System: "s"}), "UserID"},
		"no device":          {create(aimbrain.SessionRequest{UserID: "u", System: "s"}), "Device"},
		"no system":          {create(aimbrain.SessionRequest{UserID: "u", Device: "d"}), "System"},
		"negative height":    {create(aimbrain.SessionRequest{UserID: "u", Device: "d", System: "s", ScreenHeight: -1}), "ScreenHeight"},
		"user not UTF-8":     {create(aimbrain.SessionRequest{UserID: "\xff", Device: "d", System: "s"}), "UTF-8"},
		"no events":          {events(aimbrain.Events{}), "empty"},
		"empty arrays":       {events(aimbrain.Events{Touches: []aimbrain.Touch{}}), "empty"},
		"not a number":       {events(aimbrain.Events{Touches: []aimbrain.Touch{{X: nan}}}), "encoded"},
		"second session":     {other("session", []int{1}), "not free"},
		"a known array":      {other("touches", []int{1}), "not free"},
		"no name":            {other("", []int{1}), "not free"},
		"no array":           {other("scrolls", 7), "array"},
		"an invalid array":   {other("scrolls", json.RawMessage(`[{"a":1,"a":2}]`)), "array"},
		"a channel":          {other("scrolls", make(chan int)), "array"},
		"a name not UTF-8":   {other("\xff", []int{1}), "UTF-8"},
		"a nil option":       {errOf(client.Score.Get(ctx, sessionID, nil)), "nil"},
		"enrol repeated":     {errOf(client.Face.Enroll(ctx, sessionID, aimbrain.Photos([]byte("x")), aimbrain.WithRetryUnknownOutcome())), "WithRetryUnknownOutcome"},
		"behaviour repeated": {errOf(client.Behaviour.Auth(ctx, sessionID, touches(), aimbrain.WithRetryUnknownOutcome())), "WithRetryUnknownOutcome"},
		"no session":         {errOf(client.Voice.Token(ctx, "", aimbrain.TokenAuth)), "session ID"},
		"no token type":      {errOf(client.Voice.Token(ctx, sessionID, "")), "token type"},
	} {
		var request *aimbrain.RequestError
		require.ErrorAs(t, c.err, &request, name)
		assert.Contains(t, c.err.Error(), c.says, name)
	}
	assert.Zero(t, transport.GetTotalCallCount())
}

func TestMedia_ReaderIsBoundedByTimeOfCall(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	slow := readerFunc(func(p []byte) (int, error) {
		cancel() // during the read
		return copy(p, "face"), nil
	})
	_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Readers(slow))
	require.ErrorIs(t, err, context.Canceled)
	assert.NotEqual(t, aimbrain.OutcomeUnknown, aimbrain.OutcomeOf(err))

	synctest.Test(t, func(t *testing.T) {
		slow := readerFunc(func(p []byte) (int, error) {
			<-time.After(time.Second)
			return copy(p, "face"), nil
		})
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(slow))
		require.ErrorIs(t, err, aimbrain.ErrTotalTimeout)
		<-time.After(time.Minute) // for a Read that may be in progress
	})
	assert.Zero(t, transport.GetTotalCallCount())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestClient_ZeroValueIsRefused(t *testing.T) {
	t.Parallel()
	_, err := new(aimbrain.Client).Forward(t.Context(), aimbrain.EndpointScore, []byte(`{}`))
	require.True(t, is[*aimbrain.RequestError](err))
	client, _ := responding(t, 200, `{}`)
	_, err = client.Score.Get(nil, sessionID) //nolint:staticcheck // nil is tested
	require.True(t, is[*aimbrain.RequestError](err))
}

func errOf[T any](_ T, err error) error { return err }

func TestArguments_EscapedTextArrivesUnchanged(t *testing.T) {
	t.Parallel()
	hostile := "u\"\\\n\t\x00\u2028</script>é😀"
	var request struct {
		UserID string `json:"userId"`
	}
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		require.NoError(t, json.NewDecoder(r.Body).Decode(&request))
		return httpmock.NewStringResponse(200, `{"session":"s","face":0,"voice":0,"behaviour":0}`), nil
	})
	_, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: hostile, Device: "d", System: "s"})
	require.NoError(t, err)
	assert.Equal(t, hostile, request.UserID)
}

func TestMedia_SliceIsNotUsedAfterCall(t *testing.T) {
	t.Parallel()
	raw := noise(200_000)
	want := base64.StdEncoding.EncodeToString(raw)
	signer, err := aimbrain.NewSigner(testKey, testSecret)
	require.NoError(t, err)
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		clear(raw) // during the call
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.Contains(t, string(body), want)
		assert.NoError(t, signer.Verify("POST", aimbrain.EndpointFaceAuth, body, r.Header.Get(aimbrain.HeaderSignature)))
		return httpmock.NewStringResponse(200, `{"score":0.5,"liveliness":0}`), nil
	})
	_, err = client.Face.Auth(t.Context(), sessionID, aimbrain.Photos(raw))
	require.NoError(t, err)
}

// wavHeader is a WAV of silence, 16 bit and mono.
func wavHeader(rate, seconds int) []byte {
	size := uint32(rate * seconds * 2)
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), 36+size)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(rate*2))
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), size)
	return append(b, make([]byte, size)...)
}

func TestWithLogger_LogsNumbersOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, _ := responding(t, 200, `{"score":0.5,"liveliness":0.25}`, aimbrain.WithLogger(logger))
	_, err := client.Face.Auth(context.Background(), sessionID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	require.NoError(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	for _, name := range []string{"time", "level", "msg", "endpoint", "host", "region", "attempt", "status", "duration", "request_bytes", "response_bytes"} {
		assert.Contains(t, line, name)
		delete(line, name)
	}
	assert.Empty(t, line, "the log holds allowed attributes only")
	assert.NotContains(t, log.String(), sessionID)
}

func logTo(w io.Writer) aimbrain.Option {
	return aimbrain.WithLogger(slog.New(slog.NewTextHandler(w, nil)))
}
