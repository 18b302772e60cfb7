package schedule

import (
	"context"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The bounds of what a window may hold for.
const (
	mostClasses = 100
	mostLabels  = 20
)

// aim looks at what a window is to be for. Services become their CIs, codes the ids of their classes.
func aim(ctx context.Context, tx *store.Tx, f *form.Form, w *ent.ChangeWindow, cis []ident.ID, codes []string, labels []domain.LabelInput) {
	w.Cis, w.Classes, w.Labels = []ident.ID{}, []ident.ID{}, map[string]string{}
	for _, record := range ticket.CIs(ctx, tx, f, "cis", cis) {
		if record != nil {
			w.Cis = append(w.Cis, record.ID)
		}
	}
	f.Number("classes", len(codes), 0, mostClasses)
	if len(codes) > 0 && len(codes) <= mostClasses {
		found, err := tx.CIClass.Query().Where(ciclass.CodeIn(codes...)).All(ctx)
		f.Fault(err)
		for i, code := range codes {
			at := slices.IndexFunc(found, func(c *ent.CIClass) bool { return c.Code == code })
			switch {
			case at < 0:
				f.Fault(errs.New(errs.NotFound, "there is no class %q", code).At("classes", strconv.Itoa(i)))
			case !slices.Contains(w.Classes, found[at].ID):
				w.Classes = append(w.Classes, found[at].ID)
			}
		}
	}
	f.Number("labels", len(labels), 0, mostLabels)
	for i, label := range labels {
		if _, ok := w.Labels[label.Name]; ok || label.Name == "" || label.Value == nil || len(label.Name) > ticket.LongestWord || len(*label.Value) > 500 {
			f.Fault(errs.New(errs.Invalid, "a label that CIs have is a name, once, and a text, such as {name: \"team\", value: \"payments\"}").At("labels", strconv.Itoa(i)))
			continue
		}
		w.Labels[label.Name] = *label.Value
	}
}

// somewhere refuses a window that is for nothing, or for everything and something.
func somewhere(f *form.Form, w *ent.ChangeWindow) {
	named := len(w.Cis) + len(w.Classes) + len(w.Labels)
	switch {
	case f.Err() != nil:
	case w.IsGlobal && named > 0:
		f.Fault(errs.New(errs.Invalid, "isGlobal says that it holds for all CIs: name none, or leave isGlobal out").At("isGlobal"))
	case !w.IsGlobal && named == 0:
		f.Fault(errs.New(errs.Required, "it holds for no CI: name cis, classes or labels, or say isGlobal").At("cis"))
	}
}

// classesOf returns the codes of classes.
func classesOf(ctx context.Context, tx *store.Tx, ids []ident.ID) ([]string, error) {
	found, err := tx.CIClass.Query().Where(ciclass.IDIn(ids...)).Order(ent.Asc(ciclass.FieldID)).All(ctx)
	codes := make([]string, len(found))
	for i, c := range found {
		codes[i] = c.Code
	}
	return codes, err
}
