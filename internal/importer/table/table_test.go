package table

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// servers is the mapping of most tests.
const servers = `version: 1
source: servers
class: {column: Type, map: {VM: virtual_machine, Server: server}, default: server}
key: [Asset Tag]
fields:
  name: {column: Hostname, lower: true}
  environment: {column: Env, map: {prod: PRODUCTION, test: TESTING, "": PRODUCTION}, strict: true}
  attributes.serialNumber: Serial
`

const serversHeader = "Asset Tag,Hostname,Type,Env,Serial\n"

// result is all that a source yields. Files are named without their folders.
type result struct {
	rows    []importer.Row
	notices []importer.Notice
	err     error
}

func (r result) texts() []string {
	var all []string
	for _, n := range r.notices {
		all = append(all, n.Error())
	}
	return all
}

func collect(t testing.TB, s importer.Source) (r result) {
	t.Helper()
	for row, err := range s.Rows(t.Context()) {
		var n *importer.Notice
		switch {
		case errors.As(err, &n):
			bare := *n
			bare.Origin.File = filepath.Base(n.Origin.File)
			r.notices = append(r.notices, bare)
		case err != nil:
			r.err = err
		default:
			row.Origin.File = filepath.Base(row.Origin.File)
			r.rows = append(r.rows, row)
		}
	}
	return r
}

