package redisstore_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/relay/redisstore"
)

// A server is a redis-server of its own, with its folder, its socket and its settings.
type server struct {
	folder  string
	network string // unix, or tcp where replication or a cluster needs it
	addr    string
	args    []string
	process *exec.Cmd
	log     *lockedBuffer
}

// lockedBuffer is the output of a process.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(line + "\n")
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// executable returns the path of redis-server. Without it the test is skipped, or
// fails with CI_REQUIRE_REDIS=1.
func executable(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI_REQUIRE_REDIS") == "1" {
			t.Fatal("redis-server is not installed, and CI_REQUIRE_REDIS=1")
		}
		t.Skip("redis-server is not installed")
	}
	return path
}

// startServer starts a server with a socket in a folder of its own.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	executable(t)
	// A socket's path has 107 bytes at most, and that of t.TempDir has the test's name.
	folder, err := os.MkdirTemp("", "redis") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &server{folder: folder, network: "unix", addr: filepath.Join(folder, "s"), args: args}
	s.start(t)
	return s
}

// startTCPServer starts a server on a free port of the loopback interface.
func startTCPServer(t *testing.T, args ...string) *server {
	t.Helper()
	executable(t)
	folder := t.TempDir()
	for range 5 { // another process may take the port meanwhile
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing waits
		require.NoError(t, err)
		s := &server{folder: folder, network: "tcp", addr: listener.Addr().String(), args: args}
		require.NoError(t, listener.Close())
		if s.try(t) {
			return s
		}
	}
	t.Fatal("the server did not start on five ports")
	return nil
}

func (s *server) start(t *testing.T) {
	t.Helper()
	require.True(t, s.try(t), "redis-server: %v", s.log)
}

// try starts the server and waits until it is ready.
func (s *server) try(t *testing.T) bool {
	t.Helper()
	port := "0"
	if s.network == "tcp" {
		_, port, _ = net.SplitHostPort(s.addr)
	}
	args := []string{"--port", port, "--bind", "127.0.0.1", "--dir", s.folder, "--save", "", "--daemonize", "no", "--maxmemory", "200mb", "--maxmemory-policy", "noeviction"}
	if s.network == "unix" {
		args = append(args, "--unixsocket", s.addr)
	}
	s.process = exec.Command(executable(t), append(args, s.args...)...) //nolint:noctx // ended by the test
	s.log = &lockedBuffer{}
	output, err := s.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.process.Start())
	ready := make(chan bool, 1)
	process := s.process
	go func(log *lockedBuffer) {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			log.add(lines.Text())
			if strings.Contains(lines.Text(), "Ready to accept connections") || strings.Contains(lines.Text(), "ready to accept connections") {
				select {
				case ready <- true:
				default:
				}
			}
		}
		select {
		case ready <- false:
		default:
		}
	}(s.log)
	t.Cleanup(func() { end(process) })
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	select {
	case ok := <-ready:
		return ok
	case <-limit.C:
		return false
	}
}

// end kills a process. A second call does nothing.
func end(process *exec.Cmd) {
	_ = process.Process.Kill()
	_ = process.Wait()
}

// kill ends the server as a crash does.
func (s *server) kill() { end(s.process) }

// client returns a client as ParseURL configures it, with changes.
func (s *server) client(t *testing.T, changes ...func(*redis.Options)) *redis.Client {
	t.Helper()
	return s.clientAt(t, s.network, s.addr, changes...)
}

func (s *server) clientAt(t *testing.T, network, addr string, changes ...func(*redis.Options)) *redis.Client {
	t.Helper()
	options, err := redisstore.ParseURL("redis://localhost")
	require.NoError(t, err)
	options.Network, options.Addr = network, addr
	options.ReadTimeout = 20 * time.Second // busy machines
	for _, change := range changes {
		change(options)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// store returns a store on the server.
func (s *server) store(t *testing.T, options ...redisstore.Option) *redisstore.Store {
	t.Helper()
	return newStore(t, s.client(t), options...)
}

func newStore(t *testing.T, client redis.UniversalClient, options ...redisstore.Option) *redisstore.Store {
	t.Helper()
	store, err := redisstore.New(t.Context(), client, options...)
	require.NoError(t, err)
	return store
}

// A proxy forwards connections to a server, and can drop or hold replies.
type proxy struct {
	addr     string
	waits    atomic.Int64 // WAIT commands that the server has received
	commands atomic.Int64 // scripts that the server has received
	drop     atomic.Int64 // of how many replies to scripts the connection is closed
	cut      atomic.Int64 // after how many replies to scripts the connection is closed
	hold     atomic.Bool  // no reply to a script is forwarded
}

func startProxy(t *testing.T, to *server) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing waits
	require.NoError(t, err)
	p := &proxy{addr: listener.Addr().String()}
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			var dialer net.Dialer
			upstream, err := dialer.DialContext(ctx, to.network, to.addr)
			if err != nil {
				_ = client.Close()
				continue
			}
			context.AfterFunc(ctx, func() { closeBoth(client, upstream) })
			group.Go(func() { p.requests(client, upstream) })
			group.Go(func() { p.replies(client, upstream) })
		}
	})
	return p
}

func closeBoth(client, upstream net.Conn) {
	_ = client.Close()
	_ = upstream.Close()
}

func (p *proxy) requests(client, upstream net.Conn) {
	defer closeBoth(client, upstream)
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		p.commands.Add(int64(bytes.Count(buffer[:n], []byte("\r\nevalsha\r\n")) + bytes.Count(buffer[:n], []byte("\r\neval\r\n"))))
		p.waits.Add(int64(bytes.Count(buffer[:n], []byte("\r\nwait\r\n"))))
		if _, err := upstream.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) replies(client, upstream net.Conn) {
	defer closeBoth(client, upstream)
	buffer := make([]byte, 1<<16)
	for {
		n, err := upstream.Read(buffer)
		if err != nil {
			return
		}
		// The replies of the scripts are arrays; those of a new connection are not.
		if buffer[0] == '*' && p.hold.Load() {
			_, _ = io.Copy(io.Discard, upstream)
			return
		}
		if buffer[0] == '*' && p.drop.Add(-1) >= 0 {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil || buffer[0] == '*' && p.cut.Add(-1) >= 0 {
			return
		}
	}
}

// eventually calls f until it returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for !f() {
		select {
		case <-pause.C:
		case <-limit.C:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// info returns a field of INFO.
func info(t *testing.T, client *redis.Client, field string) string {
	t.Helper()
	text, err := client.Info(t.Context()).Result()
	require.NoError(t, err)
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// port returns the port of an address.
func port(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	_, err = strconv.Atoi(port)
	require.NoError(t, err)
	return port
}
