package cmdb

import (
	"context"
	"fmt"
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
		hidden, err := sight.Hidden(ctx, tx.Client())
		if err != nil {
			return err
		}
		if !hidden[by.ID] && !hidden[of.ID] {
			tx.Warn(domain.OtherEnvironment, []string{need.field}, "%s, which is PRODUCTION, needs %s, which is %s", by.Name, of.Name, of.Environment)
		}
	}
	return nil
}

// mostTold is how many tickets a verb warns of: the newest.
const mostTold = 10

// warnOfTickets warns of the open incidents and changes that name a CI, in one statement.
func warnOfTickets(ctx context.Context, tx *store.Tx, ci ident.ID) error {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT t.id, t.state FROM incident_ci AS named JOIN incident AS t ON t.id = named.incident_id
		WHERE named.ci_id = $1 AND t.state IN (%s) UNION ALL
		SELECT t.id, t.state FROM change_ci AS named JOIN change AS t ON t.id = named.change_id
		WHERE named.ci_id = $1 AND t.state IN (%s) ORDER BY 1 DESC LIMIT %d`, openStates[domain.IncidentState](), openStates[domain.ChangeState](), mostTold), ci)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id ident.ID
		var state string
		if err := rows.Scan(&id, &state); err != nil {
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