func mappingOf(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := parseMapping("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// write writes a file into a folder of the test.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func from(t testing.TB, mapping, content string) result {
	t.Helper()
	return collect(t, New(mappingOf(t, mapping), []string{write(t, "servers.csv", content)}))
}

func TestARowBecomesACI(t *testing.T) {
	r := from(t, servers+`  labels.cost-center: {column: CC, trim: true}
  description: {template: "{Hostname} in {Room}"}
  owners: [{team: {column: Team}, role: owner, split: ";"}, {person: Contact}]
  attributes.cpuCores: {column: Cores, number: ","}
  attributes.bought: {column: Bought, date: DD.MM.YYYY}
  attributes.isLeased: {column: Leased, bool: {true: [ja], false: [nein]}}
  attributes.addresses: {column: IP, split: " "}
  attributes.site: {column: Room, match: "^([A-Z]+)-"}
keys: {dns: {column: Hostname, lower: true}, "vcenter:moid": [Room, Serial], none: Cores2}
relationships:
  - {type: runs_on, target: Host, split: ";"}
  - {type: contained_in, target: [{default: rtm}, Room], strength: SOFT}
  - {type: depends_on, target: Needed By, reverse: true}
`, "Asset Tag,Hostname,Type,Env,Serial,CC,Room,Team,Contact,Cores,Bought,Leased,IP,Host,Needed By,Cores2\n"+
		"0042,WEB-01,VM,prod,007, 12 ,AMS-1,web;db,mei,\"1.024,5\",03.02.2026,Ja,10.0.0.1 10.0.0.2,h1; h2,shop,\n")
	want := []importer.Row{{
		Origin: importer.Origin{File: "servers.csv", Line: 2},
		CI: &importer.CI{
			ExternalID: "0042", Class: "virtual_machine", Name: "web-01", Description: "WEB-01 in AMS-1", Environment: "PRODUCTION",
			Keys:   []importer.Key{{Space: "dns", Key: "web-01"}, {Space: "vcenter:moid", Key: "AMS-1/007"}},
			Labels: map[string]string{"cost-center": "12"},
			Attributes: map[string]any{
				"serialNumber": "007", "cpuCores": 1024.5, "bought": "2026-02-03", "isLeased": true, "addresses": []any{"10.0.0.1", "10.0.0.2"}, "site": "AMS",
			},
			Owners: []importer.Owner{{Team: "web", Role: "owner"}, {Team: "db", Role: "owner"}, {Person: "mei"}},
			Relationships: []importer.Relationship{
				{Type: "runs_on", Target: "h1", Evidence: `column "Host"`},
				{Type: "runs_on", Target: "h2", Evidence: `column "Host"`},
				{Type: "contained_in", Target: "rtm/AMS-1", Strength: "SOFT", Evidence: `column "Room"`},
				{Type: "depends_on", Target: "shop", IsReverse: true, Evidence: `column "Needed By"`},
			},
		},
	}}
	if diff := cmp.Diff(want, r.rows); diff != "" || r.notices != nil {
		t.Errorf("%s%q", diff, r.texts())
	}
}

func TestAServiceHasItsFields(t *testing.T) {
	r := from(t, `version: 1
source: services
class: {default: business_service}
key: Code
fields:
  name: Code
  tier: Tier
  supportTeam: Team
  availabilityTarget: {column: SLA, number: ","}
  links.RUNBOOK: Book
`, "Code;Tier;Team;SLA;Book\nshop;tier-1; web ;99,95 %;https://example.com/shop\nmail;;;;\n")
	want := &importer.Service{Tier: "tier-1", SupportTeam: "web", AvailabilityTarget: 99.95, Links: []importer.Link{{Kind: "RUNBOOK", Title: "Runbook", URL: "https://example.com/shop"}}}
	if len(r.rows) != 2 || r.notices != nil {
		t.Fatalf("%+v %q", r.rows, r.texts())
	}
	if diff := cmp.Diff(want, r.rows[0].CI.Service); diff != "" {
		t.Error(diff)
	}
	if s := r.rows[1].CI.Service; s != nil {
		t.Errorf("an empty row has %+v", s)
	}
}

func TestAMistakeInACellIsNamedAndTheRowLeftOut(t *testing.T) {
	const more = `  attributes.cpuCores: {column: Cores, number: "."}
  attributes.bought: {column: Bought, date: YYYY-MM-DD}
  attributes.isLeased: {column: Leased, bool: true}
  attributes.site: {column: Site, match: "^([a-z]+)-"}
`
	const head = "Asset Tag,Hostname,Type,Env,Serial,Cores,Bought,Leased,Site\n"
	for _, c := range []struct{ name, line, want string }{
		{"a text that the map does not name", "1,a,VM,prd,s,,,,", `servers.csv:2, column "Env": "prd" is none of "prod", "test"; nearest "prod"`},
		{"an empty key", ",a,VM,prod,s,,,,", `servers.csv:2, column "Asset Tag": the cell is empty, and it is the key of the row`},
		{"a key of spaces", "  ,a,VM,prod,s,,,,", `servers.csv:2, column "Asset Tag": the cell is empty, and it is the key of the row`},
		{"no number", "1,a,VM,prod,s,four,,,", `servers.csv:2, column "Cores": "four" is no number with the decimal sign "."`},
		{"a number of the other decimal sign", "1,a,VM,prod,s,\"4,5\",,,", `servers.csv:2, column "Cores": "4,5" is no number with the decimal sign "."`},
		{"no date", "1,a,VM,prod,s,,03.02.2026,,", `servers.csv:2, column "Bought": "03.02.2026" is no date that is written as YYYY-MM-DD`},
		{"a day that no month has", "1,a,VM,prod,s,,2026-02-30,,", `servers.csv:2, column "Bought": "2026-02-30" is no date that is written as YYYY-MM-DD`},
		{"neither yes nor no", "1,a,VM,prod,s,,,perhaps,", `servers.csv:2, column "Leased": "perhaps" is none of "0", "1", "false", "n", "no", "true", "x", "y", "yes"`},
		{"no match", "1,a,VM,prod,s,,,,RTM", `servers.csv:2, column "Site": "RTM" does not match ^([a-z]+)-`},
		{"two mistakes", "1,a,VM,prd,s,four,,,", `servers.csv:2, column "Env": "prd" is none of "prod", "test"; nearest "prod"; column "Cores": "four" is no number with the decimal sign "."`},
		{"too few cells", "1,a", `servers.csv:2: the row has 2 cells, and the header 9: a delimiter in a cell that is not quoted?`},
		{"too many cells", "1,a,VM,prod,s,,,,,,", `servers.csv:2: the row has 11 cells, and the header 9: a delimiter in a cell that is not quoted?`},
		{"a cell that is too long", "1,a,VM,prod," + strings.Repeat("x", longestCell+1) + ",,,,", `servers.csv:2, column "Serial": the cell holds 65537 bytes: at most 65536`},
		{"a NUL", "1,a\x00,VM,prod,s,,,,", `servers.csv:2, column "Hostname": the cell holds a NUL`},
		{"a lone CR", "1,a\rb,VM,prod,s,,,,", `servers.csv:2, column "Hostname": the cell holds a carriage return without a line feed`},
		{"a quote in a cell", `1,a"b,VM,prod,s,,,,`, `servers.csv:2: a quote in a cell that is not quoted (line 2, column 4): quote the cell, and double the quotes in it`},
		{"text behind a quote", `1,"a"b,VM,prod,s,,,,`, `servers.csv:2: a quoted cell does not end where it should (line 2, column 5): double the quotes in it, and close it`},
		{"a mistake two lines below its row's first", "\"1\n\n\",a,VM,prod,s,four,,,", `servers.csv:4, column "Cores": "four" is no number with the decimal sign "."`},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The first lines of a file tell its encoding, so that a NUL stands further down here.
			r := from(t, servers+more, head+c.line+"\n"+"kept,b,Server,test,s,,,,\n")
			if c.name == "a NUL" {
				filler := strings.Repeat("more,b,Server,test,s,,,,\n", buffered/20)
				r = from(t, servers+more, head+filler+c.line+"\n"+"kept,b,Server,test,s,,,,\n")
				c.want = strings.Replace(c.want, ":2,", fmt.Sprintf(":%d,", 2+buffered/20), 1)
			}
			if diff := cmp.Diff([]string{c.want}, r.texts()); diff != "" || r.err != nil {
				t.Errorf("%s%v", diff, r.err)
			}
			if n := len(r.rows); n == 0 || r.rows[n-1].CI.ExternalID != "kept" {
				t.Errorf("%+v", r.rows)
			}
		})
	}
}

