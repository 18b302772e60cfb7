package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestEventsNameNothingRestricted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		server := httptest.NewServer(g.handler)
		t.Cleanup(server.Close)
		g.do("end", "createCI", `class: "server", name: "the end"`)
		g.do("end of incidents", "openIncident", `title: "the end"`)
		g.do("end of changes", "draftChange", `type: NORMAL, title: "the end"`)
		entries := `entries { revision recordId operation isRestricted before after record { __typename } }`
		for subscription, inner := range map[string]string{
			"journal": entries, "ciChanged": entries + ` cis { id name description }`,
			"incidentChanged": entries + ` incidents { cis { role ci { name } } restrictedCICount }`,
			"changeChanged":   entries + ` changes { scope { role ci { name } } restrictedCICount }`,
		} {
			query := fmt.Sprintf("subscription { %s(after: 0) { revision %s } }", subscription, inner)
			hears := func(by caller) (all []any) {
				t.Helper()
				for events := subscribe(t.Context(), t, server.URL, query, by); ; {
					one := next(t, events)
					var answer any
					if err := json.Unmarshal([]byte(one.data), &answer); err != nil || strings.Contains(one.data, `"errors"`) {
						t.Fatal(err, one.data)
					}
					all = append(all, answer)
					if strings.Contains(one.data, "the end") && (subscription != "journal" || strings.Contains(one.data, "chg_")) {
						return all
					}
				}
			}
			forEve, forAda := hears(eve), hears(ada)
			if text, ok := g.tells(forEve); ok {
				t.Errorf("%s tells eve: %s", subscription, text)
			}
			if _, ok := g.tells(forAda); !ok || len(forEve) > len(forAda) {
				t.Errorf("%s tells eve %d events and its owner %d", subscription, len(forEve), len(forAda))
			}
		}
	})
}

func TestEachEventIsForWhoMaySeeItThen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		server := httptest.NewServer(g.handler)
		t.Cleanup(server.Close)
		start, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events := subscribe(t.Context(), t, server.URL, fmt.Sprintf(`subscription { ciChanged(after: %d) { cis { name description } } }`, start), eve)
		tell := func(input, want string) {
			t.Helper()
			g.do("", "updateCI", input)
			if got := next(t, events); !strings.Contains(got.data, want) {
				t.Errorf("eve hears %s, not %s", got.data, want)
			}
		}
		tell(`id: "@rack@", description: "one"`, `"one"`)
		tell(`id: "@db@", visibility: EVERYONE`, `canary-db`)
		tell(`id: "@db@", description: "two"`, `"two"`)
		g.do("", "updateCI", `id: "@db@", visibility: OWNERS`)
		g.do("", "updateCI", `id: "@db@", description: "three"`)
		tell(`id: "@rack@", description: "four"`, `"four"`)

		for by, want := range map[caller]string{eve: "[portal shop]", ada: "[canary-svc portal shop]"} {
			states := subscribe(t.Context(), t, server.URL, fmt.Sprintf(`subscription { serviceStateChanged(after: %d) { changes { service { name } } } }`, g.past), by)
			var heard []string
			for name := range strings.SplitSeq(next(t, states).data, `"name":"`) {
				if name, _, ok := strings.Cut(name, `"}`); ok {
					heard = append(heard, name)
				}
			}
			if slices.Sort(heard); fmt.Sprint(heard) != want {
				t.Errorf("%v hears of %v", by, heard)
			}
		}
	})
}
