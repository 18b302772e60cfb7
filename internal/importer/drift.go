package importer

import (
	"context"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	list "github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// DriftKind is a way in which a CI and what sources say of it have come apart.
type DriftKind string

// The kinds of drift.
const (
	Disagrees    DriftKind = "DISAGREES"    // two sources that are believed say different things
	LockedOver   DriftKind = "LOCKED_OVER"  // a person's value stands against a source's
	IsStale      DriftKind = "STALE"        // no source has been read for as long as it is believed
	Missing      DriftKind = "MISSING"      // a source has lost it
	Unclaimed    DriftKind = "UNCLAIMED"    // no source has it: only people know it
	Unreferenced DriftKind = "UNREFERENCED" // nothing is related to it
	Loose        DriftKind = "DANGLING"     // it refers to what nobody has reported
)

// Values lists them.
func (DriftKind) Values() []string {
	return []string{string(Disagrees), string(LockedOver), string(IsStale), string(Missing), string(Unclaimed), string(Unreferenced), string(Loose)}
}

// Drift is one way in which a CI and its sources have come apart.
type Drift struct {
	Kind  DriftKind `json:"kind"`
	CI    ident.ID  `json:"id"`
	Name  string    `json:"name"`
	Class string    `json:"class"`
	// Source is the source that is believed, or that has lost the CI; Against those that say otherwise.
	Source  string   `json:"source,omitempty"`
	Against []string `json:"against,omitempty"`
	// Field is the field that it is about, or the key that dangles.
	Field string     `json:"field,omitempty"`
	Is    any        `json:"is,omitempty"`    // the value that stands
	Says  any        `json:"says,omitempty"`  // the value that does not
	Since *time.Time `json:"since,omitempty"` // when the source lost it
}

// DriftQuery narrows a drift report. Empty fields leave all in.
type DriftQuery struct {
	Kinds  []DriftKind
	Source string
	Class  string   // code, with the classes below it
	After  ident.ID // the last CI of the page before
	CIs    int      // how many CIs are looked at: 500 if 0
	// Narrow chooses the CIs that are looked at; nil: all.
	Narrow func(*ent.CIQuery)
}

// DriftPage is a part of a drift report.
type DriftPage struct {
	Drift []Drift
	// Next is the last CI that was looked at, or 0 if there are no more.
	Next ident.ID
}

// ReadDrift works out the drift of the next CIs that are not retired, in the order of their ids: some statements for
// each page, whatever it holds.
func ReadDrift(ctx context.Context, s *store.Store, q DriftQuery) (page DriftPage, err error) {
	err = snapshot(ctx, s, func(tx *store.Tx) error {
		d := &drifting{query: q, planner: &planner{tx: tx, stored: &stored{}}}
		page, err = d.read(ctx)
		return err
	})
	return page, err
}

type drifting struct {
	*planner
	query DriftQuery
	found []Drift
}

func (d *drifting) read(ctx context.Context) (page DriftPage, err error) {
	if d.ref, err = cmdb.LoadReference(ctx, d.tx); err != nil {
		return page, err
	}
	if d.belief, err = loadBelief(ctx, d.tx); err != nil {
		return page, err
	}
	n := d.query.CIs
	if n <= 0 {
		n = 500
	}
	look := d.tx.CI.Query().Where(ci.IDGT(d.query.After), ci.LifecycleNEQ(domain.Retired)).Order(ent.Asc(ci.FieldID)).Limit(n)
	if d.query.Class != "" {
		class, err := d.ref.Class(d.query.Class)
		if err != nil {
			return page, err
		}
		look.Where(ci.ClassIDIn(d.ref.Subtree(class)...))
	}
	if d.query.Narrow != nil {
		d.query.Narrow(look)
	}
	cis, err := look.All(ctx)
	if err != nil || len(cis) == 0 {
		return page, err
	}
	if err := d.judge(ctx, cis); err != nil {
		return page, err
	}
	page.Drift = d.found
	if len(cis) == n {
		page.Next = cis[n-1].ID
	}
	return page, nil
}

func (d *drifting) judge(ctx context.Context, cis []*ent.CI) error {
	ids := make([]ident.ID, len(cis))
	for i, c := range cis {
		ids[i] = c.ID
	}
	claims := map[ident.ID][]*claim{}
	related, loose := map[ident.ID]bool{}, map[ident.ID][]*ent.DanglingReference{}
	for chunk := range slices.Chunk(ids, page) {
		some, err := claimsOn(ctx, d.tx, chunk)
		if err != nil {
			return err
		}
		for _, c := range some {
			claims[c.record] = append(claims[c.record], c)
		}
		for _, end := range []string{relationship.FieldSourceID, relationship.FieldTargetID} {
			var has []ident.ID
			q := d.tx.Relationship.Query().Where(func(s *entsql.Selector) { s.Where(list.OneOf(s.C(end), chunk)) })
			if err := q.Unique(true).Select(end).Scan(ctx, &has); err != nil {
				return err
			}
			for _, id := range has {
				related[id] = true
			}
		}
		dangling, err := d.tx.DanglingReference.Query().Where(func(s *entsql.Selector) { s.Where(list.OneOf(s.C(danglingreference.FieldRecordID), chunk)) }).Order(ent.Asc(danglingreference.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		for _, one := range dangling {
			loose[one.RecordID] = append(loose[one.RecordID], one)
		}
	}
	for _, c := range cis {
		if err := d.judgeClaims(c, claims[c.ID]); err != nil {
			return err
		}
		if !related[c.ID] {
			d.tell(c, Drift{Kind: Unreferenced})
		}
		for _, one := range loose[c.ID] {
			d.tell(c, Drift{Kind: Loose, Source: one.Source, Field: one.ExternalID, Says: one.Detail})
		}
	}
	return nil
}

// judgeClaims compares a CI with the claims on it.
func (d *drifting) judgeClaims(c *ent.CI, all []*claim) error {
	if len(all) == 0 {
		d.tell(c, Drift{Kind: Unclaimed})
		return nil
	}
	believed := 0
	var fresh []reconcile.Claim
	for _, one := range all {
		if one.isMissing() {
			d.tell(c, Drift{Kind: Missing, Source: one.source, Field: one.key, Since: &one.missingSince})
		}
		if d.belief.isStale(one) {
			continue
		}
		believed++
		row, err := one.row()
		if err != nil {
			return err
		}
		fresh = append(fresh, reconcile.Claim{Source: one.source, Key: one.key, Since: one.firstRun, Fields: row.fields(one.source)})
	}
	if believed == 0 {
		d.tell(c, Drift{Kind: IsStale, Source: all[0].source})
	}
	class, _ := d.ref.ClassByID(c.ClassID)
	values := reconcile.Effective(fresh, d.belief.worth(class))
	for _, field := range reconcile.Fields(values) {
		v := values[field]
		if len(v.Against) > 0 {
			against := make([]string, len(v.Against))
			for i, other := range v.Against {
				against[i] = other.Source
			}
			d.tell(c, Drift{Kind: Disagrees, Source: v.Of.Source, Against: slices.Compact(against), Field: field, Is: v.Value, Says: v.Against[0].Fields[field]})
		}
		if is, ok := storedField(c, field); ok && slices.Contains(c.Locks, field) && is != v.Value {
			d.tell(c, Drift{Kind: LockedOver, Source: v.Of.Source, Field: field, Is: is, Says: v.Value})
		}
	}
	return nil
}

// storedField returns the stored value of a plain field, an attribute or a label of one value.
func storedField(c *ent.CI, field string) (value any, ok bool) {
	for _, f := range cmdb.PlainFields {
		if f.Name == field {
			return f.Of(c), true
		}
	}
	if len(field) > len("labels.") && field[:len("labels.")] == "labels." {
		return c.Labels[field[len("labels."):]], true
	}
	if len(field) > len("attributes.") && field[:len("attributes.")] == "attributes." {
		switch v := c.Attributes[field[len("attributes."):]].(type) {
		case nil, string, float64, bool:
			return v, true
		}
	}
	return nil, false
}

func (d *drifting) tell(c *ent.CI, found Drift) {
	if len(d.query.Kinds) > 0 && !slices.Contains(d.query.Kinds, found.Kind) || d.query.Source != "" && found.Source != d.query.Source && !slices.Contains(found.Against, d.query.Source) {
		return
	}
	found.CI, found.Name = c.ID, c.Name
	if class, ok := d.ref.ClassByID(c.ClassID); ok {
		found.Class = class.Code
	}
	d.found = append(d.found, found)
}
