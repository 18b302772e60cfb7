package terraform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// rows returns the resources that have a class, and notices of those that have none and of those that have no id.
func (st *state) rows() (rows []importer.Row, notices []*importer.Notice) {
	e := &edges{state: st, found: map[*resource]map[edge]*reason{}}
	e.find()
	skipped := map[string]int{}
	for _, r := range st.resources {
		switch {
		case r.class == "":
			skipped[r.kind]++
			continue
		case r.values.text("id") == "":
			notices = append(notices, rejected(st.file, r.line, "%s has no id: it was not made, or is on its way", r.address))
			continue
		}
		ci := &importer.CI{ExternalID: st.key(r), Class: r.class, Name: r.called(), Labels: map[string]string{"terraform": r.kind}, Attributes: r.attributes()}
		if r.isTainted {
			ci.Labels["tainted"] = "true"
		}
		ci.Relationships = e.of(r)
		rows = append(rows, importer.Row{Origin: importer.Origin{File: st.file, Line: r.line}, CI: ci})
	}
	if len(skipped) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(skipped)) {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, skipped[kind]))
		}
		n := rejected(st.file, 0, "resources of types that have no class: %s", strings.Join(kinds, ", "))
		n.Kind = importer.Skipped
		notices = append(notices, n)
	}
	return rows, notices
}

// called returns what people call a resource.
func (r *resource) called() string {
	for _, list := range []string{"tags", "labels"} {
		tags, _ := r.values[list].(map[string]any)
		if name, ok := tags["Name"].(string); ok && name != "" {
			return name
		}
	}
	if name := r.values.text("tags.Name"); name != "" {
		return name
	}
	for _, attribute := range named {
		if name := r.values.text(attribute); name != "" {
			return name
		}
	}
	return strings.TrimPrefix(r.address, r.module+".")
}

// attributes returns the attributes that a CI of the class gets.
func (r *resource) attributes() map[string]any {
	all := map[string]any{"providerId": r.values.text("id")}
	set := func(name string, from []string) {
		for _, attribute := range from {
			if text := r.values.text(attribute); text != "" {
				all[name] = text
				return
			}
		}
	}
	set("arn", []string{"arn"})
	set("location", located)
	for name, from := range kept[r.class] {
		set(name, from)
	}
	number := func(attribute, name string) {
		if n, ok := r.values[attribute].(float64); ok && n > 0 {
			all[name] = int64(n)
		}
	}
	if r.class == "volume" {
		number("size", "sizeGiB")
	}
	if r.class == "managed_database" {
		number("port", "port")
	}
	return all
}
