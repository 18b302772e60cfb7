package cmdb

import (
	"maps"
	"net/url"
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

// Bounds of what people write.
const (
	nameLength        = 200
	descriptionLength = 10_000
	labelNameLength   = 100
	labelTextLength   = 500
	labelsPerCI       = 100
	linksPerService   = 50
	urlLength         = 2_000
	ownersPerCI       = 50
	sourceLength      = 100
	externalIDLength  = 500
)

// checkFields checks, and trims, what a CI says about itself beside its attributes.
func checkFields(c *ent.CI, f *faults) {
	c.Name = text(f, "name", c.Name, 1, nameLength)
	c.Description = text(f, "description", c.Description, 0, descriptionLength)
	c.Category = text(f, "category", c.Category, 0, nameLength)
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
	if len(labels) > labelsPerCI {
		f.say(errs.Invalid, []string{"labels"}, "%d labels: at most %d", len(labels), labelsPerCI)
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if n := utf8.RuneCountInString(name); n == 0 || n > labelNameLength {
			f.say(errs.Invalid, []string{"labels", name}, "a label's name has 1 to %d characters", labelNameLength)
			continue
		}
		if _, err := valid.Text(name, name, 1, labelNameLength); err != nil {
			f.add(err, "labels")
			continue
		}
		if _, err := valid.Text(name, value, 0, labelTextLength); err != nil {
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
	if len(links) > linksPerService {
		f.say(errs.Invalid, []string{"links"}, "%d links: at most %d", len(links), linksPerService)
		return
	}
	for i := range links {
		var own faults
		oneOf(&own, "kind", links[i].Kind)
		links[i].Title = text(&own, "title", links[i].Title, 1, nameLength)
		links[i].URL = text(&own, "url", links[i].URL, 1, urlLength)
		if len(own) == 0 {
			own.add(checkURL(links[i].URL), "url")
		}
		f.add(own.err(), "links", strconv.Itoa(i))
	}
}

// checkURL lets through what a browser may be sent to: http, https and mailto.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err == nil && !strings.ContainsAny(s, " \n\r\t") {
		switch strings.ToLower(u.Scheme) {
		case "http", "https":
			if u.Hostname() != "" {
				return nil
			}
		case "mailto":
			if strings.Contains(u.Opaque, "@") {
				return nil
			}
		}
	}
	return errs.New(errs.Invalid, "%q is no address of http, https or mailto, such as https://example.com/runbook", s)
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
