package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// exportedPage is how many CIs are asked for at once, so that the limits of a server allow it.
const exportedPage = 20

// wholeCI is a CI with all that belongs to it, as it is asked for.
type wholeCI struct {
	exportedCI
	Visibility string
	Owners     []struct {
		Role         string
		IsPrimary    bool
		Team, Person *struct{ ID string }
	}
	Service *struct {
		Tier                     *struct{ Code string }
		PortfolioStage, Category string
		Links                    []importer.Link
		SupportTeam              *struct{ ID string }
		AvailabilityTarget       *float64
	}
	Relationships    wholeEdges
	DependencyGroups []struct {
		Name, Mode      string
		Threshold       int
		RestrictedCount int
		Members         []struct {
			Weight       int
			Relationship struct{ ID string }
		}
	}
}

type wholeEdges struct {
	Nodes    []wholeEdge
	PageInfo pageInfo
}

type wholeEdge struct {
	ID, Strength, Evidence string
	IsStrengthOverridden   bool
	Type                   struct{ Code string }
	Target                 struct{ ID string }
}

const (
	edgesQuestion = `nodes { id type { code } target { id } strength isStrengthOverridden evidence } pageInfo { hasNextPage endCursor }`
	wholeQuestion = `query($filter: CIFilter, $first: Int, $after: String) {
  cis(filter: $filter, orderBy: [{field: CREATED_AT}], first: $first, after: $after) {
    nodes {
      id name description lifecycle environment criticality visibility class { code } owners { role isPrimary team { id } person { id } }
      externalIdentities { source externalId } labels { name value } attributes
      service { tier { code } portfolioStage category links { kind title url } supportTeam { id } availabilityTarget }
      relationships(direction: OUTGOING, first: 20) { ` + edgesQuestion + ` }
      dependencyGroups { name mode threshold restrictedCount members { weight relationship { id } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`
	moreEdgesQuestion = `query($id: ID!, $after: String) { ci(id: $id) { relationships(direction: OUTGOING, first: 100, after: $after) { ` + edgesQuestion + ` } } }`
	teamsQuestion     = `query($first: Int, $after: String) { teams(first: $first, after: $after) {
  nodes { id name description email parent { id } externalIdentities { source externalId } } pageInfo { hasNextPage endCursor } } }`
	peopleQuestion = `query($first: Int, $after: String) { people(first: $first, after: $after) {
  nodes { id name email teams { id } externalIdentities { source externalId } } pageInfo { hasNextPage endCursor } } }`
)

// paged asks for all pages of a list.
func paged[T any](ctx context.Context, a *answerer, list, question string, size int, variables map[string]any) (all []T, err error) {
	for after := (*string)(nil); ; {
		var found map[string]struct {
			Nodes    []T
			PageInfo pageInfo
		}
		asked := map[string]any{"first": size, "after": after}
		for name, value := range variables {
			asked[name] = value
		}
		if err := a.ask(ctx, &found, question, asked); err != nil {
			return nil, err
		}
		all = append(all, found[list].Nodes...)
		if after = found[list].PageInfo.EndCursor; !found[list].PageInfo.HasNextPage {
			return all, nil
		}
	}
}

// exporting makes rows of what was read.
type exporting struct {
	source string
	keys   map[string]string // of records, by their ids
	taken  map[string]bool   // the keys that are in use
	named  map[string]bool   // the teams and people that CIs name, by their ids
	edges  map[string]*edgeEnds
	left   struct{ edges, groups int }
}

// edgeEnds is a relationship with the ids of its ends.
type edgeEnds struct {
	wholeEdge
	source string
	holder string // the CI that has it in a group; else ""
}

