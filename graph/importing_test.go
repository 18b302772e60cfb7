package graph_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// importing writes what sources said of CIs, some of which are hidden, and what a run did about them. The first of two
// worlds has something else about those that are hidden than the other. The word is in all that tells of them.
func importing(t *testing.T, s *store.Store, ids map[string]string, at time.Time, word string, first bool) {
	t.Helper()
	either := func(a, b string) string {
		if first {
			return a
		}
		return b
	}
	ci := func(name string) any {
		id, err := ident.Parse(ids[name])
		if err != nil {
			t.Fatal(name, err)
		}
		return int64(id.As(ident.CI))
	}
	step := func(kind, outcome, key, more string) string {
		return fmt.Sprintf(`{"kind": %q, "outcome": %q, "origin": {}, "externalId": %q%s}`, kind, outcome, key, more)
	}
	outcome, wrong := either("update", "yield"), either("rejected", "duplicate")
	rows := []struct {
		outcome, step string
		about, other  any
		isTold        bool
	}{
		{"update", step("ci", "update", "plain-rack", `, "name": "rack"`), ci("rack"), nil, true},
		{outcome, step("ci", outcome, word, fmt.Sprintf(`, "name": %q, "changes": [{"field": "name", "before": %q, "after": "x"}]`, word, word)), ci("db"), nil, true},
		{"create", step("relationship", "create", "plain-server1", fmt.Sprintf(`, "target": %q`, word)), ci("server1"), ci("svc"), true},
		{wrong, step("ci", wrong, "plain", fmt.Sprintf(`, "reason": "it is %s, which is there"`, word)), nil, nil, false},
		{"dangling", step("owner", "dangling", "plain-server1", `, "target": "team"`), ci("server1"), nil, true},
	}
	said := func(key, name, note string) string {
		return fmt.Sprintf(`{"ci": {"key": %q, "name": %q, "attributes": {"note": %q}}}`, key, name, note)
	}
	claims := [][]any{
		{"plain", "plain-rack", ci("rack"), said("plain-rack", "another rack", "seen")},
		{"watch", "rack", ci("rack"), said("rack", "the rack", "seen too")},
		{"plain", word, ci("db"), said(word, word, word)},
		{"watch", word, ci("svc"), said(word, word, "x")},
		{either("plain", "watch"), "also " + word, ci("db"), said(word, "another "+word, "x")},
	}
	_, err := store.Write(store.At(t.Context(), at), s, store.By{Actor: "root", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (none int, err error) {
		if err := writeBy(ctx, tx, `INSERT INTO x_run (id, source, scope, kind, state, started_at, finished_at, is_complete, counts, from_revision, to_revision, actor, reason)
			VALUES (1, 'plain', 'all', 'FULL', 'FAILED', $1, $1, true, $2, 1, 2, 'root', $3)`, tx.Now,
			either(`{"planned": {"ci": {"update": 2}}}`, `{"planned": {"ci": {"update": 1, "yield": 1}}}`), word+" failed"); err != nil {
			return none, err
		}
		for i, r := range rows {
			if err := writeBy(ctx, tx, "INSERT INTO x_run_row (run, place, id, outcome, step, about, other, is_told) VALUES (1, $1, $2, $3, $4, $5, $6, $7)",
				i, 1<<24+i, r.outcome, r.step, r.about, r.other, r.isTold); err != nil {
				return none, err
			}
		}
		for _, c := range claims {
			if err := writeBy(ctx, tx, "INSERT INTO x_claim (source, key, scope, record, hash, body, first_run, changed_run, changed_at) VALUES ($1, $2, 'all', $3, $4, $5, 1, 1, $6)",
				c[0], c[1], c[2], []byte("hash"), c[3], tx.Now); err != nil {
				return none, err
			}
		}
		return none, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
