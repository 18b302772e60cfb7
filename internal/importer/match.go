package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/identity"
)

// holders maps identities to the stored CIs that have them, in the order of their ids.
type holders map[cmdb.Identity][]*ent.CI

// ids returns the ids of all holders.
func (h holders) ids() (ids []ident.ID) {
	for _, all := range h {
		for _, c := range all {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// findHolders loads the CIs that have the wanted identities: a statement for each rule and 500 of them.
func (p *planner) findHolders(ctx context.Context, wanted map[cmdb.Identity]*ent.CI) (holders, error) {
	byRule := map[cmdb.Identity][]cmdb.Identity{} // by the rule alone
	for c := range wanted {
		rule := cmdb.Identity{Class: c.Class, Rule: c.Rule}
		byRule[rule] = append(byRule[rule], c)
	}
	found := holders{}
	for r, asked := range byRule {
		class, ok := p.ref.ClassByID(r.Class)
		if !ok {
			continue
		}
		names := class.IdentityRules[r.Rule]
		slices.SortFunc(asked, func(a, b cmdb.Identity) int { return strings.Compare(a.Key, b.Key) })
		seen := map[ident.ID]bool{}
		for chunk := range slices.Chunk(asked, page) {
			drafts := make([]*ent.CI, len(chunk))
			for i, c := range chunk {
				drafts[i] = wanted[c]
			}
			some, err := p.tx.CI.Query().Where(ci.LifecycleNEQ(domain.Retired), cmdb.Alike(names, drafts)).Order(ent.Asc(ci.FieldID)).All(ctx)
			if err != nil {
				return nil, err
			}
			for _, other := range some {
				at, ok := p.ref.ClassByID(other.ClassID)
				if !ok || !at.Is(class.Code) || seen[other.ID] {
					continue
				}
				if key, ok := cmdb.IdentityBy(names, other); ok {
					if c := (cmdb.Identity{Class: r.Class, Rule: r.Rule, Key: key}); wanted[c] != nil {
						seen[other.ID] = true
						found[c] = append(found[c], other)
					}
				}
			}
		}
	}
	return found, nil
}

// matchCIs finds the stored CI of each row.
func (p *planner) matchCIs(ctx context.Context) error {
	for _, r := range p.records {
		if r.CI == nil || r.isDropped {
			continue
		}
		id := p.stored.known[p.keyIn("", r.key)]
		if r.isWoken {
			r.id, r.old = id, p.stored.cis[id]
			r.isDropped = r.old == nil
			continue
		}
		p.share(r, &id)
		if r.isDropped {
			continue
		}
		if id != 0 {
			r.id = id
			if r.old = p.stored.cis[id]; r.old == nil {
				p.drop(r, Rejected, fmt.Sprintf("%q is the key of a %s in the database and cannot be a CI's: give one of them another id", r.key, id.Kind()))
				continue
			}
		}
		if err := p.mergeAndPrepare(ctx, r); err != nil {
			return err
		}
	}
	p.tellUntrusted()
	if err := p.dropShared(ctx); err != nil {
		return err
	}
	wanted := map[cmdb.Identity]*ent.CI{}
	for _, r := range p.records {
		if r.CI != nil && !r.isDropped {
			for _, c := range r.identities() {
				wanted[c] = r.next
			}
		}
	}
	found, err := p.findHolders(ctx, wanted)
	if err != nil {
		return err
	}
	if err := p.loadClaims(ctx, found.ids()); err != nil {
		return err
	}
	for _, r := range p.records {
		if r.CI != nil && !r.isDropped && r.id == 0 {
			if err := p.identify(ctx, r, found); err != nil {
				return err
			}
		}
	}
	p.settleDoubles(found)
	return nil
}

// identities returns the identities that the row adds: all of a new CI, and of a stored one those that are new to it.
func (r *record) identities() []cmdb.Identity {
	if r.next == nil {
		return nil
	}
	all := r.class.Identities(r.next)
	if r.old == nil {
		return all
	}
	before := r.class.Identities(r.old)
	return slices.DeleteFunc(all, func(c cmdb.Identity) bool { return slices.Contains(before, c) })
}

// identify matches a row with an unknown key by its identities.
func (p *planner) identify(ctx context.Context, r *record, found holders) error {
	for _, c := range r.class.Identities(r.next) {
		switch same := found[c]; len(same) {
		case 0:
			continue
		case 1:
			why := doubtful(r, same[0], c)
			if other := p.otherKey(r, same[0].ID); other != nil && why == "" {
				why = fmt.Sprintf("%s %q is identified by %s as this row is, and the source has it as %q: two keys of one source are two things", same[0].ID, same[0].Name, c.Key, other.key)
			}
			if why != "" {
				p.drop(r, Duplicate, why)
				return nil
			}
			r.id, r.old, r.needsKey = same[0].ID, same[0], true
			p.stored.cis[r.id] = r.old
			return p.mergeAndPrepare(ctx, r)
		default:
			p.drop(r, Duplicate, fmt.Sprintf("%s are all identified by %s, as this row is: merge them, or give it another identity", idList(same), c.Key))
			return nil
		}
	}
	return nil
}

// otherKey returns the live claim of the source on a CI by another key than the row's that this run does not report, or
// nil.
func (p *planner) otherKey(r *record, id ident.ID) *claim {
	for _, c := range p.stored.claims[id] {
		if c.source == p.source && c.key != r.key && !p.reports(c.key) && !p.belief.isStale(c) {
			return c
		}
	}
	return nil
}

// mergeAndPrepare makes of a row what all claims make of the CI, and compares that with the stored CI.
func (p *planner) mergeAndPrepare(ctx context.Context, r *record) error {
	if err := p.merge(r); err != nil {
		return err
	}
	if r.old != nil {
		r.revive()
	}
	p.prepare(ctx, r)
	return nil
}

// settleDoubles leaves out rows that are the same CI as another row, or say that they are another row or CI.
func (p *planner) settleDoubles(found holders) {
	byID := map[ident.ID]*record{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.isWoken || r.id == 0 {
			continue
		}
		if first := byID[r.id]; first != nil && r.needsKey {
			p.drop(r, Duplicate, fmt.Sprintf("it is %s %q, which %q at %s is too: keep one of them", r.id, r.old.Name, first.key, first.origin))
			continue
		}
		if byID[r.id] == nil || byID[r.id].needsKey {
			if other := byID[r.id]; other != nil {
				p.drop(other, Duplicate, fmt.Sprintf("it is %s %q, which %q at %s is too: keep one of them", r.id, r.old.Name, r.key, r.origin))
			}
			byID[r.id] = r
		}
	}
	claimed := map[cmdb.Identity]*record{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped {
			continue
		}
		for _, c := range r.identities() {
			if first := claimed[c]; first != nil {
				p.drop(r, Duplicate, fmt.Sprintf("%q at %s is identified by %s too: keep one of them", first.key, first.origin, c.Key))
				break
			}
			if other := stays(found[c], r, byID, c); other != nil {
				p.drop(r, Duplicate, fmt.Sprintf("%s %q is identified by %s already: merge them, or give this one another identity", other.ID, other.Name, c.Key))
				break
			}
			claimed[c] = r
		}
	}
}

// stays returns a CI other than r that goes on having an identity, or nil.
func stays(holding []*ent.CI, r *record, byID map[ident.ID]*record, c cmdb.Identity) *ent.CI {
	for _, other := range holding {
		if other.ID == r.id {
			continue
		}
		of := byID[other.ID]
		if of == nil || of.isDropped || slices.Contains(of.class.Identities(of.next), c) {
			return other
		}
	}
	return nil
}

func idList(all []*ent.CI) string {
	ids := map[string]bool{}
	for _, c := range all {
		ids[c.ID.String()] = true
	}
	text := ""
	for i, id := range slices.Sorted(maps.Keys(ids)) {
		if i > 0 {
			text += ", "
		}
		text += id
	}
	return text
}

// mostAlike is how many keys of one source may have one identity: if more have it, the value identifies nothing.
const mostAlike = 2

// dropShared takes a value out of rows that is their identity by a rule and that more than mostAlike of them share, as
// clones of one image do: it tells nothing.
func (p *planner) dropShared(ctx context.Context) error {
	sharing := map[cmdb.Identity][]*record{}
	var order []cmdb.Identity
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.isWoken {
			continue
		}
		for _, c := range r.class.Identities(r.next) {
			if len(sharing[c]) == 0 {
				order = append(order, c)
			}
			sharing[c] = append(sharing[c], r)
		}
	}
	for _, c := range order {
		all := sharing[c]
		class, ok := p.ref.ClassByID(c.Class)
		if len(all) <= mostAlike || !ok {
			continue
		}
		name := identifyingAttribute(class.IdentityRules[c.Rule])
		if name == "" {
			continue
		}
		p.notice(all[0], Warning, "", fmt.Sprintf("%d rows of %s have the %s %v, %q and %q among them: it identifies nothing and was left out of them",
			len(all), p.source, name, all[0].next.Attributes[name], all[0].key, all[1].key))
		for _, r := range all {
			reported := *r.reported.CI
			reported.Attributes = maps.Clone(reported.Attributes)
			delete(reported.Attributes, name)
			r.reported.CI, r.hash, r.isNoisy = &reported, "", true
			if err := p.mergeAndPrepare(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// identifyingAttribute returns the first attribute that a rule names, or "".
func identifyingAttribute(rule []string) string {
	for _, name := range rule {
		if name != identity.Name && name != identity.Environment {
			return name
		}
	}
	return ""
}

// doubtful returns why a row is not taken for a stored CI though one identity rule says so, or "": its name and another
// identifying value differ, so that a part may have moved from one machine into another.
func doubtful(r *record, stored *ent.CI, by cmdb.Identity) string {
	if r.CI.Name == "" || trim(r.CI.Name) == stored.Name {
		return ""
	}
	for class := r.class; class != nil; class = class.Parent {
		for i, rule := range class.IdentityRules {
			if class.ID == by.Class && i == by.Rule {
				continue
			}
			for _, name := range rule {
				if name == identity.Name || name == identity.Environment || slices.Contains(ruleOf(r.class, by), name) {
					continue
				}
				is, was := identity.Normal(name, r.next.Attributes[name]), identity.Normal(name, stored.Attributes[name])
				if is != nil && was != nil && is != was {
					return fmt.Sprintf("%s %q is identified by %s as this row is, and is called otherwise and has another %s (%v, not %v): say which it is by giving the key to one of them",
						stored.ID, stored.Name, by.Key, name, stored.Attributes[name], r.next.Attributes[name])
				}
			}
		}
	}
	return ""
}

// ruleOf returns the names of the rule that an identity is by.
func ruleOf(class *cmdb.Class, by cmdb.Identity) []string {
	for ; class != nil; class = class.Parent {
		if class.ID == by.Class {
			return class.IdentityRules[by.Rule]
		}
	}
	return nil
}
