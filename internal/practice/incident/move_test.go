package incident_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
)

func TestEachVerbDoesWhatTheTableSaysAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for from, way := range ways {
			for verb := range d.verbs(0) {
				id := d.mustOpen(t, incident.Open{}).ID
				verbs := d.verbs(id)
				for _, step := range way {
					if _, err := verbs[step](); err != nil {
						t.Fatal(err)
					}
				}
				before := d.Store.Read.Incident.GetX(d.ctx, id)
				after, err := verbs[verb]()
				want, ok := moves[from][verb]
				if !ok {
					if errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), string(from)) {
						t.Errorf("%s from %s: got %v, want a refusal that names the state", verb, from, err)
					}
					if now := d.Store.Read.Incident.GetX(d.ctx, id); now.Version != before.Version || len(d.timeline(id)) != len(way) {
						t.Errorf("%s from %s was refused and left a trace", verb, from)
					}
					continue
				}
				if err != nil || after.State != want || after.Version != before.Version+1 || after.UpdatedAt.Before(before.UpdatedAt) {
					t.Errorf("%s from %s: got %v, %v, want %s", verb, from, after, err, want)
					continue
				}
				told := d.timeline(id)
				last := told[len(told)-1]
				if last.Kind != domain.StateChange || last.FromState != string(from) || last.ToState != string(want) || last.Actor != "olga" {
					t.Errorf("%s from %s: the timeline says %v", verb, from, last)
				}
			}
		}
	})
}

func TestAnIncidentTellsItsStory(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{CIs: []incident.CI{{d.Server, domain.RootRole}}})
		note := "waiting for a part"
		held, err := d.Hold(d.ctx, incident.Hold{ID: i.ID, Reason: domain.AwaitingVendor, Note: &note})
		if err != nil || held.HoldReason == nil || *held.HoldReason != domain.AwaitingVendor || held.AcknowledgedAt != nil {
			t.Fatalf("held: %v, %v", held, err)
		}
		started, err := d.Start(d.ctx, incident.Start{ID: i.ID})
		if err != nil || started.HoldReason != nil || started.AcknowledgedAt == nil {
			t.Fatalf("started: %v, %v", started, err)
		}
		_, err = d.Resolve(d.ctx, incident.Resolve{ID: i.ID, Code: "ODD", Notes: " ", FixedByChange: &noChange})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"code": errs.Invalid, "notes": errs.Required, "fixedByChange": errs.NotFound}) {
			t.Errorf("got %v", got)
		}
		resolved, err := alone(d.Resolve(d.ctx, incident.Resolve{ID: i.ID, Code: domain.Workaround, Notes: "spare"}))
		if err != nil || resolved.ResolvedAt == nil || *resolved.ResolutionCode != domain.Workaround || resolved.ResolutionNotes != "spare" ||
			resolved.ImpactAtResolution == nil || resolved.ImpactAtResolution.Services[0].Name != "mail" {
			t.Fatalf("resolved: %v, %v", resolved, err)
		}
		reopened, err := d.Reopen(d.ctx, incident.Reopen{ID: i.ID, Reason: "failed again"})
		if err != nil || reopened.ResolvedAt != nil || reopened.ResolutionCode != nil || reopened.ResolutionNotes != "" || reopened.ImpactAtResolution != nil ||
			reopened.ReopenCount != 1 || !reopened.AcknowledgedAt.Equal(*started.AcknowledgedAt) {
			t.Fatalf("reopened: %v, %v", reopened, err)
		}
		d.mustDo(t, d.verbs(i.ID)["resolveIncident"])
		if closed := d.mustDo(t, d.verbs(i.ID)["closeIncident"]); closed.ClosedAt == nil || closed.ResolvedAt == nil {
			t.Errorf("closed: %v", closed)
		}
		if _, err := d.Comment(d.ctx, incident.Comment{ID: i.ID, Kind: domain.Comment, Body: "thank you"}); err != nil {
			t.Errorf("a comment on a closed incident: %v", err)
		}
		var story []string
		for _, e := range d.timeline(i.ID) {
			story = append(story, fmt.Sprintf("%s %s>%s %s", e.Kind, e.FromState, e.ToState, e.Body))
		}
		want := "WORK_NOTE > waiting for a part, STATE_CHANGE NEW>ON_HOLD , STATE_CHANGE ON_HOLD>IN_PROGRESS , STATE_CHANGE IN_PROGRESS>RESOLVED spare, " +
			"STATE_CHANGE RESOLVED>IN_PROGRESS failed again, STATE_CHANGE IN_PROGRESS>RESOLVED n, STATE_CHANGE RESOLVED>CLOSED , COMMENT > thank you"
		if got := strings.Join(story, ", "); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		last := d.Store.Read.Entry.Query().Where(entry.SubjectID(i.ID)).Order(ent.Desc("id")).FirstX(d.ctx)
		if last.Verb != "incident.comment" || last.Actor != "olga" {
			t.Errorf("the journal ends with %v", last)
		}
	})
}

