package cmdb

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

// change is a CI before and after, with the names of the fields that differ, as locks spell them.
type change struct {
	old, next *ent.CI
	fields    []string
}

func (c *change) has(fields ...string) bool {
	return slices.ContainsFunc(fields, func(name string) bool { return slices.Contains(c.fields, name) })
}

// isGivenUp reports whether the change gives a plan up: a CI that was PLANNED or in BUILD is retired.
func (c *change) isGivenUp() bool {
	return c.next.Lifecycle == domain.Retired && (c.old.Lifecycle == domain.Planned || c.old.Lifecycle == domain.Build)
}

// drop takes a field out of those that differ.
func (c *change) drop(name string) {
	c.fields = slices.DeleteFunc(c.fields, func(field string) bool { return field == name })
}

func (c *change) hasPrefix(prefix string) bool {
	return slices.ContainsFunc(c.fields, func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// edit lays a change over a CI. Fields for which isHeld answers true stay as they are.
func (r *Reference) edit(old *ent.CI, ch CIChange, isHeld func(field string) bool, f *form.Form) *change {
	next := *old
	next.Labels, next.Links = maps.Clone(old.Labels), slices.Clone(old.Links)
	c := &change{old: old, next: &next}
	for _, field := range PlainFields {
		if value, ok := field.given(&ch.Fields); ok && value != field.of(&next) && !isHeld(field.Name) {
			field.put(&next, value)
			c.fields = append(c.fields, field.Name)
		}
	}
	if ch.Service != nil {
		r.editService(c, *ch.Service, isHeld, f)
	}
	c.editAttributes(ch, isHeld, f)
	c.editLabels(ch, isHeld)
	checkFields(&next, f)
	// Trimming may have undone a change, and never makes one of a stored record.
	for _, field := range PlainFields {
		if field.of(&next) == field.of(old) {
			c.drop(field.Name)
		}
	}
	if next.Category == old.Category {
		c.drop("category")
	}
	if sameLinks(old.Links, next.Links) {
		c.drop("links")
	}
	return c
}

func put[T comparable](c *change, isHeld func(string) bool, field string, at *T, value *T) {
	if value != nil && *value != *at && !isHeld(field) {
		*at = *value
		c.fields = append(c.fields, field)
	}
}

func (r *Reference) editService(c *change, ch ServiceChange, isHeld func(string) bool, f *form.Form) {
	if c.old.ServiceKind == nil {
		f.Fault(errs.New(errs.NotFound, "%s is a CI of class %s and no service", c.old.ID, r.classes[c.old.ClassID].Code), "id")
		return
	}
	if ch.Tier != nil {
		var tier *ident.ID
		if *ch.Tier != "" {
			id, err := r.Tier(*ch.Tier)
			f.Fault(err, "tier")
			tier = &id
		}
		putOptional(c, isHeld, "tier", &c.next.TierID, tier)
	}
	if ch.PortfolioStage != nil {
		putOptional(c, isHeld, "portfolioStage", &c.next.PortfolioStage, ch.PortfolioStage)
	}
	put(c, isHeld, "category", &c.next.Category, ch.Category)
	if ch.Links != nil && !sameLinks(c.old.Links, *ch.Links) && !isHeld("links") {
		c.next.Links = slices.Clone(*ch.Links)
		c.fields = append(c.fields, "links")
	}
	if ch.SupportTeam != nil {
		var team *ident.ID
		if *ch.SupportTeam != 0 {
			team = ch.SupportTeam
		}
		putOptional(c, isHeld, "supportTeam", &c.next.SupportTeamID, team)
	}
	if ch.AvailabilityTarget != nil {
		putOptional(c, isHeld, "availabilityTarget", &c.next.AvailabilityTarget, *ch.AvailabilityTarget)
	}
}

func putOptional[T comparable](c *change, isHeld func(string) bool, field string, at **T, value *T) {
	if reflect.DeepEqual(*at, value) || isHeld(field) {
		return
	}
	*at = value
	c.fields = append(c.fields, field)
}

func sameLinks(a, b []domain.Link) bool { return slices.Equal(a, b) }

func (c *change) editAttributes(ch CIChange, isHeld func(string) bool, f *form.Form) {
	over := checkAttributes(f, ch.Attributes)
	if ch.ReplaceAttributes {
		for name := range c.old.Attributes {
			if _, ok := over[name]; !ok {
				over[name] = nil
			}
		}
	}
	maps.DeleteFunc(over, func(name string, _ any) bool { return isHeld("attributes." + name) })
	merged, changed := attribute.Merge(c.old.Attributes, over)
	c.next.Attributes = merged
	for _, name := range changed {
		c.fields = append(c.fields, "attributes."+name)
	}
}

func (c *change) editLabels(ch CIChange, isHeld func(string) bool) {
	over := maps.Clone(ch.Labels)
	if over == nil {
		over = map[string]*string{}
	}
	if ch.ReplaceLabels {
		for name := range c.old.Labels {
			if _, ok := over[name]; !ok {
				over[name] = nil
			}
		}
	}
	if c.next.Labels == nil {
		c.next.Labels = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(over)) {
		before, ok := c.old.Labels[name]
		value := over[name]
		switch {
		case isHeld("labels." + name), value == nil && !ok, value != nil && ok && *value == before:
			continue
		case value == nil:
			delete(c.next.Labels, name)
		default:
			c.next.Labels[name] = *value
		}
		c.fields = append(c.fields, "labels."+name)
	}
}

// relock returns the locks after a person's change: fields that they changed are added, fields that they release go.
func relock(locks, changed, released []string) []string {
	all := slices.Clone(locks)
	for _, name := range changed {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool { return slices.Contains(released, name) })
	slices.Sort(all)
	return all
}
