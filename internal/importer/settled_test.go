package importer_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// inventory is an estate of a source that changes between readings.
type inventory struct {
	name string
	cis  []importer.CI
	has  []bool
}

func newInventory(name string, n int, r *rand.Rand) *inventory {
	v := &inventory{name: name, cis: make([]importer.CI, n), has: make([]bool, n)}
	for i := range v.cis {
		v.draw(i, r)
	}
	return v
}

// draw invents a row anew. Serial numbers are few, so that rows are taken for one another.
func (v *inventory) draw(i int, r *rand.Rand) {
	v.has[i] = r.IntN(15) > 0
	c := importer.CI{ExternalID: fmt.Sprint("k", i), Name: fmt.Sprintf("%s %d", v.name, i), Class: "server", Description: fmt.Sprint("d", r.IntN(3)), Owners: []importer.Owner{{Team: fmt.Sprint("t", r.IntN(2))}}}
	if r.IntN(2) == 0 {
		c.Attributes = map[string]any{"vendor": "Acme", "serialNumber": fmt.Sprint("S", r.IntN(5*len(v.cis)))}
	}
	if r.IntN(15) == 0 {
		c.Keys = []importer.Key{{Space: "host", Key: fmt.Sprint(r.IntN(len(v.cis)))}}
	}
	seen := map[string]bool{}
	for range r.IntN(4) {
		rel := importer.Relationship{Type: "depends_on", Target: fmt.Sprint("k", r.IntN(len(v.cis))), IsReverse: r.IntN(3) == 0, Evidence: fmt.Sprint("e", r.IntN(3))}
		if at := fmt.Sprint(rel.Target, rel.IsReverse); !seen[at] && rel.Target != c.ExternalID {
			seen[at] = true
			c.Relationships = append(c.Relationships, rel)
		}
	}
	if len(c.Relationships) > 0 && r.IntN(2) == 0 {
		g := importer.Group{Name: "any", Mode: "ANY"}
		for _, rel := range c.Relationships {
			g.Members = append(g.Members, importer.GroupMember{Type: rel.Type, Target: rel.Target, IsReverse: rel.IsReverse})
		}
		c.Groups = []importer.Group{g}
	}
	v.cis[i] = c
	if j := r.IntN(len(v.cis)); j != i && v.cis[j].Name != "" && r.IntN(3) == 0 { // a group of one end counts what the other reports
		v.cis[i].Relationships = append(v.cis[i].Relationships, importer.Relationship{Type: "depends_on", Target: fmt.Sprint("k", j), IsReverse: true})
		v.cis[j].Groups = []importer.Group{{Name: "of others", Mode: "ANY", Members: []importer.GroupMember{{Type: "depends_on", Target: fmt.Sprint("k", i)}}}}
	}
}

// rows returns what the source has now, or about a half of it.
func (v *inventory) rows(half bool, r *rand.Rand) rows {
	all := rows{name: v.name}
	for i := range 2 {
		all.all = append(all.all, importer.Row{Team: &importer.Team{ExternalID: fmt.Sprint("t", i), Name: fmt.Sprint("Team ", i)}})
	}
	for i, c := range v.cis {
		if v.has[i] && (!half || r.IntN(2) == 0) {
			all.all = append(all.all, importer.Row{Origin: importer.Origin{File: v.name, Line: i + 1}, CI: &c})
		}
	}
	return all
}

// byHand is what people do between readings. Each does the same to both databases, to the nth record there is.
var byHand = []func(ctx context.Context, s *store.Store, n int) error{
	func(ctx context.Context, s *store.Store, n int) error {
		all := s.Read.Relationship.Query().Order(ent.Asc(relationship.FieldID)).AllX(ctx)
		if len(all) == 0 {
			return nil
		}
		_, err := cmdb.New(s).UnrelateCIs(ctx, cmdb.UnrelateCIs{ID: all[n%len(all)].ID, AcceptConsequences: &domain.Consent{Reason: "so"}})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		_, err := cmdb.New(s).UpdateCI(ctx, cmdb.UpdateCI{ID: nth(ctx, s, n).ID, FieldsInput: cmdb.FieldsInput{Description: graphql.OmittableOf(new("by hand"))}})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		_, err := cmdb.New(s).UpdateCI(ctx, cmdb.UpdateCI{ID: nth(ctx, s, n).ID, UnlockFields: graphql.OmittableOf([]string{"description"})})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		_, err := cmdb.New(s).SetOwners(ctx, cmdb.SetOwners{ID: nth(ctx, s, n).ID})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		_, err := cmdb.New(s).RetireCI(ctx, cmdb.RetireCI{ID: nth(ctx, s, n).ID, AcceptConsequences: &domain.Consent{Reason: "so"}})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		all := s.Read.DependencyGroup.Query().Order(ent.Asc(dependencygroup.FieldID)).AllX(ctx)
		if len(all) == 0 {
			return nil
		}
		_, err := cmdb.New(s).DeleteDependencyGroup(ctx, cmdb.DeleteDependencyGroup{ID: all[n%len(all)].ID, AcceptConsequences: &domain.Consent{Reason: "so"}})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		_, err := cmdb.New(s).RelateCIs(ctx, cmdb.RelateCIs{Type: "depends_on", Source: nth(ctx, s, n).ID, Target: nth(ctx, s, n/7).ID})
		return err
	},
	func(ctx context.Context, s *store.Store, n int) error {
		if n%4 > 0 {
			return nil
		}
		_, err := source.New(s).Set(ctx, source.Set{Code: "p", Priority: new(n % 3), KeySpaces: [][]string{nil, {"host"}}[n%2]})
		return err
	},
}