func TestAFileThatCannotBeReadIsRefused(t *testing.T) {
	wide := strings.Repeat("c,", mostColumns) + "Asset Tag\n"
	for _, c := range []struct {
		name, content string
		rows          int
		want          string
	}{
		{"an empty file", "", 0, `servers.csv: the file is empty: a line with the names of the columns is expected`},
		{"empty lines alone", "\n\r\n\n", 0, `servers.csv: the file is empty: a line with the names of the columns is expected`},
		{"a missing column", "Asset Tag,Hostnam,Type,Env,Serial\n1,a,VM,prod,s\n", 0, `servers.csv:1: the file has no column "Hostname", which m.yaml:6 names; nearest "Hostnam"`},
		{"a column twice", "Asset Tag,Hostname,Type,Env,Serial,Env\n1,a,VM,prod,s,test\n", 0, `servers.csv:1: the file has two columns "Env", of which m.yaml:7 names one: give them different names`},
		{"1,001 columns", wide, 0, `servers.csv:1: the table has 1001 columns: at most 1000`},
		{"lone CRs", strings.ReplaceAll(serversHeader+"1,a,VM,prod,s\n", "\n", "\r"), 0, `servers.csv:1: the lines end with carriage returns alone, as on old Macs: save the file with line feeds`},
		{"Latin 1", serversHeader + "1,a,VM,prod,s\n2,K\xf6ln,VM,prod,s\n3,c,VM,prod,s\n", 1, `servers.csv:3: column B: the byte 0xF6 is no UTF-8; say the encoding in the mapping, such as encoding: windows-1252. The rest of the file was not read`},
		{"UTF-16 without a mark", "A\x00s\x00s\x00e\x00t\x00", 0, `servers.csv:1: a NUL byte: this is UTF-16 without a byte order mark, or no text at all; say the encoding in the mapping, such as encoding: utf-16le`},
		{"two delimiters", "Asset Tag,Hostname;Type\n", 0, `servers.csv:1: ',' and ';' stand equally often in the header: say which one parts columns in the mapping, such as delimiter: ','`},
		{"a header without an end", "\"" + strings.Repeat("x", buffered), 0, `servers.csv:1: the header is longer than 64 KiB: a quote that is never closed?`},
		{"a quote without an end", serversHeader + "1,a,VM,prod,s\n2,\"a,VM,prod,s\n" + strings.Repeat("3,c,VM,prod,s\n", longestRow/5), 1, `servers.csv:3: the row that begins here is longer than 1 MiB: a quote that is never closed? The rest of the file was not read`},
		{"a quote open at the end", serversHeader + "1,a,VM,prod,s\n2,\"a,VM,prod,s\n", 1, `servers.csv:3: a quoted cell does not end where it should (line 3, column 16): double the quotes in it, and close it`},
		{"an old workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 0, `servers.csv: a workbook of an old format (.xls), or one with a password: save it as .xlsx without a password`},
		{"a ZIP that is broken", "PK\x03\x04", 0, `servers.csv: the workbook cannot be read: zip: not a valid zip file`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, servers, c.content)
			if diff := cmp.Diff([]string{c.want}, r.texts()); diff != "" || r.err != nil || len(r.rows) != c.rows {
				t.Errorf("%s%v, %d rows", diff, r.err, len(r.rows))
			}
			if len(r.notices) > 0 && r.notices[0].Kind != importer.Rejected {
				t.Errorf("%s", r.notices[0].Kind)
			}
		})
	}
}

