package journal_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// history makes random writes of every kind that the graph knows, several in one revision too.
type history struct {
	*estate
	relationships, groups, incidents, changes []ident.ID
}

func pick(t *rapid.T, about string, ids []ident.ID) ident.ID {
	return rapid.SampledFrom(ids).Draw(t, about)
}

var (
	environments = []domain.Environment{domain.Production, domain.Staging, domain.Testing, domain.Development, domain.DisasterRecovery}
	lifecycles   = []domain.Lifecycle{domain.Planned, domain.Live, domain.Live, domain.Retired}
	directions   = []domain.ImpactDirection{domain.NoImpact, domain.SourceToTarget, domain.TargetToSource, domain.BothDirections}
	strengths    = []domain.Strength{domain.Hard, domain.Soft}
	modes        = []domain.GroupMode{domain.All, domain.Any, domain.AtLeast, domain.Percent, domain.Weighted}
	roles        = []domain.IncidentRole{domain.RootRole, domain.AffectedRole, domain.ExcludedRole}
	changeRoles  = []domain.ChangeRole{domain.TakenDownRole, domain.ChangedRole}
	changeStates = []domain.ChangeState{domain.ChangeNew, domain.ChangeScheduled, domain.ChangeImplement, domain.ChangeImplement, domain.ChangeReview, domain.ChangeCanceled}
	states       = []domain.IncidentState{
		domain.IncidentNew, domain.IncidentInProgress, domain.IncidentOnHold, domain.IncidentResolved, domain.IncidentClosed, domain.IncidentCanceled,
	}
)

func (h *history) members(t *rapid.T) (all []domain.GroupMember) {
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		if len(h.relationships) > 0 {
			all = append(all, domain.GroupMember{Relationship: pick(t, "member", h.relationships), Weight: rapid.IntRange(0, 3).Draw(t, "weight")})
		}
	}
	return all
}

// groupNames counts groups, so that each has a new name.
var groupNames atomic.Int64

// step is one kind of write. It reports false if there is nothing to apply it to.
type step func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (did bool, err error)

