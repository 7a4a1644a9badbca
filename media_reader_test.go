package aimbrain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// blocked is a reader that blocks until it is released, and then panics or returns
// io.EOF.
type blocked struct {
	release chan struct{}
	panics  bool
}

func (b blocked) Read([]byte) (int, error) {
	<-b.release
	if b.panics {
		panic("released")
	}
	return 0, io.EOF
}

// TestReaders_BlockedRead runs in bubbles. The call returns at the exact time, and
// a bubble fails unless the reader's goroutine ends with its Read.
func TestReaders_BlockedRead(t *testing.T) {
	t.Parallel()
	cause := errors.New("the user has left")
	limits := map[string]struct {
		limit   func(context.Context) (context.Context, context.CancelFunc)
		options []aimbrain.Option
		is      []error
		isNot   error
	}{
		"cancelled": {
			limit: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				timer := time.AfterFunc(time.Second, func() { cancel(cause) })
				return ctx, func() { timer.Stop(); cancel(nil) }
			},
			is: []error{context.Canceled, cause}, isNot: context.DeadlineExceeded,
		},
		"the context's deadline": {
			limit: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeoutCause(ctx, time.Second, cause)
			},
			is: []error{context.DeadlineExceeded, cause}, isNot: aimbrain.ErrTotalTimeout,
		},
		"total timeout": {
			limit:   context.WithCancel,
			options: []aimbrain.Option{aimbrain.WithTimeout(time.Second)},
			is:      []error{aimbrain.ErrTotalTimeout, context.DeadlineExceeded}, isNot: context.Canceled,
		},
	}
	media := map[string]func(io.Reader) aimbrain.Media{
		"at once": func(r io.Reader) aimbrain.Media { return aimbrain.Readers(r) },
		"within a piece": func(r io.Reader) aimbrain.Media {
			return aimbrain.Readers(io.MultiReader(bytes.NewReader(noise(9)), r))
		},
		"after some pieces": func(r io.Reader) aimbrain.Media {
			return aimbrain.Readers(io.MultiReader(bytes.NewReader(noise(200_000)), r))
		},
		"in the second file": func(r io.Reader) aimbrain.Media { return aimbrain.Photos(noise(9)).Append(aimbrain.Readers(r)) },
	}
	for limitName, limit := range limits {
		for mediaName, media := range media {
			for _, panics := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/panics %v", limitName, mediaName, panics), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						client, transport := responding(t, 200, `{"imagesCount":1}`, limit.options...)
						ctx, cancel := limit.limit(t.Context())
						defer cancel()
						reader := blocked{make(chan struct{}), panics}
						defer close(reader.release)
						started := time.Now()
						_, err := client.Face.Enroll(ctx, sessionID, media(reader))
						assert.Equal(t, time.Second, time.Since(started))
						for _, want := range limit.is {
							assert.ErrorIs(t, err, want)
						}
						assert.NotErrorIs(t, err, limit.isNot)
						assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
						var network *aimbrain.NetworkError
						require.ErrorAs(t, err, &network)
						assert.Zero(t, network.Attempts)
						place := "faces[0]"
						if mediaName == "in the second file" {
							place = "faces[1]"
						}
						assert.Contains(t, err.Error(), "not sent: "+place+" was not read to its end")
						assert.Zero(t, transport.GetTotalCallCount())
					})
				})
			}
		}
	}
}

// TestReaders_FailsAsContextEnds tests that the result does not depend on which of
// the two is noticed first.
func TestReaders_FailsAsContextEnds(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Readers(readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, ctx.Err()
		})))
		require.True(t, is[*aimbrain.NetworkError](err), "%v", err)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
	}
	assert.Zero(t, transport.GetTotalCallCount())
}

// TestReaders_AbandonedReader tests that a reader is not read further once its
// Read has ended.
func TestReaders_AbandonedReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := responding(t, 200, `{"imagesCount":1}`, aimbrain.WithTimeout(2500*time.Millisecond))
		reads := 0
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(readerFunc(func(p []byte) (int, error) {
			reads++
			<-time.After(time.Second)
			return copy(p, "f"), nil
		})))
		require.ErrorIs(t, err, aimbrain.ErrTotalTimeout)
		<-time.After(time.Minute)
		assert.Equal(t, 3, reads)
	})
}

