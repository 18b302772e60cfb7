package main

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var answerTimeout = flag.String("answer-timeout", "1s", "answer_timeout of the servers in TestWritesGoOnAfterAHostHasGoneSilent; with 15s it shows what operators see")

// TestWritesGoOnAfterAHostHasGoneSilent lets the database's host vanish while people write, and another one take its
// address over. Each writes again until it is done; what was acknowledged is there once.
func TestWritesGoOnAfterAHostHasGoneSilent(t *testing.T) {
	p, behind := pgtest.NewProxy(t, storetest.PostgresAddress(t))
	server := serve(t, "--database", behind+"&answer_timeout="+*answerTimeout)
	write := func(name string) bool {
		const query = `mutation($name: String!) { createCI(input: {class: "server", name: $name}) { ci { id } userErrors { code } } }`
		a, err := post(t.Context(), http.DefaultClient, server.url, query, map[string]any{"name": name}, "Idempotency-Key: "+name, "Linchpin-Actor: "+name)
		if err != nil {
			t.Error(err)
			return true
		}
		for _, e := range a.Errors {
			if c := e.Extensions.Code; c != "OUTCOME_UNKNOWN" && c != "UNAVAILABLE" && c != "OVERLOADED" {
				t.Errorf("%s: %s", c, e.Message)
			}
		}
		return len(a.Errors) == 0 && strings.Contains(string(a.Data), `"id"`)
	}
	const writers = 8
	everyone := func(what string) (first, last time.Duration) {
		began := time.Now()
		var mu sync.Mutex
		var done sync.WaitGroup
		for i := range writers {
			done.Go(func() {
				for name := fmt.Sprint(what, "-", i); !write(name) && t.Context().Err() == nil; {
					if time.Since(began) > startLimit {
						t.Errorf("%s is not written", name)
						return
					}
				}
				mu.Lock()
				defer mu.Unlock()
				last = time.Since(began)
				if first == 0 {
					first = last
				}
			})
		}
		done.Wait()
		return first, last
	}
	everyone("before")
	p.Silence()
	first, last := everyone("after")
	t.Logf("with an answer_timeout of %s the first write after the silence is acknowledged after %s, the last of %d after %s", *answerTimeout, first.Round(time.Millisecond), writers, last.Round(time.Millisecond))
	for i := range writers {
		for _, what := range []string{"before", "after"} {
			if ids := server.named(t, fmt.Sprint(what, "-", i)); len(ids) != 1 {
				t.Errorf("%s-%d is there as %s", what, i, ids)
			}
		}
	}
}
