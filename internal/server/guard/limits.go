// Package guard decides whether an operation may run before anything is spent on it: how large its document is, how
// deep it nests, how often it repeats itself and what it may cost. It refuses to run or to answer anything, and to
// know who is calling.
package guard

import "time"

// Limits bound one operation, and the request that carries it.
type Limits struct {
	Body         int // bytes of a request's body
	Document     int // bytes of a document
	Tokens       int // of a document
	Depth        int // fields within fields
	Aliases      int // in one selection set, and repeats of one response key there
	Directives   int // of a document
	Selections   int // of an operation, its fragments written out
	Nesting      int // lists and objects within each other in an argument or a variable
	Values       int // in the variables
	Cost         int // of an operation; see Cost
	Errors       int // in one answer
	QueryTime    time.Duration
	MutationTime time.Duration
	Documents    int // bytes of memory for documents that were parsed and found valid
}

// Default are the limits of a server without limits of its own.
var Default = Limits{
	Body: 1 << 20, Document: 64 << 10, Tokens: 5_000, Depth: 15, Aliases: 30, Directives: 50, Selections: 10_000, Nesting: 32, Values: 20_000,
	Cost: 10_000, Errors: 10, QueryTime: 15 * time.Second, MutationTime: time.Minute, Documents: 64 << 20,
}

// nameLimit bounds a name. Suggestions for a name that is unknown take time by its length.
const nameLimit = 128
