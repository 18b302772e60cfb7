package cmdb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Reference is the classes, relationship types and tiers, read once for all the rows of a transaction. It belongs to
// that transaction and to one goroutine. On PostgreSQL what a write relies on is locked and read again before it is
// relied on, so that nobody can change a class under the CIs that are being checked against it.
type Reference struct {
	classes map[ident.ID]*Class
	codes   map[string]*Class
	types   map[ident.ID]*ent.RelationshipType
	byCode  map[string]*ent.RelationshipType
	tiers   map[string]ident.ID
	// Records that this transaction has locked already.
	shared, owned map[ident.ID]bool
}

// Class is a class with its place in the tree.
type Class struct {
	*ent.CIClass
	Parent *Class // nil at the top
	schema *attribute.Schema
}

// LoadReference reads the reference data inside a transaction: three statements.
func LoadReference(ctx context.Context, tx *store.Tx) (*Reference, error) {
	classes, err := tx.CIClass.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	types, err := tx.RelationshipType.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	tiers, err := tx.ServiceTier.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	r := &Reference{
		classes: make(map[ident.ID]*Class, len(classes)), codes: make(map[string]*Class, len(classes)),
		types: make(map[ident.ID]*ent.RelationshipType, len(types)), byCode: make(map[string]*ent.RelationshipType, len(types)),
		tiers: make(map[string]ident.ID, len(tiers)), shared: map[ident.ID]bool{}, owned: map[ident.ID]bool{},
	}
	for _, c := range classes {
		class := &Class{CIClass: c}
		r.classes[c.ID], r.codes[c.Code] = class, class
	}
	for _, c := range r.classes {
		if c.ParentID != nil {
			c.Parent = r.classes[*c.ParentID]
		}
	}
	for _, t := range types {
		r.types[t.ID], r.byCode[t.Code] = t, t
	}
	for _, t := range tiers {
		r.tiers[t.Code] = t.ID
	}
	return r, nil
}

// Suppose takes classes for given, so that what they will hold can be planned. Nothing may be written by the reference
// then.
func (r *Reference) Suppose(classes []CreateCIClass) error {
	for i, in := range classes {
		draft := &ent.CIClass{
			ID: ident.New(ident.CIClass, supposed+int64(i)), Code: in.Code, Label: in.Label, Description: form.Or(in.Description, ""),
			IsAbstract: form.Or(in.IsAbstract, false), Icon: form.Or(in.Icon, ""), AttributeSchema: in.AttributeSchema, IdentityRules: in.IdentityRules,
		}
		class := r.codes[in.Code]
		if class != nil {
			draft.ID, draft.ParentID, draft.IsAbstract = class.ID, class.ParentID, class.IsAbstract
		} else {
			parent, err := r.Class(in.Parent)
			if err != nil {
				return errs.Under(err, in.Code)
			}
			class, draft.ParentID = &Class{Parent: parent}, &parent.ID
		}
		class.CIClass = draft
		r.classes[draft.ID], r.codes[in.Code] = class, class
	}
	for _, c := range r.classes {
		c.schema = nil
	}
	var f form.Form
	for _, in := range classes {
		f.Fault(valid.Code("code", in.Code))
		r.codes[in.Code].check(&f)
	}
	return f.Err()
}

// supposed is where the numbers of classes begin that do not exist.
const supposed = 1 << 40

// Class finds a class by code.
func (r *Reference) Class(code string) (*Class, error) {
	if c := r.codes[code]; c != nil {
		return c, nil
	}
	return nil, errs.New(errs.NotFound, "there is no class %q%s", code, nearest(code, slices.Collect(maps.Keys(r.codes))))
}

// ClassByID finds the class that a CI's class_id names.
func (r *Reference) ClassByID(id ident.ID) (*Class, bool) {
	c, ok := r.classes[id]
	return c, ok
}

// Type finds a relationship type by code.
func (r *Reference) Type(code string) (*ent.RelationshipType, error) {
	if t := r.byCode[code]; t != nil {
		return t, nil
	}
	return nil, errs.New(errs.NotFound, "there is no relationship type %q%s", code, nearest(code, slices.Collect(maps.Keys(r.byCode))))
}

// Tier finds a service tier's id by code.
func (r *Reference) Tier(code string) (ident.ID, error) {
	if id, ok := r.tiers[code]; ok {
		return id, nil
	}
	return 0, errs.New(errs.NotFound, "there is no service tier %q%s", code, nearest(code, slices.Collect(maps.Keys(r.tiers))))
}

// Is reports whether the class is the one with this code or below it.
func (c *Class) Is(code string) bool {
	for ; c != nil; c = c.Parent {
		if c.Code == code {
			return true
		}
	}
	return false
}

// line returns the class and its ancestors, the topmost first.
func (c *Class) line() []*Class {
	var all []*Class
	for ; c != nil; c = c.Parent {
		all = append(all, c)
	}
	slices.Reverse(all)
	return all
}