func TestAClosedRecordCanOnlyBeCommentedOn(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for _, way := range [][]string{ways["CLOSED"], ways["CANCELED"]} {
			id := d.mustOpen(t, incident.Open{}).ID
			for _, step := range way {
				d.mustDo(t, d.verbs(id)[step])
			}
			for name, edit := range map[string]func() (*ent.Incident, error){
				"update": func() (*ent.Incident, error) { return d.Update(d.ctx, incident.Update{ID: id}) },
				"assign": func() (*ent.Incident, error) { return d.Assign(d.ctx, incident.Assign{ID: id}) },
				"setCIs": func() (*ent.Incident, error) { return d.SetCIs(d.ctx, incident.SetCIs{ID: id}) },
			} {
				if _, err := edit(); errs.CodeOf(err) != errs.TransitionRefused {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := d.Comment(d.ctx, incident.Comment{ID: id, Kind: domain.StateChange, Body: ""}); !maps.Equal(tickettest.Faults(t, err), map[string]errs.Code{"kind": errs.Invalid, "body": errs.Required}) {
				t.Errorf("an odd comment: %v", err)
			}
		}
	})
}

func TestOfTwoResolvesAtOnceOneIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for range 10 {
			i := d.mustOpen(t, incident.Open{})
			var wait sync.WaitGroup
			failures := make([]error, 2)
			for n := range failures {
				wait.Go(func() { _, failures[n] = d.verbs(i.ID)["resolveIncident"]() })
			}
			wait.Wait()
			first, second := errs.CodeOf(failures[0]), errs.CodeOf(failures[1])
			if first == second || first != "" && second != "" || first+second != errs.TransitionRefused {
				t.Fatalf("got %v and %v", failures[0], failures[1])
			}
			if len(d.timeline(i.ID)) != 1 {
				t.Fatal("it was resolved twice")
			}
		}
	})
}

func TestNoSequenceOfVerbsLeavesTheTable(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		rapid.Check(t, func(t *rapid.T) {
			i := d.mustOpen(t, incident.Open{})
			state, version := i.State, i.Version
			for _, verb := range rapid.SliceOfN(rapid.SampledFrom([]string{
				"startIncident", "holdIncident", "resolveIncident", "reopenIncident", "closeIncident", "cancelIncident",
			}), 1, 8).Draw(t, "verbs") {
				_, err := d.verbs(i.ID)[verb]()
				want, ok := moves[state][verb]
				if ok != (err == nil) {
					t.Fatalf("%s in %s: %v", verb, state, err)
				}
				if ok {
					state, version = want, version+1
				}
				now := d.Store.Read.Incident.GetX(d.ctx, i.ID)
				if now.State != state || now.Version != version || (now.HoldReason != nil) != (state == domain.IncidentOnHold) ||
					(now.ResolvedAt != nil) != (state == domain.IncidentResolved || state == domain.IncidentClosed) ||
					(now.ClosedAt != nil) != (state == domain.IncidentClosed) {
					t.Fatalf("after %s: %v, want %s at version %d", verb, now, state, version)
				}
			}
		})
	})
}
