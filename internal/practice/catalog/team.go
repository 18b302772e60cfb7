package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CreateTeam records a new team.
func (p *Practice) CreateTeam(ctx context.Context, in CreateTeam) (*ent.Team, error) {
	row := NewTeam{Name: in.Name, Description: form.Or(in.Description, ""), Email: form.Or(in.Email, ""), Parent: form.Or(in.Parent, 0)}
	return auth.Write(ctx, p.store, "team.create", func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
		saved, wrong, err := createTeams(ctx, tx, []NewTeam{row})
		return single(saved, wrong, err)
	})
}

// UpdateTeam changes a team.
func (p *Practice) UpdateTeam(ctx context.Context, in UpdateTeam) (*ent.Team, error) {
	return auth.Write(ctx, p.store, "team.update", func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
		var f form.Form
		row := TeamChange{
			ID: in.ID, ExpectedVersion: in.ExpectedVersion, Name: form.Given(&f, "name", in.Name), Description: form.Cleared(in.Description),
			Email: form.Cleared(in.Email), Parent: form.Cleared(in.Parent),
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		saved, wrong, err := updateTeams(ctx, tx, []TeamChange{row})
		return single(saved, wrong, err)
	})
}

// CreateTeamsTx creates teams inside a transaction. They come back in the order of the rows. Paths of failures begin
// with the row's number. A parent that is created in the same batch is set by UpdateTeamsTx afterwards.
func CreateTeamsTx(ctx context.Context, tx *store.Tx, rows []NewTeam) ([]*ent.Team, error) {
	saved, wrong, err := createTeams(ctx, tx, rows)
	return batch(saved, wrong, err)
}

func createTeams(ctx context.Context, tx *store.Tx, rows []NewTeam) ([]*ent.Team, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	drafts := make([]*ent.Team, len(rows))
	parents := map[ident.ID]bool{}
	for i, row := range rows {
		drafts[i] = &ent.Team{Name: row.Name, Description: row.Description, Email: row.Email}
		checkTeam(drafts[i], &wrong[i])
		if row.Parent != 0 {
			drafts[i].ParentID = &row.Parent
			if err := form.Kind(row.Parent, ident.Team, "parent"); err != nil {
				wrong[i].Fault(err)
				continue
			}
			parents[row.Parent] = true
		}
	}
	known, err := cmdb.Known(ctx, tx, parents)
	if err != nil {
		return nil, nil, err
	}
	for i, d := range drafts {
		if d.ParentID != nil && parents[*d.ParentID] && !known[*d.ParentID] {
			wrong[i].Fault(form.Missing(*d.ParentID, "parent"))
		}
	}
	if err := checkNames(ctx, tx, drafts, wrong); err != nil {
		return nil, nil, err
	}
	if form.Rows(wrong) != nil {
		return nil, wrong, nil
	}
	var saved []*ent.Team
	for chunk := range slices.Chunk(drafts, rowChunk) {
		builders := make([]*ent.TeamCreate, len(chunk))
		for i, d := range chunk {
			builders[i] = tx.Team.Create().SetName(d.Name).SetDescription(d.Description).SetEmail(d.Email).
				SetNillableParentID(d.ParentID).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		}
		created, err := tx.Team.CreateBulk(builders...).Save(ctx)
		if err != nil {
			return nil, nil, err
		}
		saved = append(saved, created...)
	}
	return saved, wrong, nil
}

// UpdateTeamsTx changes teams inside a transaction. They come back in the order of the rows, unchanged ones too. Paths
// of failures begin with the row's number.
func UpdateTeamsTx(ctx context.Context, tx *store.Tx, rows []TeamChange) ([]*ent.Team, error) {
	saved, wrong, err := updateTeams(ctx, tx, rows)
	return batch(saved, wrong, err)
}

