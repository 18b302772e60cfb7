package estate

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// typed splits a relationship's key. A key that begins with ^ arrives at this CI instead of leaving it.
func typed(key string, at *yaml.Node) (code string, isReverse bool, err error) {
	code, isReverse = strings.CutPrefix(key, "^")
	if code == "" {
		return "", false, wrong(at, "%q is not a relationship type; write its code, such as depends_on or ^member_of", key)
	}
	return code, isReverse, nil
}

func (d *draft) relationships(n *yaml.Node) error {
	return pairs(n, func(key string, at, targets *yaml.Node) error {
		code, isReverse, err := typed(key, at)
		if err != nil {
			return err
		}
		return items(targets, func(target string, at, strength *yaml.Node) error {
			r := importer.Relationship{Type: code, Target: target, IsReverse: isReverse}
			if strength != nil {
				if err := oneOf(&r.Strength, domain.Hard.Values())(strength); err != nil {
					return err
				}
			}
			if d.has(r) {
				return wrong(at, "%s %s is written twice, here or in the defaults; keep one of them", key, target)
			}
			d.Relationships = append(d.Relationships, r)
			return nil
		})
	})
}

func (d *draft) has(r importer.Relationship) bool {
	return slices.ContainsFunc(d.Relationships, func(o importer.Relationship) bool {
		return o.Type == r.Type && o.Target == r.Target && o.IsReverse == r.IsReverse
	})
}

func (d *draft) groups(n *yaml.Node) error {
	return pairs(n, func(name string, at, body *yaml.Node) error {
		if slices.ContainsFunc(d.Groups, func(g importer.Group) bool { return g.Name == name }) {
			return wrong(at, "the defaults have a group %q already; give this one another name", name)
		}
		g := importer.Group{Name: name}
		err := fields(body, map[string]setter{
			"mode":      oneOf(&g.Mode, domain.Any.Values()),
			"threshold": whole(&g.Threshold),
			"members":   func(n *yaml.Node) error { return d.members(&g, n) },
		})
		switch {
		case err != nil:
			return err
		case g.Mode == "":
			return wrong(at, "the group %q has no mode; write ALL, ANY, AT_LEAST, PERCENT or WEIGHTED", name)
		case len(g.Members) == 0:
			return wrong(at, "the group %q has no members; write them as members: {depends_on: [a, b]}", name)
		}
		if err := possible(g, at); err != nil {
			return err
		}
		d.Groups = append(d.Groups, g)
		return nil
	})
}

// possible refuses a threshold that no state of the members could meet or miss.
func possible(g importer.Group, at *yaml.Node) error {
	most := 0
	switch domain.GroupMode(g.Mode) {
	case domain.All, domain.Any:
		if g.Threshold != 0 {
			return wrong(at, "the group %q has a threshold, and mode %s takes none", g.Name, g.Mode)
		}
		return nil
	case domain.AtLeast:
		most = len(g.Members)
	case domain.Percent:
		most = 100
	case domain.Weighted:
		for _, m := range g.Members {
			if m.Weight < 1 {
				return wrong(at, "the group %q gives %s the weight %d; the least is 1", g.Name, m.Target, m.Weight)
			}
			most += m.Weight
		}
	}
	if g.Threshold < 1 || g.Threshold > most {
		return wrong(at, "the group %q needs a threshold from 1 to %d, found %d", g.Name, most, g.Threshold)
	}
	return nil
}

// members reads the members of a group and adds those that are not among the CI's relationships yet.
func (d *draft) members(g *importer.Group, n *yaml.Node) error {
	return pairs(n, func(key string, at, targets *yaml.Node) error {
		code, isReverse, err := typed(key, at)
		if err != nil {
			return err
		}
		return items(targets, func(target string, at, weight *yaml.Node) error {
			m := importer.GroupMember{Type: code, Target: target, IsReverse: isReverse, Weight: 1}
			if weight != nil {
				if err := whole(&m.Weight)(weight); err != nil {
					return err
				}
			}
			if slices.ContainsFunc(g.Members, func(o importer.GroupMember) bool {
				return o.Type == m.Type && o.Target == m.Target && o.IsReverse == m.IsReverse
			}) {
				return wrong(at, "%s %s is a member of %q already; keep one of them", key, target, g.Name)
			}
			g.Members = append(g.Members, m)
			r := importer.Relationship{Type: code, Target: target, IsReverse: isReverse}
			if !d.has(r) {
				d.Relationships = append(d.Relationships, r)
			}
			return nil
		})
	})
}
