package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// told is one event of a subscription, with its revision and the rest of it.
type told struct {
	revision int64
	data     string
}

// subscribe follows a subscription over HTTP until ctx ends, as an admin unless another caller is given.
func subscribe(ctx context.Context, t *testing.T, url, query string, by ...caller) <-chan told {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	for _, c := range by {
		r.Header.Set("Linchpin-Actor", c.name)
		r.Header.Set("Linchpin-Roles", c.roles)
	}
	response, err := http.DefaultClient.Do(r) //nolint:bodyclose // it is closed where it is read
	if err != nil {
		if ctx.Err() == nil {
			t.Error(err)
		}
		none := make(chan told)
		close(none)
		return none
	}
	events := make(chan told)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		one, lines := told{}, bufio.NewScanner(response.Body)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				_, _ = fmt.Sscan(value, &one.revision)
			case "data":
				one.data = value
			case "":
				if one.data != "" {
					select {
					case events <- one:
					case <-ctx.Done():
						return
					}
				}
				one = told{}
			}
		}
	}()
	return events
}

var tokens = regexp.MustCompile(`,"revisionToken":"\d+-[0-9a-f]{16}"`)

// next waits for one event.
func next(t *testing.T, events <-chan told) told {
	t.Helper()
	select {
	case one, ok := <-events:
		if !ok {
			t.Fatal("the subscription has ended")
		}
		return one
	case <-time.After(time.Minute):
		t.Fatal("nothing is told")
	}
	return told{}
}

func TestASubscriptionThatIsCutAgainAndAgainMissesNothingAndHearsNothingTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		server := httptest.NewServer(serverOver(t, s))
		t.Cleanup(server.Close)
		const writers, writes, followers = 4, 25, 6
		start, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		end := start + writers*writes
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range writes {
					name := fmt.Sprintf("team %d %d", w, i)
					ask(t, server.Config.Handler, `mutation ($name: String!) { createTeam(input: {name: $name}) { userErrors { code } } }`, map[string]any{"name": name}, "")
				}
			})
		}
		heard, cuts := make([][]int64, followers), make([]int, followers)
		for n := range followers {
			all.Go(func() {
				last := start
				for lives := 1; last < end && t.Context().Err() == nil; lives++ {
					ctx, cut := context.WithCancel(t.Context())
					left := 1 + (lives*7+n*3)%11 // events until it is cut
					for one := range subscribe(ctx, t, server.URL, fmt.Sprintf("subscription { journal(after: %d) { revision resync } }", last)) {
						last = one.revision
						heard[n] = append(heard[n], last)
						if left--; left == 0 || last >= end {
							break
						}
					}
					cut()
					cuts[n]++
				}
			})
		}
		all.Wait()
		var written []int64
		if err := s.Read.Entry.Query().Where(entry.RevisionGT(start)).Unique(true).Order(entry.ByRevision()).Select(entry.FieldRevision).Scan(t.Context(), &written); err != nil {
			t.Fatal(err)
		}
		written = slices.Compact(written)
		for n := range followers {
			if !slices.Equal(heard[n], written) || cuts[n] < 5 {
				t.Errorf("follower %d heard %v over %d connections; written were %v", n, heard[n], cuts[n], written)
			}
		}
	})
}

