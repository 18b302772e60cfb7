package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

// Hasten makes the streams of a server wait for less.
func (c *Config) Hasten(init, ping, pong, write, alive time.Duration) {
	c.pace = pace{init, ping, pong, write, alive}
}

// CallerHeaders are those that say who calls.
func (c Config) CallerHeaders() []string { return c.callerHeaders() }

// Introduced gives the headers of a socket, as its upgrade and the payload of connection_init have them.
func Introduced(upgrade http.Header, payload []byte, named []string) (http.Header, error) {
	return introduced(upgrade, payload, named)
}

// Network is what the addresses of one subscriber have in common.
func Network(address string) string { return network(address) }

// Tight reports the first field that somebody may read on an interface and not on an object of it.
func Tight(schema *ast.Schema, mayRead func(a auth.Actor, typeName, field string) bool) error {
	return tight(schema, mayRead)
}

// Waits are how long a server waits for peers, by what it waits for: of requests, and of streams.
func Waits() map[string]time.Duration {
	return map[string]time.Duration{
		"header": usual.header, "body": usual.body, "idle": usual.idle,
		"init": steady.init, "ping": steady.ping, "pong": steady.pong, "write": steady.write, "alive": steady.alive,
	}
}

// ServeHastily serves as Serve does, and waits for slow peers so long only.
func ServeHastily(ctx context.Context, l net.Listener, handler http.Handler, header, body, idle time.Duration, log *slog.Logger) error {
	return serve(ctx, l, handler, time.Minute, patience{header, body, idle}, log)
}
