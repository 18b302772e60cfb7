package graph_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

var (
	markedCursor = regexp.MustCompile(`"eyJ2IjoxL[A-Za-z0-9_-]+"`)
	mark         = regexp.MustCompile(`,"m":"[0-9a-f]+"`)
	markedToken  = regexp.MustCompile(`"(\d+)-[0-9a-f]{16}"`)
)

// unmarked returns an answer without the marks of the world's history, which are random: cursors and tokens are good
// without them.
func unmarked(answer string) string {
	answer = markedToken.ReplaceAllString(answer, `"$1"`)
	return markedCursor.ReplaceAllStringFunc(answer, func(quoted string) string {
		cursor, err := base64.RawURLEncoding.DecodeString(strings.Trim(quoted, `"`))
		if err != nil {
			return quoted
		}
		return `"` + base64.RawURLEncoding.EncodeToString(mark.ReplaceAll(cursor, nil)) + `"`
	})
}

// uncovered returns what the cursors of an answer hold.
func uncovered(answer string) (all string) {
	for _, c := range cursorLike.FindAllString(answer, -1) {
		if raw, err := base64.RawURLEncoding.DecodeString(strings.Trim(c, `"`)); err == nil {
			all += " " + string(raw)
		}
	}
	return all
}

// firstDifference returns where two texts begin to differ.
func firstDifference(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf(": …%s… and …%s…", a[max(0, i-200):min(len(a), i+80)], b[max(0, i-200):min(len(b), i+80)])
		}
	}
	return ""
}

var idIn = regexp.MustCompile(`\b[a-z]{2,4}_[0-9a-z]+\b`)

// secretIn returns a secret that an answer holds, in a cursor too, and that its question does not.
func secretIn(answer, question string, hidden map[string]bool) string {
	whole := answer + uncovered(answer)
	for _, id := range idIn.FindAllString(whole, -1) {
		if hidden[id] && !strings.Contains(question, `"`+id+`"`) && !strings.Contains(question, `"`+strings.Replace(id, "ci_", "svc_", 1)+`"`) {
			return id
		}
	}
	if strings.Contains(whole, secret) {
		return secret
	}
	return ""
}
