package graph_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestACursorOfAnythingElseIsRefused(t *testing.T) {
	onEstates(t, 4, func(t *testing.T, e *estate) {
		foreign := []string{"", "x", "!", "e30", strings.Repeat("A", 10_000), base64.RawURLEncoding.EncodeToString([]byte(`{"v":1,"f":"","k":[]}`))}
		cursors := map[string][]string{}
		for name, l := range lists {
			for _, order := range l.orders() {
				cursors[name] = append(cursors[name], e.mustPage(t, l, order, "first: 1").Edges[0].Cursor)
			}
		}
		for name, l := range lists {
			refuse := func(order, cursor string) {
				t.Helper()
				for _, argument := range []string{"after", "before"} {
					if _, failed := e.page(t, l, order, fmt.Sprintf("first: 2, %s: %q", argument, cursor)); failed != "BAD_CURSOR" {
						t.Errorf("%s [%s]: %s %.60q gives %q", name, order, argument, cursor, failed)
					}
				}
			}
			for i, order := range l.orders() {
				for j, cursor := range cursors[name] {
					if own := j == i || isDefault(order, l.orders()[j]); !own && !isDefault(l.orders()[j], order) {
						refuse(order, cursor)
					}
				}
				for _, cursor := range forged(t, cursors[name][i]) {
					refuse(order, cursor)
				}
			}
			for other := range lists {
				if other != name && !strings.HasSuffix(other, "history") && !strings.HasSuffix(other, "timeline") {
					refuse("", cursors[other][0])
				}
			}
			for _, cursor := range foreign {
				refuse("", cursor)
			}
		}
		for list, narrowed := range map[string]string{ // the same list, asked for by something else
			"cis":              `{ cis(filter: {name: {startsWith: "twin"}}) LIST }`,
			"incidents":        `{ incidents(filter: {isOpen: true}) LIST }`,
			"CI.incidents":     `{ ci(id: "HUB") { incidents(filter: {isOpen: true}) LIST } }`,
			"CI.needs":         `{ ci(id: "HUB") { dependencies { needs(classes: ["server"]) LIST } } }`,
			"impact.affected":  `{ impact(facts: NONE, failed: [{id: "HUB"}]) { affected(classes: ["server"]) LIST } }`,
			"impact.services":  `{ impact(facts: NONE, failed: [{id: "HUB", state: DEGRADED}]) { services LIST } }`,
			"Change.conflicts": `{ change(id: "CHANGE") { conflicts LIST } }`,
			"changeCalendar":   `{ changeCalendar(from: "2027-01-10T22:00:00Z", to: "2027-01-11T00:00:00Z") LIST }`,
			"kpis":             `{ kpis(period: DAY, from: "2027-01-09T00:00:00Z", to: "2027-01-15T00:00:00Z") LIST }`,
			"by class":         `{ kpis(period: DAY, from: "2027-01-08T00:00:00Z", to: "2027-01-15T00:00:00Z", groupBy: CLASS) LIST }`,
		} {
			own := cursors[cmp.Or(map[string]string{"by class": "kpis"}[list], list)][0]
			if _, failed := e.page(t, pagedList{narrowed, "__typename", ""}, "", fmt.Sprintf("first: 1, after: %q", own)); failed != "BAD_CURSOR" {
				t.Errorf("a cursor of %s gives %q for %s", list, failed, narrowed)
			}
		}
		search := func(arguments string) (string, string) {
			got, _ := ask(t, e, "{ search("+arguments+") { edges { cursor } } }", nil, "")
			text, _ := json.Marshal(got)
			cursor, _, _ := strings.Cut(string(text)[strings.Index(string(text), `"cursor":"`)+len(`"cursor":"`):], `"`)
			return cursor, firstCode(got)
		}
		found, _ := search(`query: "twin", first: 1`)
		for other, want := range map[string]string{`query: "twin"`: "", `query: "twi"`: "BAD_CURSOR", `query: "twin", classes: ["server"]`: "BAD_CURSOR"} {
			if _, failed := search(other + fmt.Sprintf(", first: 1, after: %q", found)); failed != want {
				t.Errorf("a cursor of a search gives %q for %s, not %q", failed, other, want)
			}
		}
		for _, args := range []string{"first: -1", "first: 101", "last: -1", "last: 101", "first: 1, last: 1"} {
			for name, l := range lists {
				if _, failed := e.page(t, l, "", args); failed != "BAD_USER_INPUT" {
					t.Errorf("%s(%s) gives %q", name, args, failed)
				}
			}
		}
		for name, l := range lists {
			if l.fields == "" {
				continue
			}
			field, _, _ := strings.Cut(l.fields, "=")
			twice := fmt.Sprintf("{field: %s}, {field: %s, direction: DESC}", field, field)
			for _, order := range []string{twice, twice + ", " + twice} {
				if _, failed := e.page(t, l, order, "first: 1"); failed != "BAD_USER_INPUT" {
					t.Errorf("%s [%s] gives %q", name, order, failed)
				}
			}
		}
	})
}

// isDefault reports whether an order is the default of a list.
func isDefault(order, given string) bool {
	return order == "" && (given == "{field: NAME}" || given == "{field: CREATED_AT, direction: DESC}")
}

// forged returns cursors with the fingerprint of a good one and values that no record has.
func forged(t *testing.T, good string) (all []string) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) {
		changed := map[string]any{}
		for k, v := range c {
			changed[k] = v
		}
		changed[name] = value
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, base64.RawURLEncoding.EncodeToString(text))
	}
	with("v", 2)
	keys, ok := c["k"].([]any)
	if !ok {
		with("i", "nothing")
		with("p", -1)
		with("p", 1e30)
		return all
	}
	with("k", keys[1:])
	with("k", append(slices.Clone(keys), "x"))
	for i, k := range keys {
		wrong := []any{nil, true, []any{}, map[string]any{}}
		if _, ok := k.(string); ok {
			wrong = append(wrong, 1, "\x00")
		} else {
			wrong = append(wrong, "x", 1e300, -1e300, 1e18, -1e18, 0.5)
		}
		for _, w := range wrong {
			changed := slices.Clone(keys)
			changed[i] = w
			with("k", changed)
		}
	}
	return all
}
