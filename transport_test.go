package aimbrain

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAnswerThatWasThereBeforeTheRequestIsNoticed(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	conn := &guardedConn{Conn: near}
	read := func() {
		go func() { _, _ = far.Write([]byte("HTTP/1.1 200 OK")) }()
		_, err := conn.Read(make([]byte, 64))
		require.NoError(t, err)
	}
	conn.lend()
	assert.True(t, conn.silent())
	read()
	assert.False(t, conn.silent(), "an answer to this request")
	read() // and one that nobody asked for
	conn.lend()
	assert.True(t, conn.silent(), "the next request has heard nothing yet")
}

func TestAConnectionThatIsGivenUpTellsWhoWasOnItAlready(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sentMeanwhile string
		says          error
	}{
		"nobody: the next request was not sent": {"", errAbandoned},
		"another call: it may have been":        {"POST", errMixedUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			defer func() { _ = far.Close() }()
			go func() { // a server that reads and answers
				buf := make([]byte, 64)
				for {
					if _, err := far.Read(buf); err != nil {
						return
					}
				}
			}()
			conn := &guardedConn{Conn: near}
			_, err := conn.Write([]byte("the first request"))
			require.NoError(t, err)
			mark := conn.sent()
			if c.sentMeanwhile != "" {
				_, err = conn.Write([]byte(c.sentMeanwhile))
				require.NoError(t, err)
			}
			conn.giveUp(mark)
			n, err := conn.Write([]byte("the next request"))
			require.ErrorIs(t, err, c.says)
			assert.Zero(t, n)
			require.NoError(t, near.Close())
			_, err = conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, c.says)
		})
	}
}
