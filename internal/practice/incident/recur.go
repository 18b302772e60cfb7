package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// known returns the incident that has a key, locked, with the row that says so. If no record has the key, it returns
// nil.
func (p *Practice) known(ctx context.Context, tx *store.Tx, key domain.ExternalKey) (*ent.Incident, *ent.ExternalIdentity, error) {
	for {
		row, err := keyRow(ctx, tx, key)
		switch {
		case ent.IsNotFound(err):
			return nil, nil, nil
		case err != nil:
			return nil, nil, err
		}
		record, err := p.desk.Take(ctx, tx, "externalIdentity", row.RecordID)
		if err != nil {
			return nil, nil, err
		}
		// The transaction that had the lock before may have given the key to another.
		if still, err := keyRow(ctx, tx, key); err != nil || still.ID == row.ID {
			return record, row, err
		}
	}
}

// keyRow returns the row of an event's key. CIs have keys of their own, of which it knows nothing.
func keyRow(ctx context.Context, tx *store.Tx, key domain.ExternalKey) (*ent.ExternalIdentity, error) {
	return tx.ExternalIdentity.Query().
		Where(externalidentity.Source(key.Source), externalidentity.ExternalID(key.ExternalID), externalidentity.IsEvent(true)).Only(ctx)
}

// endedAt returns when a known incident came to its end, or to what was taken for it. If the incident is open, it
// returns nil.
func endedAt(known *ent.Incident) *time.Time {
	switch known.State { //nolint:exhaustive // the others are open
	case domain.IncidentResolved:
		return known.ResolvedAt
	case domain.IncidentClosed:
		return known.ClosedAt
	case domain.IncidentCanceled:
		return &known.UpdatedAt // nothing writes it any more
	}
	return nil
}

// recur decides what a key that is known means for the incident that has it. Trouble that was noticed before the
// incident came to its end is the same trouble told once more: nothing is written. Trouble that was noticed later opens
// a resolved incident again. An incident that is closed or canceled gives its key to a new one: isNew.
func (p *Practice) recur(ctx context.Context, tx *store.Tx, key domain.ExternalKey, record *ent.Incident, row *ent.ExternalIdentity, detectedAt time.Time) (is *ent.Incident, isNew bool, err error) {
	ended := endedAt(record)
	if ended == nil || !detectedAt.After(*ended) {
		return record, false, nil
	}
	if record.State == domain.IncidentResolved {
		u := tx.Incident.UpdateOne(record)
		again := reopening(func(context.Context, *store.Tx, *ent.Incident, *ent.IncidentUpdateOne) (string, error) {
			return fmt.Sprintf("%s reports %s again, noticed at %s UTC.", key.Source, key.ExternalID, detectedAt.Format("2006-01-02 15:04:05")), nil
		})
		if err := p.desk.MoveTaken(ctx, tx, record, u, "reopenIncident", again); err != nil {
			return nil, false, err
		}
		is, err = u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
		return is, false, err
	}
	return nil, true, tx.ExternalIdentity.DeleteOne(row).Exec(ctx)
}

// remember tells both sides that a new incident has the key of one that is done with.
func remember(ctx context.Context, tx *store.Tx, key domain.ExternalKey, before, after *ent.Incident) error {
	_, err := ticket.Write(ctx, tx, after.ID, domain.WorkNote,
		fmt.Sprintf("%s reported %s before: that was %s, which is %s.", key.Source, key.ExternalID, Number(before.ID), before.State))
	if err != nil {
		return err
	}
	_, err = ticket.Write(ctx, tx, before.ID, domain.WorkNote,
		fmt.Sprintf("%s reports %s again: that is %s now.", key.Source, key.ExternalID, Number(after.ID)))
	return err
}
