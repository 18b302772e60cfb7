package incident

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// mostSimilar is how many incidents a new one is compared with: the newest.
const mostSimilar = 10

// warnOfSimilar warns of open incidents that have a ROOT CI of a new one as their ROOT, too, beside the one that it is
// part of. The actor has named those CIs and so may see them.
func warnOfSimilar(ctx context.Context, tx *store.Tx, is *ent.Incident, named []CI) error {
	places := map[ident.ID]int{}
	var roots []ident.ID
	for i, c := range named {
		if c.Role == domain.RootRole {
			roots, places[c.ID] = append(roots, c.ID), i
		}
	}
	if len(roots) == 0 {
		return nil
	}
	open := incident.StateIn(domain.IncidentNew, domain.IncidentInProgress, domain.IncidentOnHold)
	itself := []ident.ID{is.ID}
	if is.ParentID != nil {
		itself = append(itself, *is.ParentID)
	}
	rows, err := tx.IncidentCI.Query().Where(incidentci.CiIDIn(roots...), incidentci.RoleEQ(domain.RootRole), incidentci.IncidentIDNotIn(itself...),
		incidentci.HasIncidentWith(open)).Order(ent.Desc(incidentci.FieldIncidentID), ent.Asc(incidentci.FieldCiID)).Limit(mostSimilar).All(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		tx.Warn(domain.SimilarIncident, []string{"cis", strconv.Itoa(places[row.CiID])},
			"%s is open and has %s as its ROOT, too: if it is the same trouble, work on that one", Number(row.IncidentID), row.CiID)
	}
	return nil
}
