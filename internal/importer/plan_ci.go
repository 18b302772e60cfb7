package importer

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// prepare checks a CI's own fields and, if the CI is stored, compares them with the stored ones. References to other
// records are planned later. A row with a mistake is left out.
func (p *planner) prepare(ctx context.Context, r *record) {
	var f faults
	if !p.classify(r, &f) {
		p.drop(r, Rejected, f.String())
		return
	}
	r.newCI, r.ciChange, r.diff = nil, nil, comparison{}
	if r.old == nil {
		p.draft(ctx, r, &f)
	} else {
		p.compare(ctx, r, &f)
	}
	if len(f) > 0 {
		p.drop(r, Rejected, f.String())
	}
}

// classify finds the class of a CI. A stored CI keeps its class.
func (p *planner) classify(r *record, f *faults) bool {
	if r.old != nil {
		r.class, _ = p.ref.ClassByID(r.old.ClassID)
		return r.class != nil
	}
	if r.CI.Class == "" {
		f.say("the CI has no class: write one, such as database")
		return false
	}
	class, err := p.ref.Class(r.CI.Class)
	f.add(err)
	if err == nil && class.IsAbstract {
		f.say("class %s only groups other classes: choose one below it", class.Code)
	}
	r.class = class
	return len(*f) == 0
}

// fields are the checked fields of a CI as reported. A nil field is not reported.
type fields struct {
	cmdb.Fields
	attributes   map[string]any
	tier         *string
	tierID       ident.ID
	stage        *domain.PortfolioStage
	category     *string
	links        []domain.Link
	availability *float64
}

func (p *planner) check(r *record, f *faults) fields {
	c := r.CI
	text := func(field, s string, most int) *string {
		if s = f.text(field, s, 0, most); s == "" {
			return nil
		}
		return &s
	}
	got, reported := fields{}, c.plain()
	var own form.Form
	for _, plain := range cmdb.PlainFields {
		if s := reported[plain.Name]; strings.TrimSpace(s) != "" {
			plain.Read(&got.Fields, &own, s)
		}
	}
	f.add(own.Err())
	plain, err := attribute.Plain(c.Attributes)
	f.add(err)
	maps.DeleteFunc(plain, func(_ string, v any) bool { return v == nil })
	got.attributes = plain
	f.labels(c.Labels)
	c.checkNull(f)
	if c.Service == nil {
		return got
	}
	if _, ok := r.class.ServiceKind(); !ok {
		f.say("%s is not a class of services: its CIs have no tier, links or support team", r.class.Code)
		return got
	}
	s := c.Service
	if s.Tier != "" {
		id, err := p.ref.Tier(s.Tier)
		f.add(err)
		got.tier, got.tierID = &s.Tier, id
	}
	got.stage = oneOf[domain.PortfolioStage](f, "portfolio stage", s.Portfolio)
	got.category = text("category", s.Category, valid.LongestName)
	if len(s.Links) > 0 {
		got.links = f.links(s.Links)
	}
	if t := s.AvailabilityTarget; t != 0 {
		if !(t > 0 && t <= 100) {
			f.say("availability target %v is not a share of time in percent: 0 to 100", t)
		}
		got.availability = &t
	}
	return got
}

// draft prepares a new CI from a row.
func (p *planner) draft(ctx context.Context, r *record, f *faults) {
	got := p.check(r, f)
	if got.Name == nil {
		f.say("the CI has no name")
		return
	}
	d := &ent.CI{ClassID: r.class.ID, Attributes: got.attributes, Labels: r.CI.Labels}
	cmdb.Defaults(d)
	got.Lay(d)
	p.checkWhole(ctx, r, d, f)
	r.next, r.name = d, d.Name
	r.newCI = &cmdb.NewCI{Class: r.class.Code, Fields: got.Fields, Attributes: d.Attributes, Labels: d.Labels}
	if r.CI.Service != nil {
		r.newCI.Service = &cmdb.ServiceFacet{
			Tier: form.Or(got.tier, ""), PortfolioStage: form.Or(got.stage, ""), Category: form.Or(got.category, ""), Links: got.links, AvailabilityTarget: got.availability,
		}
	}
}

// checkWhole checks the rules that concern the CI as a whole.
func (p *planner) checkWhole(ctx context.Context, r *record, c *ent.CI, f *faults) {
	if len(c.Labels) > valid.MostLabels {
		f.say("%d labels: at most %d", len(c.Labels), valid.MostLabels)
	}
	schema, err := r.class.AttributeSchema()
	f.add(err)
	if err == nil {
		f.add(schema.Check(ctx, c.Attributes))
	}
	f.add(attribute.Size(c.Attributes))
}

