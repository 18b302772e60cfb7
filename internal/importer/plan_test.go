package importer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// steps lists a plan's steps of records and relationships as "kind outcome externalId".
func steps(p *importer.Plan) (all []string) {
	for _, i := range p.Steps {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", i.Kind, i.Outcome, i.ExternalID, i.Target)))
	}
	return all
}

func notices(p *importer.Plan) (all []string) {
	for i := range p.Notices {
		all = append(all, string(p.Notices[i].Kind)+" "+p.Notices[i].Error())
	}
	return all
}

func TestARowWithAMistakeLeavesTheOthersIntact(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(
			importer.CI{ExternalID: "a", Name: "a", Class: "server"},
			importer.CI{ExternalID: "b", Name: "b", Class: "servr"},
			importer.CI{ExternalID: "c", Name: "c", Class: "server", Lifecycle: "ALIVE"},
			importer.CI{ExternalID: "d", Name: "d", Class: "server", Attributes: map[string]any{"cpuCores": "eight"}},
			importer.CI{ExternalID: "e", Class: "server"},
			importer.CI{ExternalID: "f", Name: "f", Class: "hardware"},
			importer.CI{ExternalID: "g", Name: "g", Class: "server", Service: &importer.Service{Tier: "tier-1"}},
			importer.CI{ExternalID: "a", Name: "again", Class: "server"},
			importer.CI{ExternalID: "h", Name: "h", Class: "server", Relationships: []importer.Relationship{
				{Type: "depnds_on", Target: "a"}, {Type: "depends_on", Target: "a", Strength: "STRONG"}, {Type: "depends_on", Target: "d"}, {Type: "connects_to", Target: "a"},
			}},
		)
		p := load(t, s, source)
		if diff := cmp.Diff([]string{
			"ci duplicate a", "ci rejected b", "ci rejected c", "ci rejected d", "ci rejected e", "ci rejected f", "ci rejected g", "ci create a", "ci create h",
			"relationship rejected h a", "relationship rejected h a", "relationship create h a", "relationship dangling h d",
		}, steps(p)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{
			`rejected test.yaml:2: there is no class "servr"; did you mean server?`,
			`rejected test.yaml:3: lifecycle is "ALIVE": it is one of PLANNED, BUILD, LIVE, DEPRECATED, RETIRED`,
			`rejected test.yaml:4: cpuCores is text: a whole number is expected`,
			`rejected test.yaml:5: the CI has no name`,
			`rejected test.yaml:6: class hardware only groups other classes: choose one below it`,
			`rejected test.yaml:7: server is not a class of services: its CIs have no tier, links or support team`,
			`duplicate test.yaml:8: "a" is reported twice: the first, at test.yaml:1, counts`,
			`rejected test.yaml:9: relationship h depnds_on a: there is no relationship type "depnds_on"; did you mean depends_on?; the rest of the row was imported`,
			`rejected test.yaml:9: relationship h depends_on a: strength is "STRONG": it is one of HARD, SOFT; the rest of the row was imported`,
			`dangling test.yaml:9: "d" is named as the target of depends_on of "h", and nobody has reported it: the reference is kept until it arrives`,
		}, notices(p)); diff != "" {
			t.Error(diff)
		}
		changesNothing(t, s, source)
	})
}

func TestAFieldThatASourceDoesNotReportStays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, cis(importer.CI{
			ExternalID: "a", Name: "a", Class: "server", Description: "first", Criticality: "HIGH", Labels: map[string]string{"zone": "north", "rack": "1"},
			Attributes: map[string]any{"cpuCores": 8, "os": "Debian"},
		}))
		p := load(t, s, cis(importer.CI{ExternalID: "a", Labels: map[string]string{"zone": "south"}, Attributes: map[string]any{"cpuCores": 16, "os": nil}}))
		if diff := cmp.Diff([]importer.Difference{{"attributes.cpuCores", 8.0, 16.0}, {"labels.zone", "north", "south"}}, p.Steps[0].Differences); diff != "" {
			t.Error(diff)
		}
		got := ciOf(t, s, "a")
		if got.Name != "a" || got.Description != "first" || got.Criticality != domain.CriticalityHigh || got.Version != 2 {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff(map[string]string{"zone": "south", "rack": "1"}, got.Labels); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"cpuCores": 16.0, "os": "Debian"}, got.Attributes); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARenamedCIKeepsItsID(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, cis(importer.CI{ExternalID: "a", Name: "before", Class: "server"}))
		id := record(t, s, "test", "a")
		load(t, s, cis(importer.CI{ExternalID: "a", Name: "after", Class: "server"}))
		if got := ciOf(t, s, "a"); got.ID != id || got.Name != "after" || s.Read.CI.Query().CountX(t.Context()) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAFieldThatAPersonSetIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(importer.CI{ExternalID: "a", Name: "a", Class: "server", Description: "from the source", Labels: map[string]string{"zone": "north"}})
		load(t, s, source)
		practice := cmdb.New(s)
		description := "from a person"
		if _, err := practice.UpdateCI(admin(t), cmdb.UpdateCI{ID: record(t, s, "test", "a"), FieldsInput: cmdb.FieldsInput{Description: graphql.OmittableOf(&description)}}); err != nil {
			t.Fatal(err)
		}
		source.all[0].CI.Labels["zone"] = "south"
		p := load(t, s, source)
		if diff := cmp.Diff([]string{"ci update a", "ci would_overwrite a"}, steps(p)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]importer.Difference{{"description", "from a person", "from the source"}}, p.Steps[1].Differences); diff != "" {
			t.Error(diff)
		}
		if got := ciOf(t, s, "a"); got.Description != "from a person" || got.Labels["zone"] != "south" {
			t.Errorf("%+v", got)
		}
		changesNothing(t, s, source)
	})
}

