package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// trapped is a schema whose subscriptions panic, once told to, where they make an event.
type trapped struct {
	graphql.ExecutableSchema
	sprung *atomic.Bool
}

func (s trapped) Exec(ctx context.Context) graphql.ResponseHandler {
	return s.ExecutableSchema.Exec(trap{ctx, s.sprung})
}

// trap is a context that panics under whoever looks into it to make an event.
type trap struct {
	context.Context
	sprung *atomic.Bool
}

func (c trap) Value(key any) any {
	if c.sprung.Load() && strings.Contains(string(debug.Stack()), "read.deliver") {
		panic("canary of a panic")
	}
	return c.Context.Value(key)
}

func TestASubscriptionThatFailsEndsWithItsCodeAndNothingMore(t *testing.T) {
	var sprung atomic.Bool
	w := sqliteWorld(t, func(c *server.Config) { c.Schema = trapped{c.Schema, &sprung} })
	first := w.write(t, "first")
	query := fmt.Sprintf("subscription { journal(after: %d) { revision } }", first-1)
	c, e := w.connect(t), w.follow(t.Context(), t, query)
	c.ask("s", query)
	c.expect("next")
	e.next()
	sprung.Store(true)
	second := w.write(t, "second")

	isCoded := func(text []byte) bool {
		var list []struct{ Extensions struct{ Code string } }
		return json.Unmarshal(text, &list) == nil && len(list) == 1 && list[0].Extensions.Code == "INTERNAL" && !strings.Contains(string(text), "canary")
	}
	if m := c.expect("error"); m.ID != "s" || !isCoded(m.Payload) {
		t.Errorf("%s %s", m.ID, m.Payload)
	}
	var answer struct {
		Data   *any
		Errors json.RawMessage
	}
	if name, id, data, _ := e.next(); name != "next" || id != "" || json.Unmarshal([]byte(data), &answer) != nil || answer.Data != nil || !isCoded(answer.Errors) {
		t.Errorf("%s %s %s", name, id, data)
	}
	if name, _, _, _ := e.next(); name != "complete" {
		t.Errorf("after the error: %s", name)
	}
	if name, _, data, more := e.next(); more {
		t.Errorf("after the end: %s %s", name, data)
	}
	sprung.Store(false)
	c.ask("s", fmt.Sprintf("subscription { journal(after: %d) { revision } }", first)) // the id is free, and nothing is lost
	if m := c.expect("next"); !strings.Contains(string(m.Payload), fmt.Sprintf(`{"revision":%d}`, second)) {
		t.Errorf("%s %s", m.ID, m.Payload)
	}
}
