package cmdb

import (
	"context"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// LockField is which field of a CI sources are to leave alone.
type LockField struct {
	ID              ident.ID
	ExpectedVersion *int
	Field           string
}

// LockField keeps sources from writing a field of a CI: its value stands, whatever they say.
func (p *Practice) LockField(ctx context.Context, in LockField) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.lock_field", func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		if err := CheckLock(in.Field); err != nil {
			return nil, errs.Under(err, "field")
		}
		old, err := lockCI(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return nil, err
		}
		next := *old
		next.Locks = relock(old.Locks, []string{in.Field}, nil)
		return saveOne(ctx, tx, &change{old, &next, nil})
	})
}

// lockable are the fields that can be locked, beside the plain ones, attributes.NAME and labels.NAME.
var lockable = []string{ownersField, "tier", "portfolioStage", "category", "links", "supportTeam", "availabilityTarget"}

// CheckLock refuses the name of a field that no source writes.
func CheckLock(field string) error {
	for _, prefix := range []string{"attributes.", "labels."} {
		if name, ok := strings.CutPrefix(field, prefix); ok && name != "" {
			return nil
		}
	}
	if slices.Contains(lockable, field) {
		return nil
	}
	names := slices.Clone(lockable)
	for _, f := range PlainFields {
		if f.Name == field {
			return nil
		}
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return errs.New(errs.Invalid, "%.100q is no field that sources write: attributes.NAME, labels.NAME, %s are", field, strings.Join(names, ", "))
}
