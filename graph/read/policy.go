package read

import "github.com/linchpin-cmdb/linchpin/internal/auth"

// PolicyRule says who may do what.
type PolicyRule struct{ auth.Rule }

// Policy returns the policy for actions, as the server holds to it.
func Policy() []*PolicyRule {
	all := make([]*PolicyRule, len(auth.Rules))
	for i, r := range auth.Rules {
		all[i] = &PolicyRule{r}
	}
	return all
}

// Mutation returns the mutation. If the verb is that of a command, it returns nil.
func (r *PolicyRule) Mutation() *string { return absent(r.Rule.Mutation) }

// Proof returns what is asked of the caller beside the role.
func (r *PolicyRule) Proof() string { return string(r.Rule.Proof) }
