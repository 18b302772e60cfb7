package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func automatic(sum string) string {
	return fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q}}`, sum)
}

func (e exchange) expect(t *testing.T, what, code, holds string) {
	t.Helper()
	codes := e.codes(t)
	if code == "" && len(codes) > 0 || code != "" && (len(codes) != 1 || codes[0] != code) || !strings.Contains(e.body, holds) {
		t.Errorf("%s: %d %.300s, want %q and %q", what, e.status, e.body, code, holds)
	}
}

func TestADocumentIsRegisteredByItsHash(t *testing.T) {
	p := serve(t)
	query := "{ viewer { name } }"
	named := func(sum string) string { return `{"extensions":` + automatic(sum) + `}` }
	with := func(query, sum string) string {
		text, err := json.Marshal(query)
		if err != nil {
			t.Fatal(err)
		}
		return `{"query":` + string(text) + `,"extensions":` + automatic(sum) + `}`
	}
	post := func(body string) exchange { return send(t, "POST", p.url+"/graphql", body) }
	post(named(sha(query))).expect(t, "before", "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
	post(with(query, sha("something else"))).expect(t, "a hash of something else", "BAD_USER_INPUT", "hash")
	post(named(sha("something else"))).expect(t, "what was refused", "PERSISTED_QUERY_NOT_FOUND", "")
	post(with(query, sha(query))).expect(t, "registering", "", `"dev"`)
	post(named(sha(query))).expect(t, "after", "", `"dev"`)
	byGet := "/graphql?extensions=" + url.QueryEscape(automatic(sha(query)))
	e := send(t, "GET", p.url+byGet, "")
	e.expect(t, "by GET", "", `"dev"`)
	if e.header.Get("Cache-Control") != "no-store" {
		t.Errorf("what anybody may register is cached: %v", e.header)
	}
	for _, invalid := range []string{"{ nothing }", "{", "{ cis(first: 99999) { nodes { id } } }"} {
		if codes := post(with(invalid, sha(invalid))).codes(t); len(codes) == 0 {
			t.Errorf("%s was answered", invalid)
		}
		post(named(sha(invalid))).expect(t, invalid, "PERSISTED_QUERY_NOT_FOUND", "")
	}
	post(`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`).expect(t, "another version", "BAD_USER_INPUT", "version")
	post(`{"extensions":{"persistedQuery":"x"}}`).expect(t, "no object", "BAD_USER_INPUT", "")
	mutation := `mutation { createTeam(input: {name: "x"}) { userErrors { code } } }`
	post(with(strings.Replace(mutation, `"x"`, `"y"`, 1), sha(mutation))).expect(t, "a mutation under another's hash", "BAD_USER_INPUT", "")
}

func TestTrustedDocumentsOfThreeToolsAreAnswered(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	relay := file("persisted_queries.json", `{"7f0e2a":"query RelayQuery { viewer { name } }"}`)
	codegen := file("persisted-documents.json", `{"c0de":"query Codegen { viewer { roles } }","d1ce":"mutation Add($n: String!) { createTeam(input: {name: $n}) { team { name } } }"}`)
	apollo := file("manifest.json", `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a901","name":"A","type":"query","body":"query A($n: Int) { ciClasses(first: $n) { nodes { code } } }"}]}`)
	manifests := []string{"--manifest", relay, "--manifest", codegen, "--manifest", apollo}
	for _, mode := range []string{"prefer", "only"} {
		t.Run(mode, func(t *testing.T) {
			p := serve(t, append([]string{"--trusted-documents", mode}, manifests...)...)
			post := func(body string) exchange { return send(t, "POST", p.url+"/graphql", body) }
			post(`{"documentId":"7f0e2a"}`).expect(t, "Relay", "", `"dev"`)
			post(`{"documentId":"sha256:`+sha("query RelayQuery { viewer { name } }")+`"}`).expect(t, "by the draft's id", "", `"dev"`)
			post(`{"documentId":"c0de"}`).expect(t, "codegen", "", `"ADMIN"`)
			post(`{"documentId":"a901","variables":{"n":1}}`).expect(t, "Apollo", "", `"code"`)
			post(`{"extensions":`+automatic("a901")+`}`).expect(t, "Apollo's link", "", `"code"`)
			post(`{"documentId":"a901","variables":{"n":2147483647}}`).expect(t, "a trusted document with a large page", "COMPLEXITY_LIMIT_EXCEEDED", "")
			post(`{"documentId":"d1ce","variables":{"n":"`+mode+`"}}`).expect(t, "a mutation", "", mode)
			post(`{"documentId":"unknown"}`).expect(t, "an unknown id", "PERSISTED_QUERY_NOT_FOUND", "")
			post(`{"documentId":"c0de","query":"{ revision }"}`).expect(t, "both", "BAD_USER_INPUT", "")
			free := map[string]string{"prefer": "", "only": "FORBIDDEN"}[mode]
			post(`{"query":"{ revision }"}`).expect(t, "a free document", free, "")
			post(`{"query":"{ revision }","extensions":`+automatic(sha("{ revision }"))+`}`).expect(t, "registering", free, "")

			e := send(t, "GET", p.url+"/graphql?documentId=7f0e2a", "")
			e.expect(t, "by GET", "", `"dev"`)
			tag := e.header.Get("ETag")
			if tag == "" || e.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(e.header.Get("Vary"), "Linchpin-Actor, Linchpin-Roles") {
				t.Errorf("%v", e.header)
			}
			post(`{"documentId":"d1ce","variables":{"n":"elsewhere"}}`).expect(t, "a write elsewhere", "", "elsewhere")
			if same := send(t, "GET", p.url+"/graphql?documentId=7f0e2a", "", "If-None-Match: \"other\", "+tag); same.status != 304 || same.body != "" {
				t.Errorf("%d %s", same.status, same.body)
			}
			if other := send(t, "GET", p.url+"/graphql?documentId=7f0e2a", "", "If-None-Match: "+tag, "Linchpin-Actor: grace"); other.status != 200 || other.header.Get("ETag") == tag {
				t.Errorf("another actor got %d %v", other.status, other.header)
			}
			send(t, "GET", p.url+"/graphql?documentId=d1ce&variables="+url.QueryEscape(`{"n":"get"}`), "").expect(t, "a mutation by GET", "BAD_USER_INPUT", "POST")
		})
	}
	p := serve(t)
	send(t, "POST", p.url+"/graphql", `{"documentId":"7f0e2a"}`).expect(t, "without manifests", "PERSISTED_QUERY_NOT_FOUND", "")
}
