package demo_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

var exampleRow = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ([A-Z_]+) \\| ((?:FAILED|HARD|SOFT|GROUP).*) \\|$")

// TestTheExampleOfTheRulesIsWhatTheEngineAnswers checks every row and number of the example by which docs/impact.md
// explains the rules.
func TestTheExampleOfTheRulesIsWhatTheEngineAnswers(t *testing.T) {
	text, err := os.ReadFile("../../docs/impact.md")
	if err != nil {
		t.Fatal(err)
	}
	w := build(t)
	a, err := impact.Of(t.Context(), w.snapshot, impact.Question{Failed: []impact.Failure{{CI: w.ids["ups-rtm-a"], State: impact.Down}}})
	if err != nil {
		t.Fatal(err)
	}
	count := map[impact.State]int{}
	for _, h := range a.Affected(impact.Filter{AtLeast: impact.AtRisk, WithoutRoots: true}) {
		count[h.State]++
	}
	sentence := fmt.Sprintf("%d CIs are affected, %d DOWN and %d DEGRADED, and %d are AT_RISK.",
		count[impact.Down]+count[impact.Degraded], count[impact.Down], count[impact.Degraded], count[impact.AtRisk])
	if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), sentence) {
		t.Errorf("it does not say: %s", sentence)
	}
	rows := exampleRow.FindAllStringSubmatch(string(text), -1)
	if len(rows) < 15 {
		t.Errorf("it has %d rows", len(rows))
	}
	for _, row := range rows {
		state, ground := a.State(w.ids[row[1]]).String(), w.ground(a, row[1])
		if row[2] != state || row[3] != ground {
			t.Errorf("it says | `%s` | %s | %s |, but it is %s by %s", row[1], row[2], row[3], state, ground)
		}
	}
}

// ground returns the reason why a CI is in its state, in the words of the example.
func (w world) ground(a *impact.Answer, key string) string {
	proof, ok := a.Proof(w.ids[key])
	if !ok {
		return "nothing"
	}
	switch e := proof.Explanations[0]; e.Ground {
	case impact.HardDependency, impact.SoftDependency:
		return fmt.Sprintf("%s: %s", e.Ground, w.keys[e.Cause])
	case impact.BrokenGroup:
		var lost []string
		for _, m := range e.Group.Members {
			if m.IsCause {
				lost = append(lost, w.keys[m.CI])
			}
		}
		slices.Sort(lost)
		return fmt.Sprintf("%s: %s needs %d of %d, %d up, %d well; lost %s", e.Ground, e.Group.Mode, e.Group.Need, e.Group.Total, e.Group.Up, e.Group.Well, strings.Join(lost, ", "))
	default:
		return e.Ground.String()
	}
}
