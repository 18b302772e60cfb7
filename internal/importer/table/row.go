package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// row makes a CI of a row. If any cell that the mapping names has a mistake, the row is left out, and each is named.
func (b *binding) row(r row) (importer.Row, error) {
	if r.wrong != "" {
		return importer.Row{}, rejected(b.file, r.line, "%s", r.wrong)
	}
	m := &making{binding: b, from: r, ci: &importer.CI{}}
	if b.record != "" {
		return m.party()
	}
	m.ci.Class = m.text(b.class)
	m.ci.ExternalID = m.key()
	for _, f := range b.fields {
		m.field(f)
	}
	for _, rule := range b.keys {
		if keys, _ := m.keys(rule.key, ""); len(keys) > 0 {
			m.ci.Keys = append(m.ci.Keys, importer.Key{Space: rule.space, Key: keys[0]})
		}
	}
	m.owners()
	for _, e := range b.edges {
		m.relate(e)
	}
	m.settleNull()
	if len(m.wrong) > 0 {
		return importer.Row{}, m.rejected()
	}
	return importer.Row{Origin: importer.Origin{File: b.file, Line: r.line}, CI: m.ci}, nil
}

// making is a row on its way to a CI.
type making struct {
	*binding
	from  row
	ci    *importer.CI
	wrong []*mistake
}

// rejected returns one notice with all mistakes of the row. It stands at the cell of the first.
func (m *making) rejected() *importer.Notice {
	n := rejected(m.file, m.wrong[0].line, "%s", m.wrong[0].reason)
	n.Origin.Column, n.ExternalID = m.wrong[0].column, m.ci.ExternalID
	for _, more := range m.wrong[1:] {
		n.Reason += "; " + more.Error()
	}
	return n
}

// fail notes a mistake, if there is one.
func (m *making) fail(wrong *mistake) bool {
	if wrong != nil {
		m.wrong = append(m.wrong, wrong)
	}
	return wrong != nil
}

// text returns the text of a value that cannot be "none", or "".
func (m *making) text(v *value) string {
	text, _, wrong := v.text(m.binding, m.from)
	m.fail(wrong)
	return text
}

// key returns the external id of the row.
func (m *making) key() string {
	parts := make([]string, len(m.binding.key))
	for i, v := range m.binding.key {
		text, is, wrong := v.text(m.binding, m.from)
		if wrong == nil && is != present {
			wrong = v.mistake(m.binding, m.from, "the cell is empty, and it is the key of the row")
		}
		m.fail(wrong)
		parts[i] = text
	}
	return strings.Join(parts, "/")
}

// none notes that the table says that there is none of a field, if the field can do without a value.
func (m *making) none(field string) {
	kind, _, _ := strings.Cut(field, ".")
	switch kind {
	case "attributes", "labels", "description", "owners", "tier", "category", "supportTeam", "availabilityTarget":
		m.ci.Null = append(m.ci.Null, field)
	case "links":
		m.ci.Null = append(m.ci.Null, kind)
	}
}

// settleNull takes back that there is none of a list, if another column gave it something.
func (m *making) settleNull() {
	has := map[string]bool{"owners": len(m.ci.Owners) > 0, "links": m.ci.Service != nil && len(m.ci.Service.Links) > 0}
	seen := map[string]bool{}
	m.ci.Null = slices.DeleteFunc(m.ci.Null, func(field string) bool {
		again := seen[field]
		seen[field] = true
		return has[field] || again
	})
	if len(m.ci.Null) == 0 {
		m.ci.Null = nil
	}
}

// field sets a field. If it is not reported, it stays unset.
func (m *making) field(f field) {
	text, is, wrong := f.of.text(m.binding, m.from)
	if wrong == nil && is == present && f.allowed != nil && !slices.Contains(f.allowed, text) {
		wrong = f.of.mistake(m.binding, m.from, noneOf(text, f.allowed))
	}
	if m.fail(wrong) {
		return
	}
	switch is {
	case absent:
		return
	case none:
		m.none(f.name)
		return
	case present:
	}
	kind, name, _ := strings.Cut(f.name, ".")
	switch kind {
	case "attributes":
		m.attribute(name, f.of, text)
		return
	case "availabilityTarget":
		m.availability(f.of, text)
		return
	}
	typed, wrong := f.of.typed(m.binding, m.from, text)
	if m.fail(wrong) {
		return
	}
	m.set(kind, name, fmt.Sprint(typed))
	if kind == "supportTeam" {
		m.service().SupportTeamSpace = f.of.space
	}
}

