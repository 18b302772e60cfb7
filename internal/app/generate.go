package app

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
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

// Plan says what Generate makes.
type Plan struct {
	CIs  int
	Seed uint64
	Year bool // also the incidents and changes of the year that ends today
}

// Generated counts what Generate has written. Links are the CIs that tickets name, Moves what their timelines say; Targets are of service
// levels, and Marks what was passed of them; Findings are conflicts of changes.
type Generated struct{ Teams, CIs, Owners, Relationships, Groups, Targets, Changes, Incidents, Links, Moves, Marks, Findings int }

// Records is their sum.
func (g Generated) Records() int {
	return g.Teams + g.CIs + g.Owners + g.Relationships + g.Groups + g.Targets + g.Changes + g.Incidents + g.Links + g.Moves + g.Marks + g.Findings
}

// generatedAtOnce bounds the records of one revision.
const generatedAtOnce = 20_000

// Generate makes an estate by a plan and writes it into a database that has no CIs and no teams yet, in
// revisions of many records. When it fails or ctx ends, what was written until then stays.
func Generate(ctx context.Context, s *store.Store, plan Plan, progress func(done, total Generated)) (Generated, error) {
	actor, err := auth.Require(ctx, "estate.generate")
	if err != nil {
		return Generated{}, err
	}
	if err := isVacant(ctx, s.Read); err != nil {
		return Generated{}, err
	}
	estate, err := synthetic.New(plan.CIs, plan.Seed)
	if err != nil {
		return Generated{}, err
	}
	g := &generator{Estate: estate, store: s, by: store.By{Actor: actor.Name, Verb: "estate.generate"}, progress: progress}
	g.total = Generated{Teams: len(estate.Teams), CIs: len(estate.CIs), Relationships: len(estate.Relationships), Groups: len(estate.Groups)}
	for _, c := range estate.CIs {
		if c.Team >= 0 {
			g.total.Owners++
		}
	}
	steps := []func(context.Context) error{g.writeTeams, g.writeCIs, g.writeRelationships, g.writeGroups}
	if plan.Year {
		g.plan(s.Now(ctx), plan.Seed)
		steps = append(append([]func(context.Context) error{g.writePromises}, steps...), g.writeChanges, g.writeFindings, g.writeIncidents)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return g.done, err
		}
	}
	return g.done, nil
}

// isVacant refuses a database in which there is something already.
func isVacant(ctx context.Context, c *ent.Client) error {
	cis, err := c.CI.Query().Exist(ctx)
	if err != nil {
		return store.Translate(err)
	}
	teams, err := c.Team.Query().Exist(ctx)
	if err != nil {
		return store.Translate(err)
	}
	if cis || teams {
		return errs.New(errs.AlreadyExists, "the database has CIs or teams already, and an estate is generated into an empty one only: name another with --database")
	}
	return nil
}

type generator struct {
	*synthetic.Estate
	store       *store.Store
	by          store.By
	progress    func(done, total Generated)
	done, total Generated

	year    *synthetic.Year
	targets []*ent.ServiceLevelTarget // of its promises

	teams, cis, relationships, changes []ident.ID
	reference                          *cmdb.Reference
}

