package likeness_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/rule/likeness"
)

func TestABetterMatchHasMorePoints(t *testing.T) {
	for query, best := range map[string][]string{
		"checkout": {"Checkout", "checkout-api", "the checkout", "the checkouts", "the checkuot", "precheckout", "nothing"},
		"kout":     {"kout", "kout-1", "the kout", "the koutou", "Checkout", "nothing"},
		"chekout":  {"Checkout", "the checkouts", "payments"},
		"web shop": {"web-shop", "web_shop 2", "a web shop", "shop web", "webshop"},
		"paymets":  {"payments", "payments-eu"},
	} {
		words := likeness.Words(query)
		last := 101.0
		for _, name := range best {
			score := likeness.Score(words, name)
			if score > last || score < 1 || score > 100 {
				t.Errorf("%q: %q has %v points, and the one before %v", query, name, score, last)
			}
			last = score
		}
	}
	if got := likeness.Score(likeness.Words("the checkout"), "The Checkout"); got != 100 {
		t.Errorf("a name that is the words has %v points", got)
	}
}

func TestTypingErrorsAreForgivenInLongWordsAlone(t *testing.T) {
	for query, names := range map[string]struct{ meant, not []string }{
		"chekout":     {[]string{"Checkout", "old checkout-api"}, []string{"Check", "lookout"}},
		"checkuot":    {[]string{"Checkout"}, nil},
		"cehckout":    {[]string{"Checkout"}, nil},
		"chekcout":    {[]string{"Checkout"}, nil},
		"reids":       {[]string{"redis"}, []string{"rides"}},
		"mial":        {nil, []string{"mail"}},
		"paymnet gat": {[]string{"payment-gateway-1"}, []string{"payments", "gateway"}},
		"kuberntees":  {[]string{"kubernetes"}, nil},
		"posgtersql":  {[]string{"PostgreSQL 15"}, []string{"MySQL"}},
		"postgr":      {[]string{"PostgreSQL"}, nil},
		"pstgres":     {[]string{"PostgreSQL"}, nil},
	} {
		words := likeness.Words(query)
		for _, name := range names.meant {
			if !likeness.Means(words, name) {
				t.Errorf("%q does not mean %q", query, name)
			}
		}
		for _, name := range names.not {
			if likeness.Means(words, name) {
				t.Errorf("%q means %q", query, name)
			}
		}
	}
}

// TestAMistypedWordLeavesATrace checks that whatever single error is made in a word of six letters or more, the word
// that was meant holds one of the traces.
func TestAMistypedWordLeavesATrace(t *testing.T) {
	letter := rapid.SampledFrom([]rune("abcdexyz09ß東"))
	rapid.Check(t, func(rt *rapid.T) {
		meant := rapid.SliceOfN(letter, 6, 14).Draw(rt, "meant")
		typed := slices.Clone(meant)
		at := rapid.IntRange(0, len(typed)-2).Draw(rt, "at")
		switch rapid.IntRange(0, 3).Draw(rt, "error") {
		case 0:
			typed = slices.Delete(typed, at, at+1)
		case 1:
			typed = slices.Insert(typed, at, letter.Draw(rt, "more"))
		case 2:
			typed[at] = letter.Draw(rt, "other")
		case 3:
			typed[at], typed[at+1] = typed[at+1], typed[at]
		}
		if len(typed) < 6 {
			return
		}
		word := string(typed)
		if !likeness.Means([]string{word}, string(meant)) {
			rt.Fatalf("%q does not mean %q", word, string(meant))
		}
		if !slices.ContainsFunc(likeness.Traces(word), func(trace string) bool { return strings.Contains(string(meant), trace) }) {
			rt.Fatalf("%q has none of the traces of %q: %q", string(meant), word, likeness.Traces(word))
		}
		for _, trace := range likeness.Traces(word) {
			if len([]rune(trace)) < 3 {
				rt.Fatalf("%q is too short a trace of %q for an index of three letters", trace, word)
			}
		}
	})
}
