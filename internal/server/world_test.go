package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/graph"
	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// world is the product over a database, served as in production.
type world struct {
	*app.App
	config server.Config
	host   string
	stop   func() // stops the server as SIGTERM does, and returns when it has ended
}

// worlds runs a test over each database.
func worlds(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, sqliteWorld(t, nil)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, newWorld(t, storetest.PostgresAddress(t), nil)) })
}

func sqliteWorld(t *testing.T, adjust func(*server.Config)) *world {
	t.Helper()
	return newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db"), adjust)
}

// newWorld serves a database.
func newWorld(t *testing.T, address string, adjust func(*server.Config)) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := app.Open(t.Context(), address, log)
	if err != nil {
		t.Fatal(err)
	}
	resolver := graph.New(a.Reader, a.Practices)
	config := server.Config{Schema: exec.NewExecutableSchema(exec.Config{Resolvers: resolver}), Log: log, IsDev: true, IsLocal: true}
	if adjust != nil {
		adjust(&config)
	}
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { defer close(ended); ended <- server.Serve(ctx, l, server.New(config), time.Minute, 0, log) }()
	w := &world{App: a, config: config, host: l.Addr().String()}
	w.stop = func() {
		stop()
		if err, ok := <-ended; ok && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		w.stop()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// write makes one revision and returns its number.
func (w *world) write(t *testing.T, name string) int64 {
	t.Helper()
	ctx := auth.With(t.Context(), auth.System)
	if _, err := w.Catalog.CreateTeam(ctx, catalog.CreateTeam{Name: name}); err != nil {
		t.Fatal(err)
	}
	revision, err := w.Store.Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// message is a message of either side of a socket.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// client is a bare WebSocket.
type client struct {
	*websocket.Conn
	t      *testing.T
	pinged chan struct{} // has one if the server has pinged, and the pong is about to be sent
}

// dial opens a socket that speaks a subprotocol, without initialising it.
func (w *world) dial(t *testing.T, subprotocol string, headers ...string) *client {
	t.Helper()
	c, status, err := w.tryDial(t, subprotocol, headers...)
	if err != nil {
		t.Fatal(status, err)
	}
	return c
}

func (w *world) tryDial(t *testing.T, subprotocol string, headers ...string) (c *client, status int, err error) {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if subprotocol != "" {
		options.Subprotocols = []string{subprotocol}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		options.HTTPHeader.Set(name, value)
	}
	pinged := make(chan struct{}, 1)
	options.OnPingReceived = func(context.Context, []byte) bool {
		select {
		case pinged <- struct{}{}:
		default:
		}
		return true
	}
	conn, response, err := websocket.Dial(t.Context(), "ws://"+w.host+"/graphql", options)
	if err != nil {
		if response != nil {
			status = response.StatusCode
			_ = response.Body.Close()
		}
		return nil, status, err
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(64 << 20)
	return &client{conn, t, pinged}, response.StatusCode, nil
}

const protocol = "graphql-transport-ws"

// connect opens a socket and initialises it.
func (w *world) connect(t *testing.T, headers ...string) *client {
	t.Helper()
	c := w.dial(t, protocol, headers...)
	c.send(`{"type":"connection_init"}`)
	c.expect("connection_ack")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// ask subscribes to a query.
func (c *client) ask(id, query string) {
	c.t.Helper()
	text, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(text))
}

// next returns the next message.
func (c *client) next() (m message, err error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	_, text, err := c.Read(ctx)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// expect returns the next message, and fails the test if it is not of a type.
func (c *client) expect(kind string) message {
	c.t.Helper()
	m, err := c.next()
	if err != nil {
		c.t.Fatalf("instead of %s: %v", kind, err)
	}
	if m.Type != kind {
		c.t.Fatalf("instead of %s: %s %s %s", kind, m.Type, m.ID, m.Payload)
	}
	return m
}

// closed reads until the socket is closed, and returns the code.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.next(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				c.t.Fatal("the socket stays open")
			}
			if errors.Is(err, net.ErrClosed) {
				return -1
			}
			return websocket.CloseStatus(err)
		}
	}
}
