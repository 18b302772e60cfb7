package cmdb

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// Bounds of keys in other systems.
const (
	sourceLength     = 100
	externalIDLength = 500
)

// checkFields checks, and trims, what a CI says about itself beside its attributes.
func checkFields(c *ent.CI, f *faults) {
	c.Name = text(f, "name", c.Name, 1, valid.LongestName)
	c.Description = text(f, "description", c.Description, 0, valid.LongestDescription)
	c.Category = text(f, "category", c.Category, 0, valid.LongestName)
	oneOf(f, "lifecycle", c.Lifecycle)
	oneOf(f, "environment", c.Environment)
	oneOf(f, "criticality", c.Criticality)
	oneOf(f, "visibility", c.Visibility)
	if c.PortfolioStage != nil {
		oneOf(f, "portfolioStage", *c.PortfolioStage)
	}
	if t := c.AvailabilityTarget; t != nil && !(*t >= 0 && *t <= 100) {
		f.say(errs.Invalid, []string{"availabilityTarget"}, "%v is no share of time in percent: 0 to 100", *t)
	}
	checkLabels(c.Labels, f)
	checkLinks(c.Links, f)
}

func text(f *faults, field, s string, least, most int) string {
	trimmed, err := valid.Text(field, s, least, most)
	f.add(err)
	return trimmed
}

// oneOf refuses what is not a value of the enumeration.
func oneOf[T interface {
	~string
	Values() []string
}](f *faults, field string, v T) {
	if !slices.Contains(v.Values(), string(v)) {
		f.say(errs.Invalid, []string{field}, "%q is none of %s", string(v), strings.Join(v.Values(), ", "))
	}
}

func checkLabels(labels map[string]string, f *faults) {
	if len(labels) > valid.MostLabels {
		f.say(errs.Invalid, []string{"labels"}, "%d labels: at most %d", len(labels), valid.MostLabels)
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if n := utf8.RuneCountInString(name); n == 0 || n > valid.LongestLabelName {
			f.say(errs.Invalid, []string{"labels", name}, "a label's name has 1 to %d characters", valid.LongestLabelName)
			continue
		}
		if _, err := valid.Text(name, name, 1, valid.LongestLabelName); err != nil {
			f.add(err, "labels")
			continue
		}
		if _, err := valid.Text(name, value, 0, valid.LongestLabelText); err != nil {
			f.add(err, "labels")
		}
	}
}

// Labels reads labels as the API takes them: text sets a label, null removes it.
func Labels(given map[string]any) (map[string]*string, error) {
	var f faults
	labels := make(map[string]*string, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch v := given[name].(type) {
		case nil:
			labels[name] = nil
		case string:
			labels[name] = &v
		default:
			f.say(errs.Invalid, []string{"labels", name}, "the label %s is no text: write it in quotes", name)
		}
	}
	return labels, f.err()
}

// present drops the labels that null removes.
func present(labels map[string]*string) map[string]string {
	all := make(map[string]string, len(labels))
	for name, value := range labels {
		if value != nil {
			all[name] = *value
		}
	}
	return all
}

func checkLinks(links []domain.Link, f *faults) {
	if len(links) > valid.MostLinks {
		f.say(errs.Invalid, []string{"links"}, "%d links: at most %d", len(links), valid.MostLinks)
		return
	}
	for i := range links {
		var own faults
		oneOf(&own, "kind", links[i].Kind)
		links[i].Title = text(&own, "title", links[i].Title, 1, valid.LongestName)
		links[i].URL = text(&own, "url", links[i].URL, 1, valid.LongestURL)
		if len(own) == 0 && !valid.IsURL(links[i].URL) {
			own.say(errs.Invalid, []string{"url"}, "%q is no address of http, https or mailto, such as https://example.com/runbook", links[i].URL)
		}
		f.add(own.err(), "links", strconv.Itoa(i))
	}
}

// CheckKey checks, and trims, a key in another system.
func CheckKey(k domain.ExternalKey) (domain.ExternalKey, error) {
	var f faults
	k.Source = text(&f, "source", k.Source, 1, sourceLength)
	k.ExternalID = text(&f, "externalId", k.ExternalID, 1, externalIDLength)
	return k, f.err()
}

// checkAttributes gives attributes as the database will give them back, and refuses what is too large.
func checkAttributes(f *faults, v map[string]any) map[string]any {
	plain, err := attribute.Plain(v)
	f.add(err, "attributes")
	return plain
}

// Given is the new value of a field that cannot be cleared: nil where it is absent.
func Given[T any](o graphql.Omittable[*T], field string) (*T, error) {
	value, set := o.ValueOK()
	if set && value == nil {
		return nil, errs.New(errs.Required, "%s cannot be cleared: write a value, or leave the field out", field).At(field)
	}
	return value, nil
}

// Cleared is the new value of a field that null clears: nil where it is absent, the zero value for null.
func Cleared[T any](o graphql.Omittable[*T]) *T {
	value, set := o.ValueOK()
	if set && value == nil {
		value = new(T)
	}
	return value
}

func given[T any](f *faults, o graphql.Omittable[*T], field string) *T {
	value, err := Given(o, field)
	f.add(err)
	return value
}

// or is what p points to, else a default.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
