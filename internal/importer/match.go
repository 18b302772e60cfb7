package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// claim identifies a CI by one identity rule of its class or of a class above it.
type claim struct {
	rule
	values string // as JSON
}

type rule struct {
	class ident.ID // the class that declares it
	place int
}

// claims returns the identities of a CI, those of its own class first: the first that matches identifies it. A rule is
// passed over if one of its values is missing or empty, and a retired CI has no claims.
func claims(class *cmdb.Class, c *ent.CI) (all []claim) {
	if c.Lifecycle == domain.Retired {
		return nil
	}
	for ; class != nil; class = class.Parent {
		for i, names := range class.IdentityRules {
			if values, ok := identity(c, names); ok {
				all = append(all, claim{rule{class.ID, i}, values})
			}
		}
	}
	return all
}

func identity(c *ent.CI, names []string) (string, bool) {
	values := make([]any, len(names))
	for i, name := range names {
		switch name {
		case "name":
			values[i] = c.Name
		case "environment":
			values[i] = c.Environment
		default:
			values[i] = c.Attributes[name]
		}
		if values[i] == nil || values[i] == "" {
			return "", false
		}
	}
	text, err := json.Marshal(values)
	return string(text), err == nil && len(names) > 0
}

// holders maps claims to the stored CIs that make them, in the order of their ids.
type holders map[claim][]*ent.CI

// findHolders loads the CIs that make the wanted claims: a statement for each rule and 500 claims.
func (p *planner) findHolders(ctx context.Context, wanted map[claim]*ent.CI) (holders, error) {
	byRule := map[rule][]claim{}
	for c := range wanted {
		byRule[c.rule] = append(byRule[c.rule], c)
	}
	found := holders{}
	for r, asked := range byRule {
		class, ok := p.ref.ClassByID(r.class)
		if !ok {
			continue
		}
		names := class.IdentityRules[r.place]
		slices.SortFunc(asked, func(a, b claim) int { return strings.Compare(a.values, b.values) })
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
				if values, ok := identity(other, names); ok {
					if c := (claim{r, values}); wanted[c] != nil {
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
	wanted := map[claim]*ent.CI{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped {
			continue
		}
		if id := p.stored.known[r.key]; id != 0 {
			r.id = id
			if r.old = p.stored.cis[id]; r.old == nil {
				p.drop(r, Rejected, fmt.Sprintf("%q is the key of a %s in the database and cannot be a CI's: give one of them another id", r.key, id.Kind()))
				continue
			}
		}
		if !p.prepare(ctx, r) {
			continue
		}
		for _, c := range r.claims() {
			wanted[c] = r.next
		}
	}
	found, err := p.findHolders(ctx, wanted)
	if err != nil {
		return err
	}
	for _, r := range p.records {
		if r.CI != nil && !r.isDropped && r.id == 0 {
			p.identify(ctx, r, found)
		}
	}
	p.settleDoubles(found)
	return nil
}

// claims returns the claims that the row adds: all of a new CI, and of a stored one those it did not make before.
func (r *record) claims() []claim {
	if r.next == nil {
		return nil
	}
	all := claims(r.class, r.next)
	if r.old == nil {
		return all
	}
	before := claims(r.class, r.old)
	return slices.DeleteFunc(all, func(c claim) bool { return slices.Contains(before, c) })
}

// identify matches a row with an unknown key by its claims.
func (p *planner) identify(ctx context.Context, r *record, found holders) {
	for _, c := range claims(r.class, r.next) {
		switch same := found[c]; len(same) {
		case 0:
			continue
		case 1:
			r.id, r.old, r.needsKey = same[0].ID, same[0], true
			p.stored.cis[r.id] = r.old
			p.prepare(ctx, r)
			return
		default:
			p.drop(r, Duplicate, fmt.Sprintf("%s are all identified by %s, as this row is: merge them, or give it another identity", idList(same), c.values))
			return
		}
	}
}

// settleDoubles leaves out rows that are the same CI as another row, or claim to be the same as another row or CI.
func (p *planner) settleDoubles(found holders) {
	byID := map[ident.ID]*record{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.id == 0 {
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
	claimed := map[claim]*record{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped {
			continue
		}
		for _, c := range r.claims() {
			if first := claimed[c]; first != nil {
				p.drop(r, Duplicate, fmt.Sprintf("%q at %s is identified by %s too: keep one of them", first.key, first.origin, c.values))
				break
			}
			if other := stays(found[c], r, byID, c); other != nil {
				p.drop(r, Duplicate, fmt.Sprintf("%s %q is identified by %s already: merge them, or give this one another identity", other.ID, other.Name, c.values))
				break
			}
			claimed[c] = r
		}
	}
}

// stays returns a CI other than r that goes on making a claim, or nil.
func stays(holding []*ent.CI, r *record, byID map[ident.ID]*record, c claim) *ent.CI {
	for _, other := range holding {
		if other.ID == r.id {
			continue
		}
		of := byID[other.ID]
		if of == nil || of.isDropped || slices.Contains(claims(of.class, of.next), c) {
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
