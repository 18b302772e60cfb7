package estate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mistake is something wrong at a line of a file.
type mistake struct {
	line   int
	reason string
}

func (m *mistake) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.reason) }

func wrong(n *yaml.Node, format string, args ...any) error {
	return &mistake{line: n.Line, reason: fmt.Sprintf(format, args...)}
}

// setter takes the value of a field.
type setter func(value *yaml.Node) error

// fields reads a mapping whose fields are known beforehand.
func fields(n *yaml.Node, known map[string]setter) error {
	return pairs(n, func(key string, at, value *yaml.Node) error {
		set, ok := known[key]
		if !ok {
			return wrong(at, "unknown field %q; known here are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		return set(value)
	})
}

// pairs reads a mapping key by key, in order. Keys are unique.
func pairs(n *yaml.Node, each func(key string, at, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, "expected fields (key: value), found %s", what(n))
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		at, value := n.Content[i], n.Content[i+1]
		var key string
		if err := text(&key)(at); err != nil {
			return err
		}
		if seen[key] {
			return wrong(at, "%q is written twice here; keep one of them", key)
		}
		seen[key] = true
		if err := each(key, at, value); err != nil {
			return err
		}
	}
	return nil
}

// items reads one value or a list, each item alone or with more behind a colon: a, [a, b] or [a, b: more]. A mapping
// {a: more, b: more} is the same list.
func items(n *yaml.Node, each func(item string, at, more *yaml.Node) error) error {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if item.Kind == yaml.SequenceNode {
				return wrong(item, "expected an id, found %s", what(item))
			}
			if err := items(item, each); err != nil {
				return err
			}
		}
		return nil
	case yaml.MappingNode:
		return pairs(n, each)
	default:
		var item string
		if err := text(&item)(n); err != nil {
			return err
		}
		return each(item, n, nil)
	}
}

// text returns a setter of a string. It takes numbers and the like as they are written.
func text(to *string) setter {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || strings.TrimSpace(n.Value) == "" {
			return wrong(n, "expected text, found %s", what(n))
		}
		*to = strings.TrimSpace(n.Value)
		return nil
	}
}

// oneOf returns a setter of one of the values.
func oneOf(to *string, values []string) setter {
	return func(n *yaml.Node) error {
		var v string
		if err := text(&v)(n); err != nil {
			return err
		}
		if !slices.Contains(values, v) {
			return wrong(n, "%q is not one of %s", v, strings.Join(values, ", "))
		}
		*to = v
		return nil
	}
}

func whole(to *int) setter {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(to) != nil {
			return wrong(n, "expected a whole number, found %s", what(n))
		}
		return nil
	}
}

func number(to *float64) setter {
	return func(n *yaml.Node) error {
		tag := n.ShortTag()
		if n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || n.Decode(to) != nil || math.IsInf(*to, 0) || math.IsNaN(*to) {
			return wrong(n, "expected a number, found %s", what(n))
		}
		return nil
	}
}

// data reads any JSON value. Dates stay text, since JSON has none.
func data(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		object := make(map[string]any, len(n.Content)/2)
		err := pairs(n, func(key string, _, value *yaml.Node) (err error) {
			object[key], err = data(value)
			return err
		})
		return object, err
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if list[i], err = data(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!str", "!!timestamp":
			return n.Value, nil
		case "!!null":
			return nil, nil
		case "!!bool":
			var v bool
			err := n.Decode(&v)
			return v, err
		case "!!int":
			var v int
			err := whole(&v)(n)
			return v, err
		case "!!float":
			var v float64
			err := number(&v)(n)
			return v, err
		}
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return nil, wrong(n, "expected a value that JSON knows, found %s", what(n))
}

// plain refuses anchors, aliases and merge keys anywhere below n.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.ShortTag() == "!!merge" {
		return wrong(n, "anchors, aliases and merge keys are not read here; put what CIs share into defaults")
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

// what describes a node to a person.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "fields (key: value)"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Value == "" || n.ShortTag() == "!!null" {
			return "nothing"
		}
		if r := []rune(n.Value); len(r) > 40 {
			return fmt.Sprintf("%q…", string(r[:40]))
		}
		return fmt.Sprintf("%q", n.Value)
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return "an alias"
}
