package incident

import (
	"context"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// The bounds of what an incident is compared with.
const (
	mostSimilar  = 10 // open incidents like it: the newest
	mostEarlier  = 20 // open incidents that it may make graver: the newest
	mostCompared = 50 // services that show which these are
	mostHeld     = 10 // CIs that are ruled out
)

// warnOfOpen warns of what else is open when an incident is opened, or names other CIs than before, by the answer about
// it.
func (p *Practice) warnOfOpen(ctx context.Context, tx *store.Tx, is *ent.Incident, before, named []CI, answer *impact.Answer) error {
	if err := p.warnOfSimilar(ctx, tx, is, before, named); err != nil {
		return err
	}
	if err := p.warnOfRuledOut(ctx, tx, is, before, named, answer.Snapshot()); err != nil {
		return err
	}
	return p.warnOfEarlier(ctx, tx, is, answer)
}

// warnOfSimilar warns of open incidents that a new one may be a duplicate of, beside the one that it is part of: those
// that name one of its CIs in the same role, ROOT or AFFECTED, and those whose ROOT CIs explain why one is not well. It
// passes over CIs that it named so before. The actor has named the others and so may see them.
func (p *Practice) warnOfSimilar(ctx context.Context, tx *store.Tx, is *ent.Incident, before, named []CI) error {
	places, roles := map[ident.ID]int{}, map[domain.IncidentRole][]ident.ID{}
	for i, c := range named {
		if c.Role != domain.ExcludedRole && !slices.Contains(before, c) {
			roles[c.Role], places[c.ID] = append(roles[c.Role], c.ID), i
		}
	}
	if len(places) == 0 {
		return nil
	}
	itself := []ident.ID{is.ID}
	if is.ParentID != nil {
		itself = append(itself, *is.ParentID)
	}
	var alike []predicate.IncidentCI
	for role, ids := range roles {
		alike = append(alike, incidentci.And(incidentci.CiIDIn(ids...), incidentci.RoleEQ(role)))
	}
	rows, err := tx.IncidentCI.Query().Where(incidentci.Or(alike...), incidentci.IncidentIDNotIn(itself...), incidentci.HasIncidentWith(incident.StateIn(openStates...))).
		Order(ent.Desc(incidentci.FieldIncidentID), ent.Asc(incidentci.FieldCiID)).Limit(mostSimilar).All(ctx)
	if err != nil {
		return err
	}
	told := map[ident.ID]bool{}
	for _, row := range rows {
		told[row.IncidentID] = true
		tx.Warn(domain.SimilarIncident, []string{"cis", strconv.Itoa(places[row.CiID])},
			"%s is open and has %s as %s, too: if it is the same trouble, work on that one", Number(row.IncidentID), row.CiID, said[row.Role])
	}
	s := p.graph.Snapshot()
	for i, c := range named {
		state := impact.StateOf(s, c.ID)
		if c.Role == domain.ExcludedRole || slices.Contains(before, c) || state < impact.Degraded {
			continue
		}
		by := slices.DeleteFunc(impact.Partakers(s, c.ID), func(r ident.ID) bool {
			return r.Kind() != ident.Incident || told[r] || slices.Contains(itself, r)
		})
		slices.Reverse(by)
		for _, r := range by[:min(len(by), mostSimilar)] {
			told[r] = true
			tx.Warn(domain.SimilarIncident, []string{"cis", strconv.Itoa(i)},
				"%s is open, and %s is %s by its ROOT: if it is the same trouble, work on that one", Number(r), c.ID, state)
		}
	}
	return nil
}

// said is how a sentence calls a role.
var said = map[domain.IncidentRole]string{domain.RootRole: "its ROOT", domain.AffectedRole: "AFFECTED"}

// warnOfRuledOut warns of the CIs that others have ruled out and that the failures of an incident reach, as its view of
// the graph shows, and did not reach by what it named before.
func (p *Practice) warnOfRuledOut(ctx context.Context, tx *store.Tx, is *ent.Incident, before, named []CI, view *topology.Snapshot) error {
	held, ok := impact.RuledOutBeside(view, impact.Unopened)
	if !ok {
		held, _ = impact.RuledOutBeside(view, is.ID)
	}
	if len(held) > 0 && len(before) > 0 {
		marks, _ := marksOf(is.ID, before)
		then, err := p.graph.Snapshot().With(topology.Batch{Incidents: []topology.Incident{marks}})
		if err != nil {
			return err
		}
		known, _ := impact.RuledOutBeside(then, is.ID)
		held = slices.DeleteFunc(held, func(h impact.Held) bool {
			return slices.ContainsFunc(known, func(k impact.Held) bool { return k.CI == h.CI && k.State == h.State })
		})
	}
	return eachHeld(ctx, tx, held, func(h impact.Held, name string) {
		field := []string{"cis"}
		if i := slices.IndexFunc(named, func(c CI) bool { return c.ID == h.CI }); i >= 0 {
			field = append(field, strconv.Itoa(i))
			tx.Warn(domain.RuledOut, field, "%s rules out %s (%s), which is ROOT here: what someone found outweighs that, so take it back there", numbers(h.By), name, h.CI)
			return
		}
		tx.Warn(domain.RuledOut, field, "%s (%s) would be %s if %s did not rule it out: check it again, and take that back if it is so", name, h.CI, h.State, numbers(h.By))
	})
}

// warnOfEnd warns of what incidents that end had ruled out and that is not well without them.
func (p *Practice) warnOfEnd(ctx context.Context, tx *store.Tx, ending ...ident.ID) error {
	held, err := impact.NoLongerRuledOut(p.graph.Snapshot(), ending)
	if err != nil {
		return err
	}
	return eachHeld(ctx, tx, held, func(h impact.Held, name string) {
		by := ""
		if len(h.By) > 0 {
			by = ", by " + numbers(h.By)
		}
		tx.Warn(domain.NoLongerRuledOut, []string{"id"}, "%s (%s) is %s from now on%s: it was ruled out only here; if it is well, rule it out there", name, h.CI, h.State, by)
	})
}

// eachHeld calls tell with the first of some CIs that the actor may see, and their names.
func eachHeld(ctx context.Context, tx *store.Tx, held []impact.Held, tell func(h impact.Held, name string)) error {
	if len(held) == 0 {
		return nil
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return err
	}
	held = slices.DeleteFunc(held, func(h impact.Held) bool { return hidden[h.CI] })
	held = held[:min(len(held), mostHeld)]
	names := map[ident.ID]string{}
	for _, h := range held {
		names[h.CI] = h.CI.String()
	}
	if err := nameAll(ctx, tx.Client(), names); err != nil {
		return err
	}
	for _, h := range held {
		tell(h, names[h.CI])
	}
	return nil
}

// warnOfEarlier warns of open incidents that deserve a graver impact level by what fails with another, as the answer
// about that shows. It looks at those that take part in the state of a service with it, and if it breaks anything at
// the newest that name what they were seen to affect.
func (p *Practice) warnOfEarlier(ctx context.Context, tx *store.Tx, is *ent.Incident, answer *impact.Answer) error {
	earlier, err := p.seenBeside(ctx, tx, is, answer)
	if err != nil {
		return err
	}
	hits := answer.Affected(impact.Filter{Keep: aService})
	for _, h := range hits[:min(len(hits), mostCompared)] {
		for _, r := range answer.Beside(h.CI) {
			if r.Kind() == ident.Incident && !slices.Contains(earlier, r) {
				earlier = append(earlier, r)
			}
		}
	}
	if len(earlier) == 0 {
		return nil
	}
	rows, err := tx.Incident.Query().Where(incident.IDIn(earlier...), incident.StateIn(openStates...)).Order(incident.ByID(sql.OrderDesc())).Limit(mostEarlier).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	ids := make([]ident.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	named, err := namedBy(ctx, tx.Client(), ids)
	if err != nil {
		return err
	}
	lists := make([][]CI, len(ids))
	for i, id := range ids {
		lists[i] = named[id]
	}
	before, err := findAll(ctx, tx.Client(), p.graph.Snapshot(), ids, lists, false)
	if err != nil {
		return err
	}
	after, err := findAll(ctx, tx.Client(), answer.Snapshot(), ids, lists, false)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if was, is := before[i].suggestion.Level, after[i].suggestion.Level; is < was {
			tx.Warn(domain.EarlierGraver, []string{"cis"}, "impact level %d is suggested for %s from now on, before %d, and it has %d: see whether it is more pressing", is, Number(row.ID), was, row.Impact)
		}
	}
	return nil
}

// seenBeside lists the newest open incidents that name CIs as AFFECTED, beside one that breaks something: what would be
// DOWN with those may be more now.
func (p *Practice) seenBeside(ctx context.Context, tx *store.Tx, is *ent.Incident, answer *impact.Answer) ([]ident.ID, error) {
	if len(answer.Affected(impact.Filter{AtLeast: impact.AtRisk})) == 0 {
		return nil, nil
	}
	rows, err := tx.IncidentCI.Query().
		Where(incidentci.RoleEQ(domain.AffectedRole), incidentci.IncidentIDNEQ(is.ID), incidentci.HasIncidentWith(incident.StateIn(openStates...))).
		Order(ent.Desc(incidentci.FieldIncidentID)).Limit(mostCompared).All(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]ident.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.IncidentID
	}
	return slices.Compact(ids), nil
}

// numbers names records as people do.
func numbers(records []ident.ID) string {
	all := make([]string, len(records))
	for i, r := range records {
		prefix := ticket.IncidentPrefix
		if r.Kind() == ident.Change {
			prefix = ticket.ChangePrefix
		}
		all[i] = ticket.Number(prefix, r)
	}
	return form.List(all, "and")
}
