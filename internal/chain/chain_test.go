package chain_test

import (
	"bytes"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
)

func TestADigestIsTheSameHoweverADatabaseWritesTheContent(t *testing.T) {
	var d chain.Digester
	salt := chain.Salts(1)
	digest := func(before, after string) []byte {
		t.Helper()
		content := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		sum, err := d.Of(salt, content(before), content(after))
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	written := digest("", `{"b":1e3,"a":"\u003cé\u2028","of":{"y":1.50,"x":[true,null]}}`)
	for _, kept := range []string{
		`{"a": "<é` + "\u2028" + `", "b": 1000, "of": {"x": [true, null], "y": 1.5}}`,
		"{\"of\":{\"x\":[ true,null],\"y\":15e-1},\n\"b\":1000.0,\"a\":\"<\\u00e9\u2028\"}",
	} {
		if !bytes.Equal(digest("", kept), written) {
			t.Errorf("%s has another digest", kept)
		}
	}
	for _, other := range [][2]string{
		{"", `{"b":1000,"a":"<é","of":{"y":1.5,"x":[true,null]}}`},
		{`{"b":1000,"a":"<é` + "\u2028" + `","of":{"y":1.5,"x":[true,null]}}`, ""},
		{"{}", `{"b":1000,"a":"<é` + "\u2028" + `","of":{"y":1.5,"x":[true,null]}}`},
	} {
		if bytes.Equal(digest(other[0], other[1]), written) {
			t.Errorf("%q has the same digest", other)
		}
	}
	if another, err := d.Of(chain.Salts(1), nil, []byte(`{}`)); err != nil || bytes.Equal(another, digest("", `{}`)) {
		t.Errorf("the digest does not depend on the salt, %v", err)
	}
}

func TestALinkDependsOnEverythingInItsRevisionAndOnAllBefore(t *testing.T) {
	base := chain.Line{At: 1, Actor: "cli:root", Via: "CLI", Verb: "ci.update", Operation: "UPDATED", Record: 5, Subject: 6, Digest: make([]byte, chain.Size)}
	sum := func(lines ...chain.Line) [chain.Size]byte {
		var l chain.Leaf
		for _, line := range lines {
			l.Add(line)
		}
		return l.Sum()
	}
	known := map[string]string{}
	note := func(what string, link []byte) {
		if other, ok := known[string(link)]; ok {
			t.Errorf("%s and %s have one link", what, other)
		}
		known[string(link)] = what
	}
	note("base", chain.Next(nil, 1, sum(base)))
	for what, change := range map[string]func(*chain.Line){
		"moment": func(l *chain.Line) { l.At++ }, "name": func(l *chain.Line) { l.Actor = "cli:eve" }, "account": func(l *chain.Line) { l.ActorID = 9 },
		"token": func(l *chain.Line) { l.ViaID = 9 }, "door": func(l *chain.Line) { l.Via = "TOKEN" }, "verb": func(l *chain.Line) { l.Verb = "ci.delete" },
		"operation": func(l *chain.Line) { l.Operation = "DELETED" }, "record": func(l *chain.Line) { l.Record++ }, "subject": func(l *chain.Line) { l.Subject++ },
		"content": func(l *chain.Line) { l.Digest = bytes.Repeat([]byte{1}, chain.Size) },
		"border":  func(l *chain.Line) { l.Verb, l.Operation = "ci.updateU", "PDATED" },
	} {
		line := base
		change(&line)
		note(what, chain.Next(nil, 1, sum(line)))
	}
	second := base
	second.Record = 7
	note("two lines", chain.Next(nil, 1, sum(base, second)))
	note("two lines in the other order", chain.Next(nil, 1, sum(second, base)))
	note("another number", chain.Next(nil, 2, sum(base)))
	note("another past", chain.Next(make([]byte, chain.Size), 1, sum(base)))
	named, renamed := base, base
	named.ActorID, renamed.ActorID, renamed.Actor = 9, 9, "erased"
	if sum(named) != sum(renamed) {
		t.Error("a name cannot be erased, though the account tells who it was")
	}
}

var record = []byte(`{"attributes":{"cores":8,"memory":"64 GiB","rack":"B 12"},"ci_class_id":"cls_7","class_id":"cls_7","created_at":"2026-11-30T14:00:00.123456Z","criticality":"HIGH","description":"A host of the checkout, in the second hall","environment":"PRODUCTION","id":"ci_4711","labels":{"team":"checkout"},"lifecycle":"LIVE","name":"host-0007","updated_at":"2026-11-30T14:00:00.123456Z","version":3,"visibility":"EVERYONE"}`)

// BenchmarkRevision tells what the chain adds to a revision of one entry, without the database.
func BenchmarkRevision(b *testing.B) {
	var d chain.Digester
	var leaf chain.Leaf
	var link []byte
	for n := int64(1); b.Loop(); n++ {
		digest, err := d.Of(chain.Salts(1), []byte(`{"description":"A host","updated_at":"2026-11-30T13:00:00.123456Z","version":2}`), record)
		if err != nil {
			b.Fatal(err)
		}
		leaf.Add(chain.Line{At: n, ActorID: 5, Via: "TOKEN", Verb: "ci.update", Operation: "UPDATED", Record: 5, Subject: 5, Digest: digest})
		link = chain.Next(link, n, leaf.Sum())
	}
}
