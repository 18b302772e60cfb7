package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestEveryVerbOfAnIncidentTellsTheServicesItChangesInItsOwnRevision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		handler := serverOver(t, s)
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		do := func(operation string, args ...any) string {
			t.Helper()
			got, _ := ask(t, handler, "mutation { "+fmt.Sprintf(operation, args...)+" }", nil, "")
			text, err := json.Marshal(got)
			if err != nil || strings.Contains(string(text), `"message"`) {
				t.Fatalf("%s: %s", operation, text)
			}
			return string(text)
		}
		for i, name := range []string{"shop", "mail"} { // svc_1 needs ci_2, svc_3 needs ci_4
			do(`createService(input: {name: %q, kind: APPLICATION_SERVICE}) { userErrors { message } }`, name)
			do(`createCI(input: {class: "server", name: "host of %s"}) { userErrors { message } }`, name)
			do(`relateCIs(input: {type: "depends_on", source: "ci_%d", target: "ci_%d"}) { userErrors { message } }`, 2*i+1, 2*i+2)
		}
		now, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events := subscribe(t.Context(), t, server.URL, fmt.Sprintf("subscription { serviceStateChanged(after: %d) { revision changes { service { name } from to } } }", now))

		const down, up = "OPERATIONAL>DOWN", "DOWN>OPERATIONAL"
		var want, got []string
		for _, step := range []struct {
			operation string
			told      string
		}{
			{`openIncident(input: {title: "a", cis: [{id: "ci_2"}], externalIdentity: {source: "zabbix", externalId: "1"}}) { userErrors { message } }`, ""},
			{`setIncidentCIs(input: {id: "inc_1", cis: [{id: "ci_2", role: ROOT}]}) { userErrors { message } }`, "shop " + down},
			{`updateIncident(input: {id: "inc_1", urgency: 1}) { userErrors { message } }`, ""},
			{`startIncident(input: {id: "inc_1"}) { userErrors { message } }`, ""},
			{`holdIncident(input: {id: "inc_1", reason: AWAITING_VENDOR}) { userErrors { message } }`, ""},
			{`setIncidentCIs(input: {id: "inc_1", cis: [{id: "ci_4", role: ROOT}]}) { userErrors { message } }`, "mail " + down + " shop " + up},
			{`setIncidentCIs(input: {id: "inc_1", cis: [{id: "ci_2", role: ROOT}, {id: "ci_4", role: EXCLUDED}]}) { userErrors { message } }`, "mail " + up + " shop " + down},
			{`resolveIncident(input: {id: "inc_1", code: FIXED, notes: "n"}) { userErrors { message } }`, "shop " + up},
			{`reopenIncident(input: {id: "inc_1", reason: "again"}) { userErrors { message } }`, "shop " + down},
			{`resolveIncident(input: {id: "inc_1", code: FIXED, notes: "n"}) { userErrors { message } }`, "shop " + up},
			{`openIncident(input: {title: "a", externalIdentity: {source: "zabbix", externalId: "1"}}) { userErrors { message } }`, "shop " + down},
			{`cancelIncident(input: {id: "inc_1", reason: "no"}) { userErrors { message } }`, "shop " + up},
			{`openIncident(input: {title: "major", isMajor: true}) { userErrors { message } }`, ""},
			{`openIncident(input: {title: "b", parent: "inc_2", cis: [{id: "ci_2", role: ROOT}]}) { userErrors { message } }`, "shop " + down},
			{`openIncident(input: {title: "c", parent: "inc_3", cis: [{id: "ci_4", role: ROOT}]}) { userErrors { message } }`, "mail " + down},
			{`openIncident(input: {title: "d", cis: [{id: "svc_1", role: ROOT}]}) { userErrors { message } }`, ""}, // it is DOWN
			{`cancelIncident(input: {id: "inc_5", reason: "the same"}) { userErrors { message } }`, ""},
			{`resolveIncident(input: {id: "inc_2", code: FIXED, notes: "n", withChildren: true}) { userErrors { message } }`, "mail " + up + " shop " + up},
			{`closeIncident(input: {id: "inc_3"}) { userErrors { message } }`, ""},
			{`openIncident(input: {title: "e", cis: [{id: "svc_3", role: ROOT}]}) { userErrors { message } }`, "mail " + down},
		} {
			do("%s", step.operation)
			if step.told == "" {
				continue
			}
			revision, err := s.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprint(revision, " ", step.told))
			got = append(got, spokenState(t, next(t, events)))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("(- wanted, + told)\n%s", diff)
		}
	})
}

// spokenState returns an event about services as "REVISION NAME FROM>TO …", by name.
func spokenState(t *testing.T, event told) string {
	t.Helper()
	var said struct {
		Data struct {
			ServiceStateChanged struct {
				Revision int64
				Changes  []struct {
					Service  struct{ Name string }
					From, To string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(event.data), &said); err != nil {
		t.Fatalf("%v: %s", err, event.data)
	}
	one := said.Data.ServiceStateChanged
	words := make([]string, 0, len(one.Changes))
	for _, c := range one.Changes {
		words = append(words, fmt.Sprintf("%s %s>%s", c.Service.Name, c.From, c.To))
	}
	slices.Sort(words)
	return fmt.Sprint(one.Revision, " ", strings.Join(words, " "))
}