func updateTeams(ctx context.Context, tx *store.Tx, rows []TeamChange) ([]*ent.Team, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	ids := map[ident.ID]bool{}
	for i, row := range rows {
		if err := form.Kind(row.ID, ident.Team, "id"); err != nil {
			wrong[i].Fault(err)
			continue
		}
		ids[row.ID] = true
	}
	found, err := lockTeams(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	drafts := make([]*ent.Team, len(rows))
	for i, row := range rows {
		old := found[row.ID]
		if old == nil {
			if ids[row.ID] {
				wrong[i].Fault(form.Missing(row.ID, "id"))
			}
			continue
		}
		next := *old
		next.Name, next.Description, next.Email = form.Or(row.Name, old.Name), form.Or(row.Description, old.Description), form.Or(row.Email, old.Email)
		wrong[i].Fault(valid.Stale(row.ExpectedVersion, old.Version))
		checkTeam(&next, &wrong[i])
		drafts[i] = &next
	}
	if err := checkNames(ctx, tx, drafts, wrong); err != nil {
		return nil, nil, err
	}
	saved := make([]*ent.Team, len(rows))
	for i, next := range drafts {
		if wrong[i].IsFaulty() {
			continue // nothing is kept of a batch with a failure: go on for the sake of the report
		}
		old := found[next.ID]
		if err := moveTeam(ctx, tx, old, next, rows[i].Parent); err != nil {
			if _, ok := errs.All(err); !ok {
				return nil, nil, err
			}
			wrong[i].Fault(err)
			continue
		}
		if saved[i], err = saveTeam(ctx, tx, old, next); err != nil {
			return nil, nil, err
		}
		found[next.ID] = saved[i]
	}
	return saved, wrong, nil
}

// moveTeam sets the parent of a team: nil leaves it, 0 clears it.
func moveTeam(ctx context.Context, tx *store.Tx, old, next *ent.Team, parent *ident.ID) error {
	switch {
	case parent == nil:
	case *parent == 0:
		next.ParentID = nil
	case old.ParentID == nil || *old.ParentID != *parent:
		next.ParentID = parent
		return cmdb.CheckTeamParent(ctx, tx, old.ID, *parent)
	}
	return nil
}

func saveTeam(ctx context.Context, tx *store.Tx, old, next *ent.Team) (*ent.Team, error) {
	u := tx.Team.UpdateOne(old)
	store.Set(old.Name, next.Name, u.SetName)
	store.Set(old.Description, next.Description, u.SetDescription)
	store.Set(old.Email, next.Email, u.SetEmail)
	store.SetNillable(old.ParentID, next.ParentID, u.SetParentID, u.ClearParentID)
	if store.IsIdle(u.Mutation()) {
		return old, nil
	}
	return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}

func checkTeam(t *ent.Team, f *form.Form) {
	t.Name = f.Text("name", t.Name, 1, valid.LongestName)
	t.Description = f.Text("description", t.Description, 0, valid.LongestDescription)
	t.Email = f.Email("email", t.Email)
}

// checkNames refuses names that another team has, stored or in the batch.
func checkNames(ctx context.Context, tx *store.Tx, drafts []*ent.Team, wrong []form.Form) error {
	names, drafted := map[string]bool{}, map[ident.ID]bool{}
	for _, d := range drafts {
		if d != nil {
			names[d.Name] = true
			drafted[d.ID] = d.ID != 0
		}
	}
	holder := map[string]*ent.Team{}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(names)), idChunk) {
		all, err := tx.Team.Query().Where(team.NameIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, t := range all {
			if !drafted[t.ID] {
				holder[t.Name] = t
			}
		}
	}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		switch other := holder[d.Name]; {
		case other != nil && other.ID != 0:
			wrong[i].Fault(errs.New(errs.AlreadyExists, "%s has the name %q already: choose another", other.ID, d.Name).At("name"))
		case other != nil && other != d:
			wrong[i].Fault(errs.New(errs.AlreadyExists, "two teams are to have the name %q: choose another for one of them", d.Name).At("name"))
		default:
			holder[d.Name] = d
		}
	}
	return nil
}

func lockTeams(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.Team, error) {
	found := make(map[ident.ID]*ent.Team, len(ids))
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(ids)), idChunk) {
		q := tx.Team.Query().Where(team.IDIn(chunk...)).Order(ent.Asc(team.FieldID))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		all, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			found[t.ID] = t
		}
	}
	return found, nil
}
