package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// told returns the results of a sequence of documents, one line each: "3 {"a":1}" or "5 rejected: why".
func told(t *testing.T, documents iter.Seq2[*Document, error]) []string {
	t.Helper()
	var lines []string
	for d, err := range documents {
		if err != nil {
			var p *importer.Notice
			if !errors.As(err, &p) {
				t.Fatalf("not a Notice: %v", err)
			}
			if p.Origin.File == "" || p.Origin.Line < 1 {
				t.Errorf("a notice without file and line: %+v", p)
			}
			lines = append(lines, fmt.Sprintf("%d %s: %s", p.Origin.Line, p.Kind, p.Reason))
			continue
		}
		text, err := json.Marshal(d.Root.Value())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%d %s", d.Origin.Line, text))
	}
	return lines
}

func TestDocumentsCarryTheirLines(t *testing.T) {
	for _, c := range []struct {
		name, file, content string
		want                []string
	}{
		{"one document", "a.yaml", "a: 1\n", []string{`1 {"a":1}`}},
		{"comments first", "a.yaml", "# one\n\n# two\na: 1\n", []string{`4 {"a":1}`}},
		{"several documents", "a.yaml", "---\n# x\na: 1\n---\nb: 2\n...\n# end\n---\nc: 3", []string{`3 {"a":1}`, `5 {"b":2}`, `9 {"c":3}`}},
		{"empty documents say nothing", "a.yaml", "---\n---\n# x\n---\na: 1\n---\n", []string{`5 {"a":1}`}},
		{"a marker inside a text is text", "a.yaml", "a: |\n  x\n  ---\n  y\nb: 2\n", []string{`1 {"a":"x\n---\ny\n","b":2}`}},
		{"Windows line breaks", "a.yaml", "a: 1\r\n---\r\nb: 2\r\n", []string{`1 {"a":1}`, `3 {"b":2}`}},
		{"old Macintosh line breaks", "a.yaml", "a: 1\r---\rb: 2\r", []string{`1 {"a":1}`, `3 {"b":2}`}},
		{"a byte order mark", "a.yaml", "\ufeffa: 1\n", []string{`1 {"a":1}`}},
		{"a version directive", "a.yaml", "%YAML 1.2\n---\na: 1\n", []string{`3 {"a":1}`}},
		{"nothing", "a.yaml", "", nil},
		{"only comments", "a.yaml", "# a\n# b\n", nil},
		{"no file extension is YAML", "Catalog", "a: 1\n", []string{`1 {"a":1}`}},
		{"JSON", "a.json", "\n{\n\t\"a\": [1, null, true, \"\\ud83d\\ude00\"]\n}\n", []string{`2 {"a":[1,null,true,"😀"]}`}},
		{"several JSON values", "a.JSON", "{\"a\":1}\n{\"b\":2}", []string{`1 {"a":1}`, `2 {"b":2}`}},
		{"an empty JSON file", "a.json", " \n", nil},
		{"JSON inside YAML", "a.yaml", "{\"a\": {\"b\": [1,2]}}", []string{`1 {"a":{"b":[1,2]}}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(t, Parse(c.file, []byte(c.content), Limits{}))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// bomb returns the billion laughs: a few hundred bytes that would expand to 10^9 values.
func bomb() string {
	var b strings.Builder
	b.WriteString("kind: Component\na0: &a0 [\"ha\"]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}

func TestAttacksAreRefusedWithLineAndReason(t *testing.T) {
	for _, c := range []struct {
		name, file, content string
		want                []string
	}{
		{"a YAML bomb", "a.yaml", bomb(), []string{`2 rejected: aliases are not allowed, nor the anchors they point to: remove &a0`}},
		{"an anchor alone", "a.yaml", "a: 1\nb: &x 2\n", []string{`2 rejected: aliases are not allowed, nor the anchors they point to: remove &x`}},
		{"an alias to nothing", "a.yaml", "a: 1\nb: *x\nc: 1\n", []string{`2 rejected: aliases are not allowed: write the value out`}},
		{"an alias to itself", "a.yaml", "a: &a [*a]\n", []string{`1 rejected: aliases are not allowed, nor the anchors they point to: remove &a`}},
		{"a merge key", "a.yaml", "<<: {a: 1}\n", []string{`1 rejected: aliases are not allowed, nor the merge key << that needs them`}},
		{"duplicate keys", "a.yaml", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", []string{`5 rejected: the key "c" stands twice in one map, first on line 3; a key must be unique`}},
		{"duplicate keys, once quoted", "a.yaml", "a: 1\n\"a\": 2\n", []string{`2 rejected: the key "a" stands twice in one map, first on line 1; a key must be unique`}},
		{"duplicate keys in JSON", "a.json", "{\"a\": 1,\n \"\\u0061\": 2}", []string{`2 rejected: the key "a" stands twice in one map, first on line 1; a key must be unique`}},
		{"deep flow lists", "a.yaml", "a: 1\nb: " + strings.Repeat("[", 33) + strings.Repeat("]", 33), []string{`2 rejected: lists and maps are nested too deep; the limit is 32 levels`}},
		{"very deep flow lists", "a.yaml", strings.Repeat("[", 20_000), []string{`1 rejected: lists and maps are nested too deep; the limit is 32 levels`}},
		{"very deep block lists", "a.yaml", strings.Repeat("- ", 20_000), []string{`1 rejected: lists and maps are nested too deep; the limit is 32 levels`}},
		{"very deep JSON", "a.json", "\n" + strings.Repeat(`{"a":`, 100_000), []string{`2 rejected: lists and maps are nested too deep; the limit is 32 levels`}},
		{"NUL bytes", "a.yaml", "a: 1\nb: \x00\n", []string{`2 rejected: a NUL byte: this is a binary file or UTF-16; UTF-8 text is expected`}},
		{"UTF-16", "a.yaml", "\xff\xfea\x00:\x00 \x001\x00", []string{`1 rejected: a NUL byte: this is a binary file or UTF-16; UTF-8 text is expected`}},
		{"a compressed file", "a.yaml", "\x1f\x8b\x08\n\x02", []string{`1 rejected: the byte 0x8B is no UTF-8 text: this is a binary file or another encoding; UTF-8 is expected`}},
		{"Latin-1", "a.json", "{\n\"a\": \"caf\xe9\"}", []string{`2 rejected: the byte 0xE9 is no UTF-8 text: this is a binary file or another encoding; UTF-8 is expected`}},
		{"a control character", "a.yaml", "a: 1\nb: \x1b[2J\n", []string{`1 rejected: broken YAML: control characters are not allowed`}},
		{"a custom tag", "a.yaml", "a: 1\nb: !!python/object/apply:os.system [id]\n", []string{`2 rejected: the tag "!!python/object/apply:os.system" is not allowed`}},
		{"a tag that does not fit", "a.yaml", "a: !!int abc\n", []string{`1 rejected: "abc" does not fit its tag !!int`}},
		{"tag directives", "a.yaml", "# x\n%TAG ! tag:x\n---\na: 1\n---\nb: 2\n", []string{`2 rejected: %TAG directives are not allowed`, `6 {"b":2}`}},
		{"late tag directives", "a.yaml", "a: 1\n" + strings.Repeat("%TAG ! x\n", 100_000) + "---\na: 1\n", []string{`2 rejected: %TAG directives are not allowed`, `100003 {"a":1}`}},
		{"hidden tag directives", "a.yaml", "a: 1\n" + strings.Repeat("\ufeff%TAG ! x\n", 100_000), []string{`2 rejected: broken YAML: could not find expected ':'`}},
		{"a list as key", "a.yaml", "? [a, b]\n: 1\n", []string{`1 rejected: a key is a list; text is expected`}},
		{"no key", "a.yaml", "? \n: 1\n", []string{`1 rejected: a key is null; text is expected`}},
		{"too many places", "a.yaml", "a: 1\n---\nb: [" + strings.Repeat("x,", 500_000) + "]\n", []string{`1 {"a":1}`, `2 rejected: the document holds 500,005 places where a key or value may begin; the limit is 500,000`}},
		{"too many nodes", "a.yaml", "[" + strings.Repeat("x,\n", 100_000) + "]", []string{`100000 rejected: the document holds more than 100,000 keys and values, which is the limit`}},
		{"too many nodes in JSON", "a.json", "[0" + strings.Repeat("\n,1", 200_000) + "]", []string{`100000 rejected: the document holds more than 100,000 keys and values, which is the limit`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			if diff := cmp.Diff(c.want, told(t, Parse(c.file, []byte(c.content), Limits{}))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			t.Logf("%v", time.Since(start))
		})
	}
}

func TestABrokenDocumentCostsNoOther(t *testing.T) {
	for _, c := range []struct {
		name, file, content string
		want                []string
	}{
		{
			"an unclosed list", "a.yaml", "a: 1\n---\nb: 2\nc: [1, 2\nd: 3\n---\ne: 4\n",
			[]string{`1 {"a":1}`, `5 rejected: broken YAML: did not find expected ',' or ']'`, `7 {"e":4}`},
		},
		{
			"a wrong indentation", "a.yaml", "a:\n  b: 1\n  c: 2\n bad: 3\n---\nd: 4\n",
			[]string{`4 rejected: broken YAML: did not find expected key`, `6 {"d":4}`},
		},
		{
			"a tab", "a.yaml", "a:\n\tb: 1\n---\nd: 4\n",
			[]string{`2 rejected: broken YAML: found character that cannot start any token`, `4 {"d":4}`},
		},
		{
			"a map in a text", "a.yaml", "a: 1\nb: c: d\n---\nd: 4\n",
			[]string{`2 rejected: broken YAML: mapping values are not allowed in this context`, `4 {"d":4}`},
		},
		{
			"the last line", "a.yaml", "a: 1\nb:\n  c: 2\n  - d",
			[]string{`4 rejected: broken YAML: did not find expected key`},
		},
		{
			"duplicate keys", "a.yaml", "a: 1\na: 2\n---\nb: 1\n",
			[]string{`2 rejected: the key "a" stands twice in one map, first on line 1; a key must be unique`, `4 {"b":1}`},
		},
		{
			"JSON", "a.json", "{\"a\": 1}\n{\"b\":\n nope}\n{\"c\": 1}",
			[]string{`1 {"a":1}`, `3 rejected: broken JSON: invalid character 'o' in literal null (expecting 'u')`},
		},
		{
			"JSON cut short", "a.json", "{\"a\": [1,\n 2",
			[]string{`2 rejected: broken JSON: the file ends in the middle of a value`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(t, Parse(c.file, []byte(c.content), Limits{}))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestATemplateThatIsNoYAMLIsCalledATemplate(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"Helm value", "a.yaml", "a: 1\nname: {{ .Values.name }}\n", `2 rejected: an unexpanded template: "{{ .Values.name }}"; expand it and import the result, or leave this file out`},
		{"Helm value and text", "a.yaml", "a: 1\nb:\n  name: {{ .Values.name }}-x\n", `3 rejected: an unexpanded template: "{{ .Values.name }}"; expand it and import the result, or leave this file out`},
		{"Helm action", "a.yaml", "a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n", `2 rejected: an unexpanded template: "{{- if .x }}"; expand it and import the result, or leave this file out`},
		{"Jinja", "a.yaml", "a: 1\n{% if x %}\nb: 2\n", `2 rejected: an unexpanded template: "{% if x %}"; expand it and import the result, or leave this file out`},
		{"JSON", "a.json", "{\n\"a\": {{ values.a }}}", `2 rejected: an unexpanded template: "{{ values.a }}"; expand it and import the result, or leave this file out`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{c.want}, told(t, Parse(c.file, []byte(c.content), Limits{}))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestATemplateInsideATextIsFoundOnRequest(t *testing.T) {
	d := first(t, "metadata:\n  name: ${{ values.name | dump }}\n  labels: {'{{ a }}': b}\nspec: {text: '}} {{', list: [x, '{{y}}']}\n")
	for _, c := range []struct {
		path []string
		line int
	}{{[]string{"metadata"}, 2}, {[]string{"metadata", "labels"}, 3}, {[]string{"spec", "list"}, 4}, {[]string{"spec", "text"}, 0}, {[]string{"none"}, 0}} {
		p := d.Unexpanded(d.Root.At(c.path...))
		switch {
		case c.line == 0 && p != nil:
			t.Errorf("%v: %v", c.path, p)
		case c.line > 0 && (p == nil || p.Origin.Line != c.line || !strings.Contains(p.Reason, "unexpanded template")):
			t.Errorf("%v: %v", c.path, p)
		}
	}
}

func TestALimitMayBeLowered(t *testing.T) {
	for _, c := range []struct {
		name, content string
		limits        Limits
		want          []string
	}{
		{"size", "a: 1\n", Limits{FileBytes: 4}, []string{`1 rejected: the file is 5 bytes and nothing of it was read; the limit is 4 bytes`}},
		{"documents", "a: 1\n---\nb: 1\n---\nc: 1\n", Limits{Documents: 2}, []string{`1 {"a":1}`, `3 {"b":1}`, `5 rejected: the file holds more than 2 documents, which is the limit`}},
		{"depth", "a: {b: {c: 1}}\n", Limits{Depth: 2}, []string{`1 rejected: lists and maps are nested too deep; the limit is 2 levels`}},
		{"depth reached", "a: {b: 1}\n", Limits{Depth: 2}, []string{`1 {"a":{"b":1}}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(t, Parse("a.yaml", []byte(c.content), c.limits))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func first(t *testing.T, content string) *Document {
	t.Helper()
	for d, err := range Parse("a.yaml", []byte(content), Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Fatal("no document")
	return nil
}

func TestValuesAreWhatJSONCanSay(t *testing.T) {
	d := first(t, `{int: 12, hex: 0x10, big: 18446744073709551615, huge: `+strings.Repeat("9", 400)+`, over: 1e999, inf: .inf, nan: .nan,
  float: 1.10, yes: yes, on: on, true: true, null: ~, empty: , date: 2020-01-02, text: "12", old: !!str 5}`)
	want := map[string]any{
		"int": int64(12), "hex": int64(16), "big": float64(math.MaxUint64), "huge": strings.Repeat("9", 400), "over": "1e999", "inf": ".inf", "nan": ".nan",
		"float": 1.1, "yes": "yes", "on": "on", "true": true, "null": nil, "empty": nil, "date": "2020-01-02", "text": "12", "old": "5",
	}
	if diff := cmp.Diff(want, d.Root.Value()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := json.Marshal(d.Root.Value()); err != nil {
		t.Error(err)
	}
	if got := d.Root.Text("float"); got != "1.10" {
		t.Errorf("text as written: %q", got)
	}
}

func TestAValueOfTheWrongShapeReadsAsMissingWithANotice(t *testing.T) {
	d := first(t, "list: [a, {b: c}, ~, 3]\ntext: hello\nmap: {a: 1, b: [2]}\nnull: ~\nfloat: 1.5\nhuge: 99999999999999999999\n")
	r := d.Root
	var texts []string
	for _, n := range r.Texts("list") {
		texts = append(texts, n.Text())
	}
	for range r.Map("list") {
		t.Error("a list has no keys")
	}
	_, hasFloat := r.Int("float")
	_, hasHuge := r.Int("huge")
	got := []any{texts, r.Text("map"), r.List("text"), r.Texts("map"), r.At("text", "deeper"), r.TextMap("map"), r.TextMap("null"), r.Text("null", "deeper"), r.Text("none"), hasFloat, hasHuge}
	want := []any{[]string{"a", "3"}, "", []*Node(nil), []*Node(nil), (*Node)(nil), map[string]string{"a": "1"}, map[string]string(nil), "", "", false, false}
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var notices []string
	for _, p := range d.TakeNotices() {
		notices = append(notices, fmt.Sprintf("%d %s: %s", p.Origin.Line, p.Kind, p.Reason))
	}
	if diff := cmp.Diff([]string{
		"1 warning: list is a map; text is expected, so it was left out",
		"1 warning: list is a list; a map is expected, so it was left out",
		"5 warning: float is \"1.5\"; a whole number of at most 64 bits is expected",
		"6 warning: huge is \"99999999999999999999\"; a whole number of at most 64 bits is expected",
		"3 warning: map is a map; text is expected, so it was left out",
		"2 warning: text is text; a list is expected, so it was left out",
		"3 warning: map is a map; a list is expected, so it was left out",
		"2 warning: text is text; a map is expected, so it was left out",
		"3 warning: map.b is a list; text is expected, so it was left out",
	}, notices); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if again := d.TakeNotices(); len(again) != 0 {
		t.Errorf("notices are taken once: %v", again)
	}
	if (*Node)(nil).Value() != nil || (*Node)(nil).Text("a") != "" {
		t.Error("a nil node is nothing")
	}
}

func TestAMessageIsFitForATerminal(t *testing.T) {
	if got := Quote("a\x1b[31m\n" + strings.Repeat("é", 100)); got != `"a\x1b[31m\n`+strings.Repeat("é", 53)+`…"` {
		t.Error(got)
	}
}

// checkMarksBoundNodes fails if a document has more nodes than its marks allow, which would make the guard on memory
// worthless.
func checkMarksBoundNodes(t *testing.T, content []byte) {
	t.Helper()
	for c := range chunks(content) {
		if c.directive > 0 {
			continue
		}
		decoder := yaml.NewDecoder(&lineReader{rest: c.text})
		nodes := 0
		for {
			tree, err := decode(decoder)
			if err != nil {
				break
			}
			nodes += count(tree)
		}
		if nodes > 3*c.marks+4 {
			t.Fatalf("%d nodes from %d marks: %q", nodes, c.marks, c.text)
		}
	}
}

func count(y *yaml.Node) int {
	n := 1
	for _, c := range y.Content {
		n += count(c)
	}
	return n
}

func TestMarksBoundNodes(t *testing.T) {
	for _, s := range []string{"", "a: 1", "[a,b,c]", "{a,b,c}", "- - - -", "? ? ?", "a: [a,{b,c}]\nb:\n", "[a: , b: ]", "[?a,?b]", "{? a, ? b}", "- a: - b", "[[],[],{}]", "[[[[]]]]", "a\r- b\r- c"} {
		checkMarksBoundNodes(t, []byte(s))
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1\n---\nb: [1, {c: d}]\n", bomb(), "a: {{ x }}\n", "a: |\n  x\n---\n...\n%TAG ! x\n---\n", "\ufeffa: !!int x\r\n", "{\"a\": [1, 2.5e3, null]}", "? [a]\n: &x *y\n", "a: \"\\ud83d\"", "<<: 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		start := time.Now()
		defer func() {
			if d := time.Since(start); d > time.Minute {
				t.Errorf("slow: %v for %d bytes", d, len(content))
			}
		}()
		lines := 1 + strings.Count(string(content), "\n") + strings.Count(string(content), "\r") + strings.Count(string(content), "\u0085") + strings.Count(string(content), "\u2028") + strings.Count(string(content), "\u2029")
		for _, file := range []string{"a.yaml", "a.json"} {
			for d, err := range Parse(file, content, Limits{Nodes: 1000}) {
				var p *importer.Notice
				origin := importer.Origin{}
				switch {
				case err == nil:
					origin = d.Origin
					if _, err := json.Marshal(d.Root.Value()); err != nil {
						t.Fatal(err)
					}
					d.Unexpanded(d.Root)
				case errors.As(err, &p):
					origin = p.Origin
				default:
					t.Fatalf("not a Notice: %v", err)
				}
				if origin.File != file || origin.Line < 1 || origin.Line > lines+1 {
					t.Fatalf("origin %v of %d lines: %v", origin, lines, err)
				}
			}
		}
		checkMarksBoundNodes(t, content)
	})
}
