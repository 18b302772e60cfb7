package storetest_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func newIncident(at time.Time) func(context.Context, *store.Tx) (*ent.Incident, error) {
	return func(ctx context.Context, tx *store.Tx) (*ent.Incident, error) {
		return tx.Incident.Create().SetTitle("x").SetImpact(1).SetUrgency(1).SetPriority(1).SetOpenedBy("ada").
			SetDetectedAt(at).SetResolvedAt(at).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	}
}

func TestAMomentIsKeptInUTCToTheMicrosecond(t *testing.T) {
	east := time.FixedZone("east", 5*3600+1800)
	moments := []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 999999999, time.UTC),
		time.Date(2026, 7, 2, 0, 0, 0, 0, east), time.Date(2026, 7, 2, 0, 0, 0, 1500, east), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC),
		time.Date(1900, 1, 1, 0, 0, 0, 500_000_000, time.UTC), time.Date(9999, 12, 30, 23, 59, 59, 999999000, time.UTC),
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, at := range moments {
			made := write(t, s, newIncident(at))
			want := at.UTC().Truncate(time.Microsecond)
			got := s.Read.Incident.GetX(t.Context(), made.ID)
			if !got.DetectedAt.Equal(want) || !got.ResolvedAt.Equal(want) {
				t.Errorf("%v came back as %v", at, got.DetectedAt)
			}
			if _, offset := got.DetectedAt.Zone(); offset != 0 {
				t.Errorf("%v came back in another zone: %v", at, got.DetectedAt)
			}
			if !made.DetectedAt.Equal(want) {
				t.Errorf("%v: the write answers %v", at, made.DetectedAt)
			}
			entry := s.Read.Entry.Query().Order(ent.Desc("id")).FirstX(t.Context())
			if text, _ := entry.After["detected_at"].(string); text != want.Format(time.RFC3339Nano) {
				t.Errorf("%v: the journal says %v", at, text)
			}
		}
	})
}

func TestMomentsCompareAsMomentsWhateverTheirZone(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		steps := []time.Duration{0, time.Microsecond, 10 * time.Microsecond, 100 * time.Millisecond, 120 * time.Millisecond, time.Second, time.Hour}
		for _, step := range steps {
			zone := time.FixedZone("", int(step/time.Microsecond%24)*3600-12*3600)
			if _, err := store.Write(store.At(t.Context(), start.Add(step).In(zone)), s, by, ci(step.String(), nil)); err != nil {
				t.Fatal(err)
			}
		}
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -11*3600), time.FixedZone("", 14*3600)} {
			for i, step := range steps {
				from := start.Add(step).In(zone)
				for _, nanos := range []time.Duration{0, -time.Nanosecond} { // a moment between two microseconds is one too
					at := from.Add(nanos)
					later := namesOf(t, s, &read.CIFilter{CreatedAt: &where.Time{Gte: &at}})
					earlier := namesOf(t, s, &read.CIFilter{CreatedAt: &where.Time{Lt: &at}})
					if len(later) != len(steps)-i || len(earlier) != i {
						t.Errorf("%v: %d later, %d earlier; want %d and %d", at, len(later), len(earlier), len(steps)-i, i)
					}
				}
			}
		}
	})
}

// jsonValue draws a value that a JSON document may hold.
func jsonValue(depth int) *rapid.Generator[any] {
	text := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("aAzé日😀'\"\\/\n\t{}[]$.?*")),
		rapid.Rune().Filter(func(r rune) bool { return r != 0 }),
	))
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), text.AsAny(),
		rapid.Float64().AsAny(), rapid.Int32().AsAny(), rapid.Int64Range(-1<<53, 1<<53).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves, rapid.SliceOfN(jsonValue(depth-1), 0, 3).AsAny(), rapid.MapOfN(text, jsonValue(depth-1), 0, 3).AsAny())...)
}

// TestJSONIsReadAsItWasWritten compares JSON as Go reads it, with numbers as float64.
func TestJSONIsReadAsItWasWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fixed := []string{
			`{}`, `{"a":null,"b":[],"c":{},"d":"","e":[null,{}]}`, `{"":1}`, `{"n":[0,-0.0,1e21,1e-7,1.5,9007199254740993,1e308,5e-324,123456789012345680000]}`,
			`{"a":{"b":{"c":{"d":[1,[2,[3]]]}}}}`, `{"t":"1","u":1,"v":"true","w":true}`, `{"a\"b":"\\","$.a":"\u2028","日":"\ud83d\ude00"}`,
		}
		check := func(t interface{ Fatalf(string, ...any) }, attributes map[string]any) {
			made, err := store.Write(context.Background(), s, by, ci("x", func(c *ent.CICreate) { c.SetAttributes(attributes) }))
			if err != nil {
				t.Fatalf("%v: %v", attributes, err)
			}
			text, err := json.Marshal(attributes)
			if err != nil {
				t.Fatalf("%v", err)
			}
			var want map[string]any
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatalf("%v", err)
			}
			if got := s.Read.CI.GetX(context.Background(), made.ID).Attributes; !reflect.DeepEqual(got, want) {
				t.Fatalf("%s came back as %v", text, got)
			}
			entry := s.Read.Entry.Query().Order(ent.Desc("id")).FirstX(context.Background())
			if got := entry.After["attributes"]; !reflect.DeepEqual(got, any(want)) && len(want) > 0 {
				t.Fatalf("%s: the journal tells of %v", text, got)
			}
		}
		for _, text := range fixed {
			var attributes map[string]any
			if err := json.Unmarshal([]byte(text), &attributes); err != nil {
				t.Fatal(err)
			}
			check(t, attributes)
		}
		rapid.Check(t, func(t *rapid.T) {
			check(t, rapid.MapOfN(rapid.StringMatching(`[a-zA-Zé日\\"'$.]{0,5}`), jsonValue(2), 0, 4).Draw(t, "attributes"))
		})
	})
}