var steps = map[string]step{
	"create a CI": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		c := createCI(tx, h.class, "new").SetEnvironment(rapid.SampledFrom(environments).Draw(t, "environment")).
			SetLifecycle(rapid.SampledFrom(lifecycles).Draw(t, "lifecycle"))
		if rapid.Bool().Draw(t, "is service") {
			c.SetServiceKind(domain.ApplicationService)
		}
		made, err := c.Save(ctx)
		if err == nil {
			h.cis = append(h.cis, made.ID)
		}
		return true, err
	},
	"update a CI": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		u := tx.CI.UpdateOneID(pick(t, "ci", h.cis)).AddVersion(1).SetName("renamed")
		if rapid.Bool().Draw(t, "environment too") {
			u.SetEnvironment(rapid.SampledFrom(environments).Draw(t, "environment"))
		}
		if rapid.Bool().Draw(t, "service too") {
			u.ClearServiceKind()
		}
		return true, u.Exec(ctx)
	},
	"retire or revive a CI": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		return true, tx.CI.UpdateOneID(pick(t, "ci", h.cis)).SetLifecycle(rapid.SampledFrom(lifecycles).Draw(t, "lifecycle")).Exec(ctx)
	},
	"relate": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		// A CI of its own, so that no relationship exists twice.
		source := createCI(tx, h.class, "source").SaveX(ctx).ID
		h.cis = append(h.cis, source)
		c := createRelationship(tx, h.kind, source, pick(t, "target", h.cis))
		if rapid.Bool().Draw(t, "with strength") {
			c.SetStrength(rapid.SampledFrom(strengths).Draw(t, "strength"))
		}
		made, err := c.Save(ctx)
		if err == nil {
			h.relationships = append(h.relationships, made.ID)
		}
		return true, err
	},
	"change a strength": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.relationships) == 0 {
			return false, nil
		}
		u := tx.Relationship.UpdateOneID(pick(t, "relationship", h.relationships)).AddVersion(1)
		if rapid.Bool().Draw(t, "default") {
			u.ClearStrength()
		} else {
			u.SetStrength(rapid.SampledFrom(strengths).Draw(t, "strength"))
		}
		return true, u.Exec(ctx)
	},
	"unrelate": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.relationships) == 0 {
			return false, nil
		}
		id := pick(t, "relationship", h.relationships)
		h.relationships = slices.DeleteFunc(h.relationships, func(r ident.ID) bool { return r == id })
		return true, tx.Relationship.DeleteOneID(id).Exec(ctx)
	},
	"turn the type": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		return true, tx.RelationshipType.UpdateOneID(h.kind).SetImpactDirection(rapid.SampledFrom(directions).Draw(t, "direction")).
			SetStrength(rapid.SampledFrom(strengths).Draw(t, "strength")).Exec(ctx)
	},
	"group": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		made, err := tx.DependencyGroup.Create().SetName(fmt.Sprint("group ", groupNames.Add(1))).SetCiID(pick(t, "ci", h.cis)).
			SetMode(rapid.SampledFrom(modes).Draw(t, "mode")).SetThreshold(rapid.IntRange(0, 4).Draw(t, "threshold")).
			SetMembers(h.members(t)).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		if err == nil {
			h.groups = append(h.groups, made.ID)
		}
		return true, err
	},
	"regroup": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.groups) == 0 {
			return false, nil
		}
		return true, tx.DependencyGroup.UpdateOneID(pick(t, "group", h.groups)).SetMode(rapid.SampledFrom(modes).Draw(t, "mode")).
			SetMembers(h.members(t)).Exec(ctx)
	},
	"ungroup": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.groups) == 0 {
			return false, nil
		}
		id := pick(t, "group", h.groups)
		h.groups = slices.DeleteFunc(h.groups, func(g ident.ID) bool { return g == id })
		return true, tx.DependencyGroup.DeleteOneID(id).Exec(ctx)
	},
	"open an incident": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		made, err := createIncident(tx).Save(ctx)
		if err != nil {
			return true, err
		}
		h.incidents = append(h.incidents, made.ID)
		return true, tx.IncidentCI.Create().SetIncidentID(made.ID).SetCiID(pick(t, "ci", h.cis)).
			SetRole(rapid.SampledFrom(roles).Draw(t, "role")).Exec(ctx)
	},
	"move an incident": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.incidents) == 0 {
			return false, nil
		}
		id := pick(t, "incident", h.incidents)
		to := rapid.SampledFrom(states).Draw(t, "state")
		if to == domain.IncidentClosed || to == domain.IncidentCanceled { // the end: there is no way back
			h.incidents = slices.DeleteFunc(h.incidents, func(i ident.ID) bool { return i == id })
		}
		return true, tx.Incident.UpdateOneID(id).SetState(to).Exec(ctx)
	},
	"name CIs of an incident": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.incidents) == 0 {
			return false, nil
		}
		incident, ci := pick(t, "incident", h.incidents), pick(t, "ci", h.cis)
		role := rapid.SampledFrom(roles).Draw(t, "role")
		there, err := tx.IncidentCI.Query().Where(incidentci.IncidentID(incident), incidentci.CiID(ci)).All(ctx)
		switch {
		case err != nil:
			return true, err
		case len(there) == 0:
			return true, tx.IncidentCI.Create().SetIncidentID(incident).SetCiID(ci).SetRole(role).Exec(ctx)
		case rapid.Bool().Draw(t, "take away"):
			return true, tx.IncidentCI.DeleteOneID(there[0].ID).Exec(ctx)
		default:
			return true, tx.IncidentCI.UpdateOneID(there[0].ID).SetRole(role).Exec(ctx)
		}
	},
	"draft a change": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		made, err := tx.Change.Create().SetTitle("x").SetType(domain.Normal).SetRequestedBy("ada").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return true, err
		}
		h.changes = append(h.changes, made.ID)
		return true, tx.ChangeCI.Create().SetChangeID(made.ID).SetCiID(pick(t, "ci", h.cis)).
			SetRole(rapid.SampledFrom(changeRoles).Draw(t, "role")).Exec(ctx)
	},
	"move a change": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.changes) == 0 {
			return false, nil
		}
		id := pick(t, "change", h.changes)
		to := rapid.SampledFrom(changeStates).Draw(t, "state")
		if to == domain.ChangeReview || to == domain.ChangeCanceled { // no way back
			h.changes = slices.DeleteFunc(h.changes, func(i ident.ID) bool { return i == id })
		}
		return true, tx.Change.UpdateOneID(id).SetState(to).Exec(ctx)
	},
	"put a CI into or out of a scope": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		if len(h.changes) == 0 {
			return false, nil
		}
		change, ci := pick(t, "change", h.changes), pick(t, "ci", h.cis)
		role := rapid.SampledFrom(changeRoles).Draw(t, "role")
		there, err := tx.ChangeCI.Query().Where(changeci.ChangeID(change), changeci.CiID(ci)).All(ctx)
		switch {
		case err != nil:
			return true, err
		case len(there) == 0:
			return true, tx.ChangeCI.Create().SetChangeID(change).SetCiID(ci).SetRole(role).Exec(ctx)
		case rapid.Bool().Draw(t, "take out"):
			return true, tx.ChangeCI.DeleteOneID(there[0].ID).Exec(ctx)
		default:
			return true, tx.ChangeCI.UpdateOneID(there[0].ID).SetRole(role).Exec(ctx)
		}
	},
	"do what the graph does not know": func(ctx context.Context, tx *store.Tx, t *rapid.T, h *history) (bool, error) {
		return true, tx.TimelineEntry.Create().SetRecordID(h.class).SetKind(domain.Comment).SetActor("ada").SetCreatedAt(tx.Now).Exec(ctx)
	},
}

