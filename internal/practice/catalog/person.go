package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CreatePerson records a new person.
func (p *Practice) CreatePerson(ctx context.Context, in CreatePerson) (*ent.Person, error) {
	row := NewPerson{Name: in.Name, Email: form.Or(in.Email, "")}
	return auth.Write(ctx, p.store, "person.create", func(ctx context.Context, tx *store.Tx) (*ent.Person, error) {
		saved, wrong, err := createPeople(ctx, tx, []NewPerson{row})
		return single(saved, wrong, err)
	})
}

// UpdatePerson changes a person.
func (p *Practice) UpdatePerson(ctx context.Context, in UpdatePerson) (*ent.Person, error) {
	return auth.Write(ctx, p.store, "person.update", func(ctx context.Context, tx *store.Tx) (*ent.Person, error) {
		var f form.Form
		row := PersonChange{ID: in.ID, ExpectedVersion: in.ExpectedVersion, Name: form.Given(&f, "name", in.Name), Email: form.Cleared(in.Email)}
		if err := f.Err(); err != nil {
			return nil, err
		}
		saved, wrong, err := updatePeople(ctx, tx, []PersonChange{row})
		return single(saved, wrong, err)
	})
}

// CreatePeopleTx creates people inside a transaction. They come back in the order of the rows. Paths of failures begin
// with the row's number.
func CreatePeopleTx(ctx context.Context, tx *store.Tx, rows []NewPerson) ([]*ent.Person, error) {
	saved, wrong, err := createPeople(ctx, tx, rows)
	return batch(saved, wrong, err)
}

func createPeople(ctx context.Context, tx *store.Tx, rows []NewPerson) ([]*ent.Person, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	drafts := make([]*ent.Person, len(rows))
	for i, row := range rows {
		drafts[i] = &ent.Person{Name: row.Name, Email: row.Email}
		checkPerson(drafts[i], &wrong[i])
	}
	if form.Rows(wrong) != nil {
		return nil, wrong, nil
	}
	var saved []*ent.Person
	for chunk := range slices.Chunk(drafts, rowChunk) {
		builders := make([]*ent.PersonCreate, len(chunk))
		for i, d := range chunk {
			builders[i] = tx.Person.Create().SetName(d.Name).SetEmail(d.Email).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		}
		created, err := tx.Person.CreateBulk(builders...).Save(ctx)
		if err != nil {
			return nil, nil, err
		}
		saved = append(saved, created...)
	}
	return saved, wrong, nil
}

// UpdatePeopleTx changes people inside a transaction. They come back in the order of the rows, unchanged ones too.
// Paths of failures begin with the row's number.
func UpdatePeopleTx(ctx context.Context, tx *store.Tx, rows []PersonChange) ([]*ent.Person, error) {
	saved, wrong, err := updatePeople(ctx, tx, rows)
	return batch(saved, wrong, err)
}

func updatePeople(ctx context.Context, tx *store.Tx, rows []PersonChange) ([]*ent.Person, []form.Form, error) {
	wrong := make([]form.Form, len(rows))
	ids := map[ident.ID]bool{}
	for i, row := range rows {
		if err := form.Kind(row.ID, ident.Person, "id"); err != nil {
			wrong[i].Fault(err)
			continue
		}
		ids[row.ID] = true
	}
	found, err := lockPeople(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	saved := make([]*ent.Person, len(rows))
	for i, row := range rows {
		old := found[row.ID]
		if old == nil {
			if ids[row.ID] {
				wrong[i].Fault(form.Missing(row.ID, "id"))
			}
			continue
		}
		next := *old
		next.Name, next.Email = form.Or(row.Name, old.Name), form.Or(row.Email, old.Email)
		wrong[i].Fault(valid.Stale(row.ExpectedVersion, old.Version))
		checkPerson(&next, &wrong[i])
		if wrong[i].IsFaulty() {
			continue // nothing is kept of a batch with a failure: go on for the sake of the report
		}
		saved[i] = old
		if next.Name == old.Name && next.Email == old.Email {
			continue
		}
		saved[i], err = tx.Person.UpdateOne(old).SetName(next.Name).SetEmail(next.Email).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return nil, nil, err
		}
		found[row.ID] = saved[i]
	}
	return saved, wrong, nil
}

func checkPerson(p *ent.Person, f *form.Form) {
	p.Name = f.Text("name", p.Name, 1, valid.LongestName)
	p.Email = f.Email("email", p.Email)
}

func lockPeople(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.Person, error) {
	found := make(map[ident.ID]*ent.Person, len(ids))
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(ids)), idChunk) {
		q := tx.Person.Query().Where(person.IDIn(chunk...)).Order(ent.Asc(person.FieldID))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		all, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			found[p.ID] = p
		}
	}
	return found, nil
}