// TestNilIsAnEmptyDocument writes a nil document, which must not be refused by one database alone.
func TestNilIsAnEmptyDocument(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made, err := store.Write(t.Context(), s, by, ci("x", func(c *ent.CICreate) { c.SetAttributes(nil).SetLabels(nil) }))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Read.CI.GetX(t.Context(), made.ID); len(got.Attributes) != 0 || len(got.Labels) != 0 {
			t.Errorf("got %v and %v", got.Attributes, got.Labels)
		}
	})
}

func TestNumbersStartAtOneForEachKind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ids := write(t, s, func(ctx context.Context, tx *store.Tx) ([]ident.ID, error) {
			class := tx.CIClass.Create().SetCode("a").SetLabel("A").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			kind := tx.RelationshipType.Create().SetCode("t").SetForwardLabel("f").SetReverseLabel("r").
				SetImpactDirection(domain.TargetToSource).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			one := tx.CI.Create().SetName("x").SetClassID(class.ID).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			two := tx.CI.Create().SetName("x").SetClassID(class.ID).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			link := tx.Relationship.Create().SetTypeID(kind.ID).SetSourceID(one.ID).SetTargetID(two.ID).SetAttributes(map[string]any{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			group := tx.DependencyGroup.Create().SetName("g").SetCiID(one.ID).SetMode(domain.Any).SetMembers([]domain.GroupMember{{Relationship: link.ID}}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			key := tx.ExternalIdentity.Create().SetRecordID(one.ID).SetSource("s").SetExternalID("e").SetCreatedAt(tx.Now).SaveX(ctx)
			missing := tx.DanglingReference.Create().SetRecordID(one.ID).SetSource("s").SetExternalID("f").SetKind(domain.DanglingOwner).SetCreatedAt(tx.Now).SaveX(ctx)
			team := tx.Team.Create().SetName("t").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			person := tx.Person.Create().SetName("p").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			member := tx.Membership.Create().SetTeamID(team.ID).SetPersonID(person.ID).SaveX(ctx)
			tier := tx.ServiceTier.Create().SetCode("t").SetName("t").SetRank(1).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			trouble, err := newIncident(tx.Now)(ctx, tx)
			if err != nil {
				return nil, err
			}
			named := tx.IncidentCI.Create().SetIncidentID(trouble.ID).SetCiID(one.ID).SetRole(domain.RootRole).SaveX(ctx)
			change := tx.Change.Create().SetTitle("c").SetType(domain.Normal).SetRequestedBy("ada").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			scope := tx.ChangeCI.Create().SetChangeID(change.ID).SetCiID(one.ID).SetRole(domain.ChangedRole).SaveX(ctx)
			vote := tx.Approval.Create().SetRecordID(change.ID).SetApprover("bob").SetCreatedAt(tx.Now).SaveX(ctx)
			note := tx.TimelineEntry.Create().SetRecordID(trouble.ID).SetKind(domain.Comment).SetActor("ada").SetCreatedAt(tx.Now).SaveX(ctx)
			rule := tx.PriorityRule.Create().SetImpact(1).SetUrgency(1).SetPriority(1).SaveX(ctx)
			return []ident.ID{
				class.ID, kind.ID, one.ID, link.ID, group.ID, key.ID, missing.ID, team.ID, person.ID, member.ID, tier.ID,
				trouble.ID, named.ID, change.ID, scope.ID, vote.ID, note.ID, rule.ID,
			}, nil
		})
		seen := map[ident.Kind]bool{}
		for i, id := range ids {
			if id.Number() != 1 || seen[id.Kind()] {
				t.Errorf("the %d. record has the id %v", i+1, id)
			}
			seen[id.Kind()] = true
		}
		if got := s.Read.Entry.Query().Order(ent.Asc("id")).FirstIDX(t.Context()); got != store.EntryID(1, 0) {
			t.Errorf("the first entry is %v", got)
		}
	})
}
