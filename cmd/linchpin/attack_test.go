package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"golang.org/x/tools/txtar"
)

// attack is a request that would hurt a server without limits. The corpus in testdata/attacks holds them as archives
// of documents, each named "what it does: CODE"; a body of many bytes is written as a template. Lines that start with
// "#!" say what goes with the document: variables, operationName, extensions (JSON); method; header; body, when the
// whole body is what follows, and status. Families of attacks, which are made on each place of the contract that has
// room for them, are written beside the corpus.
type attack struct {
	name, code string
	method     string
	status     int
	document   string
	isBody     bool
	parameters map[string]json.RawMessage
	headers    []string
}

func attacks(t testing.TB) []attack {
	t.Helper()
	all, err := readAttacks()
	if err != nil {
		t.Fatal(err)
	}
	return append(all, familyAttacks(t)...)
}

func readAttacks() (all []attack, err error) {
	files, err := filepath.Glob("testdata/attacks/*.txtar")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no attacks: %w", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, err
		}
		for _, f := range archive.Files {
			a, err := readAttack(f.Name, string(f.Data))
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file, f.Name, err)
			}
			all = append(all, a)
		}
	}
	return all, nil
}

func readAttack(title, text string) (a attack, err error) {
	name, code, ok := strings.Cut(title, ": ")
	if !ok {
		return a, fmt.Errorf("no code")
	}
	a = attack{name: name, code: code, method: http.MethodPost, parameters: map[string]json.RawMessage{}}
	if text, err = expand(text); err != nil {
		return a, err
	}
	for strings.HasPrefix(text, "#!") {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		word, rest, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#!")), " ")
		switch word {
		case "method":
			a.method = rest
		case "header":
			a.headers = append(a.headers, rest)
		case "body":
			a.isBody = true
		case "status":
			if _, err := fmt.Sscan(rest, &a.status); err != nil {
				return a, err
			}
		default:
			a.parameters[word] = json.RawMessage(rest)
		}
	}
	a.document = strings.TrimSuffix(text, "\n")
	return a, nil
}

// expand writes a template out: {{repeat 3 "ab"}} is ababab, and {{range count 3}}…{{end}} counts from 0.
func expand(text string) (string, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"repeat": func(n int, s string) string { return strings.Repeat(s, n) },
		"nest": func(n int, open, middle, end string) string {
			return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
		},
		"count": func(n int) []int {
			all := make([]int, n)
			for i := range all {
				all[i] = i
			}
			return all
		},
		"add": func(a, b int) int { return a + b },
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = t.Execute(&out, nil)
	return out.String(), err
}

// send makes the attack on a server.
func (a attack) send(t testing.TB, address string) exchange {
	t.Helper()
	r, err := a.request(t.Context(), address)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	return exchanged(t, r)
}

// request returns the attack as it goes over HTTP.
func (a attack) request(ctx context.Context, address string) (*http.Request, error) {
	query, body := "", ""
	if a.method == http.MethodGet {
		parameters := url.Values{"query": {a.document}}
		for name, value := range a.parameters {
			parameters.Set(name, string(value))
		}
		query = "?" + parameters.Encode()
	} else {
		var err error
		if body, err = a.body(); err != nil {
			return nil, err
		}
	}
	return newRequest(ctx, a.method, address+"/graphql"+query, body, a.headers...)
}

// body returns the parameters as JSON, or what the attack has in their place.
func (a attack) body() (string, error) {
	if a.isBody {
		return a.document, nil
	}
	parameters := map[string]any{"query": a.document}
	for name, value := range a.parameters {
		parameters[name] = value
	}
	text, err := json.Marshal(parameters)
	return string(text), err
}

// answerLimit bounds what a refusal may have the server send.
const answerLimit = 8 << 10

func TestNoRequestHurtsTheServer(t *testing.T) {
	p := serve(t)
	corpus := attacks(t)
	if len(corpus) < 400 {
		t.Errorf("%d attacks only", len(corpus))
	}
	t.Logf("%d attacks", len(corpus))
	for _, a := range corpus {
		t.Run(a.name, func(t *testing.T) {
			e := a.send(t, p.url)
			codes := e.codes(t)
			if a.code == "NONE" {
				if len(codes) > 0 {
					t.Errorf("%d %.500s", e.status, e.body)
				}
			} else if len(codes) == 0 || codes[0] != a.code {
				t.Errorf("codes %v, want %s: %d %.500s", codes, a.code, e.status, e.body)
			}
			if a.status != 0 && e.status != a.status {
				t.Errorf("status %d, want %d", e.status, a.status)
			}
			if len(e.body) > answerLimit || len(codes) > 10 {
				t.Errorf("%d bytes and %d errors: %.500s", len(e.body), len(codes), e.body)
			}
		})
	}
	var after struct{ CIs struct{ TotalCount int } }
	p.ask(t, &after, "{ cis { totalCount } }", nil)
	if after.CIs.TotalCount != 0 {
		t.Errorf("%d CIs were written by attacks", after.CIs.TotalCount)
	}
}
