package incident

import (
	"context"
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The timeline tells of edits, too. An actor that sees the incident reads them all, so no CI is named.

// tellOpened tells how an incident was opened.
func tellOpened(ctx context.Context, tx *store.Tx, is *ent.Incident, named []CI) error {
	to, err := assigned(ctx, tx, is.AssignmentTeamID, is.AssigneeID)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("Opened with priority %d: impact level %d and urgency %d.", is.Priority, is.Impact, is.Urgency)
	if to != "" {
		said += " Assigned to " + to + "."
	}
	if cis := counted(nil, named); cis != "" {
		said += " " + cis
	}
	return ticket.Edited(ctx, tx, is.ID, said)
}

// tellAssigned tells who has an incident from now on, and who had it before.
func tellAssigned(ctx context.Context, tx *store.Tx, was *ent.Incident, team, assignee *ident.ID) error {
	before, err := assigned(ctx, tx, was.AssignmentTeamID, was.AssigneeID)
	if err != nil {
		return err
	}
	now, err := assigned(ctx, tx, team, assignee)
	if err != nil {
		return err
	}
	return ticket.Edited(ctx, tx, was.ID, fmt.Sprintf("Assigned to %s, before to %s.", orNobody(now), orNobody(before)))
}

func orNobody(who string) string {
	if who == "" {
		return "nobody"
	}
	return who
}

// assigned names a team and a person.
func assigned(ctx context.Context, tx *store.Tx, team, assignee *ident.ID) (string, error) {
	var names []string
	if assignee != nil {
		person, err := tx.Person.Get(ctx, *assignee)
		if err != nil {
			return "", err
		}
		names = append(names, person.Name)
	}
	if team != nil {
		of, err := tx.Team.Get(ctx, *team)
		if err != nil {
			return "", err
		}
		names = append(names, "the team "+of.Name)
	}
	return form.List(names, "and"), nil
}

// tellPriority tells how pressing an incident is from now on.
func tellPriority(ctx context.Context, tx *store.Tx, was *ent.Incident, level, urgency, pressing int) error {
	said := fmt.Sprintf("Priority %d", pressing)
	if pressing != was.Priority {
		said += fmt.Sprintf(", before %d", was.Priority)
	}
	var why []string
	if level != was.Impact {
		why = append(why, fmt.Sprintf("impact level %d, before %d", level, was.Impact))
	}
	if urgency != was.Urgency {
		why = append(why, fmt.Sprintf("urgency %d, before %d", urgency, was.Urgency))
	}
	return ticket.Edited(ctx, tx, was.ID, said+": "+strings.Join(why, "; ")+".")
}

// tellCIs tells how many CIs an incident names otherwise than before.
func tellCIs(ctx context.Context, tx *store.Tx, was *ent.Incident, before, named []CI) error {
	return ticket.Edited(ctx, tx, was.ID, counted(before, named))
}

// counted counts the CIs that one list names in a role and the other does not.
func counted(before, named []CI) string {
	said := map[CI]int{}
	for _, c := range before {
		said[c]--
	}
	for _, c := range named {
		said[c]++
	}
	added, removed := map[domain.IncidentRole]int{}, map[domain.IncidentRole]int{}
	for c, n := range said {
		switch {
		case n > 0:
			added[c.Role]++
		case n < 0:
			removed[c.Role]++
		}
	}
	var parts []string
	tell := func(counts map[domain.IncidentRole]int, what string) {
		var roles []string
		for _, role := range domain.IncidentRole("").Values() {
			if n := counts[domain.IncidentRole(role)]; n > 0 {
				roles = append(roles, fmt.Sprint(n, " ", role))
			}
		}
		if len(roles) > 0 {
			parts = append(parts, form.List(roles, "and")+" "+what)
		}
	}
	tell(added, "named")
	tell(removed, "no longer named")
	if len(parts) == 0 {
		return ""
	}
	return "CIs: " + strings.Join(parts, "; ") + "."
}
