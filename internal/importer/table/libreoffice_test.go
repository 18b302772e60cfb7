package table

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// office is the mapping of the files that LibreOffice wrote. CSV has dates and numbers as they are shown.
const office = `version: 1
source: office
class: {column: Type, map: {VM: virtual_machine, Server: server}, strict: true}
key: Asset Tag
fields:
  name: {column: Hostname, lower: true}
  description: Remarks
  environment: {column: Env, map: {prod: PRODUCTION, test: TESTING, "": STAGING}, strict: true}
  attributes.serialNumber: Serial
  attributes.cpuCores: {column: Cores, number: "."}
  attributes.memoryGiB: {column: Memory, number: "."}
  attributes.threads: {column: Threads, number: "."}
  attributes.bought: {column: Bought, date: MM/DD/YYYY}
  attributes.checked: {column: Checked, date: "YYYY-MM-DD hh:mm:ss"}
  attributes.site: Site
relationships: [{type: runs_on, target: Host}]
`

func TestFilesOfLibreOfficeAreReadAlikeInEachFormat(t *testing.T) {
	const sheet = "sheet: Servers\n"
	want := collect(t, New(mappingOf(t, office+sheet), []string{filepath.Join("testdata", "servers.xlsx")}))
	if len(want.rows) != 5 || want.notices != nil || want.err != nil {
		t.Fatalf("%d rows, %q, %v", len(want.rows), want.texts(), want.err)
	}
	first := &importer.CI{
		ExternalID: "0042", Class: "virtual_machine", Name: "web-01", Description: "runs the shop", Environment: "PRODUCTION",
		Attributes: map[string]any{
			"serialNumber": "1234567890123456", "cpuCores": int64(4), "memoryGiB": 15.5, "threads": int64(8), "bought": "2024-02-29", "checked": "2026-02-03T12:30:00", "site": "AMS",
		},
		Relationships: []importer.Relationship{{Type: "runs_on", Target: "0100", Evidence: `column "Host"`}},
	}
	if diff := cmp.Diff(first, want.rows[0].CI); diff != "" {
		t.Error(diff)
	}
	second, last := want.rows[1].CI, want.rows[4].CI
	if second.Description != "says \"hi\", then; a comma, and\nanother line" || second.Attributes["bought"] != "1999-12-31" {
		t.Errorf("%+v", second)
	}
	if last.Environment != "STAGING" || last.Attributes["serialNumber"] != "00000000000000000008" || last.Attributes["bought"] != nil || last.Relationships != nil {
		t.Errorf("%+v", last)
	}
	for file, more := range map[string]string{
		"from-ods.xlsx": sheet, "dates-1904.xlsx": sheet,
		"comma-utf8.csv": "", "semicolon-utf8.csv": "", "tab-utf16.csv": "", "semicolon-windows-1252.csv": "encoding: windows-1252\n",
	} {
		t.Run(file, func(t *testing.T) {
			got := collect(t, New(mappingOf(t, office+more), []string{filepath.Join("testdata", file)}))
			if got.notices != nil || got.err != nil || len(got.rows) != len(want.rows) {
				t.Fatalf("%d rows, %q, %v", len(got.rows), got.texts(), got.err)
			}
			for i := range got.rows {
				if diff := cmp.Diff(want.rows[i].CI, got.rows[i].CI); diff != "" {
					t.Errorf("row %d: %s", i, diff)
				}
			}
		})
	}
}

func TestLibreOfficesMergedCellsAndErrorsAreNamed(t *testing.T) {
	r := collect(t, New(mappingOf(t, `version: 1
source: office
sheet: Merged
class: {default: server}
key: Asset Tag
fields: {name: Hostname, attributes.site: Site}
`), []string{filepath.Join("testdata", "servers.xlsx")}))
	if diff := cmp.Diff([]string{
		`servers.xlsx:2, column "Site": cell C2 is one of the merged cells C2:C3: part them, and write the value into each`,
		`servers.xlsx:3, column "Site": cell C3 is one of the merged cells C2:C3: part them, and write the value into each`,
		`servers.xlsx:4, column "Site": cell C4 holds the error #DIV/0!`,
	}, r.texts()); diff != "" || len(r.rows) != 1 {
		t.Errorf("%s%+v", diff, r.rows)
	}
}
