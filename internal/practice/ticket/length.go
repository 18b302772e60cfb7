package ticket

// The lengths that texts may have, in characters.
const (
	LongestTitle = 200
	LongestText  = 10_000
	LongestWord  = 200 // a category, a name
)