// write is one revision.
func (g *generator) write(ctx context.Context, decide func(context.Context, *store.Tx) (Generated, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	wrote, err := store.Write(ctx, g.store, g.by, decide)
	if err != nil {
		return err
	}
	g.done.Teams += wrote.Teams
	g.done.CIs += wrote.CIs
	g.done.Owners += wrote.Owners
	g.done.Relationships += wrote.Relationships
	g.done.Groups += wrote.Groups
	g.done.Targets += wrote.Targets
	g.done.Changes += wrote.Changes
	g.done.Incidents += wrote.Incidents
	g.done.Links += wrote.Links
	g.done.Moves += wrote.Moves
	g.done.Marks += wrote.Marks
	g.done.Findings += wrote.Findings
	if g.progress != nil {
		g.progress(g.done, g.total)
	}
	return nil
}

func (g *generator) writeTeams(ctx context.Context) error {
	return g.write(ctx, func(ctx context.Context, tx *store.Tx) (Generated, error) {
		if err := isVacant(ctx, tx.Client()); err != nil {
			return Generated{}, err
		}
		reference, err := cmdb.LoadReference(ctx, tx)
		if err != nil {
			return Generated{}, err
		}
		g.reference = reference
		rows := make([]*ent.Team, len(g.Teams))
		for i, t := range g.Teams {
			rows[i] = &ent.Team{Name: t.Name, Description: t.Description, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		}
		err = store.Insert(ctx, tx, rows)
		g.teams = g.teams[:0]
		for _, r := range rows {
			g.teams = append(g.teams, r.ID)
		}
		return Generated{Teams: len(rows)}, err
	})
}

func (g *generator) writeCIs(ctx context.Context) error {
	g.cis = make([]ident.ID, len(g.CIs))
	for from := 0; from < len(g.CIs); from += generatedAtOnce {
		to := min(from+generatedAtOnce, len(g.CIs))
		err := g.write(ctx, func(ctx context.Context, tx *store.Tx) (Generated, error) {
			rows := make([]*ent.CI, to-from)
			for i := range rows {
				row, err := g.ci(from+i, tx)
				if err != nil {
					return Generated{}, err
				}
				rows[i] = row
			}
			if err := store.Insert(ctx, tx, rows); err != nil {
				return Generated{}, err
			}
			var owners []*ent.Owner
			for i, row := range rows {
				g.cis[from+i] = row.ID
				if team := g.CIs[from+i].Team; team >= 0 {
					owners = append(owners, &ent.Owner{CiID: row.ID, TeamID: &g.teams[team], Role: "owner", IsPrimary: true})
				}
			}
			return Generated{CIs: len(rows), Owners: len(owners)}, store.Insert(ctx, tx, owners)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) ci(i int, tx *store.Tx) (*ent.CI, error) {
	c := &g.CIs[i]
	class, err := g.reference.Class(c.Class)
	if err != nil {
		return nil, err
	}
	row := &ent.CI{
		ClassID: class.ID, Name: c.Name, Lifecycle: domain.Live, Environment: c.Environment, Criticality: c.Criticality, Visibility: domain.Everyone,
		Attributes: g.Attributes(i), Labels: g.Labels(i), Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
	}
	if kind, is := class.ServiceKind(); is {
		stage := domain.PortfolioCatalog
		row.ServiceKind, row.PortfolioStage = &kind, &stage
		if c.Team >= 0 {
			row.SupportTeamID = &g.teams[c.Team]
		}
	}
	if c.Tier > 0 {
		id, err := g.reference.Tier(fmt.Sprintf("tier-%d", c.Tier))
		if err != nil {
			return nil, err
		}
		row.TierID = &id
	}
	return row, nil
}

func (g *generator) writeRelationships(ctx context.Context) error {
	soft := domain.Soft
	types := map[string]ident.ID{}
	for _, r := range g.Relationships {
		if types[r.Type] != 0 {
			continue
		}
		t, err := g.reference.Type(r.Type)
		if err != nil {
			return err
		}
		types[r.Type] = t.ID
	}
	g.relationships = make([]ident.ID, len(g.Relationships))
	for from := 0; from < len(g.Relationships); from += generatedAtOnce {
		to := min(from+generatedAtOnce, len(g.Relationships))
		err := g.write(ctx, func(ctx context.Context, tx *store.Tx) (Generated, error) {
			rows := make([]*ent.Relationship, to-from)
			for i, r := range g.Relationships[from:to] {
				rows[i] = &ent.Relationship{
					TypeID: types[r.Type], SourceID: g.cis[r.Source], TargetID: g.cis[r.Target], Attributes: map[string]any{},
					ReportedBy: "generate", Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
				}
				if r.IsSoft {
					rows[i].Strength = &soft
				}
			}
			err := store.Insert(ctx, tx, rows)
			for i, row := range rows {
				g.relationships[from+i] = row.ID
			}
			return Generated{Relationships: len(rows)}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) writeGroups(ctx context.Context) error {
	for some := range slices.Chunk(g.Groups, generatedAtOnce) {
		err := g.write(ctx, func(ctx context.Context, tx *store.Tx) (Generated, error) {
			rows := make([]*ent.DependencyGroup, len(some))
			for i, group := range some {
				rows[i] = &ent.DependencyGroup{
					CiID: g.cis[group.CI], Name: group.Name, Mode: group.Mode, Threshold: group.Threshold,
					Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
				}
				for _, m := range group.Members {
					rows[i].Members = append(rows[i].Members, domain.GroupMember{Relationship: g.relationships[m], Weight: 1})
				}
			}
			return Generated{Groups: len(rows)}, store.Insert(ctx, tx, rows)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
