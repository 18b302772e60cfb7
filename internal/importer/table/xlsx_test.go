package table

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	mainPart  = "xl/workbook.xml"
	sheetPath = "xl/worksheets/sheet1.xml"
)

// workbookOf makes the parts of a workbook of one sheet. Its styles are: 0 general, 1 a date of built-in format 14, 2
// and 3 of own formats, 4 a length of time, 5 five digits, 6 a number whose format holds letters in quotes.
func workbookOf(sheet string) map[string]string {
	return map[string]string{
		"_rels/.rels": `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
		mainPart:      `<workbook xmlns:r="x"><sheets><sheet name="Servers" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>
			<Relationship Id="r2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="http://x/styles" Target="styles.xml"/></Relationships>`,
		"xl/sharedStrings.xml": `<sst><si><t>Asset Tag</t></si><si><t>Hostname</t></si><si><r><t>Ty</t></r><r><t>pe</t></r><rPh><t>no</t></rPh></si><si><t>Env</t></si><si><t>Serial</t></si><si><t>VM</t></si></sst>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-407]d\.m\.yy\ hh:mm"/><numFmt numFmtId="165" formatCode="hh:mm"/><numFmt numFmtId="166" formatCode="00000"/><numFmt numFmtId="167" formatCode="0 &quot;days&quot;"/></numFmts>
			<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="46"/><xf numFmtId="166"/><xf numFmtId="167"/></cellXfs></styleSheet>`,
		sheetPath: sheet,
	}
}

const sheetHeader = `<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c><c r="E1" t="s"><v>4</v></c></row>`

// sheetOf makes a sheet with the header of servers, and the rows after it.
func sheetOf(rows string) string { return sheetHeader + rows + `</sheetData></worksheet>` }

