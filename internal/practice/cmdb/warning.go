package cmdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// warnOfEnvironment warns if a relationship makes a production CI need one of another environment, unless the actor may
// not see one of them.
func (r *Reference) warnOfEnvironment(ctx context.Context, tx *store.Tx, d *ent.Relationship, cis map[ident.ID]*ent.CI) error {
	for _, need := range []struct {
		by, of ident.ID
		field  string
	}{{d.SourceID, d.TargetID, "target"}, {d.TargetID, d.SourceID, "source"}} {
		by, of := cis[need.by], cis[need.of]
		if !r.arrives(d, need.by) || by.Environment != domain.Production || of.Environment == domain.Production {
			continue
		}
		hidden, err := sight.Within(ctx, tx.Client())
		if err != nil {
			return err
		}
		if !hidden[by.ID] && !hidden[of.ID] {
			tx.Warn(domain.OtherEnvironment, []string{need.field}, "%s, which is PRODUCTION, needs %s, which is %s", by.Name, of.Name, of.Environment)
		}
	}
	return nil
}

// warnOfNeeds warns of the CIs that no longer need what they needed once relationships are gone: HARD ones outside any
// group, and the last member of one. It passes over what is not in service at either end, and what the actor may not
// see.
func (r *Reference) warnOfNeeds(ctx context.Context, tx *store.Tx, gone map[ident.ID]*ent.Relationship, field ...string) error {
	type taken struct {
		by, of ident.ID
		from   *ent.DependencyGroup // the group whose last member it was; nil: it counted by itself
	}
	rels := slices.SortedFunc(maps.Values(gone), func(a, b *ent.Relationship) int { return cmp.Compare(a.ID, b.ID) })
	in, err := groupsWith(ctx, tx, rels)
	if err != nil {
		return err
	}
	var all []taken
	ends := map[ident.ID]bool{}
	for _, rel := range rels {
		for _, need := range []taken{{by: rel.SourceID, of: rel.TargetID}, {by: rel.TargetID, of: rel.SourceID}} {
			if r.strength(rel) != domain.Hard || !r.arrives(rel, need.by) || need.by == need.of {
				continue
			}
			counts := slices.IndexFunc(in[rel.ID], func(g *ent.DependencyGroup) bool { return g.CiID == need.by })
			if counts >= 0 {
				if need.from = in[rel.ID][counts]; slices.ContainsFunc(need.from.Members, func(m domain.GroupMember) bool { return gone[m.Relationship] == nil }) {
					continue
				}
			}
			all = append(all, need)
			ends[need.by], ends[need.of] = true, true
		}
	}
	if len(all) == 0 {
		return nil
	}
	cis, err := loadCIs(ctx, tx, ends)
	if err != nil {
		return err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return err
	}
	isShown := func(id ident.ID) bool {
		stage := cis[id].Lifecycle
		return !hidden[id] && (stage == domain.Live || stage == domain.Deprecated)
	}
	for _, need := range all {
		if !isShown(need.by) || !isShown(need.of) {
			continue
		}
		said := ""
		if need.from != nil {
			said = fmt.Sprintf(", the last member of the group %q, which goes with it", need.from.Name)
		}
		tx.Warn(domain.NeedRemoved, field, "%s no longer needs %s%s: relate what it needs instead, if there is anything", cis[need.by].Name, cis[need.of].Name, said)
	}
	return nil
}

// mostTold is how many tickets a verb warns of: the newest.
const mostTold = 10

// WarnOfTickets warns of the open incidents and changes that name a CI, the newest first, in one statement.
func WarnOfTickets(ctx context.Context, tx *store.Tx, ci ident.ID) error {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT t.id, t.state, t.created_at FROM incident_ci AS named JOIN incident AS t ON t.id = named.incident_id
		WHERE named.ci_id = $1 AND t.state IN (%s) UNION ALL
		SELECT t.id, t.state, t.created_at FROM change_ci AS named JOIN change AS t ON t.id = named.change_id
		WHERE named.ci_id = $1 AND t.state IN (%s) ORDER BY 3 DESC, 1 DESC LIMIT %d`, openStates[domain.IncidentState](), openStates[domain.ChangeState](), mostTold), ci)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id ident.ID
		var state string
		if err := rows.Scan(&id, &state, new(any)); err != nil {
			return err
		}
		prefix := ticket.IncidentPrefix
		if id.Kind() == ident.Change {
			prefix = ticket.ChangePrefix
		}
		tx.Warn(domain.NamedByTicket, []string{"id"}, "%s names it and is in %s: say there what takes its place", ticket.Number(prefix, id), state)
	}
	return rows.Err()
}

// NamedByTickets tells which of the CIs an open incident or change names: a statement for each 500.
func NamedByTickets(ctx context.Context, tx *store.Tx, cis []ident.ID) (map[ident.ID]bool, error) {
	named := map[ident.ID]bool{}
	for chunk := range slices.Chunk(cis, rowChunk) {
		places, args := make([]string, len(chunk)), make([]any, len(chunk))
		for i, id := range chunk {
			places[i], args[i] = fmt.Sprint("$", i+1), id
		}
		list := strings.Join(places, ", ")
		rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT named.ci_id FROM incident_ci AS named JOIN incident AS t ON t.id = named.incident_id
			WHERE named.ci_id IN (%s) AND t.state IN (%s) UNION SELECT named.ci_id FROM change_ci AS named JOIN change AS t ON t.id = named.change_id
			WHERE named.ci_id IN (%s) AND t.state IN (%s)`, list, openStates[domain.IncidentState](), list, openStates[domain.ChangeState]()), args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id ident.ID
			if err := rows.Scan(&id); err != nil {
				_ = rows.Close()
				return nil, err
			}
			named[id] = true
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return named, nil
}

// openStates lists the states of a kind of ticket that are open, as SQL.
func openStates[S interface {
	~string
	IsOpen() bool
	Values() []string
}]() string {
	var open []string
	for _, state := range S("").Values() {
		if S(state).IsOpen() {
			open = append(open, "'"+state+"'")
		}
	}
	return strings.Join(open, ", ")
}
