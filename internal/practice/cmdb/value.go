package cmdb

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// Bounds of keys in other systems.
const (
	sourceLength     = 100
	externalIDLength = 500
)

// checkFields checks, and trims, what a CI says about itself beside its attributes.
func checkFields(c *ent.CI, f *form.Form) {
	for _, field := range PlainFields {
		field.check(c, f)
	}
	c.Category = f.Text("category", c.Category, 0, valid.LongestName)
	if c.PortfolioStage != nil {
		form.OneOf(f, "portfolioStage", *c.PortfolioStage)
	}
	if t := c.AvailabilityTarget; t != nil && !(*t >= 0 && *t <= 100) {
		f.Fault(errs.New(errs.Invalid, "%v is not a share of time in percent: 0 to 100", *t), "availabilityTarget")
	}
	checkLabels(c.Labels, f)
	checkLinks(c.Links, f)
}

func checkLabels(labels map[string]string, f *form.Form) {
	f.Most("labels", len(labels), valid.MostLabels)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if n := utf8.RuneCountInString(name); n == 0 || n > valid.LongestLabelName {
			f.Fault(errs.New(errs.Invalid, "a label's name has 1 to %d characters", valid.LongestLabelName), "labels", name)
			continue
		}
		if _, err := valid.Text(name, name, 1, valid.LongestLabelName); err != nil {
			f.Fault(err, "labels")
			continue
		}
		if _, err := valid.Text(name, value, 0, valid.LongestLabelText); err != nil {
			f.Fault(err, "labels")
		}
	}
}

// Labels reads labels as the API takes them: a value sets a label, null removes it.
func Labels(given []domain.LabelInput) (map[string]*string, error) {
	var f form.Form
	labels := make(map[string]*string, len(given))
	for i, l := range given {
		var own form.Form
		own.Text("name", l.Name, 1, valid.LongestLabelName)
		if l.Value != nil {
			own.Text("value", *l.Value, 0, valid.LongestLabelText)
		}
		if _, ok := labels[l.Name]; ok {
			own.Fault(errs.New(errs.AlreadyExists, "the list has the label %q already: write it once", l.Name), "name")
		}
		labels[l.Name] = l.Value
		f.Fault(own.Err(), "labels", strconv.Itoa(i))
	}
	return labels, f.Err()
}

// Present returns the labels that are set, and none that are removed.
func Present(labels map[string]*string) map[string]string {
	all := make(map[string]string, len(labels))
	for name, value := range labels {
		if value != nil {
			all[name] = *value
		}
	}
	return all
}

func checkLinks(links []domain.Link, f *form.Form) {
	if !f.Most("links", len(links), valid.MostLinks) {
		return
	}
	for i := range links {
		var own form.Form
		form.OneOf(&own, "kind", links[i].Kind)
		links[i].Title = own.Text("title", links[i].Title, 1, valid.LongestName)
		links[i].URL = own.Text("url", links[i].URL, 1, valid.LongestURL)
		if !own.IsFaulty() && !valid.IsURL(links[i].URL) {
			own.Fault(errs.New(errs.Invalid, "%q is not an address of http, https or mailto, such as https://example.com/runbook", links[i].URL), "url")
		}
		f.Fault(own.Err(), "links", strconv.Itoa(i))
	}
}

// CheckKey checks, and trims, a key in another system.
func CheckKey(k domain.ExternalKey) (domain.ExternalKey, error) {
	var f form.Form
	k.Source = f.Text("source", k.Source, 1, sourceLength)
	k.ExternalID = f.Text("externalId", k.ExternalID, 1, externalIDLength)
	return k, f.Err()
}

// checkAttributes gives attributes as the database will give them back, and refuses what is too large.
func checkAttributes(f *form.Form, v map[string]any) map[string]any {
	plain, err := attribute.Plain(v)
	f.Fault(err, "attributes")
	return plain
}