func zipped(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(parts[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// fromSheet reads rows of a sheet that follow the header of servers.
func fromSheet(t testing.TB, rows string) result {
	t.Helper()
	return from(t, servers, zipped(t, workbookOf(sheetOf(rows))))
}

func TestCellsOfAWorkbookAreReadAsWhatTheyHold(t *testing.T) {
	for _, c := range []struct{ name, cell, want string }{
		{"a text", `<c r="E2" t="inlineStr"><is><t>007</t></is></c>`, "007"},
		{"a text of runs", `<c r="E2" t="inlineStr"><is><r><t>0</t></r><r><t>07</t></r><rPh><t>x</t></rPh></is></c>`, "007"},
		{"an escaped character", `<c r="E2" t="inlineStr"><is><t>a_x0009_b_x005F_</t></is></c>`, "a\tb_"},
		{"line breaks", `<c r="E2" t="inlineStr"><is><t>a_x000D_` + "\n" + `b</t></is></c>`, "a\nb"},
		{"a shared text", `<c r="E2" t="s"><v>5</v></c>`, "VM"},
		{"a result of a formula", `<c r="E2" t="str"><f>A1</f><v>x</v></c>`, "x"},
		{"an empty result", `<c r="E2" t="str"><f>A1</f><v></v></c>`, ""},
		{"true", `<c r="E2" t="b"><v>1</v></c>`, "TRUE"},
		{"a number", `<c r="E2"><v>42</v></c>`, "42"},
		{"15 digits", `<c r="E2"><v>123456789012345</v></c>`, "123456789012345"},
		{"an exponent", `<c r="E2"><v>1.2E+3</v></c>`, "1200"},
		{"a number as it is shown", `<c r="E2"><v>0.30000000000000004</v></c>`, "0.3"},
		{"leading zeros by format", `<c r="E2" s="5"><v>42</v></c>`, "00042"},
		{"a format with words", `<c r="E2" s="6"><v>3</v></c>`, "3"},
		{"a date", `<c r="E2" s="1"><v>46056</v></c>`, "2026-02-03"},
		{"a date and time", `<c r="E2" s="2"><v>46056.520833333336</v></c>`, "2026-02-03T12:30:00"},
		{"a date whose time is not shown", `<c r="E2" s="1"><v>46056.520833333336</v></c>`, "2026-02-03"},
		{"midnight", `<c r="E2" s="2"><v>46056</v></c>`, "2026-02-03T00:00:00"},
		{"a date whose time alone is shown", `<c r="E2" s="3"><v>46056.5</v></c>`, "2026-02-03T12:00:00"},
		{"a time", `<c r="E2" s="3"><v>0.5208333333</v></c>`, "12:30:00"},
		{"a length of time", `<c r="E2" s="4"><v>1.5625</v></c>`, "37:30:00"},
		{"the first day", `<c r="E2" s="1"><v>1</v></c>`, "1900-01-01"},
		{"the last day before the gap", `<c r="E2" s="1"><v>59</v></c>`, "1900-02-28"},
		{"the first day after the gap", `<c r="E2" s="1"><v>61</v></c>`, "1900-03-01"},
		{"the last day", `<c r="E2" s="1"><v>2958465</v></c>`, "9999-12-31"},
		{"a date of ISO 8601", `<c r="E2" t="d"><v>2026-02-03</v></c>`, "2026-02-03"},
		{"an unknown style", `<c r="E2" s="99"><v>42</v></c>`, "42"},
		{"a cell without a place", `<c t="inlineStr"><is><t>a</t></is></c>`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fromSheet(t, `<row r="2"><c r="A2"><v>1</v></c>`+c.cell+`</row>`)
			if len(r.rows) != 1 || r.notices != nil {
				t.Fatalf("%+v %q", r.rows, r.texts())
			}
			got, _ := r.rows[0].CI.Attributes["serialNumber"].(string)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestDatesOf1904AreFourYearsLater(t *testing.T) {
	for serial, want := range map[string]string{"0": "1904-01-01", "60": "1904-03-01", "44594": "2026-02-03", "44594.5": "2026-02-03", "2957003": "9999-12-31"} {
		parts := workbookOf(sheetOf(`<row r="2"><c r="A2"><v>1</v></c><c r="E2" s="1"><v>` + serial + `</v></c></row>`))
		parts[mainPart] = strings.Replace(parts[mainPart], "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1)
		r := from(t, servers, zipped(t, parts))
		if len(r.rows) != 1 || r.rows[0].CI.Attributes["serialNumber"] != want {
			t.Errorf("%s: %+v %q", serial, r.rows, r.texts())
		}
	}
}

func TestACellThatCannotBeReadLeavesItsRowOutAlone(t *testing.T) {
	for _, c := range []struct{ name, cell, want string }{
		{"a formula without a result", `<c r="E2"><f>1+1</f></c>`, `cell E2 holds a formula whose result is not kept in the file: open it in a spreadsheet program and save it`},
		{"an error", `<c r="E2" t="e"><f>1/0</f><v>#DIV/0!</v></c>`, `cell E2 holds the error #DIV/0!`},
		{"16 digits", `<c r="E2"><v>1234567890123450</v></c>`, `cell E2 holds a number of more than 15 digits, of which spreadsheets keep 15: make it a text`},
		{"no number", `<c r="E2"><v>x</v></c>`, `cell E2 holds "x", which is no number`},
		{"infinity", `<c r="E2"><v>1e999</v></c>`, `cell E2 holds "1e999", which is no number`},
		{"29 February 1900", `<c r="E2" s="1"><v>60</v></c>`, `cell E2 holds 29 February 1900, a day that never was`},
		{"a day before all days", `<c r="E2" s="1"><v>-1</v></c>`, `cell E2 holds the date number -1, which is before 1900 or after 9999`},
		{"a day after all days", `<c r="E2" s="1"><v>2958466</v></c>`, `cell E2 holds the date number 2958466, which is before 1900 or after 9999`},
		{"a long text", `<c r="E2" t="inlineStr"><is><t>` + strings.Repeat("x", longestCell+1) + `</t></is></c>`, `cell E2 holds 65537 bytes: at most 65536`},
		{"a NUL", `<c r="E2" t="inlineStr"><is><t>a_x0000_</t></is></c>`, `cell E2 holds a NUL`},
		{"a lone CR", `<c r="E2" t="inlineStr"><is><t>a_x000D_b</t></is></c>`, `cell E2 holds a carriage return without a line feed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fromSheet(t, `<row r="2"><c r="A2"><v>1</v></c>`+c.cell+`</row><row r="3"><c r="A3"><v>2</v></c></row>`)
			if diff := cmp.Diff([]string{`servers.csv:2, column "Serial": ` + c.want}, r.texts()); diff != "" || len(r.rows) != 1 {
				t.Errorf("%s%+v", diff, r.rows)
			}
			// In a column that the mapping does not name it is nothing.
			other := strings.Replace(servers, "  attributes.serialNumber: Serial\n", "", 1)
			r = from(t, other, zipped(t, workbookOf(sheetOf(`<row r="2"><c r="A2"><v>1</v></c>`+c.cell+`</row>`))))
			if len(r.rows) != 1 {
				t.Errorf("%q", r.texts())
			}
		})
	}
}

func TestMergedCellsAreNamedInEachRowThatTheyMeet(t *testing.T) {
	rows := ""
	for i := 2; i <= 6; i++ {
		rows += fmt.Sprintf(`<row r="%d"><c r="A%d"><v>%d</v></c></row>`, i, i, i)
	}
	for _, prefix := range []string{"", "x:"} {
		sheet := strings.NewReplacer("<", "<"+prefix, "<"+prefix+"/", "</"+prefix).Replace(sheetHeader + rows + `</sheetData><mergeCells count="2"><mergeCell ref="E3:E4"/><mergeCell ref="D5:F5"/><mergeCell ref="A6"/></mergeCells></worksheet>`)
		r := from(t, servers, zipped(t, workbookOf(strings.ReplaceAll(sheet, "<"+prefix+"/", "</"+prefix))))
		const how = ": part them, and write the value into each"
		want := []string{
			`servers.csv:3, column "Serial": cell E3 is one of the merged cells E3:E4` + how,
			`servers.csv:4, column "Serial": cell E4 is one of the merged cells E3:E4` + how,
			`servers.csv:5, column "Env": cell D5 is one of the merged cells D5:F5` + how + `; column "Serial": cell E5 is one of the merged cells D5:F5` + how,
		}
		if diff := cmp.Diff(want, r.texts()); diff != "" || len(r.rows) != 2 {
			t.Errorf("%q: %s%+v", prefix, diff, r.rows)
		}
	}
}

func TestASheetThatCannotBeReadIsRefused(t *testing.T) {
	with := func(change func(map[string]string)) map[string]string {
		parts := workbookOf(sheetOf(`<row r="2"><c r="A2"><v>1</v></c></row>`))
		change(parts)
		return parts
	}
	broken := func(what string) string {
		return `servers.csv:2: the sheet cannot be read on: ` + what + `. The rest of the file was not read`
	}
	for _, c := range []struct {
		name  string
		parts map[string]string
		want  string
	}{
		{"a ZIP that is no workbook", map[string]string{"a": "b"}, `servers.csv: the workbook cannot be read: the part "_rels/.rels" is missing`},
		{"an OpenDocument file", map[string]string{"mimetype": "x", "content.xml": "<x/>"}, `servers.csv: the workbook cannot be read: this is an OpenDocument file: save it as .xlsx or CSV`},
		{"no sheet", with(func(p map[string]string) { p[mainPart] = "<workbook/>" }), `servers.csv: the workbook has no sheet with cells`},
		{"two sheets", with(func(p map[string]string) {
			p[mainPart] = strings.Replace(p[mainPart], "</sheets>", `<sheet name="Old" sheetId="2" r:id="r1"/></sheets>`, 1)
		}), `servers.csv: the workbook has the sheets "Servers", "Old": say which one in the mapping, such as sheet: "Servers"`},
		{"a missing part", with(func(p map[string]string) { delete(p, sheetPath) }), `servers.csv: the part "xl/worksheets/sheet1.xml" is missing`},
		{"a part in the middle", with(func(p map[string]string) { p[sheetPath] = sheetHeader }), `servers.csv:1: the sheet cannot be read on: the sheet ends in the middle. The rest of the file was not read`},
		{"an entity", with(func(p map[string]string) {
			p[sheetPath] = `<!DOCTYPE a [<!ENTITY lol "lol">]>` + sheetOf(`<row r="2"><c r="A2" t="inlineStr"><is><t>&lol;</t></is></c></row>`)
		}), broken(`XML syntax error on line 1: invalid character entity &lol;`)},
		{"rows in disorder", with(func(p map[string]string) { p[sheetPath] = sheetOf(`<row r="2"/><row r="2"/>`) }), broken(`row "2" follows row 2`)},
		{"cells in disorder", with(func(p map[string]string) {
			p[sheetPath] = sheetOf(`<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>`)
		}), broken(`cell "A2" stands after column C of row 2`)},
		{"a cell that is none", with(func(p map[string]string) { p[sheetPath] = sheetOf(`<row r="2"><c r="2A"/></row>`) }), broken(`"2A" is no cell`)},
		{"a column past all", with(func(p map[string]string) { p[sheetPath] = sheetOf(`<row r="2"><c r="ALM2"><v>1</v></c></row>`) }), broken(`row 2 reaches column ALM: at most 1000 columns are read`)},
		{"a text that is not there", with(func(p map[string]string) { p[sheetPath] = sheetOf(`<row r="2"><c r="A2" t="s"><v>6</v></c></row>`) }), broken(`cell A2 names the text "6", and there are 6`)},
		{"a merged area that is none", with(func(p map[string]string) {
			p[sheetPath] = sheetHeader + `</sheetData><mergeCells><mergeCell ref="B2:A1"/></mergeCells></worksheet>`
		}), `servers.csv: the workbook cannot be read: "B2:A1" is no area of cells`},
		{"a merged header", with(func(p map[string]string) {
			p[sheetPath] = sheetHeader + `</sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells></worksheet>`
		}), `servers.csv:1: cell A1 is one of the merged cells A1:B1: part them, and write the value into each; cell B1 is one of the merged cells A1:B1: part them, and write the value into each`},
		{"a bomb", with(func(p map[string]string) { p["xl/media/a"] = strings.Repeat("\x00", 20<<20) }), `servers.csv: the workbook cannot be read: unzipped it is more than 100 times as large as the file, which no spreadsheet makes`},
		{"a part of another sheet's size", with(func(p map[string]string) {
			p["xl/styles.xml"] = "<a>" + strings.Repeat("0123456789", longestPart/10+1) + "</a>"
		}), `servers.csv: the workbook cannot be read: the part "xl/styles.xml" is larger than 16 MiB`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := zipped(t, c.parts)
			if c.name == "a part of another sheet's size" {
				file = stored(t, c.parts)
			}
			r := from(t, servers, file)
			if diff := cmp.Diff([]string{c.want}, r.texts()); diff != "" || r.err != nil || r.rows != nil {
				t.Errorf("%s%v %+v", diff, r.err, r.rows)
			}
		})
	}
}

// stored makes a ZIP that is not compressed.
func stored(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(parts[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAZIPThatStatesMoreThanItMayIsRefusedUnread(t *testing.T) {
	z := &zip.Reader{File: []*zip.File{{FileHeader: zip.FileHeader{UncompressedSize64: 150 << 20}}, {FileHeader: zip.FileHeader{UncompressedSize64: 51 << 20}}}}
	if err := checkSizes(z, 100<<20); err == nil || err.Error() != "unzipped it is larger than 200 MiB: save the sheet as CSV" {
		t.Error(err)
	}
	z.File = []*zip.File{{FileHeader: zip.FileHeader{UncompressedSize64: 1<<64 - 1}}, {FileHeader: zip.FileHeader{UncompressedSize64: 2}}}
	if err := checkSizes(z, 100<<20); err == nil {
		t.Error("sizes that overflow pass")
	}
	z.File = z.File[1:]
	if err := checkSizes(z, 1); err != nil {
		t.Error(err)
	}
}

func TestASheetIsFoundByItsName(t *testing.T) {
	parts := workbookOf(sheetOf(`<row r="2"><c r="A2"><v>1</v></c></row>`))
	parts[mainPart] = strings.Replace(parts[mainPart], "<sheets>", `<sheets><sheet name="Old" sheetId="2" state="hidden" r:id="r2"/><sheet name="Chart" sheetId="3" r:id="r9"/>`, 1)
	if r := from(t, servers+"sheet: Servers\n", zipped(t, parts)); len(r.rows) != 1 {
		t.Errorf("%q", r.texts())
	}
	r := from(t, servers+"sheet: Chart\n", zipped(t, parts))
	if diff := cmp.Diff([]string{`servers.csv: the workbook has no sheet "Chart": it has "Servers"`}, r.texts()); diff != "" {
		t.Error(diff)
	}
}

func TestACellRightOfTheHeaderIsAMistake(t *testing.T) {
	r := fromSheet(t, `<row r="2"><c r="A2"><v>1</v></c><c r="G2"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c><c r="G3" s="1"/></row>`)
	if diff := cmp.Diff([]string{`servers.csv:2: cell G2 stands to the right of the header, which ends at column E`}, r.texts()); diff != "" || len(r.rows) != 1 {
		t.Errorf("%s%+v", diff, r.rows)
	}
}

func TestFormatsOfDatesAreTold(t *testing.T) {
	for code, isDate := range map[string]bool{
		"General": false, "0": false, "#,##0.00": false, "@": false, "0.00E+00": false, `"days" 0`: false, `0\d`: false, "[Red]0": false, "[$€-407] #,##0": false,
		"_-* #,##0_-": false, "yyyy-mm-dd": true, "D. MMMM YYYY": true, `[$-409]h:mm AM/PM;@`: true, "mm:ss.0": true, "[h]:mm": true, `yyyy"年"m"月"d"日"`: true, `0;"d"0`: false,
	} {
		if got := formatOf(code).hasDay || formatOf(code).hasClock; got != isDate {
			t.Errorf("%s: %v", code, got)
		}
	}
}

func TestColumnsAreCalledAsSpreadsheetsDo(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 999: "ALL", 16383: "XFD"} {
		got, err := columnOf(want + "7")
		if columnName(i) != want || got != i || err != nil {
			t.Errorf("%d: %s, and back %d %v", i, columnName(i), got, err)
		}
	}
}

func FuzzXLSX(f *testing.F) {
	f.Add(sheetOf(`<row r="2"><c r="A2"><v>1</v></c><c r="E2" s="1"><v>46056</v></c></row>`))
	f.Add(sheetHeader + `<row><c t="inlineStr"><is><t>a_x000D_b</t></is></c></row></sheetData><mergeCells><mergeCell ref="A2:C9"/></mergeCells></worksheet>`)
	m := mappingOf(f, servers)
	f.Fuzz(func(t *testing.T, sheet string) {
		r := collect(t, New(m, []string{write(t, "fuzz.xlsx", stored(t, workbookOf(sheet)))}))
		if r.err != nil {
			t.Fatal(r.err)
		}
	})
}
