package change_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
)

func TestEachVerbDoesWhatTheTableOfTheTypeSaysAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		for of, table := range moves {
			for from := range table {
				for verb := range b.verbs(0) {
					if verb == "vote" {
						continue
					}
					id := b.mustDraft(t, b.ready(of)).ID
					b.mustDo(t, id, way(of, from)...)
					before, told := b.Store.Read.Change.GetX(b.olga, id), len(b.timeline(id))
					if before.State != from {
						t.Fatalf("%s: the way to %s led to %s", of, from, before.State)
					}
					after, err := b.verbs(id)[verb]()
					want, ok := table[from][verb]
					if !ok {
						if errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), string(from)) {
							t.Errorf("%s %s from %s: got %v, want a refusal that names the state", of, verb, from, err)
						}
						if now := b.Store.Read.Change.GetX(b.olga, id); now.Version != before.Version || len(b.timeline(id)) != told {
							t.Errorf("%s %s from %s was refused and left a trace", of, verb, from)
						}
						continue
					}
					if err != nil || after.State != want || after.Version != before.Version+1 {
						t.Errorf("%s %s from %s: got %v, %v, want %s", of, verb, from, after, err, want)
						continue
					}
					story := b.timeline(id)
					if last := story[len(story)-1]; len(story) != told+1 || !strings.HasPrefix(last, fmt.Sprintf("olga %s>%s", from, want)) {
						t.Errorf("%s %s from %s: the timeline says %s", of, verb, from, last)
					}
				}
			}
		}
	})
}

func TestARefusalSaysAllThatIsMissing(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		says := func(err error, parts ...string) {
			t.Helper()
			if errs.CodeOf(err) != errs.TransitionRefused {
				t.Errorf("got %v, want a refusal", err)
				return
			}
			for _, part := range parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		}
		bare := b.mustDraft(t, change.Draft{Type: domain.Normal, Title: "x"}).ID
		b.mustDo(t, bare, "assessChange")
		_, err := b.verbs(bare)["requestChangeApproval"]()
		says(err, change.Number(bare), "plan, backoutPlan and justification")
		_, err = b.Update(b.olga, change.Update{
			ID: bare, Plan: graphql.OmittableOf(&words), BackoutPlan: graphql.OmittableOf(&words), Justification: graphql.OmittableOf(&words),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, bare, "requestChangeApproval")
		_, err = b.verbs(bare)["scheduleChange"]()
		says(err, "plannedStart, plannedEnd and scope", "nobody has approved it", "awaited of carl")

		standard := b.mustDraft(t, change.Draft{Type: domain.Standard, Title: "x", Template: &b.routine}).ID
		_, err = b.verbs(standard)["scheduleChange"]()
		says(err, "missing: plannedStart, plannedEnd and scope")
		scheduled := b.mustDraft(t, b.ready(domain.Standard)).ID
		b.mustDo(t, scheduled, "scheduleChange")
		_, err = b.Update(b.olga, change.Update{ID: scheduled, Scope: graphql.OmittableOf([]change.CI(nil))})
		says(err, "scope cannot be taken away")
	})
}

func TestTheActualWindowIsWhenItWasDone(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Standard)).ID
		b.mustDo(t, id, "scheduleChange", "startChange", "reviewChange")
		_, err := b.Close(b.olga, change.Close{ID: id, Outcome: "ODD", Notes: ""})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"outcome": errs.Invalid, "notes": errs.Required}) {
			t.Errorf("got %v", got)
		}
		c := b.mustDo(t, id, "closeChange")
		if c.ActualStart == nil || c.ActualEnd == nil || c.ActualEnd.Before(*c.ActualStart) || *c.Outcome != domain.Successful || c.ClosureNotes != "well" {
			t.Errorf("got %v", c)
		}
	})
}

func TestNoSequenceOfVerbsLeavesTheTable(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		rapid.Check(t, func(t *rapid.T) {
			of := rapid.SampledFrom([]domain.ChangeType{domain.Standard, domain.Normal, domain.Emergency}).Draw(t, "type")
			id := b.mustDraft(t, b.ready(of)).ID
			at, isApproved := state("NEW"), false
			for n, verb := range rapid.SliceOfN(rapid.SampledFrom([]string{
				"assessChange", "requestChangeApproval", "vote", "scheduleChange", "startChange", "reviewChange", "closeChange",
				"cancelChange", "returnChange", "rescope",
			}), 1, 12).Draw(t, "verbs") {
				var err error
				if verb == "rescope" {
					end := dawn.Add(time.Duration(n+1) * time.Hour)
					_, err = b.Update(b.olga, change.Update{ID: id, PlannedEnd: graphql.OmittableOf(&end)})
				} else {
					_, err = b.verbs(id)[verb]()
				}
				next, ok := moves[of][at][verb]
				isAllowed := ok
				switch verb {
				case "vote":
					next, isAllowed = at, at == "AUTHORIZE"
					isApproved = isApproved || isAllowed
				case "rescope":
					next, isAllowed = at, at != "IMPLEMENT" && at != "REVIEW" && at.IsOpen() && (at != "SCHEDULED" || of == domain.Standard)
					if at == "AUTHORIZE" {
						next, isApproved = map[domain.ChangeType]state{domain.Normal: "ASSESS", domain.Emergency: "NEW"}[of], false
					}
				case "scheduleChange":
					isAllowed = isAllowed && (isApproved || of == domain.Standard)
				case "returnChange":
					isApproved = isApproved && !isAllowed
				}
				if isAllowed != (err == nil) {
					t.Fatalf("%s %s in %s: %v", of, verb, at, err)
				}
				if isAllowed {
					at = next
				}
				now := b.Store.Read.Change.GetX(b.olga, id)
				isCounted := slices.Contains(b.votes(id), "carl:APPROVED")
				if now.State != at || isCounted != isApproved {
					t.Fatalf("after %s: %v, votes %v, want %s, approved %t", verb, now, b.votes(id), at, isApproved)
				}
			}
		})
	})
}
