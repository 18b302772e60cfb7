package importer

import (
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// belief is how far sources are believed: as people have set it, and since when each scope was last read whole.
type belief struct {
	sources map[string]*ent.Source
	read    map[scopeOf]time.Time // the last complete run
	now     time.Time
}

type scopeOf struct{ source, scope string }

func loadBelief(ctx context.Context, tx *store.Tx) (*belief, error) {
	b := &belief{sources: map[string]*ent.Source{}, read: map[scopeOf]time.Time{}, now: tx.Now}
	all, err := tx.Source.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		b.sources[s.Code] = s
	}
	rows, err := tx.QueryContext(ctx, `SELECT source, scope, finished_at FROM x_run WHERE id IN
		(SELECT max(id) FROM x_run WHERE state = $1 AND is_complete GROUP BY source, scope)`, string(domain.RunApplied))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var at scopeOf
		var read time.Time
		if err := rows.Scan(&at.source, &at.scope, &read); err != nil {
			return nil, err
		}
		b.read[at] = read
	}
	return b, rows.Err()
}

// source returns what people have set of a source, or what holds of one that nobody has described.
func (b *belief) source(code string) *ent.Source {
	if s := b.sources[code]; s != nil {
		return s
	}
	return Undescribed(code)
}

// Undescribed returns what holds of a source that nobody has described.
func Undescribed(code string) *ent.Source {
	return &ent.Source{
		Code: code, Priority: domain.SourcePriority, RetirePolicy: domain.Keep, GraceRuns: domain.GraceRuns, GraceMinutes: domain.GraceMinutes,
		GuardPercent: domain.GuardPercent,
	}
}

// isStale reports whether a claim is older than its source is to be believed, or its source has lost the record.
func (b *belief) isStale(c *claim) bool {
	if c.isMissing() {
		return true
	}
	after := b.source(c.source).StaleAfterMinutes
	seen := c.changedAt
	if read := b.read[scopeOf{c.source, c.scope}]; read.After(seen) {
		seen = read
	}
	return after > 0 && b.now.Sub(seen) > time.Duration(after)*time.Minute
}

// worth returns how much sources are worth for the fields of a CI of a class: the rule of the nearest class, a field's
// own before that of all fields.
func (b *belief) worth(class *cmdb.Class) reconcile.Priorities {
	return func(source, field string) int {
		s := b.source(source)
		if len(s.FieldPriorities) == 0 {
			return s.Priority
		}
		for at := class; at != nil; at = at.Parent {
			if n, ok := ruleFor(s.FieldPriorities, at.Code, field); ok {
				return n
			}
		}
		if n, ok := ruleFor(s.FieldPriorities, "", field); ok {
			return n
		}
		return s.Priority
	}
}

func ruleFor(rules []domain.FieldPriority, class, field string) (int, bool) {
	for _, name := range []string{field, "*"} {
		if i := slices.IndexFunc(rules, func(r domain.FieldPriority) bool { return r.Class == class && r.Field == name }); i >= 0 {
			return rules[i].Priority, true
		}
	}
	return 0, false
}
