package cmdb

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// rowChunk bounds the rows of one statement: SQLite takes 32,766 arguments.
const rowChunk = 500

// CreateCI records a new CI. Of a service class it is a service too, with the defaults of the catalogue.
func (p *Practice) CreateCI(ctx context.Context, in CreateCI) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.create", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		labels, err := Labels(in.Labels)
		if err != nil {
			return nil, err
		}
		in.Fields.Name = &in.Name
		row := NewCI{Class: in.Class, Fields: in.Fields, Attributes: in.Attributes, Labels: Present(labels)}
		return CreateByPerson(ctx, tx, row, in.Owners, in.ExternalIdentity)
	}))
}

// CreateByPerson creates a CI as the verbs do, with its owners and its key in another system. All that is wrong with
// any of them is said at once.
func CreateByPerson(ctx context.Context, tx *store.Tx, row NewCI, owners []Owner, key *domain.ExternalKey) (*ent.CI, error) {
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return nil, err
	}
	drafts, wrong, err := ref.draftCIs(ctx, tx, []NewCI{row})
	if err != nil {
		return nil, err
	}
	all := wrong[0]
	if form.Or(row.Lifecycle, domain.Live) == domain.Retired {
		all.Fault(errs.New(errs.TransitionRefused, "a CI becomes RETIRED by retireCI alone: a new one is %s", "PLANNED, BUILD, LIVE or DEPRECATED"), "lifecycle")
	}
	listed, err := checkOwners(ctx, tx, owners, &all)
	if err != nil {
		return nil, err
	}
	if key != nil {
		if err := checkNewKey(ctx, tx, key, &all); err != nil {
			return nil, err
		}
	}
	if err := all.Err(); err != nil {
		return nil, err
	}
	created, err := saveCIs(ctx, tx, drafts)
	if err != nil {
		return nil, err
	}
	record := created[0]
	if err := FirstOwnersTx(ctx, tx, []OwnerSet{{CI: record.ID, Owners: listed}}); err != nil {
		return nil, err
	}
	if key == nil {
		return record, nil
	}
	if err := AddIdentitiesTx(ctx, tx, ref, []NewIdentity{{record.ID, *key}}); err != nil {
		return nil, err
	}
	return tx.CI.Get(ctx, record.ID) // what healed may have written it
}

// CreateCIsTx creates CIs inside a transaction, a few statements for all of them. They come back in the order of the
// rows. Paths of failures begin with the row's number.
func CreateCIsTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewCI) ([]*ent.CI, error) {
	drafts, wrong, err := ref.draftCIs(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	if err := form.Rows(wrong); err != nil {
		return nil, err
	}
	return saveCIs(ctx, tx, drafts)
}

// draftCIs checks rows and makes records of them that are not stored yet; a row whose class is unknown gives nil.
func (r *Reference) draftCIs(ctx context.Context, tx *store.Tx, rows []NewCI) ([]*ent.CI, []form.Form, error) {
	drafts, wrong := make([]*ent.CI, len(rows)), make([]form.Form, len(rows))
	for i, row := range rows {
		drafts[i] = r.draftCI(row, &wrong[i])
	}
	if err := checkSupportTeams(ctx, tx, drafts, wrong); err != nil {
		return nil, nil, err
	}
	if err := r.checkIdentities(ctx, tx, drafts, func(int) bool { return true }, wrong); err != nil {
		return nil, nil, err
	}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		if err := r.checkClass(ctx, d, &wrong[i]); err != nil {
			return nil, nil, err
		}
	}
	return drafts, wrong, nil
}

func (r *Reference) draftCI(row NewCI, f *form.Form) *ent.CI {
	d := &ent.CI{Labels: maps.Clone(row.Labels)}
	Defaults(d)
	row.Lay(d)
	if d.Labels == nil {
		d.Labels = map[string]string{}
	}
	d.Attributes = checkAttributes(f, row.Attributes)
	maps.DeleteFunc(d.Attributes, func(_ string, v any) bool { return v == nil })
	class, err := r.Class(row.Class)
	if err != nil {
		f.Fault(err, "class")
	} else {
		d.ClassID = class.ID
		r.draftService(d, class, row.Service, f)
	}
	checkFields(d, f)
	if class == nil {
		return nil
	}
	return d
}

func (r *Reference) draftService(d *ent.CI, class *Class, facet *ServiceFacet, f *form.Form) {
	kind, ok := class.ServiceKind()
	if !ok {
		if facet != nil {
			f.Fault(errs.New(errs.Invalid, "%s is not a class of services: its CIs have no tier, links or support team", class.Code), "class")
		}
		return
	}
	d.ServiceKind = &kind
	if facet == nil {
		facet = &ServiceFacet{}
	}
	stage := orElse(facet.PortfolioStage, domain.PortfolioCatalog)
	d.PortfolioStage, d.Category, d.Links = &stage, facet.Category, slices.Clone(facet.Links)
	if facet.AvailabilityTarget != nil {
		target := *facet.AvailabilityTarget
		d.AvailabilityTarget = &target
	}
	if facet.Tier != "" {
		if id, err := r.Tier(facet.Tier); err != nil {
			f.Fault(err, "tier")
		} else {
			d.TierID = &id
		}
	}
	if facet.SupportTeam != 0 {
		d.SupportTeamID = &facet.SupportTeam
	}
}

func orElse[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}

// checkClass checks what the class of a draft says about it.
func (r *Reference) checkClass(ctx context.Context, d *ent.CI, f *form.Form) error {
	class := r.classes[d.ClassID]
	if class.IsAbstract {
		f.Fault(errs.New(errs.Invalid, "%s only groups other classes: choose one below it", class.Code), "class")
		return nil
	}
	return r.checkAttributes(ctx, d, f)
}

// checkAttributes checks the attributes as a whole against the schemas of the class and all above it.
func (r *Reference) checkAttributes(ctx context.Context, d *ent.CI, f *form.Form) error {
	schema, err := r.classes[d.ClassID].AttributeSchema()
	if err != nil {
		return err
	}
	f.Fault(schema.Check(ctx, d.Attributes), "attributes")
	f.Fault(attribute.Size(d.Attributes), "attributes")
	return ctx.Err()
}

// checkSupportTeams refuses support teams that do not exist.
func checkSupportTeams(ctx context.Context, tx *store.Tx, drafts []*ent.CI, wrong []form.Form) error {
	ids := map[ident.ID]bool{}
	for i, d := range drafts {
		if d == nil || d.SupportTeamID == nil {
			continue
		}
		if err := form.Kind(*d.SupportTeamID, ident.Team, "supportTeam"); err != nil {
			wrong[i].Fault(err)
			d.SupportTeamID = nil
			continue
		}
		ids[*d.SupportTeamID] = true
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := Known(ctx, tx, ids)
	if err != nil {
		return err
	}
	for i, d := range drafts {
		if d != nil && d.SupportTeamID != nil && !found[*d.SupportTeamID] {
			wrong[i].Fault(form.Missing(*d.SupportTeamID, "supportTeam"))
		}
	}
	return nil
}

func saveCIs(ctx context.Context, tx *store.Tx, drafts []*ent.CI) ([]*ent.CI, error) {
	for _, d := range drafts {
		d.Version, d.CreatedAt, d.UpdatedAt = 1, tx.Now, tx.Now
	}
	return drafts, store.Insert(ctx, tx, drafts)
}
