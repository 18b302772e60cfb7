package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
)

// trap makes the server panic, once it is sprung, when it looks up the CIs that are hidden from the actor of an event.
func trap(w *world) (sprung *atomic.Bool) {
	sprung = new(atomic.Bool)
	w.Store.Read.CI.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			if sprung.Load() {
				panic("canary of a panic")
			}
			return next.Query(ctx, q)
		})
	}))
	return sprung
}

func TestASubscriptionThatFailsEndsWithItsCodeAndNothingMore(t *testing.T) {
	const viewer = "Linchpin-Roles: VIEWER" // from whom CIs may be hidden
	w := sqliteWorld(t, nil)
	sprung := trap(w)
	first := w.write(t, "first")
	query := fmt.Sprintf("subscription { journal(after: %d) { revision } }", first-1)
	c, e := w.connect(t, viewer), w.follow(t.Context(), t, query, viewer)
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
