package table

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// Mapping says what the columns of a table mean. A mapping file of several documents has a part for each table.
type Mapping struct {
	// Source is the provenance of the rows.
	Source string

	file  string
	parts []*Mapping // all of the file, this one first
	part

	format format
	class  *value
	key    []*value
	fields []field
	owners []ownerRule
	edges  []edgeRule
	keys   []keyRule
	nulls  map[string]bool // texts that mean "there is none"

	columns []use // each column once
}

// use is the first place at which a mapping names a column.
type use struct {
	name       string
	line       int
	isOptional bool // a file may lack it
}

// field is a plain field, an attribute, a label or a link, and where its value comes from.
type field struct {
	name    string
	of      *value
	allowed []string // nil if any value will do
}

// ownerRule makes owners of a cell.
type ownerRule struct {
	isPerson           bool
	key                []*value
	space, role, split string
}

// keyRule makes a key of another space of a cell.
type keyRule struct {
	space string
	key   []*value
}

// edgeRule makes relationships of a cell.
type edgeRule struct {
	kind, space, split, strength string
	isReverse                    bool
	target                       []*value
}

// plainFields are the fields of one text each, with the values that they may have.
var plainFields = map[string][]string{
	"name": nil, "description": nil, "lifecycle": domain.Live.Values(), "environment": domain.Production.Values(),
	"criticality": domain.CriticalityMedium.Values(), "visibility": domain.Everyone.Values(), "tier": nil, "portfolio": domain.PortfolioCatalog.Values(), "category": nil,
	"supportTeam": nil, "availabilityTarget": nil,
}

// ReadMapping reads a mapping file. It refuses what it does not know, with the line of each mistake.
func ReadMapping(name string) (*Mapping, error) {
	content, err := os.ReadFile(name) //nolint:gosec // the person at the command line says which file
	if err != nil {
		return nil, fmt.Errorf("the mapping cannot be read: %w", err)
	}
	return parseMapping(name, content)
}

func parseMapping(name string, content []byte) (*Mapping, error) {
	var first *Mapping
	var wrong []error
	for d, err := range document.Parse(name, content, document.Limits{}) {
		if err != nil {
			return nil, err
		}
		m := &Mapping{file: name, nulls: map[string]bool{}}
		p := &parser{mapping: m, first: first}
		m.read(p, d.Root)
		if first == nil {
			first = m
		}
		first.parts = append(first.parts, m)
		wrong = append(wrong, p.wrong...)
	}
	if first == nil {
		return nil, rejected(name, 1, "the mapping is empty: it begins with version: 1")
	}
	return first, errors.Join(append(wrong, first.checkParts()...)...)
}

// read reads the mapping as a whole.
func (m *Mapping) read(p *parser, root *document.Node) {
	m.line = root.Line
	version, delimiter, encoding := "", "", ""
	if p.first != nil {
		version, m.Source, m.format = "1", p.first.Source, p.first.format
	}
	if root.Is(document.Map) && root.At("record") != nil { // what fields there are depends on it
		m.readRecord(p, root.At("record"))
	}
	words := map[string]func(*document.Node){
		"record":    func(*document.Node) {},
		"version":   func(n *document.Node) { p.text(n, &version) },
		"source":    func(n *document.Node) { p.text(n, &m.Source) },
		"sheet":     func(n *document.Node) { p.text(n, &m.format.sheet) },
		"delimiter": func(n *document.Node) { p.text(n, &delimiter) },
		"encoding": func(n *document.Node) {
			if p.text(n, &encoding) {
				var err error
				if m.format.encoding, err = encodingOf(encoding); err != nil {
					p.fail(n, "%v", err)
				}
			}
		},
		"class": func(n *document.Node) {
			if m.class = p.class(n); m.class != nil && (m.class.split != "" || m.class.space != "") {
				p.fail(n, "a class is one code: it has neither split nor space")
			}
		},
		"key":           func(n *document.Node) { m.key = p.key(n) },
		"keys":          func(n *document.Node) { m.readKeys(p, n) },
		"fields":        func(n *document.Node) { m.readFields(p, n) },
		"relationships": func(n *document.Node) { p.each(n, func(n *document.Node) { m.readEdge(p, n) }) },
		"null": func(n *document.Node) {
			p.each(n, func(n *document.Node) {
				if n.Is(document.Null) {
					m.nulls[""] = true
				} else if p.scalar(n) {
					m.nulls[n.Text()] = true
				}
			})
		},
	}
	m.readers(p, m, words)
	p.fields(root, words)
	if version != "" && version != "1" {
		p.fail(root, "version %q: this program knows version 1", version)
	}
	switch delimiter {
	case "":
	case "\\t", "tab":
		m.format.delimiter = '\t'
	default:
		if m.format.delimiter = rune(delimiter[0]); len(delimiter) > 1 || !strings.Contains(delimiters, delimiter) {
			p.fail(root.At("delimiter"), "delimiter %q: it is one of \",\", \";\", \"|\" and tab", delimiter)
		}
	}
	for _, missing := range []struct {
		name, example string
		isThere       bool
	}{
		{"version", "version: 1", version != ""},
		{"source", "source: servers", m.Source != ""},
		{"key", "key: [Asset Tag]", root.At("key") != nil || m.relation != nil},
		{"class", "class: {default: server}, the same for all rows", root.At("class") != nil || m.relation != nil || m.record != ""},
		{"fields", "fields: {name: Hostname}", root.At("fields") != nil || m.relation != nil},
	} {
		if !missing.isThere && root.Is(document.Map) && root.At(missing.name) == nil {
			p.fail(root, "%s is missing: write %s", missing.name, missing.example)
		}
	}
}

