package aimbrain

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAnswerThatWasThereBeforeTheRequestIsNoticed(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	conn := newGuardedConn(near, nil)
	read := func() {
		go func() { _, _ = far.Write([]byte("HTTP/1.1 200 OK")) }()
		_, err := conn.Read(make([]byte, 64))
		require.NoError(t, err)
	}
	require.True(t, conn.lend(t.Context()))
	assert.False(t, conn.hasHeard())
	read()
	assert.True(t, conn.hasHeard(), "an answer to this request")
	read() // and one that nobody asked for
	conn.handOn()
	require.True(t, conn.lend(t.Context()))
	assert.False(t, conn.hasHeard(), "the next request has heard nothing yet")
}

// TestAConnectionIsHandedOnWhenTheCallBeforeIsDoneWithIt: net/http gives it to
// the next call before that.
func TestAConnectionIsHandedOnWhenTheCallBeforeIsDoneWithIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(conn *guardedConn)
		cancel bool
		lent   bool
		after  time.Duration
		writes error
	}{
		"in good order":               {func(conn *guardedConn) { <-time.After(time.Millisecond); conn.handOn() }, false, true, time.Millisecond, nil},
		"given up":                    {func(conn *guardedConn) { conn.giveUp(); conn.handOn() }, false, true, 0, errAbandoned},
		"held back for too long":      {func(*guardedConn) {}, false, false, handOnTime, errAbandoned},
		"when the call was cancelled": {func(*guardedConn) {}, true, false, 0, errAbandoned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				defer func() { _ = near.Close() }()
				conn := newGuardedConn(near, nil)
				require.True(t, conn.lend(t.Context()))
				_, err := conn.Write([]byte("POST /v1/score HTTP/1.1"))
				require.NoError(t, err)
				go c.before(conn)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel {
					cancel()
				}
				started := time.Now()
				assert.Equal(t, c.lent, conn.lend(ctx))
				assert.Equal(t, c.after, time.Since(started))
				_, err = conn.Write([]byte("POST /v1/score HTTP/1.1"))
				require.ErrorIs(t, err, c.writes)
			})
		})
	}
}

// TestRequestsShareAnHTTP2Connection: waiting for one another there would be a
// deadlock, or a queue.
func TestRequestsShareAnHTTP2Connection(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	defer func() { _ = near.Close() }()
	conn := newGuardedConn(near, nil)
	assert.NotNil(t, guardOf(conn))
	_, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	require.NoError(t, err)
	assert.Nil(t, guardOf(conn))
	assert.Nil(t, guardOf(near), "somebody else's connection")
}

func TestAConnectionThatIsGivenUpUnderARequestSaysThatItMayHaveBeenSent(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	conn := newGuardedConn(near, nil)
	require.True(t, conn.lend(t.Context()))
	_, err := conn.Write([]byte("POST /v1/face/enroll HTTP/1.1"))
	require.NoError(t, err)
	conn.giveUp()
	_, err = conn.Write([]byte("{}"))
	require.ErrorIs(t, err, errMixedUp)
	require.NoError(t, near.Close())
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, errMixedUp)
}

func TestAConnectionIsFoundUnderTLS(t *testing.T) {
	t.Parallel()
	near, _ := net.Pipe()
	conn := newGuardedConn(near, nil)
	once := tls.Client(conn, &tls.Config{})
	assert.Same(t, conn, guardOf(once))
	assert.Same(t, conn, guardOf(tls.Client(once, &tls.Config{})), "through a proxy by https")
	assert.Nil(t, guardOf(tls.Client(near, &tls.Config{})), "somebody else's")
}

// TestAConnectionIsNotAskedForTwiceByOneRequest: a call within a call has the
// hooks of both, and the outer one would wait for the inner one.
func TestAConnectionIsNotAskedForTwiceByOneRequest(t *testing.T) {
	t.Parallel()
	near, _ := net.Pipe()
	conn := newGuardedConn(near, nil)
	require.True(t, conn.lend(t.Context()))
	assert.False(t, conn.lend(t.Context()))
	assert.NoError(t, conn.beforeWrite(nil), "it is good still")
}

func TestOnlyARequestThatWasNotSentIsSentAnew(t *testing.T) {
	t.Parallel()
	assert.True(t, isAbandoned(fmt.Errorf("write: %w", errAbandoned)))
	assert.False(t, isAbandoned(errors.Join(errAbandoned, io.EOF)), "a second place was asked, perhaps")
	assert.False(t, isAbandoned(errMixedUp))
	assert.False(t, isAbandoned(nil))
}
