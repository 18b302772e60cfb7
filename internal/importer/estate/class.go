package estate

import (
	"context"
	"encoding/json"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// class reads a class of CIs.
func class(code string, n *yaml.Node) (cmdb.CreateCIClass, error) {
	c := cmdb.CreateCIClass{Code: code, Label: code}
	var description, icon string
	err := fields(n, map[string]setter{
		"label":       text(&c.Label),
		"description": text(&description),
		"icon":        text(&icon),
		"parent":      text(&c.Parent),
		"abstract": func(n *yaml.Node) error {
			var is bool
			if n.ShortTag() != "!!bool" || n.Decode(&is) != nil {
				return wrong(n, "expected true or false, found %s", what(n))
			}
			c.IsAbstract = &is
			return nil
		},
		"attributes": func(n *yaml.Node) error { return schema(&c.AttributeSchema, n) },
		"identity": func(n *yaml.Node) error {
			if n.Kind != yaml.SequenceNode {
				return wrong(n, "expected lists of attributes such as [[serialNumber, vendor]], found %s", what(n))
			}
			for _, rule := range n.Content {
				var names []string
				if err := items(rule, func(name string, _, _ *yaml.Node) error {
					names = append(names, name)
					return nil
				}); err != nil {
					return err
				}
				c.IdentityRules = append(c.IdentityRules, names)
			}
			return nil
		},
	})
	if err == nil && c.Parent == "" {
		err = wrong(n, "the class %q has no parent; write the class above it, such as parent: server", code)
	}
	c.Description, c.Icon = &description, &icon
	return c, err
}

// schema reads a JSON Schema as a database would give it back.
func schema(to *map[string]any, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, "expected a JSON Schema such as {properties: {rotor: {type: string}}}, found %s", what(n))
	}
	read, err := data(n)
	if err != nil {
		return err
	}
	text, err := json.Marshal(read)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// Classes returns the classes that the files have, in the order in which they are written. Mistakes in them are notices
// of Rows.
func (s *Source) Classes(ctx context.Context) (all []cmdb.CreateCIClass, err error) {
	for file, err := range s.files(ctx) {
		if problem := (*importer.Notice)(nil); errors.As(err, &problem) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(file.Content) > maxFileSize {
			continue
		}
		for doc, err := range documents(file.Content) {
			if err != nil {
				break
			}
			found, err := records(doc)
			if err != nil {
				continue
			}
			for _, r := range found {
				if r.isClass {
					if c, err := class(r.id, r.body); err == nil {
						all = append(all, c)
					}
				}
			}
		}
	}
	return all, ctx.Err()
}
