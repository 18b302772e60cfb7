package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Hasten makes the streams of a server wait for less.
func (c *Config) Hasten(init, ping, pong, write, alive time.Duration) {
	c.pace = pace{init, ping, pong, write, alive}
}

// ServeHastily serves as Serve does, and waits for slow peers so long only.
func ServeHastily(ctx context.Context, l net.Listener, handler http.Handler, wait time.Duration, log *slog.Logger) error {
	return serve(ctx, l, handler, time.Minute, patience{wait, wait, wait}, log)
}
