package guard

import (
	"encoding/json"
	"testing"
)

func TestSurrogatePairsOfADocumentAreCharactersAndHalvesAreRefused(t *testing.T) {
	for query, want := range map[string]string{
		`{ a(b: "x") }`:                      `{ a(b: "x") }`,
		`{ a(b: "\ud83d\ude00!") }`:          "{ a(b: \"😀!\") }",
		`{ a(b: "\\ud83d") }`:                `{ a(b: "\\ud83d") }`, // a backslash, and letters
		"# \\ud83d \"\n{ a }":                "# \\ud83d \"\n{ a }",
		`{ a(b: """\ud83d \""" \ud83d""") }`: `{ a(b: """\ud83d \""" \ud83d""") }`,
		`{ a(b: "", c: "\uD83D\uDE00") }`:    "{ a(b: \"\", c: \"😀\") }",
	} {
		if got, refused := unescape(query); refused != nil || got != want {
			t.Errorf("%s: %s, %v", query, got, refused)
		}
	}
	for _, query := range []string{`{ a(b: "\ud83d") }`, `{ a(b: "\ude00\ud83d") }`, `{ a(b: "\ud83d\n") }`, `{ a(b: "\ud83d`, `{ a(b: "", c: "\uDE00x") }`} {
		if got, refused := unescape(query); refused == nil {
			t.Errorf("%s is taken as %s", query, got)
		}
	}
}

func TestWholeNumbersHaveNoFraction(t *testing.T) {
	for text, want := range map[string]string{"2.0": "2", "2e0": "2", "-3.00": "-3", "1.5": "1.5", "1e999": "1e999", "1e300": "1e300", "7": "7", "9007199254740993.0": "9007199254740993.0"} {
		if got := whole(json.Number(text)); got != json.Number(want) {
			t.Errorf("%s becomes %v, want %s", text, got, want)
		}
	}
}
