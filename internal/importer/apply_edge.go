package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const endLeftOut = "the CI at one of its ends was left out"

// writeEdges writes relationships. If one exists by now, because it has healed or because another import created it, it
// is brought to what the plan says.
func (a *applying) writeEdges(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*edge) (func(), error) {
	// A source reports what is so, also while the CI at the other end has failed.
	tx.Consent = store.Consent{Reason: "Reported by " + a.plan.Source + ".", IsOfNow: true}
	ids, wrote, err := a.begin(ctx, tx, ref).relate(live)
	return func() {
		a.related(ids)
		if wrote {
			a.result.Batches++
		}
	}, err
}

// related notes relationships that a committed transaction wrote.
func (a *applying) related(ids map[*edge]ident.ID) {
	for e, id := range ids {
		a.edges[e] = id
		a.wrote(1, KindRelationship, e.outcome)
	}
}

// relate writes relationships, and reports whether there was anything to write.
func (r *run) relate(live []*edge) (ids map[*edge]ident.ID, wrote bool, err error) {
	if len(live) == 0 {
		return nil, false, nil
	}
	out := refused[*edge]{}
	for _, e := range live {
		if r.id(e.source) == 0 || r.id(e.target) == 0 || r.others[e.from] {
			out[e] = endLeftOut
		}
	}
	if len(out) > 0 {
		return nil, false, out
	}
	stored, err := r.storedEdges(live)
	if err != nil {
		return nil, false, err
	}
	var news []cmdb.NewRelationship
	var changes []cmdb.RelationshipChange
	var made, changed []*edge
	ids = map[*edge]ident.ID{}
	for _, e := range live {
		row := cmdb.NewRelationship{
			Type: e.reported.Type, Source: r.id(e.source), Target: r.id(e.target), Strength: e.strength, ReportedBy: r.plan.Source, Evidence: e.evidence,
		}
		old := stored[r.placeOf(e)]
		switch {
		case old == nil && e.old != nil:
			out[e] = fmt.Sprintf("%s has been removed since", e.old.ID)
		case old == nil:
			news, made = append(news, row), append(made, e)
		case e.old != nil && old.Version != e.old.Version:
			out[e] = fmt.Sprintf("%s has been changed since (version %d, planned for %d)", old.ID, old.Version, e.old.Version)
		default:
			ids[e] = old.ID
			if ch, differs := e.change(old, r.plan.Source); differs {
				changes, changed = append(changes, ch), append(changed, e)
			}
		}
	}
	if len(out) > 0 {
		return nil, false, out
	}
	if len(news) > 0 {
		created, err := cmdb.RelateTx(r.ctx, r.tx, r.ref, news)
		if err != nil {
			return nil, false, blame(err, made)
		}
		for i, e := range made {
			ids[e] = created[i].ID
		}
	}
	if len(changes) > 0 {
		if _, err := cmdb.UpdateRelationshipsTx(r.ctx, r.tx, r.ref, changes); err != nil {
			return nil, false, blame(err, changed)
		}
	}
	return ids, len(news)+len(changes) > 0, nil
}

// change returns the update that brings a stored relationship to what the plan says, and whether there is any.
func (e *edge) change(old *ent.Relationship, source string) (ch cmdb.RelationshipChange, differs bool) {
	ch = cmdb.RelationshipChange{ID: old.ID, ExpectedVersion: &old.Version}
	if e.strength != nil && form.Or(old.Strength, "") != *e.strength && old.ReportedBy != manual {
		ch.Strength, differs = &e.strength, true
	}
	if e.evidence != "" && old.Evidence != e.evidence && old.ReportedBy == source {
		ch.Evidence, differs = &e.evidence, true
	}
	return ch, differs
}

func (r *run) placeOf(e *edge) cmdb.Between {
	t, err := r.ref.Type(e.reported.Type)
	if err != nil {
		return cmdb.Between{}
	}
	return cmdb.Between{Type: t.ID, Source: r.id(e.source), Target: r.id(e.target)}
}

func (r *run) storedEdges(live []*edge) (map[cmdb.Between]*ent.Relationship, error) {
	all := make([]cmdb.Between, len(live))
	for i, e := range live {
		all[i] = r.placeOf(e)
	}
	return cmdb.FindRelationships(r.ctx, r.tx, all)
}

