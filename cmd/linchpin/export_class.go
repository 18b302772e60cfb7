package main

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

// shownClass is a class as it is asked for: its attributes are those of the classes above it too.
type shownClass struct {
	Code, Label, Description, Icon string
	Parent                         *struct{ Code string }
	IsAbstract                     bool
	AttributeSchema                map[string]any
	IdentityRules                  [][]string
}

const classesQuestion = `query($first: Int, $after: String) { ciClasses(first: $first, after: $after) {
  nodes { code label description icon parent { code } isAbstract attributeSchema identityRules } pageInfo { hasNextPage endCursor } } }`

// ownClasses returns the classes that are not, or not so, in every new database, each after the class above it.
func (a *answerer) ownClasses(ctx context.Context) (own []cmdb.CreateCIClass, err error) {
	found, err := paged[shownClass](ctx, a, "ciClasses", classesQuestion, pageSize, nil)
	if err != nil {
		return nil, err
	}
	byCode, seeded := map[string]shownClass{}, seededClasses()
	for _, c := range found {
		byCode[c.Code] = c
	}
	done := map[string]bool{}
	var add func(c shownClass)
	add = func(c shownClass) {
		if done[c.Code] {
			return
		}
		done[c.Code] = true
		above := shownClass{}
		if c.Parent != nil {
			above = byCode[c.Parent.Code]
			add(above)
		}
		if was, ok := seeded[c.Code]; ok && reflect.DeepEqual(without(c, above), was) {
			return
		}
		own = append(own, without(c, above))
	}
	slices.SortFunc(found, func(a, b shownClass) int { return strings.Compare(a.Code, b.Code) })
	for _, c := range found {
		add(c)
	}
	return own, nil
}

// seededClasses returns the classes of a new database, as without would return them.
func seededClasses() map[string]cmdb.CreateCIClass {
	all, shown := map[string]cmdb.CreateCIClass{}, map[string]shownClass{}
	lines := map[string][]map[string]any{}
	for _, c := range cmdb.SeededClasses() { // each after the one above it
		line := append(slices.Clone(lines[c.Parent]), c.AttributeSchema)
		lines[c.Code] = line
		s := shownClass{Code: c.Code, Label: c.Label, Description: *c.Description, Icon: *c.Icon, IsAbstract: *c.IsAbstract, IdentityRules: c.IdentityRules}
		if c.Parent != "" {
			s.Parent = &struct{ Code string }{c.Parent}
		}
		if text, err := json.Marshal(attribute.Effective(line...)); err == nil {
			_ = json.Unmarshal(text, &s.AttributeSchema) // of what was marshalled
		}
		shown[c.Code] = s
		all[c.Code] = without(s, shown[c.Parent])
	}
	return all
}

// without returns a class with the attributes that it adds to those of the class above it.
func without(c, above shownClass) cmdb.CreateCIClass {
	made := cmdb.CreateCIClass{Code: c.Code, Label: c.Label, Description: &c.Description, Icon: &c.Icon, IsAbstract: &c.IsAbstract}
	if c.Parent != nil {
		made.Parent = c.Parent.Code
	}
	if len(c.IdentityRules) > 0 {
		made.IdentityRules = c.IdentityRules
	}
	properties := map[string]any{}
	inherited := object(above.AttributeSchema, "properties")
	for name, schema := range object(c.AttributeSchema, "properties") {
		if _, ok := inherited[name]; !ok {
			properties[name] = schema
		}
	}
	required := listed(c.AttributeSchema, "required")
	before := listed(above.AttributeSchema, "required")
	required = slices.DeleteFunc(slices.Clone(required), func(name any) bool { return slices.Contains(before, name) })
	parts := listed(c.AttributeSchema, "allOf")
	parts = parts[min(len(listed(above.AttributeSchema, "allOf")), len(parts)):]
	switch {
	case len(parts) > 0: // the schema says more than which attributes there are, and stands as it was written
		if part, ok := parts[0].(map[string]any); ok {
			made.AttributeSchema = maps.Clone(part)
			delete(made.AttributeSchema, "$id")
		}
	case len(properties) > 0 || len(required) > 0:
		made.AttributeSchema = map[string]any{"type": "object", "properties": properties}
		if len(required) > 0 {
			made.AttributeSchema["required"] = required
		}
	}
	return made
}

func object(of map[string]any, name string) map[string]any {
	m, _ := of[name].(map[string]any)
	return m
}

func listed(of map[string]any, name string) []any {
	l, _ := of[name].([]any)
	return l
}

// neededClasses returns the classes of CIs, and those above them.
func neededClasses(all []cmdb.CreateCIClass, cis []importer.CI) []cmdb.CreateCIClass {
	above, needed := map[string]string{}, map[string]bool{}
	for _, c := range all {
		above[c.Code] = c.Parent
	}
	for _, c := range cis {
		for code := c.Class; code != ""; code = above[code] {
			needed[code] = true
		}
	}
	return slices.DeleteFunc(all, func(c cmdb.CreateCIClass) bool { return !needed[c.Code] })
}
