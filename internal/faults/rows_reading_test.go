package faults_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/faults"
)

type reads func([]byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

// withMedia makes a call with media of any form in its last media member. Members
// before it have the user's own.
func withMedia(ctx context.Context, client *aimbrain.Client, call calls.Call, media aimbrain.Media) (any, error) {
	arguments := call.Arguments(user)
	arguments.Media[len(arguments.Media)-1] = media
	return call.DoWith(ctx, client, arguments)
}

func blockedReader() []cell {
	media := calls.Where(func(c calls.Call) bool { return len(c.Media) > 0 })
	return join(
		these(media, "cancelled", faults.HTTP1, blocking(afterASecond, []error{context.Canceled, errCause})),
		these(media, "the context's deadline", faults.HTTP1, blocking(within(time.Second), []error{context.DeadlineExceeded})),
		these(media, "total timeout", faults.HTTP1, blocking(context.WithCancel, []error{aimbrain.ErrTotalTimeout}, aimbrain.WithTimeout(time.Second))),
		these(media, "a pipe", faults.HTTP1, blockedPipe),
		these(media, "a FIFO among files", faults.HTTP1, fifoAmongFiles),
		both(func(variant, protocol string, run run) []cell { return these(media, variant, protocol, run) }, "its buffer afterwards", bufferAfterwards),
	)
}

// blocking is a call whose reader blocks until after the call's end.
func blocking(ctx func(context.Context) (context.Context, context.CancelFunc), wanted []error, opts ...aimbrain.Option) run {
	return func(t *testing.T, l *lab, c cell) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol, Virtual: true}, (*faults.Exchange).Good)
			require.NoError(t, err)
			defer server.Close()
			s := open(t, c, server.NewClient, opts...)
			defer s.client.Close()
			released := make(chan struct{})
			defer close(released)
			reader := reads(func([]byte) (int, error) { <-released; return 0, io.EOF })
			ctx, cancel := ctx(t.Context())
			defer cancel()
			started := time.Now()
			s.result, s.err = withMedia(ctx, s.client, c.call, aimbrain.Readers(reader))
			assert.Equal(t, time.Second, time.Since(started), "the call returns without delay")
			for _, want := range wanted {
				assert.ErrorIs(t, s.err, want)
			}
			failedBefore(t, server, s, network)
		})
	}
}

// failedBefore checks that the call failed with an error of that kind before its
// first attempt.
func failedBefore(t *testing.T, server *faults.Server, s *seen, wanted string) {
	t.Helper()
	kind, attempts := kindOf(s.err)
	assert.Equal(t, wanted, kind)
	assert.Zero(t, attempts)
	assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(s.err))
	assert.True(t, calls.IsZero(s.result))
	assert.Empty(t, s.attempts)
	assert.Zero(t, server.Received())
	assert.Zero(t, server.Conns())
}

// blockedPipe has a Read that blocks in the system and not only in the runtime.
func blockedPipe(t *testing.T, l *lab, c cell) {
	t.Helper()
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
	require.NoError(t, err)
	defer server.Close()
	s := open(t, c, server.NewClient, quick()...)
	defer s.client.Close()
	from, to, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = from.Close() }()
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan struct{})
	s.result, s.err = withMedia(ctx, s.client, c.call, aimbrain.Readers(reads(func(p []byte) (int, error) {
		defer close(ended)
		cancel(errCause)
		return from.Read(p)
	})))
	assert.ErrorIs(t, s.err, context.Canceled)
	assert.ErrorIs(t, s.err, errCause)
	failedBefore(t, server, s, network)
	require.NoError(t, to.Close()) // ends the Read
	<-ended
}

// fifoAmongFiles passes a FIFO, whose opening would block until a writer opens it.
func fifoAmongFiles(t *testing.T, l *lab, c cell) {
	t.Helper()
	path := fifo(t)
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, (*faults.Exchange).Good)
	require.NoError(t, err)
	defer server.Close()
	s := open(t, c, server.NewClient, quick()...)
	defer s.client.Close()
	s.result, s.err = withMedia(t.Context(), s.client, c.call, aimbrain.Files(path))
	assert.ErrorContains(t, s.err, "named pipe")
	failedBefore(t, server, s, request)
}

// bufferAfterwards has an abandoned reader write a canary to its buffer while
// other readers of the same client use their buffers, each time before their bytes
// are used.
func bufferAfterwards(t *testing.T, l *lab, c cell) {
	t.Helper()
	canary := bytes.Repeat([]byte("C"), 60)
	var mu sync.Mutex
	leaked := 0
	server, err := l.authority.Serve(faults.Setup{Protocol: c.protocol}, func(x *faults.Exchange) {
		if bytes.Contains(x.Body, []byte(base64.StdEncoding.EncodeToString(canary))) {
			mu.Lock()
			leaked++
			mu.Unlock()
		}
		x.Good()
	})
	require.NoError(t, err)
	defer server.Close()
	s := open(t, c, server.NewClient, quick()...)
	defer s.client.Close()
	const rounds, others = 5, 3
	for range rounds {
		write, wrote, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := withMedia(ctx, s.client, c.call, aimbrain.Readers(reads(func(p []byte) (int, error) {
			defer close(ended)
			cancel()
			for range write {
				for i := range p {
					p[i] = 'C'
				}
				wrote <- struct{}{}
			}
			return len(p), nil
		})))
		require.ErrorIs(t, err, context.Canceled)
		for range others {
			result, err := withMedia(t.Context(), s.client, c.call, aimbrain.Readers(reads(func(p []byte) (int, error) {
				n := copy(p, bytes.Repeat(calls.User(user).Media(), 200))
				write <- struct{}{}
				<-wrote
				return n, io.EOF
			})))
			require.NoError(t, err)
			require.NoError(t, c.call.Check(user, result))
		}
		close(write)
		<-ended
	}
	assert.Zero(t, leaked, "requests with another's media in them")
	assert.Equal(t, rounds*others, server.Executed())
	assert.Zero(t, server.Forged())
}
