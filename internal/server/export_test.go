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

// Hasten shortens the waits of a server's streams.
func (c *Config) Hasten(init, ping, pong, write, alive time.Duration) {
	c.pace = pace{init, ping, pong, write, alive}
}

// CallerHeaders returns the headers that say who calls.
func (c Config) CallerHeaders() []string { return c.callerHeaders() }

// Introduced returns the headers of a socket, from its upgrade and the payload of connection_init.
func Introduced(upgrade http.Header, payload []byte, named []string) (http.Header, error) {
	return introduced(upgrade, payload, named)
}

// Network returns what the addresses of one subscriber have in common.
func Network(address string) string { return network(address) }

// Tight fails at the first field that somebody may read on an interface and not on an object of it.
func Tight(schema *ast.Schema, mayRead func(a auth.Actor, typeName, field string) bool) error {
	return tight(schema, mayRead)
}

// Waits returns how long a server waits for the peers of requests and streams, by what it waits for.
func Waits() map[string]time.Duration {
	return map[string]time.Duration{
		"header": usual.header, "body": usual.body, "idle": usual.idle,
		"init": steady.init, "ping": steady.ping, "pong": steady.pong, "write": steady.write, "alive": steady.alive,
	}
}

// ServeHastily serves as Serve does, with shorter waits for slow peers.
func ServeHastily(ctx context.Context, l net.Listener, handler http.Handler, header, body, idle time.Duration, log *slog.Logger) error {
	return serve(ctx, l, handler, time.Minute, patience{header: header, body: body, idle: idle}, log)
}
