package issuer

import "time"

// SetClock lets the issuers go by another clock between questions for keys.
func (i *Issuers) SetClock(now func() time.Time) {
	for _, t := range i.all {
		t.keys.now = now
	}
}
