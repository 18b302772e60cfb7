package schedule

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Targets tells which windows hold for which of some CIs. It reads the classes and the labels only where a window asks
// for them. A window holds for a restricted CI if it names it, or holds for all: by its class and labels windows would
// tell them to whoever writes windows.
func Targets(ctx context.Context, c *ent.Client, s *topology.Snapshot, windows []*ent.ChangeWindow, cis []ident.ID) (func(*ent.ChangeWindow, ident.ID) bool, error) {
	subtrees, err := subtreesOf(ctx, c, windows)
	if err != nil {
		return nil, err
	}
	labels, err := labelsOf(ctx, c, windows, cis)
	if err != nil {
		return nil, err
	}
	var restricted map[ident.ID]bool
	if slices.ContainsFunc(windows, func(w *ent.ChangeWindow) bool { return len(w.Classes)+len(w.Labels) > 0 }) {
		if restricted, err = sight.Restricted(ctx, c); err != nil {
			return nil, err
		}
	}
	return func(w *ent.ChangeWindow, ci ident.ID) bool {
		if w.IsGlobal || slices.Contains(w.Cis, ci) {
			return true
		}
		if restricted[ci] {
			return false
		}
		if v, ok := s.Index(ci); ok && subtrees[w.ID][s.CI(v).Class] {
			return true
		}
		return len(w.Labels) > 0 && carries(labels[ci], w.Labels)
	}, nil
}

func carries(labels, wanted map[string]string) bool {
	for name, text := range wanted {
		if has, ok := labels[name]; !ok || has != text {
			return false
		}
	}
	return true
}

// subtreesOf returns the classes that each window means: those it names, and all below them.
func subtreesOf(ctx context.Context, c *ent.Client, windows []*ent.ChangeWindow) (map[ident.ID]map[ident.ID]bool, error) {
	if !slices.ContainsFunc(windows, func(w *ent.ChangeWindow) bool { return len(w.Classes) > 0 }) {
		return nil, nil
	}
	classes, err := c.CIClass.Query().Select(ciclass.FieldID, ciclass.FieldParentID).All(ctx)
	if err != nil {
		return nil, err
	}
	children := map[ident.ID][]ident.ID{}
	for _, class := range classes {
		if class.ParentID != nil {
			children[*class.ParentID] = append(children[*class.ParentID], class.ID)
		}
	}
	subtrees := make(map[ident.ID]map[ident.ID]bool, len(windows))
	for _, w := range windows {
		means, queue := map[ident.ID]bool{}, slices.Clone(w.Classes)
		for len(queue) > 0 {
			class := queue[0]
			queue = queue[1:]
			if !means[class] {
				means[class] = true
				queue = append(queue, children[class]...)
			}
		}
		subtrees[w.ID] = means
	}
	return subtrees, nil
}

func labelsOf(ctx context.Context, c *ent.Client, windows []*ent.ChangeWindow, cis []ident.ID) (map[ident.ID]map[string]string, error) {
	labels := map[ident.ID]map[string]string{}
	if !slices.ContainsFunc(windows, func(w *ent.ChangeWindow) bool { return len(w.Labels) > 0 }) {
		return labels, nil
	}
	cis = slices.Clone(cis)
	slices.Sort(cis)
	for chunk := range slices.Chunk(slices.Compact(cis), 10_000) {
		rows, err := c.CI.Query().Where(ci.IDIn(chunk...)).Select(ci.FieldID, ci.FieldLabels).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			labels[row.ID] = row.Labels
		}
	}
	return labels, nil
}