// compare prepares the update that brings a stored CI to what the row says.
func (p *planner) compare(ctx context.Context, r *record, f *faults) {
	got, old := p.check(r, f), r.old
	next, ch := *old, &cmdb.CIChange{ID: old.ID}
	d := &r.diff
	d.locks = old.Locks
	ch.Fields = got.Differing(old, func(field, before, after string) bool { return d.set(field, before, after) })
	ch.Lay(&next)
	next.Attributes, next.Labels = maps.Clone(old.Attributes), maps.Clone(old.Labels)
	if next.Attributes == nil {
		next.Attributes = map[string]any{}
	}
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(got.attributes)) {
		before, after := old.Attributes[name], got.attributes[name]
		if !reflect.DeepEqual(before, after) && d.set("attributes."+name, before, after) {
			next.Attributes[name] = after
			ch.Attributes = with(ch.Attributes, name, after)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.CI.Labels)) {
		before, ok := old.Labels[name]
		after := r.CI.Labels[name]
		if ok && before == after {
			continue
		}
		var shown any
		if ok {
			shown = before
		}
		if d.set("labels."+name, shown, after) {
			next.Labels[name] = after
			ch.Labels = with(ch.Labels, name, &after)
		}
	}
	if r.CI.Service != nil {
		if s := p.compareService(d, old, got); s != (cmdb.ServiceChange{}) {
			ch.Service = &s
		}
	}
	r.clear(old, &next, ch)
	if len(d.written) > 0 {
		p.checkWhole(ctx, r, &next, f)
	}
	r.next, r.name, r.version = &next, next.Name, old.Version
	if len(d.written) > 0 {
		r.ciChange = ch
	}
}

func (p *planner) compareService(d *comparison, old *ent.CI, got fields) (s cmdb.ServiceChange) {
	if got.tier != nil && (old.TierID == nil || *old.TierID != got.tierID) && d.set("tier", optional(old.TierID), *got.tier) {
		s.Tier = got.tier
	}
	if got.stage != nil && (old.PortfolioStage == nil || *old.PortfolioStage != *got.stage) && d.set("portfolioStage", optional(old.PortfolioStage), *got.stage) {
		s.PortfolioStage = got.stage
	}
	category := old.Category
	differ(d, "category", &category, got.category, &s.Category)
	if got.links != nil && !slices.Equal(got.links, old.Links) && d.set("links", old.Links, got.links) {
		s.Links = &got.links
	}
	if t := got.availability; t != nil && (old.AvailabilityTarget == nil || *old.AvailabilityTarget != *t) && d.set("availabilityTarget", optional(old.AvailabilityTarget), *t) {
		s.AvailabilityTarget = &t
	}
	return s
}

// planCIs plans each CI once all rows are matched.
func (p *planner) planCIs(context.Context) error {
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.isWoken {
			continue
		}
		p.planSupport(r)
		p.planOwners(r)
		if r.old != nil && r.CI.Class != "" && r.CI.Class != r.class.Code {
			p.notice(r, Warning, "", fmt.Sprintf("%s is of class %s and stays so; the source now says %q: retire it and import it anew to change the class", r.id, r.class.Code, r.CI.Class))
		}
		p.plan.work.cis = p.settle(r, p.plan.work.cis)
	}
	return nil
}

// settle adds the steps of a record, and queues the record if it is to be written.
func (p *planner) settle(r *record, queue []*record) []*record {
	i := Step{Kind: r.kind, Outcome: Unchanged, Origin: r.origin, ExternalID: r.key, Record: r.id, Name: r.name, Differences: r.diff.written}
	if r.class != nil {
		i.Detail = r.class.Code
	}
	switch {
	case r.id == 0:
		i.Outcome = Create
		i.Differences = nil
	case r.writes():
		i.Outcome = Update
		if r.needsKey {
			i.Differences = append(i.Differences, Difference{Field: "externalId", After: r.key})
		}
	}
	p.step(i)
	if len(r.diff.kept) > 0 {
		kept := i
		kept.Outcome, kept.Differences = WouldOverwrite, r.diff.kept
		kept.Reason = "a person set it: release the field to let the source have its way"
		p.step(kept)
	}
	if fields, to := r.yields(p.source); len(fields) > 0 {
		yielded := i
		yielded.Outcome, yielded.Differences, yielded.Reason = Yield, fields, strings.Join(to, ", ")+": believed in these fields"
		p.step(yielded)
	}
	if fields := r.takesOver(p.source); len(fields) > 0 && i.Outcome == Update {
		taken := i
		taken.Outcome, taken.Differences, taken.Reason = TakeOver, fields, "the source is believed before others"
		p.step(taken)
	}
	if i.Outcome == Unchanged {
		return queue
	}
	return append(queue, r)
}
