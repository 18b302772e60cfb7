package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// find returns the id of the CI that a person means.
func (a *answerer) find(ctx context.Context, name string) (string, error) {
	if _, err := ident.Parse(name); err == nil {
		return name, nil
	}
	if source, key, ok := strings.Cut(name, ":"); ok {
		var found struct{ CIByExternalID *struct{ ID string } }
		err := a.ask(ctx, &found, `query($source: String!, $key: String!) { ciByExternalId(source: $source, externalId: $key) { id } }`, map[string]any{"source": source, "key": key})
		if err != nil {
			return "", err
		}
		if found.CIByExternalID != nil {
			return found.CIByExternalID.ID, nil
		}
	}
	same, err := a.named(ctx, map[string]any{"name": map[string]any{"eq": name}}, 3)
	switch {
	case err != nil:
		return "", err
	case len(same) == 0:
		return "", a.unknownCI(ctx, name)
	case len(same) > 1:
		return "", fmt.Errorf("%q is the name of several CIs: give an id, such as %s or %s", name, same[0].ID, same[1].ID)
	}
	return same[0].ID, nil
}

// ciRow is how a CI is told from others.
type ciRow struct{ ID, Name string }

// named lists up to most CIs that a filter chooses, retired ones too, by name.
func (a *answerer) named(ctx context.Context, filter map[string]any, most int) (all []ciRow, err error) {
	filter["lifecycle"] = map[string]any{"in": domain.Live.Values()}
	for after := (*string)(nil); len(all) < most; {
		var found struct {
			CIs struct {
				Nodes    []ciRow
				PageInfo pageInfo
			}
		}
		if err := a.ask(ctx, &found, `query($filter: CIFilter, $first: Int, $after: String) { cis(filter: $filter, first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }`,
			map[string]any{"filter": filter, "first": min(pageSize, most-len(all)), "after": after}); err != nil {
			return nil, err
		}
		all = append(all, found.CIs.Nodes...)
		if after = found.CIs.PageInfo.EndCursor; !found.CIs.PageInfo.HasNextPage {
			break
		}
	}
	return all, nil
}

// pageInfo says whether a list goes on, and after what.
type pageInfo struct {
	HasNextPage bool
	EndCursor   *string
}

// candidates bounds the names that a wrong one is compared with.
const candidates = 500

// unknownCI returns the error for a CI that does not exist. It names those that may have been meant.
func (a *answerer) unknownCI(ctx context.Context, name string) error {
	start := []rune(name)
	near := map[string]any{"or": []any{
		map[string]any{"name": map[string]any{"contains": name}},
		map[string]any{"name": map[string]any{"startsWith": string(start[:min(2, len(start))])}},
	}}
	found, err := a.named(ctx, near, candidates)
	if err != nil {
		return err
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.Name
	}
	message := fmt.Sprintf("there is no CI %q: give an id, an exact name, or SOURCE:KEY", name)
	if near := nearest(name, names, 3); len(near) > 0 {
		message += " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return errors.New(message)
}