func TestReaders_SlowReader(t *testing.T) {
	t.Parallel()
	const piece, pieces = 3 << 10, 20
	raw := noise(piece * pieces)
	synctest.Test(t, func(t *testing.T) {
		whole := bytes.NewReader(raw)
		started := time.Now()
		faces := sentFaces(t, aimbrain.Readers(readerFunc(func(p []byte) (int, error) {
			<-time.After(time.Second)
			return whole.Read(p[:piece])
		})))
		assert.True(t, bytes.Equal(raw, faces[0]))
		assert.Equal(t, (pieces+1)*time.Second, time.Since(started), "one second per piece and one for io.EOF")
	})
}

func TestReaders_BreaksContract(t *testing.T) {
	t.Parallel()
	returns := func(n func(p []byte) int, err error) io.Reader {
		return readerFunc(func(p []byte) (int, error) { return n(p), err })
	}
	negative := func([]byte) int { return -1 }
	beyond := func(p []byte) int { return len(p) + 1 }
	for name, reader := range map[string]io.Reader{
		"negative":            returns(negative, nil),
		"negative and EOF":    returns(negative, io.EOF),
		"least":               returns(func([]byte) int { return math.MinInt }, nil),
		"beyond":              returns(beyond, nil),
		"beyond and EOF":      returns(beyond, io.EOF),
		"beyond and failed":   returns(beyond, errors.New("disk gone")),
		"most":                returns(func([]byte) int { return math.MaxInt }, nil),
		"later":               io.MultiReader(bytes.NewReader(noise(30_000)), iotest.OneByteReader(bytes.NewReader(noise(3))), returns(negative, nil)),
		"beyond what is left": io.MultiReader(bytes.NewReader(noise(30_000)), returns(func([]byte) int { return 24 << 10 }, nil)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, transport := responding(t, 200, `{"imagesCount":1}`)
			_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(reader))
			var request *aimbrain.RequestError
			require.ErrorAs(t, err, &request)
			assert.Equal(t, "faces[0]", request.Argument)
			assert.Contains(t, request.Reason, "breaks io.Reader's contract")
			assert.Contains(t, err.Error(), "not sent")
			assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
			assert.Zero(t, transport.GetTotalCallCount())
		})
	}
}

type nilReader struct{ r io.Reader }

func (n *nilReader) Read(p []byte) (int, error) { return n.r.Read(p) }

// TestReaders_Panics tests that the caller receives the panic with its value, and
// that the client remains usable.
func TestReaders_Panics(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	enroll := func(r io.Reader) { _, _ = client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(r)) }
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		enroll(readerFunc(func([]byte) (int, error) { panic(http.ErrAbortHandler) }))
	})
	assert.PanicsWithValue(t, "later", func() {
		enroll(io.MultiReader(bytes.NewReader(noise(90_000)), readerFunc(func([]byte) (int, error) { panic("later") })))
	})
	assert.Panics(t, func() { enroll((*nilReader)(nil)) })
	assert.Panics(t, func() { enroll((*bytes.Reader)(nil)) })
	assert.Zero(t, transport.GetTotalCallCount())
	_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(strings.NewReader("face")))
	require.NoError(t, err)
}

// TestReaders_EndsGoroutine tests a reader that calls runtime.Goexit, as t.FailNow
// does. It ends the caller's goroutine.
func TestReaders_EndsGoroutine(t *testing.T) {
	t.Parallel()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	ended, returned := make(chan struct{}), false
	go func() {
		defer close(ended)
		_, _ = client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(readerFunc(func([]byte) (int, error) {
			runtime.Goexit()
			return 0, nil
		})))
		returned = true
	}()
	<-ended
	assert.False(t, returned)
	assert.Zero(t, transport.GetTotalCallCount())
}

// TestReaders_AreNotReadAfterCall tests that no Read is in progress after a call
// that ended for another reason than its time limit. The race detector reports it
// otherwise.
func TestReaders_AreNotReadAfterCall(t *testing.T) {
	t.Parallel()
	client, _ := responding(t, 200, `{"imagesCount":1}`)
	for name, c := range map[string]struct {
		bytes int
		is    func(error) bool
	}{
		"succeeds":  {100_000, func(err error) bool { return err == nil }},
		"too large": {math.MaxInt, is[*aimbrain.TooLargeError]},
	} {
		reads, left := 0, c.bytes
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(readerFunc(func(p []byte) (int, error) {
			reads++
			n := min(len(p), left)
			if left -= n; n == 0 {
				return 0, io.EOF
			}
			return n, nil
		})))
		assert.True(t, c.is(err), "%s: %v", name, err)
		assert.Positive(t, reads)
		reads = 0
		runtime.Gosched()
		assert.Zero(t, reads, name)
	}
}

