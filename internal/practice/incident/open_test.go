package incident_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestOpeningAsksTheEngine(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{CIs: []incident.CI{{d.Database, domain.RootRole}, {d.Shop.As(ident.Service), domain.AffectedRole}}})
		if i.Impact != 1 || i.IsImpactOverridden || i.Urgency != 2 || i.Priority != 2 || i.OpenedBy != "olga" || i.State != domain.IncidentNew || i.Version != 1 {
			t.Errorf("got %v", i)
		}
		s := i.ImpactAtOpening
		if s == nil || s.Revision != 1 || s.Affected != 1 || len(s.Services) != 1 || s.Services[0] != (domain.ImpactedRecord{CI: d.Shop, Name: "shop", State: "DOWN"}) {
			t.Errorf("snapshot %+v", s)
		}
		if n := d.Store.Read.IncidentCI.Query().CountX(d.ctx); n != 2 {
			t.Errorf("%d CIs", n)
		}
		suggested, err := d.Suggested(d.ctx, d.Graph.Snapshot(), i.ID)
		if err != nil || suggested[i.ID].Level != 1 || suggested[i.ID].Reason != "1 service of tier rank 1 is DOWN: shop." {
			t.Errorf("suggested %v, %v", suggested, err)
		}
		excluded := d.mustOpen(t, incident.Open{CIs: []incident.CI{{d.Database, domain.RootRole}, {d.Shop, domain.ExcludedRole}}})
		if excluded.Impact != 3 || len(excluded.ImpactAtOpening.Services) != 0 {
			t.Errorf("an excluded service counts: %v", excluded)
		}
		level := 2
		if own := d.mustOpen(t, incident.Open{ImpactLevel: &level, CIs: []incident.CI{{d.Database, domain.RootRole}}}); own.Impact != 2 || !own.IsImpactOverridden {
			t.Errorf("a person's level is not taken: %v", own)
		}
		suggested, err = d.Suggested(d.ctx, d.Graph.Snapshot(), i.ID, excluded.ID)
		if err != nil || suggested[i.ID].Reason != "1 service of tier rank 1 is named as AFFECTED: shop." || suggested[excluded.ID].Level != 3 {
			t.Errorf("what an incident rules out is affected by another: %v, %v", suggested, err)
		}
		if !i.DetectedAt.Equal(i.CreatedAt) || i.CreatedAt.Location() != time.UTC {
			t.Errorf("detected %v, created %v", i.DetectedAt, i.CreatedAt)
		}
	})
}

func TestPriorityFollowsTheTableWhereThereIsOne(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		_, err := store.Write(d.ctx, d.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, tx.PriorityRule.Create().SetImpact(3).SetUrgency(2).SetPriority(1).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		if i := d.mustOpen(t, incident.Open{}); i.Priority != 1 {
			t.Errorf("P%d, want the table's P1", i.Priority)
		}
		urgency := 3
		if i := d.mustOpen(t, incident.Open{Urgency: &urgency}); i.Priority != 5 {
			t.Errorf("P%d, want P5 where the table says nothing", i.Priority)
		}
	})
}

func TestAFormShowsAllItsFaultsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		four, nobody, later := 4, ident.New(ident.Person, 99), time.Now().Add(time.Hour)
		long := strings.Repeat("x", 10_001)
		_, err := d.Open(d.ctx, incident.Open{
			Title: " ", Description: &long, Urgency: &four, ImpactLevel: new(int), Caller: &nobody, AssignmentTeam: &nobody, Parent: &d.Ada,
			CausedByChange: &noChange, DetectedAt: &later, ExternalIdentity: &domain.ExternalKey{Source: "", ExternalID: "1"},
			CIs: []incident.CI{
				{d.Database, domain.RootRole},
				{d.Database.As(ident.Service), domain.AffectedRole},
				{d.Attic, domain.RootRole},
				{ident.New(ident.CI, 999), domain.RootRole},
				{d.Ada, domain.RootRole},
				{d.Shop, "ODD"},
			},
		})
		want := map[string]errs.Code{
			"title": errs.Required, "description": errs.Invalid, "urgency": errs.Invalid, "impactLevel": errs.Invalid, "caller": errs.NotFound,
			"assignmentTeam": errs.Invalid, "parent": errs.Invalid, "causedByChange": errs.NotFound, "detectedAt": errs.Invalid,
			"externalIdentity.source": errs.Required, "cis.1.id": errs.Invalid, "cis.2.id": errs.Invalid, "cis.3.id": errs.NotFound,
			"cis.4.id": errs.Invalid, "cis.5.role": errs.Invalid,
		}
		if got := tickettest.Faults(t, err); !maps.Equal(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
		if n := d.Store.Read.Incident.Query().CountX(d.ctx); n != 0 {
			t.Errorf("%d incidents", n)
		}
	})
}

func TestOpeningTwiceGivesTheSameIncident(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		const at, once = 8, 5
		for round := range once {
			key := &domain.ExternalKey{Source: "zabbix", ExternalID: fmt.Sprint(round)}
			var wait sync.WaitGroup
			ids := make([]ident.ID, at)
			for n := range at {
				wait.Go(func() {
					record, err := d.Open(d.ctx, incident.Open{Title: "Disk full", ExternalIdentity: key})
					if err != nil {
						t.Error(err)
						return
					}
					ids[n] = record.ID
				})
			}
			wait.Wait()
			for _, id := range ids {
				if id != ids[0] {
					t.Fatalf("several incidents of one key: %v", ids)
				}
			}
		}
		if n := d.Store.Read.Incident.Query().CountX(d.ctx); n != once {
			t.Errorf("%d incidents, want %d", n, once)
		}
		before, _ := d.Store.Revision(d.ctx)
		if _, err := d.Open(d.ctx, incident.Open{ExternalIdentity: &domain.ExternalKey{Source: " zabbix ", ExternalID: "0"}}); err != nil {
			t.Errorf("a known key with another title: %v", err)
		}
		if after, _ := d.Store.Revision(d.ctx); after != before {
			t.Error("answering with a known incident wrote something")
		}
		_, err := store.Write(d.ctx, d.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, tx.ExternalIdentity.Create().SetRecordID(d.Shop).SetSource("zabbix").SetExternalID("shop").SetCreatedAt(tx.Now).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Open(d.ctx, incident.Open{Title: "x", ExternalIdentity: &domain.ExternalKey{Source: "zabbix", ExternalID: "shop"}})
		if err != nil {
			t.Errorf("the key of a CI stands in the way of an event's: %v", err)
		}
	})
}
