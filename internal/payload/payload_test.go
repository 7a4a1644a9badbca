package payload_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// A recorder is a hash that keeps what it sees.
type recorder struct{ bytes.Buffer }

func (r *recorder) Write(p []byte) { r.Buffer.Write(p) }

func settings(hash *recorder) payload.Settings {
	return payload.Settings{
		Buffers: new(payload.Buffers), Hash: hash, Limit: 2000,
		Ended:   func() error { return nil },
		Limited: func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
	}
}

func TestMake_TheHashSeesTheVeryBytes(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{0xff, 0xd8, 1}, 100)
	encoded := base64.StdEncoding.EncodeToString(raw)
	tests := []struct {
		name  string
		write func(*payload.Builder)
		want  string
	}{
		{name: "members", write: payload.Object(func(b *payload.Builder) {
			b.String("s", "a\"b", "s")
			b.Count("n", 7, "n")
			b.Count("none", 0, "none")
		}), want: `{"metadata":"bQ==","s":"a\"b","n":7}`},
		{name: "media", write: payload.Object(func(b *payload.Builder) {
			b.Media("faces", []payload.Medium{payload.Raw(raw), payload.Text("QUJD"), payload.Reader(iotest.OneByteReader(bytes.NewReader(raw)))}, payload.Face)
		}), want: `{"metadata":"bQ==","faces":["` + encoded + `","QUJD","` + encoded + `"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var hash recorder
			s := settings(&hash)
			s.Metadata = []byte("m")
			body, problems, err := payload.Make(s, tt.write)
			require.NoError(t, err)
			assert.Empty(t, problems)
			assert.Equal(t, tt.want, hash.String())
			assert.Equal(t, len(tt.want), body.Size())
			for range 2 { // it can be read again
				read := false
				got, err := io.ReadAll(body.Reader(func() bool { read = true; return true }))
				require.NoError(t, err)
				assert.Equal(t, tt.want, string(got))
				assert.True(t, read)
			}
			late := body.Reader(func() bool { return true })
			body.Release()
			_, err = late.Read(make([]byte, 1))
			assert.ErrorIs(t, err, payload.ErrReleased, "its bytes are another's now")
		})
	}
}

func TestMake_Errors(t *testing.T) {
	t.Parallel()
	timeIsUp := errors.New("time is up")
	tests := []struct {
		name   string
		write  func(*payload.Builder)
		ended  error
		check  func(error) bool
		detail string
	}{
		{name: "too large", write: func(b *payload.Builder) { b.JSON(make([]byte, 2000)) }, check: func(err error) bool { return errors.Is(err, payload.ErrTooLarge) }},
		{name: "the first fault counts", write: func(b *payload.Builder) { b.String("s", "", "the first"); b.JSON(make([]byte, 2000)) }, check: isInvalid, detail: "the first is empty"},
		{name: "invalid UTF-8", write: func(b *payload.Builder) { b.String("s", "\xff", "s") }, check: isInvalid, detail: "not valid UTF-8"},
		{name: "negative", write: func(b *payload.Builder) { b.Count("n", -1, "n") }, check: isInvalid, detail: "is negative"},
		{name: "no media", write: func(b *payload.Builder) { b.Media("faces", nil, payload.Face) }, check: isInvalid, detail: "faces is empty"},
		{name: "the other kind", write: func(b *payload.Builder) {
			b.Media("faces", []payload.Medium{payload.Raw([]byte("x")), payload.Raw([]byte("x")).Of(payload.Voice)}, payload.Face)
		}, check: isInvalid, detail: "faces[1] holds a recording"},
		{name: "time is up", write: func(b *payload.Builder) {
			b.Media("faces", []payload.Medium{payload.Reader(bytes.NewReader([]byte("face")))}, payload.Face)
		}, ended: timeIsUp, check: func(err error) bool { return errors.Is(err, timeIsUp) }, detail: "faces[0] was not read to its end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := settings(new(recorder))
			if tt.ended != nil {
				s.Ended = func() error { return tt.ended }
			}
			body, _, err := payload.Make(s, tt.write)
			assert.Nil(t, body)
			assert.True(t, tt.check(err), "%v", err)
			assert.ErrorContains(t, err, tt.detail)
		})
	}
}

func isInvalid(err error) bool {
	var invalid *payload.Invalid
	return errors.As(err, &invalid)
}
