package cmdb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
)

// anyClass stands for every class in a pair of classes that a type of relationship may connect.
const anyClass = "*"

const pairsPerType = 500

// CheckPair refuses what a type does not connect: CIs of other classes than its pairs have.
func CheckPair(t *ent.RelationshipType, from, to *Class) error {
	fits := func(pair domain.ClassPair) bool {
		return (pair.Source == anyClass || from.Is(pair.Source)) && (pair.Target == anyClass || to.Is(pair.Target))
	}
	if len(t.AllowedPairs) == 0 || slices.ContainsFunc(t.AllowedPairs, fits) {
		return nil
	}
	pairs := make([]string, len(t.AllowedPairs))
	for i, pair := range t.AllowedPairs {
		pairs[i] = strings.ReplaceAll(pair.Source+" to "+pair.Target, anyClass, "any class")
	}
	return errs.New(errs.Invalid, "%s does not lead from %s to %s: it connects %s", t.Code, from.Code, to.Code, strings.Join(pairs, ", "))
}

// pairs reads the pairs of classes of an input.
func (r *Reference) pairs(f *form.Form, in []ClassPair) []domain.ClassPair {
	f.Most("allowedPairs", len(in), pairsPerType)
	all := make([]domain.ClassPair, len(in))
	for i, pair := range in {
		all[i] = domain.ClassPair(pair)
		for _, end := range []struct{ field, code string }{{"source", pair.Source}, {"target", pair.Target}} {
			if end.code != anyClass {
				_, err := r.Class(end.code)
				f.Fault(err, "allowedPairs", strconv.Itoa(i), end.field)
			}
		}
	}
	return all
}
