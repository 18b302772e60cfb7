package fill_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// byPractice writes an estate as the practices do: checked row by row against every rule.
func byPractice(ctx context.Context, tx *store.Tx, e *synthetic.Estate, step int, ids *[3][]ident.ID) error {
	ref, err := cmdb.LoadReference(ctx, tx)
	if err != nil {
		return err
	}
	teams, cis, relationships := &ids[0], &ids[1], &ids[2]
	switch step {
	case 0:
		var rows []catalog.NewTeam
		for _, t := range e.Teams {
			rows = append(rows, catalog.NewTeam{Name: t.Name, Description: t.Description})
		}
		made, err := catalog.CreateTeamsTx(ctx, tx, rows)
		for _, m := range made {
			*teams = append(*teams, m.ID)
		}
		return err
	case 1:
		var rows []cmdb.NewCI
		for i, c := range e.CIs {
			row := cmdb.NewCI{Class: c.Class, Fields: cmdb.Fields{Name: new(c.Name), Environment: new(c.Environment), Criticality: new(c.Criticality)}, Attributes: e.Attributes(i), Labels: e.Labels(i)}
			if c.Tier > 0 {
				row.Service = &cmdb.ServiceFacet{Tier: fmt.Sprintf("tier-%d", c.Tier), SupportTeam: (*teams)[c.Team]}
			}
			rows = append(rows, row)
		}
		made, err := cmdb.CreateCIsTx(ctx, tx, ref, rows)
		if err != nil {
			return err
		}
		var owners []cmdb.OwnerSet
		for i, m := range made {
			*cis = append(*cis, m.ID)
			if team := e.CIs[i].Team; team >= 0 {
				owners = append(owners, cmdb.OwnerSet{CI: m.ID, Owners: []cmdb.NewOwner{{Of: (*teams)[team]}}})
			}
		}
		return cmdb.SetOwnersTx(ctx, tx, owners)
	case 2:
		soft := domain.Soft
		var rows []cmdb.NewRelationship
		for _, r := range e.Relationships {
			row := cmdb.NewRelationship{Type: r.Type, Source: (*cis)[r.Source], Target: (*cis)[r.Target], ReportedBy: "generate"}
			if r.IsSoft {
				row.Strength = &soft
			}
			rows = append(rows, row)
		}
		made, err := cmdb.RelateTx(ctx, tx, ref, rows)
		for _, m := range made {
			*relationships = append(*relationships, m.ID)
		}
		return err
	default:
		var rows []cmdb.NewGroup
		for _, g := range e.Groups {
			row := cmdb.NewGroup{CI: (*cis)[g.CI], Name: g.Name, Mode: g.Mode, Threshold: g.Threshold}
			for _, m := range g.Members {
				row.Members = append(row.Members, domain.GroupMember{Relationship: (*relationships)[m]})
			}
			rows = append(rows, row)
		}
		_, err := cmdb.CreateGroupsTx(ctx, tx, ref, rows)
		return err
	}
}

func TestAFilledDatabaseIsWhatThePracticesWouldHaveWritten(t *testing.T) {
	const cis, seed = 1_000, 3
	e, err := synthetic.New(cis, seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(testing.TB) *store.Store{storetest.SQLite, storetest.Postgres} {
		filled, practised := open(t), open(t)
		t.Run(filled.Dialect(), func(t *testing.T) {
			ctx := store.At(auth.With(t.Context(), auth.System), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
			for _, s := range []*store.Store{filled, practised} {
				if err := cmdb.Seed(ctx, s); err != nil {
					t.Fatal(err)
				}
			}
			last := fill.Count{}
			done, err := fill.Database(ctx, filled, fill.Plan{CIs: cis, Seed: seed}, func(done, total fill.Count) {
				if done.Records() <= last.Records() || done.Records() > total.Records() {
					t.Errorf("after %+v came %+v of %+v", last, done, total)
				}
				last = done
			})
			if err != nil || done.CIs != cis || done != last {
				t.Fatalf("%+v, %v", done, err)
			}
			ids := [3][]ident.ID{}
			for step := range 4 {
				by := store.By{Actor: auth.System.Name, Verb: "estate.generate"}
				_, err := store.Write(ctx, practised, by, func(ctx context.Context, tx *store.Tx) (int, error) {
					return 0, byPractice(ctx, tx, e, step, &ids)
				})
				if err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
			}
			want, got := storetest.Dump(t, practised), storetest.Dump(t, filled)
			for i := range min(len(want), len(got)) {
				if want[i] != got[i] {
					t.Fatalf("row %d: the practices wrote\n%s\nfilled in is\n%s", i, want[i], got[i])
				}
			}
			if len(want) != len(got) || len(want) < 10*cis {
				t.Errorf("%d rows, %d filled in", len(want), len(got))
			}
			if a, b := digest(t, practised), digest(t, filled); a != b {
				t.Errorf("the digests are %v and %v", a, b)
			}
		})
	}
}

// digest returns the digest of the graph that a server would load.
func digest(t *testing.T, s *store.Store) topology.Digest {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	graph := topology.New()
	feed, err := journal.Follow(ctx, s, graph, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-feed.Done()
	return graph.Snapshot().Digest()
}

func TestOnlyAnEmptyDatabaseIsFilledWithAnEstate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := auth.With(t.Context(), auth.System)
		if err := cmdb.Seed(ctx, s); err != nil {
			t.Fatal(err)
		}
		if _, err := fill.Database(t.Context(), s, fill.Plan{CIs: 200, Seed: 1}, nil); errs.CodeOf(err) != errs.Unauthenticated {
			t.Errorf("nobody filled the database: %v", err)
		}
		if _, err := fill.Database(ctx, s, fill.Plan{CIs: 20, Seed: 1}, nil); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("20 CIs: %v", err)
		}
		stopped, stop := context.WithCancel(ctx)
		done, err := fill.Database(stopped, s, fill.Plan{CIs: 200, Seed: 1}, func(fill.Count, fill.Count) { stop() })
		if err == nil || done.Teams == 0 || done.CIs > 0 {
			t.Errorf("one that was stopped after its first revision: %+v, %v", done, err)
		}
		if _, err := fill.Database(ctx, s, fill.Plan{CIs: 200, Seed: 1}, nil); errs.CodeOf(err) != errs.AlreadyExists {
			t.Errorf("into what was begun: %v", err)
		}
	})
}
