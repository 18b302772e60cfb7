package ticket

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Write adds what a person wrote to the timeline of a record.
func Write(ctx context.Context, tx *store.Tx, record ident.ID, kind domain.TimelineKind, body string) (*ent.TimelineEntry, error) {
	account, err := tx.Author(ctx)
	if err != nil {
		return nil, err
	}
	return tx.TimelineEntry.Create().SetRecordID(record).SetKind(kind).SetBody(body).
		SetActor(tx.Actor).SetNillableActorID(account).SetCreatedAt(tx.Now).Save(ctx)
}

// Edited adds to the timeline of a record what its system has to tell of an edit.
func Edited(ctx context.Context, tx *store.Tx, record ident.ID, body string) error {
	_, err := Write(ctx, tx, record, domain.Edit, body)
	return err
}

// Moved adds a change of state to the timeline of a record, with what was said about it.
func Moved[S ~string](ctx context.Context, tx *store.Tx, record ident.ID, from, to S, body string) error {
	account, err := tx.Author(ctx)
	if err != nil {
		return err
	}
	return tx.TimelineEntry.Create().SetRecordID(record).SetKind(domain.StateChange).SetBody(body).
		SetFromState(string(from)).SetToState(string(to)).SetActor(tx.Actor).SetNillableActorID(account).SetCreatedAt(tx.Now).Exec(ctx)
}
