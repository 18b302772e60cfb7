package schedule_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestAClosedChangeIsNoPartOfItsOwnTeamsRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, now := tickettest.Seed(t, s), time.Now()
		var all []*ent.Change
		done := func(team ident.ID, ended time.Time, outcome domain.ChangeOutcome) (id ident.ID) {
			t.Helper()
			_, err := store.Write(t.Context(), s, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
				c := tx.Change.Create().SetTitle("done").SetType(domain.Normal).SetRequestedBy("olga").SetBackoutPlan("back").SetState(domain.ChangeClosed).SetOutcome(outcome).
					SetAssignmentTeamID(team).SetActualStart(ended.Add(-time.Hour)).SetActualEnd(ended).SetCreatedAt(ended).SetUpdatedAt(ended).SaveX(ctx)
				all, id = append(all, c), c.ID
				return 0, tx.ChangeCI.Create().SetChangeID(c.ID).SetCiID(e.Database).SetRole(domain.ChangedRole).Exec(ctx)
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		lately, long := now.Add(-24*time.Hour), now.Add(-2*365*24*time.Hour)
		want := map[ident.ID]string{}
		want[done(e.Development, lately, domain.Failed)] = "" // the only one of its team
		want[done(e.Operations, lately, domain.Successful)] = "1 of the 2 changes of its team went wrong in the year before."
		want[done(e.Operations, lately, domain.Successful)] = "1 of the 2 changes of its team went wrong in the year before."
		want[done(e.Operations, lately, domain.BackedOut)] = ""
		want[done(e.Operations, long, domain.Failed)] = "1 of the 3 changes of its team went wrong in the year before." // and in nobody's record
		risks, err := schedule.Risks(t.Context(), s.Read, e.Graph.Snapshot(), all, now)
		if err != nil {
			t.Fatal(err)
		}
		got := map[ident.ID]string{}
		for id, r := range risks {
			got[id] = ""
			for _, f := range r.Factors {
				if f.Kind == domain.TeamRecord {
					got[id] = f.Sentence
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}