func nth(ctx context.Context, s *store.Store, n int) *ent.CI {
	return s.Read.CI.Query().Order(ent.Asc(ci.FieldID)).Offset(n % s.Read.CI.Query().CountX(ctx)).FirstX(ctx)
}

// held returns everything but what tells how the importer came to it, and in which order a revision was written.
func held(t *testing.T, s *store.Store) (all []string) {
	for _, line := range storetest.Dump(t, s) {
		table, rest, _ := strings.Cut(line, " ")
		if table = strings.TrimSuffix(table, ":"); table == "entry" || table == "version" {
			_, line, _ = strings.Cut(rest, ",")
		}
		if !strings.HasPrefix(table, "x_") {
			all = append(all, table+" "+line)
		}
	}
	slices.Sort(all)
	return all
}

func TestPassingOverSettledRowsChangesNothing(t *testing.T) {
	worlds, steps := 3, 12
	if testing.Short() {
		worlds = 2
	}
	for _, open := range []func(testing.TB) *store.Store{storetest.SQLite, storetest.Postgres} {
		passed, looked := 0, 0
		for n := range worlds {
			quick, thorough := open(t), open(t)
			for _, s := range []*store.Store{quick, thorough} {
				ctx := store.At(admin(t), start)
				if err := cmdb.Seed(ctx, s); err != nil {
					t.Fatal(err)
				}
				for _, in := range []source.Set{
					{Code: "p", KeySpaces: []string{"host"}, RetirePolicy: new(domain.RetireByRule), GraceRuns: new(1), GraceTime: new(time.Minute), GuardPercent: new(100)},
					{Code: "q", KeySpaces: []string{"host"}},
				} {
					if _, err := source.New(s).Set(ctx, in); err != nil {
						t.Fatal(err)
					}
				}
			}
			r := rand.New(rand.NewPCG(21, uint64(n)))
			both := []*inventory{newInventory("p", 24, r), newInventory("q", 5, r)}
			at := start
			for step := range steps {
				at = at.Add(time.Duration(1+r.IntN(60)) * time.Minute)
				v := both[min(1, r.IntN(4)/3)]
				for range r.IntN(3) {
					if i := r.IntN(len(v.cis)); r.IntN(2) == 0 {
						v.draw(i, r)
					} else {
						v.has[i] = !v.has[i]
					}
				}
				o := importer.Options{Kind: domain.FullRun}
				isHalf := r.IntN(3) == 0
				if isHalf {
					o.Kind = domain.PartialRun
				}
				from := v.rows(isHalf, r)
				if _, err := thorough.Writer().ExecContext(t.Context(), "UPDATE x_claim SET is_settled = false"); err != nil {
					t.Fatal(err)
				}
				p, _ := readAt(t, quick, at, from, o)
				q, _ := readAt(t, thorough, at, from, o)
				if q.Settled > 0 {
					t.Fatalf("the thorough one passed over %d", q.Settled)
				}
				passed, looked = passed+p.Settled, looked+len(from.all)-p.Settled
				if one, other := told(p), told(q); !slices.Equal(one, other) {
					t.Fatalf("world %d, step %d, %s %s tells otherwise (+) than looking at all:\n%s", n, step, v.name, o.Kind, cmp.Diff(other, one))
				}
				same(t, fmt.Sprintf("%s, world %d, step %d, %s %s", quick.Dialect(), n, step, v.name, o.Kind), quick, thorough)
				for range r.IntN(3) {
					act, which := byHand[r.IntN(len(byHand))], r.IntN(1000)
					ctx := store.At(admin(t), at)
					one, other := act(ctx, quick, which), act(ctx, thorough, which)
					if fmt.Sprint(one) != fmt.Sprint(other) {
						t.Fatalf("by hand: %v and %v", one, other)
					}
				}
			}
		}
		if passed < looked/4 {
			t.Errorf("%d rows were passed over, %d looked at", passed, looked)
		}
		t.Logf("%d rows were passed over, %d looked at", passed, looked)
	}
}

