package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

func TestAServerThatStopsAnswersUntilBalancersHaveHeard(t *testing.T) {
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "answered") })
	go func() {
		ended <- server.Serve(ctx, l, answer, time.Minute, time.Hour, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	client := &http.Client{Transport: &http.Transport{}}
	ask := func() (isLast bool) {
		t.Helper()
		answer, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if text, err := io.ReadAll(answer.Body); string(text) != "answered" {
			t.Fatal(string(text), err)
		}
		return answer.Close
	}
	if ask() {
		t.Error("a connection was closed though nobody stopped the server")
	}
	stop()
	for range 2 { // on the connection that was idle, and on a new one
		if !ask() {
			t.Error("a connection stayed open for another request")
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