// readExport reads what the actor may see, or what a filter chooses of it.
func readExport(ctx context.Context, a *answerer, env *environment, source string, filter map[string]any) (made exported, err error) {
	chosen := map[string]any{"lifecycle": map[string]any{"in": domain.Live.Values()}}
	if filter != nil {
		chosen = map[string]any{"and": []any{chosen, filter}}
	}
	cis, err := paged[wholeCI](ctx, a, "cis", wholeQuestion, exportedPage, map[string]any{"filter": chosen})
	if err != nil {
		return made, err
	}
	if err := moreEdges(ctx, a, cis); err != nil {
		return made, err
	}
	teams, err := paged[exportedTeam](ctx, a, "teams", teamsQuestion, pageSize, nil)
	if err != nil {
		return made, err
	}
	people, err := paged[exportedPerson](ctx, a, "people", peopleQuestion, pageSize, nil)
	if err != nil {
		return made, err
	}
	e := &exporting{source: source, keys: map[string]string{}, taken: map[string]bool{}, named: map[string]bool{}, edges: map[string]*edgeEnds{}}
	if filter != nil {
		e.choose(cis, &teams, &people)
	}
	e.nameAll(cis, teams, people)
	for _, t := range teams {
		made.Teams = append(made.Teams, importer.Team{ExternalID: e.keys[t.ID], Name: t.Name, Description: t.Description, Email: t.Email, Parent: e.keys[idOf(t.Parent)]})
	}
	for _, p := range people {
		made.People = append(made.People, importer.Person{ExternalID: e.keys[p.ID], Name: p.Name, Email: p.Email, Teams: e.keysOf(p.Teams)})
	}
	made.CIs = e.rows(cis)
	sorted(made.Teams, func(t *importer.Team) string { return t.ExternalID })
	sorted(made.People, func(p *importer.Person) string { return p.ExternalID })
	sorted(made.CIs, func(c *importer.CI) string { return c.ExternalID })
	if made.Classes, err = a.ownClasses(ctx); err != nil {
		return made, err
	}
	if filter != nil {
		made.Classes = neededClasses(made.Classes, made.CIs)
	}
	if e.left.edges > 0 || e.left.groups > 0 {
		_, _ = fmt.Fprintf(env.stderr, "Left out, since what they lead to is not exported: %d relationships, %d dependency groups.\n", e.left.edges, e.left.groups)
	}
	return made, nil
}

// moreEdges asks for the relationships of those CIs that have more than a page of them.
func moreEdges(ctx context.Context, a *answerer, cis []wholeCI) error {
	for i := range cis {
		for of := &cis[i].Relationships; of.PageInfo.HasNextPage; {
			var found struct {
				CI *struct{ Relationships wholeEdges }
			}
			if err := a.ask(ctx, &found, moreEdgesQuestion, map[string]any{"id": cis[i].ID, "after": of.PageInfo.EndCursor}); err != nil {
				return err
			}
			if found.CI == nil { // it has just been hidden
				break
			}
			of.Nodes, of.PageInfo = append(of.Nodes, found.CI.Relationships.Nodes...), found.CI.Relationships.PageInfo
		}
	}
	return nil
}

type exportedTeam struct {
	ID, Name, Description, Email string
	Parent                       *struct{ ID string }
	ExternalIdentities           []domain.ExternalKey
}

type exportedPerson struct {
	ID, Name, Email    string
	Teams              []struct{ ID string }
	ExternalIdentities []domain.ExternalKey
}

// idOf returns the id of a record. If the record is nil, it returns "".
func idOf(of *struct{ ID string }) string {
	if of == nil {
		return ""
	}
	return of.ID
}

// choose keeps the teams and people that CIs name, with the teams above them.
func (e *exporting) choose(cis []wholeCI, teams *[]exportedTeam, people *[]exportedPerson) {
	for _, c := range cis {
		for _, o := range c.Owners {
			e.named[idOf(o.Team)], e.named[idOf(o.Person)] = true, true
		}
		if c.Service != nil {
			e.named[idOf(c.Service.SupportTeam)] = true
		}
	}
	above := map[string]string{}
	for _, t := range *teams {
		above[t.ID] = idOf(t.Parent)
	}
	for _, t := range *teams {
		for id := t.ID; e.named[t.ID] && id != ""; id = above[id] {
			e.named[id] = true
		}
	}
	*teams = slices.DeleteFunc(*teams, func(t exportedTeam) bool { return !e.named[t.ID] })
	*people = slices.DeleteFunc(*people, func(p exportedPerson) bool { return !e.named[p.ID] })
}

// nameAll gives each record a key: its own of the source or, if it has none, one that is made of another key or its id.
func (e *exporting) nameAll(cis []wholeCI, teams []exportedTeam, people []exportedPerson) {
	var without []func()
	name := func(id string, identities []domain.ExternalKey) {
		own, other := "", ""
		for _, k := range identities {
			switch {
			case k.Source == e.source && (own == "" || k.ExternalID < own):
				own = k.ExternalID
			case k.Source != e.source:
				if key := k.Source + ":" + k.ExternalID; other == "" || key < other {
					other = key
				}
			}
		}
		if own != "" {
			e.keys[id], e.taken[own] = own, true
			return
		}
		without = append(without, func() {
			for _, key := range []string{other, id, id + "'"} {
				_, wrong := cmdb.CheckKey(domain.ExternalKey{Source: e.source, ExternalID: key})
				if key != "" && wrong == nil && !e.taken[key] {
					e.keys[id], e.taken[key] = key, true
					return
				}
			}
		})
	}
	for _, t := range teams {
		name(t.ID, t.ExternalIdentities)
	}
	for _, p := range people {
		name(p.ID, p.ExternalIdentities)
	}
	for _, c := range cis {
		name(c.ID, c.ExternalIdentities)
	}
	for _, give := range without {
		give()
	}
}