func stepNames() []string {
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestTheGraphFollowsEveryWrite compares graphs with the tables after each write: the writer's, a moment later that of
// another server, and that of a server that starts then.
func TestTheGraphFollowsEveryWrite(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		one, other := open(), open()
		rapid.Check(t, func(rt *rapid.T) {
			h := &history{estate: newEstate(t, one, 2)}
			own := follow(t, one)
			defer own.stop()
			// Not every time: it would be most of the test, above all on SQLite, which gives no hints.
			replica := own
			if rapid.IntRange(0, 7).Draw(rt, "replica") == 0 {
				replica = follow(t, other)
			}
			defer replica.stop()
			var did []string
			for range rapid.IntRange(1, 5).Draw(rt, "revisions") {
				names := rapid.SliceOfN(rapid.SampledFrom(stepNames()), 1, 6).Draw(rt, "steps")
				_, err := store.Write(context.Background(), one, by, func(ctx context.Context, tx *store.Tx) (any, error) {
					for _, name := range names {
						if _, err := steps[name](ctx, tx, rt, h); err != nil {
							return nil, fmt.Errorf("%s: %w", name, err)
						}
					}
					return nil, nil
				})
				if err != nil {
					rt.Fatal(err)
				}
				did = append(did, names...)
				want, revision := truth(t, one)
				if got := own.graph.Snapshot(); got.Revision() != revision || got.Digest() != want {
					rt.Fatalf("after %q: the graph of revision %d is not the tables of revision %d", did, got.Revision(), revision)
				}
			}
			want, revision := truth(t, one)
			if got := replica.wait(t, revision); got.Digest() != want {
				rt.Fatalf("after %q: the replica differs from the tables", did)
			}
			late := follow(t, other)
			if got := late.graph.Snapshot(); got.Digest() != want {
				rt.Fatalf("after %q: a server that starts now differs", did)
			}
			late.stop()
			if own.Rebuilds()+replica.Rebuilds() > 0 {
				rt.Fatalf("after %q: %d rebuilds", did, own.Rebuilds()+replica.Rebuilds())
			}
		})
	})
}
