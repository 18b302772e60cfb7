package read

import (
	"context"
	"sync"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// mostBallots bounds the changes in AUTHORIZE that are looked through for those that wait for the caller's vote: the
// oldest.
const mostBallots = 1_000

// mine makes conditions of filters by who asks. It looks up what it needs to know once, and only if a filter asks.
type mine struct {
	person   func() (*ident.ID, error)
	teams    func() ([]any, error)
	awaiting func() ([]any, error)
}

func (r *Reader) mine(ctx context.Context) mine {
	actor, _ := auth.From(ctx)
	person := sync.OnceValues(func() (*ident.ID, error) { return auth.PersonOf(ctx, r.store.Show, actor) })
	return mine{
		person: person,
		teams: sync.OnceValues(func() ([]any, error) {
			of, err := person()
			if err != nil || of == nil {
				return nil, err
			}
			teams, err := auth.TeamsOf(ctx, r.store.Show, *of)
			return anys(teams), err
		}),
		awaiting: sync.OnceValues(func() ([]any, error) {
			rows, err := r.store.Show.Change.Query().Where(change.StateEQ(domain.ChangeAuthorize)).Order(ent.Asc(change.FieldID)).Limit(mostBallots).All(ctx)
			if err != nil {
				return nil, err
			}
			ballots, err := practice.Ballots(ctx, r.store.Show, r.snapshot(), rows, r.store.Now(ctx))
			var ids []ident.ID
			for _, row := range rows {
				if ballots[row.ID].IsAwaited {
					ids = append(ids, row.ID)
				}
			}
			return anys(ids), err
		}),
	}
}

func anys(ids []ident.ID) []any {
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
}

// among adds the condition that a column has, or has not, one of the values that are looked up.
func among(c *where.Conditions, column string, want *bool, values func() ([]any, error)) {
	if want == nil {
		return
	}
	list, err := values()
	if err != nil {
		c.Fail(store.Translate(err))
		return
	}
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if *want {
			return sql.In(s.C(column), list...)
		}
		return sql.Or(sql.IsNull(s.C(column)), sql.NotIn(s.C(column), list...))
	})
}

// assigned adds the condition that a column names the caller, or does not.
func (m mine) assigned(c *where.Conditions, column string, want *bool) {
	among(c, column, want, func() ([]any, error) {
		of, err := m.person()
		if err != nil || of == nil {
			return nil, err
		}
		return []any{*of}, nil
	})
}

// owned adds the condition that a team of the caller owns a CI, or that none does.
func (m mine) owned(c *where.Conditions, want *bool) {
	if want == nil {
		return
	}
	teams, err := m.teams()
	if err != nil {
		c.Fail(store.Translate(err))
		return
	}
	is := where.InTable(ci.FieldID, "owner", "ci_id", "team_id", teams...)
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if *want {
			return is(s)
		}
		return sql.Not(is(s))
	})
}
