package form_test

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
)

func TestEachMistakeHasOneSentence(t *testing.T) {
	for want, mistake := range map[string]func(*form.Form){
		"name: name must not be empty":                                        func(f *form.Form) { f.Text("name", " ", 1, 9) },
		"rank: rank is 0: it is 1 to 9":                                       func(f *form.Form) { f.Number("rank", 0, 1, 9) },
		"links: 3 links: at most 2":                                           func(f *form.Form) { f.Most("links", 3, 2) },
		`email: email is "ada": write an address such as ada@example.com`:     func(f *form.Form) { f.Email("email", "ada") },
		`strength: strength is "FIRM": it is one of HARD, SOFT`:               func(f *form.Form) { form.OneOf(f, "strength", domain.Strength("FIRM")) },
		"name: name cannot be cleared: write a value, or leave the field out": func(f *form.Form) { form.Given(f, "name", graphql.OmittableOf[*string](nil)) },
		`id: "ci_1" is not the id of an incident: such ids begin with inc_`:   func(f *form.Form) { f.Fault(form.Kind(ident.New(ident.CI, 1), ident.Incident, "id")) },
		"0.ci: the id of a CI is missing: such ids begin with ci_":            func(f *form.Form) { f.Fault(form.Kind(0, ident.CI, "ci"), "0") },
		"there is no dependency group grp_1":                                  func(f *form.Form) { f.Fault(form.Missing(ident.New(ident.DependencyGroup, 1))) },
		"members.0.relationship: there is no relationship rel_1": func(f *form.Form) {
			f.Fault(form.Missing(ident.New(ident.Relationship, 1), "members", "0", "relationship"))
		},
	} {
		var f form.Form
		mistake(&f)
		if err := f.Err(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestARightInputHasNoFault(t *testing.T) {
	var f form.Form
	f.Fault(nil, "name")
	f.Text("name", "a", 1, 1)
	f.Number("rank", 9, 1, 9)
	f.Most("links", 2, 2)
	f.Email("email", "")
	form.OneOf(&f, "strength", domain.Soft)
	form.Given(&f, "name", graphql.Omittable[*string]{})
	f.Fault(form.Kind(ident.New(ident.Incident, 1), ident.Incident))
	if err := f.Err(); err != nil || f.IsFaulty() {
		t.Fatal(err)
	}
}

func TestFaultsOfRowsSayTheirRow(t *testing.T) {
	rows := make([]form.Form, 3)
	rows[1].Text("name", "", 1, 9)
	rows[2].Fault(errs.New(errs.NotFound, "there is no such team"), "parent")
	all, _ := errs.All(form.Rows(rows))
	if len(all) != 2 || all[0].Error() != "1.name: name must not be empty" || all[1].Error() != "2.parent: there is no such team" {
		t.Fatalf("got %v", all)
	}
	if err := form.Rows(rows[:1]); err != nil {
		t.Fatal(err)
	}
}

func TestAnOptionalInputSaysWhatItSays(t *testing.T) {
	absent, null, said := graphql.Omittable[*int]{}, graphql.OmittableOf[*int](nil), graphql.OmittableOf(new(int))
	*said.Value() = 3
	if form.Kept(absent, 1, 2) != 1 || form.Kept(null, 1, 2) != 2 || form.Kept(said, 1, 2) != 3 {
		t.Error("Kept")
	}
	if form.Cleared(absent) != nil || *form.Cleared(null) != 0 || *form.Cleared(said) != 3 {
		t.Error("Cleared")
	}
	if form.Or(nil, 1) != 1 || form.Or(said.Value(), 1) != 3 {
		t.Error("Or")
	}
}

func TestAListReadsAsPeopleSayIt(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := form.List(words, "or"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
