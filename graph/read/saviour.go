package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// IsInMaintenance reports whether the CI is in maintenance.
func (a *AffectedCI) IsInMaintenance() bool { return a.hit.InMaintenance }

// Saviours returns CIs the survival of a single one of which would keep the CI up, the nearest first.
func (a *AffectedCI) Saviours(ctx context.Context) ([]*CI, error) {
	found, err := once(a.in, "saviours", func() (map[*AffectedCI][]*CI, error) {
		of, all := map[*AffectedCI][]ident.ID{}, []ident.ID(nil)
		for _, row := range a.in.Rows {
			if !row.isTold() {
				continue
			}
			for _, s := range row.i.answer().Saviours(row.hit.CI) {
				of[row] = append(of[row], s.CI)
				all = append(all, s.CI)
			}
		}
		cis, err := loadVertices(ctx, a.in.reader, all)
		if err != nil {
			return nil, err
		}
		shown := make(map[*AffectedCI][]*CI, len(a.in.Rows))
		for _, row := range a.in.Rows {
			shown[row] = cis.list(of[row])
		}
		return shown, nil
	})
	return found[a], err
}