// Subtree returns the ids of the class and all below it, sorted.
func (r *Reference) Subtree(c *Class) []ident.ID {
	var ids []ident.ID
	for id, class := range r.classes {
		if class.Is(c.Code) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// AttributeSchema returns what the attributes of the class's CIs must satisfy.
func (c *Class) AttributeSchema() (*attribute.Schema, error) {
	if c.schema == nil {
		var schemas []map[string]any
		for _, class := range c.line() {
			schemas = append(schemas, class.CIClass.AttributeSchema)
		}
		s, err := attribute.Compile(schemas...)
		if errs.CodeOf(err) == errs.Invalid {
			return nil, errs.New(errs.Invalid, "the attribute schema of class %s or of one above it cannot be used any more, mend it by updateCIClass: %v", c.Code, err)
		}
		if err != nil {
			return nil, errs.New(errs.Internal, "the attribute schema of class %s is broken", c.Code).Because(err)
		}
		c.schema = s
	}
	return c.schema, nil
}

var serviceKinds = map[string]domain.ServiceKind{
	"business_service": domain.BusinessService, "application_service": domain.ApplicationService,
	"technical_service": domain.TechnicalService, "service_offering": domain.ServiceOffering,
}

// ServiceClass returns the code of the class whose CIs are services of a kind.
func ServiceClass(k domain.ServiceKind) string { return strings.ToLower(string(k)) }

// ServiceKind returns the kind of the services that the class's CIs are; false if they are no services.
func (c *Class) ServiceKind() (domain.ServiceKind, bool) {
	for ; c != nil; c = c.Parent {
		if k, ok := serviceKinds[c.Code]; ok {
			return k, true
		}
	}
	return "", false
}

// lockClasses holds the classes and all above them as they are until the transaction ends: against changes where
// they only apply, against every other writer where an identity rule of theirs is checked.
func (r *Reference) lockClasses(ctx context.Context, tx *store.Tx, owned, shared []*Class) error {
	if !tx.IsPostgres() {
		return nil
	}
	own, share := map[ident.ID]bool{}, map[ident.ID]bool{}
	for _, c := range owned {
		if !r.owned[c.ID] {
			own[c.ID] = true
		}
	}
	for _, c := range shared {
		for _, class := range c.line() {
			if !r.owned[class.ID] && !r.shared[class.ID] && !own[class.ID] {
				share[class.ID] = true
			}
		}
	}
	for _, lock := range []struct {
		ids    map[ident.ID]bool
		done   map[ident.ID]bool
		strong bool
	}{{own, r.owned, true}, {share, r.shared, false}} {
		if len(lock.ids) == 0 {
			continue
		}
		ids := slices.Sorted(maps.Keys(lock.ids))
		q := tx.CIClass.Query().Where(ciclass.IDIn(ids...)).Order(ent.Asc(ciclass.FieldID))
		if lock.strong {
			// Other writers' foreign keys to the class need not wait.
			q = q.ForUpdate(sql.WithLockClause("FOR NO KEY UPDATE"))
		} else {
			q = q.ForShare()
		}
		fresh, err := q.All(ctx)
		if err != nil {
			return err
		}
		for _, c := range fresh {
			lock.done[c.ID] = true
			r.refresh(c)
		}
	}
	return nil
}

// refresh takes over a class that was read again. If the class changed, compiled schemas are forgotten.
func (r *Reference) refresh(c *ent.CIClass) {
	known := r.classes[c.ID]
	if known == nil {
		return
	}
	changed := known.Version != c.Version
	known.CIClass = c
	if changed {
		for _, class := range r.classes {
			class.schema = nil
		}
	}
}

// lockTypes holds relationship types as they are until the transaction ends.
func (r *Reference) lockTypes(ctx context.Context, tx *store.Tx, types []*ent.RelationshipType) error {
	if !tx.IsPostgres() {
		return nil
	}
	var ids []ident.ID
	for _, t := range types {
		if !r.shared[t.ID] && !r.owned[t.ID] {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	fresh, err := tx.RelationshipType.Query().Where(relationshiptype.IDIn(slices.Compact(ids)...)).
		Order(ent.Asc(relationshiptype.FieldID)).ForShare().All(ctx)
	if err != nil {
		return err
	}
	for _, t := range fresh {
		r.shared[t.ID] = true
		*r.types[t.ID] = *t
	}
	return nil
}

// nearest suggests a known code that starts alike; "" when none does.
func nearest(code string, known []string) string {
	slices.SortFunc(known, cmp.Compare[string])
	for n := len(code); n >= 3; n-- {
		for _, k := range known {
			if strings.HasPrefix(k, code[:n]) {
				return "; did you mean " + k + "?"
			}
		}
	}
	return ""
}
