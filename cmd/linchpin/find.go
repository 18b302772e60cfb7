package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// findCI returns the id of the CI that a person means.
func findCI(ctx context.Context, a *app.App, name string) (ident.ID, error) {
	if id, err := ident.Parse(name); err == nil {
		return id, nil
	}
	if source, key, ok := strings.Cut(name, ":"); ok {
		rows, err := a.Store.Read.ExternalIdentity.Query().Where(externalidentity.Source(source), externalidentity.ExternalID(key), externalidentity.IsEvent(false)).All(ctx)
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 {
			return rows[0].RecordID, nil
		}
	}
	rows, err := a.Store.Read.CI.Query().Where(ci.Name(name)).Limit(3).All(ctx)
	switch {
	case err != nil:
		return 0, err
	case len(rows) == 0:
		return 0, unknownCI(ctx, a, name)
	case len(rows) > 1:
		return 0, fmt.Errorf("%q is the name of several CIs: give an id, such as %v or %v", name, rows[0].ID, rows[1].ID)
	}
	return rows[0].ID, nil
}

// candidates bounds the names that a wrong one is compared with.
const candidates = 500

// unknownCI returns the error for a CI that does not exist. It names those that may have been meant.
func unknownCI(ctx context.Context, a *app.App, name string) error {
	start := []rune(name)
	names, err := a.Store.Read.CI.Query().
		Where(ci.Or(ci.NameContainsFold(name), ci.NameHasPrefix(string(start[:min(2, len(start))])))).
		Limit(candidates).Order(ci.ByName()).Select(ci.FieldName).Strings(ctx)
	if err != nil {
		return err
	}
	message := fmt.Sprintf("there is no CI %q: give an id, an exact name, or SOURCE:KEY", name)
	if near := nearest(name, names, 3); len(near) > 0 {
		message += " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return errors.New(message)
}
