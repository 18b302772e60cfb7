package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// TestFailuresOfHiddenCIsAreKnownToThoseThatSeeThem asks about symptoms while all that has failed, or was ruled out,
// is hidden: a stranger is told what follows if nothing has failed, to the last digit.
func TestFailuresOfHiddenCIsAreKnownToThoseThatSeeThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		const told = `failures { name } isKnown knownBy { ... on Incident { number } } share alternatives { failures { name } isKnown } alsoBroken { name } alsoBrokenCount`
		ask := func(by caller, of, facts string) string {
			answer := g.ask(by, strings.NewReplacer("@portal@", g.ids["portal"], "@shop@", g.ids["shop"], "@incident@", g.ids["seen"], "@facts@", facts, "@told@", told).Replace(of))
			text, err := json.Marshal(answer)
			if err != nil || answer["errors"] != nil {
				t.Fatal(answer, err)
			}
			return string(text)
		}
		for _, of := range []string{
			`{ rootCauseCandidates(seen: [{id: "@portal@"}, {id: "@shop@"}], first: 20, facts: @facts@) { nodes { @told@ } } }`,
			`{ incident(id: "@incident@") { rootCauseCandidates(first: 20, facts: @facts@) { nodes { @told@ } } } }`,
		} {
			if now, none := ask(eve, of, "NOW"), ask(eve, of, "NONE"); now != none {
				t.Errorf("%s tells eve what is hidden:\n%s\n%s", of, now, none)
			}
			if now := ask(ada, of, "NOW"); now == ask(ada, of, "NONE") || !strings.Contains(now, `"isKnown":true`) || !strings.Contains(now, "INC0000001") {
				t.Errorf("%s does not tell ada what is known: %s", of, now)
			}
		}
	})
}
