package graph_test

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// holds reports whether a filter holds for a CI, by the words of the contract.
func (r found) holds(f object) bool {
	for kind, v := range f {
		o, _ := v.(object)
		all, _ := v.([]any)
		is := true
		switch kind {
		case "name":
			is = compared(o, r.Name)
			if part, ok := o["contains"].(string); ok {
				is = is && strings.Contains(strings.ToLower(r.Name), strings.ToLower(part))
			}
			if part, ok := o["startsWith"].(string); ok {
				is = is && strings.HasPrefix(strings.ToLower(r.Name), strings.ToLower(part))
			}
		case "lifecycle":
			is = together(o, string(r.Lifecycle))
		case "environment":
			is = together(o, string(r.Environment))
		case "kind":
			is = together(o, string(*r.ServiceKind))
		case "tier":
			is = together(o, map[bool]string{true: "tier-1"}[r.TierID != nil])
		case "class":
			is = together(o, r.classes...)
		case "ownerTeam":
			is = together(o, texts(r.owners)...)
		case "supportTeam":
			is = together(o, "")
			if r.SupportTeamID != nil {
				is = together(o, r.SupportTeamID.String())
			}
		case "createdAt":
			at := dawn.Add(1e9)
			is = o["gte"] != nil && !r.CreatedAt.Before(at) || o["lt"] != nil && r.CreatedAt.Before(at)
		case "labels":
			for _, l := range all {
				text, has := r.Labels[l.(object)["name"].(string)]
				in, named := l.(object)["in"].([]any)
				eq, given := l.(object)["eq"]
				if given && eq == nil {
					is = is && (!has || slices.Contains(in, any(text)))
					continue
				}
				if !has || (given || named) && text != eq && !slices.Contains(in, any(text)) {
					is = false
				}
			}
		case "attributes":
			for _, a := range all {
				is = is && r.holdsAttribute(a.(object))
			}
		case "and":
			is = !slices.ContainsFunc(all, func(f any) bool { return !r.holds(f.(object)) })
		case "or":
			is = slices.ContainsFunc(all, func(f any) bool { return r.holds(f.(object)) })
		case "not":
			is = !r.holds(o)
		}
		if !is {
			return false
		}
	}
	return true
}

func (r found) holdsAttribute(a object) bool {
	value, has := r.Attributes[a["path"].(string)]
	number, isNumber := value.(float64)
	scalar := func(v any) bool {
		switch v.(type) {
		case string, float64, bool:
			return has && value == v
		}
		return false
	}
	eq, given := a["eq"]
	if given && eq == nil && has {
		return false
	}
	if eq != nil && !isContainer(value) && !scalar(eq) || eq != nil && isContainer(value) {
		return false
	}
	if in, ok := a["in"].([]any); ok && (isContainer(value) || !slices.ContainsFunc(in, scalar)) {
		return false
	}
	if least, ok := a["gte"].(float64); ok && !(isNumber && number >= least) {
		return false
	}
	if most, ok := a["lt"].(float64); ok && !(isNumber && number < most) {
		return false
	}
	exists, ok := a["exists"].(bool)
	return !ok || exists == has
}

func isContainer(v any) bool {
	_, isList := v.([]any)
	_, isObject := v.(object)
	return isList || isObject
}

func texts(ids []ident.ID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id.String()
	}
	return all
}

// compared reports whether eq and in of a text both hold.
func compared(o object, have string) bool {
	eq, hasEq := o["eq"]
	in, hasIn := o["in"].([]any)
	return (!hasEq || eq == have || eq == nil && have == "") && (!hasIn || slices.Contains(in, any(have)))
}

// together reports whether eq and in of a list of names both hold: one of all the values must be one of the record's.
// An eq of null is one of what has none.
func together(o object, have ...string) bool {
	eq, hasEq := o["eq"]
	in, hasIn := o["in"].([]any)
	if !hasEq && !hasIn {
		return true
	}
	have = slices.DeleteFunc(slices.Clone(have), func(h string) bool { return h == "" })
	return hasEq && eq == nil && len(have) == 0 || slices.ContainsFunc(have, func(h string) bool { return eq == h || slices.Contains(in, any(h)) })
}

func names(f object, field string) bool {
	if o, ok := f[field].(object); ok && o != nil {
		return true
	}
	for _, kind := range []string{"and", "or"} {
		all, _ := f[kind].([]any)
		if slices.ContainsFunc(all, func(f any) bool { return names(f.(object), field) }) {
			return true
		}
	}
	inner, ok := f["not"].(object)
	return ok && names(inner, field)
}
