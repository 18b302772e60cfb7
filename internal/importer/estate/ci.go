package estate

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// draft is a CI being read: the document's defaults first, its own fields over them.
type draft struct {
	importer.CI
	// grouped are the groups as written. They are read last, so that the order of fields does not matter.
	grouped *yaml.Node
}

// ci reads a CI over a copy of the defaults. A CI with an empty body takes all from the defaults.
func (d draft) ci(id string, n *yaml.Node) (importer.Row, error) {
	own := d.clone()
	own.ExternalID, own.Name = id, id
	if n.ShortTag() != "!!null" {
		known := own.fields()
		known["name"] = text(&own.Name)
		known["keys"] = own.keys
		if err := own.fill(n, known); err != nil {
			return importer.Row{}, err
		}
	}
	if own.Class == "" {
		return importer.Row{}, wrong(n, "%q has no class; write one here or in defaults, such as class: database", id)
	}
	return importer.Row{CI: &own.CI}, nil
}

// read reads defaults, which may hold all fields of a CI but its name.
func (d *draft) read(n *yaml.Node) error { return d.fill(n, d.fields()) }

func (d *draft) fill(n *yaml.Node, known map[string]setter) error {
	d.grouped = nil
	if err := fields(n, known); err != nil || d.grouped == nil {
		return err
	}
	return d.groups(d.grouped)
}

func (d draft) clone() *draft {
	d.Labels = maps.Clone(d.Labels)
	d.Attributes = maps.Clone(d.Attributes)
	d.Owners = slices.Clone(d.Owners)
	d.Relationships = slices.Clone(d.Relationships)
	d.Groups = slices.Clone(d.Groups)
	if d.Service != nil {
		s := *d.Service
		d.Service = &s
	}
	return &d
}

func (d *draft) fields() map[string]setter {
	return map[string]setter{
		"class":       text(&d.Class),
		"description": text(&d.Description),
		"lifecycle":   oneOf(&d.Lifecycle, domain.Live.Values()),
		"environment": oneOf(&d.Environment, domain.Production.Values()),
		"criticality": oneOf(&d.Criticality, domain.CriticalityCritical.Values()),
		"visibility":  oneOf(&d.Visibility, domain.Everyone.Values()),
		"labels": func(n *yaml.Node) error {
			if d.Labels == nil {
				d.Labels = map[string]string{}
			}
			return pairs(n, func(key string, _, value *yaml.Node) (err error) {
				d.Labels[key], err = label(value)
				return err
			})
		},
		"attributes": func(n *yaml.Node) error {
			if d.Attributes == nil {
				d.Attributes = map[string]any{}
			}
			return pairs(n, func(key string, _, value *yaml.Node) (err error) {
				d.Attributes[key], err = data(value)
				return err
			})
		},
		"owners":        d.owners,
		"service":       d.service,
		"relationships": d.relationships,
		"groups": func(n *yaml.Node) error {
			d.grouped = n
			return nil
		},
	}
}

// label reads the value of a label, which may be empty if it is written as "".
func label(n *yaml.Node) (s string, err error) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value == "" {
		return "", nil
	}
	err = text(&s)(n)
	return s, err
}

// keys reads the keys of the CI in other spaces: {servers: A-1001}, or a list if it has several in one.
func (d *draft) keys(n *yaml.Node) error {
	return pairs(n, func(space string, _, keys *yaml.Node) error {
		return items(keys, func(key string, at, more *yaml.Node) error {
			if more != nil {
				return wrong(at, "a key here is a text alone, such as {servers: A-1001}")
			}
			d.Keys = append(d.Keys, importer.Key{Space: space, Key: key})
			return nil
		})
	})
}

// owners replaces the defaults' owners by those of the CI.
func (d *draft) owners(n *yaml.Node) error {
	d.Owners = nil
	return items(n, func(item string, at, more *yaml.Node) error {
		var o importer.Owner
		if more != nil {
			if err := text(&o.Role)(more); err != nil {
				return err
			}
		}
		if id, ok := strings.CutPrefix(item, "person/"); ok {
			o.Person = id
		} else {
			o.Team = item
		}
		if o.Person == "" && o.Team == "" {
			return wrong(at, "%q names nobody; write a team's id, or person/ and a person's", item)
		}
		d.Owners = append(d.Owners, o)
		return nil
	})
}

func (d *draft) service(n *yaml.Node) error {
	if d.Service == nil {
		d.Service = &importer.Service{}
	}
	s := d.Service
	return fields(n, map[string]setter{
		"tier":         text(&s.Tier),
		"portfolio":    oneOf(&s.Portfolio, domain.PortfolioCatalog.Values()),
		"category":     text(&s.Category),
		"support":      text(&s.SupportTeam),
		"availability": number(&s.AvailabilityTarget),
		"links": func(n *yaml.Node) (err error) {
			s.Links, err = links(n)
			return err
		},
	})
}

// links reads [RUNBOOK: https://…], or {kind, title, url} if the title matters.
func links(n *yaml.Node) (all []importer.Link, err error) {
	if n.Kind != yaml.SequenceNode {
		return nil, wrong(n, "expected a list such as [RUNBOOK: https://runbooks.example.com/orders], found %s", what(n))
	}
	for _, item := range n.Content {
		var l importer.Link
		kind := oneOf(&l.Kind, domain.Runbook.Values())
		long := map[string]setter{"kind": kind, "title": text(&l.Title), "url": text(&l.URL)}
		if item.Kind == yaml.MappingNode && len(item.Content) == 2 && long[item.Content[0].Value] == nil {
			if err = kind(item.Content[0]); err == nil {
				err = text(&l.URL)(item.Content[1])
			}
		} else {
			err = fields(item, long)
		}
		if err == nil && (l.Kind == "" || l.URL == "") {
			err = wrong(item, "a link needs a kind and a URL, such as RUNBOOK: https://runbooks.example.com/orders")
		}
		if err != nil {
			return nil, err
		}
		if l.Title == "" {
			l.Title = titled(l.Kind)
		}
		all = append(all, l)
	}
	return all, nil
}

// titled turns ON_CALL into "On call".
func titled(kind string) string {
	s := strings.ToLower(strings.ReplaceAll(kind, "_", " "))
	return strings.ToUpper(s[:1]) + s[1:]
}
