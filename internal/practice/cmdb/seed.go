package cmdb

import (
	"context"
	"fmt"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Seed writes what an empty database needs before it can be used: the tree of classes, the relationship types, the
// service tiers, the priority rules and a calendar, in one revision. A database that has classes is left alone. Servers
// that start at once may all call it.
func Seed(ctx context.Context, s *store.Store) error {
	by := auth.System.By("seed")
	_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
		var none struct{}
		if err := tx.TakeTurns(ctx, "linchpin.seed"); err != nil {
			return none, err
		}
		seeded, err := tx.CIClass.Query().Exist(ctx)
		if err != nil || seeded {
			return none, err
		}
		for _, step := range []func(context.Context, *store.Tx) error{seedClasses, seedTypes, seedTiers, seedPriorities, seedCalendar} {
			if err := step(ctx, tx); err != nil {
				return none, err
			}
		}
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

// seedClasses writes the tree level by level, one statement each.
func seedClasses(ctx context.Context, tx *store.Tx) error {
	ids := map[string]ident.ID{}
	for level := seededClasses; len(level) > 0; {
		var next []seedClass
		builders := make([]*ent.CIClassCreate, len(level))
		for i, c := range level {
			draft := &ent.CIClass{
				Code: c.code, Label: c.label, Description: c.description, IsAbstract: c.isAbstract, Icon: c.icon,
				AttributeSchema: c.attributes.schema(), IdentityRules: c.identity,
			}
			if id, ok := ids[c.parent]; ok {
				draft.ParentID = &id
			}
			builders[i] = newClass(tx, draft)
			for _, below := range c.below {
				below.parent = c.code
				next = append(next, below)
			}
		}
		created, err := tx.CIClass.CreateBulk(builders...).Save(ctx)
		if err != nil {
			return err
		}
		for _, c := range created {
			ids[c.Code] = c.ID
		}
		level = next
	}
	return nil
}

// SeededClasses returns the classes of a new database, each after the class above it.
func SeededClasses() (all []CreateCIClass) {
	for level := seededClasses; len(level) > 0; {
		var next []seedClass
		for _, c := range level {
			all = append(all, CreateCIClass{
				Code: c.code, Label: c.label, Description: &c.description, Parent: c.parent, IsAbstract: &c.isAbstract, Icon: &c.icon,
				AttributeSchema: c.attributes.schema(), IdentityRules: c.identity,
			})
			for _, below := range c.below {
				below.parent = c.code
				next = append(next, below)
			}
		}
		level = next
	}
	return all
}

func seedTypes(ctx context.Context, tx *store.Tx) error {
	builders := make([]*ent.RelationshipTypeCreate, len(seededTypes))
	for i := range seededTypes {
		builders[i] = newType(tx, &seededTypes[i])
	}
	return tx.RelationshipType.CreateBulk(builders...).Exec(ctx)
}

func seedTiers(ctx context.Context, tx *store.Tx) error {
	var builders []*ent.ServiceTierCreate
	for i, description := range []string{
		"The business stops without it: restored at once, day and night.",
		"Customers or many staff suffer at once: restored within the hour.",
		"Some work is harder without it: restored within the working day.",
		"It can be missed for days.",
	} {
		rank := i + 1
		builders = append(builders, tx.ServiceTier.Create().SetCode(fmt.Sprintf("tier-%d", rank)).SetName(fmt.Sprintf("Tier %d", rank)).
			SetRank(rank).SetDescription(description).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now))
	}
	return tx.ServiceTier.CreateBulk(builders...).Exec(ctx)
}

// seedPriorities writes the usual matrix: impact and urgency of 1 give priority 1, each step down costs one.
func seedPriorities(ctx context.Context, tx *store.Tx) error {
	var builders []*ent.PriorityRuleCreate
	for impact := 1; impact <= 3; impact++ {
		for urgency := 1; urgency <= 3; urgency++ {
			builders = append(builders, tx.PriorityRule.Create().SetImpact(impact).SetUrgency(urgency).SetPriority(impact+urgency-1))
		}
	}
	return tx.PriorityRule.CreateBulk(builders...).Exec(ctx)
}

// AroundTheClock is the name of the calendar that is seeded.
const AroundTheClock = "24x7"

// seedCalendar writes the calendar of those who work around the clock.
func seedCalendar(ctx context.Context, tx *store.Tx) error {
	var hours []domain.WorkingHours
	for _, d := range domain.Weekday("").Values() {
		hours = append(hours, domain.WorkingHours{Weekday: domain.Weekday(d), From: "00:00", Until: "24:00"})
	}
	return tx.Calendar.Create().SetName(AroundTheClock).SetTimeZone("UTC").SetHours(hours).SetHolidays([]domain.Holiday{}).
		SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
}
