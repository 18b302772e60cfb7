package change_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/conflictfinding"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

// findings reads "SAME_CI chg_2".
func (b board) findings(of ident.ID) (all []string) {
	for _, f := range b.Store.Read.ConflictFinding.Query().Where(conflictfinding.ChangeID(of)).Order(ent.Asc("id")).AllX(b.olga) {
		all = append(all, fmt.Sprint(f.Kind, " ", f.OtherID))
	}
	return all
}

func TestAConflictIsWrittenDownOnceWhenItIsFirstFound(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		other := b.mustDraft(t, b.ready(domain.Normal)).ID
		draft := b.ready(domain.Normal)
		draft.Scope, draft.Assignee = []change.CI{{b.Shop, domain.ChangedRole}}, &b.Bob
		c := b.mustDraft(t, draft).ID
		edit := func(in change.Update) func() {
			return func() {
				t.Helper()
				in.ID = c
				if _, err := b.Update(b.olga, in); err != nil {
					t.Fatal(err)
				}
			}
		}
		do := func(id ident.ID, verbs ...string) func() {
			return func() { t.Helper(); b.mustDo(t, id, verbs...) }
		}
		meanwhile := func(verbs ...string) func() { // a change more is drafted first
			return func() { t.Helper(); b.mustDraft(t, b.ready(domain.Normal)); b.mustDo(t, c, verbs...) }
		}
		third, fourth := c+1, c+2
		nextDay, nextNight := dawn.Add(24*time.Hour), night.Add(24*time.Hour)
		upstream, same := fmt.Sprint("UPSTREAM ", other), fmt.Sprint("SAME_CI ", other)
		var want []string
		for _, step := range []struct {
			what string
			do   func()
			more []string
		}{
			{"a draft is edited", edit(change.Update{Description: graphql.OmittableOf(&words)}), nil},
			{"it is handed in", do(c, "assessChange"), []string{upstream}},
			{"a third comes and it goes on", meanwhile("requestChangeApproval"), []string{fmt.Sprint("UPSTREAM ", third)}},
			{"it gets another scope", edit(change.Update{Scope: graphql.OmittableOf([]change.CI{{b.Database, domain.ChangedRole}})}), []string{same, fmt.Sprint("SAME_CI ", third)}},
			{"it moves away", edit(change.Update{PlannedStart: graphql.OmittableOf(&nextNight), PlannedEnd: graphql.OmittableOf(&nextDay)}), nil},
			{"and back", edit(change.Update{PlannedStart: graphql.OmittableOf(&night), PlannedEnd: graphql.OmittableOf(&dawn)}), nil},
			{"the other is handed in", do(other, "assessChange"), nil},
			{"it is approved", do(c, "requestChangeApproval", "vote"), nil},
			{"a fourth comes and it is scheduled", meanwhile("scheduleChange"), []string{fmt.Sprint("SAME_CI ", fourth)}},
			{"a fifth comes and it is carried out", meanwhile("startChange", "reviewChange", "closeChange"), nil},
		} {
			step.do()
			want = append(want, step.more...)
			if got := b.findings(c); !slices.Equal(got, want) {
				t.Errorf("when %s: %v, want %v", step.what, got, want)
			}
		}
		if got := b.findings(other); !slices.Equal(got, []string{fmt.Sprint("SAME_CI ", c), fmt.Sprint("SAME_CI ", third)}) {
			t.Errorf("the other has %v", got)
		}
		if n := b.Store.Read.Entry.Query().Where(entry.SubjectID(c), entry.RecordIDGTE(ident.New(ident.ConflictFinding, 1)), entry.RecordIDLT(ident.New(ident.ConflictFinding+1, 0))).CountX(b.olga); n != len(want) {
			t.Errorf("%d of %d are in the journal", n, len(want))
		}
	})
}
