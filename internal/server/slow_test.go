package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// hold opens a connection and sends the beginning of a request.
func hold(t *testing.T, host, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", host) //nolint:noctx // closed by the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// hastily serves a world with the given waits for slow peers, and returns its address.
func hastily(t *testing.T, header, body, idle time.Duration) (w *world, host string) {
	t.Helper()
	w = sqliteWorld(t, nil)
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeHastily(ctx, l, server.New(w.config), header, body, idle, w.config.Log) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w, l.Addr().String()
}

const (
	brief   = 2 * time.Second // longer than a peer that is not slow is held up on a busy machine
	forever = time.Hour
)

// TestAPeerThatSendsTheHeaderSlowlyIsCutOffAndHoldsUpNobody tries one wait while the others are too long to matter, as
// the tests below do.
func TestAPeerThatSendsTheHeaderSlowlyIsCutOffAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w, host := hastily(t, brief, forever, forever)
	var slow []net.Conn
	for range 300 {
		slow = append(slow, hold(t, host, "POST /graphql HTTP/1.1\r\nHost: "+host+"\r\nX-Slow: "))
	}
	w.host = host
	c := w.connect(t)
	c.ask("bystander", "{ revision }")
	c.expect("next")
	stop := make(chan struct{})
	defer close(stop)
	go func() { // a letter now and then buys no time
		for {
			select {
			case <-stop:
				return
			case <-time.After(brief / 3):
				_, _ = slow[0].Write([]byte("x")) // it may be closed
			}
		}
	}()
	for i, conn := range slow {
		if answer, err := io.ReadAll(conn); isLate(err) || strings.Contains(string(answer), "200 OK") {
			t.Fatalf("connection %d stays open: %v %s", i, err, answer)
		}
	}
}

// isLate reports whether nothing came within the time that hold allows.
func isLate(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func TestABodyThatComesSlowlyIsRefused(t *testing.T) {
	t.Parallel()
	_, host := hastily(t, forever, brief, forever)
	conn := hold(t, host, fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\":", host))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), `"TIMEOUT"`) {
		t.Errorf("%s %s %v", response.Status, body, err)
	}
}

func TestAConnectionThatAsksNothingMoreIsClosed(t *testing.T) {
	t.Parallel()
	_, host := hastily(t, forever, forever, brief)
	conn := hold(t, host, "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") {
		t.Errorf("it stays open: %v %s", err, answer)
	}
}

// narrow accepts connections with small buffers.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetWriteBuffer(4<<10))
	}
	return conn, err
}

// narrowly connects to a host, with a small buffer to read into.
func narrowly(ctx context.Context, network, host string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, host)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetReadBuffer(4<<10))
	}
	return conn, err
}

const much = "{ __schema { types { name description fields { name description args { name description } } } } }"

// TestAPeerThatTakesNothingIsCut asks for much and takes nothing of it: that holds up neither a socket nor the end of
// the server.
func TestAPeerThatTakesNothingIsCut(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, forever, forever, brief, forever) })
	w.config.Metrics = metrics
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- server.ServeHastily(ctx, narrow{l}, server.New(w.config), forever, forever, forever, w.config.Log)
	}()
	w.host = l.Addr().String()
	slow := &http.Client{Transport: &http.Transport{DialContext: narrowly}}
	defer slow.CloseIdleConnections()

	socket, _, err := websocket.Dial(t.Context(), "ws://"+w.host+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPClient: slow}) //nolint:bodyclose // a socket has none
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	c := &client{Conn: socket, t: t}
	c.send(`{"type":"connection_init"}`)
	c.ask("much", much)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		open, ok := gauge(t, metrics, "linchpin_sockets")
		if ok && open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%g sockets are open", open)
		}
	}

	body, err := json.Marshal(map[string]string{"query": much})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.host+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	response, err := slow.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stop()
	if err := <-ended; err != nil { // it waits for what is still sent, half a minute at most
		t.Error(err)
	}
}

// gauge returns a measurement, or false if it is not there.
func gauge(t *testing.T, metrics *prometheus.Registry, name string) (float64, bool) {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue(), true
		}
	}
	return 0, false
}

// TestTheProductWaitsForSlowPeersAsLongAsTheContractSays checks the waits that the tests above shorten.
func TestTheProductWaitsForSlowPeersAsLongAsTheContractSays(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"header": 5 * time.Second, "body": 30 * time.Second, "idle": 2 * time.Minute,
		"init": 5 * time.Second, "ping": 30 * time.Second, "pong": 10 * time.Second, "write": 30 * time.Second, "alive": 12 * time.Second,
	} {
		if got := server.Waits()[name]; got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
