package table

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

func TestAMappingIsReadStrictlyAndEachMistakeNamedWithItsLine(t *testing.T) {
	const good = "version: 1\nsource: s\nkey: A\nclass: {default: server}\nfields: {name: N}\n"
	for _, c := range []struct{ name, mapping, want string }{
		{"nothing", "", `m.yaml:1: the mapping is empty: it begins with version: 1`},
		{"a list", "- a\n", `m.yaml:1: a list stands here: class, delimiter, encoding, fields, files, key, keys, null, order, query, record, relation, relationships, sheet, source, version are expected, each with its value`},
		{"no YAML", "a: [\n", `m.yaml:2: broken YAML: did not find expected node content`},
		{"two documents", good + "---\n" + good, "m.yaml:1: one of several parts: say which tables it is for, by files: PATTERN or a query\nm.yaml:7: one of several parts: say which tables it is for, by files: PATTERN or a query"},
		{"all that is missing", "sheet: x\n", `m.yaml:1: version is missing: write version: 1
m.yaml:1: source is missing: write source: servers
m.yaml:1: key is missing: write key: [Asset Tag]
m.yaml:1: class is missing: write class: {default: server}, the same for all rows
m.yaml:1: fields is missing: write fields: {name: Hostname}`},
		{"another version", strings.Replace(good, "1", "2", 1), `m.yaml:1: version "2": this program knows version 1`},
		{"an unknown word", good + "fieldz: {}\n", `m.yaml:6: "fieldz" is not known here: class, delimiter, encoding, fields, files, key, keys, null, order, query, record, relation, relationships, sheet, source, version are`},
		{"a word twice", good + "key: B\n", `m.yaml:6: the key "key" stands twice in one map, first on line 3; a key must be unique`},
		{"an alias", good + "null: &a [x]\n", `m.yaml:6: aliases are not allowed, nor the anchors they point to: remove &a`},
		{"an unknown field", strings.Replace(good, "{name: N}", "\n  name: N\n  hostname: N", 1), `m.yaml:7: "hostname" is no field: known are availabilityTarget, category, criticality, description, environment, lifecycle, name, portfolio, supportTeam, tier, visibility, owners, attributes.NAME, labels.NAME, links.KIND`},
		{"no name", strings.Replace(good, "{name: N}", "{tier: N}", 1), `m.yaml:5: no field gives a name: write one, such as name: Hostname`},
		{"an unknown encoding", good + "encoding: latin\n", `m.yaml:6: "latin" is no encoding: write its name as web pages do, such as utf-8, windows-1252, iso-8859-15 or utf-16le`},
		{"an unknown delimiter", good + "delimiter: x\n", `m.yaml:6: delimiter "x": it is one of ",", ";", "|" and tab`},
		{"no value", strings.Replace(good, "{name: N}", "{name: {trim: true}}", 1), `m.yaml:5: neither a column nor a template nor a default stands here`},
		{"a column and a template", strings.Replace(good, "{name: N}", "{name: {column: A, template: '{B}'}}", 1), `m.yaml:5: a column and a template: choose one`},
		{"a template without columns", strings.Replace(good, "{name: N}", "{name: {template: 'a{b'}}", 1), `m.yaml:5: the template "a{b" names no columns in braces, such as {Site}-{Name}`},
		{"lower and upper", strings.Replace(good, "{name: N}", "{name: {column: A, lower: true, upper: true}}", 1), `m.yaml:5: lower and upper: choose one`},
		{"strict without a map", strings.Replace(good, "{name: N}", "{name: {column: A, strict: true}}", 1), `m.yaml:5: strict needs a map, whose values alone are taken`},
		{"a pattern without a group", strings.Replace(good, "{name: N}", "{name: {column: A, match: 'a+'}}", 1), `m.yaml:5: the pattern "a+" has 0 groups: one is expected, such as ^([a-z]+)-`},
		{"a pattern that is none", strings.Replace(good, "{name: N}", "{name: {column: A, match: '('}}", 1), "m.yaml:5: the pattern \"(\" is none: error parsing regexp: missing closing ): `(`"},
		{"a date without a day", strings.Replace(good, "{name: N}", "{name: N, attributes.a: {column: A, date: YYYY-MM}}", 1), `m.yaml:5: the date "YYYY-MM" has no D: write the parts as they stand in the cell, such as DD.MM.YYYY or YYYY-MM-DD hh:mm:ss`},
		{"a decimal sign that is none", strings.Replace(good, "{name: N}", "{name: N, attributes.a: {column: A, number: x}}", 1), `m.yaml:5: number is "x": write the decimal sign, "." or ","`},
		{"a list in the place of a text", good + "sheet: [a]\n", `m.yaml:6: a list stands here: text is expected`},
		{"a value that no field has", strings.Replace(good, "{name: N}", "{name: N, environment: {column: E, map: {p: PROD}}}", 1), `m.yaml:5: environment: "PROD" is none of "PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT", "DISASTER_RECOVERY"`},
		{"a default that no field has", strings.Replace(good, "{name: N}", "{name: N, lifecycle: {default: LIV}}", 1), `m.yaml:5: lifecycle: "LIV" is none of "PLANNED", "BUILD", "LIVE", "DEPRECATED", "RETIRED"; nearest "LIVE"`},
		{"a split name", strings.Replace(good, "{name: N}", "{name: {column: N, split: x}}", 1), `m.yaml:5: name is one text: split is for attributes, owners and relationships`},
		{"an unknown kind of link", strings.Replace(good, "{name: N}", "{name: N, links.RUNBOK: R}", 1), `m.yaml:5: "RUNBOK" is no kind of link; nearest "RUNBOOK"`},
		{"an owner without a key", strings.Replace(good, "{name: N}", "{name: N, owners: [{role: owner}]}", 1), `m.yaml:5: an owner has a team or a person: write where its key stands, such as {team: Team, role: owner}`},
		{"two owners in one", strings.Replace(good, "{name: N}", "{name: N, owners: {team: T, person: P}}", 1), `m.yaml:5: an owner is a team or a person: write two owners`},
		{"a relationship without a target", good + "relationships: [{type: runs_on}]\n", `m.yaml:6: a relationship has a type and a target: write them, such as {type: runs_on, target: Host}`},
		{"an unknown strength", good + "relationships: [{type: runs_on, target: H, strength: hard}]\n", `m.yaml:6: strength: "hard" is none of "HARD", "SOFT"; nearest "HARD"`},
		{"no truth", good + "relationships: [{type: runs_on, target: H, reverse: 3}]\n", `m.yaml:6: a number stands here: true or false is expected`},
		{"a split in a target", good + "relationships: [{type: runs_on, target: {column: H, split: x}}]\n", `m.yaml:6: a part of a key is one text: write split and space beside it, such as {target: Host, split: ";"}`},
		{"a space of no key", strings.Replace(good, "{name: N}", "{name: {column: N, space: x}}", 1), `m.yaml:5: name is no key of another record, and has no space`},
		{"a split class", strings.Replace(good, "{default: server}", "{column: C, split: x}", 1), `m.yaml:4: a class is one code: it has neither split nor space`},
		{"a list of keys", good + "keys: [A]\n", `m.yaml:6: keys is a list: write a space and the column of its keys on each line, such as dns: FQDN`},
		{"a part of another source", good + "files: a*\n---\nfiles: b*\nsource: t\nkey: A\nclass: {default: server}\nfields: {name: N}\n", `m.yaml:8: a part of another source: write a mapping file for each source`},
		{"a record that is none", "version: 1\nsource: s\nrecord: user\nkey: A\nclass: {default: server}\nfields: {name: N}\n", `m.yaml:3: record: "user" is none of "ci", "team", "person"`},
		{"a field that teams have not", "version: 1\nsource: s\nrecord: team\nkey: A\nfields: {name: N, lifecycle: L}\n", `m.yaml:5: "lifecycle" is no field of a team: known are name, description, email, parent`},
		{"a team with a class", "version: 1\nsource: s\nrecord: team\nkey: A\nfields: {name: N}\nclass: {default: server}\n", `m.yaml:1: a team has a key and fields: class, keys, relationships and relation are of CIs`},
		{"a relation with fields", good + "relation: {type: T, source: A, target: B}\n", `m.yaml:1: each row is a relation: class, key, fields and relationships stand in the part of the CIs`},
		{"a relation without a type", "version: 1\nsource: s\nrelation: {source: A, target: B}\n", `m.yaml:3: a relation has a type, a source and a target: write them, such as {type: Type, source: Parent, target: Child}`},
		{"a pattern of names that is none", good + "files: '[a'\n", `m.yaml:6: "[a" is no pattern of names, such as cmdb_rel_ci*.csv`},
		{"two statements", good + "query: SELECT 1; DROP TABLE x\n", `m.yaml:6: the query has a semicolon: write one statement, and none at its end`},
		{"an order without a query", good + "order: A\n", `m.yaml:1: order belongs to a query`},
		{"skip that is not of a class", strings.Replace(good, "{name: N}", "{name: {column: A, map: {a: b}, skip: true}}", 1), `m.yaml:5: skip passes rows over by their class: it stands there alone`},
		{"skip without a map", strings.Replace(good, "{default: server}", "{column: C, skip: true}", 1), `m.yaml:4: skip passes over what the map does not name: it has a map, and neither strict nor default`},
		{"two mistakes", good + "sheet: [a]\nnulls: x\n", "m.yaml:6: a list stands here: text is expected\nm.yaml:7: \"nulls\" is not known here: class, delimiter, encoding, fields, files, key, keys, null, order, query, record, relation, relationships, sheet, source, version are"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseMapping("m.yaml", []byte(c.mapping))
			if err == nil {
				t.Fatal("it was read")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEmptyCellIsNotReportedUnlessTheMappingSaysWhatItMeans(t *testing.T) {
	const mapping = `version: 1
source: s
key: Key
class: {default: server}
fields:
  name: Key
  description: Text
  environment: {column: Env, map: {"": TESTING, "-": STAGING}}
  criticality: {column: How, default: LOW}
null: ["-"]
`
	r := from(t, mapping, "Key,Text,Env,How\na,,,\nb,-,-,-\nc,x,PRODUCTION,HIGH\n")
	var got []string
	for _, row := range r.rows {
		got = append(got, strings.Join([]string{row.CI.Description, row.CI.Environment, row.CI.Criticality}, "|"))
	}
	if diff := cmp.Diff([]string{"|TESTING|LOW", "|STAGING|LOW", "x|PRODUCTION|HIGH"}, got); diff != "" || r.notices != nil {
		t.Errorf("%s%q", diff, r.texts())
	}
}

func TestATextThatMeansNoneIsReportedAsThat(t *testing.T) {
	const mapping = `version: 1
source: s
key: Key
class: {default: application_service}
fields:
  name: Key
  description: Text
  tier: Tier
  supportTeam: {column: Team, space: estate}
  availabilityTarget: SLA
  attributes.os: OS
  labels.zone: Zone
  lifecycle: State
  links.RUNBOOK: Book
  links.CHAT: Chat
  owners: [{team: Team, space: estate, role: owner}, {person: Lead}]
relationships: [{type: depends_on, target: Needs, space: estate}]
null: ["-", ""]
`
	r := from(t, mapping, "Key,Text,Tier,Team,SLA,OS,Zone,State,Book,Chat,Lead,Needs\na,-,,-,-,-,-,-,-,-,-,-\nb,x,t,web,99,o,z,LIVE,-,c,-,db\n")
	if len(r.rows) != 2 || r.notices != nil {
		t.Fatalf("%q", r.texts())
	}
	if diff := cmp.Diff([]string{"description", "tier", "supportTeam", "availabilityTarget", "attributes.os", "labels.zone", "links", "owners"}, r.rows[0].CI.Null); diff != "" {
		t.Error(diff)
	}
	b := r.rows[1].CI
	if b.Null != nil || b.Service.SupportTeam != "web" || b.Service.SupportTeamSpace != "estate" {
		t.Errorf("%q %+v", b.Null, b.Service)
	}
	if diff := cmp.Diff([]importer.Owner{{Team: "web", Role: "owner", Space: "estate"}}, b.Owners); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "db", Space: "estate", Evidence: `column "Needs"`}}, b.Relationships); diff != "" {
		t.Error(diff)
	}
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(servers))
	f.Add([]byte("fields: {name: {template: '{A}-{B}', map: {a: b}, split: x, date: D.M.YY, bool: {true: x}}}\nrelationships: [{type: a, target: [b, {default: c}]}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if m, err := parseMapping("m.yaml", content); err == nil && (m.Source == "" || len(m.key) == 0 || m.class == nil) {
			t.Fatalf("%+v", m)
		}
	})
}