func TestARefusedFileLeavesTheOthers(t *testing.T) {
	bad, good := write(t, "bad.csv", "x\n"), write(t, "good.csv", serversHeader+"1,a,VM,prod,s\n")
	r := collect(t, New(mappingOf(t, servers), []string{bad, good}))
	if len(r.rows) != 1 || len(r.notices) != 1 || r.err != nil {
		t.Errorf("%+v %q %v", r.rows, r.texts(), r.err)
	}
}

func TestAFileThatIsNotThereEndsTheSourceBeforeAnythingIsRead(t *testing.T) {
	good := write(t, "good.csv", serversHeader+"1,a,VM,prod,s\n")
	gone := filepath.Join(t.TempDir(), "gone.csv")
	r := collect(t, New(mappingOf(t, servers), []string{good, gone}))
	if !errors.Is(r.err, os.ErrNotExist) || r.rows != nil || !strings.HasSuffix(r.err.Error(), "gone.csv: no such file: file does not exist") {
		t.Errorf("%v %+v", r.err, r.rows)
	}
	if r := collect(t, New(mappingOf(t, servers), []string{t.TempDir()})); r.err == nil || !strings.Contains(r.err.Error(), "is a folder: name the files in it") {
		t.Errorf("%v", r.err)
	}
}

func TestColumnsThatAreNotMappedAreListedOnce(t *testing.T) {
	r := from(t, servers, "Asset Tag,Hostname,Type,Env,Serial,Room,,Rack\n1,a,VM,prod,s,x,y,z\n2,b,VM,prod,s,x,y,z\n")
	want := importer.Notice{
		Origin: importer.Origin{File: "servers.csv", Line: 1}, Kind: importer.Warning,
		Reason: `columns that the mapping does not name, and that were not read: "Room", G, "Rack"`,
	}
	if diff := cmp.Diff([]importer.Notice{want}, r.notices); diff != "" || len(r.rows) != 2 {
		t.Errorf("%s%+v", diff, r.rows)
	}
}

