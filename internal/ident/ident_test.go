package ident_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func TestAnIDReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(ident.Kinds()).Draw(t, "kind")
		number := rapid.Int64Range(1, 1<<48-1).Draw(t, "number")
		want := ident.New(kind, number)
		got, err := ident.Parse(want.String())
		if err != nil || got != want || got.Kind() != kind || got.Number() != number {
			t.Fatalf("%v read back as %v, %v", want, got, err)
		}
	})
}

func TestAServiceAndItsCIAreOneRecord(t *testing.T) {
	ci := ident.New(ident.CI, 42)
	if svc := ci.As(ident.Service); svc.String() != "svc_16" || svc.As(ident.CI) != ci {
		t.Fatalf("got %v", svc)
	}
}

func TestTextThatIsNotAnIDIsRefused(t *testing.T) {
	for _, s := range []string{"", "ci", "ci_", "ci_0", "ci_-1", "ci_+1", "ci_01", "ci_A", "xx_1", "CI_1", "ci_1 ", "ci_zzzzzzzzzzzz"} {
		if got, err := ident.Parse(s); err == nil {
			t.Errorf("%q was read as %d", s, got)
		}
	}
}

func TestEachKindHasAPrefixAndANoun(t *testing.T) {
	for _, kind := range ident.Kinds() {
		if kind.Prefix() == "" || kind.Noun() == "" {
			t.Errorf("kind %d is called %q, and its ids begin with %q", kind, kind.Noun(), kind.Prefix())
		}
	}
	if got := ident.Kind(0).Noun(); got != "record" {
		t.Errorf("an id of no kind names a %s", got)
	}
}
