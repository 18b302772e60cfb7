package importer

import (
	"context"
	"maps"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Claim is what a source last said of a CI.
type Claim struct {
	Source, Scope, Key string
	// IsStale says that the source has not been read for longer than it is believed, or has lost the CI.
	IsStale      bool
	ChangedAt    time.Time
	MissingSince *time.Time
	Fields       []ClaimedField // by name
}

// ClaimedField is a field as a source reports it.
type ClaimedField struct {
	Field string
	Value any // nil: the source says that there is none
	// IsBelieved says that of all claims this one counts; IsLocked that a person's value stands whatever sources say.
	IsBelieved, IsLocked bool
}

// ReadClaims returns the claims on CIs, of each by source and key: some statements, however many they are.
func ReadClaims(ctx context.Context, s *store.Store, cis []*ent.CI) (map[ident.ID][]*Claim, error) {
	found := map[ident.ID][]*Claim{}
	err := snapshot(ctx, s, func(tx *store.Tx) error {
		clear(found)
		belief, err := loadBelief(ctx, tx)
		if err != nil {
			return err
		}
		ref, err := cmdb.LoadReference(ctx, tx)
		if err != nil {
			return err
		}
		ids := make([]ident.ID, len(cis))
		for i, c := range cis {
			ids[i] = c.ID
		}
		all, err := claimsOn(ctx, tx, ids)
		if err != nil {
			return err
		}
		byCI := map[ident.ID][]*claim{}
		for _, c := range all {
			byCI[c.record] = append(byCI[c.record], c)
		}
		for _, c := range cis {
			class, _ := ref.ClassByID(c.ClassID)
			if found[c.ID], err = belief.told(c, class, byCI[c.ID]); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// effective returns what claims make of the fields of a CI of a class.
func (b *belief) effective(class *cmdb.Class, all []*claim) (map[string]reconcile.Value, error) {
	claims := make([]reconcile.Claim, len(all))
	for i, c := range all {
		row, err := c.row()
		if err != nil {
			return nil, err
		}
		claims[i] = reconcile.Claim{Source: c.source, Key: c.key, Since: c.firstRun, IsStale: b.isStale(c), Fields: row.fields(c.source)}
	}
	return reconcile.Effective(claims, b.worth(class)), nil
}

// told returns the claims on a CI as they are shown.
func (b *belief) told(of *ent.CI, class *cmdb.Class, all []*claim) ([]*Claim, error) {
	values, err := b.effective(class, all)
	if err != nil {
		return nil, err
	}
	shown := make([]*Claim, len(all))
	for i, c := range all {
		row, err := c.row()
		if err != nil {
			return nil, err
		}
		one := &Claim{Source: c.source, Scope: c.scope, Key: c.key, IsStale: b.isStale(c), ChangedAt: c.changedAt}
		if c.isMissing() {
			one.MissingSince = &c.missingSince
		}
		fields := row.fields(c.source)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			isLocked := slices.Contains(of.Locks, name)
			by := values[name].Of
			one.Fields = append(one.Fields, ClaimedField{name, presented(fields[name]), !isLocked && by.Source == c.source && by.Key == c.key, isLocked})
		}
		shown[i] = one
	}
	slices.SortFunc(shown, func(a, b *Claim) int {
		return compareKeys(domain.ExternalKey{Source: a.Source, ExternalID: a.Key}, domain.ExternalKey{Source: b.Source, ExternalID: b.Key})
	})
	return shown, nil
}

// presented returns a value as clients see it.
func presented(v any) any {
	if team, ok := v.(party); ok {
		return map[string]any{"team": team.key, "space": team.space}
	}
	return v
}

// ReadSources returns the codes of the sources that were ever read, sorted.
func ReadSources(ctx context.Context, s *store.Store) (codes []string, err error) {
	t := entsql.Dialect(s.Dialect()).Table(RunTable)
	statement := entsql.Dialect(s.Dialect()).Select(t.C(ColumnSource)).Distinct().From(t).OrderBy(t.C(ColumnSource))
	err = scan(ctx, s, statement, func(row func(...any) error) error {
		var code string
		err := row(&code)
		codes = append(codes, code)
		return err
	})
	return codes, err
}
