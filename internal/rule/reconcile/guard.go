package reconcile

import "fmt"

// Guard keeps a reading that lacks too much from making records missing.
type Guard struct {
	// Percent of the scope's live claims may go missing in one run, and Least of them in any case.
	Percent int
	Least   int
}

// Check returns why a run must not be applied, or "": more of the scope's live claims are gone than the guard allows,
// or all of them are. Approved are as many as a person lets go in this run; 0 is none.
func (g Guard) Check(live, gone, approved int) string {
	if gone == 0 || gone <= approved {
		return ""
	}
	if gone == live {
		return fmt.Sprintf("the reading has none of the %d records that the scope had: if they are all gone, approve it", live)
	}
	if most := max(g.Least, live*g.Percent/100); gone > most {
		return fmt.Sprintf("%d of the scope's %d records are gone, and at most %d may go in one run (%d %%, at least %d): approve it, or read it again", gone, live, most, g.Percent, g.Least)
	}
	return ""
}
