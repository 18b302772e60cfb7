package importer

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
)

// party is a reference to a team with the space of its key.
type party struct{ space, key string }

// fields returns what a row reports, by the names of fields, in one form for all sources: values as JSON has them, keys
// with their spaces.
func (r Row) fields(source string) map[string]any {
	f := map[string]any{}
	text := func(field, s string) {
		if s = trim(s); s != "" {
			f[field] = s
		}
	}
	switch {
	case r.Team != nil:
		text("name", r.Team.Name)
		text("description", r.Team.Description)
		text("email", r.Team.Email)
	case r.Person != nil:
		text("name", r.Person.Name)
		text("email", r.Person.Email)
	case r.CI != nil:
		r.CI.fields(source, f, text)
	}
	return f
}

func (c *CI) fields(source string, f map[string]any, text func(field, s string)) {
	for field, s := range c.plain() {
		text(field, s)
	}
	attributes, err := attribute.Plain(c.Attributes)
	if err != nil {
		attributes = c.Attributes // a fault, which the check of the row tells
	}
	for name, value := range attributes {
		if value != nil {
			f["attributes."+name] = value
		}
	}
	for name, value := range c.Labels {
		f["labels."+name] = value
	}
	if len(c.Owners) > 0 {
		owners := slices.Clone(c.Owners)
		for i := range owners {
			owners[i].Space = cmp.Or(owners[i].Space, source)
		}
		f["owners"] = owners
	}
	if s := c.Service; s != nil {
		text("tier", s.Tier)
		text("portfolioStage", s.Portfolio)
		text("category", s.Category)
		if len(s.Links) > 0 {
			f["links"] = s.Links
		}
		if s.SupportTeam != "" {
			f["supportTeam"] = party{cmp.Or(s.SupportTeamSpace, source), s.SupportTeam}
		}
		if s.AvailabilityTarget != 0 {
			f["availabilityTarget"] = s.AvailabilityTarget
		}
	}
	for _, field := range c.Null {
		f[field] = nil
	}
}

// with returns a row with the values that all claims together make of it. Its relationships and groups stay.
func (r Row) with(values map[string]reconcile.Value) Row {
	text := func(field string) string {
		s, _ := values[field].Value.(string)
		return s
	}
	switch {
	case r.Team != nil:
		team := *r.Team
		team.Name, team.Description, team.Email = text("name"), text("description"), text("email")
		r.Team = &team
	case r.Person != nil:
		person := *r.Person
		person.Name, person.Email = text("name"), text("email")
		r.Person = &person
	case r.CI != nil:
		r.CI = r.CI.with(values, text)
	}
	return r
}

func (c *CI) with(values map[string]reconcile.Value, text func(field string) string) *CI {
	made := &CI{
		ExternalID: c.ExternalID, Class: c.Class, Relationships: c.Relationships, Groups: c.Groups,
		Name: text("name"), Description: text("description"), Lifecycle: text("lifecycle"), Environment: text("environment"), Criticality: text("criticality"),
	}
	service := Service{Tier: text("tier"), Portfolio: text("portfolioStage"), Category: text("category")}
	for _, field := range reconcile.Fields(values) {
		value := values[field].Value
		if value == nil {
			made.Null = append(made.Null, field)
			continue
		}
		if name, ok := strings.CutPrefix(field, "attributes."); ok {
			made.Attributes = with(made.Attributes, name, value)
		}
		if name, ok := strings.CutPrefix(field, "labels."); ok {
			made.Labels = with(made.Labels, name, text(field))
		}
	}
	made.Owners, _ = values["owners"].Value.([]Owner)
	service.Links, _ = values["links"].Value.([]Link)
	service.AvailabilityTarget, _ = values["availabilityTarget"].Value.(float64)
	if team, ok := values["supportTeam"].Value.(party); ok {
		service.SupportTeam, service.SupportTeamSpace = team.key, team.space
	}
	if c.Service != nil || service.Tier != "" || service.Portfolio != "" || service.Category != "" || len(service.Links) > 0 ||
		service.SupportTeam != "" || service.AvailabilityTarget != 0 {
		made.Service = &service
	}
	return made
}

