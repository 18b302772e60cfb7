package estate

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// Estate is what a file holds. All of it is named by keys of one source.
type Estate struct {
	Classes []cmdb.CreateCIClass // each after the class above it
	Teams   []importer.Team
	People  []importer.Person
	CIs     []importer.CI
}

// Write writes an estate as a file that a Source reads, in the order that it has. It writes nothing if such a file
// would be too large to be read.
func Write(w io.Writer, e Estate) error {
	root := &mapping{}
	for _, c := range e.Classes {
		root.in("classes").add(c.Code, classFields(c).node())
	}
	for _, t := range e.Teams {
		if strings.HasPrefix(t.ExternalID, personPrefix) {
			return fmt.Errorf("the key %q of a team begins as those of people do: export ndjson in place of an estate", t.ExternalID)
		}
		m := &mapping{}
		m.text("name", t.Name)
		m.text("description", t.Description)
		m.text("email", t.Email)
		m.text("parent", t.Parent)
		root.in("teams").add(t.ExternalID, m.node())
	}
	for _, p := range e.People {
		m := &mapping{}
		m.text("name", p.Name)
		m.text("email", p.Email)
		m.list("teams", p.Teams)
		root.in("people").add(p.ExternalID, m.node())
	}
	for i := range e.CIs {
		root.in("cis").add(e.CIs[i].ExternalID, ciFields(&e.CIs[i]).node())
	}
	if len(root.keys) == 0 {
		return nil
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(root.node()); err != nil {
		return err
	}
	if text.Len() > maxFileSize {
		return fmt.Errorf("the estate has %d MiB, and a file of it at most %d: export ndjson, or a part of it", text.Len()>>20, maxFileSize>>20)
	}
	_, err := text.WriteTo(w)
	return err
}

// personPrefix tells the key of a person from that of a team.
const personPrefix = "person/"

func classFields(c cmdb.CreateCIClass) *mapping {
	m := &mapping{}
	m.text("label", c.Label)
	if c.Description != nil {
		m.text("description", *c.Description)
	}
	m.text("parent", c.Parent)
	if c.IsAbstract != nil && *c.IsAbstract {
		m.add("abstract", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	if c.Icon != nil {
		m.text("icon", *c.Icon)
	}
	if len(c.AttributeSchema) > 0 {
		m.add("attributes", value(c.AttributeSchema))
	}
	if len(c.IdentityRules) > 0 {
		rules := &yaml.Node{Kind: yaml.SequenceNode}
		for _, rule := range c.IdentityRules {
			rules.Content = append(rules.Content, words(rule))
		}
		m.add("identity", rules)
	}
	return m
}

func ciFields(c *importer.CI) *mapping {
	m := &mapping{}
	m.text("class", c.Class)
	if c.Name != c.ExternalID {
		m.text("name", c.Name)
	}
	m.text("description", c.Description)
	m.text("lifecycle", c.Lifecycle)
	m.text("environment", c.Environment)
	m.text("criticality", c.Criticality)
	m.text("visibility", c.Visibility)
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		m.in("labels").add(name, scalar(c.Labels[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		m.in("attributes").add(name, value(c.Attributes[name]))
	}
	for _, o := range c.Owners {
		key := o.Team
		if o.Person != "" {
			key = personPrefix + o.Person
		}
		m.item("owners", pair(key, o.Role))
	}
	if c.Service != nil {
		m.add("service", serviceFields(c.Service).node())
	}
	for _, k := range c.Keys {
		m.in("keys").item(k.Space, scalar(k.Key))
	}
	for _, r := range c.Relationships {
		m.in("relationships").item(towards(r.Type, r.IsReverse), pair(r.Target, r.Strength))
	}
	for _, g := range c.Groups {
		m.in("groups").add(g.Name, groupFields(g).node())
	}
	return m
}

func serviceFields(s *importer.Service) *mapping {
	m := &mapping{}
	m.text("tier", s.Tier)
	m.text("portfolio", s.Portfolio)
	m.text("category", s.Category)
	m.text("support", s.SupportTeam)
	if s.AvailabilityTarget != 0 {
		m.add("availability", value(s.AvailabilityTarget))
	}
	for _, l := range s.Links {
		link := &mapping{}
		link.text("kind", l.Kind)
		link.text("title", l.Title)
		link.text("url", l.URL)
		m.item("links", link.node())
	}
	return m
}

func groupFields(g importer.Group) *mapping {
	m := &mapping{}
	m.text("mode", g.Mode)
	if g.Threshold != 0 {
		m.add("threshold", value(g.Threshold))
	}
	for _, member := range g.Members {
		weight := ""
		if member.Weight > 1 || g.Mode == string(domain.Weighted) {
			weight = strconv.Itoa(cmp.Or(member.Weight, 1))
		}
		m.in("members").item(towards(member.Type, member.IsReverse), pair(member.Target, weight))
	}
	return m
}

// towards returns a type of relationships as a key: one that arrives at the CI begins with ^.
func towards(code string, isReverse bool) string {
	if isReverse {
		return "^" + code
	}
	return code
}

// mapping is a YAML mapping that is being written, in order.
type mapping struct {
	keys   []string
	values map[string]*yaml.Node
	below  map[string]*mapping
}

// add adds a value.
func (m *mapping) add(key string, n *yaml.Node) {
	if m.values == nil {
		m.values = map[string]*yaml.Node{}
	}
	if m.values[key] == nil && m.below[key] == nil {
		m.keys = append(m.keys, key)
	}
	m.values[key] = n
}

// text adds a text, unless there is none.
func (m *mapping) text(key, s string) {
	if s = strings.TrimSpace(s); s != "" {
		m.add(key, scalar(s))
	}
}

// list adds a list, unless it is empty.
func (m *mapping) list(key string, all []string) {
	if len(all) > 0 {
		m.add(key, words(all))
	}
}

// item adds an item to a list.
func (m *mapping) item(key string, n *yaml.Node) {
	if m.values[key] == nil {
		m.add(key, &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle})
	}
	m.values[key].Content = append(m.values[key].Content, n)
}

// in returns the mapping below a key.
func (m *mapping) in(key string) *mapping {
	if m.below[key] == nil {
		if m.below == nil {
			m.below = map[string]*mapping{}
		}
		m.keys = append(m.keys, key)
		m.below[key] = &mapping{}
	}
	return m.below[key]
}

func (m *mapping) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range m.keys {
		of := m.values[key]
		if of == nil {
			of = m.below[key].node()
		}
		n.Content = append(n.Content, scalar(key), of)
	}
	return n
}

// words returns texts on one line.
func words(all []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, s := range all {
		n.Content = append(n.Content, scalar(s))
	}
	return n
}

// pair returns a word, with another one behind a colon if there is one.
func pair(word, more string) *yaml.Node {
	if more == "" {
		return scalar(word)
	}
	behind := scalar(more)
	if _, err := strconv.Atoi(more); err == nil {
		behind = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: more}
	}
	return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar(word), behind}}
}

