package importer

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// nullable are the fields, beside attributes and labels, that a source can clear.
var nullable = []string{"description", "owners", "tier", "category", "links", "supportTeam", "availabilityTarget"}

// checkNull checks the fields that the source clears.
func (c *CI) checkNull(f *faults) {
	for _, name := range c.Null {
		if !strings.HasPrefix(name, "attributes.") && !strings.HasPrefix(name, "labels.") && !slices.Contains(nullable, name) {
			f.say("%q cannot be null: attributes.NAME, labels.NAME, %s can", name, strings.Join(nullable, ", "))
		}
	}
}

// isNull reports whether the source clears a field.
func (c *CI) isNull(field string) bool { return slices.Contains(c.Null, field) }

// clear takes out of a stored CI what the source says is not there. Owners are planned with those that are there.
func (r *record) clear(old, next *ent.CI, ch *cmdb.CIChange) {
	d := &r.diff
	if r.CI.isNull("description") && old.Description != "" && d.set("description", old.Description, nil) {
		next.Description, ch.Description = "", ptr("")
	}
	for _, field := range r.CI.Null {
		if name, ok := strings.CutPrefix(field, "attributes."); ok && old.Attributes[name] != nil && d.set(field, old.Attributes[name], nil) {
			delete(next.Attributes, name)
			ch.Attributes = with(ch.Attributes, name, any(nil))
		}
		if name, ok := strings.CutPrefix(field, "labels."); ok {
			if value, ok := old.Labels[name]; ok && d.set(field, value, nil) {
				delete(next.Labels, name)
				ch.Labels = with(ch.Labels, name, (*string)(nil))
			}
		}
	}
	s := cmdb.ServiceChange{}
	if ch.Service != nil {
		s = *ch.Service
	}
	r.clearService(old, &s)
	if s != (cmdb.ServiceChange{}) {
		ch.Service = &s
	}
}

func (r *record) clearService(old *ent.CI, s *cmdb.ServiceChange) {
	d := &r.diff
	if r.CI.isNull("tier") && old.TierID != nil && d.set("tier", *old.TierID, nil) {
		s.Tier = ptr("")
	}
	if r.CI.isNull("category") && old.Category != "" && d.set("category", old.Category, nil) {
		s.Category = ptr("")
	}
	if r.CI.isNull("links") && len(old.Links) > 0 && d.set("links", old.Links, nil) {
		s.Links = &[]domain.Link{}
	}
	if r.CI.isNull("supportTeam") && old.SupportTeamID != nil && d.set("supportTeam", *old.SupportTeamID, nil) {
		s.SupportTeam = new(ident.ID)
	}
	if r.CI.isNull("availabilityTarget") && old.AvailabilityTarget != nil && d.set("availabilityTarget", *old.AvailabilityTarget, nil) {
		s.AvailabilityTarget = new(*float64)
	}
}