// set sets a field of one text.
func (m *making) set(kind, name, text string) {
	switch kind {
	case "name":
		m.ci.Name = text
	case "description":
		m.ci.Description = text
	case "lifecycle":
		m.ci.Lifecycle = text
	case "environment":
		m.ci.Environment = text
	case "criticality":
		m.ci.Criticality = text
	case "visibility":
		m.ci.Visibility = text
	case "labels":
		if m.ci.Labels == nil {
			m.ci.Labels = map[string]string{}
		}
		m.ci.Labels[name] = text
	case "tier":
		m.service().Tier = text
	case "portfolio":
		m.service().Portfolio = text
	case "category":
		m.service().Category = text
	case "supportTeam":
		m.service().SupportTeam = strings.TrimSpace(text)
	case "links":
		title := strings.ToLower(strings.ReplaceAll(name, "_", " "))
		m.service().Links = append(m.service().Links, importer.Link{Kind: name, Title: strings.ToUpper(title[:1]) + title[1:], URL: text})
	}
}

func (m *making) service() *importer.Service {
	if m.ci.Service == nil {
		m.ci.Service = &importer.Service{}
	}
	return m.ci.Service
}

func (m *making) attribute(name string, v *value, text string) {
	var typed any
	if v.split == "" {
		one, wrong := v.typed(m.binding, m.from, text)
		if m.fail(wrong) {
			return
		}
		typed = one
	} else {
		list := []any{}
		for _, part := range parts(text, v.split) {
			one, wrong := v.typed(m.binding, m.from, part)
			if m.fail(wrong) {
				return
			}
			list = append(list, one)
		}
		typed = list
	}
	if m.ci.Attributes == nil {
		m.ci.Attributes = map[string]any{}
	}
	m.ci.Attributes[name] = typed
}

func (m *making) availability(v *value, text string) {
	decimal := v.decimal
	if decimal == "" {
		decimal = "."
	}
	n, err := numberOf(strings.TrimSuffix(strings.TrimSpace(text), "%"), decimal)
	switch n := n.(type) {
	case int64:
		m.service().AvailabilityTarget = float64(n)
	case float64:
		m.service().AvailabilityTarget = n
	}
	if err != nil {
		m.fail(v.mistake(m.binding, m.from, err.Error()))
	}
}

// parts splits a text, and leaves out empty parts.
func parts(text, by string) []string {
	all := []string{text}
	if by != "" {
		all = strings.Split(text, by)
	}
	kept := all[:0]
	for _, part := range all {
		if part = strings.TrimSpace(part); part != "" {
			kept = append(kept, part)
		}
	}
	return kept
}

// keys returns the keys that a rule reads from its columns: several if the last one is split. If any column is empty,
// there are none.
func (m *making) keys(of []*value, split string) (all []string, is state) {
	before := ""
	for i, v := range of {
		text, is, wrong := v.text(m.binding, m.from)
		m.fail(wrong)
		if is != present {
			return nil, is
		}
		if i < len(of)-1 {
			before += text + "/"
			continue
		}
		for _, part := range parts(text, split) {
			all = append(all, before+part)
		}
	}
	return all, present
}

func (m *making) owners() {
	for _, rule := range m.binding.owners {
		keys, said := m.keys(rule.key, rule.split)
		if said == none {
			m.none("owners")
		}
		for _, key := range keys {
			o := importer.Owner{Team: key, Role: rule.role, Space: rule.space}
			if rule.isPerson {
				o.Team, o.Person = "", key
			}
			m.ci.Owners = append(m.ci.Owners, o)
		}
	}
}

func (m *making) relate(rule edgeRule) {
	targets, _ := m.keys(rule.target, rule.split)
	for _, target := range targets {
		m.ci.Relationships = append(m.ci.Relationships, importer.Relationship{
			Type: rule.kind, Target: target, Space: rule.space, IsReverse: rule.isReverse, Strength: rule.strength, Evidence: "column " + document.Quote(rule.evidence()),
		})
	}
}

// evidence names the column that shows a relationship.
func (e edgeRule) evidence() string {
	last := e.target[len(e.target)-1]
	if len(last.columns) == 0 {
		return "default"
	}
	return last.columns[0]
}
