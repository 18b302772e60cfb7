package table

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

func guessOf(t testing.TB, file string, o GuessOptions) string {
	t.Helper()
	var b strings.Builder
	if err := Guess(&b, file, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAGuessIsAMappingThatImportsTheFile(t *testing.T) {
	file := write(t, "Our Servers (2).csv", "Asset Tag;Host name;Type;Status;Env;RAM (GB);Team;Host;Depends on;Serial No.;Notes;Odd: one\n"+
		"1;a;VM;In use;prod;15,5;web;h1;2;;;x\n2;b;Server;Retired;prd-2;64;web;;1, 3;0007;;\n3;b;Mainframe;In use;Prod;8;db;;;;;\n")
	got := guessOf(t, file, GuessOptions{})
	want := `# Guessed from the header and the first 3 rows: go through it before you import.
version: 1
source: our-servers-2
class:
  column: Type
  strict: true # a row with another text is left out
  map:
    VM: virtual_machine
    Server: server
    # Mainframe: a code such as server or virtual_machine
key: [Asset Tag]
fields:
  name: Host name
  description: Notes
  lifecycle:
    column: Status
    strict: true # a row with another text is left out
    map:
      In use: LIVE
      Retired: RETIRED
  environment:
    column: Env
    strict: true # a row with another text is left out
    map:
      prod: PRODUCTION
      Prod: PRODUCTION
      # prd-2: one of PRODUCTION, STAGING, TESTING, DEVELOPMENT, DISASTER_RECOVERY
  attributes.serialNumber: Serial No.
  attributes.memoryGiB: {column: "RAM (GB)", number: ","}
  owners:
    - {team: Team, role: owner} # the key of a team
relationships: # each cell names the key of another CI
  - {type: runs_on, target: Host}
  - {type: depends_on, target: Depends on, split: ","}
null: [] # texts that mean "there is none", such as ["-", "n/a"]; an empty cell says nothing
# Not read, unless you add them to fields:
#  attributes.odd-one: "Odd: one" # such as "x"
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r := collect(t, New(mappingOf(t, got), []string{file}))
	if diff := cmp.Diff([]string{
		`Our Servers (2).csv:1: columns that the mapping does not name, and that were not read: "Odd: one"`,
		`Our Servers (2).csv:3, column "Env": "prd-2" is none of "Prod", "prod"; nearest "prod"`,
		`Our Servers (2).csv:4, column "Type": "Mainframe" is none of "Server", "VM"`,
	}, r.texts()); diff != "" || len(r.rows) != 1 {
		t.Errorf("%s%+v", diff, r.rows)
	}
	if diff := cmp.Diff(&importer.CI{
		ExternalID: "1", Class: "virtual_machine", Name: "a", Lifecycle: "LIVE", Environment: "PRODUCTION", Attributes: map[string]any{"memoryGiB": 15.5},
		Owners:        []importer.Owner{{Team: "web", Role: "owner"}},
		Relationships: []importer.Relationship{{Type: "runs_on", Target: "h1", Evidence: `column "Host"`}, {Type: "depends_on", Target: "2", Evidence: `column "Depends on"`}},
	}, r.rows[0].CI); diff != "" {
		t.Error(diff)
	}
}

func TestAGuessOfAnythingIsAMapping(t *testing.T) {
	for name, content := range map[string]string{
		"a header alone":    "A,B\n",
		"names that repeat": "Name,Name,Status,Status\na,b,c,d\n",
		"odd names":         "\"a: b\",\"- x\",#c,'d',\"e\"\"f\",{g},\"h\ni\",yes,\"\"\n1,2,3,4,5,6,7,8,9\n",
		"odd values":        "Name,Env,Type\na,\"p: \"\"q\"\"\n#\",- x\nb,yes,\n",
		"no unique column":  "Rack,Room\na,b\na,b\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "t.csv", content)
			got := guessOf(t, file, GuessOptions{})
			m, err := parseMapping("m.yaml", []byte(got))
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			if r := collect(t, New(m, []string{file})); r.err != nil {
				t.Error(r.err)
			}
		})
	}
}

func TestAGuessOfAWorkbookNamesItsSheet(t *testing.T) {
	file := filepath.Join("testdata", "servers.xlsx")
	if err := Guess(&strings.Builder{}, file, GuessOptions{}); err == nil || !strings.Contains(err.Error(), `the workbook has the sheets "Servers", "Merged"`) {
		t.Error(err)
	}
	got := guessOf(t, file, GuessOptions{Sheet: "Servers"})
	r := collect(t, New(mappingOf(t, got), []string{file}))
	if len(r.rows) != 5 || r.rows[0].CI.ExternalID != "0042" {
		t.Errorf("%q\n%s", r.texts(), got)
	}
	if err := Guess(&strings.Builder{}, file, GuessOptions{Encoding: "x"}); err == nil {
		t.Error("an encoding that is none is taken")
	}
}
