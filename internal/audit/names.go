package audit

import (
	"context"
	"maps"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// names are those of accounts, and those under which accounts acted. The chain holds ids: a name beside an id has to be
// one that the account has had.
type names struct {
	had    map[ident.ID]map[string]bool
	used   map[ident.ID]map[string]int64 // the first revision
	erased map[ident.ID]bool             // some content of theirs was redacted, and names with it
}

func newNames() names {
	return names{map[ident.ID]map[string]bool{}, map[ident.ID]map[string]int64{}, map[ident.ID]bool{}}
}

func (n names) called(of ident.ID, name string) {
	if n.had[of] == nil {
		n.had[of] = map[string]bool{}
	}
	n.had[of][store.Folded(name)] = true
}

func (n names) acted(as ident.ID, name string, revision int64) {
	if n.used[as] == nil {
		n.used[as] = map[string]int64{}
	}
	if first, ok := n.used[as][name]; !ok || revision < first {
		n.used[as][name] = revision
	}
}

// add takes over what others have noted.
func (n names) add(others names) {
	for id, all := range others.had {
		for name := range all {
			n.called(id, name)
		}
	}
	for id, all := range others.used {
		for name, first := range all {
			n.acted(id, name, first)
		}
	}
	maps.Copy(n.erased, others.erased)
}

// compareNames looks for entries under a name that their account never had.
func (v *verifier) compareNames(ctx context.Context, from *store.Snapshot) error {
	ids := make([]ident.ID, 0, len(v.names.used))
	for id := range v.names.used {
		ids = append(ids, id)
	}
	known, err := from.Client.Account.Query().Where(account.IDIn(ids...)).Order(ent.Asc(account.FieldID)).All(ctx)
	if err != nil {
		return store.Translate(err)
	}
	for _, a := range known { // those that a migration made have no entry
		v.names.called(a.ID, a.Name)
		if a.Subject != nil {
			v.names.called(a.ID, *a.Subject)
		}
	}
	for id, used := range v.names.used {
		for name, first := range used {
			if !v.names.erased[id] && !v.names.had[id][store.Folded(name)] {
				v.fault(first, "an entry says that %s was called %q, which it never was", id, name)
			}
		}
	}
	return nil
}
