package read

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Source is a system that CIs are imported from, as clients see it.
type Source struct {
	*ent.Source
	in *batch[*Source]
}

// SourceScope is a part of a source that is read at once.
type SourceScope struct {
	Name           string
	ClaimCount     int
	MissingCount   int
	LastCompleteAt *time.Time
}

// Sources lists the sources that were described or read, by code.
func (r *Reader) Sources(ctx context.Context) ([]*Source, error) {
	described, err := r.store.Read.Source.Query().All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	read, err := importer.ReadSources(ctx, r.store)
	if err != nil {
		return nil, err
	}
	rows := slices.Clone(described)
	for _, code := range read {
		if !slices.ContainsFunc(described, func(s *ent.Source) bool { return s.Code == code }) {
			rows = append(rows, importer.Undescribed(code))
		}
	}
	slices.SortFunc(rows, func(a, b *ent.Source) int { return strings.Compare(a.Code, b.Code) })
	return r.wrapSources(rows), nil
}

// Source returns the source with a code. If it was neither described nor read, it returns nil.
func (r *Reader) Source(ctx context.Context, code string) (*Source, error) {
	all, err := r.Sources(ctx)
	if i := slices.IndexFunc(all, func(s *Source) bool { return s.Code == code }); i >= 0 {
		return all[i], err
	}
	return nil, err
}

func (r *Reader) wrapSources(rows []*ent.Source) []*Source {
	b := newBatch(r, make([]*Source, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Source{row, b}
	}
	return b.Rows
}

// ShowSource shows a source that a verb returned.
func (r *Reader) ShowSource(row *ent.Source) *Source { return r.wrapSources([]*ent.Source{row})[0] }

// IsDescribed reports whether somebody has said how far the source is believed.
func (s *Source) IsDescribed() bool { return s.ID != 0 }

// Version returns the version of what was said of the source, or nil.
func (s *Source) Version() *int {
	if s.ID == 0 {
		return nil
	}
	return &s.Source.Version
}

// FieldPriorities returns what the source is worth for single fields.
func (s *Source) FieldPriorities() []domain.FieldPriority {
	return append([]domain.FieldPriority{}, s.Source.FieldPriorities...)
}

// KeySpaces returns the spaces of keys, beside its own, that the source may name records by.
func (s *Source) KeySpaces() []string { return append([]string{}, s.Source.KeySpaces...) }

// StaleAfter returns for how long the source is believed after it was read, or nil: for ever.
func (s *Source) StaleAfter() *time.Duration {
	if s.StaleAfterMinutes == 0 {
		return nil
	}
	after := time.Duration(s.StaleAfterMinutes) * time.Minute
	return &after
}

// GraceTime returns for how long a record has to be missing before it is retired.
func (s *Source) GraceTime() time.Duration { return time.Duration(s.GraceMinutes) * time.Minute }

// Scopes returns the parts of the source that were ever read, by name. Claims on CIs that the actor may not see do not
// count.
func (s *Source) Scopes(ctx context.Context) ([]*SourceScope, error) {
	all, err := once(s.in, "scopes", func() (map[string][]*SourceScope, error) {
		rows, err := importer.ReadScopes(ctx, s.in.reader.store, s.in.reader.naming(ctx, "record"))
		byCode := map[string][]*SourceScope{}
		for _, row := range rows {
			byCode[row.Source] = append(byCode[row.Source], &SourceScope{row.Scope, row.Claims, row.Missing, row.LastComplete})
		}
		return byCode, err
	})
	return append([]*SourceScope{}, all[s.Code]...), err
}

// Claim is what a source last said of a CI.
type Claim struct{ *importer.Claim }

// Claims returns what sources last said of the CI, by source and key.
func (c *CI) Claims(ctx context.Context) ([]*Claim, error) {
	all, err := once(c.in, "claims", func() (map[*CI][]*Claim, error) {
		cis := make([]*ent.CI, len(c.in.Rows))
		for i, row := range c.in.Rows {
			cis[i] = row.CI
		}
		found, err := importer.ReadClaims(ctx, c.in.reader.store, cis)
		shown := map[*CI][]*Claim{}
		for _, row := range c.in.Rows {
			shown[row] = []*Claim{}
			for _, one := range found[row.ID] {
				shown[row] = append(shown[row], &Claim{one})
			}
		}
		return shown, err
	})
	return all[c], err
}
