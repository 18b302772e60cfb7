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
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The names that identity rules may use beside attributes: a CI's own fields.
const (
	fieldName        = "name"
	fieldEnvironment = "environment"
)

// claim is what a CI says it is, by one identity rule of one class.
type claim struct {
	class *Class // that declares the rule
	rule  int
	key   string // the values, as JSON
}

// claims returns the identities of a CI by the rules of its class and all above it. A rule one of whose values is
// missing or empty says nothing.
func (c *Class) claims(record *ent.CI) []claim {
	if record.Lifecycle == domain.Retired {
		return nil
	}
	var all []claim
	for _, class := range c.line() {
		for i, rule := range class.IdentityRules {
			if key, ok := identity(record, rule); ok {
				all = append(all, claim{class, i, key})
			}
		}
	}
	return all
}

func identity(record *ent.CI, rule []string) (key string, complete bool) {
	values := make([]any, len(rule))
	for i, name := range rule {
		switch value := identifying(record, name); value {
		case nil, "":
			return "", false
		default:
			values[i] = value
		}
	}
	text, err := json.Marshal(values)
	return string(text), err == nil && len(rule) > 0
}

// identifying returns the value of a name in an identity rule. Lists and objects are compared as JSON.
func identifying(record *ent.CI, name string) any {
	switch name {
	case fieldName:
		return record.Name
	case fieldEnvironment:
		return string(record.Environment)
	}
	switch value := record.Attributes[name].(type) {
	case map[string]any, []any:
		text, err := json.Marshal(value)
		if err != nil {
			return nil
		}
		return string(text)
	default:
		return value
	}
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
		for _, c := range class.claims(d) {
			rules = append(rules, c.class)
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
		for _, c := range r.classes[d.ClassID].claims(d) {
			p := place{c.class.ID, c.rule}
			if claimed[p] == nil {
				claimed[p] = map[string]int{}
				places = append(places, p)
			}
			if j, ok := claimed[p][c.key]; ok {
				if isNews(i) || isNews(j) {
					wrong[i].Fault(sameIdentity(c.class.IdentityRules[c.rule], d, drafts[j]))
				}
				continue
			}
			claimed[p][c.key] = i
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
			others, err := tx.CI.Query().Where(ci.ClassIDIn(r.subtree(class)...), ci.LifecycleNEQ(domain.Retired), Alike(rule, chunk)).All(ctx)
			if err != nil {
				return err
			}
			for _, other := range others {
				key, _ := identity(other, rule)
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
			case string, float64, bool:
				values = append(values, v)
			}
		}
		if len(values) == len(drafts) {
			return func(s *sql.Selector) { s.Where(store.PropertyIn(s, ci.FieldAttributes, name, values)) }
		}
	}
	return func(*sql.Selector) {} // nothing to narrow by
}