// told returns what a plan has to say. A reference that heals is told of the row that reports it, if that one is looked
// at, and else of the one that arrives.
func told(p *importer.Plan) (all []string) {
	for _, i := range p.Steps {
		if i.Outcome != importer.Unchanged && i.Outcome != importer.Heal {
			all = append(all, fmt.Sprintf("%+v", i))
		}
	}
	for _, n := range p.Notices {
		all = append(all, n.Error())
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, says string, one, other *store.Store) {
	t.Helper()
	got, want := held(t, one), held(t, other)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: row %d of %d and %d: passing over gives\n%s\nlooking at all\n%s", says, i, len(got), len(want), line(got, i), line(want, i))
		}
	}
}

func line(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return ""
}

// meddled is a source during the reading of which somebody writes.
type meddled struct {
	rows
	meddle func()
}

func (m meddled) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		m.rows.Rows(ctx)(yield)
		m.meddle()
	}
}

func TestWritesDuringAReadingAreLookedAtByTheNext(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := cis(importer.CI{ExternalID: "a", Name: "a", Class: "server", Relationships: []importer.Relationship{{Type: "depends_on", Target: "b"}}},
			importer.CI{ExternalID: "b", Name: "b", Class: "server"})
		readAt(t, s, start, from, full)
		rel := s.Read.Relationship.Query().OnlyX(t.Context())
		p, _ := readAt(t, s, start, meddled{from, func() {
			if _, err := cmdb.New(s).UnrelateCIs(admin(t), cmdb.UnrelateCIs{ID: rel.ID}); err != nil {
				t.Fatal(err)
			}
		}}, full)
		if p.Settled != 2 {
			t.Fatalf("%d rows are settled", p.Settled)
		}
		readAt(t, s, start, from, full)
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != 1 {
			t.Errorf("%d relationships: the source still has one", n)
		}
	})
}

func TestSettledRowsAreLookedAtForWhatOthersSay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		needs := func(target, evidence string, isReverse bool) importer.Relationship {
			return importer.Relationship{Type: "depends_on", Target: target, Evidence: evidence, IsReverse: isReverse}
		}
		app := importer.CI{ExternalID: "app", Name: "app", Class: "server", Relationships: []importer.Relationship{needs("db", "of app", false)}, Groups: []importer.Group{
			{Name: "copies", Mode: "ANY", Members: []importer.GroupMember{{Type: "depends_on", Target: "copy"}}},
		}}
		db := importer.CI{ExternalID: "db", Name: "db", Class: "server", Attributes: map[string]any{"vendor": "Acme"}, Relationships: []importer.Relationship{needs("app", "of db", true)}}
		copied := importer.CI{ExternalID: "copy", Name: "copy", Class: "server", Relationships: []importer.Relationship{needs("app", "", true)}}
		other := importer.CI{ExternalID: "other", Name: "other", Class: "server"}
		read := func(settled int, all ...importer.CI) *importer.Plan {
			t.Helper()
			p, _ := readAt(t, s, start, cis(all...), full)
			if p.Settled != settled {
				t.Errorf("%d rows are settled, want %d", p.Settled, settled)
			}
			return p
		}
		evidence := func(want string) {
			t.Helper()
			got := s.Read.Relationship.Query().Where(relationship.TargetID(record(t, s, "test", "db"))).OnlyX(t.Context()).Evidence
			if got != want {
				t.Errorf("the evidence is %q, want %q", got, want)
			}
		}
		read(0, app, db, copied, other)
		read(4, app, db, copied, other)
		evidence("of app; of db")
		read(2, app, copied, other)
		evidence("of app")
		read(3, app, db, copied, other)
		evidence("of app; of db")
		read(4, app, db, copied, other)

		if _, err := cmdb.New(s).UpdateCIClass(admin(t), cmdb.UpdateCIClass{Code: "server", Description: graphql.OmittableOf(new("a machine"))}); err != nil {
			t.Fatal(err)
		}
		read(0, app, db, copied, other)

		copied.Relationships = nil
		p := read(2, app, db, copied, other)
		if !slices.ContainsFunc(p.Notices, func(n importer.Notice) bool { return n.ExternalID == "app" && n.Kind == importer.Rejected }) {
			t.Errorf("the group of app counts what nobody reports: %v", p.Notices)
		}
	})
}