// bare are the texts that need no quotes, whatever stands around them.
var bare = regexp.MustCompile(`^[A-Za-z_/](?:[A-Za-z0-9_./@+-]| [A-Za-z0-9_./@+-])*$`)

// meaning are words that YAML, or an older one, reads as something else than text.
var meaning = map[string]bool{
	"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true,
}

// scalar returns a text, in quotes unless it needs none.
func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !bare.MatchString(s) || meaning[strings.ToLower(s)] {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// value returns a value of JSON.
func value(v any) *yaml.Node {
	number := func(tag, text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text} }
	switch v := v.(type) {
	case map[string]any:
		m := &mapping{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m.add(name, value(v[name]))
		}
		n := m.node()
		n.Style = yaml.FlowStyle
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range v {
			n.Content = append(n.Content, value(item))
		}
		return n
	case string:
		return scalar(v)
	case bool:
		return number("!!bool", strconv.FormatBool(v))
	case int:
		return number("!!int", strconv.Itoa(v))
	case int64:
		return number("!!int", strconv.FormatInt(v, 10))
	case float64:
		if whole := int64(v); float64(whole) == v && v > -1<<53 && v < 1<<53 {
			return number("!!int", strconv.FormatInt(whole, 10))
		}
		return number("!!float", strconv.FormatFloat(v, 'g', -1, 64))
	}
	return number("!!null", "null")
}
