package auth

import (
	"fmt"
	"strings"
)

// proofs says in words what rules ask beside a role.
var proofs = map[Proof]string{
	NoProof: "", APerson: "a person", SignedIn: "a person's session", FreshSign: "a session of at most 15 minutes",
}

// Policy returns the policy for actions as text.
func Policy() string { return Print(Rules) }

// Print returns a policy as text: a line for each verb, with the mutation, the role that may, who else may for some
// records, and what is asked beside.
func Print(rules []Rule) string {
	var table strings.Builder
	line := func(columns ...any) {
		_, _ = table.WriteString(strings.TrimRight(fmt.Sprintf("%-28s %-26s %-15s %-28s %s", columns...), " ") + "\n")
	}
	line("VERB", "MUTATION", "ROLE", "ALSO", "ASKS FOR")
	for _, r := range rules {
		line(r.Verb, r.Mutation, string(r.Role), strings.Join(r.also(), ", "), proofs[r.Proof])
	}
	return table.String()
}

// also returns who may without the role, for some records.
func (r Rule) also() (words []string) {
	if r.InTeam {
		words = append(words, "within its team")
	}
	if r.Owners {
		words = append(words, "owners")
	}
	if r.BySource {
		words = append(words, "of its sources")
	}
	return words
}