// bodies returns a client and the body of its last request.
func bodies(t *testing.T) (*aimbrain.Client, *string) {
	t.Helper()
	last := new(string)
	client, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		content, err := io.ReadAll(r.Body)
		*last = string(content)
		return httpmock.NewStringResponse(200, `{"imagesCount":1}`), err
	})
	return client, last
}

// holding is a reader that keeps its buffer after the call has ended: its Read is
// still in progress, or it has failed and another goroutine uses the buffer. Each
// later write is a canary.
type holding struct {
	fails bool
	began chan struct{}
	write chan struct{}
	wrote chan struct{}
	done  chan struct{}
}

func (h *holding) Read(p []byte) (int, error) {
	writes := func() {
		defer close(h.done)
		for range h.write {
			for i := range p {
				p[i] = 'C'
			}
			h.wrote <- struct{}{}
		}
	}
	close(h.began)
	if h.fails {
		go writes()
		return 0, errors.New("not released in time")
	}
	writes()
	return 0, io.EOF
}

// TestReaders_AbandonedBuffer tests that the writes of an abandoned reader appear
// in no other request. The canary is written after another reader has filled its
// buffer and before that buffer is encoded.
func TestReaders_AbandonedBuffer(t *testing.T) {
	t.Parallel()
	canary := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("C"), 30))
	for name, fails := range map[string]bool{"still in its Read": false, "failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, last := bodies(t)
			for range 20 {
				h := &holding{fails, make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-h.began
					cancel()
				}()
				_, err := client.Face.Enroll(ctx, sessionID, aimbrain.Readers(h))
				require.Error(t, err)
				for range 3 {
					other := readerFunc(func(p []byte) (int, error) {
						n := copy(p, noise(len(p)))
						h.write <- struct{}{}
						<-h.wrote
						return n, io.EOF
					})
					_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(other))
					require.NoError(t, err)
					require.NotContains(t, *last, canary, "another's media was sent")
				}
				close(h.write)
				<-h.done
			}
		})
	}
}

// TestReaders_ClaimsMoreThanItWrote tests that the bytes that are sent for it are
// no other caller's media.
func TestReaders_ClaimsMoreThanItWrote(t *testing.T) {
	t.Parallel()
	canary := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("C"), 30))
	client, last := bodies(t)
	for range 20 {
		one := bytes.Repeat([]byte("C"), 300_000)
		_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(struct{ io.Reader }{bytes.NewReader(one)}))
		require.NoError(t, err)
		require.Contains(t, *last, canary)
		reads := 0
		liar := readerFunc(func(p []byte) (int, error) {
			if reads++; reads == 3 {
				return len(p), io.EOF
			}
			return len(p), nil
		})
		_, err = client.Face.Enroll(t.Context(), sessionID, aimbrain.Readers(liar))
		require.NoError(t, err)
		require.NotContains(t, *last, canary, "another's media was sent")
	}
}

func TestFiles_OnlyRegularFiles(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if os.Symlink(written(t, "face"), link) == nil { // not supported on all systems
		assert.Equal(t, [][]byte{[]byte("face")}, sentFaces(t, aimbrain.Files(link)))
	}
	refusesFile(t, t.TempDir(), "a directory")
	refusesFile(t, os.DevNull, "a device")
}

// refusesFile makes a call with a file that is not a regular one.
func refusesFile(t *testing.T, path, kind string) {
	t.Helper()
	client, transport := responding(t, 200, `{"imagesCount":1}`)
	_, err := client.Face.Enroll(t.Context(), sessionID, aimbrain.Files(path))
	var request *aimbrain.RequestError
	require.ErrorAs(t, err, &request)
	assert.Equal(t, "faces[0]", request.Argument)
	assert.Contains(t, err.Error(), "not a regular file")
	assert.Contains(t, err.Error(), kind)
	assert.Contains(t, err.Error(), path)
	assert.Contains(t, err.Error(), "not sent")
	assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err))
	assert.Zero(t, transport.GetTotalCallCount())
}
