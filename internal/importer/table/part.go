package table

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// part is which table a mapping is for, and what its rows are.
type part struct {
	line   int
	record string   // team or person; "" for CIs
	files  string   // a pattern of the names of files
	query  string   // of a database
	order  []string // of the query's result

	relation *relationRule // if each row is a relationship
}

// readers adds the words that a part has.
func (of *part) readers(p *parser, m *Mapping, words map[string]func(*document.Node)) {
	words["files"] = func(n *document.Node) {
		if p.text(n, &of.files) {
			if _, err := path.Match(of.files, ""); err != nil {
				p.fail(n, "%q is no pattern of names, such as cmdb_rel_ci*.csv", of.files)
			}
		}
	}
	words["query"] = func(n *document.Node) {
		if p.text(n, &of.query) {
			of.query = strings.TrimSpace(of.query)
			if strings.Contains(of.query, ";") {
				p.fail(n, "the query has a semicolon: write one statement, and none at its end")
			}
		}
	}
	words["order"] = func(n *document.Node) {
		p.each(n, func(n *document.Node) {
			var column string
			if p.text(n, &column) {
				of.order = append(of.order, even(column))
				m.use(even(column), n.Line, false)
			}
		})
	}
	words["relation"] = func(n *document.Node) { of.readRelation(p, n) }
}

// class reads where the class comes from. It alone can pass rows over.
func (p *parser) class(n *document.Node) *value {
	p.isClass = true
	defer func() { p.isClass = false }()
	return p.value(n)
}

// passesOver returns the class of a row that is to be passed over, if it is.
func (b *binding) passesOver(r row) (class string, ok bool) {
	if b.class == nil || !b.class.isSkipping || r.wrong != "" {
		return "", false
	}
	text, is, wrong := b.class.text(b, r)
	return text, wrong == nil && is == present && !slices.Contains(mappedTo(b.class.mapped), text)
}

func (m *Mapping) readRecord(p *parser, n *document.Node) {
	switch p.text(n, &m.record); m.record {
	case "ci":
		m.record = ""
	case "team", "person", "":
	default:
		p.fail(n, "record: %s", noneOf(m.record, []string{"ci", "team", "person"}))
		m.record = ""
	}
}

// checkParts returns what is wrong with the parts beside one another.
func (m *Mapping) checkParts() (wrong []error) {
	for _, of := range m.parts {
		switch {
		case of.Source != m.Source:
			wrong = append(wrong, rejected(m.file, of.line, "a part of another source: write a mapping file for each source"))
		case len(m.parts) > 1 && of.files == "" && of.query == "":
			wrong = append(wrong, rejected(m.file, of.line, "one of several parts: say which tables it is for, by files: PATTERN or a query"))
		case of.order != nil && of.query == "":
			wrong = append(wrong, rejected(m.file, of.line, "order belongs to a query"))
		case of.record != "" && (of.class != nil || of.edges != nil || of.keys != nil || of.relation != nil):
			wrong = append(wrong, rejected(m.file, of.line, "a %s has a key and fields: class, keys, relationships and relation are of CIs", of.record))
		case of.relation != nil && (of.class != nil || of.key != nil || of.fields != nil || of.edges != nil):
			wrong = append(wrong, rejected(m.file, of.line, "each row is a relation: class, key, fields and relationships stand in the part of the CIs"))
		}
	}
	return wrong
}

// partFor returns the first part for a file, or nil.
func (m *Mapping) partFor(file string) *Mapping {
	for _, of := range m.parts {
		if ok, _ := path.Match(of.files, file); ok || of.files == "" { // checked when it was read
			return of
		}
	}
	return nil
}

// partyFields are the fields of teams and people.
var partyFields = map[string][]string{
	"team":   {"name", "description", "email", "parent"},
	"person": {"name", "email", "teams"},
}

func (m *Mapping) readPartyField(p *parser, key document.Key, n *document.Node) {
	if !slices.Contains(partyFields[m.record], key.Text) {
		p.failAt(key.Line, "%q is no field of a %s: known are %s", key.Text, m.record, strings.Join(partyFields[m.record], ", "))
		return
	}
	v := p.value(n)
	if v == nil {
		return
	}
	if v.split != "" && key.Text != "teams" || v.space != "" {
		p.fail(n, "%s is one text of the same source: it has neither split nor space", key.Text)
	}
	m.fields = append(m.fields, field{name: key.Text, of: v})
}

// party makes a team or a person of a row.
func (m *making) party() (importer.Row, error) {
	m.ci.ExternalID = m.key()
	given := map[string]string{}
	var teams []string
	for _, f := range m.fields {
		text, is, wrong := f.of.text(m.binding, m.from)
		if m.fail(wrong) || is != present {
			continue
		}
		if f.name == "teams" {
			teams = append(teams, parts(text, f.of.split)...)
			continue
		}
		given[f.name] = text
	}
	if len(m.wrong) > 0 {
		return importer.Row{}, m.rejected()
	}
	row := importer.Row{Origin: importer.Origin{File: m.file, Line: m.from.line}}
	if m.record == "team" {
		row.Team = &importer.Team{ExternalID: m.ci.ExternalID, Name: given["name"], Description: given["description"], Email: given["email"], Parent: strings.TrimSpace(given["parent"])}
	} else {
		row.Person = &importer.Person{ExternalID: m.ci.ExternalID, Name: given["name"], Email: given["email"], Teams: teams}
	}
	return row, nil
}

// relationRule makes a relationship of a row.
type relationRule struct {
	kind           *value // a code of a type of relationships; with ^ in front it goes from the target to the source
	source, target []*value
	space          string // of the target's key
	strength       string
}

