package cmdb

import (
	"context"
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// offendersNamed is how many CIs a refusal names.
const offendersNamed = 3

// checkSubtree checks the classes and the CIs below a class against what the class is to become, page by page. Retired
// CIs count too: they may come back.
func (r *Reference) checkSubtree(ctx context.Context, tx *store.Tx, class *Class, newSchema, newRules bool) error {
	var f form.Form
	below := r.Subtree(class)
	for _, id := range below {
		if c := r.classes[id]; newSchema && c != class {
			c.schema = nil
			var own form.Form
			c.checkRules(&own)
			if err := own.Err(); err != nil {
				f.Fault(errs.New(errs.InUse, "the class %s below it identifies its CIs by an attribute that would be gone", c.Code), "attributeSchema")
			}
		}
	}
	if err := f.Err(); err != nil {
		return err
	}
	refused, confused := offenders{}, offenders{}
	claimed := map[Identity]*ent.CI{}
	err := eachCI(ctx, tx, below, func(record *ent.CI) error {
		if newSchema {
			schema, err := r.classes[record.ClassID].AttributeSchema()
			if err != nil {
				return err
			}
			err = schema.Check(ctx, record.Attributes)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				refused.add(record, firstMessage(err))
			}
		}
		if !newRules || record.Lifecycle == domain.Retired {
			return nil
		}
		for i, rule := range class.IdentityRules {
			key, ok := IdentityBy(rule, record)
			if !ok {
				continue
			}
			c := Identity{class.ID, i, key}
			if first := claimed[c]; first != nil {
				confused.add(record, fmt.Sprintf("the same %s as %s %q", strings.Join(rule, ", "), first.ID, first.Name))
				continue
			}
			claimed[c] = &ent.CI{ID: record.ID, Name: record.Name}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Fault(refused.err("the new schema refuses"), "attributeSchema")
	f.Fault(confused.err("the new rules confuse"), "identityRules")
	return f.Err()
}

// eachCI visits the CIs of classes in pages.
func eachCI(ctx context.Context, tx *store.Tx, classes []ident.ID, visit func(*ent.CI) error) error {
	for last := ident.ID(0); ; {
		page, err := tx.CI.Query().Where(ci.ClassIDIn(classes...), ci.IDGT(last)).Order(ent.Asc(ci.FieldID)).Limit(idChunk).All(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, record := range page {
			if err := visit(record); err != nil {
				return err
			}
		}
		last = page[len(page)-1].ID
	}
}

// offenders counts CIs that stand in the way, and names the first.
type offenders struct {
	count int
	named []string
}

func (o *offenders) add(record *ent.CI, why string) {
	if o.count++; len(o.named) < offendersNamed {
		o.named = append(o.named, fmt.Sprintf("%s %q (%s)", record.ID, record.Name, why))
	}
}

func (o *offenders) err(what string) error {
	if o.count == 0 {
		return nil
	}
	said := strings.Join(o.named, "; ")
	if more := o.count - len(o.named); more > 0 {
		said += fmt.Sprintf("; and %d more", more)
	}
	return errs.New(errs.InUse, "%s %d CIs: %s", what, o.count, said)
}

func firstMessage(err error) string {
	if all, ok := errs.All(err); ok {
		return all[0].Message
	}
	return err.Error()
}