// merge makes of a row what its claim and those of all others make of the record. Where others are believed, the row
// yields.
func (p *planner) merge(r *record) error {
	r.own, r.values, r.Row = nil, nil, r.reported
	var others []*claim
	for _, c := range p.stored.claims[r.id] {
		if c.source == p.source && c.key == r.key {
			r.own = c
		} else {
			others = append(others, c)
		}
	}
	if len(others) == 0 {
		return nil
	}
	mine := reconcile.Claim{Source: p.source, Key: r.key, Since: math.MaxInt64, Fields: r.reported.fields(p.source)}
	if r.own != nil {
		mine.Since = r.own.firstRun
	}
	claims := []reconcile.Claim{mine}
	for _, c := range others {
		row, err := p.rowOf(c)
		if err != nil {
			return err
		}
		claims = append(claims, reconcile.Claim{Source: c.source, Key: c.key, Since: c.firstRun, IsStale: p.belief.isStale(c), Fields: row.fields(c.source)})
	}
	r.values = reconcile.Effective(claims, p.belief.worth(p.classOf(end{id: r.id})))
	r.Row = r.reported.with(r.values)
	return nil
}

// rowOf returns what a claim says. Of the source's own claims on other keys that are in this run, it is what they say
// now.
func (p *planner) rowOf(c *claim) (Row, error) {
	if c.source == p.source {
		if r := p.byKey[c.key]; r != nil && !r.isDropped {
			return r.reported, nil
		}
	}
	return c.row()
}

// yields returns the fields of which others are believed.
func (r *record) yields(source string) (all []Difference, to []string) {
	reported := r.reported.fields(source)
	for _, field := range reconcile.Fields(r.values) {
		v := r.values[field]
		if _, ok := reported[field]; ok && slices.ContainsFunc(v.Against, func(c *reconcile.Claim) bool { return c.Source == source && c.Key == r.key }) {
			all = append(all, Difference{Field: field, Before: reported[field], After: v.Value})
			if !slices.Contains(to, v.Of.Source) {
				to = append(to, v.Of.Source)
			}
		}
	}
	return all, to
}

// takesOver returns the written fields in which the source is believed against others.
func (r *record) takesOver(source string) (all []Difference) {
	for _, d := range r.diff.written {
		if v, ok := r.values[d.Field]; ok && v.Of.Source == source && v.Of.Key == r.key && len(v.Against) > 0 {
			all = append(all, d)
		}
	}
	return all
}

// loadClaims loads the claims on stored records, and the records whose keys those of others refer to.
func (p *planner) loadClaims(ctx context.Context, ids []ident.ID) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ident.ID) bool { _, ok := p.stored.claims[id]; return ok || id == 0 })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	all, err := claimsOn(ctx, p.tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		p.stored.claims[id] = nil
	}
	mentioned := map[domain.ExternalKey]bool{}
	for _, c := range all {
		p.stored.claims[c.record] = append(p.stored.claims[c.record], c)
		if c.source == p.source && p.byKey[c.key] != nil {
			continue // this run says what it says
		}
		row, err := c.row()
		if err != nil {
			return err
		}
		if row.CI != nil {
			for key := range row.CI.keys() {
				key.Source = cmp.Or(key.Source, c.source)
				if _, ok := p.stored.known[key]; !ok && key.ExternalID != "" {
					mentioned[key] = true
				}
			}
		}
	}
	for chunk := range slices.Chunk(slices.SortedFunc(maps.Keys(mentioned), compareKeys), page) {
		found, err := cmdb.FindIdentities(ctx, p.tx, chunk)
		if err != nil {
			return err
		}
		maps.Copy(p.stored.known, found)
	}
	return nil
}
