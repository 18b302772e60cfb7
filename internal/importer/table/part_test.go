package table

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

func TestTeamsPeopleAndRelationshipsHaveTablesOfTheirOwn(t *testing.T) {
	m := mappingOf(t, `version: 1
source: hr
files: links*
relation: {type: {column: Kind, map: {needs: depends_on, holds: ^contained_in}}, source: From, target: To}
---
files: team*
record: team
key: ID
fields: {name: Name, description: About, email: Mail, parent: {column: Above, optional: true}}
---
files: people*
record: person
key: ID
fields: {name: Name, email: Mail, teams: {column: Teams, split: ","}}
---
files: "*"
class: {column: Class, skip: true, map: {srv: server}}
key: ID
fields: {name: Name, attributes.os: {column: OS, optional: true}}
`)
	r := collect(t, New(m, []string{
		write(t, "cis.csv", "ID,Name,Class\n1,web,srv\n2,db,srv\n3,desk,furniture\n4,chair,furniture\n"),
		write(t, "teams.csv", "ID,Name,About,Mail\nt1,Web,The web,web@example.com\n"),
		write(t, "people.csv", "ID,Name,Mail,Teams\np1,Ada,ada@example.com,\"t1, t2\"\n"),
		write(t, "links.csv", "Kind,From,To\nneeds,1,2\nneeds,1,2\nholds,2,1\nlikes,1,2\nneeds,9,1\nneeds,,1\n"),
	}))
	if r.err != nil {
		t.Fatal(r.err)
	}
	want := []importer.Row{
		{CI: &importer.CI{ExternalID: "1", Class: "server", Name: "web", Relationships: []importer.Relationship{{Type: "depends_on", Target: "2", Evidence: "links.csv"}}}},
		{CI: &importer.CI{ExternalID: "2", Class: "server", Name: "db", Relationships: []importer.Relationship{{Type: "contained_in", Target: "1", IsReverse: true, Evidence: "links.csv"}}}},
		{Team: &importer.Team{ExternalID: "t1", Name: "Web", Description: "The web", Email: "web@example.com"}},
		{Person: &importer.Person{ExternalID: "p1", Name: "Ada", Email: "ada@example.com", Teams: []string{"t1", "t2"}}},
	}
	for i := range r.rows {
		r.rows[i].Origin = importer.Origin{}
		if c := r.rows[i].CI; c != nil {
			for j := range c.Relationships {
				c.Relationships[j].Evidence = c.Relationships[j].Evidence[strings.LastIndex(c.Relationships[j].Evidence, "/")+1:]
			}
		}
	}
	if diff := cmp.Diff(want, r.rows); diff != "" {
		t.Error(diff)
	}
	var told []string
	for _, n := range r.notices {
		told = append(told, string(n.Kind)+": "+n.Reason)
	}
	for _, want := range []string{
		"rejected: the cell is empty, and it is the source of the relationship",
		`skipped: 1 relationships start at CIs that no table has, such as "9": they were left out`,
		`skipped: rows of classes that the mapping does not name: "furniture" 2`,
		`skipped: relationships of types that the mapping does not name: "likes" 1`,
	} {
		if !slices.Contains(told, want) {
			t.Errorf("not told: %s\n%s", want, strings.Join(told, "\n"))
		}
	}
}

func TestAFileThatNoPartIsForIsRejectedByName(t *testing.T) {
	m := mappingOf(t, "version: 1\nsource: s\nfiles: a*\nkey: K\nclass: {default: server}\nfields: {name: N}\n")
	r := collect(t, New(m, []string{write(t, "b.csv", "K,N\n1,x\n"), write(t, "a.csv", "K,N\n1,x\n")}))
	if len(r.rows) != 1 || len(r.notices) != 1 || !strings.Contains(r.notices[0].Reason, "no part of m.yaml is for a file of this name") {
		t.Errorf("rows %v, notices %v", r.rows, r.notices)
	}
}

func TestEachPreparedMappingIsRead(t *testing.T) {
	if len(PreparedNames()) < 5 {
		t.Error(PreparedNames())
	}
	for _, name := range PreparedNames() {
		if _, err := Prepared(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Prepared("servicenw"); err == nil || !strings.Contains(err.Error(), `nearest "servicenow"`) {
		t.Error(err)
	}
}