// writeGroups writes dependency groups. Members that were put off, because nothing but the group makes them bearable,
// are written with it.
func (a *applying) writeGroups(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*group) (func(), error) {
	r := a.begin(ctx, tx, ref)
	out := refused[*group]{}
	late := a.lateMembers(live)
	ids, _, err := r.relate(late)
	if leftOut := (refused[*edge]{}); errors.As(err, &leftOut) {
		for _, g := range live {
			if slices.ContainsFunc(g.members, func(m member) bool { _, ok := leftOut[m.edge]; return ok }) {
				out[g] = memberLeftOut
			}
		}
		return nil, out
	}
	if err != nil {
		return nil, err
	}
	var news []cmdb.NewGroup
	var changes []cmdb.GroupChange
	var made, changed []*group
	for _, g := range live {
		members, ok := r.members(g, ids)
		switch {
		case r.idOf(g.of) == 0 || r.others[g.of]:
			out[g] = "its CI was left out"
		case !ok:
			out[g] = memberLeftOut
		case g.old == nil:
			made = append(made, g)
			news = append(news, cmdb.NewGroup{CI: r.idOf(g.of), Name: g.name, Mode: g.mode, Threshold: g.threshold, Members: members})
		default:
			changed = append(changed, g)
			changes = append(changes, cmdb.GroupChange{
				ID: g.old.ID, ExpectedVersion: &g.old.Version, Mode: &g.mode, Threshold: &g.threshold, Members: members,
			})
		}
	}
	if len(out) > 0 {
		return nil, out
	}
	if len(changes) > 0 {
		if _, err := cmdb.UpdateGroupsTx(ctx, tx, ref, changes); err != nil {
			return nil, blame(err, changed)
		}
	}
	if len(news) > 0 {
		if _, err := cmdb.CreateGroupsTx(ctx, tx, ref, news); err != nil {
			return nil, blame(err, made)
		}
	}
	return func() {
		a.related(ids)
		a.waiting.late = slices.DeleteFunc(a.waiting.late, func(e *edge) bool { return ids[e] != 0 })
		a.wrote(len(made), KindGroup, Create)
		a.wrote(len(changed), KindGroup, Update)
		a.result.Batches++
	}, nil
}

const memberLeftOut = "one of its members was left out"

// lateMembers returns the relationships that count in groups and were put off.
func (a *applying) lateMembers(live []*group) (late []*edge) {
	for _, e := range a.waiting.late {
		if slices.ContainsFunc(live, func(g *group) bool { return slices.ContainsFunc(g.members, func(m member) bool { return m.edge == e }) }) {
			late = append(late, e)
		}
	}
	return late
}

// members returns the members of a group, of which those of ids were written in the same transaction.
func (r *run) members(g *group, ids map[*edge]ident.ID) (all []domain.GroupMember, ok bool) {
	for _, m := range g.members {
		id := r.edges[m.edge]
		if id == 0 {
			id = ids[m.edge]
		}
		if id == 0 && m.edge.old != nil {
			id = m.edge.old.ID
		}
		if id == 0 {
			return nil, false
		}
		all = append(all, domain.GroupMember{Relationship: id, Weight: m.weight})
	}
	return all, true
}

// writeDangling stores the references to records that are missing.
func (a *applying) writeDangling(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*loose) (func(), error) {
	r := a.begin(ctx, tx, ref)
	out := refused[*loose]{}
	rows := make([]cmdb.Dangling, len(live))
	for i, l := range live {
		rows[i] = cmdb.Dangling{
			Record: r.idOf(l.of), Key: l.target, Kind: l.kind,
			Detail: l.detail, IsReverse: l.isReverse, Strength: l.strength, Evidence: l.evidence,
		}
		if rows[i].Record == 0 || r.others[l.of] {
			out[l] = "what it belongs to was left out"
		}
	}
	if len(out) > 0 {
		return nil, out
	}
	if err := cmdb.RememberDanglingTx(ctx, tx, ref, rows); err != nil {
		return nil, blame(err, live)
	}
	return func() {
		for _, l := range live {
			a.wrote(1, danglingKinds[l.kind], IsDangling)
		}
		a.result.Batches++
	}, nil
}
