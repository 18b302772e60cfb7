package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// hold opens a connection and sends what is the beginning of a request.
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

func TestWhoSendsTheHeaderSlowlyIsCutOffAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, nil)
	var slow []net.Conn
	for range 300 {
		slow = append(slow, hold(t, w.host, "POST /graphql HTTP/1.1\r\nHost: "+w.host+"\r\nX-Slow: "))
	}
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
			case <-time.After(100 * time.Millisecond):
				_, _ = slow[0].Write([]byte("x")) // it may be closed
			}
		}
	}()
	for i, conn := range slow {
		if answer, err := io.ReadAll(conn); err != nil && strings.Contains(err.Error(), "i/o timeout") || strings.Contains(string(answer), "200 OK") {
			t.Fatalf("connection %d stays open: %v %s", i, err, answer)
		}
	}
}

func TestABodyThatComesSlowlyIsRefused(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, nil)
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeHastily(ctx, l, server.New(w.config), 300*time.Millisecond, w.config.Log) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	host := l.Addr().String()
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
