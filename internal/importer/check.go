package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// faults collects the mistakes of a row. Bounds are checked while planning, so that a dry run reports them.
type faults []string

func (f *faults) say(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// add adds a failure of the vocabulary, or all failures that are joined in one.
func (f *faults) add(err error) {
	all, ok := errs.All(err)
	switch {
	case err == nil:
	case !ok:
		*f = append(*f, err.Error())
	default:
		for _, e := range all {
			*f = append(*f, e.Message)
		}
	}
}

func (f faults) String() string { return strings.Join(f, "; ") }

func (f *faults) text(field, s string, least, most int) string {
	trimmed, err := valid.Text(field, s, least, most)
	f.add(err)
	return trimmed
}

// oneOf reads a value of an enumeration. If s is empty, which means not reported, it returns nil.
func oneOf[T interface {
	~string
	Values() []string
}](f *faults, field, s string) *T {
	v := T(s)
	if s == "" {
		return nil
	}
	var own form.Form
	if form.OneOf(&own, field, v); own.IsFaulty() {
		f.add(own.Err())
		return nil
	}
	return &v
}

func (f *faults) email(s string) {
	var own form.Form
	own.Email("email", s)
	f.add(own.Err())
}

func (f *faults) labels(labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		f.text("the name of a label", name, 1, valid.LongestLabelName)
		f.text("label "+name, labels[name], 0, valid.LongestLabelText)
	}
}

func (f *faults) links(given []Link) []domain.Link {
	if len(given) > valid.MostLinks {
		f.say("%d links: at most %d", len(given), valid.MostLinks)
	}
	links := make([]domain.Link, len(given))
	for i, l := range given {
		if kind := oneOf[domain.LinkKind](f, "the kind of link", l.Kind); kind != nil {
			links[i].Kind = *kind
		} else if l.Kind == "" {
			f.say("a link has no kind: write one of %s", strings.Join(domain.Other.Values(), ", "))
		}
		links[i].Title = f.text("the title of a link", l.Title, 1, valid.LongestName)
		links[i].URL = f.text("the address of a link", l.URL, 1, valid.LongestURL)
		if !valid.IsURL(links[i].URL) {
			f.say("%q is not an address of http, https or mailto, such as https://example.com/runbook", l.URL)
		}
	}
	return links
}

// checkKey returns what is wrong with an external id, or "".
func checkKey(key string) string {
	checked, err := cmdb.CheckKey(domain.ExternalKey{Source: "source", ExternalID: key})
	switch {
	case err != nil:
		var f faults
		f.add(err)
		return f.String()
	case checked.ExternalID != key:
		return fmt.Sprintf("the external id %q begins or ends with white space", key)
	}
	return ""
}