// readFields reads where the values of fields come from.
func (m *Mapping) readFields(p *parser, n *document.Node) {
	if !n.Is(document.Map) {
		p.fail(n, "fields is %s: write a field and its column on each line, such as name: Hostname", n.Kind)
		return
	}
	for _, key := range n.Keys() {
		name, at := key.Text, n.At(key.Text)
		if m.record != "" {
			m.readPartyField(p, key, at)
			continue
		}
		allowed, ok := plainFields[name]
		kind, rest, _ := strings.Cut(name, ".")
		switch {
		case name == "owners":
			p.each(at, func(n *document.Node) { m.readOwner(p, n) })
			continue
		case ok:
		case rest != "" && (kind == "attributes" || kind == "labels"):
		case rest != "" && kind == "links":
			if !slices.Contains(domain.Runbook.Values(), rest) {
				p.failAt(key.Line, "%q is no kind of link%s", rest, nearestOf(rest, domain.Runbook.Values()))
			}
		default:
			known := append(slices.Sorted(maps.Keys(plainFields)), "owners", "attributes.NAME", "labels.NAME", "links.KIND")
			p.failAt(key.Line, "%q is no field: known are %s", name, strings.Join(known, ", "))
			continue
		}
		v := p.value(at)
		if v == nil {
			continue
		}
		f := field{name: name, of: v, allowed: allowed}
		p.checkConstants(f)
		m.fields = append(m.fields, f)
	}
	if n.At("name") == nil {
		p.fail(n, "no field gives a name: write one, such as name: Hostname")
	}
}

// checkConstants checks the values that stand in the mapping itself.
func (p *parser) checkConstants(f field) {
	if f.of.split != "" && !strings.HasPrefix(f.name, "attributes.") {
		p.failAt(f.of.line, "%s is one text: split is for attributes, owners and relationships", f.name)
	}
	if f.of.space != "" && f.name != "supportTeam" {
		p.failAt(f.of.line, "%s is no key of another record, and has no space", f.name)
	}
	if f.allowed == nil {
		return
	}
	constants := slices.Collect(maps.Values(f.of.mapped))
	if f.of.hasDefault {
		constants = append(constants, f.of.fallback)
	}
	slices.Sort(constants)
	for _, c := range constants {
		if !slices.Contains(f.allowed, c) {
			p.failAt(f.of.line, "%s: %s", f.name, noneOf(c, f.allowed))
		}
	}
}

// readKeys reads where keys of other spaces stand.
func (m *Mapping) readKeys(p *parser, n *document.Node) {
	if !n.Is(document.Map) {
		p.fail(n, "keys is %s: write a space and the column of its keys on each line, such as dns: FQDN", n.Kind)
		return
	}
	for _, key := range n.Keys() {
		m.keys = append(m.keys, keyRule{key.Text, p.key(n.At(key.Text))})
	}
}

