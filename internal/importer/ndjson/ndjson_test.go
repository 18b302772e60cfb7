package ndjson_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
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
		`{"ci":{"key":"a"},"delete":"b"}`:     "stdin:1: the line holds 2 of run, ci, team, person, delete, notice and end: one is expected",
		`{"end":{"rows":0},"origin":{}}`:      "stdin:1: an origin and notices stand beside a row",
		`{"delete":"a","notices":[]}`:         "stdin:1: an origin and notices stand beside a row",
		`{"delete":"a","origin":{"line":-1}}`: "stdin:1: the origin",
		`{"ci":{"key":"a"},"origin":{"file":"a\u001bb"}}`:        "stdin:1: the origin",
		`{"notice":{"kind":"conflict","reason":"x"}}`:            `stdin:1: a notice of kind "conflict": it is one of ["rejected"`,
		`{"ci":{"key":"a"},"notices":[{"kind":"warning"}]}`:      "stdin:1: a notice has no reason",
		`{"notice":{"kind":"rejected","reason":"it is broken"}}`: "it is broken",
		`{}`:                                  "stdin:1: the line holds 0 of run, ci, team, person, delete, notice and end: one is expected",
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

// given is a source with rows and notices from places of their own.
type given []any

func (given) Name() string { return "given" }

func (g given) Rows(context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for _, what := range g {
			row, _ := what.(importer.Row)
			err, _ := what.(error)
			if !yield(row, err) {
				return
			}
		}
	}
}

func TestAStreamThatIsWrittenIsReadAsTheSame(t *testing.T) {
	at := func(line int) importer.Origin {
		return importer.Origin{File: "a & <b>.yaml", Line: line, Column: "Env"}
	}
	all := given{
		importer.Row{
			Origin: at(1), CI: &importer.CI{
				ExternalID: "a", Class: "server", Labels: map[string]string{"x": "1"}, Attributes: map[string]any{"n": 1.5, "list": []any{"x"}}, Null: []string{"owners"},
				Service: &importer.Service{Tier: "tier-1"}, Owners: []importer.Owner{{Team: "web"}}, Relationships: []importer.Relationship{{Type: "runs_on", Target: "b", IsReverse: true}},
				Groups: []importer.Group{{Name: "g", Mode: "ANY", Members: []importer.GroupMember{{Type: "runs_on", Target: "b", Weight: 2}}}},
			},
			Notices: []importer.Notice{{Kind: importer.Warning, Reason: "note <this>"}, {Origin: at(2), Kind: importer.Dangling, ExternalID: "a", Target: "b", Reason: "nobody knows b"}},
		},
		&importer.Notice{Origin: at(3), Kind: importer.Rejected, Reason: "no YAML"},
		importer.Row{Origin: importer.Origin{File: "folder"}, Team: &importer.Team{ExternalID: "web", Parent: "it"}},
		importer.Row{Origin: at(5), Person: &importer.Person{ExternalID: "ada", Teams: []string{"web"}}},
		importer.Row{Origin: at(6), Deleted: "c"},
		importer.Row{Team: &importer.Team{ExternalID: "from nowhere"}},
	}
	var text bytes.Buffer
	if err := ndjson.Write(t.Context(), &text, ndjson.Run{Scope: "prod", Kind: domain.FullRun}, all, func(int) {}); err != nil {
		t.Fatal(err)
	}
	s, err := ndjson.New("given", "body", &text)
	if err != nil {
		t.Fatal(err)
	}
	if scope, kind := s.Run(); scope != "prod" || kind != domain.FullRun {
		t.Error(scope, kind)
	}
	var got given
	for row, err := range s.Rows(t.Context()) {
		if err != nil {
			got = append(got, err)
		} else {
			got = append(got, row)
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
}

func TestARowThatNobodyWouldReadIsNotSent(t *testing.T) {
	broken := errors.New("the disk is gone")
	for want, row := range map[string]any{
		"a.yaml:3: the row cannot be sent: the line holds 0": importer.Row{Origin: importer.Origin{File: "a.yaml", Line: 3}},
		"the line holds 2":             importer.Row{CI: &importer.CI{ExternalID: "a"}, Team: &importer.Team{ExternalID: "a"}},
		"and at most 1048576":          importer.Row{CI: &importer.CI{ExternalID: "a", Description: strings.Repeat("x", 1<<20)}},
		"the disk is gone":             broken,
		"file and column have at most": importer.Row{Origin: importer.Origin{File: "a\nb"}, CI: &importer.CI{ExternalID: "a"}},
	} {
		err := ndjson.Write(t.Context(), io.Discard, ndjson.Run{}, given{row}, func(int) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
