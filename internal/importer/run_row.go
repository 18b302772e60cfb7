package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// rowBits bounds the rows of a run: the id of a row has its place in so many bits, and the run above them.
const rowBits = 24

// keepRows keeps steps as rows of the run, each with the CIs that it is about.
func (a *applying) keepRows(ctx context.Context, all []Step) error {
	a.made = make(map[domain.ExternalKey]ident.ID, len(a.ids))
	for r, id := range a.ids {
		a.made[domain.ExternalKey{Source: a.plan.Source, ExternalID: r.key}] = id
	}
	place := 0
	for chunk := range slices.Chunk(all, rowsAtOnce) {
		if _, err := store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
			known, err := a.knownTo(ctx, tx, chunk)
			if err != nil {
				return struct{}{}, err
			}
			rows := make([][]any, len(chunk))
			for i, step := range chunk {
				text, err := json.Marshal(step)
				if err != nil {
					return struct{}{}, err
				}
				about, other, isTold := a.plan.about(step, known)
				rows[i] = []any{a.run, place + i, a.run<<rowBits + int64(place+i), string(step.Outcome), string(text), orNull(about), orNull(other), isTold}
			}
			return struct{}{}, tx.Append(ctx, RowTable, []string{ColumnRun, "place", ColumnID, ColumnOutcome, "step", ColumnAbout, ColumnOther, ColumnIsTold}, rows)
		}); err != nil {
			return err
		}
		place += len(chunk)
	}
	return nil
}

// orNull returns an id as a statement takes it; no id is NULL.
func orNull(id ident.ID) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// ends returns the keys of the record that a step is about, and of the CI at its other end. A key is empty if the step
// names none.
func (p *Plan) ends(step Step) (about, other domain.ExternalKey) {
	about = domain.ExternalKey{Source: p.Source, ExternalID: step.ExternalID}
	if step.Kind == KindRelationship {
		other = domain.ExternalKey{Source: cmp.Or(step.Space, p.Source), ExternalID: step.Target}
	}
	return about, other
}

// knownTo returns the records that the keys of steps are of: what the plan has found and the run created, and beside
// these, for keys of neither, what is stored.
func (a *applying) knownTo(ctx context.Context, tx *store.Tx, all []Step) (map[domain.ExternalKey]ident.ID, error) {
	known, unknown := map[domain.ExternalKey]ident.ID{}, map[domain.ExternalKey]bool{}
	look := func(key domain.ExternalKey) {
		switch id := a.plan.known[key]; {
		case key.ExternalID == "":
		case id != 0:
			known[key] = id
		case a.made[key] != 0:
			known[key] = a.made[key]
		default:
			unknown[key] = true
		}
	}
	for _, step := range all {
		about, other := a.plan.ends(step)
		look(about)
		look(other)
	}
	if len(unknown) == 0 {
		return known, nil
	}
	found, err := cmdb.FindIdentities(ctx, tx, slices.SortedFunc(maps.Keys(unknown), compareKeys))
	maps.Copy(known, found)
	return known, err
}

// plainOutcomes are those whose steps tell of nothing but the record that they are about: of the others, reasons may
// name records that look like it.
var plainOutcomes = []Outcome{Create, Update, Unchanged, TakeOver, Yield, WouldOverwrite, Heal, Remove, IsMissing, Retire, IsDangling}

// about returns the CI that a step is about, the CI at its other end, and whether the step tells of nothing else.
func (p *Plan) about(step Step, known map[domain.ExternalKey]ident.ID) (about, other ident.ID, isTold bool) {
	key, otherKey := p.ends(step)
	about, other = known[key], known[otherKey]
	if step.Record.Kind() == ident.CI {
		about = step.Record
	}
	isTold = slices.Contains(plainOutcomes, step.Outcome)
	switch step.Kind {
	case KindTeam, KindPerson, KindParent, KindMember:
		return 0, 0, isTold && about.Kind() != ident.CI
	case KindCI, KindOwner, KindSupport:
		isTold = isTold && about.Kind() == ident.CI
	case KindRelationship:
		isTold = isTold && about.Kind() == ident.CI && (other.Kind() == ident.CI || step.Outcome == IsDangling)
	default:
		isTold = false
	}
	if about.Kind() != ident.CI {
		about = 0
	}
	if other.Kind() != ident.CI {
		other = 0
	}
	return about, other, isTold
}
