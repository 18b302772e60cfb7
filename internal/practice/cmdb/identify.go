package cmdb

import (
	"context"
	"encoding/json"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	ruleidentity "github.com/linchpin-cmdb/linchpin/internal/rule/identity"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The names that identity rules may use beside attributes: a CI's own fields.
const (
	fieldName        = ruleidentity.Name
	fieldEnvironment = ruleidentity.Environment
)

// Identity is what a CI says it is, by one identity rule of one class.
type Identity struct {
	Class ident.ID // that declares the rule
	Rule  int      // its place among those of the class
	Key   string   // the values in the form in which they are compared
}

// Identities returns the identities of a CI by the rules of its class and all above it, its own class first. A rule one
// of whose values is missing, empty or a placeholder says nothing, and a retired CI is nobody.
func (c *Class) Identities(record *ent.CI) (all []Identity) {
	if record.Lifecycle == domain.Retired {
		return nil
	}
	for ; c != nil; c = c.Parent {
		for i, rule := range c.IdentityRules {
			if key, ok := IdentityBy(rule, record); ok {
				all = append(all, Identity{c.ID, i, key})
			}
		}
	}
	return all
}

// IdentityBy returns the values that a CI has for an identity rule, in the form in which they are compared.
func IdentityBy(rule []string, record *ent.CI) (key string, ok bool) {
	return ruleidentity.Key(rule, func(name string) any { return identifying(record, name) })
}

func identifying(record *ent.CI, name string) any {
	switch name {
	case fieldName:
		return record.Name
	case fieldEnvironment:
		return string(record.Environment)
	}
	return record.Attributes[name]
}

// checkIdentities finds the drafts that claim to be another live CI, stored or drafted. It locks their classes.
// Drafts that are nil, and those of which isNews is false, are left alone.
func (r *Reference) checkIdentities(ctx context.Context, tx *store.Tx, drafts []*ent.CI, isNews func(int) bool, wrong []form.Form) error {
	var rules, classes []*Class
	for i, d := range drafts {
		if d == nil {
			continue
		}
		class := r.classes[d.ClassID]
		classes = append(classes, class)
		if !isNews(i) {
			continue
		}
		for _, c := range class.Identities(d) {
			rules = append(rules, r.classes[c.Class])
		}
	}
	if err := r.lockClasses(ctx, tx, rules, classes); err != nil {
		return err
	}
	type place struct {
		class ident.ID
		rule  int
	}
	claimed := map[place]map[string]int{} // to the draft that claims it
	var places []place
	drafted := map[ident.ID]bool{}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		drafted[d.ID] = d.ID != 0
		for _, c := range r.classes[d.ClassID].Identities(d) {
			p := place{c.Class, c.Rule}
			if claimed[p] == nil {
				claimed[p] = map[string]int{}
				places = append(places, p)
			}
			if j, ok := claimed[p][c.Key]; ok {
				if isNews(i) || isNews(j) {
					wrong[i].Fault(sameIdentity(r.classes[c.Class].IdentityRules[c.Rule], d, drafts[j]))
				}
				continue
			}
			claimed[p][c.Key] = i
		}
	}
	for _, p := range places {
		class := r.classes[p.class]
		rule := class.IdentityRules[p.rule]
		var news []*ent.CI
		for _, i := range claimed[p] {
			if isNews(i) {
				news = append(news, drafts[i])
			}
		}
		for chunk := range slices.Chunk(news, 100) {
			others, err := tx.CI.Query().Where(ci.ClassIDIn(r.Subtree(class)...), ci.LifecycleNEQ(domain.Retired), Alike(rule, chunk)).All(ctx)
			if err != nil {
				return err
			}
			for _, other := range others {
				key, _ := IdentityBy(rule, other)
				if i, ok := claimed[p][key]; ok && !drafted[other.ID] {
					wrong[i].Fault(sameIdentity(rule, drafts[i], other))
				}
			}
		}
	}
	return nil
}

func sameIdentity(rule []string, d, other *ent.CI) error {
	name := rule[len(rule)-1]
	at := []string{name}
	if name != fieldName && name != fieldEnvironment {
		at = []string{"attributes", name}
	}
	said := ""
	for i, n := range rule {
		if i > 0 {
			said += ", "
		}
		value, _ := json.Marshal(identifying(d, n))
		said += n + " " + string(value)
	}
	if other.ID == 0 {
		return errs.New(errs.AlreadyExists, "%q has the same identity (%s)", other.Name, said).At(at...)
	}
	return errs.New(errs.AlreadyExists, "%s %q has the same identity (%s)", other.ID, other.Name, said).At(at...)
}

// Alike narrows a query to CIs that may share an identity with one of the drafts: never too far, often not far
// enough. The values are arguments of the statement, never part of it.
func Alike(rule []string, drafts []*ent.CI) predicate.CI {
	if slices.Contains(rule, fieldName) {
		names := make([]string, len(drafts))
		for i, d := range drafts {
			names[i] = d.Name
		}
		return ci.NameIn(names...)
	}
	for _, name := range rule {
		values := make([]any, 0, len(drafts))
		for _, d := range drafts {
			switch v := d.Attributes[name].(type) {
			case string:
				values = append(values, ruleidentity.Squeezed(v))
			case float64, bool:
				values = append(values, v)
			}
		}
		if len(values) == len(drafts) {
			return func(s *sql.Selector) { s.Where(store.AttributeAlike(s, name, values)) }
		}
	}
	return func(*sql.Selector) {} // nothing to narrow by
}
