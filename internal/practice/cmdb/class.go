package cmdb

import (
	"context"
	"reflect"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	rulesPerClass  = 20
	namesPerRule   = 10
	deepestClass   = 20
	iconNameLength = 60
)

// CreateCIClass makes a new class of CIs, usable at once. Its parent never changes, so that there are no cycles.
func (p *Practice) CreateCIClass(ctx context.Context, in CreateCIClass) (*ent.CIClass, error) {
	return auth.Write(ctx, p.store, "ci_class.create", func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
		ref, err := LoadReference(ctx, tx)
		if err != nil {
			return nil, err
		}
		draft := &Class{CIClass: &ent.CIClass{
			Code: in.Code, Label: in.Label, Description: form.Or(in.Description, ""), IsAbstract: form.Or(in.IsAbstract, false),
			Icon: form.Or(in.Icon, ""), AttributeSchema: in.AttributeSchema, IdentityRules: in.IdentityRules,
		}}
		var f form.Form
		f.Fault(valid.Code("code", in.Code))
		if ref.codes[in.Code] != nil {
			f.Fault(errs.New(errs.AlreadyExists, "there is a class %s already", in.Code), "code")
		}
		parent, err := ref.Class(in.Parent)
		f.Fault(err, "parent")
		if parent != nil {
			draft.Parent, draft.ParentID = parent, &parent.ID
			if err := ref.lockClasses(ctx, tx, nil, []*Class{parent}); err != nil {
				return nil, err
			}
			if len(parent.line()) >= deepestClass {
				f.Fault(errs.New(errs.Invalid, "the tree of classes is %d levels deep: that is the most", deepestClass), "parent")
			}
		}
		draft.check(&f)
		if err := f.Err(); err != nil {
			return nil, err
		}
		saved, err := newClass(tx, draft.CIClass).Save(ctx)
		return saved, taken(err, "another write has just made the class %s", in.Code)
	})
}

func newClass(tx *store.Tx, c *ent.CIClass) *ent.CIClassCreate {
	b := tx.CIClass.Create().SetCode(c.Code).SetLabel(c.Label).SetDescription(c.Description).SetNillableParentID(c.ParentID).
		SetIsAbstract(c.IsAbstract).SetIcon(c.Icon).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
	if len(c.AttributeSchema) > 0 {
		b.SetAttributeSchema(c.AttributeSchema)
	}
	if len(c.IdentityRules) > 0 {
		b.SetIdentityRules(c.IdentityRules)
	}
	return b
}

// check checks what a class says about itself and its CIs.
func (c *Class) check(f *form.Form) {
	c.Label = f.Text("label", c.Label, 1, labelLength)
	c.Description = f.Text("description", c.Description, 0, valid.LongestDescription)
	c.Icon = f.Text("icon", c.Icon, 0, iconNameLength)
	if err := attribute.Declare(c.CIClass.AttributeSchema); err != nil {
		f.Fault(err, "attributeSchema")
		return
	}
	if len(c.CIClass.AttributeSchema) > 0 {
		plain, err := attribute.Plain(c.CIClass.AttributeSchema)
		f.Fault(err, "attributeSchema")
		c.CIClass.AttributeSchema = plain
	}
	c.schema = nil
	c.checkRules(f)
}

// checkRules refuses identity rules that name what the class does not have.
func (c *Class) checkRules(f *form.Form) {
	if !f.Most("identityRules", len(c.IdentityRules), rulesPerClass) {
		return
	}
	schema, err := c.AttributeSchema()
	if err != nil {
		f.Fault(err, "attributeSchema")
		return
	}
	names := append(schema.Names(), fieldName, fieldEnvironment)
	for i, rule := range c.IdentityRules {
		at := []string{"identityRules", strconv.Itoa(i)}
		if len(rule) == 0 || len(rule) > namesPerRule {
			f.Fault(errs.New(errs.Invalid, "a rule names 1 to %d attributes", namesPerRule), at...)
		}
		for j, name := range rule {
			switch {
			case !slices.Contains(names, name):
				f.Fault(errs.New(errs.NotFound, "%s has no attribute %q: declare it in the schema; %s and %s are there anyway", c.Code, name, fieldName, fieldEnvironment), append(at, strconv.Itoa(j))...)
			case slices.Contains(rule[:j], name):
				f.Fault(errs.New(errs.AlreadyExists, "%q is named twice", name), append(at, strconv.Itoa(j))...)
			}
		}
	}
}

// UpdateCIClass changes a class. CIs that its new schema refuses, or that its new identity rules confuse, stand in
// the way; the first three are named.
func (p *Practice) UpdateCIClass(ctx context.Context, in UpdateCIClass) (*ent.CIClass, error) {
	return auth.Write(ctx, p.store, "ci_class.update", func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
		if tx.IsPostgres() {
			if _, err := tx.CIClass.Query().Where(ciclass.Code(in.Code)).ForUpdate().All(ctx); err != nil {
				return nil, err
			}
		}
		ref, err := LoadReference(ctx, tx)
		if err != nil {
			return nil, err
		}
		class, err := ref.Class(in.Code)
		if err != nil {
			return nil, errs.Under(err, "code")
		}
		old := class.CIClass
		if err := valid.Stale(in.ExpectedVersion, old.Version); err != nil {
			return nil, err
		}
		next := *old
		var f form.Form
		next.Label = form.Or(form.Given(&f, "label", in.Label), old.Label)
		next.Description, next.Icon = form.Or(form.Cleared(in.Description), old.Description), form.Or(form.Cleared(in.Icon), old.Icon)
		if schema, ok := in.AttributeSchema.ValueOK(); ok {
			next.AttributeSchema = schema
		}
		if rules, ok := in.IdentityRules.ValueOK(); ok {
			next.IdentityRules = rules
		}
		class.CIClass = &next
		class.check(&f)
		if err := f.Err(); err != nil {
			return nil, err
		}
		newSchema := len(old.AttributeSchema)+len(next.AttributeSchema) > 0 && !reflect.DeepEqual(old.AttributeSchema, next.AttributeSchema)
		newRules := !slices.EqualFunc(old.IdentityRules, next.IdentityRules, slices.Equal)
		if newSchema || newRules {
			if err := ref.checkSubtree(ctx, tx, class, newSchema, newRules); err != nil {
				return nil, err
			}
		}
		return saveClass(ctx, tx, old, &next, newSchema, newRules)
	})
}

func saveClass(ctx context.Context, tx *store.Tx, old, next *ent.CIClass, newSchema, newRules bool) (*ent.CIClass, error) {
	u := tx.CIClass.UpdateOne(old)
	store.Set(old.Label, next.Label, u.SetLabel)
	store.Set(old.Description, next.Description, u.SetDescription)
	store.Set(old.Icon, next.Icon, u.SetIcon)
	if newSchema && len(next.AttributeSchema) == 0 {
		u.ClearAttributeSchema()
	} else if newSchema {
		u.SetAttributeSchema(next.AttributeSchema)
	}
	if newRules && len(next.IdentityRules) == 0 {
		u.ClearIdentityRules()
	} else if newRules {
		u.SetIdentityRules(next.IdentityRules)
	}
	if store.IsIdle(u.Mutation()) {
		return old, nil
	}
	return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}