func TestACIIsFoundByItsIdentity(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		serial := func(n string) map[string]any { return map[string]any{"vendor": "Acme", "serialNumber": n} }
		load(t, s, rows{name: "other", all: cis(
			importer.CI{ExternalID: "1", Name: "one", Class: "server", Attributes: serial("S1")},
			importer.CI{ExternalID: "2", Name: "two", Class: "computer", Attributes: serial("S2")},
		).all})
		source := cis(
			importer.CI{ExternalID: "a", Name: "one", Class: "server", Attributes: serial("S1")},
			importer.CI{ExternalID: "b", Name: "ONE", Class: "server", Attributes: serial("S1")},
			importer.CI{ExternalID: "c", Name: "three", Class: "server", Attributes: serial("S3")},
			importer.CI{ExternalID: "d", Name: "four", Class: "server", Attributes: serial("S3")},
			importer.CI{ExternalID: "e", Name: "no serial", Class: "server", Attributes: map[string]any{"vendor": "Acme"}},
		)
		p := load(t, s, source)
		if diff := cmp.Diff([]string{"ci duplicate b", "ci duplicate d", "ci update a", "ci create c", "ci create e"}, steps(p)); diff != "" {
			t.Error(diff)
		}
		if record(t, s, "test", "a") != record(t, s, "other", "1") {
			t.Error("a is not the CI that the other source calls 1")
		}
		changesNothing(t, s, source)
		// An update must not give a CI the identity of another one.
		source.all[2].CI.Attributes = serial("S2")
		clash := plan(t, s, source)
		if diff := cmp.Diff([]string{"ci duplicate b", "ci duplicate c", "ci duplicate d", "ci unchanged a"}, slices.Sorted(slices.Values(steps(clash)))); diff != "" {
			t.Error(diff)
		}
	})
}

type broken struct{ rows }

var errBroken = errors.New("the disk is gone")

func (b broken) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for r, err := range b.rows.Rows(ctx) {
			if !yield(r, err) {
				return
			}
		}
		yield(importer.Row{}, errBroken)
	}
}

func TestASourceThatBreaksGivesNoPlan(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if _, err := importer.NewPlan(t.Context(), s, broken{cis(importer.CI{ExternalID: "a", Name: "a", Class: "server"})}, importer.Options{}); !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAPlanIsTheSameEachTimeAndReadsAsJSON(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var texts [2]string
		for i := range texts {
			text, err := json.Marshal(plan(t, s, backstageFixtures(t)))
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = string(text)
		}
		if texts[0] != texts[1] || !strings.Contains(texts[0], `"kind":"ci","outcome":"create"`) {
			t.Error("two plans of one input differ")
		}
	})
}

func TestASummaryListsTwentyNoticesOfAKind(t *testing.T) {
	p := &importer.Plan{Summary: importer.Summary{importer.KindCI: {importer.IsRejected: 23, importer.Create: 4}, importer.KindTeam: {importer.Create: 1000}}}
	for i := range 23 {
		p.Notices = append(p.Notices, importer.Notice{Origin: importer.Origin{File: "f.yaml", Line: i + 1}, Kind: importer.Rejected, Reason: "wrong"})
	}
	text := func(o importer.SummaryOptions) string {
		var b bytes.Buffer
		if err := importer.WriteSummary(&b, p, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	brief, long := text(importer.SummaryOptions{}), text(importer.SummaryOptions{IsVerbose: true})
	if want := "       create  rejected\nteams    1000         ·\nCIs         4        23\n\nrejected (23)\n  f.yaml:1: wrong\n"; !strings.HasPrefix(brief, want) {
		t.Errorf("got\n%s", brief)
	}
	if !strings.HasSuffix(brief, "  f.yaml:20: wrong\n  … and 3 more (use --verbose)\n") || !strings.HasSuffix(long, "  f.yaml:23: wrong\n") {
		t.Errorf("got\n%s\n%s", brief, long)
	}
}
