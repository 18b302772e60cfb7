// Package fill writes an invented estate, and the tickets of a year, into an empty database. Package synthetic decides
// what they look like. It refuses a database that has CIs, teams or service level targets.
package fill

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

// Plan is the plan of what Database writes.
type Plan struct {
	CIs  int
	Seed uint64
	Year bool // also the incidents and changes of the year that ends today
}

// Count is how many records Database has written. Links are the CIs that tickets name, Moves what their timelines say;
// Targets are of service levels, and Marks what was passed of them; Findings are conflicts of changes.
type Count struct {
	Teams, CIs, Owners, Relationships, Groups, Targets, Changes, Incidents, Links, Moves, Marks, Findings int
}

// Records returns their sum.
func (c Count) Records() int {
	return c.Teams + c.CIs + c.Owners + c.Relationships + c.Groups + c.Targets + c.Changes + c.Incidents + c.Links + c.Moves +
		c.Marks + c.Findings
}

// add adds what one more revision has written.
func (c *Count) add(wrote Count) {
	c.Teams += wrote.Teams
	c.CIs += wrote.CIs
	c.Owners += wrote.Owners
	c.Relationships += wrote.Relationships
	c.Groups += wrote.Groups
	c.Targets += wrote.Targets
	c.Changes += wrote.Changes
	c.Incidents += wrote.Incidents
	c.Links += wrote.Links
	c.Moves += wrote.Moves
	c.Marks += wrote.Marks
	c.Findings += wrote.Findings
}

// recordsAtOnce bounds the records of one revision.
const recordsAtOnce = 20_000

// Database invents an estate by a plan and writes it into a database that has no CIs and no teams yet, in revisions of
// many records. If it fails or ctx ends, what was written until then stays.
func Database(ctx context.Context, s *store.Store, plan Plan, progress func(done, total Count)) (Count, error) {
	ctx = pgconn.Patient(ctx)
	actor, err := auth.Require(ctx, "estate.generate")
	if err != nil {
		return Count{}, err
	}
	if err := vacant(ctx, s.Read); err != nil {
		return Count{}, err
	}
	estate, err := synthetic.New(plan.CIs, plan.Seed)
	if err != nil {
		return Count{}, err
	}
	by := actor.By("estate.generate")
	by.IsFounding = true
	f := &filler{Estate: estate, store: s, by: by, progress: progress}
	f.total = Count{Teams: len(estate.Teams), CIs: len(estate.CIs), Relationships: len(estate.Relationships), Groups: len(estate.Groups)}
	for _, c := range estate.CIs {
		if c.Team >= 0 {
			f.total.Owners++
		}
	}
	steps := []func(context.Context) error{f.writeTeams, f.writeCIs, f.writeRelationships, f.writeGroups}
	if plan.Year {
		f.plan(s.Now(ctx), plan.Seed)
		steps = append(append([]func(context.Context) error{f.writePromises}, steps...), f.writeChanges, f.writeFindings, f.writeIncidents)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return f.done, err
		}
	}
	return f.done, nil
}

// vacant returns an error if there is something in the database already.
func vacant(ctx context.Context, c *ent.Client) error {
	cis, err := c.CI.Query().Exist(ctx)
	if err != nil {
		return store.Translate(err)
	}
	teams, err := c.Team.Query().Exist(ctx)
	if err != nil {
		return store.Translate(err)
	}
	if cis || teams {
		return errs.New(errs.AlreadyExists, "the database has CIs or teams already, and only an empty one is filled with an estate: name another with --database")
	}
	return nil
}

type filler struct {
	*synthetic.Estate
	store       *store.Store
	by          store.By
	progress    func(done, total Count)
	done, total Count

	year    *synthetic.Year
	targets []*ent.ServiceLevelTarget // of its promises

	teams, cis, relationships, changes []ident.ID
	reference                          *cmdb.Reference
}