// keysOf returns the keys of those records that are exported, sorted.
func (e *exporting) keysOf(all []struct{ ID string }) (keys []string) {
	for _, r := range all {
		if key := e.keys[r.ID]; key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// rows makes the rows of CIs. A relationship stands at the CI that has it in a group, else at its source.
func (e *exporting) rows(cis []wholeCI) []importer.CI {
	for _, c := range cis {
		for _, r := range c.Relationships.Nodes {
			if e.keys[r.Target.ID] == "" {
				e.left.edges++
				continue
			}
			e.edges[r.ID] = &edgeEnds{wholeEdge: r, source: c.ID}
		}
	}
	all := make([]importer.CI, len(cis))
	place := map[string]int{}
	for i, c := range cis {
		place[c.ID] = i
		all[i] = e.row(c)
		for _, g := range c.DependencyGroups {
			made := importer.Group{Name: g.Name, Mode: g.Mode, Threshold: g.Threshold}
			for _, m := range g.Members {
				r := e.edges[m.Relationship.ID]
				if r == nil {
					continue
				}
				to, isReverse := r.Target.ID, false
				if r.source != c.ID {
					to, isReverse = r.source, true
				}
				r.holder = c.ID
				made.Members = append(made.Members, importer.GroupMember{Type: r.Type.Code, Target: e.keys[to], IsReverse: isReverse, Weight: m.Weight})
			}
			if g.RestrictedCount > 0 || len(made.Members) < len(g.Members) {
				e.left.groups++
				continue
			}
			slices.SortFunc(made.Members, func(a, b importer.GroupMember) int {
				return cmp.Or(cmp.Compare(a.Type, b.Type), compareBool(a.IsReverse, b.IsReverse), cmp.Compare(a.Target, b.Target))
			})
			all[i].Groups = append(all[i].Groups, made)
		}
		slices.SortFunc(all[i].Groups, func(a, b importer.Group) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, r := range e.edges {
		at, to, isReverse := r.source, r.Target.ID, false
		if r.holder != "" && r.holder != r.source {
			at, to, isReverse = r.Target.ID, r.source, true
		}
		made := importer.Relationship{Type: r.Type.Code, Target: e.keys[to], IsReverse: isReverse, Evidence: r.Evidence}
		if r.IsStrengthOverridden {
			made.Strength = r.Strength
		}
		all[place[at]].Relationships = append(all[place[at]].Relationships, made)
	}
	for i := range all {
		slices.SortFunc(all[i].Relationships, func(a, b importer.Relationship) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), compareBool(a.IsReverse, b.IsReverse), cmp.Compare(a.Target, b.Target))
		})
	}
	return all
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// row makes the row of a CI, without its relationships and groups.
func (e *exporting) row(c wholeCI) importer.CI {
	made := importer.CI{
		ExternalID: e.keys[c.ID], Class: c.Class.Code, Name: c.Name, Description: c.Description, Lifecycle: c.Lifecycle, Environment: c.Environment,
		Criticality: c.Criticality, Labels: map[string]string{}, Attributes: map[string]any{},
	}
	if c.Visibility != string(domain.Everyone) {
		made.Visibility = c.Visibility
	}
	for _, l := range c.Labels {
		made.Labels[l.Name] = l.Value
	}
	for name, text := range c.Attributes {
		var v any
		if json.Unmarshal(text, &v) == nil && v != nil {
			made.Attributes[name] = v
		}
	}
	slices.SortStableFunc(c.Owners, func(a, b struct {
		Role         string
		IsPrimary    bool
		Team, Person *struct{ ID string }
	},
	) int {
		return cmp.Or(compareBool(b.IsPrimary, a.IsPrimary), cmp.Compare(e.keys[idOf(a.Team)], e.keys[idOf(b.Team)]), cmp.Compare(e.keys[idOf(a.Person)], e.keys[idOf(b.Person)]), cmp.Compare(a.Role, b.Role))
	})
	for _, o := range c.Owners {
		made.Owners = append(made.Owners, importer.Owner{Team: e.keys[idOf(o.Team)], Person: e.keys[idOf(o.Person)], Role: o.Role})
	}
	for _, k := range c.ExternalIdentities {
		if k.Source != e.source {
			made.Keys = append(made.Keys, importer.Key{Space: k.Source, Key: k.ExternalID})
		}
	}
	slices.SortFunc(made.Keys, func(a, b importer.Key) int {
		return cmp.Or(strings.Compare(a.Space, b.Space), strings.Compare(a.Key, b.Key))
	})
	if s := c.Service; s != nil {
		made.Service = &importer.Service{Portfolio: s.PortfolioStage, Category: s.Category, Links: s.Links, SupportTeam: e.keys[idOf(s.SupportTeam)]}
		if s.Tier != nil {
			made.Service.Tier = s.Tier.Code
		}
		if s.AvailabilityTarget != nil {
			made.Service.AvailabilityTarget = *s.AvailabilityTarget
		}
	}
	return made
}
