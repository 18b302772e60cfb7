// Package ticket owns what records that people work on have in common, such as an incident and a change: the number
// people say, the timeline, and how they name other records. It refuses to know the states of any of them.
package ticket

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// The beginnings of the numbers of records.
const (
	IncidentPrefix = "INC"
	ChangePrefix   = "CHG"
)

// Number returns what people call a record: a prefix and the number of its id, with seven digits at least.
func Number(prefix string, id ident.ID) string { return fmt.Sprintf("%s%07d", prefix, id.Number()) }

// ParseNumber reads what Number wrote, in upper or lower case; false for anything else.
func ParseNumber(prefix string, kind ident.Kind, s string) (ident.ID, bool) {
	digits, ok := strings.CutPrefix(strings.ToUpper(s), prefix)
	if !ok || len(digits) > 15 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 48)
	if err != nil || n < 1 {
		return 0, false
	}
	id := ident.New(kind, n)
	return id, Number(prefix, id) == prefix+digits
}