// write writes one revision.
func (f *filler) write(ctx context.Context, decide func(context.Context, *store.Tx) (Count, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	wrote, err := store.Write(ctx, f.store, f.by, decide)
	if err != nil {
		return err
	}
	f.done.add(wrote)
	if f.progress != nil {
		f.progress(f.done, f.total)
	}
	return nil
}

func (f *filler) writeTeams(ctx context.Context) error {
	return f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
		if err := vacant(ctx, tx.Client()); err != nil {
			return Count{}, err
		}
		reference, err := cmdb.LoadReference(ctx, tx)
		if err != nil {
			return Count{}, err
		}
		f.reference = reference
		rows := make([]*ent.Team, len(f.Teams))
		for i, t := range f.Teams {
			rows[i] = &ent.Team{Name: t.Name, Description: t.Description, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		}
		err = store.Insert(ctx, tx, rows)
		f.teams = f.teams[:0]
		for _, r := range rows {
			f.teams = append(f.teams, r.ID)
		}
		return Count{Teams: len(rows)}, err
	})
}

func (f *filler) writeCIs(ctx context.Context) error {
	f.cis = make([]ident.ID, len(f.CIs))
	for from := 0; from < len(f.CIs); from += recordsAtOnce {
		to := min(from+recordsAtOnce, len(f.CIs))
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
			rows := make([]*ent.CI, to-from)
			for i := range rows {
				row, err := f.ci(from+i, tx)
				if err != nil {
					return Count{}, err
				}
				rows[i] = row
			}
			if err := store.Insert(ctx, tx, rows); err != nil {
				return Count{}, err
			}
			var owners []*ent.Owner
			for i, row := range rows {
				f.cis[from+i] = row.ID
				if team := f.CIs[from+i].Team; team >= 0 {
					owners = append(owners, &ent.Owner{CiID: row.ID, TeamID: &f.teams[team], Role: "owner", IsPrimary: true})
				}
			}
			return Count{CIs: len(rows), Owners: len(owners)}, store.Insert(ctx, tx, owners)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) ci(i int, tx *store.Tx) (*ent.CI, error) {
	c := &f.CIs[i]
	class, err := f.reference.Class(c.Class)
	if err != nil {
		return nil, err
	}
	row := &ent.CI{
		ClassID: class.ID, Name: c.Name, Lifecycle: domain.Live, Environment: c.Environment, Criticality: c.Criticality, Visibility: domain.Everyone,
		Attributes: f.Attributes(i), Labels: f.Labels(i), Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
	}
	if kind, ok := class.ServiceKind(); ok {
		stage := domain.PortfolioCatalog
		row.ServiceKind, row.PortfolioStage = &kind, &stage
		if c.Team >= 0 {
			row.SupportTeamID = &f.teams[c.Team]
		}
	}
	if c.Tier > 0 {
		id, err := f.reference.Tier(fmt.Sprintf("tier-%d", c.Tier))
		if err != nil {
			return nil, err
		}
		row.TierID = &id
	}
	return row, nil
}

func (f *filler) writeRelationships(ctx context.Context) error {
	soft := domain.Soft
	types := map[string]ident.ID{}
	for _, r := range f.Relationships {
		if types[r.Type] != 0 {
			continue
		}
		t, err := f.reference.Type(r.Type)
		if err != nil {
			return err
		}
		types[r.Type] = t.ID
	}
	f.relationships = make([]ident.ID, len(f.Relationships))
	for from := 0; from < len(f.Relationships); from += recordsAtOnce {
		to := min(from+recordsAtOnce, len(f.Relationships))
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
			rows := make([]*ent.Relationship, to-from)
			for i, r := range f.Relationships[from:to] {
				rows[i] = &ent.Relationship{
					TypeID: types[r.Type], SourceID: f.cis[r.Source], TargetID: f.cis[r.Target], Attributes: map[string]any{},
					ReportedBy: "generate", Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
				}
				if r.IsSoft {
					rows[i].Strength = &soft
				}
			}
			err := store.Insert(ctx, tx, rows)
			for i, row := range rows {
				f.relationships[from+i] = row.ID
			}
			return Count{Relationships: len(rows)}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) writeGroups(ctx context.Context) error {
	for some := range slices.Chunk(f.Groups, recordsAtOnce) {
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
			rows := make([]*ent.DependencyGroup, len(some))
			for i, group := range some {
				rows[i] = &ent.DependencyGroup{
					CiID: f.cis[group.CI], Name: group.Name, Mode: group.Mode, Threshold: group.Threshold,
					Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
				}
				for _, m := range group.Members {
					rows[i].Members = append(rows[i].Members, domain.GroupMember{Relationship: f.relationships[m], Weight: 1})
				}
			}
			return Count{Groups: len(rows)}, store.Insert(ctx, tx, rows)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
