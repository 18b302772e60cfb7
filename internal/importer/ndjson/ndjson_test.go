package ndjson_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
)

// read returns the rows and notices of a stream, each on a line, and its run.
func read(t *testing.T, text string) (all []string, run string) {
	t.Helper()
	s, err := ndjson.New("test", "stdin", strings.NewReader(text))
	if err != nil {
		return []string{err.Error()}, ""
	}
	scope, kind := s.Run()
	for row, err := range s.Rows(t.Context()) {
		switch {
		case err != nil:
			all = append(all, err.Error())
		case row.CI != nil:
			all = append(all, "ci "+row.CI.ExternalID)
		case row.Team != nil:
			all = append(all, "team "+row.Team.ExternalID)
		case row.Person != nil:
			all = append(all, "person "+row.Person.ExternalID)
		default:
			all = append(all, "delete "+row.Deleted)
		}
	}
	return all, fmt.Sprintf("%s %s", kind, scope)
}

func TestRowsAreReadInTheirOrder(t *testing.T) {
	got, run := read(t, `{"run":{"scope":"prod","kind":"full"}}

{"ci":{"key":"web-1","class":"server","relationships":[{"type":"runs_on","target":"host-1","space":"vms"}],"null":["description"]}}
{"team":{"key":"web","name":"Web"}}
{"person":{"key":"ada","teams":["web"]}}
{"delete":"web-0"}
{"end":{"rows":4}}
`)
	if diff := cmp.Diff([]string{"ci web-1", "team web", "person ada", "delete web-0"}, got); diff != "" || run != string(domain.FullRun)+" prod" {
		t.Errorf("%s %s", run, diff)
	}
}

func TestAStreamIsWholeOnlyIfItSaysSo(t *testing.T) {
	row := `{"ci":{"key":"a"}}` + "\n"
	for text, want := range map[string]string{
		"":                                    `stdin: the stream ends without {"end": {"rows": N}}, so that it is not known to be whole`,
		row:                                   `stdin:1: the stream ends without {"end": {"rows": N}}, so that it is not known to be whole`,
		row + `{"end":{"rows":2}}`:            "stdin:2: the stream says that it has 2 rows, and has 1, so that it is not known to be whole",
		row + `{"end":{"rows":1}}` + "\n{}":   "stdin:3: something follows the end",
		row + `{"run":{}}` + "\n":             "stdin:2: a run stands on the first line alone",
		`{"ci":{"key":"a","klass":"x"}}`:      `stdin:1: the line is no row: json: unknown field "klass"`,
		`{"ci":{"key":"a"},"delete":"b"}`:     "stdin:1: the line holds 2 of run, ci, team, person, delete and end: one is expected",
		`{}`:                                  "stdin:1: the line holds 0 of run, ci, team, person, delete and end: one is expected",
		`{"delete":"a"}{"delete":"b"}`:        "stdin:1: the line holds more than one object",
		`{"run":{"kind":"SOME"}}`:             `stdin:1: a run of kind "SOME": it is one of FULL, PARTIAL, EVENT`,
		strings.Repeat("x", 1<<20+2):          "stdin:1: a line has more than 1048576 bytes",
		row + strings.Repeat("x", 1<<20+2):    "stdin:2: a line has more than 1048576 bytes",
		`{"ci":{"key":"a","labels":{"x":1}}}`: "stdin:1: the line is no row: json: cannot unmarshal number into Go struct field CI.ci.labels of type string",
	} {
		got, _ := read(t, text)
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}
