package domain

// AccountKind is what an account stands for.
type AccountKind string

// AccountKind values.
const (
	PersonAccount  AccountKind = "PERSON"
	ServiceAccount AccountKind = "SERVICE"
)

// Values lists them.
func (AccountKind) Values() []string { return list(PersonAccount, ServiceAccount) }

// AccountState is whether an account may do anything.
type AccountState string

// AccountState values.
const (
	AccountActive   AccountState = "ACTIVE"
	AccountDisabled AccountState = "DISABLED"
	AccountErased   AccountState = "ERASED"
)

// Values lists them.
func (AccountState) Values() []string { return list(AccountActive, AccountDisabled, AccountErased) }

// Via is the door by which an actor came.
type Via string

// Via values.
const (
	ViaSession  Via = "SESSION"  // a person who signed in
	ViaToken    Via = "TOKEN"    // an API token
	ViaWorkload Via = "WORKLOAD" // the token of a program, from an issuer that is trusted
	ViaCLI      Via = "CLI"      // a command on the database itself
	ViaDev      Via = "DEV"      // a name that a caller gave, where nobody signs in
	ViaSystem   Via = "SYSTEM"   // the program itself
)

// Values lists them.
func (Via) Values() []string {
	return list(ViaSession, ViaToken, ViaWorkload, ViaCLI, ViaDev, ViaSystem)
}
