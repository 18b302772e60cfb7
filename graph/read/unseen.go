package read

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// unseen returns what the actor may not see of all that some records, as the journal holds them, name: the hidden CIs,
// and the relationships that lead to one, those that are gone too. It takes no statement if nothing is hidden.
func (r *Reader) unseen(ctx context.Context, records ...map[string]any) (map[ident.ID]bool, error) {
	hidden, err := r.hidden(ctx)
	if err != nil || len(hidden) == 0 {
		return nil, err
	}
	named := map[ident.ID]bool{}
	for _, record := range records {
		relationshipsIn(record, named)
	}
	if len(named) == 0 {
		return hidden, nil
	}
	shown, err := r.relationships(ctx).Where(having(relationship.FieldID, slices.Sorted(maps.Keys(named)))).IDs(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	for _, id := range shown {
		delete(named, id)
	}
	unseen := maps.Clone(hidden)
	for id := range named {
		unseen[id] = true
	}
	gone, err := r.gone(ctx, slices.Sorted(maps.Keys(named)), hidden)
	for _, id := range gone {
		delete(unseen, id)
	}
	return unseen, err
}

// gone returns those of some relationships, none of which can be seen, that led to no hidden CI: they are gone.
func (r *Reader) gone(ctx context.Context, ids []ident.ID, hidden map[ident.ID]bool) (gone []ident.ID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	versions, err := r.versions(ctx).Where(having(version.FieldRecordID, ids)).IDs(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	for i, id := range versions {
		versions[i] = id.As(ident.Entry)
	}
	rows, err := r.entries(ctx).Where(having(entry.FieldID, versions)).All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	known, secret := map[ident.ID]bool{}, map[ident.ID]bool{}
	for _, e := range rows {
		known[e.RecordID] = true
		secret[e.RecordID] = secret[e.RecordID] || names(hidden, e.After)
	}
	for _, id := range ids {
		if known[id] && !secret[id] {
			gone = append(gone, id)
		}
	}
	return gone, nil
}

// relationshipsIn notes the relationships that a record, or any part of it, names.
func relationshipsIn(value any, named map[ident.ID]bool) {
	switch v := value.(type) {
	case string:
		if id, err := ident.Parse(v); err == nil && id.Kind() == ident.Relationship {
			named[id] = true
		}
	case []any:
		for _, part := range v {
			relationshipsIn(part, named)
		}
	case map[string]any:
		for key, part := range v {
			relationshipsIn(key, named)
			relationshipsIn(part, named)
		}
	}
}