func TestAServiceSaysHowItFaresAsItsHostsFailAndComeBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		handler := serverOver(t, s)
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		id := func(query, path string) string {
			t.Helper()
			answer, _ := ask(t, handler, query, nil, "")
			at := answer
			for _, step := range strings.Split("data."+path, ".") {
				here, _ := at.(map[string]any)
				at = here[step]
			}
			found, ok := at.(string)
			if !ok {
				t.Fatalf("%s: %v", query, answer)
			}
			return found
		}
		service := id(`mutation { createService(input: {name: "shop", kind: APPLICATION_SERVICE}) { service { id } userErrors { message } } }`, "createService.service.id")
		ci := id(fmt.Sprintf(`{ service(id: %q) { ci { id } } }`, service), "service.ci.id")
		var hosts, relationships []string
		for i := range 2 {
			host := id(fmt.Sprintf(`mutation { createCI(input: {class: "server", name: "host %d"}) { ci { id } userErrors { message } } }`, i), "createCI.ci.id")
			hosts = append(hosts, host)
			relationships = append(relationships, id(fmt.Sprintf(`mutation { relateCIs(input: {type: "depends_on", source: %q, target: %q}) { relationship { id } userErrors { message field } } }`, ci, host), "relateCIs.relationship.id"))
		}
		id(fmt.Sprintf(`mutation { createDependencyGroup(input: {ci: %q, name: "hosts", mode: ANY, members: [{relationship: %q}, {relationship: %q}]}) { dependencyGroup { id } userErrors { message field } } }`, ci, relationships[0], relationships[1]), "createDependencyGroup.dependencyGroup.id")

		const shown = "{ revision resync changes { service { name } from to } }"
		now, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events := subscribe(t.Context(), t, server.URL, fmt.Sprintf("subscription { serviceStateChanged(after: %d) %s }", now, shown))
		other := subscribe(t.Context(), t, server.URL, fmt.Sprintf("subscription { serviceStateChanged(after: %d, ids: [%q]) %s }", now, hosts[0], shown))
		expect := func(from, to string) int64 {
			t.Helper()
			revision, err := s.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := next(t, events)
			got.data = tokens.ReplaceAllString(got.data, "")
			want := fmt.Sprintf(`{"data":{"serviceStateChanged":{"revision":%d,"resync":null,"changes":[{"service":{"name":"shop"},"from":%q,"to":%q}]}},"extensions":{"revision":%d}}`, revision, from, to, revision)
			if got.data != want {
				t.Errorf("\n%s instead of\n%s", got.data, want)
			}
			return revision
		}
		open := func(host string) string {
			t.Helper()
			return id(fmt.Sprintf(`mutation { openIncident(input: {title: "down", cis: [{id: %q, role: ROOT}]}) { incident { id } userErrors { message field } } }`, host), "openIncident.incident.id")
		}
		first := open(hosts[0])
		began := expect("OPERATIONAL", "AT_RISK")
		second := open(hosts[1])
		expect("AT_RISK", "DOWN")
		for _, incident := range []string{first, second} {
			id(fmt.Sprintf(`mutation { startIncident(input: {id: %q}) { incident { id } userErrors { message field } } }`, incident), "startIncident.incident.id")
			id(fmt.Sprintf(`mutation { resolveIncident(input: {id: %q, code: FIXED, notes: "it works again"}) { incident { id } userErrors { message field } } }`, incident), "resolveIncident.incident.id")
			if incident == first {
				expect("DOWN", "AT_RISK")
			}
		}
		expect("AT_RISK", "OPERATIONAL")
		id(`mutation { createChangeTemplate(input: {name: "routine", plan: "as ever", mayTakeDown: true}) { changeTemplate { id } userErrors { message field } } }`, "createChangeTemplate.changeTemplate.id")
		work := id(fmt.Sprintf(`mutation { draftChange(input: {type: STANDARD, template: "tpl_1", title: "disks", scope: [{id: %q, role: TAKEN_DOWN}, {id: %q}], plannedStart: "2030-01-01T00:00:00Z", plannedEnd: "2030-01-01T01:00:00Z"}) { change { id } userErrors { message field } } }`, hosts[1], hosts[0]), "draftChange.change.id")
		move := func(verb, more string) {
			t.Helper()
			id(fmt.Sprintf(`mutation { %s(input: {id: %q%s}) { change { id } userErrors { message field } } }`, verb, work, more), verb+".change.id")
		}
		move("scheduleChange", "")
		move("startChange", `, outsideWindow: {reason: "now"}`)
		expect("OPERATIONAL", "AT_RISK") // what it takes down is down, what it changes is not
		move("reviewChange", "")
		expect("AT_RISK", "OPERATIONAL")
		open(hosts[0])
		expect("OPERATIONAL", "AT_RISK")
		alone := id(`mutation { createCI(input: {class: "server", name: "host 3"}) { ci { id } userErrors { message } } }`, "createCI.ci.id")
		id(fmt.Sprintf(`mutation { relateCIs(input: {type: "depends_on", source: %q, target: %q, acceptConsequences: {reason: "it was there"}}) { relationship { id } userErrors { message } } }`, alone, hosts[0]), "relateCIs.relationship.id")
		id(fmt.Sprintf(`mutation { relateCIs(input: {type: "depends_on", source: %q, target: %q, acceptConsequences: {reason: "it was there"}}) { relationship { id } userErrors { message } } }`, ci, alone), "relateCIs.relationship.id")
		expect("AT_RISK", "DOWN") // the graph changed under an open incident

		replay := subscribe(t.Context(), t, server.URL, fmt.Sprintf("subscription { serviceStateChanged(after: %d) { changes { to } } }", began))
		for _, to := range []string{"DOWN", "AT_RISK", "OPERATIONAL", "AT_RISK", "OPERATIONAL", "AT_RISK", "DOWN"} {
			if got := next(t, replay); !strings.Contains(got.data, fmt.Sprintf(`{"to":%q}`, to)) {
				t.Errorf("replayed %s, not %s", got.data, to)
			}
		}
		if got := next(t, subscribe(t.Context(), t, server.URL, "subscription { serviceStateChanged(after: 0) { resync changes { to } } }")); !strings.Contains(got.data, `"resync":"TOO_OLD","changes":[]`) {
			t.Errorf("from before the start: %s", got.data)
		}
		select {
		case got := <-other:
			t.Errorf("told of another record: %v", got)
		default:
		}
	})
}
