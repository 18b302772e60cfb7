// Package sight knows which CIs an actor may see: those for everyone, and restricted ones that a team of theirs, or
// they themselves, own; admins and catalog editors see all. It refuses in doubt: without an actor, with one whose
// account is for no person, or by a token that is no catalog editor's, it shows nothing restricted.
package sight

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"sync"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Sight is what an actor may see. The zero Sight sees what everyone sees.
type Sight struct {
	seesAll bool
	owners  []ident.ID // the actor's person and their teams
}

// SeesAll reports whether the actor sees every CI.
func (s Sight) SeesAll() bool { return s.seesAll }

type memoKey struct{}

// memo holds the answers that one GraphQL operation has looked up.
type memo struct {
	sight  func() (Sight, error)
	hidden func() (map[ident.ID]bool, error)
}

// Once returns a context for one GraphQL operation, in which Of and Hidden ask the database once at most. The next
// operation sees what changed meanwhile.
func Once(ctx context.Context, c *ent.Client) context.Context {
	return context.WithValue(ctx, memoKey{}, &memo{
		sync.OnceValues(func() (Sight, error) { return lookUp(ctx, c) }),
		sync.OnceValues(func() (map[ident.ID]bool, error) {
			s, err := Of(ctx, c)
			if err != nil {
				return nil, err
			}
			return s.hidden(ctx, c)
		}),
	})
}

// Of returns what the actor of ctx may see. It takes two statements, or none if the actor sees all.
func Of(ctx context.Context, c *ent.Client) (Sight, error) {
	if m, ok := ctx.Value(memoKey{}).(*memo); ok {
		return m.sight()
	}
	return lookUp(ctx, c)
}

// Hidden returns the CIs that the actor of ctx may not see, or nil if the actor sees all. Its cost grows with the
// number of restricted CIs, not with the estate.
func Hidden(ctx context.Context, c *ent.Client) (map[ident.ID]bool, error) {
	if m, ok := ctx.Value(memoKey{}).(*memo); ok {
		return m.hidden()
	}
	s, err := lookUp(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.hidden(ctx, c)
}

// Restricted returns the CIs that only their owners may see, whoever asks: judgements that are the same for all use it.
func Restricted(ctx context.Context, c *ent.Client) (map[ident.ID]bool, error) {
	return Sight{}.hidden(ctx, c)
}

// Within returns what Hidden returns, read through c alone: a transaction that asked over another connection would wait
// for one that may not be there, and what it has not committed is no answer for others.
func Within(ctx context.Context, c *ent.Client) (map[ident.ID]bool, error) {
	s, err := lookUp(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.hidden(ctx, c)
}

// Rights returns a digest of what the actor of ctx may do and see: their roles, and the CIs that are hidden from them.
// An answer may be repeated to an actor whose digest is still the same.
func Rights(ctx context.Context, c *ent.Client) ([]byte, error) {
	hidden, err := Hidden(ctx, c)
	if err != nil {
		return nil, err
	}
	actor, _ := auth.From(ctx)
	digest := sha256.New()
	_, _ = io.WriteString(digest, actor.Key()+"\n")
	_, _ = io.WriteString(digest, actor.Grants()+"\n") // a hash takes everything
	for _, ci := range slices.Sorted(maps.Keys(hidden)) {
		_ = binary.Write(digest, binary.BigEndian, int64(ci))
	}
	return digest.Sum(nil), nil
}

func lookUp(ctx context.Context, c *ent.Client) (Sight, error) {
	actor, ok := auth.From(ctx)
	switch {
	case !ok || !actor.Has(auth.Viewer):
		return Sight{}, nil
	case actor.Has(auth.CatalogEditor):
		return Sight{seesAll: true}, nil
	}
	if actor.Pass.Narrowed != nil { // what a token sees is what its roles see, whoever made it
		return Sight{}, nil
	}
	owners, err := auth.PartiesOf(ctx, c, actor)
	return Sight{owners: owners}, err
}

func (s Sight) hidden(ctx context.Context, c *ent.Client) (map[ident.ID]bool, error) {
	if s.seesAll {
		return nil, nil
	}
	q := c.CI.Query()
	q.Modify(func(sel *sql.Selector) {
		table := sel.TableName()
		sel.Where(sql.P(func(b *sql.Builder) { s.isHidden(b, table) }))
	})
	ids, err := q.IDs(ctx)
	hidden := make(map[ident.ID]bool, len(ids))
	for _, id := range ids {
		hidden[id] = true
	}
	return hidden, err
}

// CIs restricts a statement on the table ci to the CIs that s shows.
func (s Sight) CIs(sel *sql.Selector) {
	if table := sel.TableName(); !s.seesAll {
		sel.Where(sql.P(func(b *sql.Builder) { s.Write(b, table) }))
	}
}

// Write writes the condition that s shows the row of ci that the statement calls table.
func (s Sight) Write(b *sql.Builder, table string) {
	if s.seesAll {
		b.WriteString("1 = 1")
		return
	}
	b.WriteString("NOT ").Wrap(func(b *sql.Builder) { s.isHidden(b, table) })
}

// Naming restricts a statement to rows in which none of the columns names a hidden CI. The columns may name other
// records, or nothing.
func (s Sight) Naming(sel *sql.Selector, columns ...string) {
	if s.seesAll {
		return
	}
	for _, column := range columns {
		name := sel.C(column)
		sel.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("NOT EXISTS (SELECT 1 FROM ci AS named WHERE named.id = ").Ident(name).WriteString(" AND ")
			s.isHidden(b, "named")
			b.WriteString(")")
		}))
	}
}

// isHidden writes the condition that a row of ci is hidden. The index on restricted CIs serves the condition only with
// 'OWNERS' as a literal.
func (s Sight) isHidden(b *sql.Builder, table string) {
	b.WriteString(table + ".visibility = 'OWNERS'")
	if len(s.owners) == 0 {
		return
	}
	owners := make([]any, len(s.owners))
	for i, id := range s.owners {
		owners[i] = id
	}
	b.WriteString(" AND NOT EXISTS (SELECT 1 FROM owner AS own WHERE own.ci_id = " + table + ".id AND (own.team_id IN (").Args(owners...).
		WriteString(") OR own.person_id IN (").Args(owners...).WriteString(")))")
}
