package document

// Limits bound the cost of one file and of one document. A zero field takes the value of DefaultLimits.
type Limits struct {
	FileBytes int64 // of one file
	Documents int   // in one file
	Depth     int   // of lists and maps inside one another
	Nodes     int   // maps, lists, keys and values of one document
	// Marks are the bytes that can begin a node (line breaks, commas, colons, brackets, dashes), counted before a
	// document is parsed: the YAML parser builds its whole tree before anyone can look at it, so this bounds its
	// memory. Marks inside long texts count too, hence the room above Nodes.
	Marks int
}

// DefaultLimits allow any catalogue file written by people or printed by kubectl.
var DefaultLimits = Limits{FileBytes: 16 << 20, Documents: 50_000, Depth: 32, Nodes: 100_000, Marks: 500_000}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	if l.FileBytes > 0 {
		d.FileBytes = l.FileBytes
	}
	if l.Documents > 0 {
		d.Documents = l.Documents
	}
	if l.Depth > 0 {
		d.Depth = l.Depth
	}
	if l.Nodes > 0 {
		d.Nodes = l.Nodes
	}
	if l.Marks > 0 {
		d.Marks = l.Marks
	}
	return d
}