func (of *part) readRelation(p *parser, n *document.Node) {
	r := &relationRule{}
	wrong := len(p.wrong)
	p.fields(n, map[string]func(*document.Node){
		"type":   func(n *document.Node) { r.kind = p.value(n) },
		"source": func(n *document.Node) { r.source = p.key(n) },
		"target": func(n *document.Node) { r.target = p.key(n) },
		"space":  func(n *document.Node) { p.text(n, &r.space) },
		"strength": func(n *document.Node) {
			if p.text(n, &r.strength) && r.strength != "HARD" && r.strength != "SOFT" {
				p.fail(n, "strength: %s", noneOf(r.strength, []string{"HARD", "SOFT"}))
			}
		},
	})
	if (r.kind == nil || r.source == nil || r.target == nil) && len(p.wrong) == wrong {
		p.fail(n, "a relation has a type, a source and a target: write them, such as {type: Type, source: Parent, target: Child}")
	}
	of.relation = r
}

// relating holds the relationships that have tables of their own, until their CIs come.
type relating struct {
	by      map[string][]importer.Relationship // the key of the CI
	found   map[string]bool
	other   map[string]int // relationships of types that the mapping does not know
	otherAt importer.Origin
	first   map[string]importer.Origin
	passed  map[string]map[string]int // rows of classes that the mapping passes over, by table
}

// row takes a row that is a relationship.
func (r *relating) row(b *binding, from row) error {
	if from.wrong != "" {
		return rejected(b.file, from.line, "%s", from.wrong)
	}
	m := &making{binding: b, from: from, ci: &importer.CI{}}
	rule := b.relation
	origin := importer.Origin{File: b.file, Line: from.line}
	kind, is, wrong := rule.kind.text(b, from)
	isKnown := rule.kind.mapped == nil || slices.Contains(mappedTo(rule.kind.mapped), kind) || rule.kind.hasDefault && kind == rule.kind.fallback
	if wrong == nil && is == present && !isKnown {
		if r.other == nil {
			r.other, r.otherAt = map[string]int{}, importer.Origin{File: b.file}
		}
		r.other[kind]++
		return nil
	}
	m.fail(wrong)
	one := func(of []*value, what string) string {
		keys, _ := m.keys(of, "")
		if len(keys) == 0 && len(m.wrong) == 0 {
			m.fail(of[0].mistake(b, from, "the cell is empty, and it is the "+what+" of the relationship"))
		}
		return strings.Join(keys, "")
	}
	source, target := one(rule.source, "source"), one(rule.target, "target")
	if len(m.wrong) == 0 && (is != present || kind == "") {
		m.fail(rule.kind.mistake(b, from, "the cell is empty, and it is the type of the relationship"))
	}
	if len(m.wrong) > 0 {
		return m.rejected()
	}
	code, isReverse := strings.CutPrefix(kind, "^")
	made := importer.Relationship{Type: code, Target: target, Space: rule.space, IsReverse: isReverse, Strength: rule.strength, Evidence: path.Base(b.file)}
	if slices.Contains(r.by[source], made) {
		return nil // two rows say the same
	}
	if r.by[source] == nil {
		if r.first == nil {
			r.first = map[string]importer.Origin{}
		}
		r.first[source] = origin
	}
	r.by[source] = append(r.by[source], made)
	return nil
}

func mappedTo(m map[string]string) (all []string) {
	for _, to := range m {
		all = append(all, to)
	}
	return all
}

// pass counts a row that is passed over.
func (r *relating) pass(file, class string) {
	if r.passed == nil {
		r.passed = map[string]map[string]int{}
	}
	if r.passed[file] == nil {
		r.passed[file] = map[string]int{}
	}
	r.passed[file][class]++
}

// add gives a CI its relationships.
func (r *relating) add(made *importer.Row) {
	if made.CI == nil || r.by[made.CI.ExternalID] == nil {
		return
	}
	if r.found == nil {
		r.found = map[string]bool{}
	}
	if key := made.CI.ExternalID; !r.found[key] {
		r.found[key] = true
		made.CI.Relationships = append(made.CI.Relationships, r.by[key]...)
	}
}

// notices tells of the relationships that found no CI, or have no type.
func (r *relating) notices() (all []*importer.Notice) {
	n, first := 0, ""
	for key, of := range r.by {
		if !r.found[key] {
			if n += len(of); first == "" || key < first {
				first = key
			}
		}
	}
	if n > 0 {
		all = append(all, &importer.Notice{Origin: r.first[first], Kind: importer.Skipped, ExternalID: first, Reason: fmt.Sprintf("%d relationships start at CIs that no table has, such as %q: they were left out", n, first)})
	}
	for _, file := range sortedKeys(r.passed) {
		var told []string
		for _, class := range sortedKeys(r.passed[file]) {
			told = append(told, fmt.Sprintf("%q %d", class, r.passed[file][class]))
		}
		all = append(all, &importer.Notice{Origin: importer.Origin{File: file}, Kind: importer.Skipped, Reason: "rows of classes that the mapping does not name: " + enumerate(told, 40)})
	}
	if len(r.other) > 0 {
		var told []string
		for _, kind := range sortedKeys(r.other) {
			told = append(told, fmt.Sprintf("%q %d", kind, r.other[kind]))
		}
		all = append(all, &importer.Notice{Origin: r.otherAt, Kind: importer.Skipped, Reason: "relationships of types that the mapping does not name: " + enumerate(told, 40)})
	}
	return all
}
