package aimbrain_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestPrepareForward_SendsTheBodyWithItsMembersSet(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-1", Device: "d", System: "s"})
	require.NoError(t, err)
	body := `{"session":"of somebody else","tokentype":"auth"}`
	prepared, err := client.PrepareForward(t.Context(), "/V1/face/token", iotest.OneByteReader(strings.NewReader(body)), []aimbrain.Member{{Name: "session", Value: session.ID}})
	require.NoError(t, err)
	defer prepared.Discard()

	assert.Equal(t, aimbrain.EndpointFaceToken, prepared.Endpoint())
	var names []string
	for name, value := range prepared.Members() {
		names = append(names, name+"="+string(value))
	}
	assert.Equal(t, []string{`session="` + session.ID + `"`, `tokentype="auth"`}, names)
	assert.Empty(t, fake.RequestsTo(aimbrain.EndpointFaceToken), "sent before Send")

	response, err := prepared.Send(t.Context())
	require.NoError(t, err)
	token, err := aimbrain.Decode[aimbrain.Token](response)
	require.NoError(t, err)
	assert.NotEmpty(t, token.Text)
	requests := fake.RequestsTo(aimbrain.EndpointFaceToken)
	require.Len(t, requests, 1)
	assert.JSONEq(t, `{"session":"`+session.ID+`","tokentype":"auth"}`, string(requests[0].Body))
	assert.Equal(t, len(requests[0].Body), prepared.Size())
}

func TestPreparedRequest_IsSentOnce(t *testing.T) {
	t.Parallel()
	var refused *aimbrain.RequestError
	client, mock := responding(t, http.StatusOK, `{"token":"6-6-7"}`)
	prepare := func() *aimbrain.PreparedRequest {
		prepared, err := client.PrepareForward(t.Context(), aimbrain.EndpointFaceToken, strings.NewReader(`{"session":"s","tokentype":"auth"}`), nil)
		require.NoError(t, err)
		return prepared
	}
	sent := prepare()
	_, err := sent.Send(t.Context())
	require.NoError(t, err)
	_, err = sent.Send(t.Context())
	require.ErrorAs(t, err, &refused)
	sent.Discard()
	for range sent.Members() {
		t.Error("a member of a body that was given back")
	}
	discarded := prepare()
	discarded.Discard()
	discarded.Discard()
	_, err = discarded.Send(t.Context())
	require.ErrorAs(t, err, &refused)
	_, err = (*aimbrain.PreparedRequest)(nil).Send(t.Context())
	require.ErrorAs(t, err, &refused)
	_, err = prepare().Send(nil) //nolint:staticcheck // misuse
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

func TestPrepareForward_RefusesBeforeItSends(t *testing.T) {
	t.Parallel()
	session := []aimbrain.Member{{Name: "session", Value: "s"}}
	valid := func() io.Reader { return strings.NewReader(`{"session":"a"}`) }
	for _, tt := range []struct {
		name     string
		endpoint string
		body     io.Reader
		set      []aimbrain.Member
		opts     []aimbrain.CallOption
		tooLarge bool
	}{
		{name: "an endpoint with a query", endpoint: "/v1/face/auth?a", body: valid()},
		{name: "no body", body: nil},
		{name: "an empty body", body: strings.NewReader("")},
		{name: "no JSON", body: strings.NewReader("<html>")},
		{name: "a member twice", body: strings.NewReader(`{"session":"a","session":"b"}`)},
		{name: "a cut body", body: io.MultiReader(strings.NewReader(`{"session":"a"`), iotest.ErrReader(io.ErrUnexpectedEOF))},
		{name: "metadata", body: valid(), opts: []aimbrain.CallOption{aimbrain.WithMetadata([]byte("m"))}},
		{name: "a member to set twice", body: valid(), set: append(session, aimbrain.Member{Name: "SESSION"})},
		{name: "2 MB", body: strings.NewReader(`{"session":"` + strings.Repeat("a", 2_000_000) + `"}`), tooLarge: true},
		{name: "an endless body", body: endlessBody{}, tooLarge: true},
		{name: "2 MB by the member that is set", body: strings.NewReader(`{"faces":["` + strings.Repeat("a", 1_999_000) + `"]}`), set: []aimbrain.Member{{Name: "session", Value: strings.Repeat("s", 2000)}}, tooLarge: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, mock := responding(t, http.StatusOK, `{}`)
			if tt.endpoint == "" {
				tt.endpoint = aimbrain.EndpointFaceAuth
			}
			if tt.set == nil {
				tt.set = session
			}
			prepared, err := client.PrepareForward(t.Context(), tt.endpoint, tt.body, tt.set, tt.opts...)
			assert.Nil(t, prepared)
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			if tt.tooLarge {
				assert.True(t, is[*aimbrain.TooLargeError](err), "%v", err)
			} else {
				assert.True(t, is[*aimbrain.RequestError](err), "%v", err)
			}
			assert.Zero(t, mock.GetTotalCallCount())
		})
	}
}

// endlessBody is a body without an end.
type endlessBody struct{}

func (endlessBody) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

func TestPrepareForward_EndsWithItsContextAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := aimbrain.New("k", "s", aimbrain.WithRegion(aimbrain.Development))
		require.NoError(t, err)
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		body, writer := io.Pipe()
		began := time.Now()
		prepared, err := client.PrepareForward(ctx, aimbrain.EndpointFaceAuth, body, nil)
		assert.Nil(t, prepared)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
		assert.Equal(t, time.Hour, time.Since(began), "the time of a call is not that of an upload")
		require.NoError(t, writer.Close())
	})
}

func TestPreparedRequest_FingerprintIsThatOfTheRequest(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, http.StatusOK, `{}`)
	fingerprint := func(endpoint, body, session string) [32]byte {
		prepared, err := client.PrepareForward(t.Context(), endpoint, strings.NewReader(body), []aimbrain.Member{{Name: "session", Value: session}})
		require.NoError(t, err)
		defer prepared.Discard()
		return prepared.Fingerprint()
	}
	one := fingerprint(aimbrain.EndpointFaceAuth, `{"faces":["AA"]}`, "s")
	assert.Equal(t, one, fingerprint(aimbrain.EndpointFaceAuth, `{"faces":["AA"]}`, "s"))
	assert.NotEqual(t, one, fingerprint(aimbrain.EndpointFaceEnroll, `{"faces":["AA"]}`, "s"))
	assert.NotEqual(t, one, fingerprint(aimbrain.EndpointFaceAuth, `{"faces":["AB"]}`, "s"))
	assert.NotEqual(t, one, fingerprint(aimbrain.EndpointFaceAuth, `{"faces":["AA"]}`, "t"))
}