func (m *Mapping) readOwner(p *parser, n *document.Node) {
	var o ownerRule
	owner := func(isPerson bool) func(*document.Node) {
		return func(n *document.Node) {
			if o.key != nil {
				p.fail(n, "an owner is a team or a person: write two owners")
			}
			o.isPerson, o.key = isPerson, p.key(n)
		}
	}
	wrong := len(p.wrong)
	p.fields(n, map[string]func(*document.Node){
		"team": owner(false), "person": owner(true),
		"space": func(n *document.Node) { p.text(n, &o.space) },
		"role":  func(n *document.Node) { p.text(n, &o.role) },
		"split": func(n *document.Node) { p.text(n, &o.split) },
	})
	if o.key == nil && len(p.wrong) == wrong {
		p.fail(n, "an owner has a team or a person: write where its key stands, such as {team: Team, role: owner}")
	}
	m.owners = append(m.owners, o)
}

func (m *Mapping) readEdge(p *parser, n *document.Node) {
	var e edgeRule
	wrong := len(p.wrong)
	p.fields(n, map[string]func(*document.Node){
		"type":    func(n *document.Node) { p.text(n, &e.kind) },
		"target":  func(n *document.Node) { e.target = p.key(n) },
		"space":   func(n *document.Node) { p.text(n, &e.space) },
		"split":   func(n *document.Node) { p.text(n, &e.split) },
		"reverse": func(n *document.Node) { p.flag(n, &e.isReverse) },
		"strength": func(n *document.Node) {
			if p.text(n, &e.strength) && !slices.Contains(domain.Hard.Values(), e.strength) {
				p.fail(n, "strength: %s", noneOf(e.strength, domain.Hard.Values()))
			}
		},
	})
	if (e.kind == "" || e.target == nil) && len(p.wrong) == wrong {
		p.fail(n, "a relationship has a type and a target: write them, such as {type: runs_on, target: Host}")
	}
	m.edges = append(m.edges, e)
}

// parser collects the mistakes of a mapping.
type parser struct {
	mapping *Mapping
	first   *Mapping // of the file; nil if it is this one
	isClass bool     // a class is read
	wrong   []error
}

func (p *parser) fail(n *document.Node, format string, args ...any) {
	p.failAt(n.Line, format, args...)
}

func (p *parser) failAt(line int, format string, args ...any) {
	p.wrong = append(p.wrong, &importer.Notice{Origin: importer.Origin{File: p.mapping.file, Line: line}, Kind: importer.Rejected, Reason: fmt.Sprintf(format, args...)})
}

// fields reads a map whose keys are known beforehand.
func (p *parser) fields(n *document.Node, known map[string]func(*document.Node)) {
	if !n.Is(document.Map) {
		p.fail(n, "%s stands here: %s are expected, each with its value", n.Kind, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return
	}
	for _, key := range n.Keys() {
		read := known[key.Text]
		if read == nil {
			p.failAt(key.Line, "%q is not known here: %s are", key.Text, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			continue
		}
		read(n.At(key.Text))
	}
}

// each reads a list, or one item as a list of one.
func (p *parser) each(n *document.Node, read func(*document.Node)) {
	if !n.Is(document.List) {
		read(n)
		return
	}
	for _, item := range n.List() {
		read(item)
	}
}

func (p *parser) scalar(n *document.Node) bool {
	if n.Is(document.Text, document.Number, document.Bool) {
		return true
	}
	p.fail(n, "%s stands here: text is expected", n.Kind)
	return false
}

func (p *parser) text(n *document.Node, to *string) bool {
	if !p.scalar(n) {
		return false
	}
	if *to = n.Text(); *to == "" {
		p.fail(n, "nothing stands here: text is expected")
	}
	return *to != ""
}

func (p *parser) flag(n *document.Node, to *bool) {
	if !n.Is(document.Bool) {
		p.fail(n, "%s stands here: true or false is expected", n.Kind)
		return
	}
	*to = strings.EqualFold(n.Text(), "true")
}

// key reads a key: one value, or several that are joined with "/".
func (p *parser) key(n *document.Node) []*value {
	all := []*value{}
	p.each(n, func(n *document.Node) {
		v := p.value(n)
		if v == nil {
			return
		}
		if v.split != "" || v.space != "" {
			p.fail(n, "a part of a key is one text: write split and space beside it, such as {target: Host, split: \";\"}")
		}
		v.trim = true // no key begins or ends with white space
		all = append(all, v)
	})
	if len(all) == 0 {
		p.fail(n, "no column stands here: write at least one")
	}
	return all
}