func TestOneTableIsReadAlikeHoweverItIsWritten(t *testing.T) {
	plain := serversHeader + "0042,Köln,VM,prod,1234567890123456\n\"a,\"\"b\nc\",x,Server,,\n,,,,\n"
	semicolons := "Asset Tag;Hostname;Type;Env;Serial\n0042;Köln;VM;prod;1234567890123456\n\"a,\"\"b\nc\";x;Server;;\n;;;;\n"
	want := from(t, servers, plain)
	if len(want.rows) != 2 || want.rows[1].CI.ExternalID != "a,\"b\nc" || want.rows[0].CI.Name != "köln" || want.notices != nil {
		t.Fatalf("%+v %q", want.rows, want.texts())
	}
	for name, c := range map[string]struct{ mapping, content string }{
		"semicolons":             {servers, semicolons},
		"tabs":                   {servers, strings.ReplaceAll(semicolons, ";", "\t")},
		"bars":                   {servers, strings.ReplaceAll(semicolons, ";", "|")},
		"CRLF":                   {servers, strings.ReplaceAll(plain, "\n", "\r\n")},
		"CRLF and UTF-16":        {servers, utf16("\ufeff"+strings.ReplaceAll(plain, "\n", "\r\n"), false)},
		"a mark of UTF-8":        {servers, "\ufeff" + plain},
		"UTF-16, little end":     {servers, utf16("\ufeff"+plain, false)},
		"UTF-16, big end":        {servers, utf16("\ufeff"+plain, true)},
		"UTF-16 that is said":    {servers + "encoding: utf-16le\n", utf16(plain, false)},
		"Windows-1252":           {servers + "encoding: windows-1252\n", strings.ReplaceAll(plain, "ö", "\xf6")},
		"a mark against mapping": {servers + "encoding: windows-1252\n", "\ufeff" + plain},
		"a delimiter that is said": {
			servers + "delimiter: \";\"\n", strings.Replace(semicolons, "Asset Tag;", "\"Asset Tag\";", 1),
		},
		"no line feed at the end": {servers, strings.TrimSuffix(plain, "\n")},
		"white space in names":    {servers, strings.Replace(plain, "Asset Tag,Hostname", "\" Asset\nTag \",Hostname ", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			got := from(t, c.mapping, c.content)
			for i := range got.rows {
				if name == "white space in names" {
					got.rows[i].Origin.Line--
				}
			}
			if diff := cmp.Diff(want.rows, got.rows); diff != "" || got.notices != nil {
				t.Errorf("%s%q", diff, got.texts())
			}
		})
	}
}

func TestExcelsOwnLineSaysTheDelimiter(t *testing.T) {
	r := from(t, servers, "sep=;\nAsset Tag;Hostname;Type;Env;Serial\n1;a;VM;prod;s\n2;a;VM;prd;s\n")
	if len(r.rows) != 1 || r.rows[0].Origin.Line != 3 {
		t.Errorf("%+v", r.rows)
	}
	if diff := cmp.Diff([]string{`servers.csv:4, column "Env": "prd" is none of "prod", "test"; nearest "prod"`}, r.texts()); diff != "" {
		t.Error(diff)
	}
}

// utf16 writes a text of the basic plane in UTF-16.
func utf16(s string, isBig bool) string {
	var b strings.Builder
	for _, r := range s {
		if isBig {
			b.WriteString(string([]byte{byte(r >> 8), byte(r)}))
		} else {
			b.WriteString(string([]byte{byte(r), byte(r >> 8)}))
		}
	}
	return b.String()
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(serversHeader + "1,a,VM,prod,s\n\"a\"\"\n\",b,,,\n"))
	f.Add([]byte("\xff\xfeA\x00"))
	f.Add([]byte("sep=;\nAsset Tag;Hostname;Type;Env;Serial\n1;;;;"))
	m := mappingOf(f, servers)
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "fuzz.csv")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r := collect(t, New(m, []string{name}))
		if r.err != nil {
			t.Fatal(r.err)
		}
		for _, row := range r.rows {
			if row.CI == nil || row.CI.ExternalID == "" || row.Origin.Line < 2 {
				t.Fatalf("%+v", row)
			}
		}
	})
}
